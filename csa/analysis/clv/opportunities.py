"""Buyers with opportunities at fixed times: a monthly box, a yearly appeal.

Where nobody can buy twice in a period, periods are counted instead of days: in each, a customer
bought or did not. BG/BB is made for that; the models of purchases at any time are asked the same
question beside it. Periods are numbered as days from 1970-01-01, so that all that works with days
works with them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import ibis
import ibis.expr.types as ir

from csa.analysis.clv.buyers import HELD_BACK, BuyersResult, judged
from csa.analysis.clv.holdout import scorecard
from csa.analysis.clv.models import BG_BB, MODELS, BuyerModel
from csa.analysis.clv.purchase_days import bought
from csa.analysis.clv.rfm import summarised
from csa.errors import InputError

MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}  # of a period
EPOCH: Final = date(1970, 1, 1)
NEEDED: Final = ("account_id", "day", "amount_minor")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OpportunityBuyers:
    """Models of buyers with an opportunity in each period.

    Attributes
    ----------
    result : BuyersResult
        As `buyers` gives it, with periods for days: purchases are periods with one.
    opportunity : str
        "month", "quarter" or "year".
    crowded : float
        Share of periods with a purchase that had more than one; where it is not small, fixed times
        are the wrong picture.
    last_on : date
        Last day of the last whole period; what came later is left out.
    periods_held : int
        Periods held back.
    """

    result: BuyersResult
    opportunity: str
    crowded: float
    last_on: date
    periods_held: int


def buyers_by_opportunity(
    purchases: ir.Table,
    *,
    as_of: date,
    opportunity: str,
    periods_held: int | None = None,
    models: Sequence[BuyerModel] = (BG_BB, *MODELS),
) -> OpportunityBuyers:
    """Fit models to the periods in which customers bought, and choose one by those held back.

    Parameters
    ----------
    purchases : ir.Table
        The roll-up of purchases.
    as_of : date
        Last day known; a period that it cuts short is left out.
    opportunity : str
        How often there is one: "month", "quarter" or "year" of the calendar.
    periods_held : int, optional
        Last periods to hold back; default: the last third of the history.
    models : sequence of BuyerModel
        Models to compare; times are periods.

    Returns
    -------
    OpportunityBuyers
        Refunds take purchases away as they were known at the end of each summary.

    Raises
    ------
    InputError
        If a column is missing, the opportunity is unknown or no period can be held back.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S., Shang, J. (2010). Customer-base analysis in a
       discrete-time noncontractual setting. Marketing Science 29(6), 1086-1108.
    """
    _check(purchases, opportunity, periods_held)
    months = MONTHS[opportunity]
    last = _last_whole(as_of, months)
    slots = _slots(bought(purchases, _end(last, months), _end(last, months)), months)
    summary = summarised(slots, (_day(last), _day(last)), unit_days=1.0)
    oldest = int(summary.table["age_days"].max()) if len(summary.table) else 0
    held = int(oldest * HELD_BACK) if periods_held is None else min(periods_held, oldest)
    card = None
    if held:
        cut = last - held
        days = bought(purchases, _end(last, months), _end(cut, months))
        before = summarised(_slots(days, months), (_day(cut), _day(last)), unit_days=1.0)
        card = scorecard(before, models=models) if len(before.table) else None
    fits = {model.name: model.fit(summary.counts) for model in models}
    more = slots.agg(n=slots.count(), crowded=(slots.days > 1).sum()).to_pyarrow().to_pylist()[0]
    return OpportunityBuyers(
        result=judged(summary, fits, card),
        opportunity=opportunity,
        crowded=(more["crowded"] or 0) / max(more["n"], 1),
        last_on=_end(last, months),
        periods_held=held,
    )


def _check(purchases: ir.Table, opportunity: str, periods_held: int | None) -> None:
    faults = [
        f"purchases: column {name} is missing; take workspace.purchases()"
        for name in NEEDED
        if name not in purchases.columns
    ]
    if opportunity not in MONTHS:
        faults.append(f"opportunity {opportunity!r} is unknown; there are {', '.join(MONTHS)}")
    if periods_held is not None and periods_held < 1:
        faults.append(f"periods_held is {periods_held}; hold at least one period back")
    if faults:
        raise InputError(*faults)


def _slots(days: ir.Table, months: int) -> ir.Table:
    """Merge the days of an account and period; `days` says how many there were."""
    number = (days.day.year() * 12 + days.day.month() - 1 - EPOCH.year * 12) // months
    day = ibis.literal(EPOCH) + number.cast("int64").as_interval("D")
    return (
        days.mutate(day=day.cast("date"))
        .group_by("account_id", "day")
        .agg(
            left=lambda t: t.left.sum(),
            left_then=lambda t: t.left_then.sum(),
            days=lambda t: t.count(),
        )
    )


def _last_whole(as_of: date, months: int) -> int:
    """Find the last period that has ended by a day."""
    number = (as_of.year * 12 + as_of.month - 1 - EPOCH.year * 12) // months
    return number if _end(number, months) <= as_of else number - 1


def _day(number: int) -> date:
    return EPOCH + timedelta(days=number)


def _end(number: int, months: int) -> date:
    """Last day of a period."""
    after = EPOCH.year * 12 + (number + 1) * months
    return date(after // 12, after % 12 + 1, 1) - timedelta(days=1)
