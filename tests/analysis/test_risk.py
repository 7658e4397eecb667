"""Risk of accounts: an independent regression, exact contributions, edges, and honest sampling."""

from datetime import date, timedelta
from itertools import pairwise

import ibis
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from risk_worlds import FEATURES, FIRST, make_snapshots, make_world
from scipy.optimize import minimize

from csa.analysis.risk import Tuning, fit_risk, score, score_account, segment_risk
from csa.analysis.risk.intervals import divide, horizon_grid
from csa.analysis.risk.rows import as_snapshots, take_snapshots
from csa.analysis.risk.shrinkage import penalties
from csa.errors import InputError
from csa.methods.splines import natural_spline

BARE = Tuning(ridge=1e-9, shrink=False)


@pytest.fixture(scope="module")
def world():
    return make_world(1, accounts=500)


@pytest.fixture(scope="module")
def model(world):
    return fit_risk(world.snapshots, features=FEATURES)


# --- an independent oracle -----------------------------------------------------------------------


def expanded(snapshots, as_of):
    """Rows at risk per interval, made one by one, as the definition says."""
    found = []
    for row in snapshots.to_dict("records"):
        watched = (pd.Timestamp(as_of) - row["cutoff_on"]).days
        for k in range(3):
            low, high = 30 * k, 30 * k + 30
            if high > watched or row["days_after"] <= low:
                continue
            gone = row["event"] and row["days_after"] <= high
            if not gone and row["days_after"] < high:
                continue  # no such rows here: nobody is lost from sight
            found.append(row | {"k": k, "gone": gone, "age": row["age_days"] + low})
    return pd.DataFrame(found)


def design(rows, terms):
    """Columns of the model from its knots and levels, by a second way."""
    knots = {t.feature: t.knots for t in terms}
    columns = [np.ones(len(rows)), rows["k"] == 1, rows["k"] == 2]
    columns += list(natural_spline(rows["age"], knots["age_days"]).T)
    for name in ("usage", "seats"):
        columns += list(natural_spline(rows[name], knots[name]).T)
    columns += [rows["guided"], rows["plan"] == "pro", rows["plan"] == "team"]
    return np.column_stack(columns).astype(float)


@pytest.mark.slow
def test_risk_and_interval_match_a_regression_on_expanded_rows(world):
    """Statsmodels GLM with errors by account; risk and delta method by hand, to 1e-6."""
    snapshots = world.snapshots[world.snapshots["seats"] < 15]  # none so far out that it is held
    last = FIRST.date() + timedelta(days=720)
    model = fit_risk(snapshots, features=FEATURES, tuning=BARE)
    assert model.as_of == last
    rows = expanded(snapshots, last)
    groups = pd.factorize(rows["account_id"])[0]
    glm = sm.GLM(rows["gone"].astype(float), design(rows, model.terms), sm.families.Binomial())
    fit = glm.fit(cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False})
    many = len(np.unique(groups))
    some = world.now.head(20)
    scores = score(model, some).table
    h, x = [], []
    for k in range(3):
        ahead = some.assign(k=k, age=some["age_days"] + 30 * k)
        x.append(design(ahead, model.terms))
        h.append(1 / (1 + np.exp(-x[-1] @ fit.params)))
    risk = 1 - np.prod([1 - a for a in h], axis=0)
    slope = sum(a[:, None] * b for a, b in zip(h, x, strict=True)) / risk[:, None]
    covariance = fit.cov_params() * many / (many - 1)
    half = 1.959964 * np.sqrt(np.einsum("ij,jk,ik->i", slope, covariance, slope))
    logit = np.log(risk / (1 - risk))
    assert scores["risk"].to_numpy() == pytest.approx(risk, rel=1e-6)
    assert scores["ci_low"].to_numpy() == pytest.approx(1 / (1 + np.exp(half - logit)), rel=1e-5)
    assert scores["ci_high"].to_numpy() == pytest.approx(1 / (1 + np.exp(-half - logit)), rel=1e-5)


