"""Revenue of cohorts: against plain Python, its bounds, its edges."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mrr_worlds import OCTOBER, months_of

from csa.analysis.cohorts.revenue import BINS, revenue_retention

END = date(2026, 10, 31)
YEAR = range(OCTOBER - 11, OCTOBER + 1)
PAID = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=2),
    st.lists(st.sampled_from([0, 0, 100, 150, 900]), min_size=12, max_size=12),
    max_size=8,
)


def world(paid):
    return months_of({a: dict(zip(YEAR, row, strict=True)) for a, row in paid.items()})


def by_hand(paid, as_of_month, last_age):
    """Count cells in plain Python: (cohort, age) to accounts, start, now, kept."""
    found = {}
    for row in paid.values():
        months = [m for m, v in zip(YEAR, row, strict=True) if v and m <= as_of_month]
        if not months:
            continue
        first, at = months[0], dict(zip(YEAR, row, strict=True))
        for age in range(min(as_of_month - first, last_age) + 1):
            now = at[first + age]
            cell = found.setdefault((first, age), [0, 0, 0, 0])
            for i, v in enumerate((1, at[first], now, min(now, at[first]))):
                cell[i] += v
    return found


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(PAID, st.sampled_from([END, date(2026, 6, 30), date(2026, 6, 12)]))
def test_cells_and_pooled_sums_are_those_of_plain_python(paid, as_of):
    result = revenue_retention(world(paid), as_of=as_of, last_age=6, replicates=20)
    expected = by_hand(paid, as_of.year * 12 + as_of.month - 1, 6)
    found = {
        (r["cohort"].year * 12 + r["cohort"].month - 1, r["age"]): [
            *(r[c] for c in ("n", "start_minor", "mrr_minor", "kept_minor"))
        ]
        for r in result.cells.to_dict("records")
    }
    assert found == expected
    cells = result.cells
    assert (cells["gross"] <= 1).all()
    assert (cells["gross"] <= cells["net"] + 1e-12).all()
    done = cells.loc[cells["state"] == "complete"]
    assert (done["completes_on"] <= pd.Timestamp(as_of)).all()
    sums = done.groupby("age")[["n", "start_minor", "mrr_minor", "kept_minor"]].sum()
    pooled = result.pooled.set_index("age")
    pd.testing.assert_frame_equal(pooled[list(sums)], sums, check_dtype=False)
    for rate in ("net", "gross"):
        known = pooled.loc[pooled[f"{rate}_low"].notna()]
        assert (known[f"{rate}_low"] <= known[rate]).all()
        assert (known[rate] <= known[f"{rate}_high"]).all()


def company(n, *, seed=1, size=1.0):
    rng = np.random.default_rng(seed)
    paid = {}
    for k in range(n):
        first, now = rng.integers(0, 6), int(size * rng.lognormal(9, 0.7)) + 100
        row = [0] * 12
        for m in range(first, 12):
            if rng.random() < 0.05:
                break
            now = int(now * rng.choice([1, 1, 1, 1.2, 0.8]))
            row[m] = now
        paid[f"a{k}"] = row
    return paid


def test_doubling_prices_changes_no_ratio():
    paid = company(60)
    twice = {a: [2 * v for v in row] for a, row in paid.items()}
    one = revenue_retention(world(paid), as_of=END, replicates=50).pooled
    two = revenue_retention(world(twice), as_of=END, replicates=50).pooled
    assert list(two["start_minor"]) == [2 * v for v in one["start_minor"]]
    for column in ("net", "net_low", "gross", "gross_high"):
        np.testing.assert_allclose(two[column], one[column])


def test_order_and_later_months_change_nothing():
    rows = world(company(40))
    early = date(2026, 6, 30)
    cut = rows.loc[rows["month"] <= 2026 * 12 + 5]
    whole = revenue_retention(rows.sample(frac=1, random_state=3), as_of=early, replicates=50)
    part = revenue_retention(cut, as_of=early, replicates=50)
    pd.testing.assert_frame_equal(whole.pooled, part.pooled)
    pd.testing.assert_frame_equal(whole.cells, part.cells)


def test_accounts_that_began_before_they_were_observed_are_left_out():
    rows = world({f"a{k}": [100] * 12 for k in range(3)} | {"new": [0] * 6 + [50] * 6})
    rows["observed_from"] = pd.Timestamp("2026-01-01")
    result = revenue_retention(rows, as_of=END, replicates=20)
    assert result.left_out == 3
    assert result.cells["n"].max() == 1
    assert list(result.pooled["status"]) == ["unclear"] * len(result.pooled)


def test_nobody_and_one_account_are_results():
    empty = revenue_retention(world({}), as_of=END, replicates=20)
    assert empty.cells.empty
    assert empty.pooled.empty
    one = revenue_retention(world({"a": [100] * 12}), as_of=END, replicates=20).pooled
    assert (one["net"] == 1).all()
    assert one[["net_low", "net_high"]].isna().all(axis=None)  # no spread is ignorance
    assert one["reason"].iloc[0] == "only 1 completed this age"


def test_a_part_month_is_open_and_in_no_average():
    result = revenue_retention(
        world({f"a{k}": [100] * 12 for k in range(40)}), as_of=date(2026, 10, 12), replicates=20
    )
    last = result.cells.iloc[-1]
    assert (last["state"], last["completes_on"]) == ("open", pd.Timestamp(END))
    assert np.isnan(last["net_low"])
    assert result.pooled["age"].max() == last["age"] - 1


@pytest.mark.slow
def test_more_accounts_than_bins_give_the_same_sums():
    n = BINS + 200
    rows = pd.DataFrame(
        {
            "account_id": [f"a{k}" for k in range(n) for _ in range(2)],
            "month": [OCTOBER - 1, OCTOBER] * n,
            "mrr_minor": [v for k in range(n) for v in (100 + k, 90 + k)],
        }
    )
    pooled = revenue_retention(rows, as_of=END, replicates=100).pooled
    assert list(pooled["n"]) == [n, n]
    start = sum(100 + k for k in range(n))
    assert list(pooled["mrr_minor"]) == [start, start - 10 * n]
    assert pooled["net_low"].iloc[1] < pooled["net"].iloc[1] < pooled["net_high"].iloc[1]
