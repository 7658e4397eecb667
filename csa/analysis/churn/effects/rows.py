"""Spells with their covariates as rows for a Cox regression, counted in the engine where possible.

Where all covariates are classes or whole numbers, one GROUP BY leaves a row per distinct pattern
and ages, with its count; fractions are fetched as they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.churn.effects.checks import AGES, Covariate, checked
from csa.analysis.churn.spells import NOT_STATED
from csa.errors import InputError
from csa.methods.cox.risk import FollowUp, follow_up

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

MOST_LEVELS = 100  # values of one text covariate: more are names, not classes


class Classes(NamedTuple):
    """Levels of a text column, and the place of each row's level among them."""

    levels: tuple[str, ...]
    codes: IntArray


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Rows:
    """Spells under observation, equal ones counted together."""

    entry: IntArray
    exit: IntArray
    event: BoolArray
    count: IntArray
    classes: dict[str, Classes]
    numbers: dict[str, FloatArray]
    strata: IntArray | None
    cluster: IntArray | None  # code of an account with several spells, else -1; None: not asked
    never_seen: int = 0
    entered_late: int = 0
    left_out: dict[str, int]  # spells left out for want of each number
    lacking: int = 0  # spells left out for want of any

    @property
    def n(self) -> int:
        """Spells."""
        return int(self.count.sum())

    @property
    def events(self) -> int:
        """Spells that ended in churn."""
        return int(self.count[self.event].sum())

    def take(self, keep: BoolArray | IntArray) -> "Rows":
        """Take some rows.

        Parameters
        ----------
        keep : ndarray of bool or int
            Rows to take.

        Returns
        -------
        Rows
            With the same levels.
        """
        return replace(
            self,
            entry=self.entry[keep],
            exit=self.exit[keep],
            event=self.event[keep],
            count=self.count[keep],
            classes={k: Classes(c.levels, c.codes[keep]) for k, c in self.classes.items()},
            numbers={k: x[keep] for k, x in self.numbers.items()},
            strata=None if self.strata is None else self.strata[keep],
            cluster=None if self.cluster is None else self.cluster[keep],
        )

    def follow_up(self) -> FollowUp:
        """Return times and events for the fit.

        Returns
        -------
        FollowUp
            With counts only where a row stands for several spells.
        """
        single = bool((self.count == 1).all())
        return follow_up(
            self.exit,
            self.event,
            entry=self.entry,
            strata=self.strata,
            count=None if single else self.count,
        )


def fetch_rows(
    spells: ir.Table | pd.DataFrame,
    *,
    covariates: Sequence[Covariate],
    strata: Sequence[str],
    robust: bool | None,
) -> Rows:
    """Count spells by covariates, ages and event, or fetch them one by one.

    Parameters
    ----------
    spells : ir.Table or DataFrame
        Spells with covariates.
    covariates : sequence of Covariate
        Columns to compare.
    strata : sequence of str
        Text columns within whose levels spells are compared.
    robust : bool or None
        Whether accounts with several spells are told apart; None: if there are any.

    Returns
    -------
    Rows
        Spells that were never seen, or lack a number, are left out and counted.

    Raises
    ------
    InputError
        With all that is wrong with the columns, or the ages.
    """
    table = checked(spells, covariates, strata)
    schema = table.schema()
    names = [c.name for c in covariates]
    picked: dict[str, Any] = {f"c{i}": _readable(table, name) for i, name in enumerate(names)}
    picked |= {f"s{i}": _readable(table, name) for i, name in enumerate(strata)}
    picked |= {name: table[name].cast(_AGE_TYPES[name]) for name in AGES}
    cluster = _cluster(table, robust)
    if cluster is not None:
        picked["cluster"] = cluster
    rows = table.select(**picked)
    if any(schema[name].is_floating() or schema[name].is_decimal() for name in names):
        rows = rows.mutate(n=ibis.literal(1))
    else:
        rows = rows.group_by(*picked).agg(n=ibis._.count())
    frame = rows.to_pyarrow().to_pandas(strings_to_categorical=True)
    _refuse_ages(frame)
    return _seen(frame, names, len(strata), clustered=cluster is not None or bool(robust))


_AGE_TYPES = {"entry_days": "int64", "exit_days": "int64", "event": "boolean"}


def _readable(table: ir.Table, name: str) -> ir.Value:
    """Text as it is, flags as words, numbers as floats where they are not whole."""
    dtype = table.schema()[name]
    column = table[name]
    if dtype.is_null():
        return column.cast("string")
    if dtype.is_boolean():
        return ibis.cases((column, "yes"), (~column, "no"))  # missing stays missing
    return column.cast("float64") if dtype.is_decimal() else column


