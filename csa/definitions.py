"""Definitions of revenue measures on which vendors disagree: choices, their words, presets.

Each choice has its words here and nowhere else; csa.yml chooses (`definitions:`), analyses
compute all of them, and a page prints the words of the chosen one.

References
----------
Help pages of ChartMogul, Baremetrics, ProfitWell, Paddle Billing and NetSuite, and what third
pages say of Stripe. A preset sets only what its vendor states; the rest is the kit's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

CHOICES: Final[Mapping[str, Mapping[str, str]]] = {
    "nrr": {
        "cohort": "cohort-locked: what the accounts that paid at the start pay at the end, over "
        "what they paid at the start; new accounts are left out, and so are accounts that come "
        "back but did not pay at the start",
        "flow": "by flows: revenue at the end less that of accounts won within the period, over "
        "revenue at the start; accounts that come back count as kept",
    },
    "grr": {
        "cohort": "cohort-locked: of what each account paid at the start, the part that it still "
        "pays at the end; never above 100 %",
        "flow": "by flows: one less all churn and contraction of the period, that of accounts won "
        "within it included, over revenue at the start",
    },
    "quick_ratio": {
        "without_reactivation": "new and expansion over contraction and churn",
        "with_reactivation": "new, reactivation and expansion over contraction and churn",
    },
    "churn_at": {
        "period_end": "an account leaves on the first day that it has not paid for",
        "cancel": "an account leaves on the day on which it cancels, though it has paid for more",
    },
    "discounts": {
        "net": "revenue is what is paid after recurring discounts: a new discount is contraction, "
        "its end expansion",
        "list": "revenue is at list price: discounts move nothing",
    },
}
KIT: Final[Mapping[str, str]] = {
    "nrr": "cohort",
    "grr": "cohort",
    "quick_ratio": "without_reactivation",
    "churn_at": "period_end",
    "discounts": "net",
}
PRESETS: Final[Mapping[str, Mapping[str, str]]] = {
    "csa": {},
    "chartmogul": {"nrr": "flow", "grr": "flow", "quick_ratio": "with_reactivation"},
    "baremetrics": {"quick_ratio": "without_reactivation", "discounts": "net"},
    "profitwell": {"churn_at": "period_end", "discounts": "net"},
    "paddle_billing": {"discounts": "list"},
    "netsuite": {"nrr": "flow"},
    "stripe": {"churn_at": "cancel", "discounts": "net"},
}
VENDORS: Final[Mapping[str, str]] = {
    "csa": "the kit's own",
    "chartmogul": "ChartMogul",
    "baremetrics": "Baremetrics",
    "profitwell": "ProfitWell",
    "paddle_billing": "Paddle Billing",
    "netsuite": "NetSuite",
    "stripe": "Stripe",
}
HORIZON_MONTHS: Final = 12  # the standard of reporting


@dataclass(frozen=True, slots=True, kw_only=True)
class Definitions:
    """The choice made for each switch of `CHOICES`, and how it came about.

    Parameters
    ----------
    preset : str
        One of `PRESETS`.
    nrr, grr, quick_ratio, churn_at, discounts : str
        One of the choices of the switch.
    horizon_months : int
        Months over which net and gross revenue retention are read.
    """

    preset: str = "csa"
    nrr: str = field(default=KIT["nrr"])
    grr: str = field(default=KIT["grr"])
    quick_ratio: str = field(default=KIT["quick_ratio"])
    churn_at: str = field(default=KIT["churn_at"])
    discounts: str = field(default=KIT["discounts"])
    horizon_months: int = HORIZON_MONTHS

    def words(self, switch: str) -> str:
        """Say what was chosen for a switch.

        Parameters
        ----------
        switch : str
            One of `CHOICES`.

        Returns
        -------
        str
            The words of the choice.
        """
        return CHOICES[switch][getattr(self, switch)]


def chosen(
    preset: str = "csa",
    switches: Mapping[str, str] | None = None,
    *,
    horizon_months: int = HORIZON_MONTHS,
) -> Definitions:
    """Make the definitions of a preset, with single switches set apart from it.

    Parameters
    ----------
    preset : str
        One of `PRESETS`.
    switches : mapping of str to str, optional
        Switch to choice; what is not set is as the preset says, else as the kit does.
    horizon_months : int
        Months over which retention is read.

    Returns
    -------
    Definitions
        Every switch set.
    """
    made = {**KIT, **PRESETS[preset], **(switches or {})}
    return Definitions(preset=preset, horizon_months=horizon_months, **made)


def used_by(switch: str, choice: str) -> tuple[str, ...]:
    """Name the vendors that state a choice themselves.

    Parameters
    ----------
    switch : str
        One of `CHOICES`.
    choice : str
        One of its choices.

    Returns
    -------
    tuple of str
        As in "ChartMogul", in the order of `PRESETS`.
    """
    return tuple(VENDORS[p] for p, made in PRESETS.items() if made.get(switch) == choice)


OWN: Final = Definitions()
