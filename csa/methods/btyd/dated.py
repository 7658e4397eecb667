"""BG/NBD whose clock knows new customers from old ones and good weeks from bad.

Plain models take whatever thins out for leaving. Part of it is that new customers buy in a burst,
and part is the calendar; both end, and leaving does not. So plain models foresee too little, and
their intervals, which know no good and bad weeks, are too narrow.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from csa.methods.btyd.bg_fit import BG_NBD, NAMES, fit_family
from csa.methods.btyd.counts import BuyerCounts
from csa.methods.btyd.dated_counts import check_purchases, on_clock
from csa.methods.btyd.dated_likelihood import EFFECTS, FADES, HEIGHT, OWN, DatedLikelihood
from csa.methods.btyd.dated_time import Calendar, Clock
from csa.methods.btyd.maximum import AT_BOUND, REACH, inverse, one_thread
from csa.methods.btyd.model import Diagnosis

FloatArray = NDArray[np.float64]

MODEL: Final = "BG/NBD, dated"
LEAST_PERIODS: Final = 8
BURST_PRIOR: Final = 1.0  # standard deviation of the height of the burst, around none
FADES_BY: Final = 1.0  # a burst fades to 1/e within this part of the time observed
TALLEST: Final = 3.0  # effect of a period, either way
PERSISTENCE: Final = np.array([0.0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9])
SPREAD: Final = np.geomspace(0.01, 0.64, 19)
FIRST: Final = Calendar(0.4, 0.3)
ROUNDS: Final = 6
STARTS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DatedFit:
    """A fit in operational time.

    Attributes
    ----------
    parameters : dict of str to float
        `r`, `alpha`, `a`, `b` (of BG/NBD, in operational units), `burst` (logarithm of how much
        faster customers buy at first), `burst_fades` (units), `persistence` and `spread` of the
        calendar's effects (logarithms). Empty when there is nothing to fit.
    place : ndarray of float
        Log-parameters, burst and effects, as the likelihood takes them.
    covariance : ndarray of float
        Of `place` (Laplace), given the calendar's persistence and spread.
    weights : ndarray of float
        Posterior of persistence × spread on the grid of this module.
    log_likelihood, evidence : float
        At the maximum, and with the calendar's effects integrated out.
    clock : Clock
        The grid of time.
    counts : BuyerCounts
        Customers, on that grid.
    status, reason : str
        "ok" or "unclear", and why.
    """

    parameters: dict[str, float]
    place: FloatArray
    covariance: FloatArray
    weights: FloatArray
    log_likelihood: float
    evidence: float
    clock: Clock
    counts: BuyerCounts
    likelihood: DatedLikelihood | None
    status: Literal["ok", "unclear"] = "ok"
    reason: str = ""

    @property
    def calendar(self) -> Calendar:
        """How the effects of periods come about; on average they are as those seen."""
        return self.of_calendar(Calendar(self.parameters["persistence"], self.parameters["spread"]))

    def of_calendar(self, calendar: Calendar) -> Calendar:
        """Give a calendar the mean of the effects seen.

        Parameters
        ----------
        calendar : Calendar
            One of the grid.

        Returns
        -------
        Calendar
            With the mean.
        """
        return replace(calendar, mean=float(np.exp(self.place[EFFECTS:]).mean()))


def fit_dated(counts: BuyerCounts, by_back: FloatArray, by_age: FloatArray) -> DatedFit:
    """Fit BG/NBD together with the clock of its customers.

    Parameters
    ----------
    counts : BuyerCounts
        Customers on a grid, all observed to the same day.
    by_back : ndarray of float
        All their repeat purchases by steps of the grid before that day, 0 for the day itself.
    by_age : ndarray of float
        The same purchases by steps after the customer's first.

    Returns
    -------
    DatedFit
        "unclear" and without parameters where BG/NBD itself is, or with under 8 periods.

    Raises
    ------
    InputError
        If the purchases do not add up to those of the customers.

    Notes
    -----
    Effects of the calendar are a stationary AR(1) around none; its persistence and spread maximise
    the evidence (Laplace), on a grid. A trend that lasts as long as the data is thus shared out
    between calendar, burst and leaving by what single customers did, those of different first days
    above all. The seasons of a year cannot be learnt from less than two.
    """
    check_purchases(counts, by_back, by_age)
    plain = fit_family(counts, BG_NBD, STARTS)
    known, back, age, clock = on_clock(counts, by_back, by_age)
    if not plain.parameters or plain.status != "ok" or clock.periods < LEAST_PERIODS:
        few = f"only {clock.periods} periods of the calendar; {LEAST_PERIODS} are needed"
        return _nothing(known, clock, plain.reason or few)
    likelihood = DatedLikelihood(known, back, age, clock)
    place, box = _begin(plain.log_parameters, clock)
    calendar, tried = FIRST, set()
    with one_thread():
        for _ in range(ROUNDS):
            tried.add(calendar)
            place, reached = _climbed(likelihood, place, box, calendar)
            curved = likelihood.curvature(place)
            curved[HEIGHT, HEIGHT] += BURST_PRIOR**-2
            weights = _weights(place, curved, calendar, _inside(place, box))
            best = calendar_of(int(np.argmax(weights)))
            if best in tried:
                break
            calendar = best
    return _finished(_Maximum(likelihood, place, curved, calendar, reached), known, weights, box)


def calendar_of(number: int) -> Calendar:
    """Give one of the grid of persistence × spread.

    Parameters
    ----------
    number : int
        Its place in `DatedFit.weights`.

    Returns
    -------
    Calendar
        Its ways.
    """
    row, column = divmod(number, len(SPREAD))
    return Calendar(float(PERSISTENCE[row]), float(SPREAD[column]))


class _Maximum(NamedTuple):
    likelihood: DatedLikelihood
    place: FloatArray
    curved: FloatArray
    calendar: Calendar
    reached: bool


def limits_of_fading(clock: Clock) -> tuple[float, float]:
    """Give the logarithms of the shortest and longest time in which a burst fades, units.

    Parameters
    ----------
    clock : Clock
        The grid.

    Returns
    -------
    tuple of float
        A period, and the time observed.
    """
    short = clock.step * clock.width
    return float(np.log(short)), float(np.log(max(clock.longest * clock.step / FADES_BY, short)))


def _begin(plain: FloatArray, clock: Clock) -> tuple[FloatArray, FloatArray]:
    """Give the place to start from, and the box."""
    limits = limits_of_fading(clock)
    place = np.concatenate([plain, [0.1, np.mean(limits)], np.zeros(clock.periods)])
    box = np.full((len(place), 2), [-TALLEST, TALLEST])
    box[:OWN] = plain[:, None] + np.array([-REACH, REACH])
    box[HEIGHT, 0] = 0.0
    box[FADES] = limits
    return place, box


def _climbed(
    likelihood: DatedLikelihood, place: FloatArray, box: FloatArray, calendar: Calendar
) -> tuple[FloatArray, bool]:
    """Find the maximum of likelihood and priors, the calendar's ways given."""
    precision = calendar.precision(likelihood.clock.periods)
    scale = 1.0 / likelihood.customers

    def objective(at: FloatArray) -> tuple[float, FloatArray]:
        value, slope = likelihood(at)
        drawn = precision @ at[EFFECTS:]
        value -= float(at[EFFECTS:] @ drawn) / 2 + (at[HEIGHT] / BURST_PRIOR) ** 2 / 2
        slope[EFFECTS:] -= drawn
        slope[HEIGHT] -= at[HEIGHT] / BURST_PRIOR**2
        return -value * scale, -slope * scale

    done = minimize(
        objective,
        place,
        jac=True,
        method="L-BFGS-B",
        bounds=box.tolist(),
        options={"maxiter": 2000, "ftol": 1e-13, "gtol": 1e-7},
    )
    return np.asarray(done.x, dtype=float), bool(done.success)


