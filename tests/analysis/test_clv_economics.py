"""Value against cost, concentration, change and looking back."""

import math
from datetime import date

import numpy as np
import pandas as pd
import pytest
from clv_company import Law, company, month_of

from csa.analysis.clv.contract import contract_value
from csa.analysis.clv.contract_terms import ContractTerms
from csa.analysis.clv.economics import Acquisition, unit_economics
from csa.analysis.clv.economics_back import realised_against_predicted
from csa.analysis.clv.economics_change import what_moved
from csa.analysis.clv.economics_concentration import concentration
from csa.errors import InputError

LAWS = {"large": Law(hazard=0.01, price=90_000), "small": Law(hazard=0.05)}
TERMS = ContractTerms(margin=0.8, draws=200, cohort="year")


def rng(seed=1):
    return np.random.default_rng(seed)


def value(made, **options):
    chosen = {"margin": 0.8, "draws": 200, "cohort": "year"} | options
    return contract_value(made.spells, made.months, terms=ContractTerms(**chosen), rng=rng())


def accounts_of(made, *, cost=1000.0, never=0.25, seed=4):
    """One account per spell, and some that signed up and never became customers."""
    draw = rng(seed)
    won = made.spells.groupby("account_id").agg(
        signed_up_on=("start_on", "min"), segment=("group", "first")
    )
    lost = won.sample(frac=never, random_state=seed)
    lost.index = [f"{name} never" for name in lost.index]
    both = pd.concat([won, lost]).rename_axis("account_id").reset_index()
    return both.assign(
        acquisition_cost=np.round(cost * draw.lognormal(0, 0.3, len(both)), 2),
        channel=draw.choice(["partner", "search"], len(both)),
    )


@pytest.fixture(scope="module")
def two():
    return company(LAWS)


@pytest.fixture(scope="module")
def valued(two):
    return value(two)


@pytest.fixture(scope="module")
def weighed(two, valued):
    return unit_economics(
        valued,
        accounts_of(two),
        two.spells,
        two.months,
        acquisition=Acquisition(by="segment"),
        rng=rng(),
    )


def test_unit_economics_equal_sums_by_hand(two, valued, weighed):
    """CAC counts those never won; CLV is first price times the factor at age 0."""
    accounts = accounts_of(two)
    first = two.months[two.months["previous_minor"] == 0].set_index("account_id")["mrr_minor"]
    start = first.reindex(two.spells["account_id"]).fillna(
        two.spells.set_index("account_id")["mrr_minor"]
    )
    for name in LAWS:
        row = weighed.table.set_index("name").loc[name]
        cost = 100 * accounts.loc[accounts["segment"] == name, "acquisition_cost"].sum()
        ids = two.spells.loc[two.spells["group"] == name, "account_id"]
        paid = start[ids].sum()
        clv = 0.8 * paid * valued.parts[name].factors.value[0]
        assert row["signups"] == (accounts["segment"] == name).sum()
        assert row["customers"] == len(ids)
        assert row["cac_minor"] == pytest.approx(cost / len(ids))
        assert row["start_mrr_minor"] == pytest.approx(paid / len(ids))
        assert row["clv_minor"] == pytest.approx(clv / len(ids))
        assert row["ratio"] == pytest.approx(clv / cost)


def test_all_is_made_of_the_groups(weighed):
    rows = weighed.table.set_index("name")
    parts = rows.drop("all")
    assert rows.loc["all", "customers"] == parts["customers"].sum()
    total = (parts["clv_minor"] * parts["customers"]).sum()
    assert rows.loc["all", "clv_minor"] * rows.loc["all", "customers"] == pytest.approx(total)


def test_payback_is_the_first_payment_that_covers_the_cost(two, valued, weighed):
    row = weighed.table.set_index("name").loc["small"]
    part = valued.parts["small"]
    alive = np.cumprod(np.append(1.0, 1 - part.hazards.hazard[:35]))
    paid = np.cumsum(alive * part.path.value) * 0.8 * row["start_mrr_minor"]
    assert row["payback_months"] == 1 + int(np.argmax(paid >= row["cac_minor"]))
    assert row["payback_months_low"] <= row["payback_months"] <= row["payback_months_high"]


def test_limits_hold_the_figures(weighed):
    for name in ("cac_minor", "start_mrr_minor", "clv_minor", "ratio"):
        assert (weighed.table[f"{name}_low"] < weighed.table[name]).all()
        assert (weighed.table[name] < weighed.table[f"{name}_high"]).all()
    assert weighed.table["p_above"].between(0, 1).all()


def _weigh(made, found, accounts, **options):
    return unit_economics(
        found, accounts, made.spells, made.months, acquisition=Acquisition(**options), rng=rng()
    ).table.set_index("name")


def test_cost_that_no_margin_covers_is_not_paid_back(two, valued):
    accounts = accounts_of(two, cost=1e6)
    rows = _weigh(two, valued, accounts)
    assert rows["payback_months"].isna().all()
    assert (rows["share_paid_back"] == 0).all()
    assert (rows["p_above"] == 0).all()


