"""An edition is put in place in one step; a run that dies leaves the previous one."""

import threading

import pytest

from csa.errors import RunError
from csa.report import store
from csa.report.store import Place, making, put


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path / "reports", "monthly", "2026-10")


def write(place, text):
    with making(place) as folder:
        (folder / "report.html").write_text(text)
        (folder / "data").mkdir()
        put(place, at=place.edition)


def leftovers(place):
    return sorted(p.name for p in place.lock.parent.iterdir() if p.suffix != ".lock")


@pytest.mark.parametrize("exchange", [True, False])
def test_put_replaces_the_previous_edition(place, monkeypatch, exchange):
    if not exchange:
        monkeypatch.setattr(store, "_exchange", lambda _one, _other: False)
    write(place, "first")
    (place.edition / "only-in-first").touch()
    write(place, "second")
    assert (place.edition / "report.html").read_text() == "second"
    assert sorted(p.name for p in place.edition.iterdir()) == ["data", "report.html"]
    assert leftovers(place) == []


def test_making_leaves_the_previous_edition_when_the_run_fails(place):
    write(place, "first")

    def die(folder):
        (folder / "report.html").write_text("half")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), making(place) as folder:
        die(folder)
    assert (place.edition / "report.html").read_text() == "first"
    assert leftovers(place) == []


def test_making_brings_back_an_edition_that_was_moved_and_not_replaced(place):
    write(place, "first")
    place.edition.rename(place.old)
    place.aside.mkdir()
    with making(place) as folder:
        assert list(folder.iterdir()) == []
        assert (place.edition / "report.html").read_text() == "first"


def test_making_refuses_a_second_run_of_the_same_edition(place):
    inside, done = threading.Event(), threading.Event()

    def hold():
        with making(place):
            inside.set()
            done.wait(30)

    other = threading.Thread(target=hold)
    other.start()
    inside.wait(30)
    with pytest.raises(RunError, match=r"monthly/2026-10: another run"), making(place):
        pass
    with making(Place(place.reports, "monthly", "2026-09")):
        pass
    done.set()
    other.join()


def test_put_clears_a_failed_attempt_once_there_is_an_edition(place):
    with making(place) as folder:
        (folder / "run.json").touch()
        put(place, at=place.failed)
    assert place.failed.exists()
    assert not place.edition.exists()
    write(place, "made")
    assert not place.failed.exists()
