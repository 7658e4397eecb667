"""Findings about trials: what share became customers, and what that returns on its cost."""

from typing import Final

from csa.analysis.revenue.time_to import TimeTo
from csa.analysis.revenue.trial_return import TrialReturn
from csa.analysis.revenue.trials import TrialRate
from csa.present.items import Finding, Measure, Status
from csa.present.judge import TargetLike, judged
from csa.present.money import amount, major
from csa.present.narrate.sales_shares import lowest, share_evidence, share_measure, total
from csa.present.phrases import distance, number
from csa.present.words import Words

ENGLISH: Final = Words()
LEAST: Final = 10


def trial_to_paid(
    result: TrialRate,
    curve: TimeTo | None = None,
    *,
    target: TargetLike | None = None,
    period_label: str,
    words: Words = ENGLISH,
) -> Finding:
    """Say what share of the trials that had the time became customers.

    Parameters
    ----------
    result : TrialRate
        From `csa.analysis.revenue.trials.trial_to_paid`.
    curve : TimeTo, optional
        From `csa.analysis.revenue.time_to.time_to_conversion`: of a longer time.
    target : TargetLike, optional
        `targets: trial_to_paid` of csa.yml.
    period_label : str
        "October 2026".
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Unclear where few trials came of age.
    """
    row = total(result.table)
    measure = share_measure(
        row,
        "trial_to_paid",
        confidence=result.confidence,
        method=f"mature trials: converted within {result.within_days} days; Wilson",
        target=target,
    )
    days, young = words.number(result.within_days), result.months
    waiting = int((young["n"] - young["mature"]).sum())
    if measure.value is None:
        text = f"No trial came to an age of {days} days in {period_label}, so none is judged."
    else:
        text = (
            f"{words.share(measure.value)} of the trials that came to an age of {days} days in "
            f"{period_label} had become customers ({words.number(int(row['converted']))} of "
            f"{words.number(measure.n)})."
        )
    also = f" {words.number(waiting)} younger trials are not judged yet." if waiting else ""
    also += _longer(curve, words)
    status: Status = judged(measure, least=LEAST) if row["status"] == "ok" else "unclear"
    return Finding(
        id="trial-to-paid",
        kind="change",
        title="Trials that became customers",
        text=text,
        evidence=share_evidence(row, measure, ("trial", None), words) + also,
        action=_action(result, measure, status, words),
        status=status,
        measure=measure,
        weight=distance(measure) if row["status"] == "ok" else 0.0,
    )


def _longer(curve: TimeTo | None, words: Words) -> str:
    """Say what the curve of a longer time reads at the same age."""
    row = None if curve is None else total(curve.table)
    if curve is None or row is None or row["status"] != "ok":
        return ""
    ends = words.interval(row["ci_low"], row["ci_high"], "share")
    return (
        f" Of all {words.number(int(row['n']))} trials on the curve, {words.share(row['share'])} "
        f"({ends}) had by that age."
    )


def _action(result: TrialRate, measure: Measure, status: Status, words: Words) -> str:
    where = lowest(result.table, words)
    if status in {"bad", "watch"}:
        return f"Start with {where}." if where else "Ask trials that ended what they missed."
    if measure.target is None:
        return "Set a target to be judged by: targets: trial_to_paid in csa.yml."
    if status == "good":
        return "Keep going."
    return "Judge a quarter, or the curve below, instead of so few trials."


def trial_return(result: TrialReturn, *, words: Words = ENGLISH) -> Finding:
    """Say what a free trial returns on its cost.

    Parameters
    ----------
    result : TrialReturn
        From `csa.analysis.revenue.trial_return.trial_return`.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Unclear where the cost of a trial is not stated, or the interval holds nought.
    """
    row = total(result.table)
    worth, net = number(row["worth_minor"]), number(row["net_minor"])
    low, high = number(row["net_minor_low"]), number(row["net_minor_high"])
    title = "Return on free trials"
    if net is None:
        brought = number(row["per_trial_minor"])
        said = f"; a trial brings {amount(brought, words)}" if brought is not None else ""
        return Finding(
            id="trial-return",
            title=title,
            text=f"What free trials return is not known: {row['reason']}{said}.",
            evidence="A return needs the cost of a trial and the worth of a customer.",
            action="Set the parameter cost_per_trial of this chapter, in the currency of csa.yml: "
            "hosting, help and sales time of one trial."
            if result.cost_per_trial_minor is None
            else "See the CLV chapter: why is the worth of a customer not known?",
            status="unclear",
        )
    sure = row["status"] == "ok" and low is not None and high is not None
    status: Status = "unclear"
    if sure and low is not None and high is not None:
        status = "good" if low > 0 else "bad" if high < 0 else "unclear"
    ends = (major(low, words), major(high, words))
    return Finding(
        id="trial-return",
        title=title,
        text=f"A free trial returns {amount(net, words)} net of its cost of "
        f"{amount(row['cost_minor'], words)}: {words.share(row['rate'])} become customers worth "
        f"{amount(worth, words)} each.",
        evidence=f"{words.share(result.confidence, 0)} interval of the net per trial "
        f"{words.interval(*ends, 'money')}; {words.number(int(row['n']))} trials.",
        action=_return_action(status),
        status=status,
        measure=Measure(
            metric_id="trial_return",
            value=major(net, words),
            low=ends[0],
            high=ends[1],
            n=int(row["n"]),
            unit="money",
            confidence=result.confidence,
            method="share converted (Wilson) times worth of a customer, less the stated cost",
            better="higher",
        ),
    )


def _return_action(status: Status) -> str:
    if status == "good":
        return "Trials pay for themselves: test whether more, or longer ones, still do."
    if status == "bad":
        return "Trials cost more than they bring: shorten them, or ask for less help in them."
    return "Wait for more trials before changing them."
