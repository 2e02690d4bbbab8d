"""A Sphinx extension: what the course changes on the theme's pages."""

from __future__ import annotations


def drop_thebe(app, pagename, templatename, context, doctree) -> None:
    """Removes sphinx-thebe's scripts: the course does not use them, and declared twice they raise an error."""
    context["script_files"] = [
        script
        for script in context.get("script_files", [])
        if "thebe" not in f"{getattr(script, 'filename', '')}{getattr(script, 'attributes', '')}".lower()
    ]


def follow_address(app, config) -> None:
    """Launch buttons, cards for sharing and a sitemap hold whole addresses: they wait for one (make address)."""
    if not config.html_theme_options.get("repository_url"):
        for name in ("launch_buttons", "repository_url", "repository_branch"):
            config.html_theme_options.pop(name, None)
    if config.html_baseurl:
        config.ogp_site_url = config.html_baseurl
        config.sitemap_url_scheme = "{link}"
        app.setup_extension("sphinx_sitemap")
    else:
        config.ogp_social_cards = {"enable": False}


def setup(app) -> dict[str, bool]:
    app.connect("config-inited", follow_address)
    app.connect("html-page-context", drop_thebe, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
