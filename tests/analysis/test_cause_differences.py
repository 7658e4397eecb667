"""Whether groups differ in a cause: cmprsk, intervals for the pair that was picked, edges."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from csa.analysis.churn.cause_differences import compare_causes
from csa.analysis.churn.causes import incidence
from csa.methods.causetable import tabulate_causes
from csa.methods.gray import gray

REFERENCE = Path(__file__).parent.parent / "reference"
R_DEATH = {"F": 0.695307803, "M": 0.748127889}  # incidence at 240 months, survival 3.5-3
R_ERROR = (0.0236253343, 0.0206688669)
ROWS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(1, 9), st.integers(-1, 1), st.integers(0, 2)),
    max_size=60,
)


def make_spells(exit_days, cause, *, group, entry_days=0):
    """Spells of causes "a" and "b"; "-" goes on."""
    cause = np.broadcast_to(np.asarray(cause, dtype=object), len(exit_days))
    return pd.DataFrame(
        {
            "group": np.broadcast_to(np.asarray(group, dtype=object), len(exit_days)),
            "entry_days": np.broadcast_to(np.asarray(entry_days, dtype=int), len(exit_days)),
            "exit_days": np.asarray(exit_days, dtype=int),
            "event": cause != "-",
            "cause": pd.Series(np.where(cause == "-", None, cause), dtype=object),
        }
    )


def compared(spells, *, causes="ab", ages=(5, 10, 20), **options):
    result = incidence(spells, causes=list(causes), ages_days=list(ages), **options)
    return result.differences.set_index("cause")


def without_engine(spells, *, ages, min_at_risk=10):
    """Compare tabulated rows."""
    seen = spells[spells["exit_days"] > spells["entry_days"]]
    place = seen["cause"].map({"a": 0, "b": 1}).fillna(-1).astype(int)
    tables = {
        name: tabulate_causes(
            rows["exit_days"], place[rows.index], causes="ab", entry=rows["entry_days"]
        )
        for name, rows in seen.groupby("group")
    }
    found = compare_causes(tables, ages_days=ages, confidence=0.95, min_at_risk=min_at_risk)
    return found.set_index("cause")


@pytest.fixture(scope="module")
def mgus2():
    counts = pd.read_csv(REFERENCE / "mgus2_causes.csv")
    rows = counts.loc[counts.index.repeat(counts["n"])]
    return make_spells(
        rows["etime"], rows["event"].replace("censor", "-").to_numpy(), group=rows["sex"].to_numpy()
    )


def drawn(seed, n=1500, *, rates=(1.0, 1.0, 1.0), late=False):
    """Draw groups with rates of cause a, in days, that are lost from sight differently."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, len(rates), n)
    one = rng.exponential(600 / np.array(rates)[group])
    other, cut = rng.exponential(800, n), rng.uniform(30, 900 + 200 * group, n)
    life = np.ceil(np.minimum(np.minimum(one, other), cut)).astype(int)
    cause = np.select([cut < np.minimum(one, other), one < other], ["-", "a"], "b")
    entry = np.where(rng.random(n) < 0.5, rng.integers(1, 250 + 50 * group), 0) * late
    return make_spells(
        life, cause.astype(object), group=np.array(["x", "y", "z"])[group], entry_days=entry
    )


# --- published figures ---------------------------------------------------------------------------


def test_test_of_mgus2_by_sex_matches_cmprsk(mgus2):
    """R cmprsk 2.2-11, cuminc(etime, event, sex)$Tests; Holm's rule by hand."""
    found = compared(mgus2, causes=["pcm", "death"], ages=[120, 240])
    statistics = found["statistic"].tolist()
    assert statistics == pytest.approx([1.19450782508, 11.65125901213], rel=1e-11)
    p_values = [0.274422156788004, 0.000641590976408]
    assert found["p_value"].tolist() == pytest.approx(p_values, rel=1e-10)
    assert found["p_adjusted"].tolist() == pytest.approx(np.array([1, 2]) * p_values, rel=1e-10)
    assert found["events"].tolist() == [115, 860]
    assert (found["groups"] == 2).all()


