-- Counts of this chunk that the truth needs.
insert into tally_start select seg, start, count(*) from contract group by all;
insert into tally_review
select cls, spell, complete, treated, count(*), sum(risk_without), sum(risk_with)
from review group by all;
insert into tally_wave
select
    wave, seg, count(*), count(*) filter (score >= 9), count(*) filter (score <= 6),
    count(answered_at), count(answered_at) filter (score >= 9), count(answered_at) filter (score <= 6)
from ask where kind = 1 group by all;
insert into tally_day
select 'tickets', d, count(*) from ticket group by all
union all
select 'signups', signup, count(*) from account where signup >= 0 group by all
union all
select 'sessions', d, count(*) from session group by all;
