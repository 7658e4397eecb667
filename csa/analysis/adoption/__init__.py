"""Adoption: who uses the product, how often, and which parts of it.

The import point of the chapter: each function has its module, named after its topic.
"""

from csa.analysis.adoption.actives import Actives, account_use, actives
from csa.analysis.adoption.breadth import Breadth, breadth
from csa.analysis.adoption.depth import Depth, depth
from csa.analysis.adoption.engagement import Engagement, engagement, last_reference
from csa.analysis.adoption.engagement_parts import Sources
from csa.analysis.adoption.power import PowerUsers, power_users
from csa.analysis.adoption.readers import Readers, readers
from csa.analysis.adoption.rolling import rolling_actives
from csa.analysis.adoption.stickiness import Stickiness, stickiness
from csa.analysis.adoption.uptake import Uptake, uptake
from csa.analysis.adoption.utilisation import Utilisation, utilisation
from csa.analysis.adoption.windows import Span, span

__all__ = [
    "Actives",
    "Breadth",
    "Depth",
    "Engagement",
    "PowerUsers",
    "Readers",
    "Sources",
    "Span",
    "Stickiness",
    "Uptake",
    "Utilisation",
    "account_use",
    "actives",
    "breadth",
    "depth",
    "engagement",
    "last_reference",
    "power_users",
    "readers",
    "rolling_actives",
    "span",
    "stickiness",
    "uptake",
    "utilisation",
]
