"""How the risk from which on an account is flagged is chosen, and on what."""

from dataclasses import dataclass, field

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.risk.evaluation.rows import JudgedRows, judged_rows
from csa.errors import InputError
from csa.methods.ranking import (
    Reached,
    best_f1,
    ranking,
    threshold_for_precision,
    threshold_for_recall,
)

FloatArray = NDArray[np.float64]
Keys = NDArray[np.uint64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What an action costs and is worth, in one unit of money.

    `value` is what a saved account is worth; None: `value` of its prediction times `months`.
    `save_rate` is the share of the accounts about to churn that an action keeps: an assumption
    until actions have been compared with none.
    """

    cost: float
    save_rate: float
    value: float | None = None
    months: float = 12

    def __post_init__(self) -> None:
        """Refuse costs that no decision can rest on."""
        faults = []
        if not (np.isfinite(self.cost) and self.cost >= 0):
            faults.append(f"costs: a cost of {self.cost} is not 0 or more")
        if not 0 < self.save_rate <= 1:
            faults.append(f"costs: a save rate of {self.save_rate} is not a share above 0")
        if self.value is not None and not self.value > 0:
            faults.append(f"costs: a value of {self.value} is not above 0")
        if not self.months > 0:
            faults.append(f"costs: {self.months} months are not above 0")
        if faults:
            raise InputError(*faults)

    @property
    def threshold(self) -> float | None:
        """Risk from which on an action pays: cost / (save rate × value); None: by account."""
        return None if self.value is None else self.cost / (self.save_rate * self.value)

    def worth(self, rows: JudgedRows) -> FloatArray:
        """Value of each account, were it saved.

        Parameters
        ----------
        rows : JudgedRows
            Predictions.

        Returns
        -------
        ndarray of float
            Money; 0 where a row has no value.

        Raises
        ------
        InputError
            If neither the costs nor the predictions have a value.
        """
        if self.value is not None:
            return np.full(len(rows.risk), float(self.value))
        if rows.value is None:
            raise InputError("predictions: column value is missing; or give the costs one value")
        return np.nan_to_num(rows.value) * self.months


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ThresholdRule:
    """A rule that flags accounts, and where it comes from.

    `rule` names it; `threshold` is the risk from which on accounts are flagged, None: by account,
    NaN: none could be chosen. `chosen_on` says on what, `n` and `events` how much that was.
    `keys` are the fingerprints of the rows it was chosen on; `independent` is False where the
    caller knows that they are the rows to be judged.
    """

    rule: str
    threshold: float | None
    chosen_on: str
    n: int = 0
    events: int = 0
    costs: Costs | None = None
    independent: bool = True
    keys: Keys = field(default_factory=lambda: np.empty(0, np.uint64))

    def flags(self, rows: JudgedRows) -> NDArray[np.bool_]:
        """Flag rows.

        Parameters
        ----------
        rows : JudgedRows
            Predictions.

        Returns
        -------
        ndarray of bool
            Rows at or above the threshold; by account, where an action is worth more than it
            costs; none where there is no threshold.
        """
        if self.threshold is not None:
            return np.asarray(rows.risk >= self.threshold)  # NaN compares as False
        if self.costs is None:
            return np.zeros(len(rows.risk), bool)
        return np.asarray(
            rows.risk * self.costs.save_rate * self.costs.worth(rows) >= self.costs.cost
        )

    def seen(self, rows: JudgedRows) -> int:
        """Count the rows to be judged that the threshold was chosen on.

        Parameters
        ----------
        rows : JudgedRows
            Predictions.

        Returns
        -------
        int
            All rows where the caller has said so.
        """
        if not self.independent:
            return len(rows.key)
        return int(np.isin(rows.key, self.keys).sum()) if len(self.keys) else 0


def threshold_by_cost(costs: Costs) -> ThresholdRule:
    """Flag where an action is worth more than it costs; no data are needed for that.

    Parameters
    ----------
    costs : Costs
        Cost, save rate and value.

    Returns
    -------
    ThresholdRule
        Risk of cost / (save rate × value) or more [1]_.

    References
    ----------
    .. [1] Elkan, C. (2001). The foundations of cost-sensitive learning. IJCAI 17, 973-978.

    Examples
    --------
    >>> rule = threshold_by_cost(Costs(cost=20, save_rate=0.3, value=400))
    >>> round(rule.threshold, 3)
    0.167
    """
    return ThresholdRule(
        rule="cost", threshold=costs.threshold, chosen_on="costs alone", costs=costs
    )


def given_threshold(
    threshold: float,
    *,
    chosen_on: str,
    independent: bool,
    costs: Costs | None = None,
) -> ThresholdRule:
    """Flag from a risk on that was chosen elsewhere.

    Parameters
    ----------
    threshold : float
        Risk, share in [0, 1].
    chosen_on : str
        What it was chosen on, in words.
    independent : bool
        Whether these were other data than those it will be judged on.
    costs : Costs, optional
        For the net value.

    Returns
    -------
    ThresholdRule
        With the rule "given".

    Raises
    ------
    InputError
        If the threshold is no share.
    """
    if not 0 <= threshold <= 1:
        raise InputError(f"threshold: {threshold} is not within [0, 1]; write 0.3 for 30 %")
    return ThresholdRule(
        rule="given",
        threshold=threshold,
        chosen_on=chosen_on,
        independent=independent,
        costs=costs,
    )


def threshold_by_f1(
    predictions: ir.Table | pd.DataFrame, *, horizon_days: float, costs: Costs | None = None
) -> ThresholdRule:
    """Choose the threshold with the highest F1 on data other than those to be judged.

    Parameters
    ----------
    predictions : ir.Table or DataFrame
        As for `evaluate`: earlier cut-offs, or folds of the training.
    horizon_days : float
        Horizon, days.
    costs : Costs, optional
        For the net value.

    Returns
    -------
    ThresholdRule
        Without a threshold (NaN) where nobody churned.
    """
    rows = judged_rows(predictions, horizon_days)
    return chosen("highest F1", best_f1(ranking(rows.risk, rows.outcomes)), rows, costs)


def threshold_by_recall(
    predictions: ir.Table | pd.DataFrame,
    recall: float,
    *,
    horizon_days: float,
    costs: Costs | None = None,
) -> ThresholdRule:
    """Choose the highest threshold that finds a share of those who churn.

    Parameters
    ----------
    predictions : ir.Table or DataFrame
        As for `evaluate`: earlier cut-offs, or folds of the training.
    recall : float
        Share of the events to be found.
    horizon_days : float
        Horizon, days.
    costs : Costs, optional
        For the net value.

    Returns
    -------
    ThresholdRule
        Without a threshold (NaN) where nobody churned.
    """
    rows = judged_rows(predictions, horizon_days)
    found = threshold_for_recall(ranking(rows.risk, rows.outcomes), recall)
    return chosen(f"recall of {recall:.0%}", found, rows, costs)


def threshold_by_precision(
    predictions: ir.Table | pd.DataFrame,
    precision: float,
    *,
    horizon_days: float,
    costs: Costs | None = None,
) -> ThresholdRule:
    """Choose the threshold that finds most at a precision.

    Parameters
    ----------
    predictions : ir.Table or DataFrame
        As for `evaluate`: earlier cut-offs, or folds of the training.
    precision : float
        Share of events among those flagged.
    horizon_days : float
        Horizon, days.
    costs : Costs, optional
        For the net value.

    Returns
    -------
    ThresholdRule
        Without a threshold (NaN) where none has that precision.
    """
    rows = judged_rows(predictions, horizon_days)
    found = threshold_for_precision(ranking(rows.risk, rows.outcomes), precision)
    return chosen(f"precision of {precision:.0%}", found, rows, costs)


def chosen(rule: str, found: Reached, rows: JudgedRows, costs: Costs | None) -> ThresholdRule:
    """Put a threshold down with what it was chosen on.

    Parameters
    ----------
    rule : str
        Name of the rule.
    found : Reached
        Point of the ranking.
    rows : JudgedRows
        What it was chosen on.
    costs : Costs or None
        For the net value.

    Returns
    -------
    ThresholdRule
        With the fingerprints of the rows.
    """
    days = rows.cutoff_days
    span = f" at cut-offs {days[0]} to {days[-1]}" if days else ""
    return ThresholdRule(
        rule=rule,
        threshold=found.threshold,
        chosen_on=f"{rows.accounts} accounts{span}",
        n=len(rows.risk),
        events=int(rows.churned.sum()),
        costs=costs,
        keys=rows.key,
    )
