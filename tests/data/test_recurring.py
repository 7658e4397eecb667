"""Subscriptions as the definitions count them: list price, end at cancellation."""

from datetime import date

import ibis
import pytest

from csa.data.recurring import as_defined
from csa.data.rollups import RollupContext, account_months
from csa.data.workspace import Workspace
from csa.definitions import OWN, chosen
from csa.errors import NotAvailable

ROWS = [
    # account, start, end, mrr, list price, cancelled
    ("A", "2026-01-05", None, "80", "100", None),  # a discount that stays
    ("B", "2026-01-05", "2026-06-05", "50", None, "2026-03-10"),  # paid for longer than it stayed
    ("C", "2026-01-05", "2026-02-10", "30", "40", "2026-04-01"),  # cancelled when it was over
    ("D", "2026-05-01", None, "20", "20", "2026-04-02"),  # cancelled before it began
    ("E", "2026-01-05", None, "0", "90", None),  # a free plan has no list price to pay
]
KINDS = {"account_id": "string", "start_on": "date", "end_on": "date", "mrr": "decimal(18, 4)"}


@pytest.fixture(scope="module")
def subscriptions():
    names = ["account_id", "start_on", "end_on", "mrr", "list_mrr", "cancelled_on"]
    kinds = KINDS | {"list_mrr": "decimal(18, 4)", "cancelled_on": "date"}
    return ibis.memtable([dict(zip(names, row, strict=True)) for row in ROWS]).cast(kinds)


def paid(table, definitions):
    """Minor units by account and month end of 2026, from January on."""
    ctx = RollupContext(as_of=date(2026, 6, 30), grace_days=0, definitions=definitions)
    rows = account_months(table, ctx).to_pandas()
    found = {}
    for row in rows.itertuples():
        found.setdefault(row.account_id, {})[row.month - 2026 * 12 + 1] = row.mrr_minor
    return found


def test_as_defined_by_the_kit_changes_nothing(subscriptions):
    assert as_defined(subscriptions, OWN).equals(subscriptions)


@pytest.mark.slow
def test_list_price_counts_where_it_is_stated_and_something_is_paid(subscriptions):
    net, listed = (paid(subscriptions, chosen("csa", {"discounts": d})) for d in ("net", "list"))
    assert (net["A"][1], listed["A"][1]) == (8000, 10_000)
    assert net["B"] == listed["B"]
    assert (net["C"][1], listed["C"][1]) == (3000, 4000)
    assert "E" not in net
    assert "E" not in listed


@pytest.mark.slow
def test_cancellation_ends_what_has_been_paid_for_longer(subscriptions):
    kept, cut = (paid(subscriptions, chosen(preset)) for preset in ("csa", "stripe"))
    assert kept["B"] == {1: 5000, 2: 5000, 3: 5000, 4: 5000, 5: 5000, 6: 0}
    assert cut["B"] == {1: 5000, 2: 5000, 3: 0}
    assert cut["C"] == kept["C"] == {1: 3000, 2: 0}
    assert "D" in kept
    assert "D" not in cut
    assert cut["A"] == kept["A"]


@pytest.mark.parametrize(
    ("switch", "column"), [("discounts: list", "list_mrr"), ("churn_at: cancel", "cancelled_on")]
)
def test_a_missing_column_is_said_with_the_way_out(subscriptions, switch, column):
    name, _, choice = switch.partition(": ")
    with pytest.raises(NotAvailable, match=f"say {switch}, which needs the column {column}"):
        as_defined(subscriptions.drop(column), chosen("csa", {name: choice}))


FILE = """subscription_id,account_id,start_on,end_on,mrr,list_mrr,cancelled_on
S1,A1,2026-01-05,2026-06-05,50,60,2026-03-10
"""


@pytest.mark.slow
def test_definitions_of_csa_yml_reach_the_roll_up_and_its_file(workspace):
    """Another definition makes another file; a column that is not mapped is asked for."""

    def months(text=FILE, **definitions):
        settings = workspace(
            {"subscriptions.csv": text},
            top={"definitions": definitions},
            subscriptions={"observed_from": "always"},
        )
        opened = Workspace(settings, as_of=date(2026, 6, 30))
        opened._usable = lambda table: None
        rows = opened.rollup("account_months").order_by("month").to_pandas()
        return [int(x) for x in rows["mrr_minor"]]

    assert months() == [5000] * 5 + [0]
    assert months(discounts="list") == [6000] * 5 + [0]
    assert months(preset="stripe") == [5000, 5000, 0]
    assert months(preset="stripe", churn_at="period_end") == [5000] * 5 + [0]
    short = "\n".join(line.rsplit(",", 2)[0] for line in FILE.splitlines())
    for definitions in ({"churn_at": "cancel"}, {"preset": "paddle_billing"}):
        with pytest.raises(NotAvailable, match="of subscriptions; map it under"):
            months(short, **definitions)
