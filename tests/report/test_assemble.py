"""Executed chapters become pages, one combined notebook, a summary and a scorecard."""

import nbformat
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from csa.present.items import CHART, FINDING, TABLE, Chart, Column, Finding, Measure, Table
from csa.report.assemble import PROBLEM, chapters_of, charts_data, contents_of
from csa.report.engine import Run
from csa.report.outputs import split_headings
from csa.report.ranking import rank, scorecard_of, status_of


def measure(**changes):
    fields = {
        "metric_id": "logo_churn_rate",
        "value": 0.02,
        "low": 0.01,
        "high": 0.03,
        "n": 500,
        "unit": "share",
        "confidence": 0.95,
        "method": "Wilson",
    }
    return Measure(**{**fields, **changes})


def finding(key="churn-rate", status="bad", **changes):
    fields = {
        "id": key,
        "title": "Churn",
        "text": "2 % of accounts left",
        "evidence": "n 500",
        "action": "call them",
        "status": status,
    }
    return Finding(**{**fields, **changes})


def chart(key="survival"):
    data = pd.DataFrame({"name": ["=1+1"], "value": [0.5]})
    return Chart(
        id=key, title="How long?", alt="A line", svg="<svg/>", svg_narrow="<svg/>", data=data
    )


def table(key="rates"):
    return Table(
        id=key,
        title="Rates",
        columns=(Column(key="n", label="n", kind="integer"),),
        rows=pd.DataFrame({"n": [1]}),
    )


def show(*items, tags=()):
    outputs = [
        new_output("display_data", data=item._repr_mimebundle_())
        if hasattr(item, "_repr_mimebundle_")
        else item
        for item in items
    ]
    return new_code_cell("x", outputs=outputs, execution_count=1, metadata={"tags": list(tags)})


def error(name="ValueError", text="boom"):
    return new_output("error", ename=name, evalue=text, traceback=[text])


def run(*cells, name="churn", status="ok", problem=()):
    title = new_markdown_cell("# Churn\nWho leaves, and when?\n\nMore words.")
    notebook = nbformat.from_dict(new_notebook(cells=[title, new_code_cell("a: int = 1"), *cells]))
    return Run(name=name, status=status, seconds=1.0, notebook=notebook, problem=tuple(problem))


def test_chapters_of_reads_items_back_and_drops_what_readers_do_not_see():
    stream = new_output("stream", name="stdout", text="noise")
    (page,), notebook = chapters_of(
        [
            run(
                new_markdown_cell("## How long?\nProse."),
                show(finding(measure=measure())),
                show(chart(), stream),
                show(stream),
                show(table(), tags=["table"]),
                new_markdown_cell("Kaplan-Meier.", metadata={"tags": ["method"]}),
            )
        ]
    )
    assert (page.title, page.question) == ("Churn", "Who leaves, and when?")
    assert page.status == "ok"
    assert [f["id"] for f in page.findings] == ["churn-rate"]
    assert page.findings[0]["measure"]["value"] == 0.02
    assert [c["id"] for c in page.charts] == ["survival"]
    assert [t["id"] for t in page.tables] == ["rates"]
    kinds = [cell.metadata.csa.get("item", "prose") for cell in notebook.cells]
    assert kinds == ["prose", "prose", "finding", "chart", "table", "prose"]
    assert "noise" not in nbformat.writes(notebook)
    assert [next(m for m in c.outputs[0].data if "vnd" in m) for c in notebook.cells[2:5]] == [
        FINDING,
        CHART,
        TABLE,
    ]
    assert notebook.cells[5].metadata.tags == ["method"]
    nbformat.validate(notebook)


def test_chapters_of_gives_every_heading_and_item_its_own_anchor():
    one, two, three = (new_markdown_cell("## How long?") for _ in range(3))
    pages, notebook = chapters_of(
        [run(one, two, show(chart())), run(three, show(chart()), name="risk")]
    )
    anchors = [c.metadata.csa.anchor for c in notebook.cells if "anchor" in c.metadata.csa]
    assert len(anchors) == len(set(anchors))
    assert [(h.level, h.text, h.anchor) for h in contents_of(notebook)] == [
        (2, "Churn", "chapter-churn"),
        (3, "How long?", "churn-how-long"),
        (3, "How long?", "churn-how-long-2"),
        (2, "Churn", "chapter-risk"),
        (3, "How long?", "risk-how-long"),
    ]
    assert pages[0].anchor == "chapter-churn"
    assert not any(c.source.startswith("#") for c in notebook.cells)


def test_charts_data_never_puts_two_charts_into_one_file():
    _, notebook = chapters_of(
        [run(show(chart())), run(show(chart()), show(chart("hazard")), name="risk")]
    )
    data = charts_data(notebook)
    assert list(data) == ["data/churn-survival.csv", "data/risk-survival.csv", "data/hazard.csv"]
    assert data["data/hazard.csv"] == "name,value\n'=1+1,0.5\n"


