"""Tables of the data quality chapter: checks, freshness, lineage."""

from typing import Final

import pandas as pd

from csa.present.columns import Column
from csa.present.items import Table
from csa.present.narrate.quality import QualityLike, by_severity
from csa.present.words import Words, known

ENGLISH: Final = Words()
SEVERITY: Final = {"error": "bad", "warning": "watch"}


def checks(report: QualityLike, *, words: Words = ENGLISH) -> Table:
    """Failing checks, errors first, with examples and the way out.

    Parameters
    ----------
    report : QualityLike
        From the quality gate.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        One row per failing check.
    """
    rows = pd.DataFrame(
        [
            {
                "severity": check.severity.capitalize(),
                "where": f"{check.table}.{column}" if (column := _column(check)) else check.table,
                "message": check.message,
                "failing": check.failing,
                "rows": check.rows if check.rows >= check.failing else None,
                "examples": ", ".join(map(str, getattr(check, "examples", ()))),
                "fix": check.fix,
            }
            for check in by_severity(report.checks)
        ],
        columns=["severity", "where", "message", "failing", "rows", "examples", "fix"],
    )
    passed = len(report.checks) - len(rows)
    return Table(
        id="failing-checks",
        title="Checks that fail",
        columns=(
            Column("severity", "Severity"),
            Column("where", "Where"),
            Column("message", "What is wrong"),
            Column("failing", "Rows", "integer"),
            Column("rows", "Of", "integer"),
            Column("examples", "Examples"),
            Column("fix", "Way out"),
        ),
        rows=rows,
        note=f"{words.number(passed)} further checks pass." if passed else "",
        empty="Every check passes.",
        words=words,
    )


def _column(check: object) -> str:
    return str(getattr(check, "column", "") or "")


def freshness(report: QualityLike, *, words: Words = ENGLISH) -> Table:
    """Rows and newest row of every table.

    Parameters
    ----------
    report : QualityLike
        From the quality gate; `tables` has `table`, `rows`, `newest`, `origin`.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        One row per table.
    """
    return Table(
        id="data-freshness",
        title="Tables and their newest rows",
        columns=(
            Column("table", "Table"),
            Column("rows", "Rows", "integer"),
            Column("newest", "Newest row", "date"),
            Column("origin", "Read from"),
        ),
        rows=report.tables,
        empty="No table is mapped.",
        words=words,
    )


def lineage(frame: pd.DataFrame, *, words: Words = ENGLISH) -> Table:
    """Where each table came from, to the fingerprint of what was read.

    Parameters
    ----------
    frame : DataFrame
        `table`, `origin`, `rows`, `newest`, `fingerprint`.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        One row per table; fingerprints are cut to what tells two apart.
    """
    short = [str(f)[:12] if known(f) else "" for f in frame["fingerprint"]]
    rows = frame.assign(fingerprint=short)
    return Table(
        id="lineage",
        title="Tables as they were read",
        columns=(
            Column("table", "Table"),
            Column("origin", "Read from"),
            Column("rows", "Rows", "integer"),
            Column("newest", "Newest row", "date"),
            Column("fingerprint", "Fingerprint"),
        ),
        rows=rows,
        empty="No table is mapped.",
        words=words,
    )
