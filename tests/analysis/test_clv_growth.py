"""How growth is carried on: ways, what the past says of them, and what is left out."""

import ibis
import numpy as np
import pandas as pd
import pytest
from clv_company import Law, company
from hypothesis import given, settings
from hypothesis import strategies as st

from csa.analysis.clv.contract_inputs import MONTHS, SPELLS, checked
from csa.analysis.clv.contract_paths import FADE, WAYS, averaged, ways
from csa.analysis.clv.contract_terms import ContractTerms
from csa.analysis.clv.contract_trend import carried, history, price_rises, trend

TERMS = ContractTerms(margin=0.8, horizon_months=24)
LONG = 1500  # days of history


def past_of(made, accounts=1):
    spells, months = checked(made.spells, "spells", SPELLS), checked(made.months, "months", MONTHS)
    return history(months, spells, accounts)


def one(rate, amount, months, carry):
    return ways(np.array([rate]), np.array([amount]), months, carry)[:, 0]


def test_ways_equal_sums_by_hand():
    none, damped, amount, share = one(0.1, 0.08, 4, 99)
    assert none == pytest.approx([1, 1, 1, 1])
    assert amount == pytest.approx([1, 1.08, 1.16, 1.24])
    assert share == pytest.approx([1, 1.1, 1.21, 1.331])
    fade = np.cumsum([0.0, FADE, FADE**2, FADE**3])
    assert damped == pytest.approx(1 + 0.08 * fade)


@given(st.floats(-0.5, 0.5), st.integers(0, 40), st.integers(1, 40))
@settings(max_examples=50)
def test_ways_start_at_today_stay_above_nothing_and_end_where_nothing_was_watched(
    rate, carry, months
):
    found = one(rate, rate, months + 1, carry)
    assert found[:, 0] == pytest.approx(np.ones(len(WAYS)))
    assert (found > 0).all()
    late = found[:, min(carry, months) :]
    assert late == pytest.approx(np.repeat(late[:, :1], late.shape[1], axis=1))
    grows = np.sign(rate) * np.diff(found, axis=1)
    assert (grows >= -1e-12).all()
    if rate > 0:  # no growth, fading, a line, compound interest
        assert (np.diff(found[:, -1]) >= -1e-12).all()


def test_an_average_lies_between_the_ways_and_is_one_of_them_alone():
    each = one(0.05, 0.04, 25, 99)
    assert averaged(each, np.array([0, 0, 1.0, 0])) == pytest.approx(each[2])
    even = averaged(each, np.full(4, 0.25))
    assert even == pytest.approx(np.prod(each, axis=0) ** 0.25)


@pytest.mark.slow
def test_history_counts_stayers_by_first_month():
    made = company({"a": Law(growth=0.01)}, n=60, history_days=400, seed=2)
    past = past_of(made)
    rows = made.months[(made.months["previous_minor"] > 0) & (made.months["mrr_minor"] > 0)]
    assert past.stay.sum() == len(rows)
    assert past.before.sum() == rows["previous_minor"].sum()
    assert past.now.sum() == rows["mrr_minor"].sum()
    paying = made.months[made.months["mrr_minor"] > 0]
    assert past.revenue.sum() == paying["mrr_minor"].sum()
    assert np.tril(past.payers, -1).sum() == 0  # nobody pays before the first month
    known = past.known(5)
    assert known.stay.sum() == (rows["month"] <= past.first + 5).sum()


@pytest.mark.slow
def test_a_sample_of_accounts_tells_the_same():
    made = company({"a": Law(growth=0.01, shock=0.02)}, n=4000, seed=2)
    whole = trend(past_of(made), terms=TERMS, noise=0.0)
    some = past_of(made, accounts=80_000)
    assert some.sampled == 4
    assert some.payers[:, -1].sum() == pytest.approx(1000 / 1.8, rel=0.3)
    part = trend(some, terms=TERMS, noise=0.0)
    assert part.best == whole.best
    assert part.table["bias"].to_numpy() == pytest.approx(whole.table["bias"].to_numpy(), abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["amount", "share"])
