"""The page of an edition: its outline, its states, what it must never show."""

import itertools
import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import sample_editions as sample
from bs4 import BeautifulSoup

from csa.present.theme import LIGHT
from csa.present.words import Words
from csa.report import render
from csa.report.page import Page
from csa.report.prose import inline_svg, prose, svg_uri
from csa.report.remedy import remedy, split_settings

pytestmark = pytest.mark.slow  # over a second each; make test-fast leaves them out

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
EDITIONS = {
    "full": cache(sample.full),
    "hostile": cache(sample.hostile),
    "nothing": cache(sample.nothing),
}


@cache
def html(name, template="csa"):
    return render.page_html(*EDITIONS[name](), template=template)


@cache
def soup(name, template="csa"):
    return BeautifulSoup(html(name, template), "html.parser")


def text(node):
    return " ".join(node.get_text(" ").split())


def outline(page):
    """Headings, findings, figures, tables, problems and links in the order of the page."""
    lines = []
    for node in page.select("h1, h2, h3, h4, .finding, figure, table, .problem, a[href]"):
        if node.name in {"h1", "h2", "h3", "h4"}:
            lines.append(f"{node.name} {text(node)}")
        elif node.name == "figure":
            lines.append(f"  figure: {text(node.figcaption)}")
        elif node.name == "table":
            head = ", ".join(text(cell) for cell in node.select("thead th"))
            title = text(node.caption) if node.caption else "Scorecard"
            lines.append(f"  table: {title} [{head}] {len(node.select('tbody tr'))}")
        elif "finding" in node["class"] if node.has_attr("class") else False:
            lines.append(f"  finding: {text(node.select_one('.head'))}")
        elif node.name == "div":
            lines.append(f"  problem: {text(node.select_one('.head'))}")
        elif not node.find_parent("nav"):
            lines.append(f"  link: {node['href']}")
    return "\n".join(lines) + "\n"


def test_outline_of_the_full_page_is_as_agreed():
    """Rewrite tests/golden/page.txt on purpose only: it is what readers are used to."""
    assert outline(soup("full")) == (GOLDEN / "page.txt").read_text("utf-8")


@pytest.mark.parametrize("name", EDITIONS)
@pytest.mark.parametrize("template", ["csa", "csa-pdf"])
def test_code_parameters_and_tracebacks_are_never_shown(name, template):
    for secret in ("account_secret", "setup_of_the_chapter", "boom()", "secret path"):
        assert secret not in html(name, template)


@pytest.mark.parametrize("name", EDITIONS)
def test_page_loads_nothing(name):
    page = soup(name)
    assert page.find_all(["script", "link", "iframe", "object", "img"]) == []
    for node in page.find_all(src=True):
        assert node["src"].startswith("data:")
    assert not re.search(r"url\((?!data:|#)", html(name))
    assert not re.search(r"https?://(?!www\.w3\.org/)", html(name))


@pytest.mark.parametrize("name", EDITIONS)
@pytest.mark.parametrize("template", ["csa", "csa-pdf"])
def test_names_are_escaped(name, template):
    page = html(name, template)
    assert "<script" not in page
    assert "<b>x</b>" not in page
    if name == "hostile":
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


@pytest.mark.parametrize("name", EDITIONS)
def test_headings_are_in_order_with_one_first(name):
    levels = [int(node.name[1]) for node in soup(name).find_all(re.compile("h[1-6]"))]
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))


@pytest.mark.parametrize("name", EDITIONS)
@pytest.mark.parametrize("template", ["csa", "csa-pdf"])
def test_ids_are_unique_and_every_link_inside_has_a_place(name, template):
    page = soup(name, template)
    ids = [node["id"] for node in page.find_all(id=True)]
    assert sorted(ids) == sorted(set(ids))
    inside = {a["href"][1:] for a in page.find_all("a", href=True) if a["href"][0] == "#"}
    assert inside <= set(ids)
    for attribute in ("aria-labelledby", "headers"):
        assert {node[attribute] for node in page.find_all(attrs={attribute: True})} <= set(ids)


