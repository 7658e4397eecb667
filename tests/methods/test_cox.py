"""Cox regression against R's survival, lifelines, statsmodels, SurPyval and its own definition.

Figures of R are those that R 4.2.2 with survival 3.5-3 prints; tolerances are half a unit of the
last printed digit.
"""

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from lifelines.datasets import (
    load_lung,
    load_rossi,
    load_stanford_heart_transplants,
    load_waltons,
)
from statsmodels.duration.hazard_regression import PHReg
from stored import stored
from surpyval import CoxPH

from csa.errors import InputError
from csa.methods.cox import fit_cox
from csa.methods.cox.baseline import baseline, expected_events, predict_survival
from csa.methods.cox.risk import follow_up

ROSSI = ["fin", "age", "race", "wexp", "mar", "paro", "prio"]


def fit_rossi(**options):
    rossi = load_rossi()
    spells = follow_up(rossi["week"], rossi["arrest"])
    return fit_cox(rossi[ROSSI].to_numpy(), spells, names=ROSSI, **options)


def simulated(seed, *, n=600, late=False, strata=False, counts=False, days=60):
    """Spells with three covariates in whole days, many of them tied."""
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.normal(2020, 2, n), rng.random(n) < 0.4, rng.exponential(1, n)])
    risk = np.exp(x @ [0.2, -0.5, 0.3] - 404)
    life = np.ceil(rng.exponential(days / risk))
    cut = rng.integers(1, 2 * days, n)
    exits, event = np.minimum(life, cut).astype(int), life <= cut
    entry = np.where(rng.random(n) < 0.5, rng.integers(0, days, n), 0) if late else None
    keep = np.ones(n, bool) if entry is None else exits > entry
    given = {
        "entry": None if entry is None else entry[keep],
        "strata": rng.integers(0, 3, n)[keep] if strata else None,
        "count": rng.integers(0, 4, n)[keep] if counts else None,
    }
    return x[keep], exits[keep], event[keep], given


# --- published figures ---------------------------------------------------------------------------


def test_rossi_matches_r():
    """R coxph on rossi, Efron: 8 decimals, log-likelihoods 9, tests as printed."""
    fit = fit_rossi()
    printed = [-0.37942217, -0.05743774, 0.31389979, -0.14979570]
    printed += [-0.43370388, -0.08487108, 0.09149708]
    assert fit.effects == pytest.approx(printed, abs=5e-9)
    errors = [0.19137948, 0.02199947, 0.30799278, 0.21222430, 0.38186806, 0.19575667, 0.02864855]
    assert fit.std_error == pytest.approx(errors, abs=5e-9)
    assert fit.log_likelihood_null == pytest.approx(-675.380632347, abs=5e-10)
    assert fit.log_likelihood == pytest.approx(-658.747659446, abs=5e-10)
    assert fit.likelihood_ratio_test.statistic == pytest.approx(33.27, abs=5e-3)
    assert fit.likelihood_ratio_test.p_value == pytest.approx(2.36e-05, abs=5e-8)
    assert fit.wald_test.statistic == pytest.approx(32.11, abs=5e-3)
    assert fit.wald_test.p_value == pytest.approx(3.87e-05, abs=5e-8)
    assert fit.score_test.statistic == pytest.approx(33.53, abs=5e-3)
    assert (fit.score_test.df, fit.n, fit.events, fit.converged) == (7, 432, 114, True)
    p_values = [0.0474161, 0.0090312, 0.3081180, 0.4802897, 0.2560642, 0.6646124, 0.0014042]
    assert fit.p_values == pytest.approx(p_values, abs=5e-8)


def test_hazard_ratios_of_rossi_match_r():
    """R summary(coxph): exp(coef) and its limits, 7 decimals."""
    ratio, low, high = fit_rossi().hazard_ratios()
    assert ratio[[0, 6]] == pytest.approx([0.6842567, 1.0958136], abs=5e-8)
    assert low[[0, 6]] == pytest.approx([0.4702367, 1.0359791], abs=5e-8)
    assert high[[0, 6]] == pytest.approx([0.9956841, 1.1591039], abs=5e-8)


def test_breslow_of_rossi_matches_r():
    """R coxph(ties = "breslow"): log-likelihoods to 9 decimals, coefficients to 11."""
    fit = fit_rossi(ties="breslow")
    assert fit.log_likelihood_null == pytest.approx(-675.683389417, abs=5e-10)
    assert fit.log_likelihood == pytest.approx(-659.120605677, abs=5e-10)
    printed = [-0.37902188743, -0.05724592504, 0.31412976691, -0.15111460006]
    printed += [-0.43278257376, -0.08498283527, 0.09111154209]
    assert fit.effects == pytest.approx(printed, abs=5e-9)


