"""Questions: what chapters declare, and the pages that ask them, in a real browser."""

import json
import shutil
from pathlib import Path

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import Strict, front_end, served
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from predictions import ask, check, of_chapter, parse, plain, recalled, with_truth
from slides import blocks_of
from strict_pages import Files, strict

from vaecourse import LatentExplorer, load_pretrained

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = [*sorted((ROOT / "book").glob("*.ipynb")), ROOT / "book/tools/template.ipynb"]
PRINTED = "hand 1: off by 0.25\nhand 2: off by 0.5\nhand 3: off by 1.0\nin all 62.5 %\n"


def read(path):
    return nbformat.read(path, as_version=4)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_every_prediction_can_be_answered_and_its_truth_stands_below_it(path):
    asked = of_chapter(read(path))
    assert asked and not [a.told[:80] for a in asked if a.question is None], "write metadata for each **Predict:**"
    for one in asked:
        question = with_truth(one.question, one.printed)
        assert len(one.question["after"]) > 20 or one.question["kind"] == "text", question["name"]
        assert one.told.strip(), f"{question['name']}: nothing stands below it that could tell"
        told = " ".join(one.told.split())
        answers = [o["text"] for o in question.get("options", []) if "but" not in o]
        assert one.question["kind"] != "choice" or one.question["shown"] in told, f"{question['name']}: not shown below"
        answers += [f"{question['truth']:g}"] if question["kind"] == "number" else []
        assert not [a for a in answers if a.lower() in one.heading.lower()], f"{one.heading!r} tells the answer"
    names = [a.question["name"] for a in asked]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_of_the_questions_to_recall_two_are_choices(path):
    heading, questions = recalled(read(path))
    for question in questions:
        check(question)
    assert heading == "Five questions to recall"
    assert sum(q["kind"] == "choice" for q in questions) >= 2


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_setup_is_folded_and_most_code_stands_open(path):
    code = [c for c in read(path).cells if c.cell_type == "code" and "remove-cell" not in c.metadata.get("tags", [])]
    folded = [c for c in code if "hide-input" in c.metadata.get("tags", [])]
    assert any("plots.use_style()" in c.source for c in folded), "give the cell of imports the tag hide-input"
    assert len(folded) < len(code) / 3, "the lines that carry an idea stand open"


CHOICE = {"name": "a", "kind": "choice", "options": [{"text": "x"}, {"text": "y", "but": "No."}]}
NUMBER = {"name": "a", "kind": "number", "ask": "Share", "min": 0, "max": 100, "step": 1, "truth": r"all ([\d.]+)"}


