"""Predictions are kept once, with the edition that told them, and come back as a table."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from csa import settings as csa_settings
from csa.data.workspace import open_workspace
from csa.errors import RunError
from csa.report import predictions
from csa.report.ledger import Ledger
from csa.report.predictions import (
    FOLDER,
    earlier_predictions,
    keep_predictions,
    ledger_rows,
    left_by,
)
from csa.report.run import run_report

BERLIN = ZoneInfo("Europe/Berlin")
DAY = date(2026, 7, 31)


@dataclass
class Scores:
    """What a chapter knows of its accounts."""

    table: pd.DataFrame
    horizon_days: int = 90
    status: str = "ok"


def scores(accounts=("a", "b"), day=DAY, risk=(0.25, 0.5), **changes):
    table = pd.DataFrame(
        {
            "account_id": list(accounts),
            "cutoff_on": pd.Timestamp(day),
            "risk": list(risk),
            "ci_low": np.array(risk) / 2,
            "ci_high": np.nan,
        }
    )
    return Scores(table, **changes)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    found = tmp_path / "risk"
    found.mkdir()
    monkeypatch.setenv(FOLDER, str(found))
    return found


def test_predictions_become_rows_of_the_ledger(folder):
    keep_predictions(scores(), model="churn hazard", flagged=["b"])
    first, second = ledger_rows(left_by(folder))
    assert first == {
        "model": "churn hazard",
        "account_id": "a",
        "made_on": DAY,
        "horizon_days": 90,
        "value": 0.25,
        "low": 0.125,
        "high": None,
        "flagged": False,
    }
    assert (second["account_id"], second["flagged"]) == ("b", True)
    assert [p.name for p in folder.iterdir()] == ["0.parquet"]


def test_every_call_is_kept(folder):
    keep_predictions(scores(), model="one")
    keep_predictions(scores(), model="two")
    assert [t["model"][0].as_py() for t in left_by(folder)] == ["one", "two"]


def test_nothing_is_kept_by_hand_or_of_what_is_not_known(folder, monkeypatch):
    assert keep_predictions(scores(status="unclear"), model="churn") == 0
    assert left_by(folder) == ()
    assert keep_predictions(scores(risk=(0.25, np.nan)), model="churn") == 1
    assert [row["account_id"] for row in ledger_rows(left_by(folder))] == ["a"]
    monkeypatch.delenv(FOLDER)
    assert keep_predictions(scores(), model="churn") == 0
    assert len(left_by(folder)) == 1


def test_nothing_was_left_where_there_is_no_folder(tmp_path):
    assert left_by(tmp_path / "churn") == ()


def test_a_file_of_another_kind_is_one_clear_error(folder):
    pd.DataFrame({"x": [1]}).to_parquet(folder / "0.parquet")
    with pytest.raises(RunError, match=r"predictions of risk: .*use csa\.report\.predictions"):
        left_by(folder)


def test_the_first_prediction_stands(tmp_path, folder):
    ledger = Ledger(tmp_path / "reports" / "ledger.sqlite", BERLIN)
    for risk in ((0.25, 0.5), (0.9, 0.9)):
        keep_predictions(scores(risk=risk), model="churn")
        keep_predictions(scores(("b", "c"), risk=risk), model="churn")
        rows = ledger_rows(left_by(folder))
        ledger.append_together({"predictions": rows}, once=["predictions"])
    told = {row["account_id"]: row["value"] for row in ledger.read("predictions")}
    assert told == {"a": 0.25, "b": 0.5, "c": 0.5}


def test_rows_of_several_tables_are_added_together_or_not_at_all(tmp_path):
    ledger = Ledger(tmp_path / "reports" / "ledger.sqlite", BERLIN)
    started = datetime(2026, 11, 1, 6, 0, tzinfo=UTC)
    run = {"edition": "m/1", "revision": 1, "started_at": started, "status": "ok"}
    with pytest.raises(ValueError, match="missing"):
        ledger.append_together({"report_runs": [run], "predictions": [{"model": "x"}]})
    assert ledger.read("report_runs") == []


def test_due_counts_predictions_whose_horizon_is_over(tmp_path, folder):
    ledger = Ledger(tmp_path / "reports" / "ledger.sqlite", BERLIN)
    assert ledger.due(DAY) == 0
    assert not ledger.path.exists()
    keep_predictions(scores(), model="churn")
    ledger.append_together({"predictions": ledger_rows(left_by(folder))})
    assert ledger.due(date(2026, 10, 28)) == 0
    assert ledger.due(date(2026, 10, 29)) == 2
    ledger.append_together({"alerts": []})
    other = Ledger(tmp_path / "other.sqlite", BERLIN)
    other.append_together({"alerts": []})
    assert other.due(DAY) == 0


@pytest.mark.slow
def test_many_predictions_are_kept_and_read_in_parts(tmp_path, folder, monkeypatch):
    monkeypatch.setattr(predictions, "BATCH", 7)
    many = [f"a{n}" for n in range(25_000)]
    keep_predictions(scores(many, risk=[0.5] * len(many)), model="churn")
    ledger = Ledger(tmp_path / "reports" / "ledger.sqlite", BERLIN)
    ledger.append_together({"predictions": ledger_rows(left_by(folder))}, once=["predictions"])
    write_workspace(tmp_path)
    found = earlier_predictions(opened(tmp_path), model="churn", before=date(2026, 10, 31))
    assert found.account_id.nunique().to_pyarrow().as_py() == len(many)


# with the run ----------------------------------------------------------------------------

SETTINGS = """\
version: 1
name: Acme
currency: EUR
timezone: Europe/Berlin
data:
  sources:
    files: {path: data}
  tables:
    accounts: {observed_from: always}
    subscriptions: {observed_from: always}
