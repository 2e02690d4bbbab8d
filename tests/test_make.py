"""What make hands on to the tools, and what it packs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "book" / "tools"))

from classroom_zip import course_files  # noqa: E402

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("my  data", f"{ROOT}/my  data"),
        ("./data/../other", f"{ROOT}/other"),
        ("/the/data of all", "/the/data of all"),
        ("~/my data", os.path.expanduser("~/my data")),
        ("it's $HOME", f"{ROOT}/it's $HOME"),
        ("", ""),
    ],
)
@pytest.mark.parametrize("where", ["environment", "arguments"])
def test_make_makes_the_folder_of_the_data_absolute_and_keeps_its_name(given, wanted, where):
    rules = "include Makefile\nshow:\n\t@printenv VAECOURSE_DATA || true\n"
    command, environment = ["make", "--silent", "-f", "-", "show"], os.environ | {"VAECOURSE_DATA": given}
    if where == "arguments":
        command, environment = [*command, f"VAECOURSE_DATA={given}"], dict(os.environ)
    done = subprocess.run(command, cwd=ROOT, env=environment, input=rules, capture_output=True, text=True, check=True)
    assert done.stdout.removesuffix("\n") == wanted


def test_the_archive_for_a_classroom_holds_the_course_as_it_stands(tmp_path):
    for name in ("known.py", "removed.py", "new ß.py", "built.html"):
        (tmp_path / name).write_text(name)
    (tmp_path / ".gitignore").write_text("*.html\n")
    git = ["git", "-C", tmp_path]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "add", "known.py", "removed.py"], check=True)
    (tmp_path / "removed.py").unlink()
    assert course_files(tmp_path) == {name: tmp_path / name for name in (".gitignore", "known.py", "new ß.py")}
