"""Value under contract: by hand, by its properties, and against known truth."""

import math

import ibis
import numpy as np
import pandas as pd
import pytest
from clv_company import MONTH_DAYS, Law, company
from hypothesis import given, settings
from hypothesis import strategies as st

from csa.analysis.clv.contract import contract_value
from csa.analysis.clv.contract_factors import factors_of
from csa.analysis.clv.contract_terms import ContractTerms, cohort_label
from csa.errors import InputError

LAWS = {"large": Law(hazard=0.01, price=90_000), "small": Law(hazard=0.05)}


def terms(**options):
    return ContractTerms(**({"margin": 0.8, "draws": 200} | options))


def value(made, *, seed=1, **options):
    return contract_value(
        made.spells, made.months, terms=terms(**options), rng=np.random.default_rng(seed)
    )


@pytest.fixture(scope="module")
def two():
    return company(LAWS)


@pytest.fixture(scope="module")
def valued(two):
    return value(two)


def product_limit(spells):
    """Kaplan-Meier by one loop over days: survival at the end of each day."""
    alive, curve = 1.0, {0: 1.0}
    for day in range(1, int(spells["exit_days"].max()) + 1):
        gone = (spells["event"] & (spells["exit_days"] == day)).sum()
        if gone:
            risk = ((spells["exit_days"] >= day) & (spells["entry_days"] < day)).sum()
            alive *= 1 - gone / risk
        curve[day] = alive
    return curve