def _cluster(table: ir.Table, robust: bool | None) -> ir.Value | None:  # noqa: FBT001
    """Tell accounts with several spells apart, others are missing; None: no need to."""
    if "account_id" not in table.schema():
        if robust:
            raise InputError("spells: column account_id is missing; robust errors are by account")
        return None
    if robust is False:
        return None
    if "spell" in table.schema():
        again = table.filter(table["spell"] > 1).select("account_id").distinct()
    else:
        again = table.group_by("account_id").agg(n=ibis._.count()).filter(ibis._.n > 1)
    if not again.limit(1).to_pyarrow().num_rows:
        return None
    account = table["account_id"]
    return ibis.ifelse(account.isin(again["account_id"]), account.hash(), ibis.null("int64"))


def _refuse_ages(frame: pd.DataFrame) -> None:
    """Raise for ages and events that are missing or impossible, all faults at once."""
    faults = []
    for name in ("exit_days", "entry_days"):
        if n := int(frame.loc[frame[name].isna() | (frame[name] < 0), "n"].sum()):
            faults.append(
                f"spells: {name} is missing or negative in {n} rows; correct or drop them"
            )
    if n := int(frame.loc[frame["event"].isna(), "n"].sum()):
        faults.append(f"spells: event is missing in {n} rows; it is true or false")
    if faults:
        raise InputError(*faults)


def _seen(frame: pd.DataFrame, names: list[str], strata: int, *, clustered: bool) -> Rows:
    """Split the frame into arrays; leave out what was never seen or lacks a number."""
    entry, exits = (frame[name].to_numpy(np.int64) for name in ("entry_days", "exit_days"))
    count = frame["n"].to_numpy(np.int64)
    classes, numbers = {}, {}
    for i, name in enumerate(names):
        column = frame[f"c{i}"]
        if isinstance(column.dtype, pd.CategoricalDtype):
            classes[name] = _classes(column)
        else:
            numbers[name] = column.to_numpy(np.float64)
    _refuse_levels(classes)
    unseen = (entry > 0) & (exits <= entry)
    unknown = {name: ~np.isfinite(x) & ~unseen for name, x in numbers.items()}
    rows = Rows(
        entry=entry,
        exit=exits,
        event=frame["event"].to_numpy(bool),
        count=count,
        classes=classes,
        numbers=numbers,
        strata=_codes([_classes(frame[f"s{i}"]) for i in range(strata)]),
        cluster=_cluster_codes(frame) if clustered else None,
        never_seen=int(count[unseen].sum()),
        left_out={name: n for name, x in unknown.items() if (n := int(count[x].sum()))},
    )
    lacking = np.any([np.zeros_like(unseen), *unknown.values()], axis=0)
    keep = ~unseen & ~lacking
    kept = rows if keep.all() else rows.take(keep)
    late = int(kept.count[kept.entry > 0].sum())
    return replace(kept, entered_late=late, lacking=int(count[lacking].sum()))


def _classes(column: pd.Series) -> Classes:
    """Levels in order, "not stated" where missing."""
    found = column.cat
    levels = [str(x) for x in found.categories]
    codes = np.asarray(found.codes, dtype=np.int64)
    if (codes < 0).any() and NOT_STATED not in levels:
        levels.append(NOT_STATED)
    if NOT_STATED in levels:
        codes = np.where(codes < 0, levels.index(NOT_STATED), codes)
    order = sorted(range(len(levels)), key=levels.__getitem__)
    rank = np.argsort(np.array(order, dtype=np.int64))
    return Classes(tuple(levels[k] for k in order), rank[codes] if len(codes) else codes)


def _refuse_levels(classes: dict[str, Classes]) -> None:
    faults = [
        f"spells: column {name} has {len(c.levels):,} values; bin it into at most "
        f"{MOST_LEVELS} classes"
        for name, c in classes.items()
        if len(c.levels) > MOST_LEVELS
    ]
    if faults:
        raise InputError(*faults)


def _codes(columns: list[Classes]) -> IntArray | None:
    """One code per combination of levels that occurs."""
    if not columns:
        return None
    key = np.zeros_like(columns[0].codes)
    for c in columns:
        key = np.unique(key * len(c.levels) + c.codes, return_inverse=True)[1].astype(np.int64)
    return key


def _cluster_codes(frame: pd.DataFrame) -> IntArray:
    """Give accounts with several spells a number from 0, others -1."""
    codes = np.full(len(frame), -1, np.int64)
    if "cluster" in frame:
        several = frame["cluster"].notna().to_numpy()
        numbers = frame.loc[several, "cluster"].to_numpy()
        codes[several] = np.unique(numbers, return_inverse=True)[1]
    return codes
