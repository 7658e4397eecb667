"""What a chapter displays: findings, charts and tables, each with a machine-readable part.

In JupyterLab an item shows as HTML or SVG; in an edition the templates read only the
machine-readable part, so summary, page, print and e-mail are made from the same numbers.
"""

import html
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import pandas as pd

Status = Literal["good", "watch", "bad", "unclear"]

FINDING = "application/vnd.csa.finding+json"
CHART = "application/vnd.csa.chart+json"
TABLE = "application/vnd.csa.table+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A metric's value with what makes it trustworthy; shares are 0 to 1, unknown is None."""

    metric_id: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    unit: str  # share, days, months, money, count, points
    confidence: float
    method: str
    target: float | None = None
    warn: float | None = None
    better: Literal["higher", "lower"] | None = None
    previous: float | None = None
    change: float | None = None
    change_low: float | None = None
    change_high: float | None = None
