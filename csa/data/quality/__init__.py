"""The data quality gate: what is in the tables, and what is wrong with it.

A table costs one scan for its rows, one for its key, one per reference and one for what
contradicts other tables; examples are fetched only where a check fails. All of it runs in the
engine that holds the data. Rows at fault are counted and shown, never dropped.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from functools import cached_property
from typing import Any

import pandas as pd

from csa.data.quality.contradictions import contradictions
from csa.data.quality.key_checks import references, repeated
from csa.data.quality.own_checks import run_own
from csa.data.quality.rules import Check
from csa.data.quality.table_checks import Scanned, freshness, scan
from csa.data.quality.viewed import Viewed
from csa.data.sources import Tables
from csa.settings import Settings

__all__ = ["Check", "QualityReport", "check_tables", "default_cadence"]

# Days without a new row after which a table is stale, by cadence.
CADENCE_DAYS = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}


@dataclass(frozen=True, eq=False, kw_only=True)
class QualityReport:
    """What the gate found.

    `checks` are all that were run, passed ones included. `tables`: `table`, `rows`, `newest`
    (NaT where unknown), `origin`, `fingerprint`. `missing`: `table`, `column`, `missing` (rows),
    `share`, for every mapped column.
    """

    checks: tuple[Check, ...]
    tables: pd.DataFrame
    missing: pd.DataFrame

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per check: the fields of `Check`, and `passed`."""
        columns = [f.name for f in fields(Check)]
        frame = pd.DataFrame([asdict(c) for c in self.checks], columns=columns)
        told = [", ".join(c.examples) for c in self.checks]
        return frame.assign(examples=told, passed=frame["failing"] == 0)

    @cached_property
    def blocked(self) -> frozenset[str]:
        """Tables with a failing check of severity error: they give no numbers."""
        return frozenset(c.table for c in self.checks if c.failing and c.severity == "error")

    def to_json(self) -> str:
        """Write the report as JSON.

        Returns
        -------
        str
            For `from_json`.
        """
        tables = self.tables.to_dict("records")
        for row in tables:
            row["newest"] = row["newest"].date().isoformat() if pd.notna(row["newest"]) else None
        parts = {
            "checks": [asdict(c) for c in self.checks],
            "tables": tables,
            "missing": self.missing.to_dict("records"),
        }
        return json.dumps(parts, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "QualityReport":
        """Read a report from JSON.

        Parameters
        ----------
        text : str
            From `to_json`.

        Returns
        -------
        QualityReport
            The same.
        """
        parts = json.loads(text)
        checks = (Check(**{**c, "examples": tuple(c["examples"])}) for c in parts["checks"])
        return _report(tuple(checks), parts["tables"], parts["missing"])


def check_tables(
    tables: Tables, settings: Settings, *, as_of: date, cadence: str | None = None
) -> QualityReport:
    """Run every check on every table that is there.

    Parameters
    ----------
    tables : Tables
        The tables as known on `as_of`.
    settings : Settings
        Of the workspace, for its own checks.
    as_of : date
        Last day that is known.
    cadence : {"day", "week", "month", "quarter", "year"}, optional
        How fresh the data must be; default: as the most frequent report wants them.

    Returns
    -------
    QualityReport
        Without the tables of the ledger, which the kit writes itself.

    Raises
    ------
    InputError
        With all own checks whose SQL an engine refuses.
    """
    longest = CADENCE_DAYS[cadence or default_cadence(settings)]
    checks: list[Check] = []
    with Viewed(tables) as seen:
        scanned = [scan(seen, name, as_of=as_of) for name in seen.names]
        for one in scanned:
            checks += [*one.checks, *freshness(one, as_of=as_of, longest=longest)]
            checks += repeated(seen, one.table, one.rows)
            checks += references(seen, one.table, one.rows)
            checks += contradictions(seen, one.table, one.rows)
    checks += run_own(tables, settings.checks, {one.table: one.rows for one in scanned})
    facts = [_fact(tables, one) for one in scanned]
    return _report(tuple(checks), facts, [gap for one in scanned for gap in _gaps(one)])


def default_cadence(settings: Settings) -> str:
    """Return the cadence of the most frequent report.

    Parameters
    ----------
    settings : Settings
        Of the workspace.

    Returns
    -------
    str
        "month" without reports.
    """
    every = [report.every for report in settings.reports.values()]
    return min(every, key=lambda c: CADENCE_DAYS[c], default="month")


def _fact(tables: Tables, one: Scanned) -> dict[str, Any]:
    return {
        "table": one.table,
        "rows": one.rows,
        "newest": one.newest,
        "origin": tables.origin(one.table),
        "fingerprint": tables.fingerprint(one.table),
    }


def _gaps(one: Scanned) -> list[dict[str, Any]]:
    return [
        {"table": one.table, "column": c, "missing": n, "share": n / one.rows if one.rows else 0.0}
        for c, n in one.missing.items()
    ]


def _report(
    checks: tuple[Check, ...],
    tables: Sequence[Mapping[str, Any]],
    missing: Sequence[Mapping[str, Any]],
) -> QualityReport:
    frame = pd.DataFrame(tables, columns=["table", "rows", "newest", "origin", "fingerprint"])
    return QualityReport(
        checks=checks,
        tables=frame.assign(newest=pd.to_datetime(frame["newest"])),
        missing=pd.DataFrame(missing, columns=["table", "column", "missing", "share"]),
    )
