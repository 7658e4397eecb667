"""Uptake of features: how long accounts take from a launch to their first use."""

from dataclasses import dataclass
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from csa.analysis.adoption.launched import launched_by
from csa.analysis.adoption.windows import MIN_ACCOUNTS, Span
from csa.methods.lifetable import connected_part, tabulate
from csa.methods.survival import SurvivalCurve, kaplan_meier, quantile

AGES: Final = (30, 90, 180, 365)  # days
LEAST: Final = 10  # accounts without the feature that carry a curve
SEEN: Final = 0.1  # of the accounts that have used a feature by an age, or are watched then
NAN: Final = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Uptake:
    """Share of eligible accounts that used a feature, by days since they could.

    `table`: `feature`, `area`, `launched_on`, `accounts` (eligible), `used` (by the last day),
    `days`, `share` with `ci_low`, `ci_high` at each of `ages` (missing where hardly any account
    was watched so long), `median_days` (missing: not half of them),
    `left_out` (accounts that could use it before use was recorded), `status`, `reason`; newest
    first. `curves`: `feature`, `time_days`, `share`, `ci_low`, `ci_high`, `at_risk`. `untimed`:
    features launched so long ago that no account was watched from its first day.
    """

    table: pd.DataFrame
    curves: pd.DataFrame
    ages: tuple[int, ...]
    untimed: tuple[str, ...]
    span: Span
    confidence: float = 0.95


def uptake(
    months: ir.Table,
    customers: ir.Table,
    launched: pd.DataFrame | None,
    *,
    span: Span,
    confidence: float = 0.95,
) -> Uptake:
    """Time from when an account could use a feature to its first use, by feature.

    Parameters
    ----------
    months : ir.Table
        As the roll-up `feature_months` has them.
    customers : ir.Table
        Times as a customer: `account_id`, `start_on`, `end_on` (missing: runs on),
        `observed_from` (missing: always).
    launched : DataFrame or None
        `feature`, `area`, `launched_on`. Without it, and for features without a day of launch,
        nobody knows since when a feature could be used, and they are absent.
    span : Span
        Up to its last day known.
    confidence : float
        Level of the intervals, share in (0, 1).

    Returns
    -------
    Uptake
        Features not launched yet are absent.

    Notes
    -----
    An account is eligible from the launch or its first day as a customer, whichever is later; that
    day is day 1. The product-limit estimate 1 - S(t): accounts that left, or have not used the
    feature by the last day known, are censored at that day, so it is the share among accounts that
    stay. An account is at risk from the day on which it came under observation (delayed entry).
    Accounts that could use the feature before use was recorded are left out: their first use may
    lie before.

    References
    ----------
    .. [1] Kaplan, E. L., Meier, P. (1958). J. Am. Stat. Assoc. 53, 457-481.
    """
    table = launched_by(launched, pd.DataFrame({"feature": [], "first_day": []}), span.last)
    table = table.loc[table["launched_on"].notna()].sort_values("launched_on", ascending=False)
    counts, left_out = _counts(months, customers, table, span)
    rows, curves, untimed = [], [], []
    for feature in table.to_dict("records"):
        own = counts.loc[counts["feature"] == feature["feature"]]
        if own.empty:
            untimed.append(str(feature["feature"]))
            continue
        row, curve = _row(own, span, confidence)
        out = int(left_out.get(feature["feature"], 0))
        rows += [{**feature, **line, "left_out": out} for line in row]
        curves.append(curve.assign(feature=feature["feature"]))
    names = ["feature", "time_days", "share", "ci_low", "ci_high", "at_risk"]
    return Uptake(
        table=pd.DataFrame(rows, columns=_TABLE),
        curves=pd.concat(curves, ignore_index=True)[names]
        if curves
        else pd.DataFrame(columns=names),
        ages=AGES,
        untimed=tuple(untimed),
        span=span,
        confidence=confidence,
    )


_TABLE: Final = [
    *("feature", "area", "launched_on", "accounts", "used", "days", "share", "ci_low", "ci_high"),
    *("median_days", "left_out", "status", "reason"),
]


