"""MRR movements against figures that others have published."""

from datetime import date

import ibis
import pytest
from stored import stored

from csa.data.rollups import RollupContext, account_months


def movements(con, table, as_of):
    """Count and amount of each movement, in the currency's units."""
    ctx = RollupContext(as_of=as_of, grace_days=0)
    months = account_months(table, ctx)
    moved = months.filter(months.movement != "none").mutate(
        change=months.mrr_minor - months.previous_minor
    )
    total = moved.group_by("movement").agg(n=moved.count(), change=moved.change.sum())
    return {r["movement"]: (r["n"], r["change"] / 100) for r in con.to_pyarrow(total).to_pylist()}


def test_movements_of_the_mrr_playbook():
    """The MRR playbook of dbt Labs, data/subscription_periods.csv: 121 periods of 55 customers.

    The playbook's own calendar starts in 2018 and loses three customers of 2017; these are the
    movements of all 55: 2,295 + 150 + 660 - 555 - 2,550 = 0, since every period has ended.
    """
    file = stored("CSA_DATA", "mrr_playbook", "subscription_periods.csv")
    con = ibis.duckdb.connect()
    rows = con.read_csv(file)
    table = rows.select(
        account_id=rows.customer_id.cast("string"),
        start_on=rows.start_date.cast("date"),
        end_on=rows.end_date.cast("date"),
        mrr=rows.monthly_amount.cast("decimal(18, 4)"),
    )
    assert movements(con, table, date(2020, 2, 29)) == {
        "new": (55, 2295),
        "reactivation": (3, 150),
        "expansion": (30, 660),
        "contraction": (27, -555),
        "churn": (58, -2550),
    }
    by_month = account_months(table, RollupContext(as_of=date(2020, 2, 29), grace_days=0))
    paying = by_month.filter(by_month.mrr_minor > 0)
    total = con.to_pyarrow(paying.aggregate(n=paying.count(), mrr=paying.mrr_minor.sum()))
    assert total.to_pylist() == [{"n": 352, "mrr": 1_714_500}]
    for month, active, mrr in ((24212, 2, 75), (24233, 22, 1135), (24240, 4, 175)):
        rows = con.to_pyarrow(paying.filter(paying.month == month).mrr_minor).to_pylist()
        assert (len(rows), sum(rows) / 100) == (active, mrr)
    con.disconnect()


@pytest.mark.slow
def test_movements_of_chartmoguls_worked_example():
    """ChartMogul help centre, MRR movements: four gold plans at 500 a year, two silver at 30.

    New 166.67; the silver plans are an expansion of 60, their cancellation a contraction of 60;
    the gold plans end after a year: churn 166.67; three monthly gold plans at 50: reactivation 150.
    """
    con = ibis.duckdb.connect()
    gold = [("2023-01-10", "2024-01-10", "41.6667")] * 4
    silver = [("2023-03-05", "2023-06-05", "30")] * 2
    back = [("2024-04-01", None, "50")] * 3
    values = ", ".join(
        f"('A', DATE '{start}', {f'DATE {end!r}' if end else 'NULL'}, {mrr}::DECIMAL(18, 4))"
        for start, end, mrr in gold + silver + back
    )
    con.raw_sql(f"CREATE TABLE s AS FROM (VALUES {values}) AS t(account_id, start_on, end_on, mrr)")
    assert movements(con, con.table("s"), date(2024, 12, 31)) == {
        "new": (1, 166.67),
        "expansion": (1, 60),
        "contraction": (1, -60),
        "churn": (1, -166.67),
        "reactivation": (1, 150),
    }
    con.disconnect()
