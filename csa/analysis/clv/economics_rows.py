"""Rows in the engine for unit economics and for looking back."""

from datetime import date

import ibis
import ibis.expr.types as ir

from csa.analysis.clv.contract_rows import account_key, cohort_number
from csa.analysis.clv.contract_terms import Cohorts


def known_on(spells: ir.Table, months: ir.Table, cut: date) -> ir.Table:
    """Spells as they were known on a day.

    Parameters
    ----------
    spells, months : ir.Table
        Checked roll-ups of a later day.
    cut : date
        Last day known then, the last of a month.

    Returns
    -------
    ir.Table
        Later starts, ends and observation left out; `mrr_minor` of those running as paid then,
        and `left_on`, the day on which they left later.
    """
    month = cut.year * 12 + cut.month - 1
    then = months.filter(months.month == month).select(
        paying="account_id", paid_then=months.mrr_minor
    )
    some = spells.filter(spells.start_on <= cut)
    age = ibis.literal(cut).delta(some.start_on, unit="day").cast("int64")
    ended = (some.end_on <= cut).fill_null(ibis.literal(value=False))
    some = some.mutate(
        left_on=some.end_on,
        end_on=ibis.ifelse(ended, some.end_on, ibis.null("date")),
        exit_days=ibis.least(some.exit_days, age),
        event=some.event & ended,
    )
    joined = some.left_join(then, some.account_id == then.paying)
    paid = ibis.ifelse(
        joined.end_on.isnull(), joined.paid_then.fill_null(ibis.literal(0)), joined.mrr_minor
    )
    return joined.mutate(mrr_minor=paid).drop("paying", "paid_then")


def realised_sums(
    spells: ir.Table, months: ir.Table, *, cut: date, ahead: int, cohort: Cohorts
) -> ir.Table:
    """Sum what the customers of a day paid in the months that followed, until they left.

    Parameters
    ----------
    spells : ir.Table
        From `known_on`.
    months : ir.Table
        Checked months.
    cut : date
        The day.
    ahead : int
        Months that followed.
    cohort : {"month", "quarter", "year"}
        Period of the first start.

    Returns
    -------
    ir.Table
        `group`, `cohort`, `realised` (minor units), `kept` (the same months at the price of the
        day: what leaving alone would have left).
    """
    month = cut.year * 12 + cut.month - 1
    first = spells.start_on.min().over(group_by="account_id")
    each = spells.mutate(first_on=first)
    here = each.filter(each.end_on.isnull()).select(
        customer="account_id",
        group="group",
        cohort=cohort_number(each.first_on, cohort),
        gone=cohort_number(each.left_on, "month"),
        price="mrr_minor",
    )
    later = months.filter(months.month > month, months.month <= month + ahead)
    later = later.select("account_id", "month", "mrr_minor")
    both = here.inner_join(later, here.customer == later.account_id)
    stays = both.filter((both.month < both.gone) | both.gone.isnull())
    return stays.group_by("group", "cohort").agg(
        realised=stays.mrr_minor.sum().cast("float64"),
        kept=ibis.ifelse(stays.mrr_minor > 0, stays.price, 0).sum().cast("float64"),
    )


def observed_since(spells: ir.Table) -> ir.DateScalar:
    """Day from which all leavers were recorded, as far as spells tell.

    Parameters
    ----------
    spells : ir.Table
        Checked spells.

    Returns
    -------
    ir.DateScalar
        Missing where every spell was seen from its start.
    """
    late = spells.filter(spells.entry_days > 0)
    return (late.start_on + late.entry_days.as_interval("D")).cast("date").max()


def new_customers(spells: ir.Table, months: ir.Table) -> ir.Table:
    """First price and group of every account that became a customer.

    Parameters
    ----------
    spells, months : ir.Table
        Checked roll-ups.

    Returns
    -------
    ir.Table
        `customer` (hash of the account), `group`, `start_minor` (paid at the end of the first
        month; of an account that left before it, what it paid).
    """
    paying = months.filter(months.mrr_minor > 0, months.previous_minor == 0)
    first = paying.group_by(payer=account_key(paying.account_id)).agg(
        opening=paying.mrr_minor.argmin(paying.month)
    )
    each = spells.group_by(customer=account_key(spells.account_id)).agg(
        group=spells.group.arbitrary(), ending=spells.mrr_minor.argmin(spells.start_on)
    )
    both = each.left_join(first, each.customer == first.payer)
    return both.select(
        "customer", "group", start_minor=ibis.coalesce(both.opening, both.ending).cast("float64")
    )


def acquired(
    accounts: ir.Table, customers: ir.Table, *, by: str, since: date | None, cohort: Cohorts
) -> ir.Table:
    """Sum signups, customers, costs and first prices.

    Parameters
    ----------
    accounts : ir.Table
        `account_id`, `signed_up_on`, `acquisition_cost` and the column `by`.
    customers : ir.Table
        From `new_customers`.
    by : str
        Column of accounts, or "cohort".
    since : date or None
        First day of signup that counts.
    cohort : {"month", "quarter", "year"}
        Period of signup, where `by` is "cohort".

    Returns
    -------
    ir.Table
        `name` (text; missing where not stated), `group` (missing: no customer), sums.
    """
    label = cohort_number(accounts.signed_up_on, cohort) if by == "cohort" else accounts[by]
    some = accounts.select(
        key=account_key(accounts.account_id.cast("string")),  # numbers join faster than text
        name=label.cast("string"),
        signed_up_on=accounts.signed_up_on.cast("date"),
        cost=accounts.acquisition_cost.cast("float64"),
    )
    if since is not None:
        some = some.filter(some.signed_up_on >= since)
    both = some.left_join(customers, some.key == customers.customer)
    known = both.cost.notnull()
    cost, mrr = both.cost.fill_null(0.0), both.start_minor.fill_null(0.0)
    terms = {
        "cost": cost,
        "cost_square": cost * cost,
        "won_cost": ibis.ifelse(both.customer.notnull(), cost, 0.0),
        "mrr": ibis.ifelse(known, mrr, 0.0),
        "mrr_square": ibis.ifelse(known, mrr * mrr, 0.0),
        "cross": mrr * cost,
    }
    # decimals add up to the same whatever the order of the rows; floats do not
    exact = {name: term.cast("decimal(38,4)").sum() for name, term in terms.items()}
    return both.group_by("name", "group").agg(
        signups=both.count(),
        customers=(both.customer.notnull() & known).sum(),
        without_cost=(~known).sum(),
        **{name: total.cast("float64") for name, total in exact.items()},
    )
