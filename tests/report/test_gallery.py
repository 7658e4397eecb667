"""The index lists what stands in the folder, escaped, newest first, all in one file."""

import json
import re

import pytest

from csa.report import gallery


def edition(reports, folder, **changes):
    record = {
        "title": "Monthly <b>report</b>",
        "period": {"label": "October 2026", "end": "2026-11-01"},
        "revision": 2,
        "made_at": "2026-11-01T07:00:12+01:00",
        "timezone": "Europe/Berlin",
        "data_until": "2026-10-31",
        "status": "ok",
        "findings": [
            {"status": "bad", "word": "Bad", "text": "<script>alert(1)</script> left"},
            {"status": "good", "word": "Good", "text": "second"},
        ],
        "files": ["report.html", "data/x.csv"],
    }
    place = reports / folder
    place.mkdir(parents=True)
    (place / "run.json").write_text(json.dumps({**record, **changes}))


def test_write_lists_editions_newest_first(tmp_path):
    edition(tmp_path, "monthly/2026-09", period={"label": "September 2026", "end": "2026-10-01"})
    edition(tmp_path, "monthly/2026-10")
    edition(tmp_path, "daily/2026-10-31.failed", status="failed", findings=[], files=[])
    page = gallery.write(tmp_path, workspace="Acme & Co").read_text("utf-8")
    assert re.findall(r'href="(.*?)"', page) == [
        "daily/2026-10-31.failed/run.json",
        "monthly/2026-10/report.html",
        "monthly/2026-10/run.json",
        "monthly/2026-09/report.html",
        "monthly/2026-09/run.json",
    ]
    assert "Acme &amp; Co" in page
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "second" not in page
    assert "not made" in page
    assert "http" not in page
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["index.html"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"period": 3}'])
def test_write_goes_on_without_what_it_cannot_read(tmp_path, text):
    edition(tmp_path, "monthly/2026-10")
    (tmp_path / "monthly" / "odd").mkdir()
    (tmp_path / "monthly" / "odd" / "run.json").write_text(text)
    edition(tmp_path, ".work/monthly")
    page = gallery.write(tmp_path, workspace="Acme").read_text("utf-8")
    assert page.count("<li>") == 1


def test_write_says_that_there_is_no_edition_yet(tmp_path):
    assert "No edition yet" in gallery.write(tmp_path, workspace="Acme").read_text("utf-8")
