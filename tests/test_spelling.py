"""Every word of the prose is English, spelled as in Britain: chapters, pages, docstrings, comments, what is printed.

Hunspell's American dictionary comes with chunspell, and codespell's table says which of its words Britain spells
otherwise. What both do not know, and is right, stands in words.txt.
"""

import ast
import io
import re
import tokenize
import tomllib
from importlib.resources import files
from pathlib import Path

import hunspell
import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("book", "book/tools")
PLACES = [path for folder in FOLDERS for ending in ("ipynb", "md", "py") for path in ROOT.glob(f"{folder}/*.{ending}")]
PLACES = sorted([*ROOT.glob("*.md"), *PLACES, *(ROOT / "vaecourse").rglob("*.py"), ROOT / "book/claims.toml"])

AS_IT_IS = (  # titles as they were published, and one of Matplotlib's places
    "Accessible color sequences for data visualization",
    "Nearest neighbor pattern classification",
    'Krotkov, "Focusing"',
    "Software for a cascade/parallel formant synthesizer",
    "outside lower center",
    "outside upper center",
)
NOT_PROSE = re.compile(
    r"""```.*?``` | `[^`]*` | \$\$.*?\$\$ | \$[^$]*\$     # code and formulas
    | <[/!]?[a-z][^>]*> | &\w+; | \{[^{}]*\} | \]\([^)]*\)  # markup, and where links lead
    | https?://\S+ | \S*\w[\\_/=@]\w\S* | \w+(?:\.\w+)+ | \w+\(  # addresses, and names of things
    | \w+['’](?:t|ll|ve|re)\b                            # of don't, only half is a word
    """,
    re.DOTALL | re.VERBOSE,
)
WORD = re.compile(r"\b[^\W\d_²]{3,}\b")

AMERICAN = hunspell.Hunspell("en_US")
TABLE = (files("codespell_lib") / "data" / "dictionary_en-GB_to_en-US.txt").read_text("utf-8").split()
BRITISH = dict(row.split("->") for row in TABLE)
AT_HOME = {american: british for british, american in BRITISH.items()}
STEMS = re.compile("neighbor|behavior|color|gray|center|(travel|model|label|cancel)(ed|ing)$")  # which it lacks
OURS = set(re.sub("#.*", "", (ROOT / "tests/words.txt").read_text("utf-8")).split())


def of_python(code):
    """The comments, and the strings of more than one word: docstrings, messages, alt texts."""
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.COMMENT:
            yield token.string
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.value


def prose(path):
    """The texts of a file that somebody reads."""
    text = path.read_text("utf-8")
    if path.suffix == ".py":
        yield from of_python(text)
    elif path.suffix == ".ipynb":
        for cell in nbformat.reads(text, as_version=4).cells:
            yield from [cell.source] if cell.cell_type == "markdown" else of_python(cell.source)
    elif path.suffix == ".toml":
        yield from (claim["says"] for claim in tomllib.loads(text).values())
    else:
        yield text


def misspelled(text):
    """The words of a text that are wrong, and what to write."""
    text = " ".join(text.split())
    for quoted in AS_IT_IS:
        text = text.replace(quoted, " ")
    for word in WORD.findall(NOT_PROSE.sub(" ", text)):
        small = word.lower()
        if not word[1:].islower() or {word, small} & OURS or small in BRITISH:
            continue  # what has capitals inside is a name of something
        if small in AT_HOME or STEMS.search(small):
            yield f"{word}: as in Britain, please. {AT_HOME.get(small, '')}"
        elif not AMERICAN.spell(word):
            yield f"{word}: {', '.join(AMERICAN.suggest(word)[:3])}?"


@pytest.mark.parametrize("path", PLACES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_word_is_known(path):
    wrong = [f"{word} In: {' '.join(text.split())[:80]}…" for text in prose(path) for word in misspelled(text)]
    assert not wrong, "mend these, or add them to tests/words.txt:\n" + "\n".join(wrong)


def test_a_slip_of_the_pen_is_seen():
    right = "The colours of neighbouring pixels, `teh` code, $\\teh$, z_teh, fit(teh=1), teh.teh, [a link](teh.html)."
    assert list(misspelled(right)) == []
    for slip in ("colors", "nieghbouring", "pixles", "interpolaton", "Probablity", "behavior", "traveled", "Grayest"):
        assert [found.split(":")[0] for found in misspelled(f"Here (a {slip}) stands.")] == [slip]
