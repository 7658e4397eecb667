"""Cohorts reduced in the engine: any number of active days become counts per cohort and age.

Calendar clocks take one aggregate per unit and no distinct: a word of 63 bits, one per period,
counted back from `as_of`; of the words of all units every age of every cohort is a plain sum.
Tenure windows, thresholds and very long histories go over (unit, age) pairs instead
(`csa.analysis.cohorts.pairs`); both ways give the same counts.
"""

from datetime import date, datetime, time

import ibis
import ibis.expr.types as ir
import pandas as pd

from csa.analysis.cohorts.clock import Clock
from csa.analysis.cohorts.pairs import cells, pair_counts
from csa.analysis.cohorts.units import ALL, unit_rows

WORD = 63  # periods in a word: bits of a positive 64-bit integer
MOST_WORDS = 8  # 504 periods; longer histories go over pairs


def cohort_counts(
    activity: ir.Table | pd.DataFrame,
    *,
    unit: str,
    clock: Clock,
    as_of: date,
    start: str | None = None,
) -> pd.DataFrame:
    """Count, for every cohort and age, who was active then, and who then or later.

    Parameters
    ----------
    activity : ir.Table or DataFrame
        One row per use, or per active day: `unit`, `day` (day or local time; its own type decides
        whether tenure windows are of whole days or of 24 hours), optional `group` and `start`.
        A missing `day` says that the unit exists; missing units are left out.
    unit : str
        Column of who returns: account_id or user_id. A unit counts once in each of its groups.
    clock : Clock
        Calendar months or weeks or tenure windows, and the threshold of active days.
    as_of : date
        Last day that is known; nothing later is used.
    start : str, optional
        Column with the day (of 24-hour windows: the time) at which the unit began, such as its
        signup; the earliest counts. Activity before it is left out; units that begin after
        `as_of`, or nowhere, are too. Default: the first activity, of whatever intensity.

    Returns
    -------
    DataFrame
        Tidy, one row per `group` ("all" where the table has no such column, "not stated" where
        it is missing), `cohort` (first day of the period of the start; of tenure windows the day
        of the start itself, so that cohorts of any width are sums of rows) and `age` (periods, 0
        is that of the start) that has begun by `as_of`: `n` (units of the cohort), `active` (in
        this age), `active_later` (in this age or a later one, as known on `as_of`),
        `completes_on` (last day of the age for the last of its units; the cell is open while it
        is after `as_of`). A row with 0 is a true zero; ages that have not begun have no row.

    Raises
    ------
    InputError
        If a column is missing or of the wrong kind.

    Notes
    -----
    Bounded return is `active` / `n`, unbounded `active_later` / `n`; `bracket_counts` gives those
    of brackets of ages.
    """
    rows = unit_rows(activity, unit=unit, as_of=as_of, start=start)
    words = _words(rows, clock, as_of) if clock.calendar and clock.least_days == 1 else None
    if words is None or words > MOST_WORDS:
        return pair_counts(rows, clock, as_of)
    grouped = "group" in activity.columns
    with _masks(rows, clock, as_of, words, grouped=grouped).cache() as masks:
        latest = masks.group_by("group", "first", "newest").agg(latest=masks.count()).to_pandas()
        periods = min(int(latest["first"].max()) + 1, words * WORD) if len(latest) else 0
        found = _active(masks, periods)
    last = clock.number_of(as_of)
    sizes = found[["group", "first", "n"]].assign(cohort=last - found["first"])
    active = _long(found, periods)
    latest["age"] = latest["first"] - latest["newest"]
    latest = latest.loc[latest["age"] >= 0]
    counts = pd.concat(
        [
            active.assign(latest=0),
            latest.assign(active=0)[["group", "first", "age", "active", "latest"]],
        ]
    ).assign(cohort=lambda rows: last - rows["first"])
    return cells(sizes, counts, clock, as_of)


