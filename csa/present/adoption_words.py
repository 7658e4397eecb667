"""Sentences that findings on adoption share."""

from typing import Any, Final

from csa.present.items import Finding, Kind, Measure
from csa.present.judge import moved
from csa.present.names import capital, plural
from csa.present.phrases import against, number
from csa.present.words import THIN, Words

SMALL: Final = 0.0005  # a change below this is none to a reader


def row_measure(row: Any, metric_id: str, unit: str, **more: Any) -> Measure:
    """Take a measure out of a row of a result.

    Parameters
    ----------
    row : Series
        `value`, `ci_low`, `ci_high`, `previous`, `change`, `change_low`, `change_high`, `n`.
    metric_id : str
        As in csa.yml.
    unit : str
        As in `csa.present.items.Measure`.
    **more : object
        `confidence`, `method`, `better`, and what replaces a column.

    Returns
    -------
    Measure
        Unknown cells are None.
    """
    names = ("value", "previous", "change", "change_low", "change_high")
    cells: dict[str, Any] = {name: number(row[name]) for name in names}
    cells |= {"low": number(row["ci_low"]), "high": number(row["ci_high"]), "n": int(row["n"])}
    return Measure(metric_id=metric_id, unit=unit, **{**cells, **more})


def since_before(measure: Measure, words: Words, before: str) -> str:
    """Say how a measure changed, to end a sentence.

    Parameters
    ----------
    measure : Measure
        With its change, in its own unit.
    words : Words
        Locale and currency.
    before : str
        What it is compared with, as "the 28 days before".

    Returns
    -------
    str
        ", up 0.4 points since the 28 days before"; empty where the change is not known.
    """
    if measure.change is None:
        return ""
    share = measure.unit == "share"
    size = abs(measure.change)
    text = f"{words.points(size)} points" if share else words.number(size, 1)
    if size < (SMALL if share else 0.05):
        return f", as in {before}"
    return f", {'up' if measure.change > 0 else 'down'} {text} since {before}"


def how_sure(measure: Measure, words: Words, *, of: str = "account", why: str = "") -> str:
    """Say what makes a figure real: its interval, number and change.

    Parameters
    ----------
    measure : Measure
        Value, interval, change.
    words : Words
        Locale and currency.
    of : str
        What `n` counts.
    why : str
        What limits the figure.

    Returns
    -------
    str
        One or more sentences.
    """
    level = words.share(measure.confidence, 0)
    counted = f"{words.number(measure.n)} {plural(measure.n, of)}"
    if measure.low is None:
        parts = [f"{capital(counted)}{against(measure, words)}."]
    else:
        between = words.interval(measure.low, measure.high, measure.unit)
        parts = [f"{level} interval {between}{against(measure, words)}; {counted}."]
    real = moved(measure)
    if real is not None:
        parts.append(
            f"Change {'more than chance' if real else 'within chance'} ({_ends(measure, words)})."
        )
    if why:
        parts.append(f"{capital(why)}.")
    return " ".join(parts)


def _ends(measure: Measure, words: Words) -> str:
    """Write the interval of a change, with as many digits as tell it from none."""
    low, high = measure.change_low or 0.0, measure.change_high or 0.0
    share = measure.unit == "share"
    widest = max(abs(low), abs(high)) * (100 if share else 1)
    digits = 1 if widest >= 0.15 else 2
    if round(widest, 2) == 0:
        return "less than 0.01 either way"
    first, last = (_signed(100 * x if share else x, digits, words) for x in (low, high))
    return f"{first} to {last}" + (f"{THIN}pp" if share else "")


def _signed(value: float, digits: int, words: Words) -> str:
    rounded = round(value, digits) + 0.0
    return ("+" if rounded > 0 else "" if rounded else "±") + words.number(rounded, digits)


def unknown(ident: str, title: str, why: str, action: str, *, kind: Kind = "standing") -> Finding:
    """Say that something cannot be told, and what would help.

    Parameters
    ----------
    ident, title : str
        Of the finding that would stand here.
    why : str
        Reason, as part of a sentence.
    action : str
        What to do.
    kind : str
        Of the finding.

    Returns
    -------
    Finding
        Unclear.
    """
    return Finding(
        id=ident,
        kind=kind,
        title=title,
        text=f"{title}: not known, since {why}.",
        evidence="Nothing could be measured.",
        action=action,
        status="unclear",
    )
