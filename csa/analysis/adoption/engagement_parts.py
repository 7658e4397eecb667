"""What an engagement score is made of: four properties of each account on a day."""

from dataclasses import dataclass
from datetime import date
from typing import Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.adoption.breadth import used_by_account
from csa.analysis.adoption.utilisation import people_and_seats, weekdays_before
from csa.analysis.adoption.windows import DAY, WEEKS, as_days

PARTS: Final = ("utilisation", "breadth", "depth", "recency")
LONG_AGO: Final = 90  # days without use: longer is as long
LONG_WEEKDAYS: Final = 64  # of these
TAIL: Final = 0.01  # of the reference accounts on either side that count as the outermost


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sources:
    """Where the parts come from: roll-ups, times as a customer, features launched."""

    days: ir.Table
    features: ir.Table
    customers: ir.Table
    licences: ir.Table | None
    launched: pd.DataFrame | None


def parts_on(sources: Sources, day: date) -> pd.DataFrame:
    """Measure the parts of the score of all customers of a day.

    Parameters
    ----------
    sources : Sources
        All use of these accounts.
    day : date
        Only what happened by then counts.

    Returns
    -------
    DataFrame
        One row per account that has been a customer for the 28 days up to `day`: `account_id`,
        `group`, `mrr_minor`, `utilisation` (people on business days over seats; missing without
        stated seats), `breadth` (share of launched features used in the last three whole months;
        missing where no feature is known), `depth` (days of use per active person of the 28 days,
        0 without any), `recency` (minus the business days since the last use, so that a weekend
        is no silence; 64 is the longest), `days_since_use` (of the last 90; missing: longer ago).
    """
    rows = _customers(sources.customers, day)
    used = _use(sources.days, day)
    made = rows.left_join(used, "account_id").drop("account_id_right")
    first = day - (WEEKS - 1) * DAY
    if sources.licences is not None:
        seats = people_and_seats(sources.days, sources.licences, {"now": (first, day)})
        seats = seats.select(
            "account_id", utilisation=seats.users_now.fill_null(0) / seats.seats_now
        )
        made = made.left_join(seats, "account_id").drop("account_id_right")
    else:
        made = made.mutate(utilisation=ibis.null("float64"))
    breadth, launched = used_by_account(sources.features, sources.launched, day)
    made = made.left_join(breadth, "account_id").drop("account_id_right")
    found: pd.DataFrame = made.to_pandas()
    share = found["features_used"].astype(float).fillna(0.0)
    people = found["people"].astype(float).fillna(0.0)
    return pd.DataFrame(
        {
            "account_id": found["account_id"],
            "group": found["group"],
            "mrr_minor": found["mrr_minor"].astype(float),
            "utilisation": found["utilisation"].astype(float),
            "breadth": share / launched if launched else np.nan,
            "depth": found["person_days"].astype(float).fillna(0.0) / people.clip(lower=1),
            "recency": -found["silent"].astype(float).fillna(LONG_WEEKDAYS),
            "days_since_use": found["days_since_use"].astype(float),
        }
    )


def ranked(values: pd.Series, reference: pd.Series) -> NDArray[np.float64]:
    """Rank values among those of a frozen population, 0 to 1.

    Parameters
    ----------
    values : Series
        To be ranked; missing stays missing.
    reference : Series
        Values of the population; those missing do not count.

    Returns
    -------
    ndarray
        Missing throughout where the population has no value.

    Notes
    -----
    F(x) = (number below x + half of those equal) / n, cut at 1 % and 99 % (winsorised) and
    stretched to 0 to 1, so that a single extreme account cannot set the scale.
    """
    known = np.sort(reference.dropna().to_numpy(float))
    x = values.to_numpy(float)
    if not len(known):
        return np.full(len(x), np.nan)
    below = np.searchsorted(known, x, side="left") + np.searchsorted(known, x, side="right")
    rank = (np.clip(below / (2 * len(known)), TAIL, 1 - TAIL) - TAIL) / (1 - 2 * TAIL)
    return np.where(np.isnan(x), np.nan, rank)


def _customers(customers: ir.Table, day: date) -> ir.Table:
    """Accounts in force on a day, and since 28 days."""
    at, since = ibis.literal(day), ibis.literal(day - (WEEKS - 1) * DAY)
    rows = customers.filter(
        customers.start_on <= since,
        customers.end_on.isnull() | (customers.end_on > at),  # noqa: PD003
    )
    return rows.group_by("account_id").agg(group=rows.group.max(), mrr_minor=rows.mrr_minor.max())


def _use(days: ir.Table, day: date) -> ir.Table:
    """Last use of each account, and its people's days of the last 28."""
    rows = as_days(days)
    rows = rows.filter(rows.day <= day, rows.day > day - LONG_AGO * DAY)
    recent = rows.day > day - WEEKS * DAY
    person = recent & rows.user_id.notnull()  # noqa: PD004
    one = rows.group_by("account_id").agg(
        last=rows.day.max(),
        people=rows.user_id.nunique(where=recent),
        person_days=rows.day.count(where=person),
        account_days=rows.day.nunique(where=recent),
    )
    # where events name nobody, the account is taken for one person
    nobody, one_day = one.people == 0, ibis.interval(days=1)
    return one.select(
        "account_id",
        people=ibis.ifelse(nobody, 1, one.people),
        person_days=ibis.ifelse(nobody, one.account_days, one.person_days),
        silent=weekdays_before(ibis.literal(day + DAY)) - weekdays_before(one["last"] + one_day),
        days_since_use=ibis.literal(day).delta(one["last"], unit="day"),
    )
