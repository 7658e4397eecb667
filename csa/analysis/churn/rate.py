"""Logo churn of a period with its interval, and whether it changed since the period before."""

from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from csa.analysis.churn.spells import ALL, as_spells, group_labels
from csa.data.columns import STILL_HERE
from csa.errors import InputError
from csa.methods.intervals import newcombe_difference, wilson

MIN_AT_START = 10  # fewer accounts than this at the start make a rate "unclear"
NOW, BEFORE = "", "previous_"  # prefixes of the columns of the two periods
RATES = ("at_start", "churned", "rate", "ci_low", "ci_high")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ChurnRateResult:
    """Churn of the period [start, end) per group and over all (`all`, first).

    `table`: `group`, `at_start`, `churned`, `rate`, `ci_low`, `ci_high` (shares), `churned_new`
    (came and went within the period: not in the rate), `not_observed` (accounts at the start
    that nobody watched yet: not in the rate), `lost_sight` (accounts at the start that ended in
    the period for a reason that is no churn: not in the rate), `status` ("ok" or "unclear"),
    `reason`;
    `previous_at_start`, `previous_churned`, `previous_rate`, `previous_ci_low`,
    `previous_ci_high`; `difference` (rate - previous_rate), `difference_low`, `difference_high`,
    `moved` ("up", "down", or "unclear" where that interval holds 0 or is not known).
    The columns of the previous period are NaN where none was asked for.
    """

    table: pd.DataFrame
    start: date
    end: date
    previous_start: date | None = None
    previous_end: date | None = None
    confidence: float = 0.95


def churn_rate(
    spells: ir.Table | pd.DataFrame,
    *,
    start: date,
    end: date,
    previous_start: date | None = None,
    previous_end: date | None = None,
    confidence: float = 0.95,
) -> ChurnRateResult:
    """Share of the accounts at the start of a period that churned in it, by group.

    Parameters
    ----------
    spells : ir.Table or DataFrame, one row per spell
        `group`, `start_on`, `entry_days`, `exit_days`, `event`.
    start, end : date
        The period [start, end).
    previous_start, previous_end : date, optional
        The period to compare with, [previous_start, previous_end), over by `start`.
    confidence : float
        Level of all intervals, share in (0, 1).

    Returns
    -------
    ChurnRateResult
        Only `all` where there is at most one group.

    Raises
    ------
    InputError
        If a column is missing or of the wrong kind, a period is empty, or the
        previous one is given by half or not over by `start`.

    Notes
    -----
    At the start: customers on the eve of the period that were under observation then,
    entry_days < age <= exit_days at `start`. A spell that ends on day d (its first day no longer
    a customer) churns in the period that holds d, so that every churn counts in exactly one
    period, and the rate of a period without censoring is one minus Kaplan-Meier over it.

    The interval is Wilson's. That of the difference is Newcombe's for independent samples, although
    most accounts are in both periods: those at the start of the second period are known when it
    starts, so its churn is no more than a new binomial draw among them and is uncorrelated with
    the churn of the first (the argument behind Greenwood's formula) [1]_. Where accounts differ
    in their risk, the binomial spread is an upper bound, and both intervals are a little wide.

    References
    ----------
    .. [1] Andersen, P. K., Borgan, O., Gill, R. D., Keiding, N. (1993). Statistical Models Based
       on Counting Processes, II.5. Springer.
    """
    windows = _windows((start, end), (previous_start, previous_end))
    columns = ["group", "start_on", "entry_days", "exit_days", "event"]
    if "censoring" in spells.columns:
        columns.append("censoring")
    counts = _counts(as_spells(spells, *columns), windows)
    table = counts[["group"]]
    for prefix in (NOW, BEFORE):
        table = table.join(_rates(counts, prefix, confidence).add_prefix(prefix))
    table = table.join(_difference(table, confidence))
    for name in ("churned_new", "not_observed", "lost_sight"):
        table[name] = counts[name]
    table["status"], table["reason"] = _judgements(counts, windows)
    return ChurnRateResult(
        table=table,
        start=start,
        end=end,
        previous_start=previous_start,
        previous_end=previous_end,
        confidence=confidence,
    )


def _windows(
    now: tuple[date, date], before: tuple[date | None, date | None]
) -> dict[str, tuple[date, date]]:
    """Periods by the prefix of their columns, checked."""
    if now[0] >= now[1]:
        raise InputError(f"period: {now[0]} to {now[1]} holds no day; the end is exclusive")
    start, end = before
    if start is None and end is None:
        return {NOW: now}
    if start is None or end is None:
        raise InputError("previous period: give both its start and its end, or neither")
    if start >= end or end > now[0]:
        raise InputError(f"previous period: {start} to {end} is empty or not over by {now[0]}")
    return {NOW: now, BEFORE: (start, end)}


