"""Rolling distinct counts against brute force: a set of units for every single day."""

from datetime import date, timedelta

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csa.analysis.adoption import rolling
from csa.analysis.adoption.rolling import rolling_actives
from csa.errors import InputError

FIRST = date(2024, 2, 20)  # a leap day lies ahead
DAY = timedelta(days=1)


def frame(rows):
    """Make days of (group, account, user, day)."""
    columns = ["group", "account_id", "user_id", "day"]
    made = pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[:3], "string"))
    return made.assign(day=pd.to_datetime(made["day"]))


def brute(rows, unit, as_of, windows):
    """Build the set of units of every window, one day after the other."""
    column = {"account_id": 1, "user_id": 2}[unit]
    seen = {(r[0] or "not stated", r[column], r[3]) for r in rows if r[column] and r[3] <= as_of}
    out = []
    for group in sorted({g for g, _, _ in seen}):
        for window in windows:
            day = min(d for _, _, d in seen)
            while day <= as_of:
                held = {u for g, u, d in seen if g == group and day - window * DAY < d <= day}
                out.append((group, pd.Timestamp(day), window, len(held)))
                day += DAY
    return out


def counted(rows, unit, as_of, windows):
    made = rolling_actives(frame(rows), unit=unit, as_of=as_of, windows=windows)
    return [tuple(r) for r in made.itertuples(index=False)]


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["x", "y", None]),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["u", "v", "w", None]),
        st.integers(0, 45).map(lambda n: FIRST + n * DAY),
    ),
    max_size=25,
)


@pytest.mark.slow
@settings(max_examples=1000, deadline=None)
@given(
    ROWS,
    st.sampled_from(["user_id", "account_id"]),
    st.integers(0, 60).map(lambda n: FIRST + n * DAY),
    st.lists(st.integers(1, 40), min_size=1, max_size=3, unique=True),
)
def test_rolling_actives_equal_a_set_for_every_day(rows, unit, as_of, windows):
    assert counted(rows, unit, as_of, windows) == brute(rows, unit, as_of, windows)


def test_rolling_actives_count_who_comes_again_once():
    rows = [("x", "a", "u", FIRST), ("x", "a", "u", FIRST + DAY), ("x", "a", "v", FIRST + 9 * DAY)]
    made = rolling_actives(frame(rows), unit="user_id", as_of=FIRST + 12 * DAY, windows=(1, 7))
    week = made.loc[made["window_days"] == 7, "actives"].tolist()
    assert week == [1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1]
    assert made.loc[made["window_days"] == 1, "actives"].sum() == 3


def test_rolling_actives_are_the_same_in_batches(monkeypatch):
    rows = [("x", "a", f"u{n % 7}", FIRST + (n * n % 40) * DAY) for n in range(60)]
    whole = counted(rows, "user_id", FIRST + 50 * DAY, (1, 7, 28))
    monkeypatch.setattr(rolling, "_BATCH", 7)
    assert counted(rows, "user_id", FIRST + 50 * DAY, (1, 7, 28)) == whole


def test_rolling_actives_of_a_table_without_groups_or_rows():
    days = frame([("x", "a", "u", FIRST)]).drop(columns="group")
    made = rolling_actives(ibis.memtable(days), unit="user_id", as_of=FIRST, windows=(28,))
    assert made.to_numpy().tolist() == [["all", pd.Timestamp(FIRST), 28, 1]]
    assert rolling_actives(days.head(0), unit="user_id", as_of=FIRST).empty


def test_rolling_actives_refuse_what_cannot_be_counted():
    with pytest.raises(InputError, match="column user_id is missing") as refusal:
        rolling_actives(frame([]).drop(columns="user_id"), unit="user_id", as_of=FIRST, windows=[0])
    assert "a day or longer" in str(refusal.value)
