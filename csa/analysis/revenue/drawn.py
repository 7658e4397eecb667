"""Sums by group and window with replicates: what every rate of revenue is computed from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.revenue.months import ALL, NOT_STATED, first_day
from csa.methods.bootstrap import REPLICATES, poisson_sums

FloatArray = NDArray[np.float64]
Window = tuple[int, int]  # first and last month

SEED: Final = 20_000
MOST: Final = 20_000  # more accounts than this are put into bins
BINS: Final = 4_000  # their spread is known to 1.1 % of itself
KEYS: Final = ("group", "bin", "window")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """How replicates are drawn: their number and the seed."""

    replicates: int = REPLICATES
    seed: int = SEED


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Drawn:
    """Sums per group (the total first, alone where there is one group) and window.

    `value` is groups × windows × sums, `replicates` has the replicates before them; `stats` names
    the sums. `units` holds the same per account or bin of accounts, for each group in turn. Money
    is in minor units.
    """

    groups: tuple[str, ...]
    stats: tuple[str, ...]
    value: FloatArray
    replicates: FloatArray
    units: tuple[FloatArray, ...]

    def stat(self, name: str) -> FloatArray:
        """Return one of the sums.

        Parameters
        ----------
        name : str
            One of `stats`.

        Returns
        -------
        ndarray
            Groups × windows.
        """
        return np.asarray(self.value[..., self.stats.index(name)])

    def drawn(self, name: str) -> FloatArray:
        """Return the replicates of one of the sums.

        Parameters
        ----------
        name : str
            One of `stats`.

        Returns
        -------
        ndarray
            Replicates × groups × windows.
        """
        return np.asarray(self.replicates[..., self.stats.index(name)])


def asked_for(windows: Sequence[Window]) -> ir.Table:
    """Make a table of windows to join months with.

    Parameters
    ----------
    windows : sequence of tuple of int
        First and last month.

    Returns
    -------
    ir.Table
        `window` (its place), `first`, `last`, `opens` (first day).
    """
    rows = pd.DataFrame(
        {
            "window": range(len(windows)),
            "first": [first for first, _ in windows],
            "last": [last for _, last in windows],
            "opens": [first_day(first) for first, _ in windows],
        }
    )
    kinds = {"window": "int64", "first": "int64", "last": "int64", "opens": "date"}
    return ibis.memtable(rows, schema=kinds)


def with_bins(rows: ir.Table, months: ir.Table) -> ir.Table:
    """Give accounts a number each, or put very many into bins.

    Parameters
    ----------
    rows : ir.Table
        With `account_id`.
    months : ir.Table
        The table that they were made from: it tells how many accounts there are.

    Returns
    -------
    ir.Table
        With `bin`. Accounts are exchangeable, so sums of many at random (by a hash of their key)
        vary as those of single ones do.
    """
    many = int(months.account_id.approx_nunique().to_pyarrow().as_py() or 0)
    if many > MOST:
        return rows.mutate(bin=rows.account_id.hash() % BINS)
    return rows.mutate(bin=ibis.dense_rank().over(order_by="account_id"))


def draw(sums: pd.DataFrame, windows: int, draws: Draws | None = None) -> Drawn:
    """Add sums per bin up, once as they are and in every replicate.

    Parameters
    ----------
    sums : DataFrame
        `group`, `bin`, `window`, and the sums; a bin without a row in a window adds nothing.
    windows : int
        How many there are.
    draws : Draws, optional
        Replicates and seed.

    Returns
    -------
    Drawn
        An account has the same weight in all windows, so that differences between overlapping
        windows keep their dependence.
    """
    how = draws or Draws()
    stats = [name for name in sums.columns if name not in KEYS]
    known = sums.assign(group=sums["group"].fillna(NOT_STATED).astype(str)).fillna(0.0)
    known = known.sort_values(list(KEYS), kind="stable")
    parts = {str(group): mine for group, mine in known.groupby("group", sort=True)}
    names = [ALL, *parts] if len(parts) > 1 else [ALL]
    value = np.zeros((len(names), windows, len(stats)))
    replicates = np.zeros((how.replicates, *value.shape))
    rng, units = np.random.default_rng(how.seed), []
    for at, mine in enumerate(parts.values(), start=1):
        codes, bins = pd.factorize(mine["bin"])
        cube = np.zeros((len(bins), *value.shape[1:]))
        cube[codes, mine["window"].to_numpy(dtype=int)] = mine[stats].to_numpy(dtype=float)
        units.append(cube)
        found = poisson_sums(cube.reshape(len(cube), -1), rng, replicates=how.replicates)
        for place in {0, at} if len(names) > 1 else {0}:
            value[place] += cube.sum(axis=0)
            replicates[:, place] += found.reshape(how.replicates, *value.shape[1:])
    return Drawn(
        groups=tuple(names),
        stats=tuple(str(name) for name in stats),
        value=value,
        replicates=replicates,
        units=tuple(units),
    )
