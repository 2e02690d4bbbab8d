"""The lab in a real browser, as the book's pages show it: it learns there, and says what stands in its way."""

import gzip
import json

import numpy as np
import pytest
import torch
from browser import HEAD, front_end, served
from PIL import Image, ImageDraw
from test_explorer_page import barriers

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
    fetching = spec.replace('"page_images": []', '"page_images": ["small", "other"]')
    twin = f'<training-lab data-images="small other"><script type="application/json">{fetching}</script></training-lab>'
    (folder / "fetch.html").write_text(HEAD + twin + TAIL, "utf-8")
    other = ImageSet(digits.images[:110], digits.labels[:110], "other", "Fewer of them.", digits.class_names)
    for name, images in (("small", digits), ("other", other)):
        text = f'trainingLabImages["{name}"]({page_images(images)});\n'
        (folder / "explorer" / f"lab-{name}.js").write_text(text, "utf-8")
    own = TrainingLab()._repr_mimebundle_()[0]["text/html"]
    head = HEAD.replace("<head>", f'<head><meta http-equiv="Content-Security-Policy" content="{WORKS}">')
    (folder / "own.html").write_text(head + own + TAIL, "utf-8")
    return folder


@pytest.fixture(scope="module")
def site(folder):
    with served(folder) as address:
        yield address


@pytest.fixture
def visit(browser):
    """Opens a page with a lab. Its workers are in `workers` there, its errors in `page.problems`."""
    contexts = []

    def open_page(address, wait=".lx-lab button", **settings):
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
        page.wait_for_selector(wait)
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


def test_what_a_page_with_a_lab_loads_before_anybody_trains_is_light(folder):
    loaded = [folder / "explorer" / name for name in ("lab.js", "explorer.css")]
    assert sum(len(gzip.compress(file.read_bytes())) for file in loaded) <= 150_000


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
    with page.expect_download() as download:
        press(page, "Save as one page")
    download.value.save_as(tmp_path / "lab.html")
    assert "one file that needs no other" in page.inner_text(".lx-told")
    press(page, "Explore what it learned")
    page.locator(".lx-explore .lx-choice", has_text="drawings").wait_for()
    press(page, "Go on")
    reach(page, stopped + 1)
    press(page, "Reset")
    assert not any(page.evaluate("workers.map(w => w.alive)")) and trait(page, "step") == 0
    assert page.locator(".lx-explore").count() == 0
    assert page.problems == []
    own = visit((tmp_path / "lab.html").as_uri(), wait=".lx-plane")
    assert own.locator(".lx-choice label").all_inner_texts() == ["codes", "drawings", "nothing"]
    drawn = own.eval_on_selector(".lx-point canvas", pixels)[::4]
    with torch.no_grad():
        assert np.allclose(1 - np.array(drawn) / 255, model.decode(torch.zeros(1, 2)).mean.flatten(), atol=0.003)
    assert own.problems == []


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


def test_a_training_stays_beside_the_next_one(site, visit):
    page = visit(f"{site}/lab.html")
    press(page, "Train")
    reach(page, 60)
    press(page, "Pause")
    page.locator(".lx-told", has_text="Paused").wait_for()
    plane = page.locator(".lx-plane canvas")
    look, before = "c => c.toDataURL()", None
    while before != (before := plane.evaluate(look)):  # the codes come to rest
        page.wait_for_timeout(400)
    elbo = trait(page, "elbo")
    press(page, "Keep beside the next")
    still = page.locator(".lx-beside canvas")
    assert still.evaluate(look) == before
    said = page.inner_text(".lx-beside").replace("−", "-")
    assert said.startswith("Kept: seed 0, σ learned, 0.") and f"Held out: ELBO {elbo:.1f}" in said
    press(page, "Reset")
    page.get_by_label("β", exact=True).fill("4")
    press(page, "Train")
    reach(page, 5)
    press(page, "Pause")
    page.locator(".lx-told", has_text="Paused").wait_for()
    assert still.evaluate(look) == before != plane.evaluate(look), "while the next one learns"
    page.wait_for_timeout(200)
    curve = page.locator(".lx-curve").first
    both = curve.evaluate(look)
    press(page, "Take away")
    assert page.locator(".lx-beside").is_hidden() and curve.evaluate(look) != both


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
    small = folder / "explorer" / "lab-small.js"
    whole = small.read_text("utf-8")
    small.write_text(whole[:-40], "utf-8")
    page = visit(f"{site}/fetch.html")
    assert "first fetches the images" in page.inner_text(".lx-told")
    press(page, "Train")
    page.locator(".lx-error", has_text="did not arrive whole").wait_for()
    small.write_text(whole, "utf-8")
    page = visit(f"{site}/fetch.html?again")
    press(page, "Train")
    reach(page, 1)
    assert "Strokes, made smaller." in page.inner_text(".lx-lab")
    press(page, "Reset")
    page.get_by_label("other").check()
    assert "Strokes, made smaller." not in page.inner_text(".lx-lab")
    press(page, "Train")
    reach(page, 1)
    assert "Fewer of them." in page.inner_text(".lx-lab")
    assert page.evaluate("workers[1].sent[0].task.heldOut.length") == 10 * 49
    small.unlink()
    page = visit(f"{site}/fetch.html?lost")
    press(page, "Train")
    page.locator(".lx-error", has_text="did not load").wait_for()
    small.write_text(whole, "utf-8")


