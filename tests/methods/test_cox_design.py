"""What a Cox regression refuses, names and survives: faults of the design, edges, large numbers."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csa.errors import InputError
from csa.methods.cox import fit_cox, likelihood, newton, ties
from csa.methods.cox.baseline import predict_survival
from csa.methods.cox.risk import follow_up, risk_sets


def sample(seed=0, n=200):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    exits = np.ceil(rng.exponential(30 * np.exp(-x[:, 0]))).astype(int)
    return x, exits, rng.random(n) < 0.7


def refused(x, exits, event, **options):
    with pytest.raises(InputError) as caught:
        fit_cox(x, follow_up(exits, event), **options)
    return caught.value.faults


# --- columns that cannot be estimated ------------------------------------------------------------


def test_constant_and_dependent_columns_are_named_all_at_once():
    x, exits, event = sample()
    seats, price = x[:, 0], x[:, 1]
    columns = np.column_stack([seats, np.full(200, 7.0), price, 3 * seats - 2 * price + 5, seats])
    names = ["seats", "currency", "price", "value", "users"]
    faults = refused(columns, exits, event, names=names)
    assert faults == (
        "Cox regression: currency is 7 in every row; leave it out",
        "Cox regression: value follows from seats and price; leave one of them out",
        "Cox regression: users follows from seats; leave one of them out",
    )


def test_all_levels_of_a_text_column_are_dependent():
    _, exits, event = sample()
    level = np.arange(200) % 3
    columns = np.column_stack([level == k for k in range(3)]).astype(float)
    faults = refused(columns, exits, event, names=["a", "b", "c"])
    assert len(faults) == 1
    assert "c follows from a and b" in faults[0]
    assert fit_cox(columns[:, 1:], follow_up(exits, event)).converged


def test_a_column_that_differs_only_between_strata_is_named():
    x, exits, event = sample()
    strata = np.arange(200) % 2
    spells = follow_up(exits, event, strata=strata)
    with pytest.raises(InputError, match="plan does not differ among spells at risk together"):
        fit_cox(np.column_stack([x[:, 0], strata]), spells, names=["seats", "plan"])


@pytest.mark.parametrize("side", [0, 1])
def test_a_group_without_events_is_named(side):
    x, exits, event = sample()
    group = (np.arange(200) % 4 == 0).astype(float)
    faults = refused(np.column_stack([x[:, 0], group]), exits, event & (group == side))
    assert len(faults) == 1
    assert f"column 1 is {side} at every one of the" in faults[0]


def test_a_covariate_that_orders_the_events_is_named():
    x, _, _ = sample()
    exits = np.argsort(np.argsort(-x[:, 0])) + 1
    faults = refused(x, exits, np.ones(200, bool), names=["tenure", "noise"])
    assert len(faults) == 1
    assert "the effect of tenure grows without end" in faults[0]


def test_covariates_that_together_order_the_events_are_named():
    x, _, _ = sample()
    exits = np.argsort(np.argsort(-x.sum(axis=1))) + 1
    assert len(refused(x, exits, np.ones(200, bool))) == 2


def test_a_nearly_dependent_column_is_kept():
    """Prices in cents and in rounded euros say almost the same, yet not quite."""
    x, exits, event = sample()
    cents = np.round(5000 + 1000 * x[:, 1])
    fit = fit_cox(np.column_stack([cents, np.round(cents / 100)]), follow_up(exits, event))
    assert np.isfinite(fit.effects).all()
    assert np.isfinite(fit.std_error).all()


def test_missing_numbers_are_counted_per_column():
    x, exits, event = sample()
    x[:3, 1], x[5, 0] = np.nan, np.inf
    assert refused(x, exits, event, names=["seats", "price"]) == (
        "design: seats is missing or infinite in 1 rows; drop them or fill them in",
        "design: price is missing or infinite in 3 rows; drop them or fill them in",
    )


@pytest.mark.parametrize(
    ("x", "options", "fault"),
    [
        (np.zeros(200), {}, "shape"),
        (np.zeros((199, 1)), {}, "for 200 rows"),
        (np.full((200, 1), "a"), {}, "give numbers"),
        (np.full((200, 1), 1e200) * np.arange(200)[:, None], {}, "change the unit"),
        (np.zeros((200, 2)), {"names": ["a"]}, "1 names for 2 columns"),
        (np.zeros((200, 2)), {"ties": "exact"}, 'neither "efron" nor "breslow"'),
        (np.arange(200.0)[:, None], {"clusters": [0, 1]}, "a whole number for each row"),
    ],
)
def test_what_does_not_fit_is_refused(x, options, fault):
    _, exits, event = sample()
    assert fault in "\n".join(refused(x, exits, event, **options))


def test_follow_up_refuses_all_faults_at_once():
    with pytest.raises(InputError) as caught:
        follow_up([1, 2, 3], [1, 0], strata=[0, 0, 1], count=[1, 1])
    assert len(caught.value.faults) == 2
    with pytest.raises(InputError) as caught:
        follow_up([1, 5, 3], [1, 0, 0], entry=[0, 5, 4], strata=[0.0, 1, 2], count=[1, -1, 0.5])
    assert caught.value.faults == (
        "follow-up: 2 rows enter at or after their end; drop them",
        "follow-up: strata are not codes from 0; number them",
        "follow-up: count is not a whole number of 0 or more in 2 rows",
    )
    with pytest.raises(InputError, match="exit is missing or infinite in 1 rows"):
        follow_up([1, np.nan], [1, 0], entry=[0, 0])


# --- edges ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [0, 1, 30])
def test_no_event_is_said(n):
    x, exits, event = (v[:n] for v in sample())
    assert refused(x, exits, event & False) == (
        f"Cox regression: no event in {n} spells; no effect shows",
    )


def test_one_row_has_nothing_to_compare():
    assert "column 0 is 2 in every row" in refused([[2.0]], [5], [True])[0]


def test_two_rows_are_separated():
    assert "its effect has no bound" in refused([[2.0], [1.0]], [5, 6], [True, False])[0]


def test_events_all_tied_are_estimated():
    """One risk set of six, of which three go: Efron's likelihood by hand at no effect."""
    x = np.array([[0.0], [1.0], [2.0], [0.5], [1.5], [2.5]])
    event = np.array([1, 0, 1, 0, 1, 0], bool)
    fit = fit_cox(x, follow_up([7] * 6, event))
    assert fit.log_likelihood_null == pytest.approx(-np.log(6 * 5 * 4))
    assert np.isfinite([*fit.effects, *fit.std_error]).all()
    assert fit.converged


