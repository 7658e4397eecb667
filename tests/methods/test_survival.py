"""Kaplan-Meier and its kin against R's survival, lifelines and textbook figures.

Figures of R are those that R 4.2.2 with survival 3.5-3 prints; tolerances are half a unit of the
last printed digit.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter, NelsonAalenFitter
from lifelines.datasets import load_lung, load_rossi, load_waltons

from csa.errors import InputError
from csa.methods.lifetable import life_table, tabulate
from csa.methods.logrank import log_rank
from csa.methods.survival import kaplan_meier, nelson_aalen, quantile, restricted_mean

REFERENCE = Path(__file__).parent.parent / "reference"


def split(durations, events, groups):
    """One life table per group, in order."""
    return [tabulate(durations[groups == g], events[groups == g]) for g in sorted(set(groups))]


def test_kaplan_meier_of_rossi_matches_r():
    """R survfit(Surv(week, arrest) ~ 1, rossi), default log interval, printed to 6 decimals."""
    rossi = load_rossi()
    table = tabulate(rossi["week"], rossi["arrest"])
    curve = kaplan_meier(table, interval="log")
    printed = {
        10: (418, 0.965278, 0.948167, 0.982697),
        20: (397, 0.907407, 0.880481, 0.935157),
        30: (374, 0.861111, 0.829109, 0.894348),
        40: (351, 0.803241, 0.766614, 0.841618),
        52: (322, 0.736111, 0.695701, 0.778868),
    }
    for week, (at_risk, *figures) in printed.items():
        assert table.at_risk_at(week) == at_risk
        assert curve.at(week) == pytest.approx(figures, abs=5e-7)
    errors = curve.std_error[np.searchsorted(table.time, [10, 20, 30, 40, 52])]
    printed_errors = [0.00880822, 0.01394593, 0.01663878, 0.01912708, 0.02120510]
    assert errors == pytest.approx(printed_errors, abs=5e-9)
    assert np.isnan(quantile(curve)).all()  # R prints NA for median and limits


def test_log_log_interval_of_rossi_matches_r():
    """R survfit(..., conf.type = "log-log") at week 52, printed to 6 decimals."""
    rossi = load_rossi()
    curve = kaplan_meier(tabulate(rossi["week"], rossi["arrest"]), interval="log-log")
    assert curve.at(52) == pytest.approx((0.736111, 0.691860, 0.775063), abs=5e-7)


def test_restricted_mean_of_rossi_matches_r():
    """R print(survfit(...), rmean = 52): 45.8542, se 0.608509."""
    rossi = load_rossi()
    mean, error = restricted_mean(kaplan_meier(tabulate(rossi["week"], rossi["arrest"])), 52)
    assert mean == pytest.approx(45.8542, abs=5e-5)
    assert error == pytest.approx(0.608509, abs=5e-7)


def test_log_rank_of_rossi_matches_r():
    """R survdiff(Surv(week, arrest) ~ fin): 3.83757, p 0.05012, expected to 4 decimals."""
    rossi = load_rossi()
    test = log_rank(split(rossi["week"], rossi["arrest"], rossi["fin"]))
    assert test.statistic == pytest.approx(3.837570, abs=5e-7)
    assert (test.df, test.p_value) == (1, pytest.approx(0.05012, abs=5e-6))
    assert test.observed == pytest.approx([66, 48])
    assert test.expected == pytest.approx([55.5744, 58.4256], abs=5e-5)


def test_kaplan_meier_of_lung_matches_r():
    """R survfit(Surv(time, status) ~ 1, lung), default log interval, printed to 7 decimals."""
    lung = load_lung()
    table = tabulate(lung["time"], lung["status"] == 1)
    curve = kaplan_meier(table, interval="log")
    printed = {
        100: (196, 0.8639690, 0.8205849, 0.909647),
        365: (65, 0.4092416, 0.3447216, 0.485838),
        500: (41, 0.2932692, 0.2319821, 0.370748),
        1000: (2, 0.0503456, 0.0206855, 0.122534),
    }
    for day, (at_risk, *figures) in printed.items():
        assert table.at_risk_at(day) == at_risk
        assert curve.at(day) == pytest.approx(figures, abs=5e-7)
    at = np.searchsorted(table.time, [100, 365, 500, 1000], side="right") - 1
    printed_errors = [0.0227102, 0.0358236, 0.0350778, 0.0228480]
    assert curve.std_error[at] == pytest.approx(printed_errors, abs=5e-8)


@pytest.mark.parametrize(("interval", "limits"), [("log", (285, 363)), ("log-log", (284, 361))])
def test_median_of_lung_matches_r(interval, limits):
    """R survfit(Surv(time, status) ~ 1, lung): median 310 with both intervals, whole days."""
    lung = load_lung()
    curve = kaplan_meier(tabulate(lung["time"], lung["status"] == 1), interval=interval)
    assert quantile(curve) == (310, *limits)


def test_figures_of_lung_by_sex_match_r():
    """R survfit and survdiff on lung by sex; restricted means to 365 days and 1022 days."""
    lung = load_lung()
    men, women = split(lung["time"], lung["status"] == 1, lung["sex"])
    curves = [kaplan_meier(t, interval="log") for t in (men, women)]
    assert [quantile(c) for c in curves] == [(270, 212, 310), (426, 348, 550)]
    means = [restricted_mean(c, 365) for c in curves]
    assert [m for m, _ in means] == pytest.approx([241.4951, 297.4654], abs=5e-5)
    assert [e for _, e in means] == pytest.approx([10.35823, 10.79132], abs=5e-6)
    test = log_rank([men, women])
    assert test.statistic == pytest.approx(10.32674195, abs=5e-9)
    assert test.p_value == pytest.approx(0.001311, abs=5e-7)
    assert test.expected == pytest.approx([91.5817, 73.4183], abs=5e-5)
    whole = kaplan_meier(tabulate(lung["time"], lung["status"] == 1))
    mean, error = restricted_mean(whole, 1022)
    assert mean == pytest.approx(376.275, abs=5e-4)
    assert error == pytest.approx(19.7078, abs=5e-5)


def test_nelson_aalen_of_lung_matches_r():
    """R survfit(..., stype = 2, ctype = 1): exp(-H) and its standard error, 6 decimals."""
    lung = load_lung()
    table = tabulate(lung["time"], lung["status"] == 1)
    hazard = nelson_aalen(table)
    at = np.searchsorted(table.time, [100, 365, 500], side="right") - 1
    value, low, high = (x[at] for x in hazard)
    assert np.exp(-value) == pytest.approx([0.864457, 0.411344, 0.295821], abs=5e-7)
    error = value * np.log(high / low) / (2 * 1.959963984540054)
    printed_errors = [0.0226353, 0.0357727, 0.0350845]
    assert error * np.exp(-value) == pytest.approx(printed_errors, abs=5e-8)


def test_figures_of_waltons_match_r():
    """R survfit and survdiff on waltons: medians in whole days, chi-square to 7 decimals."""
    waltons = load_waltons()
    control, treated = split(waltons["T"], waltons["E"], waltons["group"])
    medians = [quantile(kaplan_meier(t, interval="log")) for t in (control, treated)]
    assert medians == [(58, 56, 60), (26, 22, 29)]
    whole = kaplan_meier(tabulate(waltons["T"], waltons["E"]), interval="log")
    assert quantile(whole) == (56, 53, 58)
    test = log_rank([control, treated])
    assert test.statistic == pytest.approx(122.2491256, abs=5e-8)
    assert test.expected == pytest.approx([148.92449, 7.07551], abs=5e-6)


def test_figures_of_freireich_match_the_textbook():
    """Freireich (1963), Blood 21; figures of Kleinbaum and Klein (2012), chapter 2.

    Printed: S of 6-MP to 4 decimals, log-rank 16.79, expected 19.25 and 10.75, medians 23 and 8
    weeks. Standard errors to 4 decimals as R's summary(survfit()) prints them.
    """
    data = pd.read_csv(REFERENCE / "freireich_1963.csv")
    treated, placebo = split(data["week"], data["relapse"] == 1, data["group"])
    curve = kaplan_meier(treated)
    survival = [curve.at(t).value for t in (6, 7, 10, 13, 16, 22, 23)]
    printed = [0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482]
    assert survival == pytest.approx(printed, abs=5e-5)
    errors = curve.std_error[treated.events > 0]
    printed_errors = [0.0764, 0.0869, 0.0963, 0.1068, 0.1141, 0.1282, 0.1346]
    assert errors == pytest.approx(printed_errors, abs=5e-5)
    assert quantile(curve).value == 23
    assert quantile(kaplan_meier(placebo)).value == 8
    test = log_rank([treated, placebo])
    assert test.statistic == pytest.approx(16.79, abs=5e-3)
    assert test.expected == pytest.approx([19.25, 10.75], abs=5e-3)


def test_median_lies_in_the_middle_of_a_flat_piece_at_one_half():
    """R's survfit(Surv(1:4, rep(1, 4)) ~ 1) prints median 2.5."""
    curve = kaplan_meier(tabulate([1, 2, 3, 4], [True] * 4))
    assert quantile(curve).value == 2.5


