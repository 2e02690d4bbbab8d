"""The decks of slides: what a chapter's marks make of its cells, and every deck in a real browser, opened from disk."""

import json
import re
import sys
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from test_site import HTML

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "book" / "tools"))

import slides as tool  # noqa: E402


class Slide:
    """One slide: its heading, what it shows at once and at the next keys, and what its speaker sees."""

    def __init__(self, section):
        self.heading = section.find(re.compile("^h[1-6]$"), recursive=False)
        self.keys = [fragment.decode_contents().strip() for fragment in section.select(":scope > .fragment")]
        self.notes = "".join(note.decode_contents() for note in section.select(":scope > aside.notes"))
        for part in section.select(":scope > aside, :scope > .fragment, :scope > .chapter, :scope > :is(h1, h2)"):
            part.extract()
        self.shown = section.decode_contents().strip()


def slides_of(notebook):
    deck = BeautifulSoup(tool.deck(notebook, "01-bikes"), "html.parser")
    return [Slide(section) for section in deck.select("section > section")]


CHAPTERS = {path.stem: nbformat.read(path, 4) for path in sorted((ROOT / "book").glob("*.ipynb"))}
DECKS = {name: slides for name, chapter in CHAPTERS.items() if (slides := slides_of(chapter))}
ALIVE = ":is(latent-explorer, turning-object, pixel-cube, own-path, sound-plane)"
SIZES = """() => {
  const slide = Reveal.getCurrentSlide();
  const seen = [...slide.querySelectorAll("*")].filter(
    (e) => e.getClientRects().length && !e.closest("aside, option, .lx-hidden, mjx-assistive-mml"));
  const words = (e) => e.matches(".lx-plane") || // draws the numbers of its axes
    [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim());
  const boxes = seen.map((e) => e.getBoundingClientRect());
  return {
    height: slide.scrollHeight, width: slide.scrollWidth,
    bottom: Math.max(...boxes.map((box) => box.bottom)), right: Math.max(...boxes.map((box) => box.right)),
    small: seen.filter((e) => words(e) && parseFloat(getComputedStyle(e).fontSize) < 28).map((e) => e.outerHTML),
    blank: [...slide.querySelectorAll("img")].filter((i) => i.getClientRects().length && i.width < 200).length,
    failed: slide.querySelectorAll("mjx-merror").length,
  };
}"""


def text(source, kind="slide", **more):
    return new_markdown_cell(source, metadata={"slideshow": {"slide_type": kind, **more}})


def code(*outputs, kind="slide", tags=()):
    return new_code_cell(
        "a < b", outputs=list(outputs), metadata={"slideshow": {"slide_type": kind}, "tags": list(tags)}
    )


def printed(words):
    return new_output("stream", name="stdout", text=words)


def picture(html):
    return new_output("display_data", data={"text/html": html, "text/plain": "in words"})


def made(*cells):
    """The slides of these cells, the speaker's keys aside, which the first has in its notes."""
    slides = slides_of(new_notebook(cells=list(cells)))
    for slide in slides[:1]:
        slide.notes = slide.notes.replace(tool.KEYS, "").strip()
    return slides


def test_a_question_is_what_a_slide_shows_of_its_cell_and_its_answer_tells_it_again():
    question, answer = made(text("## Bikes\n\nThey roll.\n\n**Predict:** how *far*?"), code(printed("1 km\n")))
    assert str(question.heading) == "<h2>Bikes</h2>" == str(answer.heading)
    assert "how <em>far</em>?" in question.shown and "roll" not in question.shown
    assert question.notes == "<p>They roll.</p>"
    assert "1 km" in answer.shown and "how <em>far</em>?" in answer.notes


def test_without_a_question_the_first_block_is_shown_or_those_that_are_named():
    source = "# Bikes\n\nThey roll.\n\n$$v = \\sqrt{2}$$\n\n- far\n- [fast](b.ipynb#then)"
    (plain,), (chosen,) = made(text(source)), made(text(source, blocks=[2, 3]))
    assert plain.shown == "<p>They roll.</p>" and "<li>far" in plain.notes
    assert r"\[v = \sqrt{2}\]" in chosen.shown and 'href="../book/b.html#then"' in chosen.shown
    assert chosen.notes == plain.shown
    with pytest.raises(ValueError, match=r"01-bikes: blocks \[4\] are wanted of a cell that has 3"):
        made(text(source, blocks=[4]))


