"""Snapshots as the leak alarm reads them: columns by kind, outcomes by horizon, nothing raised.

Whatever a table holds, the alarm has to answer; so values are taken as they come, what cannot be
read counts as not known, and what is missing altogether is said in words.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Kind = Literal["number", "text", "date"]

SAMPLE_ROWS = 100_000  # more rows than this are sampled by account
NOT_FEATURES = ("account_id", "cutoff_on", "age_days", "mrr_minor", "days_after", "event")
PARTS = 10_000  # parts of the accounts, of which a sample takes the first
NEEDED = ("days_after", "event")
LEVELS = 200  # texts that are told apart; the rest is one level
LOOKED_AT = 200  # values by which a text column is taken for dates or numbers
HUGE = 1e100
ISO_DATE = r"^\s*\d{4}-\d{2}-\d{2}([T ].*)?$"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Column:
    """One feature; `value`: numbers, or days since 1970 (NaN: not known), or codes (-1)."""

    name: str
    kind: Kind
    value: FloatArray
    levels: tuple[str, ...] = ()

    @property
    def known(self) -> BoolArray:
        """Rows where the column has a value."""
        known: BoolArray = self.value >= 0 if self.kind == "text" else np.isfinite(self.value)
        return known


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Audited:
    """Rows with an outcome, and the features beside them; `faults` say what could not be used."""

    account: IntArray
    cutoff: FloatArray  # days since 1970, NaN where not known
    age: FloatArray
    mrr: FloatArray
    after: FloatArray
    event: BoolArray
    columns: tuple[Column, ...] = ()
    rows_in_all: int = 0
    faults: tuple[str, ...] = field(default_factory=tuple)

    @property
    def n(self) -> int:
        """Rows looked at."""
        return len(self.after)


def read_rows(
    table: ir.Table | pd.DataFrame | None, *, most: int | None = None
) -> tuple[pd.DataFrame, int]:
    """Fetch snapshots, at most a sample of whole accounts.

    Parameters
    ----------
    table : ir.Table, DataFrame or None
        Snapshots; the sample of a table is drawn in the engine.
    most : int, optional
        Rows, about; default `SAMPLE_ROWS`.

    Returns
    -------
    DataFrame, int
        Rows, and how many there were.
    """
    most = SAMPLE_ROWS if most is None else most
    if table is None:
        return pd.DataFrame(), 0
    if isinstance(table, pd.DataFrame):
        frame = table.loc[:, ~table.columns.duplicated()].reset_index(drop=True)
        return _sampled(frame, most), len(frame)
    held: ir.Table = table
    rows = int(held.count().to_pyarrow().as_py())
    if rows > most and "account_id" in held.columns:
        held = held.filter(ibis._.account_id.hash().abs() % PARTS < PARTS * most // rows)
    elif rows > most:
        held = held.limit(most)
    return held.to_pandas(), rows


def _sampled(frame: pd.DataFrame, most: int) -> pd.DataFrame:
    """Whole accounts, by a hash that does not depend on their order."""
    if len(frame) <= most:
        return frame
    if "account_id" not in frame:
        return frame.iloc[:: -(-len(frame) // most)].reset_index(drop=True)
    hashed = pd.util.hash_array(frame["account_id"].astype(str).to_numpy(dtype=object))
    kept = (hashed % PARTS) < PARTS * most // len(frame)
    return frame[kept].reset_index(drop=True)


def as_audited(frame: pd.DataFrame, rows: int, features: Sequence[str] | None = None) -> Audited:
    """Take what can be used.

    Parameters
    ----------
    frame : DataFrame
        Snapshots.
    rows : int
        Rows before sampling.
    features : sequence of str, optional
        Columns to look at; default all but those that every snapshot has.

    Returns
    -------
    Audited
        Rows with a known outcome; `faults` name columns that are missing.
    """
    faults = [f"snapshots: column {c} is missing" for c in NEEDED if c not in frame]
    named = [c for c in frame.columns if c not in NOT_FEATURES] if features is None else features
    faults += [f"snapshots: feature {c} is missing" for c in named if c not in frame]
    after, event = (numbers(frame, c) for c in NEEDED)
    known = np.isfinite(after) & np.isfinite(event) & (after >= 0)
    if lost := int((~known).sum()) if len(faults) == 0 else 0:
        faults.append(f"snapshots: {lost} rows have no outcome and are left out")
    kept = frame[known]
    return Audited(
        account=accounts(kept),
        cutoff=days(kept, "cutoff_on"),
        age=numbers(kept, "age_days"),
        mrr=numbers(kept, "mrr_minor"),
        after=after[known],
        event=event[known] > 0,
        columns=tuple(as_column(kept[c], str(c)) for c in named if c in frame),
        rows_in_all=rows,
        faults=tuple(faults),
    )


def accounts(frame: pd.DataFrame) -> IntArray:
    """Accounts as codes; rows without one are their own."""
    if "account_id" not in frame:
        return np.arange(len(frame), dtype=np.int64)
    codes, names = pd.factorize(frame["account_id"].astype("string"))
    alone = codes < 0
    codes = codes.astype(np.int64)
    codes[alone] = len(names) + np.arange(int(alone.sum()))
    return codes


def numbers(frame: pd.DataFrame, name: str) -> FloatArray:
    """Read a column as numbers, NaN where it is none or missing altogether."""
    if name not in frame:
        return np.full(len(frame), np.nan)
    values = frame[name]
    plain = pd.api.types.is_numeric_dtype(values.dtype)
    return _finite(values if plain else pd.to_numeric(values, errors="coerce"))


def days(frame: pd.DataFrame, name: str) -> FloatArray:
    """Read a column of dates as whole days since 1970, NaN where it is none."""
    if name not in frame:
        return np.full(len(frame), np.nan)
    return _days(frame[name])


def as_column(values: pd.Series, name: str) -> Column:
    """One feature by its kind.

    Parameters
    ----------
    values : Series
        As it stands in the table.
    name : str
        Of the column.

    Returns
    -------
    Column
        Numbers, dates (also those written as ISO text) or texts by code.
    """
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(object)
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return Column(name=name, kind="date", value=_days(values))
    if pd.api.types.is_bool_dtype(values.dtype) or pd.api.types.is_numeric_dtype(values.dtype):
        return Column(name=name, kind="number", value=_finite(values))
    seen = values.dropna().head(LOOKED_AT)
    if len(seen) and _all_dates(seen):
        return Column(name=name, kind="date", value=_days(values))
    if len(seen) and not any(isinstance(v, str) for v in seen):
        as_number = pd.to_numeric(seen, errors="coerce")
        if as_number.notna().all():
            return Column(
                name=name, kind="number", value=_finite(pd.to_numeric(values, errors="coerce"))
            )
    return _texts(values, name)


def _all_dates(seen: pd.Series) -> bool:
    text = seen.astype(str)
    return bool(text.str.match(ISO_DATE).all())


def _texts(values: pd.Series, name: str) -> Column:
    """Codes of texts, most frequent first, rare ones together."""
    text = values.astype(str).where(values.notna())
    counts = text.value_counts()
    levels = list(counts.index[:LEVELS])
    codes = pd.Index(levels).get_indexer(text)
    codes = np.where((codes < 0) & values.notna().to_numpy(), len(levels), codes)
    return Column(name=name, kind="text", value=codes.astype(float), levels=(*levels, "other"))


def _finite(values: pd.Series) -> FloatArray:
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "fiub":
        array = values.to_numpy(dtype=float, copy=True)
    else:
        array = np.array(values.astype("Float64").to_numpy(dtype=float, na_value=np.nan))
    array[~np.isfinite(array)] = np.nan
    return np.asarray(
        np.clip(array, -HUGE, HUGE), dtype=np.float64
    )  # so that squares can be added up


def _days(values: pd.Series) -> FloatArray:
    if isinstance(values.dtype, np.dtype) and values.dtype.kind == "M":
        whole = values.to_numpy().astype("datetime64[D]")
    else:
        stamps = pd.to_datetime(values, errors="coerce", utc=True, format="mixed")
        whole = stamps.to_numpy(dtype="datetime64[ns]").astype("datetime64[D]")
    found = whole.astype(np.int64).astype(float)
    found[np.isnat(whole)] = np.nan
    return found


def some_accounts(data: Audited, churned: int, stayed: int) -> Audited:
    """Rows of a sample of accounts that left, and of one of those that did not.

    Parameters
    ----------
    data : Audited
        Snapshots.
    churned, stayed : int
        Rows of both, about.

    Returns
    -------
    Audited
        The same where there are no more. Comparisons of one sample with the other hold.
    """
    left = np.zeros(int(data.account.max(initial=0)) + 1, dtype=bool)
    left[data.account[data.event]] = True
    gone = left[data.account]
    keep = np.where(gone, churned / max(int(gone.sum()), 1), stayed / max(int((~gone).sum()), 1))
    if (keep >= 1).all():
        return data
    drawn = np.random.default_rng(0).random(len(left))[data.account] < keep
    return replace(
        data,
        **{
            name: getattr(data, name)[drawn]
            for name in ("account", "cutoff", "age", "mrr", "after", "event")
        },
        columns=tuple(replace(c, value=c.value[drawn]) for c in data.columns),
    )
