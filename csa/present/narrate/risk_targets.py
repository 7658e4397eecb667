"""The finding about precision, recall and F1: met, missed, or out of reach on these data."""

from typing import Final

from csa.analysis.risk.evaluation import Evaluation
from csa.analysis.risk.evaluation.verdict import Verdict, reachable_at
from csa.present.items import Finding, Measure, Status
from csa.present.names import capital
from csa.present.phrases import distance, number
from csa.present.words import Words

ENGLISH: Final = Words()
_JUDGED: Final[dict[str, Status]] = {"met": "good", "not met": "bad", "unclear": "unclear"}


def risk_targets(found: Verdict, result: Evaluation, *, words: Words = ENGLISH) -> Finding:
    """Say whether precision, recall and F1 reach their targets, and whether any list could.

    Parameters
    ----------
    found : Verdict
        From `csa.analysis.risk.evaluation.verdict.verdict`.
    result : Evaluation
        What it judges.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Good where all targets are met, bad where one is missed, else unclear.
    """
    ident, title = "risk-targets", "Precision of the flagged"
    row = found.table.set_index("metric").loc["precision"]
    measure = Measure(
        metric_id="risk_precision",
        value=number(row["value"]),
        low=number(row["ci_low"]),
        high=number(row["ci_high"]),
        n=result.n,
        unit="share",
        confidence=result.confidence,
        method=f"Wilson by account; threshold: {row['threshold_rule']}",
        target=found.targets.precision,
        better="higher",
    )
    unjudged = result.status != "ok" or result.signal != "signal"
    status: Status = "unclear" if unjudged else _JUDGED[found.status]
    return Finding(
        id=ident,
        kind="report",
        title=title,
        text=_targets_text(found, result, words),
        evidence=_targets_evidence(found, result, words),
        action=_targets_action(found, result, words),
        status=status,
        measure=None if unjudged else measure,
        weight=0.0 if unjudged else distance(measure),
    )


def _targets_text(found: Verdict, result: Evaluation, words: Words) -> str:
    aims = found.targets
    if result.status != "ok":
        return f"Whether the targets are met cannot be told: {result.reason}."
    if result.signal != "signal":
        return "Without a signal no list of accounts can meet the targets."
    best = reachable_at(result, "recall", aims.recall)
    at_best = (
        f"to find {words.percent(aims.recall)} of those who leave, at best "
        f"{words.percent(best.value)} of the accounts called would be leaving"
    )
    if found.reach == "not reachable":
        return f"The targets are not reachable on these data: {at_best}."
    if found.status == "met":
        return f"Precision, recall and F1 meet their targets; {at_best}."
    reach = "can be reached" if found.reach == "reachable" else "may or may not be reachable"
    verdict = "not met" if found.status == "not met" else "neither met nor missed for sure"
    return f"The targets are {verdict}, and {reach} with another threshold: {at_best}."


def _targets_evidence(found: Verdict, result: Evaluation, words: Words) -> str:
    if result.status != "ok" or result.signal != "signal":
        return capital(f"{found.sentence}.")
    parts = []
    for row in found.table.to_dict("records"):
        name = {"f1": "F1"}.get(row["metric"], row["metric"])
        between = words.interval(row["ci_low"], row["ci_high"], "share")
        parts.append(
            f"{name} {words.share(row['value'])} ({between}), target {words.percent(row['target'])}"
        )
    best = found.reachable
    at = (
        f"at recall {words.percent(found.targets.recall)} the best precision is "
        f"{words.share(best.value)} ({words.interval(best.low, best.high, 'share')})"
    )
    rule = f"Threshold: {found.table['threshold_rule'].iloc[0]}"
    return capital(f"{'; '.join(parts)}; {at}. {rule}. {_brief(result, words)}")


def _brief(result: Evaluation, words: Words) -> str:
    """Tell horizon, base rate and events, without which no such figure may be read."""
    return (
        f"Horizon {words.days(result.horizon_days)}, base rate "
        f"{words.share(result.base_rate.value)}: {words.number(result.events)} of "
        f"{words.number(result.n)} risks, out of time."
    )


def _targets_action(found: Verdict, result: Evaluation, words: Words) -> str:
    if result.status != "ok" or result.signal != "signal":
        return "Come back when more accounts have left under observation."
    if found.status == "met":
        return "Keep the threshold; judge it again when the predictions made now are due."
    line = result.lift.loc[result.lift["is_capacity"].astype(bool)]
    if line.empty:
        return "Judge the list by what a call costs and keeps, not by precision."
    row = line.iloc[0]
    return (
        "Judge the list by what a call costs and keeps: the "
        f"{words.number(row['accounts'])} accounts with the highest risk hold "
        f"{words.number(row['lift'], 1)} times as many leavers as {words.number(row['accounts'])} "
        "picked by lot."
    )
