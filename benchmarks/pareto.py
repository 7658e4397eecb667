"""Pareto/NBD on a million and ten million customers, and a thousand times on CDNOW.

The peer is lifetimes 0.11.3 with weights, on the same distinct rows. It needs an old numpy, so it
lives in an environment of its own: `pip install lifetimes==0.11.3 "numpy<2" "pandas<2.3"
"setuptools<80"`; the path of its Python is in `CSA_PEER_LIFETIMES`. Each side makes the same
customers in a process of its own, with one thread; the clock runs over counting equal rows and the
fit, ours with standard errors from five starts. Theirs takes minutes.
"""
# ruff: noqa: PLC0415  a side imports only what it uses, or its memory would hold both

import json
import sys
import time
from typing import Any

import numpy as np

from benchmarks.record import ROOT, Measured, Record, measure, peak_so_far_mb, peer_python

MODULE = "benchmarks.pareto"
MILLION = 1_000_000
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
TRUTH = (0.55, 10.6, 0.61, 11.7)  # about those of CDNOW, in weeks
DAYS = (365, 730)  # age, from and to
TIMES_FASTER, SECONDS, SECONDS_REFITS = 50.0, 8.0, 8.0
REFITS = 1_000
CDNOW = ROOT.parent / "tests" / "reference" / "cdnow_sample_rfm.csv"


def customers(n: int) -> tuple[Any, Any, Any]:
    """Repeat purchase days, days to the last and days observed, a million at a time."""
    parts = [_customers(min(n - at, MILLION), at) for at in range(0, n, MILLION)]
    x, recency, age = (np.concatenate(column) for column in zip(*parts, strict=True))
    return x, recency, age


def _customers(n: int, seed: int) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(20261122 + seed)
    r, alpha, s, beta = TRUTH
    rate, leave = rng.gamma(r, 1 / alpha / 7, n), rng.gamma(s, 1 / beta / 7, n)
    age = rng.integers(DAYS[0], DAYS[1] + 1, n)
    first = rng.random(n)
    life = np.minimum(rng.exponential(1 / np.maximum(leave, 1e-300)), age + 1 - first)
    who = np.repeat(np.arange(n), rng.poisson(rate * life))
    day = np.floor(first[who] + rng.random(len(who)) * life[who]).astype(np.int64)
    pairs = np.unique((who << 11 | day)[day > 0])
    who, day = pairs >> 11, pairs & 2047
    recency = np.zeros(n, dtype=np.int64)
    np.maximum.at(recency, who, day)
    return np.bincount(who, minlength=n), recency, age


def ours(n: int) -> dict[str, float]:
    """Count and fit ours."""
    from csa.methods.btyd.counts import BuyerCounts
    from csa.methods.btyd.pareto_nbd import fit_pareto_nbd

    x, recency, age = customers(n)
    cpu, wall = time.process_time(), time.perf_counter()
    fit = fit_pareto_nbd(BuyerCounts(x, recency / 7, age / 7))
    return _figures(cpu, wall) | fit.parameters


def lifetimes(n: int) -> dict[str, float]:
    """Count and fit theirs."""
    import pandas as pd
    from lifetimes import ParetoNBDFitter

    frame = pd.DataFrame(dict(zip(("x", "recency", "age"), customers(n), strict=True)))
    cpu, wall = time.process_time(), time.perf_counter()
    rows = frame.groupby(["x", "recency", "age"]).size().reset_index(name="weight")
    model = ParetoNBDFitter().fit(
        rows["x"], rows["recency"] / 7, rows["age"] / 7, weights=rows["weight"]
    )
    values = (float(value) for value in model.params_)
    return _figures(cpu, wall) | dict(zip(("r", "alpha", "s", "beta"), values, strict=True))


