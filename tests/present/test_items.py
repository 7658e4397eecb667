"""What a chapter displays, and the machine-readable part of it."""

import csv
import io
import json

import numpy as np
import pandas as pd
import pytest

from csa.present.columns import Column
from csa.present.items import CHART, FINDING, TABLE, Chart, Finding, Measure, Table
from csa.present.plain import csv_text
from csa.present.words import Words

NAME = '<script>alert(1)</script> & "co"'
SVG = "<svg viewBox='0 0 1 1'/>"


def make_measure(**changes):
    fields = {
        "metric_id": "logo_churn_rate",
        "value": 0.021,
        "low": float("nan"),
        "high": 0.03,
        "n": 1952,
        "unit": "share",
        "confidence": 0.95,
        "method": "Wilson",
        "target": 0.02,
    }
    return Measure(**fields | changes)


def make_finding(**changes):
    fields = {
        "id": "logo-churn",
        "title": "Logo churn rate",
        "text": f"2.1% left, most of {NAME}.",
        "evidence": "95% interval 1.5% to 2.8%.",
        "action": "Call them.",
        "status": "bad",
        "measure": make_measure(),
    }
    return Finding(**fields | changes)


def make_chart(**changes):
    data = pd.DataFrame({"group": [NAME, "=1+1"], "rate": [0.25, np.nan]})
    fields = {"id": "rates", "title": "Rates", "alt": "Two rates", "svg": SVG, "svg_narrow": SVG}
    return Chart(**fields | {"data": data} | changes)


def make_table(**changes):
    rows = pd.DataFrame(
        {
            "name": [NAME, None],
            "n": [1234, 0],
            "rate": [0.021, np.nan],
            "interval": [(0.015, 0.028), (np.nan, np.nan)],
            "status": ["bad", "unclear"],
            "day": [pd.Timestamp("2026-10-31"), pd.NaT],
        }
    )
    columns = (
        Column("name", "Name"),
        Column("n", "Accounts", "integer"),
        Column("rate", "Rate", "share"),
        Column("interval", "Interval", "interval", "share"),
        Column("status", "Status", "status"),
        Column("day", "Day", "date"),
    )
    return Table(**{"id": "names", "title": "Names", "columns": columns, "rows": rows} | changes)


ITEMS = {FINDING: make_finding, CHART: make_chart, TABLE: make_table}


@pytest.mark.parametrize("mime", ITEMS)
def test_every_item_has_a_part_of_plain_json(mime):
    part = ITEMS[mime]()._repr_mimebundle_()[mime]
    assert json.loads(json.dumps(part, allow_nan=False)) == part
    assert part["schema"] == 1


@pytest.mark.parametrize("mime", ITEMS)
def test_every_item_has_words_for_a_terminal(mime):
    text = ITEMS[mime]()._repr_mimebundle_()["text/plain"]
    assert ITEMS[mime]().title in text


@pytest.mark.parametrize("make", [make_finding, make_table])
def test_html_escapes_names(make):
    html = make()._repr_mimebundle_()["text/html"]
    assert "<script>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_finding_reads_well_as_text():
    lines = make_finding(text="2.1% left.")._repr_mimebundle_()["text/plain"].splitlines()
    assert lines == [
        "[BAD] Logo churn rate: 2.1% left.",
        "  Is it real?: 95% interval 1.5% to 2.8%.",
        "  What to do: Call them.",
    ]


def test_unknown_numbers_of_a_measure_are_null():
    part = make_finding().part()
    assert part["measure"]["low"] is None
    assert part["measure"]["high"] == 0.03


def test_only_a_missing_target_is_said_instead_of_unclear():
    lacking = make_finding(status="unclear", measure=make_measure(target=None))
    assert (lacking.word, lacking.part()["word"]) == ("No target", "No target")
    assert make_finding(status="unclear").word == "Unclear"
    nothing = make_measure(value=None, low=None, high=None, target=None, n=0)
    assert make_finding(status="unclear", measure=nothing).word == "Unclear"


