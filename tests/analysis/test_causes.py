"""Churn by cause: published figures through the engine, delayed entry, edges, months."""

from datetime import date
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint
from stored import stored

from csa.analysis.churn.causes import causes_over_time, incidence
from csa.errors import InputError
from csa.methods.causetable import tabulate_causes
from csa.methods.incidence import aalen_johansen, time_lost
from csa.periods import parse

REFERENCE = Path(__file__).parent.parent / "reference"
NAMED = ("voluntary", "involuntary", "downgrade")


def make_spells(exit_days, cause, *, entry_days=0, group="a", start_on="2024-01-01"):
    """Spells with scalars spread over all rows; cause "-" is a spell that goes on."""
    size = len(exit_days)
    causes = np.broadcast_to(np.asarray(cause, dtype=object), size)
    return pd.DataFrame(
        {
            "group": np.broadcast_to(np.asarray(group, dtype=object), size),
            "start_on": pd.to_datetime(np.broadcast_to(np.asarray(start_on), size)),
            "entry_days": np.broadcast_to(np.asarray(entry_days, dtype=int), size),
            "exit_days": np.asarray(exit_days, dtype=int),
            "event": causes != "-",
            "cause": pd.Series(np.where(causes == "-", None, causes), dtype=object),
        }
    )


def simulated(seed, *, n=2000, groups=3, truncated=True):
    """Left-truncated spells in whole days with five spellings of a cause."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, groups, n)
    life, cut = np.ceil(rng.exponential(250 + 80 * group)).astype(int), rng.integers(1, 600, n)
    late = np.where(rng.random(n) < 0.4, rng.integers(1, 300, n), 0) * truncated
    drawn = rng.choice(
        np.array([*NAMED, "several", None], dtype=object), n, p=[0.4, 0.2, 0.1, 0.2, 0.1]
    )
    return make_spells(
        np.minimum(life, cut),
        np.where(life <= cut, drawn, "-"),
        entry_days=late,
        group=np.array([f"segment {g}" for g in group], dtype=object),
    )


def rows_of(frame, group="all"):
    return frame[frame["group"] == group].set_index("cause")


def direct(spells, names):
    """Estimate from single rows without the engine."""
    seen = spells[(spells["entry_days"] == 0) | (spells["exit_days"] > spells["entry_days"])]
    place = {name: k for k, name in enumerate(names)}
    stated = seen["cause"].fillna("not stated").replace("several", "other reasons").map(place)
    return aalen_johansen(
        tabulate_causes(
            seen["exit_days"],
            stated.where(seen["event"], -1).astype(int),
            causes=names,
            entry=seen["entry_days"],
        )
    )


# --- published figures ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mgus2():
    """Months stand in the columns of days; sex is the group."""
    counts = pd.read_csv(REFERENCE / "mgus2_causes.csv")
    rows = counts.loc[counts.index.repeat(counts["n"])]
    cause = rows["event"].replace("censor", "-")
    return make_spells(rows["etime"], cause, group=rows["sex"])


def test_incidence_of_mgus2_matches_r(mgus2):
    """R survfit(Surv(etime, event) ~ 1, mgus2), survival 3.5-3: 7 (6) decimals of each state."""
    result = incidence(mgus2, causes=["pcm", "death"], ages_days=[60, 120, 180, 240])
    figures = result.at_ages[result.at_ages["group"] == "all"]
    pcm, death = (figures[figures["cause"] == name] for name in ("pcm", "death"))
    assert pcm["at_risk"].tolist() == [874, 424, 178, 57]
    printed = [0.0341037, 0.0637222, 0.0870563, 0.0998137]
    assert pcm["incidence"].tolist() == pytest.approx(printed, abs=5e-8)
    printed = [0.320367, 0.531818, 0.665923, 0.724028]
    assert death["incidence"].tolist() == pytest.approx(printed, abs=5e-7)
    assert figures["status"].eq("ok").all()
    whole = rows_of(result.summary)
    assert whole["events"].to_dict() == {"pcm": 115, "death": 860}
    assert (whole["n"].iloc[0], whole["churned"].iloc[0]) == (1384, 975)


def test_time_lost_of_mgus2_by_sex_matches_r(mgus2):
    """R print(survfit(... ~ sex), rmean = 20 years): 9 decimals, in years."""
    result = incidence(mgus2, causes=["pcm", "death"], horizon_days=240)
    for sex, printed in {
        "F": (1.323283555, 8.823108469),
        "M": (1.064693499, 10.260294141),
    }.items():
        lost = rows_of(result.summary, sex)["lost_days"] / 12
        assert lost.tolist() == pytest.approx(printed, abs=5e-10)
    assert result.horizon_days == 240


def test_one_minus_kaplan_meier_per_cause_is_not_offered(mgus2):
    """Published: 0.210 by one minus Kaplan-Meier at 240 months, where 0.0998 is right."""
    result = incidence(mgus2, causes=["pcm", "death"], ages_days=[240])
    columns = {*result.curves, *result.at_ages, *result.summary}
    assert not columns & {"kaplan_meier", "net_survival", "survival_cause"}
    assert rows_of(result.at_ages).loc["pcm", "incidence"] == pytest.approx(0.0998, abs=5e-5)


# --- the engine's counts -------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("truncated", [False, True])
def test_incidence_equals_the_estimate_from_single_rows(seed, truncated):
    spells = simulated(seed, truncated=truncated)
    result = incidence(spells, min_at_risk=1, horizon_days=300, ages_days=[30, 300])
    names = ["voluntary", "involuntary", "downgrade", "other reasons", "not stated"]
    assert list(result.causes) == names
    for group in ("all", "segment 1"):
        part = spells if group == "all" else spells[spells["group"] == group]
        fit = direct(part, names)
        curves = result.curves[result.curves["group"] == group]
        for j, name in enumerate(names):
            curve = curves[curves["cause"] == name]
            curve = curve[curve["time_days"] > 0]
            keep = np.isin(fit.table.table.time, curve["time_days"])
            assert curve["incidence"].tolist() == pytest.approx(fit.incidence[j, keep], abs=1e-12)
            assert curve["std_error"].tolist() == pytest.approx(fit.std_error[j, keep], abs=1e-12)
        lost, error = time_lost(fit, 300)
        summary = rows_of(result.summary, group)
        assert summary["lost_days"].tolist() == pytest.approx(lost, abs=1e-9)
        assert summary["lost_se"].tolist() == pytest.approx(error, abs=1e-9)


def test_incidence_of_the_left_truncated_fixture_equals_the_rows():
    """6,827 spells of the fixture with two causes, from a DuckDB table."""
    raw = pd.read_csv(stored("CSA_REFERENCE", "fixtures", "left_truncated_10k.csv"))
    cause = np.where(raw["ev"] == 1, np.where(raw["cause"] == 1, *NAMED[:2]), "-")
    spells = make_spells(raw["dur"], cause, entry_days=raw["entry"])
    result = incidence(ibis.memtable(spells), ages_days=[365, 1000])
    fit = direct(spells, NAMED)
    for age in (365, 1000):
        read = result.at_ages[result.at_ages["age_days"] == age]["incidence"]
        assert read.tolist() == pytest.approx(fit.at(age).value, abs=1e-12)
    assert 1 - fit.at(365).value.sum() == pytest.approx(0.61378, abs=5e-6)  # R's survival


def test_incidences_and_survival_add_up_to_1():
    curves = incidence(simulated(5)).curves
    by_age = curves.groupby(["group", "time_days"])
    total = by_age["incidence"].sum() + by_age["survival"].first()
    assert np.abs(total - 1).max() < 1e-12


def test_shares_are_those_of_the_churn_with_wilson_limits():
    """Against statsmodels' Wilson interval."""
    spells = make_spells([5] * 60, ["voluntary"] * 30 + ["involuntary"] * 10 + ["-"] * 20)
    summary = rows_of(incidence(spells).summary)
    assert summary["share"].tolist() == [0.75, 0.25, 0]
    low, high = proportion_confint(30, 40, method="wilson")
    limits = summary.loc["voluntary", ["share_low", "share_high"]].tolist()
    assert limits == pytest.approx([low, high])


