"""Cumulative incidence against R, lifelines, SurPyval, and against its own definition.

Figures of R are those that R 4.2.2 with survival 3.5-3 prints; tolerances are half a unit of the
last printed digit.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import AalenJohansenFitter
from surpyval import CompetingRisks

from csa.errors import InputError
from csa.methods.causetable import cause_table, tabulate_causes
from csa.methods.incidence import aalen_johansen, cause_hazards, time_lost
from csa.methods.lifetable import tabulate
from csa.methods.survival import kaplan_meier, nelson_aalen, restricted_mean

REFERENCE = Path(__file__).parent.parent / "reference"
CAUSES = ("pcm", "death")
ROWS = st.lists(
    st.tuples(st.integers(0, 12), st.integers(1, 12), st.integers(-1, 2)), min_size=1, max_size=40
)


def mgus2(sex=None):
    """Months to malignancy or death of 1,384 persons (Kyle 2002), as counts."""
    counts = pd.read_csv(REFERENCE / "mgus2_causes.csv")
    counts = counts if sex is None else counts[counts["sex"] == sex]
    cause = counts["event"].map({"censor": -1, "pcm": 0, "death": 1})
    return tabulate_causes(counts["etime"], cause, causes=CAUSES, count=counts["n"])


def spells(seed, n, *, late, step=5):
    """Duration, cause (-1: censored) and entry; two causes, tied on multiples of `step`."""
    rng = np.random.default_rng(seed)
    life, cut = rng.exponential(100, n), rng.uniform(1, 250, n)
    if step:
        life, cut = np.ceil(life / step) * step, np.ceil(cut / step) * step
    cause = np.where(life <= cut, (rng.random(n) < 0.6).astype(int), -1)
    entry = np.where(rng.random(n) < 0.4, rng.integers(1, 80, n), 0) * late
    seen = np.minimum(life, cut) > entry
    return np.minimum(life, cut)[seen], cause[seen], entry[seen]


def curves(duration, cause, entry=None, **options):
    return aalen_johansen(tabulate_causes(duration, cause, causes="ab", entry=entry), **options)


def weighted(duration, cause, entry, weight, ages):
    """Aalen-Johansen of spells with real weights, straight from its definition."""
    alive, incidence, found = 1.0, np.zeros(2), [np.zeros(2)]
    times = np.unique(duration)
    for t in times:
        at_risk = weight[((entry < t) | (entry == 0)) & (duration >= t)].sum()
        share = np.array([weight[(duration == t) & (cause == j)].sum() for j in (0, 1)])
        share = share / at_risk if at_risk else share
        incidence, alive = incidence + alive * share, alive * (1 - share.sum())
        found.append(incidence)
    return np.array(found)[np.searchsorted(times, ages, side="right")]


def errors_at(fit, ages):
    return fit.std_error[:, np.searchsorted(fit.table.table.time, ages, side="right") - 1].T


# --- published figures ---------------------------------------------------------------------------


def test_incidence_of_mgus2_matches_r():
    """R survfit(Surv(etime, event) ~ 1, mgus2): numbers at risk and 7 (6) digits of each state."""
    fit = aalen_johansen(mgus2())
    printed = {
        60: (874, 0.6455293, 0.0341037, 0.320367),
        120: (424, 0.4044601, 0.0637222, 0.531818),
        180: (178, 0.2470207, 0.0870563, 0.665923),
        240: (57, 0.1761583, 0.0998137, 0.724028),
        360: (3, 0.0817501, 0.1340416, 0.784208),
    }
    for month, (at_risk, stay, pcm, death) in printed.items():
        assert fit.table.table.at_risk_at(month) == at_risk
        here = np.searchsorted(fit.table.table.time, month, side="right") - 1
        assert fit.survival[here] == pytest.approx(stay, abs=5e-8)
        value = fit.at(month).value
        assert value[0] == pytest.approx(pcm, abs=5e-8)
        assert value[1] == pytest.approx(death, abs=5e-7)


def test_one_minus_kaplan_meier_of_mgus2_overstates():
    """R survfit(Surv(etime, event == "pcm") ~ 1): 1 - 0.790438 at 240 months, not 0.0998137."""
    table = mgus2()
    death_censored = tabulate(
        table.table.time.repeat(2),
        np.tile([True, False], len(table.table.time)),
        count=np.column_stack([table.events[0], table.events[1] + table.table.censored]).ravel(),
    )
    assert kaplan_meier(death_censored).at(240).value == pytest.approx(0.790438, abs=5e-7)
    assert aalen_johansen(table).at(240).value[0] == pytest.approx(0.0998137, abs=5e-8)


def test_time_lost_of_mgus2_matches_r():
    """R print(survfit(...), digits = 10): rmean of each state up to 424 months, 8 decimals."""
    fit = aalen_johansen(mgus2())
    lost, _ = time_lost(fit, 424)
    assert lost == pytest.approx([37.73467821, 257.04943520], abs=5e-9)
    stay, _ = restricted_mean(kaplan_meier(fit.table.table), 424)
    assert stay == pytest.approx(129.21588658, abs=5e-9)


@pytest.mark.parametrize(
    ("sex", "stay", "printed"),
    [
        ("F", 9.853607976, (1.323283555, 8.823108469)),
        ("M", 8.675012360, (1.064693499, 10.260294141)),
    ],
)
def test_time_lost_of_mgus2_by_sex_matches_r(sex, stay, printed):
    """R print(survfit(... ~ sex), rmean = 20 years): 9 decimals, in years."""
    table = mgus2(sex)
    lost, _ = time_lost(aalen_johansen(table), 240)
    assert lost / 12 == pytest.approx(printed, abs=5e-10)
    mean, _ = restricted_mean(kaplan_meier(table.table), 240)
    assert mean / 12 == pytest.approx(stay, abs=5e-10)


# --- independent oracles -------------------------------------------------------------------------


def test_incidence_and_variance_equal_lifelines_without_ties():
    """Its ties are jittered by a seed; without ties it is right, its variance too."""
    duration, cause, _ = spells(2, 400, late=0, step=0)
    fit = curves(duration, cause)
    for j in (0, 1):
        with np.errstate():  # lifelines' fit silences numpy for the whole process
            peer = AalenJohansenFitter(calculate_variance=True)
            peer.fit(duration, cause + 1, event_of_interest=j + 1)
        theirs = peer.cumulative_density_.to_numpy().ravel()[1:]
        assert fit.incidence[j] == pytest.approx(theirs, abs=1e-12)
        variance = peer.variance_.to_numpy().ravel()[1:]
        assert fit.std_error[j] ** 2 == pytest.approx(variance, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("seed", range(4))
def test_incidence_with_ties_equals_surpyval(seed):
    """Value to 1e-12; its variance is Aalen's, whose errors differ by about 1 / n."""
    duration, cause, _ = spells(seed, 4000, late=0)
    fit = curves(duration, cause)
    labels = np.array(["a", "b", None], dtype=object)[cause]
    peer = CompetingRisks.fit(duration, labels.tolist(), c=(cause < 0).astype(int))
    for j, name in enumerate("ab"):
        assert fit.incidence[j] == pytest.approx(peer.CIF[peer.event_idx_map[name]], abs=1e-12)
        bounds = peer.cb([20, 60, 120, 200], name)
        ours = np.array([[x[j] for x in fit.at(t)[1:]] for t in (20, 60, 120, 200)])
        assert ours == pytest.approx(bounds, abs=5e-4)


