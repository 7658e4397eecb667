"""Columns that tell the outcome too well by themselves, by value or by being filled in at all."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from csa.analysis.risk.leaks.credible import (
    Credible,
    RocPoint,
    least_credible_level,
    least_credible_point,
)
from csa.analysis.risk.leaks.design import honest_terms
from csa.analysis.risk.leaks.findings import CHECKED, FILLED_AFTERWARDS, TOO_GOOD, Leak
from csa.analysis.risk.leaks.frame import Audited, BoolArray, Column, FloatArray, IntArray
from csa.analysis.risk.leaks.separation import (
    Separation,
    accounts_in,
    area_between,
    as_levels,
    folds_of,
    level_rates,
    out_of_fold_ranks,
    separation,
)

CREDIBLE_AUC = 0.90  # of an honest column; published honest churn models reach 0.74 to 0.86
CREDIBLE_AUC_EVER = 0.93  # against churn at any time: those at risk all leave in the end
SCORE = Credible(0.92, 1.6)  # greatest credible ROC curve of a measured score
LEVEL = Credible(0.87, 1.0)  # of a single level, such as a flag that is set
FILLED = Credible(0.80, 1.0)  # of merely being filled in
SURE = 0.95  # level of the limits that raise the alarm
EXCESS = 4.0  # likelihood ratio (2 log) of a point of the ROC curve that raises the alarm
MIN_EVENTS, MIN_STAYED = 5, 20  # accounts, below which no column is judged
WATCH_AUC, WATCH_AWAY = 0.80, 6.0  # a column far from the others, in robust standard deviations
FEW_COLUMNS = 4  # below which no column is far from the others
RIDGE = 1e-2  # of the linear rule, per row
TOGETHER = "all columns together"


class Outcome(NamedTuple):
    """Who churned, among the rows `known`."""

    name: str
    churned: BoolArray
    known: BoolArray
    credible_auc: float


class Judged(NamedTuple):
    """How well a score tells an outcome; `low`: of its area, NaN where that is small."""

    column: str
    way: str  # "level", "high", "low", "filled", "empty"
    outcome: Outcome
    area: float
    low: float
    point: RocPoint
    n: int


def outcomes(rows: Audited, horizon_days: float | None) -> list[Outcome]:
    """Churn within the horizon, and churn at any time that is known.

    Parameters
    ----------
    rows : Audited
        Snapshots.
    horizon_days : float or None
        Days after the cut-off.

    Returns
    -------
    list of Outcome
        A column written after the cut-off tells churn at any later time, so both are asked.
    """
    everyone = np.ones(rows.n, dtype=bool)
    ever = Outcome("ever", rows.event, everyone, CREDIBLE_AUC_EVER)
    if horizon_days is None:
        return [ever]
    soon = rows.event & (rows.after <= horizon_days)
    known = soon | (rows.after >= horizon_days)
    return [Outcome(f"within {horizon_days:g} days", soon, known, CREDIBLE_AUC), ever]


def enough(churned: BoolArray, account: IntArray) -> bool:
    """Whether enough accounts churned and stayed to judge a column."""
    return (
        accounts_in(account[churned]) >= MIN_EVENTS and accounts_in(account[~churned]) >= MIN_STAYED
    )


def judge(
    column: str, score: FloatArray, outcome: Outcome, rows: BoolArray, account: IntArray
) -> Iterator[Judged]:
    """Judge a score among some rows, upwards and downwards.

    Parameters
    ----------
    column : str
        What is judged.
    score : array of float
        Of all rows.
    outcome : Outcome
        Who churned.
    rows : array of bool
        Rows that count.
    account : array of int
        Account of each row.

    Yields
    ------
    Judged
        For "high" and for "low" values.
    """
    churned, score, account = outcome.churned[rows], score[rows], account[rows]
    up, down = np.sort(score[churned]), np.sort(score[~churned])
    counts = _accounts(churned, account)
    area = area_between(up, down)
    for sign, way in ((1, "high"), (-1, "low")):
        value = area if sign > 0 else 1 - area
        low = _low(value, sign * score, churned, account)
        ends = (up, down) if sign > 0 else (-up[::-1], -down[::-1])
        point = least_credible_point(*ends, counts, SCORE)
        yield Judged(column, way, outcome, value, low, point, len(score))


def _accounts(churned: BoolArray, account: IntArray) -> tuple[int, int]:
    return accounts_in(account[churned]), accounts_in(account[~churned])


def _low(area: float, score: FloatArray, churned: BoolArray, account: IntArray) -> float:
    """Lower limit of an area that is worth it."""
    if not area > WATCH_AUC:
        return np.nan
    return separation(score, churned, account, confidence=SURE).low


def judge_column(column: Column, outcome: Outcome, data: Audited) -> Iterator[Judged]:
    """Judge a column every way it may tell: by level, upwards, downwards, by being filled in.

    Parameters
    ----------
    column : Column
        A feature.
    outcome : Outcome
        Who churned.
    data : Audited
        Snapshots.

    Yields
    ------
    Judged
        Nothing where too few churned or stayed.
    """
    here = outcome.known
    known = column.known[here]
    churned, account = outcome.churned[here], data.account[here]
    if not enough(churned, account):
        return
    levels, own = as_levels(column.value[here], known, codes=column.kind == "text")
    ranks = out_of_fold_ranks(levels, churned, account)
    up, down = np.sort(ranks[churned]), np.sort(ranks[~churned])
    counts = _accounts(churned, account)
    area = area_between(up, down)
    point = least_credible_point(up, down, counts, SCORE)
    if own:
        point = max(point, least_credible_level(levels, churned, counts, LEVEL))
    low = _low(area, ranks, churned, account)
    yield Judged(column.name, "level", outcome, area, low, point, len(ranks))
    both = here & column.known
    if column.kind != "text" and enough(outcome.churned[both], data.account[both]):
        yield from judge(column.name, column.value, outcome, both, data.account)
    if 0 < int(known.sum()) < len(known):
        for way, level, credible in (("filled", known, FILLED), ("empty", ~known, LEVEL)):
            point = least_credible_level(level.astype(np.int64), churned, counts, credible)
            yield Judged(column.name, way, outcome, np.nan, np.nan, point, len(known))


def column_leaks(data: Audited, horizon_days: float | None) -> tuple[list[Leak], pd.DataFrame]:
    """Find columns that tell the outcome better than is credible.

    Parameters
    ----------
    data : Audited
        Snapshots.
    horizon_days : float or None
        Days after the cut-off.

    Returns
    -------
    list of Leak, DataFrame
        Findings, strongest first, and the table of what was checked.
    """
    asked = outcomes(data, horizon_days)
    judged = [j for c in data.columns for o in asked for j in judge_column(c, o, data)]
    found = [(j.point.excess, leak) for j in judged if (leak := _leak(j)) is not None]
    found.sort(key=lambda pair: -pair[0])
    leaks = [leak for _, leak in found]
    leaks += _far_from_the_others(judged, {leak.column for leak in leaks})
    return leaks, _checked(data, asked[0])


def _leak(judged: Judged) -> Leak | None:
    """Raise the alarm where the area or a point of the ROC curve is not credible."""
    by_point = judged.point.excess >= EXCESS
    if not by_point and not judged.low > judged.outcome.credible_auc:
        return None
    filled = judged.way in ("filled", "empty")
    return Leak(
        kind=FILLED_AFTERWARDS if judged.way == "filled" else TOO_GOOD,
        column=judged.column,
        measure="log likelihood ratio of a ROC point" if by_point else "area under the ROC curve",
        evidence=judged.point.excess if by_point else judged.area,
        limit=EXCESS if by_point else judged.outcome.credible_auc,
        n=judged.n,
        severity="alarm",
        reason=_filled_words(judged) if filled else _words(judged),
    )


def _picked(judged: Judged) -> str:
    point = judged.point
    return (
        f"{point.churned:,} of the {point.picked:,} rows it picks churned {judged.outcome.name}, "
        f"{point.recall:.0%} of all that did, with {point.false_alarms:.2%} of those that stayed"
    )


def _words(judged: Judged) -> str:
    """Say what a column does and what to do about it."""
    told = (
        f"{judged.column} alone names those that leave: {_picked(judged)}"
        if judged.point.excess >= EXCESS
        else f"{judged.column} alone ranks those that churn {judged.outcome.name} with an area of "
        f"{judged.area:.3f}, at least {judged.low:.3f}"
    )
    return (
        f"{told}; a column known at the cut-off does not do that. Find out when it is written, "
        "take its value as it stood at the cut-off, or leave it out"
    )


def _filled_words(judged: Judged) -> str:
    state = "filled in" if judged.way == "filled" else "empty"
    return (
        f"whether {judged.column} is {state} tells who leaves: {_picked(judged)}. It is written "
        "when the outcome is known; leave it out, or use only what was there at the cut-off"
    )


def _far_from_the_others(judged: list[Judged], known: set[str]) -> list[Leak]:
    """Point at a column that separanks far better than all the others do."""
    best: dict[str, Judged] = {}
    for j in judged:
        if np.isfinite(j.area) and (j.column not in best or j.area > best[j.column].area):
            best[j.column] = j
    if len(best) < FEW_COLUMNS:
        return []
    apart = np.array([_apart(j.area) for j in best.values()])
    middle = float(np.median(apart))
    spread = 1.4826 * float(np.median(np.abs(apart - middle))) + 0.1
    away = (apart - middle) / spread
    return [
        Leak(
            kind=TOO_GOOD,
            column=name,
            measure="robust standard deviations from the other columns",
            evidence=float(z),
            limit=WATCH_AWAY,
            n=j.n,
            severity="watch",
            reason=f"{name} separanks far better than any other column (area {j.area:.3f}, "
            f"at least {j.low:.3f}); make sure that it is known at the cut-off",
        )
        for (name, j), z in zip(best.items(), away, strict=True)
        if z > WATCH_AWAY and j.low > WATCH_AUC and name not in known
    ]


def _apart(auc: float) -> float:
    """Area as a separation in standard deviations."""
    from scipy.special import ndtri  # noqa: PLC0415 (costs start-up time)

    return float(np.sqrt(2) * ndtri(min(max(auc, 1e-4), 1 - 1e-4)))


def _checked(data: Audited, outcome: Outcome) -> pd.DataFrame:
    """Each column alone and all together, with 95 % limits."""
    rows = [_checked_row(column, outcome, data) for column in data.columns]
    if data.columns:
        here = outcome.known
        churned, account = outcome.churned[here], data.account[here]
        test = folds_of(account) % 2 == 0
        score = _linear_rule(honest_terms(data)[here], churned, test)
        area = separation(score[test], churned[test], account[test])
        rows.append(_row(TOGETHER, np.ones(len(churned), dtype=bool), churned, area))
    return pd.DataFrame(rows, columns=list(CHECKED)).astype({"flagged": "bool"})


def _checked_row(column: Column, outcome: Outcome, data: Audited) -> dict[str, object]:
    """Area of higher values; of texts, of the order that other accounts give them."""
    here = outcome.known
    known, churned, account = column.known[here], outcome.churned[here], data.account[here]
    score, used = column.value[here], known
    if column.kind == "text":
        levels = as_levels(score, known, codes=True)[0]
        used = folds_of(account) % 2 == 0
        score = level_rates(levels, churned & ~used, ~used)[levels]
    area = separation(score[used], churned[used], account[used])
    return _row(column.name, known, churned, area)


def _row(name: str, known: BoolArray, churned: BoolArray, area: Separation) -> dict[str, object]:
    return {
        "column": name,
        "n": int(known.sum()),
        "events": int(churned[known].sum()),
        "missing": float(1 - known.mean()) if len(known) else np.nan,
        "auc": area.auc,
        "ci_low": area.low,
        "ci_high": area.high,
        "flagged": False,
    }


def _linear_rule(terms: FloatArray, churned: BoolArray, test: BoolArray) -> FloatArray:
    """Score rows by a ridge regression of the outcome, fitted to those that are no test."""
    fit = terms[~test]
    gram = fit.T @ fit + RIDGE * max(len(fit), 1) * np.eye(terms.shape[1])
    score: FloatArray = terms @ np.linalg.solve(gram, churned[~test].astype(float) @ fit)
    return score