def test_gap_of_mgus2_by_sex_matches_r(mgus2):
    """R summary(survfit(Surv(etime, event) ~ sex), times = 240)$pstate: 9 decimals."""
    death = compared(mgus2, causes=["pcm", "death"], ages=[120, 240]).loc["death"]
    assert (death["more"], death["fewer"], death["age_days"]) == ("M", "F", 240)
    assert death["more_incidence"] == pytest.approx(R_DEATH["M"], abs=5e-9)
    assert death["fewer_incidence"] == pytest.approx(R_DEATH["F"], abs=5e-9)
    assert death["difference"] == pytest.approx(R_DEATH["M"] - R_DEATH["F"], abs=1e-8)
    # two groups are one pair: close to the difference and its error from the same summary
    half = 1.959964 * np.hypot(*R_ERROR)
    middle = R_DEATH["M"] - R_DEATH["F"]
    assert death["ci_low"] == pytest.approx(middle - half, abs=0.004)
    assert death["ci_high"] == pytest.approx(middle + half, abs=0.004)


# --- the engine's counts -------------------------------------------------------------------------


def test_counts_of_the_engine_give_what_rows_give():
    spells = drawn(8, late=True)
    found, rows = compared(spells, ages=[180, 365]), without_engine(spells, ages=[180, 365])
    columns = ["statistic", "p_adjusted", "difference", "ci_low", "ci_high", "from_days"]
    both = found.loc[rows.index, columns].to_numpy(float)
    assert both == pytest.approx(rows[columns].to_numpy(float), rel=1e-12)


def test_groups_that_came_late_are_compared_from_the_age_all_can_be_trusted():
    spells = drawn(1, late=True)
    spells = spells[(spells["group"] != "z") | (spells["entry_days"] > 0)]
    spells = spells[spells["exit_days"] > spells["entry_days"]]
    found = compared(spells, ages=[180, 365])
    start = found["from_days"].iloc[0]
    assert start > 0
    rest = spells[spells["exit_days"] > start]
    parts = [
        tabulate_causes(
            rows["exit_days"],
            rows["cause"].map({"a": 0, "b": 1}).fillna(-1).astype(int),
            causes="ab",
            entry=rows["entry_days"].where(rows["entry_days"] > start, 0),
        )
        for _, rows in rest.groupby("group")
    ]
    for cause in "ab":
        direct = gray(parts, cause)
        assert found.loc[cause, "statistic"] == pytest.approx(direct.statistic, rel=1e-9)


def test_the_pair_named_is_the_one_that_differs():
    found = compared(drawn(2, n=4000, rates=(1.0, 1.05, 2.0)), ages=[180, 365])
    assert found.loc["a", "p_adjusted"] < 1e-6
    assert found.loc["a", "more"] == "z"
    assert found.loc["a", "ci_low"] > 0


def test_each_further_group_widens_the_interval_of_the_same_pair():
    spells = drawn(2, n=4000, rates=(1.0, 1.5, 2.5))
    two = compared(spells[spells["group"] != "y"], ages=[365]).loc["a"]
    three = compared(spells, ages=[365]).loc["a"]
    assert (two["more"], two["fewer"]) == (three["more"], three["fewer"]) == ("z", "x")
    assert three["difference"] == pytest.approx(two["difference"], rel=1e-12)
    # 98.3 % instead of 95 %: 2.394 instead of 1.960 standard errors
    wider = (three["ci_high"] - three["ci_low"]) / (two["ci_high"] - two["ci_low"])
    assert wider == pytest.approx(2.394 / 1.960, abs=0.01)


def test_a_group_that_lost_nobody_has_the_exact_limit():
    n = 40
    exits = [400] * n + list(range(1, 31)) + [400] * 30
    cause = ["-"] * n + ["a"] * 30 + ["-"] * 30
    found = compared(make_spells(exits, cause, group=["x"] * n + ["y"] * 60), ages=[365]).loc["a"]
    most = proportion_confint(0, n, alpha=0.05, method="beta")[1]
    assert (found["fewer"], found["fewer_incidence"]) == ("x", 0)
    result = incidence(make_spells(exits, cause, group=["x"] * n + ["y"] * 60), causes=["a"])
    at = result.at_ages.query("group == 'y' and age_days == 365 and cause == 'a'").iloc[0]
    below = np.hypot(at["incidence"] - at["ci_low"], most)
    assert found["ci_low"] == pytest.approx(at["incidence"] - below, rel=1e-9)


