-- How long contracts last. Frailty z ~ gamma(shape, rate shape), hazard of a block =
-- z x base x onboarding x calendar x outreach. Given survival to the age at which the records
-- begin, z ~ gamma(shape, shape + H), H the hazard before that age without z, so that
-- T solves z H(T) = z H(entry) + exponential.
create or replace temp table path as
with grid as (
    select
        c, g.k, h.rate * m.ratio * g.ratio as base,
        under_outreach(key, start, g.k, p_review) as treated
    from (select *, unnest(range((getvariable('last') + 30 - start) // 30)) as k from born) g
    join m_hazard h on h.seg = g.seg and h.yearly = g.yearly and h.k = g.k
    join m_block m on m.m = month_of(g.start) and m.k = g.k
),
steps as (
    select *, base * case when treated then getvariable('outreach_ratio') else 1 end as step
    from grid
)
select c, k, base, treated, step, sum(step) over (partition by c order by k) as upto from steps;

insert into contract
with met as (
    select c, sum(p.step * least(1, (b.entry - 30 * p.k) / 30)) as before
    from path p join born b using (c)
    where b.entry > 30 * p.k
    group by c
),
aim as (
    select
        b.*, b.shape + coalesce(met.before, 0) as tilt, erlang(b.key, 'frailty', b.shape) as g,
        coalesce(met.before, 0) + exponential(b.key, 'leave', 0) * tilt / g as target
    from born b left join met using (c)
),
crossing as (
    select c, p.k, 30 * (p.k + (a.target - (p.upto - p.step)) / p.step) as age
    from path p join aim a using (c)
    where p.upto > a.target and p.upto - p.step <= a.target
),
leaving as (
    select a.*, x.k, a.start + ceil(x.age)::int as leave
    from aim a left join crossing x using (c)
)
select
    l.c, l.i, l.key, l.spell, l.seg, l.cls, l.yearly, l.start, l.entry,
    case when leave <= getvariable('last') then leave else getvariable('last') + 1 end as stop,
    coalesce(leave <= getvariable('last'), false) as ended,
    case when leave <= getvariable('last') then
        1 + (u(l.key, 'cause', 0) > h.cum_1)::int + (u(l.key, 'cause', 0) > h.cum_2)::int
    end as cause,
    g / tilt * ratio as rho,
    p_review
from leaving l left join m_hazard h on h.seg = l.seg and h.yearly = l.yearly and h.k = l.k;

-- Reviews of customers who are still there, with the risk of leaving until the next review in
-- closed form: 1 - ((shape + H) / (shape + H + D))^shape, D the hazard of the six blocks.
insert into review
with due as (
    select
        p.c, review_of(p.k) as r, bool_or(p.treated) as treated,
        min(p.upto - p.step) as before, sum(p.base) as ahead
    from path p
    where p.k >= getvariable('review_first')
    group by all
)
select
    d.c, k.i, k.cls, k.spell, d.r, k.start + review_age(d.r) as day, d.treated,
    k.start + review_age(d.r) + 180 <= getvariable('last') + 1 as complete,
    1 - pow((b.shape + before) / (b.shape + before + ahead), b.shape) as risk_without,
    1 - pow((b.shape + before)
        / (b.shape + before + getvariable('outreach_ratio') * ahead), b.shape) as risk_with
from due d join contract k using (c) join born b using (c)
where k.start + review_age(d.r) >= getvariable('programme_day')
    and k.start + review_age(d.r) < k.stop;