def _counts(
    months: ir.Table, customers: ir.Table, launched: pd.DataFrame, span: Span
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Count accounts by feature, days to first use, whether used, and days before observation."""
    empty = pd.DataFrame(columns=["feature", "duration", "event", "entry", "n"])
    if launched.empty or span.first_used is None:
        return empty, {}
    last, begun = ibis.literal(span.last), ibis.literal(span.first_used)
    known = customers.filter(customers.start_on <= last)
    one = known.group_by("account_id").agg(
        start=known.start_on.min(),
        end=ibis.ifelse(known.end_on.isnull().max(), ibis.null("date"), known.end_on.max()),  # noqa: PD003
        seen=known.observed_from.max(),
    )
    rows = months.filter(months.first_day <= last)
    first = rows.group_by("account_id", "feature").agg(first_use=rows.first_day.min())
    days = launched[["feature", "launched_on"]].assign(
        launched_on=pd.to_datetime(launched["launched_on"]).dt.date
    )
    features = ibis.memtable(days, schema={"feature": "string", "launched_on": "date"})
    pairs = one.cross_join(features).left_join(first, ["account_id", "feature"])
    since = ibis.greatest(pairs.launched_on, pairs.start)
    watched = ibis.least(ibis.coalesce(pairs.end, last), last)
    pairs = pairs.select("feature", "first_use", "seen", since=since, watched=watched)
    pairs = pairs.filter(pairs.watched >= pairs.since)
    early = pairs.filter(pairs.since < begun).group_by("feature").agg(n=lambda t: t.count())
    left_out = early.to_pandas().set_index("feature")["n"]
    late = pairs.filter(pairs.since >= begun)
    used = late.first_use <= late.watched
    used = ibis.coalesce(used, False)
    end = ibis.ifelse(used, ibis.greatest(late.first_use, late.since), late.watched)
    entry = ibis.coalesce(late.seen.delta(late.since, unit="day"), 0)
    spells = late.select(
        "feature",
        duration=end.delta(late.since, unit="day") + 1,
        event=used,
        entry=ibis.greatest(entry, 0),
    )
    spells = spells.filter(spells.duration > spells.entry)
    keys = ["feature", "duration", "event", "entry"]
    counted: pd.DataFrame = spells.group_by(keys).agg(n=spells.count()).to_pandas()
    return counted, {str(k): int(v) for k, v in left_out.items()}


def _row(
    own: pd.DataFrame, span: Span, confidence: float
) -> tuple[list[dict[str, Any]], pd.DataFrame]:
    whole = tabulate(
        own["duration"].to_numpy(float),
        own["event"].to_numpy(bool),
        entry=own["entry"].to_numpy(float),
        count=own["n"].to_numpy("int64"),
    )
    table, why = connected_part(whole, LEAST)
    curve = kaplan_meier(table, confidence=confidence)
    accounts = int(own["n"].sum())
    used = int(own.loc[own["event"].astype(bool), "n"].sum())
    reason = f"only {accounts} eligible accounts" if accounts < MIN_ACCOUNTS else why
    late = span.reason if "not over" not in span.reason else ""
    common = {
        "accounts": accounts,
        "used": used,
        "median_days": quantile(curve).value if len(table.time) else NAN,
        "status": "unclear" if late or accounts < MIN_ACCOUNTS else "ok",
        "reason": late or reason,
    }
    return [{**common, "days": age, **_at(curve, age, accounts)} for age in AGES], _drawn(curve)


def _at(curve: SurvivalCurve, age: int, accounts: int) -> dict[str, float]:
    """Share that used by an age; unknown where nearly all were lost from sight before."""
    table = curve.table
    so_far = int(table.events[table.time <= age].sum()) + int(table.at_risk_at(age))
    if not len(table.time) or so_far < max(LEAST, SEEN * accounts):
        return {"share": NAN, "ci_low": NAN, "ci_high": NAN}
    found = curve.at(age)
    return {"share": 1 - found.value, "ci_low": 1 - found.high, "ci_high": 1 - found.low}


def _drawn(curve: SurvivalCurve) -> pd.DataFrame:
    """Take the part of the curve that enough accounts carry."""
    enough = curve.table.at_risk >= LEAST
    keep = np.cumprod(enough).astype(bool) if len(enough) else enough
    return pd.DataFrame(
        {
            "time_days": curve.table.time[keep],
            "share": 1 - curve.survival[keep],
            "ci_low": 1 - curve.ci_high[keep],
            "ci_high": 1 - curve.ci_low[keep],
            "at_risk": curve.table.at_risk[keep],
        }
    )
