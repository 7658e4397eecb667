"""Two days name a period and the one to compare it with."""

from datetime import date
from pathlib import Path

import pytest

from csa.errors import InputError
from csa.report.window import window
from csa.settings import from_mapping


def settings(**changes):
    raw = {
        "name": "Acme",
        "currency": "EUR",
        "timezone": "Europe/Berlin",
        "data": {"sources": {"files": {"path": "data"}}},
    }
    return from_mapping({**raw, **changes}, root=Path())


@pytest.mark.parametrize(
    ("start", "end", "label", "before"),
    [
        ("2026-10-01", "2026-11-01", "October 2026", "September 2026"),
        ("2024-02-01", "2024-03-01", "February 2024", "January 2024"),
        ("2026-07-01", "2026-10-01", "Q3 2026", "Q2 2026"),
        ("2026-01-01", "2027-01-01", "2026", "2025"),
        ("2026-10-31", "2026-11-01", "31 October 2026", "30 October 2026"),
        ("2026-10-10", "2026-10-20", "2026-10-10 to 2026-10-19", "2026-09-30 to 2026-10-09"),
    ],
)
def test_window_names_a_period_and_the_one_before(start, end, label, before):
    read = window(start, end, settings())
    assert (read.label, read.previous_label) == (label, before)
    assert read.previous_end == read.start == date.fromisoformat(start)


def test_window_knows_the_workspaces_calendar():
    fiscal = window("2026-07-01", "2026-10-01", settings(fiscal_year_start=4))
    assert fiscal.previous_start == date(2026, 4, 1)
    sunday = window("2026-10-25", "2026-11-01", settings(week_start="sunday"))
    assert sunday.previous_start == date(2026, 10, 18)
    assert "week" in sunday.label


@pytest.mark.parametrize(("start", "end"), [("2026-10-01", "2026-10-01"), ("2026-10-01", "1.11.")])
def test_window_refuses_what_holds_no_day(start, end):
    with pytest.raises(InputError):
        window(start, end, settings())
