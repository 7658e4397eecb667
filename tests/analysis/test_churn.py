"""Survival of accounts: published figures, delayed entry, edges, and views of the result."""

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from statsmodels.duration.survfunc import survdiff
from stored import stored

from csa.analysis.churn import conditional_survival, numbers_at_risk, survival, survival_at
from csa.analysis.churn.spells import WAY_OUT, WHOLE_DAYS
from csa.errors import InputError

MONTH = 365.25 / 12


def make_spells(exit_days, event=1, *, entry_days=0, group="a"):
    """Spells with scalars spread over all rows."""
    size = len(exit_days)
    return pd.DataFrame(
        {
            "group": np.broadcast_to(np.asarray(group, dtype=object), size),
            "entry_days": np.broadcast_to(np.asarray(entry_days, dtype=int), size),
            "exit_days": np.asarray(exit_days, dtype=int),
            "event": np.broadcast_to(np.asarray(event, dtype=bool), size),
        }
    )


def simulated(seed, *, n=1500, groups=3, truncated=True):
    """Left-truncated spells in whole days; the hazard falls with the group's number."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, groups, n)
    life = np.ceil(rng.exponential(250 + 80 * group)).astype(int)
    cut = rng.integers(1, 600, n)
    late = np.where(rng.random(n) < 0.4, rng.integers(1, 300, n), 0) * truncated
    exits = np.minimum(life, cut)
    names = np.array([f"segment {g}" for g in group], dtype=object)
    spells = make_spells(exits, life <= cut, entry_days=late, group=names)
    return spells[spells["exit_days"] > spells["entry_days"]].reset_index(drop=True)


def row_of(frame, group="all"):
    return frame.set_index("group").loc[group]


@pytest.fixture(scope="module")
def telco():
    """IBM Telco Customer Churn: months of tenure stand in the columns of days."""
    raw = pd.read_csv(stored("CSA_DATA", "telco", "ibm_telco_customer_churn.csv"))
    spells = make_spells(raw["tenure"], raw["Churn"] == "Yes", group=raw["Contract"])
    return spells.join(raw[["PaymentMethod", "InternetService", "gender"]])


# --- published figures ---------------------------------------------------------------------------


def test_survival_of_telco_matches_r(telco):
    """R survfit on the Telco file, window ignored as published, printed to 6 decimals."""
    result = survival(telco, interval="log", horizon_days=72)
    figures = survival_at(result, [1, 6, 12, 24, 36, 48, 60, 72])
    figures = figures[figures["group"] == "all"]
    printed = [0.945961, 0.884826, 0.843200, 0.788736, 0.748545, 0.708840, 0.664404, 0.592790]
    assert figures["survival"].tolist() == pytest.approx(printed, abs=5e-7)
    assert figures["at_risk"].tolist() == [7032, 5672, 4974, 3927, 3051, 2303, 1483, 362]
    assert figures["ci_low"].iloc[[2, 7]].tolist() == pytest.approx([0.834441, 0.573665], abs=5e-7)
    assert figures["ci_high"].iloc[[2, 7]].tolist() == pytest.approx([0.852050, 0.612553], abs=5e-7)
    whole = row_of(result.summary)
    assert (whole["n"], whole["events"]) == (7043, 1869)
    assert whole["rmst_days"] == pytest.approx(54.4924, abs=5e-5)
    assert whole["rmst_se"] == pytest.approx(0.34775, abs=5e-6)


def test_survival_of_telco_by_contract_matches_r(telco):
    """R survfit and survdiff by contract: medians, S(72), restricted means, chi-square."""
    result = survival(telco, interval="log", horizon_days=72)
    summary = result.summary.set_index("group").loc[["Month-to-month", "One year", "Two year"]]
    medians = summary[["median_days", "median_low", "median_high"]].to_numpy()
    nan = np.nan
    expected = np.array([[35, 32, 38], [nan, 72, nan], [nan, nan, nan]])
    np.testing.assert_array_equal(medians, expected)
    means = [36.2979, 66.4175, 71.5403]
    assert summary["rmst_days"].tolist() == pytest.approx(means, abs=5e-5)
    errors = [0.5600052, 0.4000606, 0.0823749]
    assert summary["rmst_se"].tolist() == pytest.approx(errors, abs=5e-8)
    at_72 = survival_at(result, [72]).set_index("group")["survival"].loc[summary.index]
    assert at_72.tolist() == pytest.approx([0.128952, 0.568146, 0.935739], abs=5e-7)
    assert result.logrank.df == 2
    assert result.logrank.statistic == pytest.approx(2352.872538, abs=5e-7)
    table = result.logrank.table.set_index("group").loc[summary.index]
    assert table["observed"].tolist() == [1655, 166, 48]
    assert table["expected"].tolist() == pytest.approx([708.446, 470.728, 689.827], abs=5e-4)


@pytest.mark.parametrize(
    ("column", "printed"),
    [
        ("gender", 0.5257069722),
        ("PaymentMethod", 865.2394631),
        ("InternetService", 520.1206082),
    ],
)
def test_log_rank_of_telco_matches_r(telco, column, printed):
    """R survdiff(Surv(tenure, e) ~ column), printed to 7 decimals."""
    result = survival(telco.assign(group=telco[column]))
    assert result.logrank.statistic == pytest.approx(printed, abs=5e-8)


@pytest.mark.parametrize(
    ("window", "at_12", "at_72"),
    [(1, 0.001, 0.000), (3, 0.111, 0.002), (12, 0.495, 0.186), (72, 0.843, 0.593)],
)
def test_window_of_observation_decides_the_curve_of_telco(telco, window, at_12, at_72):
    """Entry at max(0, tenure - window) months, 7,032 rows with tenure: R survfit, 3 decimals."""
    seen = telco[telco["exit_days"] > 0].assign(
        entry_days=lambda t: (t["exit_days"] - window).clip(lower=0)
    )
    result = survival(seen)
    figures = row_of(survival_at(result, [12]))["survival"], row_of(survival_at(result, [72]))
    assert figures[0] == pytest.approx(at_12, abs=5e-4)
    assert figures[1]["survival"] == pytest.approx(at_72, abs=5e-4)
    assert row_of(result.summary)["starts_at_days"] == 0


def test_survival_of_the_left_truncated_fixture_matches_r():
    """R survfit(Surv(entry, dur, ev)), 5 decimals; log-rank of statsmodels and SurPyval."""
    raw = pd.read_csv(stored("CSA_REFERENCE", "fixtures", "left_truncated_10k.csv"))
    names = raw["seg"].map("segment {:.0f}".format)
    spells = make_spells(raw["dur"], raw["ev"] == 1, entry_days=raw["entry"], group=names)
    result = survival(spells)
    figures = survival_at(result, [30, 100, 365, 1000]).iloc[:4]
    assert figures["group"].eq("all").all()
    printed = [0.95581, 0.86407, 0.61378, 0.30479]
    assert figures["survival"].tolist() == pytest.approx(printed, abs=5e-6)
    assert result.logrank.statistic == pytest.approx(49.89360945, abs=5e-9)
    assert (result.logrank.df, row_of(result.summary)["n"]) == (19, 6827)
    ignored = survival_at(survival(spells.assign(entry_days=0)), [30, 100, 365, 1000]).iloc[:4]
    naive = [0.97459, 0.92001, 0.75399, 0.46322]
    assert ignored["survival"].tolist() == pytest.approx(naive, abs=5e-6)


@pytest.mark.parametrize("seed", [1, 2])
def test_survival_with_delayed_entry_equals_lifelines_and_statsmodels(seed):
    """Every group's curve to 1e-10 (lifelines), the log-rank to 1e-8 (statsmodels)."""
    spells = simulated(seed)
    result = survival(spells)
    for name, rows in spells.groupby("group"):
        with np.errstate():  # lifelines' fit silences numpy for the whole process
            peer = KaplanMeierFitter().fit(
                rows["exit_days"], rows["event"], entry=rows["entry_days"]
            )
        ours = result.curves[(result.curves["group"] == name) & (result.curves["time_days"] > 0)]
        times = ours["time_days"]
        expected = peer.survival_function_at_times(times).to_numpy()
        assert ours["survival"].to_numpy() == pytest.approx(expected, abs=1e-10)
    statistic, p = survdiff(
        spells["exit_days"],
        spells["event"].astype(int),
        spells["group"],
        entry=spells["entry_days"],
    )
    assert result.logrank.statistic == pytest.approx(statistic, abs=1e-8)
    assert result.logrank.p_value == pytest.approx(p, abs=1e-8)
    assert result.entered_late == (spells["entry_days"] > 0).sum()


