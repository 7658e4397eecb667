"""Hazards of accounts from a fitted model: features fetched, columns made, a part at a time."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.risk.model import RiskModel
from csa.analysis.risk.terms import TENURE, Coded, coded, term_columns, unseen
from csa.errors import InputError
from csa.methods.links import linear, probability

FloatArray = NDArray[np.float64]
Values = Mapping[str, FloatArray | Coded]

CHUNK = 5_000  # accounts at once
KEYS = ("account_id", "cutoff_on", TENURE)
MRR = "mrr_minor"  # kept beside the risk where it is known
TINY = 1e-300


class Part(NamedTuple):
    """Some accounts: hazards by interval, risk of the horizon, what each feature adds."""

    hazards: FloatArray  # rows × intervals
    risk: FloatArray
    contributions: FloatArray  # rows × terms, log-odds per interval
    moving: list[FloatArray]  # columns of tenure, by interval
    fixed: FloatArray  # columns of the other features

    def slope(self) -> FloatArray:
        """Slope of -log(1 - risk) in the coefficients: Σ h_k x_k.

        Returns
        -------
        ndarray of float
            Rows × coefficients.
        """
        total = self.hazards.sum(axis=1)[:, None]
        tenure = np.zeros_like(self.moving[0])
        for hazard, columns in zip(self.hazards.T, self.moving, strict=True):
            tenure += hazard[:, None] * columns
        return np.hstack([total, self.hazards[:, 1:], tenure, total * self.fixed])


def predict(model: RiskModel, values: Values) -> Part:
    """Hazards, risk and contributions of some accounts.

    Parameters
    ----------
    model : RiskModel
        From `fit_risk`.
    values : mapping
        Tenure and the features of the model by name.

    Returns
    -------
    Part
        NaN throughout where the model is.
    """
    starts, age = model.grid.starts, np.asarray(values[TENURE])
    place, at = {}, len(starts)
    for term in model.terms:
        place[term.feature] = slice(at, at + len(term.names))
        at += len(term.names)
    tenure = [term for term in model.terms if term.feature == TENURE]
    rest = [term for term in model.terms if term.feature != TENURE]
    blocks = [term_columns(term, values[term.feature]) for term in rest]
    added = [b @ model.coefficients[place[t.feature]] for b, t in zip(blocks, rest, strict=True)]
    moving = [
        term_columns(tenure[0], age + start) if tenure else np.empty((len(age), 0))
        for start in starts
    ]
    steps = model.coefficients[: len(starts)].copy()
    steps[1:] += steps[0]
    odds = np.tile(steps, (len(age), 1))
    if tenure:
        moved = [columns @ model.coefficients[place[TENURE]] for columns in moving]
        odds += np.column_stack(moved)
        added.insert(0, np.mean(moved, axis=0))
    odds += sum(added[len(tenure) :], np.zeros(len(age)))[:, None]
    with np.errstate(invalid="ignore"):  # a model of nothing is NaN
        stays = -np.logaddexp(0.0, odds).sum(axis=1)  # logarithm
    return Part(
        hazards=probability(odds, "logit"),
        risk=-np.expm1(stays),
        contributions=np.column_stack(added) if added else np.empty((len(age), 0)),
        moving=moving,
        fixed=np.hstack([np.empty((len(age), 0)), *blocks]),
    )


def predict_parts(model: RiskModel, values: Values, n: int) -> Iterator[tuple[slice, Part]]:
    """Predict a part of the accounts at a time, so that memory hardly grows with their number.

    Parameters
    ----------
    model : RiskModel
        From `fit_risk`.
    values : mapping
        Tenure and the features of the model by name.
    n : int
        Number of accounts.

    Yields
    ------
    slice, Part
        Which accounts, and their figures.
    """
    for first in range(0, n, CHUNK):
        rows = slice(first, min(first + CHUNK, n))
        some = {k: v.part(rows) if isinstance(v, Coded) else v[rows] for k, v in values.items()}
        yield rows, predict(model, some)


def logit_error(part: Part, covariance: FloatArray) -> FloatArray:
    """Find the standard error of the logit of each risk.

    Parameters
    ----------
    part : Part
        From `predict`.
    covariance : ndarray of float
        Of the coefficients.

    Returns
    -------
    ndarray of float
        By the delta method: the slope of the logit of the risk is Σ h_k x_k / risk.
    """
    slope = part.slope()
    variance = np.einsum("ij,ij->i", slope @ covariance, slope)
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)) / np.maximum(part.risk, TINY))


def logit_limits(risk: FloatArray, half: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Limits of shares that are so far apart on the logit.

    Parameters
    ----------
    risk : ndarray of float
        Shares.
    half : ndarray of float
        Half of the width, on the logit.

    Returns
    -------
    low, high : ndarray of float
        Limits within [0, 1].
    """
    middle = linear(np.clip(risk, TINY, 1 - np.finfo(float).eps), "logit")
    return probability(middle - half, "logit"), probability(middle + half, "logit")


