"""Customers without a contract: said, drawn and listed, or why not."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest
from sample_editions import Target

from csa.analysis.clv.buyers import BuyersResult, buyers
from csa.analysis.clv.dated_total import DatedTotal
from csa.analysis.clv.holdout import NAIVE, Scorecard
from csa.analysis.clv.newcomers import COLUMNS, NewcomerValue, newcomer_value
from csa.analysis.clv.opportunities import OpportunityBuyers
from csa.analysis.clv.rfm import rfm
from csa.analysis.clv.tracking import Tracking, tracking
from csa.analysis.clv.value import ALL, BuyerValue, buyer_value, next_best
from csa.analysis.clv.value_matrix import frequency_recency
from csa.analysis.clv.value_models import ValueTerms, value_model
from csa.analysis.clv.value_shapes import alive_shares, buyer_concentration
from csa.methods.btyd.dated import MODEL as DATED
from csa.methods.btyd.gamma_gamma import fit_gamma_gamma
from csa.methods.btyd.independence import SpendIndependence, spend_independence
from csa.methods.btyd.regular import MODEL as REGULAR
from csa.methods.btyd.regular import RegularFit
from csa.present import narrate, plots, tables
from csa.present.words import UNKNOWN

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = ("<script>alert(1)</script>", "A" * 200, "حساب تجريبي")
PLAIN = ("Retail", "Trade", "Web")
MODEL = "BG/NBD"


def texts(svg):
    return ["".join(node.itertext()) for node in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314


def tracked(weeks=20, border=12):
    """Twenty weeks of which eight were held back and came out a tenth higher."""
    week = np.arange(1, weeks + 1)
    said = 100 / week**0.3
    came = np.where(week > border, 1.1 * said, said)
    return Tracking(
        table=pd.DataFrame(
            {
                "period": week,
                "ends_after": week.astype(float),
                "ends_on": pd.date_range("2026-01-07", periods=weeks, freq="7D"),
                "complete": True,
                "holdout": week > border,
                "actual": came,
                "actual_total": came.cumsum(),
                MODEL: said,
                f"{MODEL} total": said.cumsum(),
            }
        ),
        errors=pd.DataFrame({"model": [MODEL], "cumulative": [0.1], "holdout": [0.1]}),
        unit_days=7.0,
    )


def card(off=-0.05):
    """Make a scorecard of one model and both rules."""
    groups = np.arange(8)
    came = 0.2 + 0.8 * groups
    return Scorecard(
        table=pd.DataFrame(
            {
                "model": [MODEL, *NAIVE],
                "naive": [False, True, True],
                "customers": 1000.0,
                "actual": 800.0,
                "predicted": 760.0,
                "total_error": [off, 0.4, 0.2],
                "revenue_error": [off, 0.5, 0.1],
                "mae": [0.61, 0.9, 0.8],
                "rmse": [1.234, 2.0, 1.9],
                "gini": [0.66, 0.6, 0.6],
                "beats_naive": [True, False, False],
                "reason": "",
            }
        ),
        tenths=pd.DataFrame(
            {
                "model": MODEL,
                "tenth": range(1, 11),
                "customers": 100.0,
                "predicted": np.linspace(4, 0.1, 10),
                "actual": np.linspace(4.2, 0.12, 10),
            }
        ),
        frequencies=pd.DataFrame(
            {
                "frequency": groups,
                "customers": [500, 200, 100, 80, 50, 40, 20, 10],
                "actual": came,
                MODEL: came * 0.95,
            }
        ),
        fits={},
        horizon=39.0,
        calibration_end=date(2026, 3, 31),
        as_of=date(2026, 6, 30),
    )


def models(*, off=-0.05, beats=True, chosen=MODEL):
    """Compare two models, or none that was held against the future."""
    table = pd.DataFrame(
        {
            "model": [MODEL, "Pareto/NBD"],
            "log_likelihood": [-9582.4, -9595.0],
            "parameters": 4,
            "aic": [19172.9, 19198.0],
            "bic": [19195.9, 19221.0],
            "converged": True,
            "status": ["ok", "unclear"],
            "diagnosis": ["", "nobody leaves: the NBD boundary"],
            "total_error": [off, -0.1],
            "revenue_error": [-0.15, -0.2],
            "mae": [0.61, 0.62],
            "rmse": [1.234, 1.3],
            "gini": [0.66, 0.65],
            "beats_naive": [beats, beats],
            "chosen": [chosen == MODEL, False],
        }
    )
    return BuyersResult(
        table=table,
        chosen=chosen,
        why="BG/NBD: closest to the holdout.",
        status="ok",
        fits={},
        summary=None,
        holdout=card(off) if off is not None else None,
    )


def value(names=PLAIN, *, scale=1.0, horizon=3 * 365.25, status="ok", reason=""):
    """Values of customers in groups; the first customer is worth a third of all."""
    n = 60
    worth = scale * np.append(60_000.0, np.linspace(4000, 10, n - 1))
    rows = pd.DataFrame(
        {
            "account_id": [names[i % len(names)] + f" {i}" for i in range(n)],
            "group": [names[i % len(names)] for i in range(n)],
            "frequency": np.arange(n)[::-1] // 4,
            "recency": 10.0,
            "age": 30.0,
            "mean_minor": 3000.0,
            "alive": np.linspace(1, 0, n),
            "expected_purchases": worth / 3000,
            "expected_spend": 3000.0,
            "value": worth,
            "ci_low": worth * 0.9,
            "ci_high": worth * 1.1,
        }
    )
    sums = rows.groupby("group", sort=False).agg(
        customers=("value", "size"),
        purchases=("expected_purchases", "sum"),
        alive=("alive", "sum"),
        value=("value", "sum"),
    )
    table = pd.concat([sums.sum().to_frame(ALL).T, sums]).rename_axis("group").reset_index()
    table = table.assign(
        ci_low=table["value"] * 0.9,
        ci_high=table["value"] * 1.1,
        per_customer=table["value"] / table["customers"],
        share=table["value"] / table["value"].iloc[0],
        status=status,
        reason=reason,
    )
    return BuyerValue(
        table=table,
        customers=ibis.memtable(rows),
        terms=ValueTerms(margin=0.3, horizon_days=horizon),
        model="BG/NBD × Gamma-Gamma",
        status=status,
        reason=reason,
    )


def no_value():
    """Make what there is where no model could be fitted."""
    table = pd.DataFrame({"group": [ALL], "customers": [5], "value": [np.nan]})
    for name in ("purchases", "alive", "ci_low", "ci_high", "per_customer", "share"):
        table[name] = np.nan
    return BuyerValue(
        table=table.assign(status="unclear", reason="BG/NBD: no repeat purchases"),
        customers=None,
        terms=ValueTerms(),
        model="BG/NBD × Gamma-Gamma",
        status="unclear",
        reason="BG/NBD: no repeat purchases",
    )


def newcomers(names=PLAIN, *, apart=True):
    """Values of new customers; segments differ or not."""
    worth = np.array([4200.0, *(np.linspace(9000, 2000, len(names)) if apart else [4200.0] * 3)])
    table = pd.DataFrame({"group": [ALL, *names], "customers": 500, "value": worth})
    table = table.assign(
        ci_low=worth * 0.9,
        ci_high=worth * 1.1,
        first=worth / 4,
        later=worth * 3 / 4,
        purchases=3.0,
        spend=worth / 4,
        frequency_ratio=1.0,
        spend_ratio=1.0,
        frequency_own=1.2,
        spend_own=0.9,
        weight=0.5,
        status="ok",
        reason="",
    )
    return NewcomerValue(table=table[list(COLUMNS)], terms=ValueTerms(), status="ok", reason="")


def no_newcomers():
    table = pd.DataFrame({name: [np.nan] for name in COLUMNS})
    table = table.assign(group=ALL, customers=0, status="unclear", reason="no mean spend")
    return NewcomerValue(
        table=table, terms=ValueTerms(), status="unclear", reason="there is no mean spend"
    )


def chances(off=0.0):
    """Make the steps of the chance to be there, and who bought: so much more than expected."""
    low = np.arange(10) / 10
    said = 0.8 * (low + 0.05)
    return pd.DataFrame(
        {
            "low": low,
            "high": low + 0.1,
            "customers": 100,
            "alive": low + 0.05,
            "expected": said,
            "bought": said + off,
            "ci_low": said + off - 0.05,
            "ci_high": said + off + 0.05,
        }
    )


CHARTS = {
    "chances": lambda names: plots.alive_calibration(chances(), MODEL),
    "tracked": lambda names: plots.purchases_tracked(tracked(), MODEL),
    "frequency": lambda names: plots.purchases_by_frequency(card(), MODEL),
    "tenths": lambda names: plots.purchases_calibration(card(), MODEL),
    "alive": lambda names: plots.alive_histogram(value(names)),
    "newcomers": lambda names: plots.newcomer_values(newcomers(names)),
}
EMPTY = {
    "chances": lambda: plots.alive_calibration(chances().head(0), MODEL),
    "tracked": lambda: plots.purchases_tracked(
        replace(tracked(), table=pd.DataFrame({"period": []})), MODEL
    ),
    "not fitted": lambda: plots.purchases_tracked(tracked(), "Pareto/NBD"),
    "frequency": lambda: plots.purchases_by_frequency(None, MODEL),
    "other model": lambda: plots.purchases_by_frequency(card(), "Pareto/NBD"),
    "tenths": lambda: plots.purchases_calibration(None, MODEL),
    "alive": lambda: plots.alive_histogram(no_value()),
    "newcomers": lambda: plots.newcomer_values(no_newcomers()),
}


# --- drawn ---------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("names", [PLAIN, HOSTILE], ids=["plain", "hostile"])
@pytest.mark.parametrize("name", CHARTS)
def test_drawings_repeat_in_both_widths_and_hold_no_markup(name, names):
    first, second = CHARTS[name](names), CHARTS[name](names)
    for one, other in ((first.svg, second.svg), (first.svg_narrow, second.svg_narrow)):
        assert one == other
        assert "<script" not in one
        assert ET.fromstring(one) is not None  # noqa: S314
    assert first.alt
    assert "nan" not in first.alt.lower()
    assert len(first.data)


@pytest.mark.parametrize("name", EMPTY)
def test_nothing_to_draw_is_said(name):
    chart = EMPTY[name]()
    assert chart.data.empty
    assert any(text in chart.alt for text in texts(chart.svg))


@pytest.mark.slow
def test_tracking_shows_what_was_held_back():
    chart = plots.purchases_tracked(tracked(), MODEL)
    shown = texts(chart.svg)
    assert {"Purchases per week", "Added up", "held back"} <= set(shown)
    assert any(text.startswith("came ") for text in shown)
    assert "over 20 weeks" in chart.alt
    assert "Of the time held back" in chart.alt
    whole = plots.purchases_tracked(tracked(border=20), MODEL)
    assert "held back" not in texts(whole.svg)
    assert "Nothing was held back" in whole.alt


@pytest.mark.slow
def test_an_unfinished_week_is_not_drawn_as_a_fall():
    table = tracked().table
    table.loc[table.index[-1], ["complete", "actual"]] = [False, 1.0]
    chart = plots.purchases_tracked(replace(tracked(), table=table), MODEL)
    assert len(chart.data) == 20
    full = plots.purchases_tracked(tracked(), MODEL)
    assert chart.svg != full.svg


@pytest.mark.slow
def test_frequency_chart_counts_customers_and_names_the_last_group():
    chart = plots.purchases_by_frequency(card(), MODEL)
    assert {"7+", "500", "came", MODEL} <= set(texts(chart.svg))
    assert "0 before: 0.20 came, 0.19 expected (500 customers)" in chart.alt
    assert "7+" in texts(chart.svg_narrow)


@pytest.mark.slow
def test_tenths_say_how_much_the_first_holds():
    chart = plots.purchases_calibration(card(), MODEL)
    assert "Of the first tenth 4.00 were expected by BG/NBD and 4.20 came: 19%" in chart.alt


@pytest.mark.slow
def test_alive_histogram_counts_everybody_once():
    rows = alive_shares(value())
    assert rows["customers"].sum() == 60
    assert rows["alive"].sum() == pytest.approx(30, abs=0.01)
    assert list(rows["low"]) == pytest.approx(np.arange(10) / 10)
    chart = plots.alive_histogram(value())
    assert "Of 60 customers 30 are expected to be customers still" in chart.alt
    assert "everybody who bought only once" in chart.caption
    other = plots.alive_histogram(replace(value(), model="Pareto/NBD × Gamma-Gamma"))
    assert "only once" not in other.caption


def test_the_matrix_counts_everybody_once_and_writes_in_every_cell():
    found = frequency_recency(value(), unit_days=7.0)
    assert found["customers"].sum() == 60
    assert found["days"].unique().tolist() == [90]  # 20 weeks of quiet
    chart = plots.frequency_recency(found)
    for size in (chart.svg, chart.svg_narrow):
        assert sum(text.endswith("%") for text in texts(size)) == len(found)
    assert "repeat purchases, 90–179 days quiet" in chart.alt
    assert (
        "could not be fitted"
        in plots.frequency_recency(frequency_recency(no_value(), unit_days=7.0)).alt
    )


def test_value_is_concentrated_as_it_is():
    found = buyer_concentration(value())
    first = found.table.iloc[0]
    assert found.accounts == 60
    assert first["share_of_value"] == pytest.approx(
        60_000 / value().table["value"].iloc[0], rel=1e-6
    )
    nobody = buyer_concentration(no_value())
    assert (nobody.accounts, nobody.status) == (0, "unclear")
    assert "no repeat purchases" in nobody.reason


@pytest.mark.slow
def test_newcomers_are_drawn_best_first_below_all():
    shown = [
        t for t in texts(plots.newcomer_values(newcomers()).svg) if t in (*PLAIN, "All customers")
    ]
    assert shown == ["All customers", *PLAIN]


# --- said ----------------------------------------------------------------------------------------


def test_value_is_said_with_interval_margin_and_discount():
    finding = narrate.buyer_value(value())
    assert finding.kind == "standing"
    assert finding.text.startswith("60 customers are expected to bring €1,783 within 3 years")
    for part in ("95% interval €1,605 to €1,961", "30 of 60", "Margin 30%", "10.0% a year"):
        assert part in finding.evidence
    assert "Retail" in finding.action
    assert finding.word == "No target"
    assert finding.measure.value == pytest.approx(1782.95)
    assert "from now on" in narrate.buyer_value(value(horizon=np.inf)).text
    assert "within 90 days" not in finding.text


def test_a_change_of_value_says_where_from_and_whether_it_is_real():
    grown = narrate.buyer_value(value(scale=1.5), previous=value())
    assert grown.kind == "change"
    assert "€891 more than last period" in grown.text
    assert "From the number of customers +€0.00, from the value of each +€891" in grown.text
    assert "outside the interval: it is real" in grown.evidence
    assert grown.measure.change == pytest.approx(891.475)
    same = narrate.buyer_value(value(scale=0.97), previous=value())
    assert "less than last period" in same.text
    assert "it may be none" in same.evidence


@pytest.mark.parametrize(("goal", "status"), [(1500, "good"), (2500, "bad"), (1790, "unclear")])
def test_value_is_judged_by_its_target(goal, status):
    assert narrate.buyer_value(value(), target=Target(goal, None, "higher")).status == status


def test_what_does_not_hold_is_unclear():
    shaky = value(status="unclear", reason="Gamma-Gamma: q is at most 1")
    finding = narrate.buyer_value(shaky, target=Target(10, None, "higher"))
    assert finding.status == "unclear"
    assert "q is at most 1" in finding.evidence
    nothing = narrate.buyer_value(no_value())
    assert (nothing.status, nothing.measure) == ("unclear", None)
    assert "no repeat purchases" in nothing.evidence


def test_next_best_customers_are_an_action():
    result = value()
    finding = narrate.next_best_customers(next_best(result, count=5), result)
    assert (finding.kind, finding.status) == ("action", "good")
    assert "Start with Retail 0" in finding.action
    assert "42% of all" in finding.text
    assert "what one customer does varies more" in finding.evidence
    empty = narrate.next_best_customers(next_best(no_value()), no_value())
    assert (empty.kind, empty.status) == ("action", "unclear")


def test_what_a_customer_may_bring_is_told_where_it_is_known():
    result = value()
    best = next_best(result, count=3)
    best = best.assign(outcome_low=0.0, outcome_high=best["value"] * 2, outcome_none=0.1)
    finding = narrate.next_best_customers(best, result)
    assert "by chance it may become €0.00 to €1,200" in finding.evidence
    table = tables.next_best_customers(best, result)
    assert table.columns[-1].label == "May bring"
    assert table.cells()[0][-1] == "€0.00 to €1,200"
    assert "where 95% of such customers end" in table.note


def test_a_newcomer_is_worth_first_and_later_purchases():
    finding = narrate.newcomer_value(newcomers())
    assert "€42.00 on the first day: €10.50 from the first purchase, €31.50" in finding.text
    assert "Retail" in finding.evidence
    assert "do not meet" in finding.evidence
    assert "more than €37.80" in finding.action
    alike = narrate.newcomer_value(newcomers(apart=False))
    assert "No segment is surely better" in alike.evidence
    assert narrate.newcomer_value(no_newcomers()).status == "unclear"


@pytest.mark.parametrize(
    ("off", "beats", "status", "word"),
    [
        (-0.05, True, "good", "expected 5.0% fewer purchases than came"),
        (0.14, True, "watch", "expected 14.0% more purchases than came"),
        (-0.05, False, "bad", "expected 5.0% fewer"),
        (0.0, True, "good", "as many purchases came as it expected"),
    ],
)
def test_the_model_is_judged_by_what_it_had_not_seen(off, beats, status, word):
    finding = narrate.buyer_models(models(off=off, beats=beats))
    assert (finding.kind, finding.status) == ("report", status)
    assert word in finding.text
    assert finding.measure.value == off


def test_the_total_of_the_clock_is_told_where_it_did_better_before():
    ahead = DatedTotal(
        expected=980.4,
        low=800.0,
        high=1150.0,
        actual=1010.0,
        confidence=0.95,
        days_earlier=2,
        error=0.02,
        chosen_error=0.05,
    )
    told = narrate.buyer_models(models(), dated=ahead).evidence
    assert "off by 2.0% on average from 2 earlier days where this one was off by 5.0%" in told
    assert "expected 980 purchases (95% interval 800 to 1,150); 1,010 came." in told
    plain = narrate.buyer_models(models()).evidence
    for worse in (0.041, 0.06, np.nan):
        assert narrate.buyer_models(models(), dated=replace(ahead, error=worse)).evidence == plain


@pytest.mark.parametrize(
    ("k", "rmse", "told"), [(2, 1.2, True), (2, 1.234, False), (1, 1.2, False)]
)
def test_even_gaps_are_told_where_knowing_them_helps(k, rmse, told):
    made = models()
    table = made.holdout.table.assign(rmse=1.3)
    rows = [
        table.iloc[:1].assign(model=name, rmse=off)
        for name, off in ((MODEL, 1.234), (REGULAR, rmse))
    ]
    even = RegularFit(fit=None, k=k, log_likelihoods={})
    card = replace(made.holdout, table=pd.concat([*rows, table.loc[table["naive"]]]), regular=even)
    text = narrate.buyer_models(replace(made, holdout=card)).evidence
    assert ("more even gaps than chance" in text) == told
    assert ("(RMSE 1.200 against 1.234)" in text) == told


def test_a_model_that_failed_is_told_in_words_and_replaced_by_a_rule():
    made = models(off=-0.26, beats=False)
    made.table.loc[made.table["chosen"], "diagnosis"] = "nobody leaves: the NBD boundary"
    told = narrate.buyer_models(made)
    assert told.status == "bad"
    assert "nobody leaving for good" in told.evidence
    assert "as many purchases as in the last stretch" in told.action
    made.holdout.table["mae"] = [0.61, 0.7, 0.8]
    assert "at the rate so far" in narrate.buyer_models(made).action


@pytest.mark.parametrize(
    ("crowded", "status", "words"),
    [(0.01, "good", "1.0% of all months"), (0.3, "watch", "not how these customers buy")],
)
def test_fixed_times_are_judged_and_doubted_where_periods_are_crowded(crowded, status, words):
    found = OpportunityBuyers(
        result=models(off=-0.02),
        opportunity="month",
        crowded=crowded,
        last_on=date(2026, 6, 30),
        periods_held=3,
    )
    told = narrate.buyers_by_opportunity(found)
    assert (told.status, told.measure.metric_id) == (status, "opportunity_total_error")
    assert words in told.evidence
    assert "3 months held back it expected 2.0% fewer" in told.text
    assert ("opportunity to none" in told.action) == (crowded > 0.05)
    never = narrate.buyers_by_opportunity(replace(found, result=models(off=None)))
    assert never.status == "unclear"
    assert never.text.startswith("Purchases at one opportunity a month")


def test_a_model_without_holdout_is_a_first_guess():
    finding = narrate.buyer_models(models(off=None))
    assert finding.status == "unclear"
    assert "first guess" in finding.action
    assert narrate.buyer_models(models(chosen=None)).status == "unclear"


@pytest.mark.parametrize(
    ("off", "status", "word"),
    [
        (0.0, "good", "as often as"),
        (0.1, "bad", "More customers"),
        (-0.1, "bad", "Fewer customers"),
    ],
)
def test_who_is_said_to_have_left_is_held_against_who_came(off, status, word):
    finding = narrate.alive_calibration(chances(off), MODEL)
    assert (finding.kind, finding.status) == ("report", status)
    assert word in finding.text
    assert f"Of 500 customers with a chance below 50%, {20 + 100 * off:.0f}%" in finding.evidence
    assert narrate.alive_calibration(chances().head(0), MODEL).status == "unclear"


@pytest.mark.parametrize(("steps", "status"), [(1, "unclear"), (2, "unclear"), (3, "good")])
def test_few_steps_of_the_chance_leave_it_open(steps, status):
    """Whether its one step lies inside or outside."""
    assert narrate.alive_calibration(chances().head(steps), MODEL).status == status
    outside = narrate.alive_calibration(chances(0.1).head(steps), MODEL)
    assert outside.status == ("bad" if steps == 3 else "unclear")
    assert ("Do not strike out customers" in outside.action) == (steps == 3)
    assert ("when customers differ more" in outside.action) == (steps < 3)


def test_one_step_outside_is_not_good():
    rows = chances()
    rows.loc[4, ["bought", "ci_low", "ci_high"]] += 0.1
    finding = narrate.alive_calibration(rows, MODEL)
    assert finding.status == "watch"
    assert "In 1 of 10 steps" in finding.evidence
    assert "For some of their chances more customers" in finding.text


def test_spend_that_goes_with_frequency_is_said_plainly():
    x = np.repeat([1, 2, 4, 8, 16], 40)
    wave = 10 + np.sin(np.arange(200))
    related = narrate.spend_and_frequency(spend_independence(x, wave * x**0.3))
    assert related.status == "watch"
    assert "spends 2" in related.evidence
    assert "% more each time" in related.evidence
    assert "fit segments of similar frequency apart" in related.action
    plain = narrate.spend_and_frequency(spend_independence(x, wave))
    assert (plain.status, "sound" in plain.action) == ("good", True)
    few = narrate.spend_and_frequency(spend_independence(x[:3], wave[:3]))
    assert isinstance(spend_independence(x[:3], wave[:3]), SpendIndependence)
    assert few.status == "unclear"
    assert "cannot be told" in few.text


# --- listed --------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [PLAIN, HOSTILE], ids=["plain", "hostile"])
def test_tables_list_groups_customers_and_models(names):
    result = value(names)
    shown = (
        tables.buyer_values(result),
        tables.newcomer_values(newcomers(names)),
        tables.next_best_customers(next_best(result), result),
        tables.buyer_models(models()),
    )
    for table in shown:
        page = table._repr_mimebundle_()["text/html"]
        assert "<script" not in page
        assert "nan" not in page.lower().replace("finance", "")
        assert len(table.cells())


def test_groups_of_the_table_add_up():
    rows = tables.buyer_values(value()).rows
    assert rows["value"].iloc[1:].sum() == pytest.approx(rows["value"].iloc[0], rel=1e-12)
    assert tables.buyer_values(value()).cells()[0][0] == "All customers"


def test_many_groups_are_the_largest_and_the_others_together():
    names = [f"Country {n:02}" for n in range(38)]
    whole = value(names)
    shown = tables.buyer_values(whole)
    assert len(shown.rows) == 1 + 10 + 1
    assert shown.cells()[-1][0] == "28 others, together"
    assert "nan" not in shown._repr_mimebundle_()["text/html"].lower()
    for name in ("customers", "value", "purchases"):
        sums = shown.rows[name].iloc[1:].sum()
        assert sums == pytest.approx(shown.rows[name].iloc[0], rel=1e-12)
    least = shown.rows["value"].iloc[1:-1].min()
    left = whole.table.loc[~whole.table["group"].isin(shown.rows["group"]), "value"].iloc[1:]
    assert left.max() / 100 <= least
    new = tables.newcomer_values(newcomers(names))
    assert len(new.rows) == 11
    assert "28 smaller ones" in new.note
    chart = plots.newcomer_values(newcomers(names))
    assert "Shown: the 10 of most customers" in chart.caption
    assert len(chart.data) == 39


def test_models_stand_beside_naive_rules():
    cells = tables.buyer_models(models()).cells()
    assert [row[0] for row in cells] == [MODEL, "Pareto/NBD", *NAIVE]
    assert [row[1] for row in cells] == ["chosen", "unclear", "naive rule", "naive rule"]
    assert cells[0][2:6] == ["−5.0%", "−15.0%", "0.610", "1.234"]
    assert cells[2][2] == "+40.0%"
    assert "NBD boundary" in tables.buyer_models(models()).note


def test_the_model_with_a_clock_is_shown_for_comparison():
    made = models()
    row = made.holdout.table.iloc[:1].assign(model=DATED, naive=False, total_error=-0.02)
    shown = pd.concat([row, made.holdout.table], ignore_index=True)
    table = tables.buyer_models(replace(made, holdout=replace(made.holdout, table=shown)))
    cells = table.cells()
    assert [row[0] for row in cells] == [MODEL, "Pareto/NBD", DATED, *NAIVE]
    assert cells[2][1:3] + cells[2][-1:] == ["compared", "−2.0%", UNKNOWN]
    assert "For comparison only: BG/NBD, dated: BG/NBD in which new customers" in table.note
    assert DATED not in tables.buyer_models(made).note
    for k, told in ((2, "here k = 2."), (1, "here k = 1, MBG/NBD.")):
        even = RegularFit(fit=None, k=k, log_likelihoods={})
        card = replace(made.holdout, table=shown.assign(model=[REGULAR, *shown["model"].iloc[1:]]))
        note = tables.buyer_models(replace(made, holdout=replace(card, regular=even))).note
        assert note.endswith(f"more even than chance; {told}")
    failed = shown.assign(total_error=shown["total_error"].mask(shown["model"] == DATED))
    table = tables.buyer_models(replace(made, holdout=replace(made.holdout, table=failed)))
    assert DATED not in [row[0] for row in table.cells()]


def test_empty_tables_say_why():
    for table in (
        tables.buyer_values(no_value()),
        tables.newcomer_values(no_newcomers()),
        tables.next_best_customers(next_best(no_value()), no_value()),
    ):
        assert "could not be fitted" in table._repr_mimebundle_()["text/plain"]


# --- all together --------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_log_of_purchases_goes_through_to_every_item():
    rng = np.random.default_rng(3)
    rows = []
    for i in range(400):
        start, rate, life = rng.integers(0, 60), rng.gamma(0.7, 1 / 40), rng.exponential(300)
        at = start + np.append(0, np.cumsum(rng.exponential(1 / rate, 200)))
        days = np.unique(at[(at <= 364) & (at - start < life)].astype(int))
        spend = 3000 * rng.lognormal(0, 0.4)
        rows += [(f"c{i:03}", d, spend * rng.lognormal(0, 0.3), PLAIN[i % 3]) for d in days]
    log = pd.DataFrame(rows, columns=["account_id", "day", "amount_minor", "segment"])
    log["day"] = [date.fromordinal(date(2026, 1, 1).toordinal() + int(d)) for d in log["day"]]
    log["amount_minor"] = log["amount_minor"].round().astype(int)
    purchases = ibis.memtable(log)
    result = buyers(purchases, as_of=date(2026, 12, 31), calibration_end=date(2026, 8, 31))
    held = rfm(purchases, as_of=date(2026, 12, 31), calibration_end=date(2026, 8, 31))
    summary = rfm(purchases, as_of=date(2026, 12, 31), by=["segment"])
    spend = fit_gamma_gamma(*(summary.spend[c] for c in ("frequency", "mean_minor", "weight")))
    joined = value_model(result.fits[result.chosen], spend)
    worth = buyer_value(summary.customers, model=joined, by="segment")
    new = newcomer_value(summary.customers, model=joined, by="segment")
    best = next_best(worth, count=5)
    parts = worth.table["value"]
    assert parts.iloc[1:].sum() == pytest.approx(parts.iloc[0], rel=1e-9)
    for item in (
        plots.purchases_tracked(tracking(purchases, held, result.holdout.fits), result.chosen),
        plots.purchases_by_frequency(result.holdout, result.chosen),
        plots.purchases_calibration(result.holdout, result.chosen),
        plots.alive_histogram(worth),
        plots.newcomer_values(new),
        narrate.buyer_value(worth),
        narrate.next_best_customers(best, worth),
        narrate.newcomer_value(new),
        narrate.buyer_models(result),
        tables.buyer_values(worth),
        tables.newcomer_values(new),
        tables.next_best_customers(best, worth),
        tables.buyer_models(result),
    ):
        assert item.part()
        assert "nan" not in item._repr_mimebundle_()["text/plain"].lower()