def test_penalty_maximises_the_restricted_likelihood():
    """Gaussian prior integrated out: log |Λ| - log |I + Λ| + a'(I + Λ)⁻¹ a, by a search."""
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(300, 7))
    known = rows.T @ rows
    aim = known @ np.array([2.0, 0.5, -0.4, 0.3, 0.05, -0.02, 0.1]) + rng.normal(size=7) * 15
    group = np.array([-1, 0, 0, 0, 1, 1, 1])

    def loss(logs):
        penalty = np.where(group < 0, 0.0, np.exp(logs)[group])
        held = known + np.diag(penalty)
        fit = aim @ np.linalg.solve(held, aim)
        return -(np.log(penalty[1:]).sum() - np.linalg.slogdet(held)[1] + fit)

    found = penalties(known, aim, group, (np.where(group < 0, 0, 1e-6), group * 0.0 + 1e9), 1.0)
    best = np.exp(minimize(loss, np.zeros(2), method="Nelder-Mead", tol=1e-10).x)
    assert found[[1, 4]] == pytest.approx(best, rel=2e-3)


# --- what a score is -----------------------------------------------------------------------------


def test_contributions_sum_to_the_score(world, model):
    scores = score(model, world.now)
    total = scores.contributions.sum(axis=1) + scores.baseline
    assert np.abs(total - scores.table["linear_predictor"]).max() < 1e-9
    assert scores.features == ("age_days", *FEATURES)
    # the average account of what was learned from has no contributions
    weight = score(model, world.snapshots[world.snapshots["cutoff_on"] <= "2025-11-21"])
    assert np.abs(weight.contributions.mean(axis=0)).max() < 1e-9


def test_risk_of_one_interval_is_that_of_the_linear_predictor(world):
    model = fit_risk(world.snapshots, features=FEATURES, horizon_days=30)
    table = score(model, world.now).table
    share = 1 / (1 + np.exp(-table["linear_predictor"].to_numpy()))
    assert share == pytest.approx(table["risk"].to_numpy())


def test_score_account_equals_score(world, model):
    table = score(model, world.now.head(5)).table
    for place, row in enumerate(world.now.head(5).to_dict("records")):
        one = score_account(model, row)
        found = table.iloc[place]
        assert (one.risk, one.low, one.high) == pytest.approx(
            tuple(found[["risk", "ci_low", "ci_high"]]), rel=1e-12
        )
        assert sum(one.contributions.values()) + model.baseline == pytest.approx(
            found["linear_predictor"], abs=1e-9
        )
    with pytest.raises(InputError, match="seats is missing"):
        score_account(model, {"age_days": 3, "usage": 1, "guided": 1, "plan": "pro"})


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**31))
@pytest.mark.slow
def test_order_and_extra_columns_do_not_matter(seed):
    world = make_world(2, accounts=150, months=12)
    before = world.snapshots.copy()
    mixed = world.snapshots.sample(frac=1, random_state=seed).assign(colour="red")
    straight = score(fit_risk(world.snapshots, features=FEATURES), world.now).table
    shuffled = score(fit_risk(mixed, features=FEATURES), world.now.sample(frac=1)).table
    pd.testing.assert_frame_equal(
        straight, shuffled.sort_values("account_id", ignore_index=True), rtol=1e-7
    )
    pd.testing.assert_frame_equal(world.snapshots, before)


@pytest.mark.slow
def test_longer_horizons_have_higher_risks(world):
    means = [
        score(fit_risk(world.snapshots, features=FEATURES, horizon_days=h), world.now)
        .table["risk"]
        .to_numpy()
        for h in (30, 60, 75, 180)
    ]
    assert all((a < b).all() for a, b in pairwise(means))


@pytest.mark.slow
def test_ibis_tables_and_frames_give_the_same(world, model):
    table = ibis.memtable(world.snapshots)
    other = fit_risk(table, features=FEATURES)
    assert other.coefficients == pytest.approx(model.coefficients)
    pd.testing.assert_frame_equal(
        score(model, ibis.memtable(world.now)).table,
        score(model, world.now).table,
        check_dtype=False,
    )


def test_segments_add_up_to_all(world, model):
    table = segment_risk(model, world.now, by="plan").set_index("group")
    assert list(table.index) == ["all", "basic", "pro", "team"]
    assert table["n"].iloc[1:].sum() == table.loc["all", "n"] == len(world.now)
    assert table["expected_churn"].iloc[1:].sum() == pytest.approx(
        table.loc["all", "expected_churn"]
    )
    risks = score(model, world.now).table["risk"]
    assert table.loc["pro", "risk"] == pytest.approx(risks[world.now["plan"] == "pro"].mean())
    assert segment_risk(model, world.now)["group"].tolist() == ["all"]


# --- time ----------------------------------------------------------------------------------------


