"""The sales side of the sample company, whose laws are written in its truth.json."""

import json
from datetime import date

import pandas as pd
import pytest

from csa.analysis.revenue.months import span
from csa.analysis.revenue.renewals import renewals
from csa.analysis.revenue.time_to import time_to_conversion
from csa.data.rolled_up import RolledUp
from csa.data.sample import write_sample
from csa.data.sold import sold
from csa.settings import from_mapping

AS_OF = date(2026, 10, 31)
FIRST = date(2021, 11, 1)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    root = tmp_path_factory.mktemp("company")
    write_sample(root / "sample", accounts=2000, seed=11)
    tables = {name: {"observed_from": FIRST} for name in ("accounts", "subscriptions")}
    raw = {
        "name": "Test",
        "currency": "EUR",
        "timezone": "Europe/Berlin",
        "data": {"sources": {"sample": {"path": "sample"}}, "tables": tables},
    }
    settings = from_mapping(raw, root=root)
    truth = json.loads((root / "sample" / "truth.json").read_text("utf-8"))
    return RolledUp(settings, as_of=AS_OF), truth["trials"]


def by_channel(workspace, truth):
    """Share of the trials of each segment that convert, given the channels they came through."""
    rows = workspace.rollup("accounts")
    rows = rows.filter(rows.trial_started_on >= FIRST).select("segment", "channel").to_pandas()
    chance = rows["segment"].map(truth["converts"]) + rows["channel"].map(truth["added_by_channel"])
    return chance.groupby(rows["segment"]).mean()


def test_intervals_of_conversion_cover_the_law_of_the_company(company):
    workspace, truth = company
    found = time_to_conversion(
        workspace.signups(), since=FIRST, as_of=AS_OF, by_age=60, confidence=0.99
    )
    wanted = by_channel(workspace, truth)
    rows = found.table.set_index("group")
    for group, share in wanted.items():
        assert rows.loc[group, "ci_low"] < share < rows.loc[group, "ci_high"], group


def test_curves_of_conversion_follow_the_law_by_day(company):
    workspace, truth = company
    wanted = by_channel(workspace, truth)
    for group, days in truth["trial_days"].items():
        by_day = (days / (1.3 * days)) ** (1 / 0.7)
        found = time_to_conversion(
            workspace.signups(), since=FIRST, as_of=AS_OF, by_age=days, confidence=0.99
        )
        row = found.table.set_index("group").loc[group]
        assert row["ci_low"] < wanted[group] * by_day < row["ci_high"], group


def test_outcomes_of_contracts_are_those_the_sellers_recorded(company):
    """Renewals from subscriptions against those written into opportunities, each on its own."""
    workspace, _ = company
    side = sold(workspace)
    period = span(start=date(2026, 10, 1), end=date(2026, 11, 1), as_of=AS_OF)
    each = renewals(side.contracts, span=period, as_of=AS_OF, history=36).each
    each = each.loc[each["outcome"] != "open"]
    said = side.opportunities.filter(side.opportunities.kind == "renewal").to_pandas()
    said = said.assign(closed_on=pd.to_datetime(said["closed_on"]))
    both = each.assign(due=pd.to_datetime(each["due_on"])).merge(
        said, on="account_id", suffixes=("", "_said")
    )
    days = (both["closed_on"] - both["due"]).dt.days
    both = both.loc[(days >= -20) & (days <= 30)]
    assert len(both) > 500
    lost, recorded = both["outcome"] == "lost", both["outcome_said"] == "lost"
    assert recorded.sum() > 15
    assert (lost != recorded).sum() == 0
