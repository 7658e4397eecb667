"""Which way of carrying growth on has held: forecasts from many days of the past, and what came.

Every month of the past with enough history foretells what its customers would pay if they stayed,
in each of the ways, with growth as it was then known; the error is that of the sum over as many
months as can be tested.
"""

import math
from dataclasses import dataclass
from typing import Final

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.clv.contract_paths import WAYS, Path, averaged, ways
from csa.analysis.clv.contract_rows import account_key, cohort_number
from csa.analysis.clv.contract_terms import ContractTerms

FloatArray = NDArray[np.float64]

SAMPLE: Final = 20_000  # accounts that the past is read off, at most about twice as many
LEARNT: Final = 6  # months that growth is learnt from before the first forecast
LONGEST: Final = 24  # months that are tested ahead
MOST: Final = 0.75  # share of stayers that pay more at once: a rise of the list price
ENOUGH: Final = 10  # stayers in a month that can be told to be one
LEAST: Final = 1e-8  # mean square of errors; what is smaller is rounding


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Trend:
    """How growth is carried on, and what that rests on.

    `table` by `way` (none, damped, amount, share): `weight`, `bias` and `error` (mean and root
    mean square of log(came / foretold) over `origins` days, `ahead` months summed). `carry` is
    the number of months that were watched; growth goes no further ahead. `slip` is the standard
    deviation of the monthly log growth that errors show beyond the chance of accounts.
    `left_out` are months (year × 12 + month - 1) in which nearly all paid more at once, where that
    was seen once: a decision, not a trend, neither learnt from nor held against a way.
    `amount_ratio` is what stayers paid over what is paid today.
    """

    table: pd.DataFrame
    ahead: int
    origins: int
    carry: int
    slip: float
    left_out: tuple[int, ...]
    amount_ratio: float

    @property
    def weight(self) -> FloatArray:
        """Weights of the ways."""
        return self.table["weight"].to_numpy(dtype=np.float64)

    @property
    def best(self) -> str:
        """The way with the smallest error; empty where nothing could be tested."""
        if not self.origins:
            return ""
        return str(self.table["way"].iloc[int(self.table["error"].argmin())])


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class History:
    """Stayers by month of first payment (rows) and month (columns): number, paid before and now.

    `payers` and `revenue` are of all that pay at the end of a month.
    """

    first: int  # the month of row and column 0
    stay: FloatArray
    before: FloatArray
    now: FloatArray
    risen: FloatArray
    payers: FloatArray
    revenue: FloatArray
    sampled: float  # accounts per account read

    def known(self, column: int) -> "History":
        """Return what was known at the end of a month."""
        n = column + 1
        cut = {c: getattr(self, c)[:n, :n] for c in ("stay", "before", "now", "risen")}
        cut |= {c: getattr(self, c)[:n, :n] for c in ("payers", "revenue")}
        return History(first=self.first, sampled=self.sampled, **cut)


