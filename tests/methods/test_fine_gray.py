"""Fine and Gray's regression against R, and against its own definition written out.

Figures of R are those of R 4.2.2 with survival 3.5-3 and cmprsk 2.2-11; tolerances are half a unit
of the last digit printed, or 1e-9 where R's last step leaves more.
"""

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csa.errors import InputError
from csa.methods.cox import NotEstimable, fit_cox
from csa.methods.cox.baseline import predict_survival
from csa.methods.fine_gray import fit_fine_gray, predict_incidence
from csa.methods.subdistribution import competing_spells

REFERENCE = Path(__file__).parent.parent / "reference"
CAUSES = {"censor": -1, "pcm": 0, "death": 1}
PCM, DEATH = 0, 1
NAMES = ["sexM", "age"]
ROWS = st.lists(
    st.tuples(
        st.integers(0, 6), st.integers(1, 9), st.integers(-1, 2), st.integers(0, 2), st.booleans()
    ),
    min_size=8,
    max_size=40,
)


def mgus2(*, late=False):
    """Kyle (2002) by age; late entries are made up, from a column: (age * 7) %% 40 months."""
    rows = pd.read_csv(REFERENCE / "mgus2_causes.csv")
    rows["entry"] = rows["age"] * 7 % 40 if late else 0
    rows["sexM"] = (rows["sex"] == "M").astype(int)
    rows["cause"] = rows["event"].map(CAUSES)
    return rows[rows["etime"] > rows["entry"]]


def spells_of(rows):
    return competing_spells(rows["etime"], rows["cause"], entry=rows["entry"], count=rows["n"])


def fit_mgus2(interest, *, late=False, **options):
    rows = mgus2(late=late)
    return fit_fine_gray(rows[NAMES], spells_of(rows), interest=interest, names=NAMES, **options)


def simulated(seed, n=300, *, days=40):
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.normal(size=n), rng.random(n) < 0.4]).astype(float)
    first = rng.exponential(days / np.exp(x @ [0.5, -0.4]))
    other, cut = rng.exponential(days, n), rng.uniform(1, 2 * days, n)
    exits = np.ceil(np.minimum(np.minimum(first, other), cut)).astype(int)
    cause = np.select([cut < np.minimum(first, other), first < other], [-1, 0], 1)
    entry = np.where(np.arange(n) % 2, rng.integers(0, days, n), 0)
    keep = exits > entry
    return x[keep], exits[keep], cause[keep], entry[keep]


# --- the definition, written out ------------------------------------------------------------------


def product_limit(going, at_risk):
    return np.prod(1 - going[at_risk > 0] / at_risk[at_risk > 0])


def under_observation(exits, cause, entry, age):
    """Chance not to be lost before an age, times that to have come before it (Geskus 2011)."""
    lost = np.unique(exits[(cause < 0) & (exits < age)])
    stay = [((exits > t) & (entry < t)).sum() for t in lost]
    leave = [((exits == t) & (cause < 0)).sum() for t in lost]
    stay = np.array(stay) + leave
    came = np.unique(entry[(entry >= age) & (entry > 0)])
    here = np.array([((entry <= t) & (exits > t)).sum() for t in came])
    new = np.array([(entry == t).sum() for t in came])
    return product_limit(np.array(leave), stay) * product_limit(new, here)


