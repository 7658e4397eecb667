"""Features of the contract: price, seats, plan, renewal, gaps, and who the account is."""

from datetime import date

import ibis
import ibis.expr.types as ir

from csa.data.features.rules import SPELLS, UNDATED, Feature, Mark
from csa.data.known import Known, count

MONTH_DAYS = 30.4375
YEAR_DAYS = 365.25
SEVERAL = "several"  # category of an account that has different ones at the same time
_NEVER = date(9999, 12, 31)
_SUBSCRIPTIONS = "subscriptions"
_TIMES = ("start_on", "end_on")


def in_force(k: Known, days_ago: int = 0) -> ir.BooleanValue:
    """Whether a subscription is in force.

    Parameters
    ----------
    k : Known
        Rows of subscriptions.
    days_ago : int
        So many days before the cut-off, at the earliest on the first day as a customer.

    Returns
    -------
    ir.BooleanValue
        True from its first day to the day before its end.
    """
    day = k.on(days_ago)
    return (k["start_on"] <= day) & (k["end_on"].isnull() | (k["end_on"] > day))


def _total(k: Known, column: str, days_ago: int = 0) -> ir.FloatingValue:
    return k[column].cast("float64").sum(where=in_force(k, days_ago))


def _seats_change(k: Known) -> ir.FloatingValue:
    return _total(k, "seats") / _total(k, "seats", 90).nullif(0) - 1


def _price_change(k: Known, column: str) -> ir.FloatingValue:
    now = _total(k, column) / _total(k, "seats").nullif(0)
    before = _total(k, column, 180) / _total(k, "seats", 180).nullif(0)
    return now / before.nullif(0) - 1


def _discount_ends(k: Known) -> ir.BooleanValue:
    ahead = -k.ago("discount_ends_on")
    return count(in_force(k) & (ahead > 0) & (ahead <= 90)) > 0


def _days_to_renewal(k: Known) -> ir.FloatingValue:
    """Days to the next renewal after the cut-off, whole periods from the renewal stated.

    A renewal that has passed comes again after each billing period (a year where that is not
    stated). One more than a year and a period ahead is brought nearer by whole years: sources that
    write the newest renewal over the older ones would else tell how long the account stayed.
    """
    stated = k["billing_months"].cast("float64") * MONTH_DAYS
    period = stated.fill_null(ibis.ifelse(k["renews_on"].notnull(), YEAR_DAYS, None))
    passed = ibis.ifelse(k["renews_on"].notnull(), k.ago("renews_on"), k.ago("start_on")).cast(
        "float64"
    )
    step = ibis.ifelse(passed < 0, ibis.greatest(period, YEAR_DAYS), period)
    folded = ((passed / step).floor() + 1) * step - passed
    near = (passed < 0) & (-passed <= step + 1)
    return ibis.ifelse(near, -passed, folded).min(where=in_force(k))


def _plan(k: Known) -> ir.StringValue:
    low, high = (f(where=in_force(k)) for f in (k["plan"].min, k["plan"].max))
    return ibis.ifelse(low != high, SEVERAL, low)


def _gap_days(k: Known) -> ir.IntegerValue:
    """Days without any subscription before the row; negative where another was in force."""
    line = k.line(order_by=["start_on"])
    ended = ibis.coalesce(k["end_on"], ibis.literal(_NEVER)).max().over(**line, rows=(None, -1))
    return k["start_on"].delta(ended, unit="day")


def _short_gaps(k: Known) -> ir.IntegerValue:
    return count((k["gap_days"] > 0) & (k["gap_days"] <= k.grace_days))


GAP = Mark(name="gap_days", table=_SUBSCRIPTIONS, columns=_TIMES, value=_gap_days)

CONTRACT = (
    Feature(
        name="age_days",
        table=SPELLS,
        meaning="days as a customer",
        unit="days",
        raises="low",
        value=lambda k: k["age_days"],
    ),
    Feature(
        name="spell_number",
        table=SPELLS,
        meaning="number of the time as a customer (above 1: came back)",
        raises="high",
        value=lambda k: k["spell"],
    ),
    Feature(
        name="seats",
        table=_SUBSCRIPTIONS,
        meaning="seats paid for",
        unit="seats",
        raises="low",
        columns=(*_TIMES, "seats"),
        value=lambda k: _total(k, "seats"),
    ),
    Feature(
        name="seats_change_90",
        table=_SUBSCRIPTIONS,
        meaning="change of the seats over the last 90 days, as a share",
        unit="share",
        raises="low",
        window_days=90,
        columns=(*_TIMES, "seats"),
        value=_seats_change,
    ),
    Feature(
        name="mrr",
        table=_SUBSCRIPTIONS,
        meaning="recurring revenue per month",
        unit="money per month",
        columns=(*_TIMES, "mrr"),
        value=lambda k: _total(k, "mrr"),
    ),
    Feature(
        name="price_change_180",
        table=_SUBSCRIPTIONS,
        meaning="change of what a seat costs over the last 180 days, as a share",
        unit="share",
        raises="high",
        window_days=180,
        columns=(*_TIMES, "mrr", "seats"),
        value=lambda k: _price_change(k, "mrr"),
    ),
    Feature(
        name="list_price_change_180",
        table=_SUBSCRIPTIONS,
        meaning="change of the list price of a seat over the last 180 days, as a share",
        unit="share",
        raises="high",
        window_days=180,
        columns=(*_TIMES, "list_mrr", "seats"),
        value=lambda k: _price_change(k, "list_mrr"),
    ),
    Feature(
        name="discount_ends_90",
        table=_SUBSCRIPTIONS,
        meaning="a discount ends within the next 90 days",
        raises="high",
        columns=(*_TIMES, "discount_ends_on"),
        value=_discount_ends,
    ),
    Feature(
        name="days_to_renewal",
        table=_SUBSCRIPTIONS,
        meaning="days to the next renewal",
        unit="days",
        raises="low",
        columns=_TIMES,
        either=("renews_on", "billing_months"),
        value=_days_to_renewal,
    ),
    Feature(
        name="yearly_billing",
        table=_SUBSCRIPTIONS,
        meaning="billed for a year or longer",
        raises="low",
        columns=(*_TIMES, "billing_months"),
        value=lambda k: k["billing_months"].max(where=in_force(k)) >= 12,
    ),
    Feature(
        name="short_gaps",
        table=_SUBSCRIPTIONS,
        meaning="short gaps in payment so far",
        unit="gaps",
        raises="high",
        columns=_TIMES,
        marks=(GAP,),
        value=_short_gaps,
    ),
    Feature(
        name="plan",
        table=_SUBSCRIPTIONS,
        meaning="plan",
        kind="text",
        columns=(*_TIMES, "plan"),
        value=_plan,
    ),
)


def _attribute(name: str, words: str) -> Feature:
    return Feature(
        name=name,
        table="accounts",
        meaning=f"{words} (as of today)",
        kind="text",
        columns=(name,),
        undated=True,
        value=lambda k: k[name].max(),
    )


PROFILE = tuple(
    _attribute(name, {"channel": "acquisition channel"}.get(name, name)) for name in UNDATED
)
