"""What single values in csa.yml must look like; every refusal says what would do."""

import re
from collections.abc import Callable, Iterable
from datetime import date
from difflib import get_close_matches
from typing import Any
from zoneinfo import available_timezones

import yaml
from babel import Locale, UnknownLocaleError
from babel.numbers import list_currencies

EPOCHS = ("epoch", "epoch_ms")
_DIRECTIVES = set("YmdHMSfyjbBaApIzZ%")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean "x"?` for the nearest known word, or nothing.

    Parameters
    ----------
    word : str
        What was written.
    known : iterable of str
        What could have been meant.

    Returns
    -------
    str
        The question, or the empty text where nothing is near.
    """
    by_fold = {k.casefold(): k for k in known}
    near = get_close_matches(word.casefold(), by_fold, n=1, cutoff=0.6)
    return f'; did you mean "{by_fold[near[0]]}"?' if near else ""


def name(text: str) -> str:
    """Refuse what cannot name a folder and a file.

    Parameters
    ----------
    text : str
        Name of a source, report or chapter.

    Returns
    -------
    str
        The name.
    """
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", text) is None:
        raise ValueError(f'"{text}" is not a name; use letters, digits, - and _')
    return text


def zone(text: str) -> str:
    """Refuse what is not an IANA time zone.

    Parameters
    ----------
    text : str
        For example Europe/Berlin.

    Returns
    -------
    str
        The zone.
    """
    zones = available_timezones()
    if text not in zones:
        hint = did_you_mean(text, zones) or "; write for example Europe/Berlin or UTC"
        raise ValueError(f'"{text}" is not a time zone{hint}')
    return text


def currency(text: str) -> str:
    """Refuse what is not an ISO 4217 currency code.

    Parameters
    ----------
    text : str
        For example EUR.

    Returns
    -------
    str
        The code.
    """
    if text not in list_currencies():
        raise ValueError(f'"{text}" is not a currency code; write for example EUR or USD')
    return text


def days_as_text(given: Any) -> Any:
    """Write days that are keys as they stand in the file, for faults that name them.

    Parameters
    ----------
    given : object
        A mapping, by day.

    Returns
    -------
    object
        The same with texts as keys; anything else as it is.
    """
    return {str(day): value for day, value in given.items()} if isinstance(given, dict) else given


def locale(text: str) -> str:
    """Refuse what is not a locale.

    Parameters
    ----------
    text : str
        For example en or de_DE.

    Returns
    -------
    str
        The locale.
    """
    try:
        Locale.parse(text.replace("-", "_"))
    except (UnknownLocaleError, ValueError) as error:
        raise ValueError(f'"{text}" is not a locale; write for example en or de_DE') from error
    return text.replace("-", "_")


def clock(text: str) -> str:
    """Refuse what is not a time of day.

    Parameters
    ----------
    text : str
        For example 07:00.

    Returns
    -------
    str
        The time.
    """
    if re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text) is None:
        raise ValueError(f'"{text}" is not HH:MM')
    return text


def address(text: str) -> str:
    """Refuse what is not an e-mail address.

    Parameters
    ----------
    text : str
        For example cs-leads@example.com.

    Returns
    -------
    str
        The address.
    """
    if re.fullmatch(r"[^@\s<>\"]+@[^@\s<>\"]+\.[^@\s<>\".]+", text) is None:
        raise ValueError(f'"{text}" is not an e-mail address')
    return text


def date_format(text: str) -> str:
    """Refuse a date format that could not be read.

    Parameters
    ----------
    text : str
        strptime directives as in %d-%m-%Y, or epoch (seconds), epoch_ms.

    Returns
    -------
    str
        The format.
    """
    if text in EPOCHS:
        return text
    used = re.findall(r"%-?(.)", text)
    unknown = [d for d in used if d not in _DIRECTIVES]
    if not used or unknown:
        fault = f"%{unknown[0]} is unknown" if unknown else "it has no % directive"
        raise ValueError(
            f'"{text}" is not a date format: {fault}; write for example %d-%m-%Y or '
            "%Y-%m-%d %H:%M:%S, epoch or epoch_ms"
        )
    return text


def one_of(known: Iterable[str]) -> Callable[[str], str]:
    """Refuse a word that is not one of those known.

    Parameters
    ----------
    known : iterable of str
        The words.

    Returns
    -------
    callable
        Gives a known word back; its refusal names the nearest, else all.
    """
    words = tuple(known)

    def check(text: str) -> str:
        if text not in words:
            hint = did_you_mean(text, words) or f"; known are {', '.join(words)}"
            raise ValueError(f'"{text}" is not known{hint}')
        return text

    return check


def column(value: Any) -> Any:
    """Read the short form `canonical: source_column`.

    Parameters
    ----------
    value : object
        Text, or the long form.

    Returns
    -------
    object
        The long form.
    """
    if isinstance(value, str):
        return {"from": value}
    if value is None or isinstance(value, list | int | float | date):
        raise ValueError(
            f"{shown(value)} is neither a column of the source nor {{from: ...}} or {{value: ...}}"
        )
    return value


def empty(value: Any) -> Any:
    """Read a table without keys as a mapping without keys.

    Parameters
    ----------
    value : object
        What stands behind the colon.

    Returns
    -------
    object
        The same, or an empty mapping.
    """
    return {} if value is None else value


def observed_from(value: Any) -> Any:
    """Read always, a day or a column name.

    Parameters
    ----------
    value : object
        As in the file.

    Returns
    -------
    object
        "always", a date or a column name.
    """
    if value is None or isinstance(value, str | date):
        return value
    raise ValueError(f"{shown(value)} is neither always nor a day as 2022-01-01 nor a column")


def shown(value: object) -> str:
    """Show a value as it stands in the file.

    Parameters
    ----------
    value : object
        Value of a key.

    Returns
    -------
    str
        At most 60 characters.
    """
    if isinstance(value, str):
        text = f'"{value}"'
    elif isinstance(value, dict | list | tuple):
        text = yaml.safe_dump(value, default_flow_style=True).strip()
    else:
        named = value is None or isinstance(value, bool)  # 0 equals False, but is a number
        text = {None: "nothing", True: "true", False: "false"}[value] if named else str(value)  # type: ignore[index]
    return text if len(text) <= 60 else text[:57] + "..."


def yaml_fault(error: yaml.YAMLError) -> str:
    """Say where the YAML breaks and why.

    Parameters
    ----------
    error : yaml.YAMLError
        From the parser.

    Returns
    -------
    str
        For example "line 3: mapping values are not allowed here".
    """
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "is not YAML"
    return f"line {mark.line + 1}: {problem}" if mark else str(problem)
