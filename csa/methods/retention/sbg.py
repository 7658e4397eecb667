"""Shifted beta-geometric: customers differ in their chance to leave, which never changes."""

import numpy as np
from scipy.special import hyp2f1

from csa.errors import InputError
from csa.methods.retention.counts import RetentionCounts
from csa.methods.retention.curves import RetentionFit, maximise


def fit_sbg(counts: RetentionCounts) -> RetentionFit:
    """Fit the shifted beta-geometric by maximum likelihood.

    Parameters
    ----------
    counts : RetentionCounts
        Lost and kept by period; cohorts that share a curve are pooled by `pool`.

    Returns
    -------
    RetentionFit
        "unclear" where nobody or everybody left, or fewer than two periods were seen.

    Notes
    -----
    S(t) = B(alpha, beta + t) / B(alpha, beta), retention (beta + t - 1) / (alpha + beta + t - 1)
    [1]_.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S. (2007). How to project customer retention. J. Interact.
       Mark. 21(1), 76-90.

    Examples
    --------
    >>> from csa.methods.retention.counts import from_survivors
    >>> fit = fit_sbg(from_survivors([1000, 869, 743, 653, 593, 551, 517, 491]))
    >>> f"{fit.alpha:.3f} {fit.beta:.3f} {fit.log_likelihood:.1f}"
    '0.668 3.806 -1611.2'
    """
    return maximise(counts, model="sBG", free=2)


def closed_residual(fit: RetentionFit, *, age: int, discount_rate: float) -> float:
    """Discounted expected residual lifetime by its closed form.

    Parameters
    ----------
    fit : RetentionFit
        A shifted beta-geometric.
    age : int
        Period in which the customer is, from 1: he has renewed `age` - 1 times.
    discount_rate : float
        Effective rate per period, above 0.

    Returns
    -------
    float
        Expected payments from the next renewal on, the next one undiscounted.

    Raises
    ------
    InputError
        If the fit is of another model, or the rate is not above 0.

    Notes
    -----
    With n = age and d the rate,
    (beta + n - 1) / (alpha + beta + n - 1) 2F1(1, beta + n; alpha + beta + n; 1 / (1 + d)) [1]_.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S. (2010). Customer-base valuation in a contractual
       setting: the perils of ignoring heterogeneity. Mark. Sci. 29(1), 85-93.
    """
    if fit.model != "sBG":
        raise InputError(f"residual lifetime: the closed form is of the sBG, not of {fit.model}")
    if not discount_rate > 0:
        raise InputError(f"discount_rate: {discount_rate} is not above 0; the sum has no end")
    a, b = fit.alpha, fit.beta
    first = (b + age - 1) / (a + b + age - 1)
    return float(first * np.float64(hyp2f1(1.0, b + age, a + b + age, 1 / (1 + discount_rate))))
