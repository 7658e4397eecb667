"""Tables of the accounts to call, of revenue at risk by group, and of what drives risk."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from csa.analysis.risk.model import RiskModel
from csa.analysis.risk.revenue import RevenueAtRisk
from csa.present.call_list import NOT_STATED, CallList
from csa.present.columns import Column
from csa.present.driver_words import FeatureLike, feature_value, meaning
from csa.present.items import Table
from csa.present.money import major
from csa.present.names import capital, plural
from csa.present.table_rows import group_names, pairs, total_last
from csa.present.words import Words, known

ENGLISH: Final = Words()
NOBODY: Final = "No account is worth a call."
SIGNS: Final = 12  # in a table
LIKELY: Final = 0.01  # p-values below this are written as such
REAL: Final = 0.05


def accounts_to_call(listed: CallList, *, words: Words = ENGLISH) -> Table:
    """List the accounts to call, with risk, revenue, reasons, owner and next step.

    Parameters
    ----------
    listed : CallList
        From `csa.present.call_list.call_list`.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        Most gain first; for readers outside, counts by segment instead of accounts.
    """
    ident = "accounts-to-call-list"
    empty = f"No list: {listed.withheld}." if listed.withheld else NOBODY
    if listed.external:
        return _by_segment(listed, ident, empty, words)
    rows = listed.to_call
    columns = [
        Column("account", "Account"),
        Column("risk", "Risk", "share"),
        Column("interval", f"{words.share(listed.confidence, 0)} interval", "interval", "share"),
        Column("mrr", "MRR", "money"),
        Column("why", "Why"),
        Column("next_step", "Next step"),
        Column("owner", "Owner"),
    ]
    return Table(
        id=ident,
        title="Accounts to call this week",
        columns=tuple(columns),
        rows=rows.assign(interval=pairs(rows, "ci_low", "ci_high")),
        note=_list_note(listed, words),
        empty=empty,
        words=words,
    )


def _list_note(listed: CallList, words: Words) -> str:
    if listed.rows.empty:
        return ""
    rest = listed.above - len(listed.to_call)
    parts = [
        f"Risk: chance to leave within {words.days(listed.horizon_days)}.",
        "Why: what raises the risk most against the average account, strongest first.",
    ]
    if rest > 0:
        are = "is" if rest == 1 else "are"
        parts.append(
            f"{words.number(rest)} more {plural(rest, 'account')} {are} worth a call; the file "
            "with the numbers behind the drawing lists them."
        )
    return " ".join(parts)


def _by_segment(listed: CallList, ident: str, empty: str, words: Words) -> Table:
    """Count the accounts worth a call: readers outside see no single one."""
    rows = listed.rows.assign(segment=listed.rows["segment"].fillna(NOT_STATED))
    counted = rows.groupby("segment", as_index=False).agg(
        now=("act", "sum"), above=("act", "size"), mrr=("mrr", "sum")
    )
    return Table(
        id=ident,
        title="Accounts to call this week, by segment",
        columns=(
            Column("segment", "Segment"),
            Column("now", "To call this week", "integer"),
            Column("above", "Worth a call", "integer"),
            Column("mrr", "Their MRR", "money"),
        ),
        rows=counted.sort_values("above", ascending=False, ignore_index=True),
        empty=empty,
        words=words,
    )


def revenue_at_risk(result: RevenueAtRisk, *, by: str = "segment", words: Words = ENGLISH) -> Table:
    """Revenue that is expected to leave, by group.

    Parameters
    ----------
    result : RevenueAtRisk
        From `csa.analysis.risk.revenue.revenue_at_risk`.
    by : str
        What the groups are.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        One row per group, all accounts last.
    """
    rows = total_last(result.table)
    money = ["mrr_minor", "at_risk_minor", "ci_low", "ci_high", "range_low", "range_high"]
    rows = rows.assign(
        group=group_names(rows),
        **{name: [major(x, words) for x in rows[name]] for name in money},  # type: ignore[arg-type]
    )
    rows = rows.assign(
        interval=pairs(rows, "ci_low", "ci_high"), may=pairs(rows, "range_low", "range_high")
    )
    level = words.share(result.confidence, 0)
    return Table(
        id="revenue-at-risk-by-group",
        title=f"Recurring revenue expected to leave within {words.days(result.horizon_days)}",
        columns=(
            Column("group", by.capitalize()),
            Column("n", "Accounts", "integer"),
            Column("mrr_minor", "MRR", "money"),
            Column("expected_churn", "Leaving", "number"),
            Column("at_risk_minor", "Leaving MRR", "money"),
            Column("interval", f"{level} interval", "interval", "money"),
            Column("share", "Share", "share"),
            Column("may", "With chance", "interval", "money"),
        ),
        rows=rows,
        note=_revenue_note(rows),
        empty="No account is a customer on the last day.",
        words=words,
    )


def _revenue_note(rows: pd.DataFrame) -> str:
    told = list(dict.fromkeys(capital(f"{reason}.") for reason in rows["reason"] if reason))
    if told or rows.empty:
        return " ".join(told)
    return (
        "Leaving: accounts, and their revenue a month, that are expected to leave. With chance: "
        "what may leave in the end, since chance decides on single accounts."
    )


def risk_drivers(
    model: RiskModel,
    features: Sequence[FeatureLike],
    left_out: Mapping[str, str],
    *,
    words: Words = ENGLISH,
) -> Table:
    """List the signs of the model, strongest first, and what is not in it and why.

    Parameters
    ----------
    model : RiskModel
        From `csa.analysis.risk.fit_risk`.
    features : sequence of FeatureLike
        Declarations of the features.
    left_out : mapping of str
        Features that could not be made, with the reason.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        One row per sign.
    """
    declared = {f.name: f for f in features}
    usual = {term.feature: term.typical for term in model.terms}
    told = model.table if model.status == "ok" else model.table.head(0)
    table = told.head(SIGNS)
    rows = table.assign(
        sign=[capital(meaning(declared.get(name), name)) for name in table["feature"]],
        usual=[
            feature_value(declared.get(name), name, usual.get(name), words)
            for name in table["feature"]
        ],
        factor=[words.number(x, 2) for x in np.exp(table["spread"])],
        real=[_real(p, words) for p in table["p_value"]],
    )
    weaker = len(told) - len(table)
    return Table(
        id="risk-drivers-list",
        title="Signs of risk, strongest first",
        columns=(
            Column("sign", "Sign"),
            Column("usual", "Usual"),
            Column("factor", "Factor on the odds"),
            Column("real", "More than chance?"),
        ),
        rows=rows,
        note=" ".join(filter(None, [*_factor_note(rows, weaker), *_left(declared, left_out)])),
        empty=capital(f"{model.reason or 'no sign is in the model'}."),
        words=words,
    )


def _real(p: Any, words: Words) -> str:
    if not known(p):
        return "not known"
    if p < LIKELY:
        return f"yes, p < {words.number(LIKELY, 2)}"
    return f"{'yes' if p < REAL else 'no'}, p = {words.number(p, 2)}"


def _factor_note(rows: pd.DataFrame, weaker: int) -> Iterator[str]:
    if rows.empty:
        return
    yield (
        "The factor is typical: that of an account one standard deviation of effects away from "
        "the average."
    )
    if weaker:
        yield f"{weaker} weaker {plural(weaker, 'sign')} {plural(weaker, 'is', 'are')} not listed."


def _left(declared: dict[str, FeatureLike], left_out: Mapping[str, str]) -> Iterator[str]:
    """Tell attributes as of today, and what is not in the model."""
    told = [meaning(f, f.name) for f in declared.values() if getattr(f, "undated", False)]
    if told:
        yield f"As of today, since nobody dated them: {', '.join(told)}."
    yield _absent(left_out)


def _absent(left_out: Mapping[str, str]) -> str:
    """Count the signs that are left out by what they lack; the way out stands in the settings."""
    lacking = Counter(reason.splitlines()[0].partition(";")[0] for reason in left_out.values())
    told = [f"{n} {plural(n, 'sign')}, since {reason}" for reason, n in lacking.most_common()]
    return f"Not in the model: {'; '.join(told)}." if told else ""
