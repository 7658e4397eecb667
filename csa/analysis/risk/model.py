"""Risk of each account to churn within the next days: a discrete-time hazard, fitted.

Every snapshot is followed over the intervals of the horizon. In each interval in which it is
still a customer it churns or not; a logistic regression of that on the features at the cut-off,
on tenure as it moves on, and on the interval itself gives the hazards, and these the risk.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.risk.design import lay_out, learn_terms, rotate
from csa.analysis.risk.intervals import Grid, Intervals, divide, horizon_grid
from csa.analysis.risk.rows import MOST_ROWS, Snapshots, as_snapshots, take_snapshots
from csa.analysis.risk.shrinkage import Shrunk, fit_shrunk, nothing_known
from csa.analysis.risk.terms import Term
from csa.methods.logrank import chi_square_tail

FloatArray = NDArray[np.float64]

STRONGEST = 1e6  # penalty of effects that the data show no sign of
MIN_CHURNED = 30  # accounts; with fewer a model is "unclear"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """How flexible a model may be.

    `knots` of each curve; `ridge`, the least penalty λ: λ/2 times the variance of each column's
    contribution between accounts is taken off the log-likelihood, which is little beside some
    dozens of churned accounts; `least_accounts` that a level of a category must have had;
    `most_rows` in memory; without `shrink` the penalty is the least one throughout.
    """

    knots: int = 4
    ridge: float = 1.0
    least_accounts: int = 20
    most_rows: int = MOST_ROWS
    shrink: bool = True


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RiskModel:
    """Hazard of churn per interval of the horizon, given what is known at a cut-off.

    `terms`: the features in use, `age_days` (tenure) first. `coefficients`: of the average
    account in the first interval, of the other intervals against the first, of the columns of
    the terms; `covariance` of these, by accounts. `table`: `feature`, `kind`, `columns`,
    `spread` (standard deviation of its contributions to the log-odds between snapshots),
    `chi_square`, `df`, `p_value` (of no effect), in order of `spread`. `notes` say what was left
    out, merged or sampled.
    """

    horizon_days: int
    interval_days: int
    grid: Grid
    features: tuple[str, ...]  # asked for
    terms: tuple[Term, ...]
    coefficients: FloatArray
    covariance: FloatArray
    as_of: date  # nothing later was used
    first_cutoff: date | None
    last_cutoff: date | None
    n: int  # snapshots
    accounts: int  # in the rows that were taken
    churned: int  # of these, within the horizon of a snapshot
    tuning: Tuning
    table: pd.DataFrame
    status: str
    reason: str
    notes: tuple[str, ...]

    @property
    def baseline(self) -> float:
        """Log-odds of churn per interval of the average account, mean over the intervals."""
        count = len(self.grid.starts)
        return float(self.coefficients[0] + self.coefficients[1:count].sum() / count)


def fit_risk(
    snapshots: ir.Table | pd.DataFrame,
    *,
    features: Sequence[str],
    horizon_days: int = 90,
    interval_days: int = 30,
    as_of: date | None = None,
    tuning: Tuning | None = None,
) -> RiskModel:
    """Fit the hazard of churn over the next days to snapshots of the past.

    Parameters
    ----------
    snapshots : ir.Table or DataFrame, one row per account and cut-off
        `account_id`, `cutoff_on`, `age_days`, `days_after`, `event` and the features.
    features : sequence of str
        Columns to predict from, besides tenure: numbers and flags as curves, text as levels.
    horizon_days, interval_days : int
        Days to look ahead, and the intervals of the hazard.
    as_of : date, optional
        Last day that may be used; default: the last day on which the snapshots know anything.
    tuning : Tuning, optional
        Knots, ridge, rare levels, rows in memory.

    Returns
    -------
    RiskModel
        "unclear" with a reason where too few accounts churned; constant features and features
        that follow from others are left out, as `notes` say.

    Raises
    ------
    InputError
        If a column is missing, of the wrong kind or no feature, a base column has missing
        values, or a key repeats.

    Notes
    -----
    logit h_k(x) = a + d_k + s(age + start_k) + Σ f_j(x_j) for interval k, with natural cubic
    splines s and f_j for numbers and one effect per level for text [1]_, [2]_. Intervals that are
    not over by `as_of` are not used, so that every cut-off counts as far as its outcome is known.
    The risk of the horizon is 1 - Π (1 - h_k). Accounts appear at several cut-offs and their
    churn in several horizons, hence a covariance by account (sandwich) [3]_. Effects are shrunk
    by as much as the data ask for, see `fit_shrunk`.

    References
    ----------
    .. [1] Singer, J. D., Willett, J. B. (1993). It's about time: using discrete-time survival
       analysis to study duration and the timing of events. J. Educ. Stat. 18(2), 155-195.
    .. [2] Harrell, F. E. (2015). Regression Modeling Strategies, 2nd ed., 2.4. Springer.
    .. [3] Liang, K.-Y., Zeger, S. L. (1986). Longitudinal data analysis using generalized linear
       models. Biometrika 73, 13-22.
    """
    tuned = tuning or Tuning()
    grid = horizon_grid(horizon_days, interval_days)
    table = as_snapshots(snapshots, features, outcome=True)
    taken = take_snapshots(
        table,
        horizon_days=horizon_days,
        first_days=float(grid.ends[0]),
        as_of=as_of,
        most=tuned.most_rows,
    )
    cells = divide(taken, grid)
    terms = learn_terms(taken, features, grid, knots=tuned.knots, least=tuned.least_accounts)
    found = _estimate(taken, cells, terms, grid, tuned)
    cutoffs = pd.to_datetime(taken.rows["cutoff_on"])
    churned = len(np.unique(taken.account[cells.row[cells.events > 0]]))
    reason = doubt(cells, grid, churned) or found.reason
    return RiskModel(
        horizon_days=horizon_days,
        interval_days=interval_days,
        grid=grid,
        features=tuple(features),
        terms=found.terms,
        coefficients=found.coefficients,
        covariance=found.covariance,
        as_of=taken.as_of,
        first_cutoff=cutoffs.min().date() if len(cutoffs) else None,
        last_cutoff=cutoffs.max().date() if len(cutoffs) else None,
        n=taken.n,
        accounts=int(taken.account.max(initial=-1)) + 1,
        churned=churned,
        tuning=tuned,
        table=found.table,
        status="unclear" if reason else "ok",
        reason=reason,
        notes=tuple(filter(None, (*(t.note for t in terms), *found.notes, taken.note))),
    )


class _Estimates(NamedTuple):
    """What was estimated, on the columns of the terms that are used."""

    terms: tuple[Term, ...]
    coefficients: FloatArray
    covariance: FloatArray
    table: pd.DataFrame
    notes: tuple[str, ...]
    reason: str


def doubt(cells: Intervals, grid: Grid, churned: int) -> str:
    """Say why a model of these intervals cannot be trusted, if so.

    Parameters
    ----------
    cells : Intervals
        Intervals at risk.
    grid : Grid
        Intervals of the horizon.
    churned : int
        Accounts that churned in them.

    Returns
    -------
    str
        Empty where it can.
    """
    seen = set(np.unique(cells.interval).tolist())
    if not seen:
        return "no cut-off with a first interval that is over"
    if churned < MIN_CHURNED:
        few = f"only {churned} accounts" if churned else "no account"
        return f"{few} churned within {grid.ends[-1]:g} days of a cut-off"
    if len(seen) < len(grid.starts):
        return f"no cut-off was watched for all {grid.ends[-1]:g} days"
    return ""


def _estimate(
    taken: Snapshots, cells: Intervals, terms: tuple[Term, ...], grid: Grid, tuned: Tuning
) -> _Estimates:
    """Fit the hazards; without any churn there is nothing to fit, and figures are NaN."""
    columns = lay_out(taken, cells, terms, grid)
    names = [interval_name(grid, k) for k in range(len(grid.starts))]
    names += [name for term in terms for name in term.names]
    turned = rotate(columns, cells.trials, names)
    owner = np.array(columns.owner)
    alive = set(owner[turned.kept].tolist()) | {-1}
    stays = np.isin(owner, list(alive))
    used = [i for i in range(len(terms)) if i in alive]
    fit = nothing_known(turned.matrix.shape[1])
    if cells.events.sum() > 0:
        fit = fit_shrunk(
            columns.turned(turned.matrix),
            cells.events,
            cells.trials,
            group=_groups(terms, len(grid.starts))[turned.kept],
            cluster=taken.account[cells.row],
            ridge=(tuned.ridge, STRONGEST if tuned.shrink else tuned.ridge),
        )
    back = turned.matrix[stays]
    coefficients = back @ fit.coefficients
    coefficients[np.setdiff1d(np.arange(len(grid.starts)), cells.interval)] = np.nan  # never seen
    return _Estimates(
        terms=tuple(terms[i] for i in used),
        coefficients=coefficients,
        covariance=back @ fit.covariance @ back.T,
        table=_summary([terms[i] for i in used], fit, owner[turned.kept], used),
        notes=turned.notes,
        reason=fit.reason,
    )


def _groups(terms: Sequence[Term], intervals: int) -> NDArray[np.int64]:
    """Group the columns that are shrunk together; -1: the average account, not shrunk.

    Lines and levels of all features are one group and bends of all curves another, so that how
    much to believe is learned from all of them: one feature alone says too little of that.
    """
    found = [-1, *([0] * (intervals - 1))]
    for term in terms:
        bends = max(len(term.knots) - 2, 0)
        lines = len(term.names) - bends - term.tells_missing
        found += [1] * lines + [2] * bends + [1] * term.tells_missing
    return np.array(found)


def interval_name(grid: Grid, k: int) -> str:
    """Name of an interval of the horizon.

    Parameters
    ----------
    grid : Grid
        From `horizon_grid`.
    k : int
        Which interval, from 0.

    Returns
    -------
    str
        Such as "days 31 to 60".
    """
    return f"days {grid.starts[k] + 1:g} to {grid.ends[k]:g}"


def _quadratic(vector: FloatArray, covariance: FloatArray) -> float:
    return float(vector @ np.linalg.pinv(np.nan_to_num(covariance)) @ vector)


def _summary(
    terms: list[Term], fit: Shrunk, owner: NDArray[np.int64], used: list[int]
) -> pd.DataFrame:
    """How much each feature moves the log-odds, and the test that it moves them at all."""
    found = []
    for term, place in zip(terms, used, strict=True):
        at = np.flatnonzero(owner == place)
        effect, bare = fit.coefficients[at], fit.bare[at]
        test = min(_quadratic(bare, spread[np.ix_(at, at)]) for spread in fit.bare_covariances)
        found.append(
            {
                "feature": term.feature,
                "kind": term.kind,
                "columns": len(at),
                "spread": float(np.sqrt(effect @ effect)),
                "chi_square": test,
                "df": len(at),
                "p_value": chi_square_tail(test, len(at)) if np.isfinite(test) else np.nan,
            }
        )
    columns = ["feature", "kind", "columns", "spread", "chi_square", "df", "p_value"]
    table = pd.DataFrame(found, columns=columns)
    return table.sort_values("spread", ascending=False, kind="stable", ignore_index=True)
