"""Churn by cause and the discrete-time hazard, both from counts, against what sees every account.

Causes: our curves with intervals for 20 segments and the total, from one Parquet file, against one
curve of SurPyval's on arrays in memory; our tests between segments are timed apart. Hazard:
accounts with 19 segments' and five flags' effects and one parameter per month of age, from one
Parquet file; the peer is the same regression on one row per account and month (scikit-learn,
sparse, no penalty, tolerance 1e-8), measured at 100 thousand accounts, where ours is measured too:
it grows with the rows, ours with the patterns.
"""
# ruff: noqa: PLC0415  a side imports only what it uses, or its memory would hold both

import json
import os
import sys
from pathlib import Path
from typing import Any

from benchmarks.record import DATA, Measured, Record, measure
from benchmarks.survival import Clock

MODULE = "benchmarks.counted"
CAUSES_OF, HAZARD_OF, PEER_OF, SEGMENTS = 1_000_000, 10_000_000, 100_000, 20
FLAGS = [f"flag_{k}" for k in range(5)]
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}

# Counter-based randomness: the same rows whatever the number of threads.
SPELLS = """
    copy (
        with drawn as (
            select 'segment ' || lpad((i % {segments})::varchar, 2, '0') as "group",
                   {flags},
                   1 + (-ln(((hash(i, 1) % 1000000) + 0.5) / 1e6)
                        * 600 * (1 + (i % {segments}) / 40)
                        * exp(0.3 * (hash(i::varchar || 'flag_0') % 2)))::integer as life,
                   1 + (hash(i, 2) % 1825)::integer as followed,
                   (hash(i, 3) % 10) as chance
            from range({accounts}) as numbers(i)
        )
        select * exclude (life, followed, chance), 0 as entry_days,
               least(life, followed) as exit_days, life <= followed as event,
               case when life > followed then null
                    when chance < 7 then 'voluntary' else 'involuntary' end as cause
        from drawn
    ) to '{path}' (format parquet)
"""


def spells(accounts: int) -> str:
    """Path of a Parquet file of spells, made once."""
    import duckdb

    path = DATA / f"patterns_{accounts}.parquet"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(".part")
        flags = ", ".join(f"hash(i::varchar || '{name}') % 2 = 1 as {name}" for name in FLAGS)
        with duckdb.connect() as engine:
            engine.execute("set enable_progress_bar = false")
            engine.execute(
                SPELLS.format(accounts=accounts, segments=SEGMENTS, flags=flags, path=aside)
            )
        Path(aside).rename(path)
    return str(path)


def causes(path: str) -> dict[str, float]:
    """Read, count and estimate for every segment; then all that the chapter shows of it."""
    import ibis

    from csa.analysis.churn.cause_counts import count_causes
    from csa.analysis.churn.causes import incidence
    from csa.methods.incidence import aalen_johansen

    engine = ibis.duckdb.connect()
    clock = Clock()
    tables = count_causes(engine.read_parquet(path)).tables
    curves = {name: aalen_johansen(table) for name, table in tables.items()}
    figures = clock.figures()
    clock = Clock()
    result = incidence(engine.read_parquet(path))
    row = result.at_ages.query("group == 'all' and cause == 'voluntary' and age_days == 365")
    whole = clock.figures()["cpu"]
    first = float(curves["all"].at(365).value[0])
    same = abs(first - float(row["incidence"].iloc[0])) < 1e-12
    return figures | {"first": first, "whole": whole if same else float("nan")}


def causes_surpyval(path: str) -> dict[str, float]:
    """Fit one curve with bounds to arrays in memory."""
    import numpy as np
    import pandas as pd
    from surpyval import CompetingRisks

    frame = pd.read_parquet(path, columns=["exit_days", "event", "cause"])
    ends = frame["exit_days"].to_numpy().astype(float)
    labels = frame["cause"].astype(object).where(frame["event"], None).tolist()
    censored = (~frame["event"]).to_numpy().astype(int)
    clock = Clock()
    fit = CompetingRisks.fit(ends, labels, c=censored)
    for cause in ("voluntary", "involuntary"):
        fit.cb(np.arange(1.0, 1826.0), cause)
    value = np.ravel(fit.cif(np.array([365.0]), "voluntary"))[0]
    return clock.figures() | {"first": float(value)}


def hazard(path: str) -> dict[str, float]:
    """Read, count and fit."""
    import ibis

    from csa.analysis.churn.hazards import discrete_hazard

    engine = ibis.duckdb.connect()
    clock = Clock()
    result = discrete_hazard(engine.read_parquet(path), covariates=["group", *FLAGS])
    figures = clock.figures()
    rows = result.coefficients
    one = rows.loc[
        (rows["term"] == "flag_0") & rows["estimate"].notna() & (rows["reference"] != "")
    ]
    first = float(one["estimate"].iloc[-1])
    return figures | {"first": first, "months": float(result.person_intervals)}


