"""Roll-ups of a workspace on a day, with the group of each account."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import ibis
import ibis.expr.types as ir
from ibis.backends import BaseBackend

from csa.data import cache, parts
from csa.data.engine import open_engine
from csa.data.groups import ALL, NOT_STATED, account_groups, grouped, spells_of_groups
from csa.data.refusals import no_contract, unobserved
from csa.data.rollups import ROLLUPS, RollupContext
from csa.data.sources import Tables
from csa.data.sources.absent import missing
from csa.data.sources.fingerprint import digest
from csa.errors import InputError, NotAvailable
from csa.settings import Settings
from csa.settings_rules import did_you_mean

CACHE = Path(".csa") / "cache"  # below the workspace


class RolledUp:
    """Roll-ups of a workspace as known on a day.

    Parameters
    ----------
    settings : Settings
        From csa.yml.
    as_of : date
        Last day that is known.
    segment : str
        Segment to which rows with groups are limited, or "all".
    """

    def __init__(self, settings: Settings, *, as_of: date, segment: str = ALL) -> None:
        self.settings = settings
        self.as_of = as_of
        self.segment = segment
        self.tables = Tables(settings, as_of)
        self._folder = settings.root / CACHE
        self._engine: BaseBackend | None = None

    def rollup(self, name: str) -> ir.Table:
        """Return a roll-up, on DuckDB.

        Parameters
        ----------
        name : str
            One of `csa.data.rollups.ROLLUPS`.

        Returns
        -------
        ir.Table
            Over Parquet files that are made once.

        Raises
        ------
        NotAvailable
            If its table is absent, or a failing check says that its numbers would be wrong.
        """
        if name not in ROLLUPS:
            hint = did_you_mean(name, ROLLUPS) or f"; there are {', '.join(ROLLUPS)}"
            raise InputError(f'there is no roll-up "{name}"{hint}')
        self._usable(ROLLUPS[name].needs)
        together = ROLLUPS[name].together
        if together is None:
            grace = self.settings.data.grace_days
            day = self.as_of
            return self._read(
                cache.materialise(self.tables, name, self._folder, as_of=day, grace_days=grace)
            )
        made = parts.materialise(self.tables, name, self._folder, self._context(name))
        found = [self._read(*made.whole)] if made.whole else []
        if made.days:
            found.append(together(self._read(*made.days)))
        return ibis.union(*found) if len(found) > 1 else found[0]

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
        return self._grouped("purchases", by)

    def user_days(self, *, by: str = "segment") -> ir.Table:
        """Return the days on which people of the segment's accounts used the product.

        Parameters
        ----------
        by : str
            Column of accounts, as for `spells`.

        Returns
        -------
        ir.Table
            The roll-up `user_days` with `group`, and `observed_from` of the account.

        Raises
        ------
        NotAvailable
            If there are no usage events.
        InputError
            If accounts have no such column or segment.
        """
        return self._grouped("user_days", by)

    def feature_months(self, *, by: str = "segment") -> ir.Table:
        """Return the months in which people of the segment's accounts used a feature.

        Parameters
        ----------
        by : str
            Column of accounts, as for `spells`.

        Returns
        -------
        ir.Table
            The roll-up `feature_months` with `group`, and `observed_from` of the account.

        Raises
        ------
        NotAvailable
            If there are no usage events.
        InputError
            If accounts have no such column or segment.
        """
        return self._grouped("feature_months", by)

    def contract_rows(self, *, by: str = "segment") -> ir.Table:
        """Return the paid subscription rows of the segment with their days of renewal.

        Parameters
        ----------
        by : str
            Column of accounts, as for `spells`.

        Returns
        -------
        ir.Table
            The roll-up `contract_rows` with `group`, and `observed_from` of the account.

        Raises
        ------
        NotAvailable
            If there are no subscriptions.
        InputError
            If accounts have no such column or segment.
        """
        return self._grouped("contract_rows", by)

    def opportunities(self, *, by: str = "segment") -> ir.Table:
        """Return the opportunities of the segment's accounts.

        Parameters
        ----------
        by : str
            Column of accounts, as for `spells`.

        Returns
        -------
        ir.Table
            The roll-up `opportunities` with `group`, and `observed_from` of the account.

        Raises
        ------
        NotAvailable
            If there are no opportunities.
        InputError
            If accounts have no such column or segment.
        """
        return self._grouped("opportunities", by)

    def signups(self, *, by: str = "segment") -> ir.Table:
        """Return the accounts of the segment with their trials and what it cost to win them.

        Parameters
        ----------
        by : str
            Column of accounts, as for `spells`.

        Returns
        -------
        ir.Table
            `account_id`, `signed_up_on`, `trial_started_on`, `converted_on`, `acquisition_cost`,
            `group`, and `observed_from`.

        Raises
        ------
        NotAvailable
            If there are no accounts.
        InputError
            If accounts have no such column or segment.
        """
        accounts = self.rollup("accounts")
        names = ("signed_up_on", "trial_started_on", "converted_on", "acquisition_cost")
        return grouped(
            accounts.select("account_id", *names), self._groups(by), segment=self.segment
        )

    def licences(self, *, by: str = "segment") -> ir.Table:
        """Return the seats that accounts of the segment paid for, from day to day.

        Parameters
        ----------
        by : str
            Column of accounts, as for `spells`.

        Returns
        -------
        ir.Table
            The roll-up `licences` with `group`, and `observed_from` of the account.

        Raises
        ------
        NotAvailable
            If there are no subscriptions.
        InputError
            If accounts have no such column or segment.
        """
        return self._grouped("licences", by)

    def _context(self, name: str) -> RollupContext:
        grace = self.settings.data.grace_days
        return cache.context(self.tables, name, as_of=self.as_of, grace_days=grace)

    def _read(self, *files: Path) -> ir.Table:
        if self._engine is None:  # of its own: an expression may outlive the tables
            self._engine = open_engine(self.settings.root)
        name = files[0].stem if len(files) == 1 else digest([file.name for file in files])
        return self._engine.read_parquet(list(files), table_name=name)

    def _grouped(self, name: str, by: str) -> ir.Table:
        rows = self.rollup(name)
        plain = "accounts" not in self.tables and by == "segment" and self.segment == ALL
        return grouped(rows, None if plain else self._groups(by), segment=self.segment)

    def _usable(self, table: str) -> None:
        """Refuse a table that is absent."""
        if table not in self.tables:
            raise NotAvailable(missing(table))

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
