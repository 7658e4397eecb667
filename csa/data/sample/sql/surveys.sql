-- Table `surveys`.
select
    printf('R%08d-%d%06d-%d', i, kind, n, person) as response_id,
    account_name(i) as account_id,
    user_name(i, person) as user_id,
    ['nps', 'csat', 'ces'][kind] as kind,
    sent_at,
    answered_at,
    case when answered_at is not null then score end as score,
    case when answered_at is not null and u(key, 'comment', 0) < 0.4 then
        case
            when kind = 1 and score >= 9 then getvariable('praise')
            when kind = 1 and score >= 7 then getvariable('wishes')
            when kind = 1 then getvariable('complaints')
            when score >= 4 then getvariable('thanks')
            else getvariable('grumbles')
        end[1 + floor(8 * u(key, 'comment', 1))::int]
    end as comment,
    case when n between 10000 and 10999 and kind = 2 then printf('C%03d', n - 10000) end as campaign_id
from ask
order by i, sent_at, kind, n, person
