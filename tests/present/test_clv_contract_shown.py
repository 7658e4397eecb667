"""Findings, drawings and tables of the value of customers under contract."""

import io
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from csa.analysis.clv import (
    Acquisition,
    ContractTerms,
    concentration,
    contract_value,
    most_valuable,
    realised_against_predicted,
    unit_economics,
    what_moved,
)
from csa.data.halves import Absent
from csa.periods import month_end
from csa.present import narrate, plots, tables
from csa.present.narrate.clv_contract import held, holders
from csa.present.plots.clv_economics import CAUSES
from csa.present.words import Words
from csa.settings import Target
from tests.analysis.clv_company import AS_OF, Company, Law, company

WORDS = Words("en", "EUR")
TERMS = ContractTerms(margin=0.8, cohort="year", draws=200)
LAWS = {
    "small": Law(hazard=0.04, price=5_000.0),
    "large": Law(hazard=0.01, growth=0.004, shock=0.05, price=90_000.0),
}


def rng():
    return np.random.default_rng(3)


@pytest.fixture(scope="module")
def world():
    return company(LAWS, n=300, seed=5)


@pytest.fixture(scope="module")
def value(world):
    return contract_value(world.spells, world.months, terms=TERMS, rng=rng())


@pytest.fixture(scope="module")
def nobody(world):
    gone = world.spells[world.spells["event"]]
    months = world.months[world.months["account_id"].isin(gone["account_id"])]
    return contract_value(gone, months, terms=TERMS, rng=rng())


def signups(world, *, cost=300.0, dear=4.0):
    first = world.spells.drop_duplicates("account_id").reset_index(drop=True)
    half = np.arange(len(first)) % 2 == 0
    return pd.DataFrame(
        {
            "account_id": first["account_id"],
            "signed_up_on": first["start_on"],
            "acquisition_cost": np.where(half, cost, dear * cost),
            "channel": np.where(half, "word of mouth", "<b>ads</b>"),
        }
    )


def economics(world, value, **costs):
    return unit_economics(
        value,
        signups(world, **costs),
        world.spells,
        world.months,
        acquisition=Acquisition(by="channel"),
        rng=rng(),
    )


@pytest.mark.slow
def test_value_of_a_customer_says_figure_limits_and_what_not_to_use(value):
    row = value.table.iloc[0]
    finding = narrate.customer_value(value, words=WORDS)
    assert finding.kind == "standing"
    assert finding.word == "No target"
    assert finding.measure.value == pytest.approx(row["per_account_minor"] / 100)
    assert finding.measure.low < finding.measure.value < finding.measure.high
    assert f"{row['accounts']:,} customers" in finding.text
    assert "in the next 36 months" in finding.text
    assert "Margin 80%, discounted by 10% a year" in finding.evidence
    assert "Keep large first" in finding.action
    times = f"{row['shortcut_times']:.1f} times as much"
    assert times in finding.action
    target = Target(value=1.0, better="higher", due_on=AS_OF)
    assert narrate.customer_value(value, target=target, words=WORDS).status == "good"


@pytest.mark.slow
def test_a_value_that_ages_or_growth_carry_away_is_not_told_as_one(value, nobody):
    table = value.table.assign(status="unclear", reason="only 3 left")
    doubtful = narrate.customer_value(replace(value, table=table), words=WORDS)
    assert (doubtful.status, doubtful.word) == ("unclear", "Unclear")
    assert doubtful.text.endswith("cannot be told: only 3 left.")
    assert doubtful.measure.value is None
    growing = replace(value, growth=value.growth.assign(at_end=31.0))
    assert "31 times as much at the end" in narrate.customer_value(growing, words=WORDS).text
    empty = narrate.customer_value(nobody, words=WORDS)
    assert empty.status == "unclear"
    assert "no customers on this day" in empty.text