def test_nothing_after_the_last_day_is_used(world):
    day = date(2025, 3, 1)
    known = world.snapshots
    ahead = (pd.Timestamp(day) - known["cutoff_on"]).dt.days
    later = known["days_after"] > ahead
    other = known.assign(
        event=np.where(later, ~known["event"], known["event"]),
        days_after=np.where(later, ahead + 1 + known["days_after"] % 50, known["days_after"]),
    )
    other = other[(ahead >= 0) | (other["days_after"] > 0)]
    one, two = (fit_risk(t, features=FEATURES, as_of=day) for t in (known, other))
    assert one.coefficients == pytest.approx(two.coefficients, rel=1e-12)
    assert one.last_cutoff == two.last_cutoff <= day - timedelta(days=30)


def test_an_interval_that_is_not_over_counts_for_nobody():
    """A month of the cut-off is known: its churn counts, and nothing of the months after."""
    rows = make_snapshots(200, rate=0.5)
    rows["event"] &= rows["days_after"] <= 40
    rows["days_after"] = rows["days_after"].where(rows["event"], 45)
    grid = horizon_grid(90, 30)
    taken = take_snapshots(
        as_snapshots(rows, [], outcome=True),
        horizon_days=90,
        first_days=30,
        as_of=date(2024, 2, 15),
        most=1000,
    )
    cells = divide(taken, grid)
    assert set(cells.interval) == {0}
    assert cells.trials.sum() == 200
    assert cells.events.sum() == (rows["event"] & (rows["days_after"] <= 30)).sum()


def test_an_account_lost_within_an_interval_counts_in_part():
    rows = make_snapshots(3, days_after=[45, 90, 12], event=[False, False, True])
    taken = take_snapshots(
        as_snapshots(rows, [], outcome=True),
        horizon_days=90,
        first_days=30,
        as_of=date(2024, 6, 30),
        most=10,
    )
    cells = divide(taken, horizon_grid(90, 30))
    assert cells.trials.tolist() == [1, 0.5, 1, 1, 1, 1]
    assert cells.events.tolist() == [0, 0, 0, 0, 0, 1]


def test_a_horizon_that_does_not_come_out_even_ends_in_a_shorter_interval():
    grid = horizon_grid(75, 30)
    assert grid.starts.tolist() == [0, 30, 60]
    assert grid.ends.tolist() == [30, 60, 75]
    with pytest.raises(InputError, match="1 or more"):
        horizon_grid(0, 30)


@pytest.mark.slow
def test_lost_accounts_do_not_bias_the_risk():
    world = make_world(11, accounts=1200, lost=0.05)
    model = fit_risk(world.snapshots, features=FEATURES)
    row = segment_risk(model, world.now).iloc[0]
    assert row["ci_low"] < world.chance(world.now).mean() < row["ci_high"]


# --- rows in memory ------------------------------------------------------------------------------


def test_a_sample_is_bounded_weighted_and_near_the_whole(world, model):
    few = fit_risk(world.snapshots, features=FEATURES, tuning=Tuning(most_rows=3000))
    assert few.n == model.n > 3000
    assert "snapshots that churned" in few.notes[-1]
    both = [segment_risk(m, world.now).iloc[0] for m in (few, model)]
    assert both[0]["ci_low"] < both[1]["risk"] < both[0]["ci_high"]
    taken = take_snapshots(
        as_snapshots(world.snapshots, FEATURES, outcome=True),
        horizon_days=90,
        first_days=30,
        as_of=None,
        most=3000,
    )
    assert len(taken.rows) <= 3000
    gone = taken.rows["event"] & (taken.rows["days_after"] <= 90)
    assert (taken.weight[gone] == 1).all()
    assert taken.weight.sum() == pytest.approx(model.n)


def test_a_sample_does_not_depend_on_the_order_of_rows(world):
    tuning = Tuning(most_rows=1000)  # fewer than twice the churn, so that this is sampled too
    mixed = world.snapshots.sample(frac=1, random_state=1)
    one, two = (fit_risk(t, features=FEATURES, tuning=tuning) for t in (world.snapshots, mixed))
    assert one.coefficients == pytest.approx(two.coefficients, rel=1e-9)


# --- edges ---------------------------------------------------------------------------------------


def test_nobody_churned_is_unclear():
    rows = make_snapshots(event=False, days_after=90, x=np.arange(400.0))
    model = fit_risk(rows, features=["x"])
    assert (model.status, model.reason) == (
        "unclear",
        "no account churned within 90 days of a cut-off",
    )
    scores = score(model, rows)
    assert scores.table["risk"].isna().all()
    assert scores.reason == model.reason
    assert segment_risk(model, rows)["status"].eq("unclear").all()


