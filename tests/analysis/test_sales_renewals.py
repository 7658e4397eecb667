"""Renewals: what is due, what came of it and what was foretold, in worlds made by hand."""

from datetime import date

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sales_worlds import AS_OF, DAY, OCTOBER, contract, contracts, deal, deals

from csa.analysis.revenue.foretold import expected_loss, foretold, with_risk
from csa.analysis.revenue.renewals import due_next, renewals
from csa.errors import InputError

DUE = date(2026, 9, 15)  # settled on 15 October
START = date(2025, 9, 15)


def settled(*rows, **more):
    return renewals(contracts(*rows), span=OCTOBER, as_of=AS_OF, **more)


def outcomes(*rows):
    each = settled(*rows).each
    return dict(zip(each["due_on"], each["outcome"], strict=True))


def test_running_contract_is_renewed_when_the_grace_is_over():
    result = settled(contract("a", START, renews=DUE))
    (one,) = result.each.to_dict("records")
    assert (one["due_on"], one["settled_on"]) == (DUE, date(2026, 10, 15))
    assert (one["outcome"], one["due_minor"], one["renewed_minor"]) == ("renewed", 10000, 10000)
    row = result.table.iloc[0]
    assert (row["n"], row["renewed"], row["open"], row["status"]) == (1, 1, 0, "unclear")
    assert row["reason"] == "only 1 settled renewal"


@pytest.mark.parametrize("end", [DUE - 20 * DAY, DUE, DUE + 29 * DAY])
def test_contract_that_ends_around_its_day_is_lost(end):
    assert outcomes(contract("a", START, end, renews=DUE)) == {DUE: "lost"}


@pytest.mark.parametrize("end", [DUE - 31 * DAY, START + 40 * DAY])
def test_contract_that_ended_long_before_its_day_was_not_due(end):
    assert outcomes(contract("a", START, end, renews=DUE)) == {}


def test_contract_that_ends_after_the_grace_had_renewed():
    assert outcomes(contract("a", START, DUE + 31 * DAY, renews=DUE)) == {DUE: "renewed"}


@pytest.mark.parametrize(
    ("paid", "outcome"), [(120_00, "expanded"), (100_00, "renewed"), (60_00, "contracted")]
)
@pytest.mark.parametrize("begins", [DUE, DUE + 12 * DAY])
def test_new_row_renews_the_old_one(paid, outcome, begins):
    old = contract("a", START, DUE, renews=DUE)
    new = contract("a", begins, mrr=paid, renews=date(2027, 9, 15))
    assert outcomes(old, new) == {DUE: outcome}


def test_early_renewal_is_no_loss():
    begins = DUE - 10 * DAY
    old = contract("a", START, begins, renews=DUE)
    new = contract("a", begins, mrr=130_00, renews=date(2027, 9, 5))
    assert outcomes(old, new)[DUE] == "expanded"


def test_price_change_within_the_term_counts_the_contract_once():
    early = contract("a", START, DUE - 10 * DAY, renews=DUE)
    late = contract("a", DUE - 10 * DAY, mrr=150_00, renews=DUE)
    (one,) = settled(early, late).each.to_dict("records")
    assert (one["due_minor"], one["outcome"]) == (15000, "renewed")


def test_other_contracts_of_the_account_do_not_renew_it():
    due = contract("a", START, DUE, renews=DUE)
    monthly = contract("a", date(2026, 1, 1), mrr=500_00, renews=None, months=1)
    assert outcomes(due, monthly) == {DUE: "lost"}


def test_open_while_the_grace_runs_even_if_paid():
    day = date(2026, 10, 20)
    gone = contract("a", date(2025, 10, 20), day, renews=day)
    stays = contract("b", date(2025, 10, 20), renews=day)
    result = settled(gone, stays)
    assert set(result.each["outcome"]) == {"open"}
    assert (result.table.iloc[0]["n"], result.table.iloc[0]["open"]) == (0, 2)
    assert result.months.iloc[-1]["open_minor"] == 20000


def test_stale_and_future_days_of_renewal_mean_the_same():
    """A row that has run for years may name its first renewal or its next one."""
    for named in (date(2024, 9, 15), DUE, date(2027, 9, 15)):
        assert outcomes(contract("a", date(2023, 9, 15), renews=named)) == {DUE: "renewed"}


def test_month_ends_and_leap_days_fall_on_the_last_day():
    row = contract("a", date(2024, 2, 29), renews=date(2024, 2, 29))
    due = due_next(contracts(row), as_of=date(2025, 2, 1), ahead_days=40)
    assert list(due["due_on"]) == [date(2025, 2, 28)]
    monthly = contract("a", date(2026, 1, 31), renews=date(2026, 2, 28), months=1)
    again = due_next(contracts({**monthly, "renews_on": date(2026, 1, 31)}), as_of=AS_OF)
    assert list(again["due_on"]) == [date(2026, 11, 30), date(2026, 12, 31)]


def test_revenue_leaves_growth_out_and_never_exceeds_what_was_due():
    rows = []
    for n in range(12):
        rows.append(contract(f"a{n}", START, DUE, renews=DUE))
        if n < 9:
            rows.append(contract(f"a{n}", DUE, mrr=150_00, renews=date(2027, 9, 15)))
    row = settled(*rows).table.iloc[0]
    assert (row["n"], row["lost"], row["status"]) == (12, 3, "ok")
    assert row["revenue_rate"] == pytest.approx(0.75)
    assert row["revenue_low"] < 0.75 < row["revenue_high"] <= 1
    assert row["renewed_minor"] == 9 * 15000


