"""Is "still a customer" true: on customers made up from a model, and on one that errs."""

from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd
import pytest

from csa.analysis.clv.alive import alive_calibration
from csa.analysis.clv.rfm import rfm
from csa.errors import InputError
from csa.methods.btyd.counts import BuyerCounts
from csa.methods.btyd.model import Fit, unfitted

BEGIN, SPLIT, END = date(2025, 1, 1), date(2025, 9, 30), date(2026, 6, 30)


def purchases(n, seed=1):
    """Make up a log of days by Pareto/NBD: rates a day, so that few fall on one day."""
    rng = np.random.default_rng(seed)
    rows = []
    whole = (END - BEGIN).days
    for i in range(n):
        first = int(rng.integers(0, 60))
        rate, life = rng.gamma(0.8) / 60, rng.exponential(1 / (rng.gamma(0.9) / 150))
        number = rng.poisson(rate * min(life, whole - first))
        later = first + 1 + rng.random(number) * (min(life, whole - first) - 1)
        days = np.unique(np.append(first, later.astype(int)))
        rows += [(f"c{i}", BEGIN + timedelta(days=int(d)), 1000) for d in days]
    return pd.DataFrame(rows, columns=["account_id", "day", "amount_minor"])


def known(**parameters):
    """Make a fit of stated parameters, in weeks."""
    return Fit(
        model="Pareto/NBD",
        parameters=parameters,
        log_parameters=np.log(list(parameters.values())),
        covariance=np.zeros((4, 4)),
        standard_errors={},
        log_likelihood=-1.0,
        n=1.0,
        events=1.0,
        converged=True,
        starts=(1, 1),
        unit_days=7.0,
    )


@pytest.mark.slow
def test_the_true_model_is_calibrated_and_a_wrong_one_is_not():
    log = ibis.memtable(purchases(4000))
    summary = rfm(log, as_of=END, calibration_end=SPLIT)
    truth = known(r=0.8, alpha=60 / 7, s=0.9, beta=150 / 7)
    found = alive_calibration(summary, truth, np.random.default_rng(1))
    assert found["customers"].sum() == 4000
    assert (found["low"] <= found["alive"]).all()
    assert (found["alive"] <= found["high"] + 1e-9).all()
    inside = (found["ci_low"] <= found["expected"]) & (found["expected"] <= found["ci_high"])
    assert inside.sum() >= len(found) - 2
    wrong = known(r=0.8, alpha=60 / 7, s=3.0, beta=150 / 7)  # thinks that customers leave early
    early = alive_calibration(summary, wrong, np.random.default_rng(1))
    assert (early["ci_low"] > early["expected"]).mean() > 0.5


def test_without_a_holdout_or_a_fit_there_is_nothing_to_hold():
    log = ibis.memtable(purchases(20))
    rng = np.random.default_rng(1)
    with pytest.raises(InputError, match="no holdout"):
        alive_calibration(rfm(log, as_of=END), known(r=1.0, alpha=1.0, s=1.0, beta=1.0), rng)
    summary = rfm(log, as_of=END, calibration_end=SPLIT)
    none = unfitted("BG/NBD", "no repeat purchases", size=(20.0, 0.0))
    assert alive_calibration(summary, none, rng).empty
    assert isinstance(summary.counts, BuyerCounts)
