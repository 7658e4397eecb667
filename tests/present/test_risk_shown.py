"""The chapter on risk: findings, drawings and tables, with much, little and hostile data."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import risk_samples as sample
from risk_samples import DECLARED, HOSTILE, listed, made, summary

from csa.analysis.risk.revenue import revenue_at_risk
from csa.present import narrate, plots, tables
from csa.present.call_list import NO_REASON, reasons_of
from csa.present.money import minor
from csa.present.words import Words

SVG = "{http://www.w3.org/2000/svg}"


def target(value, *, better="higher"):
    return SimpleNamespace(value=value, warn=None, better=better)


def few():
    return made(accounts=12)


def silent():
    return made(signal=0.0)


def scored(table, **changes):
    """Make the results with other scores."""
    scores = replace(made().scores, table=table, **changes)
    return SimpleNamespace(**{**vars(made()), "scores": scores})


def texts(svg):
    return ["".join(node.itertext()) for node in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314


# who to call -----------------------------------------------------------------------------


@pytest.mark.slow
def test_accounts_to_call_names_the_first_with_owner_reason_and_next_step():
    found = listed()
    finding = narrate.accounts_to_call(found)
    assert finding.word == "No target"
    assert finding.text.startswith(f"5 accounts to call this week; {found.above} of {found.n} are")
    assert "save rate of 25%" in finding.evidence
    assert "an assumption until" in finding.evidence
    first = found.to_call.iloc[0]
    assert f"Start with {first['account']} (owner Ann): risk" in finding.action
    assert finding.action.endswith(first["next_step"])
    assert finding.measure.value == found.above


@pytest.mark.slow
def test_call_list_puts_the_most_gain_first_and_stops_at_the_capacity():
    found = listed()
    assert found.to_call["act"].tolist() == [True] * 5
    assert found.rows["stake"].is_monotonic_decreasing
    assert (found.rows["stake_low"] <= found.rows["stake"]).all()
    assert found.flagged == found.to_call["account_id"].tolist()
    assert (found.rows["stake"] > 20).all()  # the cost
    row = found.rows.iloc[0]
    assert row["stake"] == pytest.approx(row["mrr"] * 12 * row["risk"] * 0.25)


@pytest.mark.slow
def test_reasons_are_signs_that_raise_the_risk_by_more_than_chance():
    names = {f.name for f in reasons_of(made().model, DECLARED)}
    assert names == {"usage_trend", "days_to_renewal"}
    told = " ".join(listed().rows["why"])
    assert "Use fell by" in told
    assert "renews in" in told.lower()
    assert "plan" not in told.lower()
    assert set(listed().to_call["next_step"]) <= {
        "Call the people who use it: what has stopped them?",
        "Open the renewal talk now, before it comes due.",
    }


@pytest.mark.slow
def test_an_account_with_little_risk_is_on_the_list_for_its_size():
    table = made().scores.table
    low = table["risk"] < table["risk"].mean()
    found = listed(scored(table.assign(mrr_minor=table["mrr_minor"] * (1 + 999 * low))))
    assert "on the list for its size" in found.rows["why"].iloc[0]


def test_nobody_is_worth_a_call_that_costs_more_than_it_keeps():
    found = listed(cost=10_000_000)
    finding = narrate.accounts_to_call(found)
    assert finding.text.startswith("No account is worth a call")
    assert finding.action == "Nothing to do this week."
    assert found.flagged == []
    assert plots.accounts_to_call(found).alt == "No account is worth a call."
    assert tables.accounts_to_call(found).part()["empty"] == "No account is worth a call."


@pytest.mark.slow
@pytest.mark.parametrize(
    ("found", "says"),
    [(few, "cannot be told, so no list"), (silent, "tells who leaves, so no list")],
)
def test_no_list_is_made_of_risks_that_say_nothing(found, says):
    result = listed(found())
    finding = narrate.accounts_to_call(result)
    assert finding.status == finding.word.lower() == "unclear"
    assert says in finding.text
    assert finding.evidence[0].isupper()
    assert result.flagged == []
    assert plots.accounts_to_call(result).alt == "No list is made."
    assert tables.accounts_to_call(result).part()["empty"].startswith("No list: ")


def test_warnings_stand_with_the_list():
    found = listed(level="not judged", reason="no past", warning="x knows too much")
    evidence = narrate.accounts_to_call(found).evidence
    assert "Not yet held against the past: no past." in evidence
    assert "Leak alarm: x knows too much." in evidence


def test_readers_outside_see_no_account():
    found = listed(names="Secret Ltd", audience="external")
    shown = (
        narrate.accounts_to_call(found),
        plots.accounts_to_call(found),
        tables.accounts_to_call(found),
    )
    for item in shown:
        said = str(item._repr_mimebundle_())
        assert "Secret" not in said
        assert "a0" not in re.sub(r"[#\w-]*(series|wide|narrow)[\w-]*", "", said)
        assert "Ann" not in said
    (row,) = shown[2].part()["rows"]
    assert (row["segment"], row["now"], row["above"]) == ("SMB", 5, found.above)


@pytest.mark.slow
def test_names_missing_or_hostile_are_shown_safely():
    found = listed(names=HOSTILE)
    chart = plots.accounts_to_call(found)
    assert "<script" not in chart.svg + chart.svg_narrow
    assert "<script" not in tables.accounts_to_call(found)._repr_mimebundle_()["text/html"]
    assert "a0" in str(tables.accounts_to_call(listed()).cells()[0][0])


def test_an_account_without_a_strong_reason_says_so():
    nothing = np.zeros_like(made().scores.contributions)
    found = listed(scored(made().scores.table, contributions=nothing))
    assert found.rows["why"].str.startswith(NO_REASON.capitalize()).all()


def test_the_numbers_behind_the_drawing_list_all_accounts_worth_a_call():
    found = listed()
    data = plots.accounts_to_call(found).data
    assert len(data) == found.above
    assert {"account_id", "why", "next_step", "owner", "mrr", "risk"} <= set(data.columns)


def test_risks_without_intervals_are_drawn_without():
    table = made().scores.table.assign(ci_low=np.nan, ci_high=np.nan)
    found = listed(scored(table))
    assert "interval" not in narrate.accounts_to_call(found).evidence
    assert "interval" not in plots.accounts_to_call(found).caption


# revenue ---------------------------------------------------------------------------------


def test_revenue_at_risk_gives_sum_interval_and_range():
    result = made().revenue
    finding = narrate.revenue_at_risk(result)
    row = result.table.iloc[0]
    assert finding.word == "No target"
    assert f"{row['share']:.1%}" in finding.text
    assert "95% interval €" in finding.evidence
    assert "may leave in the end" in finding.evidence
    assert finding.measure.low < finding.measure.value < finding.measure.high
    judged = narrate.revenue_at_risk(result, target=target(0.01, better="lower"))
    assert judged.status == "bad"
    chart = plots.revenue_at_risk(result)
    assert chart.data["group"].tolist()[-1] == "all"
    assert {"Enterprise", "SMB", "All accounts"} <= set(texts(chart.svg))
    assert tables.revenue_at_risk(result).cells()[-1][0] == "All accounts"


@pytest.mark.slow
def test_revenue_without_risks_is_not_known():
    result = few().revenue
    finding = narrate.revenue_at_risk(result)
    assert finding.status == "unclear"
    assert "is not known: only 7 accounts" in finding.text
    assert plots.revenue_at_risk(result).alt == "No revenue at risk can be told."
    cells = tables.revenue_at_risk(result).cells()
    assert {cell[4] for cell in cells} == {"–"}


def grouped(names):
    """Revenue at risk of other groups."""
    found = made()
    group = np.array(names)[np.arange(len(found.today)) % len(names)]
    return revenue_at_risk(found.model, found.scores, found.today.assign(group=group))


@pytest.mark.slow
def test_revenue_of_many_and_hostile_groups():
    chart = plots.revenue_at_risk(grouped([f"{HOSTILE} {i}" for i in range(40)]))
    assert "30 further groups not drawn." in chart.caption
    assert "<script" not in chart.svg + chart.svg_narrow
    one = grouped(["only"])
    assert plots.revenue_at_risk(one).data["group"].tolist() == ["all"]
    assert "Work through the list" in narrate.revenue_at_risk(one).action


# drivers ---------------------------------------------------------------------------------


def test_risk_drivers_tell_the_signs_that_are_more_than_chance():
    finding = narrate.risk_drivers(made().model, DECLARED)
    assert finding.status == "watch"
    assert "days to the next renewal" in finding.text
    assert "plan" not in finding.text
    assert "2 of 5 signs" in finding.evidence
    chart = plots.risk_effects(made().model, DECLARED)
    assert set(chart.data["feature"]) == {"usage_trend", "days_to_renewal"}
    assert "Days to the next renewal" in texts(chart.svg)
    signs = plots.risk_signs(made().model, DECLARED)
    assert "(within chance)" in signs.alt
    absent = {"seats": "subscriptions has no seats; add", "a": "no use\nmore", "b": "no use"}
    rows = tables.risk_drivers(made().model, DECLARED, absent).part()
    assert "Not in the model: 2 signs, since no use; 1 sign, since subs" in rows["note"]
    assert rows["cells"][0][3] == "yes, p < 0.01"


def test_effects_of_categories_and_flags_are_drawn_by_level():
    table = made().model.table.assign(p_value=0.0)
    chart = plots.risk_effects(replace(made().model, table=table), DECLARED)
    flag = chart.data.loc[chart.data["feature"] == "yearly_billing", "value"]
    assert flag.tolist() == ["no", "yes"]
    said = texts(chart.svg_narrow)
    assert "no" in said
    assert "yes" in said


@pytest.mark.slow
def test_drivers_without_a_model():
    model = few().model
    assert "cannot be told: only 7" in narrate.risk_drivers(model, DECLARED).text
    assert plots.risk_signs(model, DECLARED).alt == "There is no model to draw."
    assert plots.risk_effects(model, DECLARED).data.empty
    assert tables.risk_drivers(model, DECLARED, {}).cells() == []
    nothing = replace(made().model, table=made().model.table.assign(p_value=0.5))
    assert narrate.risk_drivers(nothing, DECLARED).text.startswith("No single sign")
    assert plots.risk_effects(nothing, DECLARED).alt.startswith("No sign goes with leaving")


# trust -----------------------------------------------------------------------------------


def test_risk_trust_gives_pairs_calibration_and_what_was_judged():
    found = made()
    finding = narrate.risk_trust(found.judged, found.earlier)
    assert finding.word == "No target"
    assert "of pairs (drawing lots: 50%)" in finding.text
    assert "were foretold." in finding.text
    for part in ("AUC", "Calibration slope", "Brier skill", "3 months", "accounts."):
        assert part in finding.evidence
    judged = narrate.risk_trust(found.judged, found.earlier, target=target(0.6))
    assert judged.status == "good"
    chart = plots.calibration(found.judged)
    assert chart.data["group"].tolist() == list(range(1, 11))
    table = tables.risk_figures(found.judged).part()
    assert [row["figure"] for row in table["rows"]][1].startswith("AUC")


@pytest.mark.slow
def test_risk_trust_says_no_signal():
    found = silent()
    finding = narrate.risk_trust(found.judged, found.earlier)
    assert finding.status == "unclear"
    assert finding.text.startswith("No signal")
    assert "0.5 is drawing lots" in finding.evidence
    verdict = narrate.risk_targets(found.verdict, found.judged)
    assert (verdict.status, verdict.measure) == ("unclear", None)
    assert "No signal: AUC" in verdict.evidence


@pytest.mark.slow
def test_trust_without_a_past():
    found = few()
    finding = narrate.risk_trust(found.judged, found.earlier)
    assert finding.status == "unclear"
    assert "has not been held against the past" in finding.text
    assert "only" in finding.evidence.lower()
    assert plots.calibration(found.judged).alt == "Nothing was held against the past."
    assert plots.gain(found.judged).alt == "Nothing was held against the past."
    for table in (
        tables.risk_figures(found.judged),
        tables.risk_targets(found.verdict, found.judged),
        tables.risk_lift(found.judged),
    ):
        assert table.cells() == []
        assert table.part()["empty"].startswith("Nothing was held against the past: ")
    assert narrate.risk_targets(found.verdict, found.judged).status == "unclear"


def test_leaks_are_told_by_their_columns():
    assert narrate.risk_leaks(made().leaks).status == "good"
    assert tables.risk_leaks(made().leaks).part()["empty"] == "No sign of a leak."
    past = made().past
    told = past.assign(closing_fee=np.where(past["event"], past["days_after"], 400.0))
    audit = sample.leak_audit(told, horizon_days=90)
    finding = narrate.risk_leaks(audit)
    assert finding.status == "bad"
    assert finding.text.startswith("The leak alarm is raised in closing_fee")
    assert tables.risk_leaks(audit).part()["rows"][0]["severity"] == "bad"
    unclear = replace(made().leaks, status="unclear", reason="only 2 churned")
    finding = narrate.risk_leaks(unclear)
    assert finding.status == "unclear"
    assert finding.evidence.startswith("Only 2 churned. ")
    assert tables.risk_leaks(unclear).part()["empty"] == "Only 2 churned."


def test_targets_out_of_reach_say_what_can_be_reached():
    found = made()
    finding = narrate.risk_targets(found.verdict, found.judged)
    assert finding.status == "bad"
    best = f"{found.verdict.reachable.value:.0%} of the accounts called would be leaving"
    assert finding.text.startswith("The targets are not reachable on these data: to find 80%")
    assert best in finding.text
    for part in ("Precision", "recall", "F1", "Threshold: highest F1", "base rate"):
        assert part in finding.evidence
    assert "times as many leavers" in finding.action
    assert finding.measure.target == 0.85


@pytest.mark.parametrize(
    ("status", "reach", "says"),
    [
        ("met", "reachable", "meet their targets"),
        ("not met", "reachable", "not met, and can be reached"),
        ("unclear", "unclear", "neither met nor missed for sure, and may or may not"),
    ],
)
def test_targets_met_missed_or_unclear(status, reach, says):
    found = replace(made().verdict, status=status, reach=reach)
    assert says in narrate.risk_targets(found, made().judged).text


def test_gain_marks_the_capacity_of_the_team():
    chart = plots.gain(made().judged)
    assert any("This team: 15 calls" in text for text in texts(chart.svg))
    cells = tables.risk_lift(made().judged).cells()
    assert sum("(this team)" in row[0] for row in cells) == 1
    assert cells[-1][0] == "Everybody"


def test_model_choice_says_which_and_why():
    finding = narrate.model_choice(made().choice)
    assert finding.status == "good"
    assert finding.text.startswith("Risks are those of the default model: boosting does not")
    other = narrate.model_choice(replace(made().choice, chosen="boosting"))
    assert "those of boosting: the default model is beaten" in other.text
    assert "hints" in other.action
    none = narrate.model_choice(few().choice)
    assert none.status == "unclear"
    assert tables.model_choice(made().choice).cells()[0][0] == "Brier score"


# earlier predictions ---------------------------------------------------------------------


def test_flagged_earlier_compares_the_list_with_the_others():
    everybody = summary(flagged=True, known=800, churned=24, expected=22.5)
    on = summary(flagged=True, known=20, churned=0, expected=0.9)
    finding = narrate.flagged_earlier(everybody, on)
    assert finding.status == "good"
    assert finding.text == (
        "Of 20 accounts on the list of Jul 31, 2026, none left (0.9 were expected to); of the 780 "
        "others 24 (21.6 expected)."
    )
    assert "within chance" in finding.evidence
    (row,) = tables.flagged_earlier(everybody, on).cells()
    assert row[:5] == ["Jul 31, 2026", "Oct 29, 2026", "20", "0", "0.0%"]


def test_flagged_earlier_says_where_risks_did_not_come_true():
    finding = narrate.flagged_earlier(
        summary(flagged=True, known=800, churned=80, expected=8.0), summary(flagged=True).head(0)
    )
    assert finding.status == "watch"
    assert "beyond chance" in finding.evidence
    assert "none of them was on a list" in finding.text


def test_flagged_earlier_waits_for_the_horizon():
    nothing = summary(flagged=True).head(0)
    finding = narrate.flagged_earlier(nothing, nothing)
    assert finding.text == "No earlier prediction has matured yet."
    assert "holds no prediction" in finding.evidence
    waiting = summary(flagged=True, due="2027-01-29")
    told = narrate.flagged_earlier(waiting, waiting).evidence
    assert told == "100 predictions wait; the first are due on Jan 29, 2027."
    table = tables.flagged_earlier(waiting, waiting)
    assert table.part()["empty"] == "No earlier prediction has matured yet."
    assert table.cells() == []


# all of it -------------------------------------------------------------------------------

CHARTS = {
    "calls": lambda m: plots.accounts_to_call(listed(m)),
    "revenue": lambda m: plots.revenue_at_risk(m.revenue),
    "signs": lambda m: plots.risk_signs(m.model, DECLARED),
    "effects": lambda m: plots.risk_effects(m.model, DECLARED),
    "calibration": lambda m: plots.calibration(m.judged),
    "gain": lambda m: plots.gain(m.judged),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CHARTS)
def test_bytes_repeat(name):
    first, second = (CHARTS[name](made()) for _ in range(2))
    assert first.part() == second.part()
    assert first.svg == second.svg
    assert set(re.findall(r'href="(.)', first.svg)) <= {"#"}


@pytest.mark.slow
@pytest.mark.parametrize("name", CHARTS)
def test_labels_are_never_too_small_to_read(name):
    chart = CHARTS[name](made())
    for svg in (chart.svg, chart.svg_narrow):
        sizes = [float(size) for size in re.findall(r"(\d+(?:\.\d+)?)px", svg)]
        assert sizes
        assert min(sizes) >= 8.5


def test_numbers_are_in_the_locale():
    words = Words("de", "EUR")
    assert "€" in narrate.revenue_at_risk(made().revenue, words=words).text
    assert re.search(r"\d,\d", tables.risk_figures(made().judged, words=words).cells()[0][1])
    assert minor(1.5, words) == 150.0
    assert minor(2.0, Words("en", "JPY")) == 2.0


def test_findings_hold_no_jargon_and_no_unknowns():
    found = made()
    findings = [
        narrate.accounts_to_call(listed()),
        narrate.revenue_at_risk(found.revenue),
        narrate.risk_drivers(found.model, DECLARED),
        narrate.risk_trust(found.judged, found.earlier),
        narrate.risk_leaks(found.leaks),
        narrate.risk_targets(found.verdict, found.judged),
        narrate.model_choice(found.choice),
    ]
    for finding in findings:
        said = f"{finding.text} {finding.evidence} {finding.action}"
        assert not re.search(r"\bnan\b|None|logit|hazard", said), said
        assert 0 <= finding.weight <= 1
    assert len({finding.id for finding in findings}) == len(findings)
