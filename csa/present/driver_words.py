"""Why a risk is high, in words: a phrase per feature and value, and what to do about it.

Features of one's own are told from what they declare, "<meaning>: <value>"; those of the kit
have phrases, because "use fell by 40% in 30 days" says more than a log ratio.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal, Protocol

from csa.present.names import clean, plural
from csa.present.words import MINUS, Words, known

NOT_KNOWN: Final = "not known"
_REMARK: Final = re.compile(r"( \([^)]*\)|, as a [a-z ]+)+$")
_OWN: Final[Mapping[str, str]] = {"age_days": "days as a customer"}  # in every model
_OWN_UNITS: Final[Mapping[str, str]] = {"age_days": "days"}
ALIKE: Final = 0.005  # changes below half a percent are none
ASK: Final = "Call and ask how things are going."

Phrase = Callable[[float, float, Words], str]


class FeatureLike(Protocol):
    """What a feature declares."""

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def meaning(self) -> str: ...  # noqa: D102

    @property
    def unit(self) -> str: ...  # noqa: D102

    @property
    def kind(self) -> str: ...  # noqa: D102

    @property
    def raises(self) -> Literal["high", "low"] | None: ...  # noqa: D102


def driver_phrase(
    feature: FeatureLike | None, name: str, value: Any, typical: Any, words: Words
) -> str:
    """Say the value of a feature as a reason.

    Parameters
    ----------
    feature : FeatureLike or None
        Its declaration; None where there is none.
    name : str
        Its name.
    value, typical : object
        Of the account, and of accounts on the whole; None is not known.
    words : Words
        Locale and currency.

    Returns
    -------
    str
        "renews in 12 days".
    """
    if not known(value):
        return _UNKNOWN.get(name, f"{meaning(feature, name)}: {NOT_KNOWN}")
    if name in _PHRASES and not isinstance(value, str):
        usual = float(typical) if known(typical) and not isinstance(typical, str) else math.nan
        return _PHRASES[name](float(value), usual, words)
    if isinstance(value, str):
        return f"{meaning(feature, name)} {clean(value)}"
    return f"{meaning(feature, name)}: {feature_value(feature, name, value, words)}"


def meaning(feature: FeatureLike | None, name: str) -> str:
    """Name a feature for readers.

    Parameters
    ----------
    feature : FeatureLike or None
        Its declaration.
    name : str
        Its name, where nothing is declared.

    Returns
    -------
    str
        In words, without remarks on how it is counted.
    """
    told = feature.meaning if feature is not None else _OWN.get(name, name.replace("_", " "))
    return _REMARK.sub("", told)


def feature_value(feature: FeatureLike | None, name: str, value: Any, words: Words) -> str:
    """Write the value of a feature with its unit.

    Parameters
    ----------
    feature : FeatureLike or None
        Its declaration.
    name : str
        Its name, where nothing is declared.
    value : object
        Number, text, or None.
    words : Words
        Locale and currency.

    Returns
    -------
    str
        "12 days", "45%", "yes", "Enterprise".
    """
    if not known(value):
        return NOT_KNOWN
    if isinstance(value, str):
        return clean(value)
    unit = feature.unit if feature is not None else _OWN_UNITS.get(name)
    number = float(value)
    if unit in _UNITS:
        return _UNITS[unit](number, words)
    if unit == "" and 0 <= number <= 1:  # yes or no, or how many of all are
        return {0.0: "no", 1.0: "yes"}.get(number, words.percent(number))
    return words.number(number, _digits(number))


def next_step(
    names: Iterable[str],
    features: Mapping[str, FeatureLike],
    values: Mapping[str, tuple[Any, Any]],
) -> str:
    """Say what to do about the strongest reason that somebody can do something about.

    Parameters
    ----------
    names : iterable of str
        Features that raise the risk, strongest first.
    features : mapping of FeatureLike
        Declarations by name.
    values : mapping of tuple
        Value and typical value by name.

    Returns
    -------
    str
        One sentence. A reason that stands the other way round than expected gives none.
    """
    for name in names:
        if name in _STEPS and _as_expected(features.get(name), *values[name]):
            return _STEPS[name]
    return ASK


def _as_expected(feature: FeatureLike | None, value: Any, typical: Any) -> bool:
    """Whether a value lies on the side of the typical one that should raise the risk."""
    if not known(value):
        return True
    if feature is None or feature.raises is None or not known(typical) or isinstance(value, str):
        return True
    return bool(value >= typical if feature.raises == "high" else value <= typical)


# phrases ---------------------------------------------------------------------------------


def _digits(number: float) -> int:
    """Digits of a small number that still says something."""
    size = abs(number)
    if size >= 10 or number.is_integer():
        return 0
    return 1 if size >= 1 else 2


def _by(ratio: float, words: Words) -> str:
    """Write a log ratio as a change."""
    change = math.expm1(ratio)
    return f"{'+' if change >= 0 else MINUS}{words.percent(abs(change))}"


def _moved(what: str, change: float, span: str, words: Words) -> str:
    if abs(change) < ALIKE:
        return f"{what} unchanged {span}"
    return f"{what} {'rose' if change > 0 else 'fell'} by {words.percent(abs(change))} {span}"


def _changed(what: str, days: int) -> Phrase:
    return lambda value, _, words: _moved(what, value, f"in {days} days", words)


def _counted(one: str, rest: str, many: str | None = None) -> Phrase:
    """Count whole things: "2 open support cases"."""

    def phrase(value: float, _: float, words: Words) -> str:
        shown = words.number(value, _digits(value)) if value else "no"
        return f"{shown} {plural(round(value) or 2, one, many)} {rest}".strip()

    return phrase


def _rate(rest: str) -> Phrase:
    """Give a rate beside the usual one."""

    def phrase(value: float, typical: float, words: Words) -> str:
        usual = f" (usual: {words.number(typical, _digits(typical))})" if known(typical) else ""
        return f"{words.number(value, _digits(value))} {rest}{usual}"

    return phrase


def _share(rest: str) -> Phrase:
    return lambda value, _, words: f"{words.percent(value)} {rest}"


def _either(true: str, false: str) -> Phrase:
    return lambda value, _, __: true if value else false


def _renews(value: float, _: float, words: Words) -> str:
    return "renews today" if value < 0.5 else f"renews in {words.days(value)}"


def _came_back(value: float, _: float, __: Words) -> str:
    return "came back after leaving" if value > 1 else "a customer for the first time"


_UNITS: Final[Mapping[str | None, Callable[[float, Words], str]]] = {
    "days": lambda number, words: words.days(number),
    "share": lambda number, words: words.percent(number),
    "users per seat": lambda number, words: words.percent(number),
    "money per month": lambda number, words: words.money(number),
    "log ratio": _by,
}
_UNKNOWN: Final[Mapping[str, str]] = {
    "nps_score": "no answer to the recommendation question for a year",
    "nps_age_days": "no answer to the recommendation question for a year",
    "nps_silence_180": "not asked for a recommendation in 180 days",
    "usage_trend": "too new for a trend of use",
    "owner_change_180": "no owner on record",
    "days_to_renewal": "no renewal on record",
}
_PHRASES: Final[Mapping[str, Phrase]] = {
    "age_days": lambda value, _, words: f"a customer for {words.days(value)}",
    "spell_number": _came_back,
    "seats": _counted("seat", ""),
    "seats_change_90": _changed("seats", 90),
    "mrr": lambda value, _, words: f"pays {words.money(value)} a month",
    "price_change_180": _changed("price per seat", 180),
    "list_price_change_180": _changed("list price per seat", 180),
    "discount_ends_90": _either("a discount ends within 90 days", "no discount is about to end"),
    "days_to_renewal": _renews,
    "yearly_billing": _either("billed by the year", "billed for less than a year"),
    "short_gaps": _counted("short gap", "in payment so far"),
    "usage_per_day_30": _rate("uses a day"),
    "usage_trend": lambda value, _, words: _moved("use", math.expm1(value), "in 30 days", words),
    "days_since_use": lambda value, _, words: (
        f"not used for {words.days(value)}" if value >= 1 else "used on the last day"
    ),
    "active_users_30": _rate("users in 30 days"),
    "active_users_per_seat": _share("of the seats used in 30 days"),
    "adoption_90": _share("of the features used in 90 days"),
    "tickets_per_month_90": _rate("support cases a month"),
    "escalations_180": _counted("case", "escalated in 180 days"),
    "open_tickets": _counted("open support case", ""),
    "nps_score": lambda value, _, words: (
        f"{words.number(value, _digits(value))} of 10 on recommending us"
    ),
    "nps_age_days": lambda value, _, words: f"last opinion given {words.days(value)} ago",
    "nps_silence_180": _share("of our surveys left unanswered in 180 days"),
    "proactive_90": _counted("proactive contact", "in 90 days"),
    "owner_change_180": _either("another owner within 180 days", "the same owner for 180 days"),
}
_USE: Final = "Call the people who use it: what has stopped them?"
_SURVEY: Final = "Ask what is behind the answer, and follow up on it."
_SILENT: Final = "Ask in person: the surveys went unanswered."
_SUPPORT: Final = "Clear the support cases, then call."
_PRICE: Final = "Explain the price, and what it buys, before the renewal."
_STEPS: Final[Mapping[str, str]] = {
    "usage_per_day_30": _USE,
    "usage_trend": _USE,
    "days_since_use": _USE,
    "active_users_30": "Offer training: few of their people use it.",
    "active_users_per_seat": "Offer training: paid seats stand idle.",
    "adoption_90": "Show the features that they do not use yet.",
    "days_to_renewal": "Open the renewal talk now, before it comes due.",
    "price_change_180": _PRICE,
    "list_price_change_180": _PRICE,
    "discount_ends_90": "Settle what follows when the discount ends.",
    "seats_change_90": "Ask why seats were given back.",
    "short_gaps": "Check the means of payment with them.",
    "tickets_per_month_90": _SUPPORT,
    "escalations_180": _SUPPORT,
    "open_tickets": _SUPPORT,
    "nps_score": _SURVEY,
    "nps_age_days": _SILENT,
    "nps_silence_180": _SILENT,
    "proactive_90": "Get in touch: nobody has of late.",
    "owner_change_180": "Let the new owner introduce themselves.",
    "age_days": "Check that the first steps with the product have worked.",
    "spell_number": "Ask whether what made them leave before has been settled.",
}
