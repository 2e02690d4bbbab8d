"""Puts third-party front ends into book/static/vendor, from npm, with version, digest and licence on record.

    python book/tools/vendor.py

Needs npm; only whoever changes a version runs it. Readers and builders use the files that stand in the repository.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

VENDOR = Path(__file__).resolve().parents[1] / "static" / "vendor"

# folder: (package, version, which files of the package, and where their names begin)
PACKAGES = {
    "mathjax": ("mathjax", "3.2.2", ("es5/tex-chtml.js", "es5/output/chtml/fonts/woff-v2/", "LICENSE"), "es5/"),
    "requirejs": ("requirejs", "2.3.8", ("require.js",), ""),
    "html-manager": (
        "@jupyter-widgets/html-manager",
        "1.0.15",
        (
            "dist/embed-amd.js",
            "dist/embed.js.LICENSE.txt",
            "dist/1551f4f60c37af51121f.woff2",  # Font Awesome: brands, regular, solid
            "dist/7a3337626410ca2f4071.woff2",
            "dist/d878b0a6a1144760244f.woff2",
        ),
        "dist/",
    ),
    # What html-manager.js is made of, for their licences: html-manager's own package leaves them out.
    "jupyter-widgets": ("@jupyter-widgets/base", "6.0.11", ("LICENSE",), ""),
    "font-awesome": ("@fortawesome/fontawesome-free", "5.15.4", ("LICENSE.txt",), ""),
    "anywidget": ("anywidget", "0.9.21", ("dist/index.js", "LICENSE"), "dist/"),
    "reveal": (
        "reveal.js",
        "5.2.1",
        ("dist/reveal.js", "dist/reveal.css", "plugin/notes/notes.js", "LICENSE"),
        "dist/",
    ),
    # What reveal.js and its notes are made of, for their licences.
    "fitty": ("fitty", "2.4.2", ("LICENSE",), ""),
    "marked": ("marked", "4.3.0", ("LICENSE.md",), ""),
}


def fetch(folder: str) -> dict[str, str]:
    """Unpacks the wanted files of one package into its folder; returns what the record says of it."""
    package, version, wanted, prefix = PACKAGES[folder]
    with tempfile.TemporaryDirectory() as temporary:
        subprocess.run(["npm", "pack", "--silent", f"{package}@{version}"], cwd=temporary, check=True)
        archive = next(Path(temporary).glob("*.tgz")).read_bytes()
    target = VENDOR / folder
    shutil.rmtree(target, ignore_errors=True)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        licence = json.load(tar.extractfile("package/package.json") or io.BytesIO())["license"]
        for member in tar.getmembers():
            name = member.name.removeprefix("package/")
            if name.startswith(wanted) and not name.endswith(".map"):
                member.name = name.removeprefix(prefix)
                tar.extract(member, target, filter="data")  # refuses what would lie outside the folder
    digest = base64.b64encode(hashlib.sha512(archive).digest()).decode()
    return {"package": package, "version": version, "licence": licence, "sha512": digest}


def main() -> int:
    record = {folder: fetch(folder) for folder in PACKAGES}
    (VENDOR / "vendor.json").write_text(json.dumps(record, indent=2) + "\n")
    for folder, entry in record.items():
        print(f"{folder}: {entry['package']} {entry['version']} ({entry['licence']})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
