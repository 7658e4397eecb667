"""Findings about renewals: what came of them, which come next, and how well they were foretold."""

from typing import Final

import pandas as pd

from csa.analysis.revenue.foretold import Foretold, expected_loss
from csa.analysis.revenue.renewals import Renewals
from csa.present.items import Finding, Measure, Status
from csa.present.judge import TargetLike, aimed, judged
from csa.present.money import amount
from csa.present.names import capital, named, plural
from csa.present.narrate.sales_shares import lowest, share_evidence, share_measure, total
from csa.present.phrases import distance, number
from csa.present.words import Words

ENGLISH: Final = Words()
LEAST: Final = 10


def renewal_rate(
    result: Renewals,
    *,
    target: TargetLike | None = None,
    period_label: str,
    words: Words = ENGLISH,
) -> Finding:
    """Say what share of the contracts whose renewal was settled was kept.

    Parameters
    ----------
    result : Renewals
        From `csa.analysis.revenue.renewals.renewals`.
    target : TargetLike, optional
        `targets: renewal_rate` of csa.yml.
    period_label : str
        "October 2026".
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Unclear where few were settled.
    """
    row = total(result.table)
    measure = share_measure(
        row,
        "renewal_rate",
        confidence=result.confidence,
        method=f"settled {result.grace_days} days after the day of renewal; Wilson",
        target=target,
    )
    n, lost, waits = measure.n, int(row["lost"]), int(row["open"])
    if measure.value is None:
        text = f"No renewal was settled in {period_label}."
    else:
        text = (
            f"Of {words.number(n)} {plural(n, 'contract')} whose renewal was settled in "
            f"{period_label}, {words.share(measure.value)} renewed and {words.number(lost)} "
            f"{plural(lost, 'was', 'were')} lost; {_revenue(row, words)}."
        )
    also = f" {words.number(waits)} more came up and are open: the grace runs." if waits else ""
    status: Status = judged(measure, least=LEAST) if row["status"] == "ok" else "unclear"
    where = lowest(result.table, words)
    return Finding(
        id="renewal-rate",
        kind="change",
        title="Renewal rate",
        text=text,
        evidence=share_evidence(row, measure, ("contract", None), words) + also,
        action=_action(measure, status, where),
        status=status,
        measure=measure,
        weight=distance(measure) if row["status"] == "ok" else 0.0,
    )


def _revenue(row: "pd.Series", words: Words) -> str:
    kept = words.share(number(row["revenue_rate"]))
    low, high = number(row["revenue_low"]), number(row["revenue_high"])
    between = f" ({words.interval(low, high, 'share')})" if low is not None else ""
    return f"{kept}{between} of {amount(row['due_minor'], words)} a month was kept"


def _action(measure: Measure, status: Status, where: str) -> str:
    if status in {"bad", "watch"}:
        return f"Start with {where}." if where else "Ask those that left why, and by when."
    if measure.target is None:
        return "Set a target to be judged by: targets: renewal_rate in csa.yml."
    if status == "good":
        return "Keep going."
    return "Judge a quarter instead of so few renewals, and see the calendar below."


def renewals_due(
    due: pd.DataFrame,
    *,
    names: pd.DataFrame,
    audience: str = "all",
    ahead_days: int = 90,
    words: Words = ENGLISH,
) -> Finding:
    """Say what comes up for renewal and how much of it is at risk.

    Parameters
    ----------
    due : DataFrame
        From `csa.analysis.revenue.foretold.with_risk`.
    names : DataFrame
        `account_id`, `name`, `owner` of the accounts in it.
    audience : str
        "external" is named no single account.
    ahead_days : int
        How far it looks ahead.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        An action that is due; without a verdict.
    """
    n, money = len(due), float(due["due_minor"].sum())
    loss, judged_ones = expected_loss(due)
    text = (
        f"{words.number(n)} {plural(n, 'contract')} worth {amount(money, words)} a month "
        f"{plural(n, 'comes', 'come')} up for renewal in the next {words.number(ahead_days)} days."
        if n
        else f"No contract comes up for renewal in the next {words.number(ahead_days)} days."
    )
    if judged_ones:
        seen = float(due.loc[due["risk"].notna(), "due_minor"].sum())
        evidence = (
            f"Counted. The risk model expects {amount(loss, words)} of {amount(seen, words)} a "
            f"month to go, over {words.number(judged_ones)} contracts that it has judged."
        )
    else:
        evidence = (
            "Counted. No risk is known: the risk chapter records one for every account when it "
            "runs in a report."
        )
    return Finding(
        id="renewals-due",
        kind="action",
        title="Renewals that come up",
        text=text,
        evidence=evidence,
        action=_first(due, names, audience, words),
        status="unclear",
        measure=Measure(
            metric_id="renewals_due",
            value=float(n),
            low=None,
            high=None,
            n=n,
            unit="count",
            confidence=0.95,
            method=f"contracts in force whose day of renewal is within {ahead_days} days",
        ),
    )


