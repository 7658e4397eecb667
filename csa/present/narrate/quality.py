"""Findings about the data: what failed the quality gate, how far the newest rows reach."""

from collections.abc import Sequence
from datetime import date
from typing import Final, Protocol

import pandas as pd

from csa.present.items import Finding, Measure, Status
from csa.present.names import capital, joined, plural, shortened
from csa.present.words import Words, known

ENGLISH: Final = Words()
NAMED: Final = 4  # tables named in a sentence; more are counted


class CheckLike(Protocol):
    """One check that was run."""

    @property
    def table(self) -> str: ...  # noqa: D102
    @property
    def check(self) -> str: ...  # noqa: D102
    @property
    def severity(self) -> str: ...  # noqa: D102
    @property
    def failing(self) -> int: ...  # noqa: D102
    @property
    def rows(self) -> int: ...  # noqa: D102
    @property
    def message(self) -> str: ...  # noqa: D102
    @property
    def fix(self) -> str: ...  # noqa: D102


class QualityLike(Protocol):
    """What the quality gate found; `tables` has one row per table."""

    @property
    def checks(self) -> Sequence[CheckLike]: ...  # noqa: D102
    @property
    def blocked(self) -> frozenset[str]: ...  # noqa: D102
    @property
    def tables(self) -> pd.DataFrame: ...  # noqa: D102


def data_quality(report: QualityLike, *, words: Words = ENGLISH) -> Finding:
    """Say how many checks fail, which is the worst and what to do about it.

    Parameters
    ----------
    report : QualityLike
        From the quality gate.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Good: all pass; watch: warnings only; bad: errors; unclear: nothing was checked.
    """
    failing = by_severity(report.checks)
    errors = sum(check.severity == "error" for check in failing)
    status: Status = "bad" if errors else "watch" if failing else "good"
    if not report.checks:
        status = "unclear"
    return Finding(
        id="data-quality",
        kind="report",
        title="Failing data checks",
        text=_quality_text(report, failing, errors, words),
        evidence=_quality_evidence(failing, words),
        action=_quality_action(report, failing),
        status=status,
        measure=Measure(
            metric_id="data_checks_failing",
            value=float(len(failing)) if report.checks else None,
            low=None,
            high=None,
            n=len(report.checks),
            unit="count",
            confidence=1.0,
            method="count of failing checks",
            target=0.0,
            better="lower",
        ),
        weight=max((_share(check) for check in failing), default=0.0),
    )


def by_severity(checks: Sequence[CheckLike]) -> list[CheckLike]:
    """Order failing checks: errors first, then by the share of rows.

    Parameters
    ----------
    checks : sequence of CheckLike
        All that were run.

    Returns
    -------
    list of CheckLike
        Failing ones only.
    """
    failing = [check for check in checks if check.failing]
    return sorted(failing, key=lambda c: (c.severity != "error", -_share(c), -c.failing))


def _share(check: CheckLike) -> float:
    return min(1.0, check.failing / check.rows) if check.rows else 1.0


def _quality_text(
    report: QualityLike, failing: Sequence[CheckLike], errors: int, words: Words
) -> str:
    total = len(report.checks)
    if not total:
        return "Nothing could be checked: there is no table."
    tables = words.number(len({check.table for check in report.checks}))
    ran = f"{words.number(total)} {plural(total, 'check')}"
    if not failing:
        return f"All {ran} of {tables} {plural(int(tables), 'table')} pass."
    counts = [(errors, "error"), (len(failing) - errors, "warning")]
    kinds = joined([f"{words.number(n)} {plural(n, kind)}" for n, kind in counts if n])
    return (
        f"{words.number(len(failing))} of {ran} {plural(len(failing), 'fails', 'fail')}: "
        f"{kinds}, in {_named([check.table for check in failing])}."
    )


def _named(tables: Sequence[str]) -> str:
    """Name a few tables; more are counted."""
    names = list(dict.fromkeys(tables))
    if len(names) <= NAMED:
        return joined(names)
    return joined([*names[: NAMED - 1], f"{len(names) - NAMED + 1} more"])


def _quality_evidence(failing: Sequence[CheckLike], words: Words) -> str:
    if not failing:
        return "Schema, uniqueness, references, ranges, order of dates, freshness and own checks."
    worst = failing[0]
    # a check of one's own may count rows that the mapping leaves out
    of = f" of {words.number(worst.rows)}" if worst.rows >= worst.failing else ""
    rows = f"{words.number(worst.failing)}{of} {plural(worst.rows if of else worst.failing, 'row')}"
    return f"{worst.table}: {shortened(worst.message, 160).rstrip('.')} ({rows})."


def _quality_action(report: QualityLike, failing: Sequence[CheckLike]) -> str:
    if not report.checks:
        return "Map at least the table accounts in csa.yml; csa init proposes a mapping."
    if not failing:
        return "Nothing to do."
    first = _way_out(failing[0])
    if report.blocked:
        held = _named(sorted(report.blocked))
        return f"{first} Until then numbers from {held} are withheld."
    return first


def freshness(report: QualityLike, *, as_of: date, words: Words = ENGLISH) -> Finding:
    """Say whether the data reach the end of the period.

    Parameters
    ----------
    report : QualityLike
        From the quality gate; `tables` has `table` and `newest`.
    as_of : date
        Last day of the period.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Bad or watch where a check of freshness fails, by its severity.
    """
    newest = [pd.Timestamp(day).date() for day in report.tables["newest"] if known(day)]
    stale = [c for c in by_severity(report.checks) if c.check == "freshness"]
    title, ident = "Data freshness", "data-freshness"
    if not newest:
        return Finding(
            id=ident,
            kind="report",
            title=title,
            text="How far the data reach is not known: no table has a dated row.",
            evidence=f"{words.number(len(report.tables))} tables were read.",
            action="Map the dates of the tables in csa.yml.",
            status="unclear",
        )
    late = (as_of - max(newest)).days
    status: Status = "good"
    if stale:
        status = "bad" if any(check.severity == "error" for check in stale) else "watch"
    return Finding(
        id=ident,
        kind="report",
        title=title,
        text=_freshness_text(max(newest), late, stale, words),
        evidence=_freshness_evidence(stale, len(newest), words),
        action=_way_out(stale[0]) if stale else "Nothing to do.",
        status=status,
        weight=min(1.0, max(0, late) / 31),
    )


def _way_out(check: CheckLike) -> str:
    return capital(f"{shortened(check.fix, 160).rstrip('.')}.")


def _freshness_text(newest: date, late: int, stale: Sequence[CheckLike], words: Words) -> str:
    day = words.day(newest)
    if stale:
        tables = list(dict.fromkeys(check.table for check in stale))
        return f"Older than due: {_named(tables)}; the newest row of all is of {day}."
    if late <= 0:
        return f"The newest row is of {day}: the data reach the end of the period."
    return f"The newest row is of {day}, {late} {plural(late, 'day')} before the period ends."


def _freshness_evidence(stale: Sequence[CheckLike], tables: int, words: Words) -> str:
    if not stale:
        return (
            f"{words.number(tables)} dated {plural(tables, 'table')}, each as new as it should be."
        )
    worst = stale[0]
    return f"{worst.table}: {shortened(worst.message, 160).rstrip('.')}."
