-- Working tables of one chunk, empty.
create or replace temp table contract (
    c bigint, i bigint, key ubigint, spell int, seg int, cls int, yearly int, start int, entry int,
    stop int, ended boolean, cause int, rho double, p_review double
);
create or replace temp table review (
    c bigint, i bigint, cls int, spell int, r int, day int, treated boolean, complete boolean,
    risk_without double, risk_with double
);
