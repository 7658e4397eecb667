"""How much people use the product: days, sessions, uses and time of a person in four weeks."""

from dataclasses import dataclass
from typing import Any, Final

import ibis.expr.types as ir
import pandas as pd

from csa.analysis.adoption.per_account import moments_by_group
from csa.analysis.adoption.windows import MIN_ACCOUNTS, Span
from csa.methods.moments import Moments, ratio, ratio_change

RATIOS: Final = {
    "days": ("user_days", "users", "per active person"),
    "sessions": ("sessions", "users", "per active person"),
    "events": ("events", "users", "per active person"),
    "seconds": ("seconds", "timed", "per day of use"),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Depth:
    """Use per person over the last 28 days, per group; `all` first.

    `table`: `group`, `measure` (days, sessions, events: per active person; seconds: per person and
    day of use that states any), `value` with `ci_low`, `ci_high`, `previous` (28 days before),
    `change` with `change_low`, `change_high`, `users`, `n` (accounts), `status`, `reason`.
    Measures that no event states are absent.
    """

    table: pd.DataFrame
    span: Span
    confidence: float = 0.95


def depth(use: ir.Table, *, span: Span, confidence: float = 0.95) -> Depth:
    """Days, sessions, uses and seconds of an active person over the last four weeks.

    Parameters
    ----------
    use : ir.Table
        From `csa.analysis.adoption.actives.account_use`.
    span : Span
        The period.
    confidence : float
        Level of the intervals, share in (0, 1).

    Returns
    -------
    Depth
        Ratios of sums over accounts, with intervals over accounts.
    """
    columns = sorted({name for above, below, _ in RATIOS.values() for name in (above, below)})
    sums = moments_by_group(use, [f"{c}_{e}" for c in columns for e in ("now", "before")])
    rows = [
        _row(group, measure, found, span, confidence)
        for group, found in sums.items()
        for measure, (above, *_) in RATIOS.items()
        if found.sum(f"{above}_now") + found.sum(f"{above}_before") > 0
    ]
    names = ("value", "ci_low", "ci_high", "previous", "change", "change_low", "change_high")
    columns = ["group", "measure", *names, "users", "n", "status", "reason"]
    return Depth(table=pd.DataFrame(rows, columns=columns), span=span, confidence=confidence)


def _row(group: str, measure: str, found: Moments, span: Span, confidence: float) -> dict[str, Any]:
    above, below, _ = RATIOS[measure]
    now, before = ((f"{above}_{e}", f"{below}_{e}") for e in ("now", "before"))
    value = ratio(found, *now, confidence=confidence)
    row: dict[str, Any] = {"group": group, "measure": measure, "value": value.value}
    row |= {"ci_low": value.low, "ci_high": value.high}
    if span.covers(span.window(1)[0]):
        change = ratio_change(found, now, before, confidence=confidence)
        row |= {"previous": value.value - change.value, "change": change.value}
        row |= {"change_low": change.low, "change_high": change.high}
    few = f"only {found.n} accounts" if found.n < MIN_ACCOUNTS else ""
    reason = span.reason or few
    return row | {
        "users": int(found.sum("users_now")),
        "n": found.n,
        "status": "unclear" if reason else "ok",
        "reason": reason,
    }