def test_delayed_entry_finds_the_truth_that_ignoring_it_misses():
    """Accounts that left before the window are not in the data; S(12 months) is 0.735.

    Hazard 0.03 per month times a gamma frailty, so S(t) = 1 / (1 + 0.03 t); sign-ups over 72
    months, leavers recorded in the last 12 only.
    """
    rng = np.random.default_rng(11)
    n = 60_000
    start = rng.uniform(0, 72, n)
    life = rng.exponential(1 / (0.03 * rng.gamma(1, 1, n)))
    entry, cut = np.maximum(0, 60 - start), 72 - start
    exits = np.ceil(np.minimum(life, cut) * MONTH)
    spells = make_spells(exits, life <= cut, entry_days=np.floor(entry * MONTH))
    spells = spells[life > entry]
    ages = [round(12 * MONTH), round(36 * MONTH)]
    truth = [1 / 1.36, 1 / 2.08]
    assert survival_at(survival(spells), ages)["survival"].tolist() == pytest.approx(
        truth, abs=0.015
    )
    naive = survival_at(survival(spells.assign(entry_days=0)), ages)["survival"].tolist()
    assert naive[0] > truth[0] + 0.15
    assert naive[1] > truth[1] + 0.25


# --- groups and columns --------------------------------------------------------------------------


