"""Effects of covariates: published figures, counts, levels without churn, bands of age, edges."""

import sys
from itertools import pairwise

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines.datasets import load_rossi
from statsmodels.duration.hazard_regression import PHReg
from stored import stored

from csa.analysis.churn.effects import Covariate, effects
from csa.errors import InputError
from csa.methods.cox import fit_cox
from csa.methods.cox.risk import follow_up


def simulated(seed=0, *, n=2000, late=True, change=0.0, scale=400):
    """Accounts with a plan, a flag and seats; the effect of pro falls by `change` at 100 days."""
    rng = np.random.default_rng(seed)
    plan = rng.choice(["basic", "pro", "team"], n, p=[0.5, 0.3, 0.2])
    flag, seats = rng.random(n) < 0.4, rng.integers(1, 30, n)
    fixed = 0.4 * flag - 0.02 * seats + 0.5 * (plan == "team")
    early = np.exp(fixed + 0.7 * (plan == "pro")) / scale
    later = np.exp(fixed + (0.7 - change) * (plan == "pro")) / scale
    own = rng.exponential(size=n)
    life = np.where(own < early * 100, own / early, 100 + (own - early * 100) / later)
    life, cut = np.ceil(life).astype(int), rng.integers(30, 900, n)
    entry = np.where(rng.random(n) < 0.3, rng.integers(1, 300, n), 0) * late
    frame = pd.DataFrame(
        {
            "account_id": [f"a{i}" for i in range(n)],
            "entry_days": entry,
            "exit_days": np.minimum(life, cut),
            "event": life <= cut,
            "plan": plan,
            "trial": flag,
            "seats": seats,
        }
    )
    return frame[frame["exit_days"] > frame["entry_days"]].reset_index(drop=True)


def row_of(table, term, level=None):
    rows = table[table["term"] == term]
    return (rows if level is None else rows[rows["level"] == level]).iloc[0]


def telco():
    raw = pd.read_csv(stored("CSA_DATA", "telco", "ibm_telco_customer_churn.csv"))
    raw = raw.rename(columns={"tenure": "exit_days", "customerID": "account_id"})
    return raw.assign(entry_days=0, event=raw["Churn"] == "Yes")


TELCO = [
    *("SeniorCitizen", "Partner", "Dependents", "Contract"),
    Covariate(name="PaperlessBilling", reference="No"),
    Covariate(name="PaymentMethod", reference="Bank transfer (automatic)"),
    Covariate(name="InternetService", reference="DSL"),
    "MonthlyCharges",
]


# --- published figures ---------------------------------------------------------------------------


def test_effects_of_telco_match_r():
    """R coxph and cox.zph with eight terms, window ignored as published: 9 and 6 decimals."""
    result = effects(telco(), covariates=TELCO)
    table = result.table[result.table["level"] != result.table["reference"]]
    printed = [-0.083338151, -0.549987678, -0.074713765, -1.719133652, -3.417764564, 0.181286841]
    printed += [-0.072067930, 0.668546302, 0.631996776, 1.467030735, -1.229003576, -0.030562004]
    assert table["estimate"].tolist() == pytest.approx(printed, abs=5e-10)
    fiber = row_of(table, "InternetService", "Fiber optic")
    ratios = [fiber["hazard_ratio"], fiber["ci_low"], fiber["ci_high"]]
    assert ratios == pytest.approx([4.33634026, 3.55780691, 5.28523535], abs=5e-9)
    assert (fiber["n"], fiber["events"]) == (3096, 1297)
    tests = result.tests.set_index("term")
    assert tests.loc["all", "chi2"] == pytest.approx(3245.24, abs=5e-3)
    assert tests.loc["all", "ph_chi2"] == pytest.approx(254.336765, abs=1e-6)
    zph = [89.758636, 48.820618, 104.794037]
    found = tests.loc[["Contract", "PaymentMethod", "MonthlyCharges"], "ph_chi2"]
    assert found.tolist() == pytest.approx(zph, abs=1e-6)
    rejected = tests.index[tests["proportional"] == "rejected"].tolist()
    failing = ["Partner", "Contract", "PaymentMethod", "InternetService", "MonthlyCharges"]
    assert rejected == [*failing, "all"]
    assert set(result.bands["term"]) == set(failing)
    assert result.bands_gain.p_value < 1e-30
    assert (result.n, result.events, result.status) == (7043, 1869, "ok")


