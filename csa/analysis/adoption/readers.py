"""Readers of the kit's own reports: who opens them, by role."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import pandas as pd

from csa.analysis.adoption.windows import Span
from csa.methods.intervals import Estimate, wilson

MONTHS_DAYS: Final = 91  # thirteen weeks
NOT_STATED: Final = "not stated"
FEWEST: Final = 10  # editions


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Readers:
    """Opens of reports in the last 91 days.

    `table`: `role`, `readers`, `opens`, `editions` (that any of them opened), most opens first.
    `opened`: share of the finished editions that anybody opened, of `editions`. `status`,
    `reason`.
    """

    table: pd.DataFrame
    opened: Estimate
    editions: int
    span: Span
    confidence: float = 0.95
    status: str = "ok"
    reason: str = ""


def readers(
    opens: pd.DataFrame | None,
    runs: pd.DataFrame | None,
    staff: pd.DataFrame | None,
    *,
    span: Span,
    confidence: float = 0.95,
) -> Readers:
    """Count who opened reports, by role.

    Parameters
    ----------
    opens : DataFrame or None
        `edition`, `person`, `opened_at`; None: nothing was recorded.
    runs : DataFrame or None
        `edition`, `finished_at`, `status`.
    staff : DataFrame or None
        `person_id`, `role`.
    span : Span
        The 91 days end with its last day known.
    confidence : float
        Level of the interval, share in (0, 1).

    Returns
    -------
    Readers
        "unclear" where no open, or hardly any edition, is recorded.
    """
    empty = pd.DataFrame(columns=["edition", "person", "opened_at"])
    seen = _within(empty if opens is None else opens, "opened_at", span)
    made = _within(
        pd.DataFrame(columns=["edition", "finished_at"]) if runs is None else runs,
        "finished_at",
        span,
    )
    editions = set(made["edition"].dropna())
    known = set(seen["edition"]) & editions
    share = wilson(len(known), len(editions), confidence=confidence)
    reason = ""
    if opens is None or opens.empty:
        reason = "no opening of a report is recorded"
    elif len(editions) < FEWEST:
        reason = f"only {len(editions)} editions in {MONTHS_DAYS} days"
    return Readers(
        table=_by_role(seen, staff),
        opened=Estimate(float(share.value), float(share.low), float(share.high)),
        editions=len(editions),
        span=span,
        confidence=confidence,
        status="unclear" if reason else "ok",
        reason=reason,
    )


def _within(rows: pd.DataFrame, column: str, span: Span) -> pd.DataFrame:
    day = pd.to_datetime(rows[column]).dt.normalize()
    first = pd.Timestamp(span.last - timedelta(days=MONTHS_DAYS - 1))
    return rows.loc[(day >= first) & (day <= pd.Timestamp(span.last))]


def _by_role(opens: pd.DataFrame, staff: pd.DataFrame | None) -> pd.DataFrame:
    roles = {} if staff is None else dict(zip(staff["person_id"], staff["role"], strict=True))
    told = opens.assign(role=[roles.get(p) or NOT_STATED for p in opens["person"]])
    table = told.groupby("role", as_index=False).agg(
        readers=("person", "nunique"), opens=("person", "size"), editions=("edition", "nunique")
    )
    return table.sort_values(["opens", "role"], ascending=[False, True], ignore_index=True)
