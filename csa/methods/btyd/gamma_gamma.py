"""Gamma-Gamma model of spend: what a purchase of a customer is worth, seen from few of them.

Purchases of a customer vary around the customer's own mean, and these means vary between customers;
a customer with few purchases is drawn towards all (Colombo and Jiang 1999; Fader and Hardie 2013).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaincinv
from scipy.stats import norm

from csa.errors import InputError
from csa.methods.btyd.maximum import REACH, STARTS, Maximum, maximise, spread_starts
from csa.methods.btyd.model import Diagnosis, Fit, finished, unfitted
from csa.methods.btyd.spend_rows import SpendRows, log_likelihood, spend_rows

FloatArray = NDArray[np.float64]

MODEL: Final = "Gamma-Gamma"
NAMES: Final = ("p", "q", "gamma")
CONSTANT: Final = 1e-6  # logarithms of means that differ less are equal
FEWEST: Final = 3  # customers with repeat purchases, one per parameter
UNSURE: Final = 0.51  # standard error of a logarithm: twice that of 1 / p reaches down to 0
MANY_REFUSED: Final = 0.1  # share of customers left out from which the rest speaks for few


class SpendDiagnosis(StrEnum):
    """What spend can suffer from beyond the words of `Diagnosis`; counts follow after a colon."""

    WITHOUT_REPEAT = "customers without a repeat purchase, expected to spend like all"
    NOT_POSITIVE = "customers with a mean of zero or less, left out"
    MANY_NOT_POSITIVE = "too many means of zero or less"
    NEARLY_NO_MEAN = "q is not surely above 1: the mean spend may not exist"
    SAME_EVERY_TIME = "a customer's spend does not surely vary from time to time"
    ALL_ALIKE = "customers do not surely differ in their mean spend"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExpectedSpend:
    """Expected spend per purchase, with an interval.

    `status` says whether the figures can be trusted; an infinite one means that the model has no
    mean there.
    """

    expected: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    confidence: float
    status: Literal["ok", "unclear"]
    reason: str


def fit_gamma_gamma(
    frequency: ArrayLike,
    mean: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    starts: int = STARTS,
) -> Fit:
    """Fit the model to the mean spend of customers with repeat purchases.

    Parameters
    ----------
    frequency : array of int
        Repeat purchases x of each customer. Rows with 0 are counted and left out.
    mean : array of float
        Mean spend per repeat purchase. Means of zero or less are left out and said.
    weight : array of float, optional
        Customers that a row stands for; 1 each by default.
    starts : int
        Places to start from.

    Returns
    -------
    Fit
        `p` (shape of a customer's purchases), `q` (shape of the means), `gamma` (their scale, in
        the unit of the spend). With equal means, or fewer than three customers, parameters stand at
        the limit in which everybody spends their mean; the status is then "unclear". Empty without
        any repeat purchase.

    Raises
    ------
    InputError
        With all faults at once; see `csa.methods.btyd.spend_rows.spend_rows`.

    Notes
    -----
    f(m | p, q, gamma; x) = gamma^q m^(px-1) x^(px) / ((gamma + m x)^(px+q) B(px, q)). The log-
    likelihood is that sum of ln f over customers, in the unit of the data, as printed.

    References
    ----------
    .. [1] Fader, P. S. and Hardie, B. G. S. (2013). The Gamma-Gamma model of monetary value.
       brucehardie.com/notes/025.
    """
    rows = spend_rows(frequency, mean, weight)
    said = _left_out(rows)
    size = (rows.n, rows.events)
    if not rows.n:
        reason = "no repeat purchase with a spend above zero"
        return unfitted(MODEL, reason, size=size, diagnosis=(Diagnosis.NO_REPEATS, *said))
    if rows.spread_log <= CONSTANT or rows.n < FEWEST:
        return _limit(rows, said)
    centre = np.array([np.log(3), np.log(3), rows.mean_log + np.log(2 / 3)])

    def objective(theta: FloatArray) -> tuple[float, FloatArray]:
        value, slope = log_likelihood(rows, theta)
        return -value, -slope

    box = [(c - REACH, c + REACH) for c in centre]
    maximum = maximise(objective, spread_starts(centre, count=starts), box)
    more = _diagnosed(maximum, rows, said)
    return finished(MODEL, NAMES, maximum, log_likelihood=-maximum.value, size=size, more=more)


def expected_spend(
    fit: Fit, frequency: ArrayLike, mean: ArrayLike, *, confidence: float = 0.95
) -> ExpectedSpend:
    """Expect a mean spend E(M | x, mean) of customers with a history.

    Parameters
    ----------
    fit : Fit
        From `fit_gamma_gamma`.
    frequency : array of int
        Repeat purchases; 0 for a customer of whom nothing is known but the population.
    mean : array of float
        Mean spend per repeat purchase; not looked at where frequency is 0.
    confidence : float
        Level of the interval, which covers the uncertainty of the parameters (delta method on the
        logarithm). For where a customer's own mean lies see `spend_range`.

    Returns
    -------
    ExpectedSpend
        p (gamma + x mean) / (px + q - 1) per customer, infinite where px + q is at most 1;
        "unclear" where one is infinite or the fit was unclear.

    Raises
    ------
    InputError
        If nothing was fitted, or frequencies or means are no such thing.
    """
    p, q, gamma = fit.values(*NAMES)
    x, total = _history(frequency, mean)
    shape = p * x + q - 1
    exists = shape > 0
    safe = np.where(exists, shape, 1.0)
    expected = np.where(exists, p * (gamma + total) / safe, np.inf)
    slopes = (1 - p * x / safe, -q / safe, gamma / (gamma + total))
    variance = np.zeros_like(x)
    for i, first in enumerate(slopes):
        for j, second in enumerate(slopes):
            variance += fit.covariance[i, j] * first * second
    half = norm.ppf((1 + confidence) / 2) * np.sqrt(np.maximum(variance, 0.0))
    with np.errstate(over="ignore"):
        low, high = expected * np.exp(-half), expected * np.exp(half)
    surely = p * x + q * np.exp(-_half_of_q(fit, confidence)) > 1
    missing = int((~exists).sum())
    reason = fit.reason
    if missing and not reason:
        reason = f"{Diagnosis.NO_MEAN_SPEND} for {missing} of {len(x)} customers"
    return ExpectedSpend(
        expected=expected,
        ci_low=low,
        ci_high=np.where(surely, high, np.inf),
        confidence=confidence,
        status="unclear" if missing else fit.status,
        reason=reason,
    )


def mean_spend(fit: Fit, *, confidence: float = 0.95) -> ExpectedSpend:
    """Expect a mean spend E(M) of the population, that is of a new customer.

    Parameters
    ----------
    fit : Fit
        From `fit_gamma_gamma`.
    confidence : float
        Level of the interval.

    Returns
    -------
    ExpectedSpend
        p gamma / (q - 1), one row; "unclear" and infinite where q is at most 1.
    """
    return expected_spend(fit, [0], [0.0], confidence=confidence)


def spend_range(
    fit: Fit, frequency: ArrayLike, mean: ArrayLike, *, confidence: float = 0.95
) -> tuple[FloatArray, FloatArray]:
    """Range in which a customer's own mean spend lies, given the purchases seen.

    Parameters
    ----------
    fit : Fit
        From `fit_gamma_gamma`.
    frequency : array of int
        Repeat purchases.
    mean : array of float
        Mean spend per repeat purchase.
    confidence : float
        Share of customers with this history whose mean lies within.

    Returns
    -------
    tuple of ndarray
        Lower and upper ends: quantiles of p / nu, where nu given the history is gamma distributed
        with shape px + q and rate gamma + x mean.
    """
    p, q, gamma = fit.values(*NAMES)
    x, total = _history(frequency, mean)
    tail = (1 - confidence) / 2
    scale = p * (gamma + total)
    low, high = (scale / gammaincinv(p * x + q, share) for share in (1 - tail, tail))
    return low, high


def _history(frequency: ArrayLike, mean: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Purchases and their total; a customer without any has a total of nothing."""
    x, m = np.atleast_1d(np.asarray(frequency, float)), np.atleast_1d(np.asarray(mean, float))
    if x.shape != m.shape:
        raise InputError(f"spend: {x.size} frequencies but {m.size} means; give one of each a row")
    bad = int((~(x >= 0) | ~np.isfinite(x)).sum())
    wrong = int((~((m >= 0) & np.isfinite(m)) & (x > 0)).sum())
    if bad or wrong:
        raise InputError(
            f"spend: frequency of {bad} and mean of {wrong} rows are missing, infinite or below 0; "
            "net refunds first and drop who is left with less than nothing"
        )
    with np.errstate(invalid="ignore"):
        return x, np.where(x > 0, x * m, 0.0)


