"""The explorer in a real browser, as the book's pages show it, and held against Python."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch
from browser import HEAD, TAIL, front_end, place, served
from conftest import lacking
from torch.distributions import Normal

from vaecourse import evidence, load_dataset, load_pretrained
from vaecourse.explorer import LatentExplorer

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def model():
    return load_pretrained("strokes-2d-page")


@pytest.fixture(scope="module")
def digits():
    return load_dataset("strokes", split="test")


@pytest.fixture(scope="module")
def folder(model, digits, tmp_path_factory):
    """Pages with explorers, each like a page of the book, and beside them the front end."""
    folder = tmp_path_factory.mktemp("pages")
    front_end(folder)
    (folder / "src").symlink_to(ROOT / "web" / "src")
    (folder / "models").symlink_to(ROOT / "vaecourse" / "weights")
    with torch.no_grad():
        codes = model.encode(torch.as_tensor(digits.images)).mean.numpy()
    known = {"codes": codes, "labels": digits.labels}
    pages = {
        "plain": LatentExplorer(model, **known, z=(0.5, -1.0), caption="Drag the point."),
        "walk": LatentExplorer(model, **known, ends=((-1.0, 1.0), (2.0, 0.5))),
        "path": LatentExplorer(model, path=[[0, 0], [2, 0], [2, 2]]),
        "heat": LatentExplorer(model, heat=np.add.outer(np.arange(9), np.arange(9)), heat_name="slope"),
        "draw": LatentExplorer(model, **known, images=digits.images[:100], draw=True),
    }
    for name, explorer in pages.items():
        (folder / f"{name}.html").write_text(HEAD + explorer._repr_mimebundle_()[0]["text/html"] + TAIL, "utf-8")
    whole = (folder / "plain.html").read_text("utf-8")
    (folder / "lost.html").write_text(whole.replace("strokes-2d-page", "no-such-model"), "utf-8")
    (folder / "empty.html").write_text("<!doctype html><title>empty</title>", "utf-8")
    return folder


@pytest.fixture(scope="module")
def site(folder):
    with served(folder) as address:
        yield address


@pytest.fixture
def visit(browser):
    """Opens a page with a live explorer; its errors and requests are in `page.problems` and `page.requests`."""
    contexts = []

    def open_page(address, live=True, **settings):
        context = browser.new_context(**settings)
        contexts.append(context)
        page = context.new_page()
        page.problems, page.requests = [], []
        page.on("pageerror", lambda e: page.problems.append(str(e)))
        page.on("requestfailed", lambda r: page.problems.append(r.url))
        page.on("request", lambda r: page.requests.append(r.url))
        page.goto(address)
        if live:
            page.wait_for_selector(".lx-point canvas")
        return page

    yield open_page
    for context in contexts:
        context.close()


def point(page):
    """z as the element holds it, once the frame that follows a move has been drawn."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return page.evaluate("(({state}) => [state.z1, state.z2])(document.querySelector('latent-explorer').model)")


def shown(page, selector=".lx-point canvas"):
    """The grey values of a picture, 0 = paper, 1 = ink."""
    script = """canvas => Array.from(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data)
        .filter((_, i) => i % 4 === 0)"""
    return 1 - np.array(page.eval_on_selector(selector, script)) / 255


def drawn(model, z):
    with torch.no_grad():
        return model.decode(torch.tensor([z], dtype=torch.float32)).mean.flatten().numpy()


def test_a_drag_with_the_mouse_moves_the_point_and_the_drawing(site, visit, model):
    page = visit(f"{site}/plain.html")
    page.mouse.move(*place(page, 0.5, -1.0))
    page.mouse.down()
    page.mouse.move(*place(page, 1.5, 1.0), steps=8)
    page.mouse.up()
    z = point(page)
    assert np.allclose(z, [1.5, 1.0], atol=0.03)
    assert np.allclose(shown(page), drawn(model, z), atol=0.003)
    values = page.eval_on_selector_all(".lx-point input", "all => all.map(i => i.valueAsNumber)")
    assert values == z, "the sliders and the plane must show the same numbers"
    page.mouse.move(*place(page, -3, -3))
    assert point(page) == z, "the point must stay when the button is up"
    page.mouse.click(*place(page, -2, 0))
    assert np.allclose(point(page), [-2, 0], atol=0.03)
    assert page.problems == []


