"""The currency row: exchange rates are no movement, and the identity holds to the cent."""

import random
from datetime import date, timedelta
from decimal import Decimal

import ibis
import pytest
from mrr_worlds import OCTOBER, months_of, of

from csa.analysis.revenue.drawn import Draws
from csa.analysis.revenue.flows import flow_rates
from csa.analysis.revenue.movements import movements
from csa.data.rollups import RollupContext, account_months
from csa.present import narrate, plots, tables

LABELS = {"period_label": "October 2026", "previous_label": "September 2026"}
FIRST = date(2025, 1, 1)
KINDS = {"account_id": "string", "start_on": "date", "end_on": "date"}
KINDS |= {"mrr": "decimal(18, 4)", "currency": "string"}
MOVED = ("new", "reactivation", "expansion", "contraction", "churn")


def crowd(accounts, *, seed):
    """Rows of accounts in two currencies, and a rate for each month of two years."""
    rng, rows = random.Random(seed), []  # noqa: S311
    for n in range(accounts):
        day = FIRST + timedelta(days=rng.randrange(600))
        for _ in range(rng.randint(1, 4)):
            end = day + timedelta(days=rng.choice((1, 30, 90, rng.randrange(1, 500))))
            code = rng.choice(("EUR", "USD"))
            price = rng.choice(("9.99", "10.005", "33.3333", "1200.5"))
            last = None if rng.random() < 0.2 else end
            rows.append((f"a{n:04}", day, last, Decimal(price), code))
            day = end + timedelta(days=rng.choice((0, 0, 20, 45)))
    steps = [(date(2025 + m // 12, m % 12 + 1, 1), rng.randrange(80, 120)) for m in range(24)]
    rates = (("USD", tuple((day, Decimal(r) / 100) for day, r in steps)),)
    return ibis.memtable([dict(zip(KINDS, row, strict=True)) for row in rows]).cast(KINDS), rates


def grouped(table, rates, as_of):
    months = account_months(table, RollupContext(as_of=as_of, rates=rates)).to_pandas()
    months["group"] = ["A" if name[-1] in "02468" else "B" for name in months["account_id"]]
    months["observed_from"] = None
    return months


@pytest.mark.slow
def test_movements_and_currency_close_to_the_cent_in_every_month_and_group():
    table, rates = crowd(800, seed=3)
    months = grouped(table, rates, date(2026, 10, 31))
    result = movements(months, span=of(2026, 10), history=22)
    t = result.table
    gains = t["new_minor"] + t["reactivation_minor"] + t["expansion_minor"]
    losses = t["contraction_minor"] + t["churn_minor"]
    assert (t["start_minor"] + gains - losses + t["currency_minor"] == t["end_minor"]).all()
    assert (t[[f"{kind}_minor" for kind in MOVED]] >= 0).all(axis=None)
    for _, group in t.groupby("group"):
        assert (group["start_minor"].to_numpy()[1:] == group["end_minor"].to_numpy()[:-1]).all()
    assert set(t["group"]) == {"all", "A", "B"}
    assert (t.loc[t["month_start"] > FIRST, "currency_minor"] != 0).mean() > 0.8


@pytest.mark.slow
def test_a_rate_that_never_changes_gives_no_currency():
    table, _ = crowd(200, seed=5)
    still = (("USD", ((FIRST, Decimal("0.9137")), (date(2026, 3, 1), Decimal("0.9137")))),)
    months = grouped(table, still, date(2026, 10, 31))
    assert not months["currency_minor"].any()
    assert set(months["movement"]) == {*MOVED, "none"}


@pytest.fixture(scope="module")
def revalued():
    """Two accounts that change nothing, one of them worth less; one grows and one leaves."""
    paid = {
        "still": {OCTOBER - 1: 10_000, OCTOBER: 10_000},
        "dollar": {OCTOBER - 1: 20_000, OCTOBER: 18_000},
        "grown": {OCTOBER - 1: 1000, OCTOBER: 1500},
        "gone": {OCTOBER - 1: 700},
    }
    frame = months_of(paid)
    worth_less = (frame["account_id"] == "dollar") & (frame["month"] == OCTOBER)
    frame["currency_minor"] = worth_less.map({True: -2000, False: 0})
    frame.loc[worth_less, "movement"] = "none"
    return frame


@pytest.mark.slow
def test_exchange_rates_are_no_contraction(revalued):
    row = movements(revalued, span=of(2026, 10)).period.iloc[0]
    assert (row["contraction_minor"], row["currency_minor"]) == (0, -2000)
    assert (row["expansion_minor"], row["churn_minor"]) == (500, 700)
    assert (row["net_new_minor"], row["start_minor"], row["end_minor"]) == (-200, 31_700, 29_500)
    flows = flow_rates(revalued, span=of(2026, 10), horizon_months=1, draws=Draws(replicates=40))
    assert flows.table["quick_ratio"].iloc[0] == pytest.approx(500 / 700)
    assert flows.table["nrr"].iloc[0] == pytest.approx(31_500 / 31_700)


@pytest.mark.slow
def test_the_currency_row_is_said_drawn_and_listed(revalued):
    moved = movements(revalued, span=of(2026, 10))
    said = narrate.mrr_movements(moved, **LABELS)
    assert "Exchange rates took €20.00 beside that." in said.text
    assert "months count at the rates of their last day (rates in csa.yml)" in said.evidence
    chart = plots.mrr_waterfall(moved)
    assert "Currency" in chart.alt
    assert "exchange rates" in chart.caption
    assert list(chart.data["step"])[-2:] == ["currency", "end"]
    listed = tables.mrr_by_month(moved)
    assert "what goes at the rate of the month before" in listed.note
    assert listed.rows["currency_minor"].iloc[-1] == -20
    assert "exchange rates" in plots.mrr_movements(moved).caption


@pytest.mark.slow
def test_without_changed_rates_nothing_is_said_of_them():
    moved = movements(months_of({"a": {OCTOBER - 1: 100, OCTOBER: 200}}), span=of(2026, 10))
    assert "xchange" not in narrate.mrr_movements(moved, **LABELS).text
    assert "currency is 0: no exchange rate changed" in tables.mrr_by_month(moved).note
    assert "currency" not in set(plots.mrr_waterfall(moved).data["step"])
