"""The leak alarm on honest and on leaking snapshots; see also the fifteen mistakes."""

import numpy as np
import pandas as pd
import pytest

from csa.analysis.leaks import changed_since, leak_audit

N = 4000


def snapshots(seed=1):
    """One cut-off, a fifth of the accounts churn within 90 days, three honest predictors."""
    rng = np.random.default_rng(seed)
    use, seats, noise = rng.standard_normal((3, N))
    event = rng.random(N) < 1 / (1 + np.exp(1.6 + 0.9 * use - 0.4 * seats))
    return pd.DataFrame(
        {
            "account_id": [f"a{i}" for i in range(N)],
            "cutoff_on": pd.Timestamp("2024-03-31"),
            "age_days": rng.integers(30, 900, N),
            "mrr_minor": rng.integers(1000, 9000, N),
            "days_after": np.where(event, rng.integers(1, 90, N), 200),
            "event": event,
            "use": use,
            "seats": seats,
            "noise": noise,
        }
    )


@pytest.mark.parametrize("seed", range(4))
def test_honest_columns_raise_no_alarm(seed):
    audit = leak_audit(snapshots(seed))
    assert audit.status == "ok", audit.table.to_string()
    assert audit.n == N


def leaking(kind):
    rows = snapshots(7)
    rng = np.random.default_rng(8)
    gone = rows["event"].to_numpy()
    values = {
        "status": np.where(gone & (rng.random(N) < 0.6), "closed", "active"),
        "reason": np.where(gone & (rng.random(N) < 0.5), "price", None),
        "score": gone + 0.3 * rng.standard_normal(N),
        "last_seen_on": rows["cutoff_on"] + pd.to_timedelta(rows["days_after"], unit="D"),
    }
    return rows.assign(**{kind: values[kind]})


@pytest.mark.parametrize("kind", ["status", "reason", "score", "last_seen_on"])
def test_columns_that_know_the_outcome_raise_the_alarm(kind):
    audit = leak_audit(leaking(kind))
    assert audit.status == "alarm"
    alarms = audit.table.loc[audit.table["severity"] == "alarm"]
    assert set(alarms["column"]) == {kind}
    assert alarms["reason"].str.len().min() > 20


def test_a_column_that_was_rewritten_since_is_named():
    stored = snapshots()
    rebuilt = stored.copy()
    rebuilt.loc[:400, "seats"] += 1
    audit = changed_since(stored, rebuilt)
    assert "seats" in set(audit.table["column"])
    assert changed_since(stored, stored.copy()).table.empty


def test_too_few_events_are_unclear():
    few = snapshots().head(60).assign(event=False, days_after=200)
    assert leak_audit(few).status == "unclear"