def test_reasons_beyond_the_named_ones_are_grouped():
    cause = ["voluntary", "several", "moved", "", None, "not stated"] * 5
    spells = make_spells(range(1, 31), cause)
    summary = rows_of(incidence(spells).summary)
    assert summary["events"].to_dict() == {
        **{"voluntary": 5, "involuntary": 0, "downgrade": 0},
        **{"other reasons": 10, "not stated": 15},
    }
    assert "cause not stated for 15 of 30" in summary["reason"].iloc[0]
    moved = rows_of(incidence(spells, causes=["moved"]).summary)
    assert moved["events"].to_dict() == {"moved": 5, "other reasons": 10, "not stated": 15}


def test_groups_without_a_name_and_named_like_the_total():
    spells = make_spells([3, 4, 5, 6], "voluntary", group=["all", None, "not stated", "b"])
    summary = incidence(spells).summary
    names = list(dict.fromkeys(summary["group"]))
    assert names == ["all", '"all"', "b", "not stated"]
    assert rows_of(summary, "not stated")["events"].tolist() == [2, 0, 0]


def test_spells_that_ended_before_anybody_looked_are_left_out_and_counted():
    cause = ["voluntary"] * 20 + ["involuntary"]
    spells = make_spells([*range(30, 50), 5], cause, entry_days=[*[2] * 20, 9])
    result = incidence(spells)
    assert (result.never_seen, result.entered_late) == (1, 20)
    summary = rows_of(result.summary)
    assert summary["events"].tolist() == [20, 0, 0]
    assert summary["reason"].iloc[0].startswith("given alive at 2 days")
    assert result.curves["time_days"].min() == 2


