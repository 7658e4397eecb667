"""The verdict on targets: met, not met, unclear, or not to be reached on these data at all."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from csa.analysis.risk.evaluation import MIN_EVENTS, Evaluation
from csa.errors import InputError
from csa.methods.binormal import auc_needed, trials_needed
from csa.methods.intervals import Estimate

PLANNED = 0.05  # how far above a target a share is assumed to lie when data are planned for
OF = {"precision": "flagged accounts", "recall": "churned accounts", "f1": "accounts either way"}
NAMES = {"precision": "precision", "recall": "recall", "f1": "F1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """What the flagging of accounts should reach, shares in (0, 1)."""

    precision: float = 0.85
    recall: float = 0.80
    f1: float = 0.82

    def __post_init__(self) -> None:
        """Refuse what is no share."""
        wrong = {name: x for name in OF if not 0 < (x := getattr(self, name)) < 1}
        if wrong:
            raise InputError(
                *(f"targets: {n} of {x} is not within (0, 1)" for n, x in wrong.items())
            )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Verdict:
    """Targets held against an evaluation.

    `table`: `metric`, `target`, `value`, `ci_low`, `ci_high`, `status` ("met", "not met" or
    "unclear"), `needed` (how many, were the value as observed, would settle it; NaN where it is
    settled), `needed_of` (of what), `reason`, and `horizon_days`, `base_rate`, `n`, `events`,
    `threshold_rule`. `status` is that of all targets together. `reachable` is the highest
    precision at the target's recall, and `reach` "reachable", "not reachable" or "unclear".
    `auc_needed` is what normal scores would need for precision and recall at this base rate.
    """

    table: pd.DataFrame
    status: str
    reach: str
    reachable: Estimate
    auc: Estimate
    auc_needed: float
    signal: str
    sentence: str
    targets: Targets


def verdict(result: Evaluation, targets: Targets | None = None) -> Verdict:
    """Hold an evaluation against targets.

    Parameters
    ----------
    result : Evaluation
        From `evaluate`.
    targets : Targets, optional
        Default: precision 85 %, recall 80 %, F1 82 %.

    Returns
    -------
    Verdict
        A target is met where the interval lies at or above it, not met where it lies below,
        else unclear. Everything is unclear where the threshold was chosen on the rows it is
        judged on, or too few accounts churned.

    Notes
    -----
    Not reachable: the interval of the best precision at the target's recall, over all thresholds
    and with hindsight, lies below the target's precision.
    """
    aims = Targets() if targets is None else targets
    table = pd.DataFrame([_row(result, metric, getattr(aims, metric)) for metric in OF])
    found = set(table["status"])
    status = "not met" if "not met" in found else "met" if found == {"met"} else "unclear"
    reachable = reachable_at(result, "recall", aims.recall)
    rate = result.base_rate.value
    known = 0 < rate < 1
    reach = _reach(result, reachable, aims)
    return Verdict(
        table=table,
        status=status,
        reach=reach,
        reachable=reachable,
        auc=result.figure("auc"),
        auc_needed=auc_needed(aims.precision, aims.recall, rate) if known else float("nan"),
        signal=result.signal,
        sentence=_sentence(result, (status, reach), reachable, aims),
        targets=aims,
    )


def reachable_at(result: Evaluation, aim: str, at: float) -> Estimate:
    """Best precision at a recall, or best recall at a precision.

    Parameters
    ----------
    result : Evaluation
        From `evaluate`.
    aim : {"recall", "precision"}
        Which of the two is given.
    at : float
        Its value; read at the whole percent at or below.

    Returns
    -------
    Estimate
        NaN where nobody churned.

    Raises
    ------
    InputError
        If the aim is neither.
    """
    if aim not in {"recall", "precision"}:
        raise InputError(f'reachable: "{aim}" is neither "recall" nor "precision"')
    table = result.reachable.loc[result.reachable["aim"] == aim]
    i = int(np.clip(np.floor(at * 100 + 1e-9), 1, len(table))) - 1
    return Estimate(*(float(table[c].iloc[i]) for c in ("value", "ci_low", "ci_high")))


def _row(result: Evaluation, metric: str, target: float) -> dict[str, object]:
    """One target."""
    found = result.figure(metric)
    status, reason, needed = _judged(result, metric, found, target)
    return {
        "metric": metric,
        "target": target,
        "value": found.value,
        "ci_low": found.low,
        "ci_high": found.high,
        "status": status,
        "needed": needed,
        "needed_of": OF[metric] if np.isfinite(needed) else "",
        "reason": reason,
        "horizon_days": result.horizon_days,
        "base_rate": result.base_rate.value,
        "n": result.n,
        "events": result.events,
        "threshold_rule": result.threshold.rule,
    }


def _judged(
    result: Evaluation, metric: str, found: Estimate, target: float
) -> tuple[str, str, float]:
    """Status, reason and how many would settle it."""
    needed = _needed(metric, found.value, target, result.confidence)
    if result.status == "unclear":
        return "unclear", _too_few(result, metric, target), needed
    if result.seen:
        reason = f"the threshold was chosen on {result.seen} of the {result.n} rows it is judged on"
        return "unclear", reason, float("nan")
    if np.isnan(found.low):
        nobody = metric == "precision"
        reason = "nobody is flagged" if nobody else "not known"
        return "unclear", reason, float("nan")
    if found.low >= target:
        return "met", "", float("nan")
    if found.high < target:
        return "not met", "", float("nan")
    many = f"{needed:,.0f} {OF[metric]}" if np.isfinite(needed) else "no number of accounts"
    return (
        "unclear",
        f"the interval spans the target; {many} would settle {found.value:.0%}",
        needed,
    )


def _too_few(result: Evaluation, metric: str, target: float) -> str:
    """Say what limits the evaluation, and how many it takes."""
    if result.churned_accounts >= MIN_EVENTS:
        return result.reason
    plan = min(target + PLANNED, (1 + target) / 2)
    many = _needed(metric, plan, target, result.confidence)
    told = f"{NAMES[metric]} of {plan:.0%} from {target:.0%}"
    return f"{result.reason}; it takes {many:,.0f} {OF[metric]} to tell a {told}"


def _needed(metric: str, value: float, target: float, confidence: float) -> float:
    """How many it takes to tell a value from the target; F1 by the share its limits rest on."""
    if np.isnan(value):
        return float("nan")
    pair = (value, target) if metric != "f1" else (value / (2 - value), target / (2 - target))
    return trials_needed(*pair, confidence=confidence)


def _reach(result: Evaluation, reachable: Estimate, aims: Targets) -> str:
    if result.status == "unclear" or np.isnan(reachable.low):
        return "unclear"
    if reachable.high < aims.precision:
        return "not reachable"
    return "reachable" if reachable.low >= aims.precision else "unclear"


def _sentence(
    result: Evaluation, judged: tuple[str, str], reachable: Estimate, aims: Targets
) -> str:
    """Put the verdict into words, with everything it must not be read without."""
    status, reach = judged
    about = (
        f"{result.horizon_days:g}-day horizon, base rate {result.base_rate.value:.1%}, "
        f"{result.events:,} events among {result.n:,}"
    )
    if result.status == "unclear":
        return f"unclear: {result.reason} ({about})" if result.n else f"unclear: {result.reason}"
    if result.signal in {"no signal", "reversed"}:
        return f"{result.signal}: AUC {_shown(result.figure('auc'), 2)} ({about})"
    best = f"at recall {aims.recall:.0%} precision is {_percent(reachable)}"
    words = {
        "not reachable": f"not reachable on these data: {best}",
        "reachable": f"{status}; a threshold exists: {best} at best",
        "unclear": f"{status}; whether a threshold exists is unclear: {best} at best",
    }
    return f"{words[reach]} ({about})"


def _shown(found: Estimate, digits: int) -> str:
    return f"{found.value:.{digits}f} [{found.low:.{digits}f}, {found.high:.{digits}f}]"


def _percent(found: Estimate) -> str:
    return f"{found.value:.0%} [{100 * found.low:.0f}, {100 * found.high:.0f}]"
