"""Movements and rates against published figures: MRR playbook of dbt Labs, ChartMogul's help."""

from datetime import date
from functools import cache

import numpy as np
import pandas as pd
import pytest
from mrr_worlds import months_of, of, playbook
from stored import stored

from csa.analysis.revenue.by_definition import by_definition
from csa.analysis.revenue.drawn import Draws
from csa.analysis.revenue.flows import flow_rates
from csa.analysis.revenue.movements import compounded, movements
from csa.analysis.revenue.rates import retention
from csa.definitions import chosen

FEW = Draws(replicates=50)


@cache
def months(as_of=date(2020, 2, 29)):
    return playbook(stored("CSA_DATA", "mrr_playbook", "subscription_periods.csv"), as_of=as_of)


@cache
def every_month():
    table = movements(months(), span=of(2020, 2), history=30).table
    return table.set_index("month_start")


@pytest.mark.slow
def test_movements_of_the_playbook_add_up_to_its_totals():
    """The playbook's own file with a calendar from 2017 on: 121 periods of 55 customers."""
    table = every_month()
    counts = table[[c for c in table if c.endswith("_accounts")]].sum()
    assert counts["new_accounts"] == 55
    assert counts["reactivation_accounts"] == 3
    assert counts["expansion_accounts"] == 30
    assert counts["contraction_accounts"] == 27
    assert counts["churn_accounts"] == 58
    money = table[[c for c in table if c.endswith("_minor")]].sum() / 100
    assert money["new_minor"] == 2295
    assert money["reactivation_minor"] == 150
    assert money["expansion_minor"] == 660
    assert money["contraction_minor"] == 555
    assert money["churn_minor"] == 2550
    assert money["end_minor"] == 17_145
    assert table["accounts_end"].sum() + table["churn_accounts"].sum() - 58 == 352