def test_the_way_of_the_past_is_found_and_foretells_it(way):
    growth = 0.12 if way == "amount" else 0.04
    made = company({"a": Law(growth=growth, way=way)}, n=600, history_days=1200)
    found = trend(past_of(made), terms=TERMS, noise=0.0)
    assert found.best == way
    assert found.weight.sum() == pytest.approx(1)
    rows = found.table.set_index("way")
    assert rows["weight"].idxmax() == way
    assert rows.loc[way, "error"] < 0.1 < rows.loc["none", "error"]
    assert rows.loc["none", "bias"] > 0  # more came than no growth foretells
    assert found.carry <= 41
    assert found.ahead == (found.carry - 6) // 2  # half of the months after the first six


def test_no_history_leaves_all_ways_open():
    made = company({"a": Law(growth=0.02)}, n=30, history_days=100)
    found = trend(past_of(made), terms=TERMS, noise=0.0)
    assert (found.origins, found.ahead, found.best, found.slip) == (0, 0, "", 0.0)
    assert found.weight == pytest.approx(np.full(4, 0.25))
    assert found.table["error"].isna().all()
    months = ibis.memtable(made.months.head(0))
    spells = checked(made.spells.head(0), "spells", SPELLS)
    none = history(checked(months, "months", MONTHS), spells, 0)
    assert trend(none, terms=TERMS, noise=0.0).carry == 0


def risen(made, months_ago, factor=1.1):
    """Raise all prices from months ago on."""
    months, last = made.months.copy(), made.months["month"].max()
    for ago in months_ago:
        at = last - ago
        months["mrr_minor"] = np.where(
            months["month"] >= at, (months["mrr_minor"] * factor).round(), months["mrr_minor"]
        )
        months["previous_minor"] = np.where(
            months["month"] > at,
            (months["previous_minor"] * factor).round(),
            months["previous_minor"],
        )
    whole = {"mrr_minor": "int64", "previous_minor": "int64"}
    return type(made)(made.spells, months.astype(whole))


@pytest.mark.slow
def test_a_rise_for_everybody_is_left_out_once_and_kept_as_a_habit():
    made = company({"a": Law()}, n=300, seed=4)
    last = made.months["month"].max()
    assert price_rises(past_of(made)) == ()
    once = past_of(risen(made, [5]))
    assert price_rises(once) == (last - 5,)
    found = trend(once, terms=TERMS, noise=0.0)
    assert found.left_out == (last - 5,)
    assert found.table["error"].max() < 1e-3  # nothing else moved, and it is held against nobody
    assert price_rises(past_of(risen(made, [5, 17]))) == ()


def test_paths_hold_the_value_between_their_draws():
    made = company({"a": Law(growth=0.02)}, n=200)
    found = trend(past_of(made), terms=TERMS, noise=0.0)
    rng = np.random.default_rng(1)
    noise = np.column_stack([rng.random(500), rng.standard_normal(500)])
    path = carried(found, 0.02, rng.normal(0.02, 0.002, 500), 24, noise)
    assert path.value[0] == 1
    assert path.draws[:, 0] == pytest.approx(np.ones(500))
    low, high = np.quantile(path.draws, [0.025, 0.975], axis=0)
    assert ((low <= path.value + 1e-12) & (path.value <= high + 1e-12)).all()


def test_months_before_the_records_are_not_learnt_from():
    """Who came before the records is known by one price only, so its growth would look like 0."""
    made = company({"a": Law(growth=0.02)}, n=300, seed=3, observed_days=500)
    past = past_of(made)
    since = pd.Timestamp("2026-10-31") - pd.Timedelta(days=500)
    assert past.first == since.year * 12 + since.month - 1
    assert past.stay[:, 0].sum() == 0
