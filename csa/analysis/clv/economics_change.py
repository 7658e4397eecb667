"""What moved the value of customers since the last period: an exact split."""

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csa.analysis.clv.contract import ContractValue
from csa.analysis.clv.contract_factors import factors_of
from csa.errors import InputError

FloatArray = NDArray[np.float64]

CAUSES = ("accounts", "mix", "price", "retention", "expansion")
MEANING = {
    "accounts": "number of customers",
    "mix": "shares of groups and ages",
    "price": "revenue per customer within groups",
    "retention": "survival within groups",
    "expansion": "growth of those who stay",
}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ValueChange:
    """A change of value and its parts; `amount_minor` of `table` adds up to the change.

    `table`: `cause`, `meaning`, `amount_minor`, `share` (of the value before). `groups`: `group`,
    `value_minor`, `previous_minor`, `change_minor`.
    """

    table: pd.DataFrame
    groups: pd.DataFrame
    value_minor: float
    previous_minor: float

    @property
    def change_minor(self) -> float:
        """The change of the value."""
        return self.value_minor - self.previous_minor


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Side:
    """One period, group by group: what each cause can be exchanged for."""

    accounts: float
    share: dict[str, float]
    ages: dict[str, FloatArray]  # share of a group's revenue by age
    price: dict[str, float]


def what_moved(now: ContractValue, before: ContractValue) -> ValueChange:
    """Split the change of the value of all customers exactly into its causes.

    Parameters
    ----------
    now, before : ContractValue
        Under the same terms: margin, discount and horizon do not move here.

    Returns
    -------
    ValueChange
        Causes: number of customers, their mix over groups and ages, revenue per customer within
        groups, survival, growth of survivors.

    Raises
    ------
    InputError
        If the terms differ.

    Notes
    -----
    Value = accounts × Σ share × revenue per account × mean factor, the factor a function of ages,
    survival and growth. Each cause gets the mean, over all orders in which the causes may change
    one after the other, of what its change adds (Shapley [1]_): the parts add up exactly and no
    order is preferred. What a group that is there in one period only would have been in the other
    is taken to be the same, so that all of it is mix.

    References
    ----------
    .. [1] Shorrocks, A. F. (2013). Decomposition procedures for distributional analysis: a unified
       framework based on the Shapley value. J. Econ. Inequal. 11, 99-126.
    """
    _same_terms(now, before)
    sides = _side(now), _side(before)
    names = sorted(set(now.parts) | set(before.parts))
    values = {}
    for size in range(len(CAUSES) + 1):
        for moved in combinations(CAUSES, size):
            values[frozenset(moved)] = _value(frozenset(moved), (now, before), sides, names)
    last, first = values[frozenset(CAUSES)], values[frozenset()]
    amounts = [_shapley(cause, values) for cause in CAUSES]
    table = pd.DataFrame(
        {
            "cause": CAUSES,
            "meaning": [MEANING[c] for c in CAUSES],
            "amount_minor": amounts,
            "share": [a / first if first else math.nan for a in amounts],
        }
    )
    return ValueChange(
        table=table, groups=_groups(now, before), value_minor=last, previous_minor=first
    )


def _same_terms(now: ContractValue, before: ContractValue) -> None:
    faults = [
        f"{name}: {getattr(now.terms, name)} now and {getattr(before.terms, name)} before; value "
        "both periods under the same terms"
        for name in ("margin", "discount_rate_annual", "horizon_months")
        if getattr(now.terms, name) != getattr(before.terms, name)
    ]
    if faults:
        raise InputError(*faults)


def _side(value: ContractValue) -> _Side:
    cell = value.cells
    accounts = float(cell["accounts"].sum())
    share, ages, price = {}, {}, {}
    for name, rows in cell.groupby("group"):
        n, mrr = float(rows["accounts"].sum()), float(rows["mrr_minor"].sum())
        if n > 0 and mrr > 0:
            share[str(name)], price[str(name)] = n / accounts, mrr / n
            ages[str(name)] = np.bincount(rows["age_months"], weights=rows["mrr_minor"]) / mrr
    return _Side(accounts=accounts, share=share, ages=ages, price=price)


def _value(
    moved: frozenset[str],
    values: tuple[ContractValue, ContractValue],
    sides: tuple[_Side, _Side],
    names: list[str],
) -> float:
    """Value with the causes moved as of now, the others as of before."""
    of = {cause: 0 if cause in moved else 1 for cause in CAUSES}
    accounts, mix = sides[of["accounts"]].accounts, sides[of["mix"]]
    products = []
    for name in names:
        share = mix.share.get(name, 0.0)
        if share:
            price = _filled([s.price for s in sides], of["price"], name)
            factor = _factor(values, of, name, len(mix.ages[name]))
            products.append(accounts * share * price * float(factor @ mix.ages[name]))
    return values[0].terms.margin * math.fsum(products)


def _filled(pair: list[dict[str, float]], which: int, name: str) -> float:
    """Return a figure of a period; of the other where the group was absent."""
    return pair[which][name] if name in pair[which] else pair[1 - which][name]


def _factor(
    values: tuple[ContractValue, ContractValue], of: dict[str, int], name: str, ages: int
) -> FloatArray:
    """Mean factor by age with survival of one period and growth of another."""
    survival, growing = (
        values[of[c]].parts.get(name) or values[1 - of[c]].parts[name]
        for c in ("retention", "expansion")
    )
    terms = values[0].terms
    return factors_of(survival.hazards.hazard, terms.discount() * growing.path.value, ages)


def _shapley(cause: str, values: dict[frozenset[str], float]) -> float:
    """Mean over all orders of what the change of a cause adds."""
    n = len(CAUSES)
    parts = []
    for before, value in values.items():
        if cause not in before:
            size = len(before)
            weight = math.factorial(size) * math.factorial(n - size - 1) / math.factorial(n)
            parts.append(weight * (values[before | {cause}] - value))
    return math.fsum(parts)


def _groups(now: ContractValue, before: ContractValue) -> pd.DataFrame:
    """Values of the groups now and before."""
    pair = [v.table.set_index("group")["value_minor"] for v in (now, before)]
    both = pd.concat(pair, axis=1, keys=["value_minor", "previous_minor"]).fillna(0.0)
    both["change_minor"] = both["value_minor"] - both["previous_minor"]
    return both.rename_axis("group").reset_index()
