"""Whose revenue is it: the share of recurring revenue that the largest accounts hold."""

from dataclasses import dataclass
from typing import Final

import ibis
import ibis.expr.types as ir
import pandas as pd

from csa.analysis.revenue.months import Span, as_months
from csa.methods.intervals import Estimate
from csa.methods.lorenz import FEWEST, STEPS, gini, lorenz_curve

SHOWN: Final = 10
SUMS: Final = ("n", "total", "square", "least")
NAN: Final = float("nan")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RevenueConcentration:
    """How unequally recurring revenue is held at the end of a period; the largest first.

    `table`: `share_of_accounts`, `share_of_revenue`, `ci_low`, `ci_high`. `largest`: `account_id`,
    `group`, `mrr_minor`, `share`, `cumulative_share` of the ten largest accounts. `gini` with
    limits; `effective_accounts`: accounts of equal size that would be as unequal, (Σm)² / Σm².
    """

    table: pd.DataFrame
    largest: pd.DataFrame
    gini: Estimate
    accounts: int
    mrr_minor: int
    effective_accounts: float
    span: Span
    confidence: float = 0.95
    status: str = "ok"
    reason: str = ""


def revenue_concentration(
    months: ir.Table | pd.DataFrame, *, span: Span, confidence: float = 0.95
) -> RevenueConcentration:
    """Share of recurring revenue by share of accounts, largest first, at the end of a period.

    Parameters
    ----------
    months : ir.Table or DataFrame, one row per account and month
        See `csa.analysis.revenue.months.as_months`.
    span : Span
        Its last month counts.
    confidence : float
        Level of all intervals, share in (0, 1).

    Returns
    -------
    RevenueConcentration
        "unclear" with fewer than 10 accounts; without any the curve is empty.

    Raises
    ------
    InputError
        If a column is missing.

    Notes
    -----
    See `csa.methods.lorenz`. Accounts are sorted in the engine and summed by a thousand ranks.
    """
    rows = as_months(months)
    paying = rows.filter(rows.month == span.last, rows.mrr_minor > 0)
    order = ibis.row_number().over(order_by=[ibis.desc("mrr_minor"), "account_id"])
    ranked = paying.select(
        "account_id", "group", "mrr_minor", place=order, many=paying.count().over()
    )
    one = ranked.mrr_minor.cast("float64")
    sums = (
        ranked.mutate(rank=(ranked.place * STEPS // ranked.many).cast("int64"), held=one)
        .group_by("rank")
        .agg(
            n=lambda t: t.count(),
            total=lambda t: t.held.sum(),
            square=lambda t: (t.held * t.held).sum(),
            least=lambda t: t.held.min(),
        )
        .order_by("rank")
        .to_pandas()
    )
    n, total, square, least = (sums[name].to_numpy(dtype=float) for name in SUMS)
    units, share = lorenz_curve(n, total, square, least, confidence=confidence)
    limits = {"share_of_revenue": share.value, "ci_low": share.low, "ci_high": share.high}
    many, whole = int(n.sum()), float(total.sum())
    few = f"only {many} account{'s' * (many > 1)}" if many else "no account pays"
    reason = span.reason or ("" if many >= FEWEST else few)
    return RevenueConcentration(
        table=pd.DataFrame({"share_of_accounts": units, **limits}),
        largest=_largest(ranked, whole),
        gini=gini(n, total, square, confidence=confidence) if many else Estimate(NAN, NAN, NAN),
        accounts=many,
        mrr_minor=int(whole),
        effective_accounts=whole**2 / float(square.sum()) if many else NAN,
        span=span,
        confidence=confidence,
        status="unclear" if reason else "ok",
        reason=reason,
    )


def _largest(ranked: ir.Table, whole: float) -> pd.DataFrame:
    """Rows of the accounts that pay most."""
    found = ranked.order_by("place").limit(SHOWN).to_pandas()
    share = found["mrr_minor"].astype(float) / whole if whole else found["mrr_minor"].astype(float)
    found = found.assign(share=share, cumulative_share=share.cumsum())
    made: pd.DataFrame = found[["account_id", "group", "mrr_minor", "share", "cumulative_share"]]
    return made
