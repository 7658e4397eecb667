"""Discrete-time hazard against the regression on the expanded table, and at the edges."""

import warnings

import ibis
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from csa.analysis.churn.hazards import AgeEffect, discrete_hazard
from csa.analysis.churn.hazards.cells import count_cells
from csa.analysis.churn.hazards.terms import renewal_intervals
from csa.errors import InputError
from csa.methods.splines import natural_spline

LINKS = {"logit": sm.families.links.Logit, "cloglog": sm.families.links.CLogLog}


def make_spells(exit_days, event=1, *, entry_days=0, **columns):
    """Spells with scalars spread over all rows."""
    size = len(exit_days)
    given = {"entry_days": entry_days, "exit_days": exit_days, "event": event, **columns}
    frame = pd.DataFrame({name: np.broadcast_to(x, size) for name, x in given.items()})
    return frame.astype({"entry_days": int, "exit_days": int, "event": bool})


def simulated(seed, *, n=700, scale=1.0, late=True):
    """Spells of three plans, half of them annual, seen late and up to different ages."""
    rng = np.random.default_rng(seed)
    plan, annual = rng.integers(0, 3, n), rng.random(n) < 0.5
    mean = scale * 6 * np.exp(0.3 * plan + 0.5 * annual)
    life = np.ceil(rng.exponential(mean)).astype(int)
    followed = rng.integers(1, int(15 * scale), n)
    entry = np.where(rng.random(n) < 0.4 * late, rng.integers(0, int(6 * scale), n), 0)
    spells = make_spells(
        np.minimum(life, followed),
        life <= followed,
        entry_days=entry,
        plan=np.array(["basic", "plus", "top"], dtype=object)[plan],
        annual=annual,
    )
    return spells[spells["exit_days"] > spells["entry_days"]].reset_index(drop=True)