@pytest.mark.parametrize(
    ("question", "wrong"),
    [
        (CHOICE | {"kind": "guess"}, "kind is 'guess'"),
        (CHOICE | {"name": "A b"}, "small letters"),
        (CHOICE | {"options": [{"text": "x"}, {"text": "x", "but": "No."}]}, "two different texts"),
        (CHOICE | {"options": [{"text": "x"}, {"text": "y"}]}, "one option is right"),
        (CHOICE | {"optoins": []}, "look at optoins"),
        ({k: v for k, v in NUMBER.items() if k != "truth"}, "look at truth"),
        (NUMBER | {"truth": r"none ([\d.]+)"}, "finds 0 numbers"),
        (NUMBER | {"truth": r"off by ([\d.]+)"}, "finds 3 numbers"),
        (NUMBER | {"max": 50}, "outside the slider"),
        (NUMBER | {"kind": "curve", "x": "", "y": "", "truth": r"(?P<x>in) all (?P<y>[\d.]+)"}, "fewer than three"),
        (NUMBER | {"kind": "point", "x": "", "y": "", "truth": r"hand (?P<x>\d): off by (?P<y>.*)"}, "3 places"),
        (
            NUMBER | {"kind": "point", "x": "", "y": "", "max": 2, "truth": r"hand (?P<x>3).* (?P<y>1.0)"},
            "outside the pl",
        ),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused_in_a_sentence(question, wrong):
    question = {k: v for k, v in question.items() if question["kind"] not in ("curve", "point") or k != "step"}
    with pytest.raises(ValueError, match=wrong):
        with_truth(question, PRINTED)


def test_truths_are_read_from_what_was_printed():
    assert with_truth(NUMBER, PRINTED)["truth"] == 62.5
    curve = {**NUMBER, "kind": "curve", "x": "hand", "y": "off", "truth": r"hand (?P<x>\d): off by (?P<y>[\d.]+)"}
    del curve["step"]
    assert with_truth(curve, PRINTED)["truth"] == [["1", 0.25], ["2", 0.5], ["3", 1.0]]
    point = curve | {"kind": "point", "truth": r"hand (?P<x>2): off by (?P<y>[\d.]+)", "marks": []}
    assert with_truth(point, PRINTED)["truth"] == [2, 0.5]
    assert plain("Predict: is \\(\\sigma\\)\n small?") == "Is σ small?"


def test_metadata_without_its_paragraph_is_told():
    book = new_notebook(cells=[new_markdown_cell("No question.", metadata={"predict": [CHOICE]})])
    with pytest.raises(ValueError, match="its cell has no paragraph"):
        of_chapter(book)
    book = new_notebook(cells=[new_markdown_cell("## Five", metadata={"recall": [CHOICE]})])
    with pytest.raises(ValueError, match="1 entries for 0 folded answers"):
        recalled(book)


def chapter(explorer):
    """A small chapter with one question of each kind, as a notebook and as the body of its page."""
    hands = [{"text": f"hand {i}", "truth": rf"hand {i}: off by ([\d.]+)"} for i in (1, 2, 3)]
    limits = {"min": 0, "max": 1}
    questions = [
        CHOICE | {"name": "which", "shown": "x", "after": "So it is x.", "open": 1},
        NUMBER | {"name": "share", "unit": "%", "after": "Rather much.", "near": 5},
        {"name": "rank", "kind": "order", "ask": "From the worst to the best", "items": hands, "after": "They tire."},
        {"name": "draw", "kind": "curve", "ask": "Draw it.", "x": "hand", "y": "off by", **limits,
         "truth": r"hand (?P<x>\d): off by (?P<y>[\d.]+)", "after": "It doubles."},
        {"name": "words", "kind": "text", "after": "As you like."},
        {"name": "place", "kind": "point", "ask": "The second hand", "x": "hand", "y": "off by", "min": -3, "max": 3,
         "truth": r"hand (?P<x>2): off by (?P<y>[\d.]+)", "marks": [{"text": "A", "at": [1, 1]}], "after": "There."},
    ]  # fmt: skip
    recall = [{"kind": "choice", "options": [{"text": "yes"}, {"text": "no", "but": "Nearly."}]}, None]
    cells = [new_markdown_cell("# A chapter\n\nIt asks.")]
    for i, question in enumerate(questions):
        text = f"## Part {i}\n\n**Predict:** what comes out of part {i}?\n\n" + "This belongs to it.\n\n" * (i == 0)
        cells.append(new_markdown_cell(text, metadata={"predict": [question]}))
        cells.append(new_code_cell("measure()", outputs=[new_output("stream", text=PRINTED)]))
        cells.append(new_markdown_cell(f'Outcome {i}: <a id="inside-{i}" href="#top">see</a>.'))
    folded = "<details>\n<summary>Answer</summary>\n\nYes.\n</details>"
    text = f"## Five questions to recall\n\n**1.** Is it?\n\n{folded}\n\n**2.** Why?\n\n{folded}"
    cells.append(new_markdown_cell(text, metadata={"recall": recall}))
    html = ""
    for cell in cells:
        if cell.cell_type == "markdown":
            html += "".join(map(str, blocks_of(cell.source))).replace("<h2>", "</section><section><h2>")
        else:
            output = f'<div class="output stream"><pre>{PRINTED}</pre></div>'
            html += f'<details class="above-input"><summary>Code</summary><pre>{cell.source}</pre></details>'
            html += f'<div class="cell_output">{output}{explorer if html.count("<h2>") == 1 else ""}</div>'
    return new_notebook(cells=cells), f"<section>{html}</section>"


def test_what_a_question_keeps_open_is_no_part_of_what_tells_it():
    told = [asked.told for asked in of_chapter(chapter("")[0])]
    assert "Outcome 0" in told[0] and "belongs to it" not in told[0] and PRINTED in told[4]


HEAD = (
    '<!doctype html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8"><title>A chapter — Book</title>'
    '<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="theme.css">'
    '<link rel="stylesheet" href="predict.css"><link rel="stylesheet" href="explorer/explorer.css">'
    '<script src="predict-point.js"></script><script src="predict.js"></script>'
    '<script defer src="predict-report.js"></script>'
    '<script defer src="explorer/page.js"></script></head><body><main><article class="bd-article">'
)
THEME = """[hidden] { display: none !important; } .visually-hidden { position: absolute; width: 1px; height: 1px;
overflow: hidden; clip-path: inset(50%); }
html[data-theme=light] { --pst-color-primary: #0a5ea8; --pst-color-border: #bbb; --pst-color-surface: #f3f4f5;
--pst-color-background: #fff; --pst-color-text-base: #222; --pst-color-text-muted: #48566b; }
html[data-theme=dark] { --pst-color-primary: #3fb1c5; --pst-color-border: #555; --pst-color-surface: #29313d;
--pst-color-background: #14181e; --pst-color-text-base: #ced6dd; --pst-color-text-muted: #9ca4af;
background: #14181e; color: #ced6dd; } pre { white-space: pre-wrap; } a { color: inherit; }"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("asking")
    front_end(folder)
    for name in ("predict.js", "predict-point.js", "predict-report.js", "predict.css"):
        shutil.copy(ROOT / "book/static" / name, folder)
    explorer = LatentExplorer(load_pretrained("strokes-2d-page"), z=(1, 0))._repr_mimebundle_()[0]["text/html"]
    notebook, html = chapter(explorer)
    body = parse(html)
    assert ask(body, "chapter", notebook) == []
    (folder / "theme.css").write_text(THEME, "utf-8")
    for theme in ("light", "dark"):
        page = strict(HEAD.format(theme=theme) + str(body) + "</article></main>", Files(folder, theme))
        (folder / f"{theme}.html").write_text(page, "utf-8")
    report = HEAD.format(theme="light") + "<h1>Yours</h1><book-answers></book-answers></article></main>"
    (folder / "report.html").write_text(report, "utf-8")
    return folder


@pytest.fixture(scope="module")
def site(folder):
    with served(folder, Strict) as address:
        yield address


@pytest.fixture
def visit(browser, site):
    contexts = []

    def open_page(name="light.html", base=site, blocked=False, **settings):
        context = browser.new_context(**{"viewport": {"width": 390, "height": 844}, **settings})
        contexts.append(context)
        if blocked:
            context.add_init_script("Object.defineProperty(window, 'localStorage', {get() { throw new Error('no'); }})")
        page = context.new_page()
        page.problems = []
        page.on("pageerror", lambda e: page.problems.append(str(e)))
        page.on("console", lambda m: page.problems.append(m.text) if "Content Security" in m.text else None)
        page.on("request", lambda r: page.problems.append(r.url) if not r.url.startswith((base, "blob:")) else None)
        page.goto(f"{base}/{name}")
        return page

    yield open_page
    for context in contexts:
        context.close()


def test_what_each_chapter_loads_to_ask_is_small():
    assert len((ROOT / "book/static/predict.js").read_bytes()) < 12_000


def question(page, name):
    return page.locator(f"book-question[data-name=chapter-{name}]")


def is_seen(page, text):
    """Whether a text can be seen, which what is shut for all but the browser's search cannot."""
    return page.get_by_text(text).evaluate("e => e.checkVisibility()")


def is_shut(page, name):
    return page.locator(f"book-outcome[data-of=chapter-{name}]").get_attribute("hidden") is not None


def answer(page, name):
    """Gives an answer to a question by keys alone."""
    asked = question(page, name)
    if name == "which":
        asked.get_by_role("radio").first.focus()
        page.keyboard.press("ArrowDown")
    elif name == "share":
        asked.get_by_role("slider").focus()
        page.keyboard.press("Home")
    elif name == "rank":
        asked.get_by_role("button", name="hand 1: down").focus()
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.ariaLabel") == "hand 1: down", "the focus follows what was moved"
    elif name == "place":
        asked.get_by_role("slider").focus()
        for key in ("ArrowLeft", "ArrowRight", "ArrowRight", "Shift+ArrowUp"):
            page.keyboard.press(key)
    elif name == "draw":
        asked.get_by_role("slider").nth(1).focus()
        page.keyboard.press("End")
    else:
        asked.get_by_role("textbox").focus()
        page.keyboard.type("a guess")


SAYS = {
    "which": ("Not so. No.", "So it is x."),
    "share": ("Too low: you said 0 %, it is 62.5 %.", "Rather much."),
    "rank": ("1 of 3 pairs stand in the right order.", "They tire."),
    "draw": ("Another curve: yours is off by 0.42 on average.", "It doubles."),
    "words": ("You wrote:", "As you like."),
    "place": ("Elsewhere: your point lies 1.9 from it.", "There."),
}


@pytest.mark.parametrize("blocked", [False, True], ids=["kept", "blocked"])
@pytest.mark.parametrize("name", SAYS)
def test_an_outcome_stays_shut_until_the_reader_commits_and_then_says_what_the_difference_means(visit, name, blocked):
    page = visit(blocked=blocked)
    assert is_shut(page, name) and not is_seen(page, f"Outcome {list(SAYS).index(name)}:")
    asked = question(page, name)
    button = asked.get_by_role("button", name="Commit" if name == "words" else "certain")
    button.click()
    assert "first" in asked.locator("[role=status]").last.inner_text() and is_shut(page, name), "no answer yet"
    answer(page, name)
    button.focus()
    page.keyboard.press("Enter")
    assert not is_shut(page, name)
    verdict, after = SAYS[name]
    assert verdict in asked.get_by_role("status").inner_text() and after in asked.inner_text()
    assert "certain" in asked.inner_text() or name == "words"
    assert asked.evaluate("e => e.contains(document.activeElement)"), "the focus stays near"
    assert ("keeps nothing" in asked.inner_text()) == blocked
    page.reload()
    assert is_shut(page, name) == blocked, "an answer that was kept is not asked for again"
    assert page.problems == []


def test_what_belongs_to_the_question_stands_open_and_what_follows_may_just_be_shown(visit):
    page = visit()
    assert page.get_by_text("This belongs to it.").is_visible()
    question(page, "which").get_by_role("button", name="Just show me").click()
    assert not is_shut(page, "which") and page.evaluate("document.activeElement.localName") == "book-outcome"
    page.reload()
    assert not is_shut(page, "which")
    question(page, "which").get_by_role("button", name="Ask me again").click()
    assert is_shut(page, "which") and page.evaluate("document.activeElement.type") == "radio"


def test_a_plane_in_what_was_shut_comes_to_life_when_it_opens(visit):
    page = visit()
    assert page.locator("latent-explorer canvas").count() == 0, "what is not seen need not run"
    question(page, "which").get_by_role("button", name="Just show me").click()
    page.locator("latent-explorer").scroll_into_view_if_needed()
    page.locator(".lx-point canvas").wait_for()
    page.wait_for_timeout(200)
    field, handle = (page.locator(part).bounding_box() for part in (".lx-field", ".lx-handle"))
    assert field["width"] > 200 and abs((handle["x"] + 22 - field["x"]) / field["width"] - 5 / 8) < 0.01, "z = (1, 0)"


@pytest.mark.parametrize("how", ["address", "link", "search"])
def test_whoever_is_led_into_what_is_shut_finds_it_open(visit, how):
    page = visit("light.html#inside-2" if how == "address" else "light.html")
    if how == "link":
        page.evaluate("location.hash = 'inside-2'")
    elif how == "search":
        outcome = page.locator("book-outcome[data-of=chapter-rank]")
        assert outcome.get_attribute("hidden") == "until-found"
        assert outcome.evaluate("e => getComputedStyle(e).display") == "block", "or nothing in it could be found"
        outcome.evaluate("e => e.dispatchEvent(new Event('beforematch', {bubbles: true}))")
    page.get_by_text("Outcome 2:").wait_for()
    assert not is_shut(page, "rank") and is_shut(page, "share")


def test_both_switches_are_remembered(visit):
    page = visit()
    page.get_by_label("show all code").check()
    page.get_by_label("ask me before").uncheck()
    for _ in range(2):
        assert page.locator("details.above-input:not([open])").count() == 0
        assert page.locator("book-outcome[hidden]").count() == 0 and not question(page, "which").is_visible()
        page.reload()
    page.get_by_label("ask me before").check()
    page.get_by_label("show all code").uncheck()
    assert page.locator("book-outcome[hidden]").count() == 6 and page.locator("details.above-input[open]").count() == 0


def test_questions_to_recall_take_an_answer_and_then_unfold_ours(visit):
    page = visit()
    first, second = question(page, "recall-1"), question(page, "recall-2")
    ours = page.locator("details[data-of]")
    first.get_by_label("no").check()
    first.get_by_role("button", name="Check").click()
    assert "Not so. Nearly." in first.inner_text() and ours.first.evaluate("d => d.open")
    second.get_by_role("textbox").fill("because")
    assert not ours.last.evaluate("d => d.open")
    second.get_by_role("button", name="Compare with ours").click()
    assert "because" in second.inner_text() and ours.last.evaluate("d => d.open")


def test_a_curve_is_drawn_by_hand(visit):
    page = visit()
    asked = question(page, "draw")
    asked.scroll_into_view_if_needed()
    box = asked.locator(".ask-sheet").bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + box["height"] * 0.75)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=8)
    page.mouse.move(box["x"] + box["width"] - 5, box["y"] + 1, steps=8)
    page.mouse.up()
    asked.get_by_role("button", name="guessing").click()
    assert "Close" in asked.inner_text()


