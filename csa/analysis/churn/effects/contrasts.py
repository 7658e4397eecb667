"""The strongest real difference between levels of an attribute, whatever the reference was.

A table of hazard ratios compares with references that somebody chose. The largest difference is
often between two other levels; picking it is a comparison of all pairs, and its interval says so.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations
from math import exp, isfinite, sqrt

import numpy as np
import pandas as pd

from csa.analysis.churn.effects import EffectsResult
from csa.analysis.churn.spells import ALL
from csa.methods.cox import CoxFit
from csa.methods.intervals import Estimate
from csa.methods.logrank import chi_square_tail

BANDS = ["from_days", "to_days", "ratio", "ci_low", "ci_high", "status"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Contrast:
    """How much faster the accounts of one level leave than those of another.

    `ratio` is the hazard ratio of `sooner` to `later`, above 1, over all ages; its limits hold for
    all pairs of levels of the term at once. For a number `sooner` is its step ("per 10") and
    `later` is empty; its ratio may be below 1. `bands`: `from_days`, `to_days`, `ratio`,
    `ci_low`, `ci_high`, `status` where the effect changes with age, else no rows.
    """

    term: str
    sooner: str
    later: str
    ratio: Estimate
    p_value: float  # of the term: no level differs; over all terms by Holm's rule
    n: tuple[int, int]  # spells of both; of a number all
    events: tuple[int, int]
    varies: bool = False
    bands: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=BANDS))

    @property
    def is_number(self) -> bool:
        """Whether the term is a number, which has a step instead of levels."""
        return not self.later


def strongest_contrast(result: EffectsResult) -> Contrast | None:
    """Find the largest hazard ratio between two levels of a term that is more than chance.

    Parameters
    ----------
    result : EffectsResult
        From `csa.analysis.churn.effects.effects`.

    Returns
    -------
    Contrast or None
        None where no term differs by more than chance. A term whose effect changes with age is
        compared with its reference only, since its bands are. Numbers come after levels: the
        size of a ratio per step says nothing about how much the number differs between accounts.

    Notes
    -----
    Terms whose Wald test stays below 1 - confidence by Holm's rule over all terms; within them
    pairs of levels with enough churn. Limits by Scheffé [1]_: the quantile of chi-square with as
    many degrees of freedom as the term has takes the place of that with one, so that they hold
    for the pair that was picked because it is the largest.

    References
    ----------
    .. [1] Scheffé, H. (1953). A method for judging all contrasts in the analysis of variance.
       Biometrika 40, 87-104.
    """
    if result.fit is None or result.status != "ok":
        return None
    terms = result.tests.loc[(result.tests["term"] != ALL) & result.tests["p_value"].notna()]
    terms = terms.assign(adjusted=holm(terms["p_value"]))
    real = terms.loc[terms["adjusted"] < 1 - result.confidence]
    found = [
        contrast
        for row in real.to_dict("records")
        for contrast in _contrasts(result, result.fit, {str(k): v for k, v in row.items()})
        if contrast.ratio.low > 1 or contrast.ratio.high < 1
    ]
    if not found:
        return None
    return max(found, key=lambda c: (not c.is_number, abs(np.log(c.ratio.value))))


def holm(p_values: pd.Series) -> pd.Series:
    """Raise p-values so that together they keep their level, by Holm's rule.

    Parameters
    ----------
    p_values : Series of float
        One per hypothesis.

    Returns
    -------
    Series
        In the same order, at most 1.
    """
    order = p_values.sort_values(kind="stable")
    raised = (order * np.arange(len(order), 0, -1)).cummax().clip(upper=1.0)
    return raised.reindex(p_values.index)


def chi_square_quantile(share: float, df: int) -> float:
    """Find the value that a chi-square variable exceeds with a given probability.

    Parameters
    ----------
    share : float
        Probability to exceed it, in (0, 1).
    df : int
        Degrees of freedom, 1 or more.

    Returns
    -------
    float
        By halving, to 1e-9.

    Examples
    --------
    >>> round(chi_square_quantile(0.05, 1), 6)
    3.841459
    """
    low, high = 0.0, float(df)
    while chi_square_tail(high, df) > share:
        high *= 2
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if chi_square_tail(middle, df) > share else (low, middle)
    return (low + high) / 2


def _contrasts(result: EffectsResult, fit: CoxFit, test: dict[str, object]) -> Iterator[Contrast]:
    """Pairs of levels of one term."""
    rows = result.table.loc[(result.table["term"] == test["term"])]
    rows = rows.loc[(rows["status"] == "ok") & rows["estimate"].notna()]
    varies = test["proportional"] == "rejected"
    half = sqrt(chi_square_quantile(1 - result.confidence, int(str(test["df"]))))
    if (rows["reference"] == "").all():
        yield from (_number(row, half, test, varies=varies) for _, row in rows.iterrows())
        return
    for (_, one), (_, other) in combinations(rows.iterrows(), 2):
        referred = one["level"] == one["reference"] or other["level"] == other["reference"]
        if varies and not referred:
            continue
        pair = (one, other) if one["estimate"] > other["estimate"] else (other, one)
        yield Contrast(
            term=str(test["term"]),
            sooner=str(pair[0]["level"]),
            later=str(pair[1]["level"]),
            ratio=_ratio(fit, pair, half),
            p_value=float(str(test["adjusted"])),
            n=(int(pair[0]["n"]), int(pair[1]["n"])),
            events=(int(pair[0]["events"]), int(pair[1]["events"])),
            varies=varies,
            bands=_bands(result.bands, pair) if varies else pd.DataFrame(columns=BANDS),
        )


def _number(row: pd.Series, half: float, test: dict[str, object], *, varies: bool) -> Contrast:
    """Ratio per step of a number, its limits by the half-width given."""
    step = half * row["std_error"]
    ends = (row["estimate"], row["estimate"] - step, row["estimate"] + step)
    return Contrast(
        term=str(test["term"]),
        sooner=str(row["level"]),
        later="",
        ratio=Estimate(*(exp(x) for x in ends)),
        p_value=float(str(test["adjusted"])),
        n=(int(row["n"]), 0),
        events=(int(row["events"]), 0),
        varies=varies,
    )


def _ratio(fit: CoxFit, pair: tuple[pd.Series, pd.Series], half: float) -> Estimate:
    """Hazard ratio of two levels with limits."""
    weights = np.zeros(len(fit.effects))
    for row, sign in zip(pair, (1.0, -1.0), strict=True):
        if row["level"] != row["reference"]:
            weights[fit.names.index(f"{row['term']} {row['level']}")] = sign
    value = float(weights @ fit.effects)
    error = half * sqrt(float(weights @ fit.covariance @ weights))
    return Estimate(exp(value), exp(value - error), exp(value + error))


def _bands(bands: pd.DataFrame, pair: tuple[pd.Series, pd.Series]) -> pd.DataFrame:
    """Ratios per band of age, turned so that they compare the same way round."""
    sooner, later = pair
    turned = sooner["level"] == sooner["reference"]
    level = later["level"] if turned else sooner["level"]
    rows = bands.loc[(bands["term"] == sooner["term"]) & (bands["level"] == level)]
    figures = rows[["hazard_ratio", "ci_low", "ci_high"]].astype(float)
    if turned:
        inverse = [[_inverse(x) for x in line] for line in figures.to_numpy()]
        figures = pd.DataFrame(inverse, columns=["hazard_ratio", "ci_high", "ci_low"])
    found = rows[["from_days", "to_days", "status"]].reset_index(drop=True)
    figures = figures.reset_index(drop=True).rename(columns={"hazard_ratio": "ratio"})
    both: pd.DataFrame = found.join(figures)
    return both[BANDS]


def _inverse(value: float) -> float:
    return 1 / value if isfinite(value) and value > 0 else float("nan")
