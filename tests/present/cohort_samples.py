"""Made-up cohorts for tests of what readers see."""

from datetime import date
from functools import cache

import ibis
import numpy as np
import pandas as pd

from csa.analysis.cohorts.clock import Clock
from csa.analysis.cohorts.counted import Basis, count
from csa.analysis.cohorts.groups import by_group
from csa.analysis.cohorts.retention import retention
from csa.analysis.cohorts.revenue import revenue_retention
from csa.analysis.cohorts.trend import age_trend
from csa.analysis.cohorts.ways import ways

HOSTILE = ("<script>alert(1)</script>", "حساب تجريبي")
PLAIN = ("Retail", "Trade")
AS_OF = date(2026, 10, 31)


def days(*, groups=PLAIN, n=40, months=15, better=0.0, seed=2):
    """Purchases of cohorts of n by month; the first group comes back more often."""
    rng = np.random.default_rng(seed)
    rows = []
    for first in range(months):
        for k in range(n if first != 4 else 9):
            chance = (0.7 if k % 2 else 0.4) + (better if first >= months - 4 else 0)
            for age in range(months - first):
                if age == 0 or rng.random() < chance:
                    on = pd.Timestamp(2025, 8, 1 + int(rng.integers(0, 20)))
                    day = on + pd.DateOffset(months=first + age)
                    rows.append((f"c{first}-{k}", groups[(k + 1) % 2], day))
    return pd.DataFrame(rows, columns=["account_id", "group", "day"])


def months(n=60, seed=3):
    """Revenue of accounts by month, some leaving and some growing."""
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(n):
        first, paid = int(rng.integers(0, 10)), int(rng.lognormal(9, 0.5))
        for m in range(first, 15):
            if rng.random() < 0.03:
                break
            rows.append((f"a{k}", 2025 * 12 + 7 + m, paid))
            paid = int(paid * rng.choice([1, 1, 1.1, 0.95]))
    return pd.DataFrame(rows, columns=["account_id", "month", "mrr_minor"])


@cache
def made(groups=PLAIN, clock="month", activity="purchased", better=0.0, as_of=AS_OF):
    """Everything that the chapter shows."""
    basis = Basis(activity=activity)
    kinds = {"month": Clock(last_age=12), "week": Clock(kind="week", last_age=12)}
    clk = kinds.get(clock, Clock(kind="tenure", window_days=30, last_age=12))
    rows = ibis.memtable(days(groups=groups, better=better))
    counted = count(rows, clock=clk, as_of=as_of, basis=basis)
    kept = retention(counted)
    return {
        "kept": kept,
        "later": retention(counted, returned="unbounded"),
        "trend": age_trend(kept, age=3),
        "groups": by_group(kept, age=3),
        "ways": ways(counted, rows, ages=[1, 3, 12]),
        "revenue": revenue_retention(months(), as_of=as_of, replicates=60),
    }


@cache
def nobody():
    """Everything of nobody."""
    empty = ibis.memtable(
        days(n=0, months=0), schema={"account_id": "string", "group": "string", "day": "timestamp"}
    )
    counted = count(empty, clock=Clock(last_age=12), as_of=AS_OF, basis=Basis(activity="purchased"))
    kept = retention(counted)
    return {
        "kept": kept,
        "later": kept,
        "trend": age_trend(kept, age=3),
        "groups": by_group(kept, age=3),
        "ways": ways(counted, empty, ages=[1, 3, 12]),
        "revenue": revenue_retention(months(n=0), as_of=AS_OF, replicates=20),
    }
