-- Table `subscriptions`.
with every as (
    select
        i, c, 0 as kind, day, stop, mrr, list_mrr, discount_ends, seats,
        getvariable('plan_names')[plan] as plan, yearly, first_paid, end_reason,
        case when yearly = 1 then 12 else 1 end as billing_months
    from sub
    union all
    select i, c, kind, day, stop, price, price, null, case when kind = 2 then 1 end, plan, 0, null,
        end_reason, billing_months
    from extra
),
numbered as (
    select
        *, row_number() over (partition by i order by day, c, kind) as n,
        year(day_of(day)) - year(day_of(first_paid)) as years,
        case when yearly = 1 then day_of(first_paid) end as anchor
    from every
)
select
    printf('S%08d-%02d', i, n) as subscription_id,
    account_name(i) as account_id,
    day_of(day) as start_on,
    day_of(stop) as end_on,
    case when end_reason = 'voluntary'
        then greatest(day_of(day), day_of(stop) - 14) end as cancelled_on,  -- with notice
    case when anchor is not null then (anchor + to_years((years
        + ((anchor + to_years(years::int))::date <= day_of(day))::int)::int))::date end as renews_on,
    mrr::decimal(18, 4) as mrr,
    list_mrr::decimal(18, 4) as list_mrr,
    day_of(discount_ends) as discount_ends_on,
    'EUR' as currency,
    seats::bigint as seats,
    plan,
    billing_months::bigint as billing_months,
    end_reason,
    day_of(0) as observed_from
from numbered
order by i, n
