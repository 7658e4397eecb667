"""The finding about who holds recurring revenue."""

from typing import Final

from csa.analysis.revenue.concentration import RevenueConcentration
from csa.present.items import Finding, Measure
from csa.present.judge import TargetLike, aimed, judged
from csa.present.money import major
from csa.present.names import plural
from csa.present.phrases import distance
from csa.present.words import Words

ENGLISH: Final = Words()
TOP: Final = 10


def revenue_concentration(
    result: RevenueConcentration,
    *,
    target: TargetLike | None = None,
    words: Words = ENGLISH,
) -> Finding:
    """Say how much of recurring revenue the largest accounts hold.

    Parameters
    ----------
    result : RevenueConcentration
        From `csa.analysis.revenue.concentration.revenue_concentration`.
    target : TargetLike, optional
        `targets: revenue_share_of_largest` of csa.yml.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Unclear with few accounts.
    """
    ident, title = "revenue-concentration", f"Revenue held by the {TOP} largest accounts"
    rows = result.largest
    if rows.empty or (result.reason and result.accounts < TOP):
        return Finding(
            id=ident,
            title=title,
            text=f"Whose revenue it is cannot be told: {result.reason}.",
            evidence="A share of the largest needs accounts to be compared with.",
            action="Look at the single accounts instead.",
            status="unclear",
        )
    top, one = float(rows["cumulative_share"].iloc[-1]), float(rows["share"].iloc[0])
    measure = aimed(
        Measure(
            metric_id="revenue_share_of_largest",
            value=top,
            low=None,
            high=None,
            n=result.accounts,
            unit="share",
            confidence=result.confidence,
            method="counted at the end of the period",
            better="lower",
        ),
        target,
    )
    many, gini = len(rows), result.gini
    held = major(float(result.mrr_minor) * top, words)
    return Finding(
        id=ident,
        title=title,
        text=f"The {words.number(many)} largest of {words.number(result.accounts)} accounts pay "
        f"{words.share(top)} of recurring revenue ({words.money(held)} a month), the largest one "
        f"{words.share(one)}.",
        evidence="Counted. Revenue is held as if by "
        f"{words.number(result.effective_accounts)} accounts of one size; Gini coefficient "
        f"{words.number(gini.value, 2)} ({words.number(gini.low, 2)} to "
        f"{words.number(gini.high, 2)}).",
        action=f"Give each of these {words.number(many)} {plural(many, 'account')} an owner and a "
        "plan for its renewal.",
        status="unclear" if result.reason else judged(measure, least=TOP),
        measure=measure,
        weight=distance(measure) if target else 0.0,
    )
