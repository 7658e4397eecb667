-- Periods with one price and one number of seats: a contract cut at every change.
create or replace temp table sub as
with turns as (
    select c, start as day, 0 as rank, 0 as step, 0 as plan_step, 0 as gap from contract
    union all
    select c, day, case when ups then 1 else 2 end, case when ups then 1 else -1 end,
        (ups and plan_up)::int, 0
    from move
    where (ups or downs) and day between 0 and getvariable('last')
    union all
    select c, getvariable('price_day'), 3, 0, 0, 0
    from contract
    where start < getvariable('price_day') and stop > getvariable('price_day')
    union all
    select k.c, k.start + 365, 4, 0, 0, 0
    from contract k join account a using (i)
    where k.spell = 1 and a.discount > 0 and k.start >= -365 and k.start + 365 < k.stop
    union all
    select c, due, 5, 0, 0, 0 from term where renewed
    union all
    -- a failed payment: the row ends some days before the next one begins
    select c, back, 6, 0, 0, 5 + floor(16 * u(key, 'lapse', 2))::int
    from (
        select *, greatest(start, 0) + 60 + floor(600 * u(key, 'lapse', 1))::int as back
        from contract
        where yearly = 0 and u(key, 'lapse', 0) * 100 < getvariable('lapse_percent')
    )
    where back + 15 < stop
),
days as (
    select
        c, day, min(rank) as rank, sum(step) as step, sum(plan_step) as plan_step, max(gap) as gap
    from turns
    group by c, day
),
cut as (
    select
        c, day, rank,
        sum(step) over so_far as steps,
        sum(plan_step) over so_far as plan_steps,
        lead(day) over line as next_day,
        lead(rank) over line as next_rank,
        lead(gap) over line as next_gap
    from days
    window line as (partition by c order by day),
        so_far as (partition by c order by day rows between unbounded preceding and current row)
),
priced as (
    select
        t.c, k.i, k.key, k.spell, k.yearly, k.start as first_paid, k.cause, t.day, t.rank,
        t.next_rank,
        case when next_day is not null then greatest(day + 1, next_day - next_gap)
            when k.ended then k.stop end as stop,
        greatest(1, round(a.seats0 * pow(1.25, steps)))::int as seats,
        least(4, a.plan0 + plan_steps)::int as plan,
        case when k.spell = 1 and k.start >= -365 and day < k.start + 365
            then a.discount else 0 end as discount
    from cut t join contract k using (c) join account a on a.i = k.i
),
listed as (
    select
        *,
        (seats * case when day >= getvariable('price_day')
            then getvariable('new_prices')[plan] else getvariable('prices')[plan] end
        )::decimal(18, 2) as list_mrr
    from priced
)
select
    *,
    (list_mrr * (100 - discount) / 100)::decimal(18, 2) as mrr,
    case when discount > 0 then first_paid + 365 end as discount_ends,
    case when next_rank is not null then getvariable('turn_names')[next_rank]
        when stop is not null then getvariable('causes')[cause] end as end_reason
from listed;
