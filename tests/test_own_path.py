"""The reader's own path: what Python takes, the scores held against PyTorch, and the page in a real browser."""

import gzip
import re
from pathlib import Path

import numpy as np
import pytest
import torch
import traitlets
from browser import HEAD, front_end, place, served
from test_explorer_page import STRICT, barriers

from vaecourse import VAE, LatentExplorer, load_pretrained
from vaecourse.explorer import OwnPath
from vaecourse.interpolation import lerp, slerp

TAIL = '</main><script src="explorer/own-path.js"></script></body></html>'
A, B = (-1.5, -0.5), (1.0, 1.5)
COLUMNS = ["way in doubt", "mean doubt", "distance", "total change", "length"]
ROWS = {
    "cross-fade": {"way in doubt": 0.4, "mean doubt": 0.3, "distance": 2.5, "total change": 1.0},
    "a real digit": {"mean doubt": 0.01, "distance": 3.0, "way in doubt": None},
}


def hills(side=61, extent=4.0):
    """Maps with one ridge of doubt between A and B, and a distance that grows to the right."""
    axis = np.linspace(-extent, extent, side)
    z1, z2 = np.meshgrid(axis, axis)
    return {"doubt": 1.2 * np.exp(-2 * (z1 + 0.5 * z2) ** 2), "distance": 1.5 + 0.2 * z1 + 0.05 * z2**2}


def given(**changes):
    generator = torch.Generator().manual_seed(0)
    codes = torch.randn(300, 2, generator=generator)
    a, b = torch.tensor(A), torch.tensor(B)
    ways = {"line": lerp(a, b, 2), "slerp": slerp(a, b, 33), "detour": [A, (-1.5, 2.5), B]}
    values = {"a": a, "b": b, "codes": codes, "labels": torch.arange(300) % 10, "maps": hills(), "ways": ways}
    return values | {"rows": ROWS} | changes


@pytest.fixture(scope="module")
def model():
    return load_pretrained("strokes-2d-page")


def html(widget):
    return widget._repr_mimebundle_()[0]["text/html"]


# The Python side


def test_it_holds_what_it_was_given(model):
    widget = OwnPath(model, **given(caption="Draw."))
    assert (widget.spec["a"], widget.spec["b"]) == (list(A), list(B)) and widget.own == [] and widget.scores == {}
    assert widget.spec["ways"] == {"line": 2, "slerp": 33, "detour": 3} and widget.spec["rows"] == ROWS
    np.testing.assert_allclose(np.frombuffer(widget.ways, "<f4").reshape(-1, 2)[-3:], [A, (-1.5, 2.5), B])
    shares = np.frombuffer(widget.maps, "<u2").reshape(2, 61, 61) / 65535
    for share, (name, values) in zip(shares, hills().items(), strict=True):
        spec = widget.spec["maps"][name]
        np.testing.assert_allclose(spec["low"] + share * (spec["high"] - spec["low"]), values, atol=3e-5)
    text = html(widget)
    assert text.startswith('<own-path data-model="strokes-2d-page"><div') and text.count("</script>") == 1
    words = r"ways line, slerp, detour from A at \(-1\.50, -0\.50\) to B at \(1\.00, 1\.50\), and no path"
    assert re.search(rf'<img src="data:image/png;base64,[^"]{{500,}}" alt="[^"]*{words}', text)


def test_a_path_set_from_python_leads_from_a_to_b(model):
    widget = OwnPath(model, **given())
    widget.own = torch.tensor([[0.0, 2.0]])
    assert widget.own == [list(A), [0.0, 2.0], list(B)]
    widget.own = np.array([A, (0, 1), B])
    assert widget.own == [list(A), [0.0, 1.0], list(B)]
    assert "a path of one's own through 3 points" in widget._repr_mimebundle_()[0]["text/plain"]
    for wrong in ([[0, 9]], [[0, 1, 2]], [[0, np.nan]], "AB", [1, 2], 7):
        with pytest.raises(traitlets.TraitError, match=r"own must|own hold|each point of own"):
            widget.own = wrong
    assert len(widget.own) == 3
    widget.own = []
    assert widget.own == []
    with pytest.raises(traitlets.TraitError, match="read-only"):
        widget.scores = {}


