"""Findings about the risk itself: did it come true in the past, and does it know too much."""

from typing import Final

from csa.analysis.risk.backtests import Backtest
from csa.analysis.risk.evaluation import Evaluation
from csa.analysis.risk.leaks.findings import LeakAudit
from csa.methods.intervals import Estimate
from csa.present.items import Finding, Measure, Status
from csa.present.judge import TargetLike, aimed, judged
from csa.present.names import capital, joined, named, plural
from csa.present.phrases import against, distance, number
from csa.present.words import Words, known

ENGLISH: Final = Words()
NO_LUCK: Final = 0.5  # AUC of drawing lots
NAMED: Final = 3  # columns in a sentence
_ALARM: Final[dict[str, Status]] = {"ok": "good", "watch": "watch", "alarm": "bad"}


def basis(result: Evaluation, words: Words) -> str:
    """Tell everything that a figure must not be read without.

    Parameters
    ----------
    result : Evaluation
        From `csa.analysis.risk.evaluation.evaluate`.
    words : Words
        Locale and currency.

    Returns
    -------
    str
        How many risks were judged, when they were made, how many left, the horizon.
    """
    if not result.n:
        return "No earlier risk could be made and judged."
    days = result.cutoff_days
    span = f", made from {words.day(days[0])} to {words.day(days[-1])}" if days else ""
    return (
        f"{words.number(result.n)} risks of {words.number(result.accounts)} accounts{span}, each "
        f"by a model that knew only what came before; {words.number(result.events)} "
        f"({words.share(result.base_rate.value)}) were followed by leaving within "
        f"{words.days(result.horizon_days)}, those of {words.number(result.churned_accounts)} "
        "accounts."
    )


def risk_trust(
    result: Evaluation,
    made: Backtest,
    *,
    target: TargetLike | None = None,
    words: Words = ENGLISH,
) -> Finding:
    """Say whether risks of the past came true, and whether they tell accounts apart.

    Parameters
    ----------
    result : Evaluation
        From `csa.analysis.risk.evaluation.evaluate`, out of time.
    made : Backtest
        The predictions that it judges, for what kept them from being made.
    target : TargetLike, optional
        `targets: risk_auc` of csa.yml.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Unclear without a target, without a past to judge by, or without a signal.
    """
    ident, title = "risk-trust", "Trust in the risk"
    auc = result.figure("auc")
    measure = Measure(
        metric_id="risk_auc",
        value=number(auc.value),
        low=number(auc.low),
        high=number(auc.high),
        n=result.n,
        unit="share",
        confidence=result.confidence,
        method="AUC at the horizon, out of time; DeLong by account",
        better="higher",
    )
    measure = aimed(measure, target)
    if result.status != "ok" or measure.value is None:
        return Finding(
            id=ident,
            kind="report",
            title=title,
            text=f"The risk has not been held against the past: {result.reason or 'no AUC'}.",
            evidence=" ".join([basis(result, words), *_kept_from(made)]),
            action="Keep making editions: what they foretell is kept, and judged when it is due.",
            status="unclear",
        )
    if result.signal != "signal":
        return Finding(
            id=ident,
            kind="report",
            title=title,
            text="No signal: risks made in the past tell no better who leaves than drawing lots.",
            evidence=f"AUC {_number(auc, words)}; {words.number(NO_LUCK, 1)} is drawing lots. "
            f"{basis(result, words)}",
            action="Do not rank accounts by this risk. Add what accounts do and say to csa.yml.",
            status="unclear",
            measure=measure,
        )
    status = judged(measure)
    return Finding(
        id=ident,
        kind="report",
        title=title,
        text=_trust_text(result, words),
        evidence=_trust_evidence(result, measure, words),
        action=_trust_action(result),
        status=status,
        measure=measure,
        weight=distance(measure) if target else 0.0,
    )


def _kept_from(made: Backtest) -> list[str]:
    """Why there are no predictions of the past, or few."""
    told = [*made.notes, *made.folds["reason"]]
    return [capital(f"{reason}.") for reason in dict.fromkeys(told) if reason]


