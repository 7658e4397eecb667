"""The same month under each definition: how far vendors' figures lie apart, and why."""

from dataclasses import dataclass, replace
from typing import Final

import pandas as pd

from csa.analysis.revenue.flows import FlowRates
from csa.analysis.revenue.months import ALL
from csa.analysis.revenue.movements import MovementsResult, compounded
from csa.analysis.revenue.rates import RetentionResult
from csa.definitions import CHOICES, Definitions, used_by
from csa.errors import InputError

COMPOUNDED: Final = "compounded"
COMPOUNDED_WORDS: Final = (
    "compounded: the retention of each single month, multiplied; every month follows other accounts"
)
NAN: Final = float("nan")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ByDefinition:
    """Retention and quick ratio under every definition.

    `table`: `metric` (nrr, grr, quick_ratio), `choice` (as in csa.yml, or "compounded", which
    cannot be chosen), `words`, `vendors` (those that state it, as a text), `value`, `ci_low`,
    `ci_high`, `chosen`, `no_loss` (the quick ratio has nothing below the line).
    """

    table: pd.DataFrame
    definitions: Definitions
    horizon_months: int
    status: str = "ok"
    reason: str = ""

    def spread(self, metric: str) -> float:
        """Return how far the definitions of a metric lie apart.

        Parameters
        ----------
        metric : str
            nrr, grr or quick_ratio.

        Returns
        -------
        float
            Highest less lowest; NaN where fewer than two are known.
        """
        known = self.table.loc[self.table["metric"] == metric, "value"].dropna()
        return float(known.max() - known.min()) if len(known) > 1 else NAN


def as_defined(
    retention: RetentionResult, flows: FlowRates, *, definitions: Definitions
) -> RetentionResult:
    """Take net and gross retention over the horizon of the flows as they are defined.

    Parameters
    ----------
    retention : RetentionResult
        Locked to the accounts of the start.
    flows : FlowRates
        The same period by flows.
    definitions : Definitions
        `nrr` and `grr` say which counts.

    Returns
    -------
    RetentionResult
        Of the horizon of the flows alone; where flows count, with their values and limits.

    Raises
    ------
    InputError
        If the results are not of one period, or the horizon is missing.
    """
    _check(retention, flows)
    over = retention.table["horizon_months"] == flows.horizon_months
    table = retention.table.loc[over].set_index("group")
    other = flows.table.set_index("group").reindex(table.index)
    for rate in ("nrr", "grr"):
        if getattr(definitions, rate) == "flow":
            columns = [str(c) for c in table if str(c).split("_")[0] == rate]
            table[columns] = other[columns]
    return replace(
        retention,
        table=table.reset_index()[retention.table.columns],
        horizons=(flows.horizon_months,),
    )


def by_definition(
    retention: RetentionResult,
    flows: FlowRates,
    movements: MovementsResult,
    *,
    definitions: Definitions,
) -> ByDefinition:
    """Put the figures of all accounts under each definition side by side.

    Parameters
    ----------
    retention : RetentionResult
        With the horizon of `flows` among its horizons.
    flows : FlowRates
        Over the horizon.
    movements : MovementsResult
        With the months of the horizon.
    definitions : Definitions
        Which ones were chosen.

    Returns
    -------
    ByDefinition
        "unclear" as the retention over the horizon.

    Raises
    ------
    InputError
        If the results are not of one period, or the horizon is missing.
    """
    horizon = flows.horizon_months
    _check(retention, flows)
    if movements.span != flows.span:
        raise InputError("by definition: the results are of different periods")
    of_all = retention.table["group"] == ALL
    locked = retention.table.loc[of_all & (retention.table["horizon_months"] == horizon)].iloc[0]
    flow = flows.table.loc[flows.table["group"] == ALL].iloc[0]
    monthly = compounded(movements, horizon_months=horizon).set_index("group").loc[ALL]
    rows = []
    for metric in ("nrr", "grr"):
        rows.append(_row(metric, "cohort", locked, metric))
        rows.append(_row(metric, "flow", flow, metric))
        rows.append(
            {"metric": metric, "choice": COMPOUNDED, "words": COMPOUNDED_WORDS}
            | {"vendors": "", "value": float(monthly[metric]), "ci_low": NAN, "ci_high": NAN}
        )
    rows.append(_row("quick_ratio", "without_reactivation", flow, "quick_ratio"))
    rows.append(_row("quick_ratio", "with_reactivation", flow, "quick_ratio_with_reactivation"))
    table = pd.DataFrame(rows)
    table["chosen"] = [
        getattr(definitions, m) == c for m, c in zip(table["metric"], table["choice"], strict=True)
    ]
    table["no_loss"] = (table["metric"] == "quick_ratio") & bool(flow["no_loss"])
    return ByDefinition(
        table=table,
        definitions=definitions,
        horizon_months=horizon,
        status=str(locked["status"]),
        reason=str(locked["reason"]),
    )


def _check(retention: RetentionResult, flows: FlowRates) -> None:
    if flows.horizon_months not in retention.horizons:
        raise InputError(
            f"by definition: retention has no horizon of {flows.horizon_months} months"
        )
    if retention.span != flows.span:
        raise InputError("by definition: the results are of different periods")


def _row(metric: str, choice: str, found: pd.Series, column: str) -> dict[str, object]:
    return {
        "metric": metric,
        "choice": choice,
        "words": CHOICES[metric][choice],
        "vendors": ", ".join(used_by(metric, choice)),
        "value": float(found[column]),
        "ci_low": float(found[f"{column}_low"]),
        "ci_high": float(found[f"{column}_high"]),
    }
