"""Score test of proportional hazards against R's cox.zph, SurPyval and its definition.

Figures of R are those that R 4.2.2 with survival 3.5-3 prints; they are held to 6 digits, since R
stops its fit a little before the maximum.
"""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_lung, load_rossi
from statsmodels.duration.hazard_regression import PHReg
from stored import stored
from surpyval import CoxPH

from csa.errors import InputError
from csa.methods.cox import fit_cox
from csa.methods.cox.proportional import proportionality
from csa.methods.cox.risk import follow_up
from csa.methods.logrank import chi_square_tail

ROSSI = ["fin", "age", "race", "wexp", "mar", "paro", "prio"]
PRINTED = {
    "km": [0.0624298, 5.9739817, 2.0682654, 4.2245956, 1.0110216, 0.0183833, 0.5205843],
    "rank": [1.3838085, 0.8964215, 2.2599782, 4.1596838, 0.0895921, 0.0218517, 1.6408035],
    "identity": [0.00895056, 6.61594379, 2.14442626, 3.87675512, 1.03134832, 0.02817660, 0.4247984],
}
OVERALL = {"km": 17.6944153, "rank": 11.0251834, "identity": 18.18268704}


def statistics(test):
    return [one.statistic for one in test.terms.values()]


@pytest.mark.parametrize("transform", list(PRINTED))
def test_rossi_matches_r(transform):
    rossi = load_rossi()
    fit = fit_cox(rossi[ROSSI], follow_up(rossi["week"], rossi["arrest"]), names=ROSSI)
    test = proportionality(fit, transform=transform)
    assert list(test.terms) == ROSSI
    assert statistics(test) == pytest.approx(PRINTED[transform], rel=1e-6, abs=6e-8)
    assert test.overall.statistic == pytest.approx(OVERALL[transform], rel=1e-6)
    assert test.overall.df == 7
    if transform == "km":
        assert test.overall.p_value == pytest.approx(0.013428, abs=5e-7)
        assert test.terms["age"].p_value == pytest.approx(0.014518, abs=5e-7)


def test_lung_matches_r():
    lung = load_lung().dropna(subset=["age", "sex", "ph.ecog"])
    spells = follow_up(lung["time"], lung["status"] == 1)
    test = proportionality(fit_cox(lung[["age", "sex", "ph.ecog"]], spells))
    assert statistics(test) == pytest.approx([0.187988, 2.305437, 2.054249], abs=1e-6)
    assert test.overall.statistic == pytest.approx(4.463658, abs=1e-6)
    assert test.overall.p_value == pytest.approx(0.21555, abs=5e-6)


def test_terms_of_telco_match_r():
    """Eight terms with 12 columns, window ignored as published."""
    raw = pd.read_csv(stored("CSA_DATA", "telco", "ibm_telco_customer_churn.csv"))
    columns, terms = [], {}
    for name in (
        *("SeniorCitizen", "Partner", "Dependents", "Contract", "PaperlessBilling"),
        *("PaymentMethod", "InternetService", "MonthlyCharges"),
    ):
        text = raw[name].dtype == object
        levels = sorted(set(raw[name]))[1:] if text else []
        found = [raw[name] == level for level in levels] if text else [raw[name].astype(float)]
        terms[name] = list(range(len(columns), len(columns) + len(found)))
        columns += found
    fit = fit_cox(np.column_stack(columns), follow_up(raw["tenure"], raw["Churn"] == "Yes"))
    test = proportionality(fit, terms=terms)
    printed = [0.510538, 19.958293, 1.011028, 89.758636]
    printed += [3.796810, 48.820618, 41.130809, 104.794037]
    assert statistics(test) == pytest.approx(printed, abs=1e-6)
    assert [one.df for one in test.terms.values()] == [1, 1, 1, 2, 1, 3, 2, 1]
    assert (test.overall.statistic, test.overall.df) == (pytest.approx(254.336765, abs=1e-6), 12)


def simulated(seed, *, n=400, late=False, ties=True):
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.normal(size=n), rng.random(n) < 0.4])
    life = 40 * rng.weibull(1 + x[:, 1]) * np.exp(-0.3 * x[:, 0])
    exits = np.ceil(life) if ties else life
    cut = rng.uniform(1, 80, n).round()
    event, exits = exits <= cut, np.minimum(exits, cut)
    entry = np.where(rng.random(n) < 0.5, rng.integers(0, 30, n), 0) * late
    keep = exits > entry
    return x[keep], exits[keep], event[keep], entry[keep]


