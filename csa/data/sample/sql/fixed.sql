-- Counts over all chunks, for the truth.
create table tally_start (seg int, start int, n bigint);
create table tally_review (
    cls int, spell int, complete boolean, treated boolean, n bigint,
    risk_without double, risk_with double
);
create table tally_wave (
    wave int, seg int, invited bigint, promoters bigint, detractors bigint, answered bigint,
    promoters_answered bigint, detractors_answered bigint
);
create table tally_day (metric varchar, d int, n bigint);
-- Days by bucket, so that a random bucket is a random day of the right weight.
create table m_usage_bucket as select cm, d, unnest(range(u0, u1))::int as bucket from m_day;
create table m_ticket_bucket as select cm, d, unnest(range(t0, t1))::int as bucket from m_day;
create table m_signup_bucket as select d, unnest(range(s0, s1))::int as bucket from m_day;
