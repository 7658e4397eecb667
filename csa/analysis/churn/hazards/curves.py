"""Survival by a discrete-time hazard: of chosen patterns, and of groups as they are mixed."""

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.churn.hazards import HazardResult
from csa.analysis.churn.hazards.cells import Cells
from csa.analysis.churn.hazards.tables import FittedHazard
from csa.analysis.churn.spells import ALL, group_labels
from csa.errors import InputError
from csa.methods.designs import Block, ProductDesign
from csa.methods.intervals import normal_quantile
from csa.methods.links import LARGEST, probability

FloatArray = NDArray[np.float64]

CURVE = [
    "age_days",
    "at_risk",
    "events",
    "hazard",
    "hazard_low",
    "hazard_high",
    "survival",
    "ci_low",
    "ci_high",
    "status",
    "reason",
]


def hazard_curves(result: HazardResult, patterns: pd.DataFrame) -> pd.DataFrame:
    """Survival and hazard of chosen patterns of covariates.

    Parameters
    ----------
    result : HazardResult
        From `discrete_hazard`.
    patterns : DataFrame, one row per pattern
        A value for each column of the model, the renewal's too. Kept all life long.

    Returns
    -------
    DataFrame
        Columns of `patterns`, then `age_days` (end of an interval; the first row is the age from
        which anybody was seen, with survival 1), `at_risk` and `events` (intervals and events of
        exactly this pattern in the data), `hazard` of the interval that ends there, `survival`,
        with limits, `status`, `reason`. Empty where there is no model.

    Raises
    ------
    InputError
        If a column or a value is not part of the model.

    Notes
    -----
    S = Π (1 - h_j); limits by the delta method on log(-log S), and on the log of -log(1 - h)
    [1]_.

    References
    ----------
    .. [1] Kalbfleisch, J. D., Prentice, R. L. (2002). The Statistical Analysis of Failure Time
       Data, 2nd ed., 2.4 and 4.8. Wiley.
    """
    columns = [*patterns.columns, *CURVE]
    if result.model is None:
        return pd.DataFrame(columns=columns)
    labels = _labels(result.model, patterns)
    found = []
    for row in range(len(patterns)):
        one = labels.iloc[[row]]
        counted = _own_cells(result.model, one)
        given = {str(name): patterns[name].iloc[row] for name in patterns}
        found.append(_curve(result, result.model, one, np.ones(1), counted).assign(**given))
    curves = pd.concat(found) if found else pd.DataFrame(columns=columns)
    return curves[columns].reset_index(drop=True)


def predicted_survival(
    result: HazardResult, patterns: pd.DataFrame
) -> tuple[FloatArray, FloatArray]:
    """Survival of many patterns at once, without limits: what measures of prediction need.

    Parameters
    ----------
    result : HazardResult
        From `discrete_hazard`.
    patterns : DataFrame, one row per account
        A value for each column of the model.

    Returns
    -------
    ages, survival : ndarray of float
        Ends of the intervals in days; rows × ages. A level in which nobody left has survival 1.

    Raises
    ------
    InputError
        If there is no model, or a column or value is not part of it.
    """
    if result.model is None:
        raise InputError(f"hazard: there is no model, since {result.reason}")
    blocks = _blocks(result.model, _labels(result.model, patterns))
    predictor = ProductDesign(blocks).predictor(result.model.fit.coefficients)
    stays = 1 - probability(predictor, result.model.fit.link)
    ages = np.arange(1, stays.shape[1] + 1, dtype=float) * result.interval_days
    return ages, np.asarray(np.cumprod(stays, axis=1))


def group_curves(result: HazardResult, by: str | None = None) -> pd.DataFrame:
    """Survival of all and of each group, averaged over the patterns found in it.

    Parameters
    ----------
    result : HazardResult
        From `discrete_hazard`.
    by : str, optional
        Covariate of the model that makes the groups; default: only all together.

    Returns
    -------
    DataFrame
        `group` ("all" first), the columns of `hazard_curves`, and `observed`: survival by the
        events and intervals of the group alone, without a model, NaN after an interval in which
        nobody of the group was seen.

    Raises
    ------
    InputError
        If `by` is not part of the model.

    Notes
    -----
    S(t) = Σ w_p S_p(t) with w_p the share of the spells with pattern p: what the model expects
    of a group that begins with this mix. Limits by the delta method; w is taken as known.
    Spells that are cut where a covariate changes weigh with each of their parts.
    """
    columns = ["group", *CURVE, "observed"]
    if result.model is None:
        return pd.DataFrame(columns=columns)
    cells = result.model.cells
    if by is not None and by not in cells.levels:
        raise InputError(f"by: {by} is not part of the model; it has {', '.join(cells.levels)}")
    labels = pd.DataFrame(
        {
            name: np.array(level.labels, dtype=object)[cells.codes(name)]
            for name, level in cells.levels.items()
        },
        index=range(len(cells.patterns)),
    )
    everybody = np.ones(len(labels), dtype=bool)
    groups = {ALL: everybody}
    if by is not None:
        own = group_labels(labels[by])
        groups |= {name: (own == name).to_numpy() for name in dict.fromkeys(sorted(own))}
    found = []
    for name, inside in groups.items():
        counted = cells.trials[inside].sum(axis=0), cells.events[inside].sum(axis=0)
        weights = cells.spells[inside].astype(float)
        curve = _curve(result, result.model, labels[inside], weights, counted)
        curve["observed"] = _observed(cells, *counted)
        found.append(curve.assign(group=name))
    return pd.concat(found)[columns].reset_index(drop=True)


