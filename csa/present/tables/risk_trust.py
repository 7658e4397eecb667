"""Tables on the risk itself: figures, lift, comparison of models, leaks, earlier predictions."""

from typing import Any, Final

import pandas as pd

from csa.analysis.risk.challenger import Choice
from csa.analysis.risk.evaluation import Evaluation
from csa.analysis.risk.evaluation.verdict import Verdict
from csa.analysis.risk.leaks.findings import LeakAudit
from csa.present.columns import Column
from csa.present.items import Table
from csa.present.names import capital
from csa.present.table_rows import pairs
from csa.present.words import UNKNOWN, Words, known

ENGLISH: Final = Words()
SHARE: Final = "share"
PLAIN: Final = "plain"
FIGURES: Final[dict[str, tuple[str, str, str]]] = {  # label, unit, what is right
    "base_rate": ("Accounts that leave within the horizon", SHARE, ""),
    "auc": ("AUC: pairs in the right order", SHARE, "50%: drawing lots; 100%: perfect"),
    "concordance": ("Concordance: right order over time", SHARE, "50%: drawing lots"),
    "brier_skill": ("Brier skill against the same risk for all", SHARE, "0%: none; 100%: perfect"),
    "calibration_slope": ("Calibration slope", PLAIN, "1; below: too extreme"),
    "calibration_intercept": ("Calibration intercept, log odds", PLAIN, "0; above: risks too low"),
    "calibration_error": ("Risk and observed rate apart, on average", SHARE, "0%"),
}
FLAGS: Final = {"precision": "Precision", "recall": "Recall", "f1": "F1"}


def risk_figures(result: Evaluation, *, words: Words = ENGLISH) -> Table:
    """List the figures by which the risk is trusted or not.

    Parameters
    ----------
    result : Evaluation
        From `csa.analysis.risk.evaluation.evaluate`, out of time.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        One row per figure, with its interval and what would be right.
    """
    table = result.figures.set_index("metric").loc[list(FIGURES)]
    rows = pd.DataFrame(
        {
            "figure": [FIGURES[m][0] for m in table.index],
            "value": [
                _value(x, FIGURES[m][1], words)
                for m, x in zip(table.index, table["value"], strict=True)
            ],
            "between": [
                _between(row, FIGURES[m][1], words)
                for m, row in zip(table.index, table.to_dict("records"), strict=True)
            ],
            "right": [FIGURES[m][2] for m in table.index],
        }
    )
    return Table(
        id="risk-figures",
        title=f"The risk held against what happened within {words.days(result.horizon_days)}",
        columns=(
            Column("figure", "Figure"),
            Column("value", "Value"),
            Column("between", f"{words.share(result.confidence, 0)} interval"),
            Column("right", "What would be right"),
        ),
        rows=rows if result.n else rows.head(0),
        note=_figures_note(result, words),
        empty=f"Nothing was held against the past: {result.reason}.",
        words=words,
    )


def _figures_note(result: Evaluation, words: Words) -> str:
    if not result.n:
        return ""
    reasons = [*result.notes, *result.figures["reason"]]
    told = dict.fromkeys(capital(f"{r}.") for r in reasons if r)
    many = (
        f"{words.number(result.n)} risks of {words.number(result.accounts)} accounts; "
        f"{words.number(result.events)} were followed by leaving, those of "
        f"{words.number(result.churned_accounts)} accounts."
    )
    return " ".join([many, *told])


def _value(value: Any, unit: str, words: Words) -> str:
    if not known(value):
        return UNKNOWN
    return words.share(value) if unit == SHARE else words.number(value, 2)


def _between(row: dict[Any, Any], unit: str, words: Words) -> str:
    if not known(row["ci_low"]) or not known(row["ci_high"]):
        return UNKNOWN
    if unit == SHARE:
        return words.interval(row["ci_low"], row["ci_high"], SHARE)
    return f"{words.number(row['ci_low'], 2)} to {words.number(row['ci_high'], 2)}"


def risk_targets(found: Verdict, result: Evaluation, *, words: Words = ENGLISH) -> Table:
    """Hold precision, recall and F1 against their targets.

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
    Table
        One row per target.
    """
    rows = found.table.assign(
        name=[FLAGS[m] for m in found.table["metric"]],
        interval=pairs(found.table, "ci_low", "ci_high"),
        verdict=[capital(status) for status in found.table["status"]],
    )
    notes = [capital(f"{r}.") for r in dict.fromkeys(rows["reason"]) if r]
    rule = str(found.table["threshold_rule"].iloc[0])
    return Table(
        id="risk-targets-list",
        title=f"Targets within {words.days(result.horizon_days)}",
        columns=(
            Column("name", "Figure"),
            Column("target", "Target", "share"),
            Column("value", "Value", "share"),
            Column("interval", f"{words.share(result.confidence, 0)} interval", "interval", SHARE),
            Column("verdict", "Verdict"),
        ),
        rows=rows if result.n else rows.head(0),
        note=" ".join([f"Accounts are flagged by the threshold with the {rule}.", *notes])
        if result.n
        else "",
        empty=f"Nothing was held against the past: {result.reason}.",
        words=words,
    )


