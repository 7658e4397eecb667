"""The leak alarm: each kind of leak, honest columns, odd input, and real data."""

import os
from datetime import date
from decimal import Decimal
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from csa.analysis.risk.leaks import (
    LeakAudit,
    changed_since,
    column_audit,
    leak_audit,
    split_audit,
    together,
)
from csa.analysis.risk.leaks.columns import SCORE, TOGETHER
from csa.analysis.risk.leaks.credible import least_credible_level, least_credible_point
from csa.analysis.risk.leaks.findings import CHECKED, COLUMNS
from csa.analysis.risk.leaks.separation import as_levels, out_of_fold_ranks, separation

CUTOFF = pd.Timestamp("2026-03-31")
DAY = pd.Timedelta(days=1)


def snapshots(n=1500, *, seed=1, share=0.2, follow=180, cutoffs=1):
    """Accounts whose use and satisfaction tell a little about the end."""
    rng = np.random.default_rng(seed)
    use, mood = rng.normal(size=n), rng.normal(size=n)
    age = np.floor(rng.gamma(1.5, 300, n)) + 1
    price = np.round(np.exp(rng.normal(8.5, 0.8, n)))
    rate = share / 90 * np.exp(0.6 * use + 0.4 * mood)
    end = np.ceil(rng.exponential(1 / rate))
    last = (cutoffs - 1) * 90 + follow
    frames = []
    for k in range(cutoffs):
        day = 90 * k
        there = end > day
        frame = pd.DataFrame(
            {
                "account_id": [f"A{i}" for i in range(n)],
                "cutoff_on": CUTOFF + day * DAY,
                "age_days": age + day,
                "mrr_minor": price.astype("int64"),
                "days_after": np.minimum(end, last) - day,
                "event": end <= last,
                "use": np.round(np.exp(3 - use + rng.normal(0, 0.3, n))),
                "mood": mood + rng.normal(0, 0.5, n),
                "paid": np.round(price * (age + day) / 30 * np.exp(rng.normal(0, 0.02, n))),
                "plan": np.where(rng.random(n) < 0.3, "pro", "basic"),
                "score": np.where(rng.random(n) < 0.4, np.nan, np.round(rng.normal(7, 2, n))),
            }
        )
        frames.append(frame[there])
    return pd.concat(frames, ignore_index=True)


def found(audit, column=None):
    """Kinds of the alarms, on one column or on rows."""
    alarms = audit.table[audit.table["severity"] == "alarm"]
    return set(alarms["kind"] if column is None else alarms.loc[alarms["column"] == column, "kind"])


def halves(frame, share=0.7, seed=0):
    inside = np.random.default_rng(seed).random(len(frame)) < share
    return frame[inside], frame[~inside]


def churned(frame):
    return (frame["event"] & (frame["days_after"] <= 90)).to_numpy()


# columns


@pytest.mark.parametrize("seed", range(1, 5))
def test_honest_columns_raise_no_alarm(seed):
    frame = snapshots(seed=seed)
    audit = leak_audit(frame, train=halves(frame)[0], test=halves(frame)[1])
    assert (audit.status, audit.reason, len(audit.table)) == ("ok", "", 0)
    assert (audit.n, audit.n_looked_at, audit.events) == (1500, 1500, int(churned(frame).sum()))
    assert list(audit.checked["column"]) == ["use", "mood", "paid", "plan", "score", TOGETHER]
    assert not audit.checked["flagged"].any()


def test_flag_set_when_the_account_has_left_is_too_good():
    frame = snapshots()
    frame["closed"] = (frame["event"] & (np.arange(len(frame)) % 3 > 0)).astype(float)
    audit = column_audit(frame)
    row = audit.table.iloc[0]
    assert found(audit) == {"too good"}
    assert (row["column"], row["n"]) == ("closed", 1500)
    n = int(frame["closed"].sum())
    assert f"{n:,} of the {n:,} rows it picks churned ever" in row["reason"]
    assert row["reason"].endswith("take its value as it stood at the cut-off, or leave it out")
    assert audit.checked.set_index("column").loc["closed", "flagged"]


