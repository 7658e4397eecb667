"""The age at which accounts are most likely to leave, and whether it stands out by chance."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.churn.hazard_rates import HazardRates
from csa.analysis.churn.spells import ALL
from csa.methods.rates import poisson_rate

YEAR_DAYS, LEAP, TWO_MONTHS = 365, 1, 62
MIN_EVENTS = 10  # fewer accounts that left than this say nothing about when
COLUMNS = [
    *("phase", "from_days", "to_days", "at_risk", "exposure_days", "events"),
    *("chance", "ci_low", "ci_high"),
]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RiskiestAge:
    """Where the churn rate of a group is surely high.

    `table`, one row per phase: `phase` ("peak": the band of age whose rate stands out most;
    "others": all other bands together; "first year"; "later"), `from_days`, `to_days`, `at_risk`
    (as it begins), `exposure_days`, `events`, `chance`, `ci_low`, `ci_high` (to leave within one
    band of `width_days` in this phase, for an account that reaches it). Empty where unclear.
    `peak_p`: that the peak is like the other bands of its phase; `year_p`: that the first year is
    like the rest.
    """

    table: pd.DataFrame
    group: str
    width_days: int
    bands: int = 0
    churned: int = 0
    peak_p: float = float("nan")
    year_p: float = float("nan")
    ends_a_year: bool = False  # the peak holds the last day of a year as a customer
    status: str = "ok"
    reason: str = ""
    confidence: float = 0.95


def riskiest_age(rates: HazardRates, *, group: str = ALL) -> RiskiestAge:
    """Find the band of age whose churn rate stands out most, and compare it with the others.

    Parameters
    ----------
    rates : HazardRates
        From `hazard_by_age`; only bands with status "ok" are used.
    group : str
        Group to look at.

    Returns
    -------
    RiskiestAge
        "unclear" where fewer than 10 accounts left or fewer than two bands are known.

    Notes
    -----
    Were all ages of the first year alike, d of its D events would fall into a band with its share
    of the time at risk: a binomial draw; and so for all later ages. Each band is compared with
    those of its own phase, since risk mostly falls with age, and any early band is higher than
    the late ones. The peak is the band with the smallest upper tail: the highest rate as such is
    mostly that of an old age which hardly anybody reached. That tail times the number of bands
    (Bonferroni) is `peak_p`, since of many bands one stands out by chance alone. `year_p` is
    two-sided, twice the smaller tail. A rate r per band is the chance 1 - exp(-r) to leave within
    it; limits are Garwood's.
    """
    table = rates.table.loc[(rates.table["group"] == group) & (rates.table["status"] == "ok")]
    events, time = (table[c].to_numpy(dtype=float) for c in ("events", "exposure_days"))
    bands, churned = len(table), int(events.sum())
    empty = RiskiestAge(
        table=pd.DataFrame(columns=COLUMNS),
        group=group,
        width_days=rates.width_days,
        bands=bands,
        churned=churned,
        confidence=rates.confidence,
    )
    if bands < 2 or churned < MIN_EVENTS:
        few = f"only {churned} churned" if churned else "nobody churned"
        reason = few if churned < MIN_EVENTS else "too few ages were seen"
        return replace(empty, status="unclear", reason=reason)
    young = table["to_days"].to_numpy() <= YEAR_DAYS + rates.width_days / 2
    each = [np.arange(bands) == k for k in range(bands)]
    near = [young if young[k] else ~young for k in range(bands)]
    tails = [
        _tails(events[like], time[like], band[like])[1]
        for band, like in zip(each, near, strict=True)
    ]
    peak = each[int(np.argmin(tails))]
    phases = {"peak": peak, "others": ~peak, "first year": young, "later": ~young}
    at = table.loc[peak].iloc[0]
    return replace(
        empty,
        table=pd.DataFrame([_phase(name, table.loc[m], rates) for name, m in phases.items()]),
        peak_p=min(1.0, bands * min(tails)),
        year_p=min(1.0, 2 * min(_tails(events, time, young))),
        ends_a_year=_ends_a_year(float(at["from_days"]), float(at["to_days"])),
    )


def _phase(name: str, rows: pd.DataFrame, rates: HazardRates) -> dict[str, object]:
    """Pool the bands of one phase; NaN where it has none."""
    time, events = float(rows["exposure_days"].sum()), int(rows["events"].sum())
    width = rates.width_days
    rate = poisson_rate([events], [time / width], confidence=rates.confidence)
    chance = [1 - np.exp(-float(value[0])) for value in rate]
    known = len(rows) > 0
    return {
        "phase": name,
        "from_days": float(rows["from_days"].min()) if known else np.nan,
        "to_days": float(rows["to_days"].max()) if known else np.nan,
        "at_risk": int(rows["at_risk"].iloc[0]) if known else 0,
        "exposure_days": time,
        "events": events,
        "chance": chance[0],
        "ci_low": chance[1],
        "ci_high": chance[2],
    }


def _tails(
    events: NDArray[np.float64], time: NDArray[np.float64], chosen: NDArray[np.bool_]
) -> tuple[float, float]:
    """Chance of so few, and of so many, events in the chosen bands if all bands are alike."""
    from scipy.special import bdtr, bdtrc  # noqa: PLC0415 (costs more than most pages need)

    share = float(time[chosen].sum() / time.sum())
    if not 0 < share < 1:
        return 1.0, 1.0  # nothing to compare with
    here, total = float(events[chosen].sum()), float(events.sum())
    few = float(bdtr(here, int(total), share))
    many = float(bdtrc(here - 1, int(total), share)) if here else 1.0
    return few, many


def _ends_a_year(after: float, until: float) -> bool:
    """Whether a band of at most two months holds the end of a year, leap or not."""
    years = np.arange(1.0, 1.0 + until // YEAR_DAYS)
    held = (after < YEAR_DAYS * years + LEAP) & (until >= YEAR_DAYS * years)
    return bool(held.any()) and until - after <= TWO_MONTHS
