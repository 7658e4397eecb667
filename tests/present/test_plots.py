"""Charts: the same bytes for the same input, real text, nothing that reaches out of a page."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from functools import cache

import pytest
import sample_editions as sample
from sample_editions import Target, lifetimes, rate, spells

from csa.analysis.churn import churn_rate, survival
from csa.present import plots
from csa.present.canvas import fitted, spread, text_width, tick_step
from csa.present.words import Words

SVG = "{http://www.w3.org/2000/svg}"
CHARTS = {
    "curves": cache(lambda groups: plots.survival_curves(lifetimes(groups))),
    "rates": cache(lambda groups: plots.churn_rates(rate(groups), target=Target(0.02))),
}


def texts(svg):
    return ["".join(node.itertext()) for node in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314


@pytest.mark.slow
@pytest.mark.parametrize("name", CHARTS)
@pytest.mark.parametrize("groups", [sample.SEGMENTS, sample.HOSTILE], ids=["plain", "hostile"])
def test_bytes_repeat(name, groups):
    first, second = CHARTS[name](groups), CHARTS[name].__wrapped__(groups)
    assert first.svg == second.svg
    assert first.svg_narrow == second.svg_narrow
    assert first.part() == second.part()


@pytest.mark.parametrize("name", CHARTS)
def test_texts_are_real(name):
    chart = CHARTS[name](sample.SEGMENTS)
    for svg in (chart.svg, chart.svg_narrow):
        said = " ".join(texts(svg))
        assert {"Enterprise", "Mid-market", "SMB"} <= set(re.findall(r"[A-Z][\w-]+", said))
        assert "Csa Sans" in svg


@pytest.mark.parametrize("name", CHARTS)
@pytest.mark.slow
def test_drawings_hold_nothing_that_loads_runs_or_tells_the_time(name):
    for svg in (CHARTS[name](sample.HOSTILE).svg, CHARTS[name](sample.HOSTILE).svg_narrow):
        assert svg.startswith("<svg ")
        for bad in ("<script", "<style", "<metadata", "<?xml", "<!DOCTYPE", "dc:date"):
            assert bad not in svg
        assert set(re.findall(r'href="(.)', svg)) <= {"#"}


def test_ids_of_two_drawings_never_meet():
    chart = CHARTS["curves"](sample.SEGMENTS)
    found = [set(re.findall(r'\bid="([^"]+)"', svg)) for svg in (chart.svg, chart.svg_narrow)]
    assert not found[0] & found[1]
    for svg, ids in zip((chart.svg, chart.svg_narrow), found, strict=True):
        used = set(re.findall(r'href="#([^"]+)"', svg)) | set(re.findall(r"url\(#([^)]+)\)", svg))
        assert used <= ids


def test_wide_and_narrow_have_their_widths():
    chart = CHARTS["curves"](sample.SEGMENTS)
    assert 'viewBox="0 0 518.4 ' in chart.svg
    assert 'viewBox="0 0 259.2 ' in chart.svg_narrow


def test_numbers_at_risk_stand_under_their_ticks():
    chart = CHARTS["curves"](sample.SEGMENTS)
    places = {}
    for node in ET.fromstring(chart.svg).iter(f"{SVG}text"):  # noqa: S314
        places.setdefault("".join(node.itertext()), []).append(float(node.get("x")))
    tick, at_risk = places["12"], places["648"]  # Enterprise after 12 months
    assert abs(tick[0] - at_risk[0]) < 0.5


def test_curves_are_labelled_at_their_ends_without_a_legend():
    chart = CHARTS["curves"](sample.SEGMENTS)
    assert "Enterprise 58%" in texts(chart.svg)
    assert "legend" not in chart.svg


def test_alt_says_what_the_drawing_shows():
    alt = CHARTS["curves"](sample.SEGMENTS).alt
    assert alt.startswith("Survival curves: share of accounts still customers by months since")
    assert "Enterprise " in alt
    assert "%" in alt


def test_data_behind_a_curve_is_exact_and_thinned():
    chart = CHARTS["curves"](sample.SEGMENTS)
    full = lifetimes().curves
    assert list(chart.data.columns[:3]) == ["group", "time_days", "at_risk"]
    assert len(chart.data) < len(full)
    merged = chart.data.merge(full, on=["group", "time_days"], suffixes=("", "_full"))
    assert (merged["survival"] == merged["survival_full"]).all()
    assert len(merged) == len(chart.data)


@pytest.mark.slow
def test_drawings_stay_small():
    chart = plots.survival_curves(survival(spells(tuple(f"Region {i}" for i in range(9)))))
    assert len(chart.svg) < 150_000
    assert "smaller groups not drawn" in chart.caption


@pytest.mark.parametrize(
    "accounts", [spells().head(0), spells().head(1), spells(("x",), accounts=8)]
)
@pytest.mark.slow
def test_few_accounts_make_a_drawing_that_says_so(accounts):
    chart = plots.survival_curves(survival(accounts))
    assert chart.alt
    assert chart.svg.startswith("<svg ")
    assert chart.caption.startswith("Fewer than 10 accounts") or "No account" in chart.alt


@pytest.mark.slow
def test_late_entry_is_told_under_the_curve():
    late = spells().assign(entry_days=300).query("exit_days > 300")
    chart = plots.survival_curves(survival(late))
    assert "known from an age of 9.9 months on, given alive then" in chart.caption
    assert "648" in texts(chart.svg)
    assert "900" not in texts(chart.svg)  # nobody was watched at age 0


def test_rates_show_target_and_counts():
    said = texts(CHARTS["rates"](sample.SEGMENTS).svg)
    assert "Target 2.0%" in said
    assert "21 of 1,448" in said
    assert said.index("SMB") < said.index("Enterprise")  # highest rate first


def test_millions_of_accounts_fit_beside_their_rates():
    table = rate().table.assign(
        at_start=lambda t: t["at_start"] * 100_000, churned=lambda t: t["churned"] * 100_000
    )
    svg = plots.churn_rates(replace(rate(), table=table)).svg
    width = float(re.search(r'viewBox="0 0 ([\d.]+)', svg)[1])
    for node in ET.fromstring(svg).iter(f"{SVG}text"):  # noqa: S314
        if " of " in node.text:
            assert float(node.get("x")) + text_width(node.text, 8.5) * 72 <= width


def test_no_known_rate_says_so():
    none = churn_rate(spells().head(0), start=sample.AS_OF.replace(day=1), end=sample.AS_OF)
    assert plots.churn_rates(none).alt == "No churn rate is known for this period."


def test_numbers_in_drawings_follow_the_locale():
    svg = plots.churn_rates(rate(), words=Words("de", "EUR")).svg
    assert "21 of 1.448" in texts(svg)


def test_right_to_left_names_are_drawn_as_outlines():
    svg = CHARTS["rates"](("עברית", "b")).svg
    assert texts(svg) == []
    assert "<use " in svg


def test_long_names_are_cut_to_their_room():
    cut = fitted("W" * 100, 1.0, 8.5)
    assert cut.endswith("…")
    assert text_width(cut, 8.5) <= 1.0


@pytest.mark.parametrize(
    ("values", "gap", "placed"),
    [
        ([0.5, 0.5, 0.5], 0.1, [0.5, 0.6, 0.7]),
        ([0.99, 1.0], 0.1, [0.9, 1.0]),
        ([0.2, 0.8], 0.1, [0.2, 0.8]),
        ([], 0.1, []),
    ],
)
def test_labels_are_spread(values, gap, placed):
    assert spread(values, gap, 0.0, 1.0) == pytest.approx(placed)


@pytest.mark.parametrize(("span", "step"), [(5, 1), (58, 12), (200, 36), (5000, 120)])
def test_ticks_are_whole_months(span, step):
    assert tick_step(span, 7) == step