def test_a_point_is_set_by_hand_and_drawn_beside_the_truth(visit):
    page = visit()
    asked = question(page, "place")
    asked.scroll_into_view_if_needed()
    box = asked.locator(".ask-sheet").bounding_box()

    def at(right, up):
        """Where on the screen a place of the plane is, whose edges are -3 and 3."""
        return box["x"] + box["width"] * (right + 3) / 6, box["y"] + box["height"] * (3 - up) / 6

    page.mouse.click(*at(-2, 1))
    assert "hand = −2, off by = 1" in asked.inner_text()
    page.mouse.move(*at(-2, 1))
    page.mouse.down()
    page.mouse.move(*at(2.2, 0.4), steps=5)
    page.mouse.up()
    page.mouse.move(*at(0, 0))
    assert asked.get_by_role("slider").get_attribute("aria-valuetext") == "hand = 2.2, off by = 0.4"
    asked.get_by_role("button", name="guessing").click()
    assert "Close: your point lies 0.2" in asked.inner_text()
    seen = asked.get_by_role("img")
    assert (
        seen.get_attribute("aria-label") == "Your point at hand = 2.2, off by = 0.4; as it is, hand = 2, off by = 0.5."
    )
    there, yours = (seen.locator(part).bounding_box() for part in (".ask-there", ".ask-handle"))
    centre = [there["x"] + there["width"] / 2 - yours["x"] - yours["width"] / 2, there["y"] - yours["y"]]
    assert -0.2 * box["width"] / 6 == pytest.approx(centre[0], abs=2) and centre[1] < 0


