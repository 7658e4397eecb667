-- Table `opportunities`: what led to the changes of `sub`, what was lost, what is still open.
with priced as (
    select *, mrr - lag(mrr) over (partition by c order by day) as gain from sub
),
deals as (
    select m.c, m.i, m.k, 'upsell' as kind, m.day as closes, 'won' as stage, p.gain as mrr, m.key
    from move m join priced p on p.c = m.c and p.day = m.day
    where m.ups and m.day between 0 and getvariable('last') and p.gain > 0
    union all
    select m.c, m.i, 100 + m.k, 'upsell', m.day + 7,
        case when m.day + 7 > getvariable('last') then 'proposal' else 'lost' end,
        round(0.25 * s.mrr, 2), m.key
    from move m asof join sub s on s.c = m.c and s.day <= m.day
    where m.day >= 0 and (m.lost or (m.ups and m.day > getvariable('last')))
    union all
    select c, i, 200, 'cross_sell', day, 'won', price, key_of(hash(c), 'addon', 0)
    from extra where kind = 1
    union all
    select m.c, m.i, 300 + m.k, 'cross_sell', m.day + 9,
        case when m.day + 9 > getvariable('last') then 'qualified' else 'lost' end,
        s.addon_price, m.key
    from move m join m_segment s using (seg)
    where m.day >= 0 and m.add_lost
    union all
    select
        t.c, t.i, 400 + t.year, 'renewal',
        case when t.renewed then t.due - floor(20 * u(hash(t.c), 'renewal', t.year))::int
            when t.ended then least(t.stop, t.due + 30)
            else getvariable('last') + 1 end,
        case when t.renewed then 'won' when t.ended then 'lost' else 'negotiation' end,
        s.mrr, key_of(hash(t.c), 'renewal', 0)
    from term t asof join sub s on s.c = t.c and s.day < t.due
    where t.due - 90 <= getvariable('last') and (t.renewed or t.ended or t.due > getvariable('last'))
),
opened as (
    select
        d.*,
        greatest(k.start, 0, least(closes - 3, case when d.kind = 'renewal'
            then closes - 70 - floor(20 * u(d.key, 'opened', d.k))::int
            else closes - 14 - floor(60 * u(d.key, 'opened', d.k))::int end)) as opens
    from deals d join contract k using (c)
)
select
    printf('D%08d-%d-%03d', i, c % 2 + 1, k) as opportunity_id,
    account_name(i) as account_id,
    kind,
    day_of(opens) as opened_on,
    case when stage in ('won', 'lost') then day_of(closes) end as closed_on,
    stage,
    mrr::decimal(18, 4) as mrr
from opened
where opens <= closes and opens <= getvariable('last')
    and (closes <= getvariable('last') or stage not in ('won', 'lost'))
order by i, opens, c, k
