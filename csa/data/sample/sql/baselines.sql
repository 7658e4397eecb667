-- Table `baselines`: values of 2024, frozen before the analytics project went live.
with year as (
    select date '2024-01-01' as first, date '2025-01-01' as past
),
customers as (
    select account_id,
        bool_or(start_on < first and coalesce(end_on, date '9999-12-31') >= first) as before,
        bool_or(start_on < past and coalesce(end_on, date '9999-12-31') >= past) as after
    from written_subscriptions, year
    where mrr > 0
    group by account_id
),
found(metric_id, value, n) as (
    select 'yearly_logo_churn', avg((not after)::int), count(*) from customers where before
    union all
    select 'nps', 100 * avg((score >= 9)::int - (score <= 6)::int), count(score)
    from written_surveys, year
    where kind = 'nps' and answered_at >= first and answered_at < past
    union all
    select 'first_response_hours',
        median(datediff('second', opened_at, first_response_at)) / 3600.0,
        count(first_response_at)
    from written_tickets, year where opened_at >= first and opened_at < past
    union all
    select 'mrr', sum(mrr)::double, count(distinct account_id)
    from written_subscriptions, year
    where mrr > 0 and start_on < past and coalesce(end_on, date '9999-12-31') >= past
    union all
    select 'trial_to_paid', avg((converted_on is not null)::int), count(*)
    from written_accounts, year where trial_started_on >= first and trial_started_on < past - 45
)
select metric_id, 'Year 2024' as name, round(value, 6) as value, n::bigint as n,
    date '2025-02-14' as frozen_on
from found
where value is not null
order by metric_id