def test_value_equals_a_sum_by_hand():
    """Margin 0.5, four payments at 12 % a year, survival by the product limit, no growth."""
    made = company({"one": Law(hazard=0.04)}, n=300, history_days=700)
    months = made.months.assign(  # prices that never move
        previous_minor=lambda f: f["previous_minor"].where(f["previous_minor"] == 0, f["mrr_minor"])
    )
    months.loc[months["mrr_minor"] == 0, "previous_minor"] = 1
    found = contract_value(
        made.spells,
        months,
        terms=terms(margin=0.5, horizon_months=4, discount_rate_annual=0.12),
        rng=np.random.default_rng(1),
    )
    here = made.spells[made.spells["end_on"].isna()]
    here = here[here["exit_days"] < 400]  # ages at which all later ones are seen
    days, expected = product_limit(made.spells), {}
    for row in here.itertuples():
        age = int(row.exit_days // MONTH_DAYS)
        curve = [days[math.floor((age + k) * MONTH_DAYS)] for k in range(4)]
        worth = sum(curve[k] / curve[0] * 1.12 ** (-k / 12) for k in range(4))
        expected[row.account_id] = 0.5 * row.mrr_minor * worth
    single = found.accounts.to_pandas().set_index("account_id")["value_minor"]
    assert len(expected) > 50
    assert single.reindex(list(expected)).to_numpy() == pytest.approx(
        list(expected.values()), rel=1e-9
    )


def test_groups_cohorts_cells_and_accounts_add_up(valued):
    whole = valued.table.set_index("group").loc["all", "value_minor"]
    groups = math.fsum(valued.table["value_minor"][1:])
    assert groups == pytest.approx(whole, rel=1e-12)
    for part in (
        valued.cohorts["value_minor"],
        valued.cells["value_minor"],
        valued.accounts.value_minor.to_pandas(),
    ):
        assert math.fsum(part) == pytest.approx(whole, rel=1e-9)
    by_group = valued.accounts.to_pandas().groupby("group")["value_minor"].sum()
    assert by_group["large"] == pytest.approx(valued.table["value_minor"][1], rel=1e-9)
    assert valued.cohorts["accounts"].sum() == valued.table["accounts"][0]


def test_one_payment_is_worth_its_margin(two):
    found = value(two, horizon_months=1)
    assert found.table["value_minor"].to_numpy() == pytest.approx(
        0.8 * found.table["mrr_minor"].to_numpy(), rel=1e-12
    )


@pytest.mark.slow
def test_doubled_prices_double_money_and_no_ratio(two, valued):
    spells = two.spells.assign(mrr_minor=2 * two.spells["mrr_minor"])
    months = two.months.assign(
        mrr_minor=2 * two.months["mrr_minor"], previous_minor=2 * two.months["previous_minor"]
    )
    double = contract_value(spells, months, terms=terms(), rng=np.random.default_rng(1))
    money = ["mrr_minor", "value_minor", "ci_low", "ci_high", "outcome_high", "shortcut_minor"]
    for name in money:
        assert double.table[name].to_numpy() == pytest.approx(2 * valued.table[name].to_numpy())
    for name in ("months_of_margin", "shortcut_times", "monthly_churn", "beyond"):
        assert double.table[name].to_numpy() == pytest.approx(valued.table[name].to_numpy())


@pytest.mark.slow
def test_order_index_and_further_columns_do_not_matter(two, valued):
    spells = two.spells.sample(frac=1, random_state=3).assign(more=1)
    months = two.months.sample(frac=1, random_state=4).assign(more=1)
    before = spells.copy()
    found = contract_value(spells, months, terms=terms(), rng=np.random.default_rng(1))
    pd.testing.assert_frame_equal(found.table, valued.table)
    pd.testing.assert_frame_equal(found.cohorts, valued.cohorts)
    pd.testing.assert_frame_equal(spells, before)


@pytest.mark.slow
def test_tables_of_the_engine_are_taken(two, valued):
    engine = ibis.duckdb.connect()
    spells = engine.create_table("spells", two.spells)
    months = engine.create_table("months", two.months)
    found = contract_value(spells, months, terms=terms(), rng=np.random.default_rng(1))
    pd.testing.assert_frame_equal(found.table, valued.table)
    assert len(found.accounts.to_pandas()) == found.table["accounts"][0]


def test_limits_hold_the_value_and_outcomes_are_wider(valued):
    for frame in (valued.table, valued.cohorts, valued.accounts.to_pandas()):
        assert (frame["ci_low"] <= frame["value_minor"]).all()
        assert (frame["value_minor"] <= frame["ci_high"]).all()
    assert (valued.table["outcome_low"] <= valued.table["ci_low"]).all()
    assert (valued.table["outcome_high"] >= valued.table["ci_high"]).all()


def test_curves_fall_from_1_and_say_how_far_they_are_seen(valued):
    for _, curve in valued.curves.groupby("group"):
        assert curve["survival"].iloc[0] == 1
        assert (curve["survival"].diff().dropna() <= 0).all()
        assert curve["survival"].between(curve["ci_low"], curve["ci_high"]).all()
        assert curve["seen"].iloc[1]
        assert not curve["seen"].iloc[-1]
    assert (valued.table["beyond"].between(0, 1)).all()


@pytest.mark.slow
def test_late_entry_is_used():
    """Accounts from before the records began are known only because they stayed."""
    law = Law(hazard=0.06, shape=4)
    made = company({"one": law}, n=6000, observed_days=400)
    assert (made.spells["entry_days"] > 0).any()
    curve = value(made).curves.query("group == 'one'").set_index("age_months")["survival"]
    assert curve[24] == pytest.approx(float(law.survival(24)), abs=0.03)
    naive = made.spells.assign(entry_days=0)
    wrong = contract_value(naive, made.months, terms=terms(), rng=np.random.default_rng(1))
    wrong_curve = wrong.curves.query("group == 'one'").set_index("age_months")["survival"]
    assert wrong_curve[24] > curve[24] + 0.1


@pytest.mark.slow
def test_growth_leaves_leavers_out_and_is_drawn_in():
    laws = {f"g{i}": Law(hazard=0.04, growth=g) for i, g in enumerate((0.0, 0.01, 0.02))}
    made = company(laws, n=300)
    few = company({"g3": Law(hazard=0.04, growth=0.2, shock=0.3)}, n=12, seed=9)
    spells = pd.concat([made.spells, few.spells])
    months = pd.concat([made.months, few.months])
    found = contract_value(spells, months, terms=terms(), rng=np.random.default_rng(1))
    rows = found.growth.set_index("group")
    assert rows.loc["g1", "own"] == pytest.approx(0.01, abs=1e-3)
    assert rows.loc["g1", "own"] == pytest.approx(
        rows.loc["g1", "expansion"] - rows.loc["g1", "contraction"]
    )
    assert rows.loc["g3", "weight"] < 0.5 < rows.loc["g1", "weight"]
    assert rows.loc["g3", "rate"] < 0.6 * rows.loc["g3", "own"]


@pytest.mark.slow
def test_a_group_in_which_nothing_moved_yet_does_not_rule_the_mean():
    laws = {"moving": Law(growth=0.01, shock=0.1), "other": Law(growth=0.012, shock=0.1)}
    made = company(laws, n=300)
    still = company({"still": Law()}, n=4, seed=3, history_days=200)
    months = pd.concat([made.months, still.months])
    found = contract_value(
        pd.concat([made.spells, still.spells]), months, terms=terms(), rng=np.random.default_rng(1)
    )
    assert found.growth.set_index("group")["rate"].min() > 0.003


def test_shortcut_is_arpa_times_margin_over_churn(two, valued):
    last = two.months["month"].max()
    window = two.months[(two.months["month"] > last - 6) & (two.months["previous_minor"] > 0)]
    churn = (window["mrr_minor"] == 0).mean()
    row = valued.table.iloc[0]
    assert row["monthly_churn"] == pytest.approx(churn)
    assert row["shortcut_minor"] == pytest.approx(0.8 * row["mrr_minor"] / churn)
    assert row["shortcut_times"] == pytest.approx(row["shortcut_minor"] / row["value_minor"])


@pytest.mark.slow
def test_few_leavers_borrow_the_shape_of_all(two):
    few = company({"tiny": Law(hazard=0.002)}, n=40, seed=5)
    assert 0 < few.spells["event"].sum() < 5
    found = contract_value(
        pd.concat([two.spells, few.spells]),
        pd.concat([two.months, few.months]),
        terms=terms(),
        rng=np.random.default_rng(1),
    )
    row = found.table.set_index("group").loc["tiny"]
    assert "shape of all" in row["reason"]
    curve = found.curves.set_index(["group", "age_months"])["survival"]
    assert curve["tiny", 24] > curve["all", 24]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["all", None])
