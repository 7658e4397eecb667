"""The page in a real browser, on a phone and on a screen, light and dark, with hostile names."""

import shutil

import pytest
import sample_editions as sample

from csa.report import render

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
EDITIONS = {"full": sample.full, "hostile": sample.hostile, "nothing": sample.nothing}
PHONE, SCREEN = 360, 1280

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine (Debian: chromium)"),
]

# wider than the window, unless inside a box that scrolls by itself
OVERFLOWING = """() => [...document.querySelectorAll('body *')]
  .filter(e => !e.closest('.scroll, svg, .skip, pre') && e.getBoundingClientRect().width > 0)
  .filter(e => getComputedStyle(e).position !== 'absolute')
  .filter(e => e.getBoundingClientRect().right > innerWidth + 1)
  .map(e => e.outerHTML.slice(0, 120))"""
TEXT_OUTSIDE = """() => [...document.querySelectorAll('svg')]
  .filter(s => s.getBoundingClientRect().width > 0)
  .flatMap(s => [...s.querySelectorAll('text')].filter(t => {
    const a = s.getBoundingClientRect(), b = t.getBoundingClientRect();
    return b.left < a.left - 1 || b.right > a.right + 1
      || b.bottom > a.bottom + 1 || b.top < a.top - 1;
  }).map(t => t.textContent))"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    for name, make in EDITIONS.items():
        render.render_html(*make(), folder / f"{name}.html")
    return folder


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is missing")
    with sync_api.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser, pages):
    """Open a page; whatever it says on the console, asks for or pops up is collected."""
    opened = []

    def open_page(name, width=SCREEN, scheme="light"):
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, has_touch=width == PHONE
        )
        page = context.new_page()
        page.said, page.asked = [], []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on("dialog", lambda dialog: page.said.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto((pages / f"{name}.html").as_uri())
        opened.append(context)
        return page

    yield open_page
    for context in opened:
        context.close()


@pytest.mark.parametrize("name", EDITIONS)
@pytest.mark.parametrize("width", [PHONE, SCREEN])
def test_page_is_quiet_asks_for_nothing_and_never_scrolls_sideways(visit, name, width):
    page = visit(name, width)
    assert page.said == []
    assert [url for url in page.asked if not url.startswith(("data:", "file:"))] == []
    assert len([url for url in page.asked if url.startswith("file:")]) == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(OVERFLOWING) == []


@pytest.mark.parametrize("name", ["full", "hostile"])
@pytest.mark.parametrize("width", [PHONE, SCREEN])
def test_drawing_for_the_width_is_shown_and_whole(visit, name, width):
    page = visit(name, width)
    shown, hidden = (".narrow", ".wide") if width == PHONE else (".wide", ".narrow")
    assert page.locator(f"{shown} svg").first.is_visible()
    assert not page.locator(f"{hidden} svg").first.is_visible()
    assert page.evaluate(TEXT_OUTSIDE) == []


def test_smallest_text_on_a_phone_can_be_read(visit):
    page = visit("full", PHONE)
    smallest = page.evaluate(
        """() => Math.min(...[...document.querySelectorAll('svg text')]
          .filter(t => t.getBoundingClientRect().width > 0)
          .map(t => t.getScreenCTM().a * parseFloat(getComputedStyle(t).fontSize)))"""
    )
    assert smallest >= 10.5
    body = page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)")
    assert body >= 16


def test_own_font_is_used(visit):
    page = visit("full")
    assert (
        page.evaluate(
            "document.fonts.ready.then(() => [...document.fonts]"
            ".filter(f => f.status === 'loaded').length)"
        )
        >= 2
    )


def test_keyboard_reaches_summary_and_tables(visit):
    page = visit("full")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the summary"
    assert page.locator(".skip").bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#summary"
    box = page.locator(".scroll").nth(1)
    box.focus()
    assert page.evaluate("document.activeElement.getAttribute('role')") == "region"


def test_wide_tables_scroll_in_their_own_box_on_a_phone(visit):
    page = visit("full", PHONE)
    box = page.locator(".scroll").nth(1)
    room = box.evaluate("e => [e.scrollWidth, e.clientWidth]")
    assert room[0] > room[1]


def test_scorecard_restacks_on_a_phone(visit):
    page = visit("full", PHONE)
    box = page.locator(".scroll").first
    assert box.evaluate("e => e.scrollWidth <= e.clientWidth")
    row = page.locator(".scorecard tbody tr").first
    assert "Interval" in row.inner_text()


def test_accessible_names_are_there(visit):
    tree = visit("full").locator("body").aria_snapshot()
    for part in ("banner", "main", 'navigation "Contents"', "contentinfo"):
        assert part in tree
    assert 'img "Survival curves: share of accounts still customers' in tree
    assert 'region "Accounts that left, by segment"' in tree


def test_dark_page_turns_drawings_too(visit):
    ink = "getComputedStyle(document.querySelector('.wide svg text')).fill"
    ground = "getComputedStyle(document.body).backgroundColor"
    light, dark = visit("full"), visit("full", scheme="dark")
    assert light.evaluate(ground) == "rgb(255, 255, 255)"
    assert dark.evaluate(ground) == "rgb(18, 23, 29)"
    assert light.evaluate(ink) != dark.evaluate(ink)


def test_page_prints_without_contents_and_with_wide_drawings(visit):
    page = visit("full", PHONE)
    page.emulate_media(media="print")
    assert not page.locator("nav.contents").is_visible()
    assert page.locator(".wide svg").first.is_visible()


@pytest.mark.parametrize("width", [PHONE, SCREEN])
def test_real_edition_is_quiet_and_fits(edition, browser, width):
    page = browser.new_page(viewport={"width": width, "height": 800})
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    page.goto((edition.folder / "report.html").as_uri())
    assert said == []
    assert len([url for url in asked if not url.startswith("data:")]) == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(OVERFLOWING) == []
    assert page.evaluate(TEXT_OUTSIDE) == []
    page.close()


def test_links_to_files_of_a_real_edition_lead_somewhere(edition, browser):
    page = browser.new_page()
    page.goto((edition.folder / "report.html").as_uri())
    links = page.evaluate(
        "[...document.querySelectorAll('a[href]')].map(a => a.getAttribute('href'))"
    )
    files = {link for link in links if not link.startswith("#")}
    assert files
    assert all((edition.folder / link).is_file() for link in files)
    page.close()