def test_chapters_of_shows_what_a_missing_table_leaves_and_how_to_add_it():
    lines = ("no table surveys", "add it under data.tables")
    (page,), notebook = chapters_of(
        [
            run(
                show(finding()),
                new_markdown_cell("## Later"),
                show(error("NotAvailable")),
                show(chart()),
                status="unavailable",
                problem=lines,
            )
        ]
    )
    assert page.status == "unavailable"
    assert page.problem == lines
    assert [f["id"] for f in page.findings] == ["churn-rate"]
    assert page.charts == ()
    part = notebook.cells[-1].outputs[0].data[PROBLEM]
    assert part == {
        "kind": "unavailable",
        "lines": list(lines),
        "title": "Churn",
        "notebook": "notebooks/churn.ipynb",
    }


def test_chapters_of_trusts_no_number_of_a_chapter_that_failed():
    (page,), notebook = chapters_of(
        [run(show(finding()), show(error()), status="failed", problem=["ValueError: boom"])]
    )
    assert page.findings == ()
    assert [c.metadata.csa.get("item") for c in notebook.cells] == [None, "problem"]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({FINDING: {"id": "x"}}, "shows a finding without title, text"),
        ({CHART: {"id": "../x", "title": "t", "alt": "a", "csv": ""}}, "is not in lower case"),
    ],
)
def test_chapters_of_fails_a_chapter_whose_items_are_broken(data, says):
    (page,), _ = chapters_of([run(show(new_output("display_data", data=data)))])
    assert page.status == "failed"
    assert says in page.problem[0]


def test_chapters_of_fails_a_chapter_that_shows_nothing():
    (page,), _ = chapters_of([run()])
    assert (page.status, page.problem) == (
        "failed",
        ("The chapter shows no finding, chart or table.",),
    )


def test_chapters_of_names_a_chapter_without_title_after_its_file():
    bare = Run(
        name="net_promoter",
        status="failed",
        seconds=0,
        notebook=new_notebook(cells=[show(error())]),
        problem=("boom",),
    )
    (page,), notebook = chapters_of([bare])
    assert page.title == "Net promoter"
    assert notebook.cells[0].metadata.csa.heading == "Net promoter"


def test_chapters_of_is_the_same_in_every_run():
    first, second = (nbformat.writes(chapters_of([run(show(table()))])[1]) for _ in range(2))
    assert first == second


def test_rank_puts_first_what_needs_a_decision():
    (page,), _ = chapters_of(
        [
            run(
                show(finding("good", "good", weight=1.0)),
                show(finding("unclear", "unclear")),
                show(finding("bad-small", weight=0.1)),
                show(finding("bad-moved", measure=measure(change=0.02, previous=0.02), weight=0.1)),
                show(finding("bad-large", weight=0.9)),
                show(finding("watch", "watch", weight=1.0)),
            )
        ]
    )
    assert [r.finding["id"] for r in rank([page])] == [
        "bad-large",
        "bad-moved",
        "bad-small",
        "watch",
        "unclear",
        "good",
    ]


def test_rank_tells_what_changed_and_what_to_do_before_what_always_holds():
    (page,), _ = chapters_of(
        [
            run(
                show(finding("model-missed", "bad", kind="report")),
                show(finding("data-fine", "good", kind="report")),
                show(finding("structure", "watch", weight=1.0)),
                show(finding("call", "unclear", kind="action", measure=measure())),
                show(finding("no-figure", "unclear", kind="change")),
                show(finding("churn", "good", kind="change", measure=measure())),
                show(finding("missed", "bad", measure=measure())),
                show(finding("worse", "watch", kind="action", measure=measure())),
            )
        ]
    )
    assert [r.finding["id"] for r in rank([page])] == [
        "missed",
        "worse",
        "churn",
        "call",
        "model-missed",
        "structure",
        "no-figure",
        "data-fine",
    ]


def test_rank_tells_changes_of_all_chapters_in_turns():
    def news(name):
        return show(finding(name, "good", kind="change", measure=measure()))

    pages, _ = chapters_of(
        [
            run(news("revenue"), news("retention"), show(finding("who")), name="money"),
            run(news("left"), show(finding("missed", "bad")), name="people"),
        ]
    )
    assert [r.finding["id"] for r in rank(pages)] == [
        "who",
        "missed",
        "revenue",
        "left",
        "retention",
    ]


def test_scorecard_of_lists_findings_with_a_measure():
    (page,), _ = chapters_of(
        [run(show(finding("with", measure=measure())), show(finding("without")))]
    )
    assert [(r.title, r.status, r.measure["n"]) for r in scorecard_of([page])] == [
        ("Churn", "bad", 500)
    ]


def test_status_of_an_edition_follows_its_chapters():
    ok, missing, failed = (
        chapters_of([run(show(finding()), status=s, problem=["x"])])[0][0]
        for s in ("ok", "unavailable", "failed")
    )
    assert status_of([ok, missing]) == "ok"
    assert status_of([ok, failed]) == "chapter failed"
    assert status_of([failed, failed]) == "failed"


def test_split_headings_leaves_code_alone():
    text = "before\n# One\na\n```\n# no heading\n```\n## Two ##\n#hash\n"
    assert split_headings(text) == [
        (0, "", "before"),
        (1, "One", "a\n```\n# no heading\n```"),
        (2, "Two", "#hash"),
    ]
