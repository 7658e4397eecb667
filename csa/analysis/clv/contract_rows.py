"""Rows of spells in the engine: those at fault, and those of the customers of today."""

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from csa.analysis.clv.contract_terms import Cohorts

MONTH_16THS, DAY_16THS = 487, 16  # a month is 30.4375 days, in whole numbers
MONTH_DAYS = MONTH_16THS / DAY_16THS


_builtin = ibis.udf.scalar.builtin


def _hash(text: dt.string) -> dt.uint64:
    """Name a function of the engine."""


HASH = _builtin(_hash, name="hash")


def account_key(account_id: ir.StringValue) -> ir.IntegerValue:
    """Give accounts numbers, by which rows group and join faster than by text.

    Parameters
    ----------
    account_id : ir.StringValue
        Ids.

    Returns
    -------
    ir.IntegerValue
        64 bits: of ten million accounts two share a number once in 400,000 companies.
    """
    key: ir.IntegerValue = HASH(account_id)
    return key


def impossible(spells: ir.Table) -> dict[str, ir.BooleanValue]:
    """Say what a spell cannot be.

    Parameters
    ----------
    spells : ir.Table
        Checked spells.

    Returns
    -------
    dict of str to ir.BooleanValue
        What is wrong, and where.
    """
    running = spells.end_on.isnull()
    return {
        "account_id is missing": spells.account_id.isnull(),
        "start_on is missing": spells.start_on.isnull(),
        "entry_days is missing or negative": spells.entry_days.isnull() | (spells.entry_days < 0),
        "exit_days is missing or negative": spells.exit_days.isnull() | (spells.exit_days < 0),
        "event is missing": spells.event.isnull(),
        "mrr_minor is missing or negative": spells.mrr_minor.isnull() | (spells.mrr_minor < 0),
        "a running spell (no end_on) has event True": running & spells.event,
    }


def running(spells: ir.Table, cohort: Cohorts) -> ir.Table:
    """Accounts that are customers now, with what they pay, their age and signup cohort.

    Parameters
    ----------
    spells : ir.Table
        Checked spells.
    cohort : {"month", "quarter", "year"}
        Period of the first start of the account.

    Returns
    -------
    ir.Table
        `account_id`, `group`, `cohort` (number, see `cohort_label`), `age_months` (whole months
        of 30.4375 days since the start of the running spell), `mrr_minor`, `end_on` (missing).
    """
    each = spells.mutate(key=account_key(spells.account_id))  # numbers sort faster than text
    each = each.mutate(first_on=each.start_on.min().over(group_by="key"))
    here = each.filter(each.end_on.isnull())
    return here.select(
        "account_id",
        "group",
        cohort=cohort_number(here.first_on, cohort),
        age_months=(here.exit_days * DAY_16THS // MONTH_16THS).cast("int64"),
        mrr_minor=here.mrr_minor,
    )


def cohort_number(day: ir.DateValue, cohort: Cohorts) -> ir.IntegerValue:
    """Give the period of a day a number that sorts.

    Parameters
    ----------
    day : ir.DateValue
        Any day of the period.
    cohort : {"month", "quarter", "year"}
        Kind of period.

    Returns
    -------
    ir.IntegerValue
        Year × periods in a year + periods before it in the year.
    """
    year, month = day.year().cast("int64"), day.month().cast("int64")
    if cohort == "year":
        return year
    if cohort == "quarter":
        return year * 4 + (month - 1) // 3
    return year * 12 + month - 1
