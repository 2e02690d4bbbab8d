"""The turning object in a real browser, held against Python."""

import io
import re
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest
import torch
import traitlets
from browser import HEAD, TAIL, front_end, served
from PIL import Image
from test_explorer_page import barriers

from vaecourse import load_dataset
from vaecourse.explorer import TurningObject
from vaecourse.views import ViewVAE, fit_views, protocol

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def views():
    return protocol.rings(load_dataset("turntable", size=64))[:2]


@pytest.fixture(scope="module")
def model(views):
    """A model that has learned a little, so that its flows are not nothing."""
    torch.manual_seed(0)
    model = ViewVAE(latent_dim=4, width=8)
    fit_views(model, protocol.known_views(views, 4), 60, seed=0)
    with torch.no_grad():
        model.fields[-1].weight.mul_(20)  # large flows: what lies beyond the edge must be fetched, too
    return model


@pytest.fixture(scope="module")
def page(browser, model, views, tmp_path_factory):
    folder = tmp_path_factory.mktemp("turning")
    front_end(folder)
    widget = TurningObject(model, views, 4, ["one", "two"], angle=40.0, caption="Turn it.")
    text = HEAD + widget._repr_mimebundle_()[0]["text/html"] + TAIL
    (folder / "index.html").write_text(text, "utf-8")
    with served(folder) as address:
        page = browser.new_page(viewport={"width": 390, "height": 844})
        page.problems = []
        page.on("pageerror", lambda e: page.problems.append(str(e)))
        page.goto(f"{address}/index.html")
        page.locator(".lx-angle input").wait_for()
        yield page


def shown(page, which=0):
    """The grey levels of a picture once the frame after a move has been drawn."""
    page.wait_for_timeout(150)
    script = """c => Array.from(c.getContext("2d").getImageData(0, 0, 64, 64).data).filter((_, i) => i % 4 === 0)"""
    return np.array(page.locator(".lx-views canvas").nth(which).evaluate(script)).reshape(64, 64) / 255


def test_a_new_view_is_the_one_that_python_makes(page, model, views):
    known = protocol.known_views(views, 4)
    for angle in (47, 13, 359):
        page.locator(".lx-angle input").fill(str(angle))
        first, t = divmod(angle / 20, 1)
        expected = model.between(known, [t])[0, int(first), 0].clamp(0, 1).numpy()
        assert np.abs(shown(page) - expected).max() < 0.02, angle
        assert np.abs(shown(page) - expected).mean() < 0.003, "grey levels have 256 steps, weights half precision"


def test_a_photograph_is_shown_where_there_is_one(page, views):
    page.locator(".lx-angle input").fill("60")
    assert np.allclose(shown(page), views[0, 12], atol=0.003)
    assert "a photograph that the model knows" in page.locator(".lx-told").inner_text()


def test_what_is_said_of_the_picture_follows_the_object_and_its_angle(page):
    page.get_by_role("radio", name="two").check()
    page.locator(".lx-angle input").fill("47")
    said = "two at 47°: a new view, which the model never saw"
    page.locator(".lx-told", has_text=said).wait_for(timeout=5000)
    assert page.locator(".lx-views canvas").first.get_attribute("aria-label") == said
    page.get_by_role("radio", name="one").check()
    page.locator(".lx-told", has_text="one at 47°").wait_for(timeout=5000)


def test_what_was_held_back_is_one_click_away(page, views):
    page.locator(".lx-angle input").fill("70")
    second = page.locator(".lx-views figure").nth(1)
    assert not second.is_visible()
    page.get_by_role("button", name="Show what was held back").click()
    assert second.is_visible()
    assert np.allclose(shown(page, 1), views[0, 14], atol=0.003)
    fade = (views[0, 12] + views[0, 16]) / 2
    assert np.allclose(shown(page, 2), fade, atol=0.006), "each of the two was rounded to 256 grey levels"
    mse = float((fade - views[0, 14]).square().mean())
    assert f"cross-fade: {-10 * np.log10(mse):.1f} dB" in page.locator(".lx-views").inner_text()
    page.get_by_role("button", name="Show what was held back").click()