@pytest.mark.parametrize("seed", [1, 2])
def test_standard_error_is_the_infinitesimal_jackknife(seed):
    """R's std.err: root of the summed squares of every spell's influence, here by differences."""
    duration, cause, entry = spells(seed, 80, late=0)
    ages = np.array([30, 60, 100, 150])
    one = np.eye(len(duration)) * 1e-5
    influence = [
        weighted(duration, cause, entry, 1 + e, ages)
        - weighted(duration, cause, entry, 1 - e, ages)
        for e in one
    ]
    expected = np.sqrt(np.square(np.array(influence) / 2e-5).sum(axis=0))
    assert errors_at(curves(duration, cause), ages) == pytest.approx(expected, rel=1e-7)


def test_standard_error_of_time_lost_is_the_infinitesimal_jackknife():
    duration, cause, entry = spells(3, 60, late=0)
    horizon = 150.0
    times = np.unique(np.append(duration[duration < horizon], 0))
    width = np.diff(np.append(times, horizon))

    def lost(weight):
        return width @ weighted(duration, cause, entry, weight, times)

    one = np.eye(len(duration)) * 1e-5
    influence = np.array([lost(1 + e) - lost(1 - e) for e in one]) / 2e-5
    value, error = time_lost(curves(duration, cause), horizon)
    assert value == pytest.approx(lost(np.ones(len(duration))), rel=1e-12)
    assert error == pytest.approx(np.sqrt((influence**2).sum(axis=0)), rel=1e-7)


