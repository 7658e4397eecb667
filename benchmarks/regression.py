"""Cox regression, its proportionality test and concordance, against SurPyval and lifelines.

Ten covariates (five normal, five of two values), whole days of duration up to five years, about
half of the accounts churned; with delayed entry an account is seen if it is still there on the day
on which observation began. Each side makes the same arrays in a process of its own, with one BLAS
thread, and the clock runs over the fit only: effects with standard errors. lifelines with entry is
slow, so it is measured at a tenth of the rows; it grows faster than they do.
"""
# ruff: noqa: PLC0415  a side imports only what it uses, or its memory would hold both

import json
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.record import Measured, Record, measure
from benchmarks.survival import Clock

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

MODULE = "benchmarks.regression"
MILLION, HUNDRED_THOUSAND = 1_000_000, 100_000
YEARS_5 = 1825
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
EFFECTS = np.array([0.3, -0.2, 0.1, 0.05, 0.0, 0.4, -0.3, 0.2, 0.0, 0.1])


def spells(n: int, *, late: bool) -> tuple["FloatArray", "FloatArray", Any, Any]:
    """Covariates, whole days at the end, whether it was churn, and days at entry or None."""
    rng = np.random.default_rng(20261122)
    x = np.empty((n, len(EFFECTS)))
    x[:, :5] = rng.standard_normal((n, 5))
    x[:, 5:] = rng.random((n, 5)) < 0.4
    life = np.ceil(rng.exponential(1100, n) * np.exp(-x @ EFFECTS))
    followed = rng.integers(1, YEARS_5 + 1, n)
    event = life <= followed
    ends = np.minimum(life, followed)
    if not late:
        return x, ends, event, None
    entry = np.where(rng.random(n) < 0.5, rng.integers(0, 1000, n), 0)
    seen = entry < ends
    return x[seen], ends[seen], event[seen], entry[seen].astype(float)


def cox(n: int, *, late: bool) -> dict[str, float]:
    """Fit ours; then its test of proportional hazards."""
    from csa.methods.cox import fit_cox
    from csa.methods.cox.proportional import proportionality
    from csa.methods.cox.risk import follow_up

    x, ends, event, entry = spells(n, late=late)
    clock = Clock()
    fit = fit_cox(x, follow_up(ends, event, entry=entry))
    figures = clock.figures() | {"first": float(fit.effects[0]), "rows": len(ends)}
    clock = Clock()
    test = proportionality(fit)
    return figures | {"test_cpu": clock.figures()["cpu"], "chi2": test.overall.statistic}


def cox_surpyval(n: int, *, late: bool) -> dict[str, float]:
    """Fit theirs with its covariance; then its test of proportional hazards."""
    from surpyval import CoxPH

    x, ends, event, entry = spells(n, late=late)
    clock = Clock()
    fit = CoxPH.fit(ends, x, c=1 - event.astype(int), tl=entry)
    fit.covariance()
    figures = clock.figures() | {"first": float(fit.params[0])}
    clock = Clock()
    overall = list(fit.check_ph(transform="km")["statistic"])[-1] if n <= HUNDRED_THOUSAND else 0.0
    return figures | {"test_cpu": clock.figures()["cpu"], "chi2": float(overall)}


def cox_lifelines(n: int, *, late: bool) -> dict[str, float]:
    """Fit theirs from a frame in memory."""
    import pandas as pd
    from lifelines import CoxPHFitter

    x, ends, event, entry = spells(n, late=late)
    frame = pd.DataFrame(x).rename(columns=str).assign(ends=ends, event=event)
    options = {}
    if entry is not None:
        frame["entry"] = entry
        options["entry_col"] = "entry"
    clock = Clock()
    fit = CoxPHFitter().fit(frame, "ends", "event", **options)
    return clock.figures() | {"first": float(fit.params_.iloc[0])}


def concordance(n: int, *, late: bool) -> dict[str, float]:
    """Count ours exactly, with its standard error."""
    from csa.methods.concordance import concordance as ours

    x, ends, event, entry = spells(n, late=late)
    score = np.round(x @ EFFECTS, 6)  # SurPyval ties what differs by less than 1e-8
    clock = Clock()
    found = ours(score, ends, event, entry=entry)
    return clock.figures() | {"first": found.value}


def concordance_binned(n: int, *, late: bool) -> dict[str, float]:
    """Bound ours by bins of scores, with its standard error."""
    from csa.methods.concordance_binned import concordance_binned as ours

    x, ends, event, entry = spells(n, late=late)
    score = x @ EFFECTS
    clock = Clock()
    found = ours(score, ends, event, entry=entry)
    return clock.figures() | {"first": found.value, "error": (found.most - found.least) / 2}


def concordance_surpyval(n: int, *, late: bool) -> dict[str, float]:
    """Count theirs, which knows no entry."""
    from surpyval.metrics import concordance_index

    x, ends, event, _ = spells(n, late=late)
    score = np.round(x @ EFFECTS, 6)
    clock = Clock()
    value = concordance_index(ends, 1 - event.astype(int), score)
    return clock.figures() | {"first": float(value)}


