"""Pages under a policy that names only the site itself: what stood in a page still does the same from its files."""

import contextlib
import sys
from base64 import b64decode
from pathlib import Path

import pytest
from browser import Strict, served

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "book" / "tools"))

from strict_pages import Files, strict  # noqa: E402

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PAGE = """<!doctype html>
<html lang='en'>
<head><meta charset='utf-8'><title>x</title>{head}</head>
<body>{body}</body>
</html>
"""


@pytest.fixture
def opened(browser, tmp_path):
    """opened(body, head) shows this page as it is, or made strict and under the policy; it must not complain."""
    with contextlib.ExitStack() as stack:
        address = stack.enter_context(served(tmp_path, Strict))

        def show(body, head="", made_strict=True):
            text = PAGE.format(head=head, body=body)
            page, complaints = browser.new_page(), []
            stack.callback(page.close)
            page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            if made_strict:
                (tmp_path / "book").mkdir(exist_ok=True)
                (tmp_path / "book" / "page.html").write_text(strict(text, Files(tmp_path, "book/page.html")), "utf-8")
                page.goto(f"{address}/book/page.html")
            else:
                page.set_content(text)
            assert complaints == []
            return page

        yield show


def test_handlers_see_this_and_the_event_and_each_of_a_tag_is_heard(opened):
    tab = opened("""
      <button id=a onclick='log.push(this.id, event.type, "a > b")' onfocus="log.push('focus')"
        ONKEYDOWN="if (event.key === 'x') { log.push(this.id) } // the end">a</button>
      <a id="link" href="#gone" onclick="log.push(title); return false" title="mine">link</a>
      <form onsubmit="return false"><input name="far" value="there"><input id="in" value="here"
        onchange="log.push(value, far.value)"><button id="send">send</button></form>
      <script>var log = [];</script>""")
    tab.click("#a")
    tab.keyboard.press("x")
    assert tab.evaluate("log") == ["focus", "a", "click", "a > b", "a"]
    tab.click("#link")
    tab.click("#send")
    assert tab.url.endswith("/page.html"), "what returns false keeps the link and the form where they are"
    tab.fill("#in", "new")
    tab.locator("#in").blur()
    assert tab.evaluate("log").pop(5) == "mine" and tab.evaluate("log.slice(6)") == ["new", "there"]


def test_a_handler_with_a_mistake_stops_no_other(opened):
    with pytest.raises(AssertionError, match="Unexpected"):
        opened('<button onclick="it is broken">a</button>')
    tab = opened('<b onclick="document.title = 1">a</b><button onclick="document.title = \'heard\'">b</button>')
    tab.click("button")
    assert tab.title() == "heard"


def test_styles_of_tags_outrank_the_rules_whatever_their_quotes(opened, tmp_path):
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "dot.png").write_bytes(b64decode(PIXEL))
    tab = opened(
        """<p style='color: rgb(1, 2, 3); --gap: "a > b"'>one</p><p class="x" style="color: rgb(4, 5, 6)">two</p>
        <p class="x">three</p><b style="background: url(&quot;dot.png&quot;)">four</b>""",
        "<style>body p.x.x { color: rgb(7, 8, 9) }</style>",
    )
    colours = tab.eval_on_selector_all("p", "all => all.map(p => getComputedStyle(p).color)")
    assert colours == ["rgb(1, 2, 3)", "rgb(4, 5, 6)", "rgb(7, 8, 9)"]
    assert tab.evaluate("getComputedStyle(document.querySelector('p')).getPropertyValue('--gap')") == '"a > b"'
    assert tab.eval_on_selector("b", "b => getComputedStyle(b).backgroundImage").endswith('/book/dot.png")')
    assert tab.locator("[style]").count() == 0