@pytest.mark.parametrize("name", ["full", "hostile"])
def test_charts_tables_and_statuses_speak_to_screen_readers(name):
    page = soup(name)
    for figure in page.find_all("figure"):
        assert figure.figcaption
        assert len(figure.select_one("[role=img]")["aria-label"]) > 40
    for table in page.find_all("table"):
        assert table.caption or table.find_parent(attrs={"aria-labelledby": True})
        assert all(cell.get("scope") for cell in table.find_all("th"))
    for status in page.select(".status"):
        assert status.select_one(".shape")["aria-hidden"] == "true"
        assert text(status).split(" ", 1)[1]
    for box in page.select(".scroll"):
        assert (box["tabindex"], box["role"]) == ("0", "region")


def test_page_one_answers_three_questions_per_finding():
    findings = soup("full").select(".summary > li")
    assert 1 <= len(findings) <= 7
    for finding in findings:
        assert [text(dt) for dt in finding.find_all("dt")] == [
            "What changed",
            "Is it real?",
            "What to do",
        ]
        assert all(text(dd) for dd in finding.find_all("dd"))


def test_page_one_has_at_most_six_findings_and_counts_the_rest():
    page = BeautifulSoup(
        render.page_html(*sample.edition_of(sample.many_findings(9))), "html.parser"
    )
    assert len(page.select(".summary > li")) == 6
    verdict = text(page.select_one(".verdict"))
    assert verdict.startswith("9 findings: 3 bad, 2 to watch")
    assert verdict.endswith("; the 6 to read first:")


def test_missed_targets_come_first_then_what_changed():
    first = [text(h) for h in soup("full").select(".summary h3")[:2]]
    assert first == ["◆ Bad Chance to stay", "○ Unclear Logo churn rate"]


def test_missing_chapter_says_what_to_add():
    problem = soup("full").select_one(".problem.unavailable")
    assert text(problem.select_one(".head")) == "Revenue is not available"
    lines = problem.pre.get_text().splitlines()
    assert lines[:4] == [
        "data:",
        "  tables:",
        "    subscriptions:",
        "      file: your_subscriptions.csv",
    ]
    assert "        mrr: your_mrr" in lines


def test_failed_chapter_says_where_and_keeps_the_notebook():
    problem = soup("full").select_one(".problem.failed")
    assert "In \"Which accounts first?\": KeyError: 'mrr'" in text(problem)
    assert problem.a["href"] == "notebooks/risk.ipynb"
    assert "problem" not in text(problem)


def test_notices_lead_to_what_is_missing():
    notices = soup("full").select(".notices a")
    assert [text(a) for a in notices] == [
        "Revenue is not available.",
        "Risk failed.",
        "Numbers from subscriptions are withheld: their data fail checks.",
    ]


def test_edition_without_any_finding_is_still_a_page():
    page = soup("nothing")
    assert "No finding could be computed" in text(page.select_one("#summary"))
    assert page.select_one("#scorecard") is None
    assert len(page.select(".problem")) == 2


def test_appendix_repeats_no_table_that_a_chapter_shows():
    assert "appendix-lineage" not in html("full")
    assert "The chapter “Data quality” has the table." in html("full")
    assert "appendix-lineage" in html("nothing")
    assert "appendix-checks" in html("nothing")


def test_method_notes_are_in_the_appendix_with_links_both_ways():
    page = soup("full")
    notes = page.select(".method")
    assert [text(n.h4) for n in notes] == [
        "Churn: How many accounts left?",
        "Churn: How long do accounts stay?",
    ]
    for note in notes:
        back = page.select_one(f'a[href="#{note["id"]}"]')
        assert text(back) == "How this is computed"


def test_numbers_follow_the_locale():
    notebook, edition = EDITIONS["full"]()
    page = render.page_html(notebook, replace(edition, locale="de"))
    assert "Data until 31.10.2026" in page


