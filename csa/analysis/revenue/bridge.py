"""Why a rate of revenue moved: within groups of accounts, or by the mix of groups."""

from dataclasses import dataclass, field, replace
from typing import Final, Literal

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.revenue.drawn import KEYS, Drawn, Draws, asked_for, draw, with_bins
from csa.analysis.revenue.months import Span, as_months
from csa.analysis.revenue.rates import RetentionResult
from csa.analysis.revenue.ratios import Ratio, effective_accounts
from csa.errors import InputError
from csa.methods.bootstrap import percentile_limits
from csa.methods.decompose import RatioChange, decompose_ratio
from csa.methods.intervals import Estimate

FloatArray = NDArray[np.float64]
Of = Literal["nrr", "grr", "arpa"]

PARTS: Final = ("within", "mix", "contribution")
ABOVE: Final = {"nrr": ("end", "start"), "grr": ("kept", "start"), "arpa": ("mrr", "n")}
TABLE: Final = (
    *("group", "weight", "previous_weight", "rate", "previous_rate"),
    *(f"{part}{end}" for part in PARTS for end in ("", "_low", "_high")),
    "sure",
)
NAN: Final = float("nan")
UNKNOWN: Final = Estimate(NAN, NAN, NAN)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Bridge:
    """The change of NRR, GRR (shares) or ARPA (minor units) since the period before, in parts.

    `table`: one row per group, the largest contribution first, whatever its sign: `group`,
    `weight`, `previous_weight` (its share of the revenue at the start, or of the accounts),
    `rate`, `previous_rate`, and with `_low` and `_high` each `within` (what the change of its own
    rate adds), `mix` (what the change of its weight adds), `contribution` (both); `sure`: its
    contribution leaves out 0 at a level for all groups together. The parts add up to `change`.
    """

    of: Of
    span: Span
    horizon_months: int
    table: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(TABLE)))
    rate: float = NAN
    previous_rate: float = NAN
    change: Estimate = UNKNOWN
    within: Estimate = UNKNOWN
    mix: Estimate = UNKNOWN
    confidence: float = 0.95
    status: str = "ok"
    reason: str = ""


def retention_bridge(
    result: RetentionResult, *, of: Literal["nrr", "grr"] = "nrr", horizon_months: int = 12
) -> Bridge:
    """Split the change of a retention into what groups did and what their mix did.

    Parameters
    ----------
    result : RetentionResult
        From `csa.analysis.revenue.rates.retention`; its draws are split as well.
    of : {"nrr", "grr"}
        Net or gross.
    horizon_months : int
        One of its horizons.

    Returns
    -------
    Bridge
        "unclear" with a reason and an empty table where there is no change to be explained.

    Raises
    ------
    InputError
        If the result has no such retention or horizon.

    Notes
    -----
    See `csa.methods.decompose.decompose_ratio`: no term is left over. Groups are those of today.
    Each replicate of the bootstrap over accounts is split as well; limits are percentiles.
    """
    if of not in ABOVE or horizon_months not in result.horizons:
        raise InputError(f"bridge: the result has no {of} over {horizon_months} months")
    at = 2 * result.horizons.index(horizon_months)
    sums = replace(
        result.sums,
        value=result.sums.value[:, at : at + 2],
        replicates=result.sums.replicates[:, :, at : at + 2],
        units=tuple(cube[:, at : at + 2] for cube in result.sums.units),
    )
    return _bridge(sums, of, result.span, (horizon_months, result.confidence))


def arpa_bridge(
    months: ir.Table | pd.DataFrame,
    *,
    span: Span,
    confidence: float = 0.95,
    draws: Draws | None = None,
) -> Bridge:
    """Split the change of the revenue per account that pays.

    Parameters
    ----------
    months : ir.Table or DataFrame, one row per account and month
        See `csa.analysis.revenue.months.as_months`.
    span : Span
        The period; its end is compared with that of the period before.
    confidence : float
        Level of all intervals, share in (0, 1).
    draws : Draws, optional
        Replicates and seed of the bootstrap.

    Returns
    -------
    Bridge
        As `retention_bridge`, of revenue over accounts, both at the end of the period.

    Raises
    ------
    InputError
        If a column is missing.
    """
    rows = as_months(months)
    ends = (span.last, span.previous_last)
    asked = asked_for([(last, last) for last in ends])
    paid = rows.filter(rows.mrr_minor > 0, rows.month.isin(ends))
    each = with_bins(paid.inner_join(asked, paid.month == asked.last), rows)
    one = each.mrr_minor.cast("float64")
    paying = each.group_by(*KEYS).agg(n=each.count(), mrr=one.sum())
    sums = draw(paying.to_pandas(), len(ends), draws)
    return _bridge(sums, "arpa", span, (0, confidence))


