"""Buyers valued by the model that was chosen, and that model followed through the holdout."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from csa.analysis.clv.buyers import buyers
from csa.analysis.clv.buyers_valued import DOUBT, followed, value_buyers
from csa.analysis.clv.dated_total import dated_total
from csa.analysis.clv.holdout import rolling
from csa.analysis.clv.rfm import rfm
from csa.analysis.clv.value import buyer_value
from csa.analysis.clv.value_models import ValueTerms, value_model
from csa.data.purchases import purchases
from csa.data.rollups import RollupContext
from csa.methods.btyd.gamma_gamma import fit_gamma_gamma

FIRST, SPLIT, AS_OF = date(2025, 1, 1), date(2025, 9, 30), date(2025, 12, 31)
TERMS = ValueTerms(annual_rate=0.1, horizon_days=365.0, margin=0.5)
SCHEMA = pa.schema(
    [
        ("account_id", pa.string()),
        ("occurred_at", pa.timestamp("us")),
        ("amount", pa.decimal128(18, 4)),
    ]
)


def log(customers=500, seed=1, days=364):
    """Make up purchases by Pareto/NBD and spend by Gamma-Gamma, in two groups."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(customers):
        born = int(rng.integers(0, 90))
        life = rng.exponential(1 / (rng.gamma(1.5) / 300))
        number = rng.poisson(rng.gamma(1.2) / 30 * min(life, days - born))
        later = born + 1 + rng.random(number) * max(min(life, days - born) - 1, 0)
        mean = rng.gamma(6) / 6 * 40 / rng.gamma(4) * 3
        for day in np.unique(np.append(born, later.astype(int))):
            moment = datetime.combine(FIRST, time(12)) + timedelta(days=int(day))
            amount = Decimal(f"{max(mean * rng.gamma(6) / 6, 0.01):.2f}")
            rows.append((f"c{i:04}", moment, amount))
    names = ["account_id", "occurred_at", "amount"]
    table = pa.Table.from_pandas(pd.DataFrame(rows, columns=names), schema=SCHEMA)
    bought = purchases(ibis.memtable(table), RollupContext(as_of=AS_OF))
    odd = bought.account_id.right(1).isin(["1", "3", "5", "7", "9"])
    return bought.mutate(group=ibis.ifelse(odd, "odd", "even")).cache()


@pytest.fixture(scope="module")
def bought():
    return log()


@pytest.fixture(scope="module")
def found(bought):
    return buyers(bought, as_of=AS_OF, calibration_end=SPLIT)


@pytest.fixture(scope="module")
def valued(found, bought):
    return value_buyers(found, bought, terms=TERMS)


@pytest.mark.slow
def test_buyers_are_valued_by_the_model_that_was_chosen(found, bought, valued):
    chosen = found.fits[found.chosen]
    assert valued.model.purchases is chosen
    summary = rfm(bought, as_of=AS_OF, unit_days=found.summary.unit_days, by=("group",))
    spend = found.summary.spend
    columns = (spend[c].to_numpy(dtype=float) for c in ("frequency", "mean_minor", "weight"))
    model = value_model(chosen, fit_gamma_gamma(*columns))
    alone = buyer_value(summary.customers, model=model, terms=TERMS, by="group")
    pd.testing.assert_frame_equal(valued.value.table, alone.table)


@pytest.mark.slow
def test_groups_add_up_and_everybody_is_valued_once(bought, valued):
    table = valued.value.table.set_index("group")
    assert set(table.index) == {"all", "odd", "even"}
    for column in ("customers", "value"):
        parts = table.loc[["odd", "even"], column].sum()
        assert parts == pytest.approx(table.loc["all", column])
    assert table.loc["all", "customers"] == bought.account_id.nunique().execute()
    assert valued.concentration.accounts == table.loc["all", "customers"]
    assert set(valued.newcomers.table["group"]) == {"all", "odd", "even"}


@pytest.mark.slow
def test_margin_scales_the_value_and_no_share_of_it(found, bought, valued):
    twice = value_buyers(found, bought, terms=replace(TERMS, margin=1.0))
    one, two = valued.value.table["value"], twice.value.table["value"]
    assert two.to_numpy() == pytest.approx(2 * one.to_numpy())
    shares = [v.concentration.table["share_of_value"].to_numpy() for v in (valued, twice)]
    assert shares[0] == pytest.approx(shares[1])


@pytest.mark.slow
def test_a_model_that_did_not_hold_leaves_the_value_unclear(found, bought, valued):
    assert (found.status, valued.value.status) == ("ok", "ok")
    doubted = value_buyers(replace(found, status="unclear"), bought, terms=TERMS)
    assert (doubted.value.status, doubted.value.reason) == ("unclear", DOUBT)
    pd.testing.assert_frame_equal(doubted.value.table, valued.value.table)  # figures stay


@pytest.mark.slow
def test_the_fits_are_followed_through_the_days_held_back(found, bought):
    track = followed(found, bought, rng=np.random.default_rng(1))
    again = followed(found, bought, rng=np.random.default_rng(1))
    pd.testing.assert_frame_equal(track.alive, again.alive)
    alive = track.alive
    known = bought.filter(bought.day <= SPLIT).account_id.nunique().execute()
    assert alive["customers"].sum() == known
    assert alive["expected"].between(0, 1).all()
    # the law that made them expects as many to come back as come, over all steps
    many = alive["customers"]
    gap = float((alive["bought"] - alive["expected"]) @ many / many.sum())
    assert abs(gap) < 0.06


@pytest.mark.slow
def test_the_clock_foretells_the_total_and_is_judged_from_earlier_days(found, bought):
    """Days held back: 92; of the 272 before, 90 and 180 days back leave 92 and more to learn."""
    ahead = dated_total(found, bought, rng=np.random.default_rng(1))
    card = found.holdout.table.set_index("model")
    assert ahead.expected == card.loc["BG/NBD, dated", "predicted"]
    assert ahead.low < ahead.actual == card.loc[found.chosen, "actual"] < ahead.high
    assert ahead.days_earlier == 2
    origins = [SPLIT - timedelta(days=90 * k) for k in (1, 2)]
    made = rolling(bought, origins=origins, horizon_days=90)
    off = made["total_error"].abs().groupby(made["model"]).mean()
    assert ahead.error == pytest.approx(off["BG/NBD, dated"])
    assert ahead.chosen_error == pytest.approx(off[found.chosen])
    assert ahead.better == (ahead.error < 0.8 * ahead.chosen_error)


@pytest.mark.slow
def test_a_clock_without_earlier_days_is_not_called_better(bought):
    short = bought.filter(bought.day <= FIRST + timedelta(days=150)).cache()
    found = buyers(short, as_of=FIRST + timedelta(days=150))
    ahead = dated_total(found, short, rng=np.random.default_rng(1))
    assert (ahead.days_earlier, ahead.better) == (0, False)
    assert dated_total(replace(found, holdout=None), short, rng=np.random.default_rng(1)) is None


@pytest.mark.slow
def test_without_a_holdout_the_whole_history_is_followed(found, bought):
    track = followed(replace(found, holdout=None), bought, rng=np.random.default_rng(1))
    assert track.alive.empty
    assert len(track.track.table)


@pytest.mark.slow
def test_nobody_has_no_value(bought):
    empty = bought.limit(0).cache()
    none = buyers(empty, as_of=AS_OF)
    assert none.chosen is None
    valued = value_buyers(none, empty, terms=TERMS)
    assert valued.value.status == "unclear"
    track = followed(none, empty, rng=np.random.default_rng(1))
    assert track.alive.empty
