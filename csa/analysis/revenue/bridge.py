"""Why a rate of revenue moved: within groups of accounts, or by the mix of groups."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.revenue.drawn import KEYS, Drawn, Draws, asked_for, draw, with_bins
from csa.analysis.revenue.locked import locked_sums
from csa.analysis.revenue.months import Span, as_months
from csa.errors import InputError
from csa.methods.bootstrap import percentile_limits
from csa.methods.decompose import RatioChange, decompose_ratio
from csa.methods.intervals import Estimate

FloatArray = NDArray[np.float64]
Of = Literal["nrr", "grr", "arpa"]

PARTS: Final = ("within", "mix", "contribution")
RATIOS: Final = {"nrr": ("end", "start"), "grr": ("kept", "start"), "arpa": ("mrr", "n")}
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

    table: pd.DataFrame
    of: Of
    horizon_months: int
    rate: float
    previous_rate: float
    change: Estimate
    within: Estimate
    mix: Estimate
    span: Span
    confidence: float = 0.95
    status: str = "ok"
    reason: str = ""


def bridge(
    months: ir.Table | pd.DataFrame,
    *,
    span: Span,
    of: Of = "nrr",
    horizon_months: int = 12,
    confidence: float = 0.95,
    draws: Draws | None = None,
) -> Bridge:
    """Split the change of a rate of revenue into what groups did and what their mix did.

    Parameters
    ----------
    months : ir.Table or DataFrame, one row per account and month
        See `csa.analysis.revenue.months.as_months`.
    span : Span
        The period; its end is compared with that of the period before.
    of : {"nrr", "grr", "arpa"}
        Net or gross revenue retention over the horizon, or revenue per account that pays.
    horizon_months : int
        Months of the retention; without meaning for `arpa`.
    confidence : float
        Level of all intervals, share in (0, 1).
    draws : Draws, optional
        Replicates and seed of the bootstrap.

    Returns
    -------
    Bridge
        "unclear" with a reason and an empty table where there is no change to be explained.

    Raises
    ------
    InputError
        If a column is missing, or `of` is none of these.

    Notes
    -----
    See `csa.methods.decompose.decompose_ratio`: no term is left over. Groups are those of today.
    Each replicate of a Poisson bootstrap over accounts is split as well; limits are percentiles.
    """
    if of not in get_args(Of):
        raise InputError(f'bridge: "{of}" is none of {", ".join(get_args(Of))}')
    rows = as_months(months)
    sums = _sums(rows, span, of, horizon_months, draws)
    common = {"of": of, "horizon_months": horizon_months, "span": span, "confidence": confidence}
    if reason := _nothing(sums, of):
        return Bridge(
            table=pd.DataFrame(columns=list(TABLE)),
            rate=NAN,
            previous_rate=NAN,
            change=UNKNOWN,
            within=UNKNOWN,
            mix=UNKNOWN,
            status="unclear",
            reason=reason,
            **common,  # type: ignore[arg-type]
        )
    above, below = RATIOS[of]
    parts = _split(sums.stat(above), sums.stat(below))
    drawn = [_split(*pair) for pair in zip(sums.drawn(above), sums.drawn(below), strict=True)]
    limits = {name: np.array([getattr(d, name) for d in drawn]) for name in ("within", "mix")}
    return Bridge(
        table=_table(sums.groups[1:], parts, limits, confidence),
        rate=parts.ratio,
        previous_rate=parts.previous_ratio,
        change=_estimate(parts.change, np.array([d.change for d in drawn]), confidence),
        within=_estimate(parts.within.sum(), limits["within"].sum(axis=1), confidence),
        mix=_estimate(parts.mix.sum(), limits["mix"].sum(axis=1), confidence),
        status="unclear" if span.reason else "ok",
        reason=span.reason,
        **common,  # type: ignore[arg-type]
    )


def _sums(rows: ir.Table, span: Span, of: Of, horizon: int, draws: Draws | None) -> Drawn:
    """Make sums at the end of the period and of the one before."""
    ends = (span.last, span.previous_last)
    if of != "arpa":
        return locked_sums(rows, [(last - horizon + 1, last) for last in ends], draws=draws)
    asked = asked_for([(last, last) for last in ends])
    each = rows.filter(rows.mrr_minor > 0).inner_join(asked, rows.month == asked.last)
    sums = with_bins(each).group_by(*KEYS)
    paying = sums.agg(n=each.count(), mrr=each.mrr_minor.cast("float64").sum())
    return draw(paying.to_pandas(), len(ends), draws)


def _nothing(sums: Drawn, of: Of) -> str:
    """Say why there is no change to be explained, if so."""
    below = sums.stat(RATIOS[of][1])[0]
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
    groups: tuple[str, ...], parts: RatioChange, drawn: dict[str, FloatArray], confidence: float
) -> pd.DataFrame:
    """Write the parts, one row per group, largest first."""
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
        found = percentile_limits(getattr(parts, name), every[name], confidence=confidence)
        table[name], table[f"{name}_low"], table[f"{name}_high"] = found
    level = 1 - (1 - confidence) / len(groups)
    strict = percentile_limits(parts.contribution, every["contribution"], confidence=level)
    table["sure"] = (strict.low > 0) | (strict.high < 0)
    order = table["contribution"].abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order, list(TABLE)].reset_index(drop=True)


def _estimate(value: float, drawn: FloatArray, confidence: float) -> Estimate:
    found = percentile_limits(np.array([value]), drawn[:, None], confidence=confidence)
    return Estimate(*(float(x[0]) for x in found))
