"""Editions: chapters run, assembled, rendered, put in place and recorded."""

import sys
from typing import cast

# nbformat reaches jsonschema, which builds a grammar of international web addresses as it is
# imported: over a second, and no notebook holds one. jsonschema works without it.
cast("dict[str, object]", sys.modules).setdefault("rfc3987_syntax", None)
