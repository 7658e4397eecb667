"""Gamma-Gamma on a million and ten million customers, against lifetimes.

lifetimes 0.11.3 needs an old numpy, so it lives in an environment of its own:
`pip install lifetimes==0.11.3 "numpy<2" "pandas<2.3" "setuptools<80"`; the path of its Python is in
`CSA_PEER_LIFETIMES`. Each side makes the same customers in a process of its own, with one thread;
the clock runs over choosing repeat buyers and the fit, ours with standard errors from five starts.
"""
# ruff: noqa: PLC0415  a side imports only what it uses, or its memory would hold both

import json
import sys
import time
from typing import Any

import numpy as np

from benchmarks.record import Measured, Record, measure, peak_so_far_mb, peer_python

MODULE = "benchmarks.spend"
MILLION = 1_000_000
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
SHAPE, SPREAD, SCALE = 6.25, 3.74, 15.44  # p, q and gamma of CDNOW
TIMES_FASTER, SECONDS = 10.0, 2.5


def customers(n: int) -> tuple[Any, Any]:
    """Repeat purchases, none for about 45 of 100, and mean spend to the cent."""
    rng = np.random.default_rng(20261122)
    x = rng.negative_binomial(0.5, 0.2, n)
    held = np.maximum(x, 1)
    mean = rng.gamma(SHAPE * held) / rng.gamma(SPREAD, 1 / SCALE, n) / held
    return x, np.where(x > 0, np.maximum(np.round(mean, 2), 0.01), 0.0)


def ours(n: int) -> dict[str, float]:
    """Fit ours."""
    from csa.methods.btyd.gamma_gamma import fit_gamma_gamma

    x, mean = customers(n)
    cpu, wall = time.process_time(), time.perf_counter()
    fit = fit_gamma_gamma(x, mean)
    return _figures(cpu, wall) | fit.parameters


def lifetimes(n: int) -> dict[str, float]:
    """Fit theirs, which refuses customers without a repeat purchase."""
    import pandas as pd
    from lifetimes import GammaGammaFitter

    x, mean = customers(n)
    frame = pd.DataFrame({"frequency": x, "monetary_value": mean})
    cpu, wall = time.process_time(), time.perf_counter()
    kept = frame[frame["frequency"] > 0]
    model = GammaGammaFitter().fit(kept["frequency"], kept["monetary_value"])
    p, q, gamma = (float(value) for value in model.params_)
    return _figures(cpu, wall) | {"p": p, "q": q, "gamma": gamma}


def _figures(cpu: float, wall: float) -> dict[str, float]:
    return {
        "cpu": time.process_time() - cpu,
        "wall": time.perf_counter() - wall,
        "peak_mb": peak_so_far_mb(),
    }


def run() -> list[Record]:
    """Measure all; without lifetimes the ratio is not measured and its goal is missed."""
    python = peer_python("lifetimes")
    records = []
    for n in (MILLION, 10 * MILLION):
        mine = measure(["-m", MODULE, "ours", str(n)], env=ONE_THREAD)
        peer = None
        if python is not None:
            peer = measure(["-m", MODULE, "lifetimes", str(n)], env=ONE_THREAD, python=python)
        records.append(_record(n, mine, peer))
    return records


def _record(n: int, mine: Measured, peer: Measured | None) -> Record:
    cpu = mine.output["cpu"]
    size, largest = f"{n:,} customers", n > MILLION
    goal = f"at most {SECONDS} s" if largest else f"at least {TIMES_FASTER:.0f} times faster"
    common: dict[str, Any] = {
        "name": "gamma-gamma fit",
        "size": size,
        "ours": round(cpu, 3),
        "unit": "s cpu",
        "goal": goal,
        "peak_mb": round(mine.peak_mb),
    }
    if peer is None:
        note = "lifetimes was not found: set CSA_PEER_LIFETIMES"
        return Record(**common, holds=largest and cpu <= SECONDS, note=note)
    theirs = peer.output["cpu"]
    alike = all(abs(mine.output[k] / peer.output[k] - 1) < 0.01 for k in ("p", "q", "gamma"))
    fast = cpu <= SECONDS if largest else theirs >= TIMES_FASTER * cpu
    return Record(
        **common,
        peer=round(theirs, 3),
        peer_name="lifetimes",
        ratio=round(theirs / cpu, 1),
        peer_peak_mb=round(peer.peak_mb),
        holds=bool(alike and fast),
        note=f"ours with standard errors, five starts; same parameters: {'yes' if alike else 'NO'}",
    )


if __name__ == "__main__":
    made = {"ours": ours, "lifetimes": lifetimes}[sys.argv[1]](int(sys.argv[2]))
    sys.stdout.write(json.dumps(made) + "\n")
