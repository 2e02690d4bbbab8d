"""Data sets: what is accepted and what is refused. (test_faults.py: that nothing waits, lies or is left half done.)"""

import gzip
import hashlib
import os
import struct
import sys
import tempfile
import tracemalloc
import types
import warnings
import zipfile
import zlib
from pathlib import Path, PureWindowsPath

import numpy as np
import pooch
import pytest
from mirror import files_below, good, idx, lay_out, png, zipped
from PIL import Image

from vaecourse.data import (
    DataDamaged,
    DataUnavailable,
    datasets,
    downloads,
    load_dataset,
    load_folder,
    made,
    resolve,
)
from vaecourse.data.formats import read_idx, read_views

pytest_plugins = ["mirror"]

DEFLATED = zipfile.ZIP_DEFLATED
KEPT = "nothing; the file is left as it is"


def test_a_download_is_read_kept_and_used_again_without_a_network(bare, serve, monkeypatch):
    server = serve(good(bare.files))
    bare.mirrors(server)
    first = load_dataset("mnist", split="test")
    assert files_below(bare.cache) == ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"]
    assert all("t10k" in path for path in server.asked)
    monkeypatch.setenv("VAECOURSE_OFFLINE", "1")
    again = load_dataset("mnist", split="test")
    assert len(server.asked) == 2
    raw = np.frombuffer(gzip.decompress(bare.files["t10k-images-idx3-ubyte.gz"]), np.uint8, offset=16)
    for digits in (first, again):
        np.testing.assert_allclose(np.ravel(digits.images), raw / 255.0, atol=1e-7)
        np.testing.assert_array_equal(digits.labels, bare.labels["test"])
    assert "CC BY-SA 3.0" in first.source


def test_a_repacked_file_is_as_good_as_the_original(bare, serve):
    stored = {name: gzip.compress(gzip.decompress(data), compresslevel=0) for name, data in bare.files.items()}
    bare.mirrors(serve(good(stored)))
    assert len(load_dataset("mnist", split="test")) == 20


def test_where_the_cache_is(monkeypatch, tmp_path):
    monkeypatch.setenv("VAECOURSE_CACHE", "~/elsewhere")
    assert downloads.cache_folder() == Path.home() / "elsewhere"
    monkeypatch.delenv("VAECOURSE_CACHE")
    assert downloads.cache_folder() == Path(pooch.os_cache("vaecourse"))


