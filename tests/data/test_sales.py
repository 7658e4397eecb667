"""Roll-ups of the sales side, and what is said where a part of it is missing."""

import csv
import io
from datetime import date

import pytest

from csa.data.rolled_up import RolledUp
from csa.data.sold import sold

AS_OF = date(2026, 10, 31)


def text(rows):
    """Write rows as CSV."""
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


ACCOUNTS = [
    {"account_id": "a", "signed_up_on": "2025-01-01", "trial_started_on": "2025-01-01",
     "converted_on": "2025-01-20", "acquisition_cost": "100.50", "segment": "S"},
    {"account_id": "b", "signed_up_on": "2026-10-20", "trial_started_on": "2026-10-20",
     "converted_on": "2026-11-05", "acquisition_cost": "", "segment": "S"},
    {"account_id": "p", "signed_up_on": "2026-01-01", "trial_started_on": "",
     "converted_on": "", "acquisition_cost": "7", "segment": "S"},
]  # fmt: skip
SUBSCRIPTIONS = [
    {"subscription_id": "1", "account_id": "a", "start_on": "2025-01-20", "end_on": "2026-11-20",
     "mrr": "9.995", "renews_on": "2027-01-20", "billing_months": "12"},
    {"subscription_id": "2", "account_id": "a", "start_on": "2026-11-20", "end_on": "",
     "mrr": "20", "renews_on": "", "billing_months": ""},
    {"subscription_id": "3", "account_id": "a", "start_on": "2025-05-01", "end_on": "2025-06-01",
     "mrr": "0", "renews_on": "", "billing_months": ""},
    {"subscription_id": "4", "account_id": "b", "start_on": "2025-05-01", "end_on": "2025-06-01",
     "mrr": "5", "renews_on": "", "billing_months": ""},
]  # fmt: skip
DEALS = [
    ("1", "2026-10-01", "2026-10-20", "Closed Won", "10"),
    ("2", "2026-10-01", "2026-10-20", "lost", "-5"),
    ("3", "2026-10-01", "2026-10-20", "negotiation", ""),
    ("4", "2026-10-01", "2026-11-20", "won", "1.005"),
    ("5", "2026-10-01", "", "proposal", "3"),
    ("6", "2026-11-01", "", "proposal", "3"),
]
OPPORTUNITIES = [
    {"opportunity_id": n, "account_id": "a", "kind": "upsell", "opened_on": opened,
     "closed_on": closed, "stage": stage, "mrr": mrr}
    for n, opened, closed, stage, mrr in DEALS
]  # fmt: skip
BOUGHT = [
    {"transaction_id": "1", "account_id": "p", "occurred_at": "2026-02-01 10:00:00", "amount": "5"},
    {"transaction_id": "2", "account_id": "a", "occurred_at": "2026-02-01 10:00:00", "amount": "5"},
]
ALWAYS = {"observed_from": "always"}


@pytest.fixture
def opened(workspace):
    def make(**files):
        named = {f"{name}.csv": text(rows) for name, rows in files.items()}
        own = {name: ALWAYS for name in ("accounts", "subscriptions") if name in files}
        return RolledUp(workspace(named, **own), as_of=AS_OF)

    return make


def test_contract_rows_are_those_paid_and_known(opened):
    rows = opened(accounts=ACCOUNTS, subscriptions=SUBSCRIPTIONS).contract_rows().to_pandas()
    rows = rows.sort_values("start_on").reset_index(drop=True)
    assert list(rows["account_id"]) == ["a", "b"]
    assert list(rows["mrr_minor"]) == [1000, 500]  # half up
    assert rows["end_on"].isna().tolist() == [True, False]  # it ends after the last day
    assert list(rows["period_months"]) == [12, 12]  # a year where nothing is stated


def test_opportunities_are_as_known_on_the_day(opened):
    deals = opened(accounts=ACCOUNTS, opportunities=OPPORTUNITIES).opportunities().to_pandas()
    deals = deals.sort_values("opportunity_id").reset_index(drop=True)
    assert list(deals["outcome"]) == ["won", "lost", "not stated", "open", "open"]
    assert deals["closed_on"].isna().tolist() == [False, False, False, True, True]
    assert deals["mrr_minor"].fillna(-1).tolist() == [1000, -1, -1, 101, 300]


def test_later_conversions_are_not_known(opened):
    rows = opened(accounts=ACCOUNTS).signups().to_pandas().set_index("account_id")
    assert rows["converted_on"].isna().to_dict() == {"a": False, "b": True, "p": True}


def test_accounts_that_merely_buy_cost_nothing_here(opened):
    everything = {
        "accounts": ACCOUNTS,
        "subscriptions": SUBSCRIPTIONS,
        "transactions": BOUGHT,
        "opportunities": OPPORTUNITIES,
    }
    side = sold(opened(**everything))
    assert not side.gaps
    assert sorted(side.costs.to_pandas()["account_id"]) == ["a", "b"]
    assert side.trials.count().execute() == 3


def test_without_purchases_all_accounts_count(opened):
    assert sold(opened(accounts=ACCOUNTS)).costs.count().execute() == 3


def test_a_missing_table_or_column_is_a_gap_with_a_way_out(opened):
    plain = [{k: r[k] for k in ("subscription_id", "account_id", "start_on", "end_on", "mrr")}
             for r in SUBSCRIPTIONS]  # fmt: skip
    side = sold(opened(subscriptions=plain))
    assert (side.trials, side.contracts, side.opportunities, side.costs) == (None,) * 4
    assert side.gaps["trials"].why == "the table accounts is missing"
    assert side.gaps["trials"].way_out.startswith("Add accounts.csv")
    assert side.gaps["contracts"].why == "no subscription states its day of renewal"
    assert "renews_on" in side.gaps["contracts"].way_out
    assert side.gaps["opportunities"].why == "the table opportunities is missing"


def test_columns_without_a_value_are_gaps(opened):
    bare = [{"account_id": "a", "signed_up_on": "2025-01-01", "segment": "S"}]
    side = sold(
        opened(accounts=bare, opportunities=[{**OPPORTUNITIES[0], "opened_on": "2027-01-01"}])
    )
    assert side.gaps["trials"].why == "no account states the first day of a trial"
    assert side.gaps["costs"].why == "no account states what it cost to win"
    assert side.gaps["opportunities"].why.startswith("there is no opportunity")
