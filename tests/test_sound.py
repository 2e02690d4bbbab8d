"""The plane of vowels: what Python takes, what the page computes held against PyTorch, and what is heard of it."""

import gzip
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import traitlets
from browser import HEAD, front_end, place, served
from matplotlib.axes import Axes
from test_explorer_page import STRICT, barriers

from vaecourse import VAE, fit, load_dataset
from vaecourse.data import vowels
from vaecourse.explorer import SoundPlane
from vaecourse.explorer.sound import codes
from vaecourse.explorer.weights import unpack

ROOT = Path(__file__).resolve().parents[1]
TAIL = '</main><script src="explorer/sound.js"></script></body></html>'
# Notes every audio context, and puts an analyser beside whatever leads to the loudspeaker.
SPY = """
window.contexts = [];
const Real = AudioContext, connect = AudioNode.prototype.connect;
window.AudioContext = class extends Real {
  constructor(...given) { super(...given); contexts.push(this); }
};
AudioNode.prototype.connect = function (to, ...rest) {
  if (to === this.context.destination && this.context instanceof Real) {
    window.spy = new AnalyserNode(this.context, { fftSize: 32768 });
    connect.call(this, spy);
  }
  return connect.call(this, to, ...rest);
};"""
LOUDEST = 0.5  # of full scale


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    model = VAE((1, 32), 2, hidden=(64, 64))
    fit(model, load_dataset("vowels").images, 40, learning_rate=3e-3, progress=False)
    return model.eval()


def html(widget):
    return widget._repr_mimebundle_()[0]["text/html"]


# The Python side


def test_it_holds_what_it_was_given(model):
    widget = SoundPlane(model, ends=("oo", "eh"), caption="Listen.")
    assert widget.ends == ["oo", "eh"] and (widget.way, widget.t) == ("point", 0)
    assert [widget.z1, widget.z2] == pytest.approx(codes(unpack(widget.packed), ["oo"])[0].tolist())
    assert widget.spec["named"] == {name: list(p) for name, p in vowels.VOWELS.items()}
    text = html(widget)
    assert text.startswith("<sound-plane><div") and text.count("</script>") == 1
    words = r"Plane of vowels with ee, eh, ah, aw, oo marked; at z = \(.*\) stands a vowel with resonances near 3\d0"
    assert re.search(rf'<img src="data:image/png;base64,[^"]{{500,}}" alt="{words} and \d+ Hz\.', text)
    assert [SoundPlane(model, z=torch.tensor([1, 2])).z1, SoundPlane(model, z=np.array([1, 2])).z2] == [1, 2]


@pytest.mark.parametrize(
    ("way", "says"),
    [
        ("plane", "50 % of the way from ee to ah along the plane stands a vowel"),
        ("fade", "50 % of the way from ee to ah in a cross-fade stands no vowel: the nearest, .* is 6.5 dB away"),
        ("truth", "50 % of the way from ee to ah in truth stands a vowel with resonances near 500 and 1690 Hz"),
    ],
)
def test_its_words_say_what_stands_on_the_way(model, way, says):
    widget = SoundPlane(model)
    widget.t, widget.way = 0.5, way
    assert re.search(says, widget._repr_mimebundle_()[0]["text/plain"])


def test_the_still_shows_the_point_where_it_sounds_and_none_beside_the_plane(model, monkeypatch):
    drawn, widget = [], SoundPlane(model, z=(3, 3))
    plot = Axes.plot
    monkeypatch.setattr(Axes, "plot", lambda ax, *given, **style: drawn.append(given) or plot(ax, *given, **style))
    a, b = codes(unpack(widget.packed), widget.ends)
    for way, z in [("point", [3, 3]), ("plane", (a + (b - a) / 4).tolist()), ("fade", None), ("truth", None)]:
        drawn.clear()
        widget.t, widget.way = 0.25, way
        html(widget)
        points = [list(given[:2]) for given in drawn if isinstance(given[-1], str)]
        assert points == ([] if z is None else [pytest.approx(z)])