def test_text_that_names_the_state_is_too_good():
    frame = snapshots()
    frame["state"] = np.where(frame["event"], "lapsed", "active")
    assert found(column_audit(frame), "state") == {"too good"}


def test_column_filled_in_when_the_account_leaves_is_told_by_its_gaps():
    frame = snapshots()
    asked = frame["event"] & (np.arange(len(frame)) % 3 == 0)
    frame["reason"] = np.where(asked, "price", None)
    audit = column_audit(frame)
    assert "filled afterwards" in found(audit, "reason")
    words = audit.table.set_index("kind").loc["filled afterwards", "reason"]
    assert words.startswith("whether reason is filled in tells who leaves: ")
    assert f"{int(asked.sum()):,} of the {int(asked.sum()):,} rows" in words


def test_gaps_that_tell_a_little_are_honest():
    frame = snapshots()
    more = np.where(churned(frame), 0.6, 0.4)
    frame["score"] = frame["score"].where(np.random.default_rng(3).random(len(frame)) > more)
    assert found(column_audit(frame)) == set()


def test_charges_to_the_end_are_found_beside_price_and_tenure():
    frame = snapshots()
    days = frame["age_days"] + frame["days_after"]
    frame["paid"] = np.round(frame["mrr_minor"] * days / 30)
    audit = column_audit(frame)
    kinds = found(audit, "paid")
    assert "runs on to the end" in kinds
    assert set(audit.table["column"]) == {"paid"}


def test_honest_total_beside_a_leaking_one_is_cleared():
    frame = snapshots(4000)
    days = frame["age_days"] + frame["days_after"]
    frame["ever"] = np.round(frame["mrr_minor"] * days / 30 * 1.01)
    audit = column_audit(frame)
    alarms = audit.table[audit.table["severity"] == "alarm"]
    assert set(alarms["column"]) == {"ever"}


def test_use_counted_after_the_cutoff_follows_the_end():
    frame = snapshots(4000)
    part = np.minimum(frame["days_after"], 90) / 90
    frame["next_use"] = np.round(frame["use"] * part)
    assert "follows the end" in found(column_audit(frame), "next_use")


def test_use_that_fades_before_the_end_is_honest():
    frame = snapshots(4000)
    near = np.where(frame["event"], np.clip(1 - frame["days_after"] / 60, 0, 1), 0)
    frame["use"] = np.round(frame["use"] * np.exp(-0.6 * near))
    assert found(column_audit(frame)) == set()


@pytest.mark.parametrize("as_text", [False, True])
def test_date_after_the_cutoff_is_an_alarm_unless_planned(as_text):
    frame = snapshots()
    last = frame["cutoff_on"] + pd.to_timedelta(np.where(frame["age_days"] % 50 == 0, 3, -3), "D")
    frame["seen_on"] = last.dt.strftime("%Y-%m-%d") if as_text else last
    row = column_audit(frame).table.iloc[0]
    late = int((frame["age_days"] % 50 == 0).sum())
    assert (row["kind"], row["column"], row["n"]) == ("date after cut-off", "seen_on", late)
    assert row["evidence"] == pytest.approx(late / len(frame))
    assert found(column_audit(frame, planned=["seen_on"])) == set()


def test_renewals_tell_who_leaves_and_when_but_others_pass_them():
    """Annual contracts: each end is a renewal, and most renewals pass."""
    rng = np.random.default_rng(5)
    frame = snapshots(4000)
    renewal = rng.integers(1, 366, len(frame))
    leaves = rng.random(len(frame)) < 0.25
    frame["renewal_in_days"] = renewal.astype(float)
    frame["days_after"] = np.where(leaves, renewal, 365)
    frame["event"] = leaves
    audit = column_audit(frame)
    assert found(audit) == set()
    assert audit.status == "watch"
    assert "passed it and stayed" in audit.table["reason"].iloc[0]


