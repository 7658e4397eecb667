"""Rows of what a value under contract is made of: survival by age, and growth, by group."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from csa.analysis.clv.contract_growth import Growth
from csa.analysis.clv.contract_paths import Path
from csa.analysis.clv.contract_survival import GroupHazards
from csa.analysis.clv.contract_terms import ContractTerms


def curve_rows(hazards: Mapping[str, GroupHazards], terms: ContractTerms) -> pd.DataFrame:
    """Lay out survival by month of age, with limits.

    Parameters
    ----------
    hazards : mapping of str to GroupHazards
        By group.
    terms : ContractTerms
        Level.

    Returns
    -------
    DataFrame
        One row per group and month of age.
    """
    tail = (1 - terms.confidence) / 2
    frames = []
    for name, one in hazards.items():
        ages = np.arange(len(one.hazard) + 1)
        drawn = np.cumprod(1 - one.draws, axis=1)
        low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
        value = np.cumprod(1 - one.hazard)
        columns = {"survival": value, "ci_low": np.minimum(low, value)}
        columns["ci_high"] = np.maximum(high, value)
        frame = {key: np.concatenate([[1.0], x]) for key, x in columns.items()}
        seen = (ages <= one.last_seen) & (ages >= one.first_seen)
        frames.append(pd.DataFrame({"group": name, "age_months": ages} | frame | {"seen": seen}))
    return pd.concat(frames, ignore_index=True)


def growth_rows(moves: Growth, paths: Mapping[str, Path], terms: ContractTerms) -> pd.DataFrame:
    """Lay out expansion, contraction and growth by group.

    Parameters
    ----------
    moves : Growth
        Estimates.
    paths : mapping of str to Path
        Growth carried on.
    terms : ContractTerms
        Level.

    Returns
    -------
    DataFrame
        One row per group.
    """
    tail = (1 - terms.confidence) / 2
    low, high = np.quantile(moves.draws, [tail, 1 - tail], axis=0)
    ends = [(one.value[-1], one.draws[:, -1]) for one in (paths[name] for name in moves.group)]
    at_end = np.array([end for end, _ in ends])
    limits = np.array([np.quantile(drawn, [tail, 1 - tail]) for _, drawn in ends])
    limits = limits.reshape(-1, 2)
    return pd.DataFrame(
        {
            "group": moves.group,
            "expansion": moves.expansion,
            "contraction": moves.contraction,
            "own": moves.own,
            "rate": moves.rate,
            "ci_low": np.minimum(low, moves.rate),
            "ci_high": np.maximum(high, moves.rate),
            "weight": moves.weight,
            "at_end": at_end,
            "at_end_low": np.minimum(limits[:, 0], at_end),
            "at_end_high": np.maximum(limits[:, 1], at_end),
        }
    )