@pytest.mark.slow
def test_standard_error_with_late_entry_is_that_of_the_bootstrap():
    """Spells drawn again 600 times: within 12 %, four times the noise of such a bootstrap."""
    duration, cause, entry = spells(5, 400, late=1)
    ages, n = np.array([30, 60, 100, 150]), len(duration)
    rng = np.random.default_rng(0)
    drawn = [
        weighted(duration, cause, entry, rng.multinomial(n, np.full(n, 1 / n)), ages)
        for _ in range(600)
    ]
    errors = errors_at(curves(duration, cause, entry), ages)
    assert errors == pytest.approx(np.std(drawn, axis=0), rel=0.12)


@pytest.mark.slow
def test_intervals_with_late_entry_cover_the_truth():
    """Constant hazards 0.004 and 0.006: F = share x (1 - exp(-0.01 t)), 95 % of 1,000 samples."""
    rng, ages = np.random.default_rng(8), (50, 120)
    truth = np.array([[0.4 * (1 - np.exp(-t / 100)), 0.6 * (1 - np.exp(-t / 100))] for t in ages])
    held = np.zeros(truth.shape)
    for _ in range(1000):
        life, cut = rng.exponential(100, 300), rng.uniform(50, 250, 300)
        entry = np.where(rng.random(300) < 0.4, rng.uniform(0, 80, 300), 0)
        cause = np.where(life <= cut, rng.random(300) < 0.6, -1).astype(int)
        duration = np.minimum(life, cut)
        seen = duration > entry
        fit = curves(duration[seen], cause[seen], entry[seen])
        read = [fit.at(t) for t in ages]
        held += [(r.low <= f) & (f <= r.high) for r, f in zip(read, truth, strict=True)]
    assert held / 1000 == pytest.approx(0.95, abs=0.02)


# --- properties ----------------------------------------------------------------------------------


def table_of(rows, times=1):
    entry = np.array([e for e, _, _ in rows] * times)
    length = np.array([d for _, d, _ in rows] * times)
    causes = [c for _, _, c in rows] * times
    return tabulate_causes(entry + length, causes, causes="abc", entry=entry)


@settings(deadline=None)
@given(ROWS)
def test_incidences_and_survival_add_up_to_1(rows):
    fit = aalen_johansen(table_of(rows))
    assert fit.incidence.sum(axis=0) + fit.survival == pytest.approx(1, abs=1e-12)
    survival = kaplan_meier(fit.table.table).survival
    assert fit.survival == pytest.approx(survival, abs=1e-15)
    assert (np.diff(fit.incidence, axis=1) >= 0).all()


def test_incidences_and_survival_add_up_to_1_at_scale():
    rng = np.random.default_rng(0)
    duration = rng.integers(1, 4000, 300_000)
    fit = curves(duration, rng.integers(-1, 2, 300_000), rng.integers(0, duration))
    assert len(fit.survival) > 3900
    assert np.abs(fit.incidence.sum(axis=0) + fit.survival - 1).max() < 1e-12


@settings(deadline=None)
@given(ROWS)
def test_limits_stay_within_0_and_1_around_the_incidence(rows):
    fit = aalen_johansen(table_of(rows))
    known = ~np.isnan(fit.ci_low)
    assert (known == (fit.incidence < 1 - 1e-12)).all()
    low, value, high = (x[known] for x in (fit.ci_low, fit.incidence, fit.ci_high))
    assert ((low >= 0) & (low <= value + 1e-15) & (value <= high + 1e-15) & (high <= 1)).all()


@settings(deadline=None)
@given(ROWS)
def test_the_error_of_one_cause_among_one_is_greenwoods(rows):
    one = [(e, d, min(c, 0)) for e, d, c in rows]
    fit = aalen_johansen(table_of(one))
    curve = kaplan_meier(fit.table.table)
    left = curve.survival > 0
    assert fit.std_error[0][left] == pytest.approx(curve.std_error[left], abs=1e-7)
    assert not fit.incidence[1:].any()


@settings(deadline=None)
@given(ROWS, st.integers(2, 4))
def test_every_row_again_leaves_the_incidence_and_narrows_its_error(rows, times):
    one, many = aalen_johansen(table_of(rows)), aalen_johansen(table_of(rows, times))
    assert many.incidence == pytest.approx(one.incidence, abs=1e-12)
    assert many.std_error == pytest.approx(one.std_error / np.sqrt(times), abs=1e-7)