def _number(found: Estimate, words: Words, digits: int = 2) -> str:
    value, low, high = (words.number(x, digits) for x in found)
    return f"{value} ({low} to {high})"


def _trust_text(result: Evaluation, words: Words) -> str:
    pair = words.percent(result.figure("auc").value)
    base = (
        f"Of an account that leaves and one that stays, the first had the higher risk in {pair} "
        "of pairs (drawing lots: 50%)"
    )
    if result.calibration.empty:
        return f"{base}."
    top = result.calibration.iloc[-1]
    foretold, came = words.share(top["predicted"]), words.share(top["observed"])
    return f"{base}. Of the tenth with the highest risk {came} left; {foretold} were foretold."


def _trust_evidence(result: Evaluation, measure: Measure, words: Words) -> str:
    auc, slope = result.figure("auc"), result.figure("calibration_slope")
    level = words.share(result.confidence, 0)
    parts = [f"AUC {_number(auc, words)}, {level} interval{against(measure, words)}."]
    if known(slope.value):
        parts.append(f"Calibration slope {_number(slope, words)}: {_slope(slope)}.")
    skill = result.figure("brier_skill")
    if known(skill.value):
        told = f"{words.share(skill.value)} ({words.interval(skill.low, skill.high, 'share')})"
        parts.append(f"Brier skill {told} against the same risk for all.")
    return " ".join([*parts, basis(result, words)])


def _slope(slope: Estimate) -> str:
    if not known(slope.low) or slope.low <= 1 <= slope.high:
        return "risks are as extreme as they should be"
    return "high risks are too high, low ones too low" if slope.high < 1 else "risks are too alike"


def _trust_action(result: Evaluation) -> str:
    slope, level = result.figure("calibration_slope"), result.figure("calibration_intercept")
    off = [x for x in (slope.low <= 1 <= slope.high, level.low <= 0 <= level.high) if not x]
    if known(slope.low) and off:
        return "Rank accounts by it, but read the risks as too far off to plan revenue with."
    return "Use it to rank accounts and to plan; it is no verdict on a single one."


def risk_leaks(audit: LeakAudit, *, words: Words = ENGLISH) -> Finding:
    """Say whether the model may know what nobody knew at the time.

    Parameters
    ----------
    audit : LeakAudit
        From `csa.analysis.risk.leaks.leak_audit`.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Good without a finding, watch or bad with one, unclear where too little could be seen.
    """
    ident, title = "risk-leaks", "Leak alarm"
    found = audit.table
    columns = len(audit.checked.loc[audit.checked["column"] != "all columns together"])
    looked = (
        f"{words.number(columns)} {plural(columns, 'column')} of "
        f"{words.number(audit.n_looked_at)} looks, {words.number(audit.events)} of them before "
        "leaving, were searched for knowledge from later days."
    )
    if audit.status == "unclear":
        return Finding(
            id=ident,
            kind="report",
            title=title,
            text="Whether anything known only later has slipped in cannot be told.",
            evidence=capital(f"{audit.reason}. {looked}"),
            action="Come back when more accounts have left under observation.",
            status="unclear",
        )
    if found.empty:
        return Finding(
            id=ident,
            kind="report",
            title=title,
            text="No sign that the model knows what nobody knew at the time.",
            evidence=looked,
            action="Nothing to do.",
            status="good",
        )
    names = [named(name) for name in found["column"].unique() if name][:NAMED]
    about = f" in {joined(names)}" if names else ""
    worst = "The leak alarm is raised" if audit.status == "alarm" else "There is a hint of a leak"
    return Finding(
        id=ident,
        kind="report",
        title=title,
        text=f"{worst}{about}: {found['reason'].iloc[0]}.",
        evidence=looked,
        action=(
            "Find out on which day these values are written; leave the column out until then."
            if names
            else "Find out how these rows were put together."
        ),
        status=_ALARM[audit.status],
        weight=1.0 if audit.status == "alarm" else 0.5,
    )
