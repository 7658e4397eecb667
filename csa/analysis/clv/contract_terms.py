"""What a value under contract depends on besides the data."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from csa.errors import InputError

FloatArray = NDArray[np.float64]
Cohorts = Literal["month", "quarter", "year"]

LONGEST = 600  # months
FEWEST_DRAWS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractTerms:
    """What a value depends on besides the data; all of it stands beside the figure.

    Parameters
    ----------
    margin : float
        Gross margin of a payment, share in (0, 1].
    discount_rate_annual : float
        Effective annual rate, share, 0 or more.
    horizon_months : int
        Payments counted: the one due now and those of the months after.
    growth_months : int
        Months up to the last one from which expansion and contraction are estimated.
    cohort : {"month", "quarter", "year"}
        Period of the first start by which accounts are summed.
    confidence : float
        Level of all intervals, share in (0, 1).
    draws : int
        Number of draws behind the intervals.
    """

    margin: float
    discount_rate_annual: float = 0.10
    horizon_months: int = 36
    growth_months: int = 12
    cohort: Cohorts = "quarter"
    confidence: float = 0.95
    draws: int = 400

    def __post_init__(self) -> None:
        """Refuse terms that cannot be, all faults at once."""
        faults = _impossible(self)
        if faults:
            raise InputError(*faults)

    def discount(self, first: int = 0) -> FloatArray:
        """Present value of a unit paid at each of the months of the horizon.

        Parameters
        ----------
        first : int
            Months from now to the first payment.

        Returns
        -------
        ndarray of float
            (1 + annual rate) ** (-k / 12), k from `first`.
        """
        k = np.arange(first, first + self.horizon_months)
        return np.asarray((1 + self.discount_rate_annual) ** (-k / 12), dtype=np.float64)


def _impossible(terms: ContractTerms) -> list[str]:
    """Return what is wrong with terms."""
    rate = terms.discount_rate_annual
    lengths = {"horizon_months": terms.horizon_months, "growth_months": terms.growth_months}
    tests = {
        f"margin: {terms.margin} is not in (0, 1]; write 0.8 for 80 %": 0 < terms.margin <= 1,
        f"discount_rate_annual: {rate} is not a share of 0 or more": 0 <= rate < np.inf,
        f'cohort: "{terms.cohort}" is none of {", ".join(get_args(Cohorts))}': (
            terms.cohort in get_args(Cohorts)
        ),
        f"confidence: {terms.confidence} is not between 0 and 1": 0 < terms.confidence < 1,
        f"draws: {terms.draws}; an interval needs {FEWEST_DRAWS}": terms.draws >= FEWEST_DRAWS,
    }
    for name, months in lengths.items():
        tests[f"{name}: {months} is not between 1 and {LONGEST}"] = 1 <= months <= LONGEST
    return [text for text, holds in tests.items() if not holds]


def cohort_label(number: int, cohort: Cohorts) -> str:
    """Name the period of a number.

    Parameters
    ----------
    number : int
        From `cohort_number`.
    cohort : {"month", "quarter", "year"}
        Kind of period.

    Returns
    -------
    str
        As 2026-10, 2026-Q4 or 2026.
    """
    if cohort == "year":
        return f"{number:04d}"
    if cohort == "quarter":
        return f"{number // 4:04d}-Q{number % 4 + 1}"
    return f"{number // 12:04d}-{number % 12 + 1:02d}"