def test_median_takes_the_first_age_where_the_curve_ends_at_one_half():
    curve = kaplan_meier(tabulate([3, 3, 5, 5], [True, True, False, False]))
    assert quantile(curve).value == 3


def random_spells(seed, n=2000, *, late=True):
    rng = np.random.default_rng(seed)
    duration = np.ceil(rng.exponential(300, n)).astype(int)
    cut = rng.integers(1, 700, n)
    entry = np.where(rng.random(n) < 0.4, rng.integers(0, 400, n), 0) * late
    exits, event = np.minimum(duration, cut), duration <= cut
    seen = exits > entry
    return exits[seen], event[seen], entry[seen]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("late", [False, True])
def test_kaplan_meier_equals_lifelines(seed, late):
    """Equal to lifelines 0.30.3 with its log-log interval, at every distinct time, to 1e-10."""
    duration, event, entry = random_spells(seed, late=late)
    curve = kaplan_meier(tabulate(duration, event, entry=entry))
    with np.errstate():  # lifelines' fit silences numpy for the whole process
        peer = KaplanMeierFitter().fit(duration, event, entry=entry if late else None)
    times = np.unique(duration)
    ours = np.array([curve.at(t) for t in times])
    limits = peer.confidence_interval_survival_function_.loc[times]
    assert ours[:, 0] == pytest.approx(peer.survival_function_at_times(times), abs=1e-10)
    assert ours[:, 1:] == pytest.approx(limits.to_numpy(), abs=1e-10)


