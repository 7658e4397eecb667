"""What holds for survival whatever the spells."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csa.methods.lifetable import tabulate
from csa.methods.logrank import log_rank
from csa.methods.survival import kaplan_meier, nelson_aalen, quantile, restricted_mean

ROWS = st.lists(
    st.tuples(st.integers(0, 30), st.integers(1, 30), st.booleans()), min_size=1, max_size=60
)
INTERVALS = st.sampled_from(["log", "log-log"])


def table_of(rows, times=1):
    """Life table of (entry, length, event), every row so many times."""
    entry = np.array([e for e, _, _ in rows] * times)
    length = np.array([d for _, d, _ in rows] * times)
    return tabulate(entry + length, [x for _, _, x in rows] * times, entry=entry)


@settings(deadline=None)
@given(ROWS, INTERVALS)
def test_survival_falls_within_0_and_1_and_lies_in_its_interval(rows, interval):
    curve = kaplan_meier(table_of(rows), interval=interval)
    assert (np.diff(curve.survival) <= 0).all()
    assert ((curve.survival >= 0) & (curve.survival <= 1)).all()
    known = ~np.isnan(curve.ci_low)
    assert (known == (curve.survival > 0)).all()
    assert (curve.ci_low[known] <= curve.survival[known] + 1e-15).all()
    assert (curve.ci_high[known] >= curve.survival[known] - 1e-15).all()
    assert ((curve.ci_low[known] >= 0) & (curve.ci_high[known] <= 1)).all()


@settings(deadline=None)
@given(ROWS, st.randoms())
def test_the_order_of_rows_does_not_matter(rows, random):
    mixed = list(rows)
    random.shuffle(mixed)
    one, other = kaplan_meier(table_of(rows)), kaplan_meier(table_of(mixed))
    assert one.survival.tolist() == other.survival.tolist()


@settings(deadline=None)
@given(ROWS, st.integers(2, 5))
def test_every_row_again_leaves_survival_and_narrows_the_variance(rows, times):
    one, many = kaplan_meier(table_of(rows)), kaplan_meier(table_of(rows, times))
    assert many.survival == pytest.approx(one.survival, abs=1e-12)
    known = one.survival > 0
    assert many.log_variance[known] == pytest.approx(one.log_variance[known] / times, abs=1e-12)


@settings(deadline=None)
@given(ROWS, ROWS)
def test_tables_of_groups_add_up_to_the_table_of_all(one, other):
    both = table_of(one + other)
    for ages in (both.time, both.time + 0.5):
        parts = table_of(one).at_risk_at(ages) + table_of(other).at_risk_at(ages)
        assert parts.tolist() == both.at_risk_at(ages).tolist()


@settings(deadline=None)
@given(ROWS, st.integers(0, 30), st.integers(1, 30))
def test_survival_is_the_product_of_its_conditional_parts(rows, age, ahead):
    table = table_of(rows)
    whole = kaplan_meier(table)
    start, end = whole.at(age).value, whole.at(age + ahead).value
    rest = kaplan_meier(table.between(age)).at(age + ahead).value
    if start > 0 and not np.isnan(end):
        assert start * rest == pytest.approx(end, abs=1e-12)


@settings(deadline=None)
@given(ROWS)
def test_cumulative_hazard_never_exceeds_minus_log_survival(rows):
    table = table_of(rows)
    curve, hazard = kaplan_meier(table), nelson_aalen(table)
    alive = curve.survival > 0
    assert (hazard.value[alive] <= -np.log(curve.survival[alive]) + 1e-12).all()
    assert (hazard.low <= hazard.value).all()
    assert (hazard.value <= hazard.high).all()


@settings(deadline=None)
@given(ROWS, st.integers(1, 40))
def test_restricted_mean_lies_between_0_and_the_horizon(rows, horizon):
    mean, error = restricted_mean(kaplan_meier(table_of(rows)), horizon)
    assert np.isnan(mean) or (0 <= mean <= horizon and error >= 0)


@settings(deadline=None)
@given(ROWS, INTERVALS, st.sampled_from([0.1, 0.25, 0.5, 0.9]))
def test_a_quantile_is_an_age_at_which_the_curve_has_come_down(rows, interval, share):
    curve = kaplan_meier(table_of(rows), interval=interval)
    age, low, high = quantile(curve, share)
    if np.isnan(age):
        assert curve.survival[-1] > 1 - share
    else:
        assert curve.at(age).value <= 1 - share + 1e-7
        assert np.isnan(low) or low <= age
        assert np.isnan(high) or high >= age


@settings(deadline=None)
@given(st.lists(ROWS, min_size=2, max_size=4))
def test_log_rank_expects_as_many_events_as_there_are(groups):
    test = log_rank([table_of(rows) for rows in groups])
    assert test.expected.sum() == pytest.approx(test.observed.sum())
    assert test.df <= len(groups) - 1
    assert np.isnan(test.statistic) or (test.statistic >= 0 and 0 <= test.p_value <= 1)


@settings(deadline=None)
@given(st.lists(ROWS, min_size=2, max_size=4))
@pytest.mark.slow
def test_log_rank_does_not_depend_on_the_order_of_groups(groups):
    one = log_rank([table_of(rows) for rows in groups])
    other = log_rank([table_of(rows) for rows in groups[::-1]])
    assert other.df == one.df
    assert other.statistic == pytest.approx(one.statistic, rel=1e-6, abs=1e-9, nan_ok=True)
