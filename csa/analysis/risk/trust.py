"""Whether risks may be acted on: what is known of how they did, in one word and a reason."""

from dataclasses import dataclass
from typing import Literal

from csa.analysis.risk.evaluation import Evaluation
from csa.analysis.risk.leaks.findings import LeakAudit
from csa.analysis.risk.scores import RiskScores

Level = Literal["judged", "not judged", "no signal", "no risk"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """How far risks can be acted on.

    `level`: "judged" (they told who leaves, out of time), "not judged" (there is no past to hold
    them against), "no signal" (held against the past they said nothing), "no risk" (there is no
    model). `reason` says why it is not the first; `warning` what the leak alarm found.
    """

    level: Level
    reason: str
    warning: str

    @property
    def usable(self) -> bool:
        """Whether accounts can be picked by their risk at all."""
        return self.level in {"judged", "not judged"}


def risk_trust(scores: RiskScores, judged: Evaluation, leaks: LeakAudit) -> Trust:
    """Say whether risks may be acted on.

    Parameters
    ----------
    scores : RiskScores
        Risks of today.
    judged : Evaluation
        Of risks of the same kind of model, made in the past.
    leaks : LeakAudit
        Of the snapshots.

    Returns
    -------
    Trust
        Risks without a signal are no better than drawing lots: a list of accounts made from them
        would only look like knowledge.
    """
    level, reason = _level(scores, judged)
    alarms = leaks.table.loc[leaks.table["severity"] == "alarm", "reason"]
    return Trust(level=level, reason=reason, warning="; ".join(alarms))


def _level(scores: RiskScores, judged: Evaluation) -> tuple[Level, str]:
    if scores.status != "ok":
        return "no risk", scores.reason
    if not len(scores.table):
        return "no risk", "no account is a customer on the last day"
    if judged.status != "ok":
        return "not judged", judged.reason
    if judged.signal == "signal":
        return "judged", ""
    auc = judged.figure("auc")
    return "no signal", f"AUC {auc.value:.2f}, interval {auc.low:.2f} to {auc.high:.2f}"
