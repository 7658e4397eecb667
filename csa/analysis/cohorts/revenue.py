"""Revenue retention by cohort: what is left of the first month's revenue, gross and net."""

from dataclasses import dataclass
from datetime import date
from typing import Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.cohorts.clock import Clock
from csa.analysis.cohorts.retention import COMPLETE, OPEN, SMALL
from csa.methods.bootstrap import (
    REPLICATES,
    effective_terms,
    percentile_limits,
    poisson_sums,
)

FloatArray = NDArray[np.float64]

SEED: Final = 30_000
BINS: Final = 1_000  # accounts of a cohort; more are put into so many bins of equal size
MONTHS: Final = Clock(kind="month")
RATES: Final = {"net": "mrr_minor", "gross": "kept_minor"}
MIN_EFFECTIVE: Final = 10.0  # accounts of one size that would tell as much


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CohortRevenue:
    """Revenue of each cohort at each age over that of its first month end.

    `cells`: `cohort` (first day of the month), `age` (months), `n`, `start_minor` (paid at age 0),
    `mrr_minor` (at that age), `kept_minor` (of each account no more than at age 0), `net`, `gross`
    (shares) with `_low`, `_high`, `state`, `completes_on`, `small`. `pooled`: the same over the
    complete cells of an age, with `cohorts`, `n_effective`, `status`, `reason`. `left_out`:
    accounts that paid before anybody would have recorded them leaving.
    """

    cells: pd.DataFrame
    pooled: pd.DataFrame
    as_of: date
    left_out: int
    confidence: float = 0.95


def revenue_retention(
    months: ir.Table | pd.DataFrame,
    *,
    as_of: date,
    last_age: int = 12,
    confidence: float = 0.95,
    replicates: int = REPLICATES,
) -> CohortRevenue:
    """Follow the revenue of accounts by the month at whose end they first paid.

    Parameters
    ----------
    months : ir.Table or DataFrame, one row per account and month
        `account_id`, `month` (year x 12 + month - 1), `mrr_minor` (at its end), optional
        `observed_from`.
    as_of : date
        Last day that is known; nothing later is used.
    last_age : int
        Greatest age, months.
    confidence : float
        Level of the intervals, share in (0, 1).
    replicates : int
        Of the bootstrap over accounts.

    Returns
    -------
    CohortRevenue
        Gross never exceeds the whole; net may. The month that holds `as_of` is open unless that is
        its last day.

    Notes
    -----
    With m₀ and m of an account at age 0 and k: net = Σ m / Σ m₀, gross = Σ min(m, m₀) / Σ m₀.
    Pooled, both sums run over all complete cohorts, so large ones weigh more. Limits are
    percentiles of a Poisson bootstrap over accounts, drawn within cohorts, further out where few
    accounts make the spread.
    """
    rows = _typed(ibis.memtable(months) if isinstance(months, pd.DataFrame) else months)
    sums, left_out = _reduced(rows, as_of, last_age)
    cohorts = sorted(sums["first"].unique())
    cube = [_cohort(sums.loc[sums["first"] == c], last_age) for c in cohorts]
    rng = np.random.default_rng(SEED)
    drawn = [
        poisson_sums(x.reshape(len(x), -1), rng, replicates=replicates).reshape(
            replicates, *x.shape[1:]
        )
        for x in cube
    ]
    many = np.stack(drawn, axis=1) if drawn else np.zeros((replicates, 0, last_age + 1, 3))
    accounts = sums.drop_duplicates(["first", "account"]).groupby("first")["accounts"].sum()
    n = accounts.reindex(cohorts).to_numpy(dtype="int64")
    grid = _grid(cohorts, n, as_of, last_age)
    return CohortRevenue(
        cells=_cells(grid, cube, many, confidence),
        pooled=_pooled(grid, cube, many, confidence),
        as_of=as_of,
        left_out=left_out,
        confidence=confidence,
    )


def _typed(months: ir.Table) -> ir.Table:
    """Take what is used, in its type also where there is no row to tell it from."""
    seen = months.observed_from if "observed_from" in months.columns else ibis.null("date")
    return months.select(
        account_id=months.account_id.cast("string"),
        month=months.month.cast("int64"),
        mrr_minor=months.mrr_minor.cast("int64"),
        observed_from=seen.cast("date"),
    )