def test_names_of_groups_are_never_the_total(two, name):
    spells = two.spells.assign(group=two.spells["group"].replace("small", name))
    months = two.months.assign(group=two.months["group"].replace("small", name))
    found = contract_value(spells, months, terms=terms(), rng=np.random.default_rng(1))
    label = "not stated" if name is None else '"all"'
    assert set(found.table["group"]) == {"all", "large", label}
    assert found.table["value_minor"][1:].sum() == pytest.approx(found.table["value_minor"][0])


@pytest.mark.slow
def test_nobody_is_a_customer():
    made = company({"one": Law(hazard=0.9)}, n=50, history_days=1500)
    spells = made.spells[made.spells["end_on"].notna()]
    found = contract_value(spells, made.months, terms=terms(), rng=np.random.default_rng(1))
    assert found.table["accounts"].tolist() == [0, 0]
    assert found.table["value_minor"].tolist() == [0, 0]
    assert set(found.table["reason"]) == {"no customers"}
    assert found.cohorts.empty
    assert found.accounts.to_pandas().empty


def test_no_rows_at_all():
    made = company({"one": Law()}, n=5)
    found = contract_value(
        made.spells.iloc[:0], made.months.iloc[:0], terms=terms(), rng=np.random.default_rng(1)
    )
    assert found.table["group"].tolist() == ["all"]
    assert found.table["status"].tolist() == ["unclear"]
    assert found.growth.empty