def test_everybody_tied_and_gone_tells_nothing_but_is_no_crash():
    x, _, _ = sample()
    fit = fit_cox(x, follow_up([3] * 200, [True] * 200))
    assert fit.effects == pytest.approx([0, 0], abs=1e-12)


def test_no_covariate_is_the_curve_of_fleming_and_harrington():
    """Hazard increments with Efron's ties: three of four, then one of one."""
    spells = follow_up([2, 2, 2, 5], [True] * 4)
    fit = fit_cox(np.empty((4, 0)), spells)
    assert fit.log_likelihood == fit.log_likelihood_null
    assert (fit.wald_test.df, len(fit.p_values)) == (0, 0)
    found = predict_survival(fit, np.empty((1, 0)), [2, 5]).value[0]
    hazard = np.cumsum([1 / 4 + 1 / 3 + 1 / 2, 1])
    assert found == pytest.approx(np.exp(-hazard))


def test_an_event_at_age_zero_counts_those_watched_from_the_start():
    x = [[0.0], [1.0], [0.0], [1.0]]
    spells = follow_up([0, 3, 4, 5], [True, True, True, False], entry=[0, 0, 2, 0])
    sets = risk_sets(spells)
    at_risk, _ = sets.sums(np.ones(4))
    assert dict(zip(sets.age[1:], at_risk[1:], strict=True)) == {0: 3, 3: 3, 4: 2}
    assert np.isfinite(fit_cox(x, spells).effects).all()


def test_spells_at_risk_at_no_event_change_nothing():
    x, exits, event = sample()
    fit = fit_cox(x, follow_up(exits, event))
    entry = np.zeros(201, int)
    entry[-1] = exits.max() + 1
    more = follow_up(np.append(exits, exits.max() + 9), np.append(event, False), entry=entry)
    again = fit_cox(np.vstack([x, [1.0, 2.0]]), more)
    assert again.effects == pytest.approx(fit.effects, rel=1e-9)
    assert again.n == fit.n + 1


# --- numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [float, np.float32, int, bool])
def test_any_layout_and_type_of_numbers_gives_the_same_fit(order, dtype):
    x, exits, event = sample()
    cells = np.asarray((x > 0) if dtype is bool else np.round(4 * x), dtype=dtype, order=order)
    fit = fit_cox(cells, follow_up(exits, event))
    plain = fit_cox(cells.astype(float), follow_up(exits.astype(float), event))
    assert fit.effects == pytest.approx(plain.effects, rel=1e-12)
    step = np.asfortranarray(np.repeat(cells, 2, axis=0))[::2]
    assert fit_cox(step, follow_up(exits, event)).effects == pytest.approx(fit.effects, rel=1e-12)