class WrittenOut:
    """Weighted partial likelihood with a weight per row and event age, a step per tied event."""

    def __init__(self, x, exits, cause, entry, *, groups=None, interest=0, ties="efron"):
        self.x, self.ties = np.asarray(x, dtype=float), ties
        exits, cause, entry = (np.asarray(a) for a in (exits, cause, entry))
        groups = np.zeros(len(exits), int) if groups is None else np.asarray(groups)
        self.ages = np.unique(exits[cause == interest])
        gone = (cause >= 0) & (cause != interest)
        self.weight = np.zeros((len(exits), len(self.ages)))
        self.event = (exits[:, None] == self.ages) & (cause == interest)[:, None]
        for g in np.unique(groups):
            of = groups == g
            seen = {
                t: under_observation(exits[of], cause[of], entry[of], t)
                for t in np.unique([*self.ages, *exits[of & gone]])
            }
            for i in np.flatnonzero(of):
                for k, t in enumerate(self.ages):
                    if (entry[i] < t or entry[i] == 0) and t <= exits[i]:
                        self.weight[i, k] = 1.0
                    elif gone[i] and t > exits[i]:
                        with np.errstate(divide="ignore", invalid="ignore"):
                            self.weight[i, k] = seen[t] / seen[exits[i]]

    def at(self, effects):
        """Log-likelihood, information, and score residuals of every row at every event age."""
        risk = np.exp(self.x @ effects)
        p = self.x.shape[1]
        value, information = 0.0, np.zeros((p, p))
        residual = np.zeros((*self.weight.shape, p))
        for k in range(len(self.ages)):
            r, died = self.weight[:, k] * risk, self.event[:, k]
            m = int(died.sum())
            value += float((self.x[died] @ effects).sum())
            for j in range(m):
                share = r * (1 - died * (j / m if self.ties == "efron" else 0.0))
                mean = share @ self.x / share.sum()
                apart = self.x - mean
                value -= np.log(share.sum())
                information += (apart * share[:, None]).T @ apart / share.sum()
                residual[:, k] += (died / m - share / share.sum())[:, None] * apart
        return value, information, residual

    def fit(self, start):
        """Newton's method without more ado."""
        effects = np.asarray(start, dtype=float)
        for _ in range(30):
            _, information, residual = self.at(effects)
            effects = effects + np.linalg.solve(information, residual.sum(axis=(0, 1)))
        return effects

    def incidence(self, effects, row, age):
        """One minus the exponential of the events over their weighted risk sets."""
        risk, hazard = np.exp(self.x @ effects), 0.0
        for k in np.flatnonzero(self.ages <= age):
            r, died = self.weight[:, k] * risk, self.event[:, k]
            m = int(died.sum())
            for j in range(m):
                hazard += 1 / (r * (1 - died * (j / m if self.ties == "efron" else 0.0))).sum()
        return 1 - np.exp(-hazard * np.exp(row @ effects))

    def covariance(self, effects, pieces=None):
        """Sandwich over rows, or over the stretches of one weight within rows."""
        _, information, residual = self.at(effects)
        inverse = np.linalg.inv(information)
        parts = [residual.sum(axis=1)]
        if pieces is not None:
            parts = [
                np.array([r[w == value].sum(axis=0) for value in np.unique(w)])
                for r, w in zip(residual, np.round(self.weight, 12), strict=True)
            ]
        middle = sum(part.T @ part for part in parts)
        return inverse @ middle @ inverse


# --- published figures ---------------------------------------------------------------------------


def test_fine_gray_of_mgus2_matches_r():
    """R coxph(Surv(fgstart, fgstop, fgstatus) ~ sex + age, weights = fgwt) of finegray: 9 digits.

    The same call with cluster = id has these errors, to 11 digits.
    """
    fit = fit_mgus2(PCM)
    assert fit.effects == pytest.approx([-0.259756791, -0.017301705], abs=5e-10)
    assert fit.std_error == pytest.approx([0.18563469477, 0.00570293164], abs=5e-12)
    weighted = fit.weighted
    assert np.sqrt(np.diag(weighted.model_covariance)) == pytest.approx(
        [0.18704857750, 0.00702219875], abs=5e-12
    )
    assert weighted.log_likelihood_null == pytest.approx(-793.575823937, abs=5e-10)
    assert weighted.log_likelihood == pytest.approx(-789.935826379, abs=5e-10)
    assert weighted.score_test.statistic == pytest.approx(7.579355995, abs=5e-10)
    assert (fit.n, fit.events, fit.competing, fit.names) == (1384, 115, 860, tuple(NAMES))


@pytest.mark.slow
def test_errors_without_cluster_are_those_of_stretches_taken_for_persons():
    """R prints 0.181707036 and 0.005528135 without cluster = id: each row of finegray a person."""
    rows = mgus2()
    rows = rows.loc[rows.index.repeat(rows["n"])]
    whole = WrittenOut(rows[NAMES], rows["etime"], rows["cause"], rows["entry"])
    fit = fit_mgus2(PCM)
    pieces = np.sqrt(np.diag(whole.covariance(fit.effects, pieces=True)))
    assert pieces == pytest.approx([0.181707036, 0.005528135], abs=5e-10)
    assert np.sqrt(np.diag(whole.covariance(fit.effects))) == pytest.approx(fit.std_error, rel=1e-8)