@pytest.mark.slow
def test_how_growth_goes_on_is_told_with_its_errors(value):
    finding = narrate.growth_carried(value, words=WORDS)
    rows = value.trend.table
    assert (finding.kind, finding.status) == ("report", "good")
    assert f"Forecasts from {value.trend.origins} months" in finding.evidence
    assert f"wrong by {rows['error'].min():.0%}" in finding.text
    table = tables.growth_ways(value, words=WORDS)
    assert [row[0] for row in table.cells()] == [
        "No growth",
        "Growth that fades",
        "The same amount every month",
        "The same share every month",
    ]
    wrong = replace(value.trend, table=rows.assign(error=0.3), left_out=(2024 * 12 + 2,), carry=20)
    watched = narrate.growth_carried(replace(value, trend=wrong), words=WORDS)
    assert watched.status == "watch"
    assert "The rise of all prices in 2024-03 is left out" in watched.evidence
    assert "Growth ends after 20 months" in watched.evidence


@pytest.mark.slow
def test_growth_that_could_not_be_tested_is_unclear(value, nobody):
    short = replace(value, trend=replace(value.trend, origins=0))
    assert narrate.growth_carried(short, words=WORDS).status == "unclear"
    assert tables.growth_ways(short, words=WORDS).cells() == []
    assert narrate.growth_carried(nobody, words=WORDS).status in {"unclear", "good", "watch"}


def test_shortcut_is_told_only_where_it_errs(value):
    def action(**columns):
        table = value.table.assign(**columns)
        return narrate.customer_value(replace(value, table=table), words=WORDS).action

    assert "ARPA" not in action(shortcut_times=1.1)
    assert "less" in action(shortcut_times=0.5)
    assert "endless" in action(shortcut_times=np.nan, monthly_churn=0.0)


def test_concentration_is_read_off_the_curve(value):
    result = concentration(value)
    each = np.sort(value.accounts.to_pandas()["value_minor"])[::-1]
    top = each[: round(0.1 * len(each))].sum() / each.sum()
    assert held(result, 0.1) == pytest.approx(top, abs=0.01)
    many = int(np.searchsorted(np.cumsum(each), each.sum() / 2)) + 1
    assert holders(result, 0.5) == pytest.approx(many, abs=1)
    finding = narrate.customer_concentration(result, words=WORDS)
    assert f"{many} of {len(each)}" in finding.text
    none = replace(result, status="unclear", reason="only 3 accounts")
    assert narrate.customer_concentration(none, words=WORDS).measure is None


def test_cost_is_held_against_value_and_channels_named_only_where_apart(world, value):
    result = economics(world, value)
    row = result.table.iloc[0]
    target = Target(value=3.0, better="higher", due_on=AS_OF)
    finding = narrate.clv_cac(result, target=target, words=WORDS)
    assert finding.status == ("good" if row["ratio_low"] > 3 else "unclear")
    assert finding.measure.value == pytest.approx(row["ratio"])
    assert f"{row['ratio']:.1f} times what it cost" in finding.text
    assert finding.action.startswith("<b>ads</b> pays least")  # escaped where it is shown
    assert "&lt;b&gt;ads" in finding._repr_mimebundle_()["text/html"]
    alike = narrate.clv_cac(economics(world, value, dear=1.0), words=WORDS)
    assert "No channel is surely better" in alike.action


def test_costs_never_covered_or_unknown_are_said(world, value):
    dear = economics(world, value, cost=1e6)
    finding = narrate.cac_payback(dear, words=WORDS)
    assert finding.text == "A new customer does not pay back its cost within 36 months."
    assert "under 1%" in finding.evidence
    unknown = economics(world, value, cost=np.nan)
    for say in (narrate.clv_cac, narrate.cac_payback):
        finding = say(unknown, words=WORDS)
        assert (finding.status, finding.word) == ("unclear", "Unclear")
        assert "no acquisition cost is known" in finding.text
    assert tables.unit_economics(unknown, words=WORDS).cells() == []
    assert "Nothing to draw" in plots.clv_cac(unknown, words=WORDS).alt