def test_the_input_stays_as_it_is():
    spells = simulated(1, n=50)
    before = spells.copy(deep=True)
    incidence(spells)
    pd.testing.assert_frame_equal(spells, before)


@settings(deadline=None, max_examples=10)
@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.integers(1, 9), st.sampled_from([*NAMED, "x", None, "-"])),
        min_size=1,
        max_size=25,
    ),
    st.randoms(),
)
@pytest.mark.slow
def test_the_order_of_rows_does_not_matter(rows, random):
    mixed = random.sample(rows, len(rows))
    one, other = (
        incidence(
            make_spells(
                [e + d for e, d, _ in r], [c for _, _, c in r], entry_days=[e for e, _, _ in r]
            )
        )
        for r in (rows, mixed)
    )
    pd.testing.assert_frame_equal(one.curves, other.curves)
    pd.testing.assert_frame_equal(one.summary, other.summary)


# --- edges ---------------------------------------------------------------------------------------


def test_without_spells_everything_is_unclear():
    result = incidence(make_spells([], []))
    assert result.curves.empty
    assert result.summary["status"].eq("unclear").all()
    assert result.summary["reason"].eq("no account under observation").all()
    assert result.at_ages["incidence"].isna().all()
    assert result.at_ages["status"].eq("unclear").all()


def test_one_account_is_unclear():
    result = incidence(make_spells([40], ["voluntary"]), ages_days=[30, 60])
    assert result.summary["reason"].eq("only 1 churned").all()
    late = rows_of(result.at_ages[result.at_ages["age_days"] == 60])
    assert late["incidence"].tolist() == [1, 0, 0]
    assert np.isnan(late[["ci_low", "ci_high"]].to_numpy()).all()


def test_nobody_churned_is_unclear():
    result = incidence(make_spells([100] * 50, "-"), ages_days=[90, 180])
    assert result.summary["reason"].eq("nobody churned").all()
    assert result.summary["share"].isna().all()
    at_90 = result.at_ages[result.at_ages["age_days"] == 90]
    assert at_90["incidence"].eq(0).all()
    assert at_90["reason"].str.startswith("nobody left for it").all()
    assert at_90["ci_low"].eq(0).all()
    # Clopper and Pearson (1934) for 0 of 50
    assert at_90["ci_high"].tolist() == pytest.approx([0.0711] * 3, abs=5e-5)
    at_180 = result.at_ages[result.at_ages["age_days"] == 180]
    assert at_180["reason"].eq("not under observation at these ages").all()


def test_everybody_churned_on_one_day():
    spells = make_spells([7] * 40, ["voluntary"] * 30 + ["downgrade"] * 10)
    result = incidence(spells, ages_days=[7, 500])
    for age in (7, 500):  # nobody can be left: known for any later age
        figures = rows_of(result.at_ages[result.at_ages["age_days"] == age])
        assert figures["incidence"].tolist() == pytest.approx([0.75, 0, 0.25])
        assert figures["status"].tolist() == ["ok", "unclear", "ok"]
    assert result.horizon_days == 500
    assert rows_of(result.summary)["lost_days"].tolist() == pytest.approx(
        [0.75 * 493, 0, 0.25 * 493]
    )


def test_few_at_risk_is_unclear():
    spells = make_spells([*[50] * 30, *[200] * 5], ["voluntary"] * 20 + ["-"] * 15)
    figures = incidence(spells, ages_days=[40, 50, 120]).at_ages.set_index(["age_days", "cause"])
    assert figures.loc[(120, "voluntary"), "reason"] == "only 5 at risk"
    assert figures.loc[(50, "voluntary"), "status"] == "ok"


def test_never_enough_at_risk_is_unclear():
    spells = make_spells([20, 30, 40], "voluntary", entry_days=[10, 25, 35])
    result = incidence(spells)
    assert result.curves.empty
    assert result.summary["reason"].eq("never 10 at risk at the same age").all()


def test_no_cause_stated_at_all():
    spells = make_spells(range(1, 21), [None] * 20)
    for table in (spells, ibis.memtable(spells.drop(columns="cause")).mutate(cause=ibis.null())):
        summary = rows_of(incidence(table).summary)
        assert summary["events"].tolist() == [0, 0, 0, 20]