def test_a_finger_drags_the_point_and_does_not_scroll_the_page(site, visit):
    page = visit(f"{site}/plain.html", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    session = page.context.new_cdp_session(page)
    for kind, z in (
        ("touchStart", (0.5, -1.0)),
        ("touchMove", (0.0, 0.0)),
        ("touchMove", (-1.0, 2.0)),
        ("touchEnd", None),
    ):
        x, y = place(page, *(z or (0, 0)))
        touches = [{"x": x, "y": y}] if z else []
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})
    assert np.allclose(point(page), [-1, 2], atol=0.05)
    assert page.evaluate("scrollY") == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_keys_move_the_point_and_nothing_else_hears_them(site, visit):
    page = visit(f"{site}/plain.html")
    page.evaluate("window.heard = 0; document.addEventListener('keydown', (e) => (heard += e.key.startsWith('Arrow')))")
    page.locator(".lx-point input").nth(0).focus()
    page.keyboard.press("ArrowRight")
    assert point(page) == [0.51, -1.0]
    page.locator(".lx-handle").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Shift+ArrowLeft")
    assert np.allclose(point(page), [0.01, -0.95])
    for _ in range(20):
        page.keyboard.press("Shift+ArrowLeft")
    assert point(page)[0] == -4.0, "the plane ends"
    assert page.evaluate("heard") == 0, "arrow keys turn pages; these were the explorer's"
    text = page.locator(".lx-handle").get_attribute("aria-valuetext")
    assert text == "z1 −4.00, z2 −0.95"
    page.keyboard.press("Tab")
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) != "none", "focus must be visible"


def test_a_screen_reader_hears_where_the_point_rests_and_not_each_step(site, visit):
    page = visit(f"{site}/plain.html")
    page.wait_for_timeout(1000)
    page.evaluate(
        """() => { window.said = []; const status = document.querySelector(".lx-point [role=status]");
        new MutationObserver(() => said.push(status.textContent)).observe(status, {childList: true}) }"""
    )
    page.locator(".lx-handle").focus()
    for _ in range(30):
        page.keyboard.press("ArrowUp")
    page.wait_for_function("said.length > 0")
    page.wait_for_timeout(300)
    said = page.evaluate("said")
    assert len(said) == 1 and "z1 0.50, z2 0.50" in said[0] and "nearest codes" in said[0]


def levels(page):
    """The red and blue channels of the plane without its axes, (rows, columns, 2)."""
    script = """c => { const side = c.width - 60;
        return Array.from(c.getContext("2d").getImageData(40, 14, side, side).data) }"""
    pixels = np.array(page.eval_on_selector(".lx-plane > canvas", script))
    side = int(np.sqrt(pixels.size / 4))
    return pixels.reshape(side, side, 4)[:, :, [0, 2]]


def test_what_lies_behind_the_point_can_be_chosen(site, visit):
    page = visit(f"{site}/heat.html")
    assert page.locator(".lx-choice span").all_inner_texts() == ["slope", "drawings", "nothing"]
    seen = levels(page)
    high, low = seen[20, -20], seen[-20, 20]
    assert high[0] > 200 and high[1] < 80, "the upper right is the highest: yellow"
    assert low[0] < 100 and low[1] > 60, "the lower left is the lowest: violet"
    page.get_by_role("radio", name="nothing").check()
    assert page.evaluate("document.querySelector('latent-explorer').model.state.background") == "nothing"
    assert (levels(page) > 250).mean() > 0.95
    page.get_by_role("radio", name="drawings").check()
    page.wait_for_timeout(1500)
    ink = (levels(page)[:, :, 0] < 90).reshape(-1)
    assert 0.02 < ink.mean() < 0.5, "strokes on paper"
    assert page.problems == []


