"""Expansion and contraction of those who stay, by group, drawn in to the whole."""

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.clv.contract_rows import account_key
from csa.analysis.clv.contract_shortcut import TRAILING_MONTHS
from csa.analysis.clv.contract_terms import ContractTerms

FloatArray = NDArray[np.float64]

BORROWED = 10  # accounts that the spread of all counts for in that of a group


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Growth:
    """Monthly change of what stayers pay, per group, as shares of what they paid.

    `rate` is drawn in to the whole from `own`; `expansion` and `contraction` are those seen, with
    rate = expansion - contraction before it is drawn in. `weight` is the share of the group's own
    figure. `shock` is the variance of one account's change in a month, `noise` that of the growth
    of all in a month by the chance of accounts.
    """

    group: list[str]
    rate: FloatArray
    own: FloatArray
    std_error: FloatArray
    weight: FloatArray
    expansion: FloatArray
    contraction: FloatArray
    shock: FloatArray
    draws: FloatArray  # draws × groups
    noise: float

    def of(self, group: str) -> int:
        """Return the place of a group."""
        return self.group.index(group)


def growth(
    stayed: pd.DataFrame, groups: list[str], terms: ContractTerms, rng: np.random.Generator
) -> Growth:
    """Estimate the monthly change of revenue per survivor.

    Parameters
    ----------
    stayed : DataFrame
        From `stayers`.
    groups : list of str
        Groups wanted, in order.
    terms : ContractTerms
        Months up to the last that are used, number of draws.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Growth
        A group without months has the figure of the whole; without any months all are 0.

    Notes
    -----
    r = Σ change / Σ paid over accounts that pay at both ends of a month, so that leaving is not
    contraction. Its variance is that of a ratio of totals over accounts [1]_. Figures are drawn in
    by the random-effects model with DerSimonian and Laird's variance between groups [2]_.

    References
    ----------
    .. [1] Cochran, W. G. (1977). Sampling Techniques, 3rd ed., 6.3. Wiley.
    .. [2] DerSimonian, R., Laird, N. (1986). Meta-analysis in clinical trials. Control. Clin.
       Trials 7, 177-188.
    """
    sums = stayed.reindex(groups).fillna(0.0)
    paid, change, many = (sums[c].to_numpy() for c in ("paid", "change", "accounts"))
    with np.errstate(divide="ignore", invalid="ignore"):
        own = change / paid
        up, down = (np.nan_to_num((sums[c] / paid).to_numpy()) for c in ("up", "down"))
    known = paid > 0
    own = np.where(known, own, 0.0)
    shock, variance = _variances(sums, own, many)
    middle, middle_variance, weight = _drawn_in(own[known], variance[known])
    weights = np.zeros(len(groups))
    weights[known] = weight
    rate = weights * own + (1 - weights) * middle
    between = rng.standard_normal((terms.draws, 1)) * np.sqrt(middle_variance)
    within = rng.standard_normal((terms.draws, len(groups)))
    error = np.sqrt(weights * variance)
    drawn = rate + (1 - weights) * between + within * error
    return Growth(
        group=groups,
        rate=rate,
        own=np.where(known, own, np.nan),
        std_error=np.sqrt(error**2 + (1 - weights) ** 2 * middle_variance),
        weight=weights,
        expansion=up,
        contraction=down,
        shock=shock,
        draws=np.maximum(drawn, -0.99),
        noise=float(terms.growth_months * (variance @ paid**2) / max(paid.sum() ** 2, 1.0)),
    )