@pytest.mark.parametrize(
    ("year", "month", "active", "mrr", "moved"),
    [
        (2017, 9, 2, 75, (75, 0, 0, 0, 0)),
        (2017, 10, 2, 50, (25, 0, 0, 0, -50)),
        (2017, 11, 0, 0, (0, 0, 0, 0, -50)),
        (2018, 1, 1, 55, (55, 0, 0, 0, 0)),
        (2018, 5, 3, 190, (120, 0, 0, 0, -80)),
        (2018, 9, 6, 340, (30, 50, 0, 0, 0)),
        (2018, 12, 12, 585, (25, 0, 50, -65, 0)),
        (2019, 4, 17, 895, (120, 50, 65, 0, 0)),
        (2019, 6, 22, 1135, (50, 0, 150, -30, 0)),
        (2019, 8, 26, 1240, (105, 0, 0, -55, -160)),
        (2019, 11, 42, 1840, (210, 0, 60, -110, 0)),
        (2019, 12, 28, 1255, (100, 0, 50, -30, -705)),
        (2020, 1, 4, 175, (175, 0, 0, 0, -1255)),
    ],
)
def test_movements_of_single_months_of_the_playbook(year, month, active, mrr, moved):
    """Active customers, revenue, new, reactivated, up, down and churned revenue of a month."""
    row = every_month().loc[date(year, month, 1)]
    kinds = ("new", "reactivation", "expansion", "contraction", "churn")
    signs = (1, 1, 1, -1, -1)
    found = tuple(s * int(row[f"{k}_minor"]) // 100 for s, k in zip(signs, kinds, strict=True))
    assert (row["accounts_end"], row["end_minor"] / 100, found) == (active, mrr, moved)


@pytest.mark.slow
def test_end_of_the_extract_is_not_churn():
    """Contracts that end after the last complete day are running: January's churn is no churn."""
    table = movements(months(date(2019, 12, 31)), span=of(2019, 12), history=28).table
    assert table["churn_minor"].sum() / 100 == 2550 - 1255 - 175 - 0
    assert table["accounts_end"].iloc[-1] == 28
    later = movements(months(date(2019, 12, 31)), span=of(2020, 1, as_of=date(2019, 12, 31)))
    assert (later.status, later.period["churn_minor"].iloc[0]) == ("unclear", 0)
    assert later.reason == "the period to 2020-02-01 is not over in the data"


@pytest.mark.parametrize(
    ("year", "month", "nrr", "grr", "flow", "quick"),
    [
        (2019, 4, 109.85, 100.00, 117.42, np.nan),
        (2019, 5, 90.50, 90.50, None, 1.824),
        (2019, 6, 112.44, 96.89, None, 6.667),
        (2019, 8, 84.07, 84.07, None, 0.488),
    ],
)
def test_monthly_rates_of_the_playbook(year, month, nrr, grr, flow, quick):
    """Shares to 2 decimals of a percent, quick ratios to 3; April's flow form is ChartMogul's."""
    span = of(year, month)
    locked = retention(months(), span=span, horizons=[1], draws=FEW).table.iloc[0]
    assert [100 * locked["nrr"], 100 * locked["grr"]] == pytest.approx([nrr, grr], abs=0.005)
    rates = flow_rates(months(), span=span, horizon_months=1, draws=FEW).table.iloc[0]
    assert rates["quick_ratio"] == pytest.approx(quick, abs=5e-4, nan_ok=True)
    assert rates["no_loss"] == np.isnan(quick)
    if flow is not None:
        assert 100 * rates["nrr"] == pytest.approx(flow, abs=0.005)


def test_logo_churn_of_the_playbook_in_august_2019():
    """11.54 % of 26 customers."""
    row = retention(months(), span=of(2019, 8), horizons=[1], draws=FEW).table.iloc[0]
    assert (row["lost"], row["n"]) == (3, 26)
    assert 100 * row["logo_churn"] == pytest.approx(11.54, abs=0.005)


@pytest.mark.parametrize(
    ("month", "n", "nrr", "grr", "logo"),
    [(11, 11, 97.39, 80.00, 90.91), (12, 12, 70.09, 58.12, 58.33)],
)
def test_rates_of_the_playbook_over_a_year(month, n, nrr, grr, logo):
    """November 2018 to November 2019 and December to December, percent to 2 decimals."""
    row = retention(months(), span=of(2019, month), horizons=[12], draws=FEW).table.iloc[0]
    found = [100 * row["nrr"], 100 * row["grr"], 100 * (1 - row["logo_churn"])]
    assert row["n"] == n
    assert found == pytest.approx([nrr, grr, logo], abs=0.005)


def test_definitions_of_the_playbook_side_by_side():
    """Cohort-locked 97.39 and 80.00 %, compounded monthly 83.80 and 48.16 %: to 2 decimals."""
    span = of(2019, 11)
    made = by_definition(
        retention(months(), span=span, horizons=[12], draws=FEW),
        flow_rates(months(), span=span, horizon_months=12, draws=FEW),
        movements(months(), span=span),
        definitions=chosen(),
    )
    value = made.table.set_index(["metric", "choice"])["value"] * 100
    assert value["nrr", "cohort"] == pytest.approx(97.39, abs=0.005)
    assert value["nrr", "compounded"] == pytest.approx(83.80, abs=0.005)
    assert value["grr", "cohort"] == pytest.approx(80.00, abs=0.005)
    assert value["grr", "compounded"] == pytest.approx(48.16, abs=0.005)
    assert list(made.table.loc[made.table["chosen"], "choice"]) == [
        *("cohort", "cohort", "without_reactivation")
    ]
    assert made.spread("nrr") == pytest.approx((value["nrr"].max() - value["nrr"].min()) / 100)


def test_movements_of_chartmoguls_example():
    """Help centre: new 166.67, expansion 60, contraction 60, churn 166.67, reactivation 150."""
    paid = dict.fromkeys(range(24276, 24278), 16667) | dict.fromkeys(range(24278, 24281), 22667)
    paid |= dict.fromkeys(range(24281, 24288), 16667) | dict.fromkeys(range(24291, 24300), 15000)
    frame = months_of({"A": paid})
    table = movements(frame, span=of(2024, 12), history=24).table
    total = table[[c for c in table if c.endswith("_minor")]].sum()
    assert total["new_minor"] == total["churn_minor"] == 16667
    assert total["expansion_minor"] == total["contraction_minor"] == 6000
    assert total["reactivation_minor"] == 15000


def test_compounded_is_unknown_without_all_months():
    frame = months_of({"A": dict.fromkeys(range(24310, 24322), 100)})
    result = movements(frame, span=of(2026, 10))
    assert compounded(result, horizon_months=3).iloc[0].to_list() == ["all", 1.0, 1.0]
    assert pd.isna(compounded(result, horizon_months=12)["nrr"].iloc[0])
