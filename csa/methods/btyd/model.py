"""What all models of buyers share: the fit as a result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csa.errors import InputError
from csa.methods.btyd.counts import BuyerCounts
from csa.methods.btyd.maximum import Maximum

FloatArray = NDArray[np.float64]

FEW: Final = 8  # repeat buyers: two for each parameter


class Diagnosis(StrEnum):
    """What a fit can suffer from, in words."""

    NO_CUSTOMERS = "no customers"
    NO_REPEATS = "no repeat purchases"
    ALL_SAME_AGE_ZERO = "nobody was observed for any time"
    NOBODY_LEAVES = "nobody leaves: the NBD boundary"
    ALL_LEAVE_AT_ONCE = "everybody leaves at once"
    ONE_RATE = "everybody buys at the same rate"
    ONE_DROPOUT = "everybody leaves at the same rate"
    AT_ONCE_OR_NEVER = "customers leave at once or never"
    NO_MEAN_SPEND = "q is at most 1: the mean spend does not exist"
    CONSTANT_SPEND = "constant spend"
    TOO_FEW = "too few customers"
    STARTS_DISAGREE = "the starts reached different maxima"
    NOT_CONVERGED = "the maximum was not reached"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fit:
    """A fitted model. Nothing in it is ever NaN; what is unknown is absent.

    Attributes
    ----------
    model : str
        "BG/NBD", "MBG/NBD", "Pareto/NBD", "BG/BB", "MBG/CNBD-k" or "Gamma-Gamma".
    parameters : dict of str to float
        By their standard names; empty when there is nothing to fit.
    log_parameters : ndarray of float
        Their logarithms, in the same order.
    covariance : ndarray of float
        Of the log-parameters; 0 for one that lies on the border of the box.
    standard_errors : dict of str to float
        Of the parameters (delta method); those on the border are absent. For intervals take
        `csa.methods.btyd.profile.parameter_intervals`: these errors promise too much of r and b.
    log_likelihood : float
        Of the data as published: summed over customers, in the unit of the data.
    n, events : float
        Customers and repeat purchases (or other units and events of the model).
    converged : bool
        The gradient is zero inside the box, or points out of it on the border.
    starts : tuple of int
        Starts, and how many of them reached the maximum.
    status : str
        "ok" or "unclear".
    reason : str
        Why it is unclear, empty when it is not.
    diagnosis : tuple of str
        Words of `Diagnosis`.
    unit_days : float or None
        Length of the unit of time, days; None for models without time.
    merged_days : float
        The step within which purchases had been merged, days; 0 for none.
    """

    model: str
    parameters: dict[str, float]
    log_parameters: FloatArray
    covariance: FloatArray
    standard_errors: dict[str, float]
    log_likelihood: float
    n: float
    events: float
    converged: bool
    starts: tuple[int, int]
    status: Literal["ok", "unclear"] = "ok"
    reason: str = ""
    diagnosis: tuple[str, ...] = ()
    unit_days: float | None = None
    merged_days: float = 0.0

    @property
    def aic(self) -> float:
        """Akaike's criterion; smaller is better."""
        return 2 * len(self.parameters) - 2 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz's criterion over customers; smaller is better."""
        return len(self.parameters) * float(np.log(max(self.n, 1.0))) - 2 * self.log_likelihood

    def values(self, *names: str) -> tuple[float, ...]:
        """Parameters in the order asked for.

        Parameters
        ----------
        *names : str
            Their names.

        Returns
        -------
        tuple of float
            The values.

        Raises
        ------
        InputError
            If the model could not be fitted.
        """
        if not self.parameters:
            raise InputError(f"{self.model}: nothing was fitted ({self.reason}); predict nothing")
        return tuple(self.parameters[name] for name in names)