def test_strong_single_column_is_no_leak_but_worth_a_look():
    rng = np.random.default_rng(7)
    n = 5000
    risk = rng.normal(size=n)
    frame = snapshots(n).drop(columns="mood")
    end = np.ceil(rng.exponential(1 / (0.03 / 90 * np.exp(1.7 * risk))))
    frame = frame.assign(days_after=np.minimum(end, 180), event=end <= 180, risk=risk)
    audit = column_audit(frame)
    area = audit.checked.set_index("column").loc["risk", "auc"]
    assert 0.85 < area < 0.9
    assert found(audit) == set()
    assert (audit.status, audit.table["column"].tolist()) == ("watch", ["risk"])


def test_horizon_none_judges_churn_at_any_time():
    frame = snapshots()
    frame["closed"] = frame["event"].astype(float)
    audit = column_audit(frame, horizon_days=None)
    assert np.isnan(audit.horizon_days)
    assert audit.events == int(frame["event"].sum())
    assert found(audit) == {"too good"}


# changes


def test_changed_since_counts_what_changed():
    stored = snapshots(400)
    rebuilt = stored.copy()
    rebuilt.loc[:19, "use"] += 5
    rebuilt.loc[:1, "paid"] += 5
    rebuilt["mood"] = rebuilt["mood"] * (1 + 1e-12)
    audit = changed_since(stored, rebuilt.sample(frac=1, random_state=1))
    table = audit.table.set_index("column")
    assert list(table.index) == ["use", "paid"]
    assert table["severity"].tolist() == ["alarm", "watch"]  # 0.5 % may have come late
    assert table["n"].tolist() == [20, 2]
    assert table.loc["use", "evidence"] == pytest.approx(20 / 400)
    assert audit.n_looked_at == 400


def test_changed_since_lets_outcomes_mature_but_not_change():
    stored = snapshots(400)
    rebuilt = stored.copy()
    rebuilt["days_after"] += np.where(stored["event"], 0, 30)
    assert changed_since(stored, rebuilt).status == "ok"
    ends = stored.index[stored["event"]][:10]
    rebuilt.loc[ends, "days_after"] -= 1
    audit = changed_since(stored, rebuilt)
    assert audit.table["kind"].tolist() == ["outcome rewritten"]
    assert audit.table["n"].tolist() == [10]


def test_changed_since_notices_accounts_that_vanish():
    stored = snapshots(400)
    audit = changed_since(stored, stored[~stored["event"]])
    gone = int(stored["event"].sum())
    assert audit.table[["kind", "n"]].to_numpy().tolist() == [["rows came or went", gone]]
    assert changed_since(stored, stored.assign(cutoff_on=CUTOFF + DAY)).status == "unclear"


# splits


def test_split_by_account_at_one_cutoff_is_honest():
    train, test = halves(snapshots())
    audit = split_audit(train, test)
    assert (audit.status, len(audit.table)) == ("ok", 0)


def test_split_in_time_needs_an_embargo():
    frame = snapshots(600, cutoffs=3)
    days = sorted(frame["cutoff_on"].unique())
    train, test = frame[frame["cutoff_on"] == days[0]], frame[frame["cutoff_on"] == days[2]]
    assert split_audit(train, test).status == "ok"
    assert split_audit(train, frame[frame["cutoff_on"] == days[1]]).status == "ok"
    audit = split_audit(train, test, horizon_days=181)
    assert found(audit) == {"no embargo", "same account in both folds"}
    row = audit.table[audit.table["kind"] == "no embargo"].iloc[0]
    assert row["n"] == len(train)
    assert "reaches up to 1 days past the first test cut-off" in row["reason"]


def test_same_account_on_both_sides_is_counted():
    train, test = halves(snapshots())
    audit = split_audit(pd.concat([train, test.head(7)]), test)
    assert audit.table[["kind", "n"]].to_numpy().tolist() == [["same account in both folds", 7]]


def test_split_at_random_over_time_is_worth_a_look_even_without_common_accounts():
    frame = snapshots(600, cutoffs=3)
    inside = frame["account_id"].str[-1].isin(list("0123456"))
    audit = split_audit(frame[inside], frame[~inside])
    assert (audit.status, audit.table["kind"].tolist()) == ("watch", ["not split in time"])