def test_probability_agrees_with_the_interval(two, valued):
    base = _weigh(two, valued, accounts_of(two)).loc["all", "ratio"]
    rows = _weigh(two, valued, accounts_of(two), target=base)
    assert rows.loc["all", "p_above"] == pytest.approx(0.5, abs=0.12)


@pytest.mark.slow
def test_accounts_without_cost_count_on_neither_side(two, valued):
    accounts = accounts_of(two)
    known = _weigh(two, valued, accounts)
    holes = accounts.assign(
        acquisition_cost=accounts["acquisition_cost"].where(accounts["channel"] == "search")
    )
    part = _weigh(two, valued, holes)
    only = _weigh(two, valued, accounts[accounts["channel"] == "search"])
    assert part.loc["all", "without_cost"] == (accounts["channel"] == "partner").sum()
    assert part["ratio"].to_numpy() == pytest.approx(only["ratio"].to_numpy())
    assert part["cac_minor"].to_numpy() == pytest.approx(only["cac_minor"].to_numpy())
    assert part.loc["all", "ratio"] != pytest.approx(known.loc["all", "ratio"], rel=1e-6)


def test_no_cost_is_unclear(two, valued):
    rows = _weigh(two, valued, accounts_of(two).assign(acquisition_cost=np.nan))
    assert set(rows["status"]) == {"unclear"}
    assert rows["ratio"].isna().all()
    free = _weigh(two, valued, accounts_of(two).assign(acquisition_cost=0.0))
    assert set(free["reason"]) == {"no acquisition cost is known"}


@pytest.mark.slow
def test_channels_and_cohorts_are_names_not_totals(two, valued):
    accounts = accounts_of(two).assign(
        channel=lambda f: f["channel"].replace("search", "all").where(f.index > 3)
    )
    by_channel = _weigh(two, valued, accounts, by="channel")
    assert list(by_channel.index) == ["all", '"all"', "not stated", "partner"]
    assert by_channel.loc["not stated", "status"] == "unclear"
    by_cohort = _weigh(two, valued, accounts, by="cohort")
    assert list(by_cohort.index[1:]) == sorted(
        accounts["signed_up_on"].dt.year.astype(str).unique()
    )
    since = _weigh(two, valued, accounts, by="cohort", since=date(2025, 1, 1))
    assert list(since.index) == ["all", "2025", "2026"]


@pytest.mark.slow
def test_signups_from_before_the_records_do_not_count():
    made = company({"one": Law(hazard=0.05)}, n=800, observed_days=500)
    found = unit_economics(
        value(made),
        accounts_of(made),
        made.spells,
        made.months,
        acquisition=Acquisition(),
        rng=rng(),
    )
    late = made.spells[made.spells["entry_days"] > 0]
    seen_from = (late["start_on"] + pd.to_timedelta(late["entry_days"], unit="D")).max()
    assert found.since == seen_from.date()
    accounts = accounts_of(made)
    assert found.table["signups"][0] == (accounts["signed_up_on"] >= seen_from).sum()


def test_missing_columns_of_accounts_are_named(two, valued):
    accounts = accounts_of(two).drop(columns=["acquisition_cost", "channel"])
    with pytest.raises(InputError) as raised:
        _weigh(two, valued, accounts, by="channel")
    assert len(raised.value.faults) == 2


# concentration ---------------------------------------------------------------------------


def test_concentration_equals_the_sorted_values(valued):
    worth = np.sort(valued.accounts.value_minor.to_pandas())[::-1]
    found = concentration(valued)
    rows = found.table
    place = np.round(rows["share_of_accounts"] * len(worth)).astype(int) - 1
    assert rows["share_of_value"].to_numpy() == pytest.approx(
        (np.cumsum(worth) / worth.sum())[place]
    )
    n = len(worth)
    gini = 2 * (np.arange(1, n + 1) - 0.5) @ worth[::-1] / (n * worth.sum()) - 1
    assert found.gini.value == pytest.approx(gini, abs=1e-9)
    assert found.status == "ok"


def test_limits_of_concentration_match_the_bootstrap(valued):
    """Limits of the top tenth and of Gini against 2,000 resamples of the accounts, 15 %."""
    worth = valued.accounts.value_minor.to_pandas().to_numpy()
    found, draw = concentration(valued), rng(8)
    many = np.sort(draw.choice(worth, (2000, len(worth))), axis=1)[:, ::-1]
    tenth = len(worth) // 10
    share = many[:, :tenth].sum(axis=1) / many.sum(axis=1)
    row = found.table.iloc[tenth - 1]
    half = (row["ci_high"] - row["ci_low"]) / 2
    assert half == pytest.approx(1.96 * share.std(), rel=0.15)
    weights = np.arange(len(worth), 0, -1) - 0.5
    gini = 2 * many @ weights / (len(worth) * many.sum(axis=1)) - 1
    assert (found.gini.high - found.gini.low) / 2 == pytest.approx(1.96 * gini.std(), rel=0.15)


