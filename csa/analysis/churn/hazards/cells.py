"""Spells reduced to counts by covariate pattern and interval of age, for the discrete-time hazard.

Two GROUP BYs in the engine, by where spells end and by where late ones enter; whoever is at risk
in between follows by cumulative sums. Ten million spells become as many numbers as there are
patterns × intervals, and a regression on these has the same estimates as one on the table with a
row per account and interval, which nobody has to make.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.churn.spells import NOT_STATED, as_spells
from csa.errors import InputError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

MOST_LEVELS = 100  # values of one covariate: more are names or numbers, not classes
MOST_CELLS = 5_000_000  # patterns × intervals kept in memory, about 400 MB while fitting
AGES = ("entry_days", "exit_days", "event")


class Levels(NamedTuple):
    """Values of a covariate in order, as labels and as they are."""

    labels: tuple[str, ...]
    values: tuple[object, ...]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Cells:
    """Counts per pattern and interval; interval i covers ages above i × days, to (i + 1) × days."""

    interval_days: int
    levels: dict[str, Levels]  # per covariate, in the order of the columns of `patterns`
    patterns: IntArray  # patterns × covariates: places in `levels`
    spells: IntArray  # rows per pattern
    trials: FloatArray  # patterns × intervals: intervals at risk, a part counts as a part
    events: FloatArray
    entered_late: int
    never_seen: int

    def codes(self, covariate: str) -> IntArray:
        """Place of each pattern's value in the levels of a covariate.

        Parameters
        ----------
        covariate : str
            Name of the column.

        Returns
        -------
        ndarray of int
            One per pattern.
        """
        return np.asarray(self.patterns[:, list(self.levels).index(covariate)])


def count_cells(
    spells: ir.Table | pd.DataFrame, *, covariates: Sequence[str], interval_days: int
) -> Cells:
    """Count trials and events per covariate pattern and interval of age.

    Parameters
    ----------
    spells : ir.Table or DataFrame
        `entry_days`, `exit_days`, `event` and the covariates, text, flags or whole numbers of
        few values.
    covariates : sequence of str
        Columns that make a pattern.
    interval_days : int
        Length of an interval, 1 or more.

    Returns
    -------
    Cells
        Without rows there is no pattern.

    Raises
    ------
    InputError
        If a column is missing, of the wrong kind or of too many values, or an age is missing or
        negative.

    Notes
    -----
    A row counts in an interval by the share of its days between entry and exit; one that ends in
    the event counts to the end of that interval. Whole intervals are thus one trial each, and a
    row that is cut in two counts as before.
    """
    if interval_days < 1:
        raise InputError(f"interval_days: {interval_days} is less than 1")
    table = _checked(spells, covariates)
    ends, entries = _margins(table, list(covariates), interval_days)
    _refuse(table, ends, entries)
    ends = ends.astype({"event": bool})
    never_seen = int(entries.loc[entries["unseen"], "n"].sum())
    entries = entries.loc[~entries["unseen"]]
    levels, codes = _levels(pd.concat([ends[list(covariates)], entries[list(covariates)]]))
    _refuse_levels(levels)
    sizes = [len(x.labels) for x in levels.values()]
    patterns, place = _patterns(codes, sizes, len(ends) + len(entries))
    intervals = max(int(ends["last"].max()), 1) if len(ends) else 1
    _refuse_size(len(patterns), intervals, levels)
    at_end, at_entry = place[: len(ends)], place[len(ends) :]
    trials, events = _trials(
        _Margin(ends, at_end), _Margin(entries, at_entry), (len(patterns), intervals), interval_days
    )
    return Cells(
        interval_days=interval_days,
        levels=levels,
        patterns=patterns,
        spells=np.bincount(at_end, weights=ends["n"], minlength=len(patterns)).astype(np.int64),
        trials=trials,
        events=events,
        entered_late=int(entries["n"].sum()),
        never_seen=never_seen,
    )


class _Margin(NamedTuple):
    """Counts by pattern and interval, and the place of each row's pattern."""

    rows: pd.DataFrame
    pattern: IntArray