def test_customer_under_two_ids_is_found_by_equal_rows():
    train, test = halves(snapshots())
    twins = train.head(5).assign(account_id=[f"B{i}" for i in range(5)])
    audit = split_audit(train, pd.concat([test, twins]))
    row = audit.table.iloc[0]
    assert (row["kind"], row["n"]) == ("same row in both folds", 5)


def test_rows_of_few_levels_are_alike_by_chance():
    frame = snapshots()[["account_id", "cutoff_on", "days_after", "event", "plan"]]
    train, test = halves(frame)
    assert split_audit(train, test).status == "ok"


@pytest.mark.parametrize("renamed", [False, True])
def test_churned_rows_drawn_again_are_found(renamed):
    frame = snapshots()
    train, test = halves(frame)
    more = train[churned(train)].sample(frac=1.0, random_state=1)
    if renamed:
        more = more.assign(account_id=[f"S{i}" for i in range(len(more))])
    audit = split_audit(pd.concat([train, more]), test, snapshots=frame)
    assert found(audit) == {"repeated rows", "share of churn"}


def test_made_up_rows_are_found_on_lines_and_by_fractions():
    """SMOTE with one neighbour each (Chawla et al. 2002), written out."""
    rng = np.random.default_rng(2)
    frame = snapshots()
    train, test = halves(frame)
    events = train[churned(train)]
    numeric = ["mrr_minor", "age_days", "use", "mood", "paid"]
    points = events[numeric].to_numpy(dtype=float)
    order = np.argsort(points[:, 3])  # neighbours in mood
    first, second = order[:-1], order[1:]
    part = rng.random((len(first), 1))
    made = events.iloc[first].astype(dict.fromkeys(numeric, float))
    made[numeric] = points[first] + part * (points[second] - points[first])
    again = made.copy()
    again[numeric] = points[first] + (1 - part) * (points[second] - points[first])
    made = pd.concat([made, again])
    made["account_id"] = [f"S{i}" for i in range(len(made))]
    audit = split_audit(pd.concat([train, made]), test, snapshots=frame)
    assert {"interpolated rows", "fractions", "share of churn"} <= found(audit)


def test_rows_left_out_by_outcome_are_found():
    frame = snapshots()
    train, test = halves(frame)
    keep = churned(train) | (np.random.default_rng(1).random(len(train)) < 0.3)
    audit = split_audit(train[keep], test, snapshots=frame)
    assert found(audit) == {"share of churn"}
    assert audit.table["evidence"].iloc[0] > 2


def test_leak_audit_joins_columns_and_split():
    frame = snapshots()
    frame["closed"] = frame["event"].astype(float)
    train, test = halves(frame)
    audit = leak_audit(frame, train=pd.concat([train, test.head(3)]), test=test)
    assert found(audit) == {"too good", "same account in both folds"}
    both = together(column_audit(frame), split_audit(train, test))
    assert found(both) == {"too good"}


# odd input: findings or words, never an exception


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (pd.DataFrame(), "snapshots: column days_after is missing"),
        (snapshots().iloc[:0], "only 0 churned"),
        (snapshots().iloc[:1], "only"),
        (snapshots().assign(event=False), "only 0 churned"),
        (snapshots().assign(event=True, days_after=5), "only 0 are known to have stayed"),
        (snapshots().drop(columns="event"), "snapshots: column event is missing"),
        (snapshots().assign(days_after=None), "1500 rows have no outcome"),
        (snapshots()[["account_id", "cutoff_on", "days_after", "event"]], "no features"),
    ],
    ids=["no columns", "no rows", "one", "nobody", "everybody", "no event", "null", "no features"],
)
def test_too_little_to_tell_is_unclear_and_says_why(frame, reason):
    audit = leak_audit(frame, train=frame, test=frame.iloc[:0])
    assert audit.status == "unclear"
    assert reason in audit.reason
    assert tuple(audit.table.columns) == COLUMNS
    assert tuple(audit.checked.columns) == CHECKED