def test_traits_keep_within_what_there_is(model):
    widget = SoundPlane(model)
    widget.z1, widget.t, widget.ends, widget.way = 99, 2, ("oo", "ee"), "truth"
    assert (widget.z1, widget.t, widget.ends, widget.way) == (4, 1, ["oo", "ee"], "truth")
    for name, wrong in [("ends", ["ee"]), ("ends", ["ee", "uh"]), ("way", "morph"), ("z2", np.nan), ("t", "half")]:
        with pytest.raises(traitlets.TraitError):
            setattr(widget, name, wrong)
    assert (widget.ends, widget.way) == (["oo", "ee"], "truth")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"ends": ("ee", "ee")}, "ends must be two of ee, eh, ah, aw, oo"),
        ({"ends": "ee"}, "ends must be two of"),
        ({"ends": ("ee", 3)}, "ends must be two of"),
        ({"z": (0, 9)}, "z must be two numbers from -4 to 4"),
        ({"extent": 0}, "extent must be"),
        ({"caption": 3}, "caption must be a text"),
        ({"model": VAE((28, 28), 2, hidden=(8,))}, r"pictures of shape \(1, 32\).*Fit VAE\(\(1, 32\), 2\)"),
        ({"model": VAE((1, 32), 2, hidden=(8,), likelihood="bernoulli")}, "with a Gaussian likelihood"),
        ({"model": VAE((1, 32), 3, hidden=(8,))}, "2 latent numbers; this one has 3"),
        ({"model": "mnist-2d"}, "model must be a VAE"),
    ],
)
def test_what_cannot_be_shown_is_answered_with_a_sentence(model, wrong, says):
    with pytest.raises(ValueError, match=says):
        SoundPlane(**({"model": model} | wrong))


# The page


@pytest.fixture(scope="module")
def site(browser, tmp_path_factory):
    """Opens a page with widgets, from a server or from disk."""
    folder = tmp_path_factory.mktemp("sound")
    front_end(folder)
    shutil.copytree(ROOT / "web/src", folder / "src")
    (folder / "favicon.ico").touch()
    contexts = []
    with served(folder) as address:

        def visit(*widgets, head=HEAD, disk=False, live=True, **settings):
            (folder / f"{len(contexts)}.html").write_text(head + "".join(map(html, widgets)) + TAIL, "utf-8")
            contexts.append(browser.new_context(**settings))
            page = contexts[-1].new_page()
            page.problems = []
            page.on("pageerror", lambda e: page.problems.append(str(e)))
            page.on("console", lambda m: page.problems.append(m.text) if m.type == "error" else None)
            page.add_init_script(SPY)
            page.goto(f"{folder.as_uri() if disk else address}/{len(contexts) - 1}.html")
            if live:
                page.locator(".lx-spectrum").first.wait_for()
            return page

        yield visit
    for context in contexts:
        context.close()


def state(page, name):
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return page.evaluate(f"document.querySelector('sound-plane').model.state.{name}")


def give(page, **values):
    """Sets traits as Python does."""
    page.evaluate(
        "v => Object.entries(v).forEach(([n, x]) => document.querySelector('sound-plane').model.set(n, x))", values
    )


def told(page):
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return page.locator(".lx-told").first.inner_text()


def press(page, name="Sound on"):
    page.get_by_role("button", name=name).first.click()


def heard(page, wait=1000):
    """What reaches the loudspeaker, the last 0.7 seconds or so, and its samples a second."""
    page.wait_for_timeout(wait)
    script = "() => { const all = new Float32Array(spy.fftSize); spy.getFloatTimeDomainData(all); return [...all]; }"
    return np.array(page.evaluate(script)), page.evaluate("spy.context.sampleRate")


def tones(samples, rate):
    """The amplitudes of the 32 harmonics, and of all that is none of them, by least squares."""
    turns = 2 * np.pi * np.outer(np.arange(len(samples)) / rate, vowels.HARMONICS)
    waves = np.hstack([np.sin(turns), np.cos(turns)])
    found, *_ = np.linalg.lstsq(waves, samples, rcond=None)
    rest = np.sqrt(np.mean((samples - waves @ found) ** 2))
    return np.hypot(*found.reshape(2, 32)), rest


