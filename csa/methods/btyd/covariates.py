"""Models of buyers whose rate and leaving hang on what is known of them from the first day.

Fader and Hardie (2007): customers with covariates z buy at a gamma rate whose scale is
alpha exp(-γ'z), so that their mean rate is exp(γ'z) times as high; under Pareto/NBD they leave at a
rate exp(γ'z) times as high, under BG/NBD the parameters of the beta distribution of the chance to
leave are a exp(γ'z) and b exp(δ'z). Customers of one pattern of covariates are one block of counts,
so that a block's likelihood, slopes and curvature are those of the model without covariates.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2

from csa.errors import InputError
from csa.methods.btyd.bg_fit import EXTRA, fit_family
from csa.methods.btyd.bg_fit import search_box as bg_box
from csa.methods.btyd.climb import climb
from csa.methods.btyd.counts import BuyerCounts
from csa.methods.btyd.covariates_likelihood import BASE, CovariateLikelihood, Design, way_to
from csa.methods.btyd.maximum import REACH, STARTS, Maximum, spread_starts
from csa.methods.btyd.model import Fit, finished
from csa.methods.btyd.pareto_nbd_fit import MODEL as PARETO_NBD
from csa.methods.btyd.pareto_nbd_fit import fit_pareto_nbd
from csa.methods.btyd.pareto_nbd_fit import search_box as pareto_box
from csa.methods.collinearity import check_collinear

FloatArray = NDArray[np.float64]

MOST_PATTERNS = 500  # each costs an evaluation of the likelihood


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CovariateFit:
    """A model of buyers with covariates.

    Attributes
    ----------
    base : Fit
        The model at covariates of 0, with the covariance of its own log-parameters.
    names : tuple of str
        Of `estimates`: logarithms of the four parameters, then "purchase: name", and
        "leave: name", or "leave a: name" and "leave b: name" under BG/NBD and MBG/NBD.
    estimates, errors : ndarray of float
        Values and standard errors; an error is 0 where the data do not bound the estimate.
    covariance : ndarray of float
        Of `estimates`.
    log_likelihood : float
        Of all customers.
    p_values : dict of str to float
        Of the hypotheses that no covariate changes "purchase", or "leave", by likelihood ratio.
    covariates : tuple of int
        How many of purchase, and of leaving.
    status, reason : str
        "ok", or "unclear" and why.
    """

    base: Fit
    names: tuple[str, ...]
    estimates: FloatArray
    errors: FloatArray
    covariance: FloatArray
    log_likelihood: float
    p_values: dict[str, float]
    covariates: tuple[int, int]
    status: Literal["ok", "unclear"]
    reason: str

    def at(self, purchase: ArrayLike = (), leave: ArrayLike = ()) -> Fit:
        """Give the model of customers of one pattern, for all predictions.

        Parameters
        ----------
        purchase, leave : array_like of float
            Their covariates.

        Returns
        -------
        Fit
            With the covariance of its log-parameters.
        """
        way = way_to(self.base.model, np.atleast_1d(purchase), np.atleast_1d(leave))
        logs, covariance = way @ self.estimates, way @ self.covariance @ way.T
        parameters = dict(zip(self.base.parameters, map(float, np.exp(logs)), strict=True))
        errors = np.exp(logs) * np.sqrt(np.diag(covariance))
        return replace(
            self.base,
            parameters=parameters,
            log_parameters=logs,
            covariance=covariance,
            standard_errors={
                name: float(error)
                for name, error in zip(parameters, errors, strict=True)
                if name in self.base.standard_errors
            },
        )


def fit_with_covariates(
    model: str,
    patterns: Sequence[BuyerCounts],
    *,
    purchase: Design,
    leave: Design,
    starts: int = STARTS,
) -> CovariateFit:
    """Fit a model of buyers with covariates that do not change over time.

    Parameters
    ----------
    model : str
        "BG/NBD", "MBG/NBD" or "Pareto/NBD".
    patterns : sequence of BuyerCounts
        Customers by pattern of covariates, all in one unit.
    purchase, leave : Design
        Covariates of the rate of purchases, and of leaving; without names for none.
    starts : int
        Places to start from.

    Returns
    -------
    CovariateFit
        "unclear" where the model without covariates is, or an effect has no bound.

    Raises
    ------
    InputError
        If the model is another, there are no repeat purchases, too many patterns, or a column is
        missing values, constant or a combination of others.

    Notes
    -----
    Covariates are centred and scaled for the search, which begins at the model without them and at
    places around it.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S. (2007). Incorporating time-invariant covariates into the
       Pareto/NBD and BG/NBD models. brucehardie.com/notes/019.
    """
    whole = _checked(model, patterns, purchase, leave)
    problem = CovariateLikelihood(model, patterns, purchase, leave)
    pareto = model == PARETO_NBD
    plain = fit_pareto_nbd(whole, starts=starts) if pareto else fit_family(whole, model, starts)
    if not plain.parameters:
        raise InputError(f"{model}: nothing to fit ({plain.reason})")
    box = _box(model, whole, problem.size)
    begin = np.clip(np.append(plain.log_parameters, np.zeros(problem.size - BASE)), *box.T)
    found = problem.maximum(spread_starts(begin, count=starts), box)
    p_values = {
        name: _p_value(problem, found, held, box)
        for name, held in problem.columns.items()
        if len(held)
    }
    return _result(problem, found, (plain, whole), p_values)


def _checked(
    model: str, patterns: Sequence[BuyerCounts], purchase: Design, leave: Design
) -> BuyerCounts:
    """Refuse what cannot be fitted; all customers together."""
    if model not in (*EXTRA, PARETO_NBD):
        raise InputError(f"{model}: only {', '.join([*EXTRA, PARETO_NBD])} take covariates")
    if not 0 < len(patterns) <= MOST_PATTERNS:
        raise InputError(
            f"covariates: {len(patterns)} patterns; from 1 to {MOST_PATTERNS} can be fitted, so "
            "put numbers into classes"
        )
    units = {(p.unit_days, p.grid_days, p.merged_days) for p in patterns}
    if len(units) > 1:
        raise InputError("covariates: patterns differ in unit, grid or merging; bring them to one")
    weight = np.array([part.n for part in patterns])
    for process, design in (("purchase", purchase), ("leave", leave)):
        _check_design(f"covariates of {process}", design, weight)
    return replace(
        patterns[0],
        frequency=np.concatenate([p.frequency for p in patterns]),
        recency=np.concatenate([p.recency for p in patterns]),
        age=np.concatenate([p.age for p in patterns]),
        weight=np.concatenate([p.weight for p in patterns]),
    )


def _check_design(what: str, design: Design, weight: FloatArray) -> None:
    if len(design.values) != len(weight):
        raise InputError(f"{what}: {len(design.values)} rows for {len(weight)} patterns")
    missing = [
        name
        for name, values in zip(design.names, design.values.T, strict=True)
        if not np.isfinite(values).all()
    ]
    if missing:
        raise InputError(*(f"{what}: {name} has missing values" for name in missing))
    columns = np.column_stack([np.ones(len(weight)), design.values])
    if design.names and weight.any():
        check_collinear((columns.T * weight) @ columns, ["the constant", *design.names])


def _box(model: str, whole: BuyerCounts, size: int) -> FloatArray:
    """Give the borders: those of the model without covariates, and wide ones for effects."""
    base = pareto_box(whole) if model == PARETO_NBD else bg_box(whole)[1]
    return np.vstack([base, np.tile([-REACH, REACH], (size - BASE, 1))])


def _p_value(
    problem: CovariateLikelihood, found: Maximum, held: NDArray[np.intp], box: FloatArray
) -> float:
    """Test effects by the likelihood ratio: the best with them at 0 against the best of all."""
    without, begin = box.copy(), found.log_parameters.copy()
    without[held], begin[held] = 0.0, 0.0
    done = climb(problem, begin, found.hessian, without)
    value = done.value if done.reached else problem.maximum(begin[None], without).value
    return float(chi2.sf(max(2 * (value - found.value), 0.0), len(held)))


def _result(
    problem: CovariateLikelihood,
    found: Maximum,
    of: tuple[Fit, BuyerCounts],
    p_values: dict[str, float],
) -> CovariateFit:
    """Tell the effects of covariates as they were given."""
    plain, whole = of
    back = problem.back()
    purchase, leave = (design.names for design in problem.designs)
    sides = ("leave",) if problem.model == PARETO_NBD else ("leave a", "leave b")
    effects = [f"purchase: {name}" for name in purchase]
    effects += [f"{side}: {name}" for side in sides for name in leave]
    values, covariance = back @ found.log_parameters, back @ found.covariance @ back.T
    open_ended = [n for n, out in zip(effects, found.on_border[BASE:], strict=True) if out]
    base = finished(
        problem.model,
        tuple(plain.parameters),
        replace(
            found,
            log_parameters=values[:BASE],
            hessian=found.hessian[:BASE, :BASE],
            on_border=found.on_border[:BASE],
        ),
        log_likelihood=-found.value,
        size=(whole.n, whole.events),
        more={"unit_days": whole.unit_days, "merged_days": whole.merged_days},
    )
    errors = np.sqrt(np.diag(covariance))
    known = {
        name: float(np.exp(value) * error)
        for name, value, error in zip(base.parameters, values, errors, strict=False)
        if name in base.standard_errors
    }
    base = replace(base, covariance=covariance[:BASE, :BASE], standard_errors=known)
    reasons = [base.reason or plain.reason] if "unclear" in (base.status, plain.status) else []
    reasons += [f"{name} has no bound in these data" for name in open_ended]
    return CovariateFit(
        base=base,
        names=(*(f"log {name}" for name in plain.parameters), *effects),
        estimates=values,
        errors=errors,
        covariance=covariance,
        log_likelihood=-found.value,
        p_values=p_values,
        covariates=(len(purchase), len(leave)),
        status="unclear" if reasons else "ok",
        reason="; ".join(reasons),
    )