SIDES = {
    "cox": cox,
    "cox_surpyval": cox_surpyval,
    "cox_lifelines": cox_lifelines,
    "concordance": concordance,
    "concordance_binned": concordance_binned,
    "concordance_surpyval": concordance_surpyval,
}


def side(name: str, n: int, *, late: bool = False) -> Measured:
    """Measure one side in a process of its own."""
    return measure(["-m", MODULE, name, str(n), "late" if late else "whole"], env=ONE_THREAD)


def same(*runs: Measured) -> bool:
    """Whether all found the same first figure."""
    first = runs[0].output["first"]
    return all(abs(run.output["first"] - first) < 1e-4 * abs(first) for run in runs)


def run() -> list[Record]:
    """Measure all."""
    return [*_cox(), *_cox_late(), *_largest(), *_proportional(), _concordance(), _binned()]


def _record(
    name: str, size: str, mine: Measured, peer: Measured | None = None, **rest: Any
) -> Record:
    """Record CPU seconds of a fit, and of the peer's."""
    ours = mine.output["cpu"]
    known: dict[str, Any] = {
        "ours": round(ours, 3),
        "unit": "s cpu",
        "peak_mb": round(mine.peak_mb),
    }
    if peer is not None:
        theirs = peer.output["cpu"]
        known |= {"peer": round(theirs, 3), "ratio": round(theirs / ours, 1)}
        known |= {"peer_peak_mb": round(peer.peak_mb)}
    return Record(name=name, size=size, **(known | rest))


def _cox() -> list[Record]:
    mine, other, third = (side(name, MILLION) for name in ("cox", "cox_surpyval", "cox_lifelines"))
    alike = same(mine, other, third)
    return [
        _record(
            "cox",
            "1,000,000 x 10",
            mine,
            peer,
            peer_name=name,
            goal="at least 4 times faster",
            holds=bool(alike and peer.output["cpu"] >= 4 * mine.output["cpu"]),
            note=f"Efron ties, standard errors; same effects: {'yes' if alike else 'NO'}",
        )
        for name, peer in (("SurPyval", other), ("lifelines", third))
    ]


def _cox_late() -> list[Record]:
    mine, other = (side(name, MILLION, late=True) for name in ("cox", "cox_surpyval"))
    small, slow = (side(name, HUNDRED_THOUSAND, late=True) for name in ("cox", "cox_lifelines"))
    seen = f"{int(mine.output['rows']):,}"
    few = f"{int(small.output['rows']):,}"
    return [
        _record(
            "cox with delayed entry",
            f"1,000,000 x 10, {seen} seen",
            mine,
            other,
            peer_name="SurPyval",
            goal="at least 3 times faster",
            holds=same(mine, other) and other.output["cpu"] >= 3 * mine.output["cpu"],
        ),
        _record(
            "cox with delayed entry",
            f"100,000 x 10, {few} seen",
            small,
            slow,
            peer_name="lifelines",
            goal="at least 100 times faster",
            holds=same(small, slow) and slow.output["cpu"] >= 100 * small.output["cpu"],
            note="lifelines at a tenth of the rows, since it takes minutes at a million",
        ),
    ]


def _largest() -> list[Record]:
    mine = side("cox", 10 * MILLION)
    return [
        _record(
            "cox",
            "10,000,000 x 10",
            mine,
            goal="at most 12 s and 2,000 MB",
            holds=mine.output["cpu"] <= 12 and mine.peak_mb <= 2000,
            note="the peak holds the data, 850 MB",
        )
    ]


def _proportional() -> list[Record]:
    mine, other = (side(name, HUNDRED_THOUSAND) for name in ("cox", "cox_surpyval"))
    ours, theirs = mine.output["test_cpu"], other.output["test_cpu"]
    alike = abs(mine.output["chi2"] / other.output["chi2"] - 1) < 1e-4
    return [
        Record(
            name="score test of proportional hazards",
            size="100,000 x 10",
            ours=round(ours, 3),
            unit="s cpu",
            peer=round(theirs, 3),
            peer_name="SurPyval",
            ratio=round(theirs / ours, 1),
            goal="at least 4 times faster",
            holds=bool(alike and theirs >= 4 * ours),
            note=f"same statistic: {'yes' if alike else 'NO'}",
        )
    ]


def _concordance() -> Record:
    mine, other = (side(name, MILLION) for name in ("concordance", "concordance_surpyval"))
    return _record(
        "concordance",
        "1,000,000, exact",
        mine,
        other,
        peer_name="SurPyval",
        goal="at least 4 times faster",
        holds=same(mine, other) and other.output["cpu"] >= 4 * mine.output["cpu"],
        note="ours with its standard error",
    )


def _binned() -> Record:
    mine = side("concordance_binned", 10 * MILLION)
    error = mine.output["error"]
    return _record(
        "concordance, bounded by bins",
        "10,000,000",
        mine,
        goal="at most 3 s, within 0.0003",
        holds=mine.output["cpu"] <= 3 and error <= 3e-4,
        note=f"within {error:.6f} for certain; with its standard error",
    )


if __name__ == "__main__":
    print(json.dumps(SIDES[sys.argv[1]](int(sys.argv[2]), late=sys.argv[3] == "late")))
