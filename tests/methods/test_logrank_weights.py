"""Fleming-Harrington weights and strata against R, statsmodels, SurPyval and lifelines."""

import numpy as np
import pandas as pd
import pytest
import surpyval
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines.datasets import load_rossi
from lifelines.statistics import multivariate_logrank_test
from statsmodels.duration.survfunc import survdiff
from stored import stored

from csa.errors import InputError
from csa.methods.lifetable import tabulate
from csa.methods.logrank import log_rank, stratified_log_rank

NOBODY = tabulate([], [])
ROWS = st.lists(
    st.tuples(st.integers(0, 20), st.integers(1, 20), st.booleans()), min_size=1, max_size=30
)


def spells(seed, *, groups=3, strata=4, n=900, late=True):
    """Left-truncated spells in whole days; hazards differ between strata and groups."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"group": rng.integers(0, groups, n), "stratum": rng.integers(0, strata, n)}
    )
    life = np.ceil(rng.exponential(120 + 30 * frame["group"] + 80 * frame["stratum"])).astype(int)
    cut = rng.integers(1, 500, n)
    entry = np.where(rng.random(n) < 0.4, rng.integers(1, 250, n), 0) * late
    frame = frame.assign(exit=np.minimum(life, cut), event=life <= cut, entry=entry)
    return frame[frame["exit"] > frame["entry"]].reset_index(drop=True)


def table(frame):
    return tabulate(frame["exit"], frame["event"], entry=frame["entry"])


def by_group(frame, groups):
    return [table(frame[frame["group"] == g]) for g in groups]


def by_stratum(frame):
    groups = sorted(frame["group"].unique())
    return [by_group(part, groups) for _, part in frame.groupby("stratum")]


def surpyval_statistic(frame, **options):
    """SurPyval's statistic with left truncation."""
    test = surpyval.logrank(
        frame["exit"].to_numpy(),
        frame["group"].to_numpy(),
        c=(~frame["event"]).to_numpy(dtype=int),
        tl=frame["entry"].to_numpy(dtype=float),
        **options,
    )
    return test.statistic


def test_weighted_log_rank_of_rossi_matches_r():
    """R survdiff(Surv(week, arrest) ~ fin, rho = 1)$chisq, survival 3.5-3: 3.749499682."""
    rossi = load_rossi()
    fin = [rossi[rossi["fin"] == g] for g in (0, 1)]
    test = log_rank([tabulate(f["week"], f["arrest"]) for f in fin], rho=1)
    assert test.statistic == pytest.approx(3.749499682, abs=5e-10)
    assert test.df == 1


def test_log_rank_of_the_left_truncated_fixture_equals_two_peers():
    """20 segments with delayed entry: 49.89360945 by statsmodels and by SurPyval."""
    raw = pd.read_csv(stored("CSA_REFERENCE", "fixtures", "left_truncated_10k.csv"))
    frame = raw.rename(columns={"dur": "exit", "ev": "event", "seg": "group"})
    test = log_rank(by_group(frame, sorted(frame["group"].unique())))
    assert (test.df, test.statistic) == (19, pytest.approx(49.89360945, abs=5e-9))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("rho", [0.5, 1, 2])
def test_weighted_log_rank_equals_statsmodels(seed, rho):
    """survdiff(weight_type="fh", fh_p=rho), to 1e-8; with an entry at 0 its weights are NaN."""
    frame = spells(seed, late=False)
    statistic, p_value = survdiff(
        frame["exit"].to_numpy(),
        frame["event"].to_numpy(dtype=int),
        frame["group"].to_numpy(),
        weight_type="fh",
        fh_p=rho,
    )
    test = log_rank(by_group(frame, range(3)), rho=rho)
    assert test.statistic == pytest.approx(statistic, abs=1e-8)
    assert test.p_value == pytest.approx(p_value, abs=1e-8)


@pytest.mark.parametrize(("rho", "gamma"), [(1, 0), (0.5, 0), (0, 1), (0.5, 2)])
@pytest.mark.parametrize("seed", range(3))
def test_weighted_log_rank_with_delayed_entry_equals_surpyval(seed, rho, gamma):
    frame = spells(seed)
    test = log_rank(by_group(frame, range(3)), rho=rho, gamma=gamma)
    peer = surpyval_statistic(frame, weighting="fleming-harrington", rho=rho, gamma=gamma)
    assert test.statistic == pytest.approx(peer, abs=1e-8)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("late", [False, True])
def test_stratified_log_rank_equals_surpyval(seed, late):
    frame = spells(seed, late=late)
    test = stratified_log_rank(by_stratum(frame))
    peer = surpyval_statistic(frame, strata=frame["stratum"].to_numpy())
    assert (test.df, test.statistic) == (2, pytest.approx(peer, abs=1e-8))