def expanded(spells, interval_days=1):
    """One row per spell and interval: the table that nobody has to make, with weights."""
    rows = []
    for spell in spells.to_dict("records"):
        last = (spell["exit_days"] - 1) // interval_days
        for i in range(spell["entry_days"] // interval_days, last + 1):
            begin, end = i * interval_days, (i + 1) * interval_days
            gone = spell["event"] and i == last
            until = end if gone else min(end, spell["exit_days"])
            days = until - max(begin, spell["entry_days"])
            rows.append(spell | {"interval": i, "gone": gone, "weight": days / interval_days})
    return pd.DataFrame(rows)


def peer(rows, design, link):
    """Fit of statsmodels on the expanded rows, summed only where a weight is a part."""
    design = design.astype(float)
    counts = rows[["gone", "weight"]].astype(float)
    if (counts["weight"] < 1).any():
        keys = [design[c] for c in design]
        counts = counts.groupby(keys, sort=False).sum()
        design = counts.index.to_frame(index=False)
        counts = counts.reset_index(drop=True)
    outcome = np.column_stack([counts["gone"], counts["weight"] - counts["gone"]])
    family = sm.families.Binomial(link=LINKS[link]())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return sm.GLM(outcome, design, family=family).fit(tol=1e-14, maxiter=300)


def of(result, term, level, phase=""):
    """Row of one coefficient."""
    table = result.coefficients
    rows = table[(table["term"] == term) & (table["level"] == level) & (table["phase"] == phase)]
    assert len(rows) == 1
    return rows.iloc[0]


def covariates_of(rows):
    """Columns of plan and annual against the levels that the model takes as reference."""
    return pd.DataFrame(
        {
            "plus": rows["plan"] == "plus",
            "top": rows["plan"] == "top",
            "annual": rows["annual"],
        }
    )


def with_basic_as_reference(spells):
    """Spells in which "basic" has the most intervals, so that it is the reference."""
    more = spells[spells["plan"] == "basic"]
    return pd.concat([spells, more], ignore_index=True)


# --- the same as the expanded regression ---------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("late", [False, True])
def test_estimates_equal_the_expanded_regression(link, late):
    spells = with_basic_as_reference(simulated(1, late=late))
    result = discrete_hazard(spells, covariates=["plan", "annual"], interval_days=1, link=link)
    rows = expanded(spells)
    ages = pd.get_dummies(rows["interval"], prefix="age")
    other = peer(rows, ages.join(covariates_of(rows)), link)
    for term, level, name in [("plan", "plus", "plus"), ("plan", "top", "top")]:
        assert of(result, term, level)["estimate"] == pytest.approx(other.params[name], abs=1e-8)
    annual = of(result, "annual", "yes")
    assert annual["reference"] == "no"
    assert annual["estimate"] == pytest.approx(other.params["annual"], abs=1e-8)
    assert annual["std_error"] == pytest.approx(other.bse["annual"], rel=1e-7)
    assert annual["p_value"] == pytest.approx(other.pvalues["annual"], rel=1e-5)
    assert annual["ratio"] == pytest.approx(np.exp(other.params["annual"]))
    limits = np.exp(other.conf_int().loc["annual"])
    assert annual[["ci_low", "ci_high"]].tolist() == pytest.approx(limits.tolist())
    assert result.log_likelihood == pytest.approx(other.llf, rel=1e-10)
    assert result.aic == pytest.approx(other.aic, rel=1e-10)
    assert result.person_intervals == len(rows)
    assert result.parameters == len(other.params)
    assert (annual["n"], annual["events"]) == (
        rows["annual"].sum(),
        (rows["annual"] & rows["gone"]).sum(),
    )
    hazards = result.baseline["hazard"].to_numpy()
    assert hazards == pytest.approx(
        other.family.link.inverse(other.params[: len(hazards)].to_numpy()), rel=1e-7
    )
    wald = other.wald_test(np.eye(len(other.params))[[-3, -2]], scalar=True)
    test = result.tests.set_index("term").loc["plan"]
    assert test["chi2"] == pytest.approx(float(wald.statistic), rel=1e-7)
    assert (test["df"], test["p_value"]) == (2, pytest.approx(float(wald.pvalue), rel=1e-6))


@pytest.mark.parametrize("link", LINKS)
def test_partly_observed_intervals_count_by_their_days(link):
    spells = with_basic_as_reference(simulated(2, scale=20, n=1500))
    spells = spells[spells["exit_days"] <= 180]
    result = discrete_hazard(spells, covariates=["plan", "annual"], interval_days=30, link=link)
    rows = expanded(spells, 30)
    assert result.person_intervals == pytest.approx(rows["weight"].sum(), abs=1e-8)
    assert result.baseline["n"].tolist() == pytest.approx(
        rows.groupby("interval")["weight"].sum().tolist()
    )
    ages = pd.get_dummies(rows["interval"], prefix="age")
    other = peer(rows, ages.join(covariates_of(rows)), link)
    for term, level, name in [("plan", "top", "top"), ("annual", "yes", "annual")]:
        row = of(result, term, level)
        assert row["estimate"] == pytest.approx(other.params[name], abs=1e-8)
        assert row["std_error"] == pytest.approx(other.bse[name], rel=1e-7)


@pytest.mark.slow
def test_time_varying_covariates_and_phases_equal_the_expanded_regression():
    """The plan changes at some age for a third of the spells."""
    spells = with_basic_as_reference(simulated(3))
    rng = np.random.default_rng(5)
    cut = np.where(rng.random(len(spells)) < 0.3, rng.integers(1, 9, len(spells)), 0)
    inside = (cut > spells["entry_days"]) & (cut < spells["exit_days"])
    before = spells[inside].assign(exit_days=cut[inside], event=False, plan="basic")
    after = spells.assign(entry_days=np.where(inside, cut, spells["entry_days"]))
    rows_of_spells = pd.concat([before, after], ignore_index=True)
    effect = AgeEffect(varies=["plan"], phases_days=(3,))
    result = discrete_hazard(
        rows_of_spells, covariates=["plan", "annual"], interval_days=1, age=effect
    )
    rows = expanded(rows_of_spells)
    early = rows["interval"] < 3
    terms = covariates_of(rows)
    columns = pd.DataFrame(
        {
            "plus early": terms["plus"] & early,
            "top early": terms["top"] & early,
            "plus later": terms["plus"] & ~early,
            "top later": terms["top"] & ~early,
            "annual": terms["annual"],
        }
    )
    other = peer(rows, pd.get_dummies(rows["interval"], prefix="age").join(columns), "logit")
    later = f"4-{rows['interval'].max() + 1} days"
    for level, phase, name in [("plus", "1-3 days", "plus early"), ("top", later, "top later")]:
        row = of(result, "plan", level, phase)
        assert row["estimate"] == pytest.approx(other.params[name], abs=1e-8)
        assert row["std_error"] == pytest.approx(other.bse[name], rel=1e-7)
    changes = np.zeros((2, len(other.params)))
    changes[[0, 1], [-5, -4]], changes[[0, 1], [-3, -2]] = -1, 1
    wald = other.wald_test(changes, scalar=True)
    test = result.tests[result.tests["question"] == "same effect at all ages"].iloc[0]
    assert (test["term"], test["df"]) == ("plan", 2)
    assert test["chi2"] == pytest.approx(float(wald.statistic), rel=1e-6)


def test_spline_in_age_equals_the_expanded_regression():
    spells = simulated(4)
    result = discrete_hazard(
        spells, covariates=["annual"], interval_days=1, age=AgeEffect(spline_knots=4)
    )
    rows = expanded(spells)
    knots = result.model.terms.knots_days
    columns = pd.DataFrame(natural_spline(rows["interval"] + 0.5, knots)).add_prefix("spline ")
    design = columns.assign(one=1.0, annual=rows["annual"])
    other = peer(rows, design, "logit")
    assert len(knots) == 4
    assert result.parameters == len(other.params) == 5
    assert result.log_likelihood == pytest.approx(other.llf, rel=1e-10)
    assert of(result, "annual", "yes")["estimate"] == pytest.approx(other.params["annual"])
    fitted = pd.Series(np.asarray(other.fittedvalues)[~rows["annual"]])
    by_interval = fitted.groupby(rows.loc[~rows["annual"], "interval"].to_numpy()).first()
    hazards = result.baseline["hazard"].iloc[by_interval.index]
    assert hazards.tolist() == pytest.approx(by_interval.tolist(), rel=1e-6)


def test_renewals_are_a_term_in_time():
    """Contracts of a year end every twelfth interval of 30.4 days; half of them leave then."""
    rng = np.random.default_rng(6)
    n = 4000
    months = np.where(rng.random(n) < 0.5, 12, 1)
    monthly = rng.exponential(900, n)
    yearly = np.where(rng.random(n) < 0.5, 365, 730)
    life = np.ceil(np.where(months == 12, np.minimum(yearly, monthly), monthly)).astype(int)
    followed = rng.integers(100, 740, n)
    spells = make_spells(np.minimum(life, followed), life <= followed, months=months)
    result = discrete_hazard(
        spells, covariates=["months"], interval_days=30, age=AgeEffect(renewal="months")
    )
    rows = expanded(spells, 30)
    due = (rows["months"] == 12) & rows["interval"].isin([12, 24])
    columns = pd.DataFrame({"twelve": rows["months"] == 12, "due": due})
    other = peer(rows, pd.get_dummies(rows["interval"], prefix="age").join(columns), "logit")
    row = of(result, "renewal", "every 12 months")
    assert row["reference"] == "no renewal due"
    assert row["estimate"] == pytest.approx(other.params["due"], abs=1e-7)
    assert row["events"] == (due & rows["gone"]).sum()
    assert row["ratio"] > 10
    assert len(result.coefficients) == 2


# --- cuts, parts and order -----------------------------------------------------------------------


@pytest.mark.slow
@settings(deadline=None, max_examples=12)
@given(st.integers(0, 500), st.integers(1, 40), st.sampled_from(["logit", "cloglog"]))
def test_cutting_rows_and_shuffling_them_changes_nothing(seed, interval_days, link):
    spells = simulated(seed, n=120, scale=20)
    rng = np.random.default_rng(seed)
    cut = rng.integers(spells["entry_days"] + 1, spells["exit_days"] + 1)
    before = spells.assign(exit_days=cut, event=spells["event"] & (cut == spells["exit_days"]))
    after = spells.assign(entry_days=cut)[cut < spells["exit_days"]]
    pieces = pd.concat([before, after]).sample(frac=1, random_state=seed)
    one, other = (
        discrete_hazard(x, covariates=["annual"], interval_days=interval_days, link=link)
        for x in (spells, pieces)
    )
    assert other.person_intervals == pytest.approx(one.person_intervals)
    assert other.log_likelihood == pytest.approx(one.log_likelihood)
    if one.converged:
        assert other.coefficients["estimate"].tolist() == pytest.approx(
            one.coefficients["estimate"].tolist(), abs=1e-7
        )


@pytest.mark.parametrize("kind", ["late entry", "last sight", "window"])
def test_parts_of_intervals_are_unbiased(kind):
    """A constant hazard of 3 % in 30 days; every interval that counts may be seen in part."""
    rng = np.random.default_rng(7)
    n, daily = 400_000, 1 - 0.97 ** (1 / 30)
    life = rng.geometric(daily, n)
    entry, until = np.zeros(n, int), np.full(n, 360)
    if kind == "late entry":
        entry = rng.integers(0, 330, n)
    elif kind == "last sight":
        until = rng.integers(1, 360, n)
    else:  # a month of the calendar, as a file of last month's leavers
        entry = rng.integers(0, 330, n)
        until = entry + 30
    spells = make_spells(np.minimum(life, until), life <= until, entry_days=entry)
    spells = spells[spells["exit_days"] > spells["entry_days"]]
    result = discrete_hazard(
        spells, interval_days=30, link="cloglog", age=AgeEffect(spline_knots=2)
    )
    hazard = result.events / result.person_intervals
    error = hazard / np.sqrt(result.events)
    assert hazard == pytest.approx(0.03, abs=2.5 * error)


def test_when_within_whole_intervals_accounts_leave_does_not_matter():
    early = make_spells([31] * 30 + [60] * 70, [1] * 30 + [0] * 70)
    late = make_spells([60] * 30 + [60] * 70, [1] * 30 + [0] * 70)
    for spells in (early, late):
        result = discrete_hazard(pd.concat([spells, make_spells([5])]), interval_days=30)
        assert result.baseline["hazard"].iloc[1] == pytest.approx(0.3)


def test_doubling_the_rows_halves_the_variance():
    spells = simulated(8)
    one = discrete_hazard(spells, covariates=["plan"], interval_days=1)
    two = discrete_hazard(pd.concat([spells, spells]), covariates=["plan"], interval_days=1)
    assert two.coefficients["estimate"].tolist() == pytest.approx(
        one.coefficients["estimate"].tolist(), abs=1e-9
    )
    assert (two.coefficients["std_error"] * np.sqrt(2)).tolist() == pytest.approx(
        one.coefficients["std_error"].tolist()
    )


def test_tables_of_the_engine_and_frames_are_the_same_and_unchanged():
    spells = simulated(9).assign(unused=1.5)
    kept = spells.copy()
    engine = ibis.duckdb.connect()
    one = discrete_hazard(spells, covariates=["plan"], interval_days=3)
    other = discrete_hazard(engine.create_table("s", spells), covariates=["plan"], interval_days=3)
    pd.testing.assert_frame_equal(one.coefficients, other.coefficients)
    pd.testing.assert_frame_equal(spells, kept)


def test_cloglog_gives_the_same_ratio_for_any_interval():
    """True hazard ratio 2; odds ratios of longer intervals move away from it."""
    rng = np.random.default_rng(10)
    group = rng.integers(0, 2, 60_000)
    life = np.ceil(rng.exponential(200 / (1 + group))).astype(int)
    spells = make_spells(np.minimum(life, 360), life <= 360, fast=group)
    for days in (10, 90):
        result = discrete_hazard(spells, covariates=["fast"], interval_days=days, link="cloglog")
        assert result.coefficients["ratio"].iloc[0] == pytest.approx(2, abs=0.06)
        assert result.ratio_kind == "hazard ratio"
    odds = discrete_hazard(spells, covariates=["fast"], interval_days=90)
    assert odds.coefficients["ratio"].iloc[0] > 2.3
    assert odds.ratio_kind == "odds ratio"


# --- edges ---------------------------------------------------------------------------------------


def test_intervals_without_events_share_the_next_estimate():
    spells = make_spells([5, 25, 25, 50, 50, 50], [1, 1, 0, 1, 0, 0])
    result = discrete_hazard(spells, interval_days=10)
    assert result.baseline["estimated_over"].tolist() == [
        "1-10",
        "11-30",
        "11-30",
        "31-50",
        "31-50",
    ]
    assert result.baseline["n"].tolist() == [6, 5, 4.5, 3, 3]
    assert result.baseline["hazard"].tolist() == pytest.approx(
        [1 / 6, 1 / 9.5, 1 / 9.5, 1 / 6, 1 / 6]
    )


def test_a_last_interval_without_events_joins_the_one_before():
    spells = make_spells([5, 25, 40, 40], [1, 1, 0, 0])
    result = discrete_hazard(spells, interval_days=10)
    assert result.baseline["estimated_over"].tolist()[-2:] == ["11-40", "11-40"]


@pytest.mark.parametrize(
    ("spells", "reason"),
    [
        (make_spells([]), "no account under observation"),
        (make_spells([5], entry_days=7), "no account under observation"),
        (make_spells([0], 0), "no account under observation"),
        (make_spells([50, 80], 0), "nobody churned in 4 intervals"),
        (make_spells([5, 7]), "all 2 accounts churned in the first interval"),
        (make_spells([5]), "all 1 accounts"),
    ],
)
def test_too_little_is_unclear_with_a_reason(spells, reason):
    result = discrete_hazard(spells, interval_days=30)
    assert result.status == "unclear"
    assert reason in result.reason
    assert result.model is None
    assert result.coefficients.empty
    assert "estimate" in result.coefficients


def test_a_day_without_ages_counts_in_the_first_interval():
    spells = make_spells([0, 0, 30, 30], [1, 0, 0, 0])
    result = discrete_hazard(spells, interval_days=30)
    assert result.person_intervals == 3  # an account seen for no day without event counts nothing
    assert result.baseline["hazard"].tolist() == pytest.approx([1 / 3])


def test_levels_without_churn_are_unclear_and_the_rest_stands():
    spells = simulated(11)
    loyal = make_spells([9] * 40, 0, plan="loyal", annual=True)
    one = discrete_hazard(spells, covariates=["plan"], interval_days=1)
    both = discrete_hazard(pd.concat([spells, loyal]), covariates=["plan"], interval_days=1)
    row = of(both, "plan", "loyal")
    assert (row["status"], row["reason"]) == ("unclear", "nobody left in 360 intervals at risk")
    assert np.isnan(row["estimate"])
    assert both.status == "ok"
    assert "loyal" in both.reason
    rest = both.coefficients[both.coefficients["level"] != "loyal"]
    assert rest["estimate"].tolist() == pytest.approx(
        one.coefficients["estimate"].tolist(), abs=1e-6
    )
    assert both.tests["df"].tolist() == [2]


def test_a_covariate_with_one_value_is_left_out_and_said():
    spells = simulated(12).assign(region="EU")
    result = discrete_hazard(spells, covariates=["region", "annual"], interval_days=1)
    assert result.coefficients["term"].tolist() == ["annual"]
    assert "region has one value only" in result.reason


def test_missing_values_are_a_level_of_their_own():
    spells = simulated(13)
    spells.loc[::5, "plan"] = None
    result = discrete_hazard(spells, covariates=["plan"], interval_days=1)
    assert of(result, "plan", "not stated")["status"] == "ok"


def test_the_same_covariate_twice_over_is_named():
    spells = simulated(14)
    spells["tier"] = spells["plan"].str.upper()
    with pytest.raises(InputError, match=r"tier: .* is a combination of .*plan: "):
        discrete_hazard(spells, covariates=["plan", "tier"], interval_days=1)


def test_unusable_columns_are_named_all_at_once():
    spells = simulated(15).assign(mrr=99.5, code=range(len(simulated(15))), when=pd.Timestamp(0))
    spells.loc[[1, 2], "exit_days"] = -3
    with pytest.raises(InputError) as error:
        discrete_hazard(
            spells.drop(columns="event"), covariates=["mrr", "when", "nothing", "plan", "event"]
        )
    text = str(error.value)
    assert "column event is missing" in text
    assert "column mrr is float64; bin it" in text
    assert "column when is timestamp" in text
    assert "column nothing is missing" in text
    assert "event is an age or the event itself" in text
    with pytest.raises(InputError, match="exit_days is missing or negative in 2 rows"):
        discrete_hazard(spells)
    spells["exit_days"] = spells["exit_days"].abs()
    with pytest.raises(InputError, match=r"column code has .* values; bin it into at most 100"):
        discrete_hazard(spells, covariates=["code"])


def test_missing_ages_and_events_are_counted():
    spells = simulated(16).astype({"entry_days": "Int64", "event": "boolean"})
    spells.loc[[1, 2, 3], "entry_days"] = pd.NA
    spells.loc[[5], "event"] = pd.NA
    with pytest.raises(InputError) as error:
        discrete_hazard(spells)
    assert "entry_days is missing or negative in 3 rows" in str(error.value)
    assert "event is missing in 1 rows" in str(error.value)


def test_too_many_cells_are_refused_with_a_way_out(monkeypatch):
    monkeypatch.setattr("csa.analysis.churn.hazards.cells.MOST_CELLS", 50)
    with pytest.raises(InputError, match=r"6 patterns .* 14 intervals .*plan 3, annual 2"):
        discrete_hazard(simulated(17), covariates=["plan", "annual"], interval_days=1)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"interval_days": 0}, "less than 1"),
        ({"link": "probit"}, "neither"),
        ({"confidence": 95}, "between 0 and 1"),
        ({"age": AgeEffect(spline_knots=1)}, "two or more"),
        ({"age": AgeEffect(varies=["plan"])}, "not a covariate"),
        ({"covariates": ["plan"], "age": AgeEffect(varies=["plan"], phases_days=())}, "phases"),
        ({"age": AgeEffect(renewal="plan")}, "whole months"),
    ],
)
def test_impossible_options_are_refused(given, message):
    with pytest.raises(InputError, match=message):
        discrete_hazard(simulated(18, n=50), **given)


