"""The built book, opened in a real browser: every page, on a laptop and on a phone, in light and in dark."""

import importlib.util
import re
import sys
import zipfile
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml
from browser import Strict, served
from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "book" / "tools"))

import address  # noqa: E402

HTML = ROOT / "_build" / "html"
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
PAGES = [TOC["root"], *(c["file"] for part in TOC["parts"] for c in part["chapters"])]
CHAPTERS = [p for p in PAGES if (ROOT / f"{p}.ipynb").exists()]


# A reader who does not want to be asked: nothing is shut. What is shut tests/test_predictions.py looks at.
UNASKED = """localStorage.setItem("vaecourse-switches", '{"ask": false}')"""


@pytest.fixture(scope="module")
def site():
    with served(HTML) as address:
        yield address


@pytest.fixture(scope="module")
def strict_site():
    with served(HTML, Strict) as address:
        yield address


def visit(browser, address, **settings):
    """Opens a page; returns it with the requests, the errors and the failed loads that opening it caused."""
    context = browser.new_context(**settings)
    context.add_init_script(UNASKED)
    page = context.new_page()
    requests, problems = [], []
    page.on("request", lambda r: requests.append(r.url))
    page.on("pageerror", lambda e: problems.append(str(e)))
    page.on("requestfailed", lambda r: problems.append(f"failed: {r.url}"))
    page.on("response", lambda r: problems.append(f"{r.status}: {r.url}") if r.status >= 400 else None)
    page.goto(address, wait_until="load")
    page.wait_for_function("!window.MathJax || !MathJax.startup || !!document.body")
    page.wait_for_timeout(400)
    return page, requests, problems


