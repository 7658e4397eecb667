"""The record of studies."""

import json

from benchmarks.studies import Study, keep_study


def study(name, *, holds=True):
    return Study(
        name=name,
        what="leaks found",
        size="200 worlds",
        result="96 %",
        goal="at least 95 %",
        holds=holds,
        seed=1,
        figures={"flag": 0.96},
    )


def test_keep_study_replaces_the_study_of_the_same_name(tmp_path):
    path = tmp_path / "studies.json"
    for one in (study("b"), study("a"), study("b", holds=False)):
        keep_study(one, path)
    rows = json.loads(path.read_text("utf-8"))
    assert [(row["name"], row["holds"]) for row in rows] == [("a", True), ("b", False)]
    assert rows[0]["figures"] == {"flag": 0.96}


def test_keep_study_prints_what_does_not_hold(tmp_path, capsys):
    keep_study(study("leak alarm", holds=False), tmp_path / "studies.json")
    assert capsys.readouterr().err == "leak alarm: 96 % (at least 95 %: NO)\n"
