"""Groups of buyers: said and listed, or why not."""

from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from csa.analysis.clv.buyer_groups import FIGURES, TOO_FEW, BuyerGroups
from csa.present.narrate import clv_buyer_groups as narrate
from csa.present.plots import clv_buyer_groups as plots
from csa.present.tables import clv_buyer_groups as tables


def groups(names=("Retail", "Trade", "Web"), p_buys=1e-9, p_leaves=0.004) -> BuyerGroups:
    """Trade buys twice as fast, Web leaves twice as soon; a fourth is too small."""
    figures = [
        (0.8, 0.7, 0.9, 0.7, 0.6, 0.9, 3.0, 2.8, 3.2, 0.6, 0.5, 0.7),
        (2.0, 1.8, 2.2, 0.9, 0.7, 1.2, 6.0, 5.5, 6.6, 0.55, 0.5, 0.6),
        (0.9, 0.8, 1.0, 2.0, 1.5, 2.6, 2.0, 1.8, 2.2, 0.3, 0.2, 0.4),
        (np.nan,) * 12,
    ]
    table = pd.DataFrame(figures, columns=list(FIGURES)).assign(
        group=[*names, "Tiny"],
        customers=[500.0, 300.0, 200.0, 4.0],
        again=[200.0, 150.0, 50.0, 1.0],
        status=["ok", "ok", "ok", "unclear"],
        reason=["", "", "", TOO_FEW],
    )
    return BuyerGroups(
        table=table,
        p_buys=p_buys,
        p_leaves=p_leaves,
        fit=SimpleNamespace(),  # type: ignore[arg-type]
        as_of=date(2026, 6, 30),
        confidence=0.95,
        status="ok",
        reason="",
    )


def test_finding_names_who_leaves_sooner_and_who_buys_faster():
    said = narrate.buyer_groups(groups())
    assert said.status == "watch"
    assert said.text == (
        "Customers of Web leave 2.0 times as soon as the average (30% are still there after a "
        "year); customers of Trade buy 2.0 times as fast as the average (6.0 repeat purchases in a "
        "first year)."
    )
    assert "1.5 to 2.6 times (95% interval)" in said.evidence
    assert "that all leave alike has p = 0.004" in said.evidence
    assert (said.measure.value, said.measure.low, said.measure.n) == (2.0, 1.5, 200)


def test_finding_without_a_difference_or_without_groups():
    assert narrate.buyer_groups(groups(p_leaves=0.4)).status == "good"
    same = narrate.buyer_groups(groups(p_buys=0.5, p_leaves=0.4))
    assert same.status == "unclear"
    assert same.text.startswith("No segment is seen")
    assert same.measure is None
    bound = narrate.buyer_groups(groups(p_buys=0.5, p_leaves=None))
    assert "buy faster than the average; who leaves sooner cannot be told" in bound.text
    none = replace(groups(), fit=None, p_buys=None, p_leaves=None, reason="too little is known")
    said = narrate.buyer_groups(none, by="channel")
    assert (said.status, said.measure) == ("unclear", None)
    assert "one channel buy faster or leave sooner cannot be told: too little" in said.text


def test_table_lists_groups_with_intervals_and_what_limits_them():
    shown = tables.buyer_groups(groups(), by="channel")
    assert list(shown.rows["group"]) == ["Retail", "Trade", "Web", "Tiny"]
    assert shown.rows["stays_interval"].iloc[2] == (0.2, 0.4)
    assert [column.key for column in shown.columns][2:] == [
        *("first_year", "first_year_interval", "stays", "stays_interval"),
    ]
    assert "Tiny: fewer than 8 customers bought again" in shown.note
    assert "buying p < 0.001, in leaving p = 0.004" in shown.note
    assert "Channel" in shown._repr_mimebundle_()["text/html"]


def test_chart_draws_rates_against_the_average_with_intervals():
    chart = plots.buyer_groups(groups())
    assert "Trade buys 2.00 times (1.80 to 2.20) as fast as the average" in chart.alt
    assert list(chart.data["group"]) == ["Retail", "Trade", "Web"]  # not the one without figures
    for drawing in (chart.svg, chart.svg_narrow):
        assert [drawing.count(f">{text}<") for text in ("Buys", "Leaves", "sooner")] == [1, 1, 1]
        assert drawing.count(">Web<") == 2
    assert ">1.50 to 2.60<" in chart.svg


def test_leaving_is_not_shown_where_nobody_is_seen_leaving():
    result = groups()
    leaves = [name for name in FIGURES if name.startswith("leaves")]
    staying = replace(result, table=result.table.assign(**dict.fromkeys(leaves, np.nan)))
    chart = plots.buyer_groups(staying)
    assert (">Buys<" in chart.svg, ">Leaves<" in chart.svg) == (True, False)
    assert "leaves an unknown number of times" in chart.alt
    columns = [column.key for column in tables.buyer_groups(staying).columns]
    assert columns == ["group", "customers", "first_year", "first_year_interval"]
    assert "can be compared" in plots.buyer_groups(replace(result, table=result.table.tail(1))).alt


def test_chart_of_many_groups_draws_the_largest():
    table = pd.concat([groups().table.head(3)] * 5, ignore_index=True)
    chart = plots.buyer_groups(replace(groups(), table=table))
    assert "5 smaller groups are not drawn" in chart.caption
    assert len(chart.data) == 15


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "A" * 200, "حساب تجريبي"])
def test_hostile_names_stay_names(name):
    result = groups(names=("Retail", name, name))
    assert "<script>" not in tables.buyer_groups(result)._repr_mimebundle_()["text/html"]
    assert "<script>" not in plots.buyer_groups(result).svg
    assert len(narrate.buyer_groups(result).text) < 400
