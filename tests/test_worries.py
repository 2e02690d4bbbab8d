"""What the last chapter asks of a folder before it trains: each trouble is found where it was put, and nowhere else."""

import ast
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from PIL import Image

from vaecourse import load_dataset
from vaecourse.data import turntable

CHAPTER = Path(__file__).resolve().parents[1] / "book" / "your-own-images.ipynb"
SIZE = 24


@pytest.fixture(scope="module")
def told():
    """What the chapter says of a folder: its imports, its function, and its line that lists the files, as they run."""
    cells = "\n".join(c.source for c in nbformat.read(CHAPTER, 4).cells if c.cell_type == "code")
    body = ast.parse(cells).body
    imports = [s for s in body if isinstance(s, ast.Import | ast.ImportFrom)]
    (function,) = (s for s in body if isinstance(s, ast.FunctionDef) and s.name == "worries")
    (files,) = (s for s in body if ast.unparse(s).startswith("files = "))
    space = {}
    exec(compile(ast.Module([*imports, function], []), CHAPTER.name, "exec"), space)

    def ask(folder):
        own = load_dataset(folder, size=SIZE)
        listed = eval(compile(ast.Expression(files.value), CHAPTER.name, "eval"), space | {"folder": folder})
        assert len(listed) == len(own), "hidden files and folders are no pictures"
        return space["worries"](own.images, own.labels, own.class_names, listed)

    return ask


@pytest.fixture(scope="module")
def toys():
    """Dark toys on white paper, (100, SIZE, SIZE) grey levels of each kind, no two from the same side."""
    angles = 3.6 * np.arange(100)
    return {kind: 255 * (1 - turntable.render(kind, angles, size=SIZE)) for kind in ("duck", "house")}


def save(folder, greys):
    for kind, images in greys.items():
        (folder / kind).mkdir(parents=True)
        for number, image in enumerate(images):
            Image.fromarray(image.round().astype(np.uint8)).save(folder / kind / f"{number:04d}.png")
    return folder


def only(found, pattern):
    return len(found) == 1 and re.search(pattern, found[0])


@pytest.mark.slow
def test_good_pictures_worry_nobody(told, toys, tmp_path):
    folder = save(tmp_path / "toys", toys)
    save(folder, {".thumbnails": toys["duck"][:3]})
    assert told(folder) == []


def test_few_pictures_are_learned_by_heart(told, toys, tmp_path):
    few = {kind: images[::2] for kind, images in toys.items()}
    assert only(told(save(tmp_path / "few", few)), "^100 pictures are few")


def test_a_kind_with_hardly_any_pictures_is_named(told, toys, tmp_path):
    many = 255 * (1 - turntable.render("house", 1.44 * np.arange(250), size=SIZE))
    uneven = {"duck": toys["duck"][::4], "house": many}
    assert only(told(save(tmp_path / "uneven", uneven)), "^house has 250 pictures, duck 25")


def test_copies_are_counted(told, toys, tmp_path):
    twice = {"duck": np.concatenate([toys["duck"], toys["duck"][:7]]), "house": toys["house"]}
    assert only(told(save(tmp_path / "twice", twice)), "^exact copies of other pictures: 7")


def test_files_that_must_be_enlarged_are_counted(told, toys, tmp_path):
    folder = save(tmp_path / "small", toys)
    for number, angle in enumerate((10.0, 20.0, 30.0)):
        small = 255 * (1 - turntable.render("duck", angle, size=16)[0])
        Image.fromarray(small.round().astype(np.uint8)).save(folder / "duck" / f"small{number}.png")
    assert only(told(folder), "^files smaller than the model's pictures: 3")


def test_backgrounds_that_differ_are_told_from_one_that_is_patterned(told, toys, tmp_path):
    """Each toy before a wall of a grey of its own; and all of them before one wall, half of it dark."""
    rng = np.random.default_rng(0)
    walls = {kind: np.minimum(images, rng.uniform(80, 255, (100, 1, 1))) for kind, images in toys.items()}
    assert only(told(save(tmp_path / "walls", walls)), "^the borders differ")
    wall = np.where(np.arange(SIZE) < SIZE // 2, 40, 255)
    assert told(save(tmp_path / "wall", {kind: np.minimum(images, wall) for kind, images in toys.items()})) == []


def test_pictures_that_are_nearly_the_same_teach_little(told, toys, tmp_path):
    rng = np.random.default_rng(0)
    same = {kind: (toys["duck"][0] - rng.uniform(0, 9, (120, SIZE, SIZE))).clip(0) for kind in toys}
    assert only(told(save(tmp_path / "same", same)), "^all pictures are nearly the same")
