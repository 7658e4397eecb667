"""Snapshots of a workspace as Parquet files that are made once."""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import ibis
import ibis.expr.types as ir

from csa.data import cache
from csa.data.engine import engine_errors, first_line
from csa.data.features import FEATURES, Feature, Usable, choose
from csa.data.features.rules import BASE, SPELLS
from csa.data.rollups import RollupContext
from csa.data.snapshots import CONTRACTS, snapshots, usable_features
from csa.data.sources import Tables
from csa.data.sources.absent import missing
from csa.data.sources.fingerprint import digest
from csa.errors import InputError, NotAvailable

_SPELLS_OF = ("accounts", CONTRACTS)  # tables that spells with their groups are made from


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """Tables from which features are made: those that may be used, and why others may not."""

    source: Tables
    tables: dict[str, ir.Table]
    refused: dict[str, str]
    asked: Sequence[Feature | str] | None  # features; None: all

    def features(self) -> Usable:
        """Tell features that can be made from those that are left out.

        Returns
        -------
        Usable
            Those beside the columns that every snapshot has, and the reason for each one left out.
        """
        found = usable_features(self.tables, self.asked, self.refused)
        shown = tuple(f for f in found.features if not f.step and f.name not in BASE)
        return Usable(features=shown, left_out=found.left_out)


def hold(
    source: Tables, check: Callable[[str], None], features: Sequence[Feature | str] | None
) -> Held:
    """Take the tables that features need, as far as they are there and free of failing checks.

    Parameters
    ----------
    source : Tables
        As known on the last day.
    check : callable
        Refuses a table by `NotAvailable`.
    features : sequence of Feature or str or None
        None: all.

    Returns
    -------
    Held
        Columns that are not mapped are left out.
    """
    names = {CONTRACTS, *(f.table for f in choose(features) if not f.of)} - {SPELLS}
    tables, refused = {}, {}
    for name in sorted(names):
        if name not in source:
            refused[name] = missing(name)
            continue
        try:
            check(name)
        except NotAvailable as error:
            refused[name] = " ".join(error.faults)
        else:
            tables[name] = source.table(name).select(*source.mapped(name))
    return Held(source, tables, refused, features)


def file_of(held: Held, ctx: RollupContext, *, segment: str, cutoffs: Sequence[date]) -> str:
    """Name the file of snapshots.

    Parameters
    ----------
    held : Held
        Tables.
    ctx : RollupContext
        What the spells depend on besides their rows.
    segment : str
        Segment of the accounts.
    cutoffs : sequence of date
        Last days known.

    Returns
    -------
    str
        As in snapshots-0a1b2c3d4e5f6789.parquet.
    """
    names = sorted({*held.tables, *(n for n in _SPELLS_OF if n in held.source)})
    observed = {n: str(held.source.observed_from(n)) for n in _SPELLS_OF if n in names}
    key = digest(
        {
            "tables": {n: held.source.fingerprint(n) for n in names},
            "used": sorted(held.tables),
            "as_of": ctx.as_of.isoformat(),
            "grace_days": ctx.grace_days,
            "exponent": ctx.exponent,
            "observed_from": observed,
            "segment": segment,
            "cutoffs": [day.isoformat() for day in sorted(set(cutoffs))],
            "features": [f.name for f in held.features().features],
            "own": _own(held, ctx),
            "code": cache.code_version(),
        }
    )
    return f"snapshots-{key}.parquet"


def write(
    held: Held,
    spells: ir.Table,
    target: Path,
    *,
    ctx: RollupContext,
    cutoffs: Sequence[date],
) -> None:
    """Make snapshots, each table reduced by the engine that has it.

    Parameters
    ----------
    held : Held
        Tables.
    spells : ir.Table
        Of any engine, with groups.
    target : Path
        Parquet file to write.
    ctx : RollupContext
        What the spells depend on besides their rows.
    cutoffs : sequence of date
        Last days known.

    Raises
    ------
    InputError
        If a table cannot be read to the end, or a feature could know what came later.
    """
    engine = held.source.engine
    folder = Path(tempfile.mkdtemp(prefix=f".{target.stem}-", dir=target.parent))
    views: list[str] = []

    def bring(rows: ir.Table) -> ir.Table:
        file = folder / f"{len(views)}.parquet"
        rows.to_parquet(file)
        views.append(f"{target.stem}-{file.stem}")
        return engine.read_parquet(file, table_name=views[-1])

    def fetch(rows: ir.Table, table: str) -> ir.Table:
        return rows if held.source.backend(table) is engine else bring(rows)

    try:
        made = snapshots(
            held.tables,
            bring(spells),
            cutoffs=cutoffs,
            ctx=ctx,
            features=held.asked,
            fetch=fetch,
        )
        engine.to_parquet(made, target)
    except engine_errors() as error:
        raise InputError(f"snapshots cannot be made: {first_line(error)}") from error
    finally:
        for view in views:
            engine.drop_view(view, force=True)
        shutil.rmtree(folder, ignore_errors=True)


def _own(held: Held, ctx: RollupContext) -> str | None:
    """Query of features that are not in the code, so that another one makes another file."""
    ours = {id(f) for f in FEATURES}
    if all(isinstance(f, str) or id(f) in ours for f in held.asked or ()):
        return None
    tables = {n: ibis.table(t.schema(), name=n) for n, t in held.tables.items()}
    made = snapshots(
        tables, ibis.table(_SPELLS, name=SPELLS), cutoffs=[ctx.as_of], ctx=ctx, features=held.asked
    )
    return str(ibis.to_sql(made, dialect="duckdb"))


_SPELLS = {
    "account_id": "string",
    "spell": "int64",
    "start_on": "date",
    "end_on": "date",
    "entry_days": "int64",
    "exit_days": "int64",
    "event": "boolean",
}