def _words(rows: ir.Table, clock: Clock, as_of: date) -> int:
    """Words that hold all periods from the first day in the data to the last.

    Only days before those of one word are looked for: of files, their statistics tell that there
    are none.
    """
    last = clock.number_of(as_of)
    edge = datetime.combine(clock.first_day(last - WORD + 1), time())
    times = [rows[c] for c in ("day", "begin") if c in rows.columns]
    edges = [edge.date() if t.type().is_date() else edge for t in times]
    early = [t < ibis.literal(e, t.type()) for t, e in zip(times, edges, strict=True)]
    old = rows.filter(ibis.or_(*early))
    found = old.aggregate(**{t.get_name(): old[t.get_name()].min().cast("date") for t in times})
    days = [value for value in found.to_pyarrow().to_pylist()[0].values() if value is not None]
    return (last - clock.number_of(min(days))) // WORD + 1 if days else 1


def _masks(rows: ir.Table, clock: Clock, as_of: date, words: int, *, grouped: bool) -> ir.Table:
    """One row per unit: its first and newest period, counted back, and the bits of all.

    A key that is the same everywhere costs a tenth of all, so it is added afterwards.
    """
    last = clock.number_of(as_of)
    rows = rows.mutate(back=(last - clock.number(rows.day.cast("date"))).cast("int64"))
    made: dict[str, ir.Value] = {f"word_{w}": _word(rows.back, w, words) for w in range(words)}
    if "begin" in rows.columns:
        made["begin"] = rows.begin.min()
    keys = ["group", "unit"] if grouped else ["unit"]
    units = rows.group_by(*keys).agg(**made)
    units = units if grouped else units.mutate(group=ibis.literal(ALL))
    bits = [units[f"word_{w}"].nullif(0) for w in range(words)]
    newest = ibis.coalesce(*(_lowest(bit) + w * WORD for w, bit in enumerate(bits)))
    first = ibis.coalesce(*(_highest(bit) + w * WORD for w, bit in reversed([*enumerate(bits)])))
    if "begin" in rows.columns:
        first = last - clock.number(units.begin.cast("date"))
    kept = [f"word_{w}" for w in range(words)]
    return units.select("group", *kept, first=first, newest=newest).drop_null("first")


def _word(back: ir.IntegerValue, number: int, words: int) -> ir.IntegerValue:
    """Set a bit for each period of a word."""
    one = ibis.literal(1, "int64")
    if words == 1:
        return (one << back).bit_or()
    inside = (back >= number * WORD) & (back < (number + 1) * WORD)
    place = ibis.ifelse(inside, back - number * WORD, 0)  # no shift out of range, not even unused
    return (one << place).bit_or(where=inside)


def _lowest(word: ir.IntegerValue) -> ir.IntegerValue:
    """Place of the lowest bit: the logarithm of a power of two is exact."""
    return (word & -word).log2().round().cast("int64")


def _highest(word: ir.IntegerValue) -> ir.IntegerValue:
    """Place of the highest bit: all lower ones are set, then taken away."""
    for shift in (1, 2, 4, 8, 16, 32):
        word |= word >> shift
    return (word - (word >> 1)).log2().round().cast("int64")


def _active(masks: ir.Table, periods: int) -> pd.DataFrame:
    """Sum the bits of the units of each cohort: one column per period, up to the first."""
    bits = {
        f"{i}": (masks[f"word_{i // WORD}"].fill_null(0) >> i % WORD & 1).sum().cast("int64")
        for i in range(periods)
    }
    found: pd.DataFrame = masks.group_by("group", "first").agg(n=masks.count(), **bits).to_pandas()
    return found


def _long(found: pd.DataFrame, periods: int) -> pd.DataFrame:
    """Turn one column per period into one row per age with somebody active."""
    columns = [str(i) for i in range(periods)]
    long = found.melt(["group", "first"], columns, var_name="back", value_name="active")
    long = long.loc[long["active"] > 0]
    age = long["first"] - long["back"].astype("int64")
    return long.assign(age=age).loc[age >= 0, ["group", "first", "age", "active"]]
