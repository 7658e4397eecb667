"""The accounts to call, as a reader needs them: who, how much, why, what to do, who owns it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from csa.analysis.risk.drivers import drivers
from csa.analysis.risk.model import RiskModel
from csa.analysis.risk.scores import RiskScores
from csa.analysis.risk.trust import Trust
from csa.analysis.risk.worklist import Worklist
from csa.present.driver_words import FeatureLike, driver_phrase, next_step
from csa.present.money import major
from csa.present.names import capital
from csa.present.words import Words, known

ENGLISH: Final = Words()
EXTERNAL: Final = "external"  # audience that is shown no account
MOST: Final = 1000  # accounts that are told of one by one
REASONS: Final = 3  # per account
LEAST: Final = 0.1  # log odds that a reason adds to the risk, about a tenth of it
UNLIKELY: Final = 0.2  # p-value of a sign from which on it is no reason for anything
NO_REASON: Final = "no single reason stands out"
FOR_ITS_SIZE: Final = "on the list for its size: its risk is below average"
NOT_STATED: Final = "not stated"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CallList:
    """Accounts above the cost line, most gain first.

    `rows`: `account_id`, `account` (name, or id), `owner`, `segment`, `mrr`, `risk`, `ci_low`,
    `ci_high`, `stake` (what a call may keep: value × risk × save rate), `stake_low`,
    `stake_high`, `act` (within the capacity), `sure`, `why`, `next_step`; money in units of the
    currency. `n` accounts were scored, `above` lie above the line.
    """

    rows: pd.DataFrame
    n: int
    above: int
    calls: Worklist
    trust: Trust
    horizon_days: int
    confidence: float
    external: bool = False

    def shown_to(self, audience: str) -> "CallList":
        """Make the list that an audience may see.

        Parameters
        ----------
        audience : str
            "external" is shown no single account.

        Returns
        -------
        CallList
            The same accounts; pages for others than us only count them.
        """
        return replace(self, external=audience == EXTERNAL)

    @property
    def to_call(self) -> pd.DataFrame:
        """Rows that the team can take on now."""
        return self.rows.loc[self.rows["act"]]

    @property
    def flagged(self) -> list[str]:
        """Ids of the accounts to call."""
        return [str(name) for name in self.to_call["account_id"]]

    @property
    def withheld(self) -> str:
        """Why there is no list, if there is none."""
        return "" if self.trust.usable else self.trust.reason


def call_list(
    calls: Worklist,
    scores: RiskScores,
    who: pd.DataFrame,
    features: Sequence[FeatureLike],
    *,
    trust: Trust,
    words: Words = ENGLISH,
) -> CallList:
    """Make the list of accounts to call, with reasons in words.

    Parameters
    ----------
    calls : Worklist
        From `csa.analysis.risk.worklist`.
    scores : RiskScores
        What it was made from.
    who : DataFrame
        `account_id`, `name`, `owner`, `segment` of the accounts that may be shown.
    features : sequence of FeatureLike
        Signs that count as reasons, from `reasons_of`.
    trust : Trust
        Whether risks may be acted on; without that there is no list.
    words : Words
        Locale and currency.

    Returns
    -------
    CallList
        Empty where risks may not be acted on.
    """
    table = calls.table
    above = table.loc[(table["gain_minor"] > 0) & trust.usable]
    shown = above.merge(who, on="account_id", how="inner").head(MOST)
    reasons = _reasons(scores, shown, {f.name: f for f in features}, words)
    columns = ["account_id", "segment", "risk", "ci_low", "ci_high", "act", "sure"]
    rows = shown[columns].assign(
        account=shown["name"].where(shown["name"].notna(), shown["account_id"]),
        owner=shown["owner"].where(shown["owner"].notna(), NOT_STATED),
        mrr=_major(shown["value_minor"] / calls.months, words),
        stake=_major(shown["gain_minor"] + calls.cost_per_action_minor, words),
        stake_low=_major(shown["gain_low"] + calls.cost_per_action_minor, words),
        stake_high=_major(shown["gain_high"] + calls.cost_per_action_minor, words),
        why=[why for why, _ in reasons],
        next_step=[step for _, step in reasons],
    )
    return CallList(
        rows=rows,
        n=int(table["risk"].notna().sum()),
        above=len(above),
        calls=calls,
        trust=trust,
        horizon_days=scores.horizon_days,
        confidence=scores.confidence,
    )


def reasons_of(model: RiskModel, features: Sequence[FeatureLike]) -> tuple[FeatureLike, ...]:
    """Choose the signs that may be told as the reason of a risk.

    Parameters
    ----------
    model : RiskModel
        From `csa.analysis.risk.fit_risk`.
    features : sequence of FeatureLike
        Declarations of all signs.

    Returns
    -------
    tuple of FeatureLike
        Without those whose effect may well be none: they are in the sum, but told as a reason
        they would send people after chance.
    """
    real = set(model.table.loc[model.table["p_value"] < UNLIKELY, "feature"])
    return tuple(feature for feature in features if feature.name in real)


def _major(minor: pd.Series, words: Words) -> pd.Series:
    return minor.map(lambda value: major(value, words)).astype(float)


def _reasons(
    scores: RiskScores, shown: pd.DataFrame, features: Mapping[str, FeatureLike], words: Words
) -> list[tuple[str, str]]:
    """Reasons and next step of each account, in words."""
    every, ids = len(scores.features), list(shown["account_id"])
    found = drivers(scores, top=every, direction="raises", account_ids=ids)
    strong = found.loc[(found["contribution"] >= LEAST) & found["feature"].isin(list(features))]
    first = strong.groupby("account_id", sort=False).head(REASONS)
    of = dict(iter(first.groupby("account_id", sort=False)))
    average = float(np.nanmean(scores.table["risk"])) if len(shown) else np.nan
    told = []
    for account, risk in zip(shown["account_id"], shown["risk"], strict=True):
        rows: list[dict[Any, Any]] = of[account].to_dict("records") if account in of else []
        phrases = [
            driver_phrase(features.get(r["feature"]), r["feature"], r["value"], r["typical"], words)
            for r in rows
        ]
        phrases = list(dict.fromkeys(phrases)) or [NO_REASON]
        if known(risk) and risk < average:
            phrases.append(FOR_ITS_SIZE)
        values = {r["feature"]: (r["value"], r["typical"]) for r in rows}
        told.append((capital("; ".join(phrases)), next_step(values, features, values)))
    return told
