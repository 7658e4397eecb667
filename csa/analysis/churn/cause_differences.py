"""Whether groups leave for a cause in different numbers, and which two are furthest apart."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import comb
from typing import NamedTuple

import numpy as np
import pandas as pd

from csa.analysis.churn.effects.contrasts import holm
from csa.methods.causetable import CauseTable, cause_table
from csa.methods.gray import gray
from csa.methods.incidence import aalen_johansen
from csa.methods.intervals import Estimate, Estimates
from csa.methods.lifetable import connected_part

COLUMNS = [
    *("cause", "groups", "events", "statistic", "df", "p_value", "p_adjusted", "from_days"),
    *("age_days", "more", "fewer", "more_incidence", "fewer_incidence"),
    *("difference", "ci_low", "ci_high", "status", "reason"),
]


class _Pair(NamedTuple):
    """Two groups at one age; the first has lost more to the cause."""

    more: str = ""
    fewer: str = ""
    more_incidence: float = float("nan")
    fewer_incidence: float = float("nan")
    difference: float = float("nan")
    ci_low: float = float("nan")
    ci_high: float = float("nan")


def compare_causes(
    tables: Mapping[str, CauseTable],
    *,
    ages_days: Sequence[float],
    confidence: float,
    min_at_risk: int,
) -> pd.DataFrame:
    """Test for every cause whether groups lose the same share to it, and find the widest gap.

    Parameters
    ----------
    tables : mapping of str to CauseTable
        Life table with causes per group, without that of all groups together.
    ages_days : sequence of float
        The gap is read at the last of these ages at which two groups are seen well.
    confidence : float
        Level of the intervals, share in (0, 1).
    min_at_risk : int
        Groups with never so many at risk are left out, causes with fewer events are not tested.

    Returns
    -------
    DataFrame
        One row per cause: `cause`, `groups` (compared), `events` (theirs, for the cause), Gray's
        `statistic`, `df`, `p_value`, `p_adjusted` (over the causes), `from_days` (all figures are
        given alive at that age), `age_days` (at which the gap is read), `more` and `fewer` (the
        groups whose gap is surest, or else widest), `more_incidence`, `fewer_incidence`,
        `difference`, `ci_low`, `ci_high`, `status`, `reason`. Without rows where there are not
        two groups.

    Notes
    -----
    Gray's test, by Holm's rule over the causes. Where spells came under observation late, each
    group can be trusted from some age on; the groups are compared from the latest of these. The
    interval of the gap is made of the limits of both incidences [1]_ at a level that holds for
    all pairs of groups (Bonferroni), since the pair was picked for its gap. Where nobody left for
    the cause the upper limit is the exact one for those still at risk.

    References
    ----------
    .. [1] Zou, G. Y., Donner, A. (2008). Construction of confidence limits about effect measures:
       a general approach. Stat. Med. 27, 1693-1702.
    """
    parts, start = _comparable(tables, min_at_risk)
    if len(parts) < 2:
        return pd.DataFrame(columns=COLUMNS)
    age, seen = _last_age(parts, ages_days, min_at_risk)
    at_age = _incidences(parts, seen, age, confidence)
    same = {"groups": len(parts), "from_days": start, "age_days": age}
    rows = [
        same | _test(parts, cause, min_at_risk) | _widest(at_age, k)
        for k, cause in enumerate(next(iter(parts.values())).causes)
    ]
    found = pd.DataFrame(rows)
    tested = found["p_value"].notna()
    found["p_adjusted"] = holm(found.loc[tested, "p_value"]).reindex(found.index)
    return found[COLUMNS]


def _comparable(
    tables: Mapping[str, CauseTable], least: int
) -> tuple[dict[str, CauseTable], float]:
    """Parts of the groups' tables over ages at which all of them can be trusted."""
    found: dict[str, CauseTable] = {}
    until = np.inf
    for name, table in tables.items():
        part, _ = connected_part(table.table, least)
        if not len(part.time) or part.at_risk.max() < least:
            continue
        if part.time[-1] < table.table.time[-1]:
            until = min(until, float(part.time[-1]))
        first = int(np.searchsorted(table.table.time, part.time[0]))
        events = table.events[:, first : first + len(part.time)]
        found[name] = _until_gone(cause_table(part, events, table.causes))
    start = max((part.table.start for part in found.values()), default=0.0)
    late = start if any(part.table.start != start for part in found.values()) else None
    if late is not None or np.isfinite(until):
        found = {name: part.between(late, until) for name, part in found.items()}
    return {name: part for name, part in found.items() if len(part.table.time)}, start


