"""What make hands on to the tools, what it builds again, and what it packs."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from jupyter_cache import get_cache
from nbformat.v4 import new_code_cell, new_notebook, writes

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "book" / "tools"))

import build  # noqa: E402
import execute  # noqa: E402
from classroom_zip import course_files  # noqa: E402
from number import write  # noqa: E402
from site_zip import pack  # noqa: E402

pytestmark = pytest.mark.slow


def shown(recipe, *arguments, **environment):
    """What a recipe prints in whose environment make has put what it hands on."""
    command, rules = ["make", "--silent", "-f", "-", "show", *arguments], f"include Makefile\nshow:\n\t@{recipe}\n"
    options = {"capture_output": True, "text": True, "encoding": "utf-8", "check": True}
    done = subprocess.run(command, cwd=ROOT, env=os.environ | environment, input=rules, **options)
    return done.stdout.removesuffix("\n")


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("my  data", f"{ROOT}/my  data"),
        ("./data/../other", f"{ROOT}/other"),
        ("/the/data of all", "/the/data of all"),
        ("~/my data", os.path.expanduser("~/my data")),
        ("it's $HOME", f"{ROOT}/it's $HOME"),
        ('the "best" $(data) #1/', f'{ROOT}/the "best" $(data) #1'),
        ("", ""),
    ],
)
@pytest.mark.parametrize("where", ["environment", "arguments"])
def test_make_makes_the_folder_of_the_data_absolute_and_keeps_its_name(given, wanted, where):
    arguments = [f"VAECOURSE_DATA={given}"] if where == "arguments" else []
    environment = {"VAECOURSE_DATA": given} if where == "environment" else {}
    assert shown("printenv VAECOURSE_DATA || true", *arguments, **environment) == wanted


@pytest.mark.parametrize("encoding", ["", ":strict", "ascii", "ascii:strict", "utf-8"])
def test_what_make_calls_can_print_every_letter_on_every_terminal(encoding):
    said = shown(f"'{sys.executable}' -c 'print(\"\\u00fc\")'", LC_ALL="C", PYTHONIOENCODING=encoding)
    assert said == "?" if "ascii" in encoding else said == "ü"


@pytest.fixture
def course(tmp_path):
    """All that the keys of a book with two chapters are made of."""
    chapters = ("training", "reading-the-plane")
    texts = {f"book/{topic}.ipynb": writes(new_notebook(cells=[new_code_cell(topic)])) for topic in chapters}
    texts["_toc.yml"] = "parts:\n- chapters:\n" + "".join(f"  - file: book/{topic}\n" for topic in chapters)
    checks = [f"vaecourse/course/exercises/{name}.py" for name in ("asking", "training", "reading_the_plane")]
    texts |= dict.fromkeys([*checks, "vaecourse/plots.py", "book/claims.toml", "constraints.txt"], "")
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("edited", "executed"),
    [
        ("vaecourse/course/exercises/reading_the_plane.py", {"reading-the-plane"}),
        ("vaecourse/course/exercises/asking.py", {"training", "reading-the-plane"}),
        ("vaecourse/plots.py", {"training", "reading-the-plane"}),
        ("constraints.txt", {"training", "reading-the-plane"}),
        ("_toc.yml", set()),
    ],
)
def test_an_edit_has_only_those_chapters_executed_that_hang_on_it(course, edited, executed):
    built = course / "_build"
    build.forget_what_is_stale(build.keys(["mnist"], course), built)
    cache = get_cache(built / ".jupyter_cache")
    pages = {topic: built / f".doctrees/book/{topic}.doctree" for topic in ("training", "reading-the-plane")}
    for topic, page in pages.items():
        cache.cache_notebook_file(course / f"book/{topic}.ipynb", check_validity=False)
        page.parent.mkdir(parents=True, exist_ok=True)
        page.touch()
    with (course / edited).open("a") as file:
        file.write("# edited\n")
    build.forget_what_is_stale(build.keys(["mnist"], course), built)
    kept = {Path(record.uri).stem for record in get_cache(built / ".jupyter_cache").list_cache_records()}
    assert kept == {topic for topic, page in pages.items() if page.exists()} == pages.keys() - executed


def test_the_folder_of_the_pages_may_be_a_link_and_is_emptied_when_all_is_stale(course, tmp_path):
    (tmp_path / "disk" / "html").mkdir(parents=True)
    (tmp_path / "_build").symlink_to(tmp_path / "disk")
    build.forget_what_is_stale(build.keys(["mnist"], course), tmp_path / "_build")
    assert (tmp_path / "_build").is_symlink()
    assert [path.name for path in (tmp_path / "disk").iterdir()] == ["keys.json"]


def test_pages_that_cannot_be_written_are_told_in_a_sentence(course, monkeypatch, capsys):
    (course / "_build").symlink_to(course / "unplugged")
    monkeypatch.setattr(build, "BUILD", course / "_build")
    assert build.main() == 1
    said = capsys.readouterr().err
    assert said.startswith(f"cannot write into {course / '_build'}") and said.count("\n") == 1


def git(folder, *arguments):
    subprocess.run(["git", "-C", folder, *arguments], check=True)


def test_the_archive_for_a_classroom_holds_the_course_as_it_stands(tmp_path):
    for name in ("Makefile", "removed.py", "new ß.py", "built.html"):
        (tmp_path / name).write_text(name)
    (tmp_path / ".gitignore").write_text("*.html\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "Makefile", "removed.py")
    (tmp_path / "removed.py").unlink()
    assert course_files(tmp_path) == {name: tmp_path / name for name in (".gitignore", "Makefile", "new ß.py")}


@pytest.mark.parametrize(
    ("around", "says"), [("nothing", "not a git repository"), ("other", "is another's"), ("no git", "No such file")]
)
def test_a_course_that_git_does_not_know_makes_no_archive(tmp_path, monkeypatch, around, says):
    course = tmp_path / "course"
    course.mkdir()
    (course / "Makefile").touch()
    if around == "other":
        git(tmp_path, "init", "--quiet")
        (tmp_path / ".gitignore").write_text("course\n")
    if around == "no git":
        monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match=rf"{says}.* Use a clone of the course\."):
        course_files(course)


def test_what_cannot_be_written_ends_in_a_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit, match=r"cannot make .*File exists"):
        pack({"file": tmp_path / "file"}, tmp_path / "file" / "all.zip")
    with pytest.raises(SystemExit, match=r"cannot make .*No such file"):
        pack({"file": tmp_path / "gone"}, tmp_path / "all.zip")
    with pytest.raises(SystemExit, match=r"cannot write .*Use a copy that you may write to"):
        write({tmp_path / "file" / "page.md": "text"}, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_relative_folder_of_data_is_found_from_where_chapters_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAECOURSE_DATA", "data")
    monkeypatch.setattr(execute, "resolve", lambda name: os.environ["VAECOURSE_DATA"])
    assert execute.main([]) == 1 and os.environ["VAECOURSE_DATA"] == str(tmp_path / "data")


@pytest.mark.parametrize("cut", [False, True], ids=["to-the-end", "cut-short"])
def test_where_there_is_no_book_yet_the_stored_outputs_are_shown_before_the_chapters_run(
    course, monkeypatch, capsys, cut
):
    """Afterwards, only what changed is built; and a run that is cut leaves the pages of before."""
    commands = []

    def run(command):
        commands.append(command[1:])
        page = course / "_build/html/index.html"
        if "--config" not in command and cut:
            return None
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(("--config" in command and "stored") or "executed")
        return 0

    monkeypatch.setattr(build, "BUILD", course / "_build")
    monkeypatch.setattr(build, "keys", lambda datasets: {build.ALL: "the same"})
    monkeypatch.setattr(build, "run", run)
    assert build.main() == (130 if cut else 0)
    first, second = commands
    assert {"--config", "--all"} < set(first) and "--all" in second and "--config" not in second
    shown = (course / "_build/html/index.html").read_text()
    assert shown == ("stored" if cut else "executed")
    assert "There is a book to read after" in capsys.readouterr().out
    assert build.main() == (130 if cut else 0)
    assert len(commands) == 3 and not {"--config", "--all"} & set(commands[2])


def test_ctrl_c_ends_the_build_without_a_trace_and_the_command_that_it_started(tmp_path):
    child = f"import os, time; open(r'{tmp_path}/pid', 'w').write(str(os.getpid())); time.sleep(60)"
    # Of a job in the background, a shell has taken Ctrl-C away; this is one in the foreground.
    script = "import build, signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    script += f"sys.exit(build.run([sys.executable, '-c', {child!r}]) is None)"
    started = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT / "book/tools", stderr=subprocess.PIPE)
    pid = tmp_path / "pid"
    for _ in range(400):
        if pid.exists() and pid.read_text():
            break
        time.sleep(0.05)
    started.send_signal(signal.SIGINT)
    _, said = started.communicate(timeout=20)
    assert (started.returncode, said) == (1, b"")
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
