"""Recurring revenue: said, drawn and listed, or why not."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import date
from functools import cache

import numpy as np
import pytest
from mrr_worlds import OCTOBER, months_of, of
from sample_editions import Target

from csa.analysis.revenue.bridge import arpa_bridge, retention_bridge
from csa.analysis.revenue.by_definition import as_defined, by_definition
from csa.analysis.revenue.concentration import revenue_concentration
from csa.analysis.revenue.drawn import Draws
from csa.analysis.revenue.flows import flow_rates
from csa.analysis.revenue.months import span
from csa.analysis.revenue.movements import movements
from csa.analysis.revenue.rates import retention, retention_over_time
from csa.definitions import chosen
from csa.present import narrate, plots, tables
from csa.present.words import Words

SVG = "{http://www.w3.org/2000/svg}"
LABELS = {"period_label": "October 2026", "previous_label": "September 2026"}
PLAIN = {"b": "Retail", "s": "Trade"}
HOSTILE = {"b": "<script>alert(1)</script>", "s": "حساب تجريبي"}
FEW = Draws(replicates=80)
YEAR = range(OCTOBER - 26, OCTOBER + 1)
GOAL = Target(1.0, 0.9, "higher")


def texts(svg):
    return ["".join(node.itertext()) for node in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314


@cache
def months(*, hostile):
    """Sixty accounts in two groups; big ones lose, small ones grow, a few come and go."""
    rng = np.random.default_rng(4)
    paid, groups = {}, {}
    names = HOSTILE if hostile else PLAIN
    for k in range(60):
        name = f"{'b' if k % 2 else 's'}{k}"
        now = int(rng.lognormal(11 if k % 2 else 9, 0.5))
        paid[name], groups[name] = {}, names[name[0]]
        for month in YEAR:
            if rng.random() < 0.1:
                now = int(now * (rng.uniform(0.7, 1.0) if k % 2 else rng.uniform(1.0, 1.4)))
            away = rng.random() < 0.04 or (k == 7 and month > OCTOBER - 3)
            paid[name][month] = 0 if away else now
    return months_of(paid, groups=groups)


@cache
def made(*, hostile=False, preset="csa", horizon=12):
    """Everything that the chapter shows."""
    rows, month = months(hostile=hostile), of(2026, 10)
    moved = movements(rows, span=month)
    flows = flow_rates(rows, span=month, horizon_months=horizon, draws=FEW)
    kept = retention(rows, span=month, horizons=(1, 12), draws=FEW)
    rules = chosen(preset)
    return {
        "moved": moved,
        "flows": flows,
        "kept": kept,
        "told": as_defined(kept, flows, definitions=rules),
        "rules": rules,
        "compared": by_definition(kept, flows, moved, definitions=rules),
        "trend": retention_over_time(rows, span=month, horizon_months=12, draws=FEW),
        "held": revenue_concentration(rows, span=month),
        "nrr": retention_bridge(kept, of="nrr", horizon_months=12),
        "arpa": arpa_bridge(rows, span=month, draws=FEW),
    }


def findings(have, target=None):
    rules = have["rules"]
    net = {"definitions": rules, "period_label": "October 2026", "target": target}
    return {
        "moved": narrate.mrr_movements(have["moved"], target=target, **LABELS),
        "quick": narrate.quick_ratio(have["flows"], definitions=rules, target=target, **LABELS),
        "net": narrate.net_retention(have["told"], **net),
        "gross": narrate.gross_retention(have["told"], **net),
        "definitions": narrate.mrr_definitions(have["compared"], period_label="October 2026"),
        "nrr": narrate.mrr_bridge(have["nrr"], **LABELS),
        "arpa": narrate.mrr_bridge(have["arpa"], **LABELS),
        "held": narrate.revenue_concentration(have["held"], target=target),
    }


def charts(have, words):
    return [
        plots.mrr_waterfall(have["moved"], words=words),
        plots.mrr_movements(have["moved"], words=words),
        plots.retention_over_time(have["trend"], words=words),
        plots.revenue_retention(have["kept"], horizon_months=12, words=words),
        plots.mrr_bridge(have["nrr"], words=words),
        plots.mrr_bridge(have["arpa"], words=words),
        plots.revenue_concentration(have["held"], words=words),
    ]


def listed(have, words):
    largest = have["held"].largest
    return [
        tables.mrr_by_month(have["moved"], words=words),
        tables.mrr_by_group(have["moved"], words=words),
        tables.revenue_retention(have["kept"], words=words),
        tables.mrr_definitions(have["compared"], words=words),
        tables.mrr_bridge(have["nrr"], words=words),
        tables.mrr_bridge(have["arpa"], words=words),
        tables.largest_accounts(have["held"], names=largest, words=words),
    ]


@cache
def nothing_known():
    """Make everything of nobody."""
    rows, month = months_of({}), of(2026, 10)
    moved = movements(rows, span=month)
    flows = flow_rates(rows, span=month, draws=FEW)
    kept = retention(rows, span=month, horizons=(12,), draws=FEW)
    return {
        "moved": moved,
        "flows": flows,
        "kept": kept,
        "told": as_defined(kept, flows, definitions=chosen()),
        "rules": chosen(),
        "compared": by_definition(kept, flows, moved, definitions=chosen()),
        "trend": retention_over_time(rows, span=month, horizon_months=12, draws=FEW),
        "held": revenue_concentration(rows, span=month),
        "nrr": retention_bridge(kept, of="nrr", horizon_months=12),
        "arpa": arpa_bridge(rows, span=month, draws=FEW),
    }


@pytest.mark.slow
def test_findings_carry_the_figures_of_the_results():
    have = made()
    said = findings(have)
    row = have["kept"].table.query("group == 'all' and horizon_months == 12").iloc[0]
    net = said["net"]
    assert net.measure.value == row["nrr"]
    assert Words().share(row["nrr"]) in net.text
    assert "net" in net.text
    assert net.kind == "change"
    assert "Set a target" in net.action
    assert "growth left out" in said["gross"].text
    moved = have["moved"].period.iloc[0]
    assert said["moved"].measure.value == moved["end_minor"] / 100
    assert "Counted, not estimated" in said["moved"].evidence
    assert "new and expansion over contraction and churn" in said["quick"].evidence
    assert "cohort-locked" in said["definitions"].evidence.lower()
    assert "points" in said["nrr"].text
    assert "€" in said["arpa"].text
    assert said["held"].measure.value == pytest.approx(have["held"].largest["share"].sum())


@pytest.mark.slow
def test_findings_follow_the_chosen_definitions():
    have = made(preset="chartmogul")
    said = findings(have)
    flow = have["flows"].table.iloc[0]
    assert said["net"].measure.value == flow["nrr"]
    assert "by flows" in said["net"].text
    assert said["gross"].measure.value == flow["grr"]
    assert "by flows" in said["gross"].measure.method
    assert said["quick"].measure.value == flow["quick_ratio_with_reactivation"]
    assert said["definitions"].evidence.startswith("By flows")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("value", "status", "action"),
    [(0.2, "good", "Keep going"), (3.0, "bad", "Start with"), (0.95, "unclear", "Wait for more")],
)
def test_targets_are_judged_by_the_interval(value, status, action):
    told = made()["told"]
    table = told.table.assign(nrr=0.95, nrr_low=0.9, nrr_high=1.0, n=80, status="ok")
    said = narrate.net_retention(
        replace(told, table=table),
        definitions=chosen(),
        target=Target(value, value, "higher"),
        period_label="October 2026",
    )
    assert said.status == status
    assert action in said.action


@pytest.mark.slow
def test_what_is_not_known_is_said_and_never_a_number():
    have = nothing_known()
    for name, finding in findings(have).items():
        assert finding.status == "unclear", name
        assert "nan" not in f"{finding.text} {finding.evidence} {finding.action}".lower(), name
    for chart in charts(have, Words()):
        assert len(texts(chart.svg)) == 1
    for table in listed(have, Words()):
        assert "nan" not in str(table.cells()).lower()


@pytest.mark.slow
@pytest.mark.parametrize(("hostile", "locale"), [(False, "en"), (True, "de_DE")])
def test_charts_and_tables_carry_names_and_figures(hostile, locale):
    words = Words(locale, "EUR")
    have = made(hostile=hostile)
    ids = set()
    for chart in charts(have, words):
        assert chart.id not in ids
        ids.add(chart.id)
        for svg in (chart.svg, chart.svg_narrow):
            assert "<script" not in svg
            assert ET.fromstring(svg) is not None  # noqa: S314
        assert chart.alt
        assert "nan" not in chart.alt.lower()
    for table in listed(have, words):
        assert len(table.cells()) > 0
        assert "<script" not in table._repr_mimebundle_()["text/html"]
        assert "nan" not in str(table.cells()).lower()


@pytest.mark.slow
def test_waterfall_steps_lead_from_start_to_end():
    moved = made()["moved"]
    chart = plots.mrr_waterfall(moved)
    steps = chart.data
    assert list(steps["step"]) == [
        *("start", "new", "reactivation", "expansion", "contraction", "churn", "end")
    ]
    assert steps["after_minor"].iloc[-2] == steps["before_minor"].iloc[-1]
    assert steps["after_minor"].iloc[-1] == moved.period["end_minor"].iloc[0]
    shown = texts(chart.svg)
    assert {"Start", "New", "Came back", "Expansion", "Contraction", "Churn", "End"} <= set(shown)


@pytest.mark.slow
def test_table_of_movements_adds_up_as_shown():
    rows = tables.mrr_by_month(made()["moved"]).part()["rows"]
    steps = ("start", "new", "reactivation", "expansion", "contraction", "churn", "currency")
    for row in rows:
        total = sum(row[f"{step}_minor"] for step in steps)
        assert total == pytest.approx(row["end_minor"], abs=0.005)


@pytest.mark.slow
def test_definitions_are_listed_with_their_words_and_the_chosen_marked():
    table = tables.mrr_definitions(made(preset="chartmogul")["compared"])
    rows = table.part()["rows"]
    used = [(r["metric"], r["words"].split(":")[0]) for r in rows if r["chosen"] == "yes"]
    assert used[:2] == [
        ("Net revenue retention", "by flows"),
        ("Gross revenue retention", "by flows"),
    ]
    assert "preset chartmogul" in table.note
    assert any("ChartMogul" in r["vendors"] for r in rows)


def test_no_loss_is_a_word_and_not_infinite():
    rows, month = months_of({f"a{k}": {OCTOBER: 100} for k in range(12)}), of(2026, 10)
    flows = flow_rates(rows, span=month, draws=FEW)
    said = narrate.quick_ratio(flows, definitions=chosen(), **LABELS)
    assert said.text == "No loss in October 2026: there is no quick ratio."
    moved = narrate.mrr_movements(movements(rows, span=month), **LABELS)
    assert moved.action == "Nothing was lost; keep going."


def test_outside_readers_see_no_single_account():
    rows = months_of({f"a{k}": {OCTOBER: 100 + k} for k in range(12)})
    held = revenue_concentration(rows, span=of(2026, 10))
    table = tables.largest_accounts(held, names=held.largest, audience="external")
    assert table.cells() == []
    assert "not shown" in table.empty


def test_a_period_that_is_not_over_is_unclear():
    rows = months_of({f"a{k}": dict.fromkeys(YEAR, 100) for k in range(40)})
    late = span(start=date(2026, 10, 1), end=date(2026, 11, 1), as_of=date(2026, 10, 5))
    said = narrate.mrr_movements(movements(rows, span=late), target=GOAL, **LABELS)
    assert said.status == "unclear"
    assert "not over" in said.evidence
