"""Concordance against R, SurPyval, lifelines and pairs compared one by one."""

import itertools
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import surpyval
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import datasets
from lifelines.utils import concordance_index as lifelines_concordance
from stored import stored
from surpyval.metrics import concordance_index as surpyval_concordance

from csa.errors import InputError
from csa.methods.concordance import concordance
from csa.methods.concordance_binned import concordance_binned
from csa.methods.dominance import meetings

ROSSI = {
    "fin": -0.37942217,
    "age": -0.05743774,
    "race": 0.31389979,
    "wexp": -0.14979570,
    "mar": -0.43370388,
    "paro": -0.08487108,
    "prio": 0.09149708,
}
LUNG = {"age": 0.011066765, "sex": -0.552612396, "ph.ecog": 0.463728475}
HEART = {
    "age": 0.02716664,
    "year": -0.14634635,
    "surgery": -0.63720989,
    "transplant": -0.01025077,
}
COLUMNS = [f"x{i}" for i in range(10)]  # of the fixture


class Found(NamedTuple):
    """What counting pairs one by one gives."""

    concordant: float
    discordant: float
    tied_score: float
    tied_time: float
    tied_both: float
    value: float
    std_error: float


def score(frame, coefficients):
    """Linear predictor of a Cox model with printed coefficients."""
    return sum(frame[name].to_numpy(float) * beta for name, beta in coefficients.items())


def pair_by_pair(scores, ends, event, entry, weight):
    """Compare all pairs, one by one, by the definition."""
    n = len(scores)
    net, pairs, found = np.zeros(n), np.zeros(n), np.zeros(5)
    for i, j in itertools.product(range(n), range(n)):
        if i == j or not event[i]:
            continue
        w = weight[i]
        if event[j] and ends[i] == ends[j]:
            found[4 if scores[i] == scores[j] else 3] += w / 2
        elif (ends[i] < ends[j] or (ends[i] == ends[j] and not event[j])) and (
            entry[j] <= 0 or entry[j] < ends[i]
        ):
            sign = np.sign(scores[i] - scores[j])
            found[{1: 0, -1: 1, 0: 2}[int(sign)]] += w
            net[[i, j]] += w * sign
            pairs[[i, j]] += w
    total = found[:3].sum()
    if not total:
        return Found(*found, np.nan, np.nan)
    somers = (found[0] - found[1]) / total
    error = np.sqrt((((net - somers * pairs) / (2 * total)) ** 2).sum())
    return Found(*found, (1 + somers) / 2, error)


def uno_weights(ends, event, entry, until):
    """1 / G(t-)², with those that churn at t at risk of censoring at t, as R has it."""
    weights, staying = {}, 1.0
    for t in np.unique(ends):
        weights[t] = 1 / staying**2 if staying > 0 and t <= until else 0.0
        at_risk = ((entry < t) | (entry <= 0)) & (ends >= t)
        staying *= 1 - ((ends == t) & ~event).sum() / at_risk.sum()
    return np.array([weights[t] for t in ends])


def drawn(seed, *, n=None, ties=True):
    """Few rows with ties in everything and late entries."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 28)) if n is None else n
    ends = rng.integers(0, 9, n).astype(float) + (0.5 if seed % 3 == 0 else 0)
    scores = rng.integers(0, 5, n).astype(float) if ties else rng.normal(size=n)
    entry = np.where(rng.random(n) < 0.5, rng.integers(0, 9, n), 0).astype(float)
    return scores, ends, rng.random(n) < 0.6, np.where(entry >= ends, 0.0, entry)


def many(n, seed=0):
    """Whole days up to five years, censored at random, with a score that says something."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=n)
    ends = np.minimum(np.ceil(rng.exponential(900, n) * np.exp(-scores / 2)), 1825).astype(int)
    entry = np.where(rng.random(n) < 0.4, (ends * rng.random(n)).astype(int), 0)
    return scores, ends, rng.random(n) < 0.55, entry


@pytest.mark.parametrize("weights", ["n", "n/G2"])
def test_rossi_matches_r(weights):
    """R survival 3.5-3, concordance of the Cox model of rossi; all digits printed.

    Censoring is at the last week only, so both weights give the same.
    """
    rossi = datasets.load_rossi()
    found = concordance(score(rossi, ROSSI), rossi["week"], rossi["arrest"], weights=weights)
    counts = [found.concordant, found.discordant, found.tied_score, found.tied_time]
    assert [*counts, found.tied_both] == [27242, 15291, 49, 111, 0]
    assert found.value == pytest.approx(0.6403292, abs=5e-8)
    assert found.std_error == pytest.approx(0.02665812, abs=5e-9)


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [("lung by sex", 0.579, 0.021), ("lung", 0.637, 0.025), ("waltons", 0.656, 0.020)],
)
def test_lung_and_waltons_match_r(name, value, error):
    """R survival 3.5-3, summary.coxph, printed to 3 digits."""
    if name == "waltons":
        frame = datasets.load_waltons()
        found = concordance(frame["group"] == "miR-137", frame["T"], frame["E"])
    else:
        frame = datasets.load_lung()
        terms = {"sex": LUNG["sex"]} if name == "lung by sex" else LUNG
        frame = frame.dropna(subset=list(terms))
        found = concordance(score(frame, terms), frame["time"], frame["status"])
    assert [found.value, found.std_error] == pytest.approx([value, error], abs=5e-4)


