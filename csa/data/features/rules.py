"""What a feature is, and the rules that keep it from knowing too much."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import ibis.expr.types as ir

from csa.data.columns import Table
from csa.data.known import ROWS, Known
from csa.data.schema import TABLES
from csa.errors import InputError
from csa.settings_rules import did_you_mean

Value = Callable[[Known], ir.Value]  # expression of a feature

SPELLS = "spells"  # the roll-up: its facts about the past may be used, how it ended may not
SPELL_FACTS = ("age_days", "spell")
BASE = (  # columns of every snapshot
    "account_id",
    "cutoff_on",
    "age_days",
    "mrr_minor",
    "days_after",
    "event",
    "cause",
    "group",
)
UNDATED = ("segment", "industry", "region", "channel")  # attributes of accounts that may be used


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A column beside the rows known of a table, from a row and its neighbours.

    Parameters
    ----------
    name : str
        What features call it.
    table : str
        Canonical table.
    columns : tuple of str
        Columns of the table that it uses.
    value : callable
        From `Known` to a column; windows are allowed.
    """

    name: str
    table: str
    columns: tuple[str, ...]
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """A property of an account at a cut-off, made only from what was known then.

    Parameters
    ----------
    name : str
        Column of the snapshots.
    table : str
        Canonical table it comes from, or "spells".
    meaning : str
        In words, so that a sentence can say "... is 3".
    unit : str
        Of the value; empty for categories and yes or no (1 or 0).
    value : callable
        Expression over `Known`: aggregates the rows known of an account (or, with `of`, combines
        other features).
    columns : tuple of str
        Columns of the table that it uses; all others are out of reach.
    either : tuple of str
        Columns of which one has to be there; the others are missing in every row.
    by : tuple of str or None
        Read by days and these columns instead of row by row; then `bounded`.
    bounded : bool
        Rows that appeared before the window are not read, unless a feature that is made from the
        same rows needs older ones; the expression keeps to its window with `ago_days`.
    marks : tuple of Mark
        Columns made beside the rows first.
    of : tuple of str
        Features that it is computed from; then nothing else is read.
    raises : {"high", "low"} or None
        Which values are expected to raise the risk; None: no expectation.
    window_days : int or None
        Days up to the cut-off that it looks at; None: all.
    whole : bool
        Missing where the table does not reach back over the whole window: nothing recorded is
        not nothing happened.
    kind : {"number", "text"}
        Text is a category.
    undated : bool
        From an attribute of accounts as it is today, since nobody dated it.
    step : bool
        Only made for other features, no column of the snapshots.
    """

    name: str
    table: str
    meaning: str
    value: Value
    unit: str = ""
    columns: tuple[str, ...] = ()
    either: tuple[str, ...] = ()
    by: tuple[str, ...] | None = None
    bounded: bool = False
    marks: tuple[Mark, ...] = ()
    of: tuple[str, ...] = ()
    raises: Literal["high", "low"] | None = None
    window_days: int | None = None
    whole: bool = False
    kind: Literal["number", "text"] = "number"
    undated: bool = False
    step: bool = False

    @property
    def reads(self) -> tuple[str, ...]:
        """All columns of the table that it may reach, those of its marks included."""
        if self.of or self.table not in TABLES:
            return ()
        own = (
            *self.columns,
            *self.either,
            *(self.by or ()),
            *(c for m in self.marks for c in m.columns),
        )
        late = (TABLES[self.table].column(c) for c in own)
        days = [c.known_by for c in late if c is not None and c.known_by is not None]
        return tuple(dict.fromkeys((*own, *days)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Usable:
    """The features that can be made, and why the others cannot (feature to reason)."""

    features: tuple[Feature, ...]
    left_out: Mapping[str, str]


def undated(table: Table, column: str) -> bool:
    """Whether a column of a table does not tell since when it has its value.

    Parameters
    ----------
    table : Table
        Its declaration.
    column : str
        Declared or an attribute of an open table.

    Returns
    -------
    bool
        A row of an open table describes what is; of other tables, what happened on its day.
    """
    if table.appears is None:
        return True
    if column in {*table.key, table.appears, table.appears_else}:
        return False
    declared = table.column(column)
    return declared is None or (table.open and declared.known_by is None)


def refusal(feature: Feature) -> Callable[[str], InputError]:
    """Return what makes the error for a column that a feature reaches for but may not use.

    Parameters
    ----------
    feature : Feature
        Its declaration.

    Returns
    -------
    callable
        From a column to the error.
    """

    def refuse(column: str) -> InputError:
        if feature.of:
            return InputError(f"{_of(feature)} reaches for {column}; name it in its `of`")
        if feature.table == SPELLS:
            return InputError(_about_spells(feature, column))
        told = _fault_of_column(feature, column) or (
            f"{_of(feature)} reaches for {feature.table}.{column}, which it does not declare; "
            "add it to its columns"
        )
        return InputError(told)

    return refuse


def check_features(features: Sequence[Feature]) -> None:
    """Refuse features that could know what came later, and such that clash.

    Parameters
    ----------
    features : sequence of Feature
        In any order.

    Raises
    ------
    InputError
        With all faults.
    """
    names = [f.name for f in features]
    twice = sorted({n for n in names if names.count(n) > 1})
    faults = [f'two features are called "{name}"; rename one' for name in twice]
    for feature in features:
        if feature.name in BASE and not (feature.table == SPELLS or feature.step):
            faults.append(
                f'{_of(feature)}: every snapshot has a column "{feature.name}"; rename it'
            )
        unknown = [name for name in feature.of if name not in names]
        faults += [f'{_of(feature)} is made of "{name}", which is no feature' for name in unknown]
        faults += _faults(feature)
    if faults:
        raise InputError(*faults)


def usable(
    features: Sequence[Feature],
    have: Mapping[str, Collection[str]],
    refused: Mapping[str, str] | None = None,
) -> Usable:
    """Tell features that can be made from those whose table or columns are absent.

    Parameters
    ----------
    features : sequence of Feature
        Those of which others are made come first.
    have : mapping of str to collection of str
        Columns of each table that is there.
    refused : mapping of str to str, optional
        Why tables are not there.

    Returns
    -------
    Usable
        In the same order.
    """
    found: dict[str, Feature] = {}
    out: dict[str, str] = {}
    for feature in features:
        reason = _absent(feature, have, refused or {}, out)
        if reason is None:
            found[feature.name] = feature
        else:
            out[feature.name] = reason
    steps = {f.name for f in features if f.step}
    return Usable(
        features=tuple(found.values()),
        left_out={name: reason for name, reason in out.items() if name not in steps},
    )


def _absent(
    feature: Feature,
    have: Mapping[str, Collection[str]],
    refused: Mapping[str, str],
    out: Mapping[str, str],
) -> str | None:
    if feature.of:
        return next((out[name] for name in feature.of if name in out), None)
    if feature.table == SPELLS:
        return None
    if feature.table not in have:
        return refused.get(feature.table, f"the table {feature.table} is missing")
    there = have[feature.table]
    lacking = [c for c in feature.reads if c not in there and c not in feature.either]
    if lacking:
        return f"{feature.table} has no {' and no '.join(lacking)}"
    if feature.either and not any(c in there for c in feature.either):
        return f"{feature.table} has neither {' nor '.join(feature.either)}"
    return None


def _faults(feature: Feature) -> list[str]:
    if feature.of or feature.table == SPELLS:
        return []
    if feature.table not in TABLES:
        hint = did_you_mean(feature.table, TABLES) or "; docs/tables.md lists the tables"
        return [f'{_of(feature)}: there is no table "{feature.table}"{hint}']
    table = TABLES[feature.table]
    if table.appears is None:
        return [f"{_of(feature)}: rows of {table.name} have no date, so nobody knows since when"]
    faults = [told for c in feature.reads if (told := _fault_of_column(feature, c)) is not None]
    for name in feature.by or ():
        column = table.column(name)
        if column is not None and column.known_by is not None:
            faults.append(
                f"{_of(feature)} is read by {feature.table}.{name}, which becomes known later "
                "than the row; read it row by row"
            )
    if (feature.bounded or feature.by is not None) and feature.window_days is None:
        faults.append(f"{_of(feature)} is read over a window but has none; give it window_days")
    return faults


def _fault_of_column(feature: Feature, column: str) -> str | None:
    """Say why a feature may not use a column; None where it may."""
    table = TABLES[feature.table]
    if column == ROWS and feature.by is not None:
        return None
    if table.column(column) is None and not table.open:
        hint = did_you_mean(column, [c.name for c in table.columns])
        return f'{_of(feature)}: {table.name} has no column "{column}"{hint}'
    if not undated(table, column) or (feature.undated and column in UNDATED):
        return None
    told = f"{_of(feature)} uses {table.name}.{column}, which holds today's value without a date"
    if column in UNDATED:
        return (
            f"{told}; if it never changes, declare the feature undated=True, so that pages say "
            "that it is as of today"
        )
    return (
        f"{told}: at an earlier cut-off it would tell what happened later (an account that was "
        "saved, moved or handed over since). Take it from a table that dates it (subscriptions "
        "for the plan, interventions for the owner); undated attributes are allowed only for "
        f"{', '.join(UNDATED)}"
    )


def _about_spells(feature: Feature, column: str) -> str:
    return (
        f"{_of(feature)} reaches for {column} of spells, which tells how the time as a customer "
        f"went on after the cut-off; of spells only {' and '.join(SPELL_FACTS)} were known"
    )


def _of(feature: Feature) -> str:
    return f'feature "{feature.name}"'
