-- The spine: one row per account with everything that is drawn once.
create or replace temp table account as
with numbered as (
    select i, key_of(hash(i::ubigint), getvariable('seed_text'), 0) as key
    from range(getvariable('chunk_first'), getvariable('chunk_end')) as t(i)
),
kinds as (
    select
        n.i, n.key, s.*,
        u(key, 'payg', 0) * 100 < s.payg_percent as payg,
        u(key, 'early', 0) * 100 < getvariable('early_percent') as was_early,
        pick(getvariable('channel_100'), u(key, 'channel', 0)) as channel,
        floor(u(key, 'signup', 0) * getvariable('signup_buckets'))::int as bucket
    from numbered n
    join m_segment s on s.seg = pick(getvariable('segment_100'), u(n.key, 'segment', 0))
),
arrivals as (
    select
        k.*,
        was_early and not payg as early,
        not payg and not was_early and u(key, 'trial', 0) * 100 < trial_percent as trial,
        case
            when was_early and not payg
            then -1 - floor(u(key, 'oldest', 0) * getvariable('oldest_days'))::int
            else b.d
        end as signup,
        u(key, 'convert', 0) * 100 < convert_percent + getvariable('channel_lift')[channel]
            as would_convert,
        1 + floor(1.3 * trial_days * pow(u(key, 'convert', 1), 0.7))::int as convert_days
    from kinds k join m_signup_bucket b using (bucket)
),
contracts as (
    select
        a.*,
        case when early then
            1 + len(list_filter(e.cum, lambda x: x < u(key, 'cell', 0)))
        else
            1 + 3 * (u(key, 'yearly', 0) * 100 < yearly_percent)::int
            + pick(onboarding_100, u(key, 'onboarding', 0)) - 1
        end as cell,
        case
            when payg or (trial and not would_convert) then null
            when trial then signup + convert_days
            else signup
        end as first_paid
    from arrivals a left join m_entry e on e.seg = a.seg and e.start = a.signup
)
select
    i, key, seg, payg, early, trial, signup, channel, trial_days, would_convert, convert_days,
    (cell - 1) // 3 as yearly,
    (cell - 1) % 3 + 1 as cls,
    case when first_paid <= getvariable('last') then first_paid end as start,
    pick(plan_100, u(key, 'plan', 0)) as plan0,
    seats_low + floor((seats_high - seats_low + 1) * pow(u(key, 'seats', 0), 2))::int as seats0,
    pick(getvariable('discount_100'), u(key, 'discount', 0)) as discount,
    owner_first + floor(u(key, 'owner', 0) * owners)::int as owner,
    round(acquisition * getvariable('channel_cost')[channel]
        * exp(0.4 * normal(key, 'acquisition', 0) - 0.08)
        * case when payg then 0.15 when trial then 0.7 else 1.3 end, 2) as acquisition_cost,
    least(40, greatest(1, round(0.7 * seats0)))::int as users
from contracts;
