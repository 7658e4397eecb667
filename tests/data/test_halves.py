"""A chapter with two halves opens what a workspace has, and says what it has not."""

import pandas as pd
import pytest

from csa.data.halves import halves
from csa.data.workspace import open_workspace
from csa.errors import NotAvailable

SETTINGS = """\
version: 1
name: Two halves
currency: EUR
timezone: UTC
data:
  sources: {files: {path: .}}
  tables:
    accounts: {observed_from: always}
    {subscriptions}
"""
ACCOUNTS = pd.DataFrame(
    {
        "account_id": ["a", "b", "c"],
        "segment": ["small", "small", "large"],
        "channel": ["ads", "ads", "word"],
        "signed_up_on": "2025-01-01",
        "acquisition_cost": [10.0, 20.0, 30.0],
    }
)
SUBSCRIPTIONS = pd.DataFrame(
    {
        "subscription_id": ["1"],
        "account_id": ["a"],
        "start_on": ["2025-01-01"],
        "end_on": [None],
        "mrr": [100.0],
    }
)
TRANSACTIONS = pd.DataFrame(
    {
        "account_id": ["b", "b"],
        "occurred_at": ["2025-02-01 10:00", "2025-03-01 10:00"],
        "amount": [5.0, 7.0],
    }
)
BOTH = {"accounts": ACCOUNTS, "subscriptions": SUBSCRIPTIONS, "transactions": TRANSACTIONS}


def opened(folder, *, observed=True, segment="all", by="segment", needed=True, **tables):
    for name, frame in tables.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    stated = "subscriptions: {observed_from: always}" if observed else ""
    (folder / "csa.yml").write_text(SETTINGS.replace("{subscriptions}", stated))
    workspace = open_workspace(as_of="2025-06-30", segment=segment, path=folder)
    return halves(workspace, by=by, needed=needed)


def ids(table):
    return sorted(table.account_id.execute().unique())


@pytest.mark.slow
def test_both_halves_and_the_cost_of_mere_buyers_is_not_that_of_contracts(tmp_path):
    found = opened(tmp_path, **BOTH)
    assert not found.why
    assert ids(found.contracts.spells) == ["a"]
    assert ids(found.buyers.purchases) == ["b"]
    assert ids(found.contracts.accounts) == ["a", "c"]  # c signed up and was never won


def test_a_missing_table_leaves_its_half_out_and_says_so(tmp_path):
    some = {"accounts": ACCOUNTS, "transactions": TRANSACTIONS}
    found = opened(tmp_path, observed=False, **some)
    assert found.contracts is None
    assert ids(found.buyers.purchases) == ["b"]
    absent = found.why["subscriptions"]
    assert (absent.found, absent.lines) == (False, ())


@pytest.mark.slow
def test_a_segment_without_rows_leaves_its_half_out(tmp_path):
    more = TRANSACTIONS.assign(account_id="c")
    found = opened(tmp_path, segment="large", **BOTH | {"transactions": more})
    assert found.contracts is None
    assert ids(found.buyers.purchases) == ["c"]
    assert (found.why["subscriptions"].found, found.why["subscriptions"].lines) == (True, ())


def test_without_either_half_the_chapter_is_refused_unless_it_need_not_be(tmp_path):
    with pytest.raises(NotAvailable, match="transactions is missing"):
        opened(tmp_path, observed=False, accounts=ACCOUNTS)
    assert set(opened(tmp_path, observed=False, needed=False, accounts=ACCOUNTS).why) == {
        "subscriptions",
        "transactions",
    }
