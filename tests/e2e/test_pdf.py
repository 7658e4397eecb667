"""The PDF read back: tags, bookmarks, fonts, texts, page numbers, nothing cut."""

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from xml.etree import ElementTree as ET

import pikepdf
import pytest
import sample_editions as sample

from csa.present.items import CHART
from csa.report import render

EDITIONS = {"full": sample.full, "hostile": sample.hostile, "nothing": sample.nothing}
MARGIN = 18 / 25.4 * 72  # points
SIDES = ("xMin", "yMin", "xMax", "yMax")
WIDTH = 210 / 25.4 * 72

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(render.weasyprint is None, reason="no Pango on this machine"),
    pytest.mark.skipif(
        not shutil.which("pdftotext"), reason="no pdftotext (Debian: poppler-utils)"
    ),
]


@dataclass(frozen=True)
class Word:
    """A word with its box, points from the top left of its page."""

    page: int
    text: str
    left: float
    top: float
    right: float
    bottom: float


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("print")
    for name, make in EDITIONS.items():
        render.render_pdf(*make(), made / f"{name}.pdf")
    return made


@pytest.fixture(scope="module", params=EDITIONS)
def path(request, folder):
    return folder / f"{request.param}.pdf"


@pytest.fixture
def pdf(path):
    with pikepdf.open(path) as opened:
        yield opened


@pytest.fixture
def full(folder):
    with pikepdf.open(folder / "full.pdf") as opened:
        yield opened


def words(path):
    """Words of all pages with their boxes."""
    done = subprocess.run(["pdftotext", "-bbox", path, "-"], capture_output=True, check=True)
    root = ET.fromstring(done.stdout)  # noqa: S314  made by our own PDF
    space = "{http://www.w3.org/1999/xhtml}"
    return [
        Word(
            number, node.text or "", *(float(node.get(k)) for k in ("xMin", "yMin", "xMax", "yMax"))
        )
        for number, page in enumerate(root.iter(f"{space}page"))
        for node in page.iter(f"{space}word")
    ]


def pages_text(path):
    done = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, check=True)
    return done.stdout.decode("utf-8").split("\f")[:-1]


def elements(pdf):
    """Walk the structure tree: (tag, element)."""
    waiting = [pdf.Root.StructTreeRoot]
    while waiting:
        node = waiting.pop()
        if isinstance(node, pikepdf.Dictionary):
            if "/S" in node:
                yield str(node.S), node
            kids = node.get("/K", [])
            waiting += list(kids) if isinstance(kids, pikepdf.Array) else [kids]


def bookmarks(pdf):
    with pdf.open_outline() as outline:
        waiting = [(item, 1) for item in outline.root]
        found = []
        while waiting:
            item, level = waiting.pop(0)
            found.append((level, item.title, item.destination or item.action.D))
            waiting = [(child, level + 1) for child in item.children] + waiting
    return found


def test_pdf_is_tagged_with_language_and_title(pdf):
    assert bool(pdf.Root.MarkInfo.Marked)
    assert str(pdf.Root.Lang) == "en"
    assert bool(pdf.Root.ViewerPreferences.DisplayDocTitle)
    with pdf.open_metadata() as metadata:
        assert metadata["pdfuaid:part"] == "1"
        assert metadata["dc:title"].startswith("Monthly customer success report, October 2026")
    assert str(pdf.docinfo["/Title"]).startswith("Monthly customer success report")
    assert str(pdf.docinfo["/CreationDate"]).startswith("D:20261101070000")


def test_every_figure_has_its_alternative_text(full):
    alts = [str(node.get("/Alt", "")) for tag, node in elements(full) if tag == "/Figure"]
    notebook, _ = EDITIONS["full"]()
    charts = [c.outputs[0].data[CHART]["alt"] for c in notebook.cells if "csv" in c.metadata.csa]
    assert sorted(alts) == sorted(charts)


def test_headings_tables_lists_and_links_are_tagged(full):
    tags = {tag for tag, _ in elements(full)}
    wanted = {"/H1", "/H2", "/H3", "/Table", "/TR", "/TH", "/TD", "/Caption", "/L", "/LI", "/Link"}
    assert wanted <= tags
    assert sum(tag == "/H1" for tag, _ in elements(full)) == 1


def test_bookmarks_are_the_headings(full):
    titles = [(level, title) for level, title, _ in bookmarks(full)]
    assert titles[:6] == [
        (1, "Executive summary"),
        (1, "Scorecard"),
        (1, "Contents"),
        (1, "Churn"),
        (2, "How many accounts left?"),
        (2, "How long do accounts stay?"),
    ]
    assert titles[-1] == (2, "This edition")


def test_fonts_are_embedded(pdf):
    fonts = {
        str(font.BaseFont): font
        for page in pdf.pages
        for font in page.resources.get("/Font", {}).values()
    }
    assert any("Csa-Sans" in name for name in fonts)
    for font in fonts.values():
        inner = font.DescendantFonts[0] if "/DescendantFonts" in font else font
        assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(inner.FontDescriptor.keys())