def test_mimebundle_honours_include_and_exclude():
    finding = make_finding()
    assert set(finding._repr_mimebundle_(include={"text/plain"})) == {"text/plain"}
    assert set(finding._repr_mimebundle_(exclude={"text/html"})) == {"text/plain", FINDING}


def test_chart_keeps_the_wide_drawing_beside_its_part():
    bundle = make_chart()._repr_mimebundle_()
    assert bundle["image/svg+xml"] == SVG
    assert bundle[CHART]["svg_narrow"] == SVG
    assert bundle[CHART]["alt"] == "Two rates"


@pytest.mark.parametrize("field", ["alt", "title", "svg", "svg_narrow"])
@pytest.mark.parametrize("value", ["", "  "])
def test_chart_without_words_or_drawing_is_refused(field, value):
    with pytest.raises(ValueError, match=f"chart rates: {field} is required"):
        make_chart(**{field: value})


def test_alt_is_a_required_argument():
    with pytest.raises(TypeError, match="alt"):
        Chart(id="x", title="x", svg=SVG, svg_narrow=SVG, data=pd.DataFrame())


@pytest.mark.parametrize("name", ["", "A", "a_b", "../x", "a--b", "a.b"])
def test_ids_that_are_no_file_name_are_refused(name):
    with pytest.raises(ValueError, match="lower case letters"):
        make_chart(id=name)


def test_unknown_status_is_refused():
    with pytest.raises(ValueError, match="status 'great'"):
        make_finding(status="great")


def test_table_cells_are_formatted_and_rows_are_raw():
    part = make_table().part()
    assert part["cells"][0][1:] == ["1,234", "2.1%", "1.5% to 2.8%", "Bad", "Oct 31, 2026"]
    assert part["cells"][1] == ["–", "0", "–", "–", "Unclear", "–"]
    assert part["rows"][0]["rate"] == 0.021
    assert part["rows"][0]["interval"] == [0.015, 0.028]
    assert part["rows"][1]["rate"] is None
    assert part["rows"][0]["day"].startswith("2026-10-31")


def test_table_knows_which_columns_are_numbers_and_which_texts_are_short():
    columns = {c["key"]: c for c in make_table().part()["columns"]}
    assert [key for key, c in columns.items() if c["numeric"]] == ["n", "rate", "interval"]
    assert columns["name"]["breaks"] == "anywhere"
    assert columns["status"]["breaks"] == "never"


def test_table_formats_in_the_locale():
    german = make_table(words=Words("de", "EUR")).part()["cells"][0]
    assert german[1:4] == ["1.234", "2,1\xa0%", "1,5\xa0% to 2,8\xa0%"]


def test_table_counts_rows_past_its_limit():
    part = make_table(limit=1).part()
    assert (len(part["cells"]), len(part["rows"]), part["more"]) == (1, 1, 1)


def test_table_without_rows_says_so():
    table = make_table(rows=make_table().rows.head(0), empty="Nobody left.")
    assert table.part()["cells"] == []
    assert table._repr_mimebundle_()["text/plain"].endswith("Nobody left.")


def test_table_with_a_missing_column_is_refused():
    with pytest.raises(ValueError, match="names: rows have no column rate"):
        make_table(rows=make_table().rows.drop(columns="rate"))


def test_table_does_not_change_its_rows():
    rows = make_table().rows
    before = rows.copy(deep=True)
    make_table(rows=rows).part()
    pd.testing.assert_frame_equal(rows, before)


def test_csv_has_full_numbers_and_no_formula():
    text = csv_text(pd.DataFrame({"name": ["=HYPERLINK(1)", "a,b"], "x": [1 / 3, np.nan]}))
    assert list(csv.reader(io.StringIO(text))) == [
        ["name", "x"],
        ["'=HYPERLINK(1)", "0.3333333333"],
        ["a,b", ""],
    ]


def test_csv_keeps_negative_numbers():
    assert csv_text(pd.DataFrame({"x": [-1.5]})) == "x\n-1.5\n"