def test_scores_are_of_the_path_that_there_is(model):
    """What a page tells comes with its scores; a path that Python sets waits for them."""
    widget, path = OwnPath(model, **given()), [list(A), [0.0, 1.0], list(B)]
    widget.set_state({"own": path, "scores": {"your path": {"distance": 1.0}}})
    assert (widget.own, widget.scores) == (path, {"your path": {"distance": 1.0}})
    widget.own = [[0.0, 2.0]]
    assert widget.scores == {}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"a": (0, 9)}, "a must be two numbers from -4 to 4"),
        ({"b": A}, "two different codes"),
        ({"extent": 0}, "extent must be"),
        ({"labels": [0]}, "one for each code"),
        ({"maps": {"doubt": np.ones((9, 9))}}, 'maps must be {"doubt"'),
        ({"maps": {"doubt": np.ones((9, 9)), "distance": np.ones(9)}}, r"distance must be \(H, W\)"),
        ({"maps": {"doubt": np.full((9, 9), np.nan), "distance": np.ones((9, 9))}}, "doubt hold NaN"),
        ({"ways": {}}, "at least one path"),
        ({"ways": {"line": [A]}}, "at least 2 points"),
        ({"ways": {"line": [A, (0, 0)]}}, 'the way "line" must lead from a to b'),
        ({"ways": {"far": [A, (0, 5), B]}}, 'the way "far" leaves the plane.*reaches 5.00'),
        ({"ways": {"your path": [A, B]}}, "other than the reader's"),
        ({"rows": {"line": {}}}, "a name that no way has; got 'line'"),
        ({"rows": {"fade": {"evenness": 1}}}, "columns of a row are way in doubt, .*got 'evenness'"),
        ({"rows": {"fade": {"distance": np.inf}}}, '"distance" of "fade" must be a finite number'),
        ({"caption": 3}, "caption must be a text"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_shown_is_answered_with_a_sentence(model, wrong, says):
    with pytest.raises(ValueError, match=says):
        OwnPath(model, **given(**wrong))


def test_a_model_that_no_page_can_run_has_a_picture_there():
    torch.manual_seed(0)
    text = html(OwnPath(VAE((8, 8), 2, hidden=(8,)), **given()))
    assert "<own-path" not in text and "<img" in text and "whose names end in -page" in text


# The page


@pytest.fixture(scope="module")
def site(browser, tmp_path_factory):
    """Opens a page with a widget, from a server or from disk."""
    folder = tmp_path_factory.mktemp("own")
    front_end(folder)
    (folder / "favicon.ico").touch()
    contexts = []
    with served(folder) as address:

        def visit(widget, head=HEAD, tail=TAIL, disk=False, live=True, **settings):
            (folder / f"{len(contexts)}.html").write_text(head + html(widget) + tail, "utf-8")
            contexts.append(browser.new_context(**settings))
            page = contexts[-1].new_page()
            page.problems = []
            page.on("pageerror", lambda e: page.problems.append(str(e)))
            page.on("console", lambda m: page.problems.append(m.text) if m.type == "error" else None)
            page.goto(f"{folder.as_uri() if disk else address}/{len(contexts) - 1}.html")
            if live:
                page.locator(".lx-scores tbody tr").first.wait_for()
            return page

        yield visit


def state(page, name):
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return page.evaluate(f"document.querySelector('own-path').model.state.{name}")


def give(page, own):
    """Sets the path as Python does."""
    page.evaluate("own => document.querySelector('own-path').model.set('own', own)", own)
    assert state(page, "own") == own


def told(page):
    return page.locator(".lx-scores [role=status]").inner_text()


def table(page):
    """What the scorecard shows: {name: [cell, ...]}."""
    rows = page.eval_on_selector_all(
        ".lx-scores tbody tr",
        "all => all.map(r => [r.querySelector('th').innerText, [...r.querySelectorAll('td')].map(d => d.innerText)])",
    )
    return {name.strip(): cells for name, cells in rows}


def bilinear(grid, z, extent=4.0):
    """What a map says at codes (N, 2), by interpolating twice with NumPy."""
    axis = np.linspace(-extent, extent, grid.shape[1])
    rows = np.array([[np.interp(z1, axis, row) for row in grid] for z1 in z[:, 0]])
    axis = np.linspace(-extent, extent, grid.shape[0])
    return np.array([np.interp(z2, axis, column) for z2, column in zip(z[:, 1], rows, strict=True)])


@torch.no_grad()
def truth(model, path, maps, count=4001):
    """The scores of a path by PyTorch and NumPy, on a chain many times as fine as the page's."""
    points = np.array(path, dtype=float)
    legs = np.append(0, np.linalg.norm(np.diff(points, axis=0), axis=1).cumsum())
    at = np.linspace(0, legs[-1], count)
    z = np.stack([np.interp(at, legs, axis) for axis in points.T], axis=1)
    f = model.double().decode(torch.tensor(z)).mean.flatten(1).numpy()
    model.float()
    gone = np.append(0, np.linalg.norm(np.diff(f, axis=0), axis=1).cumsum())
    places = np.linspace(0, gone[-1], count)
    even = np.stack([np.interp(places, gone, axis) for axis in z.T], axis=1)
    doubt = bilinear(maps["doubt"], even)
    return {
        "way in doubt": (doubt > 0.3).mean(),
        "mean doubt": doubt.mean(),
        "distance": bilinear(maps["distance"], even).mean(),
        "total change": gone[-1] / np.linalg.norm(f[-1] - f[0]),
        "length": legs[-1] / np.linalg.norm(points[-1] - points[0]),
    }


@pytest.mark.parametrize("name", ["strokes-2d-page", "mnist-2d-page"])
def test_the_page_scores_as_python_does(site, name):
    model, maps = load_pretrained(name), hills()
    page = site(OwnPath(model, **given()))
    bow = [[float(z) for z in point] for point in lerp(torch.tensor(A), torch.tensor(B), 49)]
    bow = [[z1, z2 + np.sin(np.pi * i / 48)] for i, (z1, z2) in enumerate(bow)]
    paths = {
        "line": [A, B],
        "slerp": slerp(torch.tensor(A), torch.tensor(B), 33).tolist(),
        "detour": [A, (-1.5, 2.5), B],
    }
    for own in ([list(A), [0.5, -1.0], [1.0, 0.0], list(B)], bow):
        give(page, own)
        scores = state(page, "scores")
        for way, path in (paths | {"your path": own}).items():
            expected = truth(model, path, maps)
            for column in COLUMNS:
                assert scores[way][column] == pytest.approx(expected[column], rel=1e-3, abs=1e-3), (way, column)
    cells = [re.sub("★ |best: |\n", "", cell) for cell in table(page)["your path"]]
    own = scores["your path"]
    assert cells == [f"{100 * own['way in doubt']:.0f} %", *(f"{own[column]:.2f}" for column in COLUMNS[1:])]


def test_the_best_is_marked_and_it_is_said_who_is_beaten(site, model):
    page = site(OwnPath(model, **given()))
    give(page, [list(A), [-2.5, 2.5], list(B)])
    shown, scores = table(page), state(page, "scores")
    assert list(shown) == ["your path", "line", "slerp", "detour", "cross-fade", "a real digit"]
    assert shown["a real digit"] == ["–", "0.01", "3.00", "–", "–"]
    numbers = {name: [float(re.sub(r"[^\d.]", "", cell) or "nan") for cell in cells] for name, cells in shown.items()}
    for i, column in enumerate(COLUMNS):
        paths = {name: numbers[name][i] for name in scores}
        marked = [name for name, cells in shown.items() if "★" in cells[i]]
        assert marked == [name for name, value in paths.items() if value == min(paths.values())], column
        said = page.locator(".lx-scores li").nth(i).inner_text()
        beaten = [n for n in [*scores, "cross-fade"] if numbers["your path"][i] < numbers[n][i]]
        assert said.startswith(column) and said.endswith(f": beats {', '.join(beaten) or 'none'}.")
    give(page, [])
    assert "no path of yours yet" in told(page) and table(page)["your path"] == ["–"] * 5
    assert page.problems == []


def stroke(page, points):
    page.mouse.move(*place(page, *points[0]))
    page.mouse.down()
    for z in points[1:]:
        page.mouse.move(*place(page, *z), steps=8)


def test_a_stroke_from_a_to_b_is_drawn_by_mouse(site, model):
    page = site(OwnPath(model, **given()))
    before = told(page)
    stroke(page, [A, (-1.5, 2.0), (0.0, 2.5), (0.9, 1.6)])
    page.wait_for_timeout(300)
    assert told(page) == before and state(page, "own") == [], "while it is drawn nothing is said, nor told to Python"
    assert table(page)["your path"] != ["–"] * 5, "but the table keeps up with the hand"
    page.mouse.up()
    own = state(page, "own")
    assert own[0] == list(A) and own[-1] == list(B) and 20 < len(own) < 60
    assert max(z2 for _, z2 in own) == pytest.approx(2.4, abs=0.15)
    assert "Your path" in told(page) and "straight piece" not in told(page)
    assert page.locator(".lx-waypoint:visible").count() == 0
    stroke(page, [A, (-2.0, 2.0), (-1.0, 3.0)])
    page.mouse.up()
    own = state(page, "own")
    assert own[-1] == list(B) and own[-2] == pytest.approx([-1, 3], abs=0.05)
    assert "a straight piece joins it to B" in told(page)
    stroke(page, [A, (-1.45, -0.45)])
    page.mouse.up()
    assert state(page, "own") == own and "draw on to B" in told(page), "a mere press on A takes nothing away"
    assert page.problems == []


def test_a_finger_draws_too_and_what_the_browser_takes_away_leaves_the_path(site, model):
    page = site(OwnPath(model, **given()), viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    hand = page.context.new_cdp_session(page)

    def touch(kind, *z):
        x, y = place(page, *z) if z else (0, 0)
        points = [{"x": x, "y": y}] if z else []
        hand.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", *A)
    for z in [(-1.5, 1), (-1, 2), (0, 2), B]:
        touch("touchMove", *z)
    touch("touchEnd")
    own = state(page, "own")
    assert own[-1] == list(B) and len(own) > 20 and "beats" in told(page)
    touch("touchStart", *A)
    touch("touchMove", 2, -3)
    touch("touchCancel")
    assert state(page, "own") == own
    assert page.locator(".lx-own-way").get_attribute("points").count(" ") == len(own) - 1
    assert page.problems == []


def test_waypoints_are_set_moved_and_taken_back_by_keys(site, model):
    page = site(OwnPath(model, **given()))
    page.evaluate("window.heard = 0; document.addEventListener('keydown', (e) => (heard += e.key !== 'Shift'))")
    cursor = page.locator(".lx-cursor")
    cursor.focus()
    assert page.evaluate("getComputedStyle(document.querySelector('.lx-cursor'), '::before').display") != "none"
    for key in ["Shift+ArrowUp"] * 4 + ["ArrowRight", "Enter"]:
        page.keyboard.press(key)
    assert state(page, "own") == [list(A), [-1.45, 1.5], list(B)]
    assert told(page).startswith("Waypoint 1: (−1.45, 1.50). Your path:")
    assert re.fullmatch(r"z1 −1\.45, z2 1\.50, doubt \d\.\d\d nats", cursor.get_attribute("aria-valuetext"))
    for key in ["Shift+ArrowRight"] * 2 + ["Enter"]:
        page.keyboard.press(key)
    assert state(page, "own") == [list(A), [-1.45, 1.5], [-0.45, 1.5], list(B)]
    page.locator(".lx-waypoint").first.focus()
    page.keyboard.press("ArrowDown")
    assert state(page, "own[1]") == [-1.45, 1.45]
    page.locator(".lx-waypoint").nth(1).focus()
    page.keyboard.press("Backspace")
    assert state(page, "own") == [list(A), [-1.45, 1.45], list(B)]
    assert cursor.evaluate("e => e === document.activeElement"), "the keys are not lost with the waypoint"
    for _ in range(9):
        page.keyboard.press("ArrowUp")
        page.keyboard.press("Enter")
    assert len(state(page, "own")) == 11 and "9 waypoints are the most" in told(page)
    page.keyboard.press("Escape")
    assert state(page, "own") == [] and state(page, "scores['your path'] ?? null") is None
    assert page.evaluate("heard") == 0, "arrow keys turn pages; these were the plane's"
    assert page.problems == []


def test_waypoints_are_set_and_dragged_by_mouse_and_the_buttons_do(site, model):
    page = site(OwnPath(model, **given()))
    page.mouse.click(*place(page, 0, 3))
    assert state(page, "own") == [list(A), pytest.approx([0, 3], abs=0.02), list(B)]
    stroke(page, [(0, 3), (1, 3)])
    page.wait_for_timeout(200)
    assert state(page, "own[1][0]") < 0.1
    page.mouse.up()
    assert state(page, "own[1]") == pytest.approx([1, 3], abs=0.02)
    page.get_by_role("button", name="Start from the line").click()
    np.testing.assert_allclose(state(page, "own"), lerp(torch.tensor(A), torch.tensor(B), 5), atol=1e-6)
    scores = state(page, "scores")
    assert scores["your path"] == pytest.approx(scores["line"], abs=1e-3)
    assert page.locator(".lx-waypoint:visible").count() == 3
    page.get_by_role("button", name="Clear").click()
    assert state(page, "own") == [] and page.locator(".lx-waypoint:visible").count() == 0
    assert page.problems == []


def pictures(page, which):
    """The grey levels of a strip, (28, 9 * 28), 1 = ink."""
    script = 'c => Array.from(c.getContext("2d").getImageData(0, 0, c.width, c.height).data)'
    data = page.locator(".lx-own-path .lx-picture").nth(which).evaluate(script)
    return 1 - np.reshape(data, (28, 252, 4))[..., 0] / 255


@torch.no_grad()
def test_the_strips_show_both_ways_at_constant_speed(site, model):
    page = site(OwnPath(model, **given()))
    assert (pictures(page, 0) == 0).all(), "no path, no pictures"
    give(page, [list(A), [-1.5, 2.5], list(B)])
    strip = pictures(page, 0).reshape(28, 9, 28).swapaxes(0, 1)
    corner = [A, (-1.5, 2.5), B]
    t = np.linspace(0, 1, 2001)
    legs = np.append(0, np.linalg.norm(np.diff(corner, axis=0), axis=1).cumsum())
    z = np.stack([np.interp(t * legs[-1], legs, axis) for axis in np.transpose(corner)], axis=1)
    f = model.decode(torch.tensor(z).float()).mean.numpy()
    gone = np.append(0, np.linalg.norm(np.diff(f.reshape(len(f), -1), axis=0), axis=1).cumsum())
    even = f[np.searchsorted(gone, np.linspace(0, gone[-1], 9)).clip(0, len(f) - 1)]
    assert np.abs(strip - even).max() < 0.03
    assert not np.allclose(pictures(page, 1), pictures(page, 0), atol=0.1)
    line = page.locator(".lx-other-way").get_attribute("points")
    page.get_by_label("Another way").select_option("detour")
    assert np.allclose(pictures(page, 1), pictures(page, 0), atol=0.03)
    assert page.locator(".lx-other-way").get_attribute("points") != line


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing_and_all_is_large_enough(site, model, width, scheme):
    widget = OwnPath(model, **given(caption="Try it."))
    widget.own = [(-1, 2), (0, 2)]
    page = site(widget, viewport={"width": width, "height": 844}, color_scheme=scheme)
    for behind in ("codes", "doubt", "distance"):
        page.get_by_role("radio", name=behind).check(force=True)
        assert barriers(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    wide = page.locator(".lx-table").evaluate("t => t.scrollWidth - t.parentElement.clientWidth")
    assert wide <= 0, "the table stays within the widget"
    assert page.problems == []


def test_under_a_strict_policy_from_disk_and_beside_another_explorer_of_the_model(site, model):
    strict = STRICT.replace(" 'unsafe-inline'", "")
    rule = f'<head><meta http-equiv="Content-Security-Policy" content="{strict}">'
    assert site(OwnPath(model, **given()), head=HEAD.replace("<head>", rule)).problems == []
    assert site(OwnPath(model, **given()), disk=True).problems == []
    tail = html(LatentExplorer(model)) + TAIL.replace("<script", '<script src="explorer/page.js"></script><script', 1)
    page = site(OwnPath(model, **given()), tail=tail)
    page.locator("latent-explorer .lx-point .lx-picture").wait_for()
    assert page.locator("script[src$='strokes-2d-page.js']").count() == 1, "the weights come once"
    assert page.problems == []


def test_without_scripts_there_is_a_picture_and_a_sentence(site, model):
    page = site(OwnPath(model, **given()), live=False, java_script_enabled=False)
    assert page.locator(".lx-still img").is_visible()
    assert page.get_by_text("turn JavaScript on").is_visible()


def test_the_front_end_is_light():
    text = (Path(__file__).resolve().parents[1] / "book/static/explorer/own-path.js").read_bytes()
    assert len(gzip.compress(text)) < 40_000
