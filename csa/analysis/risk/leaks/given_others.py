"""Columns that know the end of the account once the other columns are taken into account.

Charges to date look honest by themselves; beside price and tenure they tell how long the account
will stay, if they were added up after the cut-off. What is left of a column given all others must
not separate better than is credible, nor follow the day of the end, nor fit the final tenure
where it ought to fit the tenure at the cut-off.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace

import numpy as np

from csa.analysis.risk.leaks.columns import EXCESS, Outcome, enough, judge, outcomes
from csa.analysis.risk.leaks.design import CHURNED_ROWS, STAYED_ROWS, Target, design_of, targets
from csa.analysis.risk.leaks.findings import TOO_GOOD_GIVEN_OTHERS, Leak
from csa.analysis.risk.leaks.frame import Audited, FloatArray, some_accounts
from csa.analysis.risk.leaks.timing import follows, in_proportion, runs_on


def others_leaks(
    data: Audited, horizon_days: float | None, known: Collection[str]
) -> tuple[list[Leak], int]:
    """Find columns that leak once the others are taken into account.

    Parameters
    ----------
    data : Audited
        Snapshots.
    horizon_days : float or None
        Days after the cut-off.
    known : collection of str
        Columns already found to leak; they do not count as others.

    Returns
    -------
    list of Leak, int
        Findings, and rows looked at. Of columns that leak only beside one another the honest
        one is cleared: each must still stand out when no other suspect is among the others.
    """
    data = some_accounts(data, CHURNED_ROWS, STAYED_ROWS)
    if not enough(data.event, data.account):
        return [], data.n
    first = list(_search(data, horizon_days, frozenset(known), None))
    suspects = {leak.column for leak in first}
    if len(suspects) < 2:
        return first, data.n
    second = list(_search(data, horizon_days, frozenset({*known, *suspects}), suspects))
    return second or _strongest(first), data.n


def _strongest(leaks: list[Leak]) -> list[Leak]:
    """Of columns that stand out only beside one another, accuse the one that does most."""
    most = max(leaks, key=lambda leak: leak.evidence / leak.limit).column
    return [
        leak
        if leak.column == most
        else replace(
            leak,
            severity="watch",
            reason=f"{leak.column} stands out only beside {most}, which is the likelier leak; "
            "look again without that",
        )
        for leak in leaks
    ]


def _search(
    data: Audited, horizon_days: float | None, without: frozenset[str], only: Collection[str] | None
) -> Iterator[Leak]:
    design = design_of(data)
    asked = outcomes(data, horizon_days)
    for target in targets(data, design, without=without, only=only):
        left = target.left()
        spread = float(left.std())
        if spread < 1e-9:
            continue  # a function of the other columns has no news
        yield from _too_good(target, left / spread, asked, data)
        yield from follows(target, left / spread, data, horizon_days)
        yield from runs_on(target, data)
        yield from in_proportion(target, left, data, horizon_days)


def _too_good(
    target: Target, left: FloatArray, asked: list[Outcome], data: Audited
) -> Iterator[Leak]:
    """Judge what is left as if it were a column."""
    value = np.zeros(data.n)
    value[target.rows] = left
    for outcome in asked:
        here = outcome.known & target.rows
        if not enough(outcome.churned[here], data.account[here]):
            continue
        for judged in judge(target.column, value, outcome, here, data.account):
            point = judged.point
            if not judged.low > outcome.credible_auc and point.excess < EXCESS:
                continue
            yield Leak(
                kind=TOO_GOOD_GIVEN_OTHERS,
                column=target.column,
                measure="log likelihood ratio of a ROC point",
                evidence=point.excess,
                limit=EXCESS,
                n=judged.n,
                severity="alarm",
                reason=f"{target.column} tells who churns {outcome.name} once the other columns "
                f"are known (area {judged.area:.3f}; {point.churned:,} of the {point.picked:,} "
                "rows it picks churned): it goes on after the cut-off. Build it from rows up to "
                "the cut-off only, or leave it out",
            )
