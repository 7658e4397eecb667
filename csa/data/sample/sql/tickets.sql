-- Table `tickets`.
select
    printf('K%08d-%d-%02d%02d', i, c % 2 + 1, cm, n) as ticket_id,
    account_name(i) as account_id,
    opened_at,
    by_now(responded_at) as first_response_at,
    by_now(solved_at) as resolved_at,
    case when by_now(solved_at) is not null then contacts end as contacts,
    -- blemish: 15 in a thousand have no category
    case when u(key, 'no category', 0) >= 0.015 then category end as category,
    getvariable('priority_names')[priority] as priority,
    by_now(raised_at) as escalated_at
from ticket
order by i, opened_at, c, cm, n
