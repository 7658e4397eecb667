-- Table `transactions`: purchases, and refunds of some of them in full.
with counted as (
    select
        *, least(weeks, seen) as until,
        least(getvariable('purchase_cap'), ceil(rate * seen + 6 * sqrt(rate * seen) + 10))::int as most
    from payg
),
gaps as (
    select *, unnest(range(most)) as n from counted
),
purchases as (
    select
        i, key, signup, until, nu, n,
        sum(case when n = 0 then 0 else exponential(key, 'gap', n) / rate end)
            over (partition by i order by n) as at_week
    from gaps
),
made as (
    select
        i, key, n,
        moment(signup, 28800 + 36000 * u(key, 'hour', 0) + at_week * 604800) as occurred_at,
        round(erlang(key_of(key, 'amount', n), 'amount', getvariable('purchase_p')) / nu, 2) as amount
    from purchases
    where at_week < until or n = 0
),
every as (
    select i, n, 0 as refund, occurred_at, greatest(amount, 0.01) as amount from made
    union all
    select
        i, n, 1,
        date_trunc('second', occurred_at + to_seconds(259200 + 2332800 * u(key, 'refund', 1000 + n))),
        -greatest(amount, 0.01)
    from made
    where u(key, 'refund', n) * 100 < getvariable('refund_percent')
)
select
    printf('T%08d-%04d%s', i, n, case when refund = 1 then 'R' else '' end) as transaction_id,
    account_name(i) as account_id,
    occurred_at,
    amount::decimal(18, 4) as amount,
    'EUR' as currency
from every
where by_now(occurred_at) is not null
order by i, occurred_at, n, refund
