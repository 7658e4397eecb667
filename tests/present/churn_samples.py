"""Results of the churn analyses on made-up accounts, for tests of what is said and drawn."""

from dataclasses import replace
from datetime import date
from functools import cache

import numpy as np
import pandas as pd
import sample_editions as sample

from csa import periods
from csa.analysis.churn import conditional_survival, survival
from csa.analysis.churn.causes import incidence
from csa.analysis.churn.causes_over_time import causes_over_time
from csa.analysis.churn.hazard_rates import hazard_by_age
from csa.analysis.churn.remaining import remaining_lifetime
from csa.analysis.churn.revenue import revenue_churn

OCTOBER = {"start": date(2026, 10, 1), "end": date(2026, 11, 1)}
SEPTEMBER = {"previous_start": date(2026, 9, 1), "previous_end": date(2026, 10, 1)}
LABELS = {"period_label": "October 2026", "previous_label": "September 2026"}
CAUSES = ("voluntary", "involuntary", "downgrade")


def revenue_rows(groups=("Enterprise", "SMB"), *, gone=12):
    """Accounts that paid at the start of October; each group's are a tenth of the one before."""
    parts = []
    for i, group in enumerate(groups):
        n, paid = 120, max(100, 1_000_000 // 10**i)
        for month, left in ((2026 * 12 + 8, 3), (2026 * 12 + 9, gone if i else 1)):
            parts.append(
                pd.DataFrame(
                    {
                        "group": group,
                        "account_id": [f"{i}-{k}" for k in range(n)],
                        "month": month,
                        "previous_minor": paid,
                        "mrr_minor": np.where(np.arange(n) < left, 0, paid),
                        "observed_from": pd.NaT,
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def revenue(rows=None):
    return revenue_churn(revenue_rows() if rows is None else rows, **OCTOBER, **SEPTEMBER)


def accounts_of(result):
    """Churn of the accounts of the same groups: as many as paid."""
    table = result.table.assign(churned_new=0, not_observed=0, lost_sight=0)
    return replace(sample.rate(), table=table.assign(rate=table["churned"] / table["at_start"]))


def caused(accounts=None, *, shares=(0.7, 0.2, 0.1)):
    """Give those that left a cause."""
    spells = sample.spells() if accounts is None else accounts
    drawn = np.random.default_rng(3).choice(np.array(CAUSES), len(spells), p=shares)
    return spells.assign(cause=pd.Series(drawn, index=spells.index).where(spells["event"]))


@cache
def reasons():
    return incidence(caused())


def months(count=12, last="2026-10"):
    found = [periods.parse(last)]
    while len(found) < count:
        found.insert(0, found[0].previous())
    return found


@cache
def _lately(count, last):
    return causes_over_time(caused(), months(count, last))


def lately(spells=None, count=12, last="2026-10", **options):
    if spells is None:
        return _lately(count, last)
    return causes_over_time(spells, months(count, last), **options)


def renewing(*, chance=0.1, groups=("SMB", "Enterprise"), accounts=900):
    """Accounts of which a tenth leaves as a year is over, whatever else they do."""
    spells = sample.spells(groups, accounts=accounts)
    leaves = (np.random.default_rng(5).random(len(spells)) < chance) & (spells["exit_days"] > 365)
    return spells.assign(
        exit_days=spells["exit_days"].where(~leaves, 365), event=spells["event"] | leaves
    )


@cache
def hazards():
    return hazard_by_age(renewing())


def curve(spells=None):
    return sample.lifetimes() if spells is None else survival(spells)


def soon(spells=None):
    return conditional_survival(curve(spells), ages_days=[0, 365], ahead_days=[30, 90, 180])


def time_ahead(spells=None):
    return remaining_lifetime(curve(spells), ages_days=[0, 365], ahead_days=[365])


def out_of_sight(share=0.1):
    """Spells of which some ended half way for a reason that is no churn."""
    spells = sample.spells()
    merged = ~spells["event"] & (np.random.default_rng(1).random(len(spells)) < share)
    return spells.assign(
        censoring=np.select([spells["event"], merged], [None, "merged"], "still a customer"),
        exit_days=spells["exit_days"].where(~merged, spells["exit_days"] // 2 + 1),
    )
