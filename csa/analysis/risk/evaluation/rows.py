"""Predictions read for judging: which rows count, and what is known of each at the horizon."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.errors import InputError
from csa.methods.outcomes import Outcomes, outcomes_at

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

REQUIRED = ("account_id", "risk", "days_after", "event")
OPTIONAL = ("cutoff_on", "value")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class JudgedRows:
    """Predictions that are judged, in columns.

    `account` numbers the accounts, 0 and on; `clusters` is the same, or None where every account
    has one row. `cutoff` numbers the cut-offs. `key` tells rows of one data set from those of
    another.
    """

    risk: FloatArray
    days_after: FloatArray
    event: BoolArray
    value: FloatArray | None
    account: IntArray
    cutoff: IntArray
    cutoff_days: tuple[date, ...]
    key: NDArray[np.uint64]
    outcomes: Outcomes
    notes: tuple[str, ...]

    @property
    def clusters(self) -> IntArray | None:
        """Number of the account of each row, where accounts have several."""
        return self.account if self.accounts < len(self.risk) else None

    @property
    def accounts(self) -> int:
        """Count the accounts."""
        return int(self.account.max(initial=-1)) + 1

    @property
    def churned(self) -> BoolArray:
        """Rows known to have churned by the horizon."""
        return self.outcomes.event & self.outcomes.known

    @property
    def churned_accounts(self) -> int:
        """Count the accounts with a row that churned by the horizon."""
        return len(np.unique(self.account[self.churned]))


def judged_rows(predictions: ir.Table | pd.DataFrame, horizon_days: float) -> JudgedRows:
    """Read predictions and say what is known of each at the horizon.

    Parameters
    ----------
    predictions : ir.Table or DataFrame, one row per account and cut-off
        `account_id`, `risk` (share in [0, 1]), `days_after`, `event`; optional `cutoff_on`,
        `value`.
    horizon_days : float
        Horizon of the risks, days.

    Returns
    -------
    JudgedRows
        Without rows that have no risk or whose account was not found; without cut-offs whose
        horizon is not over, if there are others. What is left out stands in the notes.

    Raises
    ------
    InputError
        If a column is missing or of the wrong kind, a risk is no share, days are negative, an
        event is missing, or an account stands twice at a cut-off.
    """
    if not horizon_days > 0:
        raise InputError(f"horizon_days: {horizon_days} is not above 0")
    frame, notes = _usable(_columns(predictions))
    frame, over = _elapsed(frame, horizon_days)
    cutoff, days = _cutoffs(frame)
    account = pd.factorize(frame["account_id"])[0].astype(np.int64)
    ends, event = frame["days_after"].to_numpy(float), frame["event"].to_numpy(bool)
    outcomes = outcomes_at(horizon_days, ends, event)
    unknown = int((~outcomes.known).sum())
    lost = f"{unknown} rows leave observation before the horizon: the others are weighted for them"
    return JudgedRows(
        risk=frame["risk"].to_numpy(float),
        days_after=ends,
        event=event,
        value=frame["value"].to_numpy(float) if "value" in frame else None,
        account=account,
        cutoff=cutoff,
        cutoff_days=days,
        key=_keys(frame),
        outcomes=outcomes,
        notes=(*notes, *over, *([lost] if unknown else []), *filter(None, [outcomes.note])),
    )


def _columns(predictions: ir.Table | pd.DataFrame) -> pd.DataFrame:
    """Take the columns that are judged, each of its kind, or raise for all faults at once."""
    found = predictions.columns
    if missing := [c for c in REQUIRED if c not in found]:
        raise InputError(*(f"predictions: column {c} is missing" for c in missing))
    wanted = [c for c in (*REQUIRED, *OPTIONAL) if c in found]
    frame = predictions[wanted]
    if not isinstance(frame, pd.DataFrame):
        frame = frame.to_pandas()
    faults = []
    columns: dict[str, pd.Series] = {"account_id": frame["account_id"]}
    for name in (c for c in wanted if c not in {"account_id", "event", "cutoff_on"}):
        columns[name] = pd.to_numeric(frame[name], errors="coerce").astype(float)
        if wrong := int((columns[name].isna() & frame[name].notna()).sum()):
            faults.append(f"predictions: {name} is no number in {wrong} rows; correct or drop them")
    faults += _impossible(frame, columns)
    if faults:
        raise InputError(*faults)
    columns["event"] = frame["event"].astype("boolean").fillna(value=False).astype(bool)
    if "cutoff_on" in frame:
        columns["cutoff_on"] = pd.to_datetime(frame["cutoff_on"])
    return pd.DataFrame(columns).reset_index(drop=True)


def _impossible(frame: pd.DataFrame, columns: dict[str, pd.Series]) -> list[str]:
    """Say what no prediction can be."""
    risk, days = columns["risk"], columns["days_after"]
    keys = [c for c in ("account_id", "cutoff_on") if c in frame]
    checks = {
        "account_id is missing in {} rows; drop them": frame["account_id"].isna(),
        "risk is not within [0, 1] in {} rows; a share is asked for": (risk < 0) | (risk > 1),
        "days_after is negative in {} rows; count from the cut-off": days < 0,
        "event is missing in {} rows; it is true or false": frame["event"].isna() & days.notna(),
        "cutoff_on is missing in {} rows; drop them": frame[keys[-1]].isna()
        & (keys[-1] == "cutoff_on"),
        "{} rows repeat an account at its cut-off; keep one of each": frame.duplicated(keys)
        & (len(keys) > 1),
    }
    return [f"predictions: {text.format(n)}" for text, rows in checks.items() if (n := rows.sum())]


def _usable(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Leave out rows that nothing can be said about."""
    unscored, unfound = frame["risk"].isna(), frame["days_after"].isna()
    notes = []
    if n := int(unscored.sum()):
        notes.append(f"{n} rows without a risk are left out")
    if n := int((unfound & ~unscored).sum()):
        notes.append(f"{n} rows whose account was not found afterwards are left out")
    return frame[~unscored & ~unfound].reset_index(drop=True), notes