def risk_lift(result: Evaluation, *, words: Words = ENGLISH) -> Table:
    """Say what calling the accounts with the highest risk finds.

    Parameters
    ----------
    result : Evaluation
        From `csa.analysis.risk.evaluation.evaluate`, out of time.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        One row per share of the accounts; that of the team's capacity says so.
    """
    lift = result.lift
    rows = lift.assign(
        called=[_called(row, words) for row in lift.to_dict("records")],
        accounts=lift["accounts"].astype(float).round(),
        recall_interval=pairs(lift, "recall_low", "recall_high"),
        precision_interval=pairs(lift, "precision_low", "precision_high"),
        times=[_times(value, words) for value in lift["lift"]],
    )
    level = words.share(result.confidence, 0)
    return Table(
        id="risk-lift",
        title="What calling the accounts with the highest risk finds",
        columns=(
            Column("called", "Called"),
            Column("accounts", "Accounts", "integer"),
            Column("recall", "Of those who leave", "share"),
            Column("recall_interval", f"{level} interval", "interval", SHARE),
            Column("precision", "Leaving, of those called", "share"),
            Column("precision_interval", f"{level} interval", "interval", SHARE),
            Column("times", "Times as many as by lot"),
        ),
        rows=rows,
        empty=f"Nothing was held against the past: {result.reason}.",
        words=words,
    )


def _called(row: dict[Any, Any], words: Words) -> str:
    share = words.share(row["share"], 0 if row["share"] >= 0.1 else 1)
    if row["is_capacity"]:
        return f"{share} (this team)"
    return "Everybody" if row["share"] == 1 else share


def _times(value: Any, words: Words) -> str:
    return words.number(value, 1)


def model_choice(choice: Choice, *, words: Words = ENGLISH) -> Table:
    """Compare the two models on days that neither had seen.

    Parameters
    ----------
    choice : Choice
        From `csa.analysis.risk.challenger.choose`.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        One row per loss.
    """
    digits = 4
    rows = choice.table.assign(
        name=[capital(str(loss)) for loss in choice.table["loss"]],
        **{
            column: [words.number(x, digits) for x in choice.table[column]]
            for column in ("hazard", "boosting", "difference")
        },
        between=[
            f"{words.number(low, digits)} to {words.number(high, digits)}"
            for low, high in zip(choice.table["ci_low"], choice.table["ci_high"], strict=True)
        ],
    )
    return Table(
        id="risk-models",
        title="Two models, judged out of time (lower is better)",
        columns=(
            Column("name", "Loss"),
            Column("hazard", "Default model"),
            Column("boosting", "Boosting"),
            Column("difference", "Difference"),
            Column("between", f"{words.share(choice.confidence, 0)} interval"),
        ),
        rows=rows,
        empty=capital(f"{choice.reason}."),
        words=words,
    )


def risk_leaks(audit: LeakAudit, *, words: Words = ENGLISH) -> Table:
    """List what the leak alarm found.

    Parameters
    ----------
    audit : LeakAudit
        From `csa.analysis.risk.leaks.leak_audit`.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        One row per finding.
    """
    rows = audit.table.assign(
        severity=["bad" if s == "alarm" else "watch" for s in audit.table["severity"]],
        kind=[capital(str(kind)) for kind in audit.table["kind"]],
        reason=[capital(str(reason)) for reason in audit.table["reason"]],
    )
    return Table(
        id="risk-leaks-list",
        title="What may have been known too early",
        columns=(
            Column("kind", "Finding"),
            Column("column", "Column"),
            Column("severity", "Severity", "status"),
            Column("reason", "Why"),
        ),
        rows=rows,
        empty=capital(f"{audit.reason}.") if audit.reason else "No sign of a leak.",
        words=words,
    )


def flagged_earlier(
    everybody: pd.DataFrame, flagged: pd.DataFrame, *, words: Words = ENGLISH
) -> Table:
    """List what became of earlier predictions, those on the list beside all.

    Parameters
    ----------
    everybody, flagged : DataFrame
        `Matured.summary` of all earlier predictions, and of those on the list.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        One row per day of prediction that is due, newest first.
    """
    due = everybody.loc[everybody["status"] == "ok"]
    keys = ["model", "made_on", "horizon_days"]
    on = flagged[[*keys, "known", "churned", "share", "ci_low", "ci_high"]]
    both = due.merge(on, on=keys, how="left", suffixes=("", "_on"))
    both = both.sort_values("made_on", ascending=False, ignore_index=True)
    rows = both.assign(
        interval=pairs(both, "ci_low_on", "ci_high_on"),
        known_on=both["known_on"].fillna(0),
    )
    return Table(
        id="flagged-earlier-list",
        title="Earlier predictions that are due",
        columns=(
            Column("made_on", "Made on", "date"),
            Column("due_on", "Due on", "date"),
            Column("known_on", "On the list", "integer"),
            Column("churned_on", "Of these left", "integer"),
            Column("share_on", "Share", "share"),
            Column("interval", "95% interval", "interval", SHARE),
            Column("known", "All accounts", "integer"),
            Column("expected", "Expected to leave", "number"),
            Column("churned", "Left", "integer"),
        ),
        rows=rows,
        empty="No earlier prediction has matured yet.",
        words=words,
    )
