"""Features of what accounts do and get: use, support, surveys, interventions."""

import ibis
import ibis.expr.types as ir

from csa.data.features.contract import MONTH_DAYS
from csa.data.features.rules import Feature, Mark
from csa.data.known import ROWS, Known, count

_RECENT, _BEFORE = 30, 90  # days that the trend compares
_USAGE_DAYS = _RECENT + _BEFORE
_LEAST_DAYS = 30  # shorter times as a customer give no rate of rare events
_ANSWER_DAYS = 14  # within which most answers to an invitation come


# use of the product ----------------------------------------------------------------------


def _uses(k: Known, first: int, last: int) -> ir.IntegerValue:
    """Count uses as a customer, `first` to `last` - 1 days ago."""
    since = (k.ago_days >= first) & (k.ago_days < last) & (k.ago_days <= k.age_days)
    return ibis.coalesce(k[ROWS].sum(where=since), 0).cast("float64")


def _per_day(k: Known) -> ir.FloatingValue:
    return _uses(k, 0, _RECENT) / ibis.least(_RECENT, k.age_days.max() + 1)


def _trend(k: Known) -> ir.FloatingValue:
    """Log ratio of uses per day, one use per 30 days added to both so that none has a value."""
    age = k.age_days.max()
    days = ibis.greatest(ibis.least(_BEFORE, age + 1 - _RECENT), _RECENT).cast("float64")
    recent = (_uses(k, 0, _RECENT) + 1) / _RECENT
    before = (_uses(k, _RECENT, _USAGE_DAYS) + days / _RECENT) / days
    return ibis.ifelse(age + 1 >= 2 * _RECENT, (recent / before).ln(), None)


def _adoption(k: Known) -> ir.FloatingValue:
    share = k["features_used_90"] / k["features_launched"].nullif(0)
    return ibis.ifelse(share > 1, 1.0, share)  # names that are no feature are used, too


USE = (
    Feature(
        name="usage_per_day_30",
        table="usage_events",
        meaning="uses per day over the last 30 days",
        unit="uses per day",
        raises="low",
        by=(),
        window_days=_RECENT,
        whole=True,
        value=_per_day,
    ),
    Feature(
        name="usage_trend",
        table="usage_events",
        meaning="uses per day of the last 30 days against the 90 before, as a log ratio",
        unit="log ratio",
        raises="low",
        by=(),
        window_days=_USAGE_DAYS,
        whole=True,
        value=_trend,
    ),
    Feature(
        name="days_since_use",
        table="usage_events",
        meaning=f"days since the last use ({_USAGE_DAYS} where it is longer ago)",
        unit="days",
        raises="high",
        by=(),
        window_days=_USAGE_DAYS,
        whole=True,
        value=lambda k: ibis.coalesce(k.ago_days.min(), _USAGE_DAYS),
    ),
    Feature(
        name="active_users_30",
        table="usage_events",
        meaning="people who used the product in the last 30 days",
        unit="users",
        raises="low",
        by=("user_id",),
        window_days=_RECENT,
        whole=True,
        value=lambda k: k["user_id"].nunique(where=k.ago_days < _RECENT),
    ),
    Feature(
        name="active_users_per_seat",
        table="usage_events",
        meaning="share of the seats used in the last 30 days",
        unit="users per seat",
        raises="low",
        window_days=_RECENT,
        of=("active_users_30", "seats"),
        value=lambda k: k["active_users_30"] / k["seats"].nullif(0),
    ),
    Feature(
        name="features_used_90",
        table="usage_events",
        meaning="features used in the last 90 days",
        unit="features",
        by=("feature",),
        window_days=90,
        whole=True,
        value=lambda k: k["feature"].nunique(where=k.ago_days < 90),
        step=True,
    ),
    Feature(
        name="features_launched",
        table="features",
        meaning="features launched by then",
        unit="features",
        columns=("feature", "launched_on"),
        value=lambda k: k["feature"].nunique(),
        step=True,
    ),
    Feature(
        name="adoption_90",
        table="usage_events",
        meaning="share of the launched features used in the last 90 days",
        unit="share",
        raises="low",
        window_days=90,
        of=("features_used_90", "features_launched"),
        value=_adoption,
    ),
)


# support ---------------------------------------------------------------------------------


