"""The lab in a real browser, as the book's pages show it: it learns there, and says what stands in its way."""

import json
from importlib.resources import files

import numpy as np
import pytest
import torch
from browser import HEAD, front_end, served
from conftest import lacking

from vaecourse import VAE, load_dataset
from vaecourse.data import ImageSet
from vaecourse.explorer import TrainingLab, page_images

pytestmark = pytest.mark.slow

TAIL = '</main><script src="explorer/lab.js"></script></body></html>'
STRICT = "default-src 'self'; style-src 'self' 'unsafe-inline'"
WORKS = f"{STRICT}; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:"
POLICIES = {  # a policy, and what the page says under it
    "no worker": (STRICT, "lets no worker run"),
    "no WebAssembly": (WORKS.replace(" 'wasm-unsafe-eval'", ""), "runs no WebAssembly"),
}


@pytest.fixture(scope="module")
def digits():
    """Small digits, of which 20 are held out."""
    whole = load_dataset("strokes", split="test")
    small = torch.nn.functional.avg_pool2d(whole.images[:220, None], 4)[:, 0]
    return ImageSet(small, whole.labels[:220], "small", "Strokes, made smaller.", whole.class_names)


@pytest.fixture(scope="module")
def folder(digits, tmp_path_factory):
    folder = tmp_path_factory.mktemp("labs")
    front_end(folder)
    element = TrainingLab(digits, caption="Press train.")._repr_mimebundle_()[0]["text/html"]
    (folder / "lab.html").write_text(HEAD + element + TAIL, "utf-8")
    for name, (rule, _) in {"works": (WORKS, ""), **POLICIES}.items():
        head = HEAD.replace("<head>", f'<head><meta http-equiv="Content-Security-Policy" content="{rule}">')
        (folder / f"{name}.html").write_text(head + element + TAIL, "utf-8")
    spec = json.dumps(json.loads(element.split('json">')[1].split("</script>")[0]) | {"data": ""})
    fetching = spec.replace('"page_images": null', '"page_images": "small"')
    twin = f'<training-lab data-images="small"><script type="application/json">{fetching}</script></training-lab>'
    (folder / "fetch.html").write_text(HEAD + twin + TAIL, "utf-8")
    return folder


@pytest.fixture(scope="module")
def site(folder):
    with served(folder) as address:
        yield address


@pytest.fixture
def visit(browser):
    """Opens a page with a lab. Its workers are in `workers` there, its errors in `page.problems`."""
    contexts = []

    def open_page(address, **settings):
        context = browser.new_context(**settings)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.problems = []
        page.on("pageerror", lambda e: page.problems.append(str(e)))
        page.add_init_script(
            """window.workers = []; window.Worker = class extends Worker {
            constructor(...given) { super(...given); workers.push(this); this.alive = true; this.sent = []; }
            postMessage(message) { this.sent.push(message); super.postMessage(message); }
            terminate() { this.alive = false; super.terminate(); } }"""
        )
        page.goto(address)
        page.wait_for_selector(".lx-lab button")
        return page

    yield open_page
    for context in contexts:
        context.close()


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def trait(page, name):
    return page.evaluate(f"document.querySelector('training-lab').model.get('{name}')")


def reach(page, step):
    """Waits for a step; asks again and again, since a policy may let the browser evaluate nothing by itself."""
    for _ in range(600):
        if trait(page, "step") >= step:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"step {trait(page, 'step')} of {step} after a minute; {page.inner_text('.lx-lab')[:200]}")


def test_nothing_runs_until_somebody_presses_train(site, visit):
    page = visit(f"{site}/lab.html")
    page.wait_for_timeout(300)
    assert page.evaluate("workers.length") == 0 and trait(page, "step") == 0
    assert "1,800 steps of 64 images" in page.inner_text(".lx-told")
    assert page.get_by_role("button", name="Save weights").is_disabled()


