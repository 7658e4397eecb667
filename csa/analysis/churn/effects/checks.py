"""What can be a covariate of a regression on spells, and what cannot and why."""

from collections.abc import Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from csa.analysis.churn.spells import as_spells
from csa.errors import InputError

AGES = ("entry_days", "exit_days", "event")
OUTCOMES = {
    **dict.fromkeys(AGES, "is the outcome itself"),
    **dict.fromkeys(("end_on", "cause", "censoring"), "is known only when the spell has ended"),
    "mrr_minor": "is the amount at the end of the spell; join the amount at its start",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Covariate:
    """An account attribute whose effect is asked for.

    `reference`: level that the others are compared with; None: of text the level with most
    spells, of flags "no". `per`: step of a number that the hazard ratio is for.
    """

    name: str
    reference: str | None = None
    per: float = 1.0


def checked(
    spells: ir.Table | pd.DataFrame, covariates: Sequence[Covariate], strata: Sequence[str]
) -> ir.Table:
    """Check the columns of a regression.

    Parameters
    ----------
    spells : ir.Table or DataFrame
        Spells with covariates; a frame is wrapped.
    covariates : sequence of Covariate
        Columns to compare.
    strata : sequence of str
        Columns within whose levels spells are compared.

    Returns
    -------
    ir.Table
        The table as it is.

    Raises
    ------
    InputError
        With all that is wrong with the columns.
    """
    table = ibis.memtable(spells) if isinstance(spells, pd.DataFrame) else spells
    used = [*(c.name for c in covariates), *strata]
    faults: list[str] = []
    try:
        as_spells(spells, *AGES, *(["group"] if "group" in used else []))
    except InputError as error:
        faults.extend(error.faults)
    for name in dict.fromkeys(used):
        faults += _column_faults(table.schema(), name, repeated=used.count(name) > 1)
    for c in covariates:
        faults += _option_faults(table.schema(), c)
    faults += [
        f"strata: {name} is {table.schema()[name]}; bin it into a few classes as text"
        for name in strata
        if name in table.schema() and _is_number(table.schema()[name])
    ]
    if not covariates:
        faults.append("covariates: none given; name columns of accounts")
    if faults:
        raise InputError(*dict.fromkeys(faults))
    return table


def _column_faults(schema: ibis.Schema, name: str, *, repeated: bool) -> list[str]:
    if name in OUTCOMES:
        return [f"covariates: {name} {OUTCOMES[name]}"]
    if repeated:
        return [f"covariates: {name} stands twice"]
    if name not in schema:
        return [f"spells: column {name} is missing; join the attribute to the spells"]
    dtype = schema[name]
    if not (dtype.is_string() or dtype.is_boolean() or dtype.is_null() or _is_number(dtype)):
        return [f"spells: column {name} is {dtype}; give text, a flag or a number"]
    return []


def _option_faults(schema: ibis.Schema, covariate: Covariate) -> list[str]:
    """Refuse a step for text and a reference for numbers."""
    if covariate.name not in schema:
        return []
    number = _is_number(schema[covariate.name])
    if number and covariate.reference is not None:
        return [f"covariates: {covariate.name} is a number and has no reference; give `per`"]
    if covariate.per != 1.0 and not number:
        return [f"covariates: {covariate.name} is no number; it has levels, not steps"]
    if not (np.isfinite(covariate.per) and covariate.per != 0):
        return [f"covariates: {covariate.name} per {covariate.per} is no step"]
    return []


def _is_number(dtype: ibis.expr.datatypes.DataType) -> bool:
    return bool(dtype.is_numeric() and not dtype.is_boolean())