def _half_of_q(fit: Fit, confidence: float) -> float:
    return float(norm.ppf((1 + confidence) / 2) * np.sqrt(max(fit.covariance[1, 1], 0.0)))


def _left_out(rows: SpendRows) -> tuple[str, ...]:
    said = []
    if rows.without_repeat:
        said.append(f"{SpendDiagnosis.WITHOUT_REPEAT}: {rows.without_repeat:,.0f}")
    if rows.refused:
        first = ", ".join(str(row) for row in rows.refused_rows)
        said.append(f"{SpendDiagnosis.NOT_POSITIVE}: {rows.refused:,.0f} (first rows {first})")
    return tuple(said)


def _limit(rows: SpendRows, said: tuple[str, ...]) -> Fit:
    """Everybody spends their mean: where the likelihood runs to when nothing varies."""
    log_q = np.log(3) + REACH
    theta = np.array([log_q, log_q, rows.mean_log + np.log1p(-np.exp(-log_q))])
    constant = rows.spread_log <= CONSTANT and rows.n >= FEWEST
    typed = Diagnosis.CONSTANT_SPEND if constant else Diagnosis.TOO_FEW
    level = f"{np.exp(rows.mean_log):,.2f}"
    reason = (
        f"{typed}: the mean of every customer is {level}"
        if constant
        else f"{typed}: {rows.n:g} with repeat purchases, at least {FEWEST} are needed; "
        f"the mean is {level}"
    )
    return Fit(
        model=MODEL,
        parameters=dict(zip(NAMES, map(float, np.exp(theta)), strict=True)),
        log_parameters=theta,
        covariance=np.zeros((3, 3)),
        standard_errors={},
        log_likelihood=log_likelihood(rows, theta)[0],
        n=rows.n,
        events=rows.events,
        converged=False,
        starts=(0, 0),
        status="unclear",
        reason=reason,
        diagnosis=(str(typed), *said),
    )