def _until_gone(part: CauseTable) -> CauseTable:
    """Part up to the age at which all leave: whoever comes later has no chance left to lose."""
    all_go = np.flatnonzero((part.table.events == part.table.at_risk) & (part.table.events > 0))
    return part.between(None, float(part.table.time[all_go[0]])) if len(all_go) else part


def _test(parts: Mapping[str, CauseTable], cause: str, least: int) -> dict[str, object]:
    """Test one cause, or say why not."""
    events = sum(int(part.events[part.causes.index(cause)].sum()) for part in parts.values())
    row: dict[str, object] = {"cause": cause, "events": events, "status": "unclear"}
    if events < least:
        reason = f"only {events} left for it" if events else "nobody left for it"
        return row | {"statistic": np.nan, "df": 0, "p_value": np.nan, "reason": reason}
    test = gray(list(parts.values()), cause)
    row |= {"statistic": test.statistic, "df": test.df, "p_value": test.p_value}
    if not test.df:
        reason = "nobody left for it at an age at which two groups are under observation"
        return row | {"reason": reason}
    return row | {"status": "ok", "reason": ""}


def _last_age(
    parts: Mapping[str, CauseTable], ages: Sequence[float], least: int
) -> tuple[float, list[str]]:
    """Last age at which as many groups as possible are seen well, and these."""
    best: tuple[float, list[str]] = (float("nan"), [])
    for age in sorted(ages):
        seen = [
            name
            for name, part in parts.items()
            if part.table.start < age and part.table.at_risk_at(age) >= least
        ]
        if len(seen) >= max(len(best[1]), 2):
            best = (float(age), seen)
    return best


def _incidences(
    parts: Mapping[str, CauseTable], seen: Sequence[str], age: float, confidence: float
) -> dict[str, Estimates]:
    """Incidence of all causes in every group, with limits that hold for all pairs of groups.

    Where it is 0 or 1 the limits are the exact ones for as many as are still at risk.
    """
    level = 1 - (1 - confidence) / max(comb(len(seen), 2), 1)
    found = {}
    for name in seen:
        value, low, high = aalen_johansen(parts[name], confidence=level).at(age)
        at_risk = int(parts[name].table.at_risk_at(age))
        rest = ((1 - level) / 2) ** (1 / at_risk)
        low, high = np.where(np.isnan(low), rest, low), np.where(np.isnan(high), 1.0, high)
        found[name] = Estimates(value, low, np.where(value > 0, high, 1 - rest))
    return found


def _widest(at_age: Mapping[str, Estimates], place: int) -> dict[str, object]:
    """Pair of groups with the largest lower limit of the gap in one cause."""
    best = _Pair()
    for names in combinations(at_age, 2):
        fewer, more = sorted(names, key=lambda name: float(at_age[name].value[place]))
        high, low = (Estimate(*(float(x[place]) for x in at_age[name])) for name in (more, fewer))
        gap = high.value - low.value
        # the limits of a difference from those of its parts
        down = np.hypot(high.value - high.low, low.high - low.value)
        up = np.hypot(high.high - high.value, low.value - low.low)
        limits = (float(gap - down), float(gap + up))
        pair = _Pair(more, fewer, high.value, low.value, gap, *limits)
        if not best.more or (pair.ci_low, pair.difference) > (best.ci_low, best.difference):
            best = pair
    return best._asdict()
