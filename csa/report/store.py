"""Where editions stand: written aside, put in place in one step, never half visible.

`reports/<report>/<period>/` is an edition; `<period>.failed` is the last attempt of which nothing
could be made. Work in progress stands in `reports/.work/`, on the same file system, guarded by
one lock per edition.
"""

import ctypes
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from csa.errors import RunError

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@dataclass(frozen=True, slots=True)
class Place:
    """The folders of one edition below `reports`."""

    reports: Path
    report: str
    period: str

    @property
    def edition(self) -> Path:
        """Where readers find it."""
        return self.reports / self.report / self.period

    @property
    def failed(self) -> Path:
        """Where an attempt is kept of which no chapter could be made."""
        return self.reports / self.report / f"{self.period}.failed"

    @property
    def aside(self) -> Path:
        """Where it is written."""
        return self._work / f"{self.period}.new"

    @property
    def old(self) -> Path:
        """Where the previous one waits until the new one is in place."""
        return self._work / f"{self.period}.old"

    @property
    def lock(self) -> Path:
        """File that a run holds while it makes the edition."""
        return self._work / f"{self.period}.lock"

    @property
    def _work(self) -> Path:
        return self.reports / ".work" / self.report


@contextmanager
def making(place: Place) -> Iterator[Path]:
    """Hold the edition's lock and give an empty folder to write into.

    Parameters
    ----------
    place : Place
        The edition.

    Yields
    ------
    Path
        `place.aside`; gone at the end if it was not put in place.

    Raises
    ------
    RunError
        If another run is making the same edition.
    """
    place.lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(place.lock, timeout=0):
            _recover(place)
            place.aside.mkdir()
            try:
                yield place.aside
            finally:
                shutil.rmtree(place.aside, ignore_errors=True)
    except Timeout as error:
        raise RunError(
            f"{place.report}/{place.period}: another run is making this edition; wait for its end"
        ) from error


def _recover(place: Place) -> None:
    """Clear what a killed run left; bring an edition back that was moved and not replaced."""
    if place.old.exists() and not place.edition.exists():
        place.edition.parent.mkdir(parents=True, exist_ok=True)
        place.old.rename(place.edition)
    for left in (place.old, place.aside):
        if left.exists():
            shutil.rmtree(left)


def put(place: Place, *, at: Path) -> None:
    """Put the written folder in place of the previous one, which stays until then.

    Parameters
    ----------
    place : Place
        The edition, inside of `making`.
    at : Path
        `place.edition` or `place.failed`.
    """
    _sync(place.aside)
    at.parent.mkdir(parents=True, exist_ok=True)
    if not at.exists():
        place.aside.rename(at)
    elif _exchange(place.aside, at):
        shutil.rmtree(place.aside)
    else:
        at.rename(place.old)
        place.aside.rename(at)
        shutil.rmtree(place.old)
    _sync_folder(at.parent)
    if at == place.edition and place.failed.exists():
        shutil.rmtree(place.failed)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step where the system can (Linux)."""
    if sys.platform != "linux":
        return False
    library = ctypes.CDLL(None, use_errno=True)
    rename = getattr(library, "renameat2", None)
    if rename is None:
        return False
    first, second = os.fsencode(one), os.fsencode(other)
    return bool(rename(_AT_FDCWD, first, _AT_FDCWD, second, _RENAME_EXCHANGE) == 0)


def _sync(folder: Path) -> None:
    """Bring every file and folder to the disk, so that a power cut leaves all or nothing."""
    for parent, _, names in os.walk(folder):
        for name in names:
            with (Path(parent) / name).open("rb") as file:
                os.fsync(file.fileno())
        _sync_folder(Path(parent))


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