def _diagnosed(maximum: Maximum, rows: SpendRows, said: tuple[str, ...]) -> dict[str, object]:
    """Say what the estimates tell about the data, and whether the figures can be used."""
    p, q, _ = np.exp(maximum.log_parameters)
    found: list[str] = []
    reason = ""
    unsure = maximum.on_border | (np.sqrt(np.diag(maximum.covariance)) >= UNSURE)
    if unsure[0] and p > 1:
        found.append(SpendDiagnosis.SAME_EVERY_TIME)
    if unsure[1] and q > 1:
        found.append(SpendDiagnosis.ALL_ALIKE)
    if q <= 1:
        found.append(Diagnosis.NO_MEAN_SPEND)
        reason = f"{Diagnosis.NO_MEAN_SPEND}; a few very large means decide, look at them first"
    elif q * np.exp(-1.96 * np.sqrt(maximum.covariance[1, 1])) <= 1:
        found.append(SpendDiagnosis.NEARLY_NO_MEAN)
    if rows.refused > MANY_REFUSED * (rows.n + rows.refused):
        found.append(SpendDiagnosis.MANY_NOT_POSITIVE)
        lost = f"{rows.refused:,.0f} of {rows.n + rows.refused:,.0f} customers were left out"
        reason = reason or f"{SpendDiagnosis.MANY_NOT_POSITIVE}: {lost}"
    return {
        "status": "unclear" if reason else "ok",
        "reason": reason,
        "diagnosis": (*map(str, found), *said),
    }
