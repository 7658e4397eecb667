"""Breadth: which of the launched features accounts use, and how many of them."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from csa.analysis.adoption.launched import launched_by
from csa.analysis.adoption.per_account import moments_by_group
from csa.analysis.adoption.windows import DAY, MIN_ACCOUNTS, Span
from csa.methods.intervals import wilson
from csa.methods.moments import Moments, ratio, ratio_change

MONTHS: Final = 3  # whole months in which a use counts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Breadth:
    """Features used in the last three whole months, by accounts that used any.

    `table`: `group`, `value` (features per account) with `ci_low`, `ci_high`, `previous` (three
    months before), `change` with `change_low`, `change_high`, `n` (accounts), `launched` (features
    at the end), `share` (value over launched), `status`, `reason`; `all` first. `features`:
    `feature`, `area`, `launched_on`, `accounts`, `n`, `share` of accounts with `ci_low`,
    `ci_high`, `previous`, `change` with `change_low`, `change_high` (missing for features not
    launched before the months compared), `days` (of use per person and month), most used first.
    `spread`: `features`, `accounts`. `first`, `last`: days of the months.
    """

    table: pd.DataFrame
    features: pd.DataFrame
    spread: pd.DataFrame
    first: date
    last: date
    span: Span
    confidence: float = 0.95


def breadth(
    months: ir.Table,
    launched: pd.DataFrame | None,
    *,
    span: Span,
    confidence: float = 0.95,
) -> Breadth:
    """Count the features that accounts use, of those launched.

    Parameters
    ----------
    months : ir.Table
        As the roll-up `feature_months` has them, with `group`.
    launched : DataFrame or None
        `feature`, `area`, `launched_on`; None: every feature that anybody ever used.
    span : Span
        The period; the months are the last three that are over on its last day known.
    confidence : float
        Level of the intervals, share in (0, 1).

    Returns
    -------
    Breadth
        Features that are not launched yet are absent.

    Notes
    -----
    Shares of accounts: Wilson. Means and changes: over accounts, those that count in both stretches
    of months taken together (see `csa.methods.moments`).
    """
    last = last_month(span.last)
    windows = {"now": (last - MONTHS + 1, last), "before": (last - 2 * MONTHS + 1, last - MONTHS)}
    used = _ever_used(months) if launched is None else _NONE
    lists = {
        name: launched_by(launched, used, _first(end + 1) - DAY)
        for name, (_, end) in windows.items()
    }
    pairs = _pairs(months, windows, lists).cache()
    one = pairs.group_by("account_id", "group").agg(
        used_now=pairs.now.sum(),
        used_before=pairs.before.sum(),
        here_now=(pairs.any_now.max() > 0).cast("int64"),
        here_before=(pairs.any_before.max() > 0).cast("int64"),
    )
    one = one.cache()
    sums = moments_by_group(one, [f"{c}_{e}" for c in ("used", "here") for e in windows])
    known = span.covers(_first(windows["before"][0]))
    rows = [_row(g, m, (span, confidence, len(lists["now"])), known=known) for g, m in sums.items()]
    users = one.filter(one.here_now > 0).select(features="used_now")
    spread = users.group_by("features").agg(accounts=users.count())
    flags = one.select("account_id", "here_now", "here_before")
    return Breadth(
        table=pd.DataFrame(rows, columns=_TABLE),
        features=_features(
            pairs.inner_join(flags, "account_id"), lists, sums, confidence, known=known
        ),
        spread=spread.order_by("features").to_pandas(),
        first=_first(windows["now"][0]),
        last=_first(last + 1) - DAY,
        span=span,
        confidence=confidence,
    )


def used_by_account(
    months: ir.Table, launched: pd.DataFrame | None, day: date
) -> tuple[ir.Table, int]:
    """Count the launched features that each account used in the last three whole months.

    Parameters
    ----------
    months : ir.Table
        As the roll-up `feature_months` has them.
    launched : DataFrame or None
        As for `breadth`.
    day : date
        Last day that is known.

    Returns
    -------
    table, number : ir.Table, int
        `account_id`, `features_used`, of accounts that used any; how many there are.
    """
    last = last_month(day)
    rows = months.filter(months.month > last - MONTHS, months.month <= last)
    used = _ever_used(months) if launched is None else _NONE
    there = launched_by(launched, used, _first(last + 1) - DAY)
    names = [str(f) for f in there["feature"]]
    rows = rows.filter(rows.feature.isin(names or [""]))
    return rows.group_by("account_id").agg(features_used=rows.feature.nunique()), len(names)


def last_month(day: date) -> int:
    """Find the last month that is over.

    Parameters
    ----------
    day : date
        Last day that is known.

    Returns
    -------
    int
        Its number, year x 12 + month - 1.
    """
    after = day + DAY
    return after.year * 12 + after.month - 2


_TABLE: Final = [
    *("group", "value", "ci_low", "ci_high", "previous", "change", "change_low", "change_high"),
    *("n", "launched", "share", "status", "reason"),
]


_NONE: Final = pd.DataFrame({"feature": [], "first_day": []})


def _ever_used(months: ir.Table) -> pd.DataFrame:
    """List the features that anybody ever used: a scan of all months, where there is no list."""
    used = months.group_by("feature").agg(first_day=months.first_day.min())
    found: pd.DataFrame = used.to_pandas()
    return found


def _first(month: int) -> date:
    return date(month // 12, month % 12 + 1, 1)


def _pairs(
    months: ir.Table,
    windows: dict[str, tuple[int, int]],
    lists: dict[str, pd.DataFrame],
) -> ir.Table:
    """Accounts and features, with whether the account used it, or any, in each window."""
    rows = months.filter(months.month >= windows["before"][0], months.month <= windows["now"][1])
    marks: dict[str, ir.Value] = {}
    for name, (first, end) in windows.items():
        inside = (rows.month >= first) & (rows.month <= end)
        names = [str(f) for f in lists[name]["feature"]]
        there = rows.feature.isin(names or [""])
        marks[name] = (inside & there).max().cast("int64")
        marks[f"any_{name}"] = inside.max().cast("int64")
    person = rows.user_id.notnull() & (rows.month >= windows["now"][0])  # noqa: PD004
    return rows.group_by("account_id", "group", "feature").agg(
        **marks, days=rows.days.sum(where=person), people=rows.days.count(where=person)
    )


def _row(
    group: str, found: Moments, look: tuple[Span, float, int], *, known: bool
) -> dict[str, Any]:
    span, confidence, launched = look
    now, before = ("used_now", "here_now"), ("used_before", "here_before")
    value = ratio(found, *now, confidence=confidence)
    row: dict[str, Any] = {"group": group, "value": value.value}
    row |= {"ci_low": value.low, "ci_high": value.high}
    if known:
        change = ratio_change(found, now, before, confidence=confidence)
        row |= {"previous": value.value - change.value, "change": change.value}
        row |= {"change_low": change.low, "change_high": change.high}
    n = int(found.sum("here_now"))
    late = span.reason if "not over" not in span.reason else ""  # whole months are over
    reason = late or (f"only {n} accounts" if n < MIN_ACCOUNTS else "")
    return row | {
        "n": n,
        "launched": launched,
        "share": value.value / launched if launched else float("nan"),
        "status": "unclear" if reason else "ok",
        "reason": reason,
    }


def _features(
    pairs: ir.Table,
    lists: dict[str, pd.DataFrame],
    sums: dict[str, Moments],
    confidence: float,
    *,
    known: bool,
) -> pd.DataFrame:
    """One row per feature that is launched, whether anybody uses it or not."""
    counted = pairs.group_by("feature").agg(
        accounts=pairs.now.sum(),
        accounts_before=pairs.before.sum(),
        both=(pairs.now * pairs.before).sum(),
        now_there_before=(pairs.now * pairs.here_before).sum(),
        before_there_now=(pairs.before * pairs.here_now).sum(),
        days=pairs.days.sum(),
        people=pairs.people.sum(),
    )
    rows = lists["now"].merge(counted.to_pandas(), on="feature", how="left")
    counts = [*_COUNTS, "days", "people"]
    rows[counts] = rows[counts].fillna(0).astype(float)
    total = next(iter(sums.values()), None)
    n, n_before = (total.sum(f"here_{e}") if total else 0.0 for e in ("now", "before"))
    share = wilson(rows["accounts"], np.full(len(rows), n), confidence=confidence)
    old = set(lists["before"]["feature"]) if known and n_before else set()
    changes = [
        _change(row, total, confidence) if row["feature"] in old and total else _UNKNOWN
        for _, row in rows.iterrows()
    ]
    made = rows.assign(
        n=int(n),
        share=share.value,
        ci_low=share.low,
        ci_high=share.high,
        previous=[s - c[0] for s, c in zip(np.atleast_1d(share.value), changes, strict=True)],
        change=[c[0] for c in changes],
        change_low=[c[1] for c in changes],
        change_high=[c[2] for c in changes],
        days=rows["days"].where(rows["people"] > 0) / rows["people"].where(rows["people"] > 0),
    ).drop(columns=[*_COUNTS[1:], "people"])
    made["accounts"] = made["accounts"].astype("int64")
    return made.sort_values(["share", "feature"], ascending=[False, True], ignore_index=True)


_COUNTS: Final = ("accounts", "accounts_before", "both", "now_there_before", "before_there_now")
_UNKNOWN: Final = (float("nan"), float("nan"), float("nan"))


def _change(row: "pd.Series[Any]", total: Moments, confidence: float) -> tuple[float, float, float]:
    """Change of the share of accounts that use a feature, account by account.

    Of marks that are 1 or 0 the sums of products are counts of accounts with both marks.
    """
    now, before, both, now_there, there_now = (float(row[c]) for c in _COUNTS)
    here = [total.names.index(f"here_{e}") for e in ("now", "before")]
    n_now, n_before = (float(total.total[i]) for i in here)
    stay = float(total.product[here[0], here[1]])
    product = [
        [now, now, both, now_there],
        [now, n_now, there_now, stay],
        [both, there_now, before, before],
        [now_there, stay, before, n_before],
    ]
    made = Moments(
        n=total.n,
        names=("used", "here", "used_before", "here_before"),
        total=np.array([now, n_now, before, n_before]),
        product=np.array(product),
    )
    found = ratio_change(
        made, ("used", "here"), ("used_before", "here_before"), confidence=confidence
    )
    return found.value, found.low, found.high
