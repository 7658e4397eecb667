-- What may happen at the start of each block of tenure from the second on: more or fewer seats, an
-- add-on, or a deal that is lost. Blocks up to 75 days ahead give the deals that are still open.
create or replace temp table move as
with blocks as (
    select
        *, unnest(range(1, (case when ended then stop else getvariable('last') + 76 end
            - start + 29) // 30)) as k
    from contract
),
dated as (
    select
        b.c, b.i, b.seg, b.key, b.k::int as k, (b.start + 30 * b.k)::int as day, m.down_ratio,
        s.up, s.down, s.addon,
        -- an exposed account was a customer on the first day of the campaign
        coalesce(b.start <= m.offer_day
            and u(a.key, 'campaign', m.offer) * 100 < m.offer_percent, false) as offered
    from blocks b
    join account a using (i)
    join m_segment s on s.seg = b.seg
    join m_month m on m.cm = month_of(b.start + 30 * b.k)
),
drawn as (
    select
        c, i, seg, key, k, day, offered,
        u(key, 'up', k) < up * case when offered then getvariable('offer_ratio') else 1 end as ups,
        u(key, 'down', k) < down * down_ratio as downs,
        u(key, 'up lost', k) < 0.8 * up as lost,
        u(key, 'addon', k) < addon as adds,
        u(key, 'addon lost', k) < 1.5 * addon as add_lost,
        u(key, 'plan', k) < 0.15 as plan_up
    from dated
)
select * replace (downs and not ups as downs) from drawn where ups or downs or lost or adds or add_lost;
