"""Power users, engagement on a frozen scale, and readers of reports."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from adoption_worlds import (
    DAY,
    LAST,
    customers_of,
    days_of,
    every,
    licences_of,
    months_of,
    october,
)
from hypothesis import given
from hypothesis import strategies as st

from csa.analysis.adoption.engagement import WEIGHTS, engagement, last_reference
from csa.analysis.adoption.engagement_parts import Sources, parts_on, ranked
from csa.analysis.adoption.power import power_users
from csa.analysis.adoption.readers import readers
from csa.errors import InputError

FIRST = date(2025, 8, 1)
REFERENCE = date(2025, 11, 30)
LONG_AGO = date(2024, 1, 1)
FEATURES = pd.DataFrame({"feature": ["f", "g"], "area": "", "launched_on": [LONG_AGO] * 2})


def test_power_users_are_counted_by_their_days():
    """Forty people of ten accounts: ten come on 8 days, thirty on one; before all on one."""
    uses = [("z", None, FIRST)]
    for k in range(40):
        often = 8 if k < 10 else 1
        uses += [(f"a{k % 10}", f"u{k}", LAST - n * DAY) for n in range(often)]
        uses += [(f"a{k % 10}", f"u{k}", LAST - 30 * DAY)]
    days = days_of(uses)
    result = power_users(days, span=october(days), often=4)
    row = result.table.iloc[0]
    assert (row["users"], row["power_users"], row["share"]) == (40, 10, pytest.approx(0.25))
    assert (row["previous"], row["events_share"]) == pytest.approx((0.0, 80 / 110))
    assert row["status"] == "ok"
    curve = result.curve.set_index("days")
    assert list(curve["users"][[1, 4, 8]]) == [30, 0, 10]
    assert curve["previous_share"][1] == 1
    with pytest.raises(InputError, match="1 to 28"):
        power_users(days, span=october(days), often=29)


def test_without_people_there_is_no_power_user():
    days = days_of([("a", None, LAST)])
    result = power_users(days, span=october(days))
    assert result.curve["users"].sum() == 0
    assert result.table.empty or result.table["status"].eq("unclear").all()


@given(
    reference=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50),
    values=st.lists(st.floats(-2e6, 2e6), min_size=1, max_size=20),
)
def test_ranks_keep_the_order_and_stay_on_the_scale(reference, values):
    found = ranked(pd.Series(values), pd.Series(reference))
    assert ((found >= 0) & (found <= 1)).all()
    order = np.argsort(values, kind="stable")
    assert (np.diff(found[order]) >= 0).all()
    own = ranked(pd.Series(reference), pd.Series(reference))
    assert own.mean() == pytest.approx(0.5, abs=1e-9)  # the population's own mean is the middle


def test_a_missing_value_is_no_rank_and_no_population_ranks_none():
    assert np.isnan(ranked(pd.Series([np.nan]), pd.Series([1.0])))[0]
    assert np.isnan(ranked(pd.Series([1.0]), pd.Series([np.nan])))[0]


def world(number=40, *, silent=()):
    """Accounts of two seats; the k-th comes every (k % 5 + 1) days, some fall silent."""
    uses, features = [("z", None, FIRST)], []
    for k in range(number):
        for day in every(FIRST, LAST)[:: k % 5 + 1]:
            if k in silent and day > date(2026, 9, 30):
                continue
            uses.append((f"a{k}", f"u{k}", day))
            features.append((f"a{k}", f"u{k}", "f" if k % 2 else "g", day))
    names = [f"a{k}" for k in range(number)]
    days = days_of(uses)
    return Sources(
        days=days,
        features=months_of(features),
        customers=customers_of(dict.fromkeys(names, LONG_AGO), mrr={"a0": 90_000}),
        licences=licences_of([(n, LONG_AGO, None, 2) for n in names]),
        launched=FEATURES,
    ), october(days)


def test_parts_are_what_an_account_did():
    sources, _ = world(6)
    parts = parts_on(sources, LAST).set_index("account_id").sort_index()
    assert parts.loc["a0", "depth"] == 28
    assert parts.loc["a0", "utilisation"] == pytest.approx(0.5)  # one person, two seats
    assert parts["breadth"].unique().tolist() == [0.5]
    last = max(d for d in every(FIRST, LAST)[::5])
    gone = int(np.busday_count(last + DAY, LAST + DAY))
    assert parts.loc["a4", "recency"] == -gone
    assert parts.loc["a4", "days_since_use"] == (LAST - last).days


@pytest.mark.slow
def test_a_score_does_not_move_because_others_come_or_go():
    sources, about = world(40)
    alone = engagement(sources, span=about, reference_end=REFERENCE)
    few = customers_of({f"a{k}": LONG_AGO for k in range(40)}, ends={
        f"a{k}": date(2026, 6, 1) for k in range(30)
    })  # fmt: skip
    fewer = engagement(
        Sources(**{f: getattr(sources, f) for f in sources.__slots__} | {"customers": few}),
        span=about,
        reference_end=REFERENCE,
    )
    kept = fewer.accounts.set_index("account_id")["score"]
    assert len(kept) == 10
    before = alone.accounts.set_index("account_id")["score"][kept.index]
    np.testing.assert_allclose(kept, before)
    assert alone.reference_n == fewer.reference_n == 40
    assert alone.spread["share"].sum() == pytest.approx(1)


@pytest.mark.slow
def test_accounts_that_fall_silent_are_found_with_what_they_pay():
    sources, about = world(40, silent=(0, 5))
    result = engagement(sources, span=about, reference_end=REFERENCE)
    assert list(result.fallen["account_id"]) == ["a0", "a5"]  # largest first
    assert result.fallen["mrr_minor"].iloc[0] == 90_000
    assert (result.fallen["change"] < -20).all()
    row = result.table.iloc[0]
    assert (row["n"], row["fallen"], row["status"]) == (40, 2, "ok")
    assert row["coverage"] == pytest.approx(1)
    accounts = result.accounts.set_index("account_id")
    assert accounts.loc["a5", "utilisation"] == 0  # known to be none, not unknown


@pytest.mark.slow
def test_a_missing_part_is_left_out_and_shown():
    sources, about = world(40)
    bare = Sources(**{f: getattr(sources, f) for f in sources.__slots__} | {"licences": None})
    result = engagement(bare, span=about, reference_end=REFERENCE)
    assert result.table["coverage"].iloc[0] == pytest.approx(1 - WEIGHTS["utilisation"])
    assert np.isnan(result.accounts["utilisation"]).all()
    rest = {k: v for k, v in WEIGHTS.items() if k != "utilisation"}
    alone = engagement(sources, span=about, reference_end=REFERENCE, weights=rest)
    np.testing.assert_allclose(result.accounts["score"], alone.accounts["score"])


def test_a_reference_before_the_records_has_no_scale():
    sources, about = world(12)
    result = engagement(sources, span=about, reference_end=date(2025, 6, 30))
    assert result.reference_n == 0
    assert result.table["reason"].iloc[0] == "the reference of 2025-06-30 has no accounts"
    assert result.accounts["score"].isna().all()
    assert last_reference(date(2026, 10, 1)) == REFERENCE


@pytest.mark.parametrize(
    ("weights", "fault"),
    [({"depth": -1}, "0 or more"), ({"luck": 1}, "is no part"), ({"depth": 0}, "all are 0")],
)
def test_weights_that_make_no_score_are_refused(weights, fault):
    sources, about = world(1)
    with pytest.raises(InputError, match=fault):
        engagement(sources, span=about, reference_end=REFERENCE, weights=weights)


def test_readers_are_counted_by_role():
    days = days_of([("a", "u", LAST)])
    finished = {f"weekly/{k}": LAST - k * DAY for k in range(12)}
    runs = pd.DataFrame({"edition": list(finished), "finished_at": list(finished.values())})
    opens = pd.DataFrame(
        {
            "edition": ["weekly/1", "weekly/1", "weekly/2", "weekly/3"],
            "person": ["p", "q", "p", "r"],
            "opened_at": pd.to_datetime([LAST, LAST, LAST, date(2026, 5, 1)]),
        }
    )
    staff = pd.DataFrame({"person_id": ["p", "q"], "role": ["manager", None]})
    result = readers(opens, runs, staff, span=october(days))
    assert result.table.to_dict("list") == {
        "role": ["manager", "not stated"],
        "readers": [1, 1],
        "opens": [2, 1],
        "editions": [2, 1],
    }
    assert (result.opened.value, result.editions, result.status) == (
        pytest.approx(2 / 12),
        12,
        "ok",
    )
    none = readers(None, runs, staff, span=october(days))
    assert (none.status, none.reason) == ("unclear", "no opening of a report is recorded")
    assert none.table.empty
