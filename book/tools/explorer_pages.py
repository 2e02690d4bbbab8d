"""A Sphinx extension: gives pages with an explorer its script and style sheet, and takes the notebook's widgets away.

What a page shows of an explorer is its twin in HTML. The state of the widgets, weights and all, which MyST-NB would
write into every page that made one, has no reader there.
"""

from __future__ import annotations


def drop_widget_state(app, env) -> None:
    """Forgets what the notebooks' widget managers saved."""
    for data in getattr(env, "nb_metadata", {}).values():
        data.get("js_files", {}).pop("ipywidgets_state", None)


def add_explorer(app, pagename: str, template: str, context: dict, doctree) -> None:
    """Adds the explorer's front end to this page, if an explorer stands on it."""
    if "<latent-explorer" in context.get("body", ""):
        app.add_css_file("explorer/explorer.css")
        app.add_js_file("explorer/page.js", loading_method="defer")


def setup(app) -> dict:
    app.connect("env-updated", drop_widget_state)
    app.connect("html-page-context", add_explorer)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
