-- Table `staff`. The label of a customer success manager is what `owner` says in other tables.
with people as (
    select printf(getvariable('owner_format'), n) as person_id, 0 as line, n,
        'customer success manager' as role,
        'Team ' || getvariable('segment_names')[s.seg] as team, 32.0 as capacity_hours
    from m_segment s, unnest(range(s.owner_first, s.owner_first + s.owners)) as t(n)
    union all
    select printf('Lead %03d', n), 1, n, 'manager', 'Leadership', 12.0
    from range(1, 2 + getvariable('owner_count') // 8) as t(n)
    union all
    select printf('Analyst %02d', n), 2, n, 'analyst', 'Analytics', 36.0
    from range(1, 5) as t(n)
    union all
    select printf('Consultant %02d', n), 3, n, 'implementation', 'Onboarding', 34.0
    from range(1, 5) as t(n)
)
select person_id, role, team, capacity_hours::double as capacity_hours from people order by line, n
