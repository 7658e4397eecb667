"""BG/NBD on a million and ten million customers, and a thousand times on CDNOW.

The peer is lifetimes 0.11.3, on every customer and on counted customers with weights. It needs an
old numpy, so it lives in an environment of its own: `pip install lifetimes==0.11.3 "numpy<2"
"pandas<2.3" "setuptools<80"`; the path of its Python is in `CSA_PEER_LIFETIMES`. Each side makes
the same customers in a process of its own, with one thread; the clock runs over counting equal rows
and the fit, ours with checks of the input, five starts and standard errors.
"""
# ruff: noqa: PLC0415  a side imports only what it uses, or its memory would hold both

import json
import sys
import time
from typing import Any

import numpy as np

from benchmarks.record import ROOT, Measured, Record, measure, peak_so_far_mb, peer_python

MODULE = "benchmarks.buyers"
MILLION = 1_000_000
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
TRUTH = (0.2426, 4.414, 0.793, 2.426)  # those of CDNOW, in weeks
NAMES = ("r", "alpha", "a", "b")
DAYS = (365, 730)  # age, from and to
TIMES_FASTER, TIMES_FASTER_WEIGHTS = 50.0, 6.0
SECONDS, MOST_MB, SECONDS_REFITS = 3.0, 1_200, 2.0
REFITS = 1_000
CDNOW = ROOT.parent / "tests" / "reference" / "cdnow_sample_rfm.csv"


def customers(n: int) -> tuple[Any, Any, Any]:
    """Repeat purchase days, days to the last and days observed, a million at a time."""
    parts = [_customers(min(n - at, MILLION), at) for at in range(0, n, MILLION)]
    x, recency, age = (np.concatenate(column) for column in zip(*parts, strict=True))
    return x, recency, age


def _customers(n: int, seed: int) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(20261122 + seed)
    r, alpha, a, b = TRUTH
    rate, chance = rng.gamma(r, 1 / alpha / 7, n), rng.beta(a, b, n)
    age = rng.integers(DAYS[0], DAYS[1] + 1, n)
    first = rng.random(n)
    # the purchases that a customer leaves at come at rate λp, the others at λ(1 - p)
    life = rng.exponential(1 / np.maximum(rate * chance, 1e-300))
    seen = np.minimum(life, age + 1 - first)
    who = np.repeat(np.arange(n), rng.poisson(rate * (1 - chance) * seen))
    at = first[who] + rng.random(len(who)) * seen[who]
    leavers = np.flatnonzero(life < age + 1 - first)
    who = np.concatenate([who, leavers])
    day = np.floor(np.concatenate([at, first[leavers] + life[leavers]])).astype(np.int64)
    pairs = np.unique((who << 11 | day)[day > 0])
    who, day = pairs >> 11, pairs & 2047
    recency = np.zeros(n, dtype=np.int64)
    np.maximum.at(recency, who, day)
    return np.bincount(who, minlength=n), recency, age


def ours(n: int) -> dict[str, float]:
    """Count and fit ours."""
    from csa.methods.btyd.bg_nbd import fit_bg_nbd
    from csa.methods.btyd.counts import BuyerCounts

    x, recency, age = customers(n)
    recency, age = recency.astype(float), age.astype(float)
    cpu, wall = time.process_time(), time.perf_counter()
    fit = fit_bg_nbd(BuyerCounts(x, recency, age, unit_days=1.0))
    return _figures(cpu, wall) | fit.parameters


def lifetimes(n: int) -> dict[str, float]:
    """Fit theirs to every customer."""
    from lifetimes import BetaGeoFitter

    x, recency, age = customers(n)
    cpu, wall = time.process_time(), time.perf_counter()
    model = BetaGeoFitter().fit(x, recency, age)
    return _figures(cpu, wall) | {name: float(model.params_[name]) for name in NAMES}


def weighted(n: int) -> dict[str, float]:
    """Count and fit theirs."""
    import pandas as pd
    from lifetimes import BetaGeoFitter

    frame = pd.DataFrame(dict(zip(("x", "recency", "age"), customers(n), strict=True)))
    cpu, wall = time.process_time(), time.perf_counter()
    rows = frame.groupby(["x", "recency", "age"]).size().reset_index(name="weight")
    model = BetaGeoFitter().fit(rows["x"], rows["recency"], rows["age"], weights=rows["weight"])
    return _figures(cpu, wall) | {name: float(model.params_[name]) for name in NAMES}