def test_lung_matches_r():
    """R coxph on lung: sex to 7 decimals; age, sex and ph.ecog to 9, tests as printed."""
    lung = load_lung()
    alone = fit_cox(lung[["sex"]], follow_up(lung["time"], lung["status"] == 1))
    assert alone.effects == pytest.approx([-0.5310235], abs=5e-8)
    assert alone.std_error == pytest.approx([0.1671786], abs=5e-8)
    assert alone.likelihood_ratio_test.statistic == pytest.approx(10.63, abs=5e-3)
    assert alone.wald_test.statistic == pytest.approx(10.09, abs=5e-3)
    assert alone.score_test.statistic == pytest.approx(10.33, abs=5e-3)
    names = ["age", "sex", "ph.ecog"]
    known = lung.dropna(subset=names)
    fit = fit_cox(known[names], follow_up(known["time"], known["status"] == 1))
    assert (fit.n, fit.events) == (227, 164)
    assert fit.effects == pytest.approx([0.011066765, -0.552612396, 0.463728475], abs=5e-10)
    assert fit.std_error == pytest.approx([0.009267411, 0.167739054, 0.113577266], abs=5e-10)


def test_waltons_matches_r():
    """R coxph(Surv(T, E) ~ I(group == "miR-137")): 6 decimals."""
    waltons = load_waltons()
    treated = (waltons["group"] == "miR-137").to_numpy()[:, None]
    fit = fit_cox(treated, follow_up(waltons["T"], waltons["E"]))
    assert fit.effects == pytest.approx([2.052535], abs=5e-7)
    assert fit.std_error == pytest.approx([0.216974], abs=5e-7)
    assert fit.likelihood_ratio_test.statistic == pytest.approx(66.25, abs=5e-3)
    assert fit.score_test.statistic == pytest.approx(117.15, abs=5e-3)


def test_heart_in_start_stop_form_matches_r():
    """R coxph(Surv(start, stop, event) ~ ...) on heart: 8 decimals."""
    heart = load_stanford_heart_transplants()
    spells = follow_up(heart["stop"], heart["event"], entry=heart["start"])
    fit = fit_cox(heart[["age", "year", "surgery", "transplant"]], spells)
    printed = [0.02716664, -0.14634635, -0.63720989, -0.01025077]
    assert fit.effects == pytest.approx(printed, abs=5e-9)
    errors = [0.01371412, 0.07046798, 0.36722600, 0.31375480]
    assert fit.std_error == pytest.approx(errors, abs=5e-9)
    assert fit.log_likelihood_null == pytest.approx(-298.121355673, abs=5e-10)
    assert fit.log_likelihood == pytest.approx(-290.565616218, abs=5e-10)
    assert fit.score_test.statistic == pytest.approx(15.03, abs=5e-3)


def test_left_truncated_fixture_matches_r():
    """R coxph with entry on 6,827 rows, and survival at the means by R and SurPyval, 8 decimals."""
    raw = pd.read_csv(stored("CSA_REFERENCE", "fixtures", "left_truncated_10k.csv"))
    x = raw[[f"x{j}" for j in range(10)]].to_numpy()
    fit = fit_cox(x, follow_up(raw["dur"], raw["ev"], entry=raw["entry"]))
    assert fit.n == 6827
    assert fit.effects[:3] == pytest.approx([0.283811211, -0.188369924, 0.069605454], abs=5e-10)
    assert fit.log_likelihood_null == pytest.approx(-21265.0880, abs=5e-5)
    assert fit.log_likelihood == pytest.approx(-21013.5007, abs=5e-5)
    found = predict_survival(fit, x.mean(axis=0), [100, 365, 1000])
    assert found.value[0] == pytest.approx([0.87948237, 0.64156559, 0.31209569], abs=5e-9)


def telco_design(raw):
    """Eight terms as R codes them: indicators against the level named here."""
    against = {
        "Partner": "No",
        "Dependents": "No",
        "Contract": "Month-to-month",
        "PaperlessBilling": "No",
        "PaymentMethod": "Bank transfer (automatic)",
        "InternetService": "DSL",
    }
    order = ["SeniorCitizen", *against, "MonthlyCharges"]
    parts = {}
    for name in order:
        if name not in against:
            parts[name] = raw[name].astype(float)
            continue
        for level in sorted(set(raw[name]) - {against[name]}):
            parts[name + level] = (raw[name] == level).astype(float)
    return pd.DataFrame(parts)