def finished(
    model: str,
    names: Sequence[str],
    maximum: Maximum,
    *,
    log_likelihood: float,
    size: tuple[float, float],
    more: Mapping[str, object] | None = None,
) -> Fit:
    """Make a fit of its maximum: parameters, standard errors, convergence.

    Parameters
    ----------
    model : str
        Name of the model.
    names : sequence of str
        Names of the parameters.
    maximum : Maximum
        In the unit of the data.
    log_likelihood : float
        Of the data as published.
    size : tuple of float
        Customers and repeat purchases.
    more : mapping, optional
        Further fields of `Fit`, such as `diagnosis`.

    Returns
    -------
    Fit
        "unclear" when it did not converge or the starts disagree, unless `more` says otherwise.
    """
    values = np.exp(maximum.log_parameters)
    errors = values * np.sqrt(np.diag(maximum.covariance))
    known = ~maximum.on_border
    held: dict[str, object] = {"status": "ok", "reason": "", "diagnosis": (), **(more or {})}
    troubles = []
    if not maximum.converged:
        troubles.append(Diagnosis.NOT_CONVERGED)
    if maximum.starts[1] * 2 < maximum.starts[0]:
        troubles.append(Diagnosis.STARTS_DISAGREE)
    if troubles and held["status"] == "ok":
        held["status"], held["reason"] = "unclear", "; ".join(troubles)
    held["diagnosis"] = (*held["diagnosis"], *map(str, troubles))  # type: ignore[misc]
    return Fit(
        model=model,
        parameters=dict(zip(names, map(float, values), strict=True)),
        log_parameters=maximum.log_parameters,
        covariance=maximum.covariance,
        standard_errors={n: float(e) for n, e, k in zip(names, errors, known, strict=True) if k},
        log_likelihood=float(log_likelihood),
        n=size[0],
        events=size[1],
        converged=maximum.converged,
        starts=maximum.starts,
        **held,  # type: ignore[arg-type]
    )


def unfitted(
    model: str, reason: str, *, size: tuple[float, float], diagnosis: Sequence[str] = ()
) -> Fit:
    """Make the result where there is nothing to fit.

    Parameters
    ----------
    model : str
        Name of the model.
    reason : str
        Why, for the reader.
    size : tuple of float
        Customers and repeat purchases.
    diagnosis : sequence of str
        Words of `Diagnosis`.

    Returns
    -------
    Fit
        "unclear", without parameters.
    """
    return Fit(
        model=model,
        parameters={},
        log_parameters=np.zeros(0),
        covariance=np.zeros((0, 0)),
        standard_errors={},
        log_likelihood=0.0,
        n=size[0],
        events=size[1],
        converged=False,
        starts=(0, 0),
        status="unclear",
        reason=reason,
        diagnosis=tuple(map(str, diagnosis)),
    )


def not_to_be_fitted(model: str, counts: BuyerCounts) -> Fit | None:
    """Make the result where no likelihood of purchases has a maximum.

    Parameters
    ----------
    model : str
        Name of the model.
    counts : BuyerCounts
        Customers.

    Returns
    -------
    Fit or None
        None where there is something to fit.
    """
    if not counts.n:
        nothing = Diagnosis.NO_CUSTOMERS
    elif not counts.age.any():
        nothing = Diagnosis.ALL_SAME_AGE_ZERO
    elif not counts.events:
        nothing = Diagnosis.NO_REPEATS
    else:
        return None
    return unfitted(model, nothing, size=(counts.n, counts.events), diagnosis=[nothing])


def fitted_to(
    counts: BuyerCounts,
    model: str,
    names: Sequence[str],
    maximum: Maximum,
    *,
    said: Sequence[str] = (),
    constant: float = 0.0,
) -> Fit:
    """Make a fit of purchases of its maximum.

    Parameters
    ----------
    counts : BuyerCounts
        Customers.
    model : str
        Name of the model.
    names : sequence of str
        Names of the parameters.
    maximum : Maximum
        In the unit of the counts.
    said : sequence of str
        Words of `Diagnosis`.
    constant : float
        Part of the log-likelihood that the maximum leaves out.

    Returns
    -------
    Fit
        "unclear" with very few repeat buyers, and as `finished` says.
    """
    more: dict[str, object] = {
        "diagnosis": tuple(map(str, said)),
        "unit_days": counts.unit_days,
        "merged_days": counts.merged_days,
    }
    buyers = float(counts.weight[counts.frequency > 0].sum())
    if buyers < FEW:
        more |= {
            "diagnosis": (*map(str, said), str(Diagnosis.TOO_FEW)),
            "status": "unclear",
            "reason": f"only {buyers:g} customers bought again; {FEW} are needed",
        }
    value, size = constant - maximum.value, (counts.n, counts.events)
    return finished(model, names, maximum, log_likelihood=value, size=size, more=more)


def times_ahead(time: ArrayLike) -> FloatArray:
    """Take lengths of time to predict for.

    Parameters
    ----------
    time : array_like of float
        Units.

    Returns
    -------
    ndarray of float
        The same.

    Raises
    ------
    InputError
        If one is negative, missing or infinite.
    """
    times = np.asarray(time, dtype=np.float64)
    if not np.isfinite(times).all() or (times < 0).any():
        raise InputError("prediction: times must be finite and not negative")
    return times
