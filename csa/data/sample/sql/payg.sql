-- Customers without a contract: Pareto/NBD. Purchases at rate ~ gamma(r, alpha) per week until a
-- lifetime ~ exponential at rate ~ gamma(s, beta) ends; the first purchase is at signup.
create or replace temp table payg as
select
    a.i, a.key, a.seg, a.signup, s.spend,
    erlang(a.key, 'rate', getvariable('purchase_r')) / getvariable('purchase_alpha') as rate,
    exponential(a.key, 'lifetime', 0)
        / (erlang(a.key, 'dropout', getvariable('purchase_s')) / getvariable('purchase_beta')) as weeks,
    (getvariable('last') + 1 - a.signup) / 7.0 as seen,
    erlang(a.key, 'spend', getvariable('purchase_q')) / s.spend as nu
from account a join m_segment s using (seg)
where a.payg;