def test_payback_is_judged_by_its_target(world, value):
    result = economics(world, value)
    months = result.table.iloc[0]["payback_months"]
    target = Target(value=months + 20, warn=None, better="lower", due_on=AS_OF)
    finding = narrate.cac_payback(result, target=target, words=WORDS)
    assert finding.status == "good"
    assert f"with {months:.0f} monthly payments" in finding.text


def earlier(world):
    """Take a tenth of its running customers out of the company."""
    running = world.spells.loc[~world.spells["event"], "account_id"]
    absent = set(running.iloc[::10])
    return Company(
        world.spells[~world.spells["account_id"].isin(absent)],
        world.months[~world.months["account_id"].isin(absent)],
    )


@pytest.mark.slow
def test_change_of_value_is_split_and_what_is_estimated_doubted(world, value):
    before = earlier(world)
    was = contract_value(before.spells, before.months, terms=TERMS, rng=rng())
    change = what_moved(value, was)
    labels = {"period_label": "October 2026", "previous_label": "September 2026"}
    finding = narrate.value_moved(change, value, words=WORDS, **labels)
    assert finding.kind == "change"
    assert finding.measure.change == pytest.approx(change.change_minor / 100)
    assert "rose by" in finding.text
    assert "the number of customers" in finding.text
    assert "so it is real" in finding.evidence
    assert "may be noise" in finding.evidence
    chart = plots.value_moved(change, words=WORDS)
    parts = chart.data.set_index("cause")["amount_minor"]
    assert parts.drop("change").sum() == pytest.approx(parts["change"], rel=1e-9)
    assert all(name in chart.alt for name in CAUSES.values())
    back = narrate.value_moved(what_moved(was, value), was, words=WORDS, **labels)
    assert "fell by" in back.text
    assert back.action.startswith("The number of customers took")


def test_change_from_nothing_is_not_split(value, nobody):
    change = what_moved(value, nobody)
    labels = {"period_label": "October 2026", "previous_label": "September 2026"}
    finding = narrate.value_moved(change, value, words=WORDS, **labels)
    assert finding.status == "unclear"
    assert "cannot be told" in finding.text
    assert "Nothing to draw" in plots.value_moved(change, words=WORDS).alt


@pytest.fixture(scope="module")
def realised(world):
    cut = month_end(AS_OF, months_back=12)
    return realised_against_predicted(world.spells, world.months, cut=cut, terms=TERMS, rng=rng())


@pytest.mark.slow
def test_what_came_is_held_against_the_limits(realised):
    row = realised.table.iloc[0]
    finding = narrate.value_realised(realised, words=WORDS)
    assert finding.kind == "report"
    assert finding.measure.value == pytest.approx(row["realised_minor"] / row["predicted_minor"])
    cohorts = realised.cohorts
    assert f"Of {len(cohorts)} signup cohorts, {cohorts['covered'].sum()} lie" in finding.evidence
    for covered, error, status in (
        (True, 0.3, "good"),
        (False, -0.05, "watch"),
        (False, 0.2, "bad"),
    ):
        table = realised.table.assign(covered=covered, error=error)
        found = narrate.value_realised(replace(realised, table=table), words=WORDS)
        assert found.status == status
        assert ("inside" if covered else "outside") in found.evidence
    assert (
        "5% less"
        in narrate.value_realised(
            replace(realised, table=realised.table.assign(covered=False, error=-0.05)), words=WORDS
        ).action
    )


@pytest.mark.slow
def test_staying_and_paying_share_what_went_wrong(realised):
    row = realised.table.iloc[0]
    evidence = narrate.value_realised(realised, words=WORDS).evidence
    assert f"Staying made {abs(row['staying']) * 100:.1f}" in evidence.replace("−", "").replace(
        "+", ""
    )
    for staying, cause in ((0.2, "survival"), (0.0, "growth of those who stay")):
        table = realised.table.assign(covered=False, error=-0.2, staying=staying, paying=-0.1)
        found = narrate.value_realised(replace(realised, table=table), words=WORDS)
        assert f"values say: {cause} was better" in found.action


