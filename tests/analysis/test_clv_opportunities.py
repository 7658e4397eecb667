"""Buyers with opportunities at fixed times: by hand, of a known law, and what is refused."""

from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest

from csa.analysis.clv.buyers import buyers
from csa.analysis.clv.models import BG_BB
from csa.analysis.clv.opportunities import buyers_by_opportunity
from csa.errors import InputError

AS_OF = date(2024, 12, 31)


def days(rows):
    frame = pd.DataFrame(rows, columns=["account_id", "day", "amount_minor"])
    return ibis.memtable(frame.assign(day=pd.to_datetime(frame["day"])))


def givers(seed=3, people=1500, years=12):
    """Give once a year, or not, by chances of one's own: BG/BB with 1.2, 0.75, 0.66, 2.78."""
    rng = np.random.default_rng(seed)
    gives, leaves = rng.beta(1.2, 0.75, people), rng.beta(0.66, 2.78, people)
    rows, there = [(f"c{n}", "2013-05-01", 1000) for n in range(people)], np.ones(people, bool)
    for year in range(2014, 2014 + years - 1):
        there &= rng.random(people) >= leaves
        gave = there & (rng.random(people) < gives)
        month = 1 + rng.integers(0, 12, people)
        rows += [(f"c{n}", f"{year}-{month[n]:02}-15", 1000) for n in np.flatnonzero(gave)]
    return days(rows)


def test_periods_are_counted_by_hand():
    rows = [
        ("a", "2024-01-31", 100),
        ("a", "2024-03-01", 200),
        ("a", "2024-03-31", 50),
        ("a", "2024-11-30", 300),
        ("b", "2024-10-05", 70),
    ]
    made = buyers_by_opportunity(days(rows), as_of=date(2024, 12, 30), opportunity="month")
    assert made.last_on == date(2024, 11, 30)  # December is not over
    table = made.result.summary.table
    figures = table[["frequency", "recency_days", "age_days", "weight"]].to_numpy().tolist()
    assert figures == [[0, 0, 1, 1], [2, 10, 10, 1]]
    assert made.crowded == pytest.approx(1 / 4)
    assert made.periods_held == 3
    mean = made.result.summary.spend["mean_minor"].tolist()
    assert mean == [(250 + 300) / 2]


@pytest.mark.parametrize(
    ("opportunity", "as_of", "last_on"),
    [
        ("year", date(2024, 12, 31), date(2024, 12, 31)),
        ("year", date(2024, 12, 30), date(2023, 12, 31)),
        ("quarter", date(2024, 8, 15), date(2024, 6, 30)),
        ("quarter", date(2024, 3, 31), date(2024, 3, 31)),
        ("month", date(2024, 2, 28), date(2024, 1, 31)),
        ("month", date(2024, 2, 29), date(2024, 2, 29)),
    ],
)
def test_a_period_cut_short_is_left_out(opportunity, as_of, last_on):
    rows = [("a", f"202{n}-01-05", 100) for n in range(5)]
    assert (
        buyers_by_opportunity(days(rows), as_of=as_of, opportunity=opportunity).last_on == last_on
    )


@pytest.mark.slow
def test_bg_bb_of_its_own_law_is_chosen_and_holds():
    made = buyers_by_opportunity(givers(), as_of=AS_OF, opportunity="year", periods_held=4)
    assert made.result.chosen == BG_BB.name
    assert made.crowded == 0.0
    row = made.result.table.iloc[0]
    assert abs(row["total_error"]) < 0.06  # four standard errors of the total are 5 %
    assert row["beats_naive"]
    others = made.result.table.iloc[1:]
    assert (others["total_error"].abs() > abs(row["total_error"])).all()


@pytest.mark.slow
def test_the_shape_is_that_of_buyers():
    made = buyers_by_opportunity(givers(people=200), as_of=AS_OF, opportunity="year").result
    plain = buyers(givers(people=200), as_of=AS_OF)
    assert list(made.table.columns) == list(plain.table.columns)
    assert made.holdout.table["model"].iloc[0] == BG_BB.name


def test_nobody_and_too_short_a_history_are_unclear():
    made = buyers_by_opportunity(days([("a", "2024-03-03", 5)]), as_of=AS_OF, opportunity="year")
    assert (made.result.chosen, made.result.status, made.result.holdout) == (None, "unclear", None)


def test_all_faults_are_named_at_once():
    with pytest.raises(InputError) as caught:
        buyers_by_opportunity(
            ibis.memtable(pd.DataFrame({"day": [AS_OF]})),
            as_of=AS_OF,
            opportunity="week",
            periods_held=0,
        )
    assert len(caught.value.faults) == 4