def test_who_has_no_home_keeps_files_among_the_temporary_ones(bare, monkeypatch, tmp_path):
    for name in ("VAECOURSE_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "nobody"))
    assert downloads.cache_folder() == Path(tempfile.gettempdir()) / "vaecourse"
    assert not (tmp_path / "nobody").exists()


@pytest.mark.parametrize("kind", ["packed", "unpacked", "unpacked by a browser that kept the name"])
@pytest.mark.parametrize("name", ["own", " my own data\r", "~/own"], ids=ascii)
def test_the_local_folder_comes_first_and_is_only_read(bare, serve, monkeypatch, tmp_path, name, kind):
    server = serve(good(bare.files))
    bare.mirrors(server)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    files = bare.files
    if kind != "packed":
        ending = ".gz" if kind == "unpacked" else ""
        files = {file.removesuffix(ending): gzip.decompress(data) for file, data in files.items()}
    lay_out(tmp_path / name.strip().removeprefix("~/"), files)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAECOURSE_DATA", name)
    assert resolve("mnist") == "mnist"
    assert len(load_dataset("mnist")) == 30
    assert not server.asked
    assert not bare.cache.exists()


def test_a_local_folder_without_the_file_does_not_stop_the_download(bare, serve, monkeypatch, tmp_path):
    bare.mirrors(serve(good(bare.files)))
    monkeypatch.setenv("VAECOURSE_DATA", str(tmp_path / "nothing here"))
    assert len(load_dataset("mnist")) == 30


# resolve


def test_resolve_says_once_a_call_what_stands_in_and_waits_once_a_process(bare, serve, capsys):
    server = serve(lambda h, name: h.reply(b"", 404))
    bare.mirrors(server)
    assert resolve("mnist") == "strokes"
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert "strokes" in out and "MNIST" in out and "VAECOURSE_DATA" in out
    asked = len(server.asked)
    assert resolve("mnist") == "strokes"
    assert capsys.readouterr().out == out
    assert len(server.asked) == asked == 1
    # Someone who asks for MNIST by name gets a new attempt.
    server.answer = good(bare.files)
    assert len(load_dataset("mnist")) == 30


def test_resolve_fetches_once_and_then_reads_nothing(bare, serve, capsys, monkeypatch):
    bare.mirrors(serve(good(bare.files)))
    assert resolve("mnist") == "mnist"
    assert capsys.readouterr().out == ""
    assert len(files_below(bare.cache)) == 4
    monkeypatch.setattr(datasets, "obtain", None)
    assert resolve("mnist") == "mnist"


def test_resolve_sees_a_file_that_is_not_whole(bare, serve, monkeypatch):
    bare.mirrors(serve(good(bare.files)))
    assert resolve("mnist") == "mnist"
    cached = bare.cache / "mnist" / "t10k-images-idx3-ubyte.gz"
    for damage in (b"", b"<html>", bare.files[cached.name][:-1], gzip.compress(b"short"), bytes(2**18)):
        cached.write_bytes(damage)
        assert resolve("mnist") == "mnist"
        assert cached.read_bytes() == bare.files[cached.name], "it was fetched again"


def test_offline_asks_nobody(bare, serve, monkeypatch, capsys):
    server = serve(good(bare.files))
    bare.mirrors(server)
    monkeypatch.setattr(datasets, "COIL_MIRRORS", (server.address,))
    monkeypatch.setenv("VAECOURSE_OFFLINE", "1")
    assert resolve("mnist") == "strokes"
    assert resolve("coil20") == "turntable"
    assert not server.asked
    assert capsys.readouterr().out.count("VAECOURSE_OFFLINE") == 2
    monkeypatch.setenv("VAECOURSE_OFFLINE", "0")
    assert len(load_dataset("mnist")) == 30


def test_resolve_leaves_the_sets_made_here_and_folders_alone(bare, tmp_path):
    assert resolve("strokes") == "strokes"
    assert resolve("turntable") == "turntable"
    assert resolve(tmp_path) == tmp_path
    with pytest.raises(ValueError, match="Did you mean 'mnist'"):
        resolve("mnits")


# Formats


@pytest.fixture
def seen(bare, monkeypatch, tmp_path):
    """seen(data, read): what the user sees when a file in VAECOURSE_DATA has this content and `read` refuses it."""

    def say(data, read):
        (tmp_path / "data.gz").write_bytes(data)
        monkeypatch.setenv("VAECOURSE_DATA", str(tmp_path))
        file = downloads.Published("data.gz", ("https://a.mirror/",), read, Path.exists, len(data))
        with pytest.raises(DataDamaged) as caught:
            downloads.obtain(file)
        return str(caught.value)

    return say


def sha256(data):
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("shape", [(7,), (3, 4, 5)])
def test_an_idx_file_is_read_packed_or_not(shape):
    array = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    data = idx(array)
    for packed in (data, gzip.compress(data)):
        np.testing.assert_array_equal(read_idx(packed, len(data), sha256(data)), array)
        for wrong in (packed[:-1], packed[:-1] + b"\x80"):
            with pytest.raises(DataDamaged):
                read_idx(wrong, len(data), sha256(data))


def test_a_bomb_is_not_unpacked(seen, record_property):
    bomb = gzip.compress(bytes(2**26))
    tracemalloc.start()
    try:
        said = seen(bomb, lambda data: read_idx(data, 1000, ""))
        assert "more than 1,000" in said and tracemalloc.get_traced_memory()[1] < 2**21
    finally:
        tracemalloc.stop()
    record_property("fault", ("a gzip bomb", said, "nothing; it is not unpacked"))


@pytest.fixture(scope="module")
def coil_pixels():
    """(1440, 128, 128): each image is a ramp and carries its own number."""
    pixels = np.add.outer(np.arange(128), np.arange(128)).astype(np.uint8)[None].repeat(1440, 0)
    pixels[:, 0, 0], pixels[:, 0, 1] = np.divmod(np.arange(1440), 72)
    return pixels


@pytest.fixture(scope="module")
def coil_zip(coil_pixels):
    return zipped(
        [(f"some/folder/obj{i // 72 + 1}__{i % 72}.png", png(p), DEFLATED) for i, p in enumerate(coil_pixels)]
    )


def test_coil_is_fetched_and_kept_only_if_right(bare, serve, monkeypatch, coil_pixels, coil_zip):
    monkeypatch.setattr(datasets, "COIL_PIXELS", sha256(coil_pixels))
    bad, right = serve(lambda h, name: h.reply(b"<html>moved</html>")), serve(lambda h, name: h.reply(coil_zip))
    monkeypatch.setattr(datasets, "COIL_MIRRORS", (bad.address,))
    assert resolve("coil-20") == "turntable"
    assert files_below(bare.cache) == []
    monkeypatch.setattr(datasets, "COIL_MIRRORS", (bad.address, right.address))
    coil = load_dataset("coil20")
    assert files_below(bare.cache) == ["coil-20-proc.zip"]
    assert coil.name == "coil-20" and coil.images.shape == (1440, 128, 128)
    np.testing.assert_allclose(coil.images, coil_pixels / 255.0, atol=1e-7)
    np.testing.assert_array_equal(coil.labels, coil_pixels[:, 0, 0])
    np.testing.assert_array_equal(coil.factors["angle"], coil_pixels[:, 0, 1] * 5.0)
    assert coil.class_names[0] == "object 1" and len(coil.class_names) == 20
    assert "research use" in coil.source
    small = load_dataset("coil-20", size=64).images
    quarters = [coil_pixels[:, i::2, j::2].astype(float) for i in (0, 1) for j in (0, 1)]
    np.testing.assert_allclose(small, sum(quarters) / 4 / 255, atol=1e-6)
    for size in (63, 256, 0, -64, 64.0, "64"):
        with pytest.raises(ValueError, match="size"):
            load_dataset("coil-20", size=size)


FOUR = np.arange(4 * 64, dtype=np.uint8).reshape(4, 8, 8)
NAMES = ["obj1__0.png", "obj1__1.png", "obj2__0.png", "obj2__1.png"]


def four(names=NAMES, **changed):
    """A zip of two objects and two views, some members' (bytes, compression) changed."""
    members = dict(zip(NAMES, ((png(a), DEFLATED) for a in FOUR), strict=True)) | changed
    return zipped([(name, *members[PureWindowsPath(name).name]) for name in names])


def unzip_four(data):
    return read_views(data, sha256(FOUR), objects=2, views=2, side=8)


@pytest.mark.parametrize(
    "names",
    [["../../obj2__1.png", "/etc/obj2__0.png", "a/b/obj1__1.png", NAMES[0]], [f"C:\\coil\\{name}" for name in NAMES]],
)
def test_folders_in_names_mean_nothing_and_nothing_is_written(tmp_path, monkeypatch, names):
    monkeypatch.chdir(tmp_path)
    np.testing.assert_array_equal(unzip_four(four(names)), FOUR)
    assert list(tmp_path.iterdir()) == []


BAD_ZIPS = {
    "nothing": lambda: b"",
    "a web page": lambda: b"<html>",
    "cut short": lambda: four()[:-30],
    "one view too few": lambda: four(NAMES[:3]),
    "a changed pixel": lambda: four(**{NAMES[1]: (png(FOUR[1] ^ (FOUR[1] == 64)), DEFLATED)}),
    "a text": lambda: four(**{NAMES[1]: (b"not an image", DEFLATED)}),
    "another size": lambda: four(**{NAMES[1]: (png(np.zeros((2**12, 2**12), np.uint8)), DEFLATED)}),
    "a JPEG": lambda: four(**{NAMES[1]: (png(FOUR[1], "JPEG"), DEFLATED)}),
    "a large member": lambda: four(**{NAMES[0]: (bytes(2**24), DEFLATED)}),
    "a method without bounds": lambda: four(**{NAMES[0]: (bytes(2**24), zipfile.ZIP_BZIP2)}),
}


@pytest.mark.parametrize("make", BAD_ZIPS.values(), ids=BAD_ZIPS)
def test_a_bad_zip_is_damaged(make, request, seen, record_property):
    data = make()
    tracemalloc.start()
    try:
        said = seen(data, unzip_four)
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()
    record_property("fault", (f"a zip: {request.node.callspec.id}", said, KEPT))


# Sets that are made here


def fake_digits(n, generator):
    labels = generator.integers(0, 10, n)
    return generator.random((n, 28, 28), dtype=np.float32), labels, {"slant": generator.normal(size=n)}


@pytest.fixture
def drawn(bare):
    """drawn(source): a small set that is made once; drawn.times counts how often it was really made."""

    def make():
        drawn.times += 1
        return fake_digits(5, np.random.default_rng(0))

    def drawn(source="how to draw"):
        return made.made_once("digits-5", source, make)

    drawn.times, drawn.file = 0, bare.cache / "made" / "digits-5.safetensors.z"
    return drawn


def same(a, b):
    assert a[2].keys() == b[2].keys()
    for x, y in zip((*a[:2], *a[2].values()), (*b[:2], *b[2].values()), strict=True):
        assert x.dtype == y.dtype and x.shape == y.shape and x.tobytes() == y.tobytes()
    return True


def test_what_is_made_here_is_made_once_to_the_last_bit(drawn):
    assert same(drawn(), drawn()) and same(drawn(), fake_digits(5, np.random.default_rng(0)))
    assert drawn.times == 1 and drawn.file.is_file()
    drawn("how to draw otherwise")
    assert drawn.times == 2, "other code, another set"


DAMAGES = [lambda data: b"", lambda data: data[:-1], lambda data: data[:40] + b"!" + data[41:], lambda data: data[32:]]


@pytest.mark.parametrize("damage", DAMAGES, ids=["empty", "cut short", "a changed byte", "no stamp"])
def test_a_damaged_file_is_made_again_in_silence(drawn, damage, recwarn):
    whole = drawn()
    data = drawn.file.read_bytes()
    drawn.file.write_bytes(damage(data))
    assert same(drawn(), whole) and drawn.times == 2
    assert drawn.file.read_bytes() == data and not recwarn


def test_a_cache_that_cannot_be_written_to_stops_no_drawing(drawn, monkeypatch, tmp_path, recwarn):
    (tmp_path / "a file").write_text("in the way")
    monkeypatch.setenv("VAECOURSE_CACHE", str(tmp_path / "a file"))
    assert same(drawn(), drawn()) and drawn.times == 2 and not recwarn


@pytest.mark.slow
def test_strokes_come_from_fixed_seeds(bare, monkeypatch):
    sample, asked = datasets.strokes.sample, []

    def few(n, generator):
        asked.append(n)
        return sample(20, generator)

    monkeypatch.setattr(datasets.strokes, "sample", few)
    for split, seed in (("train", 0), ("test", 1), ("train", 0)):  # the last from the cache
        images, labels, factors = sample(20, np.random.default_rng(seed))
        digits = load_dataset("strokes", split=split)
        np.testing.assert_array_equal(digits.images, images)
        np.testing.assert_array_equal(digits.labels, labels)
        np.testing.assert_array_equal(digits.factors["slant"], factors["slant"])
    assert asked == [60_000, 10_000]


def test_turntable_hands_the_size_on(bare, monkeypatch):
    def grey(name, angles, size):
        return np.full((len(angles), size, size), 0.5, np.float32)

    monkeypatch.setattr(datasets.turntable, "render", grey)  # rendering has its own tests, and takes seconds
    objects = datasets.turntable.OBJECTS
    for size, side in ((None, 64), (16, 16), (None, 64)):
        table = load_dataset("turntable", size=size)
        assert table.images.shape == (72 * len(objects), side, side)
        assert table.class_names == tuple(objects)
        np.testing.assert_array_equal(table.factors["angle"], np.tile(np.arange(72) * 5.0, len(objects)))
    for size in (8, "64", 64.0, (64, 64)):
        with pytest.raises(ValueError, match="from 16 to 256"):
            load_dataset("turntable", size=size)


# Names, splits and sizes


@pytest.mark.parametrize(
    "name, nearest", [("mnits", "mnist"), ("MNIST", "mnist"), ("coil", "coil-20"), ("turn table", "turntable")]
)
def test_an_unknown_name_is_told_the_nearest(name, nearest):
    with pytest.raises(ValueError, match=f"Did you mean '{nearest}'"):
        load_dataset(name)


@pytest.mark.parametrize("name", [3, None, "holidays"])
def test_a_name_that_looks_like_none_is_told_all_and_nothing_is_guessed(name):
    with pytest.raises(ValueError, match=r"unknown dataset .*\. Known are mnist"):
        load_dataset(name)


@pytest.mark.parametrize("name", ["coil-20", "turntable", "folder"])
def test_objects_and_folders_have_no_split(name, tmp_path):
    with pytest.raises(ValueError, match=r"held back is for the protocol.*Leave split out"):
        load_dataset(tmp_path if name == "folder" else name, split="test")


@pytest.mark.parametrize(
    ("name", "side"), [("mnist", "28 × 28"), ("strokes", "28 × 28"), ("bars", "1 × 3"), ("vowels", "1 × 32")]
)
def test_sets_with_a_split_refuse_other_splits_and_sizes(name, side):
    with pytest.raises(ValueError, match="split must be 'train' or 'test'"):
        load_dataset(name, split="validation")
    with pytest.raises(ValueError, match=f"{side} pixels only"):
        load_dataset(name, size=64)


# Folders of one's own


def picture(path, array, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)


PAGE = np.full((56, 56), 255, np.uint8)
TOP, LEFT = PAGE.copy(), PAGE.copy()  # dark marks on light paper: a bar at the top, a bar at the left
TOP[8:16, 8:-8], LEFT[8:-8, 8:16] = 0, 0
INK = np.zeros((28, 28))  # the bar at the top as the course stores it
INK[4:8, 4:-4] = 1


@pytest.fixture
def two_classes(tmp_path):
    """Five and six pictures, enough to call for no warning: TOP in "cats", LEFT in "dogs"."""
    for i in range(5):
        picture(tmp_path / "mine" / "dogs" / f"{i}.png", LEFT)
        picture(tmp_path / "mine" / "cats" / f"{i}.png", TOP)
    picture(tmp_path / "mine" / "cats" / "colour.PNG", np.stack([TOP] * 3, -1))
    return tmp_path / "mine"


def loaded(folder, *said, **options):
    """The folder's ImageSet, and that each warning, in this order, says what is told here."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        own = load_folder(folder, **options)
    messages = [str(w.message) for w in caught]
    assert len(messages) == len(said), messages
    for message, words in zip(messages, said, strict=True):
        assert all(word in message for word in ([words] if isinstance(words, str) else words)), message
    return own


def test_a_folder_of_ones_own(two_classes):
    (two_classes / ".hidden").mkdir()
    (two_classes / "cats" / "._1.png").write_text("a system's own")
    picture(two_classes / "__MACOSX" / "cats" / "1.png", TOP)
    for own in (load_dataset(two_classes), load_dataset(str(two_classes)), loaded(two_classes)):
        assert own.class_names == ("cats", "dogs") and own.name == "mine"
        np.testing.assert_array_equal(own.labels, [0] * 6 + [1] * 5)
        for image, expected in ((own.images[0], INK), (own.images[5], INK), (own.images[6], INK.T)):
            np.testing.assert_allclose(image, expected, atol=0.15)  # shrinking rounds the corners
    assert load_dataset(two_classes, size=14).images.shape == (11, 14, 14)
    assert load_dataset(two_classes, size=(20, 30)).images.shape == (11, 20, 30)


def test_a_string_may_name_a_folder_here_and_a_known_name_wins(two_classes, monkeypatch, bare):
    monkeypatch.chdir(two_classes.parent)
    assert load_dataset("mine").name == "mine"
    two_classes.rename(two_classes.parent / "strokes")
    monkeypatch.setattr(datasets.strokes, "sample", lambda n, generator: fake_digits(7, generator))
    assert len(load_dataset("strokes", split="test")) == 7
    assert load_dataset(Path("strokes")).class_names == ("cats", "dogs")


def test_pictures_lie_where_a_phone_puts_them(two_classes):
    """Deeper folders belong to the first one; what lies beside the folders is left out; the order is that of names."""
    picture(two_classes / "birds" / "2024" / "May" / "1.jpg", LEFT, quality=95)
    picture(two_classes / "birds" / "9.jfif", TOP, format="JPEG", quality=95)
    picture(two_classes / "loose.png", TOP)
    (two_classes / "later").mkdir()
    own = loaded(two_classes, ["loose.png (lies beside", "later (holds no pictures)", "other 13 are used"])
    assert own.class_names == ("birds", "cats", "dogs")
    np.testing.assert_array_equal(own.labels, [0] * 2 + [1] * 6 + [2] * 5)
    np.testing.assert_allclose(own.images[0], INK.T, atol=0.15)
    np.testing.assert_allclose(own.images[1], INK, atol=0.15)


def test_loose_pictures_alone_are_one_class(two_classes):
    own = loaded(two_classes / "cats", "(6) are too few")
    assert own.class_names == ("cats",) and own.images.shape == (6, 28, 28)


def test_light_on_dark_is_not_inverted(two_classes):
    dark = load_folder(two_classes)
    for file in two_classes.rglob("*.*"):
        Image.fromarray(255 - np.asarray(Image.open(file).convert("L"))).save(file)
    np.testing.assert_allclose(load_folder(two_classes).images, dark.images, atol=2 / 255)


def test_proportions_are_kept_with_a_margin_like_the_border(tmp_path):
    tall = np.full((56, 28), 200, np.uint8)
    tall[20:36, 8:20] = 0
    picture(tmp_path / "mine" / "a" / "1.png", tall)
    image = np.asarray(load_folder(tmp_path / "mine").images[0])
    np.testing.assert_allclose(image[:, [0, 3, 7, -1]], 1 - 200 / 255, atol=0.01)
    ink = image > 0.5
    assert ink.any(1).sum() == 8 and ink.any(0).sum() == 6


def test_any_size_works(tmp_path):
    picture(tmp_path / "mine" / "a" / "panorama.png", np.full((4, 3000), 51, np.uint8))
    for size in (1, 3, 40, (2, 64), np.int64(5)):
        np.testing.assert_allclose(load_folder(tmp_path / "mine", size).images, 0.2, atol=1e-6)


def test_rotation_transparency_palettes_and_sixteen_bits(tmp_path):
    other = tmp_path / "other"
    exif = Image.Exif()
    exif[0x0112] = 6  # "rotate by 90° clockwise to see it right"
    picture(other / "a" / "1 turned.png", np.rot90(TOP), exif=exif)
    clear = np.zeros((56, 56, 4), np.uint8)
    clear[..., 3] = 255 - TOP
    picture(other / "a" / "2 clear.png", clear)
    Image.fromarray(TOP).convert("P").save(other / "a" / "3 palette.gif")
    picture(other / "a" / "4 sixteen.png", TOP.astype(np.uint16) * 257)
    picture(other / "a" / "5 sixteen.tif", TOP.astype(np.uint16) * 257)
    picture(other / "a" / "6 lossy.jpg", TOP, quality=95)
    for image in loaded(other, "too few").images:
        np.testing.assert_allclose(image, INK, atol=0.15)


def test_sixteen_bits_are_scaled_not_clipped(tmp_path):
    grey = np.full((28, 28), 2**14, np.uint16)
    grey[0, 0] = 5000
    picture(tmp_path / "mine" / "a" / "1.png", grey)
    np.testing.assert_allclose(np.asarray(load_folder(tmp_path / "mine").images)[0, 2:], 0.25, atol=1e-4)


def test_twelve_bits_are_told_from_sixteen_by_the_whole_folder(tmp_path):
    for name, top in (("dark", 1000), ("bright", 4095)):
        picture(tmp_path / "mine" / "a" / f"{name}.png", np.linspace(0, top, 784).astype(np.uint16).reshape(28, 28))
    picture(tmp_path / "mine" / "a" / "eight.png", np.full((28, 28), 51, np.uint8))
    bright, dark, eight = np.asarray(loaded(tmp_path / "mine", "too few").images)
    np.testing.assert_allclose(bright.ravel(), np.linspace(0, 1, 784), atol=1e-3)
    np.testing.assert_allclose(dark.ravel(), np.linspace(0, 1000 / 4095, 784), atol=1e-3)
    np.testing.assert_allclose(eight, 0.2, atol=1e-6)
    picture(tmp_path / "mine" / "a" / "sixteen.png", np.full((28, 28), 65535, np.uint16))
    mixed = loaded(tmp_path / "mine", "too few", "2 pictures of 16 bits are nearly black")
    assert np.asarray(mixed.images[0]).max() < 0.07


def test_cameras_of_ten_and_fourteen_bits_are_suspected(tmp_path):
    for bits in (10, 14):
        grey = np.linspace(0, 2**bits - 1, 784).astype(np.uint16).reshape(28, 28)
        picture(tmp_path / str(bits) / "a" / "1.png", grey)
        loaded(tmp_path / str(bits), "too few", "reaches 25% of white")


def colours_of_16_bits(grey):
    """A PNG of which Pillow keeps the first eight bits of each colour, and cannot write."""
    rows = b"".join(b"\0" + np.repeat(row, 3).astype(">u2").tobytes() for row in grey)
    chunks = {
        b"IHDR": struct.pack(">IIBBBBB", *grey.shape[::-1], 16, 2, 0, 0, 0),
        b"IDAT": zlib.compress(rows),
        b"IEND": b"",
    }
    whole = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks.items()
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(whole)


def test_twelve_bits_of_colour_are_no_black_pictures(two_classes):
    grey = np.linspace(0, 4095, 784).astype(np.uint16).reshape(28, 28)
    (two_classes / "dust").mkdir()
    (two_classes / "dust" / "1.png").write_bytes(colours_of_16_bits(grey))
    np.testing.assert_allclose(1 - loaded(two_classes).images[-1], grey / 4095, atol=0.08)
    (two_classes / "dust" / "2.png").write_bytes(colours_of_16_bits(16 * grey))
    loaded(two_classes, "1 pictures of 16 bits are nearly black")


def test_what_is_white_on_nothing_is_no_empty_page(tmp_path):
    clear = np.full((56, 56, 4), 255, np.uint8)
    clear[..., 3] = 255 - TOP
    black = clear * np.array([0, 0, 0, 1], np.uint8)
    for name, drawing in (("white", clear), ("black", black), ("grey", clear[..., 2:].copy())):
        picture(tmp_path / "mine" / "a" / f"{name}.png", drawing)
    Image.fromarray(clear).quantize(4).save(tmp_path / "mine" / "a" / "palette.png")
    deep = (255 - TOP).astype(np.uint16) * 100  # whose 0, which is the paper, is transparent
    picture(tmp_path / "mine" / "a" / "zz sixteen.png", deep, transparency=0)
    *images, sixteen = loaded(tmp_path / "mine", "too few").images
    for image in images:
        np.testing.assert_allclose(image, INK, atol=0.15)
    np.testing.assert_allclose(sixteen, (1 - 100 / 257) * INK, atol=0.15)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes on Windows")
def test_pipes_and_links_are_not_followed_for_ever_and_are_said(two_classes):
    os.mkfifo(two_classes / "cats" / "pipe.png")
    (two_classes / "cats" / "loop").symlink_to(two_classes)
    (two_classes / "cats" / "gone.png").symlink_to(two_classes / "nowhere")
    said = ["gone.png (ValueError: no file", "loop (a link to a folder)", "pipe.png (ValueError: no file"]
    assert len(loaded(two_classes, said)) == 11


@pytest.mark.parametrize("ending", ["jpe", "jp2", "mpo", "ppm", "pgm", "tga", "webp", "bmp"])
def test_other_kinds_that_pillow_reads(two_classes, ending):
    picture(two_classes / "cats" / f"a.{ending}", TOP, **({"format": "JPEG"} if ending in ("jpe", "mpo") else {}))
    np.testing.assert_allclose(loaded(two_classes).images[5], INK, atol=0.2)


def test_sixteen_bits_of_a_pgm(tmp_path):
    picture(tmp_path / "mine" / "a" / "1.pgm", np.linspace(0, 65535, 784).astype(np.uint16).reshape(28, 28))
    np.testing.assert_allclose(loaded(tmp_path / "mine", "too few").images.ravel(), np.linspace(0, 1, 784), atol=1e-3)


def test_one_folder_too_far_up_is_doubted(two_classes):
    own = loaded(two_classes.parent, ["one class, mine", "(cats, dogs …)", str(two_classes)])
    assert own.class_names == ("mine",)


@pytest.mark.parametrize("twin", ["CATS", "cats ", "\uff23ats"])
def test_classes_that_differ_in_what_nobody_sees_are_doubted(two_classes, twin):
    picture(two_classes / twin / "1.png", TOP)
    if len(list(two_classes.iterdir())) > 2:  # else the disk has taken the two for one
        loaded(two_classes, *([["called nearly the same"]] if twin.isascii() else []))


@pytest.mark.skipif("AVIF" not in Image.registered_extensions().values(), reason="an older Pillow, or one without AVIF")
def test_avif_is_read(tmp_path):
    picture(tmp_path / "mine" / "a" / "1.avif", TOP, quality=95)
    np.testing.assert_allclose(loaded(tmp_path / "mine", "too few").images[0], INK, atol=0.15)


def test_heic_is_read_by_pillow_heif_or_said_to_need_it(two_classes, monkeypatch):
    """The package may be there or not: one that knows a format of the test's own stands in for it."""
    (two_classes / "cats" / "phone.heic").write_bytes(b"HEIC of a phone")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    loaded(two_classes, ["cats/phone.heic", "pip install pillow-heif", "other 11"])

    def opened(stream, name):
        stream.close()
        return Image.fromarray(TOP)

    heif = types.ModuleType("pillow_heif")
    heif.register_heif_opener = lambda: Image.register_open("PHONE", opened, lambda head: head.startswith(b"HEIC"))
    monkeypatch.setitem(sys.modules, "pillow_heif", heif)
    monkeypatch.setattr(Image, "OPEN", dict(Image.OPEN))
    monkeypatch.setattr(Image, "ID", list(Image.ID))
    assert len(loaded(two_classes)) == 12


def test_what_cannot_be_used_is_listed_once_and_the_rest_goes_on(two_classes, monkeypatch, record_property):
    huge = png(PAGE.repeat(2, 0))
    bad = {"0.jpg": b"", "1.png": b"just a text", "2.png": png(TOP)[:60], "3.mov": b"a film", "4.png": huge}
    for name, content in bad.items():
        (two_classes / "dogs" / f"bad{name}").write_bytes(content)
    picture(two_classes / "dogs" / "bad5.tif", np.full((28, 28), np.nan, np.float32))
    (two_classes / ".DS_Store").write_text("hidden")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4000)  # Pillow warns above this, and raises above twice this
    with pytest.warns(UserWarning, match="Left out") as caught:
        own = load_folder(two_classes)
    assert len(own) == 11 and len(caught) == 1
    said = str(caught[0].message)
    reasons = ("no picture", "no picture", "Error", "not named like", "DecompressionBomb", "no known white")
    for name, reason in zip([*bad, "5.tif"], reasons, strict=True):
        assert reason in said.split(f"dogs{os.sep}bad{name} (")[1].split(")")[0]
    assert said.endswith(".DS_Store (hidden). The other 11 are used.")
    record_property("fault", ("pictures of yours that cannot be used", said, "nothing; they are left out"))
    for i in range(20):
        (two_classes / "dogs" / f"film{i}.mov").write_bytes(b"")
    loaded(two_classes, " and 17 more. The other 11")


