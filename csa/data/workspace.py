"""What a notebook opens: the tables, roll-ups, checks and targets of a workspace on a day."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import ibis.expr.types as ir
import pandas as pd

from csa.data import cache, parts
from csa.data.features import Feature, Usable
from csa.data.groups import ALL
from csa.data.quality import QualityReport, check_tables, default_cadence
from csa.data.quality.own_checks import extent
from csa.data.refusals import blocked
from csa.data.rolled_up import RolledUp
from csa.data.rollups import ROLLUPS
from csa.data.schema import TABLES
from csa.data.snapshot_files import Held, file_of, hold, write
from csa.data.sources.fingerprint import digest
from csa.errors import InputError, NotAvailable
from csa.periods import day
from csa.settings import Settings, Target, load


class Workspace(RolledUp):
    """A workspace as known on a day.

    Parameters
    ----------
    settings : Settings
        From csa.yml.
    as_of : date
        Last day that is known.
    segment : str
        Segment to which its rows are limited, or "all".
    """

    def __init__(self, settings: Settings, *, as_of: date, segment: str = ALL) -> None:
        super().__init__(settings, as_of=as_of, segment=segment)
        self._quality: QualityReport | None = None

    def snapshots(
        self, *, cutoffs: Sequence[date], features: Sequence[Feature | str] | None = None
    ) -> ir.Table:
        """Return what was known of every customer of the segment on many days.

        Parameters
        ----------
        cutoffs : sequence of date
            Last days known; `csa.data.snapshots.cutoffs` proposes some.
        features : sequence of Feature or str, optional
            Default: all; `snapshot_features` says which can be made.

        Returns
        -------
        ir.Table
            As `csa.data.snapshots.snapshots` makes it, on DuckDB, over a Parquet file that is
            made once.

        Raises
        ------
        NotAvailable
            As for `spells`.
        InputError
            If a feature could know what came later, or a cut-off is after the last day.
        """
        spells = self.spells()
        held = self._held(features)
        ctx = self._context("spells")
        file = self._folder / file_of(held, ctx, segment=self.segment, cutoffs=cutoffs)
        make = partial(write, held, spells, ctx=ctx, cutoffs=cutoffs)
        return self._read(cache.keep(file, make))

    def snapshot_features(self, features: Sequence[Feature | str] | None = None) -> Usable:
        """Return the features that snapshots can have here, and why the others are left out.

        Parameters
        ----------
        features : sequence of Feature or str, optional
            Default: all.

        Returns
        -------
        Usable
            `features`, beside the columns of every snapshot, and `left_out` (name to reason).
        """
        return self._held(features).features()

    def quality(self) -> QualityReport:
        """Return what the data quality gate found.

        Returns
        -------
        QualityReport
            Made once for the same data, day, checks and code.
        """
        if self._quality is None:
            file = self._folder / f"quality-{self._quality_key()}.json"
            cache.keep(file, self._write_quality)
            self._quality = QualityReport.from_json(file.read_text(encoding="utf-8"))
        return self._quality

    def lineage(self) -> pd.DataFrame:
        """Return where the numbers come from.

        Returns
        -------
        DataFrame
            `table`, `origin`, `rows`, `newest`, `fingerprint`, and `rollups`: the cached files
            made from the table with these data, day, grace and code.
        """
        found = self.quality().tables[["table", "origin", "rows", "newest", "fingerprint"]]
        return found.assign(rollups=[self._files_of(name) for name in found["table"]])

    def target(self, metric_id: str) -> Target | None:
        """Return the target of a metric.

        Parameters
        ----------
        metric_id : str
            As in csa.yml.

        Returns
        -------
        Target or None
            None where csa.yml states none.
        """
        return self.settings.targets.get(metric_id)

    def _held(self, features: Sequence[Feature | str] | None) -> Held:
        return hold(self.tables, self._usable, features)

    # quality -------------------------------------------------------------------------------

    def _quality_key(self) -> str:
        names = [n for n in self.tables.names() if not TABLES[n].ledger]
        return digest(
            {
                "tables": {n: self.tables.fingerprint(n) for n in names},
                "as_of": self.as_of.isoformat(),
                "checks": [c.model_dump() for c in self.settings.checks],
                "sources of checks": extent(self.settings),
                "cadence": default_cadence(self.settings),
                "grace_days": self.settings.data.grace_days,
                "code": cache.code_version(),
            }
        )

    def _write_quality(self, target: Path) -> None:
        report = check_tables(self.tables, self.settings, as_of=self.as_of)
        target.write_text(report.to_json(), encoding="utf-8")

    def _usable(self, table: str) -> None:
        """Refuse a table that is absent or has a failing check of severity error."""
        super()._usable(table)
        report = self.quality()
        if table in report.blocked:
            wrong = [c for c in report.checks if c.table == table and c.failing]
            raise NotAvailable(*blocked(table, [c for c in wrong if c.severity == "error"]))

    def _files_of(self, table: str) -> str:
        files = []
        for name, rollup in ROLLUPS.items():
            if rollup.needs == table and rollup.together is not None:
                files.append(parts.files_of(self.tables, name))
            elif rollup.needs == table:
                files.append(cache.file_of(self.tables, name, self._context(name)))
        return ", ".join(files)


def open_workspace(*, as_of: str, segment: str = ALL, path: Path | None = None) -> Workspace:
    """Open a workspace as known on a day.

    Parameters
    ----------
    as_of : str
        Last day included, YYYY-MM-DD.
    segment : str
        Segment of accounts, or "all".
    path : Path, optional
        csa.yml or its folder; default: CSA_WORKSPACE, else the nearest csa.yml upwards.

    Returns
    -------
    Workspace
        Nothing has been read yet.

    Raises
    ------
    ConfigError
        If csa.yml is absent or wrong.
    InputError
        If the day is none, or lies in the future.
    """
    settings = load(path)
    last = day(as_of)
    today = datetime.now(ZoneInfo(settings.timezone)).date()
    if last > today:
        raise InputError(f"as_of {last} lies in the future; today is {today}")
    return Workspace(settings, as_of=last, segment=segment)