def test_odd_columns_are_read_as_they_come():
    frame = snapshots()
    n = len(frame)
    odd = frame.assign(
        yes=np.arange(n) % 2 == 0,
        money=[Decimal(i % 7) for i in range(n)],
        infinite=np.where(np.arange(n) % 9, 1.0, np.inf),
        empty=None,
        constant="x",
        mixed=[i if i % 2 else str(i) for i in range(n)],
        lists=[[i % 3] for i in range(n)],
        days=[date(2025, 1, 1 + i % 28) for i in range(n)],
        zoned=pd.Timestamp("2025-05-05", tz="Europe/Berlin"),
        whole=pd.array([None if i % 5 == 0 else i % 11 for i in range(n)], dtype="Int64"),
        kind=pd.Categorical(np.where(np.arange(n) % 2, "a", "b")),
        account_id=[None if i % 100 == 0 else i for i in range(n)],
    )
    odd.insert(6, "mood", frame["mood"], allow_duplicates=True)
    train, test = halves(odd)
    audit = leak_audit(odd, train=train, test=test)
    assert found(audit) == set()
    assert set(odd.columns) - set(audit.checked["column"]) == {
        *("account_id", "cutoff_on", "age_days", "mrr_minor", "days_after", "event")
    }
    assert changed_since(odd, odd).status == "ok"


cells = st.one_of(
    st.none(), st.floats(), st.integers(-5, 5), st.text(max_size=3), st.booleans(), st.dates()
)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(cells, cells, cells, cells, cells, cells), max_size=60))
@pytest.mark.slow
def test_whatever_a_table_holds_there_is_an_answer(rows):
    names = ["account_id", "cutoff_on", "days_after", "event", "feature", "age_days"]
    usual = snapshots(60).astype(object)
    frame = pd.concat([usual, pd.DataFrame(rows, columns=names, dtype=object)], ignore_index=True)
    audit = leak_audit(frame, train=frame.iloc[::2], test=frame.iloc[1::2])
    assert isinstance(together(audit, changed_since(frame, frame.iloc[::-1])), LeakAudit)


def test_tables_of_the_engine_give_the_same_answer():
    frame = snapshots()
    frame["closed"] = frame["event"].astype(float)
    first, second = column_audit(frame), column_audit(ibis.memtable(frame))
    pd.testing.assert_frame_equal(first.table, second.table)
    pd.testing.assert_frame_equal(first.checked, second.checked)


def test_order_index_and_further_columns_do_not_matter_and_input_is_unchanged():
    frame = snapshots()
    frame["closed"] = frame["event"] & (np.arange(len(frame)) % 3 > 0)
    before = frame.copy(deep=True)
    names = ["use", "mood", "closed"]
    first = column_audit(frame, features=names)
    other = frame.sample(frac=1, random_state=4).assign(leak=frame["event"])
    second = column_audit(other, features=names)
    pd.testing.assert_frame_equal(frame, before)
    assert first.table[["kind", "column"]].equals(second.table[["kind", "column"]])
    assert second.checked["column"].tolist() == [*names, TOGETHER]
    assert column_audit(frame, features=["use", "nothing"]).reason == (
        "snapshots: feature nothing is missing"
    )


def test_large_tables_are_sampled_by_account(monkeypatch):
    monkeypatch.setattr("csa.analysis.risk.leaks.frame.SAMPLE_ROWS", 600)
    frame = snapshots(1000, cutoffs=3)
    frame["closed"] = frame["event"].astype(float)
    audit = column_audit(frame)
    assert audit.n == len(frame)
    assert 300 < audit.n_looked_at < 900
    assert "closed" in set(audit.table["column"])
    table = column_audit(ibis.memtable(frame))
    assert table.n == len(frame)
    assert 300 < table.n_looked_at < 900


# the statistics behind


