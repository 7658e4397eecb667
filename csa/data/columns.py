"""How a canonical table is declared: its columns, key, references and time rules."""

from dataclasses import dataclass, field
from typing import Literal

STILL_HERE = "still a customer"  # why a spell without churn ends where the data end

Kind = Literal["id", "text", "date", "time", "money", "number", "integer", "flag"]

# Ibis types per kind. Times are naive, in the workspace's zone; money is exact.
IBIS_TYPES: dict[str, str] = {
    "id": "string",
    "text": "string",
    "date": "date",
    "time": "timestamp",
    "money": "decimal(18, 4)",
    "number": "float64",
    "integer": "int64",
    "flag": "boolean",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One canonical column.

    `known_by` names the date or time column from which on the value is known: the value is
    missing while that column lies after `as_of`. A date that is itself an outcome is known by
    itself. `planned` dates may lie in the future.
    """

    name: str
    kind: Kind
    meaning: str
    required: bool = False
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    known_by: str | None = None
    planned: bool = False

    @property
    def ibis_type(self) -> str:
        """Ibis type of the column as every reader gets it."""
        return IBIS_TYPES[self.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One canonical table.

    A row is invisible while `appears` (where missing: `appears_else`) lies after `as_of`; with
    `appears_when` = (column, value) only rows with that value are hidden, so that plans stay.
    `order` lists pairs (a, b) where a must not be after, or above, b. An `open` table keeps
    further columns of its source as attributes. `ledger` tables are written by the kit itself.
    """

    name: str
    row: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    appears: str | None = None
    appears_else: str | None = None
    appears_when: tuple[str, str] | None = None
    references: dict[str, str] = field(default_factory=dict)
    order: tuple[tuple[str, str], ...] = ()
    open: bool = False
    ledger: bool = False

    def column(self, name: str) -> Column | None:
        """Return the column called `name`, or None.

        Parameters
        ----------
        name : str
            Canonical column name.

        Returns
        -------
        Column or None
            None where the table does not declare it.
        """
        return next((c for c in self.columns if c.name == name), None)

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns without which the table cannot be used."""
        return tuple(c.name for c in self.columns if c.required)

    @property
    def money(self) -> tuple[str, ...]:
        """Names of the money columns."""
        return tuple(c.name for c in self.columns if c.kind == "money")
