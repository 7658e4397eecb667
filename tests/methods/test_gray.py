"""Gray's test against cmprsk, against Fine and Gray's score, and over simulated worlds.

Figures are those of R 4.2.2 with cmprsk 2.2-11: cuminc(ftime, fstatus, group)$Tests, to the digits
printed.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from csa.errors import InputError
from csa.methods.causetable import tabulate_causes
from csa.methods.fine_gray import fit_fine_gray
from csa.methods.gray import gray
from csa.methods.logrank import log_rank
from csa.methods.subdistribution import competing_spells

REFERENCE = Path(__file__).parent.parent / "reference"
CAUSES = ("pcm", "death")
ROWS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(1, 9), st.integers(-1, 1), st.integers(0, 2)),
    min_size=1,
    max_size=40,
)


def mgus2():
    rows = pd.read_csv(REFERENCE / "mgus2_causes.csv")
    rows["cause"] = rows["event"].map({"censor": -1, "pcm": 0, "death": 1})
    rows["band"] = pd.cut(rows["age"], [0, 63, 75, 120], labels=["a", "b", "c"]).astype(str)
    rows["entry"] = rows["age"] * 7 % 40
    return rows


def tables_of(rows, by, *, late=False):
    return [
        tabulate_causes(
            group["etime"],
            group["cause"],
            causes=CAUSES,
            entry=group["entry"] if late else None,
            count=group["n"],
        )
        for _, group in rows.groupby(by)
    ]


def tables(exits, cause, entry, group, groups=None):
    groups = int(group.max(initial=-1)) + 1 if groups is None else groups
    return [
        tabulate_causes(exits[of], cause[of], causes="ab", entry=entry[of])
        for of in (group == g for g in range(groups))
    ]


def simulated(rng, n=240, groups=3, *, late=True, step=0.0):
    """Causes whose rates do not differ, while groups are lost from sight differently."""
    group = rng.integers(0, groups, n)
    life, cut = rng.exponential(1.0, n), rng.uniform(0.2, 2 + group, n)
    entry = np.maximum(rng.uniform(-0.5, 0.5, n), 0.0) * late
    if step:
        life, cut, entry = (np.ceil(a / step) * step for a in (life, cut, entry))
    cause = np.where(life <= cut, (rng.random(n) < 0.6).astype(int), -1)
    seen = np.minimum(life, cut) > entry
    return np.minimum(life, cut)[seen], cause[seen], entry[seen], group[seen]


# --- published figures ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "rho", "df", "pcm", "death"),
    [
        ("sex", 0, 1, 1.19450782508, 11.65125901213),
        ("band", 0, 2, 4.6647637561, 275.5841227740),
        ("band", 1, 2, 4.08236788231, 213.84880986114),
    ],
)
def test_gray_of_mgus2_matches_cmprsk(by, rho, df, pcm, death):
    """R cuminc(etime, event, sex, rho) on mgus2; bands of age (0, 63], (63, 75], (75, 120]."""
    groups = tables_of(mgus2(), by)
    for cause, statistic in (("pcm", pcm), ("death", death)):
        found = gray(groups, cause, rho=rho)
        assert found.statistic == pytest.approx(statistic, rel=1e-11)
        assert found.df == df
    assert gray(tables_of(mgus2(), "sex"), "pcm").p_value == pytest.approx(
        0.274422156788, abs=5e-13
    )


# --- other oracles -------------------------------------------------------------------------------


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("cause", [0, 1])
def test_scores_are_those_of_fine_and_gray(late, cause):
    """Fine and Gray's score without effect, with weights of each group, is Gray's, ties and all."""
    rows = mgus2()
    rows = rows[rows["etime"] > rows["entry"]] if late else rows
    male = (rows["sex"] == "M").astype(int)
    # the last of each sex is lost from sight, else the two differ past the end of a group
    ends = rows.groupby("sex")["etime"].transform("max")
    rows = rows.assign(cause=rows["cause"].where(rows["etime"] < ends, -1))
    test = gray(tables_of(rows, "sex", late=late), CAUSES[cause])
    spells = competing_spells(
        rows["etime"],
        rows["cause"],
        entry=rows["entry"] if late else None,
        groups=male,
        count=rows["n"],
    )
    fit = fit_fine_gray(male.to_numpy()[:, None], spells, interest=cause, ties="breslow")
    problem = fit.weighted.likelihood
    score = problem.at(np.zeros(1)).score * problem.columns.scale
    assert (test.observed - test.expected)[1] == pytest.approx(score[0], abs=1e-9)
    robust = fit.effects[0] ** 2 / fit.covariance[0, 0]
    assert test.statistic == pytest.approx(robust, rel=0.15)  # equal only as n grows


def test_without_another_cause_it_is_the_log_rank_test_but_for_ties():
    rng = np.random.default_rng(0)
    exits, cause, entry, group = simulated(rng)
    found = gray(tables(exits, np.where(cause == 0, 0, -1), entry, group), "a")
    ranks = log_rank([t.table for t in tables(exits, np.where(cause == 0, 0, -1), entry, group)])
    assert found.observed - found.expected == pytest.approx(ranks.observed - ranks.expected)
    assert found.statistic == pytest.approx(ranks.statistic, rel=0.05)
    assert found.df == ranks.df == 2


@pytest.mark.slow
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("step", [0.0, 0.25])
def test_equal_groups_are_told_apart_as_often_as_the_level_says(late, step):
    """1,000 worlds each; loss from sight differs by group, incidence does not."""
    rng = np.random.default_rng(17)
    p_values = []
    for _ in range(1000):
        exits, cause, entry, group = simulated(rng, late=late, step=step)
        start = entry.max(initial=0.0) * 0.2  # from here on enough are under observation
        entry, seen = np.where(entry <= start, 0, entry), exits > start
        parts = tables(exits[seen], cause[seen], entry[seen], group[seen])
        p_values.append(gray(parts, "a").p_value)
    assert 0.035 <= np.mean(np.array(p_values) < 0.05) <= 0.065
    assert 0.46 <= np.mean(p_values) <= 0.54


@pytest.mark.slow
def test_rates_may_be_alike_where_incidence_is_not():
    """Group 1 is taken by another cause sooner: fewer are left to leave for cause a."""
    rng = np.random.default_rng(3)
    group = np.arange(3000) % 2
    one, two = rng.exponential(1.0, 3000), rng.exponential(1 / (0.2 + 2 * group))
    exits = np.minimum(np.minimum(one, two), 2.0)
    cause = np.where(exits == one, 0, np.where(exits == two, 1, -1))
    groups = tables(exits, cause, np.zeros(3000), group)
    alone = tables(exits, np.where(cause == 0, 0, -1), np.zeros(3000), group)
    assert gray(groups, "a").p_value < 1e-6
    assert log_rank([t.table for t in alone]).p_value > 0.01


# --- properties ----------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(rows=ROWS)
def test_any_counts_give_a_statistic_or_say_why_not(rows):
    entry, length, cause, group = (np.array(c) for c in zip(*rows, strict=True))
    try:
        found = gray(tables(entry + length, cause, entry, group, 3), "a")
    except InputError:
        return
    gap = found.observed - found.expected
    assert gap.sum() == pytest.approx(0, abs=1e-9)
    assert found.df <= 2
    assert np.isnan(found.statistic) if found.df == 0 else found.statistic >= 0
    assert np.isnan(found.p_value) or 0 <= found.p_value <= 1


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, seed=st.integers(0, 99))
@pytest.mark.slow
def test_order_of_groups_and_unit_do_not_matter(rows, seed):
    entry, length, cause, group = (np.array(c) for c in zip(*rows, strict=True))
    entry = entry * 0
    found = gray(tables(length, cause, entry, group, 3), "b")
    turn = np.random.default_rng(seed).permutation(3)
    other = gray(tables(length * 30, cause, entry, turn[group], 3), "b")
    assert other.observed[turn] == pytest.approx(found.observed)
    assert other.expected[turn] == pytest.approx(found.expected)
    assume(found.df > 0)
    assert other.statistic == pytest.approx(found.statistic, rel=1e-6, abs=1e-9)


# --- edges ---------------------------------------------------------------------------------------


NOBODY = tabulate_causes([], np.empty(0, int), causes="ab")


@pytest.mark.parametrize(
    "groups",
    [
        [],
        [NOBODY],
        [NOBODY, NOBODY],
        [tabulate_causes([3, 5], [0, 1], causes="ab")],
        [tabulate_causes([3, 5], [0, 1], causes="ab"), NOBODY],
        [tabulate_causes([3, 5], [-1, -1], causes="ab")] * 2,
        [tabulate_causes([3, 5], [1, 1], causes="ab")] * 2,
    ],
    ids=["no group", "no rows", "no rows twice", "one group", "one empty", "censored", "absent"],
)
def test_nothing_to_compare_is_unknown(groups):
    found = gray(groups, "a")
    assert (found.df, len(found.observed)) == (0, len(groups))
    assert np.isnan(found.statistic)
    assert np.isnan(found.p_value)


def test_equal_groups_do_not_differ():
    found = gray([tabulate_causes([3, 5, 7, 7], [0, 1, 0, -1], causes="ab")] * 2, "a")
    assert (found.statistic, found.df, found.p_value) == (pytest.approx(0), 1, pytest.approx(1))


@pytest.mark.parametrize(
    ("groups", "cause", "rho", "text"),
    [
        ([NOBODY], "c", 0, '"c" is none of the causes a, b'),
        ([NOBODY], "a", -1, "rho -1 must be 0 or more"),
        ([NOBODY, tabulate_causes([1], [0], causes="ac")], "a", 0, "different causes"),
        (
            [tabulate_causes([2, 9, 9], [1, 0, 0], causes="ab", entry=[0, 4, 4])],
            "a",
            0,
            "in group 0 all under observation have left at age 2",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(groups, cause, rho, text):
    with pytest.raises(InputError, match=text):
        gray(groups, cause, rho=rho)