def test_everybody_churned_is_finite():
    rows = make_snapshots(event=True, days_after=np.arange(400) % 90 + 1)
    table = score(fit_risk(rows, features=[]), rows).table
    assert table["risk"].between(0.9, 1).all()
    assert table[["ci_low", "ci_high"]].notna().all(axis=None)


@pytest.mark.parametrize("event", [True, False])
def test_one_account_is_unclear(event):
    rows = make_snapshots(1, event=event, days_after=20 if event else 90, x=1.0, y="a")
    model = fit_risk(rows, features=["x", "y"])
    assert model.status == "unclear"
    assert len(score(model, rows).table) == 1


def test_no_rows_is_unclear():
    rows = make_snapshots(5, x=1.0).iloc[:0]
    model = fit_risk(rows, features=["x"])
    assert (model.n, model.accounts, model.status) == (0, 0, "unclear")
    assert len(score(model, rows).table) == 0
    assert score(model, make_snapshots(5, x=1.0)).table["risk"].isna().all()
    assert segment_risk(model, rows)["n"].tolist() == [0]


def test_few_churned_accounts_are_unclear_but_scored():
    rows = make_snapshots(100, rate=0.1, x=np.random.default_rng(0).normal(size=100))
    model = fit_risk(rows, features=["x"])
    assert "accounts churned within 90 days" in model.reason
    assert score(model, rows).table["risk"].notna().all()


def test_a_horizon_never_watched_to_its_end_is_unclear():
    rows = make_snapshots(400, rate=0.5)
    rows["event"] &= rows["days_after"] <= 30
    rows["days_after"] = rows["days_after"].where(rows["event"], 65)
    model = fit_risk(rows, features=[], horizon_days=180)
    assert model.reason == "no cut-off was watched for all 180 days"
    assert score(model, rows).table[["risk", "ci_low", "ci_high"]].isna().all(axis=None)
    assert any("never watched" in note for note in model.notes)


def test_constant_missing_and_following_features_are_left_out_and_named():
    rng = np.random.default_rng(5)
    x = rng.normal(size=400)
    rows = make_snapshots(
        x=x,
        twice=2 * x + 1,
        constant=7.0,
        nothing=np.full(400, np.nan),
        nobody=[None] * 400,
        same="only",
    )
    rows["known"] = np.where(rng.random(400) < 0.5, 3.0, np.nan)
    features = ["x", "twice", "constant", "nothing", "nobody", "same", "known"]
    model = fit_risk(rows, features=features)
    assert [t.feature for t in model.terms] == ["age_days", "x", "known"]
    assert "twice follows from x in these rows: left out" in model.notes
    assert "constant is 7 wherever it is known: left out" in model.notes
    assert "nothing is missing in all rows: left out" in model.notes
    assert "same has no two levels that 20 accounts had: left out" in model.notes
    assert any(n.startswith("known is 3 wherever it is known, so that only") for n in model.notes)
    scores = score(model, rows.drop(columns=["twice", "constant", "nothing", "nobody", "same"]))
    assert scores.table["risk"].between(0, 1).all()
    assert scores.features == ("age_days", "x", "known")


def test_features_that_follow_from_several_are_named_with_three_of_them():
    rng = np.random.default_rng(12)
    flags = {f"f{j}": (rng.random(400) < 0.3).astype(float) for j in range(5)}
    x = rng.normal(size=400)
    rows = make_snapshots(**flags, total=sum(flags.values()), x=x, bent=np.abs(x))
    model = fit_risk(rows, features=[*flags, "total", "x", "bent"], tuning=Tuning(knots=2))
    assert "total follows from f0, f1, f2 and 2 more in these rows: left out" in model.notes
    assert "total" not in [t.feature for t in model.terms]
    curved = fit_risk(rows, features=[*flags, "total"])
    assert (
        "part of total follows from f0, f1, f2 and 2 more in these rows: left out" in curved.notes
    )
    assert "total" in [t.feature for t in curved.terms]


def test_all_features_missing_leaves_tenure():
    rows = make_snapshots(a=np.nan, b=[None] * 400)
    model = fit_risk(rows, features=["a", "b"])
    assert [t.feature for t in model.terms] == ["age_days"]
    assert score(model, rows).table["risk"].notna().all()


