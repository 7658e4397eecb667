"""Top of the likelihood of accelerated failure times, found by lifelines."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from csa.methods.aft.likelihood import Distribution, score
from csa.methods.aft.times import Lifetimes

FloatArray = NDArray[np.float64]

# lifelines' own tolerance stops at the fifth digit of a coefficient
TOLERANCES = (1e-14, 1e-11, 1e-8)
LAST_STEPS = 30
NEAR = 0.05  # longest last step, on the scale of log time
REST = 1e-14  # squared length of a step in standard errors at which the top is reached


def find_top(
    times: Lifetimes, distribution: Distribution, columns: FloatArray, unit: float
) -> tuple[FloatArray, FloatArray, float] | None:
    """Estimates with time in units, or None where no top is found.

    Parameters
    ----------
    times : Lifetimes
        Rows of counts.
    distribution : {"weibull", "lognormal", "loglogistic"}
        Distribution of the times.
    columns : ndarray of float
        Rows × columns that move log time, without a constant.
    unit : float
        Time that counts as 1; lifelines likes times near it.

    Returns
    -------
    tuple of ndarray, ndarray and float, or None
        Location, coefficients and log scale; their covariance; log-likelihood.
    """
    import pandas as pd  # noqa: PLC0415  lifelines takes frames, nobody else here does

    names = [f"x{i}" for i in range(columns.shape[1])]
    frame = pd.DataFrame(columns, columns=names).assign(
        lower=times.after / unit,
        upper=np.where(times.event, times.time, np.inf) / unit,
        entry=times.entry / unit,
        count=times.copies,
    )
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        start = _start(times, unit, columns.shape[1])
        for tolerance, first in ((t, first) for t in TOLERANCES for first in (start, None)):
            model = _try(frame, distribution, tolerance, first)
            found = None if model is None else _read(model, names)
            if found is not None:
                small = times._replace(
                    time=times.time / unit, after=times.after / unit, entry=times.entry / unit
                )
                found = _to_the_top(small, distribution, columns, found)
            if found is not None:
                return found
    return None


def _to_the_top(
    times: Lifetimes,
    distribution: Distribution,
    columns: FloatArray,
    found: tuple[FloatArray, FloatArray, float],
) -> tuple[FloatArray, FloatArray, float] | None:
    """Go the last steps, which lifelines leaves; None where it was not near the top at all."""
    theta, covariance, value = found
    design = np.column_stack([np.ones(len(columns)), columns])
    for _ in range(LAST_STEPS):
        slope = score(times, distribution, design, theta)
        step = covariance @ slope
        gain = float(slope @ step)
        if not np.abs(step).max() < NEAR:
            return None
        theta, value = theta + step, value + gain / 2
        if abs(gain) < REST:
            return theta, covariance, value
    return None


def _start(times: Lifetimes, unit: float, columns: int) -> FloatArray:
    """Coefficients, location and shape near a constant hazard; lifelines' own may be far off."""
    lived = float(times.copies @ (times.time - times.entry)) / unit
    gone = float(times.copies[times.event].sum())
    return np.append(np.zeros(columns), [np.log(lived / gone), 0.0])


def _try(
    frame: Any, distribution: Distribution, tolerance: float, start: FloatArray | None
) -> Any | None:
    """Fit with one tolerance from one start; None where lifelines gives up."""
    # lifelines takes seconds to import; it sets numpy's errors for all, so it is held in errstate
    import lifelines  # noqa: PLC0415
    from lifelines.exceptions import ConvergenceError  # noqa: PLC0415

    fitters = {
        "weibull": lifelines.WeibullAFTFitter,
        "lognormal": lifelines.LogNormalAFTFitter,
        "loglogistic": lifelines.LogLogisticAFTFitter,
    }
    given = {"entry_col": "entry", "weights_col": "count"}
    options = {"ftol": tolerance, "maxiter": 2000}
    try:
        return fitters[distribution]().fit_interval_censoring(
            frame, "lower", "upper", fit_options=options, initial_point=start, **given
        )
    except (ConvergenceError, np.linalg.LinAlgError):
        return None


def _read(model: Any, names: list[str]) -> tuple[FloatArray, FloatArray, float] | None:
    """Parameters of lifelines as location and log scale; its shapes are one over the scale."""
    place, spread = {
        "WeibullAFTFitter": ("lambda_", "rho_"),
        "LogNormalAFTFitter": ("mu_", "sigma_"),
        "LogLogisticAFTFitter": ("alpha_", "beta_"),
    }[type(model).__name__]
    order = [(place, "Intercept"), *((place, name) for name in names), (spread, "Intercept")]
    sign = np.ones(len(order))
    sign[-1] = 1.0 if spread == "sigma_" else -1.0
    theta = model.params_.loc[order].to_numpy(dtype=float) * sign
    covariance = model.variance_matrix_.loc[order, order].to_numpy(dtype=float)
    covariance = covariance * np.outer(sign, sign)
    if not (np.isfinite(theta).all() and np.isfinite(covariance).all()):
        return None
    if (np.diag(covariance) <= 0).any():
        return None
    return theta, covariance, float(model.log_likelihood_)