def test_a_code_cell_shows_its_figures_or_what_it_printed_or_if_tagged_its_source():
    figure, words = picture('<img src="x.png" alt="a bike">'), printed("long line \n  x<y\n")
    (both,), (bare,), (tagged,) = made(code(figure, words)), made(code(words)), made(code(words, tags=["slide-code"]))
    assert 'alt="a bike"' in both.shown and "long line" in both.notes and "long line" not in both.shown
    assert bare.shown == '<pre style="--columns: 9"><span>long line</span>\n<span>  x&lt;y</span></pre>'
    assert "a &lt; b" in tagged.shown and "long line" in tagged.notes
    hint = json.dumps({"spec": {"caption": 'Try "this" & that.'}})
    (live,) = made(code(picture(f"<latent-explorer><script>{hint}</script></latent-explorer>")))
    assert hint in live.shown and 'Try "this" &amp; that.' in live.notes


def test_a_deck_with_a_cube_a_path_or_a_sound_loads_what_lets_it_live_and_no_other_does():
    cube, path, sound, plane = (
        tool.deck(new_notebook(cells=[code(picture(f"<{tag}><script>{{}}</script></{tag}>"))]), "01-bikes")
        for tag in ("pixel-cube", "own-path", "sound-plane", "latent-explorer")
    )
    assert "explorer/cube.js" in cube and "explorer/cube.js" not in plane + path + sound
    assert "explorer/own-path.js" in path and "explorer/own-path.js" not in plane + cube + sound
    assert "explorer/sound.js" in sound and "explorer/sound.js" not in plane + cube + path


def test_of_recall_questions_the_first_and_the_last_are_shown_and_answered_at_the_next_key():
    fold = "<details>\n<summary>Answer</summary>\n\nanswer {0}\n</details>"
    source = "## Recall\n\nAloud!\n\n" + "\n\n".join(f"**{i}.** Why {i}?\n\n{fold.format(i)}" for i in (1, 2, 3))
    first, last = made(text(source))
    for slide, number in ((first, 1), (last, 3)):
        assert f"Why {number}?" in slide.shown and "answer" not in slide.shown
        assert slide.keys == [f'<div class="answer">\n<p>answer {number}</p>\n</div>']


@pytest.mark.parametrize("fold", ["<details><summary>A</summary>so</details>", "<details>\n<summary>A</summary>\n\nso"])
def test_a_single_folded_answer_makes_one_slide(fold):
    (slide,), (bare,) = made(text(f"Why?\n\n{fold}")), made(text(fold))
    assert slide.shown == "<p>Why?</p>" and bare.shown == ""
    assert "so" in slide.keys[0] and slide.keys == bare.keys


def blank(kind, tags=()):
    return new_code_cell("", metadata={"slideshow": {"slide_type": kind}, "tags": list(tags)})


@pytest.mark.parametrize("kind", ["slide", "fragment", "notes"])
@pytest.mark.parametrize(
    "cell", [lambda k: text("## Bikes", k), lambda k: text("", k), blank, lambda k: blank(k, ["slide-code"])]
)
def test_a_marked_cell_with_little_in_it_stops_no_deck(cell, kind):
    first, *rest = made(text("# Rides\n\nOut."), cell(kind))
    assert first.shown == "<p>Out.</p>" and len(rest) == (kind == "slide")


def test_fragments_and_notes_join_the_slide_before_and_unmarked_cells_stay_away():
    marked = [text("## Bikes\n\nOne."), text("Two.", "fragment"), code(printed("three"), kind="notes")]
    (slide,) = made(new_markdown_cell("Zero."), *marked, new_markdown_cell("Four."), text("Five.", "skip"))
    assert slide.shown == "<p>One.</p>" and slide.keys == ["<p>Two.</p>"]
    assert "three" in slide.notes and "Four" not in slide.notes
    assert made(new_markdown_cell("No marks, no deck.")) == []


def test_marks_that_cannot_be_followed_are_named():
    with pytest.raises(ValueError, match="'slides'; it must be one of slide, subslide"):
        made(text("One.", "slides"))
    with pytest.raises(ValueError, match="marked 'notes', but no slide stands before it"):
        made(text("One.", "notes"))


def begun():
    """The deck of a chapter that was begun from the template, and run: each cell shows a figure."""
    template = nbformat.read(ROOT / "book/tools/template.ipynb", 4)
    for cell in template.cells:
        if cell.cell_type == "code":
            cell.outputs = [picture('<img src="x.png" alt="what this cell shows">')]
    return slides_of(template)


