"""Numbers at risk: entry < age <= exit, ties and late entry included."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csa.errors import InputError
from csa.methods.lifetable import connected_part, life_table, tabulate, tabulate_counts

SPELLS = st.lists(
    st.tuples(st.integers(0, 12), st.integers(1, 12), st.booleans()), min_size=1, max_size=40
)


@settings(deadline=None)
@given(SPELLS, st.integers(0, 30))
def test_at_risk_counts_those_who_entered_before_and_did_not_leave_before(spells, age):
    entry = np.array([e for e, _, _ in spells])
    end = entry + np.array([d for _, d, _ in spells])
    table = tabulate(end, [x for _, _, x in spells], entry=entry)
    early = np.where(entry == 0, -1, entry)  # seen from the start: at risk at age 0 already
    assert table.at_risk_at(age) == ((early < age) & (end >= age)).sum()


def test_entry_at_the_age_at_which_another_leaves_is_at_risk_only_after_it():
    table = tabulate([5, 8], [True, True], entry=[0, 5])
    assert table.time.tolist() == [5, 8]
    assert table.at_risk.tolist() == [1, 1]
    assert table.entered.tolist() == [1, 0]


def test_end_on_day_zero_counts_where_the_start_was_seen():
    """R's Surv(0, 1) is an event among all that start."""
    table = tabulate([0, 0, 4], [True, False, True])
    assert table.at_risk.tolist() == [3, 1]
    assert table.events.tolist() == [1, 1]


def test_counts_stand_for_rows():
    rows = tabulate([3, 3, 7, 7], [True, True, False, True], entry=[0, 1, 1, 1])
    counts = tabulate([3, 3, 7, 7], [1, 1, 0, 1], entry=[0, 1, 1, 1], count=[1, 1, 1, 1])
    margins = tabulate_counts(
        [3, 7, 7], events=[2, 0, 1], censored=[0, 1, 0], entry=[1], entry_count=[3]
    )
    for other in (counts, margins):
        for name in ("time", "at_risk", "events", "censored", "entered"):
            assert getattr(rows, name).tolist() == getattr(other, name).tolist()


def test_tabulate_refuses_spells_that_nobody_could_see():
    with pytest.raises(InputError, match="2 rows enter at or after their end"):
        tabulate([5, 6, 7], [True, True, True], entry=[5, 8, 1])


@pytest.mark.parametrize(
    ("time", "events", "censored", "entered"),
    [
        ([2, 1], [1, 1], [0, 0], None),
        ([1, 1], [1, 1], [0, 0], None),
        ([1, np.nan], [1, 1], [0, 0], None),
        ([1, 2], [-1, 1], [0, 0], None),
        ([1, 2], [1, 1], [0, 0], [0, 2]),
    ],
)
def test_life_table_refuses_impossible_counts(time, events, censored, entered):
    with pytest.raises(InputError, match="life table"):
        life_table(time, events=events, censored=censored, entered=entered)


def test_life_table_knows_those_who_never_leave():
    table = life_table([4], events=[1], censored=[0], initial=10)
    assert table.at_risk.tolist() == [10]


def test_connected_part_is_the_whole_without_late_entry():
    table = tabulate([1, 2], [True, True])
    assert connected_part(table, 10) == (table, "")


def late_company(*, many=30):
    """Make a few spells, seen from the start, that end on day 3; many more enter on day 20."""
    return tabulate([3, 3] + [40] * many, [True] * (2 + many), entry=[0, 0] + [20] * many)


def test_connected_part_starts_where_enough_are_at_risk():
    """R's survfit prints survival 0 from day 3 on, although 30 spells live on day 39."""
    part, note = connected_part(late_company(), 10)
    assert part.start == 20
    assert part.time.tolist() == [40]
    assert note == "given alive at 20 days: fewer than 10 at risk before"


def test_connected_part_ends_before_a_handful_takes_the_curve_to_zero():
    table = tabulate(
        [30] * 20 + [50] * 3 + [99] * 15, [False] * 20 + [True] * 18, entry=[0] * 23 + [60] * 15
    )
    part, note = connected_part(table, 10)
    assert part.start == 0
    assert part.time.tolist() == [30]
    assert note == "ends at 30 days: too few at risk to go on"


def test_connected_part_ends_before_ages_that_nobody_saw():
    """The curve would be flat from day 30 to 60, where nobody was watched."""
    table = tabulate([30] * 20 + [99] * 15, [False] * 20 + [True] * 15, entry=[0] * 20 + [60] * 15)
    part, note = connected_part(table, 10)
    assert part.time.tolist() == [30]
    assert note == "ends at 30 days: too few at risk to go on"


def test_connected_part_says_both_at_once():
    table = tabulate(
        [3, 3] + [40] * 12 + [90] * 15,
        [True] * 2 + [True, False] * 6 + [True] * 15,
        entry=[0, 0] + [20] * 12 + [60] * 15,
    )
    part, note = connected_part(table, 10)
    assert (part.start, part.time.tolist()) == (20, [40])
    assert note.count("days") == 2


def test_connected_part_keeps_a_real_zero():
    """Enough at risk, and all of them go: that is no hole in the data."""
    table = tabulate([10] * 20 + [40] * 5, [True] * 25, entry=[0] * 20 + [30] * 5)
    part, note = connected_part(table, 10)
    assert (part.time.tolist(), note) == ([10, 30, 40], "")


def test_connected_part_is_empty_where_never_enough_are_at_risk():
    part, note = connected_part(late_company(many=4), 10)
    assert part.time.size == 0
    assert note == "never 10 at risk at the same age"
