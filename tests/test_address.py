"""The address of the repository is set in one place, and everything follows."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "book" / "tools"))

import address  # noqa: E402


@pytest.fixture(scope="module")
def fork(tmp_path_factory):
    """A copy of what the address could be written into."""
    root = tmp_path_factory.mktemp("fork")
    for name in ("book", "vaecourse"):
        ignore = shutil.ignore_patterns("__pycache__", "*.safetensors")
        shutil.copytree(ROOT / name, root / name, ignore=ignore)
    texts = ["_config.yml", "_toc.yml", "pyproject.toml", "CITATION.cff", "README.md", "environment.yml", "Makefile"]
    for name in texts:
        shutil.copy(ROOT / name, root / name)
    return root


def places(root, words):
    """The files that hold these words."""
    files = [p for p in root.rglob("*") if p.is_file() and "_build" not in p.parts]
    return {p.relative_to(root).as_posix() for p in files if words.encode() in p.read_bytes()}


def test_everything_follows_from_the_configuration():
    for path, text in address.follow().items():
        assert path.read_text("utf-8") == text, f"{path.name} does not follow _config.yml. Run: make address"


def test_a_fork_sets_it_once_and_nothing_else_names_the_old_one(fork):
    assert address.main(["https://github.com/Ada-Fork/latent.git"], fork) == 0
    chapters = {f"book/{p.name}" for p in (fork / "book").glob("*.ipynb")}
    assert places(fork, "github.com/Ada-Fork/latent") == {"_config.yml", "pyproject.toml", "CITATION.cff"} | chapters
    assert address.pages(address.read(fork)) == "https://ada-fork.github.io/latent/"
    assert address.main(["https://git.example.org/group/course/"], fork) == 0
    assert places(fork, "Ada-Fork") == places(fork, "ada-fork.github") == set()
    assert yaml.safe_load((fork / "_config.yml").read_text())["html"]["baseurl"] == "", "whose pages are elsewhere"
    assert "https://git.example.org/group/course\n" in (fork / "CITATION.cff").read_text()


@pytest.mark.parametrize(
    ("tag", "says"), [("v1.2", "has the tag v1.2."), ("v1.3", "has no tag v1.3, at"), (None, "could not be asked")]
)
def test_a_tag_that_is_not_there_is_told(tmp_path, monkeypatch, tag, says):
    """Asked of a repository on this disk, which git is told to find at the address."""
    url, git = (
        "https://github.com/ada-fork/latent",
        ["git", "-C", tmp_path, "-c", "user.name=A", "-c", "user.email=a@b"],
    )
    if tag:
        subprocess.run([*git, "init", "--quiet"], check=True)
        subprocess.run([*git, "commit", "--quiet", "--allow-empty", "--message=all"], check=True)
        subprocess.run([*git, "tag", "v1.2"], check=True)
    settings = {"COUNT": "1", "KEY_0": f"url.{tmp_path}.insteadOf", "VALUE_0": url}
    for name, value in settings.items():
        monkeypatch.setitem(os.environ, f"GIT_CONFIG_{name}", value)
    told = address.tagged(url, tag or "v1.2")
    assert told.startswith(f"{url} {says}") and (tag == "v1.2" or "git push origin v1." in told)


@pytest.mark.parametrize("wrong", ["github.com/you/course", "https://github.com", "https://x.org/a b", 'https://x/"y'])
def test_what_is_no_address_is_refused_and_changes_nothing(fork, capsys, wrong):
    before = (fork / "_config.yml").read_text()
    assert address.main([wrong], fork) == 1
    assert "Try https://github.com/you/course" in capsys.readouterr().err
    assert (fork / "_config.yml").read_text() == before


@pytest.mark.parametrize("url", ["", "https://github.com/ada-fork/latent"])
def test_the_first_cell_fetches_the_package_where_it_is_missing_and_does_nothing_elsewhere(fork, url):
    source = address.cell(url, "1.2")
    here = source.replace("%pip", "raise SystemExit  # ")
    exec(here, {})  # the package is here: nothing happens
    missing = here.replace("vaecourse", "no_such_package")
    with pytest.raises(SystemExit):
        exec(missing, {})
    assert url == "" or f'"vaecourse @ git+{url}@v1.2"' in source
    for path in (ROOT / "book").glob("*.ipynb"):
        first = next(c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code")
        assert first.metadata["tags"] == ["remove-cell", address.TAG], path.name


def test_pages_with_an_address_have_buttons_descriptions_and_a_sitemap(fork):
    address.main(["https://github.com/ada-fork/latent"], fork)
    config = (fork / "_config.yml").read_text("utf-8").replace("execute_notebooks: cache", 'execute_notebooks: "off"')
    (fork / "_config.yml").write_text(config, "utf-8")
    build = [Path(sys.executable).with_name("jupyter-book"), "build", "-W", "--keep-going", fork]
    done = subprocess.run(build, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    page = (fork / "_build/html/book/training.html").read_text("utf-8")
    place = "ada-fork/latent/blob/main/book/training.ipynb"
    assert f'href="https://colab.research.google.com/github/{place}"' in page
    kaggle = 'href="https://www.kaggle.com/kernels/welcome?src=https://github.com/'
    assert f'{kaggle}{place}"' in page
    for other in sorted((fork / "_build/html/book").glob("*.html")):
        text = other.read_text("utf-8")
        assert text.count(kaggle) == text.count('href="https://colab.research.google.com/github/'), other.name
    assert 'href="https://mybinder.org/v2/gh/ada-fork/latent/main?urlpath=lab/tree/book/training' in page
    assert 'rel="canonical" href="https://ada-fork.github.io/latent/book/training.html"' in page
    sitemap = (fork / "_build/html/sitemap.xml").read_text("utf-8")
    assert "<loc>https://ada-fork.github.io/latent/book/training.html</loc>" in sitemap
    cards = list((fork / "_build/html/_images/social_previews").glob("*.png"))
    assert len(cards) >= len(list((fork / "book").glob("*.ipynb")))
    article = BeautifulSoup(page, "html.parser").select_one(".bd-article")
    headings = article.select(":is(h2, h3):has(> a.headerlink)")
    links = article.select("a.report")
    assert len(links) == len(headings) > 5 and all(link.parent.name in ("h2", "h3") for link in links)
    where, query = links[0]["href"].split("?")
    issue = {name: value[0] for name, value in parse_qs(query).items()}
    assert where == "https://github.com/ada-fork/latent/issues/new"
    anchor, title = headings[0].a["href"], headings[0].find(string=True)
    assert issue["title"].endswith(f": {title}") and "<" not in issue["title"] and "raining" in issue["title"]
    assert issue["body"].startswith(f"https://ada-fork.github.io/latent/book/training.html{anchor}\n")
    assert title in links[0]["aria-label"]