@torch.no_grad()
def drawn(widget, z):
    return unpack(widget.packed).decode(torch.tensor([z])).mean


IN_THE_BROWSER = """async ({spec, places, pictures}) => {
  const {Mouth} = await import("/src/vowel.js"), mouth = new Mouth(spec.filter);
  return [places.map((p) => [...mouth.draw(p)]), pictures.map((x) => mouth.nearest(x))];
}"""


def test_the_page_makes_and_finds_vowels_as_python_does(site, model):
    widget, generator = SoundPlane(model), torch.Generator().manual_seed(0)
    page = site(widget)
    places = torch.rand(30, 2, generator=generator)
    x = torch.cat([vowels.draw(*places.T), (vowels.draw(*places.T) + vowels.draw(*places.flip(0).T)) / 2])
    given = {"spec": widget.spec, "places": places.tolist(), "pictures": x.flatten(1).tolist()}
    made, found = page.evaluate(IN_THE_BROWSER, given)
    np.testing.assert_allclose(made, vowels.draw(*places.double().T).flatten(1), atol=1e-9)
    for name, expected in zip(("jaw", "tongue", "off"), vowels.recover(x), strict=True):
        np.testing.assert_allclose([one[name] for one in found], expected, atol=1e-3)
    assert page.problems == []


def test_the_sentence_says_what_python_finds(site, model):
    widget = SoundPlane(model)
    page = site(widget)
    for z in ([0.0, 0.0], [1.5, -0.5], [-2.0, 0.5], [3.9, 3.9]):
        give(page, z1=z[0], z2=z[1])
        jaw, tongue, off = vowels.recover(drawn(widget, z))
        f1, f2 = (10 * round(f / 10 + 1e-9) for f in vowels.resonances(jaw, tongue)[0, :2].tolist())
        said = told(page)
        assert re.search(r"near (\d+) and (\d+) Hz", said)
        assert [int(f) for f in re.findall(r"(\d+)(?= and| Hz)", said)] == pytest.approx([f1, f2], abs=10)
        assert said.startswith("A vowel") == (off.item() < 1)
    a, b = (torch.tensor(vowels.VOWELS[name]) for name in ("ee", "ah"))
    fade = (vowels.draw(*a) + vowels.draw(*b)) / 2
    apart = (vowels.to_decibels(fade) - vowels.to_decibels(vowels.draw(*(a + b) / 2))).square().mean().sqrt()
    give(page, t=0.5, way="fade")
    assert "No vowel of this mouth" in told(page) and f"is {apart:.1f} dB away." in told(page)
    give(page, way="truth")
    assert told(page) == "A vowel with resonances near 500 and 1690 Hz, close to “eh”."
    assert page.locator(".lx-spectrum").get_attribute("aria-label").endswith(told(page))


def test_nothing_is_made_to_sound_before_the_reader_asks_for_it(site, model):
    page = site(SoundPlane(model))
    give(page, z1=1, way="plane", t=0.3)
    page.get_by_role("button", name="Play").click()
    page.wait_for_timeout(300)
    assert page.evaluate("contexts.length") == 0
    press(page)
    assert page.evaluate("contexts.length") == 1
    assert page.get_by_role("button", name="Sound off").is_visible()


def test_what_is_heard_has_the_levels_of_the_spectrum_and_stays_below_the_bound(site, model):
    widget = SoundPlane(model)
    page = site(widget)
    press(page)
    page.get_by_label("volume").fill("100")
    for z in ([0.0, 0.0], [-2.0, 0.5]):
        give(page, z1=z[0], z2=z[1])
        samples, rate = heard(page)
        found, rest = tones(samples, rate)
        expected = vowels.to_decibels(drawn(widget, z)).flatten().numpy()
        np.testing.assert_allclose(20 * np.log10(found / found.max()), expected - expected.max(), atol=0.1)
        assert found.sum() == pytest.approx(LOUDEST, rel=0.01) and abs(samples).max() <= LOUDEST
        assert rest < 1e-4 * LOUDEST, "and nothing else is heard"
    page.get_by_label("volume").fill("10")
    samples, rate = heard(page)
    assert tones(samples, rate)[0].sum() == pytest.approx(LOUDEST / 100, rel=0.02)
    press(page, "Sound off")
    page.wait_for_timeout(600)
    assert page.evaluate("contexts[0].state") == "suspended"
    assert page.problems == []