def test_renewals_that_nobody_reaches_are_said():
    spells = simulated(19)
    spells["months"] = pd.array([12, None] * len(spells), dtype="Int64")[: len(spells)]
    result = discrete_hazard(spells, interval_days=1, age=AgeEffect(renewal="months"))
    assert "no renewal by months is under observation" in result.reason


def test_never_seen_spells_are_counted_and_left_out():
    spells = simulated(20)
    unseen = make_spells([3, 4], entry_days=4, plan="basic", annual=False)
    one = discrete_hazard(spells, interval_days=1)
    both = discrete_hazard(pd.concat([spells, unseen]), interval_days=1)
    assert (both.never_seen, both.n) == (2, one.n)
    assert both.log_likelihood == pytest.approx(one.log_likelihood)


def test_levels_in_which_everybody_left_are_unclear():
    """One level goes at once, and a flag divides the rest of another level."""
    spells = pd.concat(
        [
            make_spells([2, 3, 3, 5, 6, 6], [1, 0, 1, 1, 0, 1], plan="basic", flag=False),
            make_spells([1, 1], plan="gone", flag=False),
            make_spells([4, 6], 0, plan="mixed", flag=False),
            make_spells([1, 1, 1], plan="mixed", flag=True),
        ]
    )
    result = discrete_hazard(spells, covariates=["plan", "flag"], interval_days=1)
    assert of(result, "plan", "gone")["reason"] == "all 2 left as soon as they were seen"
    assert of(result, "flag", "yes")["reason"] == "all 3 left as soon as they were seen"
    assert "without exception" in of(result, "plan", "mixed")["reason"]
    assert result.tests["df"].tolist() == [0, 0]
    assert result.tests["chi2"].isna().all()
    assert result.status == "ok"