def test_cause_specific_effects_of_mgus2_match_r_and_turn_round():
    """R coxph(Surv(etime, event == "pcm") ~ sex + age): 9 decimals; age has the other sign."""
    rows = mgus2()
    spells = spells_of(rows)
    pcm = fit_cox(rows[NAMES], spells.of(PCM))
    assert pcm.effects == pytest.approx([-0.025137789, 0.013038570], abs=5e-10)
    assert pcm.std_error == pytest.approx([0.18845584819, 0.00825868591], abs=5e-12)
    death = fit_cox(rows[NAMES], spells.of(DEATH))
    assert death.effects == pytest.approx([0.39322586373, 0.06482366356], abs=1e-9)
    assert fit_mgus2(PCM).effects[1] < 0 < pcm.effects[1]


@pytest.mark.parametrize(
    ("late", "interest", "ties", "effects", "errors"),
    [
        (False, DEATH, "efron", (0.37231541420, 0.05882332203), (0.06710420079, 0.00369753615)),
        (False, PCM, "breslow", (-0.25970091465, -0.01730073342), (0.18557930855, 0.00570095802)),
        (False, DEATH, "breslow", (0.37087642433, 0.05860475138), (0.06678091708, 0.00367934903)),
        (True, PCM, "efron", (-0.28477975892, -0.03115335924), (0.21847237753, 0.00617349602)),
        (True, DEATH, "efron", (0.30448777792, 0.06682311835), (0.09225895992, 0.00494868552)),
        (True, PCM, "breslow", (-0.28471887894, -0.03114965742), (0.21840797334, 0.00617158530)),
        (True, DEATH, "breslow", (0.30358946622, 0.06657642347), (0.09180580176, 0.00492179217)),
    ],
)
def test_fine_gray_matches_r_with_and_without_late_entry(late, interest, ties, effects, errors):
    """R finegray(Surv(entry, etime, event) ~ ., id = id), coxph(cluster = id): 11 decimals."""
    fit = fit_mgus2(interest, late=late, ties=ties)
    assert fit.effects == pytest.approx(effects, abs=1e-9)
    assert fit.std_error == pytest.approx(errors, abs=1e-9)
    if late:
        assert (fit.n, fit.events + fit.competing) == (1166, 760)


def test_fine_gray_without_ties_matches_cmprsk():
    """R crr(etime + i / 10000, event, cbind(sex, age)) on the rows in their order: 9 decimals."""
    rows = mgus2()
    rows = rows.loc[rows.index.repeat(rows["n"])]
    apart = rows["etime"] + np.arange(1, len(rows) + 1) / 10000
    fit = fit_fine_gray(rows[NAMES], competing_spells(apart, rows["cause"]))
    assert fit.effects == pytest.approx([-0.261590188, -0.017374368], abs=5e-7)
    # crr's errors know that the weights are estimated; that changes the third digit
    assert fit.std_error == pytest.approx([0.185743458, 0.005739825], rel=0.01)


@pytest.mark.parametrize(
    ("late", "value", "low", "high"),
    [
        (
            False,
            [0.0453382251326, 0.1309939537091, 0.0249990365319, 0.0737499716591],
            [0.0321383956662, 0.0999981192890, 0.0172792925017, 0.0543501273514],
            [0.0637780633877, 0.1706475286894, 0.0361037660026, 0.0997004919521],
        ),
        (
            True,
            [0.0365877939917, 0.1294925147594, 0.0149235161876, 0.0544059660828],
            [0.0199984066121, 0.0938453006766, 0.0079144121428, 0.0375962740535],
            [0.0664640083587, 0.1772949357863, 0.0280515907707, 0.0784192803419],
        ),
    ],
)
def test_incidence_by_covariates_matches_r(late, value, low, high):
    """R survfit(conf.type = "log-log") of that coxph, women of 60 and men of 80: 13 decimals."""
    found = predict_incidence(fit_mgus2(PCM, late=late), [[0, 60], [1, 80]], [60, 240])
    for ours, printed in zip(found, (value, low, high), strict=True):
        assert ours.ravel() == pytest.approx(printed, abs=1e-8)


def test_incidence_without_ties_matches_cmprsk():
    """R predict(crr(...)) on the rows in their order, at 60, 120 and 240 months: 13 decimals."""
    rows = mgus2()
    rows = rows.loc[rows.index.repeat(rows["n"])]
    apart = rows["etime"] + np.arange(1, len(rows) + 1) / 10000
    fit = fit_fine_gray(rows[NAMES], competing_spells(apart, rows["cause"]))
    found = predict_incidence(fit, [[0, 60], [1, 80]], [60, 120, 240]).value
    women, men = [0.0434469339749, 0.0844452105064, 0.1313383325028], [0.0238679284992]
    assert found[0] == pytest.approx(women, abs=1e-7)
    assert found[1] == pytest.approx([*men, 0.0468484925353, 0.0737167974389], abs=1e-7)