def test_predictions_are_collected_kept_as_a_file_and_forgotten(visit):
    page = visit()
    for name, sure in (("which", "certain"), ("share", "guessing"), ("words", None)):
        answer(page, name)
        question(page, name).get_by_role("button", name=sure or "Commit").click()
    page.goto(page.url.replace("light", "report"))
    rows = page.get_by_role("row").all_inner_texts()
    assert [row.split() for row in rows[1:]] == [
        ["Certain", "1", "0", "0", "%"], ["Fairly", "sure", "0", "0", "none", "yet"], ["Guessing", "1", "0", "0", "%"]
    ]  # fmt: skip
    surprises = page.locator("ol a")
    assert [a.get_attribute("href") for a in surprises.all()] == [
        "light.html#predict-chapter-which", "light.html#predict-chapter-share"
    ], "the largest first"  # fmt: skip
    with page.expect_download() as download:
        page.get_by_role("button", name="Keep them as a file").click()
    kept = json.loads(Path(download.value.path()).read_text("utf-8"))
    assert kept["chapter-words"]["said"] == "a guess" and kept["chapter-share"]["truth"] == "62.5 %"
    page.get_by_role("button", name="Forget all").click()
    page.get_by_role("button", name="No, keep them").click()
    page.get_by_role("button", name="Forget all").click()
    page.get_by_role("button", name="Yes, forget them").click()
    assert "Nothing is kept here yet" in page.inner_text("book-answers")
    page.goto(page.url.replace("report", "light"))
    assert is_shut(page, "which")