def history(months: ir.Table, spells: ir.Table, accounts: int) -> History:
    """Read the past off the months of accounts, of a sample where there are very many.

    Parameters
    ----------
    months : ir.Table
        Checked months.
    spells : ir.Table
        Checked spells: since when leavers and prices were recorded.
    accounts : int
        Customers, to choose the sample by.

    Returns
    -------
    History
        Squares over all months; empty where nobody paid.
    """
    step = max(accounts // SAMPLE, 1)
    late = spells.filter(spells.entry_days > 0)
    since = (late.start_on + late.entry_days.as_interval("D")).cast("date").min().execute()
    opened = 0 if since is None or pd.isna(since) else since.year * 12 + since.month - 1
    paying = _sampled(months.filter(months.mrr_minor > 0), step)
    starts = _sampled(spells, step)
    starts = starts.group_by("key").agg(born=cohort_number(starts.start_on.min(), "month"))
    each = paying.filter(paying.month >= opened).inner_join(starts, "key")
    stays = ((each.previous_minor > 0) & (each.month > opened)).cast("float64")
    paid, before = each.mrr_minor.cast("float64"), each.previous_minor.cast("float64")
    sums = each.group_by("born", "month").agg(
        stay=stays.sum(),
        before=(stays * before).sum(),
        now=(stays * paid).sum(),
        risen=(stays * (each.mrr_minor > each.previous_minor).cast("float64")).sum(),
        payers=each.count(),
        revenue=paid.sum(),
    )
    rows = sums.to_pandas().fillna(0.0)
    names = ("stay", "before", "now", "risen", "payers", "revenue")
    if rows.empty:
        return History(first=0, sampled=1.0, **{name: np.zeros((0, 0)) for name in names})
    first = int(rows["month"].min())
    rows["born"] = rows["born"].clip(lower=first)
    rows = rows.groupby(["born", "month"], as_index=False).sum()
    size = int(rows["month"].max()) - first + 1
    squares = {name: np.zeros((size, size)) for name in names}
    place = (rows["born"].to_numpy() - first, rows["month"].to_numpy() - first)
    for name, square in squares.items():
        square[place] = rows[name].to_numpy(dtype=np.float64)
    return History(first=first, sampled=float(step), **squares)


def _sampled(rows: ir.Table, step: int) -> ir.Table:
    """Keep one account in so many, the same ones everywhere."""
    some = rows.mutate(key=account_key(rows.account_id))  # numbers join faster than text
    return some if step == 1 else some.filter(some.key % step == 0)


def trend(past: History, *, terms: ContractTerms, noise: float) -> Trend:
    """Weigh the ways of carrying growth on by how they would have foretold the past.

    Parameters
    ----------
    past : History
        Stayers by month of first payment and month.
    terms : ContractTerms
        Months that growth is learnt from, and horizon.
    noise : float
        Variance of the growth of a month by the chance of accounts alone.

    Returns
    -------
    Trend
        Equal weights where nothing could be tested.

    Notes
    -----
    Rolling origins [1]_. A way is weighed by its mean square error to the power of minus half the
    number of stretches that do not overlap: the likelihood of normal errors of unknown variance.

    References
    ----------
    .. [1] Tashman, L. J. (2000). Out-of-sample tests of forecasting accuracy: an analysis and
       review. Int. J. Forecast. 16, 437-450.
    """
    growth_months = terms.growth_months
    last = past.stay.shape[0] - 1
    watched = np.flatnonzero(past.before.sum(axis=0) > 0)
    carry = last - int(watched[0]) + 1 if len(watched) else 0
    start = (int(watched[0]) if len(watched) else last) + LEARNT - 1
    span = last - start
    ahead = max(min(terms.horizon_months, LONGEST, span // 2), 0)
    origins = range(start, last - ahead + 1) if ahead else range(0)
    errors = np.array([_errors(past, o, ahead, growth_months) for o in origins])
    errors = errors[np.isfinite(errors).all(axis=1)] if len(errors) else np.zeros((0, len(WAYS)))
    square = (errors**2).mean(axis=0) if len(errors) else np.ones(len(WAYS))
    score = np.maximum(square, LEAST) ** -(span / ahead / 2) if len(errors) else square
    weight = score / score.sum()
    chance = noise * past.sampled * (ahead / 3 + ahead**2 / (4 * growth_months))
    excess = max(float(square.min()) - chance, 0.0) if len(errors) else 0.0
    table = pd.DataFrame({"way": WAYS, "weight": weight})
    nan = np.full(len(WAYS), np.nan)
    return Trend(
        table=table.assign(
            bias=errors.mean(axis=0) if len(errors) else nan,
            error=np.sqrt(square) if len(errors) else nan,
        ),
        ahead=ahead if len(errors) else 0,
        origins=len(errors),
        carry=carry,
        slip=2 * math.sqrt(excess) / (ahead + 1),
        left_out=price_rises(past),
        amount_ratio=_learnt(past, growth_months)[1],
    )


def price_rises(past: History) -> tuple[int, ...]:
    """Find the month in which nearly all stayers paid more, where there is just one.

    Parameters
    ----------
    past : History
        Stayers by month.

    Returns
    -------
    tuple of int
        Year × 12 + month - 1; empty where there is none, or where it is a habit.
    """
    return tuple(past.first + column for column in _rises(past))


def _rises(past: History) -> list[int]:
    stay, risen = past.stay.sum(axis=0), past.risen.sum(axis=0)
    found = np.flatnonzero((stay >= ENOUGH) & (risen > MOST * stay))
    return [int(found[0])] if len(found) == 1 else []


def _learnt(past: History, growth_months: int) -> tuple[float, float]:
    """Growth of a month as a share of what was paid, and what was paid over what is paid now."""
    taken = np.arange(max(past.stay.shape[1] - growth_months, 0), past.stay.shape[1])
    taken = taken[~np.isin(taken, _rises(past))]
    stay, before, now = (x[:, taken].sum() for x in (past.stay, past.before, past.now))
    if not before > 0:
        return 0.0, 1.0
    payers, revenue = past.payers[:, -1].sum(), past.revenue[:, -1].sum()
    today = revenue / payers if payers else before / stay
    return float(now / before - 1), float(before / stay / today)


def _errors(past: History, origin: int, ahead: int, growth_months: int) -> FloatArray:
    """Log of what came over what was foretold, per way, summed over the months ahead."""
    share, ratio = _learnt(past.known(origin), growth_months)
    later = slice(origin + 1, origin + ahead + 1)
    before, now = (x[: origin + 1, later].sum(axis=0) for x in (past.before, past.now))
    if not (before > 0).all():  # nobody of them stayed
        return np.full(len(WAYS), np.nan)
    grown = now / before
    usual = ~np.isin(np.arange(later.start, later.stop), _rises(past))
    grown = np.where(usual, grown, grown[usual].mean() if usual.any() else 1.0)
    came = float(np.cumprod(grown).sum())
    rates = np.array([share]), np.array([share * ratio])
    said = ways(*rates, ahead + 1, ahead)[:, 0, 1:].sum(axis=1)
    return np.asarray(np.log(came / said))


def carried(
    trend: Trend, rate: float, rate_draws: FloatArray, months: int, noise: FloatArray
) -> Path:
    """Carry the growth of a group on, and its draws.

    Parameters
    ----------
    trend : Trend
        Weights of the ways.
    rate, rate_draws : float and ndarray of float
        Monthly growth as a share of what was paid.
    months : int
        Months wanted, today included.
    noise : ndarray of float
        Draws × 2: uniform (which way holds) and standard normal (slip), common to all groups.

    Returns
    -------
    Path
        Its draws hold what is not known of the rate, of the way and of years to come.
    """
    ratio = trend.amount_ratio
    one = ways(np.array([rate]), np.array([rate * ratio]), months, trend.carry)
    each = ways(rate_draws, rate_draws * ratio, months, trend.carry)
    chosen = np.searchsorted(np.cumsum(trend.weight)[:-1], noise[:, 0], side="right")
    drawn = each[chosen, np.arange(len(rate_draws))]
    off = np.exp(trend.slip * noise[:, [1]] * np.arange(months))
    return Path(value=averaged(one, trend.weight)[0], draws=drawn * off)