def test_heart_with_entry_matches_r():
    """R survival 3.5-3, summary.coxph of heart in start-stop form: 0.636 (se 0.033)."""
    heart = datasets.load_stanford_heart_transplants()
    found = concordance(score(heart, HEART), heart["stop"], heart["event"], entry=heart["start"])
    assert [found.value, found.std_error] == pytest.approx([0.636, 0.033], abs=5e-4)


def test_left_truncated_fixture_matches_r():
    """R survival 3.5-3 on left_truncated_10k.csv: 0.6151129; without entry others give 0.638."""
    raw = pd.read_csv(stored("CSA_REFERENCE", "fixtures", "left_truncated_10k.csv"))
    columns = raw[COLUMNS].to_numpy()
    late = raw["entry"].to_numpy(float)
    times = raw["dur"].to_numpy(float)
    betas = surpyval.CoxPH.fit(x=times, Z=columns, c=1 - raw["ev"].to_numpy(), tl=late).params
    assert betas[:3] == pytest.approx([0.283811211, -0.188369924, 0.069605454], abs=1e-9)
    data = columns @ betas, raw["dur"], raw["ev"]
    assert concordance(*data, entry=raw["entry"]).value == pytest.approx(0.6151129, abs=5e-8)
    assert concordance(*data).value == pytest.approx(0.638, abs=5e-4)


@pytest.mark.parametrize("weights", ["n", "n/G2"])
@pytest.mark.parametrize("until", [np.inf, 4.0])
def test_concordance_equals_pairs_compared_one_by_one(weights, until):
    """Counts, value and standard error to 1e-12, with ties in everything and late entries."""
    for seed in range(80):
        scores, ends, event, entry = drawn(seed, ties=seed % 4 > 0)
        weight = (ends <= until).astype(float)
        if weights == "n/G2":
            weight = uno_weights(ends, event, entry, until)
        expected = pair_by_pair(scores, ends, event, entry, weight)
        found = concordance(scores, ends, event, entry=entry, weights=weights, until=until)
        ours = [getattr(found, name) for name in Found._fields]
        assert ours == pytest.approx(list(expected), rel=1e-12, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("ties", [False, True])
def test_concordance_equals_surpyval_and_lifelines_without_entry(ties):
    """To 1e-12 on 20,000 rows; lifelines and SurPyval take no entry."""
    scores, ends, event, _ = many(20_000)
    scores = np.round(scores, 1 if ties else 6)  # SurPyval ties what differs by less than 1e-8
    found = concordance(scores, ends, event)
    peer = surpyval_concordance(ends, 1 - event.astype(int), scores)
    assert found.value == pytest.approx(peer, abs=1e-12)
    assert found.value == pytest.approx(lifelines_concordance(ends, -scores, event), abs=1e-12)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), st.sampled_from(["n", "n/G2"]))
def test_order_of_rows_and_scale_of_scores_do_not_matter(seed, weights):
    scores, ends, event, entry = drawn(seed)
    one = concordance(scores, ends, event, entry=entry, weights=weights)
    mixed = np.random.default_rng(seed).permutation(len(ends))
    other = concordance(
        np.exp(scores[mixed] / 7), ends[mixed], event[mixed], entry=entry[mixed], weights=weights
    )
    assert other.value == pytest.approx(one.value, abs=1e-12, nan_ok=True)
    assert other.influence == pytest.approx(one.influence[mixed], abs=1e-12, nan_ok=True)
    turned = concordance(-scores, ends, event, entry=entry, weights=weights)
    assert turned.value == pytest.approx(1 - one.value, abs=1e-12, nan_ok=True)