def test_telco_matches_r():
    """R coxph with eight terms on Telco, window ignored as published: 9 decimals."""
    raw = pd.read_csv(stored("CSA_DATA", "telco", "ibm_telco_customer_churn.csv"))
    x = telco_design(raw)
    fit = fit_cox(x, follow_up(raw["tenure"], raw["Churn"] == "Yes"), names=list(x))
    printed = [-0.083338151, -0.549987678, -0.074713765, -1.719133652, -3.417764564, 0.181286841]
    printed += [-0.072067930, 0.668546302, 0.631996776, 1.467030735, -1.229003576, -0.030562004]
    assert fit.effects == pytest.approx(printed, abs=5e-10)
    assert fit.std_error[[0, 4, 11]] == pytest.approx(
        [0.055981803, 0.163130058, 0.002136139], abs=5e-10
    )
    assert fit.log_likelihood_null == pytest.approx(-15653.0396351, abs=5e-8)
    assert fit.log_likelihood == pytest.approx(-14030.4209905, abs=5e-8)
    assert fit.wald_test.statistic == pytest.approx(1812.51, abs=5e-3)
    assert fit.score_test.statistic == pytest.approx(2927.09, abs=5e-3)


# --- definition and peers ------------------------------------------------------------------------


def log_likelihood(effects, x, exits, event, given, ties):
    """Log partial likelihood as it is defined, one risk set after the other, in long doubles."""
    many = np.ones(len(x), int) if given["count"] is None else given["count"]
    entry = np.zeros(len(x)) if given["entry"] is None else given["entry"]
    strata = np.zeros(len(x)) if given["strata"] is None else given["strata"]
    rows = np.repeat(np.arange(len(x)), many)  # spells written out
    eta = ((x - x.mean(axis=0)) @ effects).astype(np.longdouble)[rows]
    exits, event, entry, strata = exits[rows], event[rows], entry[rows], strata[rows]
    total = np.longdouble(0)
    for s in np.unique(strata):
        for t in np.unique(exits[event & (strata == s)]):
            at_risk = (strata == s) & (exits >= t) & ((entry < t) | (entry <= 0))
            going = (strata == s) & (exits == t) & event
            m = going.sum()
            share = np.arange(m) / m if ties == "efron" else np.zeros(m)
            terms = np.exp(eta[at_risk]).sum() - share * np.exp(eta[going]).sum()
            total += eta[going].sum() - np.log(terms).sum()
    return float(total)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("strata", [False, True])
def test_likelihood_is_its_definition_and_the_fit_its_maximum(ties, late, strata):
    x, exits, event, given = simulated(1, n=250, late=late, strata=strata, counts=True, days=20)
    fit = fit_cox(x, follow_up(exits, event, **given), ties=ties)

    def at(effects):
        return log_likelihood(effects, x, exits, event, given, ties)

    assert fit.log_likelihood == pytest.approx(at(fit.effects), abs=1e-8)
    assert fit.log_likelihood_null == pytest.approx(at(np.zeros(3)), abs=1e-8)
    step = 1e-3 * fit.std_error
    for i in range(3):
        d = np.eye(3)[i] * step[i]
        slope = (at(fit.effects + d) - at(fit.effects - d)) / 2e-3
        bend = -(at(fit.effects + d) - 2 * at(fit.effects) + at(fit.effects - d)) / step[i] ** 2
        assert slope == pytest.approx(0, abs=1e-6)
        assert bend == pytest.approx(np.linalg.inv(fit.covariance)[i, i], rel=1e-5)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_written_out_spells_give_the_same_fit_as_counts(ties):
    x, exits, event, given = simulated(2, late=True, strata=True, counts=True)
    many = given.pop("count")
    spells = follow_up(exits, event, count=many, **given)
    written = {name: np.repeat(values, many) for name, values in given.items()}
    out = follow_up(np.repeat(exits, many), np.repeat(event, many), **written)
    for options in ({}, {"robust": True}):
        fit = fit_cox(x, spells, ties=ties, **options)
        long = fit_cox(np.repeat(x, many, axis=0), out, ties=ties, **options)
        assert (fit.n, fit.events) == (long.n, long.events)
        assert fit.effects == pytest.approx(long.effects, rel=1e-9)
        assert fit.covariance == pytest.approx(long.covariance, rel=1e-9)
        assert fit.log_likelihood == pytest.approx(long.log_likelihood, rel=1e-12)
    grid = [5, 20, 50]
    ours, theirs = (predict_survival(f, x[:2], grid, stratum=1) for f in (fit, long))
    assert np.array(ours) == pytest.approx(np.array(theirs), rel=1e-9)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_fit_equals_statsmodels_with_entry_and_strata(ties, late):
    x, exits, event, given = simulated(3, late=late, strata=True)
    fit = fit_cox(x, follow_up(exits, event, **given), ties=ties)
    z = x - x.mean(axis=0)
    # there, a spell is at risk at its age of entry already
    entry = given["entry"] + 0.5 if late else None
    peer = PHReg(exits, z, status=event, entry=entry, strata=given["strata"], ties=ties).fit(disp=0)
    assert fit.effects == pytest.approx(peer.params, rel=1e-6)
    assert fit.std_error == pytest.approx(peer.bse, rel=1e-5)
    assert fit.log_likelihood == pytest.approx(peer.llf, rel=1e-10)


