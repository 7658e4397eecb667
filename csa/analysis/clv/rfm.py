"""Recency, frequency and money of every customer: all that models of buyers need to know.

One pass over the roll-up of purchases gives calibration and holdout together, each as it was known
at its end: a refund of the holdout takes nothing from the calibration, because nobody knew of it.
Times are days divided by the length of a unit, so any unit will do and no period is partial.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from csa.analysis.clv.purchase_days import bought, came_later, customers, per_account
from csa.errors import InputError
from csa.methods.btyd.counts import BuyerCounts

FIRST_DAYS = 30  # newcomers of so many days are compared with those of later such stretches
CROWDED = 2.0  # so many times as many newcomers at the start: most are no newcomers
LASTING = 0.2  # of all customers come later: else it is a cohort, not a cut-off past
WAY_OUT = "take workspace.purchases(), or days with account_id, day and amount_minor"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rfm:
    """Customers with at least one purchase by the end of calibration, and what they did then.

    Attributes
    ----------
    customers : ir.Table
        One row per customer: `account_id`, the columns of `by`, `first_on`, `frequency` (purchase
        days after the first), `recency`, `age` (units), `mean_minor` (per repeat purchase day;
        missing without one), and with a holdout `recent_frequency` (repeat purchases in as many
        days before it), `holdout_frequency`, `holdout_minor`.
    table : DataFrame
        Customers counted: the columns of `by`, `frequency`, `recency_days`, `age_days`, `weight`.
    spend : DataFrame
        Repeat customers counted: the columns of `by`, `frequency`, `mean_minor`, `weight`.
    as_of, calibration_end : date
        Last day known, and last day of the calibration; equal without a holdout.
    unit_days : float
        Length of the unit, days.
    newcomers : DataFrame
        Who first bought in the holdout, unknown to any model: `customers`, `purchases`, `minor`.
    notes : tuple of str
        What a reader should know, in sentences.
    """

    customers: ir.Table
    table: pd.DataFrame
    spend: pd.DataFrame
    as_of: date
    calibration_end: date
    unit_days: float
    newcomers: pd.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def counts(self) -> BuyerCounts:
        """All customers, counted."""
        return self.counts_of(self.table)

    @property
    def horizon(self) -> float:
        """Length of the holdout, units."""
        return (self.as_of - self.calibration_end).days / self.unit_days

    def counts_of(self, rows: pd.DataFrame) -> BuyerCounts:
        """Count some of the customers.

        Parameters
        ----------
        rows : DataFrame
            Rows of `table`, for example those of one group.

        Returns
        -------
        BuyerCounts
            In the unit of this summary, on a grid of days.
        """
        return BuyerCounts(
            frequency=rows["frequency"].to_numpy(),
            recency=rows["recency_days"].to_numpy() / self.unit_days,
            age=rows["age_days"].to_numpy() / self.unit_days,
            weight=rows["weight"].to_numpy(dtype=np.float64),
            unit_days=self.unit_days,
            grid_days=1.0,
        ).compressed()


def rfm(
    purchases: ir.Table | pd.DataFrame,
    *,
    as_of: date,
    calibration_end: date | None = None,
    unit_days: float = 7.0,
    by: Sequence[str] = (),
) -> Rfm:
    """Summarise purchases by customer, for calibration and holdout in one pass.

    Parameters
    ----------
    purchases : ir.Table or DataFrame, one row per account and day
        `account_id`, `day`, `amount_minor`; and, to know refunds of the past from later ones, the
        other columns of the roll-up. Without `kind` every row is a purchase.
    as_of : date
        Last day known; the holdout ends with it.
    calibration_end : date, optional
        Last day of the calibration; without it everything is calibration.
    unit_days : float
        Length of the unit of time, days: 7 for weeks, 1/24 for hours, 365.25 / 12 for months.
    by : sequence of str
        Columns that tell groups of accounts apart.

    Returns
    -------
    Rfm
        Without any purchase, empty.

    Raises
    ------
    InputError
        If a column is missing, the calibration does not end before `as_of`, or the unit is no
        length of time.

    Notes
    -----
    Frequency is purchase days after the first, recency the time from the first to the last, age
    the time from the first to the end of calibration, all counted from day to day [1]_. The first
    purchase is left out of the mean, as models of spend require.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S., Lee, K. L. (2005). "Counting your customers" the easy
       way. Marketing Science 24(2), 275-284.
    """
    end = as_of if calibration_end is None else calibration_end
    table = _checked(purchases, as_of, end, unit_days, by)
    return summarised(bought(table, as_of, end), (end, as_of), unit_days=unit_days, by=by)


def summarised(
    days: ir.Table, borders: tuple[date, date], *, unit_days: float, by: Sequence[str] = ()
) -> Rfm:
    """Summarise days of purchases by customer.

    Parameters
    ----------
    days : ir.Table
        As `purchase_days.bought` gives them, one row per account and day.
    borders : tuple of date
        Last day of the calibration, and last day known.
    unit_days : float
        Length of the unit of time, days.
    by : sequence of str
        Columns that tell groups of accounts apart.

    Returns
    -------
    Rfm
        As `rfm` gives it.
    """
    end, as_of = borders
    seen = per_account(days, as_of, end, by).cache()
    known = customers(seen)
    table = _counted(known, by, ["frequency", "recency_days", "age_days"])
    spend = _counted(known.filter(known.frequency > 0), by, ["frequency", "mean_minor"])
    return Rfm(
        customers=_customers(known, by, unit_days, holdout=end < as_of),
        table=table,
        spend=spend,
        as_of=as_of,
        calibration_end=end,
        unit_days=float(unit_days),
        newcomers=came_later(seen).to_pandas(),
        notes=_notes(known),
    )


def _checked(
    purchases: ir.Table | pd.DataFrame,
    as_of: date,
    end: date,
    unit_days: float,
    by: Sequence[str],
) -> ir.Table:
    table = ibis.memtable(purchases) if isinstance(purchases, pd.DataFrame) else purchases
    needed = ("account_id", "day", "amount_minor", *by)
    faults = [
        f"purchases: column {name} is missing; {WAY_OUT}"
        for name in needed
        if name not in table.columns
    ]
    if end > as_of:
        faults.append(f"calibration_end {end} is after as_of {as_of}; move one of them")
    if not (np.isfinite(unit_days) and unit_days > 0):
        faults.append(f"unit_days is {unit_days}; give the length of the unit in days")
    if faults:
        raise InputError(*faults)
    return table


def _counted(rows: ir.Table, by: Sequence[str], figures: list[str]) -> pd.DataFrame:
    keys = [*by, *figures]
    frame: pd.DataFrame = rows.group_by(keys).agg(weight=rows.count()).to_pandas()
    return frame.sort_values(keys, ignore_index=True)


def _customers(known: ir.Table, by: Sequence[str], unit_days: float, *, holdout: bool) -> ir.Table:
    later = ("recent_frequency", "holdout_frequency", "holdout_minor") if holdout else ()
    # wide again: the engine multiplies 32 bits and a decimal literal in too few digits
    return known.select(
        *("account_id", *by, "first_on"),
        frequency=known.frequency.cast("int64"),
        recency=known.recency_days / unit_days,
        age=known.age_days / unit_days,
        mean_minor=known.mean_minor,
        **{name: known[name].cast("int64") for name in later},
    )


def _notes(known: ir.Table) -> tuple[str, ...]:
    """Whether the first purchases seen are those of old customers: a log that was cut off."""
    ages = known.group_by("age_days").agg(n=known.count()).to_pandas()
    if ages.empty:
        return ("no account has bought anything yet",)
    since = (ages["age_days"].max() - ages["age_days"]) // FIRST_DAYS
    per = ages["n"].groupby(since).sum().reindex(range(int(since.max()) + 1), fill_value=0)
    first, later = int(per.iloc[0]), per.iloc[1:]
    if len(later) < 2 or later.sum() < LASTING * per.sum() or first < CROWDED * later.mean():
        return ()
    return (
        f"{first:,} customers first bought in the first {FIRST_DAYS} days of the data, against "
        f"{later.mean():,.0f} in an average such stretch later: most of them are older customers "
        "whose earlier purchases are not in the data, so their frequency and age are too low",
    )
