"""The sales side of the revenue chapter in a real run: outline, sums, and what is missing."""

import pyarrow.parquet as pq
import pytest
from test_revenue_chapter import by_hand, outline, parts

OUTLINE = """\
## Do trials become customers, and does that pay?
finding: trial-to-paid
finding: trial-return
chart: trial-conversion
table: trials-by-group
table: trials-by-month
## Do contracts renew, and which come next?
finding: renewal-rate
finding: renewals-due
finding: renewal-forecast
chart: renewal-calendar
table: renewals-by-group
table: renewals-next
table: renewal-register
## Do we sell more to customers, and how soon?
finding: upsell-success
finding: time-to-expansion
chart: sales-success
chart: first-expansion
table: sales-by-kind
## What does it cost to win customers, and does that pay?
finding: customer-cost
finding: cost-payback
finding: worth-over-cost
chart: cost-payback-chart
table: unit-costs
table: unit-worth
"""
WITHOUT = """\
## Do trials become customers, and does that pay?
finding: sales-trials
## Do contracts renew, and which come next?
finding: sales-renewals
## Do we sell more to customers, and how soon?
finding: sales-opportunities
finding: time-to-expansion
chart: first-expansion
## What does it cost to win customers, and does that pay?
finding: sales-costs
"""

pytestmark = pytest.mark.slow


def test_sales_end_the_chapter_and_their_sums_agree(edition, tmp_path):
    notebook = by_hand(edition.workspace, tmp_path, cost_per_trial=40.0)
    assert outline(notebook).endswith(OUTLINE)
    shown = parts(notebook)
    for table in ("trials-by-group", "renewals-by-group", "unit-costs"):
        rows, key = shown[table]["rows"], {"unit-costs": "won"}.get(table, "n")
        assert sum(row[key] for row in rows[:-1]) == rows[-1][key]
    months = shown["trials-by-month"]["rows"]
    assert all(row["mature"] <= row["n"] for row in months)
    assert months[-1]["rate"] is None  # too young, not nought
    assert "owner" in shown["renewals-next"]["rows"][0]
    assert shown["trial-return"]["measure"]["value"] is not None
    new = next(row for row in shown["mrr-by-group"]["rows"] if row["group"] == "All accounts")
    won = shown["unit-costs"]["rows"][-1]
    assert won["arpa"] * won["won"] == pytest.approx(new["new_minor"], rel=1e-6)


def test_without_trials_days_of_renewal_and_sales_the_page_says_what_to_add(edition, tmp_path):
    files = tmp_path / "sample"
    files.mkdir()
    rows = pq.read_table(edition.workspace.parent / "sample" / "subscriptions.parquet")
    kept = rows.select(["subscription_id", "account_id", "start_on", "end_on", "mrr"])
    pq.write_table(kept, files / "subscriptions.parquet")
    lines = edition.workspace.read_text("utf-8").splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith("    accounts:"))
    (tmp_path / "csa.yml").write_text(text, encoding="utf-8")
    notebook = by_hand(tmp_path / "csa.yml", tmp_path)
    assert outline(notebook).endswith(WITHOUT)
    shown = parts(notebook)
    assert "Add accounts.csv" in shown["sales-trials"]["action"]
    assert "renews_on" in shown["sales-renewals"]["action"]
    assert "Add opportunities.csv" in shown["sales-opportunities"]["action"]


def test_outside_readers_see_no_account_that_renews(edition, tmp_path):
    shown = parts(by_hand(edition.workspace, tmp_path, audience="external"))
    assert shown["renewals-next"]["rows"] == []
    assert "CSM" not in shown["renewals-due"]["action"]