def hazard_expanded(path: str) -> dict[str, float]:
    """Fit the same model on one row per account and month."""
    import numpy as np
    import pandas as pd
    from scipy import sparse
    from sklearn.linear_model import LogisticRegression

    frame = pd.read_parquet(path)
    clock = Clock()
    last = (frame["exit_days"].to_numpy() - 1) // 30
    full = np.where(frame["event"], last + 1, frame["exit_days"].to_numpy() // 30)
    row = np.repeat(np.arange(len(frame)), full)
    month = np.arange(len(row)) - np.repeat(np.cumsum(full) - full, full)
    event = frame["event"].to_numpy()[row] & (month == last[row])
    group = pd.factorize(frame["group"], sort=True)[0][row]
    flags = frame[FLAGS].to_numpy().astype(float)[row]
    at = np.arange(len(row))
    ones = np.ones(len(row))
    months = sparse.csr_array((ones, (at, month)))
    groups = sparse.csr_array((ones, (at, group)))[:, 1:]
    design = sparse.hstack([months, groups, sparse.csr_array(flags)]).tocsr()
    fit = LogisticRegression(C=np.inf, fit_intercept=False, max_iter=5000, tol=1e-8)
    fit.fit(design, event)
    return clock.figures() | {"first": float(fit.coef_[0][-len(FLAGS)]), "months": float(len(row))}


SIDES = {
    "causes": causes,
    "causes_surpyval": causes_surpyval,
    "hazard": hazard,
    "hazard_expanded": hazard_expanded,
}


def side(name: str, accounts: int) -> Measured:
    """Measure one side in a process of its own."""
    return measure(["-m", MODULE, name, spells(accounts)], env=ONE_THREAD)


def run() -> list[Record]:
    """Measure all."""
    return [_causes(), *_hazard()]


def _causes() -> Record:
    mine, other = side("causes", CAUSES_OF), side("causes_surpyval", CAUSES_OF)
    ours, theirs = mine.output["cpu"], other.output["cpu"]
    alike = abs(mine.output["first"] - other.output["first"]) < 1e-9
    return Record(
        name="churn by cause",
        size=f"{CAUSES_OF:,} accounts, {SEGMENTS} segments against one curve",
        ours=round(ours, 3),
        unit="s cpu",
        peer=round(theirs, 3),
        peer_name="SurPyval",
        ratio=round(theirs / ours, 1),
        peak_mb=round(mine.peak_mb),
        peer_peak_mb=round(other.peak_mb),
        goal="at least 2.5 times faster",
        holds=bool(alike and theirs >= 2.5 * ours),
        note="curves and intervals; ours from Parquet, theirs in memory; same figure: "
        f"{'yes' if alike else 'NO'}; with all that the chapter shows, Gray's test included, "
        f"{mine.output['whole']:.2f} s",
    )


def _hazard() -> list[Record]:
    large, small = side("hazard", HAZARD_OF), side("hazard", PEER_OF)
    other = side("hazard_expanded", PEER_OF)
    ours, theirs = small.output["cpu"], other.output["cpu"]
    ours_large, by_rows = large.output["cpu"], theirs * HAZARD_OF / PEER_OF
    gap = abs(small.output["first"] - other.output["first"])
    common: dict[str, Any] = {"name": "discrete-time hazard", "unit": "s cpu"}
    return [
        Record(
            size=f"{HAZARD_OF:,} accounts, {large.output['months'] / 1e6:.0f} million months",
            ours=round(ours_large, 3),
            peak_mb=round(large.peak_mb),
            goal="at most 3 s",
            holds=ours_large <= 3,
            note=f"elapsed {large.output['wall']:.2f} s, load {os.getloadavg()[0]:.1f}",
            **common,
        ),
        Record(
            size=f"{PEER_OF:,} accounts, {other.output['months'] / 1e3:.0f} thousand months",
            ours=round(ours, 3),
            peer=round(theirs, 3),
            peer_name="scikit-learn on every month",
            ratio=round(theirs / ours, 1),
            peak_mb=round(small.peak_mb),
            peer_peak_mb=round(other.peak_mb),
            goal="at least 100 times faster",
            holds=gap < 1e-4 and theirs >= 100 * ours,
            note=f"extrapolated by rows to {HAZARD_OF:,}: {by_rows:,.0f} s, "
            f"{by_rows / ours_large:,.0f} times ours; difference of an effect {gap:.1e}",
            **common,
        ),
    ]


if __name__ == "__main__":
    print(json.dumps(SIDES[sys.argv[1]](sys.argv[2])))
