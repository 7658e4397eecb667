-- Customers who come back. Billing and hazard class are drawn anew from the segment's shares, so
-- that second spells follow the same law as first ones; outreach is drawn at its mean rate.
create or replace temp table born as
with back as (
    select
        k.i, k.i * 2 + 1 as c, key_of(a.key, 'spell', 2) as key, k.seg,
        k.stop + 45 + floor(255 * u(k.key, 'return', 1))::int as start
    from contract k join account a using (i)
    where k.spell = 1 and k.ended and u(k.key, 'return', 0) * 100 < getvariable('return_percent')
),
drawn as (
    select
        b.*, s.shape, s.p_review, s.yearly_percent,
        pick(s.onboarding_100, u(key, 'onboarding', 0)) as cls
    from back b join m_segment s using (seg)
    where start <= getvariable('last')
)
select
    i, c, 2 as spell, key, seg, cls, (u(key, 'yearly', 0) * 100 < yearly_percent)::int as yearly,
    start, 0 as entry, p_review, shape, getvariable('onboarding_ratio')[cls] as ratio
from drawn;
