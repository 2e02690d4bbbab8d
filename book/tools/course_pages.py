"""A Sphinx extension: what the course changes on the theme's pages."""

from __future__ import annotations

import html
import re
from urllib.parse import urlencode

HEADING = re.compile(r'<h[23]>((?:(?!</h[23]>).)*)<a class="headerlink" href="#([^"]*)"[^>]*>#</a>', re.DOTALL)
KAGGLE = "https://www.kaggle.com/kernels/welcome?"


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


def add_kaggle(app, pagename, templatename, context, doctree) -> None:
    """Puts a button for Kaggle beside the theme's for Colab: it opens the same notebook at GitHub."""
    for group in context.get("header_buttons", []):
        buttons = group.get("buttons", [])
        for at, button in enumerate(buttons):
            if button.get("text") == "Colab":
                source = "https://github.com/" + button["url"].partition("/github/")[2]
                own = {"text": "Kaggle", "tooltip": "Launch on Kaggle", "icon": "fab fa-kaggle"}
                buttons.insert(at + 1, {"type": "link", "url": KAGGLE + urlencode({"src": source}, safe=":/"), **own})
                break


def add_reports(app, pagename, templatename, context, doctree) -> None:
    """Puts a link beside each heading that opens an issue at GitHub, with the page and the heading in it."""
    repository = app.config.html_theme_options.get("repository_url", "")
    if not repository.startswith("https://github.com/") or "body" not in context:
        return
    title = _text(context["title"])

    def with_report(found: re.Match) -> str:
        heading, anchor = _text(found[1]), found[2]
        page = f"{app.config.html_baseurl}{pagename}.html#{anchor}"
        issue = {"title": f"{title}: {heading}", "body": f"{page}\n\nWhat is wrong here, or unclear?\n"}
        address = html.escape(f"{repository}/issues/new?{urlencode(issue)}")
        label = html.escape(f"Report something in “{heading}”")
        return f'{found[0]}<a class="report" href="{address}" aria-label="{label}">report</a>'

    context["body"] = HEADING.sub(with_report, context["body"])


def _text(markup: str) -> str:
    """The words of a heading, without its tags."""
    return html.unescape(re.sub(r"<[^>]*>", "", markup))


def setup(app) -> dict[str, bool]:
    app.connect("config-inited", follow_address)
    app.connect("html-page-context", drop_thebe, priority=900)
    app.connect("html-page-context", add_kaggle, priority=900)  # after the theme's own buttons
    app.connect("html-page-context", add_reports, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
