"""Which accounts are worth an action, and what became of those that were flagged before."""

from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from csa.analysis.risk.scores import RiskScores
from csa.errors import InputError
from csa.methods.intervals import wilson

PREDICTED = ("model", "account_id", "made_on", "horizon_days", "value")
ENDED = ("account_id", "start_on", "end_on", "event")
BY = ("model", "made_on", "horizon_days", "flagged")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Worklist:
    """Accounts by what an action on them is expected to gain, most first.

    `table`: `rank` (from 1), `account_id`, `cutoff_on` where it was given, `risk`, `ci_low`,
    `ci_high`, `value_minor` (what the account pays in `months`), `at_stake_minor` (value × risk),
    `gain_minor` (at stake × `save_rate` less the cost), `gain_low`, `gain_high`, `line_risk` (the
    risk from which an action pays for itself), `act` (above the line and within the capacity),
    `sure` (above the line even at the low end of the interval). Money in minor units.
    """

    table: pd.DataFrame
    cost_per_action_minor: float
    save_rate: float
    months: float
    capacity: int | None
    n_above: int  # accounts above the line
    gain_minor: float  # expected, of all actions
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Matured:
    """What became of accounts with a prediction.

    `outcomes`, one row per prediction: `model`, `account_id`, `made_on`, `horizon_days`, `risk`,
    `due_on`, `flagged`, `state` ("churned", "stayed", "open": not over yet, "lost": gone from
    sight for another reason, "not found": no customer on that day), `ended_on`, and as an
    evaluation reads them `cutoff_on`, `days_after` (missing if not found), `event`. `summary`,
    one row per `model`, `made_on`, `horizon_days` and `flagged`: `n`, `known`, `expected` (sum of
    the risks of the known), `churned`, `share` (of the known), `ci_low`, `ci_high`, `status`,
    `reason`.
    """

    outcomes: ir.Table
    summary: pd.DataFrame
    as_of: date
    threshold: float | None


def worklist(
    scores: RiskScores | pd.DataFrame,
    *,
    cost_per_action_minor: float,
    save_rate: float,
    value_column: str = "mrr_minor",
    months: float = 12,
    capacity: int | None = None,
) -> Worklist:
    """Rank accounts by the expected gain of an action, and draw the line where it costs more.

    Parameters
    ----------
    scores : RiskScores or DataFrame, one row per account
        `account_id`, `risk`, the column of the value, and `ci_low`, `ci_high` if known.
    cost_per_action_minor : float
        Cost of one action, minor units.
    save_rate : float
        Share of the accounts about to churn that an action keeps, in (0, 1]. An assumption until
        actions have been compared with none: a risk is not the effect of an action.
    value_column : str
        What an account pays in a month, minor units.
    months : float
        Months of payment that a saved account is worth.
    capacity : int, optional
        Actions the team can take; default: as many as pay.

    Returns
    -------
    Worklist
        All accounts; equal gains by `account_id`. Accounts without a risk or value come last.

    Raises
    ------
    InputError
        If a column is missing, or a cost, rate or number of months is impossible.

    Notes
    -----
    Expected gain = value × risk × save rate - cost, so an action pays where the risk exceeds
    cost / (value × save rate): the threshold of a decision by cost [1]_.

    References
    ----------
    .. [1] Elkan, C. (2001). The foundations of cost-sensitive learning. IJCAI 17, 973-978.
    """
    table = scores.table if isinstance(scores, RiskScores) else scores
    _refuse(table, value_column, (cost_per_action_minor, save_rate, months))
    limits = {c: table.get(c, np.nan) for c in ("ci_low", "ci_high")}
    keys = table[[c for c in ("account_id", "cutoff_on") if c in table]]
    value = pd.to_numeric(table[value_column]).astype(float) * months
    rows = keys.assign(risk=table["risk"].astype(float), **limits, value_minor=value)
    rows["at_stake_minor"] = value * rows["risk"]
    gain = {"gain_minor": "risk", "gain_low": "ci_low", "gain_high": "ci_high"}
    for name, risk in gain.items():
        rows[name] = value * rows[risk] * save_rate - cost_per_action_minor
    rows["line_risk"] = cost_per_action_minor / (value * save_rate).where(value > 0)
    rows = rows.sort_values(
        ["gain_minor", "account_id"], ascending=[False, True], na_position="last"
    ).reset_index(drop=True)
    above = rows["gain_minor"] > 0
    most = len(rows) if capacity is None else capacity
    rows["act"] = above & (np.arange(len(rows)) < most)
    rows["sure"] = rows["gain_low"] > 0
    rows.insert(0, "rank", np.arange(1, len(rows) + 1))
    unknown = int(rows["gain_minor"].isna().sum())
    return Worklist(
        table=rows,
        cost_per_action_minor=cost_per_action_minor,
        save_rate=save_rate,
        months=months,
        capacity=capacity,
        n_above=int(above.sum()),
        gain_minor=float(rows.loc[rows["act"], "gain_minor"].sum()),
        notes=(f"{unknown} accounts without a risk or value stand last",) if unknown else (),
    )


def _refuse(table: pd.DataFrame, value: str, numbers: tuple[float, float, float]) -> None:
    """Raise for what cannot be ranked."""
    cost, rate, months = numbers
    needed = ("account_id", "risk", value)
    faults = [f"scores: column {c} is missing" for c in needed if c not in table]
    if not cost >= 0:
        faults.append(f"cost_per_action_minor: {cost} is below 0")
    if not 0 < rate <= 1:
        faults.append(f"save_rate: {rate} is not above 0 and at most 1; write 0.3 for 30 %")
    if not months > 0:
        faults.append(f"months: {months} is not above 0")
    if faults:
        raise InputError(*faults)