def _reduced(rows: ir.Table, as_of: date, last_age: int) -> tuple[pd.DataFrame, int]:
    """Sum revenue by cohort, account (or bin of accounts) and age; count those left out."""
    last = MONTHS.number_of(as_of)
    paid = rows.filter((rows.mrr_minor > 0) & (rows.month <= last))
    units = paid.group_by("account_id").agg(
        first=paid.month.min().cast("int64"),
        start=paid.mrr_minor.argmin(paid.month).cast("float64"),
        seen=paid.observed_from.max(),
    )
    begins = ibis.date(
        (units["first"] // 12).cast("int32"), (units["first"] % 12 + 1).cast("int32"), 1
    )
    units = units.mutate(late=ibis.coalesce(begins < units.seen, False))
    left_out = int(units.late.sum().fill_null(0).to_pyarrow().as_py())
    place = ibis.row_number().over(group_by="first", order_by="account_id")
    units = units.filter(~units.late).mutate(account=(place % BINS).cast("int64"))
    both = units.inner_join(paid.select("account_id", "month", "mrr_minor"), "account_id")
    both = both.mutate(age=both.month - both["first"], now=both.mrr_minor.cast("float64"))
    both = both.filter(both.age <= last_age)
    found = both.group_by("first", "account", "age").agg(
        accounts=both.count().cast("int64"),
        start=both.start.sum(),
        mrr=both.now.sum(),
        kept=ibis.least(both.start, both.now).sum(),
    )
    frame: pd.DataFrame = found.to_pandas()
    order = frame.sort_values(["first", "account", "age"], ignore_index=True)
    return order, left_out


def _cohort(rows: pd.DataFrame, last_age: int) -> FloatArray:
    """Lay out accounts × ages × (start, revenue, kept)."""
    codes, names = pd.factorize(rows["account"])
    cube = np.zeros((len(names), last_age + 1, 3))
    age = rows["age"].to_numpy(dtype=int)
    cube[codes, age, 1], cube[codes, age, 2] = rows["mrr"], rows["kept"]
    cube[:, :, 0] = cube[:, :1, 1]  # what all of them paid at age 0
    return cube


def _grid(cohorts: list[int], n: NDArray[np.int64], as_of: date, last_age: int) -> pd.DataFrame:
    """List the cells that have begun, with their state."""
    rows = [
        {
            "place": place,
            "cohort": pd.Timestamp(MONTHS.first_day(int(cohort))),
            "age": age,
            "n": int(size),
            "completes_on": pd.Timestamp(MONTHS.last_day(int(cohort), age, exact=False)),
        }
        for place, (cohort, size) in enumerate(zip(cohorts, n, strict=True))
        for age in range(min(MONTHS.ages(int(cohort), as_of), last_age + 1))
    ]
    kinds = ["place", "cohort", "age", "n", "completes_on"]
    grid = pd.DataFrame(rows, columns=kinds)
    done = pd.to_datetime(grid["completes_on"]) <= pd.Timestamp(as_of)
    return grid.assign(state=np.where(done, COMPLETE, OPEN), small=grid["n"] < SMALL)


def _cells(
    grid: pd.DataFrame, cube: list[FloatArray], many: FloatArray, confidence: float
) -> pd.DataFrame:
    at = (grid["place"].to_numpy(dtype=int), grid["age"].to_numpy(dtype=int))
    units = [cube[place][:, age] for place, age in zip(*at, strict=True)]
    table = _rates(grid, units, many[:, at[0], at[1]], confidence)
    ends = [f"{rate}_{end}" for rate in RATES for end in ("low", "high")]
    table.loc[table["state"] != COMPLETE, ends] = np.nan
    return table.drop(columns="place")


def _pooled(
    grid: pd.DataFrame, cube: list[FloatArray], many: FloatArray, confidence: float
) -> pd.DataFrame:
    """Sum the complete cells of each age."""
    done = grid.loc[grid["state"] == COMPLETE]
    table = done.groupby("age", as_index=False).agg(cohorts=("cohort", "nunique"), n=("n", "sum"))
    ages = [int(age) for age in table["age"]]
    places = [done.loc[done["age"] == age, "place"].to_numpy(dtype=int) for age in ages]
    pairs = list(zip(places, ages, strict=True))
    units = [np.concatenate([cube[p][:, age] for p in mine]) for mine, age in pairs]
    drawn = np.array([many[:, mine, age].sum(axis=1) for mine, age in pairs])
    table = _rates(table, units, drawn.reshape(-1, len(many), 3).transpose(1, 0, 2), confidence)
    effective = [x[:, 0].sum() ** 2 / (x[:, 0] ** 2).sum() for x in units]
    judged = [_judged(n, e) for n, e in zip(table["n"], effective, strict=True)]
    return table.assign(
        n_effective=effective, status=["unclear" if j else "ok" for j in judged], reason=judged
    )


def _rates(
    table: pd.DataFrame, units: list[FloatArray], drawn: FloatArray, confidence: float
) -> pd.DataFrame:
    """Add sums, both rates and their limits; `units` are accounts × (start, now, kept) per row."""
    sums = np.array([x.sum(axis=0) for x in units]).reshape(-1, 3)
    made = table.assign(start_minor=sums[:, 0], mrr_minor=sums[:, 1], kept_minor=sums[:, 2])
    for place, rate in enumerate(RATES, start=1):
        with np.errstate(invalid="ignore", divide="ignore"):
            share, many = sums[:, place] / sums[:, 0], drawn[..., place] / drawn[..., 0]
        errors = [x[:, place] - r * x[:, 0] for x, r in zip(units, share, strict=True)]
        effective = np.array([float(effective_terms(e[:, None])[0]) for e in errors])
        limits = percentile_limits(share, many, confidence=confidence, effective=effective)
        made[rate], made[f"{rate}_low"], made[f"{rate}_high"] = limits
    return made


def _judged(n: int, effective: float) -> str:
    if n < SMALL:
        return f"only {n} completed this age"
    return "a few accounts hold nearly all of the revenue" if effective < MIN_EFFECTIVE else ""