# --- properties ----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("by_group", [False, True])
def test_fit_equals_the_definition_written_out(seed, ties, by_group):
    x, exits, cause, entry = simulated(seed, 120)
    groups = (np.arange(len(x)) % 3 == 0).astype(int) if by_group else None
    spells = competing_spells(exits, cause, entry=entry, groups=groups)
    fit = fit_fine_gray(x, spells, ties=ties)
    whole = WrittenOut(x, exits, cause, entry, groups=groups, ties=ties)
    assert fit.effects == pytest.approx(whole.fit([0.0, 0.0]), abs=1e-7)
    assert fit.covariance == pytest.approx(whole.covariance(fit.effects), rel=1e-6)
    value, information, _ = whole.at(fit.effects)
    assert fit.weighted.log_likelihood == pytest.approx(value, abs=1e-8)
    assert fit.weighted.model_covariance == pytest.approx(np.linalg.inv(information), rel=1e-6)


@settings(max_examples=40, deadline=None)
@given(rows=ROWS)
@pytest.mark.slow
def test_any_small_data_equal_the_definition_or_are_refused(rows):
    entry, length, cause, level, flag = (np.array(c) for c in zip(*rows, strict=True))
    exits = entry + length
    x = np.column_stack([level, flag]).astype(float)
    try:
        fit = fit_fine_gray(x, competing_spells(exits, cause, entry=entry))
    except InputError:
        return
    whole = WrittenOut(x, exits, cause, entry)
    if np.isfinite(whole.weight).all():  # else a gap that only the ratio of counts can bridge
        _, information, residual = whole.at(fit.effects)
        slope = residual.sum(axis=(0, 1))
        # twice what the log-likelihood could still gain
        assert slope @ np.linalg.solve(information, slope) < 1e-7
    assert np.isfinite(fit.std_error).all()


def test_a_robust_error_of_nothing_is_no_number_below_0():
    """All go at one age: each residual of the second column is 0, and rounding must not show."""
    x = np.zeros((12, 2))
    x[8, 0] = x[11] = 1
    fit = fit_fine_gray(x, competing_spells([1] * 12, [0] * 9 + [1, 1, 0]))
    assert fit.std_error == pytest.approx([np.sqrt(7.25550656e-02), 0], abs=1e-8)
    assert np.isfinite(fit.wald_test.statistic)
    assert np.isnan(fit.p_values[1]) or 0 <= fit.p_values[1] <= 1


@pytest.mark.parametrize("by_group", [False, True])
@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_incidence_equals_the_definition_written_out(ties, by_group):
    x, exits, cause, entry = simulated(10, 120)
    groups = (np.arange(len(x)) % 3 == 0).astype(int) if by_group else None
    fit = fit_fine_gray(x, competing_spells(exits, cause, entry=entry, groups=groups), ties=ties)
    whole = WrittenOut(x, exits, cause, entry, groups=groups, ties=ties)
    ages, row = [1, 10, 25, 40], np.array([0.5, 1.0])
    expected = [whole.incidence(fit.effects, row, age) for age in ages]
    assert predict_incidence(fit, row, ages).value[0] == pytest.approx(expected, rel=1e-8)


def test_incidence_rises_within_its_limits_and_ends_where_nothing_is_known():
    x, exits, cause, entry = simulated(11)
    fit = fit_fine_gray(x, competing_spells(exits, cause, entry=entry))
    value, low, high = predict_incidence(fit, x[:20], np.arange(exits.max() + 2))
    assert (value[:, 0] == 0).all()
    assert np.isnan(value[:, -1]).all()
    value, low, high = value[:, :-1], low[:, :-1], high[:, :-1]
    assert (np.diff(value) >= 0).all()
    assert ((low >= 0) & (low <= value) & (value <= high) & (high <= 1)).all()
    wider = predict_incidence(fit, x[:20], [20], confidence=0.99)
    assert (wider.high[:, 0] > high[:, 20]).all()
    with pytest.raises(InputError, match="give 2 known numbers per row"):
        predict_incidence(fit, [[1.0]], [20])


