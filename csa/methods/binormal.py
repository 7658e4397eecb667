"""What a score must be able to do to reach a target, before any data are seen."""

import math
from statistics import NormalDist

from csa.errors import InputError

NORMAL = NormalDist()


def precision_at(recall: float, false_positive_rate: float, prevalence: float) -> float:
    """Share of events among those flagged, from the two rates of a rule and the base rate.

    Parameters
    ----------
    recall, false_positive_rate : float
        Share flagged among events, and among the others.
    prevalence : float
        Share of events.

    Returns
    -------
    float
        NaN where nobody is flagged.

    Notes
    -----
    Bayes: R π / (R π + F (1 - π)).

    Examples
    --------
    The same rule at base rates of 26.5 %, 5 % and 1 %.

    >>> [round(precision_at(0.95, 0.05, x), 2) for x in (0.265, 0.05, 0.01)]
    [0.87, 0.5, 0.16]
    """
    caught, alarmed = recall * prevalence, false_positive_rate * (1 - prevalence)
    return caught / (caught + alarmed) if caught + alarmed > 0 else float("nan")


def auc_needed(precision: float, recall: float, prevalence: float) -> float:
    """AUC that a score needs to reach a precision at a recall, where scores are normal.

    Parameters
    ----------
    precision, recall : float
        Targets, shares in (0, 1).
    prevalence : float
        Share of events, in (0, 1).

    Returns
    -------
    float
        0.5 where flagging at random would do.

    Raises
    ------
    InputError
        If a share is not between 0 and 1.

    Notes
    -----
    Events and others have normal scores of equal spread, d apart: F = R π (1 - P) / (P (1 - π))
    is the share of others that may be flagged, d = Φ⁻¹(R) - Φ⁻¹(F), AUC = Φ(d / √2) [1]_.

    References
    ----------
    .. [1] Green, D. M., Swets, J. A. (1966). Signal Detection Theory and Psychophysics. Wiley.

    Examples
    --------
    Precision 85 % at recall 80 %, at base rates of 26.5 %, 14 %, 5 % and 2 %.

    >>> [round(auc_needed(0.85, 0.80, x), 3) for x in (0.265, 0.14, 0.05, 0.02)]
    [0.96, 0.978, 0.99, 0.995]
    """
    for name, share in (("precision", precision), ("recall", recall), ("prevalence", prevalence)):
        if not 0 < share < 1:
            raise InputError(f"{name}: {share} is not between 0 and 1; write 0.85 for 85 %")
    allowed = recall * prevalence * (1 - precision) / (precision * (1 - prevalence))
    if allowed >= recall:
        return 0.5
    distance = NORMAL.inv_cdf(recall) - NORMAL.inv_cdf(allowed)
    return NORMAL.cdf(distance / math.sqrt(2))


def trials_needed(observed: float, target: float, *, confidence: float = 0.95) -> float:
    """Trials after which an observed share has a Wilson interval that leaves out the target.

    Parameters
    ----------
    observed, target : float
        Share seen, and share to tell it from.
    confidence : float
        Level of the interval, share in (0, 1).

    Returns
    -------
    float
        A whole number; infinite where the two are equal.

    Notes
    -----
    n = z² t (1 - t) / (o - t)², rounded up: the size at which the score test, on which Wilson's
    interval rests, tells o from t.

    Examples
    --------
    A recall above 80 %: 246 events if 85 % are found, 62 if 90 %, 1,537 if 82 %.

    >>> [trials_needed(x, 0.80) for x in (0.85, 0.90, 0.82)]
    [246.0, 62.0, 1537.0]
    """
    z = NORMAL.inv_cdf((1 + confidence) / 2)
    if observed == target:
        return math.inf
    return float(math.ceil(z**2 * target * (1 - target) / (observed - target) ** 2))
