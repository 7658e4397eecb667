-- The second product beside the first, and the free plan after a downgrade to nothing.
create or replace temp table extra as
with firsts as (
    select c, min(day) as day from move where adds and day between 0 and getvariable('last') group by c
)
select
    k.c, k.i, k.spell, 1 as kind, f.day, case when k.ended then k.stop end as stop,
    s.addon_price * 1.0 as price, 'Insights add-on' as plan,
    case when k.ended then getvariable('causes')[k.cause] end as end_reason,
    case when k.yearly = 1 then 12 else 1 end as billing_months
from firsts f join contract k using (c) join m_segment s on s.seg = k.seg
union all
select
    k.c, k.i, k.spell, 2, k.stop, again.start, 0.0, 'Free',
    case when again.start is not null then 'upgrade' end, 1
from contract k left join contract again on again.i = k.i and again.spell = 2
where k.spell = 1 and k.ended and k.cause = 3;