def _elapsed(frame: pd.DataFrame, horizon_days: float) -> tuple[pd.DataFrame, Sequence[str]]:
    """Keep cut-offs whose horizon lies within the days known; all where there is none."""
    if "cutoff_on" not in frame or frame.empty:
        return frame, ()
    last = (frame["cutoff_on"] + pd.to_timedelta(frame["days_after"], unit="D")).max()
    over = frame["cutoff_on"] + pd.Timedelta(days=horizon_days) <= last
    if over.all() or not over.any():
        return frame, ()
    left = frame.loc[~over, "cutoff_on"]
    days = f"{left.nunique()} cut-offs from {left.min():%Y-%m-%d} on"
    note = f"{days} are left out: their {horizon_days:g} days are not over ({last:%Y-%m-%d})"
    return frame[over].reset_index(drop=True), (note,)


def _cutoffs(frame: pd.DataFrame) -> tuple[IntArray, tuple[date, ...]]:
    """Give cut-offs numbers in their order."""
    if "cutoff_on" not in frame:
        return np.zeros(len(frame), np.int64), ()
    numbers, days = pd.factorize(frame["cutoff_on"], sort=True)
    return numbers.astype(np.int64), tuple(day.date() for day in pd.DatetimeIndex(days))


def _keys(frame: pd.DataFrame) -> NDArray[np.uint64]:
    """Fingerprint of account and cut-off, by which data sets are compared."""
    keys = frame[["account_id"]].astype(str)
    if "cutoff_on" in frame:
        keys["cutoff_on"] = frame["cutoff_on"].astype("datetime64[ns]")
    found = pd.util.hash_pandas_object(keys, index=False)
    return np.asarray(found, dtype=np.uint64)
