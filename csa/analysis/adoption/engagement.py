"""Engagement score of accounts: 0 to 100, on a scale that stays the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.adoption.engagement_parts import PARTS, Sources, parts_on, ranked
from csa.analysis.adoption.windows import ALL, DAY, MIN_ACCOUNTS, WEEKS, Span
from csa.errors import InputError
from csa.methods.intervals import Estimate
from csa.methods.moments import student

WEIGHTS: Final = {"utilisation": 0.3, "breadth": 0.25, "depth": 0.2, "recency": 0.25}
FALL: Final = 20.0  # points
FEWEST: Final = 30  # accounts in the reference population
STEP: Final = 10  # points of a bar


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Engagement:
    """Engagement of customers on the last day of a period; scores are 0 to 100.

    `accounts`: `account_id`, `group`, `mrr_minor`, `score`, `previous` (on the last day before the
    period; missing where it was no customer yet), `change` (missing where other parts were known
    then), `coverage` (share of the weights whose parts are known), `days_since_use`, and each part
    on the same scale; largest first.
    `fallen`: rows of `accounts` that lost `fall` points or more, largest revenue first. `table`:
    `group`, `score` (mean) with `ci_low`, `ci_high`, `previous`, `change` with `change_low`,
    `change_high` (of the accounts in both), `n`, `coverage`, `fallen`, and the means of the parts,
    `status`, `reason`; `all` first. `spread`: `points` (lower end of ten), `share` of accounts,
    `reference` (share then). `reference_end`, `reference_n`: the frozen population.
    """

    accounts: pd.DataFrame
    fallen: pd.DataFrame
    table: pd.DataFrame
    spread: pd.DataFrame
    weights: Mapping[str, float]
    fall: float
    reference_end: date
    reference_n: int
    span: Span
    confidence: float = 0.95


def engagement(
    sources: Sources,
    *,
    span: Span,
    reference_end: date,
    weights: Mapping[str, float] = WEIGHTS,
    fall: float = FALL,
    confidence: float = 0.95,
) -> Engagement:
    """Score how much accounts use the product, against the customers of a fixed day.

    Parameters
    ----------
    sources : Sources
        All use of these accounts.
    span : Span
        The score is that of its last day known; the day before the period is compared.
    reference_end : date
        Day whose customers are the scale. As long as it stays, a score of an account does not
        move because others come or go.
    weights : mapping of str to float
        Of utilisation, breadth, depth and recency; they are divided by their sum.
    fall : float
        Points from which on a loss is told.
    confidence : float
        Level of the intervals, share in (0, 1).

    Returns
    -------
    Engagement
        "unclear" where the reference has fewer than 30 accounts, or few are scored. Accounts that
        have been customers for less than 28 days have no score.

    Raises
    ------
    InputError
        If weights are negative, all 0, or of no known part.

    Notes
    -----
    Score = 100 Σ w F(x) / Σ w over the parts that are known, F the rank of a part among the
    reference population (see `csa.analysis.adoption.engagement_parts.ranked`). A missing part is
    left out, not taken for 0; `coverage` tells how much of the weights remains. The mean of the
    reference population is 50, but for ties and missing parts.
    """
    share = _weights(weights)
    usable = span.covers(reference_end - (WEEKS - 1) * DAY)
    frozen = parts_on(sources, reference_end)
    frozen = frozen if usable else frozen.head(0)
    now = _scored(parts_on(sources, span.last), frozen, share)
    day = span.start - DAY
    before = parts_on(sources, day)
    before = _scored(
        before if span.covers(day - (WEEKS - 1) * DAY) else before.head(0), frozen, share
    )
    old = before.set_index("account_id")
    now["previous"] = now["account_id"].map(old["score"]).astype(float)
    alike = np.isclose(now["coverage"], now["account_id"].map(old["coverage"]).astype(float))
    now["change"] = (now["score"] - now["previous"]).where(alike)
    now = now.sort_values(["mrr_minor", "account_id"], ascending=[False, True], ignore_index=True)
    reason = span.reason if "not over" not in span.reason else ""
    if len(frozen) < FEWEST:
        few = f"only {len(frozen)}" if len(frozen) else "no"
        reason = reason or f"the reference of {reference_end} has {few} accounts"
    columns = ["account_id", "group", "mrr_minor", "score", "previous", "change", "coverage"]
    return Engagement(
        accounts=now[[*columns, "days_since_use", *PARTS]],
        fallen=now.loc[now["change"] <= -fall].reset_index(drop=True),
        table=_table(now, before, fall, (reason, confidence)),
        spread=_spread(now["score"], _scored(frozen, frozen, share)["score"]),
        weights=share,
        fall=fall,
        reference_end=reference_end,
        reference_n=len(frozen),
        span=span,
        confidence=confidence,
    )


def last_reference(day: date) -> date:
    """Choose a day of reference that stays for a year.

    Parameters
    ----------
    day : date
        First day of the period.

    Returns
    -------
    date
        The last day of November of the year before: a month of ordinary work in most places.
    """
    return date(day.year - 1, 11, 30)


def _weights(weights: Mapping[str, float]) -> dict[str, float]:
    faults = [
        f"weights: {n} is no part; write {', '.join(PARTS)}" for n in weights if n not in PARTS
    ]
    faults += [f"weights: {n} is {w}; write 0 or more" for n, w in weights.items() if not w >= 0]
    total = sum(weights.values())
    if not faults and not total > 0:
        faults = ["weights: all are 0"]
    if faults:
        raise InputError(*faults)
    return {name: weights.get(name, 0.0) / total for name in PARTS}


def _scored(rows: pd.DataFrame, frozen: pd.DataFrame, weights: dict[str, float]) -> pd.DataFrame:
    """Put each part on the scale of the reference and weigh what is known."""
    made = rows.copy()
    total = np.zeros(len(rows))
    known = np.zeros(len(rows))
    for part in PARTS:
        points = 100 * ranked(rows[part], frozen[part])
        made[part] = points
        there = ~np.isnan(points)
        total += weights[part] * np.where(there, points, 0.0)
        known += weights[part] * there
    score = np.divide(total, known, out=np.full(len(rows), np.nan), where=known > 0)
    return made.assign(score=score, coverage=known)


def _table(
    now: pd.DataFrame, before: pd.DataFrame, fall: float, look: tuple[str, float]
) -> pd.DataFrame:
    names = sorted(now["group"].astype(str).unique())
    groups = [ALL, *(names if len(names) > 1 else [])]
    rows = []
    for group in groups:
        own = now if group == ALL else now.loc[now["group"] == group]
        then = before if group == ALL else before.loc[before["group"] == group]
        rows.append(_row(group, own.loc[own["score"].notna()], then, fall, look))
    return pd.DataFrame(rows)


def _row(
    group: str, own: pd.DataFrame, then: pd.DataFrame, fall: float, look: tuple[str, float]
) -> dict[str, Any]:
    reason, confidence = look
    score = _mean(own["score"].to_numpy(float), confidence)
    change = _mean(own["change"].dropna().to_numpy(float), confidence)
    if len(own) < MIN_ACCOUNTS:
        reason = reason or f"only {len(own)} accounts with a score"
    return {
        "group": group,
        "score": score.value,
        "ci_low": score.low,
        "ci_high": score.high,
        "previous": float(then["score"].mean()) if then["score"].notna().any() else float("nan"),
        "change": change.value,
        "change_low": change.low,
        "change_high": change.high,
        "n": len(own),
        "coverage": float(own["coverage"].mean()) if len(own) else float("nan"),
        "fallen": int((own["change"] <= -fall).sum()),
        **{part: float(own[part].mean()) if len(own) else float("nan") for part in PARTS},
        "status": "unclear" if reason else "ok",
        "reason": reason,
    }


def _mean(values: NDArray[np.float64], confidence: float) -> Estimate:
    if not len(values):
        return Estimate(float("nan"), float("nan"), float("nan"))
    mean = float(values.mean())
    error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
    half = student(len(values) - 1, confidence) * error if error > 0 else float("nan")
    return Estimate(mean, mean - half, mean + half)


def _spread(now: pd.Series, frozen: pd.Series) -> pd.DataFrame:
    edges = np.arange(0, 101, STEP)
    made: dict[str, Any] = {"points": edges[:-1]}
    for name, scores in (("share", now), ("reference", frozen)):
        counts, _ = np.histogram(scores.dropna(), bins=edges)
        made[name] = counts / counts.sum() if counts.sum() else np.full(len(counts), np.nan)
    return pd.DataFrame(made)