def test_all_faults_are_named_at_once():
    spells = make_spells([5, 6], "voluntary").drop(columns=["cause", "group"])
    with pytest.raises(InputError) as caught:
        incidence(spells, causes=["a", "a"])
    assert [fault.split(":")[0] for fault in caught.value.faults] == ["spells", "causes", "spells"]
    assert "column group is missing" in caught.value.faults[0]
    assert "name at least one, none twice" in caught.value.faults[1]
    assert "column cause is missing" in caught.value.faults[2]


@pytest.mark.parametrize("causes", [[], ["other reasons"], ["not stated"], [""]])
def test_names_that_are_made_here_are_refused(causes):
    with pytest.raises(InputError, match="name at least one"):
        incidence(make_spells([5], "voluntary"), causes=causes)


def test_impossible_values_are_refused():
    spells = make_spells([5, 6, -1], "voluntary")
    with pytest.raises(InputError, match="exit_days is missing or negative in 1 rows"):
        incidence(spells)
    with pytest.raises(InputError, match="column cause is int64, not text"):
        incidence(spells.assign(cause=1))
    with pytest.raises(InputError, match="horizon_days: 0 is not above 0"):
        incidence(spells, horizon_days=0)


# --- over time -----------------------------------------------------------------------------------


def months(*names):
    return [parse(name) for name in names]


def test_churn_counts_in_the_month_that_holds_its_first_day_without():
    """Leap day and month ends: 29 February is in February, 1 March in March."""
    spells = make_spells([30, 31, 59, 60, 400], ["voluntary"] * 4 + ["-"])
    table = causes_over_time(spells, months("2024-01", "2024-02", "2024-03"), min_churned=1).table
    first = table[table["cause"] == "voluntary"]
    assert first["events"].tolist() == [1, 2, 1]  # 31 January, 1 and 29 February, 1 March
    assert first["share"].tolist() == [1, 1, 1]
    assert first["start"].iloc[1] == date(2024, 2, 1)


def test_causes_over_time_equal_counts_in_pandas():
    spells = simulated(3).assign(start_on=lambda t: pd.Timestamp("2023-01-01"))
    periods = months("2023-02", "2023-03", "2023-Q2")
    result = causes_over_time(spells, periods)
    seen = spells[(spells["entry_days"] == 0) | (spells["exit_days"] > spells["entry_days"])]
    ended = seen["start_on"] + pd.to_timedelta(seen["exit_days"], unit="D")
    for period in periods:
        inside = (ended >= str(period.start)) & (ended < str(period.end)) & seen["event"]
        for group in ("all", "segment 2"):
            rows = seen[inside & ((seen["group"] == group) | (group == "all"))]
            found = result.table.query("group == @group and period == @period.name")
            found = found.set_index("cause")["events"]
            assert found["voluntary"] == (rows["cause"] == "voluntary").sum()
            assert found["other reasons"] == (rows["cause"] == "several").sum()
            assert found["not stated"] == rows["cause"].isna().sum()
            assert found.sum() == len(rows)


def test_shares_over_time_have_wilson_limits():
    cause = ["voluntary"] * 12 + ["involuntary"] * 8 + ["-"]
    table = causes_over_time(make_spells([*[5] * 20, 90], cause), months("2024-01")).table
    row = table.set_index("cause").loc["involuntary"]
    assert (row["churned"], row["events"], row["share"]) == (20, 8, 0.4)
    low, high = proportion_confint(8, 20, method="wilson")
    assert row[["ci_low", "ci_high"]].tolist() == pytest.approx([low, high])
    assert row["status"] == "ok"


def test_a_month_with_little_churn_or_not_over_is_unclear():
    spells = make_spells([*[5] * 3, 45], [*["voluntary"] * 3, "-"])  # known up to 14 February
    table = causes_over_time(spells, months("2024-01", "2024-02", "2023-12")).table
    reasons = table.drop_duplicates("period").set_index("period")["reason"]
    assert reasons["2024-01"] == "only 3 churned"
    assert reasons["2024-02"] == "the period to 2024-03-01 is not over in the data"
    assert reasons["2023-12"] == "nobody churned"
    assert table["status"].eq("unclear").all()
    assert table[table["period"] == "2023-12"]["share"].isna().all()


def test_no_spells_over_time_are_unclear():
    result = causes_over_time(make_spells([], []), months("2024-01"))
    assert result.causes == NAMED
    assert result.table["status"].eq("unclear").all()
    assert result.table["events"].eq(0).all()


def test_over_time_refuses_what_cannot_be_placed():
    spells = make_spells([5, -1, 7], "voluntary")
    spells.loc[2, "start_on"] = pd.NaT
    with pytest.raises(InputError) as caught:
        causes_over_time(spells, months("2024-01"))
    assert len(caught.value.faults) == 2
    assert "start_on is missing or negative in 1 rows" in str(caught.value)
    with pytest.raises(InputError, match="periods: there is none"):
        causes_over_time(spells, [])