def test_counts_equal_rows_written_out():
    x, exits, cause, entry = simulated(5)
    many = np.random.default_rng(1).integers(0, 4, len(x))
    fit = fit_fine_gray(x, competing_spells(exits, cause, entry=entry, count=many))
    at = np.repeat(np.arange(len(x)), many)
    rows = fit_fine_gray(x[at], competing_spells(exits[at], cause[at], entry=entry[at]))
    assert fit.effects == pytest.approx(rows.effects, abs=1e-9)
    assert fit.covariance == pytest.approx(rows.covariance, rel=1e-8)
    assert (fit.n, fit.events, fit.competing) == (rows.n, rows.events, rows.competing)


def test_without_a_competing_cause_it_is_a_cox_regression():
    x, exits, cause, entry = simulated(2)
    alone = np.where(cause == 0, 0, -1)
    fit = fit_fine_gray(x, competing_spells(exits, alone, entry=entry))
    spells = competing_spells(exits, alone, entry=entry).of(0)
    cox = fit_cox(x, spells, robust=True)
    assert fit.effects == pytest.approx(cox.effects, abs=1e-10)
    assert fit.covariance == pytest.approx(cox.covariance, rel=1e-9)
    assert fit.competing == 0
    stays = predict_survival(cox, x[:3], [5, 20])
    found = predict_incidence(fit, x[:3], [5, 20])
    assert np.array(found) == pytest.approx(1 - np.array(stays)[[0, 2, 1]], abs=1e-10)


def test_without_loss_from_sight_others_stay_for_ever():
    """Known in closed form: those that another cause took count as censored at the very end."""
    x, exits, cause, _ = simulated(3)
    seen = cause >= 0
    x, exits, cause = x[seen], exits[seen], cause[seen]
    fit = fit_fine_gray(x, competing_spells(exits, cause))
    never = np.where(cause == 0, exits, exits.max() + 1)
    cox = fit_cox(x, competing_spells(never, np.where(cause == 0, 0, -1)).of(0), robust=True)
    assert fit.effects == pytest.approx(cox.effects, abs=1e-10)
    assert fit.covariance == pytest.approx(cox.covariance, rel=1e-9)


def test_order_and_units_do_not_matter():
    x, exits, cause, entry = simulated(4)
    fit = fit_fine_gray(x, competing_spells(exits, cause, entry=entry))
    turn = np.random.default_rng(0).permutation(len(x))
    spells = competing_spells(exits[turn] / 7, cause[turn], entry=entry[turn] / 7)
    other = fit_fine_gray(x[turn] * [1000, 1], spells)
    assert other.effects * [1000, 1] == pytest.approx(fit.effects, abs=1e-8)


def test_clusters_add_their_spells_first():
    x, exits, cause, entry = simulated(6)
    twice = [np.concatenate([a, a]) for a in (exits, cause, entry)]
    spells = competing_spells(twice[0], twice[1], entry=twice[2])
    code = np.tile(np.arange(len(x)), 2)
    both = fit_fine_gray(np.vstack([x, x]), spells, clusters=code)
    once = fit_fine_gray(np.vstack([x, x]), spells)
    # each account twice is no more knowledge than once
    assert both.covariance == pytest.approx(2 * once.covariance, rel=1e-9)


def test_ratios_and_tests_belong_to_the_effects():
    fit = fit_mgus2(PCM)
    value, low, high = fit.ratios()
    assert value == pytest.approx([0.771239134986, 0.982847109937], abs=1e-9)
    assert np.log(high / low) == pytest.approx(2 * 1.959963985 * fit.std_error, rel=1e-9)
    assert fit.wald_test.df == 2
    assert fit.p_values[1] == pytest.approx(0.0024, abs=5e-5)


# --- edges ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("exits", "cause", "text"),
    [
        ([], [], "none of 0 spells ended by cause 0"),
        ([3, 4], [-1, -1], "none of 2 spells ended by cause 0"),
        ([3, 4], [1, 1], "none of 2 spells ended by cause 0"),
    ],
)
def test_a_cause_that_took_nobody_is_refused(exits, cause, text):
    spells = competing_spells(np.array(exits, float), np.array(cause, int))
    with pytest.raises(InputError, match=text):
        fit_fine_gray(np.ones((len(exits), 1)), spells)


def test_columns_without_an_estimate_are_named():
    x, exits, cause, entry = simulated(7)
    faulty = np.column_stack([x, np.ones(len(x)), x[:, 0] + 2 * x[:, 1]])
    with pytest.raises(NotEstimable) as error:
        fit_fine_gray(
            faulty, competing_spells(exits, cause, entry=entry), names=["a", "b", "c", "d"]
        )
    assert error.value.faults == (
        "Fine-Gray regression: c is 1 in every row; leave it out",
        "Fine-Gray regression: d follows from a and b; leave one of them out",
    )


