"""Findings about the movements of recurring revenue: the net change, and the quick ratio."""

from typing import Final

import pandas as pd

from csa.analysis.revenue.flows import FlowRates
from csa.analysis.revenue.movements import MovementsResult
from csa.definitions import Definitions
from csa.present.items import Finding, Measure, Status
from csa.present.judge import TargetLike, aimed, judged, moved
from csa.present.money import amount, major
from csa.present.names import capital, joined, named, plural
from csa.present.narrate.clv_change import signed
from csa.present.phrases import against, distance, number
from csa.present.words import Words

ALL: Final = "all"
ENGLISH: Final = Words()
GAINS: Final = {"new": "new", "reactivation": "came back", "expansion": "expansion"}
LOSSES: Final = {"contraction": "contraction", "churn": "churn"}
WITH: Final = "with_reactivation"


def mrr_movements(
    result: MovementsResult,
    *,
    target: TargetLike | None = None,
    period_label: str,
    previous_label: str,
    words: Words = ENGLISH,
) -> Finding:
    """Say how recurring revenue moved in the period, and by what.

    Parameters
    ----------
    result : MovementsResult
        From `csa.analysis.revenue.movements.movements`.
    target : TargetLike, optional
        `targets: mrr` of csa.yml, in units of the currency.
    period_label, previous_label : str
        "October 2026", "September 2026".
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Unclear where the period is not over, or nobody pays.
    """
    row, before = (_total(t) for t in (result.period, result.previous))
    measure = aimed(_mrr(row, before, words), target)
    ident, title = "mrr-movements", "Recurring revenue"
    if not row["accounts_start"] and not row["accounts_end"]:
        return Finding(
            id=ident,
            kind="change",
            title=title,
            text=f"Nobody paid in {period_label}.",
            evidence="There is no recurring revenue at either end of the period.",
            action="See the data quality chapter: does the data reach this period?",
            status="unclear",
            measure=measure,
        )
    status = "unclear" if result.reason else judged(measure, least=1)
    return Finding(
        id=ident,
        kind="change",
        title=title,
        text=_moved_text(row, period_label, words),
        evidence=_counted(result, row, before, previous_label, words),
        action=_next(result, row, words),
        status=status,
        measure=measure,
        weight=distance(measure),
    )


def _total(table: pd.DataFrame) -> pd.Series:
    return table.loc[table["group"] == ALL].iloc[0]


def _mrr(row: pd.Series, before: pd.Series, words: Words) -> Measure:
    was = major(before["end_minor"], words)
    now = major(row["end_minor"], words)
    return Measure(
        metric_id="mrr",
        value=now,
        low=None,
        high=None,
        n=int(row["accounts_end"]),
        unit="money",
        confidence=0.95,
        method="counted: recurring revenue in force at the end of the period",
        better="higher",
        previous=was,
        change=None if was is None or now is None else now - was,
    )


def _moved_text(row: pd.Series, label: str, words: Words) -> str:
    change, start = float(row["net_new_minor"]), float(row["start_minor"])
    size = amount(abs(change), words)
    share = f" ({words.share(abs(change) / start)})" if start else ""
    way = f"rose by {size}{share}" if change > 0 else f"fell by {size}{share}"
    base = f"Recurring revenue {way if change else 'did not move'} in {label}"
    base += f", to {words.money(major(row['end_minor'], words))} a month"
    gains = _parts(row, GAINS, words)
    losses = _parts(row, LOSSES, words)
    parts = [", ".join(gains)] if gains else []
    parts += [f"less {joined(losses)}"] if losses else []
    base = f"{base}: {', '.join(parts)}." if parts else f"{base}."
    return base + _exchanged(row, words)


def _exchanged(row: pd.Series, words: Words) -> str:
    """Say what exchange rates did, which is no movement."""
    by = float(row["currency_minor"])
    if not by:
        return ""
    did = "added" if by > 0 else "took"
    return f" Exchange rates {did} {amount(abs(by), words)} beside that."


def _parts(row: pd.Series, kinds: dict[str, str], words: Words) -> list[str]:
    return [
        f"{amount(float(row[f'{kind}_minor']), words)} {said}"
        for kind, said in kinds.items()
        if row[f"{kind}_minor"]
    ]


def _counted(
    result: MovementsResult, row: pd.Series, before: pd.Series, label: str, words: Words
) -> str:
    parts = [
        "Counted, not estimated: start and movements of every account add up to the end, to the "
        "cent."
    ]
    if row["currency_minor"]:
        parts.append(
            "What exchange rates did to revenue that stayed is no movement; months count at the "
            "rates of their last day (rates in csa.yml)."
        )
    if result.reason:
        parts.append(f"{capital(result.reason)}.")
    if row["not_observed"]:
        n = int(row["not_observed"])
        parts.append(
            f"{words.number(n)} {plural(n, 'account')} at the start {plural(n, 'was', 'were')} not "
            "yet under observation, so losses may be missing."
        )
    parts.append(f"{capital(label)}: {signed(before['net_new_minor'], words)}.")
    return " ".join(parts)