def test_every_page_of_the_contents_was_built():
    for page in PAGES:
        assert (HTML / f"{page}.html").stat().st_size > 5000, page
    assert "book/index" in (HTML / "index.html").read_text("utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_asks_no_other_host_and_has_no_error(browser, site, page):
    tab, requests, problems = visit(browser, f"{site}/{page}.html")
    assert problems == []
    assert [r for r in requests if not r.startswith((site, "data:", "blob:"))] == []
    tab.context.close()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_from_disk(browser, page):
    tab, requests, problems = visit(browser, (HTML / f"{page}.html").as_uri())
    assert problems == []
    assert [r for r in requests if not r.startswith(("file:", "data:", "blob:"))] == []
    tab.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("page", PAGES)
def test_nothing_sticks_out(browser, site, page, width, scheme):
    """No page scrolls sideways, and no figure is wider than its column."""
    tab, _, _ = visit(browser, f"{site}/{page}.html", viewport={"width": width, "height": 844}, color_scheme=scheme)
    assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    wide = tab.eval_on_selector_all(
        ".cell_output img", "all => all.filter(i => i.getBoundingClientRect().right > window.innerWidth).length"
    )
    assert wide == 0
    assert tab.evaluate("document.documentElement.dataset.theme") == scheme
    tab.context.close()


@pytest.mark.parametrize("page", CHAPTERS)
def test_a_chapter_has_its_figures_its_formulas_and_its_solutions(browser, site, page):
    tab, _, _ = visit(browser, f"{site}/{page}.html")
    figures = tab.eval_on_selector_all(
        ".cell_output img", "all => all.map(i => [i.naturalWidth, i.alt.length, !!i.getAttribute('src')])"
    )
    assert len(figures) == (ROOT / f"{page}.ipynb").read_text("utf-8").count("<img src=") >= 2
    assert all(width > 100 and alt >= 10 for width, alt, _ in figures)
    tab.wait_for_selector("mjx-container", timeout=10_000)
    assert tab.locator("mjx-merror").count() == 0
    first = tab.locator("details").first.element_handle()  # explorers come to life meanwhile, and bring their own
    assert not first.evaluate("d => d.open")
    first.query_selector("summary").focus()
    tab.keyboard.press("Enter")
    assert first.evaluate("d => d.open"), "a solution must unfold from the keyboard"
    assert tab.locator(".cell_output .output.traceback, .cell_output .stderr").count() == 0
    tab.context.close()


@pytest.mark.parametrize("page", PAGES)
def test_a_policy_that_names_only_the_site_stops_nothing_that_teaches(browser, strict_site, page):
    tab, _, problems = visit(browser, f"{strict_site}/{page}.html")
    assert problems == []
    pictures = tab.eval_on_selector_all("article img", "all => all.map(i => i.naturalWidth)")
    assert all(width > 16 for width in pictures)
    formulas = tab.locator(".math")
    assert formulas.count() == tab.locator(".math:has(mjx-container)").count(), "every formula is set"
    assert formulas.count() > 0 or page not in CHAPTERS
    for explorer in tab.locator("latent-explorer, turning-object, pixel-cube, own-path, sound-plane").all():
        explorer.scroll_into_view_if_needed()
        explorer.locator("canvas").first.wait_for(timeout=10_000)
    icons = tab.eval_on_selector_all("svg.svg-inline--fa", "all => all.map(i => i.getBoundingClientRect().height)")
    assert all(height < 40 for height in icons)
    assert tab.evaluate("document.documentElement.dataset.theme") in ("light", "dark")
    tab.context.close()


@cache
def soup(path):
    return BeautifulSoup(path.read_text("utf-8"), "html.parser")


@pytest.mark.parametrize("page", PAGES)
def test_links_within_the_book_lead_somewhere(page):
    here = (HTML / f"{page}.html").resolve()
    for target in {a["href"] for a in soup(here).select("a[href]") if ":" not in a["href"]}:
        name, _, place = target.partition("#")
        path = (here.parent / name).resolve() if name else here
        assert path.exists(), f"{page} links to {target}"
        if place and path.suffix == ".html":
            assert soup(path).find(id=unquote(place)), f"{page} links to {target}"


LINKED = "book/moving-through-the-plane"


@pytest.mark.parametrize("from_disk", [False, True], ids=["http", "file"])
def test_sliders_linked_to_the_plane_live_without_a_kernel(browser, site, from_disk):
    base = HTML.as_uri() if from_disk else site
    tab, requests, problems = visit(browser, f"{base}/{LINKED}.html", viewport={"width": 390, "height": 844})
    assert not any("embed-amd" in r for r in requests), "the widget manager is heavy: nobody near it, nobody loads it"
    view = tab.locator(".cell_output:has(script[type$='widget-view+json'])")
    view.scroll_into_view_if_needed()
    sliders, handle = view.locator(".widget-slider [role=slider]"), view.locator(".lx-handle")
    handle.wait_for()
    tab.wait_for_function("document.querySelector('.widget-slider [role=slider]').ariaLabel === 'z1'")
    values = [float(slider.get_attribute("aria-valuetext")) for slider in sliders.all()]
    sliders.first.focus()
    for _ in range(5):
        tab.keyboard.press("ArrowLeft")
    expected = f"z1 {values[0] - 0.05:.2f}, z2 {values[1]:.2f}".replace("-", "−")
    view.locator(f".lx-handle[aria-valuetext='{expected}']").wait_for(timeout=5000)  # the slider moves the plane
    handle.focus()
    tab.keyboard.press("Shift+ArrowUp")
    readout = f"{values[1] + 0.5:.2f}".replace("-", "−")
    view.locator(".widget-readout", has_text=readout).wait_for(timeout=5000)  # and back
    assert problems == []
    assert [r for r in requests if not r.startswith((base, "data:", "blob:"))] == []
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    tab.context.close()


def test_pages_without_plain_widgets_carry_none_of_their_weight():
    for page in PAGES:
        text = (HTML / f"{page}.html").read_text("utf-8")
        assert ("widget-state+json" in text) == ("widgets.js" in text) == (page == LINKED), page
    text = (HTML / f"{LINKED}.html").read_text("utf-8")
    state = re.search(r'widget-state\+json">(.*?)</script>', text, re.DOTALL).group(1)
    assert len(state) < 100_000, "weights and front end belong to the whole site, not to this page"


def test_the_archive_opens_by_double_click_with_everything_alive(browser, tmp_path):
    spec = importlib.util.spec_from_file_location("site_zip", ROOT / "book" / "tools" / "site_zip.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    with zipfile.ZipFile(tool.pack(tool.site(HTML), tmp_path / "course.zip")) as archive:
        archive.extractall(tmp_path)
    tab, requests, problems = visit(browser, (tmp_path / "course" / "index.html").as_uri())
    tab.wait_for_selector("article h1")
    assert tab.url.endswith("book/index.html")
    tab.goto((tmp_path / "course" / f"{LINKED}.html").as_uri())
    explorer = tab.locator("latent-explorer").first
    explorer.scroll_into_view_if_needed()
    explorer.locator(".lx-point canvas").wait_for()
    assert problems == [] and all(r.startswith(("file:", "data:", "blob:")) for r in requests)
    tab.context.close()


def test_a_reader_without_scripts_sees_text_and_figures(browser, site):
    tab = browser.new_context(java_script_enabled=False).new_page()
    tab.goto(f"{site}/{CHAPTERS[-1]}.html")
    assert tab.locator("article h1").is_visible()
    assert tab.locator(".cell_output img").first.is_visible()
    tab.context.close()


def test_pages_of_a_copy_without_an_address_offer_neither_launch_buttons_nor_reports():
    for page in [] if address.read() else PAGES:
        text = (HTML / f"{page}.html").read_text("utf-8")
        assert not re.search(r'colab\.research|kaggle\.com/kernels|class="report"', text), page
