"""What a run is going to do is settled, and refused, before anything runs."""

from datetime import date

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from csa.errors import ConfigError, InputError
from csa.report.plan import chapters_of, environment_names, period_of, report_faults, report_of
from csa.settings import from_mapping

TODAY = date(2026, 11, 22)


def report(**changes):
    return {"title": "Monthly", "chapters": ["mine"], "every": "month", **changes}


def settings(root, *, reports, **changes):
    raw = {
        "name": "Acme",
        "currency": "EUR",
        "timezone": "Europe/Berlin",
        "data": {"sources": {"files": {"path_env": "CSA_DATA"}, "db": {"url_env": "CSA_URL"}}},
        "reports": reports,
    }
    return from_mapping({**raw, **changes}, root=root)


def notebook(root, name="mine", source='as_of: str = "2026-10-31"  # day\nage: int = 90  # days'):
    folder = root / "notebooks"
    folder.mkdir(exist_ok=True)
    cell = new_code_cell(source, metadata={"tags": ["parameters"]})
    nbformat.write(new_notebook(cells=[cell]), folder / f"{name}.ipynb")


def test_chapters_of_prefers_the_workspaces_notebook_and_gives_what_it_takes(tmp_path):
    notebook(tmp_path)
    known = settings(
        tmp_path,
        reports={"monthly": report(chapters=["mine", "churn"], parameters={"mine": {"age": 30}})},
    )
    mine, churn = chapters_of(known, "monthly")
    period = period_of(known, known.reports["monthly"], None, last_day=TODAY, today=TODAY)
    assert mine.notebook == tmp_path / "notebooks" / "mine.ipynb"
    assert mine.parameters(period) == {"as_of": "2026-10-31", "age": 30}
    assert churn.parameters(period) == {
        "as_of": "2026-10-31",
        "start": "2026-10-01",
        "end": "2026-11-01",
        "segment": "all",
        "audience": "all",
    }


def test_report_faults_lists_all_faults_of_all_reports_once(tmp_path):
    notebook(tmp_path)
    notebook(tmp_path, "broken", "x = 1")
    known = settings(
        tmp_path,
        reports={
            "monthly": report(chapters=["mine", "chrn"], parameters={"mine": {"age": "old"}}),
            "weekly": report(chapters=["broken"], every="week"),
            "daily": report(chapters=["broken"], every="day"),
        },
    )
    faults = report_faults(known)
    at = "csa.yml: reports.monthly"
    assert faults[0] == f"{at}.parameters.mine.age: 'old' is not int (days)"
    chapter = f'{at}.chapters.1: no notebook for chapter "chrn"; did you mean "churn"?'
    assert faults[1].startswith(chapter)
    assert "churn, clv, data_quality" in faults[1]
    assert faults[2].startswith("broken.ipynb: parameters cell, line 1")
    assert len(faults) == 3


def test_report_of_says_which_reports_there_are(tmp_path):
    known = settings(tmp_path, reports={"monthly": report(), "weekly": report(every="week")})
    with pytest.raises(
        ConfigError, match=r'no report "montly"; did you mean "monthly"\?; there are'
    ):
        report_of(known, "montly")
    with pytest.raises(ConfigError, match="there is none"):
        report_of(settings(tmp_path, reports={}), "monthly")


@pytest.mark.parametrize(
    ("every", "last_day", "expected"),
    [
        ("month", date(2026, 10, 31), "2026-10"),
        ("month", date(2026, 10, 30), "2026-09"),
        ("month", date(2027, 5, 1), "2026-10"),  # a day from the future is not known
        ("week", date(2026, 11, 1), "2026-W44"),
        ("quarter", date(2026, 10, 31), "2026-Q3"),
        ("day", date(2026, 10, 31), "2026-10-31"),
        ("year", date(2026, 10, 31), "2025"),
    ],
)
def test_period_of_is_the_last_one_that_the_data_cover(tmp_path, every, last_day, expected):
    known = settings(tmp_path, reports={"r": report(every=every)})
    period = period_of(known, known.reports["r"], None, last_day=last_day, today=TODAY)
    assert period.name == expected


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("2026-Q3", 'period "2026-Q3" is a quarter, this report is made per month; .* 2026-10$'),
        ("2026-12", "ends on 2026-12-31, which has not come yet; .* 2026-10$"),
        ("2026-11", "ends on 2026-11-30, which has not come yet; .* 2026-10$"),
        ("October", 'period "October" is not a period'),
    ],
)
def test_period_of_refuses_what_cannot_be_reported(tmp_path, name, says):
    known = settings(tmp_path, reports={"r": report()})
    with pytest.raises(InputError, match=says):
        period_of(known, known.reports["r"], name, last_day=date(2026, 11, 10), today=TODAY)


def test_period_of_refuses_a_period_that_the_data_do_not_reach(tmp_path):
    known = settings(tmp_path, reports={"r": report()})
    with pytest.raises(InputError, match=r"the data end on 2026-09-15; .* 2026-08"):
        period_of(known, known.reports["r"], "2026-10", last_day=date(2026, 9, 15), today=TODAY)


def test_period_of_takes_a_period_before_the_data(tmp_path):
    known = settings(tmp_path, reports={"r": report()})
    period = period_of(known, known.reports["r"], "1999-01", last_day=TODAY, today=TODAY)
    assert period.name == "1999-01"


def test_period_of_counts_fiscal_quarters(tmp_path):
    known = settings(tmp_path, reports={"r": report(every="quarter")}, fiscal_year_start=4)
    period = period_of(known, known.reports["r"], None, last_day=TODAY, today=TODAY)
    assert (period.name, period.start) == ("FY2027-Q2", date(2026, 7, 1))


def test_environment_names_are_those_that_sources_read(tmp_path):
    assert environment_names(settings(tmp_path, reports={})) == ["CSA_DATA", "CSA_URL"]