def test_effects_of_rossi_match_r():
    """R coxph on rossi; the flags of the data are numbers."""
    rossi = load_rossi().rename(columns={"week": "exit_days"})
    rossi = rossi.assign(entry_days=0, event=rossi["arrest"] == 1)
    names = ["fin", "age", "race", "wexp", "mar", "paro", "prio"]
    result = effects(rossi, covariates=[*names[:6], Covariate(name="prio", per=10)])
    estimates = result.table["estimate"].to_numpy()
    assert estimates[:2] == pytest.approx([-0.37942217, -0.05743774], abs=5e-9)
    assert estimates[6] == pytest.approx(10 * 0.09149708, abs=5e-8)
    assert result.table["level"].tolist() == ["per 1"] * 6 + ["per 10"]
    assert (result.table["reference"] == "").all()
    assert (result.table["n"] == 432).all()
    assert result.tests["ph_p_value"].iloc[1] == pytest.approx(0.014518, abs=5e-7)
    # of seven tests one may well be at 0.0145: Holm's rule does not reject it
    assert result.tests["proportional"].iloc[1] == "not rejected"
    assert result.bands.empty


# --- counts --------------------------------------------------------------------------------------


def test_counts_and_single_spells_give_the_same_result():
    spells = simulated()
    covariates = ["plan", "trial", "seats"]
    counted = effects(spells, covariates=covariates)
    single = effects(spells.assign(seats=spells["seats"].astype(float)), covariates=covariates)
    assert counted.fit.likelihood.spells.rows < single.fit.likelihood.spells.rows == len(spells)
    pd.testing.assert_frame_equal(counted.table, single.table, rtol=1e-9)
    pd.testing.assert_frame_equal(counted.tests, single.tests, rtol=1e-6)
    assert counted.entered_late == single.entered_late == int((spells["entry_days"] > 0).sum())


def test_a_table_in_the_engine_is_as_good_as_a_frame_and_stays_as_it_is():
    spells = simulated(n=500)
    before = spells.copy()
    connection = ibis.duckdb.connect()
    table = connection.create_table("spells", spells)
    one = effects(table, covariates=["plan", "seats"])
    other = effects(spells, covariates=["plan", "seats"])
    pd.testing.assert_frame_equal(one.table, other.table, rtol=1e-9)
    pd.testing.assert_frame_equal(spells, before)


@pytest.mark.slow
@settings(deadline=None, max_examples=10)
@given(st.integers(0, 10**6))
def test_order_index_and_further_columns_do_not_matter(seed):
    spells = simulated(seed, n=150)
    other = spells.sample(frac=1, random_state=seed % 1000).assign(more=1.0)
    one = effects(spells, covariates=["plan", "trial"])
    two = effects(other, covariates=["plan", "trial"])
    pd.testing.assert_frame_equal(one.table, two.table, rtol=1e-6)
    known = one.table.dropna(subset="ci_low")
    assert (known["ci_low"] <= known["hazard_ratio"]).all()
    assert (known["hazard_ratio"] <= known["ci_high"]).all()


def test_strata_are_those_of_the_regression():
    spells = simulated()
    result = effects(spells, covariates=["seats"], strata=["plan", "trial"])
    code = spells.groupby(["plan", "trial"]).ngroup()
    follow = follow_up(
        spells["exit_days"], spells["event"], entry=spells["entry_days"], strata=code
    )
    fit = fit_cox(spells[["seats"]], follow)
    assert result.table["estimate"].tolist() == pytest.approx(fit.effects, rel=1e-9)