def _first(due: pd.DataFrame, names: pd.DataFrame, audience: str, words: Words) -> str:
    if not len(due):
        return "Nothing to do."
    if audience == "external":
        return "Talk to each of them before its day."
    by = "at_risk_minor" if due["risk"].notna().any() else "due_minor"
    row = due.sort_values([by, "due_on"], ascending=[False, True]).iloc[0]
    who = names.loc[names["account_id"] == row["account_id"]]
    name = named(who["name"].iloc[0]) if len(who) and pd.notna(who["name"].iloc[0]) else ""
    owner = who["owner"].iloc[0] if len(who) else None
    asked = f"{named(owner)}: talk" if pd.notna(owner) else "Talk"
    why = "has most at risk" if by == "at_risk_minor" else "is the largest"
    return (
        f"{asked} to {name or row['account_id']} first, due on {words.day(row['due_on'])}: it "
        f"{why} ({amount(row['due_minor'], words)} a month)."
    )


def renewal_forecast(
    result: Foretold, *, target: TargetLike | None = None, words: Words = ENGLISH
) -> Finding:
    """Say how well renewals were foretold.

    Parameters
    ----------
    result : Foretold
        From `csa.analysis.revenue.foretold.foretold`.
    target : TargetLike, optional
        `targets: renewal_forecast_error` of csa.yml.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        About the report and its forecasts.
    """
    n, accuracy = result.n, result.accuracy
    measure = aimed(
        Measure(
            metric_id="renewal_forecast_error",
            value=number(result.error),
            low=None,
            high=None,
            n=n,
            unit="share",
            confidence=result.confidence,
            method="mean absolute error of a contract as a share of what was forecast",
            better="lower",
        ),
        target,
    )
    missing = words.number(result.missing)
    if measure.value is None:
        text = f"Nothing tells how well renewals are foretold: {result.reason}."
    else:
        text = (
            f"{words.share(accuracy.value)} of the renewal revenue that was forecast came; a "
            f"single contract was {words.share(measure.value)} of its forecast off on average."
        )
    status: Status = judged(measure, least=LEAST) if result.status == "ok" else "unclear"
    return Finding(
        id="renewal-forecast",
        kind="report",
        title="Forecast of renewals",
        text=text,
        evidence=_forecast_evidence(result, words),
        action=f"Open an opportunity of kind renewal for each contract before its day: {missing} "
        "had none."
        if result.missing
        else "Keep a forecast for each renewal."
        if n
        else "Record renewals as opportunities of kind renewal, with what is at stake.",
        status=status,
        measure=measure,
    )


def _forecast_evidence(result: Foretold, words: Words) -> str:
    level, parts = words.share(result.confidence, 0), []
    if result.n:
        ends = words.interval(number(result.accuracy.low), number(result.accuracy.high), "share")
        parts.append(
            f"{level} interval {ends}; {words.number(result.n)} settled "
            f"{plural(result.n, 'renewal')} of the last months with a forecast."
        )
    if result.judged >= LEAST:
        lost = words.share(result.lost.value)
        ends = words.interval(result.lost.low, result.lost.high, "share")
        parts.append(
            f"The risk model had foretold {words.share(result.predicted)} lost of "
            f"{words.number(result.judged)}; {lost} were ({ends})."
        )
    if result.reason and result.n:
        parts.append(f"{capital(result.reason)}.")
    return " ".join(parts) or "No forecast was made before any day of renewal."
