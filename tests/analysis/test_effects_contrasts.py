"""The strongest difference between levels: other references, Scheffé's limits, chance, bands."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2
from statsmodels.stats.multitest import multipletests

from csa.analysis.churn.effects import Covariate, effects
from csa.analysis.churn.effects.contrasts import chi_square_quantile, holm, strongest_contrast


def spells(n=1500, *, seed=1, ratios=(1.0, 0.8, 2.0), change=None, size=3):
    """Accounts of three kinds with hazards in these ratios, from `change` days on all alike."""
    rng = np.random.default_rng(seed)
    kind, other = rng.integers(0, size, n), rng.integers(0, 4, n)
    own = rng.exponential(size=n)
    ratio = np.resize(ratios, size)[kind]
    life = own * 300 / ratio
    if change is not None:
        life = np.where(life > change, change + 300 * (own - change * ratio / 300), life)
    cut = rng.integers(60, 700, n)
    return pd.DataFrame(
        {
            "account_id": np.arange(n).astype(str),
            "entry_days": 0,
            "exit_days": np.ceil(np.minimum(life, cut)).astype(int),
            "event": life <= cut,
            "kind": np.array([f"kind {k}" for k in range(size)], dtype=object)[kind],
            "other": np.array(list("abcd"), dtype=object)[other],
            "seats": rng.integers(1, 9, n),
        }
    )


def test_the_widest_pair_is_found_whatever_the_reference_was():
    frame = spells()
    found = [
        strongest_contrast(
            effects(frame, covariates=[Covariate(name="kind", reference=r), "other"])
        )
        for r in ("kind 0", "kind 1", "kind 2")
    ]
    assert {(c.term, c.sooner, c.later) for c in found} == {("kind", "kind 2", "kind 1")}
    assert np.ptp([c.ratio.value for c in found]) < 1e-6
    assert np.ptp([c.ratio.low for c in found]) < 1e-6
    result = effects(frame, covariates=[Covariate(name="kind", reference="kind 1"), "other"])
    row = result.table.query("level == 'kind 2'").iloc[0]
    assert found[0].ratio.value == pytest.approx(row["hazard_ratio"], rel=1e-6)
    half = np.sqrt(chi2.ppf(0.95, 2)) * row["std_error"]
    assert found[0].ratio.low == pytest.approx(np.exp(row["estimate"] - half), rel=1e-6)
    assert found[0].n == tuple((frame["kind"] == k).sum() for k in ("kind 2", "kind 1"))
    assert not found[0].varies
    assert found[0].bands.empty


def test_with_two_levels_the_limits_are_those_of_the_table():
    result = effects(spells(ratios=(1.0, 2.0), size=2), covariates=["kind"])
    found, row = strongest_contrast(result), result.table.query("level != reference").iloc[0]
    ends = sorted([1 / row["ci_low"], 1 / row["ci_high"]])
    ends = ends if row["hazard_ratio"] < 1 else [row["ci_low"], row["ci_high"]]
    assert [found.ratio.low, found.ratio.high] == pytest.approx(ends)


def test_an_effect_that_changes_is_given_by_age_against_the_reference():
    frame = spells(4000, ratios=(1.0, 1.0, 4.0), change=150)
    covariate = Covariate(name="kind", reference="kind 2")
    result = effects(frame, covariates=[covariate], bands_days=[90, 150])
    found = strongest_contrast(result)
    assert found.varies
    assert found.sooner == "kind 2"
    assert found.bands["ratio"].iloc[0] > 3
    assert found.bands["ratio"].iloc[-1] < 1.5
    own = result.bands[result.bands["level"] == found.later].reset_index(drop=True)
    assert found.bands["ratio"].tolist() == pytest.approx((1 / own["hazard_ratio"]).tolist())
    assert found.bands["ci_low"].tolist() == pytest.approx((1 / own["ci_high"]).tolist())
    assert (found.bands["ci_low"] < found.bands["ci_high"]).all()


def test_the_reference_may_be_the_one_that_stays():
    frame = spells(4000, ratios=(1.0, 1.0, 4.0), change=150)
    covariate = Covariate(name="kind", reference="kind 0")
    result = effects(frame, covariates=[covariate], bands_days=[90])
    found = strongest_contrast(result)
    own = result.bands[result.bands["level"] == "kind 2"]
    assert (found.sooner, found.later) == ("kind 2", "kind 0")
    assert found.bands["ratio"].tolist() == pytest.approx(own["hazard_ratio"].tolist())


def test_a_number_is_told_where_no_level_differs():
    frame = spells(ratios=(1.0, 1.0, 1.0))
    frame["event"] &= np.random.default_rng(0).random(len(frame)) < frame["seats"] / 9
    found = strongest_contrast(effects(frame, covariates=["kind", Covariate(name="seats", per=2)]))
    assert found.is_number
    assert (found.term, found.sooner) == ("seats", "per 2")
    assert found.ratio.low > 1


@pytest.mark.parametrize(
    "frame",
    [spells(ratios=(1.0, 1.0, 1.0)), spells().head(30), spells().head(0)],
    ids=["alike", "few", "none"],
)
def test_nothing_is_found_where_nothing_can_be_told(frame):
    assert strongest_contrast(effects(frame, covariates=["kind", "other"])) is None


@pytest.mark.slow
def test_chance_is_rarely_taken_for_a_difference():
    """Three attributes without any effect: at most 5 % of 200 companies find one, plus 3 errors."""
    found = 0
    for seed in range(200):
        frame = spells(300, seed=seed, ratios=(1.0, 1.0, 1.0))
        frame["third"] = np.random.default_rng(seed).choice(["x", "y"], len(frame))
        result = effects(frame, covariates=["kind", "other", "third"])
        found += strongest_contrast(result) is not None
    assert found / 200 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


@pytest.mark.parametrize("df", [1, 2, 3, 7, 30])
@pytest.mark.parametrize("share", [0.001, 0.05, 0.5])
def test_chi_square_quantile_equals_scipy(share, df):
    assert chi_square_quantile(share, df) == pytest.approx(chi2.isf(share, df), abs=1e-6)


def test_holm_equals_statsmodels():
    p = pd.Series([0.04, 0.01, 0.03, 0.005, 0.8], index=list("abcde"))
    assert holm(p).tolist() == pytest.approx(multipletests(p, method="holm")[1])
    assert holm(p).index.tolist() == p.index.tolist()
