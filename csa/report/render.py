"""An edition as a page (HTML, one file) and in print (PDF): nbconvert templates and WeasyPrint."""

import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from os import environ
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from jinja2 import Environment
from markupsafe import Markup
from nbconvert.exporters.templateexporter import TemplateExporter
from nbformat import NotebookNode

from csa.errors import RunError
from csa.present.items import CHART, FINDING, TABLE
from csa.present.theme import BRAND, font_faces
from csa.present.words import Words
from csa.report.assemble import Edition
from csa.report.code import shipped
from csa.report.outputs import PROBLEM
from csa.report.page import Page
from csa.report.prose import inline_svg, prose, svg_uri

MIME: Final = {"finding": FINDING, "chart": CHART, "table": TABLE, "problem": PROBLEM}
NO_PANGO: Final = (
    "no PDF: the Pango library is missing on this machine; on Debian: apt-get install "
    "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0, on macOS: brew install pango"
)
_SPACE = re.compile(r"\n\s*\n+")

try:  # WeasyPrint looks for Pango when it is imported
    import weasyprint
except OSError:
    weasyprint = None


class _Exporter(TemplateExporter):
    """Our templates with escaping switched on, and none of the stock page's scripts."""

    output_mimetype = "text/html"

    def _file_extension_default(self) -> str:
        return ".html"

    def _create_environment(self) -> Environment:
        environment: Environment = super()._create_environment()  # type: ignore[no-untyped-call]
        environment.autoescape = True
        return environment

    def default_filters(self) -> Iterator[tuple[str, Callable[..., Any]]]:
        """Add the filters of our templates."""
        yield from super().default_filters()  # type: ignore[no-untyped-call]
        yield from (("prose", prose), ("inline_svg", inline_svg), ("svg_uri", svg_uri))


@cache
def _exporter(template: str) -> _Exporter:
    """Build an exporter once; its compiled templates serve every edition of a run."""
    folder = str(shipped("templates"))
    return _Exporter(  # type: ignore[no-untyped-call]
        template_name=template,
        template_file="index.html.j2",
        # both: one is where names are looked up, the other where `extends` is
        extra_template_basedirs=[folder],
        extra_template_paths=[folder],
    )


def page_html(notebook: NotebookNode, edition: Edition, *, template: str = "csa") -> str:
    """Make the HTML of an edition.

    Parameters
    ----------
    notebook : NotebookNode
        The combined notebook.
    edition : Edition
        What the page says about itself.
    template : str
        csa (screen) or csa-pdf (print).

    Returns
    -------
    str
        One document that loads nothing from the network; the same for the same input.
    """
    edition = _dated(edition)
    words = Words(locale=edition.locale, currency=edition.currency)
    resources = {
        "edition": edition,
        "page": Page(edition=edition, notebook=notebook, words=words),
        "brand": BRAND,
        "faces": font_faces(),
        "mime": MIME,
        "sheet": _sheet,
        "print": template == "csa-pdf",
    }
    html, _ = _exporter(template).from_notebook_node(notebook, resources=resources)
    return _SPACE.sub("\n", html)


def _dated(edition: Edition) -> Edition:
    """Take the moment from SOURCE_DATE_EPOCH where it is set, so that bytes can repeat."""
    fixed = environ.get("SOURCE_DATE_EPOCH")
    if not fixed:
        return edition
    moment = datetime.fromtimestamp(int(fixed), tz=UTC)
    return replace(edition, made_at=moment.astimezone(ZoneInfo(edition.timezone)))


def _sheet(name: str) -> Markup:
    """Read a style sheet of the templates."""
    text = (shipped("templates") / name).read_text(encoding="utf-8")
    return Markup(text)  # noqa: S704  our own file


def render_html(notebook: NotebookNode, edition: Edition, out: Path) -> None:
    """Write the page for the screen.

    Parameters
    ----------
    notebook : NotebookNode
        The combined notebook.
    edition : Edition
        What the page says about itself.
    out : Path
        Where to.
    """
    out.write_text(page_html(notebook, edition), encoding="utf-8")


def render_pdf(notebook: NotebookNode, edition: Edition, out: Path) -> None:
    """Write the edition for print: A4, tagged (PDF/UA-1), bookmarks, vector charts.

    Parameters
    ----------
    notebook : NotebookNode
        The combined notebook.
    edition : Edition
        What the page says about itself.
    out : Path
        Where to.

    Raises
    ------
    RunError
        If Pango is missing on this machine; the page for the screen needs none of it.
    """
    printer = _printer()
    html = page_html(notebook, edition, template="csa-pdf")
    fetcher = printer.URLFetcher(allowed_protocols=("data", "file"))
    document = printer.HTML(string=html, url_fetcher=fetcher)
    out.write_bytes(document.write_pdf(pdf_variant="pdf/ua-1", pdf_tags=True))


def _printer() -> Any:
    if weasyprint is None:
        raise RunError(NO_PANGO)
    logging.getLogger("fontTools").setLevel(logging.ERROR)  # tells every table it subsets
    return weasyprint
