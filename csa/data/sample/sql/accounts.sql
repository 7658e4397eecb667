-- Table `accounts`. Names are made of invented syllables.
select
    account_name(i) as account_id,
    getvariable('syllable_1')[1 + floor(40 * u(key, 'name', 1))::int]
        || getvariable('syllable_2')[1 + floor(40 * u(key, 'name', 2))::int]
        || getvariable('syllable_3')[1 + floor(30 * u(key, 'name', 3))::int]
        || ' ' || getvariable('trades')[1 + floor(20 * u(key, 'name', 4))::int] as name,
    getvariable('segment_names')[seg] as segment,
    -- blemish: one in a hundred accounts has no industry
    case when u(key, 'no industry', 0) >= 0.01
        then pick(getvariable('industry_100'), u(key, 'industry', 0)) end as industry,
    pick(getvariable('region_100'), u(key, 'region', 0)) as region,
    case when payg then 'Pay as you go' else getvariable('plan_names')[plan0] end as plan,
    printf(getvariable('owner_format'), owner) as owner,
    getvariable('channel_names')[channel] as channel,
    day_of(signup) as signed_up_on,
    case when trial then day_of(signup) end as trial_started_on,
    case when trial then day_by_now(
        signup + case when would_convert then least(convert_days, trial_days) else trial_days end
    ) end as trial_ended_on,
    case when trial and would_convert then day_by_now(signup + convert_days) end as converted_on,
    acquisition_cost::decimal(18, 4) as acquisition_cost,
    day_of(0) as observed_from,
    getvariable('onboarding_names')[cls] as onboarding
from account
order by i
