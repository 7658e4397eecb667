"""The finding about what moved the churn rate: same accounts leaving more often, or other ones."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import pandas as pd

from csa.analysis.churn.change import ChurnChangeResult
from csa.present.attributes import spoken
from csa.present.items import Finding, Status
from csa.present.names import joined, named, plural
from csa.present.words import Words

ENGLISH: Final = Words()
MOSTLY: Final = 0.5  # of the change: from here on the mix is what moved the rate
VISIBLE: Final = 0.0005  # a part below this reads 0.0 points
NAME: Final = {"accounts": "churn rate", "revenue": "revenue churn rate"}
STATUSES: Final[Mapping[str, Status]] = {"up": "watch", "down": "good"}


class _Lead(NamedTuple):
    """The attribute by which the change is told, and the group that stands apart in it, if any."""

    by: str
    change: ChurnChangeResult
    apart: pd.Series | None
    groups: int  # compared in all

    @property
    def first(self) -> pd.Series:
        """The group that is told of: the one that stands apart, else the largest part."""
        return self.change.table.iloc[0] if self.apart is None else self.apart


def what_moved(
    changes: Mapping[str, ChurnChangeResult],
    *,
    period_label: str,
    previous_label: str,
    words: Words = ENGLISH,
) -> Finding:
    """Say which groups account for the change of the churn rate, if it is one.

    Parameters
    ----------
    changes : mapping
        From `csa.analysis.churn.change.what_moved`, by attribute.
    period_label, previous_label : str
        "October 2026", "September 2026".
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Watch where the rate rose, good where it fell, by more than chance; else unclear: a change
        within chance needs no explanation and gets none.
    """
    first = next(iter(changes.values()))
    name = NAME[first.of]
    title = f"What moved the {name}"
    ident = "what-moved-revenue-churn" if first.of == "revenue" else "what-moved"
    known = {by: change for by, change in changes.items() if change.status == "ok"}
    if not known:
        return Finding(
            id=ident,
            title=title,
            text=f"What moved the {name} of {period_label} cannot be told: {first.reason}.",
            evidence="No change was split.",
            action="Compare two periods that are over, by an attribute with several values.",
            status="unclear",
        )
    lead = _lead(known)
    return Finding(
        id=ident,
        title=title,
        text=_text(lead, name, (period_label, previous_label), words),
        evidence=_evidence(lead, list(known), words),
        action=_action(lead, previous_label, words),
        status=STATUSES.get(lead.change.moved, "unclear"),
        weight=_weight(lead.change),
    )


def _lead(known: Mapping[str, ChurnChangeResult]) -> _Lead:
    """Take the attribute with the largest part that stands apart, else by mix, else the first."""
    groups = sum(len(change.table) for change in known.values())
    found: list[_Lead] = []
    for by, change in known.items():
        apart = change.table.loc[change.table["stands_apart"].astype(bool)]
        if len(apart):  # largest contribution first
            found.append(_Lead(by, change, apart.iloc[0], groups))
    if found:
        return max(found, key=lambda lead: abs(lead.first["contribution"]))
    mixed = [by for by, change in known.items() if _by_mix(change)]
    by = max(mixed, key=lambda name: abs(known[name].mix.value)) if mixed else next(iter(known))
    return _Lead(by, known[by], None, groups)


def _by_mix(change: ChurnChangeResult) -> bool:
    """Whether most of the change comes from the mix, beyond chance."""
    sure = change.mix.low > 0 or change.mix.high < 0
    return sure and change.mix.value * change.change.value > MOSTLY * change.change.value**2


def _text(lead: _Lead, name: str, labels: tuple[str, str], words: Words) -> str:
    change, (now, before) = lead.change, labels
    rate, previous = words.share(change.rate), words.share(change.previous_rate)
    if change.moved == "unclear":
        base = f"The {name} moved no more than by chance: {rate} in {now}, {previous} in {before}"
        if lead.apart is not None:
            return f"{base}; but {_moved_apart(lead, words)}."
        if _by_mix(change):
            part = words.points(change.mix.value, signed=True)
            return f"{base}; the mix of accounts by {spoken(lead.by)} alone makes {part} points."
        return f"{base}. There is nothing to explain."
    way = "rose" if change.moved == "up" else "fell"
    size = words.points(abs(change.change.value))
    base = f"The {name} {way} {size} points to {rate} in {now}"
    return f"{base}: {_parts(change, lead.by, words)}; {_largest(lead, words)}."


def _parts(change: ChurnChangeResult, by: str, words: Words) -> str:
    """Say how much comes from the groups' own rates, and how much from their mix."""
    within, mix = change.within.value, change.mix.value
    often = "more" if within > 0 else "less"
    own = f"because accounts of the same {spoken(by)} leave {often} often"
    other = f"because the mix of accounts by {spoken(by)} changed"
    if abs(mix) < VISIBLE:
        return f"all of it {own}"
    if abs(within) < VISIBLE:
        return f"all of it {other}"
    return f"{words.points(within, signed=True)} {own}, {words.points(mix, signed=True)} {other}"