def test_accounts_that_return_have_robust_errors_of_their_own():
    spells = simulated(n=600)
    again = spells.sample(100, random_state=1).assign(spell=2)
    both = pd.concat([spells.assign(spell=1), again], ignore_index=True)
    result = effects(both, covariates=["plan", "trial"])
    assert result.robust
    assert result.fit.clusters == 100
    x = np.column_stack([both["plan"] == "pro", both["plan"] == "team", both["trial"]])
    follow = follow_up(both["exit_days"], both["event"], entry=both["entry_days"])
    account = pd.factorize(both["account_id"])[0]
    fit = fit_cox(x, follow, clusters=account)
    found = result.table["std_error"].dropna().tolist()
    assert found == pytest.approx(fit.std_error.tolist(), rel=1e-8)
    without = effects(both.drop(columns="spell"), covariates=["plan", "trial"])
    assert without.table["std_error"].dropna().tolist() == pytest.approx(found)
    assert not effects(both, covariates=["plan"], robust=False).robust
    assert not effects(spells.assign(spell=1), covariates=["plan"]).robust
    asked = effects(spells, covariates=["plan"], robust=True)
    assert asked.robust
    assert asked.fit.clusters == 0


# --- levels, references, missing values ----------------------------------------------------------


def test_reference_is_the_largest_level_no_of_flags_and_can_be_chosen():
    spells = simulated()
    table = effects(spells, covariates=["plan", "trial"]).table
    assert table["reference"].tolist() == ["basic"] * 3 + ["no"] * 2
    assert table["level"].tolist() == ["basic", "pro", "team", "no", "yes"]
    assert table["hazard_ratio"].iloc[[0, 3]].tolist() == [1, 1]
    assert table["ci_low"].isna().tolist() == [True, False, False, True, False]
    assert table["n"].iloc[:3].sum() == table["n"].iloc[3:].sum() == len(spells)
    against = effects(spells, covariates=[Covariate(name="plan", reference="team"), "trial"]).table
    assert against["level"].tolist()[:3] == ["team", "basic", "pro"]
    turned = row_of(against, "plan", "basic")["estimate"]
    assert turned == pytest.approx(-row_of(table, "plan", "team")["estimate"], rel=1e-8)


def test_missing_text_is_a_level_and_missing_numbers_are_left_out_and_counted():
    spells = simulated()
    spells.loc[:99, "plan"] = None
    spells["price"] = np.where(np.arange(len(spells)) % 10 == 0, np.nan, spells["seats"] * 1.5)
    result = effects(spells, covariates=["plan", "price"])
    missing = int(spells["price"].isna().sum())
    assert result.left_out.to_dict("records") == [
        {"term": "price", "n": missing, "reason": "the number is missing"}
    ]
    assert result.n == len(spells) - missing
    assert row_of(result.table, "plan", "not stated")["n"] == 90
    assert result.status == "ok"
    spells.loc[:900, "price"] = np.nan
    many = effects(spells, covariates=["plan", "price"])
    assert many.status == "unclear"
    assert "spells lack a number and are left out" in many.reason


def test_a_level_in_which_nobody_left_has_an_upper_limit():
    """The estimate is the limit of ever smaller ratios; the limit of the interval is Poisson's."""
    spells = simulated()
    spells["event"] &= spells["plan"] != "team"
    result = effects(spells, covariates=["plan", "seats"])
    row = row_of(result.table, "plan", "team")
    assert (row["hazard_ratio"], row["ci_low"], row["status"]) == (0, 0, "unclear")
    assert "nobody left of" in row["reason"]
    x = np.column_stack([spells["plan"] == "pro", spells["seats"], spells["plan"] == "team"])
    follow = follow_up(spells["exit_days"], spells["event"], entry=spells["entry_days"])
    offset = PHReg(
        spells["exit_days"],
        x[:, :2],
        status=spells["event"],
        entry=spells["entry_days"] + 0.5 * (spells["entry_days"] > 0),
        offset=np.where(x[:, 2], -60.0, 0.0),
        ties="efron",
    ).fit(disp=0)
    known = result.table.dropna(subset="std_error")
    assert known["estimate"].tolist() == pytest.approx(offset.params.tolist(), rel=1e-6)
    assert follow.events == result.events
    # so many left that the limit is far below 1, and it is 3.689 by those expected
    expected = -np.log(0.025) / row["ci_high"]
    assert f"{expected:,.1f} were expected at the hazard of basic" in row["reason"]
    again = simulated()
    observed = int((again["event"] & (again["plan"] == "team")).sum()) / np.exp(0.5)
    assert expected == pytest.approx(observed, rel=0.2)


