-- Months of use: one row per stay (trial, contract, pay as you go) and calendar month.
create or replace temp table stay as
with stays as (
    select i, key, c, 0 as kind, greatest(start, 0) as ws, stop as we, start, ended, rho, p_review
    from contract
    union all
    select i, key, i * 2, 1, signup,
        least(getvariable('last') + 1,
            signup + case when would_convert then least(convert_days, trial_days) else trial_days end),
        signup, false, case when would_convert then 0.4 else 2.0 end, 0
    from account
    where trial
    union all
    select i, key, i * 2, 2, signup,
        least(getvariable('last') + 1, signup + 1 + floor(7 * least(weeks, seen))::int),
        signup, false, 3.0, 0
    from payg
),
months as (
    select *, unnest(range(month_of(ws), month_of(we - 1) + 1)) as cm from stays where we > ws
),
edged as (
    select
        *,
        greatest(ws, datediff('day', day_of(0), (day_of(0) + to_months(cm::int))::date)) as f,
        least(we, datediff('day', day_of(0), (day_of(0) + to_months(cm::int + 1))::date)) as t
    from months
)
select
    e.i, e.key, e.c, e.kind, e.start, e.we, e.ended, e.rho, e.cm::int as cm, e.f, e.t,
    (f + t) / 2.0 - e.start as age,
    case when e.ended then e.we - (f + t) / 2.0 end as days_left,
    kind = 0 and under_outreach(e.key, e.start, floor(((f + t) / 2.0 - e.start) / 30)::int,
        e.p_review) as treated,
    a.seg, a.users, a.key as account_key, a.seats0
from edged e join account a using (i);