def _bridge(sums: Drawn, of: Of, span: Span, how: tuple[int, float]) -> Bridge:
    """Split a change and each of its replicates."""
    horizon, confidence = how
    above, below = ABOVE[of]
    reason = _nothing(sums, of)
    if reason:
        return Bridge(of=of, span=span, horizon_months=horizon, status="unclear", reason=reason)
    parts = _split(sums.stat(above), sums.stat(below))
    drawn = [_split(*pair) for pair in zip(sums.drawn(above), sums.drawn(below), strict=True)]
    limits = {name: np.array([getattr(d, name) for d in drawn]) for name in ("within", "mix")}
    terms = effective_accounts(sums, Ratio({above: 1.0}, below), 0, 1)
    return Bridge(
        table=_table(sums.groups[1:], parts, limits, (confidence, terms[1:])),
        of=of,
        horizon_months=horizon,
        rate=parts.ratio,
        previous_rate=parts.previous_ratio,
        change=_estimate(
            parts.change, np.array([d.change for d in drawn]), (confidence, terms[:1])
        ),
        within=_estimate(parts.within.sum(), limits["within"].sum(axis=1), (confidence, terms[:1])),
        mix=_estimate(parts.mix.sum(), limits["mix"].sum(axis=1), (confidence, terms[:1])),
        span=span,
        confidence=confidence,
        status="unclear" if span.reason else "ok",
        reason=span.reason,
    )


def _nothing(sums: Drawn, of: Of) -> str:
    """Say why there is no change to be explained, if so."""
    below = sums.stat(ABOVE[of][1])[0]
    if below[0] <= 0:
        return "no account paid at the start" if of != "arpa" else "no account pays"
    if below[1] <= 0:
        return "there is nothing to compare with in the period before"
    return "" if len(sums.groups) > 1 else "there is only one group"


def _split(above: FloatArray, below: FloatArray) -> RatioChange:
    """Split one replicate: groups without the total, now and before."""
    hits, sizes = above[1:], below[1:]
    return decompose_ratio((hits[:, 0], hits[:, 1]), (sizes[:, 0], sizes[:, 1]))


def _table(
    groups: tuple[str, ...],
    parts: RatioChange,
    drawn: dict[str, FloatArray],
    how: tuple[float, FloatArray],
) -> pd.DataFrame:
    """Write the parts, one row per group, largest first."""
    confidence, terms = how
    table = pd.DataFrame(
        {
            "group": groups,
            "weight": parts.weight,
            "previous_weight": parts.previous_weight,
            "rate": parts.rate,
            "previous_rate": parts.previous_rate,
        }
    )
    every = drawn | {"contribution": drawn["within"] + drawn["mix"]}
    for name in PARTS:
        found = percentile_limits(
            getattr(parts, name), every[name], confidence=confidence, effective=terms
        )
        table[name], table[f"{name}_low"], table[f"{name}_high"] = found
    level = 1 - (1 - confidence) / len(groups)
    strict = percentile_limits(
        parts.contribution, every["contribution"], confidence=level, effective=terms
    )
    table["sure"] = (strict.low > 0) | (strict.high < 0)
    order = table["contribution"].abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order, list(TABLE)].reset_index(drop=True)


def _estimate(value: float, drawn: FloatArray, how: tuple[float, FloatArray]) -> Estimate:
    confidence, terms = how
    found = percentile_limits(
        np.array([value]), drawn[:, None], confidence=confidence, effective=terms
    )
    return Estimate(*(float(x[0]) for x in found))