@pytest.mark.slow
def test_interval_covers_the_truth_and_takes_rows_of_an_account_together():
    """400 worlds of 150 rows: the 95 % interval holds the value of 300,000 in 92 to 98 %."""
    truth = concordance(*many(300_000)[:3]).value
    held = [concordance(*many(150, seed)[:3]).interval() for seed in range(1, 401)]
    assert 0.92 <= np.mean([low <= truth <= high for _, low, high in held]) <= 0.98
    scores, ends, event, entry = (np.repeat(x, 2) for x in many(300, 3))
    found = concordance(scores, ends, event, entry=entry)
    once = concordance(*(x[::2] for x in (scores, ends, event)), entry=entry[::2])
    twice = found.interval(clusters=np.arange(600) // 2)
    # doubled rows add ties of each event with itself, hence not to all digits
    assert twice.high - twice.low == pytest.approx(2 * 1.959964 * once.std_error, rel=0.02)


@pytest.mark.parametrize(
    ("ends", "event"),
    [([], []), ([3], [True]), ([3, 4], [False, False]), ([3, 3, 3], [True] * 3)],
    ids=["no row", "one row", "nobody", "everybody on one day"],
)
def test_without_a_pair_there_is_no_concordance(ends, event):
    for found in (
        concordance(np.arange(len(ends)), ends, event),
        concordance(np.arange(len(ends)), ends, event, weights="n/G2"),
        concordance_binned(np.arange(len(ends)), ends, event),
    ):
        assert np.isnan([found.value, found.std_error]).all()
        assert np.isnan(found.interval()).all()


def test_everybody_ordered_rightly_is_no_proof():
    found = concordance([5, 4, 3, 2, 1], [1, 2, 3, 4, 5], [True] * 5)
    assert (found.value, found.std_error) == (1, 0)
    interval = found.interval()
    assert 0.4 < interval.low < 0.9
    assert interval.high == 1


def test_constant_score_is_one_half():
    found = concordance(np.zeros(9), np.arange(9), np.ones(9, bool))
    assert (found.value, found.tied_score) == (0.5, 36)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, np.nan], [1, 2], [1, 1]), "score is missing in 1 rows"),
        (([1, 2], [1, np.nan], [1, 1]), "time is missing in 1 rows"),
        (([1], [1, 2], [1, 1]), "1 scores for 2 rows"),
        (([1, 2], [1, 2], [1]), "differ in length"),
    ],
)
def test_concordance_refuses_what_it_cannot_read(arguments, message):
    with pytest.raises(InputError, match=message):
        concordance(*arguments)


def test_concordance_refuses_unseen_rows_and_unknown_weights():
    with pytest.raises(InputError, match="1 rows enter at or after their end"):
        concordance([1, 2], [3, 3], [1, 1], entry=[3, 0])
    with pytest.raises(InputError, match='"S" is neither'):
        concordance([1, 2], [3, 3], [1, 1], weights="S")
    with pytest.raises(InputError, match="not every row has a score"):
        concordance_binned([1, np.nan], [3, 3], [1, 1])
    with pytest.raises(InputError, match="event times are too many"):
        concordance_binned(np.arange(40_000), np.arange(40_000) / 7, np.ones(40_000))


@pytest.mark.slow
@pytest.mark.parametrize("late", [False, True])
def test_binned_bounds_hold_the_exact_value(late):
    scores, ends, event, entry = many(10_000)
    entry = entry if late else None
    for bins in (2, 16, 2048):
        found = concordance_binned(scores, ends, event, entry=entry, bins=bins)
        exact = concordance(scores, ends, event, entry=entry)
        assert found.bins == bins
        assert found.least <= exact.value <= found.most
        assert found.most - found.least < 1.2 / bins
        assert found.interval().low < exact.interval().low
    # scores that fit into the bins are counted exactly, as ties
    scores = np.round(scores, 1)
    found, exact = (f(scores, ends, event, entry=entry) for f in (concordance_binned, concordance))
    assert found.value == pytest.approx(exact.value, abs=2e-5)
    assert found.std_error == pytest.approx(exact.std_error, rel=1e-3)


@pytest.mark.parametrize("keys", [3, 40_000, 2**31, 2**40], ids=str)
def test_meetings_are_the_same_for_narrow_and_wide_keys(keys):
    rng = np.random.default_rng(keys)
    key = rng.integers(0, keys, 60)
    key[0] = keys - 1
    leads, sign = rng.random(60) < 0.5, rng.choice([-1, 1], 60).astype(np.int8)
    weight = rng.random(keys) if keys < 10**6 else None
    net, total = np.zeros(60), 0.0
    for later, earlier in itertools.combinations(range(59, -1, -1), 2):
        if leads[later] and key[earlier] > key[later]:
            w = 1 if weight is None else weight[key[later]]
            net[later] += w * sign[earlier]
            total += w * sign[earlier]
        if leads[earlier] and key[later] > key[earlier]:
            net[later] -= 1 if weight is None else weight[key[earlier]]
    found = meetings(key, leads, weight=weight, sign=sign)
    assert found.net == pytest.approx(net, abs=1e-12)
    assert found.total == pytest.approx(total, abs=1e-12)
