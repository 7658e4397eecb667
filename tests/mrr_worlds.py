"""Months of recurring revenue for tests: small frames, and published examples."""

from datetime import date

import ibis
import pandas as pd

from csa.analysis.revenue.months import span
from csa.data.rollups import RollupContext, account_months

OCTOBER = 2026 * 12 + 9
LAST = date(2026, 10, 31)


def months_of(histories, *, groups=None, observed=None):
    """Months from `{account: {month number: minor units}}`, as the roll-up writes them."""
    rows = []
    for account, paid in histories.items():
        before, ever = 0, False
        for month in range(min(paid), max(paid) + 2):
            now = paid.get(month, 0)
            if now or before:
                rows.append(
                    {
                        "account_id": account,
                        "month": month,
                        "mrr_minor": now,
                        "previous_minor": before,
                        "movement": kind(now, before, ever=ever),
                    }
                )
            before, ever = now, ever or now > 0
    columns = ["account_id", "month", "mrr_minor", "previous_minor", "movement"]
    frame = pd.DataFrame(rows, columns=columns)
    frame["group"] = frame["account_id"].map(groups or {}).fillna("EU").astype(object)
    frame["observed_from"] = frame["account_id"].map(observed or {})
    return frame


def kind(now, before, *, ever):
    """Name a movement."""
    if now == before:
        return "none"
    if not now:
        return "churn"
    if not before:
        return "reactivation" if ever else "new"
    return "expansion" if now > before else "contraction"


def of(year, month, *, months=1, as_of=date(2030, 1, 1)):
    """Span of some months up to one."""
    last = year * 12 + month
    first = last - months
    return span(
        start=date(first // 12, first % 12 + 1, 1),
        end=date(last // 12, last % 12 + 1, 1),
        as_of=as_of,
    )


def playbook(file, *, as_of):
    """Months of the MRR playbook of dbt Labs, whose extract ends with January 2020."""
    engine = ibis.duckdb.connect()
    rows = engine.read_csv(file)
    table = rows.select(
        account_id=rows.customer_id.cast("string"),
        start_on=rows.start_date.cast("date"),
        end_on=rows.end_date.cast("date"),
        mrr=rows.monthly_amount.cast("decimal(18, 4)"),
    )
    made = account_months(table, RollupContext(as_of=as_of, grace_days=0))
    return made.mutate(group=ibis.literal("x"), observed_from=ibis.null("date")).to_pandas()
