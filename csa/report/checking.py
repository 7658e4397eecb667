"""`csa check`: csa.yml, sources, chapters and the quality of the data, in that order."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from csa.data.quality import Check
from csa.data.sources import Tables
from csa.data.sources.ledger_rows import LEDGER
from csa.data.workspace import open_workspace
from csa.errors import InputError
from csa.report.ledger import Ledger
from csa.report.plan import report_faults
from csa.settings import FILE, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What `csa check` found."""

    tables: tuple[Mapping[Any, Any], ...]  # table, rows, newest, origin
    failing: tuple[Check, ...]
    left: tuple[str, ...]  # what csa.yml still leaves open
    summary: str

    @property
    def errors(self) -> int:
        """Number of failing checks of severity error."""
        return sum(check.severity == "error" for check in self.failing)


def check(settings: Settings) -> Found:
    """Check a workspace as its reports would.

    Parameters
    ----------
    settings : Settings
        The workspace.

    Returns
    -------
    Found
        Tables and failing checks as of the last day of the data.

    Raises
    ------
    InputError
        With all faults of sources, mappings, chapters and parameters at once.
    RunError
        If the ledger cannot be written.
    """
    with Tables(settings) as known:
        wrong = [*known.faults(), *report_faults(settings)]
        if wrong:
            raise InputError(*wrong)
        as_of = known.last_day()
        left = tuple(_left(settings, known))
    workspace = open_workspace(as_of=as_of.isoformat(), path=settings.root / FILE)
    report = workspace.quality()
    Ledger(settings.root / LEDGER, ZoneInfo(settings.timezone)).append_checks(report.checks)
    failing = tuple(check for check in report.checks if check.failing)
    errors = sum(check.severity == "error" for check in failing)
    return Found(
        tables=tuple(workspace.lineage().to_dict("records")),
        failing=failing,
        left=left,
        summary=(
            f"{len(report.checks)} checks as of {as_of}: {errors} errors,"
            f" {len(failing) - errors} warnings"
        ),
    )


def _left(settings: Settings, tables: Tables) -> Iterator[str]:
    """Say what no check can know: guesses nobody looked at, a window that nobody stated."""
    text = (settings.root / FILE).read_text(encoding="utf-8-sig")
    guesses = sum("# guess" in line for line in text.splitlines())
    if guesses:
        yield f"{FILE}: {guesses} lines are marked guess; correct them, or take the mark away"
    for name in ("accounts", "subscriptions"):
        if name in tables and tables.observed_from(name) is None:
            yield (
                f"{FILE}: data.tables.{name}: state observed_from, the day since when leaving"
                " accounts are in the data (or always); without it churn gives no lifetimes"
            )
