-- Table `campaign_accounts`: customers of the first day of a campaign, drawn at random.
select
    printf('C%03d', m.number) as campaign_id,
    account_name(k.i) as account_id,
    moment(m.d + floor(least(m.days, 5) * u(k.key, 'exposed', m.number))::int,
        28800 + 32400 * u(k.key, 'exposed', 100 + m.number)) as exposed_at
from contract k
join account a using (i)
join m_campaign m on m.d >= k.start and m.d < k.stop
where u(a.key, 'campaign', m.number) * 100 < m.percent
order by m.number, k.i