def _tickets(k: Known) -> ir.FloatingValue:
    recent = count((k.ago_days < 90) & (k.ago_days <= k.age_days))
    days = ibis.greatest(ibis.least(90, k.age_days.max() + 1), _LEAST_DAYS)
    return recent.cast("float64") * MONTH_DAYS / days


SUPPORT = (
    Feature(
        name="tickets_per_month_90",
        table="tickets",
        meaning="support cases per month over the last 90 days",
        unit="cases per month",
        raises="high",
        window_days=90,
        whole=True,
        value=_tickets,
    ),
    Feature(
        name="escalations_180",
        table="tickets",
        meaning="support cases escalated in the last 180 days",
        unit="cases",
        raises="high",
        columns=("escalated_at",),
        window_days=180,
        whole=True,
        value=lambda k: count(k.ago("escalated_at") < 180),
    ),
    Feature(
        name="open_tickets",
        table="tickets",
        meaning="support cases that are open",
        unit="cases",
        raises="high",
        columns=("opened_at", "resolved_at"),
        value=lambda k: count(k["opened_at"].notnull() & k["resolved_at"].isnull()),
    ),
)


# surveys ---------------------------------------------------------------------------------

_ANSWER = ("kind", "answered_at", "score")


def _answered(k: Known) -> ir.BooleanValue:
    given = k["answered_at"].notnull() & k["score"].notnull()
    return (k["kind"].lower() == "nps") & given & (k.ago_days < 365)


def _last_answer(k: Known) -> ir.BooleanValue:
    """Whether the row is an answer of the last day with any."""
    ago = ibis.ifelse(_answered(k), k.ago("answered_at"), None)
    return ago == ago.min().over(**k.line())


def _silence(k: Known) -> ir.FloatingValue:
    asked = (k["kind"].lower() == "nps") & k["sent_at"].notnull()
    asked = asked & (k.ago_days >= _ANSWER_DAYS) & (k.ago_days < 180)
    return count(asked & k["answered_at"].isnull()) / count(asked).nullif(0)


LAST_ANSWER = Mark(name="last_answer", table="surveys", columns=_ANSWER, value=_last_answer)

SURVEYS = (
    Feature(
        name="nps_score",
        table="surveys",
        meaning="last answer to the recommendation question of the last year (0 to 10)",
        unit="points",
        raises="low",
        columns=_ANSWER,
        marks=(LAST_ANSWER,),
        bounded=True,
        window_days=365,
        value=lambda k: k["score"].mean(where=k["last_answer"]),
    ),
    Feature(
        name="nps_age_days",
        table="surveys",
        meaning="days since the last answer to the recommendation question",
        unit="days",
        columns=_ANSWER,
        bounded=True,
        window_days=365,
        value=lambda k: k.ago("answered_at").min(where=_answered(k)),
    ),
    Feature(
        name="nps_silence_180",
        table="surveys",
        meaning="share of the recommendation questions of the last 180 days left unanswered",
        unit="share",
        raises="high",
        columns=("kind", "sent_at", "answered_at"),
        bounded=True,
        window_days=180,
        value=_silence,
    ),
)


# interventions ---------------------------------------------------------------------------


def _previous_owner(k: Known) -> ir.StringValue:
    """Owner of the intervention before, those without an owner passed over."""
    line = k.line(order_by=["started_at", "intervention_id"], apart=k["owner"].isnull())
    return k["owner"].lag().over(**line)


def _owner_change(k: Known) -> ir.BooleanValue:
    changed = (k["owner"] != k["previous_owner"]) & (k.ago_days < 180)
    return ibis.ifelse(k["owner"].count() > 0, count(changed) > 0, None)


PREVIOUS_OWNER = Mark(
    name="previous_owner",
    table="interventions",
    columns=("owner", "started_at", "intervention_id"),
    value=_previous_owner,
)

INTERVENTIONS = (
    Feature(
        name="proactive_90",
        table="interventions",
        meaning="proactive interventions in the last 90 days",
        unit="interventions",
        columns=("kind",),
        window_days=90,
        whole=True,
        value=lambda k: count((k["kind"].lower() == "proactive") & (k.ago_days < 90)),
    ),
    Feature(
        name="owner_change_180",
        table="interventions",
        meaning="another owner than before, within the last 180 days",
        raises="high",
        columns=("owner",),
        marks=(PREVIOUS_OWNER,),
        window_days=180,
        value=_owner_change,
    ),
)