def _labels(model: FittedHazard, patterns: pd.DataFrame) -> pd.DataFrame:
    """Patterns as labels of the model's levels."""
    levels = model.cells.levels
    faults = [f"patterns: column {name} is missing" for name in levels if name not in patterns]
    found: dict[Hashable, list[str]] = {}
    for name in [name for name in levels if name in patterns]:
        known: dict[Any, str] = dict(zip(levels[name].values, levels[name].labels, strict=True))
        known |= {label: label for label in levels[name].labels}
        values = [None if pd.isna(value) else value for value in patterns[name]]
        strange = {str(value) for value in values if value not in known}
        if strange:
            faults.append(f"patterns: {name} has no {', '.join(sorted(strange))} in the model")
        found[name] = [known.get(value, "") for value in values]
    if faults:
        raise InputError(*faults)
    return pd.DataFrame(found, index=patterns.index)


def _own_cells(model: FittedHazard, labels: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    """Trials and events of one pattern in the data."""
    cells = model.cells
    same = np.ones(len(cells.patterns), dtype=bool)
    for name, level in cells.levels.items():
        same &= cells.codes(name) == level.labels.index(labels[name].iloc[0])
    return cells.trials[same].sum(axis=0), cells.events[same].sum(axis=0)


def _blocks(model: FittedHazard, labels: pd.DataFrame) -> list[Block]:
    """Blocks of the design for other patterns."""
    terms = iter(model.terms.terms)
    first, *others = model.terms.blocks
    blocks = [first._replace(patterns=np.ones((len(labels), 1)))]
    for block in others:
        own = [next(terms) for _ in block.names]
        columns = [(labels[t.column] == t.label).to_numpy(dtype=float) for t in own]
        blocks.append(block._replace(patterns=np.column_stack(columns)))
    return blocks


def _curve(
    result: HazardResult,
    model: FittedHazard,
    labels: pd.DataFrame,
    weights: FloatArray,
    counted: tuple[FloatArray, FloatArray],
) -> pd.DataFrame:
    """Curve of a mixture of patterns, from the first interval in which anybody was seen."""
    begin = int(np.argmax(model.cells.trials.sum(axis=0) > 0))
    blocks = [b._replace(ages=b.ages[begin:]) for b in _blocks(model, labels)]
    predictor = ProductDesign(blocks).predictor(model.fit.coefficients)
    total, slopes = _mixture(blocks, predictor, weights / weights.sum(), model.fit.link)
    z = normal_quantile(result.confidence)
    spread = model.fit.covariance
    step, step_slopes = np.diff(total, prepend=0.0), np.diff(slopes, axis=0, prepend=0.0)
    hazard = [-np.expm1(-x) for x in _limits(step, step_slopes, spread, z)]
    survival = [np.exp(-x) for x in _limits(total, slopes, spread, z)]
    unclear = (slopes[:, list(model.fit.separated)] != 0).any(axis=1)
    trials, events = (x[begin:] for x in counted)
    ages = (np.arange(begin, begin + len(total) + 1)) * float(result.interval_days)
    absent = np.where(trials > 0, "", "nobody like this was seen at this age")
    reason = np.where(unclear, "nobody, or everybody, of a level left", absent)
    curve = pd.DataFrame(
        {
            "age_days": ages[1:],
            "at_risk": trials,
            "events": events.astype(int),
            "hazard": hazard[0],
            "hazard_low": hazard[1],
            "hazard_high": hazard[2],
            "survival": survival[0],
            "ci_low": survival[2],
            "ci_high": survival[1],
            "status": np.where(reason == "", "ok", "unclear"),
            "reason": reason,
        }
    )
    figures = CURVE[3:9]
    curve.loc[unclear, figures] = np.nan
    start = {"age_days": ages[0], "at_risk": trials[0], "events": 0, "status": "ok", "reason": ""}
    start |= dict.fromkeys(["hazard", "hazard_low", "hazard_high"], 0.0)
    start |= dict.fromkeys(["survival", "ci_low", "ci_high"], 1.0)
    return pd.concat([pd.DataFrame([start]), curve], ignore_index=True)[CURVE]


def _mixture(
    blocks: list[Block], predictor: FloatArray, weights: FloatArray, link: str
) -> tuple[FloatArray, FloatArray]:
    """Cumulative hazard -log S of a mixture at each age, and its slopes in the coefficients."""
    if link == "logit":
        step, slope = np.logaddexp(0.0, predictor), probability(predictor, "logit")
    else:
        step = slope = np.exp(np.minimum(predictor, LARGEST))
    share = weights[:, None] * np.exp(-np.cumsum(step, axis=1))
    alive = np.maximum(share.sum(axis=0), np.finfo(float).tiny)
    share = share / alive
    parts = []
    for block in blocks:
        for column in block.ages.T:
            gathered = share * np.cumsum(slope * column, axis=1)  # patterns × ages
            parts.append(gathered.T @ block.patterns)
    return -np.log(alive), np.column_stack(parts)


def _limits(
    value: FloatArray, slopes: FloatArray, covariance: FloatArray, z: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Cumulative hazards and their limits on the log scale."""
    variance = np.einsum("ij,jk,ik->i", slopes, covariance, slopes, optimize=True)
    relative = np.sqrt(np.maximum(variance, 0.0)) / np.where(value > 0, value, 1.0)
    spread = np.exp(np.minimum(z * relative, LARGEST))
    return value, value / spread, value * spread


def _observed(cells: Cells, trials: FloatArray, events: FloatArray) -> FloatArray:
    """Life-table survival of a group, with a 1 where it begins."""
    begin = int(np.argmax(cells.trials.sum(axis=0) > 0))
    n, k = trials[begin:], events[begin:]
    stays = np.divide(n - k, n, out=np.full_like(n, np.nan), where=n > 0)
    return np.concatenate([[1.0], np.cumprod(stays)])
