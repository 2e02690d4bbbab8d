"""What several tests share: the real data and the shipped model, and a rule for machines that lack something."""

import os
from pathlib import Path

import pytest
import torch
from browser import FLAGS, find_chromium

ROOT = Path(__file__).resolve().parents[1]


def lacking(what: str) -> None:
    """Skips a test for want of `what`; in CI nothing may be wanting, so there it fails."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing, and CI must not skip what needs it")
    pytest.skip(f"{what} is missing")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with MNIST and COIL-20."""
    folder = os.environ.get("VAECOURSE_DATA")
    if not folder or not (Path(folder) / "mnist").is_dir() or not (Path(folder) / "coil-20").is_dir():
        lacking("the real data (the folder that VAECOURSE_DATA names)")
    return Path(folder)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium to drive."""
    return find_chromium() or lacking("Chromium")


@pytest.fixture(scope="module")
def browser(chromium):
    """A Chromium that is open while the tests of a file run."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        instance = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield instance
        instance.close()


@pytest.fixture(scope="session")
def mnist(real_data):
    from vaecourse import load_dataset

    return {split: load_dataset("mnist", split=split) for split in ("train", "test")}


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)
