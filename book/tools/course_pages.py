"""A Sphinx extension: what the course changes on the theme's pages."""

from __future__ import annotations


def drop_thebe(app, pagename, templatename, context, doctree) -> None:
    """Removes sphinx-thebe's scripts: the course does not use them, and declared twice they raise an error."""
    context["script_files"] = [
        script
        for script in context.get("script_files", [])
        if "thebe" not in f"{getattr(script, 'filename', '')}{getattr(script, 'attributes', '')}".lower()
    ]


def setup(app) -> dict[str, bool]:
    app.connect("html-page-context", drop_thebe, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