def test_area_matches_scikit_learn_and_its_limits_delong():
    """DeLong et al. (1988), variance from the placements written out."""
    rng = np.random.default_rng(0)
    churn = rng.random(300) < 0.3
    score = np.round(rng.normal(size=300) + churn, 1)
    area = separation(score, churn, np.arange(300))
    assert area.auc == pytest.approx(roc_auc_score(churn, score), abs=1e-12)
    up, down = score[churn], score[~churn]
    wins = (up[:, None] > down) + 0.5 * (up[:, None] == down)
    v10, v01 = wins.mean(axis=1), wins.mean(axis=0)
    m, n = len(up), len(down)
    variance = np.mean((v10 - area.auc) ** 2) / m + np.mean((v01 - area.auc) ** 2) / n
    half = 1.959964 * np.sqrt(variance) / (area.auc * (1 - area.auc))
    middle = np.log(area.auc / (1 - area.auc))
    limits = 1 / (1 + np.exp(-np.array([middle - half, middle + half])))
    assert [area.low, area.high] == pytest.approx(limits, abs=1e-6)


def test_repeated_rows_of_an_account_do_not_narrow_the_interval():
    rng = np.random.default_rng(0)
    churn = rng.random(200) < 0.3
    score = rng.normal(size=200) + churn
    once = separation(score, churn, np.arange(200))
    thrice = separation(np.tile(score, 3), np.tile(churn, 3), np.tile(np.arange(200), 3))
    assert thrice[:3] == pytest.approx(once[:3], abs=1e-9)
    assert thrice.events == once.events


def test_perfect_separation_by_few_has_limits():
    area = separation(np.arange(100.0), np.arange(100) >= 95, np.arange(100))
    assert (area.auc, area.high) == (1, 1)
    assert area.low < 0.9


def test_credible_curve_is_not_exceeded_by_itself_and_is_by_a_better_one():
    rng = np.random.default_rng(3)
    apart = norm.ppf(SCORE.auc) * np.hypot(1, SCORE.spread)
    down = np.sort(rng.normal(size=20_000))
    on = np.sort(apart + SCORE.spread * rng.normal(size=2_000))
    above = np.sort(np.concatenate([on[on > -5][::2], 9 + rng.normal(size=300)]))
    assert least_credible_point(on, down, (2_000, 20_000), SCORE).excess < 4
    assert least_credible_point(above, down, (1_300, 20_000), SCORE).excess > 50


def test_least_credible_level_counts_rows():
    levels = np.repeat([1, 2, 2, 1], [900, 40, 2, 58])
    churn = np.repeat([False, True, False, True], [900, 40, 2, 58])
    point = least_credible_level(levels, churn, (98, 902), SCORE)
    assert (point.churned, point.picked) == (40, 42)
    assert point.recall == pytest.approx(40 / 98)
    assert point.false_alarms == pytest.approx(2 / 902)


def test_out_of_fold_ranks_do_not_see_their_own_outcome():
    rng = np.random.default_rng(1)
    areas = []
    for _ in range(60):
        churn = rng.random(400) < 0.2
        levels, _ = as_levels(rng.normal(size=400), np.ones(400, dtype=bool), codes=False)
        ranks = out_of_fold_ranks(levels, churn, np.arange(400))
        areas.append(roc_auc_score(churn, ranks))
    assert np.mean(areas) == pytest.approx(0.5, abs=0.03)


@pytest.mark.slow
def test_noise_gives_no_alarm_and_intervals_that_hold_one_half():
    """Nothing tells who leaves: 95 % intervals of all columns together."""
    held = []
    for seed in range(30):
        rng = np.random.default_rng([seed, 9])
        frame = snapshots(500, seed=seed)[["account_id", "cutoff_on", "days_after", "event"]]
        noise = {f"noise_{i}": rng.normal(size=500) for i in range(10)}
        levels = {f"level_{i}": rng.choice(list("abcdef"), 500) for i in range(5)}
        audit = column_audit(frame.assign(**noise, **levels))
        row = audit.checked.iloc[-1]
        assert audit.status == "ok"
        held.append(row["ci_low"] <= 0.5 <= row["ci_high"])
    assert np.mean(held) >= 26 / 30  # fewer in 1 of 200 such runs


# real data