@pytest.mark.parametrize("transform", ["km", "identity", "rank", "log"])
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("ties", [False, True])
def test_test_equals_surpyval(transform, late, ties):
    x, exits, event, entry = simulated(1, late=late, ties=ties)
    fit = fit_cox(x, follow_up(exits, event, entry=entry))
    peer = CoxPH.fit(exits, x, c=1 - event.astype(int), tl=entry if late else None)
    found = peer.check_ph(transform=transform)["statistic"]
    test = proportionality(fit, transform=transform)
    assert [*statistics(test), test.overall.statistic] == pytest.approx(list(found), rel=1e-6)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_test_is_the_score_test_of_products_with_age(ties):
    """Spells cut at every event age carry the product as a column; entry, strata and counts."""
    x, exits, event, entry = simulated(2, n=120, late=True)
    rng = np.random.default_rng(3)
    count, strata = rng.integers(1, 4, len(x)), rng.integers(0, 2, len(x))
    spells = follow_up(exits, event, entry=entry, strata=strata, count=count)
    fit = fit_cox(x, spells, ties=ties)
    test = proportionality(fit, transform="log")
    cuts = np.unique(exits[event])
    rows = []
    for i in np.repeat(np.arange(len(x)), count):
        inside = cuts[(cuts > entry[i]) & (cuts < exits[i])]
        steps = [entry[i], *inside, exits[i]]
        for a, b in pairwise(steps):
            rows.append([a + 0.5, b, event[i] and b == exits[i], strata[i], *x[i]])
    long = np.array(rows)
    z = np.column_stack([long[:, 4:], long[:, 4:] * np.log(long[:, 1:2])])
    model = PHReg(long[:, 1], z, status=long[:, 2], entry=long[:, 0], strata=long[:, 3], ties=ties)
    start = np.concatenate([fit.effects, np.zeros(2)])
    score, information = model.score(start), -model.hessian(start)
    assert score[:2] == pytest.approx([0, 0], abs=1e-6)
    for columns, one in (([2], "column 0"), ([3], "column 1"), ([2, 3], None)):
        js = [0, 1, *columns]
        expected = score[js] @ np.linalg.solve(information[np.ix_(js, js)], score[js])
        ours = test.overall if one is None else test.terms[one]
        assert ours.statistic == pytest.approx(expected, rel=1e-6)
        assert ours.p_value == chi_square_tail(ours.statistic, len(columns))


@pytest.mark.parametrize("transform", ["km", "identity", "rank", "log"])
def test_counts_are_spells_written_out(transform):
    x, exits, event, entry = simulated(4, late=True)
    rng = np.random.default_rng(5)
    many, strata = rng.integers(0, 4, len(x)), rng.integers(0, 3, len(x))
    short = follow_up(exits, event, entry=entry, strata=strata, count=many)
    long = follow_up(*(np.repeat(v, many) for v in (exits, event)), entry=np.repeat(entry, many))
    long = follow_up(long.exit, long.event, entry=long.entry, strata=np.repeat(strata, many))
    one = proportionality(fit_cox(x, short), transform=transform)
    other = proportionality(fit_cox(np.repeat(x, many, axis=0), long), transform=transform)
    assert statistics(one) == pytest.approx(statistics(other), rel=1e-8)


@pytest.mark.slow
def test_proportional_hazards_are_rejected_as_often_as_stated():
    """Two hundred samples without a change of effect: 5 % within three binomial errors."""
    rng = np.random.default_rng(6)
    rejected = 0
    for _ in range(200):
        x = rng.normal(size=(150, 1))
        exits = np.ceil(30 * rng.exponential(size=150) * np.exp(-0.5 * x[:, 0]))
        fit = fit_cox(x, follow_up(exits, rng.random(150) < 0.8))
        rejected += proportionality(fit).overall.p_value < 0.05
    assert rejected <= 10 + 3 * np.sqrt(200 * 0.05 * 0.95)


def test_one_age_with_events_cannot_tell():
    x = [[0.0], [1.0], [2.0], [0.5]]
    fit = fit_cox(x, follow_up([7] * 4, [True, False, True, False]))
    test = proportionality(fit)
    assert np.isnan(test.overall.statistic)
    assert np.isnan(test.terms["column 0"].p_value)


def test_proportionality_refuses():
    x, exits, event, _ = simulated(7)
    fit = fit_cox(x, follow_up(exits, event))
    with pytest.raises(InputError, match='none of "km"'):
        proportionality(fit, transform="sqrt")
    at_once = fit_cox([[0.0], [1.0], [0.5]], follow_up([0, 1, 2], [True, True, False]))
    with pytest.raises(InputError, match="no logarithm"):
        proportionality(at_once, transform="log")