def _variances(
    sums: pd.DataFrame, own: FloatArray, many: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Variance of one account's change in a month, and of the rate, per group.

    Both lean on the spread of all where accounts are few: a group in which nothing has moved yet
    is not one whose rate is known to be 0.
    """

    def residual(kind: str) -> FloatArray:
        square, cross, paid = (sums[f"{kind}_{c}"].to_numpy() for c in ("change", "cross", "paid"))
        return np.asarray(np.maximum(square - 2 * own * cross + own**2 * paid, 0.0))

    month, account = residual("month"), residual("account")
    squares = sums["month_paid"].to_numpy()
    usual = float(month.sum() / squares.sum()) if squares.sum() > 0 else 0.0
    clustered = float(account.sum() / month.sum()) if month.sum() > 0 else 1.0
    share = many / (many + BORROWED)
    with np.errstate(divide="ignore", invalid="ignore"):
        shock = share * np.nan_to_num(month / squares) + (1 - share) * usual
        paid = sums["paid"].to_numpy() ** 2
        corrected = account * np.nan_to_num(many / (many - 1), posinf=0.0, neginf=0.0)
        of_all = usual * clustered * squares
        variance = (share * corrected + (1 - share) * of_all) / paid
    return shock, np.nan_to_num(variance, posinf=0.0)


def stayers(months: ir.Table, growth_months: int, left_out: tuple[int, ...]) -> pd.DataFrame:
    """Add up what accounts paid, how it changed and how many left, in one scan.

    Parameters
    ----------
    months : ir.Table
        `account_id`, `group`, `month`, `mrr_minor`, `previous_minor`.
    growth_months : int
        Months up to the last that are used.
    left_out : tuple of int
        Months (year × 12 + month - 1) that are not.

    Returns
    -------
    DataFrame
        By group: sums over those that pay at both ends of a month, and `asked` and `gone`, the
        payers and leavers of the months that the rule of thumb takes.
    """
    found = months.month.max().execute()
    last = 0 if found is None or pd.isna(found) else int(found)
    oldest = last - max(growth_months, TRAILING_MONTHS)
    some = months.filter(months.month > oldest, months.previous_minor > 0)
    recent = some.month > last - TRAILING_MONTHS
    here = (some.mrr_minor > 0) & (some.month > last - growth_months)
    if left_out:
        here &= some.month.notin(left_out)
    before = some.previous_minor.cast("float64")
    paid = ibis.ifelse(here, before, 0.0)
    moved = ibis.ifelse(here, some.mrr_minor.cast("float64") - before, 0.0)
    squares = {"xx": paid * paid, "xy": paid * moved, "yy": moved * moved}
    parts = {"x": paid, "y": moved, "up": ibis.greatest(moved, 0.0), **squares}
    each = some.group_by(account=account_key(some.account_id)).agg(
        group=some.group.arbitrary(),  # an account is of one group
        asked=recent.cast("int64").sum(),
        gone=(recent & (some.mrr_minor <= 0)).cast("int64").sum(),
        **{name: part.sum() for name, part in parts.items()},
    )
    sums: pd.DataFrame = (
        each.group_by("group")
        .agg(
            accounts=(each.x > 0).sum(),
            paid=each.x.sum(),
            change=each.y.sum(),
            account_paid=(each.x * each.x).sum(),
            account_cross=(each.x * each.y).sum(),
            account_change=(each.y * each.y).sum(),
            month_paid=each.xx.sum(),
            month_cross=each.xy.sum(),
            month_change=each.yy.sum(),
            up=each.up.sum(),
            down=each.up.sum() - each.y.sum(),
            asked=each.asked.sum(),
            gone=each.gone.sum(),
        )
        .to_pandas()
        .set_index("group")
        .astype("float64")
    )
    return sums


def _drawn_in(own: FloatArray, variance: FloatArray) -> tuple[float, float, FloatArray]:
    """Mean over groups, its variance, and the weight of each group's own figure."""
    if not len(own):
        return 0.0, 0.0, own
    floor = max(float(variance.max()) * 1e-12, 1e-16)  # nobody's revenue moved: no spread
    variance = np.maximum(variance, floor)
    w = 1 / variance
    mean = (w @ own) / w.sum()
    excess = w @ (own - mean) ** 2 - (len(own) - 1)
    scale = w.sum() - (w @ w) / w.sum()
    between = max(float(excess / scale), 0.0) if scale > 0 else 0.0
    if len(own) == 1:
        return float(own[0]), 0.0, np.ones(1)
    total = 1 / (variance + between)
    middle = float((total @ own) / total.sum())
    return middle, float(1 / total.sum()), np.asarray(between / (between + variance))
