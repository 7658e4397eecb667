"""Findings about growth with customers: what was sold to them, and how soon they grow."""

from typing import Final

from csa.analysis.revenue.expansion import SalesSuccess
from csa.analysis.revenue.time_to import TimeTo
from csa.present.items import Finding, Measure, Status
from csa.present.judge import TargetLike, aimed, judged
from csa.present.money import amount
from csa.present.names import capital, named, plural
from csa.present.narrate.sales_shares import lowest, share_evidence, share_measure, total
from csa.present.phrases import against, distance, number
from csa.present.words import Words

ENGLISH: Final = Words()
LEAST: Final = 10
ALL: Final = "all"


def sales_success(
    result: SalesSuccess,
    *,
    target: TargetLike | None = None,
    period_label: str,
    words: Words = ENGLISH,
) -> Finding:
    """Say what share of the upsells and cross-sells that were closed was won.

    Parameters
    ----------
    result : SalesSuccess
        From `csa.analysis.revenue.expansion.sales_success`.
    target : TargetLike, optional
        `targets: upsell_success` of csa.yml.
    period_label : str
        "October 2026".
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Unclear where few were closed.
    """
    table = result.table
    mine = table.loc[table["window"] == "period"]
    row = total(mine.loc[mine["kind"] == ALL])
    measure = share_measure(
        row,
        "upsell_success",
        confidence=result.confidence,
        method="won over won and lost; open ones are neither; Wilson",
        target=target,
    )
    n, waits = measure.n, int(row["open"])
    if measure.value is None:
        text = f"No upsell or cross-sell was closed in {period_label}."
    else:
        parts = [
            f"{name} {words.share(number(total(mine.loc[mine['kind'] == kind])['rate']))}"
            for kind, name in (("upsell", "upsell"), ("cross_sell", "cross-sell"))
        ]
        text = (
            f"{words.share(measure.value)} of {words.number(n)} upsells and cross-sells closed in "
            f"{period_label} were won ({', '.join(parts)}), worth "
            f"{amount(row['won_minor'], words)} a month."
        )
    also = (
        f" {words.number(waits)} worth {amount(row['open_minor'], words)} a month are open."
        if waits
        else ""
    )
    unstated = result.unstated
    if unstated:
        also += f" {words.number(unstated)} closed ones say neither won nor lost and are left out."
    status: Status = judged(measure, least=LEAST) if row["status"] == "ok" else "unclear"
    year = table.loc[(table["window"] == "year") & (table["kind"] == ALL)]
    where = lowest(year, words)
    return Finding(
        id="upsell-success",
        kind="change",
        title="Upsells and cross-sells won",
        text=text,
        evidence=share_evidence(row, measure, ("opportunity", "opportunities"), words) + also,
        action=_action(measure, status, where),
        status=status,
        measure=measure,
        weight=distance(measure) if row["status"] == "ok" else 0.0,
    )


def _action(measure: Measure, status: Status, where: str) -> str:
    if status in {"bad", "watch"}:
        return f"Over a year the lowest is {where}: go through what was lost there."
    if measure.target is None:
        return "Set a target to be judged by: targets: upsell_success in csa.yml."
    return "Keep going." if status == "good" else "Wait for more to be closed before acting."


def time_to_expansion(
    result: TimeTo, *, target: TargetLike | None = None, words: Words = ENGLISH
) -> Finding:
    """Say what share of customers has grown by an age.

    Parameters
    ----------
    result : TimeTo
        From `csa.analysis.revenue.time_to.time_to_expansion`.
    target : TargetLike, optional
        `targets: expanded_by_age` of csa.yml.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Unclear where few were watched so long.
    """
    row = total(result.table)
    months, n = int(row["by_age"]), int(row["n"])
    measure = aimed(
        Measure(
            metric_id="expanded_by_age",
            value=number(row["share"]),
            low=number(row["ci_low"]),
            high=number(row["ci_high"]),
            n=n,
            unit="share",
            confidence=result.confidence,
            method=f"Kaplan-Meier, {months} months after the start",
            better="higher",
        ),
        target,
    )
    if measure.value is None:
        text = f"When customers first grow is not known: {row['reason']} months."
    else:
        half = number(row["median"])
        middle = f"; half have by month {words.number(half)}" if half is not None else ""
        text = (
            f"The revenue of {words.share(measure.value)} of customers who stay has grown within "
            f"{words.number(months)} months of their start{middle}."
        )
    status: Status = judged(measure, least=LEAST) if row["status"] == "ok" else "unclear"
    groups = result.table.loc[(result.table["group"] != ALL) & (result.table["status"] == "ok")]
    last = groups.iloc[int(groups["share"].argmin())] if len(groups) > 1 else None
    slow = "" if last is None else f"{named(last['group'])} ({words.share(last['share'])})"
    return Finding(
        id="time-to-expansion",
        title="Time to first growth",
        text=text,
        evidence=f"{words.share(result.confidence, 0)} interval "
        f"{words.interval(measure.low, measure.high, 'share')}{against(measure, words)}; "
        f"{words.number(n)} {plural(n, 'customer')} under observation from their start, "
        f"{words.number(int(row['events']))} grew."
        + (f" {capital(str(row['reason']))}." if row["reason"] else ""),
        action=f"Slowest: {slow}. Ask there what would be bought next."
        if slow
        else "Ask customers of that age what they would buy next.",
        status=status,
        measure=measure,
    )
