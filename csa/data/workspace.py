"""What a notebook opens: the tables, roll-ups, checks and targets of a workspace on a day."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis.backends import BaseBackend

from csa.data import cache
from csa.data.engine import open_engine
from csa.data.features import Feature, Usable
from csa.data.groups import ALL, NOT_STATED, account_groups, grouped, spells_of_groups
from csa.data.quality import QualityReport, check_tables, default_cadence
from csa.data.quality.own_checks import extent
from csa.data.refusals import blocked, no_contract, unobserved
from csa.data.rollups import ROLLUPS, RollupContext
from csa.data.schema import TABLES
from csa.data.snapshot_files import Held, file_of, hold, write
from csa.data.sources import Tables
from csa.data.sources.absent import missing
from csa.data.sources.fingerprint import digest
from csa.errors import InputError, NotAvailable
from csa.periods import day
from csa.settings import Settings, Target, load
from csa.settings_rules import did_you_mean

CACHE = Path(".csa") / "cache"  # below the workspace


class Workspace:
    """A workspace as known on a day.

    Parameters
    ----------
    settings : Settings
        From csa.yml.
    as_of : date
        Last day that is known.
    segment : str
        Segment to which `spells` are limited, or "all".
    """

    def __init__(self, settings: Settings, *, as_of: date, segment: str = ALL) -> None:
        self.settings = settings
        self.as_of = as_of
        self.segment = segment
        self.tables = Tables(settings, as_of)
        self._folder = settings.root / CACHE
        self._engine: BaseBackend | None = None
        self._quality: QualityReport | None = None

    def rollup(self, name: str) -> ir.Table:
        """Return a roll-up, on DuckDB.

        Parameters
        ----------
        name : {"accounts", "spells", "account_months", "purchases"}
            See `csa.data.rollups`.

        Returns
        -------
        ir.Table
            Over a Parquet file that is made once.

        Raises
        ------
        NotAvailable
            If its table is absent, or a failing check says that its numbers would be wrong.
        """
        if name not in ROLLUPS:
            hint = did_you_mean(name, ROLLUPS) or f"; there are {', '.join(ROLLUPS)}"
            raise InputError(f'there is no roll-up "{name}"{hint}')
        self._usable(ROLLUPS[name].needs)
        file = cache.materialise(
            self.tables,
            name,
            self._folder,
            as_of=self.as_of,
            grace_days=self.settings.data.grace_days,
        )
        return self._read(file)

    def spells(self, *, by: str = "segment", attributes: Sequence[str] = ()) -> ir.Table:
        """Return the times as a customer of the segment, with the group of each account.

        Parameters
        ----------
        by : str
            Column of accounts, an attribute of one's own included.
        attributes : sequence of str
            Further columns of accounts to carry along, as they are today.

        Returns
        -------
        ir.Table
            The roll-up `spells`, `group` (text, "not stated" where missing) and the attributes.
            `entry_days` counts from the later of what accounts and subscriptions state as
            `observed_from`.

        Raises
        ------
        NotAvailable
            If there are no subscriptions, or csa.yml does not say since when leaving accounts
            have been recorded.
        InputError
            If accounts have no such column or segment.
        """
        if "subscriptions" not in self.tables:
            raise NotAvailable(*no_contract(purchases="transactions" in self.tables))
        self._require_observed_from()
        spells = self.rollup("spells")
        plain = by == "segment" and self.segment == ALL and not attributes
        if "accounts" not in self.tables and plain:
            return spells.mutate(group=ibis.literal(NOT_STATED))
        return spells_of_groups(spells, self._groups(by, attributes), segment=self.segment)

    def months(self, *, by: str = "segment") -> ir.Table:
        """Return the recurring revenue of the segment by account and month.

        Parameters
        ----------
        by : str
            Column of accounts, as for `spells`.

        Returns
        -------
        ir.Table
            The roll-up `account_months` with `group`, and `observed_from` of the account.

        Raises
        ------
        NotAvailable, InputError
            As for `spells`.
        """
        spells = self.spells(by=by)
        seen = spells.observed_from.max()
        who = spells.group_by("account_id").agg(group=spells.group.max(), observed_from=seen)
        return self.rollup("account_months").inner_join(who, "account_id")

    def purchases(self, *, by: str = "segment") -> ir.Table:
        """Return the days on which accounts of the segment bought or gave back.

        Parameters
        ----------
        by : str
            Column of accounts, as for `spells`.

        Returns
        -------
        ir.Table
            The roll-up `purchases` with `group`, and `observed_from` of the account.

        Raises
        ------
        NotAvailable
            If there are no transactions.
        InputError
            If accounts have no such column or segment.
        """
        rows = self.rollup("purchases")
        plain = "accounts" not in self.tables and by == "segment" and self.segment == ALL
        return grouped(rows, None if plain else self._groups(by), segment=self.segment)

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

    def _context(self, name: str) -> RollupContext:
        grace = self.settings.data.grace_days
        return cache.context(self.tables, name, as_of=self.as_of, grace_days=grace)

    def _read(self, file: Path) -> ir.Table:
        if self._engine is None:  # of its own: an expression may outlive the tables
            self._engine = open_engine(self.settings.root)
        return self._engine.read_parquet(file, table_name=file.stem)

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
        if table not in self.tables:
            raise NotAvailable(missing(table))
        report = self.quality()
        if table in report.blocked:
            wrong = [c for c in report.checks if c.table == table and c.failing]
            raise NotAvailable(*blocked(table, [c for c in wrong if c.severity == "error"]))

    def _files_of(self, table: str) -> str:
        files = []
        for name, rollup in ROLLUPS.items():
            if rollup.needs == table:
                files.append(cache.file_of(self.tables, name, self._context(name)))
        return ", ".join(files)

    # spells --------------------------------------------------------------------------------

    def _groups(self, by: str, attributes: Sequence[str] = ()) -> ir.Table:
        accounts = self.rollup("accounts")
        return account_groups(
            accounts, self.tables, segment=self.segment, by=by, attributes=attributes
        )

    def _require_observed_from(self) -> None:
        tables = [t for t in ("accounts", "subscriptions") if t in self.tables]
        silent = [t for t in tables if self.tables.observed_from(t) is None]
        if silent:
            raise NotAvailable(*unobserved(silent))


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
