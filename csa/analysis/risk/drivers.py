"""Why a risk is high or low: exact contributions of features, and how each one acts."""

from collections.abc import Collection
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.risk.model import RiskModel
from csa.analysis.risk.scores import RiskScores
from csa.analysis.risk.terms import OTHER, TENURE, Coded, Term, term_columns
from csa.errors import InputError
from csa.methods.intervals import normal_quantile

FloatArray = NDArray[np.float64]
RAISES, LOWERS = "raises", "lowers"


def drivers(
    scores: RiskScores,
    *,
    top: int = 3,
    direction: Literal["both", "raises", "lowers"] = "both",
    account_ids: Collection[str] | None = None,
) -> pd.DataFrame:
    """List the features that move the risk of each account most, against the average account.

    Parameters
    ----------
    scores : RiskScores
        From `score`.
    top : int
        Features per account, at most.
    direction : {"both", "raises", "lowers"}
        Only features that raise or lower the risk, or both by size.
    account_ids : collection of str, optional
        Accounts to explain, such as those a page shows; default: all.

    Returns
    -------
    DataFrame
        `account_id`, `cutoff_on`, `rank` (from 1), `feature`, `value` (number, text, or None if
        not known), `typical` (mean or most frequent value), `contribution` (log-odds of churn
        per interval), `direction` ("raises" or "lowers"), in the order of the scores. A feature
        that moves nothing is not listed.

    Notes
    -----
    Contributions are terms of a sum, not guesses: over all features they add up to the
    account's `linear_predictor` less that of the average account. They say what the model sees,
    not what would happen if the feature were changed.
    """
    rows = np.arange(len(scores.table))
    if account_ids is not None:
        rows = np.flatnonzero(scores.table["account_id"].isin(list(account_ids)).to_numpy())
    parts = np.nan_to_num(scores.contributions[rows])
    sign = {"both": np.abs(parts), RAISES: parts, LOWERS: -parts}[direction]
    order = np.argsort(-sign, axis=1, kind="stable")[:, :top]
    place = np.repeat(np.arange(len(rows)), order.shape[1])
    which = order.ravel()
    large = sign[place, which] > 0
    place, which = place[large], which[large]
    rank = (np.tile(np.arange(order.shape[1]), len(rows)) + 1)[large]
    moved = parts[place, which]
    value = np.empty(len(place), dtype=object)
    for i, name in enumerate(scores.features):
        here = which == i
        value[here] = _plain(scores.given[name].iloc[rows[place[here]]])
    keys = scores.table.iloc[rows[place]][["account_id", "cutoff_on"]].reset_index(drop=True)
    return keys.assign(
        rank=rank,
        feature=np.array(scores.features, dtype=object)[which],
        value=value,
        typical=np.array([scores.typical[f] for f in scores.features], dtype=object)[which],
        contribution=moved,
        direction=np.where(moved > 0, RAISES, LOWERS),
    )


def _plain(values: pd.Series) -> NDArray[np.object_]:
    """Values as they are, missing ones as None."""
    found = values.to_numpy(dtype=object, copy=True)
    found[values.isna().to_numpy()] = None
    return found


def effect_curve(
    model: RiskModel, feature: str, *, points: int = 41, confidence: float = 0.95
) -> pd.DataFrame:
    """Show how one feature acts on the risk, all else equal, against the average account.

    Parameters
    ----------
    model : RiskModel
        From `fit_risk`.
    feature : str
        One of the features in use, or `age_days`.
    points : int
        Values at which a number's curve is read, evenly from its first knot to its last: nine
        tenths of what was seen.
    confidence : float
        Level of the intervals, share in (0, 1).

    Returns
    -------
    DataFrame
        `value` (number or level; None: not known), `log_odds` (of churn per interval), `ci_low`,
        `ci_high`, on the same scale.

    Raises
    ------
    InputError
        If the model does not use the feature.
    """
    at = len(model.grid.starts)
    for term in model.terms:
        block = slice(at, at + len(term.names))
        if term.feature == feature:
            break
        at += len(term.names)
    else:
        used = ", ".join(term.feature for term in model.terms) or "none"
        raise InputError(f"{feature}: not in the model, which uses {used}")
    shown, columns = _read_at(model, term, points)
    effect = columns @ model.coefficients[block]
    spread = np.einsum("ij,ij->i", columns @ model.covariance[block, block], columns)
    half = normal_quantile(confidence) * np.sqrt(np.maximum(spread, 0.0))
    return pd.DataFrame(
        {"value": shown, "log_odds": effect, "ci_low": effect - half, "ci_high": effect + half}
    )


def _read_at(model: RiskModel, term: Term, points: int) -> tuple[NDArray[np.object_], FloatArray]:
    """Values at which an effect is read, and their columns."""
    if term.kind == "category":
        alone = [level for level, i in term.place.items() if not _merged(term, i)]
        merged = [level for level, i in term.place.items() if _merged(term, i)]
        levels = tuple(alone + merged[:1])
        columns = term_columns(term, Coded(np.arange(len(levels)), levels))
        return np.array([*alone, *([OTHER] if merged else [])], dtype=object), columns
    values = np.empty(0)
    if len(term.knots):
        values = np.linspace(term.knots[0], term.knots[-1], points)
    shift = model.grid.starts if term.feature == TENURE else np.zeros(1)
    columns = np.mean([term_columns(term, values + step) for step in shift], axis=0)
    shown = values.astype(object)
    if term.tells_missing:
        columns = np.vstack([columns, term_columns(term, np.array([np.nan]))])
        shown = np.array([*values, None], dtype=object)
    return shown, columns


def _merged(term: Term, place: int) -> bool:
    """Whether a column stands for levels merged because each is rare."""
    return place >= 0 and term.names[place] == f"{term.feature} {OTHER}"