def test_images_that_come_when_others_are_wanted_are_not_learned(site, visit):
    page, held = visit(f"{site}/fetch.html"), []
    page.route("**/lab-small.js", lambda route: held.append(route))
    press(page, "Train")
    page.get_by_label("other").check()
    press(page, "Train")
    reach(page, 1)
    held[0].continue_()
    page.wait_for_timeout(500)
    press(page, "Reset")
    press(page, "Train")
    reach(page, 1)
    assert page.evaluate("workers.map(w => w.sent[0].task.heldOut.length / 49)") == [10, 10]
    assert "Fewer of them." in page.inner_text(".lx-lab")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_it(site, visit, scheme):
    page = visit(
        f"{site}/lab.html", viewport={"width": 390, "height": 844}, color_scheme=scheme, reduced_motion="reduce"
    )
    press(page, "Train")
    reach(page, 30)
    press(page, "Pause")
    page.wait_for_timeout(300)
    assert barriers(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


SHEET = """() => { const sheet = document.querySelector(".lx-contact"), { width, height } = sheet;
    const { data } = sheet.getContext("2d").getImageData(0, 0, width, height);
    return [width, height, Array.from(data.filter((_, i) => i % 4 === 0))] }"""


def contact_sheet(page, size):
    """The pictures on the contact sheet, (N, size, size), 1 for ink."""
    width, height, values = page.evaluate(SHEET)
    cells = np.array(values).reshape(height // (size + 2), size + 2, width // (size + 2), size + 2).swapaxes(1, 2)
    return 1 - cells.reshape(-1, size + 2, size + 2)[:, 1:-1, 1:-1] / 255


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A folder as a phone leaves it: two classes, a photograph that stands on its side, and what is no picture."""
    folder = tmp_path_factory.mktemp("pictures") / "mine"
    for label, name in enumerate(("bars", "rings")):
        (folder / name).mkdir(parents=True)
        for i in range(15):
            image = Image.new("L", (90, 60 + i), 230)
            shape = (20 + i, 10, 40 + i, 50)
            pen = ImageDraw.Draw(image)
            pen.ellipse(shape, outline=20, width=6) if label else pen.rectangle(shape, fill=20)
            image.save(folder / name / f"{i:02d}.png")
    lying = Image.new("RGB", (80, 60), "white")
    ImageDraw.Draw(lying).rectangle((0, 0, 30, 59), fill="red")
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    lying.save(folder / "rings" / "lying.jpg", exif=exif, quality=95)
    clear = Image.new("RGBA", (50, 50))
    ImageDraw.Draw(clear).line((5, 5, 45, 45), fill="black", width=5)
    clear.save(folder / "rings" / "clear.webp", lossless=True)
    (folder / "rings" / "broken.png").write_bytes(b"\x89PNG" + bytes(50))
    (folder / "rings" / "notes.txt").write_text("Remember the milk.")
    return folder


@pytest.mark.filterwarnings("ignore:Left out")
def test_own_pictures_are_seen_as_python_sees_them_learned_and_never_sent(site, visit, pictures):
    page = visit(f"{site}/own.html")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.locator("input[webkitdirectory]").set_input_files(pictures)
    page.get_by_text("32 pictures of 28 × 28 pixels").wait_for()
    own = page.locator(".lx-own").inner_text()
    for said in ("bars: 15, rings: 17", "light is paper", "32 pictures are few", "stay on this machine", "Left out: 2"):
        assert said in own, said
    page.get_by_text("Left out: 2").click()
    assert "mine/rings/broken.png: broken" in page.locator(".lx-own").inner_text()
    seen, wanted = contact_sheet(page, 28)[:32], load_dataset(pictures).images.numpy()
    assert np.abs(seen - wanted).max() < 0.03, "as load_dataset has them, turned, on paper and in the same order"
    press(page, "Train")
    reach(page, 150)
    press(page, "Pause")
    page.locator(".lx-told", has_text="Paused").wait_for()
    assert page.evaluate("workers[0].sent[0].task.shown.length") == 32 * 784
    page.get_by_label("16 × 16").check()
    page.get_by_text("32 pictures of 16 × 16 pixels").wait_for()
    press(page, "Exchange ink and paper")
    page.get_by_text("You have exchanged ink and paper").wait_for()
    assert not any(page.evaluate("workers.map(w => w.alive)")) and trait(page, "step") == 0
    assert np.abs(1 - contact_sheet(page, 16)[:32] - load_dataset(pictures, size=16).images.numpy()).max() < 0.03
    assert page.problems == [] and [url for url in asked if not url.startswith("blob:")] == []


@pytest.mark.parametrize("way", ["gaps", "grid"])
def test_a_photographed_sheet_becomes_its_doodles(site, visit, tmp_path, way):
    sheet = Image.new("L", (800, 600), 200)
    for i in range(12):
        x, y = 200 * (i % 4) + 60, 200 * (i // 4) + 60
        ImageDraw.Draw(sheet).ellipse((x, y, x + 50 + 2 * i, y + 70), outline=40, width=6)
    sheet.save(tmp_path / "sheet.png")
    page = visit(f"{site}/own.html")
    if way == "grid":
        page.get_by_label("a sheet, cut by a grid").check()
        page.get_by_label("rows").fill("3")
        page.get_by_label("rows").blur()
    page.locator("input[capture]").set_input_files(tmp_path / "sheet.png")
    page.get_by_text("12 pictures of 28 × 28").wait_for()
    assert all((0.01 < ink.mean() < 0.5 and ink[0].max() < 0.1) for ink in contact_sheet(page, 28)[:12])
    page.get_by_role("button", name="Train", exact=True).wait_for()


def test_pictures_and_folders_can_be_dropped_and_too_few_are_told(site, visit, pictures):
    page = visit(f"{site}/own.html")
    page.evaluate("document.querySelector('training-lab').model.set('running', true)")
    assert "Choose pictures first" in page.inner_text(".lx-error") and not trait(page, "running")
    drop = page.evaluate_handle(
        """bytes => { const data = new DataTransfer();
        data.items.add(new File([Uint8Array.from(bytes)], "one.png")); return data }""",
        list((pictures / "bars" / "00.png").read_bytes()),
    )
    page.dispatch_event(".lx-drop", "drop", {"dataTransfer": drop})
    page.locator(".lx-error", has_text="at least 11 pictures").wait_for()
    assert page.get_by_role("button", name="Train", exact=True).count() == 0


def test_pictures_can_be_chosen_by_everybody(site, visit, pictures):
    page = visit(f"{site}/own.html", viewport={"width": 390, "height": 844}, color_scheme="dark")
    page.locator("input[webkitdirectory]").set_input_files(pictures)
    page.get_by_role("button", name="Train", exact=True).wait_for()
    assert barriers(page) == [] and page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("name", ["lab", "own"])
def test_twenty_trainings_leave_no_more_behind_than_two(site, visit, pictures, name):
    page = visit(f"{site}/{name}.html")
    if name == "own":
        page.locator("input[webkitdirectory]").set_input_files(pictures)
    debugger, kept = page.context.new_cdp_session(page), []
    for i in range(20):
        if name == "own":  # another size makes other pictures, and another lab for them
            page.get_by_label(["16 × 16", "28 × 28"][i % 2]).check()
        page.get_by_role("button", name="Train", exact=True).wait_for()
        press(page, "Train")
        reach(page, 3)
        press(page, "Reset")
        page.evaluate("workers.splice(0).length")  # this test's own hold on them
        if i in (1, 19):
            page.wait_for_timeout(500)
            debugger.send("HeapProfiler.collectGarbage")
            counts = debugger.send("Memory.getDOMCounters")
            kept.append(
                (debugger.send("Runtime.getHeapUsage")["usedSize"], counts["nodes"], counts["jsEventListeners"])
            )
    assert page.workers == []
    (memory, nodes, listeners), (more, *others) = kept
    assert more < memory + 1e6 and others <= [nodes + 20, listeners + 10], kept
