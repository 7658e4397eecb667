"""What one row of a canonical table must look like, from its declaration and beyond it."""

from collections.abc import Callable, Collection, Iterator
from datetime import date

import ibis
import ibis.expr.types as ir

from csa.data.columns import Column, Table
from csa.data.quality.rules import Rule

_FIRST_DAY, _EPOCH, _LAST_DAY = date(1900, 1, 2), date(1970, 1, 1), date(2200, 1, 1)
_SCALES = {"csat": (1, 5), "ces": (1, 7)}  # nps 0 to 10 is the range of the column


def rules_of(table: Table, rows: ir.Table, mapped: Collection[str]) -> list[Rule]:
    """Return the rules for the rows of a table.

    Parameters
    ----------
    table : Table
        Its declaration.
    rows : ir.Table
        Canonical columns.
    mapped : collection of str
        Columns that can hold a value; the others are not judged.

    Returns
    -------
    list of Rule
        Missing, range, choices, placeholder dates, order, and those of the table's own.
    """
    rules = [r for c in table.columns if c.name in mapped for r in _of_column(c, rows)]
    for first, second in table.order:
        if {first, second} <= set(mapped):
            rules.append(_order(first, second, rows))
    for needed, made in _OWN.get(table.name, ()):
        if needed <= set(mapped):
            rules.append(made(rows))
    return rules


def _of_column(column: Column, rows: ir.Table) -> Iterator[Rule]:
    value = rows[column.name]
    if column.required:
        yield Rule(
            column=column.name,
            check="missing",
            bad=value.isnull(),
            message=f"{column.name} is missing",
            fix=f"fill {column.name} in the source, or leave these rows out with where",
        )
    if column.low is not None or column.high is not None:
        yield _range(column, value)
    if column.choices:
        told = ", ".join(column.choices)
        yield Rule(
            column=column.name,
            check="range",
            bad=value.notnull() & ~value.isin(column.choices),
            message=f"{column.name} is none of {told}",
            fix=f"write {told} in the source, or translate the values with query",
            shown=(column.name,),
        )
    if column.kind in {"date", "time"}:
        yield _placeholder(column, value)


def _range(column: Column, value: ir.NumericValue) -> Rule:
    low, high = column.low, column.high
    bad = ibis.literal(value=False)
    if low is not None:
        bad = bad | (value < _bound(low))
    if high is not None:
        bad = bad | (value > _bound(high))
    outside = f"is below {low:g}" if high is None else f"is not between {low:g} and {high:g}"
    return Rule(
        column=column.name,
        check="range",
        bad=bad,
        message=f"{column.name} {outside}",
        fix="correct the values in the source, or leave these rows out with where",
        shown=(column.name,),
    )


def _bound(number: float) -> float | int:
    return int(number) if number == int(number) else number


def _placeholder(column: Column, value: ir.Value) -> Rule:
    day = value.cast("date")
    early, late = day < ibis.literal(_FIRST_DAY), day >= ibis.literal(_LAST_DAY)
    return Rule(
        column=column.name,
        check="range",
        bad=early | late | (day == ibis.literal(_EPOCH)),
        message=f"{column.name} is no real day: before 1900, after 2199, or 1970-01-01",
        fix="leave the value empty in the source where the day is not known",
        shown=(column.name,),
    )


def _order(first: str, second: str, rows: ir.Table) -> Rule:
    before, after = rows[first], rows[second]
    if before.type().is_date() != after.type().is_date() and before.type().is_temporal():
        before, after = before.cast("timestamp"), after.cast("timestamp")
    temporal = before.type().is_temporal()
    return Rule(
        column=second,
        check="order",
        bad=before > after,
        message=f"{second} is {'before' if temporal else 'below'} {first}",
        fix=f"correct {first} or {second} in the source; they may be mapped the wrong way round",
        shown=(first, second),
    )


# beyond the declaration ------------------------------------------------------------------------


def _not_paid(rows: ir.Table) -> Rule:
    return Rule(
        column="mrr",
        check="range",
        bad=rows.mrr == 0,
        message="mrr is 0: these rows do not make an account a customer",
        fix="nothing, where they are trials or free plans; else state what is paid",
        warning=True,
    )


def _no_day(rows: ir.Table) -> Rule:
    return Rule(
        column="end_on",
        check="order",
        bad=rows.end_on == rows.start_on,
        message="end_on is the day of start_on: the row is in force on no day and is not counted",
        fix="end_on is the first day no longer paid; add a day in query if it is the last paid one",
        shown=("start_on",),
        warning=True,
    )


def _above_list(rows: ir.Table) -> Rule:
    return Rule(
        column="list_mrr",
        check="order",
        bad=rows.list_mrr < rows.mrr,
        message="list_mrr is below mrr, so the discount is negative",
        fix="map the price before discount to list_mrr and the one after it to mrr",
        shown=("list_mrr", "mrr"),
        warning=True,
    )


def _off_scale(rows: ir.Table) -> Rule:
    bad = (rows.kind == "nps") & (rows.score != rows.score.floor())
    for kind, (low, high) in _SCALES.items():
        bad = bad | ((rows.kind == kind) & ~rows.score.between(low, high))
    return Rule(
        column="score",
        check="range",
        bad=bad,
        message="score is off the scale of its kind: nps 0 to 10, csat 1 to 5, ces 1 to 7",
        fix="bring the scores to these scales with query",
        shown=("kind", "score"),
    )


def _no_answer(rows: ir.Table) -> Rule:
    return Rule(
        column="answered_at",
        check="contradiction",
        bad=rows.score.notnull() & rows.answered_at.isnull(),
        message="there is a score, but answered_at is missing",
        fix="map the time of the answer to answered_at; without it the score has no period",
        warning=True,
    )


def _no_sending(rows: ir.Table) -> Rule:
    return Rule(
        column="sent_at",
        check="missing",
        bad=rows.sent_at.isnull() & rows.answered_at.isnull(),
        message="both sent_at and answered_at are missing, so the row belongs to no day",
        fix="map at least one of them",
        warning=True,
    )


_OWN: dict[str, tuple[tuple[frozenset[str], Callable[[ir.Table], Rule]], ...]] = {
    "subscriptions": (
        (frozenset({"mrr"}), _not_paid),
        (frozenset({"start_on", "end_on"}), _no_day),
        (frozenset({"list_mrr", "mrr"}), _above_list),
    ),
    "surveys": (
        (frozenset({"kind", "score"}), _off_scale),
        (frozenset({"score", "answered_at"}), _no_answer),
        (frozenset({"sent_at"}), _no_sending),
    ),
}
