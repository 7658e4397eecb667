"""Beta-discrete-Weibull: customers differ, and everybody's chance to leave moves with age."""

from csa.methods.retention.counts import RetentionCounts
from csa.methods.retention.curves import RetentionFit, maximise


def fit_bdw(counts: RetentionCounts) -> RetentionFit:
    """Fit the beta-discrete-Weibull by maximum likelihood.

    Parameters
    ----------
    counts : RetentionCounts
        Lost and kept by period.

    Returns
    -------
    RetentionFit
        "unclear" where nobody or everybody left, or fewer than three periods were seen.

    Notes
    -----
    S(t) = B(alpha, beta + t ** c) / B(alpha, beta) [1]_. With c above 1 each customer is more and
    more likely to leave, while the weak ones leave first: the curve of all may fall steeply at
    first and be flat later, which the shifted beta-geometric (c = 1) cannot do.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S., Liu, Y., Davin, J., Steenburgh, T. (2018). "How to
       project customer retention" revisited: the role of duration dependence. J. Interact. Mark.
       43, 1-16.
    """
    return maximise(counts, model="BdW", free=3)
