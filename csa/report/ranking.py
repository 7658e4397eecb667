"""What matters most: the order of findings, the scorecard, the verdict on an edition."""

from collections import Counter
from collections.abc import Sequence

from csa.report.assemble import ChapterPage, EditionStatus, RankedFinding, ScoreRow
from csa.report.outputs import Part

_BY_STATUS = {"bad": 0, "watch": 1, "unclear": 2, "good": 3}  # what needs a decision comes first
_BY_KIND = {"change": 0, "action": 1}
MISSED, NEWS, STANDING, REPORT = range(4)


def rank(chapters: Sequence[ChapterPage]) -> tuple[RankedFinding, ...]:
    """Order findings so that page one says what changed and what to do before all else.

    Parameters
    ----------
    chapters : sequence of ChapterPage
        All chapters.

    Returns
    -------
    tuple of RankedFinding
        Missed targets; then changes of the period and actions that are due, as far as they have a
        figure; then how the customers are; last what is about the report itself, unless it is
        bad. Within these bad before watch before unclear before good (a change is told before an
        action, whether good or unclear), larger weight, then larger relative change first; ties
        in the order of the report. Changes and actions are told in turns, the first of each
        chapter before the second of any: else one chapter would fill the page.
    """
    found = [
        RankedFinding(
            chapter=page.name, chapter_title=page.title, anchor=page.anchor, finding=finding
        )
        for page in chapters
        for finding in page.findings
    ]
    found.sort(key=_importance)
    told: Counter[tuple[float, str]] = Counter()
    turns = []
    for ranked in found:
        tier = _tier(ranked.finding)
        turns.append((tier, told[tier, ranked.chapter] if tier == NEWS else 0))
        told[tier, ranked.chapter] += 1
    order = sorted(range(len(found)), key=lambda place: turns[place])
    return tuple(found[place] for place in order)


def _importance(ranked: RankedFinding) -> tuple[float, ...]:
    finding = ranked.finding
    tier = _tier(finding)
    status = _BY_STATUS.get(finding["status"], len(_BY_STATUS))
    if tier == NEWS:
        return (tier, min(status, _BY_STATUS["unclear"]), _BY_KIND[finding["kind"]])
    return (tier, status, -(finding["weight"] or 0.0), -_relative_change(finding["measure"] or {}))


def _tier(finding: Part) -> int:
    bad, kind = finding["status"] == "bad", finding["kind"]
    if kind == "report":
        return STANDING if bad else REPORT
    if bad:
        return MISSED
    figure = (finding["measure"] or {}).get("value")
    return NEWS if kind in _BY_KIND and figure is not None else STANDING


def _relative_change(measure: Part) -> float:
    change: float | None = measure.get("change")
    previous: float | None = measure.get("previous")
    if change is None:
        return 0.0
    return abs(change) / abs(previous) if previous else abs(change)


def scorecard_of(chapters: Sequence[ChapterPage]) -> tuple[ScoreRow, ...]:
    """List every finding that carries a measure, in the order of the report.

    Parameters
    ----------
    chapters : sequence of ChapterPage
        All chapters.

    Returns
    -------
    tuple of ScoreRow
        One per measure.
    """
    return tuple(
        ScoreRow(
            title=finding["title"],
            chapter=page.name,
            anchor=page.anchor,
            status=finding["status"],
            measure=finding["measure"],
        )
        for page in chapters
        for finding in page.findings
        if finding["measure"] is not None
    )


def status_of(chapters: Sequence[ChapterPage]) -> EditionStatus:
    """Judge the edition by its chapters.

    Parameters
    ----------
    chapters : sequence of ChapterPage
        All chapters.

    Returns
    -------
    str
        "ok", "chapter failed", or "failed" where every chapter failed.
    """
    failed = [page.status == "failed" for page in chapters]
    if all(failed):
        return "failed"
    return "chapter failed" if any(failed) else "ok"
