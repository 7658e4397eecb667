"""BG/NBD and MBG/NBD: buyers with a gamma rate who may leave after each purchase.

Fader, Hardie and Lee (2005) let customers leave after a repeat purchase only, so whoever bought
once is alive; Batislam, Denizel and Filiztekin (2007) let them leave after the first purchase too.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, expit, gammaln, xlog1py, xlogy

from csa.errors import InputError
from csa.methods.btyd.bg_expected import expected_of_buyer
from csa.methods.btyd.bg_fit import BG_NBD, EXTRA, MBG_NBD, fit_family
from csa.methods.btyd.bg_likelihood import BgLikelihood
from csa.methods.btyd.counts import BuyerCounts
from csa.methods.btyd.exposure import MERGED, at_risk
from csa.methods.btyd.maximum import STARTS
from csa.methods.btyd.merged import MergedLikelihood, can_be_exact
from csa.methods.btyd.merged_predict import exact_of_new, exact_residual
from csa.methods.btyd.model import Fit, times_ahead

FloatArray = NDArray[np.float64]

__all__ = [
    "BG_NBD",
    "MBG_NBD",
    "alive_at_risk",
    "expected_purchases",
    "fit_bg_nbd",
    "fit_mbg_nbd",
    "log_likelihood",
    "probability_alive",
    "purchase_probability",
    "residual_purchases",
]


def fit_bg_nbd(counts: BuyerCounts, *, starts: int = STARTS) -> Fit:
    """Fit BG/NBD.

    Parameters
    ----------
    counts : BuyerCounts
        Customers.
    starts : int
        Places to start from.

    Returns
    -------
    Fit
        Parameters r, alpha (units), a, b.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S., Lee, K. L. (2005). Marketing Science 24(2), 275-284.
    """
    return fit_family(counts, BG_NBD, starts)


def fit_mbg_nbd(counts: BuyerCounts, *, starts: int = STARTS) -> Fit:
    """Fit MBG/NBD.

    Parameters
    ----------
    counts : BuyerCounts
        Customers.
    starts : int
        Places to start from.

    Returns
    -------
    Fit
        Parameters r, alpha (units), a, b.

    References
    ----------
    .. [1] Batislam, E. P., Denizel, M., Filiztekin, A. (2007). International Journal of Research
       in Marketing 24(3), 201-209.
    """
    return fit_family(counts, MBG_NBD, starts)


def log_likelihood(fit: Fit, counts: BuyerCounts) -> float:
    """Give the log-likelihood of customers under a fit, for example of a holdout cohort.

    Parameters
    ----------
    fit : Fit
        BG/NBD or MBG/NBD.
    counts : BuyerCounts
        Customers, in any unit.

    Returns
    -------
    float
        In the unit of the fit.
    """
    r, alpha, a, b = _values(fit)
    known = _in_unit_of(fit, counts).compressed()
    return -BgLikelihood(known, EXTRA[fit.model])(np.log([r, alpha, a, b]))[0]


def expected_purchases(fit: Fit, time: ArrayLike) -> FloatArray:
    """Give E[X(t)]: repeat purchases of a new customer within a time of the first.

    Parameters
    ----------
    fit : Fit
        BG/NBD or MBG/NBD.
    time : array_like of float
        Time, in the unit of the fit.

    Returns
    -------
    ndarray of float
        Purchases; purchase days where the fit is to merged counts.
    """
    r, alpha, a, b = _values(fit)
    extra = EXTRA[fit.model]
    exact = exact_of_new(fit, times_ahead(time), extra)
    if exact is not None:
        return exact
    stays = b / (a + b) if extra else 1.0
    return stays * _of_buyer(fit, (r, alpha), (a, b + extra), times_ahead(time))


def probability_alive(fit: Fit, counts: BuyerCounts) -> FloatArray:
    """Give P(alive): the chance that a customer has not left by the end of observation.

    Parameters
    ----------
    fit : Fit
        BG/NBD or MBG/NBD.
    counts : BuyerCounts
        Customers, in any unit.

    Returns
    -------
    ndarray of float
        One share per row. 1 for whoever bought once under BG/NBD, by the model.
    """
    _values(fit)
    known = _in_unit_of(fit, counts)
    if can_be_exact(known, fit.log_parameters, beta=True):
        return MergedLikelihood(known, fit.log_parameters, EXTRA[fit.model]).still_there(
            fit.log_parameters
        )
    return alive_at_risk(fit, known)


def alive_at_risk(fit: Fit, counts: BuyerCounts) -> FloatArray:
    """Give P(alive) by time at risk: near, and quick enough to be asked for thousands of draws.

    Parameters
    ----------
    fit : Fit
        BG/NBD or MBG/NBD.
    counts : BuyerCounts
        Customers, in any unit.

    Returns
    -------
    ndarray of float
        As `probability_alive`, which differs only where frequent purchases were merged.
    """
    r, alpha, a, b = _values(fit)
    known = _in_unit_of(fit, counts)
    x, (age, last) = known.frequency, at_risk(known)
    odds_of_leave = np.log(a) - np.log(np.maximum(b + x + EXTRA[fit.model] - 1, 1e-300))
    waited = (r + x) * np.log1p((age - last) / (alpha + last))
    alive: FloatArray = expit(-(waited + odds_of_leave))
    return alive if EXTRA[fit.model] else np.where(x > 0, alive, 1.0)


def residual_purchases(fit: Fit, counts: BuyerCounts, time: ArrayLike) -> FloatArray:
    """Give the expected purchases of each customer in a time after the end of observation.

    Parameters
    ----------
    fit : Fit
        BG/NBD or MBG/NBD.
    counts : BuyerCounts
        Customers, in any unit.
    time : array_like of float
        Length of time, in the unit of the fit: one, or one per row.

    Returns
    -------
    ndarray of float
        One per row; purchase days where the fit is to merged counts.
    """
    r, alpha, a, b = _values(fit)
    known = _in_unit_of(fit, counts)
    exact = exact_residual(fit, known, times_ahead(time), EXTRA[fit.model])
    if exact is not None:
        return exact
    age, _ = at_risk(known)
    lengths = np.broadcast_to(times_ahead(time), age.shape)
    # who left does not buy, so the last purchase matters for P(alive) only
    same = np.column_stack([known.frequency, age, lengths])
    distinct, place = _distinct(same)
    x = distinct[:, 0]
    there = _of_buyer(
        fit,
        (r + x, alpha + distinct[:, 1]),
        (np.full(len(x), a), b + x + EXTRA[fit.model]),
        distinct[:, 2],
    )
    return probability_alive(fit, known) * there[place]


def purchase_probability(fit: Fit, purchases: ArrayLike, time: ArrayLike) -> FloatArray:
    """Give P(X(t) = x) of a new customer.

    Parameters
    ----------
    fit : Fit
        BG/NBD or MBG/NBD.
    purchases : array_like of int
        Repeat purchases x.
    time : array_like of float
        Time since the first purchase, in the unit of the fit.

    Returns
    -------
    ndarray of float
        Shares. Of purchases, not of purchase days, also where the fit is to merged counts.
    """
    r, alpha, a, b = _values(fit)
    extra = EXTRA[fit.model]
    x, t = np.broadcast_arrays(np.asarray(purchases, dtype=np.float64), times_ahead(time))
    if (x < 0).any() or (x != np.rint(x)).any():
        raise InputError("purchase probability: purchases must be whole numbers, 0 or more")
    share = t / (alpha + t)
    y = x + extra
    stayed = gammaln(a + b) - gammaln(b) + gammaln(b + y) - gammaln(a + b + y)
    exactly = gammaln(r + x) - gammaln(r) - gammaln(x + 1) + xlog1py(r, -share) + xlogy(x, share)
    at_least = np.where(x > 0, betainc(np.maximum(x, 1.0), r, share), 1.0)
    odds = np.where(y > 0, a / np.maximum(b + y - 1, 1e-300), 0.0)
    probability: FloatArray = np.exp(stayed) * (np.exp(exactly) + odds * at_least)
    return probability


def _of_buyer(
    fit: Fit,
    rate: tuple[ArrayLike, ArrayLike],
    leave: tuple[ArrayLike, ArrayLike],
    time: ArrayLike,
) -> FloatArray:
    """Expect purchases of who is there; purchase days, λ exp(-λg/2), where they are merged."""
    step = fit.merged_days / (fit.unit_days or 1.0)
    if not step:
        return expected_of_buyer(rate, leave, time)
    shape, scale = np.asarray(rate[0]), np.asarray(rate[1])
    wider = scale + MERGED * step
    of_days: FloatArray = np.exp(shape * (np.log(scale) - np.log(wider)))
    return of_days * expected_of_buyer((shape, wider), leave, time)


def _values(fit: Fit) -> tuple[float, ...]:
    if fit.model not in EXTRA:
        raise InputError(f"{fit.model} is neither {BG_NBD} nor {MBG_NBD}; use its own functions")
    return fit.values("r", "alpha", "a", "b")


def _in_unit_of(fit: Fit, counts: BuyerCounts) -> BuyerCounts:
    unit = fit.unit_days or counts.unit_days
    return counts if counts.unit_days == unit else counts.in_unit(unit)


def _distinct(rows: FloatArray) -> tuple[FloatArray, NDArray[np.intp]]:
    """Distinct rows, and the place of each row among them."""
    order = np.lexsort(rows.T)
    ordered = rows[order]
    first = np.ones(len(rows), dtype=bool)
    first[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    place = np.empty(len(rows), dtype=np.intp)
    place[order] = np.cumsum(first) - 1
    return ordered[first], place