def test_style_elements_become_files_in_their_order_with_their_media(opened):
    tab = opened(
        f"""<p>one</p><STYLE type='text/css'>p {{ margin-left: 7px; background: url(data:image/png;base64,{PIXEL}) }}
        </STYLE><svg viewBox="0 0 9 9"><defs><style>rect {{ fill: rgb(1, 2, 3) }}</style></defs><rect/></svg>""",
        "<style>p { color: rgb(9, 9, 9); margin-left: 5px }</style><style>p { color: rgb(1, 2, 3) }</style>"
        '<style media="print">p { color: rgb(4, 5, 6) }</style>',
    )
    style = tab.eval_on_selector("p", "p => { const s = getComputedStyle(p); return [s.color, s.marginLeft] }")
    assert style == ["rgb(1, 2, 3)", "7px"]
    assert tab.eval_on_selector("rect", "r => getComputedStyle(r).fill") == "rgb(1, 2, 3)"
    picture = tab.eval_on_selector("p", "p => getComputedStyle(p).backgroundImage").split('"')[1]
    assert tab.evaluate("address => fetch(address).then(answer => answer.ok)", picture)
    tab.emulate_media(media="print")
    assert tab.eval_on_selector("p", "p => getComputedStyle(p).color") == "rgb(4, 5, 6)"
    assert tab.locator("style").count() == 0


def test_scripts_run_in_their_order_and_data_stays_where_it_is(opened):
    tab = opened(
        """<script type="application/json" id="state">{"a": "<b onclick='x' style='y'> </head> <script src>"}</script>
        <script async defer>log.push("second", document.currentScript.previousElementSibling.id)</script>
        <script type='text/javascript'>if (1 < 2 && log) log.push("third </body>");</script>
        <script type="module">log.push("last")</script><script>log.push("fourth")</script>
        <svg><script>log.push("drawn")</script></svg>""",
        "<script>var log = ['first']</script>",
    )
    order = ["first", "second", "state", "third </body>", "fourth", "drawn", "last"]
    assert tab.evaluate("log") == order
    assert tab.evaluate("JSON.parse(document.querySelector('#state').text).a").startswith("<b onclick='x' style='y'>")
    assert tab.locator("script:not([src], [href], [type='application/json'])").count() == 0


def test_pictures_in_addresses_become_files_each_once(opened, tmp_path):
    drawing = "<svg xmlns='http://www.w3.org/2000/svg' width='8' height='6'/>"
    tab = opened(f"""
      <img src='data:image/png;base64,{PIXEL}'><img src="data:image/png;base64,{PIXEL}" alt="a > b">
      <img src="data:image/svg+xml;charset=utf-8,{drawing.replace("#", "%23")}">
      <svg><image href="data:image/png;base64,{PIXEL}"/></svg>""")
    sizes = tab.eval_on_selector_all("img", "all => all.map(i => [i.naturalWidth, i.naturalHeight])")
    assert sizes == [[1, 1], [1, 1], [8, 6]]
    assert tab.locator("[src^='data:'], [href^='data:']").count() == 0
    assert sorted(p.suffix for p in (tmp_path / "_inline").iterdir()) == [".png", ".svg"]


def test_all_else_stays_as_it_was(opened):
    body = r"""
      <pre>
  two  <span>spaces</span>

	a tab, &lt;b style="x" onclick='y'&gt; and &amp;amp;</pre>
      <span class="math  a">\(a &lt; b \\ \text{ c }\)</span> <code>style="color: red"</code>
      <!-- <script>left()</script> <p style="x"> --> <p>é &nbsp; &copy; <br> <input disabled value='"q"'>
      <svg viewBox="0 0 1 1"><linearGradient id="g"/><foreignObject><p>in</p></foreignObject></svg>
      <textarea>
 &lt;script&gt;</textarea><details open><summary>s</summary>text</details><x-y data-a='{"b": 1}'></x-y></p>"""
    dom = "[...document.querySelectorAll('*')].map(e => [e.outerHTML.replace(/^<html.*?>/, ''), e.textContent])"
    before, after = opened(body, made_strict=False).evaluate(dom), opened(body).evaluate(dom)
    assert after == before


def test_what_is_strict_stays_as_it_is(tmp_path):
    files = Files(tmp_path, "page.html")
    once = strict(PAGE.format(head="<style>p {}</style>", body="<p style='x:y' onclick='z()'>&lt;</p>"), files)
    assert strict(once, files) == once
    link = '<link rel="canonical" href="x" data-a=""/>'
    assert link in strict(PAGE.format(head=link, body=""), files), "attributes keep their order, for who looks for them"
