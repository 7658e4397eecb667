"""Groups of buyers: planted differences are found, and nothing is said of too few."""

from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd
import pytest

from csa.analysis.clv.buyer_groups import FIGURES, TOO_FEW, buyer_groups

AS_OF = date(2025, 12, 31)
RATES = {"retail": 1.0, "trade": 2.0, "web": 1.0}
LEAVES = {"retail": 1.0, "trade": 1.0, "web": 3.0}


def bought(sizes: dict[str, int], seed: int, leaves: float = 1.0) -> pd.DataFrame:
    """Make purchase days: Pareto/NBD with r 1.2, alpha 8, s 0.9, beta 40 weeks for retail."""
    rng, rows = np.random.default_rng(seed), []
    for group, n in sizes.items():
        rate = RATES[group] * rng.gamma(1.2, 1 / 8, n) / 7
        leave = leaves * LEAVES[group] * rng.gamma(0.9, 1 / 40, n) / 7
        days = rng.integers(300, 700, n)
        life = np.minimum(rng.exponential(1 / np.maximum(leave, 1e-12)), days)
        for i in range(n):
            at = rng.random(rng.poisson(rate[i] * life[i])) * life[i]
            for day in {0, *np.floor(at).astype(int)}:
                on = AS_OF - timedelta(days=int(days[i] - day))
                rows.append((f"{group}-{i}", on, 1000, group))
    return pd.DataFrame(rows, columns=["account_id", "day", "amount_minor", "group"])


@pytest.mark.slow
def test_planted_rates_are_found_with_their_intervals():
    """Trade buys twice as fast as retail, web leaves three times as soon."""
    found = buyer_groups(bought({"retail": 1500, "trade": 700, "web": 800}, 1), as_of=AS_OF)
    assert (found.status, found.reason) == ("ok", "")
    assert list(found.table["group"]) == ["retail", "web", "trade"]
    assert list(found.table["customers"]) == [1500, 800, 700]
    table = found.table.set_index("group")
    share = np.array([1500, 800, 700]) / 3000
    for name, planted in (("buys", RATES), ("leaves", LEAVES)):
        average = np.exp(share @ np.log([planted[group] for group in table.index]))
        for group, row in table.iterrows():
            assert row[f"{name}_low"] < row[name] < row[f"{name}_high"]
            wide = np.log(row[f"{name}_high"] / row[name])
            assert abs(np.log(row[name] / (planted[group] / average))) < 1.6 * wide
    assert found.p_buys < 1e-6
    assert found.p_leaves < 1e-3
    logs = np.log(table[["buys", "leaves"]].to_numpy())
    assert share @ logs == pytest.approx(0.0, abs=1e-9)
    stays = (1 + 365.25 / 7 * pd.Series(LEAVES) / 40) ** -0.9
    for group, row in table.iterrows():
        assert row["stays_low"] - 0.03 < stays[group] < row["stays_high"] + 0.03
        assert 0 < row["first_year_low"] < row["first_year"] < row["first_year_high"]
    assert table["first_year"].idxmax() == "trade"


@pytest.mark.slow
def test_small_groups_are_listed_and_left_out():
    days = bought({"retail": 120, "web": 120, "trade": 4}, 2)
    found = buyer_groups(days, as_of=AS_OF)
    small = found.table.set_index("group").loc["trade"]
    assert (small["status"], small["reason"]) == ("unclear", TOO_FEW)
    assert small[list(FIGURES)].isna().all()
    assert found.fit is not None
    assert found.fit.covariates[0] == 1


def test_one_group_or_none_cannot_be_compared():
    one = bought({"retail": 60}, 3)
    types = {"account_id": "string", "day": "date", "amount_minor": "int64", "group": "string"}
    for days in (ibis.memtable(one), ibis.memtable(one.iloc[:0], schema=ibis.schema(types))):
        found = buyer_groups(days, as_of=AS_OF)
        assert (found.status, found.fit, found.p_buys) == ("unclear", None, None)
        assert found.table["buys"].isna().all()


@pytest.mark.slow
def test_where_nobody_leaves_only_purchases_are_compared():
    found = buyer_groups(bought({"retail": 150, "trade": 150}, 4, leaves=0.0), as_of=AS_OF)
    assert found.p_leaves is None
    assert found.table["leaves"].isna().all()
    assert (found.table["buys_low"] < found.table["buys"]).all()
    assert found.reason == "nobody leaves: the NBD boundary"