def surpyval_fit(x, exits, event, given):
    """SurPyval's fit; strata one after the other in time, since its errors know none."""
    later = 1000 * given["strata"] if given["strata"] is not None else 0
    entry = 0 if given["entry"] is None else given["entry"]
    late = None if given["entry"] is None and given["strata"] is None else entry + later
    return CoxPH.fit(exits + later, x - x.mean(axis=0), c=1 - event.astype(int), tl=late)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("strata", [False, True])
def test_fit_baseline_and_robust_errors_equal_surpyval(late, strata):
    x, exits, event, given = simulated(4, late=late, strata=strata)
    spells = follow_up(exits, event, **given)
    fit, robust = fit_cox(x, spells), fit_cox(x, spells, robust=True)
    peer = surpyval_fit(x, exits, event, given)
    assert fit.effects == pytest.approx(peer.beta, rel=1e-8)
    assert fit.covariance == pytest.approx(peer.covariance(), rel=1e-6)
    assert robust.covariance == pytest.approx(peer.robust_covariance(), rel=1e-6)
    if not strata:
        grid = np.array([1.0, 10, 30, 55])
        ours = predict_survival(fit, x[7], grid).value[0]
        theirs = np.ravel(peer.sf(grid, x[7] - x.mean(axis=0)))
        assert ours == pytest.approx(theirs, rel=1e-8)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("strata", [False, True])
def test_clustered_errors_equal_surpyval(late, strata):
    x, exits, event, given = simulated(5, late=late, strata=strata)
    account = np.random.default_rng(6).integers(0, 80, len(x))
    spells = follow_up(exits, event, **given)
    fit = fit_cox(x, spells, clusters=account)
    theirs = surpyval_fit(x, exits, event, given).robust_covariance(cluster=account)
    assert fit.covariance == pytest.approx(theirs, rel=1e-6)
    assert (fit.robust, fit.clusters) == (True, len(np.unique(account)))
    assert fit.model_covariance == pytest.approx(fit_cox(x, spells).covariance)


def test_clustered_errors_equal_lifelines_without_ties():
    """With ties lifelines leaves Efron's correction out of the residuals."""
    x, exits, event, _ = simulated(7, n=300)
    exits = exits + np.linspace(0, 0.9, len(exits))
    account = np.random.default_rng(6).integers(0, 80, len(x))
    fit = fit_cox(x, follow_up(exits, event), clusters=account)
    frame = pd.DataFrame(x, columns=list("abc")).assign(t=exits, e=event, account=account)
    with np.errstate():  # lifelines' fit silences numpy for the whole process
        peer = CoxPHFitter().fit(frame, "t", "e", cluster_col="account")
    assert fit.effects == pytest.approx(peer.params_, rel=1e-5)
    assert fit.std_error == pytest.approx(peer.standard_errors_, rel=1e-5)


def test_clusters_with_counts_are_the_spells_written_out():
    x, exits, event, given = simulated(12, late=True, strata=True, counts=True)
    account = np.random.default_rng(6).integers(0, 80, len(x))
    many = given.pop("count")
    fit = fit_cox(x, follow_up(exits, event, count=many, **given), clusters=account)
    written = {name: np.repeat(values, many) for name, values in given.items()}
    spells = follow_up(np.repeat(exits, many), np.repeat(event, many), **written)
    long = fit_cox(np.repeat(x, many, axis=0), spells, clusters=np.repeat(account, many))
    assert fit.covariance == pytest.approx(long.covariance, rel=1e-9)


