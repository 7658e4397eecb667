"""Findings about who to call, how much revenue is at risk, and what drives it."""

from typing import Any, Final

import pandas as pd

from csa.analysis.risk.model import RiskModel
from csa.analysis.risk.revenue import RevenueAtRisk
from csa.present.call_list import CallList
from csa.present.driver_words import FeatureLike, meaning
from csa.present.items import Finding, Measure, Status
from csa.present.judge import TargetLike, aimed, judged
from csa.present.money import amount
from csa.present.names import joined, named, plural
from csa.present.phrases import against, distance, number
from csa.present.words import Words

ALL: Final = "all"
ENGLISH: Final = Words()
REAL: Final = 0.05  # p-value below which a driver is told as one
NAMED: Final = 3  # drivers in a sentence


def accounts_to_call(listed: CallList, *, words: Words = ENGLISH) -> Finding:
    """Say how many accounts are worth a call, with whom to begin, and what that rests on.

    Parameters
    ----------
    listed : CallList
        From `csa.present.call_list.call_list`.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Unclear where risks may not be acted on.
    """
    ident, title = "accounts-to-call", "Accounts worth a call"
    if listed.withheld:
        return Finding(
            id=ident,
            kind="action",
            title=title,
            text=f"{_no_list(listed)}, so no list of accounts is made.",
            evidence=f"{listed.withheld[:1].upper()}{listed.withheld[1:]}.",
            action=_instead(listed),
            status="unclear",
        )
    measure = Measure(
        metric_id="accounts_worth_a_call",
        value=float(listed.above),
        low=None,
        high=None,
        n=listed.n,
        unit="count",
        confidence=listed.confidence,
        method="risk × value × save rate above the cost of a call",
    )
    return Finding(
        id=ident,
        kind="action",
        title=title,
        text=_calls_text(listed, words),
        evidence=_calls_evidence(listed, words),
        action=_calls_action(listed, words),
        status="unclear",
        measure=measure,
        weight=min(1.0, listed.above / max(listed.n, 1)) if listed.above else 0.0,
    )


def _no_list(listed: CallList) -> str:
    if listed.trust.level == "no signal":
        return "Nothing that is known of the accounts tells who leaves"
    return "The risk of single accounts cannot be told"


def _instead(listed: CallList) -> str:
    if listed.trust.level == "no signal":
        return (
            "Call by size and renewal date for now; add what accounts do with the product, and "
            "what they say, to csa.yml."
        )
    return "Come back when more accounts have left under observation."


def _calls_text(listed: CallList, words: Words) -> str:
    now, above = len(listed.to_call), listed.above
    if not above:
        return (
            f"No account is worth a call: for none of {words.number(listed.n)} is more expected "
            "to be kept than a call costs."
        )
    gain = amount(listed.calls.gain_minor, words)
    rest = ""
    if above > now:
        rest = f"; {words.number(above)} of {words.number(listed.n)} are worth a call"
    return (
        f"{words.number(now)} {plural(now, 'account')} to call this week{rest}. The calls are "
        f"expected to keep {gain} more than they cost."
    )


def _calls_evidence(listed: CallList, words: Words) -> str:
    calls, parts = listed.calls, []
    if listed.above and listed.rows["stake_low"].notna().any():
        sure, now = int(listed.to_call["sure"].sum()), len(listed.to_call)
        level = words.share(listed.confidence, 0)
        some = "all" if sure == now else words.number(sure) if sure else "none"
        parts.append(
            f"For {some} of these accounts a call pays even at the low end of the {level} interval "
            "of the risk."
        )
    parts.append(
        f"A call pays where risk × {words.number(calls.months)} months of revenue × a save rate "
        f"of {words.percent(calls.save_rate)} exceeds its cost of "
        f"{amount(calls.cost_per_action_minor, words)}. The save rate is an assumption until "
        "calls have been compared with none."
    )
    if listed.trust.level == "not judged":
        parts.append(f"Not yet held against the past: {listed.trust.reason}.")
    if listed.trust.warning:
        parts.append(f"Leak alarm: {listed.trust.warning}.")
    return " ".join(parts)


def _calls_action(listed: CallList, words: Words) -> str:
    rows = listed.to_call
    if rows.empty:
        return "Nothing to do this week."
    if listed.external:
        return "The owners of these accounts have the list."
    row = rows.iloc[0]
    return (
        f"Start with {named(row['account'])} (owner {named(row['owner'])}): risk "
        f"{words.share(row['risk'])}, {words.money(row['mrr'])} a month. {row['next_step']}"
    )