def test_groups_add_up_to_all():
    curves = survival(simulated(3)).curves
    whole = curves[curves["group"] == "all"].set_index("time_days")["events"]
    parts = curves[curves["group"] != "all"].groupby("time_days")["events"].sum()
    assert whole.tolist() == parts.tolist()
    assert curves["group"].drop_duplicates().tolist() == [
        "all",
        *(f"segment {i}" for i in range(3)),
    ]


def test_one_group_is_shown_once():
    result = survival(make_spells(range(1, 40)))
    assert result.summary["group"].tolist() == ["all"]
    assert result.logrank is None
    assert result.logrank_reason == "there is only one group"


def test_group_that_is_called_all_or_not_stated_is_kept_apart():
    spells = make_spells([3] * 9, group=["all"] * 3 + [None] * 3 + ["b"] * 3)
    assert survival(spells).summary["group"].tolist() == ["all", '"all"', "b", "not stated"]


# Ibis 12 still calls what DuckDB 2 has renamed
@pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")
def test_engine_table_and_frame_give_the_same_and_stay_as_they_are():
    spells = simulated(4)
    before = spells.copy()
    frame = survival(spells)
    con = ibis.duckdb.connect()
    table = survival(con.create_table("spells", spells.assign(account_id="x", other=1.5)))
    pd.testing.assert_frame_equal(frame.curves, table.curves)
    pd.testing.assert_frame_equal(frame.summary, table.summary)
    pd.testing.assert_frame_equal(spells, before)


ROWS = st.lists(
    st.tuples(st.integers(0, 9), st.integers(1, 20), st.booleans(), st.sampled_from("ab")),
    min_size=1,
    max_size=30,
)


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(ROWS, st.randoms())
def test_order_and_repetition_of_rows_leave_survival_unchanged(rows, random):
    mixed = rows * 3
    random.shuffle(mixed)
    results = []
    for entry, length, event, group in (zip(*part, strict=True) for part in (rows, mixed)):
        ends = np.add(entry, length)
        spells = make_spells(ends, event, entry_days=entry, group=group)
        results.append(survival(spells, min_at_risk=1).curves)
    one, many = results
    assert one["group"].tolist() == many["group"].tolist()
    assert many["survival"].tolist() == pytest.approx(one["survival"].tolist(), abs=1e-12)
    assert many["at_risk"].tolist() == (one["at_risk"] * 3).tolist()


# --- few, none, all ------------------------------------------------------------------------------


def test_no_spells_is_unclear():
    result = survival(make_spells([]))
    row = row_of(result.summary)
    assert (row["n"], row["status"], row["reason"]) == (
        0,
        "unclear",
        "no account under observation",
    )
    assert result.curves.empty
    assert np.isnan(result.horizon_days)
    assert row[["median_days", "rmst_days", "starts_at_days"]].isna().all()
    assert numbers_at_risk(result, [0, 30])["at_risk"].tolist() == [0, 0]
    assert survival_at(result, [30])["status"].tolist() == ["unclear"]
    table = conditional_survival(result, ages_days=[30], ahead_days=[90])
    assert table[["at_risk", "status"]].to_numpy().tolist() == [[0, "unclear"]]


def test_one_account_is_unclear():
    row = row_of(survival(make_spells([40])).summary)
    assert (row["status"], row["reason"]) == ("unclear", "never 10 at risk at the same age")
    assert row["median_days"] == 40


