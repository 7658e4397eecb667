-- Table `cash_flows`: the plan to August 2027, and what happened until the last day. Amounts are for
-- 2,000 accounts and grow with the company.
with lines(initiative, kind, category, first, months, amount, low, high, ramp, actual) as (
    values
        ('Customer success analytics', 'cost', 'implementation', 34, 6, 9000, 0.9, 1.4, 0, 1.18),
        ('Customer success analytics', 'cost', 'licences and hosting', 34, 36, 1400, 0.95, 1.1, 0, 1.03),
        ('Customer success analytics', 'cost', 'people', 36, 34, 5200, 0.9, 1.2, 0, 1.06),
        ('Customer success analytics', 'cost', 'training', 38, 12, 700, 0.8, 1.3, 0, 0.9),
        ('Customer success analytics', 'benefit', 'revenue retained', 40, 30, 11000, 0.5, 1.3, 9, 0.82),
        ('Customer success analytics', 'benefit', 'expansion', 41, 29, 4200, 0.4, 1.5, 12, 0.95),
        ('Customer success analytics', 'benefit', 'time saved', 40, 30, 2600, 0.7, 1.2, 4, 1.1),
        ('Proactive outreach', 'cost', 'people', 26, 44, 3800, 0.9, 1.15, 0, 1.02),
        ('Proactive outreach', 'cost', 'tools', 26, 44, 450, 0.9, 1.1, 0, 1.0),
        ('Proactive outreach', 'benefit', 'revenue retained', 27, 43, 6500, 0.4, 1.4, 8, 0.9)
),
monthly as (
    select
        *, unnest(range(months)) as n, hash(initiative || kind || category) as key from lines
),
planned as (
    select
        *, (date '2021-11-15' + to_months((first + n)::int))::date as occurs_on,
        amount * getvariable('accounts') / 2000 * case when ramp = 0 then 1
            else least(1, (n + 1) / ramp) end as size
    from monthly
)
select initiative, kind, category, occurs_on, round(size, 2)::decimal(18, 4) as amount,
    round(size * low, 2)::decimal(18, 4) as low, round(size * high, 2)::decimal(18, 4) as high,
    'plan' as basis
from planned
union all
select initiative, kind, category, occurs_on,
    round(size * actual * exp(0.09 * normal(key, 'actual', n)), 2)::decimal(18, 4),
    null, null, 'actual'
from planned
where occurs_on <= date '2026-10-31'
order by initiative, basis, kind, category, occurs_on
