-- Support cases of customers with a contract.
create or replace temp table ticket as
with expected as (
    select
        s.i, s.c, s.seg, s.cm, f.t0, t.t1, key_of(s.key, 'tickets', s.cm) as key,
        g.tickets * sqrt(s.rho) * case when s.age < 90 then 1.8 else 1 end
            * (t.t1 - f.t0) / getvariable('usual_month') as mean
    from stay s
    join m_segment g using (seg)
    join m_day f on f.d = s.f
    join m_day t on t.d = s.t - 1
    where s.kind = 0
),
each_one as (
    select *, unnest(range(least(12, whole(mean, u(key, 'count', 0))))) as n from expected
),
opened as (
    select
        e.i, e.c, e.seg, e.cm, e.n, b.d, key_of(e.key, 'ticket', e.n) as key
    from each_one e
    join m_ticket_bucket b
        on b.cm = e.cm and b.bucket = e.t0 + floor((e.t1 - e.t0) * u(e.key, 'day', e.n))::int
),
natured as (
    select
        *, pick(getvariable('category_100'), u(key, 'category', 0)) as category,
        pick(getvariable('priority_100'), u(key, 'priority', 0)) as priority,
        moment(d, 25200 + 43200 * u(key, 'hour', 0)) as opened_at
    from opened
),
timed as (
    select
        *,
        3600 * getvariable('response_hours')[priority] * exp(0.8 * normal(key, 'response', 0))
            * case when d >= getvariable('go_live') then getvariable('go_live_response') else 1 end
            as response,
        3600 * 18 * exp(normal(key, 'work', 0)) * case when category = 'integration' then 2 else 1 end
            as work,
        u(key, 'contacts', 0) < 0.55 as at_once
    from natured
)
select
    i, c, seg, cm, n, d, key, category, priority, opened_at,
    date_trunc('second', opened_at + to_seconds(response)) as responded_at,
    -- one in a hundred is never solved
    case when u(key, 'forgotten', 0) >= 0.01
        then date_trunc('second', opened_at + to_seconds(response + work)) end as solved_at,
    case when at_once then 1 else 2 + floor(1.2 * exponential(key, 'contacts', 1)) end::bigint
        as contacts,
    case when u(key, 'escalate', 0)
            < 0.03 + (priority = 4)::int * 0.12 + (work > 259200)::int * 0.08
        then date_trunc('second', opened_at
            + to_seconds((0.3 + 0.5 * u(key, 'escalate', 1)) * (response + work))) end as raised_at
from timed;