def test_nobody_churned_is_unclear_and_has_the_limits_that_so_few_allow():
    row = row_of(survival(make_spells([400] * 50, event=False)).summary)
    assert row["status"] == "unclear"
    assert row["reason"].startswith("nobody churned")
    assert (row["rmst_days"], row["horizon_days"]) == (365, 365)
    least = 365 * (1 + 0.05 ** (1 / 50)) / 2
    assert (row["rmst_low"], row["rmst_high"]) == (pytest.approx(least, rel=1e-4), 365)
    assert np.isnan(row["median_days"])


def test_everybody_churned_on_day_one():
    result = survival(make_spells([1] * 50))
    row = row_of(result.summary)
    assert (row["median_days"], row["rmst_days"], row["horizon_days"]) == (1, 1, 1)
    assert 0.95 < row["rmst_low"] < row["rmst_high"] == 1
    assert survival_at(result, [0, 1, 90])["survival"].tolist() == [1, 0, 0]


def test_churn_on_the_day_of_the_start_counts():
    result = survival(make_spells([0] * 5 + [9] * 15))
    assert survival_at(result, [0])["survival"].tolist() == [0.75]
    assert numbers_at_risk(result, [0, 1, 9, 10])["at_risk"].tolist() == [20, 15, 15, 0]


def test_spells_that_ended_before_they_could_be_seen_are_left_out_and_counted():
    result = survival(make_spells([5, 7, 9], entry_days=[5, 9, 10]))
    assert (result.never_seen, result.entered_late) == (3, 0)
    assert row_of(result.summary)["reason"] == "no account under observation"


def test_entry_at_the_age_at_which_another_leaves():
    result = survival(make_spells([5] * 12 + [8] * 12, entry_days=[0] * 12 + [5] * 12))
    rows = result.curves[["time_days", "at_risk", "entered", "survival"]].to_numpy().tolist()
    assert rows == [[0, 12, 0, 1], [5, 12, 12, 0], [8, 12, 0, 0]]


def test_curve_starts_where_enough_are_under_observation():
    """R's survfit prints survival 0 from day 3 on, although 30 accounts live on day 39."""
    spells = make_spells([3, 3] + [40] * 30, [1, 1] + [1, 0] * 15, entry_days=[0, 0] + [20] * 30)
    result = survival(spells)
    row = row_of(result.summary)
    assert (row["starts_at_days"], row["status"]) == (20, "ok")
    assert row["reason"] == "given alive at 20 days: fewer than 10 at risk before"
    assert result.curves[["time_days", "at_risk"]].to_numpy().tolist() == [[20, 30], [40, 30]]
    assert survival_at(result, [10, 20, 40])["survival"].tolist()[1:] == [1, 0.5]
    assert survival_at(result, [10])["reason"].tolist() == ["not under observation at these ages"]
    table = conditional_survival(result, ages_days=[3, 20], ahead_days=[20])
    assert table["at_risk"].tolist() == [0, 30]
    assert table["stay"].tolist()[1] == 0.5
    assert np.isnan(table["stay"][0])


def test_late_group_that_is_always_small_has_no_curve():
    spells = pd.concat(
        [
            make_spells(range(1, 60), group="large"),
            make_spells([50] * 4, entry_days=20, group="small"),
        ]
    )
    result = survival(spells)
    row = row_of(result.summary, "small")
    assert (row["status"], row["reason"]) == ("unclear", "never 10 at risk at the same age")
    assert "small" not in set(result.curves["group"])
    assert set(survival_at(result, [5])["group"]) == {"all", "large", "small"}


def test_groups_without_common_ages_cannot_be_compared():
    spells = pd.concat(
        [make_spells([3] * 20, group="new"), make_spells([30] * 20, entry_days=10, group="old")]
    )
    result = survival(spells)
    assert result.logrank is None
    assert result.logrank_reason.startswith("no churn at an age at which two groups")


# --- horizon -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("longest", "horizon"), [(800, 730), (365, 365), (364, 360), (20, 20)])
def test_default_horizon_is_whole_years_or_30_days(longest, horizon):
    result = survival(make_spells([1] * 5 + [longest] * 50, [True] * 5 + [False] * 50))
    assert result.horizon_days == horizon
    assert row_of(result.summary)["horizon_days"] == horizon


def test_default_horizon_leaves_small_young_groups_without_a_mean():
    old = make_spells([5] * 10 + [500] * 290, [True] * 10 + [False] * 290, group="old")
    new = make_spells([5] * 2 + [40] * 18, [True] * 2 + [False] * 18, group="new")
    result = survival(pd.concat([old, new]))
    assert result.horizon_days == 365
    row = row_of(result.summary, "new")
    assert np.isnan(row["rmst_days"])
    assert (row["status"], row["reason"]) == ("ok", "seen up to 40 days only")