def _next(result: MovementsResult, row: pd.Series, words: Words) -> str:
    """Point to where most was lost."""
    lost = row["churn_minor"] + row["contraction_minor"]
    if not lost:
        return "Nothing was lost; keep going."
    kind = "churn" if row["churn_minor"] >= row["contraction_minor"] else "contraction"
    what = "accounts that left" if kind == "churn" else "accounts that pay less than before"
    groups = result.period.loc[result.period["group"] != ALL]
    if groups.empty:
        return f"Most was lost by {kind}: go through the {what}, largest first."
    worst = groups.iloc[int(groups[f"{kind}_minor"].argmax())]
    part, whole = (float(x[f"{kind}_minor"]) for x in (worst, row))
    of = f"{amount(part, words)} of {amount(whole, words)}"
    return f"Most was lost by {kind}: start with the {what} in {named(worst['group'])} ({of})."


def quick_ratio(
    flows: FlowRates,
    *,
    definitions: Definitions,
    target: TargetLike | None = None,
    period_label: str,
    previous_label: str,
    words: Words = ENGLISH,
) -> Finding:
    """Say how much was won for each unit of revenue lost, by the chosen definition.

    Parameters
    ----------
    flows : FlowRates
        From `csa.analysis.revenue.flows.flow_rates`.
    definitions : Definitions
        Chosen in csa.yml; says whether reactivations count.
    target : TargetLike, optional
        `targets: quick_ratio` of csa.yml.
    period_label, previous_label : str
        "October 2026", "September 2026".
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Unclear where nothing or little was lost; never infinite.
    """
    row = _total(flows.table)
    name = "quick_ratio" + (f"_{WITH}" if definitions.quick_ratio == WITH else "")
    measure = aimed(_ratio(row, name, flows.confidence), target)
    ident, title = "quick-ratio", "Quick ratio"
    if measure.value is None:
        return Finding(
            id=ident,
            kind="change",
            title=title,
            text=f"No loss in {period_label}: there is no quick ratio."
            if row["no_loss"]
            else f"The quick ratio of {period_label} is not known.",
            evidence="A ratio to a loss of nothing has no value.",
            action="Judge what was won by itself.",
            status="unclear",
            measure=measure,
        )
    sure = row["status"] == "ok"
    status: Status = judged(measure, least=1) if sure else "unclear"
    return Finding(
        id=ident,
        kind="change",
        title=title,
        text=f"For each unit of recurring revenue lost in {period_label}, "
        f"{words.number(measure.value, 1)} were won"
        f"{_after(measure, previous_label, words)}.",
        evidence=f"{_ratio_evidence(row, measure, words)} Defined as "
        f"{definitions.words('quick_ratio')}.",
        action=_ratio_action(status, measure),
        status=status,
        measure=measure,
        weight=distance(measure) if sure else 0.0,
    )


def _ratio(row: pd.Series, name: str, confidence: float) -> Measure:
    return Measure(
        metric_id="quick_ratio",
        value=number(row[name]),
        low=number(row[f"{name}_low"]),
        high=number(row[f"{name}_high"]),
        n=int(row["losing"]),
        unit="ratio",
        confidence=confidence,
        method="Poisson bootstrap over accounts",
        better="higher",
        previous=number(row[f"{name}_previous"]),
        change=number(row[f"{name}_change"]),
        change_low=number(row[f"{name}_change_low"]),
        change_high=number(row[f"{name}_change_high"]),
    )


def _after(measure: Measure, label: str, words: Words) -> str:
    if measure.previous is None:
        return ""
    return f", after {words.number(measure.previous, 1)} in {label}"


def _ratio_evidence(row: pd.Series, measure: Measure, words: Words) -> str:
    n, level = measure.n, words.share(measure.confidence, 0)
    limits = _limits(measure.low, measure.high, words)
    parts = [f"{level} interval {limits}{against(measure, words)}; {words.number(n)} "]
    parts[0] += f"{plural(n, 'account')} lost revenue."
    real = moved(measure)
    if real is not None:
        parts.append(f"Change {'more than chance' if real else 'within chance'}.")
    if row["reason"]:
        parts.append(f"{capital(str(row['reason']))}.")
    return " ".join(parts)


def _limits(low: float | None, high: float | None, words: Words) -> str:
    first, last = words.number(low, 1), words.number(high, 1)
    if low is None:
        return "not known" if high is None else f"up to {last}"
    return f"{first} or more" if high is None else f"{first} to {last}"


def _ratio_action(status: Status, measure: Measure) -> str:
    if measure.target is None:
        return "Set a target to be judged by: targets: quick_ratio in csa.yml."
    if status in {"bad", "watch"}:
        return "Look at losses first: what is kept need not be won again."
    return "Keep going." if status == "good" else "Wait for more data before acting."