def test_a_page_from_disk_trains_a_model_that_python_loads(folder, digits, visit, tmp_path):
    page = visit((folder / "lab.html").as_uri())
    press(page, "Train")
    reach(page, 200)
    press(page, "Pause")
    page.wait_for_function("document.querySelector('training-lab').model.get('weights') !== undefined")
    page.wait_for_timeout(500)
    stopped = trait(page, "step")
    page.wait_for_timeout(500)
    assert trait(page, "step") == stopped, "it is paused"
    assert "Paused" in page.inner_text(".lx-told")
    with page.expect_download() as download:
        press(page, "Save weights")
    download.value.save_as(tmp_path / "lab.safetensors")
    model = VAE.load(tmp_path / "lab.safetensors")
    assert model.meta["step"] == stopped and model.meta["recipe"]["seed"] == 0
    order = torch.randperm(220, generator=torch.Generator().manual_seed(0))
    held_out = (digits.images[order[200:]] * 15).round() / 15
    noise = torch.randn(500, 20, 2, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        elbo = torch.stack([torch.sub(*model.elbo_terms(held_out, noise=n)).mean() for n in noise])
    captions = page.locator(".lx-curves figcaption").all_inner_texts()
    assert captions[0].startswith("ELBO: training") and float(trait(page, "elbo")) > 0
    assert elbo.mean() > 5, "it has learned"
    pixels = """c => Array.from(c.getContext("2d").getImageData(0, 0, c.width, c.height).data)"""
    drawn = page.eval_on_selector(".lx-point canvas", pixels)[::4]
    with torch.no_grad():
        assert np.allclose(1 - np.array(drawn) / 255, model.decode(torch.zeros(1, 2)).mean.flatten(), atol=0.003)
    press(page, "Explore what it learned")
    page.locator(".lx-explore .lx-choice", has_text="drawings").wait_for()
    press(page, "Go on")
    reach(page, stopped + 1)
    press(page, "Reset")
    assert not any(page.evaluate("workers.map(w => w.alive)")) and trait(page, "step") == 0
    assert page.locator(".lx-explore").count() == 0
    assert page.problems == []


def test_the_worker_gets_what_the_reader_has_set(site, visit):
    page = visit(f"{site}/lab.html")
    for name, value in (("seed", "7"), ("σ", "99"), ("β", "")):
        page.get_by_label(name, exact=True).fill(value)
    press(page, "Train")
    page.wait_for_function("workers.length && workers[0].sent.length")
    task = page.evaluate("({recipe, config} = workers[0].sent[0].task, [recipe.seed, config.sigma, recipe.beta])")
    assert task == [7, 1, 1], "within the limits; nothing is what it was"
    assert page.get_by_label("σ", exact=True).input_value() == "1"


def test_it_rests_while_nobody_looks(site, visit):
    page = visit(f"{site}/lab.html")
    press(page, "Train")
    reach(page, 10)
    hide = """hidden => { Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
        document.dispatchEvent(new Event("visibilitychange")) }"""
    page.evaluate(hide, True)
    assert page.evaluate("workers[0].sent.at(-1)") == {"paused": True}
    page.evaluate(hide, False)
    assert page.evaluate("workers[0].sent.at(-1)") == {"paused": False}
    reach(page, trait(page, "step") + 1)


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_that_forbids_learning_is_told_in_a_sentence(site, visit, name):
    page = visit(f"{site}/{name}.html")
    press(page, "Train")
    page.locator(".lx-error", has_text=POLICIES[name][1]).wait_for()
    assert page.get_by_role("button", name="Train", exact=True).is_enabled()


def test_under_the_policy_that_the_book_names_it_learns(site, visit):
    page = visit(f"{site}/works.html")
    press(page, "Train")
    reach(page, 3)
    assert page.problems == []


def test_a_worker_that_dies_is_told_in_a_sentence_and_training_can_begin_again(site, visit):
    page = visit(f"{site}/lab.html")
    press(page, "Train")
    reach(page, 5)
    page.evaluate("workers[0].dispatchEvent(new ErrorEvent('error'))")
    assert "Press reset to begin anew" in page.inner_text(".lx-error")
    press(page, "Reset")
    assert page.locator(".lx-error").is_hidden()
    press(page, "Train")
    reach(page, 1)


def test_images_are_fetched_when_train_is_pressed_and_a_file_cut_short_is_told(folder, site, visit, digits):
    whole = f'trainingLabImages["small"]({page_images(digits)});\n'
    (folder / "explorer" / "lab-small.js").write_text(whole[:-40], "utf-8")
    page = visit(f"{site}/fetch.html")
    assert "first fetches the images" in page.inner_text(".lx-told")
    press(page, "Train")
    page.locator(".lx-error", has_text="did not arrive whole").wait_for()
    (folder / "explorer" / "lab-small.js").write_text(whole, "utf-8")
    page = visit(f"{site}/fetch.html?again")
    press(page, "Train")
    reach(page, 1)
    assert "Strokes, made smaller." in page.inner_text(".lx-lab")
    (folder / "explorer" / "lab-small.js").unlink()
    page = visit(f"{site}/fetch.html?lost")
    press(page, "Train")
    page.locator(".lx-error", has_text="did not load").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_it(site, visit, scheme):
    page = visit(
        f"{site}/lab.html", viewport={"width": 390, "height": 844}, color_scheme=scheme, reduced_motion="reduce"
    )
    press(page, "Train")
    reach(page, 30)
    press(page, "Pause")
    page.wait_for_timeout(300)
    try:
        page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text("utf-8"))
    except ModuleNotFoundError:
        lacking("axe-playwright-python")
    found = page.evaluate("axe.run(document.querySelector('.latent-explorer'))")
    assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found["violations"]] == []
    small = page.eval_on_selector_all(
        ".latent-explorer :is(button, select, input, .lx-handle, .lx-choice label)",
        "all => all.filter(e => Math.min(e.offsetWidth, e.offsetHeight) < 44).map(e => e.outerHTML)",
    )
    assert small == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