def test_horizon_is_taken_as_asked():
    result = survival(make_spells(range(1, 101)), horizon_days=50)
    row = row_of(result.summary)
    assert row["rmst_days"] == pytest.approx(50 - 50 * 49 / 2 / 100)
    assert row["rmst_low"] < row["rmst_days"] < row["rmst_high"] <= 50


# --- views ---------------------------------------------------------------------------------------


def test_conditional_survival_is_the_ratio_of_survival():
    result = survival(simulated(7))
    ages, ahead = [30, 100], [30, 90]
    table = conditional_survival(result, ages_days=ages, ahead_days=ahead)
    assert len(table) == 4 * 2 * 2
    at = survival_at(result, [30, 60, 100, 120, 130, 190]).set_index(["group", "age_days"])
    for row in table.itertuples():
        share = at.loc[(row.group, row.age_days + row.ahead_days), "survival"]
        assert row.stay == pytest.approx(share / at.loc[(row.group, row.age_days), "survival"])
        assert row.ci_low < row.stay < row.ci_high
        assert row.status == "ok"


def test_conditional_survival_without_censoring_is_a_share():
    """Of 80 alive at day 20, 50 stay past day 50: Kaplan-Meier equals the plain share."""
    result = survival(make_spells(range(1, 101)))
    row = conditional_survival(result, ages_days=[20], ahead_days=[30]).iloc[0]
    assert (row["at_risk"], row["stay"]) == (80, pytest.approx(50 / 80))


def test_survival_where_nobody_left_is_not_certain():
    """Limits of 1 and 1, as R gives, would be. Clopper and Pearson (1934) for 0 of 40."""
    result = survival(make_spells([100] * 10 + [200] * 40, [False] * 50))
    chances = conditional_survival(result, ages_days=[30], ahead_days=[90])
    for row in (row_of(survival_at(result, [120])), row_of(chances)):
        assert (row["ci_low"], row["ci_high"]) == (pytest.approx(1 - 0.0881, abs=5e-5), 1)
        assert row["reason"].startswith("nobody left")
    start = row_of(survival_at(result, [0]))
    assert (start["ci_low"], start["ci_high"], start["reason"]) == (1, 1, "")


def test_conditional_survival_beyond_the_data_is_unknown():
    spells = make_spells(list(range(1, 101)), [True] * 60 + [False] * 40)
    table = conditional_survival(survival(spells), ages_days=[50, 95], ahead_days=[5, 90])
    assert table["stay"].isna().tolist() == [False, True, False, True]
    assert table["status"].tolist() == ["ok", "unclear", "unclear", "unclear"]
    assert table["reason"].tolist()[2] == "only 5 at risk"


def test_numbers_at_risk_hold_between_the_times_of_the_curve():
    spells = simulated(9, groups=1)
    ages = [0.5, 77.5, 200, 599, 601]
    early = spells["entry_days"].where(spells["entry_days"] > 0, -1)
    expected = [int(((early < a) & (spells["exit_days"] >= a)).sum()) for a in ages]
    assert numbers_at_risk(survival(spells), ages)["at_risk"].tolist() == expected


# --- input that is refused -----------------------------------------------------------------------


def test_all_missing_and_wrong_columns_are_named_at_once():
    spells = make_spells([1]).drop(columns=["event", "entry_days"]).astype({"exit_days": float})
    with pytest.raises(InputError) as caught:
        survival(spells)
    assert caught.value.faults == (
        f"spells: column entry_days is missing; {WAY_OUT}",
        f"spells: column exit_days is float64, not {WHOLE_DAYS}",
        f"spells: column event is missing; {WAY_OUT}",
    )


def test_missing_and_negative_ages_are_counted():
    spells = make_spells([1, 2, 3, 4, 5]).astype({"exit_days": "Int64", "entry_days": "Int64"})
    spells.loc[0, "exit_days"] = None
    spells.loc[1, "exit_days"] = -2
    spells.loc[2, "entry_days"] = None
    spells["event"] = spells["event"].astype("boolean")
    spells.loc[3, "event"] = None
    with pytest.raises(InputError) as caught:
        survival(spells)
    assert caught.value.faults == (
        "spells: exit_days is missing or negative in 2 rows; correct or drop them",
        "spells: entry_days is missing or negative in 1 rows; correct or drop them",
        "spells: event is missing in 1 rows; it is true or false",
    )


@pytest.mark.parametrize("horizon", [0, -30])
def test_horizon_must_be_above_0(horizon):
    with pytest.raises(InputError, match="not above 0"):
        survival(make_spells([1]), horizon_days=horizon)
