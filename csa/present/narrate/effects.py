"""The finding about what makes accounts leave sooner: the strongest difference that is real."""

from typing import Final

import pandas as pd

from csa.analysis.churn.effects import EffectsResult
from csa.analysis.churn.effects.contrasts import Contrast, strongest_contrast
from csa.analysis.churn.spells import ALL
from csa.present.attributes import spoken
from csa.present.effect_rows import (
    CHANGES,
    age_band,
    changing_terms,
    ratio_interval,
    where_not_proportional,
)
from csa.present.items import Finding
from csa.present.names import joined, named, plural
from csa.present.phrases import p_value
from csa.present.words import Words

ENGLISH: Final = Words()
TWICE: Final = 1.95  # from here on "times as fast" reads better than a percentage


def effects(result: EffectsResult, *, words: Words = ENGLISH) -> Finding:
    """Say which attribute of accounts goes most with leaving sooner, all else alike.

    Parameters
    ----------
    result : EffectsResult
        From `csa.analysis.churn.effects.effects`.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Watch where a difference is more than chance: there is something to learn; else unclear.
    """
    title, ident = "What goes with leaving sooner", "effects-on-leaving"
    if result.fit is None or result.status != "ok":
        return Finding(
            id=ident,
            title=title,
            text=f"What makes accounts leave sooner cannot be told: {result.reason}.",
            evidence=_seen(result, words),
            action="Come back when more accounts have left, or compare fewer attributes.",
            status="unclear",
        )
    found = strongest_contrast(result)
    if found is None:
        return Finding(
            id=ident,
            title=title,
            text=f"No attribute is shown to go with leaving sooner: {_compared(result)} no "
            "difference beyond chance.",
            evidence=_all_together(result, words),
            action="Do not act on these attributes; look at use, tickets and price instead.",
            status="unclear",
        )
    return Finding(
        id=ident,
        title=title,
        text=f"{_text(found, words)}, all else alike.",
        evidence=_evidence(result, found, words),
        action=_action(found, words),
        status="watch",
        weight=_weight(result, found),
    )


def _compared(result: EffectsResult) -> str:
    names = [spoken(t) for t in dict.fromkeys(result.table["term"])]
    return f"{joined(names)} {'makes' if len(names) == 1 else 'make'}"


def _text(found: Contrast, words: Words) -> str:
    term = spoken(found.term)
    if found.is_number:
        step = found.sooner.removeprefix("per ")
        average = ", on average over all ages" if found.varies else ""
        pace = _faster(found.ratio.value, words)
        return f"Accounts with {step} more of {term} leave {pace}{average}"
    who = f"Accounts whose {term} is {named(found.sooner)} leave"
    other = f"as fast as those where it is {named(found.later)}"
    bands = found.bands.loc[found.bands["status"] == "ok"]
    if bands.empty:
        return f"{who} {_times(found.ratio.value, words)} {other}"
    ages = [_age(row["from_days"], row["to_days"], words) for row in bands.to_dict("records")]
    times = [_times(value, words) for value in bands["ratio"]]
    rest = [f"{value} {age}" for value, age in zip(times[1:], ages[1:], strict=True)]
    return joined([f"{who} {times[0]} {other} {ages[0]} after their start", *rest])


def _age(from_days: float, to_days: float, words: Words) -> str:
    band = age_band(from_days, to_days, words)
    return f"from {band}" if " to " in band and not band.startswith("up") else band


def _times(value: float, words: Words) -> str:
    return f"{words.number(value, 0 if value >= 10 else 1)} times"


def _faster(value: float, words: Words) -> str:
    """Say a ratio as a percentage, or as a factor where it is large."""
    if value >= TWICE:
        return f"{_times(value, words)} as fast"
    return f"{words.percent(abs(value - 1))} {'faster' if value > 1 else 'more slowly'}"


def _evidence(result: EffectsResult, found: Contrast, words: Words) -> str:
    level = words.share(result.confidence, 0)
    term = spoken(found.term)
    ends = ratio_interval(found.ratio.low, found.ratio.high, words)
    who = "" if found.is_number else f" over all ages, for all pairs of {term} at once"
    bands = found.bands.loc[found.bands["status"] == "ok"]
    by_age = [ratio_interval(row.ci_low, row.ci_high, words) for row in bands.itertuples()]
    parts = [
        f"{level} interval {ends}{who}; p {p_value(found.p_value, words)} for {term}.",
        f"By age {', '.join(by_age)}." if by_age else "",
        f"{_counts(found, words)}.",
        "" if found.term in changing_terms(result) else _same(result, found, words),
        where_not_proportional(result) if _any_change(result) else "",
    ]
    return " ".join(filter(None, parts))


def _any_change(result: EffectsResult) -> bool:
    """Whether any effect, or all together, are shown to change with age."""
    return bool((result.tests["proportional"] == CHANGES).any())


def _counts(found: Contrast, words: Words) -> str:
    n, left = [words.number(x) for x in found.n], [words.number(x) for x in found.events]
    if found.is_number:
        return f"{n[0]} accounts, {left[0]} left"
    sooner = f"{left[0]} of {n[0]} left with {named(found.sooner)}"
    return f"{sooner}, {left[1]} of {n[1]} with {named(found.later)}"


def _same(result: EffectsResult, found: Contrast, words: Words) -> str:
    """Say that the effect told of is not shown to change with age."""
    row = result.tests.loc[result.tests["term"] == found.term].iloc[0]
    if row["proportional"] == "unclear":
        return f"Whether the effect of {spoken(found.term)} lasts cannot be told."
    p = p_value(float(row["ph_p_value"]), words)
    return f"For {spoken(found.term)} nothing speaks against the same effect at all ages (p {p})."


def _action(found: Contrast, words: Words) -> str:
    proof = "A difference is no proof of a cause"
    if found.is_number:
        return f"{proof}: see what else comes with {spoken(found.term)} before acting on it."
    who = f"accounts with {spoken(found.term)} {named(found.sooner)}"
    return (
        f"{proof}: look at what else sets {who} apart, then try the change on a part of them "
        "drawn by lot."
    )


def _seen(result: EffectsResult, words: Words) -> str:
    n = words.number(result.n)
    return f"{n} {plural(result.n, 'account')}, {words.number(result.events)} left."


def _all_together(result: EffectsResult, words: Words) -> str:
    row = result.tests.loc[result.tests["term"] == ALL]
    test = ""
    if len(row):
        one = row.iloc[0]
        chi = words.number(one["chi2"], 1)
        p = p_value(float(one["p_value"]), words)
        test = f"All together: p {p} (chi-square {chi}, df {int(one['df'])}). "
    return f"{test}{_seen(result, words)}"


def _weight(result: EffectsResult, found: Contrast) -> float:
    """Share of all that left which would not have, had they left as slowly as the others."""
    ratio = found.ratio.value
    if found.is_number or not result.events or pd.isna(ratio):
        return 0.0
    return min(1.0, found.events[0] / result.events * (1 - 1 / ratio))
