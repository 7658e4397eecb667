"""The finding about lifetimes beyond the data: expected time as a customer, or why not."""

from typing import Any, Final

from csa.analysis.churn.extrapolation import ExtrapolationResult
from csa.errors import InputError
from csa.present.items import Finding, Measure
from csa.present.judge import TargetLike, aimed, judged
from csa.present.names import named
from csa.present.phrases import against, distance, number
from csa.present.table_rows import ALL
from csa.present.words import Words, known

ENGLISH: Final = Words()
MOSTLY: Final = 0.5  # of the time expected: from here on it is mostly a guess
NAMES: Final = {"weibull": "Weibull", "lognormal": "log-normal", "loglogistic": "log-logistic"}
REASONS: Final = {  # how a reason begins, and how a reader is told
    "no distribution fits": "no smooth curve follows what was observed",
    "no figure beyond": "that is too far beyond what was seen",
    "never": "too few accounts were seen at the same age",
    "the curve starts": "nobody was watched at so young an age",
}


def extrapolation(
    result: ExtrapolationResult,
    *,
    group: str = ALL,
    target: TargetLike | None = None,
    words: Words = ENGLISH,
) -> Finding:
    """Say how long accounts are expected to stay up to the horizon, beyond what was seen.

    Parameters
    ----------
    result : ExtrapolationResult
        From `csa.analysis.churn.extrapolation.extrapolate`.
    group : str
        Group to speak of.
    target : TargetLike, optional
        `targets: expected_lifetime_days` of csa.yml.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Unclear where no curve fits what was seen, or the horizon is too far beyond it. The
        interval holds those of all curves that fit.
    """
    row = life_of(result, group)
    measure = aimed(_measure(row, result.confidence), target)
    title, ident = "Expected lifetime", "expected-lifetime"
    if row["status"] != "ok":
        return Finding(
            id=ident,
            title=title,
            text=f"How long {_who(group)} stay within {words.days(result.horizon_days)} cannot be "
            f"told: {_reason(str(row['reason']))}.",
            evidence=f"{_seen(row, words)} Cause in full: {row['reason']}.",
            action="Plan with what was seen (the curves above), not with a lifetime beyond it.",
            status="unclear",
        )
    status = judged(measure)
    return Finding(
        id=ident,
        title=title,
        text=_text(row, group, result, words),
        evidence=_evidence(result, row, measure, words),
        action=_action(row, words),
        status=status,
        measure=measure,
        weight=distance(measure),
    )


def life_of(result: ExtrapolationResult, group: str) -> dict[Any, Any]:
    """Look up the expected lifetime of a group.

    Parameters
    ----------
    result : ExtrapolationResult
        From `csa.analysis.churn.extrapolation.extrapolate`.
    group : str
        Its name.

    Returns
    -------
    dict
        The row of `lifetimes`.

    Raises
    ------
    InputError
        If there is no such group.
    """
    rows = result.lifetimes.loc[result.lifetimes["group"] == group]
    if rows.empty:
        names = ", ".join(result.lifetimes["group"])
        raise InputError(f"group: there is no {group} among those extrapolated: {names}")
    return rows.iloc[0].to_dict()


def _measure(row: dict[Any, Any], confidence: float) -> Measure:
    """Take the interval over all curves that fit: how much hangs on the shape belongs to it."""
    low, high = (
        number(choose(row[one], row[other]))
        for choose, one, other in ((min, "ci_low", "among_low"), (max, "ci_high", "among_high"))
    )
    return Measure(
        metric_id="expected_lifetime_days",
        value=number(row["lifetime_days"]),
        low=low,
        high=high,
        n=int(row["n"]),
        unit="days",
        confidence=confidence,
        method="parametric survival, over the shapes that fit",
        better="higher",
    )


def _who(group: str) -> str:
    return "accounts" if group == ALL else f"accounts of {named(group)}"


def _reason(reason: str) -> str:
    """Say a reason without the words of the method."""
    told = (plain for start, plain in REASONS.items() if reason.startswith(start))
    return next(told, reason.split(";", maxsplit=1)[0].replace("churned", "left"))


def _text(row: dict[Any, Any], group: str, result: ExtrapolationResult, words: Words) -> str:
    who = _who(group)
    if known(row["starts_at_days"]) and row["starts_at_days"] > 0:
        who = f"{who} that reach {words.days(row['starts_at_days'])}"
    stay = words.days(row["lifetime_days"])
    base = f"Of their first {words.days(result.horizon_days)} {who} are expected to stay {stay}"
    beyond = row["extrapolated_share"]
    if result.horizon_days <= row["seen_until_days"]:
        return f"{base}; all of that was seen."
    return f"{base}; {words.percent(beyond)} of that lies beyond what was seen."


def _evidence(
    result: ExtrapolationResult, row: dict[Any, Any], measure: Measure, words: Words
) -> str:
    level = words.share(result.confidence, 0)
    ends = words.interval(measure.low, measure.high, "days")
    fits = result.fits.loc[result.fits["group"] == row["group"]]
    chosen = fits.loc[fits["chosen"].astype(bool)].iloc[0]
    others = int(fits["fits"].sum()) - 1
    name = NAMES.get(str(row["distribution"]), str(row["distribution"]))
    shapes = f"over the {others + 1} curves that fit" if others else "by the only curve that fits"
    far = words.points(chosen["largest_distance"])
    return (
        f"{level} interval {ends} {shapes}{against(measure, words)}. The {name} curve stays within "
        f"{far} points of the observed one. {_seen(row, words)}"
    )


def _seen(row: dict[Any, Any], words: Words) -> str:
    base = f"{words.number(row['n'])} accounts, {words.number(row['events'])} left"
    if not known(row["seen_until_days"]):
        return f"{base}."
    return f"{base}, seen up to {words.days(row['seen_until_days'])}."


def _action(row: dict[Any, Any], words: Words) -> str:
    if row["extrapolated_share"] > MOSTLY:
        return "Do not decide on this alone: most of it is beyond what anybody has seen."
    horizon = words.days(row["horizon_days"])
    return (
        "Plan customer value with the interval, not with the figure alone; look again each year. "
        f"Nothing is said about the time after {horizon}."
    )