def test_a_reference_in_which_nobody_left_is_replaced():
    spells = simulated()
    spells["event"] &= (spells["plan"] != "basic") & spells["trial"]
    table = effects(spells, covariates=[Covariate(name="plan", reference="basic"), "trial"]).table
    assert table["reference"].tolist() == ["pro"] * 3 + ["yes"] * 2
    assert row_of(table, "plan", "basic")["hazard_ratio"] == 0
    assert row_of(table, "trial", "no")["hazard_ratio"] == 0


def test_columns_that_follow_from_others_are_named_and_the_rest_is_estimated():
    spells = simulated()
    spells["tier"] = spells["plan"].map({"basic": "low", "pro": "high", "team": "high"})
    spells["users"] = spells["seats"] * 2.0
    spells["currency"], spells["version"] = "EUR", 3
    names = ["plan", "seats", "tier", "users", "currency", "version"]
    table = effects(spells, covariates=names).table
    plain = effects(spells, covariates=["plan", "seats"]).table
    pd.testing.assert_frame_equal(table.iloc[:4], plain, rtol=1e-8)
    reasons = table.set_index("term")["reason"].iloc[4:]
    assert "tier high follows from plan pro and plan team" in reasons["tier"].tolist()
    assert reasons["users"] == "users follows from seats"
    assert reasons["currency"] == "all spells are EUR: nothing to compare"
    assert reasons["version"] == "version is 3 in every row"
    unclear = table["status"] == "unclear"
    assert table.loc[unclear, "term"].tolist() == ["tier", "users", "currency", "version"]
    assert table.loc[unclear, ["estimate", "ci_low"]].isna().all(axis=None)


def test_a_number_that_orders_who_leaves_is_left_out():
    spells = simulated(n=300, late=False)
    spells["rank"] = -spells["exit_days"].astype(float)
    spells = spells.assign(event=True)
    result = effects(spells, covariates=["rank", "plan"])
    row = row_of(result.table, "rank")
    assert "grows without end" in row["reason"]
    assert np.isnan(row["hazard_ratio"])
    assert np.isfinite(row_of(result.table, "plan", "pro")["ci_high"])


# --- effects that change with age ----------------------------------------------------------------


def test_an_effect_that_lasts_has_no_bands():
    result = effects(simulated(3), covariates=["plan", "seats"])
    assert (result.tests["proportional"] == "not rejected").all()
    assert result.bands.empty
    assert np.isnan(result.bands_gain.p_value)


def test_bands_show_an_effect_that_changes_and_hold_the_truth():
    spells = simulated(1, n=12_000, change=1.0)
    result = effects(spells, covariates=["plan", "seats"], bands_days=[100])
    assert result.tests["proportional"].tolist() == ["rejected", "not rejected", "rejected"]
    assert result.bands["term"].unique().tolist() == ["plan"]
    pro = result.bands[result.bands["level"] == "pro"]
    assert pro["from_days"].tolist() == [0, 100]
    assert pro["to_days"].iloc[0] == 100
    assert np.isnan(pro["to_days"].iloc[1])
    truth = np.exp([0.7, -0.3])
    assert (pro["ci_low"] < truth).all()
    assert (truth < pro["ci_high"]).all()
    late = (spells["plan"] == "pro") & (spells["exit_days"] > 100)
    assert pro["n"].iloc[1] == late.sum()
    assert pro["events"].sum() == (spells["event"] & (spells["plan"] == "pro")).sum()
    assert result.bands_gain.df == 2
    assert result.bands_gain.p_value < 1e-6


