"""A notebook's parameters cell is its interface, read without running anything."""

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from csa.errors import ConfigError
from csa.report.interface import Parameter, parameter_faults, parameters_of

CELL = """\
as_of: str = "2026-10-31"  # last day included
after_days: int = 90  # age, days
share: float = 0.5  # between 0 and 1
ages: list[int] = [30, 90]  # ages, days
limit: float | None = None  # no limit
loud: bool = False  # say more
"""


def notebook(source=CELL, cells=1):
    return new_notebook(
        cells=[new_code_cell(source, metadata={"tags": ["parameters"]}) for _ in range(cells)]
    )


def test_parameters_of_reads_name_type_default_and_help():
    read = parameters_of(notebook(), name="churn.ipynb")
    assert list(read) == ["as_of", "after_days", "share", "ages", "limit", "loud"]
    assert read["after_days"] == Parameter(
        name="after_days", type="int", default=90, help="age, days"
    )
    assert read["ages"].default == [30, 90]


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("as_of = '2026-10-31'", "line 1: write an annotated literal"),
        ("import os", "line 1: write an annotated literal"),
        ("a: int = 1\nb: int = len('x')", "line 2: write an annotated literal"),
        ("a: int = (", "line 1"),
    ],
)
def test_parameters_of_refuses_what_is_no_annotated_literal(source, says):
    with pytest.raises(ConfigError, match=f"churn.ipynb: parameters cell, {says}"):
        parameters_of(notebook(source), name="churn.ipynb")


@pytest.mark.parametrize("cells", [0, 2])
def test_parameters_of_wants_exactly_one_cell(cells):
    with pytest.raises(ConfigError, match=f"{cells} cells are tagged parameters"):
        parameters_of(notebook(cells=cells), name="churn.ipynb")


@pytest.mark.parametrize(
    ("kind", "value", "accepted"),
    [
        ("str", "x", True),
        ("str", 1, False),
        ("int", 1, True),
        ("int", True, False),
        ("int", 1.0, False),
        ("float", 1, True),
        ("float", False, False),
        ("bool", True, True),
        ("bool", 1, False),
        ("list[str]", ["x"], True),
        ("list[str]", [1], False),
        ("list", [1], True),
        ("float | None", None, True),
        ("float | None", "x", False),
        ("dict", {}, False),
    ],
)
def test_parameter_accepts_values_of_its_type_only(kind, value, accepted):
    assert Parameter(name="p", type=kind, default=None, help="").accepts(value) is accepted


def test_parameter_faults_names_every_fault_with_a_way_out():
    faults = parameter_faults(
        parameters_of(notebook(), name="churn.ipynb"),
        {"after_day": 3, "share": "half", "as_of": "2026-01-01", "zzz": 1},
        at="csa.yml: reports.monthly.parameters.churn",
        notebook="churn.ipynb",
    )
    at = "csa.yml: reports.monthly.parameters.churn"
    assert faults == [
        f'{at}.after_day: churn.ipynb has no such parameter; did you mean "after_days"?',
        f"{at}.share: 'half' is not float (between 0 and 1)",
        f"{at}.as_of: is set by the run; take it out",
        f"{at}.zzz: churn.ipynb has no such parameter; it takes after_days, share, ages, limit,"
        " loud",
    ]


def test_parameter_faults_wants_a_notebook_that_knows_its_day():
    known = parameters_of(notebook("x: int = 1  # a number"), name="mine.ipynb")
    faults = parameter_faults(known, {}, at="csa.yml: x", notebook="mine.ipynb")
    assert faults == ['mine.ipynb: parameters cell lacks `as_of: str = "2026-10-31"`']
