"""Words with which a workspace refuses numbers that would be wrong, and what would do."""

from collections.abc import Sequence

import ibis.expr.types as ir

from csa.data.quality import Check
from csa.errors import InputError
from csa.settings import FILE
from csa.settings_rules import did_you_mean

_SHOWN = 5  # failing checks in a message

_SUBSCRIPTIONS = (
    "data:",
    "  tables:",
    "    subscriptions: {file: FILE.csv, columns: {subscription_id: ID, account_id: CUSTOMER,",
    "      start_on: FIRST_DAY, end_on: FIRST_DAY_NOT_PAID, mrr: PRICE_PER_MONTH}}",
)


def no_contract(*, purchases: bool) -> tuple[str, ...]:
    """Say why churn is refused without subscriptions, and what to add.

    Parameters
    ----------
    purchases : bool
        Whether there are transactions instead.

    Returns
    -------
    tuple of str
        Lines of an error.
    """
    why = "churn needs subscriptions: only a contract tells on which day a customer has left."
    if purchases:
        why += " Without one a customer just stops buying; the CLV chapter estimates who has."
    return (why, f"Where there are contracts, add to {FILE}:", *_SUBSCRIPTIONS)


def blocked(table: str, errors: Sequence[Check]) -> tuple[str, ...]:
    """Say which failing checks make the numbers of a table wrong.

    Parameters
    ----------
    table : str
        Canonical table.
    errors : sequence of Check
        Those that fail.

    Returns
    -------
    tuple of str
        Lines of an error.
    """
    lines = [f"{table} has rows at fault that would make its numbers wrong:"]
    for check in errors[:_SHOWN]:
        count = f"{check.failing:,} of {check.rows:,} rows" if check.rows else "no rows"
        told = f", for example {', '.join(check.examples)}" if check.examples else ""
        lines.append(f"{check.message} ({count}{told}); {check.fix}")
    if len(errors) > _SHOWN:
        lines.append(f"{len(errors) - _SHOWN} more; csa check lists all")
    return tuple(lines)


def unobserved(tables: Sequence[str]) -> tuple[str, ...]:
    """Say why survival is refused without a start of observation, and what to add.

    Parameters
    ----------
    tables : sequence of str
        Those that are silent about it.

    Returns
    -------
    tuple of str
        Lines of an error.
    """
    return (
        f"{FILE} does not say since when leaving accounts have been recorded "
        f"(observed_from of {' and '.join(tables)}), so survival is refused. Accounts that left "
        "before that day are in no table; to count the others from their first day would make "
        "customers look more loyal than they are (left truncation).",
        f"Add to {FILE} the first day from which on every account that left is in the data, or "
        "always:",
        "data:",
        "  tables:",
        *(f"    {table}: {{observed_from: 2022-01-01}}" for table in tables),
    )


def require_column(by: str, columns: Sequence[str], mapped: Sequence[str]) -> None:
    """Refuse a column to split by that accounts do not have.

    Parameters
    ----------
    by : str
        Column asked for.
    columns, mapped : sequence of str
        Columns that there are, and those that can hold a value.

    Raises
    ------
    InputError
        With the columns that there are.
    """
    if by not in columns:
        hint = did_you_mean(by, mapped) or f"; there are {', '.join(mapped)}"
        raise InputError(f'accounts have no column "{by}" to split by{hint}')


def require_segment(segment: str, accounts: ir.Table) -> None:
    """Refuse a segment in which there is no account.

    Parameters
    ----------
    segment : str
        Segment asked for.
    accounts : ir.Table
        The roll-up `accounts`.

    Raises
    ------
    InputError
        With the segments that there are.
    """
    found = accounts.select("segment").distinct().limit(1000).to_pyarrow()["segment"]
    names = sorted(n for n in found.to_pylist() if n is not None)
    if segment not in names:
        known = ", ".join(names[:12]) or "none"
        hint = did_you_mean(segment, names) or f"; there are {known}"
        raise InputError(f'no account is in segment "{segment}"{hint}')
