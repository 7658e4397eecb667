"""Numbers and dates in the workspace's locale."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csa.present.names import capital, clean, joined, named, plural, shortened
from csa.present.words import UNKNOWN, Words, known

EN, DE, FR, BR = (Words(locale, "EUR") for locale in ("en", "de", "fr", "pt-BR"))
NBSP, NARROW = "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("words", "number", "share", "money", "day"),
    [
        (EN, "1,952.4", "2.1%", "€1,250", "Oct 31, 2026"),
        (DE, "1.952,4", f"2,1{NBSP}%", f"1.250{NBSP}€", "31.10.2026"),
        (FR, f"1{NARROW}952,4", f"2,1{NBSP}%", f"1{NARROW}250{NBSP}€", "31 oct. 2026"),
        (BR, "1.952,4", "2,1%", f"€{NBSP}1.250", "31 de out. de 2026"),
    ],
)
def test_words_follow_the_locale(words, number, share, money, day):
    assert words.number(1952.4, 1) == number
    assert words.share(0.0213) == share
    assert words.money(1250) == money
    assert words.day(date(2026, 10, 31)) == day


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), np.nan])
def test_unknown_numbers_are_a_dash(value):
    methods = (EN.number, EN.share, EN.points, EN.days, EN.money)
    assert {method(value) for method in methods} == {UNKNOWN}
    assert EN.measure(value, "share") == UNKNOWN
    assert EN.change(value, "share") == UNKNOWN
    assert EN.day(None) == UNKNOWN
    assert EN.day(pd.NaT) == UNKNOWN


def test_a_minus_is_as_wide_as_a_plus():
    assert EN.change(-0.004, "share") == f"−0.4{NARROW}pp"
    assert EN.change(0.004, "share") == f"+0.4{NARROW}pp"
    assert EN.change(0.0, "share") == f"±0.0{NARROW}pp"
    assert EN.number(-0.0) == "0"
    assert EN.share(-0.00001) == "0.0%"


@pytest.mark.parametrize(
    ("days", "said"),
    [(1, "1 day"), (45, "45 days"), (365, "12 months"), (950, "31.2 months"), (0, "0 days")],
)
def test_durations_are_days_then_months(days, said):
    assert EN.days(days) == said


@pytest.mark.parametrize(
    ("low", "high", "unit", "said"),
    [
        (0.015, 0.028, "share", "1.5% to 2.8%"),
        (900, 1000, "days", "29.6 to 32.9 months"),
        (30, 100, "days", "30 days to 3.3 months"),
        (900, None, "days", "29.6 months or more"),
        (np.nan, 0.5, "share", "up to 50.0%"),
        (None, None, "share", UNKNOWN),
        (30, 30, "days", "30 days"),
    ],
)
def test_intervals_name_their_unit_once(low, high, unit, said):
    assert EN.interval(low, high, unit) == said


def test_intervals_of_changes_have_signs():
    assert EN.change_interval(-0.005, 0.012, "share") == f"−0.5 to +1.2{NARROW}pp"
    assert EN.change_interval(-3, 4, "days") == "−3 days to +4 days"
    assert EN.change_interval(None, 1, "share") == UNKNOWN


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (0.5, "share", "50.0%"),
        (12, "months", "12 months"),
        (3.0, "count", "3"),
        (31.25, "points", "31.2"),
        (12.5, "money", "€12.50"),
    ],
)
def test_measures_by_unit(value, unit, said):
    assert EN.measure(value, unit) == said


@pytest.mark.parametrize(
    ("value", "said"), [(0.834, "83%"), (0.001, "0.1%"), (0.998, "99.8%"), (0, "0%"), (1, "100%")]
)
def test_whole_percent_never_rounds_to_nobody_or_everybody(value, said):
    assert EN.percent(value) == said


@given(st.floats(0, 1))
def test_shares_never_show_a_rounding_artefact(value):
    text = EN.share(value)
    assert text.endswith("%")
    assert abs(float(text[:-1]) / 100 - value) <= 0.0005 + 1e-9


def test_known():
    assert all(known(x) for x in (0, "", date(2026, 10, 31), (None, 1)))
    assert not any(known(x) for x in (None, float("nan"), float("inf"), pd.NaT, pd.NA))


def test_names_in_a_sentence():
    assert joined(["A"]) == "A"
    assert joined(["A", "B", "C"]) == "A, B and C"
    assert plural(1, "fails", "fail") == "fails"
    assert plural(0, "table") == "tables"
    assert capital("load it") == "Load it"
    assert shortened("x" * 50, 10) == "x" * 9 + "…"
    assert shortened("two\nlines") == "two lines"


def test_names_cannot_turn_or_break_a_sentence():
    assert clean("a\u202eb\x00c\u2066d") == "abcd"
    assert named("חברה") == "\u2068חברה\u2069"
    assert named("Acme") == "Acme"


@given(st.text(max_size=300))
def test_shortened_names_fit(text):
    assert len(shortened(text)) <= 40
    assert "\n" not in shortened(text)
