"""Activity of a workspace: what counts, from which start, and who is left out."""

import pandas as pd
import pytest

from csa.data.activity import activity
from csa.data.workspace import open_workspace
from csa.errors import InputError, NotAvailable

SETTINGS = """\
version: 1
name: Activity
currency: EUR
timezone: UTC
data:
  sources: {files: {path: .}}
  tables:
    accounts: {observed_from: 2025-01-01}
    {subscriptions}
"""
ACCOUNTS_LINE = "    accounts: {observed_from: 2025-01-01}\n"
ACCOUNTS = pd.DataFrame(
    {
        "account_id": ["old", "new", "buyer", "never"],
        "segment": ["small", "small", "large", "large"],
        "signed_up_on": ["2024-06-01", "2025-02-01", "2025-01-15", "2025-03-01"],
    }
)
SUBSCRIPTIONS = pd.DataFrame(
    {
        "subscription_id": ["1", "2", "3"],
        "account_id": ["old", "new", "new"],
        "start_on": ["2024-06-10", "2025-02-10", "2025-05-20"],
        "end_on": [None, "2025-03-20", None],
        "mrr": [100.0, 50.0, 60.0],
    }
)
TRANSACTIONS = pd.DataFrame(
    {
        "account_id": ["buyer", "buyer", "buyer", "old"],
        "occurred_at": ["2025-02-01 10:00", "2025-03-01 10:00", "2025-03-01 11:00", "2025-02-01"],
        "amount": [5.0, 7.0, -7.0, 3.0],
    }
)
USAGE = pd.DataFrame(
    {
        "account_id": ["new", "new", "new", "old"],
        "user_id": ["u", "v", None, "w"],
        "occurred_at": ["2025-02-12", "2025-02-12", "2025-02-13", "2025-02-13"],
    }
)
ALL = {
    "accounts": ACCOUNTS,
    "subscriptions": SUBSCRIPTIONS,
    "transactions": TRANSACTIONS,
    "usage_events": USAGE,
}


pytestmark = pytest.mark.slow


def opened(folder, tables, *, segment="all"):
    for name, frame in tables.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    stated = "subscriptions: {observed_from: 2025-01-01}" if "subscriptions" in tables else ""
    settings = SETTINGS if "accounts" in tables else SETTINGS.replace(ACCOUNTS_LINE, "")
    if not {"accounts", "subscriptions"} & set(tables):
        settings = settings.replace("  tables:\n", "")
    (folder / "csa.yml").write_text(settings.replace("{subscriptions}", stated))
    return open_workspace(as_of="2025-06-30", segment=segment, path=folder)


def rows(found):
    frame = found.rows.execute()
    return frame.sort_values([c for c in ("account_id", "day") if c in frame], ignore_index=True)


def test_paid_are_stretches_from_the_first_payment_of_accounts_seen_from_their_start(tmp_path):
    found = activity(opened(tmp_path, ALL))
    assert (found.kind, found.unit, found.start) == ("paid", "account_id", "start")
    assert found.left_out == 1  # "old"
    frame = rows(found)
    assert list(frame["account_id"]) == ["new", "new"]
    assert list(frame["day"].astype(str)) == ["2025-02-10", "2025-05-20"]
    assert list(frame["start"].astype(str)) == ["2025-02-10", "2025-02-10"]
    assert frame["until"].isna().tolist() == [False, True]
    assert set(frame["group"]) == {"small"}


def test_purchases_given_back_in_full_are_none(tmp_path):
    found = activity(opened(tmp_path, ALL), kind="purchased")
    frame = rows(found)
    assert list(frame["account_id"]) == ["buyer"]
    assert list(frame["day"].astype(str)) == ["2025-02-01"]
    assert (found.start, found.left_out) == (None, 1)


def test_used_follows_accounts_or_people(tmp_path):
    workspace = opened(tmp_path, ALL)
    accounts, users = (activity(workspace, kind=kind) for kind in ("used", "users"))
    assert (accounts.unit, users.unit, users.kind) == ("account_id", "user_id", "used")
    assert set(rows(users)["user_id"].dropna()) == {"u", "v"}
    assert set(rows(accounts)["account_id"]) == {"new"}


def test_signup_begins_also_accounts_that_were_never_active(tmp_path):
    workspace = opened(tmp_path, ALL)
    paid = activity(workspace, begins="signup")
    frame = rows(paid)
    assert list(frame["account_id"]) == ["never", "new", "new"]  # "buyer" has no contract
    assert frame.loc[frame["account_id"] == "never", "day"].isna().all()
    assert set(frame["start"].astype(str)) == {"2025-03-01", "2025-02-01"}
    bought = rows(activity(workspace, kind="purchased", begins="signup"))
    assert list(bought["account_id"]) == ["buyer", "never"]  # "new" has a contract


def test_segment_and_column_limit_and_group(tmp_path):
    workspace = opened(tmp_path, ALL, segment="large")
    assert set(rows(activity(workspace, kind="purchased", by="account_id"))["group"]) == {"buyer"}
    assert rows(activity(workspace)).empty
    assert set(rows(activity(workspace, begins="signup"))["account_id"]) == {"never"}


def test_without_subscriptions_purchases_are_followed(tmp_path):
    tables = {name: frame for name, frame in ALL.items() if name != "subscriptions"}
    assert activity(opened(tmp_path, tables)).kind == "purchased"


def test_without_either_the_chapter_says_what_to_add(tmp_path):
    with pytest.raises(NotAvailable, match="table subscriptions is missing"):
        activity(opened(tmp_path, {"accounts": ACCOUNTS}))
    with pytest.raises(NotAvailable, match="usage_events"):
        activity(opened(tmp_path, {"accounts": ACCOUNTS}), kind="used")


def test_signup_needs_accounts(tmp_path):
    workspace = opened(tmp_path, {"transactions": TRANSACTIONS})
    with pytest.raises(NotAvailable, match="begins: first"):
        activity(workspace, kind="purchased", begins="signup")


def test_unknown_choices_are_refused_at_once(tmp_path):
    with pytest.raises(InputError, match=r"activity \"sold\"") as caught:
        activity(opened(tmp_path, ALL), kind="sold", begins="birth")
    assert len(caught.value.faults) == 2
    with pytest.raises(InputError, match="only accounts sign up"):
        activity(opened(tmp_path, ALL), kind="users", begins="signup")