def test_rare_levels_are_merged_and_unseen_ones_are_average():
    rng = np.random.default_rng(6)
    plan = rng.choice(["basic", "pro"], 400).astype(object)
    plan[:30] = [f"special {i % 6}" for i in range(30)]
    plan[30:60] = None
    rows = make_snapshots(plan=plan)
    model = fit_risk(rows, features=["plan"])
    assert "plan: 6 levels with fewer than 20 accounts each are merged" in model.notes
    new = rows.head(4).assign(plan=["gold", "special 1", "basic", None])
    scores = score(model, new)
    place = scores.features.index("plan")
    assert scores.contributions[0, place] == 0
    assert (scores.contributions[1:, place] != 0).all()
    assert any("gold in 1 accounts" in note for note in scores.notes)
    few = rows.assign(plan=np.where(np.arange(400) < 5, "odd", "usual"))
    assert "plan has no two levels" in fit_risk(few, features=["plan"]).notes[0]
    few["plan"] = np.where(np.arange(400) < 200, "other", few["plan"])
    few.loc[:4, "plan"] = "odd"
    note = fit_risk(few, features=["plan"]).notes[0]
    assert note == "plan: 1 levels with fewer than 20 accounts count as the average"


def test_a_value_missing_only_now_counts_as_average_and_is_said(world, model):
    scores = score(model, world.now.assign(usage=np.nan))
    assert (scores.contributions[:, scores.features.index("usage")] == 0).all()
    assert any(note.startswith("usage: missing in") for note in scores.notes)


def test_values_far_out_are_held(world, model):
    rows = world.now.head(2).assign(seats=[1e3, 1e9])
    table = score(model, rows)
    place = table.features.index("seats")
    assert table.contributions[0, place] == table.contributions[1, place]


def test_flags_integers_and_nullable_columns_are_numbers():
    rng = np.random.default_rng(8)
    rows = make_snapshots(
        flag=rng.random(400) < 0.5, count=rng.integers(0, 9, 400), mrr=rng.normal(size=400)
    )
    model = fit_risk(rows, features=["flag", "count", "mrr_minor"])
    assert {t.kind for t in model.terms} == {"number"}
    table = score(model, rows.astype({"flag": "boolean", "count": "Int64"})).table
    assert table["risk"].to_numpy() == pytest.approx(score(model, rows).table["risk"].to_numpy())


@pytest.mark.slow
def test_shrinkage_leaves_no_signal_at_the_base_rate():
    rng = np.random.default_rng(9)
    rows = make_snapshots(1500, **{f"x{j}": rng.normal(size=1500) for j in range(20)})
    features = [f"x{j}" for j in range(20)]
    table = score(fit_risk(rows, features=features), rows).table
    wild = score(fit_risk(rows, features=features, tuning=Tuning(shrink=False)), rows).table
    assert table["risk"].std() < 0.25 * wild["risk"].std()


# --- faults --------------------------------------------------------------------------------------


def test_faults_are_listed_together():
    rows = make_snapshots(10, when=FIRST).drop(columns="age_days")
    with pytest.raises(InputError) as fault:
        fit_risk(rows, features=["when", "gone", "event", "gone"])
    assert "column age_days is missing" in str(fault.value)
    assert "gone named twice" in str(fault.value)
    assert "feature gone is missing" in str(fault.value)
    assert "event is no feature" in str(fault.value)
    assert "when is" in str(fault.value)


def test_rows_at_fault_are_counted():
    rows = make_snapshots(10)
    rows["age_days"] = rows["age_days"].astype("Int64")
    rows.loc[0, "age_days"] = None
    rows.loc[1:2, "days_after"] = -3
    rows.loc[3, "account_id"] = None
    with pytest.raises(InputError) as fault:
        fit_risk(rows, features=[])
    assert "age_days is missing in 1 rows" in str(fault.value)
    assert "days_after is negative in 2 rows" in str(fault.value)
    assert "account_id is missing in 1 rows" in str(fault.value)
    with pytest.raises(InputError, match="1 rows repeat an account"):
        fit_risk(pd.concat([make_snapshots(5), make_snapshots(5).head(1)]), features=[])


def test_scoring_names_what_is_missing_or_of_another_kind(world, model):
    with pytest.raises(InputError, match=r"column plan is missing"):
        score(model, world.now.drop(columns="plan"))
    with pytest.raises(InputError, match="usage was a number"):
        score(model, world.now.assign(usage="much"))
    bad = world.now.assign(age_days=-1)
    bad.loc[0, "cutoff_on"] = None
    with pytest.raises(InputError) as fault:
        score(model, bad)
    assert len(fault.value.faults) == 2