def test_nelson_aalen_equals_lifelines():
    """Equal to lifelines without its smoothing of ties, which is R's other kind (ctype 2)."""
    duration, event, entry = random_spells(11)
    table = tabulate(duration, event, entry=entry)
    with np.errstate():
        peer = NelsonAalenFitter(nelson_aalen_smoothing=False).fit(duration, event, entry=entry)
    ours = nelson_aalen(table).value
    assert ours == pytest.approx(peer.cumulative_hazard_at_times(table.time), abs=1e-10)


def test_nobody_churned_is_certain_survival_as_in_r():
    curve = kaplan_meier(tabulate([5, 9], [False, False]))
    assert curve.at(9) == (1, 1, 1)
    assert restricted_mean(curve, 9) == (9, 0)
    assert np.isnan(quantile(curve)).all()


def test_everybody_churned_on_day_one_is_zero_without_limits():
    curve = kaplan_meier(tabulate([1] * 20, [True] * 20))
    assert curve.at(0.5) == (1, 1, 1)
    assert curve.at(1).value == 0
    assert np.isnan(curve.at(1)[1:]).all()
    assert curve.at(50).value == 0  # nobody can be left: known for any later age
    assert restricted_mean(curve, 10) == (1, 0)


def test_one_spell_is_no_error():
    curve = kaplan_meier(tabulate([7], [True]), interval="log")
    assert curve.at(6).value == 1
    assert curve.at(7).value == 0
    assert quantile(curve).value == 7


def test_no_spell_is_unknown():
    curve = kaplan_meier(tabulate([], []))
    assert np.isnan(curve.at(0)).all()
    assert np.isnan(restricted_mean(curve, 10)).all()
    assert np.isnan(quantile(curve)).all()


def test_survival_is_unknown_past_the_last_age_and_before_the_first():
    table = tabulate([5, 9], [True, False])
    curve = kaplan_meier(table.between(4))
    assert np.isnan(curve.at(10)).all()
    assert np.isnan(curve.at(3)).all()
    assert curve.at(4).value == 1
    assert np.isnan(restricted_mean(curve, 10)).all()
    assert np.isnan(restricted_mean(curve, 3)).all()


def test_restricted_mean_given_alive_counts_the_age_reached():
    """Half of those alive at 10 go at 20: 10 + 10 + 0.5 x 10 up to the age of 30."""
    table = tabulate([5, 20, 20, 30, 30], [True, True, True, False, False])
    mean, error = restricted_mean(kaplan_meier(table.between(10)), 30)
    assert mean == 25
    assert error == pytest.approx(10 * np.sqrt(0.25 / 4))


def test_kaplan_meier_refuses_an_unknown_interval():
    with pytest.raises(InputError, match='"plain" is neither'):
        kaplan_meier(life_table([1], events=[1], censored=[0]), interval="plain")