def real(*parts):
    folder = os.environ.get("CSA_DATA")
    if not folder:
        pytest.skip("CSA_DATA is not set: the folder with telco and ravenstack")
    return Path(folder, *parts)


def telco():
    rows = pd.read_csv(real("telco", "ibm_telco_customer_churn.csv"))
    rows["TotalCharges"] = pd.to_numeric(rows["TotalCharges"], errors="coerce")
    rows = rows[rows["tenure"] > 0]
    days = rows["tenure"] * 30
    return pd.DataFrame(
        {
            "account_id": rows["customerID"],
            "cutoff_on": pd.Timestamp("2020-01-01") - pd.to_timedelta(days, unit="D"),
            "age_days": 0,
            "mrr_minor": (rows["MonthlyCharges"] * 100).round().astype(int),
            "days_after": days,
            "event": rows["Churn"] == "Yes",
        }
    ).join(rows.drop(columns=["customerID", "tenure", "Churn"]))


@pytest.mark.parametrize("horizon", [None, 360])
def test_total_charges_leak_into_a_model_of_telco_tenure_and_nothing_else_does(horizon):
    frame = telco()
    audit = column_audit(frame, horizon_days=horizon)
    alarms = audit.table[audit.table["severity"] == "alarm"]
    assert set(alarms["column"]) == {"TotalCharges"}
    honest = column_audit(frame.drop(columns="TotalCharges"), horizon_days=horizon)
    assert (honest.status, len(honest.table)) == ("ok", 0)


def test_telco_as_a_snapshot_has_no_leak_and_an_honest_split():
    frame = telco()
    tenure = frame["days_after"]
    frame = frame.assign(
        cutoff_on=CUTOFF, age_days=tenure, days_after=np.where(frame["event"], 15, 30)
    )
    train, test = halves(frame)
    audit = leak_audit(frame, train=train, test=test, horizon_days=30)
    assert (audit.status, len(audit.table)) == ("ok", 0)
    area = audit.checked.set_index("column").loc[TOGETHER, "auc"]
    assert area == pytest.approx(0.845, abs=0.015)  # 0.8451 by logistic regression, published


def test_ravenstack_has_no_leak_and_no_signal():
    folder = real("ravenstack")
    read = {
        name: pd.read_csv(folder / f"ravenstack_{name}.csv", encoding="utf-8-sig")
        for name in ("accounts", "churn_events", "supports_ticket", "subscriptions")
    }
    accounts = read["accounts"].set_index("account_id")
    cutoff = pd.Timestamp("2024-06-30")
    day = {
        "accounts": "signup_date",
        "churn_events": "churn_date",
        "supports_ticket": "submitted_at",
        "subscriptions": "start_date",
    }
    for name, column in day.items():
        read[name][column] = pd.to_datetime(read[name][column], dayfirst=True)
    accounts["signup_date"] = pd.to_datetime(accounts["signup_date"], dayfirst=True)
    accounts = accounts[accounts["signup_date"] <= cutoff]
    tickets = read["supports_ticket"]
    tickets = tickets[tickets["submitted_at"] <= cutoff].groupby("account_id")
    paid = read["subscriptions"]
    paid = paid[paid["start_date"] <= cutoff].groupby("account_id")
    events = read["churn_events"]
    first = events[events["churn_date"] > cutoff].groupby("account_id")["churn_date"].min()
    after = (first.reindex(accounts.index) - cutoff).dt.days
    frame = accounts[["industry", "country", "referral_source", "plan_tier", "seats"]].assign(
        cutoff_on=cutoff,
        age_days=(cutoff - accounts["signup_date"]).dt.days,
        days_after=after.fillna(184),
        event=after.notna(),
        tickets=tickets.size(),
        satisfaction=tickets["satisfaction_score"].mean(),
        mrr_minor=paid["mrr_amount"].sum() * 100,
        seats_sold=paid["seats"].sum(),
    )
    audit = column_audit(frame.reset_index())
    assert audit.status == "ok"
    row = audit.checked.iloc[-1]
    assert row["ci_low"] <= 0.5 <= row["ci_high"]