LOOKS = [(("test", "train"), ["mine/train, if"]), (("Training", "validation"), ["splits"]), (("train", "tram"), [])]


@pytest.mark.parametrize("names, said", LOOKS, ids=str)
def test_folders_called_train_and_test_look_like_splits(two_classes, names, said):
    for old, new in zip(("cats", "dogs"), names, strict=True):
        (two_classes / old).rename(two_classes / new)
    loaded(two_classes, *said)
    if said:
        picture(two_classes / "extra" / "1.png", TOP)
        loaded(two_classes, *said)


def test_a_folder_for_each_picture_is_doubted(tmp_path):
    for i in range(101):
        picture(tmp_path / "mine" / str(i) / "1.png", TOP[::4, ::4])
    assert len(loaded(tmp_path / "mine", "101 classes").class_names) == 101


def test_folders_without_a_usable_picture(tmp_path):
    with pytest.raises(DataUnavailable, match=r"no pictures that can be used.*sub-folder for each class"):
        load_folder(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.png").write_bytes(b"")
    with pytest.raises(DataUnavailable, match=r"1\.png \(broken, or no picture\)"):
        load_folder(tmp_path)
    for path in (tmp_path / "nowhere", tmp_path / "a" / "1.png"):
        with pytest.raises(DataUnavailable, match="cannot be listed"):
            load_dataset(path)


@pytest.mark.parametrize("size", [0, -1, 2.5, "28", (28,), (28, 0), (28, 28, 1), None, True])
def test_a_folder_refuses_a_bad_size(two_classes, size):
    with pytest.raises(ValueError, match="size must be"):
        load_folder(two_classes, size)


# The published files


PUBLISHED_MD5 = {
    "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
}


@pytest.mark.slow
@pytest.mark.parametrize("split, prefix", [("train", "train"), ("test", "t10k")])
def test_mnist_as_published(real_data, split, prefix):
    packed = [(real_data / "mnist" / f"{prefix}-{kind}-ubyte.gz") for kind in ("images-idx3", "labels-idx1")]
    for file in packed:
        assert hashlib.md5(file.read_bytes()).hexdigest() == PUBLISHED_MD5[file.name]
    pixels = np.frombuffer(gzip.decompress(packed[0].read_bytes()), np.uint8, offset=16).reshape(-1, 784)
    labels = np.frombuffer(gzip.decompress(packed[1].read_bytes()), np.uint8, offset=8)
    digits = load_dataset("mnist", split=split)
    assert len(digits) == {"train": 60_000, "test": 10_000}[split]
    np.testing.assert_array_equal(np.rint(digits.images.reshape(-1, 784) * 255), pixels)
    np.testing.assert_array_equal(np.bincount(digits.labels), np.bincount(labels))
    np.testing.assert_array_equal(digits.labels, labels)


@pytest.mark.slow
def test_coil_as_published(real_data):
    coil = load_dataset("coil-20")
    assert coil.images.shape == (1440, 128, 128)
    with zipfile.ZipFile(real_data / "coil-20" / "coil-20-proc.zip") as archive:
        by_name = {Path(name).name: name for name in archive.namelist()}
        for obj, view in ((1, 0), (7, 13), (20, 71)):
            with archive.open(by_name[f"obj{obj}__{view}.png"]) as stream:
                pixels = np.asarray(Image.open(stream))
            i = (obj - 1) * 72 + view
            np.testing.assert_array_equal(np.rint(coil.images[i] * 255), pixels)
            assert coil.labels[i] == obj - 1 and coil.factors["angle"][i] == 5.0 * view


def test_resolve_finds_the_published_files(real_data, capsys, monkeypatch):
    monkeypatch.setenv("VAECOURSE_OFFLINE", "1")
    assert [resolve("mnist"), resolve("coil-20")] == ["mnist", "coil-20"]
    assert capsys.readouterr().out == ""