@pytest.mark.parametrize("name", [*DECKS, "template"])
def test_a_deck_is_a_lecture(name):
    found = begun() if name == "template" else DECKS[name]
    assert 10 <= len(found) <= 20
    assert found[0].heading.name == "h1" and "You will" in found[0].shown
    asked = [i for i, slide in enumerate(found) if "<strong>Predict:" in slide.shown]
    assert len(asked) >= 3 and all(re.search("figure|<pre", found[i + 1].shown) for i in asked), "a question, an answer"
    assert found[-3].heading.text == "Takeaways" and "<li>" in found[-3].shown
    assert all('class="answer"' in slide.keys[0] for slide in found[-2:])
    assert sum(slide.notes != "" for slide in found) > len(found) / 2
    images = [image for slide in found for image in BeautifulSoup(slide.shown, "html.parser").select("img")]
    assert images and all(len(image["alt"]) >= 10 for image in images)


def open_deck(browser, name, slide=0, **size):
    """Opens a deck from disk; returns it with all that went wrong or left this machine."""
    tab = browser.new_context(viewport=size or {"width": 1280, "height": 720}).new_page()
    problems = []
    tab.on("pageerror", lambda error: problems.append(str(error)))
    tab.on("requestfailed", lambda request: problems.append(f"failed: {request.url}"))
    tab.on("request", lambda r: None if r.url.startswith(("file:", "data:", "blob:")) else problems.append(r.url))
    tab.goto(f"{(HTML / 'slides' / f'{name}.html').as_uri()}#/{slide}")
    tab.wait_for_function("window.Reveal?.isReady() && !!window.MathJax?.startup?.promise")
    tab.evaluate("MathJax.startup.promise.then(() => true)")
    return tab, problems


def wait_for_life(tab):
    """Waits until the explorer of the slide shown, if there is one, has drawn itself."""
    if tab.locator(f"section.present {ALIVE}").count():
        tab.locator(f"section.present {ALIVE} canvas:visible").first.wait_for()


@pytest.mark.parametrize("name", DECKS)
def test_a_deck_opens_from_disk_and_its_slides_fit_and_can_be_read_from_afar(browser, name):
    tab, problems = open_deck(browser, name)
    for number in range(len(DECKS[name])):
        assert tab.evaluate("Reveal.getIndices().h") == number
        while tab.evaluate("Reveal.availableFragments().next"):
            tab.keyboard.press("ArrowRight")
        wait_for_life(tab)
        sizes = tab.evaluate(SIZES)
        assert sizes["height"] <= 720 and sizes["width"] <= 1280, (number, sizes)
        assert sizes["bottom"] <= 712 and sizes["right"] <= 1250, (number, sizes)
        assert sizes["small"] == [] and sizes["blank"] == sizes["failed"] == 0, (number, sizes)
        tab.keyboard.press("ArrowRight")
    assert tab.evaluate("Reveal.isLastSlide() && Reveal.getTotalSlides()") == len(DECKS[name])
    assert tab.locator(".slide-number").inner_text() == f"{len(DECKS[name])} / {len(DECKS[name])}"
    assert problems == []
    tab.context.close()


LIVE = "moving-through-the-plane"
PLANE, PAD, WALK = (
    next(i for i, slide in enumerate(DECKS[LIVE]) if condition(slide.shown))
    for condition in (
        lambda html: "<latent-explorer" in html,
        lambda html: '"draw": true' in html,
        lambda html: "<latent-explorer" in html and '"ends": []' not in html,
    )
)


def test_the_plane_is_dragged_where_the_hand_is_whatever_the_size_of_the_screen(browser):
    tab, problems = open_deck(browser, LIVE, PLANE, width=1600, height=1000)
    wait_for_life(tab)
    handle, field = tab.locator("section.present .lx-point.lx-handle"), tab.locator("section.present .lx-field")
    box, start = field.bounding_box(), handle.bounding_box()
    tab.mouse.move(start["x"] + start["width"] / 2, start["y"] + start["height"] / 2)
    tab.mouse.down()
    tab.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2, steps=4)  # a quarter of −4 … 4: −2
    tab.mouse.up()
    tab.locator("section.present .lx-handle[aria-valuetext='z1 −2.00, z2 0.00']").wait_for(timeout=5000)
    tab.keyboard.press("ArrowRight")
    tab.locator("section.present .lx-handle[aria-valuetext='z1 −1.95, z2 0.00']").wait_for(timeout=5000)
    assert tab.evaluate("Reveal.getIndices().h") == PLANE, "arrow keys belong to the point while it is held"
    tab.keyboard.press("PageDown")
    assert tab.evaluate("Reveal.getIndices().h") == PLANE + 1
    assert problems == []
    tab.context.close()


