"""make portable: do the stored outputs hold on other processors? Runs chapters and sensitive tests as those would.

    python tests/portable.py                        every chapter under every setting (hours; a weekly job does it)
    python tests/portable.py how-probable           the chapters whose names contain that
    python tests/portable.py --setting plain …      under one setting only

One machine can simulate others: PyTorch, NumPy, oneDNN and MKL choose their code by what the processor has, and can be
told to make do with less. Roundings differ then, as they do on another machine. What differs in a chapter's output by
more than book/conftest.py allows is named: print fewer digits there, a range, or hold it by an assert.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from vaecourse.data import resolve

ROOT = Path(__file__).resolve().parents[1]

# NumPy's names for what to leave out; a name that a processor or a version of NumPy does not know only warns.
_NO_AVX512 = "X86_V4 AVX512F AVX512CD AVX512_SKX AVX512_ICL AVX512_SPR"
_NO_AVX2 = f"X86_V3 AVX2 FMA3 {_NO_AVX512}"
SETTINGS: dict[str, dict[str, str]] = {
    "as it is": {},
    "one thread": {"OMP_NUM_THREADS": "1"},
    "avx2": {  # an AMD or Intel processor without AVX-512
        "ATEN_CPU_CAPABILITY": "avx2",
        "NPY_DISABLE_CPU_FEATURES": _NO_AVX512,
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "MKL_CBWR": "AVX2",
    },
    "plain": {  # as little as each of them can do with, and one thread
        "ATEN_CPU_CAPABILITY": "default",
        "NPY_DISABLE_CPU_FEATURES": _NO_AVX2,
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
        "MKL_CBWR": "COMPATIBLE",
        "OMP_NUM_THREADS": "1",
    },
}
SENSITIVE = (
    "test_bars",
    "test_turntable",
    "test_strokes",
    "test_vowels",
    "test_views",
    "test_shell",
    "test_claims",
    "test_quadrature",
)


def failures(said: str) -> list[str]:
    """The cells and tests that failed, each with what its output says of the numbers."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", said)
    names = re.findall(r"^(?:FAILED|ERROR) (\S+(?: \S+)??)(?: - |$)", plain, re.MULTILINE)
    return [
        *dict.fromkeys(names + re.findall(r"^more digits than agree: .*$", plain, re.MULTILINE))
    ]  # CI says it twice


def run(setting: str, what: list[Path]) -> tuple[bool, list[str]]:
    """Whether tests and chapters pass under a setting, and what did not."""
    command = [Path(sys.executable).with_name("pytest"), "-q", "-p", "no:cacheprovider"]
    if what[0].suffix == ".ipynb":
        command += ["--nbval", "--nbval-cell-timeout=3600", f"--nbval-sanitize-with={ROOT / 'tests/nbval.cfg'}"]
    environment = os.environ | {"PYTHONUTF8": "1", "OMP_WAIT_POLICY": "PASSIVE"} | SETTINGS[setting]
    done = subprocess.run([*command, *what], cwd=ROOT, env=environment, capture_output=True, text=True)
    return done.returncode == 0, failures(done.stdout) or done.stdout.splitlines()[-3:] * (done.returncode != 0)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("chapters", nargs="*", help="parts of chapters' names; none: all, and the sensitive tests")
    parser.add_argument("--setting", choices=SETTINGS, action="append", help="may be given several times")
    options = parser.parse_args(arguments)
    if resolve("mnist") != "mnist" or resolve("coil-20") != "coil-20":
        print("The stored outputs come from the real data. Set VAECOURSE_DATA first.", file=sys.stderr)
        return 1
    every = sorted((ROOT / "book").glob("*.ipynb"))
    chapters = [p for p in every if not options.chapters or any(part in p.stem for part in options.chapters)]
    work = [[p] for p in chapters]
    if not options.chapters:
        work.insert(0, [ROOT / f"tests/{name}.py" for name in SENSITIVE])
    bad = 0
    for setting in options.setting or SETTINGS:
        print(f"\n=== {setting}: {' '.join(f'{k}={v!r}' for k, v in SETTINGS[setting].items()) or 'nothing set'}")
        for what in work:
            start = time.monotonic()
            passed, found = run(setting, what)
            bad += not passed
            name = what[0].stem if len(what) == 1 else "sensitive tests"
            print(f"{name:30s} {'holds' if passed else 'differs'} {time.monotonic() - start:6.0f} s", flush=True)
            for line in found if not passed else []:
                print(f"    {line}")
    print(f"\n{bad} of {len(work) * len(options.setting or SETTINGS)} differ.")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
