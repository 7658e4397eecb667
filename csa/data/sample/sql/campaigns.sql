-- Table `campaigns`. What a campaign costs grows with the number of accounts.
select
    printf('C%03d', number) as campaign_id,
    name,
    kind,
    day_of(d) as started_on,
    day_of(d + days) as ended_on,
    round(500 + getvariable('accounts') * percent / 100
        * case kind when 'event' then 9 when 'offer' then 4 when 'training' then 6 else 1.5 end
        , -1)::decimal(18, 4) as cost
from m_campaign
order by number
