"""How fast the lab of the pages learns, and what it reaches: jax-js on one core in Node, beside TensorFlow.js and plain
typed arrays.

    python benchmarks/lab.py        prints a table and writes benchmarks/results/lab.json, in some three minutes

Needs Node, `npm ci` in web/, and a network: npm fetches TensorFlow.js into a folder that vanishes. The processor's
clock counts this process alone, so it is the one to trust.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from clock import machine

from vaecourse.data import load_dataset, resolve
from vaecourse.explorer import page_images
from vaecourse.files import write_whole

ROOT = Path(__file__).resolve().parents[1]
RIVALS = ("@tensorflow/tfjs@4.22.0", "@tensorflow/tfjs-backend-wasm@4.22.0")
RESULTS = ROOT / "benchmarks" / "results" / "lab.json"


def main() -> int:
    name, before = resolve("mnist"), machine()
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder) / "images.json"
        images.write_text(page_images(load_dataset(name, split="train")), "utf-8")
        install = ["npm", "install", "--no-audit", "--no-fund", "--prefix", folder, *RIVALS]
        subprocess.run(install, check=True, capture_output=True)
        command = ["node", "bench/lab.js", str(images), folder, *sys.argv[1:]]
        done = subprocess.run(command, cwd=ROOT / "web", check=True, capture_output=True, text=True)
    result = (
        {"data": name, "before": before} | json.loads(done.stdout) | {"after": machine(), "WebGPU": "not yet measured"}
    )
    for who, steps in result["steps a processor second"].items():
        print(f"{who}: {steps:.0f} steps of 64 images a second of one core")
    for row in result["trainings"]:
        print(
            f"{row['steps']:,} steps, {row['processor seconds']:.0f} s of one core: "
            f"held-out ELBO {row['elbo']:.0f}, kNN (10) {row['knn']:.2f}, sigma {row['sigma']:.3f}"
        )
    write_whole(RESULTS, (json.dumps(result, indent=2) + "\n").encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
