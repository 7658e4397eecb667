-- Table `usage_events`.
with counted as (
    select
        *, pick(getvariable('events_100'), u(key, 'events', 0)) as events,
        pick(getvariable('hour_100'), u(key, 'hour', 0)) * 3600
            + floor(3600 * u(key, 'second', 0)) as second
    from session
),
each_one as (
    -- blemish: in one of 2,000 sessions the last event is written twice
    select *, unnest(range(events + (u(key, 'twice', 0) < 0.0005)::int)) as place from counted
),
placed as (
    select
        i, d, cm, kind, n, key, person, second, seg, account_key, least(place, events - 1) as e,
        u(key, 'feature', least(place, events - 1)) as choice
    from each_one
),
chosen as (
    select
        *, 1 + floor(choice * 20)::int as fresh,
        (second + e * 240 + floor(200 * u(key, 'pause', e)))::int as tick
    from placed
),
sorted as (
    select
        i, d, cm, kind, n, person, tick, e, key,
        -- the new features share the first fifth of the uses of those who adopt them
        case
            when fresh <= 4 and d >= getvariable('new_feature_days')[fresh]
                and u(account_key, 'adopt', fresh) * 100 < getvariable('adopt')[seg][fresh]
            then 7 + fresh
            else pick(getvariable('feature_100'), u(key, 'feature', 100 + e))
        end as feature,
        1 + floor(exponential(key, 'quantity', e) * 1.5) as quantity,
        1 + floor(exponential(key, 'seconds', e) * 140) as seconds
    from chosen
    order by i, d, tick, cm, kind, n, e
)
select
    account_name(i) as account_id,
    -- blemish: three in a thousand events have lost their user
    case when u(key, 'no user', e) >= 0.003 then user_name(i, person) end as user_id,
    moment(d, tick) as occurred_at,
    getvariable('feature_names')[feature] as feature,
    quantity,
    seconds,
    'N' || (((i * 60 + cm) * 3 + kind) * 100 + n)::varchar as session_id,
    pick(getvariable('device_100'), u(key, 'device', 0)) as device
from sorted