def _checked(spells: ir.Table | pd.DataFrame, covariates: Sequence[str]) -> ir.Table:
    """Table with the columns in use, or all that is wrong with them."""
    table = ibis.memtable(spells) if isinstance(spells, pd.DataFrame) else spells
    faults: list[str] = []
    try:
        as_spells(table, *AGES)
    except InputError as error:
        faults.extend(error.faults)
    schema = table.schema()
    for name in covariates:
        if name in AGES:
            faults.append(f"covariates: {name} is an age or the event itself; leave it out")
        elif name not in schema:
            faults.append(f"spells: column {name} is missing; name covariates that the table has")
        elif not _is_class(schema[name]):
            faults.append(
                f"spells: column {name} is {schema[name]}; bin it into a few classes as text"
            )
    if faults:
        raise InputError(*dict.fromkeys(faults))
    ages = {name: table[name].cast(kind) for name, kind in _empty_kinds(schema).items()}
    return table.select(*covariates, *AGES).mutate(**ages)


def _is_class(dtype: ibis.expr.datatypes.DataType) -> bool:
    """Whether values can be classes; those of an empty column can."""
    return bool(dtype.is_string() or dtype.is_boolean() or dtype.is_integer() or dtype.is_null())


def _empty_kinds(schema: ibis.Schema) -> dict[str, str]:
    """Kinds for columns of an empty frame, which have none."""
    kinds = {"entry_days": "int64", "exit_days": "int64", "event": "boolean"}
    return {name: kind for name, kind in kinds.items() if schema[name].is_null()}


