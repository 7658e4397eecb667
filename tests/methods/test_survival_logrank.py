"""Log-rank with ties and delayed entry against statsmodels and SurPyval."""

import numpy as np
import pytest
import surpyval
from lifelines.statistics import multivariate_logrank_test
from scipy.stats import chi2
from statsmodels.duration.survfunc import survdiff

from csa.methods.lifetable import tabulate
from csa.methods.logrank import chi_square_tail, log_rank


def truncated(seed, *, groups=4, n=900):
    """Left-truncated spells in whole days: two in five come under observation late."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, groups, n)
    duration = np.ceil(rng.exponential(200 + 30 * group)).astype(int)
    cut = rng.integers(1, 500, n)
    entry = np.where(rng.random(n) < 0.4, rng.integers(1, 300, n), 0)
    exits, event = np.minimum(duration, cut), duration <= cut
    seen = exits > entry
    return exits[seen], event[seen], entry[seen], group[seen]


def tables(exits, event, entry, group):
    return [
        tabulate(exits[group == g], event[group == g], entry=entry[group == g])
        for g in np.unique(group)
    ]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("groups", [2, 5])
def test_log_rank_with_delayed_entry_equals_statsmodels_and_surpyval(seed, groups):
    """Against statsmodels survdiff(entry=) and SurPyval logrank(tl=), computed here, to 1e-8."""
    exits, event, entry, group = truncated(seed, groups=groups)
    test = log_rank(tables(exits, event, entry, group))
    statistic, p = survdiff(exits, event.astype(int), group, entry=entry)
    assert test.statistic == pytest.approx(statistic, abs=1e-8)
    assert test.p_value == pytest.approx(p, abs=1e-8)
    peer = surpyval.logrank(exits, group, c=(~event).astype(int), tl=entry.astype(float))
    assert test.statistic == pytest.approx(peer.statistic, abs=1e-8)
    assert test.df == groups - 1


def test_log_rank_without_entry_equals_lifelines():
    exits, event, _, group = truncated(3)
    test = log_rank(tables(exits, event, np.zeros_like(exits), group))
    peer = multivariate_logrank_test(exits, group, event)
    assert test.statistic == pytest.approx(peer.test_statistic, abs=1e-8)


def test_log_rank_holds_where_groups_differ_in_size_by_orders():
    """Against statsmodels on expanded rows; a group of 8 beside one of 40,000."""
    rng = np.random.default_rng(5)
    exits = rng.integers(1, 60, 42_008)
    event = rng.random(42_008) < 0.5
    group = np.repeat([0, 1, 2], [40_000, 2_000, 8])
    test = log_rank(tables(exits, event, np.zeros_like(exits), group))
    statistic, _ = survdiff(exits, event.astype(int), group)
    assert (test.df, test.statistic) == (2, pytest.approx(statistic, abs=1e-8))


def test_a_group_that_is_never_at_risk_at_an_event_takes_no_degree_of_freedom():
    """R's survdiff counts groups with expected events only."""
    early = tabulate([1, 1], [False, False])
    test = log_rank([tabulate([5, 6], [1, 1]), tabulate([5, 9], [1, 1]), early])
    assert test.df == 1
    assert test.expected[2] == 0


def test_groups_that_never_meet_cannot_be_compared():
    young = tabulate([3, 4], [True, True])
    old = tabulate([30, 40], [True, True], entry=[10, 10])
    test = log_rank([young, old])
    assert test.df == 0
    assert np.isnan([test.statistic, test.p_value]).all()


@pytest.mark.parametrize("events", [[False, False], []])
def test_without_churn_there_is_no_test(events):
    test = log_rank([tabulate(range(1, 1 + len(events)), events)] * 2)
    assert test.df == 0
    assert np.isnan(test.statistic)


def test_two_equal_groups_do_not_differ():
    same = tabulate([1, 2, 2, 3], [True, True, False, True])
    test = log_rank([same, same])
    assert test.statistic == pytest.approx(0, abs=1e-12)
    assert test.p_value == pytest.approx(1)


@pytest.mark.parametrize("df", [1, 2, 3, 4, 19, 20, 151, 400])
@pytest.mark.parametrize("statistic", [0, 1e-9, 0.5, 3.84, 49.9, 400, 5000])
def test_chi_square_tail_equals_scipy(statistic, df):
    expected = chi2.sf(statistic, df)
    assert chi_square_tail(statistic, df) == pytest.approx(expected, rel=1e-10, abs=1e-300)


def test_chi_square_tail_of_a_huge_statistic_is_zero():
    assert chi_square_tail(1e6, 3) == 0
