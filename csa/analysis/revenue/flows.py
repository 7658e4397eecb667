"""Rates made of movements, as some vendors define them: quick ratio, retention by flows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.revenue.drawn import KEYS, Drawn, Draws, Window, asked_for, draw, with_bins
from csa.analysis.revenue.months import MIN_ACCOUNTS, Span, as_months
from csa.analysis.revenue.ratios import Ratio, changed, estimated, value_of

FloatArray = NDArray[np.float64]

RATIOS: Final = {
    "quick_ratio": Ratio({"new": 1.0, "more": 1.0}, "lost"),
    "quick_ratio_with_reactivation": Ratio({"new": 1.0, "more": 1.0, "back": 1.0}, "lost"),
    "nrr": Ratio({"start": 1.0, "more": 1.0, "back": 1.0, "lost": -1.0}, "start"),
    "grr": Ratio({"start": 1.0, "lost": -1.0}, "start"),
}
ENDS: Final = ("", "_low", "_high")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FlowRates:
    """Rates made of movements, per group; `all` first.

    `table`: `group`, `moved` (accounts that moved in the period), `losing` (those with
    contraction or churn in it), `quick_ratio`, `quick_ratio_with_reactivation` (over the months
    of the span; NaN where nothing was lost: `no_loss`) and `nrr`, `grr` (by flows, over
    `horizon_months` up to its end), each with `_low`, `_high`, `_previous`, `_change`,
    `_change_low`, `_change_high`, `_moved`; `status`, `reason` of the quick ratio.
    """

    table: pd.DataFrame
    span: Span
    horizon_months: int
    confidence: float = 0.95


def flow_rates(
    months: ir.Table | pd.DataFrame,
    *,
    span: Span,
    horizon_months: int = 12,
    confidence: float = 0.95,
    draws: Draws | None = None,
) -> FlowRates:
    """Quick ratio of a period, and retention as flows of revenue over a horizon.

    Parameters
    ----------
    months : ir.Table or DataFrame, one row per account and month
        See `csa.analysis.revenue.months.as_months`.
    span : Span
        The period.
    horizon_months : int
        Months up to its end over which retention is read.
    confidence : float
        Level of all intervals, share in (0, 1).
    draws : Draws, optional
        Replicates and seed of the bootstrap.

    Returns
    -------
    FlowRates
        "unclear" where the span has a reason, or fewer than 10 accounts lost revenue.

    Notes
    -----
    Quick ratio: (new + expansion [+ reactivation]) / (contraction + churn). By flows, NRR = (end -
    new) / start and GRR = 1 - (contraction + churn) / start: with the movements of accounts that
    were not there at the start, so GRR can fall below what any account kept, and NRR counts those
    that came back. What exchange rates changed is in neither. Limits are expanded percentiles of a
    Poisson bootstrap over accounts.
    """
    rows = as_months(months)
    windows: list[Window] = [(span.first, span.last), (span.previous_first, span.previous_last)]
    ends = (span.last, span.previous_last)
    windows += [(last - horizon_months + 1, last) for last in ends]
    sums = _flow_sums(rows, windows, draws)
    table = pd.DataFrame(
        {
            "group": sums.groups,
            "moved": sums.stat("moved")[:, 0].astype("int64"),
            "losing": sums.stat("losing")[:, 0].astype("int64"),
            "no_loss": sums.stat("lost")[:, 0] == 0,
        }
    )
    for name in RATIOS:
        at = 0 if name.startswith("quick") else 2
        table = table.join(_rate(name, sums, at, confidence))
    table["status"], table["reason"] = _judged(table, span)
    return FlowRates(table=table, span=span, horizon_months=horizon_months, confidence=confidence)


def _flow_sums(rows: ir.Table, windows: Sequence[Window], draws: Draws | None) -> Drawn:
    asked = asked_for(windows)
    opens = rows.month.isin({first for first, _ in windows}) & (rows.previous_minor > 0)
    telling = rows.filter(opens | (rows.movement != "none"))
    inside = telling.inner_join(asked, telling.month.between(asked.first, asked.last))
    change = (inside.mrr_minor - inside.previous_minor - inside.currency_minor).cast("float64")
    each = with_bins(inside.mutate(change=change, opening=inside.month == inside.first), rows)
    kind = each.movement
    losing = kind.isin(["contraction", "churn"])
    sums = each.group_by(*KEYS).agg(
        start=each.previous_minor.cast("float64").sum(where=each.opening),
        new=each.change.sum(where=kind == "new"),
        back=each.change.sum(where=kind == "reactivation"),
        more=each.change.sum(where=kind == "expansion"),
        lost=(-each.change).sum(where=losing),
        moved=each.account_id.nunique(where=kind != "none"),
        losing=each.account_id.nunique(where=losing),
    )
    return draw(sums.to_pandas(), len(windows), draws)


def _rate(name: str, sums: Drawn, at: int, confidence: float) -> pd.DataFrame:
    """One rate of the window `at`, and its change from the one after it."""
    made: dict[str, FloatArray] = {}
    limits = estimated(sums, RATIOS[name], at, confidence=confidence)
    moved = changed(sums, RATIOS[name], at, confidence=confidence)
    for suffix, numbers, change in zip(ENDS, limits, moved, strict=True):
        made[name + suffix], made[f"{name}_change{suffix}"] = numbers, change
    made[f"{name}_previous"] = value_of(sums, RATIOS[name])[:, at + 1]
    way = np.select([moved.low > 0, moved.high < 0], ["up", "down"], "unclear")
    return pd.DataFrame(made).assign(**{f"{name}_moved": way})


def _judged(table: pd.DataFrame, span: Span) -> tuple[list[str], list[str]]:
    judged = []
    for losing in table["losing"]:
        if span.reason:
            judged.append(("unclear", span.reason))
        elif losing < MIN_ACCOUNTS:
            few = f"only {losing} account{'s' * (losing > 1)}" if losing else "no account"
            judged.append(("unclear", f"{few} lost revenue in the period"))
        else:
            judged.append(("ok", ""))
    return [status for status, _ in judged], [reason for _, reason in judged]