def test_bands_are_the_regression_on_spells_that_are_cut():
    spells = simulated(2, n=1500, change=1.5)
    result = effects(spells, covariates=["plan", "seats"], bands_days=[60, 200])
    assert set(result.bands["term"]) == {"plan"}
    pieces = []
    for k, (start, end) in enumerate(pairwise([0, 60, 200, 10**6])):
        part = spells[(spells["exit_days"] > start) & (spells["entry_days"] < end)]
        pieces.append(
            part.assign(
                band=k,
                entry_days=part["entry_days"].clip(lower=start),
                event=part["event"] & (part["exit_days"] <= end),
                exit_days=part["exit_days"].clip(upper=end),
            )
        )
    cut = pd.concat(pieces)
    x = [(cut["plan"] == p) & (cut["band"] == k) for p in ("pro", "team") for k in range(3)]
    x = np.column_stack([*x, cut["seats"]]).astype(float)
    follow = follow_up(cut["exit_days"], cut["event"], entry=cut["entry_days"])
    fit = fit_cox(x, follow)
    assert result.bands["estimate"].tolist() == pytest.approx(fit.effects[:6].tolist(), rel=1e-8)
    assert result.bands["std_error"].tolist() == pytest.approx(fit.std_error[:6].tolist(), rel=1e-6)
    gain = 2 * (fit.log_likelihood - result.fit.log_likelihood)
    assert result.bands_gain.statistic == pytest.approx(gain, rel=1e-8)
    assert result.bands_gain.df == 4


def test_a_level_without_churn_in_a_band_has_an_upper_limit_there():
    spells = simulated(2, n=3000, change=1.5)
    spells["event"] &= (spells["plan"] != "pro") | (spells["exit_days"] < 100)
    result = effects(spells, covariates=["plan", "seats"], bands_days=[100])
    pro = result.bands[result.bands["level"] == "pro"].iloc[1]
    assert (pro["hazard_ratio"], pro["ci_low"], pro["events"]) == (0, 0, 0)
    assert 0 < pro["ci_high"] < 0.1
    assert pro["status"] == "unclear"
    team = result.bands[result.bands["level"] == "team"]
    assert np.isfinite(team["ci_high"]).all()
    assert result.bands_gain.df == 2


def test_bands_that_leave_nothing_to_compare_with_are_joined():
    spells = simulated(2, n=3000, change=1.5)
    spells["event"] &= (spells["plan"] != "basic") | (spells["exit_days"] > 100)
    joined = effects(spells, covariates=["plan"], bands_days=[50, 100, 200])
    assert joined.bands["to_days"].dropna().unique().tolist() == [200]
    none = effects(spells, covariates=["plan"], bands_days=[50])
    assert none.bands.empty
    assert none.bands_reason == "too few ages with events to cut into bands"


def test_too_many_pieces_are_not_cut(monkeypatch):
    monkeypatch.setattr(sys.modules["csa.analysis.churn.effects.bands"], "MOST_CELLS", 100)
    result = effects(simulated(1, n=12_000, change=1.0), covariates=["plan"])
    assert result.bands.empty
    assert "bin the covariates" in result.bands_reason


# --- edges ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [0, 1, 40])
def test_nobody_left_is_unclear(n):
    result = effects(simulated(n=100).iloc[:n].assign(event=False), covariates=["plan", "seats"])
    assert (result.n, result.events, result.status, result.fit) == (n, 0, "unclear", None)
    expected = f"nobody left of {n} spells" if n else "no account under observation"
    assert result.reason == expected
    assert result.table.empty


def test_one_spell_cannot_be_compared():
    result = effects(simulated(n=100).iloc[:1].assign(event=True), covariates=["plan", "seats"])
    assert (result.status, result.reason) == ("unclear", "no covariate can be compared")
    assert (result.table["status"] == "unclear").all()


def test_everybody_leaving_is_fine():
    result = effects(simulated().assign(event=True), covariates=["plan", "seats"])
    assert result.status == "ok"
    assert np.isfinite(result.table["estimate"]).all()


def test_few_events_are_unclear():
    spells = simulated(n=300)
    events = spells.index[spells["event"]][25:]
    spells.loc[events, "event"] = False
    result = effects(spells, covariates=["plan", "seats"])
    assert result.status == "unclear"
    assert result.reason == "25 events for 3 effects, fewer than 10 each"
    few = row_of(result.table, "plan", "team")
    assert (few["status"], few["reason"]) == ("unclear", f"only {few['events']} events")
    assert np.isfinite(few["ci_high"])


