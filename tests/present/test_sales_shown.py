"""Trials, renewals, sales and costs: said, drawn and listed, or why not."""

import xml.etree.ElementTree as ET
from datetime import date
from functools import cache
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from mrr_worlds import OCTOBER as MONTH
from mrr_worlds import months_of
from sales_worlds import AS_OF, DAY, OCTOBER, contract, contracts, deal, deals, trials
from sample_editions import Target

from csa.analysis.revenue.expansion import sales_success
from csa.analysis.revenue.foretold import foretold, with_risk
from csa.analysis.revenue.renewals import due_next, renewals
from csa.analysis.revenue.time_to import time_to_conversion, time_to_expansion
from csa.analysis.revenue.trial_return import trial_return
from csa.analysis.revenue.trials import trial_to_paid
from csa.analysis.revenue.unit_costs import CostTerms, unit_costs
from csa.methods.intervals import Estimate
from csa.present import narrate, plots, tables
from csa.present.words import Words

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = ("<script>alert(1)</script>", "حساب تجريبي")
PLAIN = ("Retail", "Trade")
LABEL = {"period_label": "October 2026"}
GOAL = Target(0.5, 0.4, "higher")
WORTH = {"all": Estimate(5000_00.0, 4000_00.0, 6000_00.0)}


def texts(svg):
    return ["".join(node.itertext()) for node in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314


def signups(names):
    """Two groups: eight of ten convert, four of ten convert, half a year of starts."""
    rows = []
    for name, share in zip(names, (8, 4), strict=True):
        starts = [date(2026, 3, 1) + 12 * DAY * k for k in range(20)]
        made = [(s, 5 + k % 9 if k % 10 < share else None) for k, s in enumerate(starts)]
        rows.append(trials(made * 2, group=name))
    return pd.concat(rows, ignore_index=True)


def paid_rows(names, empty):
    """Contracts due in every month: one in eight leaves."""
    rows = []
    for k in range(0 if empty else 96):
        due = date(2026, k % 8 + 3, 5 + k % 20)
        end = due if k % 8 == 3 else None
        size = 100_00 * (1 + k % 7)
        rows.append(
            contract(f"a{k}", date(2025, 1, 1), end, mrr=size, renews=due, group=names[k % 2])
        )
    return contracts(*rows)


@cache
def made(*, hostile=False, empty=False):
    """Everything that these sections show."""
    names = HOSTILE if hostile else PLAIN
    tried = signups(names)
    tried = tried.iloc[:0] if empty else tried
    rate = trial_to_paid(tried, span=OCTOBER, as_of=AS_OF)
    held = paid_rows(names, empty)
    came = renewals(held, span=OCTOBER, as_of=AS_OF)
    due = due_next(held.assign(renews_on=held["renews_on"]), as_of=AS_OF, ahead_days=180)
    sold = [
        deal(f"a{k}", closed=AS_OF - k * 4 * DAY, outcome="won" if k % 3 else "lost",
             kind="upsell" if k % 4 else "cross_sell", opened=date(2025, 1, 1),
             group=names[k % 2])
        for k in range(0 if empty else 90)
    ]  # fmt: skip
    said = [deal(f"a{k}", kind="renewal", opened=date(2026, 1, 2)) for k in range(60)]
    paid = {
        f"a{k}": {
            m: 100_00 + (50_00 if m > MONTH - k % 9 else 0) for m in range(MONTH - 13, MONTH + 1)
        }
        | (dict.fromkeys(range(MONTH - 13, MONTH), 0) if k < 30 else {})
        for k in range(2 if empty else 80)
    }
    months = months_of(paid, groups={a: names[n % 2] for n, a in enumerate(paid)})
    spells = pd.DataFrame(
        {
            "account_id": list(paid), "group": [names[n % 2] for n in range(len(paid))],
            "start_on": date(2025, 9, 10), "end_on": None, "entry_days": 0, "observed_from": None,
        }
    ).astype({"end_on": object, "observed_from": object})  # fmt: skip
    spells = spells.iloc[:0] if empty else spells
    cost = pd.DataFrame(
        {
            "group": [names[n % 2] for n in range(len(paid))],
            "account_id": list(paid),
            "signed_up_on": date(2026, 10, 3),
            "acquisition_cost": np.nan if empty else 500.0,
        }
    )
    risks = pd.DataFrame(
        {"account_id": [f"a{k}" for k in range(96)], "made_on": AS_OF, "horizon_days": 180,
         "value": 0.2}
    )  # fmt: skip
    return SimpleNamespace(
        rate=rate,
        curve=time_to_conversion(tried, since=date(2026, 1, 1), as_of=AS_OF),
        back=trial_return(rate, cost_per_trial_minor=50_00, worth=WORTH),
        unpriced=trial_return(rate, cost_per_trial_minor=None, worth=WORTH),
        came=came,
        due=with_risk(due, None, as_of=AS_OF),
        risky=with_risk(due, risks, as_of=AS_OF),
        names=pd.DataFrame(
            {"account_id": [f"a{k}" for k in range(96)], "name": names[0], "owner": names[1]}
        ),
        told=foretold(came, deals(*([] if empty else said))),
        success=sales_success(deals(*sold), span=OCTOBER, as_of=AS_OF),
        grown=time_to_expansion(spells, months, as_of=AS_OF),
        costs=unit_costs(cost, months, span=OCTOBER, terms=CostTerms(margin=0.8), worth=WORTH),
    )


def findings(m, target=None):
    return [
        narrate.trial_to_paid(m.rate, m.curve, target=target, **LABEL),
        narrate.trial_return(m.back),
        narrate.trial_return(m.unpriced),
        narrate.renewal_rate(m.came, target=target, **LABEL),
        narrate.renewals_due(m.due, names=m.names),
        narrate.renewals_due(m.risky, names=m.names),
        narrate.renewal_forecast(m.told, target=target),
        narrate.sales_success(m.success, target=target, **LABEL),
        narrate.time_to_expansion(m.grown, target=target),
        narrate.customer_cost(m.costs, target=target, **LABEL),
        narrate.cost_payback(m.costs, target=target),
        narrate.worth_over_cost(m.costs, target=target),
    ]


def charts(m):
    return [
        plots.trial_conversion(m.curve),
        plots.renewal_calendar(m.came, m.due),
        plots.sales_success(m.success),
        plots.first_expansion(m.grown),
        plots.cost_payback(m.costs, target=12.0),
    ]


def lists(m, audience="all"):
    return [
        tables.trials_by_group(m.rate, m.back),
        tables.trials_by_group(m.rate, m.unpriced),
        tables.trials_by_month(m.rate),
        tables.renewals_by_group(m.came),
        tables.renewals_next(m.due, names=m.names, audience=audience),
        tables.renewals_next(m.risky, names=m.names, audience=audience),
        tables.renewal_register(m.told),
        tables.sales_by_kind(m.success),
        tables.unit_costs(m.costs),
        tables.unit_worth(m.costs),
    ]


@pytest.mark.parametrize("hostile", [False, True])
@pytest.mark.parametrize("target", [None, GOAL])
def test_findings_have_no_hole(hostile, target):
    for finding in findings(made(hostile=hostile), target):
        for line in (finding.text, finding.evidence, finding.action):
            assert line
            assert "nan" not in line.split()
            assert "None" not in line
            assert line.rstrip().endswith((".", ")."))


def test_findings_say_the_figures():
    m = made()
    trial, *_ = findings(m, GOAL)
    row = m.rate.table.iloc[0]
    assert f"({row['converted']} of {row['n']})" in trial.text
    assert "of all" not in trial.text
    assert "had by that age" in trial.evidence
    due = narrate.renewals_due(m.risky, names=m.names)
    assert "The risk model expects" in due.evidence
    assert "has most at risk" in due.action
    assert "No risk is known" in narrate.renewals_due(m.due, names=m.names).evidence
    forecast = narrate.renewal_forecast(m.told)
    assert forecast.kind == "report"
    worth = narrate.worth_over_cost(m.costs, target=Target(3, None, "higher"))
    assert "rule of thumb" in worth.evidence or m.costs.table["gone"].iloc[0] == 0


def test_the_return_is_judged_by_its_interval():
    m = made()
    assert narrate.trial_return(m.back).status == "good"
    dear = trial_return(m.rate, cost_per_trial_minor=90000_00, worth=WORTH)
    assert narrate.trial_return(dear).status == "bad"
    unpriced = narrate.trial_return(m.unpriced)
    assert unpriced.status == "unclear"
    assert "cost_per_trial" in unpriced.action


def test_readers_outside_see_no_account():
    m = made()
    for table in lists(m, audience="external")[4:6]:
        assert table.rows.empty
        assert "not shown to readers outside" in table.empty
    outside = narrate.renewals_due(m.risky, names=m.names, audience="external")
    assert PLAIN[1] not in outside.action
    assert outside.action == "Talk to each of them before its day."
    shown = tables.renewals_next(m.risky, names=m.names)
    assert {"owner", "due"} <= {column.key for column in shown.columns}


@pytest.mark.parametrize("hostile", [False, True])
def test_charts_draw_both_widths_and_say_what_they_show(hostile):
    for chart in charts(made(hostile=hostile)):
        assert chart.alt
        assert "nan" not in chart.alt
        for svg in (chart.svg, chart.svg_narrow):
            assert "<script" not in svg
            assert hostile or texts(svg)  # letters from right to left are drawn as outlines
        assert len(chart.data)


@pytest.mark.parametrize("hostile", [False, True])
def test_tables_have_text_in_every_cell(hostile):
    for table in lists(made(hostile=hostile)):
        assert table.rows.shape[0]
        for line in table.cells():
            assert all(isinstance(cell, str) for cell in line)
            assert not any("nan" in cell for cell in line)


def test_without_data_everything_still_speaks():
    m = made(empty=True)
    for finding in findings(m):
        assert finding.status in {"unclear", "good"}
        assert "nan" not in f"{finding.text} {finding.evidence} {finding.action}".split()
    for chart in charts(m):
        assert chart.svg
    for table in lists(m):
        assert table.part()["id"]


def test_amounts_follow_the_locale():
    words = Words("de", "EUR")
    text = narrate.customer_cost(made().costs, words=words, **LABEL).text
    assert "€" in text
    assert "$" not in text


@pytest.mark.parametrize("part", ["trials", "contracts", "opportunities", "costs"])
def test_a_gap_says_what_to_add(part):
    gap = SimpleNamespace(why="the table accounts is missing", way_out="map it in csa.yml")
    finding = narrate.sales_gap(part, gap)
    assert finding.kind == "report"
    assert finding.action == "Map it in csa.yml."
    assert finding.text.endswith("cannot be told: the table accounts is missing.")
