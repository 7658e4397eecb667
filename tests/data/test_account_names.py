"""Names and owners of the accounts that a page shows."""

from datetime import date

import pytest

from csa.data.account_names import account_names
from csa.data.workspace import Workspace

pytestmark = pytest.mark.slow  # opens a workspace

ACCOUNTS = """account_id,name,segment,signed_up_on,owner
A1,First Ltd,small,2023-01-01,Ann
A2,<b>,large,2023-06-01,
"""
SUBSCRIPTIONS = "subscription_id,account_id,start_on,end_on,mrr\nS1,A1,2023-01-01,,10\n"
ALWAYS = {"observed_from": "always"}


@pytest.fixture
def opened(workspace):
    def make(accounts=ACCOUNTS):
        files = {"accounts.csv": accounts, "subscriptions.csv": SUBSCRIPTIONS}
        files = {name: text for name, text in files.items() if text}
        stated = {name.partition(".")[0]: ALWAYS for name in files}
        return Workspace(workspace(files, **stated), as_of=date(2024, 3, 31))

    return make


def test_account_names_keep_the_order_and_say_nothing_of_unknown_accounts(opened):
    found = account_names(opened(), ["A2", "A9", "A1"])
    assert found["account_id"].tolist() == ["A2", "A9", "A1"]
    assert found["name"].tolist()[::2] == ["<b>", "First Ltd"]
    assert found["owner"].isna().tolist() == [True, True, False]
    assert found["segment"].tolist()[::2] == ["large", "small"]
    assert found["name"].isna().tolist() == [False, True, False]


def test_account_names_without_accounts_are_missing(opened):
    found = account_names(opened(accounts=""), ["A1"])
    assert found["account_id"].tolist() == ["A1"]
    assert found[["name", "owner", "segment"]].isna().all(axis=None)
    assert account_names(opened(accounts=""), []).empty
    assert account_names(opened(), []).empty