def test_nothing_due_is_a_result():
    result = settled()
    assert result.each.empty
    assert result.table.iloc[0]["reason"] == "none is settled"
    assert due_next(contracts(), as_of=AS_OF).empty


def test_missing_column_is_refused():
    with pytest.raises(InputError, match="renews_on is missing"):
        renewals(contracts().drop(columns="renews_on"), span=OCTOBER, as_of=AS_OF)


def known_at(row, day):
    """Give a row as it was known on a day."""
    end = row["end_on"]
    return {**row, "end_on": end if end is not None and end <= day else None}


ROWS = st.builds(
    contract,
    st.sampled_from(["a", "b", "c"]),
    st.dates(date(2024, 6, 1), AS_OF),
    st.none() | st.dates(date(2024, 7, 1), AS_OF + 200 * DAY),
    mrr=st.sampled_from([100_00, 200_00]),
    renews=st.none() | st.dates(date(2025, 1, 1), date(2027, 1, 1)),
    months=st.sampled_from([1, 3, 12]),
)


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(rows=st.lists(ROWS, max_size=6))
def test_nothing_after_as_of_is_seen_and_outcomes_are_one_each(rows):
    rows = [r for r in rows if r["end_on"] is None or r["end_on"] > r["start_on"]]
    result = settled(*rows)
    each = result.each
    pd.testing.assert_frame_equal(each, settled(*(known_at(r, AS_OF) for r in rows)).each)
    assert not each.duplicated(["account_id", "due_on"]).any()
    assert (each["due_minor"] > 0).all()
    late = each.loc[[day > AS_OF for day in each["settled_on"]]]
    assert set(late["outcome"]) <= {"open"}
    lost = each.loc[each["outcome"] == "lost"]
    assert (lost["renewed_minor"] == 0).all()
    table = result.table.iloc[0]
    assert table["n"] == table[["expanded", "renewed", "contracted", "lost"]].sum()


# forecasts ------------------------------------------------------------------------------------


def many(lost=3, n=12):
    rows = [contract(f"a{k}", START, DUE if k < lost else None, renews=DUE) for k in range(n)]
    return settled(*rows)


def forecast(k, **more):
    said = {"kind": "renewal", "opened": date(2026, 7, 1), "mrr": 100_00} | more
    return deal(f"a{k}", **said)


def test_forecast_is_held_against_what_came():
    told = foretold(many(), deals(*(forecast(k) for k in range(10))))
    assert (told.n, told.missing, told.status) == (10, 2, "ok")
    assert told.accuracy.value == pytest.approx(0.7)
    assert told.error == pytest.approx(0.3)
    (month,) = told.months.to_dict("records")
    assert (month["due"], month["with_forecast"]) == (12, 10)
    assert (month["forecast_minor"], month["came_minor"]) == (100000, 70000)


@pytest.mark.parametrize(
    "late",
    [
        {"opened": DUE},  # on the day itself
        {"opened": DUE + DAY},
        {"opened": DUE - 181 * DAY},  # about an earlier renewal
        {"kind": "upsell"},
        {"mrr": None},
    ],
)
def test_what_could_know_the_outcome_is_no_forecast(late):
    told = foretold(many(), deals(*(forecast(k, **late) for k in range(12))))
    assert (told.n, told.missing, told.status) == (0, 12, "unclear")
    assert told.reason == "no settled renewal had a forecast"


def test_the_latest_forecast_before_the_day_counts():
    rows = [forecast(0, opened=date(2026, 6, 1), mrr=50_00), forecast(0, mrr=80_00)]
    told = foretold(many(), deals(*rows))
    assert told.months["forecast_minor"].iloc[0] == 8000


def predictions(*rows):
    names = ["account_id", "made_on", "horizon_days", "value"]
    return pd.DataFrame(list(rows), columns=names)


def test_predictions_made_before_the_day_that_reach_it_are_judged():
    rows = [(f"a{k}", date(2026, 8, 31), 90, 0.25) for k in range(12)]
    rows += [("a0", DUE, 90, 1.0), ("a1", date(2026, 5, 1), 90, 1.0)]  # too late, too short
    told = foretold(many(), None, predictions(*rows))
    assert told.judged == 12
    assert told.predicted == pytest.approx(0.25)
    assert told.lost.value == pytest.approx(0.25)
    assert foretold(many()).judged == 0


def test_risk_stands_beside_what_is_due():
    due = due_next(
        contracts(
            contract("a", date(2026, 1, 10), renews=date(2026, 12, 1)),
            contract("b", date(2026, 1, 10), mrr=400_00, renews=date(2026, 12, 1)),
        ),
        as_of=AS_OF,
    )
    rows = predictions(("b", AS_OF, 90, 0.1), ("b", AS_OF + DAY, 90, 0.9), ("a", AS_OF, 10, 0.5))
    found = with_risk(due, rows, as_of=AS_OF)
    assert list(found["account_id"]) == ["b", "a"]
    assert found["risk"].iloc[0] == 0.1
    assert pd.isna(found["risk"].iloc[1])
    assert expected_loss(found) == (pytest.approx(4000), 1)
    none = with_risk(due, None, as_of=AS_OF)
    assert pd.isna(expected_loss(none)[0])


def test_forecasts_of_nothing_have_no_accuracy():
    told = foretold(many(), deals(*(forecast(k, mrr=0) for k in range(12))))
    assert told.n == 12
    assert pd.isna(told.accuracy.value)
    assert pd.isna(told.error)


def test_row_order_does_not_matter():
    rows = [contract(f"a{k}", START, DUE if k < 3 else None, renews=DUE) for k in range(12)]
    table = settled(*rows).table
    pd.testing.assert_frame_equal(table, settled(*reversed(rows)).table)