def seen(page):
    """The middle of what is seen of the plane, and half its width: as the line of a walk is laid over it."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    left, top, width, _ = map(float, page.locator(".lx-field svg").get_attribute("viewBox").split())
    return [left + width / 2, -top - width / 2], width / 2


def zoomed_place(page, z):
    """Where on the screen a code lies when a part of the plane is seen."""
    (m1, m2), half = seen(page)
    return place(page, z[0] - m1, z[1] - m2, half)


def test_a_wheel_zooms_about_the_pointer_once_the_plane_has_the_focus(site, visit):
    page = visit(f"{site}/plain.html", viewport={"width": 900, "height": 420})
    page.mouse.move(*place(page, 2.0, 1.0))
    before = page.evaluate("scrollY")
    page.mouse.wheel(0, -100)
    page.wait_for_timeout(300)
    assert seen(page) == ([0, 0], 4), "who scrolls the page scrolls the page"
    page.locator(".lx-handle").focus()
    page.mouse.move(*(at := place(page, 2.0, 1.0)))
    before = page.evaluate("scrollY")
    for _ in range(5):
        page.mouse.wheel(0, -100)
    page.wait_for_function("document.querySelector('.lx-zoom output').value === '4.5×'")
    assert seen(page)[1] == pytest.approx(4 / np.exp(1.5), rel=1e-3) and page.evaluate("scrollY") == before
    off = np.subtract(zoomed_place(page, (2.0, 1.0)), at)
    assert np.abs(off).max() < 4.5, "what lies under the pointer stays there; its place is a whole pixel, then enlarged"
    page.evaluate("document.activeElement.blur()")
    page.keyboard.down("Control")
    page.mouse.wheel(0, 1000)
    page.keyboard.up("Control")
    page.wait_for_function("parseFloat(document.querySelector('.lx-zoom output').value) < 4")


def test_a_drag_is_right_at_every_zoom_and_rounds_no_coarser_than_one_sees(site, visit, model):
    page = visit(f"{site}/plain.html")
    page.locator(".lx-handle").focus()
    for _ in range(8):
        page.keyboard.press("+")
    (m1, m2), half = seen(page)
    assert half == 0.05, "five standard deviations of the narrowest guesses"
    assert abs(m1 - 0.5) <= half and abs(m2 + 1) <= half, "the point stays in sight"
    page.mouse.move(*zoomed_place(page, point(page)))
    page.mouse.down()
    page.mouse.move(*zoomed_place(page, goal := (m1 + 0.03, m2 + 0.0213)), steps=8)
    page.mouse.up()
    z = point(page)
    assert np.allclose(z, goal, atol=4e-4) and not np.allclose(z, np.round(z, 2), atol=4e-4)
    assert np.allclose(shown(page), drawn(model, z), atol=0.003)
    values = page.eval_on_selector_all(".lx-point input", "all => all.map(i => i.valueAsNumber)")
    assert values == z, "the sliders and the plane must show the same numbers"
    page.mouse.move(*zoomed_place(page, z))
    page.mouse.down()
    page.mouse.move(*zoomed_place(page, (z[0] + 1, z[1])), steps=4)
    page.mouse.up()
    assert point(page)[0] == pytest.approx(m1 + half, abs=2e-4), (
        "a hand that leaves the plane leaves the point at its edge"
    )
    assert page.problems == []


def test_keys_zoom_move_in_small_steps_and_take_along_what_is_seen(site, visit):
    page = visit(f"{site}/plain.html")
    handle = page.locator(".lx-handle")
    assert handle.get_attribute("aria-label") == "Point z on the plane; arrow keys move it, plus and minus zoom"
    page.evaluate("window.heard = 0; document.addEventListener('keydown', (e) => (heard += e.key !== 'Shift'))")
    handle.focus()
    page.keyboard.press("+")
    page.keyboard.press("=")
    assert seen(page)[1] == 1
    assert "enlarged 4 times" in handle.get_attribute("aria-label")
    page.keyboard.press("ArrowRight")
    assert np.allclose(point(page), [0.51, -1.0])
    for _ in range(12):
        page.keyboard.press("Shift+ArrowRight")
    (m1, _), half = seen(page)
    assert point(page)[0] == pytest.approx(m1 + half) and m1 > 0.5, "what is seen goes along"
    assert handle.get_attribute("aria-valuetext") == "z1 1.710, z2 −1.000"
    page.keyboard.press("-")
    assert seen(page)[1] == 2
    page.keyboard.press("0")
    assert seen(page) == ([0, 0], 4)
    assert page.evaluate("heard") == 0, "slides have keys, too"
    page.keyboard.press("-")
    assert seen(page) == ([0, 0], 4), "there is no more than the whole"


def test_buttons_zoom_and_a_point_out_of_sight_waits_at_the_edge(site, visit):
    page = visit(f"{site}/walk.html")
    inward, out, whole = (page.get_by_role("button", name=n) for n in ("Zoom in", "Zoom out", "Whole plane"))
    assert out.get_attribute("aria-disabled") == whole.get_attribute("aria-disabled") == "true"
    for _ in range(3):
        inward.click()
    assert page.locator(".lx-zoom output").inner_text() == "8×"
    end = page.get_by_role("slider", name="End B")
    assert "enlarged 8 times" in end.get_attribute("aria-label") and "lx-away" in end.get_attribute("class")
    assert page.locator(".lx-point, .lx-field").first.is_visible()
    box, field = end.bounding_box(), page.locator(".lx-field").bounding_box()
    assert box["x"] + box["width"] / 2 == pytest.approx(field["x"] + field["width"], abs=1)
    out.click()
    whole.click()
    assert seen(page) == ([0, 0], 4) and "lx-away" not in end.get_attribute("class")


def test_two_fingers_zoom_and_leave_the_point_where_it_was(site, visit):
    page = visit(f"{site}/plain.html", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    session = page.context.new_cdp_session(page)
    for kind, fingers in (
        ("touchStart", [(-1, 0)]),
        ("touchStart", [(-1, 0), (1, 0)]),
        ("touchMove", [(-1.5, 0), (1.5, 0)]),
        ("touchMove", [(-2, 1), (2, 1)]),
        ("touchEnd", []),
    ):
        touches = [dict(zip("xy", place(page, *z), strict=True), id=i) for i, z in enumerate(fingers)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})
    middle, half = seen(page)
    assert half == pytest.approx(2, abs=0.05)
    assert np.allclose(middle, [0, -0.5], atol=0.05), "both fingers went upwards and took the plane along"
    assert point(page) == [0.5, -1.0]


def test_drawings_are_drawn_anew_for_what_is_seen(site, visit, model):
    page = visit(f"{site}/heat.html")
    page.get_by_role("radio", name="drawings").check()
    page.locator(".lx-handle").focus()
    for _ in range(7):
        page.keyboard.press("+")
    page.wait_for_timeout(1500)
    half = seen(page)[1]
    rows = np.array_split(levels(page)[:, :, 0] / 255, 21)
    first, last = (np.array_split(row, 21, axis=1)[10].mean() for row in (rows[1], rows[-2]))
    for found, z2 in ((first, 1), (last, -1)):
        truth = 1 - drawn(model, [0, half * z2 * 18 / 21]).mean()
        assert found == pytest.approx(truth, abs=0.05), "all of these are nearly the same digit, each drawn whole"


def test_the_walk_goes_straight_from_a_to_b(site, visit, model):
    page = visit(f"{site}/walk.html", reduced_motion="reduce")
    assert point(page) == [-1.0, 1.0]
    page.locator(".lx-walk input").fill("0.5")
    assert point(page) == [0.5, 0.75]
    fade = (drawn(model, [-1.0, 1.0]) + drawn(model, [2.0, 0.5])) / 2
    assert np.allclose(shown(page, ".lx-small canvas"), fade, atol=0.004)
    strip = shown(page, ".lx-walk figure canvas").reshape(28, 9, 28)
    assert np.allclose(strip[:, 4].ravel(), drawn(model, [0.5, 0.75]), atol=0.004)
    page.mouse.move(*place(page, 2.0, 0.5))
    page.mouse.down()
    page.mouse.move(*place(page, 3.0, -1.0), steps=5)
    page.mouse.up()
    assert np.allclose(point(page), [1.0, 0.0], atol=0.05), "the point stays halfway"
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("document.querySelector('latent-explorer').model.state.t === 1", timeout=15_000)
    assert np.allclose(point(page), [3, -1], atol=0.05)
    assert page.get_by_role("button", name="Play").is_visible()


def test_a_path_from_python_is_walked_leg_by_leg(site, visit):
    page = visit(f"{site}/path.html")
    page.locator(".lx-walk input").fill("0.75")
    assert point(page) == [2.0, 1.0]
    assert page.locator(".lx-end").count() == 0


def test_a_drawn_digit_is_encoded_searched_and_scored(site, visit, model):
    page = visit(f"{site}/draw.html")
    pad = page.locator(".lx-pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    for i, (x, y) in enumerate([(0.3, 0.25), (0.7, 0.25), (0.45, 0.85)]):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=6)
        if not i:
            page.mouse.down()
    page.mouse.up()
    page.wait_for_function("document.querySelector('.lx-told').textContent.startsWith('log P(x)')", timeout=30_000)
    x = shown(page, ".lx-pictures canvas").reshape(28, 28)
    rows = x.sum(1)
    assert 19 <= (rows > 0.05).sum() <= 21 and rows.argmax() == pytest.approx((rows > 0.05).argmax() + 1, abs=2), "a 7"
    said = page.locator(".lx-told").inner_text()
    log_p_x = float(said.split("=")[1].split()[0].replace("−", "-"))
    truth = brute_force(model, torch.tensor(x, dtype=torch.float32).reshape(1, -1)).item()
    assert log_p_x == pytest.approx(truth, abs=1.0), "the picture was read back from 256 grey levels, hence not closer"
    assert page.locator(".lx-maps").is_visible()
    before = shown(page, ".lx-pictures canvas")
    page.get_by_role("button", name="Turn upside down").click()
    assert np.array_equal(shown(page, ".lx-pictures canvas"), before[::-1])
    assert page.problems == []


def test_a_picked_picture_is_the_one_that_was_given(site, visit, digits):
    page = visit(f"{site}/draw.html")
    page.locator("select").select_option("42")
    assert np.allclose(shown(page, ".lx-pictures canvas"), digits.images[42].ravel(), atol=0.004)
    page.wait_for_function("document.querySelector('.lx-told').textContent.startsWith('log P(x)')", timeout=30_000)


def test_a_press_on_the_sheet_picks_the_picture_under_the_finger(site, visit, digits):
    page = visit(f"{site}/draw.html", viewport={"width": 390, "height": 844}, has_touch=True)
    page.get_by_text("All pictures to pick from").click()
    page.locator(".lx-sheet").scroll_into_view_if_needed()
    box = page.locator(".lx-sheet").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] * 0.73, box["y"] + box["height"] * 0.25)
    assert page.locator("select").input_value() == "27"
    assert np.allclose(shown(page, ".lx-pictures canvas"), digits.images[27].ravel(), atol=0.004)


STRICT = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'"
)


def test_under_a_strict_policy_the_search_runs_in_the_page(site, visit, folder):
    """No worker may start from a blob there: the search falls back, and the drag still answers meanwhile."""
    text = (folder / "draw.html").read_text("utf-8")
    rule = f'<head><meta http-equiv="Content-Security-Policy" content="{STRICT}">'
    (folder / "strict.html").write_text(text.replace("<head>", rule), "utf-8")
    page = visit(f"{site}/strict.html")
    page.locator("select").select_option("42")
    page.locator(".lx-handle").focus()
    page.keyboard.press("ArrowUp")
    assert page.locator(".lx-told").inner_text().endswith("…"), "the point moved while the search went on"
    page.locator(".lx-told", has_text="log P(x) =").wait_for(timeout=60_000)
    assert len(page.workers) == 0
    assert page.problems == []


def test_the_pad_can_be_drawn_on_with_keys(site, visit):
    page = visit(f"{site}/draw.html")
    page.locator(".lx-pad").focus()
    for key in [" ", *["ArrowDown"] * 12]:
        page.keyboard.press(key)
    page.wait_for_function("document.querySelector('.lx-told').textContent.startsWith('log P(x)')", timeout=30_000)
    x = shown(page, ".lx-pictures canvas").reshape(28, 28)
    assert x[5:23, 13:15].min() > 0.9 and x[:, :8].max() == 0, "an upright stroke"


def test_the_search_does_not_block_the_drag(site, visit):
    page = visit(f"{site}/draw.html")
    assert len(page.context.pages) == 1
    page.locator(".lx-pad").scroll_into_view_if_needed()
    page.wait_for_timeout(200)
    assert len(page.workers) == 1, "the search runs in a worker"


def test_it_opens_from_disk_and_asks_for_nothing_else(folder, visit):
    page = visit((folder / "draw.html").as_uri())
    page.locator("select").select_option("3")
    page.wait_for_function("document.querySelector('.lx-told').textContent.startsWith('log P(x)')", timeout=30_000)
    assert page.problems == []
    assert all(r.startswith(("file:", "blob:", "data:")) for r in page.requests)


def test_weights_are_loaded_once_and_no_other_host_is_asked(site, folder, visit):
    text = (folder / "plain.html").read_text("utf-8")
    body = text.split("<h1>")[1].split("</main>")[0]
    (folder / "twice.html").write_text(text.replace("</main>", f"<h1>{body}</main>"), "utf-8")
    page = visit(f"{site}/twice.html")
    page.locator("latent-explorer").nth(1).scroll_into_view_if_needed()
    page.locator(".lx-point canvas").nth(1).wait_for()
    assert sum(r.endswith("strokes-2d-page.js") for r in page.requests) == 1
    assert [r for r in page.requests if not r.startswith((site, "blob:", "data:"))] == []


def test_without_scripts_there_is_a_picture_and_a_sentence(site, visit):
    page = visit(f"{site}/plain.html", live=False, java_script_enabled=False)
    image = page.locator(".lx-still img")
    assert image.is_visible() and "0.50, -1.00" in image.get_attribute("alt")
    assert page.get_by_text("turn JavaScript on").is_visible()


def test_trouble_is_told_in_a_sentence(site, visit):
    page = visit(f"{site}/lost.html", live=False)
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert "no-such-model" in alert.inner_text()
    assert page.locator(".lx-still img").is_visible(), "the still stays"
    page = visit(f"{site}/plain.html")
    page.evaluate("document.querySelector('latent-explorer').model.set('z1', NaN)")
    page.get_by_text("must be finite numbers").wait_for()
    page.evaluate("document.querySelector('latent-explorer').model.set('z1', 99)")
    point(page)
    assert page.locator(".lx-point input").first.input_value() == "4"
    assert not page.get_by_text("must be finite numbers").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", ["plain", "walk", "draw", "heat"])
def test_axe_finds_nothing_and_targets_are_large_enough(site, visit, name, width, scheme):
    page = visit(f"{site}/{name}.html", viewport={"width": width, "height": 844}, color_scheme=scheme)
    assert barriers(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("document.querySelector('.latent-explorer').classList.contains('lx-dark')") == (
        scheme == "dark"
    )


def axe_source():
    """axe-core, as a test package brings it; None without that package."""
    try:
        return (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
    except ModuleNotFoundError:
        return None


def barriers(page):
    """What bars people with a screen reader or with large fingers from the widgets of a page."""
    page.evaluate(axe_source() or lacking("axe-playwright-python"))
    found = page.evaluate("axe.run('.latent-explorer')")
    small = page.eval_on_selector_all(
        ".latent-explorer :is(button, select, input, .lx-handle, .lx-choice label)",
        """all => all.filter((e) => e.checkVisibility() && Math.min(e.offsetWidth, e.offsetHeight) < 44)
        .map((e) => e.outerHTML)""",
    )
    return [(v["id"], [n["html"] for n in v["nodes"]]) for v in found["violations"]] + small


@torch.no_grad()
def brute_force(model, images, spacing=0.02, reach=6.0):
    """log P(x) of images (N, 784) by adding up cells: those of a fine grid that may matter are split, twice."""
    axis = torch.arange(-reach, reach + spacing / 2, spacing)
    z = torch.cartesian_prod(axis, axis)
    coarse = []
    for block in z.split(8192):
        f = model.decode(block).mean.flatten(1)
        squares = f.square().sum(1) - 2 * images @ f.T  # what does not change with z is left out
        coarse.append(-squares / (2 * model.sigma**2) - 0.5 * block.square().sum(1))
    coarse = torch.cat(coarse, dim=1)
    return torch.stack([refined(model, x, z[h > h.max() - 60], spacing) for x, h in zip(images, coarse, strict=True)])


def refined(model, x, z, spacing):
    """log of the sum over the cells around z (M, 2), each split 5 x 5, and what is left of those 5 x 5 again."""
    for keep in (25.0, torch.inf):
        offsets = torch.arange(-2, 3) * spacing / 5
        z = (z[:, None] + torch.cartesian_prod(offsets, offsets)).flatten(end_dim=1)
        spacing /= 5
        drawings = (model.decode(block).mean.flatten(1).double() for block in z.split(4096))
        height = torch.cat([Normal(f, model.sigma).log_prob(x.double()).sum(1) for f in drawings])
        height += Normal(0.0, 1.0).log_prob(z.double()).sum(1)
        z = z[height > height.max() - keep]
    return height.logsumexp(0) + 2 * np.log(spacing)


IN_THE_BROWSER = """async ({name, images, codes}) => {
    const [{Model}, {Table, score}] = await Promise.all([import("/src/model.js"), import("/src/evidence.js")]);
    const model = new Model(await (await fetch(`/models/${name}.safetensors`)).arrayBuffer());
    const table = new Table(model);
    while (table.grow());
    const encoded = images.map((x) => model.encode(x));
    return {
        drawn: codes.map(([z1, z2]) => Array.from(model.decode(z1, z2))),
        mean: encoded.map((q) => q.mean), sd: encoded.map((q) => q.sd),
        log_p_x: images.map((x, i) => score(table, x, encoded[i].mean).logPX),
    };
}"""


@pytest.mark.parametrize("name", ["strokes", "mnist"])
def test_javascript_and_python_agree_on_200_images(site, visit, name, request):
    if name == "mnist":
        request.getfixturevalue("real_data")
    model, digits = load_pretrained(f"{name}-2d-page"), load_dataset(name, split="test")
    x = torch.as_tensor(digits.images[:200])
    with torch.no_grad():
        q = model.encode(x)
        f = model.decode(q.mean).mean.flatten(1)
    page = visit(f"{site}/empty.html", live=False)
    page.set_default_timeout(120_000)
    given = {"name": f"{name}-2d-page", "images": x.flatten(1).tolist(), "codes": q.mean.tolist()}
    found = {k: torch.tensor(v, dtype=torch.float64) for k, v in page.evaluate(IN_THE_BROWSER, given).items()}
    log_p_x = evidence.quadrature(model, x).log_p_x
    worst = {
        "pixel": (found["drawn"] - f).abs().max().item(),
        "z": (found["mean"] - q.mean).abs().max().item(),
        "sd": (found["sd"] - q.stddev).abs().max().item(),
        "log_p_x": (found["log_p_x"] - log_p_x).abs().max().item(),
    }
    assert worst["pixel"] < 1e-3 and worst["z"] < 1e-2 and worst["sd"] < 1e-2
    assert worst["log_p_x"] < 0.05, worst


def test_javascript_agrees_with_brute_force(site, visit, model, digits):
    x = torch.as_tensor(digits.images[:6])
    page = visit(f"{site}/empty.html", live=False)
    page.set_default_timeout(120_000)
    found = page.evaluate(IN_THE_BROWSER, {"name": "strokes-2d-page", "images": x.flatten(1).tolist(), "codes": []})
    assert np.allclose(found["log_p_x"], brute_force(model, x.flatten(1)), atol=0.01)