def fetch_accounts(
    model: RiskModel, snapshots: ir.Table | pd.DataFrame, *also: str
) -> pd.DataFrame:
    """Fetch what the model needs of the accounts, and no more.

    Parameters
    ----------
    model : RiskModel
        From `fit_risk`.
    snapshots : ir.Table or DataFrame, one row per account
        Keys, tenure, features.
    *also : str
        Further columns.

    Returns
    -------
    DataFrame
        In the order of the rows, numbered from 0.

    Raises
    ------
    InputError
        With all columns that are missing, and rows without a key or tenure.
    """
    names = [*KEYS, *(t.feature for t in model.terms if t.feature != TENURE), *also]
    held = list(snapshots.columns)
    gone = [name for name in names if name not in held]
    if gone:
        raise InputError(*(f"snapshots: column {name} is missing" for name in gone))
    wanted = list(dict.fromkeys([*names, *([MRR] if MRR in held else [])]))
    if isinstance(snapshots, pd.DataFrame):
        frame = snapshots[wanted].reset_index(drop=True)
    else:
        frame = snapshots.select(*wanted).to_pandas()
    faults = [
        f"snapshots: {name} is missing in {int(n)} rows; drop them"
        for name in KEYS
        if (n := frame[name].isna().sum())
    ]
    if n := int((frame[TENURE] < 0).sum()):
        faults.append(f"snapshots: {TENURE} is negative in {n} rows; drop them")
    if faults:
        raise InputError(*faults)
    return frame


def model_values(model: RiskModel, frame: pd.DataFrame) -> Values:
    """Tenure and features of a frame as the model reads them.

    Parameters
    ----------
    model : RiskModel
        From `fit_risk`.
    frame : DataFrame
        From `fetch_accounts`.

    Returns
    -------
    mapping
        Numbers with NaN, levels coded.

    Raises
    ------
    InputError
        If a feature that was a number no longer is one.
    """
    found: dict[str, FloatArray | Coded] = {}
    faults = []
    kinds = {TENURE: "number"} | {term.feature: term.kind for term in model.terms}
    for name, kind in kinds.items():
        if kind == "category":
            found[name] = coded(frame[name])
            continue
        try:
            found[name] = frame[name].to_numpy(dtype=float, na_value=np.nan)
        except (TypeError, ValueError):
            faults.append(f"snapshots: {name} was a number when the model was made and is text now")
    if faults:
        raise InputError(*faults)
    return found


def news(model: RiskModel, values: Values) -> tuple[str, ...]:
    """Say what the model has never seen.

    Parameters
    ----------
    model : RiskModel
        From `fit_risk`.
    values : mapping
        From `model_values`.

    Returns
    -------
    tuple of str
        One note per feature with such values.
    """
    notes = []
    for term in model.terms:
        new = unseen(term, values[term.feature])
        if new:
            what = ", ".join(sorted(new)[:3]) + (", ..." if len(new) > 3 else "")
            notes.append(
                f"{term.feature}: {what} in {sum(new.values())} accounts has no effect of its own "
                "in the model; they count as the average there"
            )
    return tuple(notes)
