"""Survival beyond the data: the truth, what is refused, and what is marked."""

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad

from csa.analysis.churn.extrapolation import extrapolate
from csa.errors import InputError


def make_spells(exit_days, event=1, *, entry_days=0, group="a"):
    """Spells with scalars spread over all rows."""
    size = len(exit_days)
    given = {"group": group, "entry_days": entry_days, "exit_days": exit_days, "event": event}
    frame = pd.DataFrame({name: np.broadcast_to(x, size) for name, x in given.items()})
    return frame.astype({"entry_days": int, "exit_days": int, "event": bool})


def weibull(seed, n=1500, *, shape=1.3, scale=700.0, followed=500, group="a", late=0.3):
    """Weibull lives in whole days, seen for at most `followed` days of age."""
    rng = np.random.default_rng(seed)
    life = np.ceil(scale * rng.weibull(shape, n)).astype(int)
    until = rng.integers(1, followed, n)
    entry = np.where(rng.random(n) < late, rng.integers(0, followed // 2, n), 0)
    spells = make_spells(np.minimum(life, until), life <= until, entry_days=entry, group=group)
    return spells[spells["exit_days"] > spells["entry_days"]].reset_index(drop=True)


@pytest.fixture(scope="module")
def two_groups():
    return extrapolate(
        pd.concat([weibull(1), weibull(2, scale=300.0, group="b")]), horizon_days=900
    )


@pytest.mark.slow
def test_extrapolated_survival_covers_the_truth(two_groups):
    curves = two_groups.curves
    for name, scale in (("a", 700.0), ("b", 300.0)):
        curve = curves[curves["group"] == name].set_index("age_days")
        start = curve.index[0]
        for age in (300, 600, 900):
            truth = np.exp((start / scale) ** 1.3 - (age / scale) ** 1.3)
            row = curve.loc[age]
            assert min(row["ci_low"], row["among_low"]) <= truth
            assert truth <= max(row["ci_high"], row["among_high"])
        fitted = two_groups.fits.set_index(["group", "distribution"]).loc[(name, "weibull")]
        assert fitted["fits"]
        assert fitted["scale"] == pytest.approx(1 / 1.3, rel=0.1)
        assert fitted["location"] == pytest.approx(np.log(scale), rel=0.03)


@pytest.mark.slow
def test_ages_beyond_the_data_are_marked(two_groups):
    curves, lifetimes = two_groups.curves, two_groups.lifetimes.set_index("group")
    assert curves["group"].unique().tolist() == ["all", "a", "b"]
    for name, curve in curves.groupby("group"):
        seen = lifetimes.loc[name, "seen_until_days"]
        assert (curve["extrapolated"] == (curve["age_days"] > seen)).all()
        assert (curve["observed"].isna() == curve["extrapolated"]).all()
        assert curve["extrapolated"].any()
        assert curve["age_days"].iloc[-1] == 900
        assert (np.diff(curve["survival"]) < 0).all()
        assert (curve["ci_low"] <= curve["survival"]).all()
        assert (curve["survival"] <= curve["ci_high"]).all()
        near = curve[~curve["extrapolated"]]
        assert (near["survival"] - near["observed"]).abs().max() < 0.06


@pytest.mark.slow
def test_expected_lifetime_is_the_area_under_the_curve(two_groups):
    row = two_groups.lifetimes.set_index("group").loc["b"]
    fit = two_groups.fits.set_index(["group", "distribution"]).loc[("b", row["distribution"])]
    shapes = {
        "weibull": lambda z: np.exp(-np.exp(z)),
        "loglogistic": lambda z: 1 / (1 + np.exp(z)),
    }
    tail = shapes[row["distribution"]]
    start = row["starts_at_days"]

    def survival(age):
        return tail((np.log(age) - fit["location"]) / fit["scale"]) if age else 1.0

    area = quad(survival, start, 900)[0] / survival(start)
    beyond = quad(survival, row["seen_until_days"], 900)[0] / survival(start)
    assert row["lifetime_days"] == pytest.approx(start + area, rel=1e-5)
    assert row["extrapolated_share"] == pytest.approx(beyond / area, rel=1e-3)
    assert row["ci_low"] < row["lifetime_days"] < row["ci_high"]
    assert row["among_low"] <= row["lifetime_days"] <= row["among_high"]
    assert row["status"] == "ok"


@pytest.mark.slow
def test_intervals_of_the_lifetime_cover_the_truth():
    """Weibull known to be the shape: 95 % limits of the mean to 900 days, in 24 samples."""
    truth = quad(lambda t: np.exp(-((t / 700) ** 1.3)), 0, 900)[0]
    inside = 0
    for seed in range(24):
        spells = weibull(seed, n=400, late=0.0)
        result = extrapolate(spells, horizon_days=900, distributions=["weibull"])
        row = result.lifetimes.iloc[0]
        inside += row["ci_low"] <= truth <= row["ci_high"]
    assert inside >= 20  # 22.8 expected; fewer than 20 has a chance of 1 %


@pytest.mark.slow
def test_the_best_shape_is_chosen_by_aic():
    rng = np.random.default_rng(3)
    life = np.ceil(np.exp(rng.normal(5, 1.1, 4000))).astype(int)
    until = rng.integers(1, 800, 4000)
    result = extrapolate(make_spells(np.minimum(life, until), life <= until), horizon_days=1000)
    chosen = result.fits[result.fits["chosen"]]
    assert chosen["distribution"].tolist() == ["lognormal"]
    fits = result.fits[result.fits["fits"]]
    assert chosen["aic"].iloc[0] == fits["aic"].min()


# --- refused -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_yearly_steps_are_not_extrapolated():
    """Nobody leaves but at the end of a contract of a year: no steady shape follows that."""
    rng = np.random.default_rng(4)
    life = 365 * rng.geometric(0.4, 2000)
    until = rng.integers(1, 1200, 2000)
    spells = make_spells(np.minimum(life, until), life <= until)
    result = extrapolate(spells, horizon_days=1500)
    row = result.lifetimes.iloc[0]
    assert row["status"] == "unclear"
    assert "no distribution fits" in row["reason"]
    assert "outside the interval of Kaplan-Meier" in row["reason"]
    assert np.isnan(row["lifetime_days"])
    assert result.curves["survival"].isna().all()
    assert not result.fits["chosen"].any()
    assert (result.fits["largest_miss"] > 0.02).all()


@pytest.mark.slow
def test_ages_far_beyond_the_data_get_no_number():
    result = extrapolate(weibull(5), horizon_days=3650, step_days=365)
    row, curve = result.lifetimes.iloc[0], result.curves.set_index("age_days")
    seen = row["seen_until_days"]
    assert row["status"] == "unclear"
    assert f"no figure beyond {2 * seen:g} days" in row["reason"]
    assert curve.loc[730, "status"] == "ok"
    assert (curve.loc[1095, "status"], curve.loc[1095, "reason"]) == (
        "unclear",
        "beyond 2 times the last age seen",
    )
    assert np.isnan(curve.loc[1095, "survival"])
    longer = extrapolate(weibull(5), horizon_days=1095, most_times=3)
    assert longer.lifetimes["status"].iloc[0] == "ok"


@pytest.mark.parametrize(
    ("spells", "reason"),
    [
        (make_spells([]), "never 10 at risk"),
        (make_spells([5]), "never 10 at risk"),
        (make_spells([50] * 40, 0), "only 0 churned; a shape needs 20"),
        (make_spells(range(1, 31), [1, 0, 0] * 10), "only 10 churned"),
    ],
)
def test_too_little_is_unclear(spells, reason):
    result = extrapolate(spells, horizon_days=100)
    row = result.lifetimes.iloc[0]
    assert (row["group"], row["status"]) == ("all", "unclear")
    assert reason in row["reason"]
    assert result.fits.empty
    assert set(result.curves["status"]) == {"unclear"}


def test_everybody_gone_on_one_day_is_unclear():
    result = extrapolate(make_spells([30] * 50), horizon_days=60)
    assert result.lifetimes["status"].iloc[0] == "unclear"
    assert result.lifetimes["reason"].iloc[0].startswith("no distribution fits")


@pytest.mark.slow
def test_a_curve_starts_where_enough_were_seen():
    spells = weibull(6, n=1500)
    spells["entry_days"] = spells["entry_days"] + 100
    spells = spells[spells["exit_days"] > spells["entry_days"]]
    result = extrapolate(spells, horizon_days=700)
    row, first = result.lifetimes.iloc[0], result.curves.iloc[0]
    assert first["age_days"] == row["starts_at_days"] == 100
    assert first["survival"] == first["observed"] == 1
    assert extrapolate(spells, horizon_days=90).lifetimes["reason"].iloc[0] == (
        "the curve starts at 100 days only"
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"horizon_days": 0}, "horizon_days: 0 is not above 0"),
        ({"step_days": -1}, "step_days"),
        ({"most_times": 0.5}, "below 1"),
        ({"distributions": ["gamma"]}, "name some of"),
        ({"distributions": []}, "name some of"),
        ({"confidence": 2}, "between 0 and 1"),
    ],
)
def test_impossible_options_are_refused(given, message):
    with pytest.raises(InputError, match=message):
        extrapolate(make_spells([5]), **({"horizon_days": 10} | given))