def _largest(lead: _Lead, words: Words) -> str:
    row = lead.first
    part = words.points(row["contribution"], signed=True)
    if lead.apart is not None:
        return f"{_moved_apart(lead, words)} and makes {part} of it"
    return f"the largest part, {part}, comes from {named(row['group'])}"


def _moved_apart(lead: _Lead, words: Words) -> str:
    row = lead.first
    rates = f"{words.share(row['rate'])} after {words.share(row['previous_rate'])}"
    return f"{named(row['group'])} moved apart from the others ({rates})"


def _evidence(lead: _Lead, attributes: list[str], words: Words) -> str:
    change, row = lead.change, lead.first
    level = words.share(change.confidence, 0)
    group = _between(row["contribution_low"], row["contribution_high"], words)
    parts = [
        f"{level} intervals: change {_between(*change.change[1:], words)}",
        f"same {spoken(lead.by)} {_between(*change.within[1:], words)}",
        f"mix {_between(*change.mix[1:], words)}",
        f"{named(row['group'])} {group}",
    ]
    looked = (
        f"{lead.groups} {plural(lead.groups, 'group')} by {joined(list(map(spoken, attributes)))}"
    )
    if lead.apart is None:
        apart = f"None of {looked} moved apart from the others by more than chance."
    else:
        ends = _between(row["apart_low"], row["apart_high"], words)
        apart = (
            f"{named(row['group'])} moved apart from its others by {ends}, at a level for all of "
            f"the {looked} that were looked at."
        )
    return f"{'; '.join(parts)}. {apart} Before rounding the parts add up exactly."


def _between(low: float, high: float, words: Words) -> str:
    first, last = (words.change(end, "share") for end in (low, high))
    return first if first == last else words.change_interval(low, high, "share")


def _action(lead: _Lead, before: str, words: Words) -> str:
    change, row = lead.change, lead.first
    if lead.apart is not None:
        question = "what has changed for these accounts"
        return f"Look at {named(row['group'])} first: {question} since {before}?"
    if change.moved == "unclear" and not _by_mix(change):
        return "Do not look for reasons in single groups; compare longer periods to see more."
    if _by_mix(change):
        shares = [words.percent(row[name]) for name in ("previous_weight", "weight")]
        whole = "revenue" if change.of == "revenue" else "all accounts"
        return (
            "Look at which accounts are won and kept rather than at service: "
            f"{named(row['group'])} was {shares[0]} of {whole} and is {shares[1]}."
        )
    if change.moved == "up":
        return "Look for a cause that all groups share first: price, product, season, competition."
    return "Find out what all groups have had in common since, and keep it."


def _weight(change: ChurnChangeResult) -> float:
    if change.moved == "unclear" or not change.previous_rate > 0:
        return 0.0
    return min(1.0, abs(change.change.value) / change.previous_rate)