def test_a_column_that_separates_is_named():
    x, exits, cause, entry = simulated(8)
    with pytest.raises(NotEstimable, match="gone is 1 at every one of"):
        fit_fine_gray(
            np.column_stack([x[:, 0], cause == 0]),
            competing_spells(exits, cause, entry=entry),
            names=["a", "gone"],
        )


@pytest.mark.parametrize("ends", [0, 1])
def test_all_gone_before_others_come_is_refused(ends):
    with pytest.raises(InputError, match="all 1 under observation at age 2 leave then"):
        fit_fine_gray(
            [[0.0], [1.0], [0.0], [1.0]],
            competing_spells([2, 9, 9, 8], [ends, 0, 1, 0], entry=[0, 4, 4, 5]),
        )


def test_a_gap_without_anybody_is_bridged():
    """All seen early are lost from sight: what the others do later still says something."""
    exits, cause = [1, 2, 3, 9, 8, 7, 9], [1, 0, -1, 0, 0, 1, -1]
    x = np.array([[1.0], [0.0], [1.0], [1.0], [0.0], [0.0], [0.0]])
    fit = fit_fine_gray(x, competing_spells(exits, cause, entry=[0, 0, 0, 5, 5, 5, 5]))
    assert np.isfinite(fit.effects).all()


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"cause": [0.5, 1.0]}, "places are float64"),
        ({"cause": [-2, 0]}, "below -1 in 1 rows"),
        ({"cause": [0]}, "event has 1 rows, exit has 2"),
        ({"entry": [5, 0]}, "1 rows enter at or after their end"),
        ({"groups": [-1, 0]}, "not codes from 0"),
        ({"exit_age": [np.nan, 2]}, "exit is missing"),
    ],
)
def test_faulty_times_and_causes_are_refused(given, text):
    with pytest.raises(InputError, match=text):
        competing_spells(**({"exit_age": [3, 4], "cause": [0, 1]} | given))


def test_other_treatments_of_ties_are_refused():
    with pytest.raises(InputError, match='"exact" is neither'):
        fit_fine_gray([[1.0], [2.0]], competing_spells([1, 2], [0, 1]), ties="exact")


@pytest.mark.slow
def test_intervals_cover_the_truth_with_late_entry():
    """Fine and Gray's own world: F = 1 - (1 - p (1 - exp(-t))) ** exp(x b), b = 0.5."""
    rng = np.random.default_rng(11)
    hits, share, ages = 0, 0.5, np.array([0.3, 2.0])
    truth = [1 - (1 - share * (1 - np.exp(-ages))) ** np.exp(0.5 * group) for group in (0, 1)]
    held = np.zeros((2, 2))
    for _ in range(400):
        x = (rng.random(600) < 0.5).astype(float)
        risk = np.exp(0.5 * x)
        total = 1 - (1 - share) ** risk
        first = rng.random(600) < total
        u = rng.random(600) * total
        t = -np.log(1 - (1 - (1 - u) ** (1 / risk)) / share)
        other = rng.exponential(1 / np.exp(-0.3 * x))
        life = np.where(first, t, other)
        cut, entry = rng.uniform(0.5, 4, 600), np.maximum(rng.uniform(-1, 0.8, 600), 0)
        seen = np.minimum(life, cut) > entry
        cause = np.where(life > cut, -1, np.where(first, 0, 1))
        spells = competing_spells(np.minimum(life, cut)[seen], cause[seen], entry=entry[seen])
        fit = fit_fine_gray(x[seen, None], spells)
        hits += abs(fit.effects[0] - 0.5) <= 1.96 * fit.std_error[0]
        found = predict_incidence(fit, [[0.0], [1.0]], ages)
        held += (found.low <= truth) & (truth <= found.high)
    assert ((held / 400 >= 0.925) & (held / 400 <= 0.98)).all()
    assert 0.925 <= hits / 400 <= 0.975  # 95 % within two and a bit standard errors


@pytest.mark.slow
def test_a_hundred_thousand_rows_take_less_than_two_seconds():
    x, exits, cause, entry = simulated(9, 170_000, days=900)
    x = np.column_stack([x, np.random.default_rng(0).normal(size=(len(x), 3))])
    spells = competing_spells(exits, cause, entry=entry)
    began = time.process_time()
    fit = fit_fine_gray(x, spells)
    assert time.process_time() - began < 2.0
    assert fit.n > 100_000