@pytest.mark.parametrize("rho", [0, 1])
def test_stratified_weighted_log_rank_equals_statsmodels(rho):
    """Weights of each stratum from its own survival; without entry, as statsmodels needs it."""
    frame = spells(9, late=False)
    statistic, _ = survdiff(
        frame["exit"].to_numpy(),
        frame["event"].to_numpy(dtype=int),
        frame["group"].to_numpy(),
        weight_type="fh",
        fh_p=rho,
        strata=frame["stratum"].to_numpy(),
    )
    test = stratified_log_rank(by_stratum(frame), rho=rho)
    assert test.statistic == pytest.approx(statistic, abs=1e-8)


@pytest.mark.parametrize(("rho", "gamma"), [(0, 0), (1, 0), (0, 1), (0.5, 0.5)])
def test_multiplicities_weigh_what_their_expanded_rows_do(rho, gamma):
    """Against lifelines on expanded rows; its `weights=` says p 0.026 for 0.032 with rho 1."""
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "group": np.repeat([0, 1], 60),
            "exit": rng.integers(1, 25, 120),
            "event": rng.random(120) < 0.7,
            "count": rng.integers(1, 9, 120),
        }
    )
    groups = [part for _, part in frame.groupby("group")]
    counted = [tabulate(p["exit"], p["event"], count=p["count"]) for p in groups]
    rows = frame.loc[frame.index.repeat(frame["count"])]
    expanded = [tabulate(p["exit"], p["event"]) for _, p in rows.groupby("group")]
    test = log_rank(counted, rho=rho, gamma=gamma)
    assert test.statistic == log_rank(expanded, rho=rho, gamma=gamma).statistic
    peer = multivariate_logrank_test(
        rows["exit"], rows["group"], rows["event"], weightings="fleming-harrington", p=rho, q=gamma
    )
    assert test.statistic == pytest.approx(peer.test_statistic, abs=1e-8)
    assert test.p_value == pytest.approx(peer.p_value, abs=1e-8)


def test_weights_stress_early_or_late_differences():
    """Same hazards up to 50, then one group goes: the later weight sees it better."""
    early = [(5 * k, True) for k in range(1, 11)] * 5
    both = [tabulate(*zip(*early, *[(60, True)] * 10, (99, False), strict=True))]
    both += [tabulate(*zip(*early, *[(99, False)] * 11, strict=True))]
    late, plain, soon = (log_rank(both, **w).statistic for w in ({"gamma": 1}, {}, {"rho": 1}))
    assert late > plain > soon


@settings(deadline=None)
@given(st.lists(ROWS, min_size=2, max_size=3), st.sampled_from([(0, 0), (1, 0), (0, 1)]))
@pytest.mark.slow
def test_a_stratum_without_rows_changes_nothing(groups, weights):
    rho, gamma = weights
    tables = [
        tabulate(
            [e + d for e, d, _ in rows], [x for _, _, x in rows], entry=[e for e, _, _ in rows]
        )
        for rows in groups
    ]
    one = log_rank(tables, rho=rho, gamma=gamma)
    empty = [NOBODY] * len(tables)
    two = stratified_log_rank([tables, empty], rho=rho, gamma=gamma)
    assert (one.df, one.observed.tolist()) == (two.df, two.observed.tolist())
    assert two.statistic == pytest.approx(one.statistic, nan_ok=True)


def test_a_group_that_a_stratum_does_not_hold_is_compared_in_the_others():
    a, b, c = (tabulate(range(1, 9), [k % 3 != j for k in range(8)]) for j in range(3))
    apart = stratified_log_rank([[a, b, NOBODY], [NOBODY, b, c]])
    assert apart.df == 2
    assert apart.observed.tolist() == [a.events.sum(), 2 * b.events.sum(), c.events.sum()]
    alone = stratified_log_rank([[a, NOBODY], [NOBODY, b]])
    assert (alone.df, np.isnan(alone.p_value)) == (0, True)


@pytest.mark.parametrize("strata", [[], [[]], [[NOBODY, NOBODY]]])
def test_without_rows_there_is_no_test(strata):
    test = stratified_log_rank(strata, rho=1)
    assert test.df == 0
    assert np.isnan([test.statistic, test.p_value]).all()


def test_impossible_weights_and_uneven_strata_are_refused():
    with pytest.raises(InputError, match="rho -1 and gamma 0 must be 0 or more"):
        log_rank([NOBODY, NOBODY], rho=-1)
    with pytest.raises(InputError, match=r"strata hold \[1, 2\] groups"):
        stratified_log_rank([[NOBODY, NOBODY], [NOBODY]])