def revenue_at_risk(
    result: RevenueAtRisk, *, target: TargetLike | None = None, words: Words = ENGLISH
) -> Finding:
    """Say how much recurring revenue is expected to leave, and where.

    Parameters
    ----------
    result : RevenueAtRisk
        From `csa.analysis.risk.revenue.revenue_at_risk`.
    target : TargetLike, optional
        `targets: revenue_at_risk` of csa.yml, a share of the revenue.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Unclear without a target, or where there are no risks.
    """
    ident, title = "revenue-at-risk", "Revenue at risk"
    row = result.table.loc[result.table["group"] == ALL].iloc[0]
    mrr = float(row["mrr_minor"])
    low, high = (number(row[c] / mrr) if mrr else None for c in ("ci_low", "ci_high"))
    measure = Measure(
        metric_id="revenue_at_risk",
        value=number(row["share"]) if row["status"] == "ok" else None,
        low=low,
        high=high,
        n=int(row["n"]),
        unit="share",
        confidence=result.confidence,
        method="risk × recurring revenue; delta method",
        better="lower",
    )
    measure = aimed(measure, target)
    if measure.value is None:
        return Finding(
            id=ident,
            kind="action",
            title=title,
            text=f"How much revenue is at risk is not known: {row['reason'] or 'nobody pays'}.",
            evidence="Without a risk of single accounts there is no sum of them.",
            action="See the churn chapter for what is known of all accounts together.",
            status="unclear",
        )
    status = judged(measure)
    return Finding(
        id=ident,
        kind="action",
        title=title,
        text=(
            f"{amount(row['at_risk_minor'], words)} of {amount(row['mrr_minor'], words)} recurring "
            f"revenue a month is expected to leave within {words.days(result.horizon_days)}: "
            f"{words.share(measure.value)}."
        ),
        evidence=_revenue_evidence(result, row, measure, words),
        action=_revenue_action(result, status, words),
        status=status,
        measure=measure,
        weight=distance(measure),
    )


def _revenue_evidence(
    result: RevenueAtRisk, row: "pd.Series[Any]", measure: Measure, words: Words
) -> str:
    level, parts = words.share(result.confidence, 0), []
    if measure.low is not None:
        between = _between(row["ci_low"], row["ci_high"], words)
        told = words.interval(measure.low, measure.high, "share")
        parts.append(f"{level} interval {between} ({told}){against(measure, words)}.")
    parts.append(
        f"{_between(row['range_low'], row['range_high'], words)} may leave in the end, because "
        f"chance decides on single accounts: {words.number(result.half)} of "
        f"{words.number(row['n'])} hold half of what is at risk."
    )
    return " ".join(parts)


def _between(low: float, high: float, words: Words) -> str:
    return f"{amount(low, words)} to {amount(high, words)}"


def _revenue_action(result: RevenueAtRisk, status: Status, words: Words) -> str:
    groups = result.table.loc[result.table["group"] != ALL]
    groups = groups.loc[groups["at_risk_minor"] > 0]
    if len(groups) < 2:
        return "Work through the list of accounts above."
    most = groups.nlargest(1, "at_risk_minor").to_dict("records")[0]
    worst = groups.nlargest(1, "share").to_dict("records")[0]
    told = f"{named(most['group'])} holds the most of it: {amount(most['at_risk_minor'], words)}"
    if worst["group"] != most["group"]:
        told += f"; {named(worst['group'])} the highest share: {words.share(worst['share'])}"
    return f"{told}." if status != "good" else f"Keep going. {told}."


def risk_drivers(
    model: RiskModel, features: "tuple[FeatureLike, ...]", *, words: Words = ENGLISH
) -> Finding:
    """Say what the strongest signs of risk are, and how many are more than chance.

    Parameters
    ----------
    model : RiskModel
        From `csa.analysis.risk.fit_risk`.
    features : tuple of FeatureLike
        Declarations of the features.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Watch where a sign is more than chance: there is something to learn.
    """
    ident, title = "risk-drivers", "What drives risk"
    if model.status != "ok":
        return Finding(
            id=ident,
            title=title,
            text=f"What drives risk cannot be told: {model.reason}.",
            evidence=f"{words.number(model.n)} looks at {words.number(model.accounts)} accounts.",
            action="Come back when more accounts have left under observation.",
            status="unclear",
        )
    table = model.table
    real = table.loc[table["p_value"] < REAL]
    declared = {f.name: f for f in features}
    told = [meaning(declared.get(name), name) for name in real["feature"].head(NAMED)]
    seen = (
        f"{words.number(model.churned)} of {words.number(model.accounts)} accounts left within "
        f"{words.days(model.horizon_days)} of one of {words.number(model.n)} looks at the past."
    )
    lucky = round(REAL * len(table))
    beyond = (
        f"{words.number(len(real))} of {words.number(len(table))} signs differ from no effect at "
        f"the {words.share(REAL, 0)} level; {f'about {lucky}' if lucky else 'hardly one'} would by "
        "chance alone."
    )
    if not told:
        text = "No single sign goes with leaving by more than chance."
    else:
        text = f"The strongest {plural(len(told), 'sign')} of risk: {joined(told)}."
    return Finding(
        id=ident,
        title=title,
        text=text,
        evidence=f"{seen} {beyond}",
        action=(
            "Read the curves below: they show from where on risk rises. What goes with leaving "
            "need not cause it; try a change on some accounts before making it for all."
        ),
        status="watch" if told else "unclear",
        weight=min(1.0, float(table["spread"].max())) if told else 0.0,
    )
