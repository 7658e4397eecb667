-- Yearly renewals: due on each anniversary, renewed where the customer stays 30 days beyond it.
create or replace temp table term as
with anniversaries as (
    select c, i, start, stop, ended, unnest(range(1, 10)) as year
    from contract
    where yearly = 1
),
due as (
    select
        *, (((day_of(start) + to_years(year::int))::date - day_of(0)))::int as due
    from anniversaries
)
select
    c, i, year, due, stop, ended,
    due <= getvariable('last') and (not ended or stop > due + 30) as renewed
from due
where due >= 0 and due < stop + case when ended then 0 else 400 end;