def test_spells_never_seen_are_counted_apart():
    spells = simulated()
    unseen = spells.head(5).assign(entry_days=400, exit_days=[400, 10, 3, 400, 20])
    unseen["account_id"] += " of old"
    result = effects(pd.concat([spells, unseen]), covariates=["plan"])
    assert (result.never_seen, result.n) == (5, len(spells))
    pd.testing.assert_frame_equal(result.table, effects(spells, covariates=["plan"]).table)


@pytest.mark.parametrize(
    ("change", "options", "fault"),
    [
        ({}, {"covariates": []}, "covariates: none given"),
        ({}, {"covariates": ["tier"]}, "spells: column tier is missing; join the attribute"),
        ({}, {"covariates": ["exit_days"]}, "exit_days is the outcome itself"),
        ({"cause": "paused"}, {"covariates": ["cause"]}, "is known only when the spell has ended"),
        ({"mrr_minor": 5}, {"covariates": ["mrr_minor"]}, "join the amount at its start"),
        ({}, {"covariates": ["plan", "plan"]}, "plan stands twice"),
        ({}, {"covariates": ["plan"], "strata": ["plan"]}, "plan stands twice"),
        ({}, {"covariates": ["plan"], "strata": ["seats"]}, "strata: seats is int64"),
        ({"on": pd.Timestamp("2024-01-01")}, {"covariates": ["on"]}, "give text, a flag"),
        ({}, {"covariates": [Covariate(name="seats", reference="3")]}, "has no reference"),
        ({}, {"covariates": [Covariate(name="plan", per=2)]}, "is no number"),
        ({}, {"covariates": [Covariate(name="seats", per=0)]}, "is no step"),
        ({}, {"covariates": [Covariate(name="plan", reference="pr")]}, "has no level pr; it has"),
        ({}, {"covariates": ["account_id"]}, "values; bin it into at most 100 classes"),
        ({"event": None}, {"covariates": ["plan"]}, "event is missing in"),
        ({"exit_days": -1}, {"covariates": ["plan"]}, "exit_days is missing or negative in"),
        ({}, {"covariates": ["plan"], "bands_days": [0]}, "bands_days: give ages above 0"),
        ({}, {"covariates": ["plan"], "confidence": 95}, "write 0.95 for 95 %"),
        (
            {"group": "a", "group_known_on": pd.Timestamp("2024-01-01")},
            {"covariates": ["group"]},
            "groups were joined on the way",
        ),
    ],
)  # fmt: skip
def test_effects_refuses(change, options, fault):
    spells = simulated(n=300).assign(**change)
    with pytest.raises(InputError, match=fault):
        effects(spells, **options)


def test_effects_refuses_with_all_faults_at_once():
    spells = simulated(n=50).drop(columns=["exit_days", "account_id"])
    with pytest.raises(InputError) as caught:
        effects(spells, covariates=["tier", "event"], strata=["seats"])
    assert len(caught.value.faults) == 4
    with pytest.raises(InputError, match="robust errors are by account"):
        effects(simulated(n=50).drop(columns="account_id"), covariates=["plan"], robust=True)


@pytest.mark.slow
def test_intervals_hold_the_truth_in_as_many_worlds_as_they_say():
    """Two hundred companies with delayed entry: 95 % within three binomial errors, per effect."""
    truth = {
        ("plan", "pro"): 0.7,
        ("plan", "team"): 0.5,
        ("trial", "yes"): 0.4,
        ("seats", "per 1"): -0.02,
    }
    held = dict.fromkeys(truth, 0)
    for seed in range(200):
        table = effects(simulated(seed, n=1000), covariates=["plan", "trial", "seats"]).table
        for (term, level), effect in truth.items():
            row = row_of(table, term, level)
            held[term, level] += row["ci_low"] < np.exp(effect) < row["ci_high"]
    assert all(abs(k - 190) <= 3 * np.sqrt(200 * 0.05 * 0.95) for k in held.values()), held