@pytest.mark.parametrize("unit", [1e-9, 1e9])
@pytest.mark.parametrize("zero", [0.0, 1e6])
def test_unit_and_zero_of_a_covariate_cost_no_digits(unit, zero):
    """But those that the numbers themselves lose: a millionth of 1e-16 of each."""
    x, exits, event = sample()
    fit = fit_cox(x, follow_up(exits, event))
    other = fit_cox((x + zero) * unit, follow_up(exits, event))
    assert other.effects * unit == pytest.approx(fit.effects, rel=1e-8)
    assert other.std_error * unit == pytest.approx(fit.std_error, rel=1e-8)
    assert other.log_likelihood == pytest.approx(fit.log_likelihood, abs=1e-7)


def test_a_strong_effect_is_no_overflow():
    """Linear predictors from -300 to 300; the largest hazards alone would be 1e130."""
    rng = np.random.default_rng(1)
    x = rng.uniform(-100, 100, (400, 1))
    life = rng.exponential(size=400) * np.exp(-3 * x[:, 0])
    exits = np.argsort(np.argsort(life)) + 1
    fit = fit_cox(x, follow_up(exits, np.ones(400, bool)))
    assert fit.converged
    assert fit.effects[0] == pytest.approx(3, rel=0.3)
    assert np.isfinite(fit.std_error).all()


@pytest.mark.parametrize("deaths", [2, 5, 63, 64, 200, 3000])
@pytest.mark.parametrize("ratio", [1e-6, 0.01, 0.0999, 0.1001, 0.7, 1.0])
def test_sums_over_ties_are_exact(deaths, ratio):
    rule = ties.tie_rule(np.array([0.0, deaths, 1.0]), "efron")
    whole = np.array([50.0, 40.0, 7.0])
    found = rule.sums(whole, np.array([0.0, 40.0 * ratio, 7.0]))
    share = np.arange(deaths) / deaths
    d = 40 * (1 - share * ratio)
    single = [1 / 7, 0, 1, 0, 0]
    for values, terms, one in zip(
        found[2:],
        [1 / d, share / d, 1600 / d**2, 1600 * share / d**2, 1600 * share**2 / d**2],
        single,
        strict=True,
    ):
        assert values == pytest.approx([0, terms.sum(), one], rel=1e-13)
    assert found.log == pytest.approx(np.log(d).sum() + np.log(7), rel=1e-13)


def test_the_way_to_the_maximum_does_not_matter(monkeypatch):
    """With many rows: a start from a tenth of them, slopes used twice, places by search."""
    x, exits, event = sample(n=3000)
    entry = np.where(np.arange(3000) % 2, exits // 2, 0)
    strata = np.arange(3000) % 3
    spells = follow_up(exits, event, entry=entry, strata=strata)
    fit = fit_cox(x, spells)
    monkeypatch.setattr(newton, "MANY_ROWS", 100)
    many = fit_cox(x, spells)
    assert many.effects == pytest.approx(fit.effects, rel=1e-9)
    assert many.covariance == pytest.approx(fit.covariance, rel=1e-6)
    monkeypatch.setattr("csa.methods.cox.risk.TABLE_CELLS", 1)
    monkeypatch.setattr(likelihood, "WIDE_CELLS", 1)
    monkeypatch.setattr(sys.modules["csa.methods.cox.design"], "BLOCK_CELLS", 1)
    wide = follow_up(exits * 1000, event, entry=entry * 1000, strata=strata * 1000)
    assert fit_cox(x, wide).effects == pytest.approx(fit.effects, rel=1e-9)


def test_a_tenth_that_misleads_is_not_used(monkeypatch):
    monkeypatch.setattr(newton, "MANY_ROWS", 100)
    x, exits, event = sample(n=400)
    x[::10, 0] *= -30
    plain = x.copy()
    fit = fit_cox(x, follow_up(exits, event))
    monkeypatch.setattr(newton, "MANY_ROWS", 10**9)
    assert fit.effects == pytest.approx(fit_cox(plain, follow_up(exits, event)).effects, rel=1e-8)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.booleans())
def test_order_of_rows_and_unit_of_age_do_not_matter(seed, late):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(30, 80))
    x = rng.normal(size=(n, 2))
    exits = rng.integers(1, 15, n)
    event = rng.random(n) < 0.8
    entry = np.minimum(rng.integers(0, 8, n), exits - 1) if late else None
    fit = fit_cox(x, follow_up(exits, event, entry=entry))
    turn = rng.permutation(n)
    moved = follow_up(
        exits[turn] * 0.7, event[turn], entry=None if entry is None else entry[turn] * 0.7
    )
    again = fit_cox(x[turn], moved)
    assert again.effects == pytest.approx(fit.effects, rel=1e-7, abs=1e-9)
    assert fit.log_likelihood >= fit.log_likelihood_null
    assert (np.linalg.eigvalsh(fit.covariance) > 0).all()
