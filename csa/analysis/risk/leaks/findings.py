"""What the leak alarm found: kinds, one row per finding, and the verdict over all."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import pandas as pd

Severity = Literal["alarm", "watch"]
Status = Literal["alarm", "watch", "ok", "unclear"]

TOO_GOOD = "too good"
FILLED_AFTERWARDS = "filled afterwards"
TOO_GOOD_GIVEN_OTHERS = "too good given the others"
FOLLOWS_THE_END = "follows the end"
RUNS_TO_THE_END = "runs on to the end"
DATE_AFTER_CUTOFF = "date after cut-off"
CHANGED_AFTER_CUTOFF = "changed after cut-off"
OUTCOME_REWRITTEN = "outcome rewritten"
ROWS_CAME_OR_WENT = "rows came or went"
SAME_ACCOUNT = "same account in both folds"
SAME_ROW = "same row in both folds"
NO_EMBARGO = "no embargo"
NOT_IN_TIME = "not split in time"
SHARE_OF_CHURN = "share of churn"
REPEATED_ROWS = "repeated rows"
INTERPOLATED_ROWS = "interpolated rows"
FRACTIONS = "fractions"

COLUMNS = ("kind", "column", "measure", "evidence", "limit", "n", "severity", "reason")
CHECKED = ("column", "n", "events", "missing", "auc", "ci_low", "ci_high", "flagged")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Leak:
    """One finding: `evidence` is the value of `measure`, beyond `limit` of what is credible."""

    kind: str
    column: str = ""  # empty where the finding is about rows
    measure: str
    evidence: float
    limit: float
    n: int  # what the evidence rests on, in the words of `measure` or rows
    severity: Severity
    reason: str


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LeakAudit:
    """Findings of the leak alarm, worst first, and what was looked at.

    `table`: `kind`, `column` (empty for findings about rows), `measure` (what `evidence` is),
    `evidence`, `limit` (of what is credible), `n`, `severity` ("alarm" or "watch"), `reason`.
    `checked`: one row per column: `n` known values, `events` among them, share `missing`, `auc`
    of higher values (below 0.5: lower values churn) with `ci_low` and `ci_high`, `flagged`. Texts
    are put in order by one half of the accounts and tested on the other, and so is the last row,
    "all columns together", a linear rule: where its interval holds 0.5, no signal was found.
    `status`: "alarm" or "watch" by the worst finding, "unclear" where too little could be
    looked at to say that all is well, else "ok"; `reason` says what limits the verdict.
    """

    table: pd.DataFrame
    checked: pd.DataFrame
    status: Status
    reason: str = ""
    n: int = 0
    n_looked_at: int = 0
    events: int = 0
    horizon_days: float = float("nan")
    confidence: float = 0.95


def leak_table(leaks: Iterable[Leak]) -> pd.DataFrame:
    """Tidy table of findings, alarms first, strongest of a kind first.

    Parameters
    ----------
    leaks : iterable of Leak
        Findings; of several on one column and kind the first is kept.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`.
    """
    rows = [{name: getattr(leak, name) for name in COLUMNS} for leak in leaks]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table = table.astype({"evidence": "float64", "limit": "float64", "n": "int64"})
    table = table.sort_values("severity", kind="stable")  # "alarm" stands before "watch"
    return table.drop_duplicates(["kind", "column"]).reset_index(drop=True)


def verdict(table: pd.DataFrame, limits: Iterable[str]) -> tuple[Status, str]:
    """Status of the audit and what limits it.

    Parameters
    ----------
    table : DataFrame
        Findings.
    limits : iterable of str
        Why something could not be looked at.

    Returns
    -------
    tuple of str
        Status and reason.
    """
    reason = "; ".join(dict.fromkeys(limits))
    for severity in ("alarm", "watch"):
        if (table["severity"] == severity).any():
            return severity, reason
    return ("unclear", reason) if reason else ("ok", "")
