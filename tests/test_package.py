"""The wheel that others install: whole, and importable without this folder."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([*PIP, "wheel", "--no-deps", "--wheel-dir", folder, ROOT], check=True)
    return next(folder.glob("vaecourse-*.whl"))


def test_the_wheel_holds_all_that_runs_and_nothing_else(wheel):
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    library = ROOT / "vaecourse"
    ours = {p for p in library.rglob("*") if p.is_file() and "__pycache__" not in p.parts}
    assert inside == {p.relative_to(ROOT).as_posix() for p in ours} | {"vaecourse/claims.toml"}
    assert {"vaecourse/explorer/explorer.js", "vaecourse/explorer/explorer.css"} <= inside
    assert any(name.endswith("mnist-2d.safetensors") for name in inside)


def test_the_wheel_works_where_this_folder_is_not(wheel, tmp_path):
    subprocess.run([*PIP, "install", "--no-deps", "--target", tmp_path / "site", wheel], check=True)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); import vaecourse; "
        "from vaecourse import LatentExplorer, load_pretrained; "
        "from vaecourse.course import claim; claim('mnist-2d-elbo'); "
        "plane = LatentExplorer(load_pretrained('strokes-2d-page')); "
        "print(vaecourse.__file__, len(plane.packed), '<latent-explorer' in plane._repr_mimebundle_()[0]['text/html'])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    where, size, twin = done.stdout.split()
    assert Path(where).is_relative_to(tmp_path) and int(size) > 100_000 and twin == "True"