def matured(
    predictions: ir.Table | pd.DataFrame,
    spells: ir.Table | pd.DataFrame,
    *,
    as_of: date,
    threshold: float | None = None,
) -> Matured:
    """Compare earlier predictions with what happened.

    Parameters
    ----------
    predictions : ir.Table or DataFrame, one row per prediction
        As the ledger keeps them: `model`, `account_id`, `made_on`, `horizon_days`, `value` (the
        risk).
    spells : ir.Table or DataFrame, one row per spell
        `account_id`, `start_on`, `end_on` (first day no longer a customer; missing while one),
        `event` (it ended in churn).
    as_of : date
        Last day known.
    threshold : float, optional
        Accounts with at least this risk were flagged; default: all.

    Returns
    -------
    Matured
        A summary is "unclear" until the horizon is over: those that churn early are known early,
        so what is known before then is not a fair sample.

    Raises
    ------
    InputError
        If a column is missing.

    Notes
    -----
    Churned: a spell that held on the day of the prediction ended in churn on a day in
    (made_on, made_on + horizon_days]. The share has a Wilson interval; expected and churned are
    both over the predictions whose outcome is known.
    """
    past, ends = _table(predictions, PREDICTED, "predictions"), _table(spells, ENDED, "spells")
    outcomes = _outcomes(past, ends, as_of, threshold)
    return Matured(
        outcomes=outcomes,
        summary=_summary(outcomes, as_of),
        as_of=as_of,
        threshold=threshold,
    )


def _table(given: ir.Table | pd.DataFrame, columns: tuple[str, ...], name: str) -> ir.Table:
    """Columns that are used, days as dates."""
    table = ibis.memtable(given) if isinstance(given, pd.DataFrame) else given
    gone = [c for c in columns if c not in table.columns]
    if gone:
        raise InputError(*(f"{name}: column {c} is missing" for c in gone))
    days = [c for c in columns if c.endswith("_on")]
    return table.select(*columns).mutate(**{c: table[c].cast("date") for c in days})


def _outcomes(past: ir.Table, ends: ir.Table, as_of: date, threshold: float | None) -> ir.Table:
    """One row per prediction with its outcome, in the engine."""
    known = ends.filter(ends["start_on"] <= as_of)  # nothing later is visible
    over = (known["end_on"] <= as_of).fill_null(ibis.literal(value=False))
    known = known.mutate(
        account_id=known["account_id"].cast("string"),
        ended_on=over.ifelse(known["end_on"], ibis.null("date")),
        gone=known["event"] & over,
    )
    past = past.mutate(account_id=past["account_id"].cast("string"))
    stays = (known["ended_on"] > past["made_on"]).fill_null(ibis.literal(value=True))
    here = (known["start_on"] <= past["made_on"]) & stays
    same = past["account_id"] == known["account_id"]
    joined = past.left_join(known, [same, here]).select(
        past, known["ended_on"], known["gone"], known["start_on"]
    )
    t = joined.mutate(
        risk=joined["value"].cast("float64"),
        due_on=(joined["made_on"] + joined["horizon_days"].as_interval("D")).cast("date"),
        cutoff_on=joined["made_on"],
    )
    last = ibis.coalesce(t["ended_on"], ibis.literal(as_of))
    flagged = ibis.literal(value=True) if threshold is None else t["risk"] >= threshold
    within = (t["ended_on"] <= t["due_on"]).fill_null(ibis.literal(value=False))
    found = (t["start_on"] <= t["made_on"]).fill_null(ibis.literal(value=False))
    state = ibis.cases(
        (~found, "not found"),
        (within & t["gone"], "churned"),
        (within, "lost"),
        (t["due_on"] <= as_of, "stayed"),
        else_="open",
    )
    t = t.mutate(
        flagged=flagged,
        state=state,
        days_after=found.ifelse(last.delta(t["made_on"], unit="day"), ibis.null("int64")),
        event=t["gone"].fill_null(ibis.literal(value=False)),
    )
    return t.drop("gone", "start_on", "value")


def _summary(outcomes: ir.Table, as_of: date) -> pd.DataFrame:
    """Count expected and actual churn per edition of predictions."""
    known = outcomes["state"].isin(["churned", "stayed"])
    sums = {
        "n": ibis._.count(),
        "known": known.sum(),
        "expected": known.ifelse(outcomes["risk"], 0.0).sum(),
        "churned": (outcomes["state"] == "churned").sum(),
    }
    counts: pd.DataFrame = outcomes.group_by(*BY, "due_on").agg(**sums).to_pandas()
    counts = counts.sort_values(list(BY), ignore_index=True)
    share = wilson(counts["churned"], counts["known"])
    due = pd.to_datetime(counts["due_on"])
    early = due > pd.Timestamp(as_of)
    reason = [
        f"not over until {day:%Y-%m-%d}" if soon else "" if n else "no outcome is known"
        for day, soon, n in zip(due, early, counts["known"], strict=True)
    ]
    counts["expected"] = counts["expected"].mask(early)
    return counts.assign(
        share=np.where(early, np.nan, share.value),
        ci_low=np.where(early, np.nan, share.low),
        ci_high=np.where(early, np.nan, share.high),
        status=["unclear" if words else "ok" for words in reason],
        reason=reason,
    )
