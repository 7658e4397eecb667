"""Rules about rows: each a condition that no row should meet, all of a table in one scan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

import ibis
import ibis.expr.types as ir
from ibis.backends import BaseBackend

Kind = Literal[
    "schema",
    "uniqueness",
    "reference",
    "range",
    "order",
    "duplicate",
    "contradiction",
    "missing",
    "freshness",
    "own",
]
Severity = Literal["error", "warning"]

EXAMPLES = 3
TOLERATED = 0.01  # share of rows at fault up to which the numbers of a large table still hold

# Columns on which every number of a table rests; a fault anywhere else is a warning.
# Tables not named here: their required columns, with TOLERATED.
_EXACT: Mapping[str, tuple[str, ...]] = {
    "accounts": ("account_id",),
    "subscriptions": ("subscription_id", "account_id", "start_on", "end_on", "mrr"),
    "transactions": ("transaction_id", "account_id", "occurred_at", "amount"),
    "cash_flows": ("initiative", "kind", "occurs_on", "amount"),
}
_ALSO: Mapping[str, tuple[str, ...]] = {"surveys": ("score",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check that was run: `failing` of `rows` rows are at fault, 0 where it passed.

    `examples` are up to three keys, with the value in brackets; `message` states the fault and
    `fix` the way out. An "error" would make numbers wrong, a "warning" is for the reader to know.
    """

    table: str
    column: str
    check: Kind
    severity: Severity
    failing: int
    rows: int
    examples: tuple[str, ...]
    message: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A condition that no row should meet; `shown` are columns whose values go with the key."""

    column: str
    check: Kind
    bad: ir.BooleanValue
    message: str
    fix: str
    shown: tuple[str, ...] = ()
    warning: bool = False  # never more than a warning, whatever the column


def severity(table: str, column: str, failing: int, rows: int, required: Sequence[str]) -> Severity:
    """Judge what a fault in a column means.

    Parameters
    ----------
    table, column : str
        Where the fault is; an empty column stands for the whole row.
    failing, rows : int
        Rows at fault, and all rows.
    required : sequence of str
        Required columns of the table.

    Returns
    -------
    {"error", "warning"}
        Error where numbers would be wrong: any fault in what carries money or lifetimes, in
        other tables more than `TOLERATED` of the rows in a required column.
    """
    if table in _EXACT:
        return "error" if column in _EXACT[table] else "warning"
    if column not in (*required, *_ALSO.get(table, ())):
        return "warning"
    return "error" if not failing or failing > TOLERATED * rows else "warning"


def count(
    rows: ir.Table, rules: Sequence[Rule], backend: BaseBackend, **others: ir.Scalar
) -> tuple[list[int], dict[str, Any]]:
    """Count the rows that meet each rule, and whatever else is asked for, in one scan.

    Parameters
    ----------
    rows : ir.Table
        The rows.
    rules : sequence of Rule
        Conditions over them.
    backend : BaseBackend
        Engine that holds them.
    **others : ir.Scalar
        Further aggregates.

    Returns
    -------
    tuple
        Counts in the order of the rules; the other aggregates by name.
    """
    counts = {f"rule_{i}": rows.count(where=rule.bad) for i, rule in enumerate(rules)}
    found = backend.to_pyarrow(rows.aggregate(**counts, **others)).to_pylist()[0]
    return [int(found.pop(name)) for name in counts], found


def examples(
    rows: ir.Table, rule: Rule, backend: BaseBackend, label: ir.StringValue
) -> tuple[str, ...]:
    """Fetch the first keys of rows that meet a rule.

    Parameters
    ----------
    rows : ir.Table
        The rows.
    rule : Rule
        The condition.
    backend : BaseBackend
        Engine that holds them.
    label : ir.StringValue
        What to call a row.

    Returns
    -------
    tuple of str
        As in: S-17 (-5).
    """
    shown = {f"value_{i}": rows[c] for i, c in enumerate(rule.shown)}
    bad = rows.select(label=label, bad=rule.bad, **shown).filter(lambda t: t.bad).drop("bad")
    first = backend.to_pyarrow(bad.distinct().order_by(*bad.columns).limit(EXAMPLES))
    found = []
    for row in first.to_pylist():
        name, *values = row.values()
        told = ", ".join(spelled(v) for v in values)
        found.append(f"{name} ({told})" if told else str(name))
    return tuple(found)


def label_of(rows: ir.Table, columns: Sequence[str]) -> ir.StringValue:
    """Call a row by its key.

    Parameters
    ----------
    rows : ir.Table
        The rows.
    columns : sequence of str
        Columns of the key.

    Returns
    -------
    ir.StringValue
        Parts joined by a slash.
    """
    parts = [rows[c].cast("string").fill_null("?") for c in columns]
    return ibis.literal("/").join(parts) if len(parts) > 1 else parts[0]


def spelled(value: object) -> str:
    """Write a value as a reader knows it.

    Parameters
    ----------
    value : object
        From the data.

    Returns
    -------
    str
        At most 40 characters.
    """
    if value is None:
        return "missing"
    if isinstance(value, Decimal):
        return f"{value:f}".rstrip("0").rstrip(".") if "." in f"{value:f}" else f"{value:f}"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, datetime):
        return value.isoformat(" ", "minutes")
    text = value.isoformat() if isinstance(value, date) else str(value)
    return text if len(text) <= 40 else text[:37] + "..."