def _inside(place: FloatArray, box: FloatArray) -> NDArray[np.bool_]:
    """Tell what did not end on the border of the box."""
    inside: NDArray[np.bool_] = (place > box[:, 0] + AT_BOUND) & (place < box[:, 1] - AT_BOUND)
    return inside


def _weights(
    place: FloatArray, curved: FloatArray, calendar: Calendar, free: NDArray[np.bool_]
) -> FloatArray:
    """Weigh persistence × spread by their evidence; the likelihood is nearly normal."""
    own, cross = curved[:EFFECTS, :EFFECTS], curved[:EFFECTS, EFFECTS:]
    alone = curved[EFFECTS:, EFFECTS:] - cross.T @ inverse(own, free[:EFFECTS]) @ cross
    periods = len(alone)
    pull = (alone + calendar.precision(periods)) @ place[EFFECTS:]
    logs = []
    for number in range(len(PERSISTENCE) * len(SPREAD)):
        prior = calendar_of(number).precision(periods)
        sizes, directions = np.linalg.eigh(alone + prior)
        sizes = np.maximum(sizes, 1e-9)
        fit = ((directions.T @ pull) ** 2 / sizes).sum()
        logs.append((np.linalg.slogdet(prior)[1] - np.log(sizes).sum() + fit) / 2)
    shares: FloatArray = np.exp(np.array(logs) - np.max(logs))
    shares /= shares.sum()
    return shares


def _finished(
    found: _Maximum, counts: BuyerCounts, weights: FloatArray, box: FloatArray
) -> "DatedFit":
    """Make the result: parameters, covariance, evidence."""
    place, calendar = found.place, found.calendar
    prior = calendar.precision(found.likelihood.clock.periods)
    full = found.curved.copy()
    full[EFFECTS:, EFFECTS:] += prior
    value, effects = found.likelihood(place)[0], place[EFFECTS:]
    integrated = np.linalg.slogdet(prior)[1] - np.linalg.slogdet(full[EFFECTS:, EFFECTS:])[1]
    own = dict(zip(NAMES, map(float, np.exp(place[:OWN])), strict=True))
    return DatedFit(
        parameters={
            **own,
            "burst": float(place[HEIGHT]),
            "burst_fades": float(np.exp(place[FADES])),
            "persistence": calendar.persistence,
            "spread": calendar.spread,
        },
        place=place,
        covariance=inverse(full, _inside(place, box)),
        weights=weights,
        log_likelihood=value,
        evidence=float(value - effects @ prior @ effects / 2 + integrated / 2),
        clock=found.likelihood.clock,
        counts=counts,
        likelihood=found.likelihood,
        status="ok" if found.reached else "unclear",
        reason="" if found.reached else str(Diagnosis.NOT_CONVERGED),
    )


def _nothing(counts: BuyerCounts, clock: Clock, why: str) -> DatedFit:
    """Make the result where there is nothing to fit."""
    return DatedFit(
        parameters={},
        place=np.zeros(0),
        covariance=np.zeros((0, 0)),
        weights=np.zeros(0),
        log_likelihood=0.0,
        evidence=0.0,
        clock=clock,
        counts=counts,
        likelihood=None,
        status="unclear",
        reason=why,
    )
