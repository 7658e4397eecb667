"""Amounts in minor units as people read them."""

from babel import Locale
from babel.numbers import format_compact_currency, format_currency, get_currency_precision

from csa.present.words import Words, known

BRIEF = 1_000_000  # from here on a sentence needs no single unit of money
WHOLE = 100  # from here on it needs no minor units


def major(minor: float | None, words: Words) -> float | None:
    """Turn minor units, in which money is counted, into the units of the currency.

    Parameters
    ----------
    minor : float or None
        Cents of EUR, yen of JPY.
    words : Words
        Locale and currency.

    Returns
    -------
    float or None
        None where it is not known.
    """
    if minor is None or not known(float(minor)):
        return None
    precision: int = get_currency_precision(words.currency)
    return float(minor) / float(10**precision)


def minor(value: float, words: Words) -> float:
    """Turn units of the currency into minor units.

    Parameters
    ----------
    value : float
        Amount in units of the currency.
    words : Words
        Locale and currency.

    Returns
    -------
    float
        Cents of EUR, yen of JPY.
    """
    precision: int = get_currency_precision(words.currency)
    return float(value) * float(10**precision)


def decimals(words: Words) -> int:
    """Count the decimals of the currency.

    Parameters
    ----------
    words : Words
        Locale and currency.

    Returns
    -------
    int
        2 of EUR, 0 of JPY.
    """
    return int(get_currency_precision(words.currency))


def amount(minor: float | None, words: Words) -> str:
    """Format money inside a sentence: millions to one digit, else to the unit from 100 on.

    Parameters
    ----------
    minor : float or None
        Minor units.
    words : Words
        Locale and currency.

    Returns
    -------
    str
        "€14,300", "€2.6M", a dash where it is not known.
    """
    value = major(minor, words)
    if value is None or abs(value) < WHOLE:
        return words.money(value)
    locale = Locale.parse(words.locale.replace("-", "_"))
    if abs(value) >= BRIEF:
        return format_compact_currency(value, words.currency, locale=locale, fraction_digits=1)
    pattern = locale.currency_formats["standard"].pattern.replace(".00", "")
    return format_currency(
        value, words.currency, format=pattern, locale=locale, currency_digits=False
    )
