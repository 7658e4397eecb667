-- Sessions: so many per stay and month, spread over its days by their weight.
create or replace temp table session as
with expected as (
    select
        s.i, s.key, s.seg, s.cm, s.users, f.u0, t.u1, s.kind, s.account_key,
        key_of(s.key, 'month', s.cm * 4 + s.kind) as month_key,
        g.sessions
            * exp(-0.35 * ln(s.rho) + 0.4 * normal(s.account_key, 'activity', 0) - 0.08)
            * exp(0.2 * normal(s.key, 'busy', s.cm) - 0.02)
            * pow(1.004, s.age / 30)
            * case when s.age < 30 then 0.6 when s.age < 60 then 0.85 else 1 end
            * case when days_left < 30 then 0.35 when days_left < 60 then 0.6
                when days_left < 90 then 0.85 else 1 end
            * case when s.treated then getvariable('outreach_usage') else 1 end
            * case when s.kind = 0 and s.start <= m.webinar_day
                    and s.we > m.webinar_day
                    and u(s.account_key, 'campaign', m.webinar) * 100 < m.webinar_percent
                then getvariable('webinar_usage') else 1 end
            * (t.u1 - f.u0) / getvariable('usual_month') as mean
    from stay s
    join m_segment g using (seg)
    join m_month m using (cm)
    join m_day f on f.d = s.f
    join m_day t on t.d = s.t - 1
),
counted as (
    select
        *,
        least(ceil(getvariable('session_cap') * getvariable('detail')),
            whole(mean * getvariable('detail'), u(month_key, 'sessions', 0)))::int as sessions
    from expected
),
each_one as (
    select i, seg, cm, users, kind, account_key, month_key, u0, u1, unnest(range(sessions))::int as n
    from counted
    where sessions > 0
)
select
    e.i, e.seg, e.cm, e.kind, e.n, b.d, e.account_key,
    key_of(e.month_key, 'session', e.n) as key,
    1 + floor(users * pow(u(e.month_key, 'user', e.n), 1.6))::int as person
from each_one e
join m_usage_bucket b
    on b.cm = e.cm and b.bucket = e.u0 + floor((e.u1 - e.u0) * u(e.month_key, 'day', e.n))::int;
