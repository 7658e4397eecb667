-- Randomness by counter: a number depends on (seed, account, stream, counter) and on nothing else,
-- so neither threads nor chunks nor the order of rows can change it.
create macro key_of(parent, stream, counter) as hash(xor(parent, hash(stream, counter)));
-- uniform in the open interval (0, 1), 53 bits
create macro u(key, stream, counter) as
    (key_of(key, stream, counter) >> 11)::double * 1.1102230246251565e-16 + 5.551115123125783e-17;
create macro exponential(key, stream, counter) as -ln(u(key, stream, counter));
-- standard normal by Box and Muller, which unlike inversion needs no approximation
create macro normal(key, stream, counter) as
    sqrt(-2 * ln(u(key, stream, counter))) * cos(2 * pi() * u(key, stream, counter + 500000));
-- whole number with mean `mean`: its floor, and one more with the probability of the rest
create macro whole(mean, uniform) as floor(mean + uniform)::int;
-- element of a list of 100, so that shares are whole percents
create macro pick(hundred, uniform) as hundred[1 + floor(100 * uniform)::int];
-- gamma with mean `shape` (2, 3 or 4): a sum of exponentials
create macro erlang(key, stream, shape) as
    -ln(u(key, stream, 0) * u(key, stream, 1))
    - case when shape > 2 then ln(u(key, stream, 2)) else 0 end
    - case when shape > 3 then ln(u(key, stream, 3)) else 0 end;

create macro day_of(d) as date '2021-11-01' + d::int;
create macro month_of(d) as datediff('month', date '2021-11-01', day_of(d));
create macro moment(d, seconds) as
    make_timestamp((1635724800 + 86400 * d::bigint + floor(seconds)::bigint) * 1000000);
-- what lies after the last day has not happened yet
create macro by_now(t) as case when t < timestamp '2026-11-01' then t end;
create macro day_by_now(d) as case when d <= getvariable('last') then day_of(d) end;
create macro account_name(i) as printf('A%08d', i);
create macro user_name(i, person) as 'U' || ((100000000 + i) * 100 + person)::varchar;

-- reviews begin at tenure day 90 and follow each other every 180 days
create macro review_of(block) as (block - getvariable('review_first')) // getvariable('review_every');
create macro review_age(r) as 30 * (getvariable('review_first') + getvariable('review_every') * r);
-- is a contract under outreach in this block of tenure?
create macro under_outreach(key, start, block, p_review) as
    block >= getvariable('review_first')
    and start + review_age(review_of(block)) >= getvariable('programme_day')
    and u(key, 'review', review_of(block)) < p_review;