@pytest.mark.slow
def test_groups_that_are_alike_are_told_apart_as_seldom_as_the_level_says():
    """600 companies with three alike groups and two causes, many of them entering late."""
    tested = gaps = 0
    for seed in range(600):
        found = without_engine(drawn(seed, n=600, late=True), ages=[180, 365])
        tested += bool((found["p_adjusted"] < 0.05).any())
        gaps += bool(found["ci_low"].loc["a"] > 0)
    assert 0.02 <= tested / 600 <= 0.07
    assert gaps / 600 <= 0.07


# --- edges ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [0, 1, 40])
def test_one_group_has_nothing_to_compare(n):
    spells = make_spells(np.arange(1, n + 1), "a", group="x")
    assert incidence(spells, causes=["a", "b"]).differences.empty


def test_causes_of_few_are_not_tested():
    spells = drawn(4)
    spells.loc[spells.index[spells["cause"] == "b"][4:], "cause"] = "a"
    found = compared(spells, causes="abc", ages=[365])
    assert found["status"].to_dict() == {"a": "ok", "b": "unclear", "c": "unclear"}
    assert found.loc["b", "reason"] == "only 4 left for it"
    assert found.loc["c", "reason"] == "nobody left for it"
    # only what was tested counts for Holm's rule
    assert found.loc["a", "p_adjusted"] == found.loc["a", "p_value"]
    assert found.loc[["b", "c"], "p_adjusted"].isna().all()


def test_all_censored_is_unclear():
    found = compared(make_spells([30] * 40, "-", group=["x", "y"] * 20))
    assert (found["status"] == "unclear").all()
    assert found["p_value"].isna().all()


def test_groups_too_small_to_be_trusted_are_left_out():
    spells = pd.concat([drawn(5), make_spells([50] * 3, "a", group="tiny")], ignore_index=True)
    found = compared(spells, ages=[365])
    assert (found["groups"] == 3).all()
    assert not found[["more", "fewer"]].isin(["tiny"]).any(axis=None)


def test_causes_at_ages_at_which_groups_never_meet_are_unclear():
    early = make_spells([10] * 30, "a", group="x")
    late = make_spells([90] * 30, "a", group="y", entry_days=50)
    found = compared(pd.concat([early, late], ignore_index=True))
    assert found.empty or (found["status"] == "unclear").all()


def test_a_group_that_all_left_before_others_came_is_compared_up_to_there():
    gone = make_spells([20] * 15, "a", group="x")
    came = make_spells([60] * 20, "a", group="x", entry_days=40)
    found = compared(pd.concat([gone, came, drawn(6)], ignore_index=True), ages=[10, 365])
    assert found.loc["a", "status"] == "ok"


def test_no_age_seen_well_leaves_the_test_without_a_gap():
    found = compared(drawn(7), ages=[9000]).loc["a"]
    assert (found["status"], found["more"]) == ("ok", "")
    assert np.isnan([found["difference"], found["ci_low"], found["age_days"]]).all()


@settings(max_examples=30, deadline=None)
@given(rows=ROWS)
def test_any_spells_are_compared_without_a_fault(rows):
    columns = [np.array(c, int) for c in zip(*rows, strict=True)] or [np.empty(0, int)] * 4
    entry, length, cause, group = columns
    spells = make_spells(
        entry + length,
        np.array(["a", "b", "-"], dtype=object)[cause],
        group=np.array(["x", "y", "z"], dtype=object)[group],
        entry_days=entry,
    )
    found = without_engine(spells, ages=[2, 5, 9], min_at_risk=2)
    known = found[found["more"] != ""]
    assert (known["difference"] >= 0).all()
    assert (known["ci_low"] <= known["difference"]).all()
    assert (known["difference"] <= known["ci_high"]).all()
    assert found["p_adjusted"].dropna().between(0, 1).all()
