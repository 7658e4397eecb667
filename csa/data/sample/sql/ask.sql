-- Invitations to a survey, with the answer that each would give.
create or replace temp table ask as
with relationship as (
    select
        k.i, k.seg, 1 as kind, w.wave as n, person::int as person,
        moment(w.d, 32400 + 7200 * u(k.key, 'sent', w.wave)) as sent_at,
        key_of(key_of(k.key, 'wave', w.wave), 'person', person) as key,
        s.loyalty + w.shift - 1.1 * ln(k.rho) + 1.3 * normal(k.key, 'mood', 0)
            + 1.2 * normal(key_of(k.key, 'wave', w.wave), 'person mood', person) as feeling,
        s.answer * case when k.ended and k.stop - w.d <= 90 then 0.5 else 1 end as answer,
        w.wave
    from contract k
    join m_segment s using (seg)
    join m_wave w on w.d >= k.start + 30 and w.d < k.stop,
    unnest(range(1, s.contacts + 1)) as people(person)
),
support as (
    select
        t.i, t.seg, 2 + (u(t.key, 'asked', 1) < 0.4)::int as kind, t.cm * 100 + t.n as n,
        1 + floor(a.users * u(t.key, 'asker', 0))::int as person,
        date_trunc('second', t.solved_at + to_seconds(3600)) as sent_at,
        key_of(t.key, 'support survey', 0) as key,
        4.3 - 0.25 * ln(datediff('second', t.opened_at, t.solved_at) / 86400.0 + 0.1)
            + 0.9 * normal(t.key, 'satisfied', 0) as feeling,
        0.32 as answer,
        null as wave
    from ticket t join account a using (i)
    where u(t.key, 'asked', 0) < 0.5 and by_now(t.solved_at + interval 1 hour) is not null
),
training as (
    select
        k.i, k.seg, 2 as kind, 10000 + m.number as n, 1 as person,
        moment(m.d + 7, 36000) as sent_at, key_of(k.key, 'training survey', m.number) as key,
        4.2 + 0.7 * normal(k.key, 'trained', m.number) as feeling, 0.4 as answer, null as wave
    from contract k join account a using (i)
    join m_campaign m on m.kind = 'training' and m.d >= k.start and m.d < k.stop
    where u(a.key, 'campaign', m.number) * 100 < m.percent and m.d + 7 <= getvariable('last')
),
scored as (
    select
        *, case kind
            when 1 then greatest(0, least(10, round(feeling)))
            when 2 then greatest(1, least(5, round(feeling)))
            else greatest(1, least(7, round(1.3 * feeling))) end as score
    from (from relationship union all by name from support union all by name from training)
),
willing as (
    select
        *, u(key, 'answers', 0) < answer * case
            when kind > 1 then 1 when score >= 9 then 1.25 when score >= 7 then 0.8 else 0.9 end
            as willing,
        -- blemish: one answer in 200 comes two to four months late
        exponential(key, 'delay', 0) * 172800
            + case when u(key, 'late', 0) < 0.005 then 5184000 * (1 + u(key, 'late', 1)) else 60 end
            as delay
    from scored
)
select
    *, case when willing then by_now(date_trunc('second', sent_at + to_seconds(delay))) end
        as answered_at
from willing;
