"""Features of the product that were launched by a day."""

from datetime import date

import numpy as np
import pandas as pd

from csa.errors import InputError


def launched_by(launched: pd.DataFrame | None, used: pd.DataFrame, day: date) -> pd.DataFrame:
    """List the features that could be used by a day.

    Parameters
    ----------
    launched : DataFrame or None
        `feature`, `area`, `launched_on` (missing: nobody knows when, long ago); None where there
        is no such list.
    used : DataFrame
        `feature` and `first_day` of its first use by anybody: what there is without a list.
    day : date
        Last day.

    Returns
    -------
    DataFrame
        `feature`, `area`, `launched_on`, one row per feature.

    Raises
    ------
    InputError
        If a column is missing.
    """
    if launched is None:
        seen = used.loc[pd.to_datetime(used["first_day"]) <= pd.Timestamp(day), ["feature"]]
        return seen.assign(area=None, launched_on=np.datetime64("NaT")).reset_index(drop=True)
    if absent := [n for n in ("feature", "launched_on") if n not in launched.columns]:
        raise InputError(*(f"features: column {name} is missing" for name in absent))
    rows = launched.assign(launched_on=pd.to_datetime(launched["launched_on"]))
    rows = rows.loc[~(rows["launched_on"] > pd.Timestamp(day)) & rows["feature"].notna()]
    rows = rows.reindex(columns=["feature", "area", "launched_on"])
    return rows.drop_duplicates("feature").reset_index(drop=True)
