"""A page of the reader's own, opened from disk in a real browser and held against Python."""

import re

import numpy as np
import pytest
import torch
from browser import place
from conftest import lacking
from test_explorer_page import axe_source, drawn, point, shown, visit  # noqa: F401  (fixtures, too)

from vaecourse import VAE
from vaecourse.explorer import LatentExplorer


@pytest.fixture(scope="module")
def model():
    """A model that nobody ships, for pictures that are not square and have no multiple of four pixels."""
    torch.manual_seed(3)
    model = VAE((25, 31), hidden=(30, 18))
    with torch.no_grad():
        for weight in model.decoder.parameters():
            weight.copy_((3 * weight).half())  # drawings that differ, and weights that half precision holds
    return model.eval()


@pytest.fixture(scope="module")
def plane(model):
    z = np.random.default_rng(0).normal(size=(60, 2))
    return LatentExplorer(
        model,
        z,
        np.arange(60) % 3,
        class_names=["mug", "</script><b>", "Ä&ü"],
        ends=((-1.0, 1.0), (2.0, 0.5)),
        caption="Try: <i>drag</i>.",
    )


@pytest.fixture(scope="module")
def page_file(plane, tmp_path_factory):
    return plane.save_page(tmp_path_factory.mktemp("my pages ü") / "plane.html", "Mine </title> & <b>yours</b>")


def test_a_page_from_disk_lives_and_asks_for_nothing_else(page_file, visit, model):  # noqa: F811
    page = visit(page_file.as_uri())
    assert point(page) == [-1.0, 1.0]
    assert np.abs(shown(page) - drawn(model, [-1.0, 1.0])).max() < 1e-3 + 0.5 / 255  # a screen has 256 greys
    page.mouse.move(*place(page, -1.0, 1.0))
    page.mouse.down()
    page.mouse.move(*place(page, 1.2, -0.7), steps=6)
    page.mouse.up()
    z = point(page)
    assert np.allclose(z, [1.2, -0.7], atol=0.05)
    assert np.abs(shown(page) - drawn(model, z)).max() < 1e-3 + 0.5 / 255
    assert np.abs(drawn(model, z) - drawn(model, [-1.0, 1.0])).max() > 0.1, "the drag changed the drawing"
    assert page.requests == [page_file.as_uri()] and page.problems == []
    assert page.title() == page.inner_text("h1") == "Mine </title> & <b>yours</b>"
    assert page.inner_text(".lx-caption") == "Try: <i>drag</i>."
    assert page.locator(".lx-legend .lx-key").all_inner_texts() == ["mug", "</script><b>", "Ä&ü"]
    assert page.locator(".lx-still").is_hidden()


def test_the_numbers_are_pythons_to_a_thousandth(page_file, visit, model):  # noqa: F811
    """What the browser computes before a screen rounds it: the sigmoids, caught where their exponentials are taken."""
    page = visit(page_file.as_uri())
    page.evaluate("() => { const exp = Math.exp; window.taken = []; Math.exp = (v) => (taken.push(v), exp(v)) }")
    hidden = 18 + 30  # units of the decoder whose GELU takes an exponential, too, before those of the pixels
    for z in ([0.5, -1.5], [-3.0, 2.0]):
        page.evaluate(
            """([z1, z2]) => { taken.length = 0; const { model } = document.querySelector("latent-explorer");
            model.set("z1", z1); model.set("z2", z2) }""",
            z,
        )
        assert point(page) == z
        logits = -np.array(page.evaluate("taken"))[hidden : hidden + 25 * 31]
        assert np.abs(1 / (1 + np.exp(-logits)) - drawn(model, z)).max() < 1e-3


def test_the_page_holds_no_address_no_eval_and_its_own_front_end(page_file):
    text = page_file.read_text("utf-8")
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)
    assert not re.search(r"\beval\(|new Function|<link|\bsrc=\"(?!data:)|@import", text)
    script = text.split('<script type="module">')[1].split("</script>")[0]
    assert "customElements.define" in script and "<!--" not in script
    assert text.count("</script>") == 2, "the state and the front end: nothing of the reader's ends a script"


def test_without_javascript_the_still_and_a_word_on_it(page_file, browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(page_file.as_uri())
    assert page.locator(".lx-still img").is_visible() and "JavaScript" in page.inner_text(".lx-still p")
    context.close()


def test_a_page_has_no_serious_fault_for_those_who_cannot_see_it(page_file, visit):  # noqa: F811
    page = visit(page_file.as_uri())
    page.evaluate(axe_source() or lacking("axe-core (the package axe-playwright-python)"))
    found = page.evaluate("axe.run().then(r => r.violations.map(v => `${v.impact} ${v.id}`))")
    assert found == []


def test_what_cannot_be_written_is_said_and_nothing_is_left(plane, tmp_path):
    with pytest.raises(ValueError, match=r"must end in \.html"):
        plane.save_page(tmp_path / "plane.txt")
    with pytest.raises(ValueError, match="title must say"):
        plane.save_page(tmp_path / "plane.html", " ")
    (tmp_path / "plane.html").mkdir()
    with pytest.raises(OSError):
        plane.save_page(tmp_path / "plane.html")
    assert [p.name for p in tmp_path.iterdir()] == ["plane.html"], "no half-written file stays behind"


def test_the_page_shows_the_plane_as_it_stands_now(model, tmp_path):
    plane = LatentExplorer(model)
    plane.z1, plane.background = 1.25, "nothing"
    text = plane.save_page(str(tmp_path / "page.html")).read_text("utf-8")
    assert '"z1": 1.25' in text and '"background": "nothing"' in text