def test_one_account_and_nobody_left():
    made = company({"one": Law(hazard=1e-9)}, n=1)
    found = value(made)
    row = found.table.iloc[1]
    assert row["status"] == "unclear"
    assert "only 0 left" in row["reason"]
    assert "only 1 accounts" in row["reason"]
    assert np.isfinite(row["value_minor"])
    assert math.isnan(row["shortcut_minor"])
    assert row["ci_low"] < row["value_minor"]


def test_what_cannot_be_is_refused_all_at_once(two):
    broken = two.spells.copy()
    broken.loc[0, "exit_days"] = -1
    broken.loc[1, "account_id"] = None
    with pytest.raises(InputError) as raised:
        contract_value(broken, two.months, terms=terms(), rng=np.random.default_rng(1))
    assert len(raised.value.faults) == 2
    with pytest.raises(InputError, match="column mrr_minor is missing"):
        contract_value(
            two.spells.drop(columns="mrr_minor"),
            two.months,
            terms=terms(),
            rng=np.random.default_rng(1),
        )


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"margin": 80}, "margin: 80"),
        ({"discount_rate_annual": -0.1}, "discount_rate_annual"),
        ({"horizon_months": 0}, "horizon_months: 0"),
        ({"growth_months": 700}, "growth_months: 700"),
        ({"cohort": "week"}, "none of month, quarter, year"),
        ({"confidence": 1.0}, "confidence"),
        ({"draws": 10}, "draws: 10"),
    ],
)
def test_terms_are_refused(options, text):
    with pytest.raises(InputError, match=text):
        terms(**options)


def test_discount_is_an_annual_effective_rate():
    assert terms(discount_rate_annual=0.21, horizon_months=13).discount()[[0, 6, 12]] == (
        pytest.approx([1, 1 / 1.1, 1 / 1.21])
    )


@pytest.mark.parametrize(
    ("number", "kind", "label"),
    [(2026, "year", "2026"), (2026 * 4 + 3, "quarter", "2026-Q4"), (24321, "month", "2026-10")],
)
def test_cohorts_are_named(number, kind, label):
    assert cohort_label(number, kind) == label


@pytest.mark.slow
def test_cohorts_follow_the_first_start(two):
    found = value(two, cohort="year")
    here = two.spells[two.spells["end_on"].isna()]
    counts = here["start_on"].dt.year.astype(str).value_counts()
    assert found.cohorts.set_index("cohort")["accounts"].to_dict() == counts.to_dict()


@given(st.floats(0, 0.3), st.floats(-0.02, 0.02), st.integers(0, 10))
@settings(max_examples=30)
def test_factors_of_a_constant_hazard_are_geometric(hazard, rate, age):
    discount = 1.1 ** (-np.arange(6) / 12)
    found = factors_of(np.full(20, hazard), discount * (1 + rate) ** np.arange(6), age + 1)
    expected = sum(((1 - hazard) * (1 + rate)) ** k * discount[k] for k in range(6))
    assert found == pytest.approx(np.full(age + 1, expected))


def test_hazards_go_on_where_they_end():
    short, long = np.full(14, 0.1), np.full(60, 0.1)
    discount = np.ones(24)
    assert factors_of(short, discount, 5) == pytest.approx(factors_of(long, discount, 5))


@pytest.mark.slow
def test_customers_who_differ_stay_longer_than_one_churn_rate_says():
    """Frailty of shape 0.7: the weak leave first, and the rule knows one rate for all."""
    law = Law(hazard=0.06, shape=0.7)
    found = value(company({"one": law}, n=3000))
    truth = law.factor(0, horizon=600, discount=0.0)
    naive = 1 / found.table["monthly_churn"][0]
    assert truth > 1.5 * naive