@pytest.mark.slow
def test_limits_of_survival_equal_those_of_a_bootstrap():
    """Tsiatis' variance against 200 resamplings of 600 spells, whose spread has an error of 5 %."""
    x, exits, event, given = simulated(8, late=True)
    fit = fit_cox(x, follow_up(exits, event, **given))
    row, ages = x[3], [10, 30, 50]
    value, low, high = (v[0] for v in predict_survival(fit, row, ages, interval="log"))
    error = np.log(value / low) / 1.959963984540054
    assert np.log(high / value) / 1.959963984540054 == pytest.approx(error)
    rng = np.random.default_rng(9)
    found = []
    for _ in range(200):
        count = np.bincount(rng.integers(0, len(x), len(x)), minlength=len(x))
        again = fit_cox(x, follow_up(exits, event, entry=given["entry"], count=count))
        found.append(np.log(predict_survival(again, row, ages).value[0]))
    assert np.std(found, axis=0) == pytest.approx(error, rel=0.15)


def test_baseline_counts_those_at_risk():
    x, exits, event, given = simulated(10, late=True, strata=True, counts=True)
    fit = fit_cox(x, follow_up(exits, event, **given))
    found = baseline(fit)
    many, entry, strata = given["count"], given["entry"], given["strata"]
    ends = [*found.starts[1:], len(found.age)]
    for s, (first, last) in enumerate(zip(found.starts, ends, strict=True)):
        for k in range(first + 1, last):
            here = (strata == s) & (exits >= found.age[k]) & (entry < found.age[k])
            gone = (strata == s) & (exits == found.age[k]) & event
            assert (found.at_risk[k], found.events[k]) == (many[here].sum(), many[gone].sum())
        assert found.cumulative_hazard[first] == 0
        assert np.isneginf(found.age[first])
        assert found.last_age[s] == exits[strata == s].max()
    mean = np.average(x, axis=0, weights=many)
    age = found.age[-1]
    expected = np.exp(-found.cumulative_hazard[-1])
    last = predict_survival(fit, mean, [age], stratum=2).value[0, 0]
    assert last == pytest.approx(expected, rel=1e-12)


def test_survival_is_unknown_past_the_last_age_and_certain_before_the_first_event():
    spells = follow_up([5, 6, 7, 9], [True, True, True, False])
    fit = fit_cox([[0.0], [1.0], [0.0], [1.0]], spells)
    for interval in ("log", "log-log"):
        found = predict_survival(fit, [0.5], [4, 9, 10], interval=interval)
        assert [v[0, 0] for v in found] == [1, 1, 1]
        assert 0 <= found.low[0, 1] < found.value[0, 1] < found.high[0, 1] <= 1
        assert [np.isnan(v[0, 2]) for v in found] == [True] * 3


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"covariates": [1.0]}, "give 7 known numbers per row"),
        ({"covariates": [np.nan] * 7}, "give 7 known numbers per row"),
        ({"stratum": 1}, "not one of 1 strata"),
        ({"interval": "plain"}, 'neither "log-log" nor "log"'),
    ],
)
def test_predict_survival_refuses(change, fault):
    given = {"covariates": [0.0] * 7, "ages": [10]} | change
    with pytest.raises(InputError, match=fault):
        predict_survival(fit_rossi(), **given)


@pytest.mark.parametrize("late", [False, True])
def test_expected_events_of_all_spells_are_those_observed(late):
    x, exits, event, given = simulated(13, late=late, strata=True, counts=True)
    spells = follow_up(exits, event, **given)
    found = expected_events(fit_cox(x, spells, ties="breslow"), x, spells)
    for stratum in range(3):
        here = given["strata"] == stratum
        observed = given["count"][here & event].sum()
        assert found[here].sum() == pytest.approx(observed, rel=1e-9)


def test_a_row_with_a_code_below_zero_is_its_own_cluster():
    x, exits, event, given = simulated(14, counts=True)
    spells = follow_up(exits, event, **given)
    alone = fit_cox(x, spells, clusters=np.full(len(x), -1))
    assert alone.covariance == pytest.approx(fit_cox(x, spells, robust=True).covariance)
    assert alone.clusters == 0
    pairs = np.where(np.arange(len(x)) < 100, np.arange(len(x)) // 2, -1)
    mixed = fit_cox(x, spells, clusters=pairs)
    assert mixed.clusters == 50
    assert mixed.covariance != pytest.approx(alone.covariance, rel=1e-3)