@settings(deadline=None)
@given(ROWS, st.integers(1, 30))
def test_time_lost_and_restricted_mean_add_up_to_the_horizon(rows, horizon):
    fit = aalen_johansen(table_of(rows))
    lost, error = time_lost(fit, horizon)
    mean, _ = restricted_mean(kaplan_meier(fit.table.table), horizon)
    assert np.isnan(mean) == np.isnan(lost).all()
    if not np.isnan(mean):
        assert lost.sum() + mean == pytest.approx(horizon)
        assert ((error >= 0) & (error <= horizon)).all()


@settings(deadline=None)
@given(ROWS)
def test_hazards_of_the_causes_add_up_to_that_of_all(rows):
    table = table_of(rows)
    hazards = cause_hazards(table)
    assert hazards.value.sum(axis=0) == pytest.approx(nelson_aalen(table.table).value, abs=1e-12)
    assert ((hazards.low <= hazards.value) & (hazards.value <= hazards.high)).all()


@settings(deadline=None)
@given(ROWS, st.integers(0, 20))
def test_incidence_given_alive_is_that_of_the_rest(rows, age):
    """F(t) = F(a) + S(a) F(t given alive at a)."""
    table = table_of(rows)
    whole, rest = aalen_johansen(table), aalen_johansen(table.between(age))
    if not len(rest.survival):
        return
    t = rest.table.table.time
    after = np.searchsorted(table.table.time, t)
    here = np.searchsorted(table.table.time, age, side="right") - 1
    gone = whole.incidence[:, [here]] if here >= 0 else 0.0
    alive = whole.survival[here] if here >= 0 else 1.0
    assert whole.incidence[:, after] == pytest.approx(gone + alive * rest.incidence, abs=1e-12)


# --- edges ---------------------------------------------------------------------------------------


def test_causes_at_the_same_age_need_no_order():
    """Ten spells end at 5, four for a and six for b: four and six tenths, whatever the order."""
    fit = curves([5] * 10, [0] * 4 + [1] * 6)
    assert fit.incidence.ravel() == pytest.approx([0.4, 0.6])
    assert fit.std_error.ravel() == pytest.approx([np.sqrt(0.024)] * 2)
    assert fit.survival == 0
    assert fit.at(4).value.tolist() == [0, 0]
    assert fit.at(50).value == pytest.approx([0.4, 0.6])  # nobody is left: known for good
    assert time_lost(fit, 10)[0] == pytest.approx([2, 3])


def test_a_cause_that_nobody_left_for_is_0():
    fit = curves([3, 5, 9], [0, -1, -1])
    assert [x[1] for x in fit.at(9)] == [0, 0, 0]
    assert time_lost(fit, 9)[0] == pytest.approx([2, 0])


def test_a_cause_that_took_everybody_is_1_without_limits():
    fit = curves([3, 5], [0, 0])
    assert fit.at(5).value.tolist() == [1, 0]
    assert np.isnan([fit.at(5).low[0], fit.at(5).high[0]]).all()


def test_no_spell_and_ages_that_were_not_seen_are_unknown():
    nothing = curves([], [])
    assert np.isnan(nothing.at(0)).all()
    assert np.isnan(time_lost(nothing, 10)).all()
    fit = aalen_johansen(tabulate_causes([5, 9], [0, -1], causes="ab").between(4))
    assert np.isnan(fit.at(3)).all()
    assert np.isnan(fit.at(10)).all()
    assert fit.at(4).value.tolist() == [0, 0]
    assert np.isnan(time_lost(fit, 10)).all()


def test_counts_stand_for_rows():
    rows = tabulate_causes([3, 3, 3, 7], [0, 0, 1, -1], causes="ab", entry=[0, 0, 0, 1])
    counts = tabulate_causes([3, 3, 7], [0, 1, -1], causes="ab", entry=[0, 0, 1], count=[2, 1, 1])
    assert rows.events.tolist() == counts.events.tolist() == [[0, 2, 0], [0, 1, 0]]
    assert rows.table.at_risk.tolist() == counts.table.at_risk.tolist()


def test_causes_that_do_not_fit_the_table_are_refused():
    table = tabulate([1, 2], [True, True])
    with pytest.raises(InputError, match="must add up to all events"):
        cause_table(table, [[1, 0], [1, 1]], "ab")
    with pytest.raises(InputError, match="must add up to all events"):
        cause_table(table, [[2, 1], [-1, 0]], "ab")
    with pytest.raises(InputError, match="3 columns of events for 2 times"):
        cause_table(table, [[1, 0, 0]], "a")
    with pytest.raises(InputError, match="2 rows name none of the 2 causes"):
        tabulate_causes([1, 2, 3], [2, -2, 0], causes="ab")
