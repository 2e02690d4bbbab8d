"""The explorer where notebooks run: JupyterLab and Notebook 7 in a real browser, and under Colab's older packages."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import time
import tomllib
import urllib.request
from pathlib import Path

import nbformat
import pytest
from browser import served
from conftest import lacking
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
SETUP = """\
import ipywidgets
from vaecourse import LatentExplorer, load_pretrained
plane = LatentExplorer(load_pretrained("strokes-2d-page"), z=(0.5, -1.0))
slider = ipywidgets.FloatSlider(min=-4, max=4, step=0.01, description="z1")
ipywidgets.jslink((plane, "z1"), (slider, "value"))
seen = []
plane.observe(lambda change: seen.append(change.new), names="z2")
ipywidgets.VBox([slider, plane])"""
COUNT = """\
from vaecourse import LatentExplorer, load_pretrained
moves = []
plane = LatentExplorer(load_pretrained("strokes-2d-page"))
plane.observe(lambda change: moves.append(change.new), names="z1")
plane"""
TRAINING = """\
import torch
from vaecourse.explorer import TrainingLab
lab = TrainingLab(torch.rand(60, 7, 7))
lab"""
TURNING = """\
from vaecourse.data import bars
from vaecourse.explorer import PixelCube
cube = PixelCube(bars.World("ink"), show=["sheet"])
cube"""

DRAWING = """\
import numpy as np
from vaecourse import load_pretrained
from vaecourse.explorer import OwnPath
maps = {"doubt": np.zeros((9, 9)), "distance": np.ones((9, 9))}
ends = (-1, 0), (1, 0)
path = OwnPath(load_pretrained("strokes-2d-page"), *ends, [(0, 0)], [1], maps, {"line": ends})
path"""

SOUNDING = """\
from vaecourse import VAE
from vaecourse.explorer import SoundPlane
sound = SoundPlane(VAE((1, 32), 2, hidden=(8,)), z=(0, 0))
sound"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of a Jupyter server, with JupyterLab and Notebook 7, that runs in a folder with two notebooks."""
    folder = tmp_path_factory.mktemp("lab")
    cells = {
        "plane": (SETUP, "plane.z1, seen[-1]"),
        "count": (COUNT, "len(moves), plane.z1", "plane.close()"),
        "lab": (TRAINING, "lab.step, lab.model().meta['step']"),
        "cube": (TURNING, "cube.yaw, cube.z1"),
        "path": (DRAWING, "len(path.own), path.scores.get('your path', {}).get('length', 0)", "path.own = [(0, 1)]"),
        "sound": (SOUNDING, "sound.z2, int(sound.way == 'point')"),
    }
    for name, sources in cells.items():
        book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
        book.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
        nbformat.write(book, folder / f"{name}.ipynb")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--no-browser", "--allow-root", "--IdentityProvider.token=", f"--ServerApp.port={port}"]
    own = {f"JUPYTER_{what}_DIR": str(folder / what) for what in ("CONFIG", "DATA", "RUNTIME")}
    options += ["--LabApp.news_url=None", f"--ServerApp.root_dir={folder}", "--ServerApp.disable_check_xsrf=True"]
    own["JUPYTERLAB_SETTINGS_DIR"] = str(folder / "settings")
    chosen = folder / "settings/@jupyter-widgets/jupyterlab-manager/plugin.jupyterlab-settings"
    chosen.parent.mkdir(parents=True)
    chosen.write_text('{"saveState": true}', "utf-8")  # Settings > Save Widget State Automatically
    server = subprocess.Popen(
        [BIN / "jupyter-lab", *options], cwd=folder, env=os.environ | own, stderr=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{address}/api/status", timeout=1).close()
            break
        except OSError:
            time.sleep(0.2)
    yield address
    server.terminate()
    server.wait(timeout=20)


def run_first_cell(page, shows):
    """Runs the notebook's first cell until something of its output is there."""
    from playwright.sync_api import TimeoutError

    for _ in range(6):  # keys pressed before the notebook has a kernel are lost
        page.locator(".jp-Notebook .cm-content").first.click(timeout=60_000)
        page.keyboard.press("Control+Enter")
        try:
            shows.wait_for(timeout=20_000)
            return
        except TimeoutError:
            continue


def ask(page, known):
    """The pair of numbers that the second cell says, once it is `known`."""
    for _ in range(10):  # changes reach Python when its kernel has answered to those before
        page.locator(".jp-Notebook .cm-content").nth(1).click()
        page.keyboard.press("Control+Enter")
        page.wait_for_timeout(1000)
        results = page.locator(".jp-OutputArea-executeResult pre").all_inner_texts()
        pair = json.loads(results[-1].replace("(", "[").replace(")", "]")) if results else (0, 0)
        if known(pair):
            break
    return pair


def test_in_jupyter_the_lab_trains_and_python_gets_the_model(lab, browser):
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.goto(f"{lab}/lab/tree/lab.ipynb?reset")
    train = page.locator(".lx-lab button").first
    run_first_cell(page, train)
    train.click()
    page.locator(".lx-lab .lx-legend", has_text="images a second").first.wait_for(timeout=60_000)
    train.click()
    page.locator(".lx-lab .lx-told", has_text="Paused at step").wait_for(timeout=60_000)
    step, of_model = ask(page, lambda pair: pair[1])
    assert step == of_model > 3


def test_in_jupyter_python_knows_how_the_cube_was_turned(lab, browser):
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.goto(f"{lab}/lab/tree/cube.ipynb?reset")
    cube = page.locator(".lx-cube .lx-space")
    run_first_cell(page, cube)
    before, _ = ask(page, lambda pair: pair[0])
    cube.focus()
    page.keyboard.press("ArrowRight")
    after, _ = ask(page, lambda pair: pair[0] != before)
    assert 1 < abs(after - before) < 45


def test_in_jupyter_a_vowel_sounds_and_python_knows_where_it_was_steered(lab, browser):
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.goto(f"{lab}/lab/tree/sound.ipynb?reset")
    point = page.locator(".lx-sound .lx-point").first
    run_first_cell(page, point)
    page.locator(".lx-sound .lx-told", has_text="resonances near").first.wait_for()
    page.locator(".lx-volume button").first.click()
    page.locator(".lx-volume button", has_text="Sound off").first.wait_for()
    point.focus()
    page.keyboard.press("ArrowUp")
    assert ask(page, lambda pair: pair[0]) == pytest.approx([0.05, 1])
    page.close()


@pytest.mark.parametrize("host", ["lab/tree/path.ipynb?reset", "notebooks/path.ipynb"], ids=["lab", "notebook"])
def test_in_jupyter_a_path_is_drawn_by_keys_and_python_knows_it_and_its_scores(lab, browser, host):
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.goto(f"{lab}/{host}")
    cursor = page.locator(".jp-OutputArea .lx-cursor").first
    run_first_cell(page, cursor)
    cursor.focus()
    for key in ["Shift+ArrowUp", "Shift+ArrowUp", "Enter", "Shift+ArrowRight", "Enter", "Backspace"]:
        page.keyboard.press(key)  # some of these a notebook takes for itself unless it is told not to
    assert cursor.evaluate("e => e === document.activeElement"), "the keys are still the plane's"
    points, length = ask(page, lambda found: found[0] == 3 and found[1])
    assert (points, length) == (3, pytest.approx((1 + 5**0.5) / 2))
    page.locator(".jp-Notebook .cm-content").nth(2).click()
    page.keyboard.press("Control+Enter")
    page.locator(".lx-scores li", has_text="length 1.41").wait_for(timeout=20_000)
    points, length = ask(page, lambda found: found[1] < 1.5)
    assert (points, length) == (3, pytest.approx(2**0.5)), "Python set it, the page scored it"
    cursor.focus()
    page.keyboard.press("Escape")
    assert ask(page, lambda found: found[0] == 0) == [0, 0]


@pytest.mark.parametrize("host", ["lab/tree/plane.ipynb?reset", "notebooks/plane.ipynb"], ids=["lab", "notebook"])
def test_in_jupyter_the_plane_the_slider_and_python_move_together(lab, browser, host):
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.goto(f"{lab}/{host}")
    handle = page.locator(".jp-OutputArea .lx-handle").first
    run_first_cell(page, handle)
    readout = page.locator(".widget-readout").first
    assert readout.inner_text() in ("0.50", "0.00")  # a link hears of changes, not of what was before
    handle.focus()
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("ArrowUp")
    page.locator(".widget-readout", has_text="1.00").wait_for(timeout=10_000)
    assert handle.get_attribute("aria-valuetext") == "z1 1.00, z2 −0.95", "an arrow upwards is no other cell's"
    box = page.locator(".lx-field").first.bounding_box()
    x, y = box["x"] + box["width"] * (1 + 2 / 4) / 2, box["y"] + box["height"] / 2
    page.mouse.click(x, y)  # z = (2, 0)
    page.locator(".widget-readout", has_text="2.0").or_(page.locator(".widget-readout", has_text="1.9")).wait_for()
    z1, z2 = ask(page, lambda z: z[0] > 1.5)
    assert z1 == pytest.approx(2, abs=0.05) and z2 == pytest.approx(0, abs=0.05), "Python knows where the hand was"


def test_a_drag_costs_few_messages_a_saved_explorer_lives_again_and_a_closed_one_goes(lab, browser):
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.goto(f"{lab}/lab/tree/count.ipynb?reset")
    handle = page.locator(".jp-OutputArea .lx-handle").first
    run_first_cell(page, handle)
    box = page.locator(".lx-field").first.bounding_box()
    y, began = box["y"] + box["height"] / 2, time.monotonic()
    page.mouse.move(box["x"] + box["width"] / 2, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 7 / 8, y, steps=300)
    page.mouse.up()
    took = time.monotonic() - began
    moves, z1 = ask(page, lambda found: found[1] > 2.9)
    assert z1 == pytest.approx(3, abs=0.05), "Python knows where the drag ended"
    assert 1 <= moves <= 5 * took + 2, f"{moves} messages in {took:.1f} s"
    page.keyboard.press("Control+s")
    page.wait_for_timeout(2000)
    page.locator(".jp-Notebook .cm-content").nth(2).click()
    page.keyboard.press("Control+Enter")
    handle.wait_for(state="detached", timeout=10_000)
    page.close()
    end_kernels(lab)
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.goto(f"{lab}/lab/tree/count.ipynb?reset")
    page.locator(".jp-OutputArea .lx-handle").first.wait_for(timeout=60_000)
    place = page.locator(".jp-OutputArea .lx-handle").first.get_attribute("aria-valuetext")
    assert place.startswith("z1 3.00") or place.startswith("z1 2.9"), "it was saved with the notebook, and lives"


def end_kernels(address):
    for session in json.load(urllib.request.urlopen(f"{address}/api/sessions")):
        gone = urllib.request.Request(f"{address}/api/sessions/{session['id']}", method="DELETE")
        urllib.request.urlopen(gone).close()


# What Colab ships of the packages that the course stands on (August 2026), and the front end of its ipywidgets. Its
# PyTorch, 2.11.0, is not laid over this machine's: it would be gigabytes.
COLAB = [
    *("numpy==2.1.3", "scipy==1.16.3", "matplotlib==3.10.0", "scikit-image==0.25.2", "pillow==11.3.0"),
    *("pooch==1.9.0", "requests==2.32.4", "safetensors==0.8.0", "tqdm==4.67.3"),
    *("ipywidgets==7.7.1", "anywidget==0.9.21", "traitlets==5.7.1", "widgetsnbextension==3.6.10"),
    *("ipython==7.34.0", "ipykernel==6.17.1", "ipython-genutils==0.2.0", "backcall==0.2.0", "pickleshare==0.7.5"),
    *("decorator==4.4.2", "prompt-toolkit==3.0.53"),
]
FRONT_END = "@jupyter-widgets/html-manager@0.20.6"
UNDER_COLAB = """
import ipywidgets, json
from ipywidgets.embed import embed_data
import torch
from vaecourse import VAE, LatentExplorer, load_pretrained
from vaecourse.data import bars
from vaecourse.explorer import OwnPath, PixelCube, SoundPlane, TrainingLab
assert ipywidgets.__version__ == "7.7.1"
plane = LatentExplorer(load_pretrained("strokes-2d-page"), z=(0.5, -1.0), draw=True)
slider = ipywidgets.FloatSlider(min=-4, max=4, step=0.01, description="z1")
link = ipywidgets.jslink((plane, "z1"), (slider, "value"))
plane.z1 = 1.25
data, _ = plane._repr_mimebundle_()
assert {"application/vnd.jupyter.widget-view+json", "text/html"} <= data.keys()
others = [PixelCube(bars.World("ink"), show=["sheet"]), TrainingLab(torch.rand(60, 7, 7))]
maps, ends = {"doubt": torch.zeros(9, 9), "distance": torch.ones(9, 9)}, [(-1, 0), (1, 0)]
others += [OwnPath(load_pretrained("strokes-2d-page"), *ends, [(0, 0)], [1], maps, {"line": ends})]
others += [SoundPlane(VAE((1, 32), 2, hidden=(8,)), z=(0, 0))]
data = embed_data(views=[slider, plane, *others], drop_defaults=False)
print(json.dumps([data["manager_state"], data["view_specs"]]))
"""


RUN_CHAPTER = """
import sys, nbformat, numpy, IPython
from IPython.core.interactiveshell import InteractiveShell
assert (numpy.__version__, IPython.__version__) == ("2.1.3", "7.34.0")
shell = InteractiveShell.instance()
for cell in nbformat.read(sys.argv[1], as_version=4).cells:
    if cell.cell_type == "code":
        shell.run_cell(cell.source).raise_error()
"""


@pytest.fixture(scope="module")
def colab_packages(tmp_path_factory):
    """A folder with Colab's packages, to be laid over those of this machine."""
    folder = tmp_path_factory.mktemp("packages")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", folder, *COLAB]
    subprocess.run(install, check=True)
    return folder


def test_colab_has_all_that_the_package_needs_and_nothing_is_upgraded():
    needs = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    ships = dict(pin.split("==") for pin in [*COLAB, "torch==2.11.0"])
    for need in map(Requirement, needs):
        assert need.specifier.contains(ships[need.name]), f"Colab would have to upgrade {need.name}"


OLDEST = """
import sys, anywidget, ipywidgets, numpy as np, PIL, torch
from pathlib import Path
from PIL import Image
from vaecourse import LatentExplorer, load_pretrained
from vaecourse.data import load_folder
print(anywidget.__version__, ipywidgets.__version__, PIL.__version__)
plane = LatentExplorer(load_pretrained("strokes-2d-page"))
plane.z1, plane.z2 = torch.tensor([1.5, -1.0])
assert {"application/vnd.jupyter.widget-view+json", "text/html"} <= plane._repr_mimebundle_()[0].keys()
plane.close()
Path("mine/a").mkdir(parents=True)
Image.fromarray(np.full((28, 28), 2**14, np.uint16)).save("mine/a/sixteen bits.png")
assert np.allclose(load_folder("mine").images, 0.25, atol=1e-3)
"""


def test_the_oldest_widgets_and_pictures_that_are_allowed_do(tmp_path):
    needs = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    found = {need.name: next(iter(need.specifier)).version for need in map(Requirement, needs)}
    oldest = {name: found[name] for name in ("anywidget", "ipywidgets", "pillow")}
    pins = [f"{name}=={version}" for name, version in oldest.items()]
    # ipywidgets 7 needs ipython-genutils, and nothing else does.
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", tmp_path, *pins]
    subprocess.run([*install, "ipython-genutils==0.2.0"], check=True)
    env = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    run = [sys.executable, "-W", "ignore", "-c", OLDEST]
    done = subprocess.run(run, env=env, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    ran = dict(zip(oldest, done.stdout.split(), strict=True))
    assert all(Version(ran[name]) == Version(oldest[name]) for name in oldest)


@pytest.mark.parametrize("chapter", ["two-numbers", "moving-through-the-plane"])
def test_chapters_run_from_top_to_bottom_under_colabs_packages(colab_packages, tmp_path, chapter):
    run = [sys.executable, "-c", RUN_CHAPTER, ROOT / "book" / f"{chapter}.ipynb"]
    env = os.environ | {"PYTHONPATH": str(colab_packages), "MPLBACKEND": "agg"}
    done = subprocess.run(run, env=env, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture(scope="module")
def under_colab(tmp_path_factory, colab_packages):
    """A folder with a page of what a notebook made under Colab's packages, laid over those of this machine."""
    folder, packages = tmp_path_factory.mktemp("colab"), colab_packages
    run = [sys.executable, "-c", UNDER_COLAB]
    env = os.environ | {"PYTHONPATH": f"{packages}{os.pathsep}{ROOT}"}
    done = subprocess.run(run, env=env, capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stderr
    state, views = json.loads(done.stdout.splitlines()[-1])
    if not shutil.which("npm"):
        lacking("npm")
    subprocess.run(["npm", "pack", "--silent", FRONT_END], cwd=folder, check=True)
    with tarfile.open(next(folder.glob("*.tgz"))) as tar:
        tar.extractall(folder, filter="data")
    shutil.copy(packages / "anywidget" / "nbextension" / "index.js", folder / "anywidget.js")
    shutil.copy(ROOT / "book/static/vendor/requirejs/require.js", folder)
    escape = json.dumps([state, *views]).replace("<", "\\u003c")
    (folder / "parts.js").write_text(f"const [state, ...views] = {escape};", "utf-8")
    (folder / "index.html").write_text(COLAB_PAGE, "utf-8")
    return folder


COLAB_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Colab</title><body>
<script src="parts.js"></script>
<script>
  const add = (type, value) => {
    const script = document.createElement("script");
    script.type = `application/vnd.jupyter.widget-${type}+json`;
    script.textContent = JSON.stringify(value);
    document.body.append(script);
  };
  add("state", state);
  for (const view of views) add("view", view);
</script>
<script src="require.js"></script>
<script data-jupyter-widgets-cdn="/none/" src="package/dist/embed-amd.js"></script>
"""


def test_under_colabs_packages_the_plane_and_its_slider_move_together(under_colab, browser):
    with served(under_colab) as address:
        page = browser.new_page()
        page.goto(f"{address}/index.html")
        point = page.locator(".lx-handle").first
        point.wait_for(timeout=30_000)
        assert point.get_attribute("aria-valuetext") == "z1 1.25, z2 −1.00"
        point.focus()
        page.keyboard.press("Shift+ArrowRight")
        page.locator(".widget-readout", has_text="1.75").wait_for(timeout=5000)
        assert page.locator(".lx-pad").is_visible()


def test_under_colabs_packages_the_cube_turns_a_path_is_drawn_a_vowel_sounds_and_the_lab_trains(under_colab, browser):
    with served(under_colab) as address:
        page = browser.new_page()
        page.goto(f"{address}/index.html")
        cube = page.locator(".lx-cube .lx-space")
        cube.wait_for(timeout=30_000)
        cube.focus()
        before = cube.screenshot()
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(500)
        assert cube.screenshot() != before
        page.locator(".lx-own-path .lx-cursor").focus()
        for key in ("Shift+ArrowUp", "Enter"):
            page.keyboard.press(key)
        page.locator(".lx-scores li", has_text="length 1.28").wait_for(timeout=20_000)
        page.locator(".lx-sound").get_by_role("button", name="Sound on").click()
        page.locator(".lx-sound").get_by_role("button", name="Sound off").wait_for()
        page.locator(".lx-sound .lx-told", has_text="resonances near").wait_for()
        page.locator(".lx-lab").get_by_role("button", name="Train").click()
        page.locator(".lx-lab .lx-legend", has_text="images a second").first.wait_for(timeout=60_000)
