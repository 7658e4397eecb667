-- Contracts that begin, before it is known how long they last: the first of each account.
create or replace temp table born as
select
    a.i, a.i * 2 as c, 1 as spell, key_of(a.key, 'spell', 1) as key, a.seg, a.cls, a.yearly,
    a.start, greatest(0, -a.start) as entry,
    getvariable('review_percent')[a.cls] / 100 as p_review, s.shape,
    getvariable('onboarding_ratio')[a.cls] as ratio
from account a join m_segment s using (seg)
where a.start is not null;
