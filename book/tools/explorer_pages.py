"""A Sphinx extension: gives a page what its explorers and widgets need to live without a kernel, and nothing more.

An explorer that stands by itself is shown as its twin in HTML. One that stands among plain ipywidgets, linked to them
by `jslink`, needs Jupyter's widget manager and the state of those widgets. MyST-NB writes the state of every widget
that a notebook made, weights and front end included, into the page; what is left here is what the page shows. A
progress bar is for the one who waits: those that a chapter left behind are not shown.
The images that a page learns from are made here, and never stand in the repository.
"""

from __future__ import annotations

import json
import re
import shutil
from base64 import b64encode
from pathlib import Path

from strict_pages import parse

LIBRARY = Path(__file__).resolve().parents[2] / "vaecourse"
VIEW = "application/vnd.jupyter.widget-view+json"
FRONT_ENDS = {
    "page.js": ("latent-explorer", "turning-object"),
    "cube.js": ("pixel-cube",),
    "own-path.js": ("own-path",),
    "sound.js": ("sound-plane",),
    "lab.js": ("training-lab",),
}
LINKS = ("LinkModel", "DirectionalLinkModel")


def named(model: dict) -> set[str]:
    """The widgets that a widget's state speaks of, but for a plane's weights: the page loads them itself."""
    plane = "page_model" in model["state"].get("spec", {})
    state = {name: value for name, value in model["state"].items() if name != "weights" or not plane}
    return set(re.findall(r"IPY_MODEL_(\w+)", json.dumps(state)))


def shown(models: dict[str, dict], views: set[str]) -> set[str]:
    """The widgets behind these views: all that they hold, and the links between those."""
    kept: set[str] = set()
    wanted = views & models.keys()
    while wanted:
        kept |= wanted
        wanted = set().union(*(named(models[name]) for name in wanted))
        links = {k: named(m) for k, m in models.items() if m["model_name"] in LINKS}
        wanted |= {k for k, ends in links.items() if ends <= kept}
        wanted = (wanted & models.keys()) - kept
    return kept


def lighten(model: dict) -> dict:
    """A plane without its weights and front end, which the page loads once, for all; other widgets as they are."""
    state = model["state"]
    if "_esm" not in state or "page_model" not in state["spec"]:
        return model
    name = state["spec"]["page_model"]
    if name is None:
        raise ValueError("a page can run only the models in vaecourse/weights whose names end in -page.")
    front = f"export default {{ render: (face) => window.latentExplorer.render(face, {json.dumps(name)}) }};"
    return model | {"state": state | {"_esm": front, "_css": "", "weights": None}}


def keep_what_is_shown(app, pagename: str, template: str, context: dict, doctree) -> None:
    """Cuts the page's widget state down to what its views of explorers need; other views, and their state, go."""
    data = getattr(app.env, "nb_metadata", {}).get(pagename, {}).get("js_files", {})
    _, script = data.pop("ipywidgets_state", (None, None))
    if script is None:
        return
    saved, kept = json.loads(script["body"]), set()
    body = parse(context["body"])
    for view in body.find_all("script", type=VIEW):
        models = shown(saved["state"], {json.loads(view.text)["model_id"]})
        if any("_esm" in saved["state"][name]["state"] for name in models):
            kept |= models
        else:
            view.decompose()
    context["body"] = str(body)
    if not kept:
        return
    saved["state"] = {name: lighten(model) for name, model in saved["state"].items() if name in kept}
    text = json.dumps(saved, sort_keys=True).replace("<", "\\u003c")  # no tag may end the script
    data["ipywidgets_state"] = (None, script | {"body": text})
    app.add_js_file("widgets.js", loading_method="defer")


def add_explorer(app, pagename: str, template: str, context: dict, doctree) -> None:
    """Adds the front end of the explorers that stand on this page."""
    body = context.get("body", "")
    scripts = [script for script, elements in FRONT_ENDS.items() if any(f"<{element}" in body for element in elements)]
    if scripts:
        app.add_css_file("explorer/explorer.css")
    for script in scripts:
        app.add_js_file(f"explorer/{script}", loading_method="defer")
    if "<training-lab" in body:
        for lab in parse(body).find_all("training-lab", attrs={"data-images": True}):
            for name in str(lab["data-images"]).split():
                write_images(Path(app.outdir) / "_static" / "explorer", name)


def write_images(folder: Path, name: str) -> None:
    """Writes the images of a set that labs learn from, once; where it cannot be had, those of what stands in for it."""
    path = folder / f"lab-{name}.js"
    if not path.exists():
        from vaecourse.data import load_dataset, resolve  # with PyTorch, which most pages do without
        from vaecourse.explorer import page_images
        from vaecourse.files import write_whole

        text = page_images(load_dataset(resolve(name), split="train"))
        write_whole(path, f'trainingLabImages["{name}"]({text});\n'.encode())


def write_front_end(folder: Path) -> None:
    """Writes what explorers load in a page: the style sheet that notebooks use, and the small models' weights.

    A page that was opened from disk may load nothing but scripts, so each model's weights become one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(LIBRARY / "explorer" / "explorer.css", folder)
    for path in LIBRARY.rglob("*-page.safetensors"):
        weights = b64encode(path.read_bytes()).decode()
        (folder / f"{path.stem}.js").write_text(f'latentExplorerWeights["{path.stem}"]("{weights}");\n', "utf-8")


def write_with_the_book(app) -> None:
    if app.builder.format == "html":
        write_front_end(Path(app.outdir) / "_static" / "explorer")


def setup(app) -> dict:
    app.connect("builder-inited", write_with_the_book)
    app.connect("html-page-context", keep_what_is_shown, priority=400)  # before MyST-NB adds the page's scripts
    app.connect("html-page-context", add_explorer)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