def test_a_picture_is_searched_on_a_slide_and_the_answer_has_room(browser):
    tab, problems = open_deck(browser, LIVE, PAD)
    wait_for_life(tab)
    tab.locator("section.present select").select_option(index=5)
    tab.locator("section.present .lx-told", has_text="log P(x) =").wait_for(timeout=60_000)
    sizes = tab.evaluate(SIZES)
    assert sizes["height"] <= 720 and sizes["bottom"] <= 712 and sizes["small"] == []
    assert problems == []
    tab.context.close()


def test_the_speakers_window_has_the_notes_also_of_a_slide_that_is_shown_again(browser):
    tab, problems = open_deck(browser, LIVE, WALK)
    wait_for_life(tab)
    tab.keyboard.press("ArrowLeft")
    tab.keyboard.press("ArrowRight")
    assert tab.evaluate("Reveal.getCurrentSlide().querySelector('aside.notes') !== null")
    with tab.context.expect_page() as opened:
        tab.keyboard.press("s")
    question = BeautifulSoup(DECKS[LIVE][WALK - 1].shown, "html.parser").text[:40]
    opened.value.locator(".speaker-controls-notes", has_text=question.strip()).wait_for(timeout=10_000)
    assert problems == []
    tab.context.close()


@pytest.mark.parametrize("name", DECKS)
def test_chapter_and_deck_lead_to_each_other(name):
    page, deck = HTML / "book" / f"{name}.html", HTML / "slides" / f"{name}.html"
    foot = page.read_text("utf-8").split('<p class="slides">')[1].split("</p>")[0]
    assert re.findall(r'href="([^"]+)"', foot) == [f"../slides/{name}.html", "../book/api.html"]
    links = re.findall(r'href="([^"#]+)"', deck.read_text("utf-8"))
    assert f"../book/{name}.html" in links
    assert all((deck.parent / link).exists() for link in links)


def test_a_chapter_prints_as_a_handout(browser):
    """On paper: no buttons, stills for explorers, whole lines, dark on light; all code, and solutions that are open."""
    tab = browser.new_context(color_scheme="dark", viewport={"width": 1100, "height": 900}).new_page()
    tab.goto((HTML / "book" / f"{LIVE}.html").as_uri())
    for button in reversed(tab.get_by_role("button", name="Just show me").all()):
        button.click()
    explorer = tab.locator("latent-explorer").first
    explorer.scroll_into_view_if_needed()
    explorer.locator(".lx-plane canvas").wait_for()
    folded = tab.locator(".bd-article details:not(.above-input, latent-explorer *)")
    assert folded.count() >= 3
    opened = folded.first.element_handle()
    opened.evaluate("d => (d.open = true)")
    tab.emulate_media(media="print")
    assert explorer.locator(".lx-still img").is_visible() and not explorer.locator(".lx-plane").is_visible()
    assert tab.locator("button:visible, .bd-sidebar-primary:visible, p.slides:visible").count() == 0
    assert opened.is_visible() and tab.locator(".bd-article details:not(.above-input):visible").count() == 1
    code = tab.locator(".bd-article .above-input pre").evaluate_all("all => all.map(e => e.checkVisibility())")
    assert code and all(code), "folded code is printed"
    tab.goto((HTML / "book" / "objects.html").as_uri())  # the chapter with the longest formulas, as wide as A4 is
    tab.set_viewport_size({"width": 680, "height": 900})
    tab.wait_for_selector("mjx-container")
    beyond = "all => all.filter(e => e.getBoundingClientRect().right > innerWidth).map(e => e.outerHTML.slice(0, 80))"
    assert tab.eval_on_selector_all(".bd-article :is(mjx-math, img)", beyond) == []
    cut = "all => all.filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.textContent.slice(0, 80))"
    assert tab.eval_on_selector_all(".bd-article pre", cut) == []
    pale = """all => all.filter((e) => {
      const colors = getComputedStyle(e).color.match(/\\d+/g).slice(0, 3);
      return e.getClientRects().length && colors.some((value) => value > 90);
    }).map((e) => e.outerHTML.slice(0, 80))"""
    assert tab.eval_on_selector_all(".bd-article :is(p, li, h2, pre, .highlight span)", pale) == []
    tab.context.close()
