-- Table `interventions`: outreach at reviews, and answers to escalations, which change nothing.
with every as (
    select
        v.i, v.spell, 0 as kind, v.r as n, 'proactive' as name,
        case v.cls when 1 then 'scheduled review' when 2 then 'low adoption' else 'no onboarding' end
            as trigger,
        moment(v.day, 32400 + 25200 * u(k.key, 'outreach', v.r)) as started_at,
        key_of(k.key, 'outreach', v.r) as key
    from review v join contract k using (c)
    where v.treated
    union all
    select
        i, c % 2 + 1, 1, cm * 100 + n, 'reactive', 'escalation',
        date_trunc('second', raised_at + to_seconds(3600 + 100000 * u(key, 'reaction', 1))),
        key_of(key, 'reaction', 0)
    from ticket
    where raised_at is not null and u(key, 'reaction', 0) < 0.5
)
select
    printf('V%08d-%d%d%05d', e.i, e.spell, e.kind, e.n) as intervention_id,
    account_name(e.i) as account_id,
    e.name as kind,
    e.trigger,
    printf(getvariable('owner_format'), a.owner) as owner,
    started_at,
    by_now(date_trunc('second', started_at + to_seconds(86400 * ended.days))) as ended_at,
    case when by_now(started_at + to_seconds(86400 * ended.days)) is not null then
        case when u(e.key, 'outcome', 0) < 0.55 then 'plan agreed'
            when u(e.key, 'outcome', 0) < 0.85 then 'reached' else 'no answer' end
    end as outcome,
    round(80 + 60 * a.seg * u(e.key, 'cost', 0) + 40 * e.kind, 2)::decimal(18, 4) as cost
from every e
join account a using (i),
lateral (select 2 + 20 * u(e.key, 'duration', 0) as days) as ended
where by_now(started_at) is not null
order by e.i, started_at, e.kind, e.n