@pytest.mark.parametrize("how", ["no scripts", "print"])
def test_without_scripts_and_on_paper_everything_stands_open(visit, how):
    page = visit(java_script_enabled=how == "print")
    if how == "print":
        page.emulate_media(media="print")
    for i in range(6):
        assert is_seen(page, f"Outcome {i}:")
    assert not question(page, "which").get_by_role("radio").first.is_visible()


def test_it_works_from_disk(visit, folder):
    page = visit(base=folder.as_uri())
    answer(page, "share")
    question(page, "share").get_by_role("button", name="guessing").click()
    assert not is_shut(page, "share") and page.problems == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("answered", [False, True])
def test_no_barrier_that_a_machine_finds_and_nothing_sticks_out(visit, theme, answered):
    page = visit(f"{theme}.html", bypass_csp=True)
    for name in SAYS if answered else ():
        answer(page, name)
        question(page, name).get_by_role("button", name="Commit" if name == "words" else "fairly sure").click()
    found = Axe().run(page, context="article")
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth") and page.problems == []
    small = page.locator("book-question :is(button, label:has(input), input[type=range])").evaluate_all(
        "all => all.filter(e => e.offsetHeight < 44).map(e => e.outerHTML)"
    )
    assert small == [], "a finger needs 44 pixels"
