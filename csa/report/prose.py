"""Text and drawings of a notebook as parts of a page that loads nothing from elsewhere."""

import base64
import re
from typing import Final

from markupsafe import Markup
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from csa.present.theme import LIGHT

# colours of drawings that follow the reader's light or dark page
TOKENS: Final = {
    LIGHT[name]: f"var(--{name}, {LIGHT[name]})"
    for name in (
        "ink",
        "soft",
        "rule",
        "line",
        "paper",
        "accent",
        *(f"series{i}" for i in range(1, 7)),
    )
}
_COLOUR = re.compile(r"#[0-9a-f]{6}\b")
_SIZE = re.compile(r'(?<=<svg )([^>]*?)width="[^"]*" height="[^"]*"')
_TOP_LEVEL = 4  # headings inside prose stand below those of chapter and section


class _Renderer(IPythonRenderer):
    """Markdown without anything that reaches out of the page: no raw HTML, no linked picture."""

    def heading(self, text: str, level: int, **_: object) -> str:
        """Set a heading below those that the page itself prints."""
        at = min(6, _TOP_LEVEL + level - 1)
        return f"<h{at}>{text}</h{at}>\n"

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """Say what a picture would show; only charts are drawn."""
        return f"<em>{text or title or url}</em>"


def prose(source: str) -> Markup:
    """Turn Markdown of a notebook into HTML.

    Parameters
    ----------
    source : str
        Text of a Markdown cell.

    Returns
    -------
    Markup
        Escaped HTML; headings start at level 4.
    """
    renderer = _Renderer(escape=True, allow_harmful_protocols=False, exclude_anchor_links=True)
    html: str = MarkdownWithMath(renderer=renderer).render(source)
    return Markup(html.strip())  # noqa: S704  escaped by the renderer above


def inline_svg(svg: str) -> Markup:
    """Prepare a drawing to stand in a page: as wide as its place, in the page's colours.

    Parameters
    ----------
    svg : str
        From a chart's output.

    Returns
    -------
    Markup
        The `<svg>` element, hidden from screen readers: its frame carries the alternative text.
    """
    sized = _SIZE.sub(r'\1aria-hidden="true" focusable="false"', _drawing(svg), count=1)
    return Markup(_COLOUR.sub(lambda c: TOKENS.get(c[0], c[0]), sized))  # noqa: S704  checked


def svg_uri(svg: str) -> str:
    """Make the address of a drawing that is its own content.

    Parameters
    ----------
    svg : str
        From a chart's output.

    Returns
    -------
    str
        A data URI.
    """
    content = base64.b64encode(_drawing(svg).encode("utf-8")).decode("ascii")
    return f"data:image/svg+xml;base64,{content}"


def _drawing(svg: str) -> str:
    """Refuse a drawing that could run or load something; ours never do."""
    if not svg.startswith("<svg ") or re.search(
        r"<script|<foreignObject|<image|\son\w+=|href=\"(?!#)", svg, flags=re.IGNORECASE
    ):
        return (
            '<svg width="1pt" height="1pt" viewBox="0 0 1 1" xmlns="http://www.w3.org/2000/svg"/>'
        )
    return svg
