-- Table `decisions`: one or two a month since the analytics project went live.
with raised as (
    select
        n, hash(n) as key,
        timestamp '2025-03-10 09:00:00' + to_days((n * 18)::int)
            + to_minutes(floor(420 * u(hash(n), 'raised', 0))::int) as raised_at
    from range(1, 34) as t(n)
),
timed as (
    select *, raised_at + to_minutes(floor(1440 * (16 - 0.25 * n)
        * exponential(key, 'decides', 0))::int) as decided_at
    from raised
)
select
    printf('E%03d', n) as decision_id,
    raised_at,
    by_now(decided_at) as decided_at,
    case n % 3 when 0 then 'quarterly' else 'monthly' end as report,
    case when by_now(decided_at) is not null then
        ['outreach extended', 'price test agreed', 'no change', 'staff moved', 'feature funded',
            'target revised'][1 + floor(6 * u(key, 'outcome', 0))::int]
    end as outcome
from timed
where by_now(raised_at) is not null
order by n