def _margins(
    table: ir.Table, covariates: list[str], interval_days: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Spells by the interval in which they end, late ones by the one in which they enter."""
    no, yes = ibis.literal(value=False), ibis.literal(value=True)
    late = table.filter((table["entry_days"] != 0).fill_null(yes))
    first = late["entry_days"] // interval_days
    unseen = (late["exit_days"] <= late["entry_days"]).fill_null(no)
    entries = late.group_by(*covariates, first=first, unseen=unseen)
    found = _fetch(entries.agg(n=late.count(), days=late["entry_days"].sum()), "first", "days")
    if found["unseen"].any():
        never = (table["entry_days"] > 0) & (table["exit_days"] <= table["entry_days"])
        table = table.filter(~never.fill_null(no))
    last = (table["exit_days"] + (interval_days - 1)) // interval_days
    ends = table.group_by(*covariates, last=last, event=table["event"]).agg(
        n=table.count(), days=table["exit_days"].sum()
    )
    return _fetch(ends, "last", "days"), found


def _fetch(counts: ir.Table, *numbers: str) -> pd.DataFrame:
    frame: pd.DataFrame = counts.to_pyarrow().to_pandas()
    return frame.astype(dict.fromkeys(numbers, "float64"))  # missing becomes NaN, not a crash


def _refuse(table: ir.Table, ends: pd.DataFrame, entries: pd.DataFrame) -> None:
    """Raise for ages and events that are missing or impossible, all faults at once."""
    faults = []
    suspicious = {
        "exit_days": (ends["last"].isna() | (ends["last"] < 0) | (ends["days"] < 0)).any(),
        "entry_days": (entries["first"].isna() | (entries["first"] < 0)).any(),
    }
    for name in [name for name, found in suspicious.items() if found]:
        bad = (table[name] < 0).fill_null(ibis.literal(value=True))  # missing counts too
        n = int(table.filter(bad).count().to_pyarrow().as_py())
        faults.append(f"spells: {name} is missing or negative in {n} rows; correct or drop them")
    if n := int(ends.loc[ends["event"].isna(), "n"].sum()):
        faults.append(f"spells: event is missing in {n} rows; it is true or false")
    if faults:
        raise InputError(*faults)


def _levels(found: pd.DataFrame) -> tuple[dict[str, Levels], list[IntArray]]:
    """Values of each covariate in order, and the place of each row's value among them."""
    levels, codes = {}, []
    for name in found:
        code, values = pd.factorize(found[name], sort=True)
        known = [v.item() if isinstance(v, np.generic) else v for v in values]
        missing = bool((code < 0).any())
        labels = [_label(v) for v in known] + [NOT_STATED] * missing
        levels[str(name)] = Levels(tuple(labels), (*known, *[None] * missing))
        codes.append(np.where(code < 0, len(known), code).astype(np.int64))
    return levels, codes


def _label(value: object) -> str:
    """Write a value; whole numbers that stand beside missing ones come as fractions."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _refuse_levels(levels: dict[str, Levels]) -> None:
    faults = [
        f"spells: column {name} has {len(level.labels):,} values; bin it into at most "
        f"{MOST_LEVELS} classes"
        for name, level in levels.items()
        if len(level.labels) > MOST_LEVELS
    ]
    if faults:
        raise InputError(*faults)


def _refuse_size(patterns: int, intervals: int, levels: dict[str, Levels]) -> None:
    if patterns * intervals <= MOST_CELLS:
        return
    values = ", ".join(f"{name} {len(level.labels)}" for name, level in levels.items())
    raise InputError(
        f"spells: {patterns:,} patterns of covariates × {intervals:,} intervals are more than "
        f"{MOST_CELLS:,} cells; bin covariates into fewer values (now {values}) or take longer "
        "intervals"
    )


def _patterns(codes: list[IntArray], sizes: list[int], rows: int) -> tuple[IntArray, IntArray]:
    """Distinct patterns, and the place of each row's pattern among them."""
    key, known = np.zeros(rows, np.int64), 1
    for code, size in zip(codes, sizes, strict=True):
        key, known = key * size + code, known * size
        if known > 2**40:  # keys of many covariates would overflow
            key = np.unique(key, return_inverse=True)[1]
            known = rows
    _, first, place = np.unique(key, return_index=True, return_inverse=True)
    columns = [code[first] for code in codes]
    patterns = np.column_stack(columns) if columns else np.empty((len(first), 0), np.int64)
    return patterns, place


def _trials(
    ends: _Margin, entries: _Margin, shape: tuple[int, int], interval_days: int
) -> tuple[FloatArray, FloatArray]:
    """Trials and events per pattern and interval; days are summed as whole numbers."""

    def spread(margin: _Margin, interval: IntArray, n: pd.Series) -> FloatArray:
        place = margin.pattern * shape[1] + interval
        size = shape[0] * shape[1]
        counts = np.bincount(place, weights=n, minlength=size)  # whole numbers where empty
        return np.asarray(counts.reshape(shape), dtype=float)

    rows, late = ends.rows, entries.rows
    first = late["first"].to_numpy(np.int64)
    last = np.maximum(rows["last"].to_numpy(np.int64) - 1, 0)
    begins = spread(entries, first, late["n"])
    begins[:, 0] += np.bincount(ends.pattern, weights=rows["n"], minlength=shape[0])
    begins[:, 0] -= np.bincount(entries.pattern, weights=late["n"], minlength=shape[0])
    whole = np.cumsum(begins, axis=1)
    whole[:, 1:] -= np.cumsum(spread(ends, last, rows["n"]), axis=1)[:, :-1]
    # days of these intervals that do not count: before a late entry, after a last sight
    before = late["days"] - late["n"] * first * interval_days
    after = (rows["n"] * (last + 1) * interval_days - rows["days"]).where(~rows["event"], 0)
    unseen = spread(entries, first, before) + spread(ends, last, after)
    events = spread(ends, last, rows["n"].where(rows["event"], 0))
    return (whole * interval_days - unseen) / interval_days, events
