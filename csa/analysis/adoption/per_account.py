"""Sums over accounts that tell how sure a figure is: an account is what comes and goes as one."""

from collections.abc import Sequence
from functools import reduce
from operator import add

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from csa.analysis.adoption.windows import ALL
from csa.methods.moments import Moments


def moments_by_group(rows: ir.Table, columns: Sequence[str]) -> dict[str, Moments]:
    """Sum columns and their products over accounts, by group.

    Parameters
    ----------
    rows : ir.Table
        One row per account, with `group`.
    columns : sequence of str
        Numbers; missing counts as 0.

    Returns
    -------
    dict
        Of all accounts, which come first, and of each group where there is more than one, by name.
    """
    names = tuple(columns)
    parts = rows.select("group", **{n: rows[n].cast("float64").fill_null(0.0) for n in names})
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i:]]
    made = (
        parts.group_by("group")
        .agg(
            n=parts.count(),
            **{f"sum {a}": parts[a].sum() for a in names},
            **{f"{a} x {b}": (parts[a] * parts[b]).sum() for a, b in pairs},
        )
        .order_by("group")
        .to_pandas()
    )
    groups = {str(row["group"]): _moments(row, names) for _, row in made.iterrows()}
    if not groups:
        return {}
    total = {ALL: reduce(add, groups.values())}
    return total if len(groups) == 1 else {**total, **groups}


def _moments(row: "pd.Series[float]", names: tuple[str, ...]) -> Moments:
    k = len(names)
    product = np.zeros((k, k))
    for i, a in enumerate(names):
        for j, b in enumerate(names[i:], i):
            product[i, j] = product[j, i] = row[f"{a} x {b}"]
    total = np.array([row[f"sum {a}"] for a in names], dtype=float)
    return Moments(n=int(row["n"]), names=names, total=total, product=product)