def test_many_covariates_make_the_patterns_that_are_there():
    rng = np.random.default_rng(21)
    columns = {f"c{i}": rng.integers(0, 20, 300) for i in range(12)}
    spells = make_spells(rng.integers(1, 6, 300), rng.random(300) < 0.5, **columns)
    cells = count_cells(spells, covariates=list(columns), interval_days=1)
    frame = spells[list(columns)]
    assert len(cells.patterns) == len(frame.drop_duplicates())
    assert cells.spells.sum() == 300
    found = {tuple(row) for row in cells.patterns.tolist()}
    assert found == {tuple(row) for row in frame.to_numpy().tolist()}


def test_a_spline_over_one_interval_is_a_constant():
    result = discrete_hazard(
        make_spells([1, 1, 1], [1, 0, 0]), interval_days=1, age=AgeEffect(spline_knots=3)
    )
    assert result.parameters == 1
    assert result.baseline["hazard"].tolist() == pytest.approx([1 / 3])


def test_contracts_without_months_do_not_renew():
    assert not renewal_intervals(0, 30, 40).any()
    assert renewal_intervals(1, 30, 40).all()
    assert np.flatnonzero(renewal_intervals(12, 30, 40)).tolist() == [12, 24, 36]
    assert np.flatnonzero(renewal_intervals(3, 30, 10)).tolist() == [3, 6, 9]