def test_while_it_moves_it_neither_clicks_nor_gets_loud(site, model):
    """A tone of amplitude a swings by at most 2 pi f a / rate from sample to sample; a click would be more."""
    page = site(SoundPlane(model))
    press(page)
    page.get_by_label("volume").fill("100")
    page.wait_for_timeout(500)
    for i in range(40):
        give(page, z1=2.5 * (-1) ** i, z2=2 * (-1) ** (i // 2))
        page.wait_for_timeout(25)
    samples, rate = heard(page, 0)
    assert 0.02 < abs(samples).max() <= LOUDEST
    assert abs(np.diff(samples)).max() < 2 * np.pi * 4000 / rate * LOUDEST / 2


@pytest.mark.parametrize("leaving", ["blur", "hidden", "scroll", "gone"])
def test_it_falls_silent_when_it_is_left(site, model, leaving):
    page = site(SoundPlane(model), head=HEAD + '<div style="height: 1px"></div>')
    press(page)
    page.wait_for_timeout(300)
    assert page.evaluate("contexts[0].state") == "running"
    if leaving == "blur":
        page.evaluate("window.dispatchEvent(new Event('blur'))")
    elif leaving == "hidden":
        page.evaluate("""() => {
            Object.defineProperty(document, "hidden", { value: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""")
    elif leaving == "scroll":
        page.evaluate("document.body.style.paddingBottom = '4000px'; window.scrollTo(0, 4000)")
    else:
        page.evaluate("document.querySelector('sound-plane').remove()")
    page.wait_for_timeout(700)
    assert page.evaluate("contexts[0].state") == ("closed" if leaving == "gone" else "suspended")
    if leaving != "gone":
        assert page.locator(".lx-volume button").inner_text() == "Sound on"
    assert page.problems == []


def test_one_voice_at_a_time(site, model):
    page = site(SoundPlane(model), SoundPlane(model))
    page.locator(".lx-volume button").nth(1).scroll_into_view_if_needed()
    page.locator(".lx-spectrum").nth(1).wait_for()
    buttons = page.locator(".lx-volume button")
    buttons.nth(0).click()
    buttons.nth(1).click()
    page.wait_for_timeout(600)
    assert buttons.all_inner_texts() == ["Sound on", "Sound off"]
    assert page.evaluate("contexts.map((c) => c.state)") == ["suspended", "running"]


def test_where_no_page_may_sound_a_sentence_says_so_and_all_else_lives(site, model):
    page = site(SoundPlane(model))
    page.evaluate("delete window.AudioContext; window.AudioContext = undefined")
    press(page)
    assert page.get_by_text("This browser lets no page sound here.").is_visible()
    assert page.locator(".lx-volume button").inner_text() == "Sound on"
    give(page, z1=1.0)
    assert "resonances near" in told(page) and page.problems == []


def test_the_point_is_steered_by_mouse_and_by_keys(site, model):
    page = site(SoundPlane(model, z=(0, 0)))
    before = told(page)
    page.mouse.click(*place(page, -2, 1))
    assert [state(page, "z1"), state(page, "z2")] == pytest.approx([-2, 1], abs=0.02) and told(page) != before
    page.evaluate("window.keys = 0; document.addEventListener('keydown', () => keys++)")
    page.locator(".lx-point").focus()
    before = state(page, "z1")
    page.keyboard.press("ArrowRight")
    assert state(page, "z1") == pytest.approx(before + 0.05) and page.evaluate("keys") == 0
    page.get_by_role("button", name="“oo”").press("Enter")
    assert "close to “oo”" in told(page)
    page.wait_for_timeout(900)
    assert page.locator(".lx-sound .lx-hidden[role=status]").inner_text() == told(page), "said when it came to rest"


def test_the_walk_goes_from_a_to_b_in_three_ways(site, model):
    widget = SoundPlane(model)
    page = site(widget)
    slider, line = page.get_by_label("t", exact=True), page.locator(".lx-field polyline")
    slider.fill("0.5")
    assert (state(page, "t"), state(page, "way")) == (0.5, "plane")
    middle = codes(unpack(widget.packed), ["ee", "ah"]).mean(0).tolist()
    assert [state(page, "z1"), state(page, "z2")] == pytest.approx(middle, abs=0.01)
    for words, way in [("cross-fade", "fade"), ("the truth", "truth"), ("the point", "point")]:
        page.get_by_role("radio", name=words).check(force=True)
        assert (state(page, "way"), state(page, "t")) == (way, 0.5)
        assert page.locator(".lx-now").count() == (way != "point")
    before = line.get_attribute("points")
    page.get_by_label("B", exact=True).select_option("oo")
    assert state(page, "ends") == ["ee", "oo"] and line.get_attribute("points") != before
    assert page.locator("option:disabled").all_inner_texts() == ["“oo”", "“ee”"], "A and B are two"
    page.get_by_role("radio", name="the truth").check(force=True)
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("document.querySelector('sound-plane').model.state.t === 1", timeout=10_000)
    assert state(page, "way") == "truth" and "close to “oo”" in told(page)
    assert page.get_by_role("button", name="Play").is_visible() and page.problems == []


def strip(page, which):
    """The levels that a strip of the walk shows, (32, 65), first row at the top: brighter is louder."""
    data = (
        page.locator(".lx-sounds")
        .nth(which)
        .evaluate("c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]")
    )
    return np.array(data).reshape(32, 65, 4)[..., 1]  # viridis grows in green


def test_in_the_strips_resonances_move_or_fade(site, model):
    page = site(SoundPlane(model))
    plane, fade, truth = (strip(page, i).astype(float) for i in range(3))
    assert abs(plane - truth).mean() < 0.4 * abs(fade - truth).mean()
    for one in (plane, fade):
        np.testing.assert_allclose(one[:, [0, -1]], truth[:, [0, -1]], atol=20)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing_and_all_is_large_enough(site, model, width, scheme):
    page = site(SoundPlane(model, caption="Try."), viewport={"width": width, "height": 844}, color_scheme=scheme)
    for way in ("point", "plane", "fade", "truth"):
        give(page, way=way, t=0.5)
        told(page)
        assert barriers(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.problems == []


def test_who_asks_for_less_motion_gets_steps(site, model):
    page = site(SoundPlane(model), reduced_motion="reduce")
    page.evaluate("""() => {
        window.seen = new Set();
        const { model } = document.querySelector("sound-plane");
        model.on("change:t", () => seen.add(model.get("t")));
    }""")
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("document.querySelector('sound-plane').model.state.t === 1", timeout=10_000)
    assert page.evaluate("seen.size") < 12


def test_under_a_strict_policy_and_from_disk(site, model):
    strict = STRICT.replace(" 'unsafe-inline'", "")
    rule = f'<head><meta http-equiv="Content-Security-Policy" content="{strict}">'
    for page in (site(SoundPlane(model), head=HEAD.replace("<head>", rule)), site(SoundPlane(model), disk=True)):
        press(page)
        samples, _ = heard(page, 1500)
        assert abs(samples).max() > 0.005 and page.problems == []


def test_without_scripts_there_is_a_picture_and_a_sentence(site, model):
    page = site(SoundPlane(model), live=False, java_script_enabled=False)
    assert page.locator(".lx-still img").is_visible()
    assert page.get_by_text("turn JavaScript on").is_visible()


def test_the_front_end_is_light():
    text = (ROOT / "book/static/explorer/sound.js").read_bytes()
    assert len(gzip.compress(text)) < 20_000