reports:
  monthly: {title: Monthly, chapters: [CHAPTERS], every: month, formats: [html]}
"""
CHAPTER = """\
import pandas as pd
from types import SimpleNamespace
from csa.present.items import Finding
from csa.report.predictions import keep_predictions
table = pd.DataFrame({"account_id": ["a", "b"], "cutoff_on": pd.Timestamp(as_of), "risk": RISK,
                      "ci_low": 0.1, "ci_high": 0.9})
scores = SimpleNamespace(table=table, horizon_days=30, status="ok")
keep_predictions(scores, model="churn", flagged=["b"])
Finding(id="left", title="Left", text="Some", evidence="", action="", status="bad")
"""


def write_workspace(root, chapters="risk"):
    (root / "data").mkdir(exist_ok=True)
    (root / "csa.yml").write_text(SETTINGS.replace("CHAPTERS", chapters))
    (root / "data" / "accounts.csv").write_text("account_id,signed_up_on\na,2026-01-05\n")
    (root / "data" / "subscriptions.csv").write_text(
        "subscription_id,account_id,start_on,end_on,mrr\n"
        "s1,a,2026-01-05,2026-10-11,10\n"
        "s2,b,2026-10-31,,5\n"
    )


def write_chapter(root, name, risk, *more):
    lines = ['as_of: str = "2000-01-31"  # last day', CHAPTER.replace("RISK", str(risk)), *more]
    code = {"cell_type": "code", "execution_count": None, "outputs": []}
    tags = ["parameters"], *([] for _ in lines[1:])
    cells = [
        {**code, "source": source, "metadata": {"tags": tag}, "id": f"c{n}"}
        for n, (source, tag) in enumerate(zip(lines, tags, strict=True))
    ]
    spec = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = {"cells": cells, "metadata": spec, "nbformat": 4, "nbformat_minor": 5}
    (root / "notebooks").mkdir(exist_ok=True)
    (root / "notebooks" / f"{name}.ipynb").write_text(json.dumps(notebook))


def opened(root, day="2026-10-31"):
    return open_workspace(as_of=day, path=root)


def told(root, model="churn", before=date(2027, 1, 1)):
    found = earlier_predictions(opened(root), model=model, before=before)
    rows = found.order_by("made_on", "account_id").to_pyarrow().to_pylist()
    return [(row["account_id"], str(row["made_on"]), row["value"]) for row in rows]


@pytest.fixture
def root(tmp_path):
    write_workspace(tmp_path)
    write_chapter(tmp_path, "risk", [0.25, 0.5])
    return tmp_path


def make(root, **kwargs):
    return run_report(csa_settings.load(root / "csa.yml"), "monthly", **kwargs)


@pytest.mark.slow
def test_run_report_keeps_predictions_once(root):
    before = opened(root)
    assert earlier_predictions(before, model="churn", before=DAY).count().to_pyarrow().as_py() == 0
    first = make(root)
    assert [p.name for p in first.folder.rglob("*.parquet")] == []
    write_chapter(root, "risk", [0.75, 1.0])
    assert make(root).edition.revision == 2
    expected = [("a", "2026-10-31", 0.25), ("b", "2026-10-31", 0.5)]
    assert told(root) == expected
    assert told(root, before=date(2026, 10, 31)) == told(root, model="other") == []
    make(root, period="2026-09")
    assert told(root)[:2] == [("a", "2026-09-30", 0.75), ("b", "2026-09-30", 1.0)]
    assert told(root)[2:] == expected
    assert make(root).edition.revision == 3  # what was foretold in September can be judged now


@pytest.mark.slow
def test_run_report_keeps_no_prediction_of_a_chapter_that_failed(root):
    write_workspace(root, "risk, other")
    write_chapter(root, "other", [0.9, 0.9], 'keep_predictions(scores, model="other")', "1 / 0")
    assert make(root).edition.status == "chapter failed"
    assert told(root, model="other") == []
    assert len(told(root)) == 2


@pytest.mark.slow
def test_run_report_keeps_no_prediction_of_an_edition_that_was_not_made(root, monkeypatch):
    def fail(*_, **__):
        raise RunError("disk full")

    monkeypatch.setattr("csa.report.store.put", fail)
    with pytest.raises(RunError, match="disk full"):
        make(root)
    assert told(root) == []