def test_objects_can_be_chosen_and_keys_turn_them(page, views):
    page.get_by_role("radio", name="two").check()
    page.locator(".lx-angle input").fill("100")
    assert np.allclose(shown(page), views[1, 20], atol=0.003)
    page.locator(".lx-angle input").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator(".lx-angle output").inner_text() == "101°"
    box = page.locator(".lx-views canvas").first.bounding_box()
    page.mouse.move(box["x"] + 10, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 10 + box["width"] / 3, box["y"] + 50, steps=4)
    page.mouse.up()
    page.wait_for_timeout(100)
    assert page.locator(".lx-angle output").inner_text() in ("130°", "131°", "132°"), "a third of the width is 30°"
    page.get_by_role("radio", name="one").check()


def test_arrow_keys_choose_an_object_and_turn_no_slide(page):
    page.evaluate("window.heard = 0; document.addEventListener('keydown', (e) => (heard += e.key.startsWith('Arrow')))")
    page.get_by_role("radio", name="one").focus()
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("radio", name="two").is_checked()
    assert page.evaluate("heard") == 0, "slides listen for arrow keys, too; these chose an object"
    page.get_by_role("radio", name="one").check()


def test_nothing_is_wrong_for_axe_and_nothing_fails(page):
    assert barriers(page) == []
    assert page.problems == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_wrong_input_is_told_in_a_sentence(model, views):
    with pytest.raises(ValueError, match="names must name each of the 2 objects"):
        TurningObject(model, views, 4, ["one"])
    with pytest.raises(ValueError, match="every must divide"):
        TurningObject(model, views, 5, ["one", "two"])
    with pytest.raises(ValueError, match="views must be"):
        TurningObject(model, views[0], 4, ["one", "two"])
    assert TurningObject(model, views.numpy(), 4, ["one", "two"]).spec == TurningObject(model, views, 4, "ab").spec | {
        "names": ["one", "two"]
    }
    with pytest.raises(ValueError, match="angle must be a finite number"):
        TurningObject(model, views, 4, ["one", "two"], angle=float("nan"))


@pytest.mark.parametrize(
    ("trait", "value", "says"),
    [
        *(("angle", bad, "angle must be a finite number") for bad in (np.nan, "left", None, [1.0])),
        *(("object", bad, "object must be a whole number") for bad in (2, -1, 0.5)),
        *(("object", bad, "object must be a finite number") for bad in (True, "one")),
    ],
)
def test_a_trait_refuses_what_no_page_can_show_and_keeps_what_it_had(model, views, trait, value, says):
    widget = TurningObject(model, views, 4, ["one", "two"], angle=-30)
    with pytest.raises(traitlets.TraitError, match=says):
        setattr(widget, trait, value)
    assert (widget.angle, widget.object) == (330, 0)


def test_its_words_and_its_picture_follow_its_traits(model, views):
    widget = TurningObject(model, views, 4, ["one", "two"], angle=40)
    widget.angle, widget.object = torch.tensor(367.0), np.int64(1)
    assert (widget.angle, widget.object) == (7.0, 1)
    bundle = widget._repr_mimebundle_()[0]
    words = bundle["text/plain"]
    assert "two at 7 degrees" in words and "nearest photograph, at 5 degrees" in words
    picture, alt = re.search(r'<img src="data:image/png;base64,([^"]+)" alt="([^"]+)"', bundle["text/html"]).groups()
    assert alt == words
    seen = np.asarray(Image.open(io.BytesIO(b64decode(picture))).resize((64, 64))) / 255
    far = [np.abs(seen - view.numpy()).mean() for view in views.flatten(0, 1)]
    assert divmod(int(np.argmin(far)), views.shape[1]) == (1, 1), "the second object's second photograph"


def test_a_closed_object_holds_nothing(model, views):
    widget, other = (TurningObject(model, views, 4, ["one", "two"]) for _ in range(2))
    assert widget.weights is other.weights
    widget.close()
    assert (widget.weights, widget.codes, widget.spec) == (None, b"", {})
    assert other.packed
