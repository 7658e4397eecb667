"""The roll-up of licences against plain Python, one day after the other."""

from datetime import date, timedelta

import ibis
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from csa.data.licences import LICENCES, licences
from csa.data.rollups import RollupContext

FIRST, LAST = date(2024, 2, 25), date(2024, 3, 12)  # a leap day between
DAY = timedelta(days=1)
SCHEMA = {"account_id": "string", "start_on": "date", "end_on": "date", "mrr": "decimal(18, 4)"}
DATES = st.dates(FIRST, LAST + 3 * DAY)
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", None]),
        DATES,
        st.none() | DATES,
        st.sampled_from([0, 10, 20]),
        st.sampled_from([None, 0, 1, 5]),
    ),
    max_size=6,
)


def rolled(rows, *, seats=True):
    schema = SCHEMA | {"seats": "int64"}
    frame = pd.DataFrame(rows, columns=list(schema)).astype(object)
    table = ibis.memtable(frame.where(frame.notna(), None), schema=schema)
    table = table if seats else table.drop("seats")
    return licences(table, RollupContext(as_of=LAST)).to_pandas()


def brute(rows):
    """Seats and silent subscriptions of each account and day, where there are any."""
    held = {}
    for account, start, end, price, seats in rows:
        day = start
        while account and price > 0 and day <= LAST and (end is None or day < end):
            had = held.setdefault((account, day), [0, 0])
            had[0] += seats or 0
            had[1] += seats is None
            day += DAY
    return {key: tuple(had) for key, had in held.items() if any(had)}


@settings(max_examples=300, deadline=None)
@given(rows=ROWS)
def test_stretches_hold_the_seats_of_every_day(rows):
    found = rolled(rows)
    assert list(found.columns) == list(LICENCES)
    days = {}
    for row in found.itertuples():
        day = pd.Timestamp(row.start_on).date()
        end = LAST + DAY if pd.isna(row.end_on) else pd.Timestamp(row.end_on).date()
        while day < end:
            assert (row.account_id, day) not in days  # stretches never overlap
            days[row.account_id, day] = (row.seats, row.unstated)
            day += DAY
    assert days == brute(rows)


def test_no_column_of_seats_leaves_subscriptions_that_state_none():
    found = rolled([("a", FIRST, None, 10, None)], seats=False)
    assert found[["seats", "unstated"]].to_numpy().tolist() == [[0, 1]]
    assert rolled([]).empty