@pytest.mark.slow
def test_nothing_foretold_is_said(world):
    cut = month_end(AS_OF, months_back=200)
    none = realised_against_predicted(world.spells, world.months, cut=cut, terms=TERMS, rng=rng())
    finding = narrate.value_realised(none, words=WORDS)
    assert (finding.status, finding.measure) == ("unclear", None)
    assert "Nothing to draw" in plots.value_realised(none, words=WORDS).alt
    assert tables.value_realised(none, words=WORDS).cells() == []


@pytest.mark.slow
def test_charts_carry_their_numbers_in_both_widths(world, value, realised):
    shown = [
        plots.customer_value(value, words=WORDS),
        plots.customer_concentration(concentration(value), words=WORDS),
        plots.clv_cac(economics(world, value), words=WORDS),
        plots.value_realised(realised, words=WORDS),
    ]
    for chart in shown:
        assert len(pd.read_csv(io.StringIO(chart.part()["csv"]))) == len(chart.data) > 0
        assert chart.svg != chart.svg_narrow
        assert not re.search(r"\bnan\b", chart.svg + chart.alt, re.IGNORECASE)
    assert "rule of thumb" in shown[0].alt
    assert "&lt;b&gt;ads" in shown[2].svg


def test_tables_hold_every_group_with_the_total_last(world, value, realised):
    by_group = tables.customer_value(value, words=WORDS)
    assert [row[0] for row in by_group.cells()] == ["large", "small", "All accounts"]
    total = by_group.rows.iloc[-1]
    assert by_group.rows["value"].iloc[:-1].sum() == pytest.approx(total["value"], rel=1e-9)
    assert total["thumb"] == pytest.approx(total["shortcut"] / total["accounts"])
    cohorts = tables.value_cohorts(value, words=WORDS)
    assert cohorts.rows["value"].sum() == pytest.approx(total["value"], rel=1e-9)
    costs = tables.unit_economics(economics(world, value), words=WORDS)
    assert costs.cells()[-1][0] == "All signups"
    assert tables.value_realised(realised, words=WORDS).cells()[-1][0] == "All accounts"
    change = what_moved(value, value)
    assert tables.value_moved(change, words=WORDS).cells()[-1][-1].lstrip("±").startswith("€0")


def test_single_customers_are_named_inside_only(value):
    best = most_valuable(value, count=5)
    every = value.accounts.to_pandas().sort_values(
        ["value_minor", "account_id"], ascending=[False, True]
    )
    assert best["account_id"].tolist() == every["account_id"].head(5).tolist()
    assert best["share"].sum() < 1
    who = pd.DataFrame({"account_id": best["account_id"], "name": None, "owner": "Ann"})
    who.loc[0, "name"] = "Acme <i>"
    shown = tables.most_valuable(best, who, words=WORDS)
    assert [row[0] for row in shown.cells()][:2] == ["Acme <i>", best["account_id"].iloc[1]]
    outside = tables.most_valuable(best, who, audience="external", words=WORDS)
    assert outside.cells() == []
    assert best["account_id"].iloc[0] not in str(outside.part())


def test_absent_half_is_one_sentence_with_its_way_out():
    missing = narrate.half_absent(Absent(table="transactions", found=False))
    assert (missing.kind, missing.status, missing.word) == ("report", "unclear", "Unclear")
    assert "add the table transactions" in missing.action
    empty = narrate.half_absent(Absent(table="subscriptions", found=True))
    assert "no row of these customers" in empty.evidence
    lines = ("no day of observation.", "Add it:", "observed_from: 2022-01-01")
    refused = narrate.half_absent(Absent(table="subscriptions", found=True, lines=lines))
    assert refused.text == "Value under contract cannot be told: no day of observation."
    assert refused.action == "Add it: observed_from: 2022-01-01"