def refits(n: int) -> dict[str, float]:
    """Fit the sample of CDNOW, and its customers drawn again, so many times."""
    import pandas as pd

    from csa.methods.btyd.bg_nbd import fit_bg_nbd
    from csa.methods.btyd.counts import BuyerCounts
    from csa.methods.btyd.draws import bootstrap_draws

    rows, rng = pd.read_csv(CDNOW), np.random.default_rng(20261122)
    counts = BuyerCounts(rows["x"], rows["t_x"] / 7, rows["T"] / 7, rows["customers"])
    cpu, wall = time.process_time(), time.perf_counter()
    fit = fit_bg_nbd(counts)
    found = bootstrap_draws(fit, counts, rng, draws=n)
    figures = _figures(cpu, wall)
    return figures | {"r": float(np.exp(found)[:, 0].std()), "error": fit.standard_errors["r"]}


def _figures(cpu: float, wall: float) -> dict[str, float]:
    return {
        "cpu": time.process_time() - cpu,
        "wall": time.perf_counter() - wall,
        "peak_mb": peak_so_far_mb(),
    }


def run() -> list[Record]:
    """Measure all; without lifetimes the ratios are not measured and their goals are missed."""
    mine, python = _side("ours", MILLION), peer_python("lifetimes")
    goals = (("lifetimes", "", TIMES_FASTER), ("weighted", ", weights", TIMES_FASTER_WEIGHTS))
    records = []
    for name, said, times in goals:
        peer = _side(name, MILLION, python) if python else None
        records.append(_against(mine, peer, said, times))
    return [*records, _alone(_side("ours", 10 * MILLION)), _refits(_side("refits", REFITS))]


def _side(name: str, n: int, python: str | None = None) -> Measured:
    return measure(["-m", MODULE, name, str(n)], env=ONE_THREAD, python=python)


def _common(mine: Measured) -> dict[str, Any]:
    return {
        "ours": round(mine.output["cpu"], 3),
        "unit": "s cpu",
        "peak_mb": round(mine.peak_mb),
    }


def _against(mine: Measured, peer: Measured | None, said: str, times: float) -> Record:
    common = _common(mine) | {
        "name": f"bg/nbd fit against lifetimes{said}",
        "size": f"{MILLION:,} customers",
        "goal": f"at least {times:.0f} times faster",
    }
    if peer is None:
        return Record(**common, holds=False, note="lifetimes was not found: set CSA_PEER_LIFETIMES")
    theirs, cpu = peer.output["cpu"], mine.output["cpu"]
    off = max(abs(mine.output[name] / peer.output[name] - 1) for name in NAMES)
    return Record(
        **common,
        peer=round(theirs, 3),
        peer_name=f"lifetimes{said}",
        ratio=round(theirs / cpu, 1),
        peer_peak_mb=round(peer.peak_mb),
        holds=bool(off < 0.02 and theirs >= times * cpu),
        note=f"ours with standard errors, five starts; parameters differ by at most {off:.2%}",
    )


def _alone(mine: Measured) -> Record:
    off = max(abs(mine.output[k] / v - 1) for k, v in zip(("r", "a"), TRUTH[::2], strict=True))
    cpu, peak = mine.output["cpu"], mine.output["peak_mb"]
    return Record(
        **_common(mine),
        name="bg/nbd fit",
        size=f"{10 * MILLION:,} customers",
        goal=f"at most {SECONDS:.0f} s and {MOST_MB:,} MB",
        holds=bool(cpu <= SECONDS and peak <= MOST_MB and off < 0.05),
        note=f"elapsed {mine.output['wall']:.2f} s; counts as they are, not corrected for merging",
    )


def _refits(mine: Measured) -> Record:
    alike = abs(mine.output["r"] / mine.output["error"] - 1) < 0.5
    return Record(
        **_common(mine),
        name="bg/nbd bootstrap",
        size=f"CDNOW sample, {REFITS:,} refits",
        goal=f"at most {SECONDS_REFITS:.0f} s",
        holds=bool(mine.output["cpu"] <= SECONDS_REFITS and alike),
        note=f"elapsed {mine.output['wall']:.2f} s; spread of r {mine.output['r']:.4f}, its "
        f"standard error {mine.output['error']:.4f}",
    )


if __name__ == "__main__":
    sides = {"ours": ours, "lifetimes": lifetimes, "weighted": weighted, "refits": refits}
    sys.stdout.write(json.dumps(sides[sys.argv[1]](int(sys.argv[2]))) + "\n")