def refits(n: int) -> dict[str, float]:
    """Fit the sample of CDNOW, and its customers drawn again, so many times."""
    import pandas as pd

    from csa.methods.btyd.counts import BuyerCounts
    from csa.methods.btyd.pareto_nbd import Refitter, fit_pareto_nbd

    rows, rng = pd.read_csv(CDNOW), np.random.default_rng(20261122)
    counts = BuyerCounts(rows["x"], rows["t_x"] / 7, rows["T"] / 7, rows["customers"])
    cpu, wall = time.process_time(), time.perf_counter()
    fit = fit_pareto_nbd(counts)
    refit = Refitter(fit, counts)
    found = np.array([refit(refit.counts.sample(rng).weight) for _ in range(n)])
    figures = _figures(cpu, wall)
    spread = np.exp(found).std(axis=0)
    return figures | {"r": float(spread[0]), "error": fit.standard_errors["r"]}


def _figures(cpu: float, wall: float) -> dict[str, float]:
    return {
        "cpu": time.process_time() - cpu,
        "wall": time.perf_counter() - wall,
        "peak_mb": peak_so_far_mb(),
    }


def run() -> list[Record]:
    """Measure all; without lifetimes the ratio is not measured and its goal is missed."""
    python = peer_python("lifetimes")
    peer = None
    if python is not None:
        peer = measure(["-m", MODULE, "lifetimes", str(MILLION)], env=ONE_THREAD, python=python)
    return [
        _against(_side("ours", MILLION), peer),
        _alone(_side("ours", 10 * MILLION)),
        _refits(_side("refits", REFITS)),
    ]


def _side(name: str, n: int) -> Measured:
    return measure(["-m", MODULE, name, str(n)], env=ONE_THREAD)


def _common(mine: Measured) -> dict[str, Any]:
    return {
        "ours": round(mine.output["cpu"], 3),
        "unit": "s cpu",
        "peak_mb": round(mine.peak_mb),
    }


def _against(mine: Measured, peer: Measured | None) -> Record:
    common = _common(mine) | {
        "name": "pareto/nbd fit",
        "size": f"{MILLION:,} customers",
        "goal": f"at least {TIMES_FASTER:.0f} times faster than lifetimes with weights",
    }
    if peer is None:
        return Record(**common, holds=False, note="lifetimes was not found: set CSA_PEER_LIFETIMES")
    theirs, cpu = peer.output["cpu"], mine.output["cpu"]
    off = max(abs(mine.output[k] / peer.output[k] - 1) for k in ("r", "alpha", "s", "beta"))
    return Record(
        **common,
        peer=round(theirs, 3),
        peer_name="lifetimes, weights",
        ratio=round(theirs / cpu, 1),
        peer_peak_mb=round(peer.peak_mb),
        holds=bool(off < 0.02 and theirs >= TIMES_FASTER * cpu),
        note=f"ours with standard errors, five starts; parameters differ by at most {off:.2%}",
    )


def _alone(mine: Measured) -> Record:
    off = max(abs(mine.output[k] / v - 1) for k, v in zip(("r", "alpha"), TRUTH, strict=False))
    return Record(
        **_common(mine),
        name="pareto/nbd fit",
        size=f"{10 * MILLION:,} customers",
        goal=f"at most {SECONDS:.0f} s",
        holds=bool(mine.output["cpu"] <= SECONDS and off < 0.05),
        note=f"elapsed {mine.output['wall']:.2f} s; counts as they are, not corrected for merging",
    )


def _refits(mine: Measured) -> Record:
    alike = abs(mine.output["r"] / mine.output["error"] - 1) < 0.5
    return Record(
        **_common(mine),
        name="pareto/nbd bootstrap",
        size=f"CDNOW sample, {REFITS:,} refits",
        goal=f"at most {SECONDS_REFITS:.0f} s",
        holds=bool(mine.output["cpu"] <= SECONDS_REFITS and alike),
        note=f"elapsed {mine.output['wall']:.2f} s; spread of r {mine.output['r']:.4f}, its "
        f"standard error {mine.output['error']:.4f}",
    )


if __name__ == "__main__":
    sides = {"ours": ours, "lifetimes": lifetimes, "refits": refits}
    sys.stdout.write(json.dumps(sides[sys.argv[1]](int(sys.argv[2]))) + "\n")
