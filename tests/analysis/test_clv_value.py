"""Value of buyers against the formula row by row, draws of parameters, and at the edges."""

from dataclasses import replace

import ibis
import numpy as np
import pandas as pd
import pytest

from csa.analysis.clv.newcomers import newcomer_value
from csa.analysis.clv.value import ALL, buyer_value, next_best
from csa.analysis.clv.value_models import ValueTerms, histories, value_model
from csa.errors import InputError
from csa.methods.btyd import bg_nbd, pareto_nbd_predict
from csa.methods.btyd.discounting import discounted_transactions
from csa.methods.btyd.gamma_gamma import expected_spend, fit_gamma_gamma, mean_spend
from csa.methods.btyd.model import Fit, unfitted

# parameters of CDNOW as printed, with errors of about a tenth
PARETO = {"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669}
BG = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
SPEND = {"p": 6.25, "q": 3.74, "gamma": 1544.0}


def fit(name, parameters, *, unit_days=7.0, error=0.1):
    """Make a fit of stated parameters; errors of neighbours are correlated."""
    size = len(parameters)
    near = 0.5 ** np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
    return Fit(
        model=name,
        parameters=dict(parameters),
        log_parameters=np.log(list(parameters.values())),
        covariance=error**2 * near,
        standard_errors={},
        log_likelihood=-1.0,
        n=100.0,
        events=100.0,
        converged=True,
        starts=(5, 5),
        unit_days=unit_days,
    )


def model(name="Pareto/NBD", *, unit_days=7.0):
    """Join a fit of purchases and one of spend."""
    factor = 7.0 / unit_days
    parameters = dict(PARETO if name == "Pareto/NBD" else BG)
    for scale in ("alpha", "beta"):
        if scale in parameters:
            parameters[scale] *= factor
    spend = fit("Gamma-Gamma", SPEND, unit_days=None, error=0.05)
    return value_model(fit(name, parameters, unit_days=unit_days), spend)


def customers(n=400, seed=1, unit_days=7.0):
    """Make histories on whole days, of three segments."""
    rng = np.random.default_rng(seed)
    age = rng.integers(180, 280, n)
    x = np.where(rng.random(n) < 0.5, 0, rng.geometric(0.4, n))
    last = np.where(x > 0, np.maximum(np.round(age * rng.random(n)), x), 0)
    return pd.DataFrame(
        {
            "account_id": [f"c{i:04}" for i in range(n)],
            "frequency": x,
            "recency": last / unit_days,
            "age": age / unit_days,
            "mean_minor": np.where(x > 0, np.round(rng.lognormal(8, 0.6, n)), np.nan),
            "segment": rng.choice(["a", "b", "c"], n, p=[0.6, 0.3, 0.1]),
        }
    )


def by_hand(held, frame, terms):
    """DERT × E(M) × margin of each customer."""
    counts = histories(held, *(frame[c].to_numpy(float) for c in ("frequency", "recency", "age")))
    purchases = pareto_nbd_predict.discounted_residual(
        held.purchases, counts, annual_rate=terms.annual_rate, horizon_days=terms.horizon_days
    )
    spend = expected_spend(held.spend, frame["frequency"], frame["mean_minor"]).expected
    return purchases * spend * terms.margin


@pytest.mark.parametrize("horizon", [365.25, np.inf])
def test_value_is_discounted_purchases_times_spend_times_margin(horizon):
    frame, terms = customers(), ValueTerms(horizon_days=horizon, margin=0.4, annual_rate=0.12)
    found = buyer_value(frame, model=model(), terms=terms, by="segment")
    rows = found.customers.to_pandas().set_index("account_id").loc[frame["account_id"]]
    exact = by_hand(model(), frame, terms)
    assert rows["value"].to_numpy() == pytest.approx(exact, rel=1e-9)
    product = rows["expected_purchases"] * rows["expected_spend"] * 0.4
    assert product.to_numpy() == pytest.approx(exact, rel=1e-9)
    sums = pd.Series(exact).groupby(frame["segment"].to_numpy()).sum()
    table = found.table.set_index("group")
    assert table.loc[["a", "b", "c"], "value"].to_numpy() == pytest.approx(sums.to_numpy())
    assert (found.status, found.reason) == ("ok", "")


def test_groups_add_up_to_the_total():
    frame = customers(3000)
    found = buyer_value(frame, model=model(), by="segment").table.set_index("group")
    for column in ("value", "purchases", "alive", "customers", "share"):
        parts = found.loc[found.index != ALL, column].sum()
        assert parts == pytest.approx(found.loc[ALL, column], rel=1e-9)
    whole = buyer_value(frame, model=model()).table
    assert list(whole["group"]) == [ALL]
    assert whole["value"].iloc[0] == pytest.approx(found.loc[ALL, "value"], rel=1e-9)
    assert whole["ci_low"].iloc[0] == pytest.approx(found.loc[ALL, "ci_low"], rel=1e-6)


@pytest.mark.slow
def test_intervals_are_those_of_parameters_drawn():
    frame, held, terms = customers(200), model(), ValueTerms(margin=0.4)
    found = buyer_value(frame, model=held, terms=terms, by="segment")
    rng = np.random.default_rng(3)
    drawn = []
    for _ in range(600):
        moved = []
        for one in (held.purchases, held.spend):
            theta = rng.multivariate_normal(one.log_parameters, one.covariance)
            values = dict(zip(one.parameters, np.exp(theta), strict=True))
            moved.append(replace(one, parameters=values, log_parameters=theta))
        drawn.append(by_hand(replace(held, purchases=moved[0], spend=moved[1]), frame, terms))
    logs = np.log(np.array(drawn))
    rows = found.customers.to_pandas().set_index("account_id").loc[frame["account_id"]]
    width = np.log(rows["ci_high"] / rows["ci_low"]).to_numpy() / (2 * 1.959964)
    ratio = width / logs.std(axis=0)
    assert np.median(ratio) == pytest.approx(1, abs=0.05)
    assert np.quantile(ratio, [0.05, 0.95]) == pytest.approx([1, 1], abs=0.15)
    total = found.table.iloc[0]
    spread = np.log(np.array(drawn).sum(axis=1)).std()
    half = np.log(total["ci_high"] / total["ci_low"]) / (2 * 1.959964)
    assert half == pytest.approx(spread, rel=0.08)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Pareto/NBD", "BG/NBD"])
@pytest.mark.parametrize("unit", [1 / 24, 1.0])
def test_value_is_the_same_in_weeks_days_and_hours(name, unit):
    terms = ValueTerms(annual_rate=0.15)
    weeks = buyer_value(customers(60), model=model(name), terms=terms).table
    other = buyer_value(
        customers(60, unit_days=unit), model=model(name, unit_days=unit), terms=terms
    ).table
    assert other["value"].iloc[0] == pytest.approx(weeks["value"].iloc[0], rel=1e-6)
    assert other["ci_high"].iloc[0] == pytest.approx(weeks["ci_high"].iloc[0], rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["BG/NBD", "MBG/NBD"])
def test_purchases_between_ages_are_those_worked_out_for_each(name):
    held, frame, terms = model(name), customers(120, seed=5), ValueTerms(horizon_days=np.inf)
    columns = [frame[c].to_numpy(float) for c in ("frequency", "recency", "age")]
    columns[2] += np.linspace(0, 700, len(frame)).round() / 7  # ages from half a year to three
    counts = histories(held, *columns)
    found = held.discounted(held.purchases, counts, terms)
    exact = discounted_transactions(
        lambda time: bg_nbd.residual_purchases(held.purchases, counts, time),
        annual_rate=terms.annual_rate,
        unit_days=7.0,
    ).transactions
    assert found == pytest.approx(exact, rel=1e-5)


def test_next_best_are_the_most_valuable_in_order():
    found = buyer_value(customers(), model=model(), by="segment")
    rows = found.customers.to_pandas()
    best = next_best(found, count=7)
    expected = rows.sort_values(["value", "account_id"], ascending=[False, True]).head(7)
    assert list(best["account_id"]) == list(expected["account_id"])
    assert list(best["rank"]) == [1, 2, 3, 4, 5, 6, 7]
    assert ((best["ci_low"] < best["value"]) & (best["value"] < best["ci_high"])).all()
    assert set(next_best(found, count=7, of=["c"])["group"]) == {"c"}
    assert len(next_best(found, count=10**6)) == len(rows)


def test_more_spent_and_bought_later_is_worth_more():
    frame = customers(4).assign(
        account_id=["early", "late", "late and rich", "once"],
        frequency=[3, 3, 3, 0],
        recency=[5.0, 30.0, 30.0, 0.0],
        age=[35.0] * 4,
        mean_minor=[3000.0, 3000.0, 9000.0, np.nan],
    )
    best = next_best(buyer_value(frame, model=model()))
    assert list(best["account_id"][:2]) == ["late and rich", "late"]
    assert np.isfinite(best[["value", "ci_low", "ci_high"]].to_numpy()).all()


def test_groups_called_all_or_nothing_stay_apart_from_the_total():
    frame = customers(30).assign(segment=["all", None, "x"] * 10)
    found = buyer_value(frame, model=model(), by="segment").table
    assert list(found["group"]) == [ALL, "all (group)", "unknown", "x"]
    assert found["customers"].to_list() == [30, 10, 10, 10]


def test_the_frame_and_the_order_of_rows_do_not_matter():
    frame = customers(200)
    plain = buyer_value(frame, model=model(), by="segment").table
    table = ibis.memtable(frame.sample(frac=1, random_state=1).assign(extra=1))
    again = buyer_value(table, model=model(), by="segment").table
    pd.testing.assert_frame_equal(plain, again, rtol=1e-12)


def test_nothing_fitted_is_unclear_and_says_why():
    held = model()
    none = replace(held, purchases=unfitted("BG/NBD", "no repeat purchases", size=(5.0, 0.0)))
    found = buyer_value(customers(5), model=none)
    assert (found.status, found.reason) == ("unclear", "BG/NBD: no repeat purchases")
    assert found.table["customers"].iloc[0] == 5
    assert found.table["value"].isna().all()
    assert next_best(found).empty
    assert newcomer_value(customers(5), model=none, by="segment").status == "unclear"


def test_without_a_mean_spend_customers_are_left_out_and_counted():
    held = model()
    heavy = fit("Gamma-Gamma", SPEND | {"q": 0.8}, unit_days=None)
    found = buyer_value(customers(), model=replace(held, spend=heavy))
    once = int((customers()["frequency"] == 0).sum())
    assert found.status == "unclear"
    assert f"{once} customers have no mean spend" in found.reason
    assert found.table["customers"].iloc[0] == 400 - once
    assert np.isfinite(found.table["value"].iloc[0])
    new = newcomer_value(customers(), model=replace(held, spend=heavy), by="segment")
    assert (new.status, new.table["value"].isna().all()) == ("unclear", True)


def test_constant_spend_still_gives_a_value():
    frame = customers().assign(mean_minor=1200.0)
    spend = fit_gamma_gamma(frame["frequency"], frame["mean_minor"])
    found = buyer_value(frame, model=replace(model(), spend=spend))
    row = found.table.iloc[0]
    assert row["value"] == pytest.approx(row["purchases"] * 1200, rel=1e-3)
    assert (found.status, "constant spend" in found.reason) == ("unclear", True)


def test_no_customers_are_worth_nothing():
    found = buyer_value(customers().head(0), model=model(), by="segment")
    assert found.table["value"].to_list() == [0.0]
    assert next_best(found).empty


def test_missing_columns_are_named():
    with pytest.raises(InputError, match="age, segment"):
        buyer_value(customers().drop(columns=["age", "segment"]), model=model(), by="segment")
    with pytest.raises(InputError, match="by='plan'"):
        newcomer_value(customers(), model=model(), by="plan")


def test_terms_out_of_range_are_refused_all_at_once():
    with pytest.raises(InputError, match=r"(?s)annual rate.*margin.*horizon.*confidence"):
        ValueTerms(annual_rate=-1, margin=30, horizon_days=0, confidence=95)


def test_a_model_of_opportunities_is_refused():
    with pytest.raises(InputError, match="BG/BB"):
        value_model(unfitted("BG/BB", "", size=(0.0, 0.0)), model().spend)


def grown(ratios, n=3000, seed=7):
    """Draw customers of whom segments buy and spend so many times as often and as much."""
    rng = np.random.default_rng(seed)
    names = list(ratios)
    segment = rng.choice(names, n)
    often, much = (np.array([ratios[s][i] for s in segment]) for i in (0, 1))
    age = rng.integers(180, 280, n) / 7
    expected = pareto_nbd_predict.expected_purchases(model().purchases, age)
    x = rng.poisson(expected * often * rng.gamma(0.6, 1 / 0.6, n))
    mean = np.where(x > 0, 3500 * much * rng.lognormal(-0.18, 0.6, n), np.nan)
    return pd.DataFrame({"frequency": x, "age": age, "mean_minor": mean, "segment": segment})


def test_newcomers_of_segments_have_the_ratios_of_their_customers():
    frame = grown({"good": (1.5, 2.0), "plain": (1.0, 1.0), "poor": (0.5, 0.5)}, n=12_000)
    found = newcomer_value(frame, model=model(), by="segment").table.set_index("group")
    often, much = found["frequency_ratio"], found["spend_own"]
    assert often["good"] / often["poor"] == pytest.approx(3.0, rel=0.1)
    assert much["good"] / much["poor"] == pytest.approx(4.0, rel=0.1)
    assert found.loc["good", "ci_low"] > found.loc["plain", "ci_high"]
    assert found.loc["plain", "ci_low"] > found.loc["poor", "ci_high"]
    assert (found["first"] + found["later"]).to_numpy() == pytest.approx(found["value"].to_numpy())


def test_value_of_a_newcomer_is_first_and_discounted_later_purchases():
    held, terms = model(), ValueTerms(annual_rate=0.1, margin=0.3)
    found = newcomer_value(customers(), model=held, by="segment", terms=terms).table.iloc[0]
    curve = discounted_transactions(
        lambda t: pareto_nbd_predict.expected_purchases(held.purchases, np.array([t])),
        annual_rate=0.1,
        unit_days=7.0,
        horizon_days=terms.horizon_days,
    )
    spend = float(mean_spend(held.spend).expected[0])
    later = float(curve.transactions[0])
    assert found["group"] == ALL
    assert found["value"] == pytest.approx(0.3 * spend * (1 + later), rel=1e-6)
    assert found["purchases"] == pytest.approx(later, rel=1e-6)


def test_a_segment_of_few_is_worth_what_all_are():
    ratios = {f"s{i}": (1 + 0.05 * (i % 3 - 1), 1.0) for i in range(9)}
    frame = grown(ratios, n=9000)
    few = pd.DataFrame({"frequency": [4, 3], "age": 30.0, "mean_minor": 5000.0, "segment": "few"})
    found = newcomer_value(pd.concat([frame, few]), model=model(), by="segment").table
    found = found.set_index("group")
    assert found.loc["few", "frequency_own"] > 3
    assert found.loc["few", "weight"] < 0.1
    assert found.loc["few", "value"] < 1.3 * found.loc[ALL, "value"]
    width = np.log(found["ci_high"] / found["ci_low"])
    assert width["few"] > width["s1"]


def test_a_segment_without_repeat_purchases_has_a_value():
    frame = customers().assign(segment="old")
    new = pd.DataFrame({"frequency": [0], "age": [0.0], "mean_minor": [np.nan], "segment": [None]})
    found = newcomer_value(pd.concat([frame, new]), model=model(), by="segment").table
    row = found.set_index("group").loc["unknown"]
    assert np.isfinite(row[["value", "ci_low", "ci_high"]].to_numpy(float)).all()
    assert row["ci_low"] < row["value"] < row["ci_high"]
