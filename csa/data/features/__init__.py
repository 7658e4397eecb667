"""The features of the risk model, declared once: what documentation and sentences are made from.

`python -m csa.data.features > docs/features.md` writes the documentation of the features.
"""

from collections.abc import Sequence
from dataclasses import replace

from csa.data.features.behaviour import INTERVENTIONS, SUPPORT, SURVEYS, USE
from csa.data.features.contract import CONTRACT, PROFILE
from csa.data.features.rules import Feature, Mark, Usable, check_features, usable
from csa.errors import InputError
from csa.settings_rules import did_you_mean

__all__ = [
    "FEATURES",
    "Feature",
    "Mark",
    "Usable",
    "check_features",
    "choose",
    "documentation",
    "usable",
]

FEATURES: tuple[Feature, ...] = (
    *CONTRACT,
    *USE,
    *SUPPORT,
    *SURVEYS,
    *INTERVENTIONS,
    *PROFILE,
)

_INTRODUCTION = """# Features of the risk model

A feature is made for an account and a cut-off (the last day known) from the rows that had appeared
by then; what became known later is missing. *Expected* says which values should raise the risk.
Features marked `†` come from attributes of accounts that nobody dated: they are as of today.
A feature whose table or column is absent is left out, and the page says so.

This page is generated from `csa/data/features`; change it there, then run
`python -m csa.data.features > docs/features.md`.

| feature | meaning | unit | from | days | expected |
| --- | --- | --- | --- | --- | --- |
"""


def choose(features: Sequence[Feature | str] | None = None) -> tuple[Feature, ...]:
    """Return features with the steps that they are made of, checked.

    Parameters
    ----------
    features : sequence of Feature or str, optional
        Names of `FEATURES`, or features of one's own; default: all.

    Returns
    -------
    tuple of Feature
        What others are made of comes first; those not asked for are steps.

    Raises
    ------
    InputError
        If a name means none, or a feature could know what came later.
    """
    known = {f.name: f for f in FEATURES}
    asked = FEATURES if features is None else features
    wrong = [f for f in asked if isinstance(f, str) and f not in known]
    if wrong:
        raise InputError(*(f'there is no feature "{n}"{_hint(n, known)}' for n in wrong))
    made = [known[f] if isinstance(f, str) else f for f in asked]
    every = known | {f.name: f for f in made}
    named = {f.name for f in made}
    parts = dict.fromkeys(p for f in made for p in f.of if p not in named and p in every)
    steps = [_as_step(every[p]) for p in parts]
    chosen = (*steps, *sorted(made, key=lambda f: bool(f.of)))
    check_features(chosen)
    return chosen


def documentation() -> str:
    """Markdown page on all features.

    Returns
    -------
    str
        The text of `docs/features.md`.
    """
    return _INTRODUCTION + "\n".join(_row(f) for f in FEATURES if not f.step) + "\n"


def _row(feature: Feature) -> str:
    name = f"`{feature.name}`" + (" †" if feature.undated else "")
    days = str(feature.window_days or "")
    cells = (name, feature.meaning, feature.unit, feature.table, days, feature.raises or "")
    return "| " + " | ".join(cells) + " |"


def _as_step(feature: Feature) -> Feature:
    return feature if feature.step else replace(feature, step=True)


def _hint(name: str, known: dict[str, Feature]) -> str:
    return did_you_mean(name, known) or f"; there are {', '.join(known)}"