def test_same_input_gives_the_same_bytes(monkeypatch):
    assert render.page_html(*sample.full()) == html("full")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1800000000")
    dated = render.page_html(*EDITIONS["full"]())
    assert "2027-01-15T09:00:00+01:00" in dated
    later = replace(EDITIONS["full"]()[1], made_at=EDITIONS["full"]()[1].made_at.replace(year=2030))
    assert render.page_html(EDITIONS["full"]()[0], later) == dated


def test_page_is_light():
    assert len(html("full").encode()) < 600_000


def test_wide_and_narrow_drawings_are_both_there():
    figures = soup("full").find_all("figure")
    assert all(f.select_one(".wide svg") and f.select_one(".narrow svg") for f in figures)
    assert all(svg["aria-hidden"] == "true" for svg in soup("full").find_all("svg"))


def test_print_has_alternative_texts_and_no_machine_path():
    page = soup("full", "csa-pdf")
    assert len(page.find_all("img")) == len(soup("full").find_all("figure"))
    assert all(len(img["alt"]) > 40 for img in page.find_all("img"))
    assert {a["href"][0] for a in page.find_all("a", href=True)} == {"#"}


def test_render_html_writes_one_file(tmp_path):
    out = tmp_path / "report.html"
    render.render_html(*EDITIONS["full"](), out)
    assert out.read_text("utf-8") == html("full")
    assert list(tmp_path.iterdir()) == [out]


def test_prose_is_safe_and_stands_below_the_headings_of_the_page():
    links = "![alt](http://a/b.png) [x](javascript:alert(1)) *so*"
    source = f"# Note\n<script>x</script>\n\n{links}"
    made = prose(source)
    assert "<h4>Note</h4>" in made
    assert "<script>" not in made
    assert "<img" not in made
    assert 'href="javascript' not in made
    assert "<em>so</em>" in made


def test_drawings_take_the_colours_of_the_page():
    svg = (
        f'<svg width="10pt" height="5pt" viewBox="0 0 10 5"><g style="fill: {LIGHT["ink"]}"/></svg>'
    )
    made = inline_svg(svg)
    assert 'width="' not in made
    assert f"var(--ink, {LIGHT['ink']})" in made


@pytest.mark.parametrize(
    "svg",
    [
        "<svg ><script>alert(1)</script></svg>",
        '<svg ><image href="http://x"/></svg>',
        '<svg onload="x()"></svg>',
        "no drawing",
    ],
)
def test_drawings_that_run_or_load_are_left_out(svg):
    assert "alert" not in inline_svg(svg)
    assert "http://x" not in inline_svg(svg)
    assert svg_uri(svg) == svg_uri("also none")


def test_remedy_lists_required_columns():
    lines = remedy(["map yours in csa.yml under data.tables.surveys (docs/tables.md)"])
    assert lines[2] == "    surveys:"
    assert "        response_id: your_response_id" in lines
    assert remedy(["nothing to map"]) == []
    assert remedy(["see data.tables.unheard_of"]) == []


def test_remedy_for_a_missing_start_of_observation():
    lines = remedy(["state data.tables.subscriptions.observed_from"])
    assert lines[:3] == ["data:", "  tables:", "    subscriptions:"]
    assert lines[3].startswith("      observed_from: ")
    assert len(lines) == 4


def test_settings_in_an_error_are_told_from_sentences():
    sentences, settings = split_settings(
        ["It is missing: add it", "data:", "  tables:", "    x: {}"]
    )
    assert sentences == ["It is missing: add it"]
    assert settings == ["data:", "  tables:", "    x: {}"]


def test_without_pango_print_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setattr(render, "weasyprint", None)
    with pytest.raises(render.RunError, match="Pango library is missing"):
        render.render_pdf(*EDITIONS["nothing"](), tmp_path / "report.pdf")


def test_page_of_an_edition_whose_checks_all_pass():
    notebook, edition = sample.edition_of(sample.many_findings(1))
    page = Page(edition=edition, notebook=notebook, words=Words())
    assert page.notices == []
    assert page.quality_note == "9 checks, none of which fails."