@pytest.mark.parametrize(("accounts", "reason"), [(0, "no customers"), (5, "only 5 accounts")])
def test_concentration_of_few_is_unclear(two, accounts, reason):
    running = two.spells[two.spells["end_on"].isna()].head(accounts)
    spells = pd.concat([two.spells[two.spells["end_on"].notna()], running])
    found = concentration(contract_value(spells, two.months, terms=TERMS, rng=rng()))
    assert (found.status, found.reason) == ("unclear", reason)
    assert len(found.table) == accounts


# what moved ------------------------------------------------------------------------------


def amounts(change):
    return change.table.set_index("cause")["amount_minor"].to_dict()


def test_parts_of_a_change_add_up_exactly(two, valued):
    other = value(company({"large": Law(hazard=0.02, price=60_000), "new": Law()}, seed=7))
    change = what_moved(valued, other)
    assert math.fsum(change.table["amount_minor"]) == pytest.approx(change.change_minor, rel=1e-12)
    assert change.value_minor == pytest.approx(valued.table["value_minor"][0], rel=1e-12)
    assert change.previous_minor == pytest.approx(other.table["value_minor"][0], rel=1e-12)
    rows = change.groups.set_index("group")
    assert rows.loc["small", "previous_minor"] == 0
    assert rows.loc["new", "value_minor"] == 0


def test_nothing_moved(valued):
    assert set(amounts(what_moved(valued, valued)).values()) == {0.0}


def test_a_price_rise_is_price_alone(two, valued):
    spells = two.spells.assign(mrr_minor=2 * two.spells["mrr_minor"])
    double = contract_value(spells, two.months, terms=TERMS, rng=rng())
    found = amounts(what_moved(double, valued))
    assert found["price"] == pytest.approx(valued.table["value_minor"][0], rel=1e-9)
    assert [found[c] for c in ("accounts", "mix", "retention", "expansion")] == pytest.approx(
        [0] * 4, abs=1.0
    )


def test_better_survival_is_retention(valued):
    better = value(
        company({n: Law(hazard=law.hazard / 2, price=law.price) for n, law in LAWS.items()})
    )
    worse = amounts(what_moved(valued, better))
    assert worse["retention"] < 0
    assert abs(worse["retention"]) > abs(worse["expansion"])


def test_other_terms_are_refused(two, valued):
    with pytest.raises(InputError, match=r"margin: 0\.8 now and 0\.7 before"):
        what_moved(valued, value(two, margin=0.7))


# realised against predicted --------------------------------------------------------------

CUT = date(2025, 10, 31)


@pytest.fixture(scope="module")
def back(two):
    return realised_against_predicted(two.spells, two.months, cut=CUT, terms=TERMS, rng=rng())


def test_realised_is_what_the_customers_of_the_day_paid_after_it(two, back):
    cut = pd.Timestamp(CUT)
    here = two.spells[
        (two.spells["start_on"] <= cut)
        & (two.spells["end_on"].isna() | (two.spells["end_on"] > cut))
    ]
    later = two.months[two.months["month"] > month_of([(cut - pd.Timestamp(0)).days])[0]]
    paid = later[later["account_id"].isin(here["account_id"])]["mrr_minor"].sum()
    row = back.table.iloc[0]
    assert row["accounts"] == len(here)
    assert row["realised_minor"] == pytest.approx(0.8 * paid)
    assert back.ahead_months == 12
    assert back.cohorts["realised_minor"].sum() == pytest.approx(0.8 * paid)
    assert back.cohorts["predicted_minor"].sum() == pytest.approx(row["predicted_minor"], rel=1e-9)
    assert row["error"] == pytest.approx(row["realised_minor"] / row["predicted_minor"] - 1)


@pytest.mark.slow
def test_prediction_knows_nothing_that_came_later(two, back):
    """Everybody leaves on the day after the cut: the prediction stays as it was."""
    cut = pd.Timestamp(CUT)
    spells, months = two.spells.copy(), two.months.copy()
    stays = (spells["start_on"] <= cut) & ~(spells["end_on"] <= cut)
    spells.loc[stays, "end_on"] = cut + pd.Timedelta(days=1)
    spells.loc[stays, "exit_days"] = (
        spells.loc[stays, "end_on"] - spells.loc[stays, "start_on"]
    ).dt.days
    spells.loc[stays, "event"] = True
    spells.loc[stays, "mrr_minor"] = 1
    gone = months["month"] > month_of([(cut - pd.Timestamp(0)).days])[0]
    months.loc[gone, "mrr_minor"] = 0
    found = realised_against_predicted(spells, months, cut=CUT, terms=TERMS, rng=rng())
    same = ["accounts", "mrr_minor", "predicted_minor", "ci_low", "outcome_high"]
    pd.testing.assert_frame_equal(found.table[same], back.table[same])
    assert found.table["realised_minor"].sum() == 0


@pytest.mark.parametrize(
    ("cut", "text"),
    [(date(2025, 10, 30), "not the last day of a month"), (date(2026, 10, 31), "no month has")],
)
def test_impossible_days_are_refused(two, cut, text):
    with pytest.raises(InputError, match=text):
        realised_against_predicted(two.spells, two.months, cut=cut, terms=TERMS, rng=rng())
