"""Predictions of a chapter, kept so that they can be judged when their time has come.

A kernel of a run leaves them in a private folder; the run records them with the edition, in one
transaction, once. A notebook run by hand leaves nothing.
"""

import os
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from csa.analysis.risk.scores import RiskScores, as_predictions
from csa.data.schema import TABLES
from csa.data.workspace import Workspace
from csa.errors import RunError

FOLDER = "CSA_PREDICTIONS"  # environment variable: folder of a chapter, only in a run
TABLE = "predictions"
BATCH = 10_000  # rows in memory as Python objects
_SCHEMA = pa.schema(
    [
        ("model", pa.string()),
        ("account_id", pa.string()),
        ("made_on", pa.date32()),
        ("horizon_days", pa.int64()),
        ("value", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("flagged", pa.bool_()),
    ]
)


def keep_predictions(scores: RiskScores, *, model: str, flagged: Collection[str] = ()) -> int:
    """Leave predictions to the run, which records them once the edition is in its place.

    Parameters
    ----------
    scores : RiskScores
        From `csa.analysis.risk.score`. Nothing is kept of a model that is "unclear", nor of
        accounts without a risk.
    model : str
        Name of the model, as the ledger and readers should call it.
    flagged : collection of str
        Accounts on the list to act on.

    Returns
    -------
    int
        How many were left.

    Notes
    -----
    Does nothing where a notebook is run by hand: only what a reader was told is judged later.
    """
    folder = os.environ.get(FOLDER)
    if not folder or scores.status != "ok":
        return 0
    rows = as_predictions(scores, model=model)
    rows = rows.assign(
        account_id=rows["account_id"].astype(str),
        made_on=pd.to_datetime(rows["made_on"]).dt.date,
        flagged=rows["account_id"].isin(list(flagged)),
    )
    target = Path(folder) / f"{len(list(Path(folder).glob('*.parquet')))}.parquet"
    part = target.with_suffix(".part")  # a kernel that dies leaves no half a file
    pq.write_table(pa.Table.from_pandas(rows, schema=_SCHEMA, preserve_index=False), part)
    part.rename(target)
    return len(rows)


def left_by(folder: Path) -> tuple[pa.Table, ...]:
    """Read what a chapter left.

    Parameters
    ----------
    folder : Path
        Folder of the chapter; need not exist.

    Returns
    -------
    tuple of Table
        One per call of `keep_predictions`.

    Raises
    ------
    RunError
        If a file is none of ours.
    """
    found = []
    for path in sorted(folder.glob("*.parquet")):
        try:
            found.append(pq.read_table(path).cast(_SCHEMA))
        except (pa.ArrowException, ValueError, OSError) as error:
            reason = str(error).splitlines()[0]
            raise RunError(
                f"predictions of {folder.name}: {reason}; use csa.report.predictions"
            ) from error
    return tuple(found)


def ledger_rows(tables: Collection[pa.Table]) -> Iterator[Mapping[str, Any]]:
    """Make rows for the ledger, few at a time.

    Parameters
    ----------
    tables : collection of Table
        From `left_by`.

    Yields
    ------
    mapping
        Values by column of the ledger table `predictions`.
    """
    for table in tables:
        for batch in table.to_batches(max_chunksize=BATCH):
            yield from batch.to_pylist()


def earlier_predictions(workspace: Workspace, *, model: str, before: date) -> ir.Table:
    """Return what a model predicted on earlier days, as editions told it.

    Parameters
    ----------
    workspace : Workspace
        Open as of the last day known.
    model : str
        As given to `keep_predictions`.
    before : date
        Only predictions made before this day.

    Returns
    -------
    ir.Table
        The ledger table `predictions`, without rows where there are none.
    """
    names = {column.name: column.ibis_type for column in TABLES[TABLE].columns}
    if TABLE not in workspace.tables:
        return ibis.memtable(pd.DataFrame(columns=list(names)), schema=ibis.schema(names))
    rows = workspace.tables.table(TABLE)
    told = rows.filter(rows["model"] == model, rows["made_on"] < before)
    return ibis.memtable(told.to_pyarrow())  # roll-ups, which it is joined to, are elsewhere