def _counts(spells: ir.Table, windows: dict[str, tuple[date, date]]) -> pd.DataFrame:
    """Count per group, `all` first, for every window in one GROUP BY."""
    sums = {}
    for prefix, (start, end) in windows.items():
        for name, rows in _memberships(spells, start, end).items():
            sums[prefix + name] = rows.cast("int64").sum().fill_null(0)
    counts = spells.group_by("group").agg(**sums).to_pandas()
    counts["group"] = group_labels(counts["group"])
    counts = counts.sort_values("group")
    total = counts.drop(columns="group").sum().to_frame().T.assign(group=ALL)
    parts = [total, counts] if len(counts) > 1 else [total]
    both: pd.DataFrame = pd.concat(parts, ignore_index=True)
    return both.astype(dict.fromkeys(sums, "int64"))


def _memberships(spells: ir.Table, start: date, end: date) -> dict[str, ir.BooleanValue]:
    """Which spells count as what in the period [start, end)."""
    age = ibis.date(start).delta(spells["start_on"], unit="day")  # at the start of the period
    length = (end - start).days
    entry, gone = spells["entry_days"], spells["exit_days"]
    customer = (age > 0) & (gone >= age)
    within = gone < age + length
    lost: ir.BooleanValue = ibis.literal(value=False)  # went out of sight for a stated reason
    if "censoring" in spells.columns:
        lost = within & ibis.coalesce(spells["censoring"] != STILL_HERE, False)
    at_start = customer & (entry < age) & ~lost
    return {
        "at_start": at_start,
        "churned": at_start & spells["event"] & within,
        "cut_short": at_start & ~spells["event"] & (gone + 1 < age + length),
        "lost_sight": customer & (entry < age) & lost,
        "not_observed": customer & (entry >= age),
        "churned_new": (age <= 0) & spells["event"] & within,
    }


def _rates(counts: pd.DataFrame, prefix: str, confidence: float) -> pd.DataFrame:
    """Rates of one period; NaN where there is none, or where it is not over for everybody."""
    if prefix + "at_start" not in counts:
        return pd.DataFrame(np.nan, index=counts.index, columns=list(RATES))
    churned, at_start = counts[prefix + "churned"], counts[prefix + "at_start"]
    share = wilson(churned, at_start, confidence=confidence)
    rates = pd.DataFrame({"rate": share.value, "ci_low": share.low, "ci_high": share.high})
    rates[counts[prefix + "cut_short"] > 0] = np.nan
    return pd.DataFrame({"at_start": at_start, "churned": churned}).join(rates)


def _difference(table: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Change of the rate since the previous period."""
    known = table["rate"].notna() & table[BEFORE + "rate"].notna()
    successes = [table[p + "churned"].where(known, 0) for p in (NOW, BEFORE)]
    sizes = [table[p + "at_start"].where(known, 0) for p in (NOW, BEFORE)]
    change = newcombe_difference(
        (successes[0], successes[1]), (sizes[0], sizes[1]), confidence=confidence
    )
    return pd.DataFrame(
        {
            "difference": change.value,
            "difference_low": change.low,
            "difference_high": change.high,
            "moved": np.select([change.low > 0, change.high < 0], ["up", "down"], "unclear"),
        },
        index=table.index,
    )


def _judgements(
    counts: pd.DataFrame, windows: dict[str, tuple[date, date]]
) -> tuple[list[str], list[str]]:
    """Status and reason per group."""
    judged = []
    start, end = windows[NOW]
    for row in counts.to_dict("records"):
        n, unwatched = row["at_start"], row["not_observed"]
        if row["cut_short"]:
            judged.append(("unclear", f"the period to {end} is not over in the data"))
        elif n == 0 and unwatched:
            judged.append(("unclear", f"observation begins only after {start}"))
        elif n < MIN_AT_START:
            judged.append(("unclear", f"only {n} accounts at the start" if n else "no accounts"))
        else:
            judged.append(("ok", _left_out(unwatched, row["lost_sight"])))
    return [status for status, _ in judged], [reason for _, reason in judged]


def _left_out(unwatched: int, lost: int) -> str:
    """Say which accounts are left out of a rate."""
    parts = [f"{unwatched} not yet under observation"] * (unwatched > 0)
    parts += [f"{lost} that went out of sight without churn"] * (lost > 0)
    return f"left out: {', '.join(parts)}" if parts else ""