def test_every_page_says_its_number_and_carries_words(path):
    texts = pages_text(path)
    for number, text in enumerate(texts, 1):
        assert f"Page {number} of {len(texts)}" in text
        assert len(text.split()) > 40


def test_running_head_names_report_and_section(folder):
    texts = pages_text(folder / "full.pdf")
    heads = [text.strip().splitlines()[0] for text in texts]
    assert heads[0] == "Acme Cloud"
    for head in heads[1:]:
        assert head.startswith("Acme Cloud · Monthly customer success report · October 2026")
    assert heads[-1].endswith("Appendix")
    assert heads[-2].endswith("Data quality")


def test_first_page_is_the_whole_summary(folder):
    first = pages_text(folder / "full.pdf")[0]
    for text in ("October 2026", "Executive summary", "What changed", "Is it real?", "What to do"):
        assert text in first
    findings = [ranked.finding for ranked in EDITIONS["full"]()[1].page_one]
    assert all(finding["title"] in first for finding in findings)
    said = " ".join(f["text"] + " " + f["evidence"] + " " + f["action"] for f in findings)
    assert len(said.split()) < 260  # read in a minute


def test_six_findings_fit_on_the_first_page(tmp_path):
    out = tmp_path / "report.pdf"
    render.render_pdf(*sample.edition_of(sample.many_findings(9), sample.unavailable()), out)
    first = pages_text(out)[0]
    assert len(re.findall(r"Finding number \d", first)) == 6
    assert "the 6 to read first:" in first


def test_contents_name_the_pages(folder):
    texts = pages_text(folder / "full.pdf")
    contents = next(text for text in texts if "Contents" in text)
    for title in ("Churn", "Data quality", "Appendix"):
        number = int(re.search(rf"(?:^|  ){title} ?[ .]+(\d+)(?= |$)", contents, flags=re.M)[1])
        assert title in texts[number - 1]


def test_nothing_is_cut_at_the_edges(path):
    for word in words(path):
        assert word.left >= MARGIN - 1, word
        assert word.right <= WIDTH - MARGIN + 1, word
        assert 20 <= word.top <= word.bottom <= 842 - 20, word


def test_table_heads_repeat_on_every_page_of_a_table(folder):
    texts = pages_text(folder / "full.pdf")
    rows = [
        len(re.findall(r"^ *(?:Enterprise|SMB|Mid-market) +.*months", t, flags=re.M)) for t in texts
    ]
    long = [number for number, count in enumerate(rows) if count > 4]
    assert len(long) >= 3
    for number in long:
        assert re.search(r"Segment +Has stayed +Accounts +Of the next", texts[number])


def test_no_heading_stands_alone_at_the_end_of_a_page(folder):
    for name in EDITIONS:
        path = folder / f"{name}.pdf"
        placed = words(path)
        with pikepdf.open(path) as pdf:
            numbers = {page.objgen: number for number, page in enumerate(pdf.pages)}
            for _, title, destination in bookmarks(pdf):
                page, top = numbers[destination[0].objgen], 842 - float(destination[3])
                below = {
                    round(word.top)
                    for word in placed
                    if word.page == page and top + 30 < word.top < 842 - 60
                }
                assert len(below) >= 2, (name, title)


def test_rows_are_never_split(folder):
    """Each long name of a hostile table ends on the page on which it began."""
    for text in pages_text(folder / "hostile.pdf"):
        letters = len(re.findall(r"A{20,}", text)) and sum(map(len, re.findall(r"A{2,}", text)))
        assert letters % 200 < 60  # drawings carry the name cut short


def test_text_can_be_searched_and_names_are_whole(folder):
    text = "".join(pages_text(folder / "hostile.pdf"))
    assert "<script>alert(1)</script>" in text
    assert "$x$ & co" in text
    squeezed = re.sub(r"\s+", "", text)
    assert "A" * 100 in squeezed


def test_charts_are_vectors(full):
    for page in full.pages:
        for image in page.resources.get("/XObject", {}).values():
            assert image.get("/Subtype") != "/Image"


def test_pdf_is_small_and_its_bytes_repeat(folder, tmp_path):
    out = tmp_path / "again.pdf"
    render.render_pdf(*sample.full(), out)
    assert out.read_bytes() == (folder / "full.pdf").read_bytes()
    assert out.stat().st_size < 1_000_000


def test_no_machine_path_in_the_pdf(folder):
    with pikepdf.open(folder / "full.pdf") as pdf:
        for page in pdf.pages:
            for note in page.get("/Annots", []):
                assert "/URI" not in note.get("/A", {})
    assert b"file://" not in (folder / "full.pdf").read_bytes()


def test_real_edition_prints(edition):
    path = edition.folder / "report.pdf"
    texts = pages_text(path)
    chapters = len(json.loads((edition.folder / "run.json").read_text())["chapters"])
    assert 4 <= len(texts) <= 12 * chapters
    assert "Executive summary" in texts[0]
    assert all(len(text.split()) > 40 for text in texts)
    for word in words(path):
        assert word.left >= MARGIN - 1
        assert word.right <= WIDTH - MARGIN + 1
