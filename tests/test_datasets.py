"""Data sets: what is accepted and what is refused. (test_faults.py: that nothing waits, lies or is left half done.)"""

import gzip
import hashlib
import struct
import tracemalloc
import zipfile
from pathlib import Path, PureWindowsPath

import numpy as np
import pooch
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mirror import files_below, good, idx, lay_out, png, zipped
from PIL import Image

from vaecourse.data import (
    DataDamaged,
    DataUnavailable,
    datasets,
    downloads,
    formats,
    load_dataset,
    load_folder,
    resolve,
)
from vaecourse.data.formats import inflate, parse_idx, unzip_views

pytest_plugins = ["mirror"]

DEFLATED = zipfile.ZIP_DEFLATED
KEPT = "nothing; the file is left as it is"


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


def test_a_download_is_read_kept_and_used_again_without_a_network(bare, serve, monkeypatch):
    server = serve(good(bare.files))
    bare.mirrors(server)
    first = load_dataset("mnist", split="test")
    assert files_below(bare.cache) == ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"]
    asked = len(server.asked)
    monkeypatch.setenv("VAECOURSE_OFFLINE", "1")
    again = load_dataset("mnist", split="test")
    assert len(server.asked) == asked == 2
    raw = np.frombuffer(gzip.decompress(bare.files["t10k-images-idx3-ubyte.gz"]), np.uint8, offset=16)
    for digits in (first, again):
        np.testing.assert_allclose(digits.images.ravel(), raw / 255.0, atol=1e-7)
    assert first.digest() == again.digest()
    assert len(load_dataset("mnist", "test")) == 20
    assert "CC BY-SA 3.0" in first.source


def test_the_test_split_does_not_fetch_the_training_files(bare, serve):
    server = serve(good(bare.files))
    bare.mirrors(server)
    load_dataset("mnist", split="test")
    assert all("t10k" in path for path in server.asked)
    assert len(load_dataset("mnist")) == 30


def test_a_repacked_file_is_as_good_as_the_original(bare, serve):
    stored = {name: gzip.compress(gzip.decompress(data), compresslevel=0) for name, data in bare.files.items()}
    bare.mirrors(serve(good(stored)))
    assert len(load_dataset("mnist", split="test")) == 20


def test_where_the_cache_is(monkeypatch):
    monkeypatch.setenv("VAECOURSE_CACHE", "~/elsewhere")
    assert downloads.cache_folder() == Path.home() / "elsewhere"
    monkeypatch.delenv("VAECOURSE_CACHE")
    assert downloads.cache_folder() == Path(pooch.os_cache("vaecourse"))


def test_the_local_folder_comes_first_and_is_only_read(bare, serve, monkeypatch, tmp_path):
    server = serve(good(bare.files))
    bare.mirrors(server)
    lay_out(tmp_path / "own", bare.files)
    monkeypatch.setenv("VAECOURSE_DATA", str(tmp_path / "own"))
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


def test_resolve_is_silent_when_the_real_data_are_there(bare, serve, capsys):
    bare.mirrors(serve(good(bare.files)))
    assert resolve("mnist") == "mnist"
    assert capsys.readouterr().out == ""
    assert len(files_below(bare.cache)) == 4


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
        with pytest.raises(DataDamaged) as caught:
            downloads.obtain("data.gz", ("https://a.mirror/",), read, len(data))
        return str(caught.value)

    return say


def test_any_bytes_parse_or_are_damaged(seen, record_property):
    bad = {}

    @settings(deadline=None)
    @given(st.binary(max_size=64))
    @example(b"\0\0\x08\0a")
    @example(b"\0\0\x08\x01\0\0\0\0")
    @example(b"\0\0\x08\x04" + b"\0\0\0\1" * 4 + b"a")
    @example(b"\0\0\x0b\x01\0\0\0\1a")
    def check(data):
        try:
            array = parse_idx(data)
        except DataDamaged:
            bad["last"] = data
        else:
            assert idx(array) == data and 1 <= array.ndim <= 3 and array.size

    check()
    record_property("fault", ("an IDX file of any bytes (fuzzed)", seen(bad["last"], parse_idx), KEPT))


@settings(deadline=None)
@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=5), st.binary(max_size=30))
def test_any_header_parses_or_is_damaged(shape, values):
    data = struct.pack(f">BBBB{len(shape)}I", 0, 0, 8, len(shape), *shape) + values
    try:
        array = parse_idx(data)
    except DataDamaged:
        assert 0 in shape or len(shape) > 3 or np.prod(np.array(shape, object)) != len(values)
    else:
        assert array.shape == tuple(shape) and array.tobytes() == values


@settings(deadline=None)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=3), st.integers(0, 255))
def test_idx_round_trip(shape, first):
    array = (first + np.arange(np.prod(shape))).astype(np.uint8).reshape(shape)
    np.testing.assert_array_equal(parse_idx(idx(array)), array)
    for wrong in (idx(array)[:-1], idx(array) + b"\0", b"\1" + idx(array)[1:]):
        with pytest.raises(DataDamaged):
            parse_idx(wrong)


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(0, 200))
def test_inflate_gives_the_promised_size_or_is_damaged(data, size):
    packed = gzip.compress(data)
    if size == len(data):
        assert inflate(packed, size) == data
    else:
        with pytest.raises(DataDamaged):
            inflate(packed, size)
    with pytest.raises(DataDamaged):
        inflate(packed[:-1], len(data))


def test_a_bomb_is_not_unpacked(seen, record_property):
    bomb = gzip.compress(bytes(2**26))
    tracemalloc.start()
    try:
        with pytest.raises(DataDamaged, match="more"):
            inflate(bomb, 1000)
        assert tracemalloc.get_traced_memory()[1] < 2**21
    finally:
        tracemalloc.stop()
    record_property(
        "fault", ("a gzip bomb", seen(bomb, lambda data: inflate(data, 1000)), "nothing; it is not unpacked")
    )


def use_small_coil(monkeypatch, folder, data, pixels):
    (folder / "coil-20").mkdir()
    (folder / "coil-20" / "coil-20-proc.zip").write_bytes(data)
    monkeypatch.setenv("VAECOURSE_DATA", str(folder))
    monkeypatch.setattr(datasets, "COIL_PIXELS", hashlib.sha256(pixels.tobytes()).hexdigest())


def test_coil_by_object_then_view(bare, monkeypatch, tmp_path, coil_pixels, coil_zip):
    use_small_coil(monkeypatch, tmp_path, coil_zip, coil_pixels)
    coil = load_dataset("coil20")
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


def test_coil_with_other_pixels_is_damaged(bare, monkeypatch, tmp_path, coil_pixels, coil_zip):
    use_small_coil(monkeypatch, tmp_path, coil_zip, coil_pixels[::-1])
    with pytest.raises(DataDamaged, match="SHA-256"):
        load_dataset("coil-20")


def test_coil_is_fetched_and_kept_only_if_right(bare, serve, monkeypatch, coil_pixels, coil_zip):
    monkeypatch.setattr(datasets, "COIL_PIXELS", hashlib.sha256(coil_pixels.tobytes()).hexdigest())
    bad = serve(lambda h, name: h.reply(b"<html>moved</html>"))
    monkeypatch.setattr(datasets, "COIL_MIRRORS", (bad.address,))
    assert resolve("coil-20") == "turntable"
    assert files_below(bare.cache) == []
    right = serve(lambda h, name: h.reply(coil_zip))
    monkeypatch.setattr(datasets, "COIL_MIRRORS", (bad.address, right.address))
    assert len(load_dataset("coil-20", size=32)) == 1440
    assert files_below(bare.cache) == ["coil-20-proc.zip"]


FOUR = np.arange(4 * 64, dtype=np.uint8).reshape(4, 8, 8)
PNG = (png(FOUR[0]), DEFLATED)
NAMES = ["obj1__0.png", "obj1__1.png", "obj2__0.png", "obj2__1.png"]


def four(names=NAMES, **changed):
    """A zip of two objects and two views, some members' (bytes, compression) changed."""
    members = dict(zip(NAMES, ((png(a), DEFLATED) for a in FOUR), strict=True)) | changed
    return zipped([(name, *members[PureWindowsPath(name).name]) for name in names])


def unzip_four(data):
    return unzip_views(data, objects=2, views=2, side=8)


@pytest.mark.parametrize(
    "fault, names",
    {
        "a zip that climbs out of its folder": ["../../obj2__1.png", "/etc/obj2__0.png", "a/b/obj1__1.png", NAMES[0]],
        "a zip with Windows paths": [f"C:\\coil\\{name}" for name in NAMES],
    }.items(),
)
def test_folders_in_names_mean_nothing_and_nothing_is_written(tmp_path, monkeypatch, record_property, fault, names):
    monkeypatch.chdir(tmp_path)
    np.testing.assert_array_equal(unzip_four(four(names)), FOUR)
    assert list(tmp_path.iterdir()) == []
    record_property("fault", (fault, "no message: it works, and nothing is written", "nothing"))


def test_other_members_are_left_alone():
    extra = {"read me.txt": (b"hello", DEFLATED), "._obj1__0.png": (b"junk", DEFLATED)}
    np.testing.assert_array_equal(unzip_four(four([*NAMES, *extra], **extra)), FOUR)


def bomb_that_lies():
    size = 2**24
    data = four(**{NAMES[0]: (bytes(size), DEFLATED)})
    assert struct.pack("<I", size) in data
    return data.replace(struct.pack("<I", size), struct.pack("<I", 300))


BAD_ZIPS = {
    "nothing": lambda: b"",
    "a web page": lambda: b"<html>",
    "cut short": lambda: four()[:-30],
    "one view too few": lambda: four(NAMES[:3]),
    "one view twice": lambda: four([*NAMES, "again/obj1__0.png"]),
    "one view too many": lambda: four([*NAMES, "obj3__0.png"], **{"obj3__0.png": PNG}),
    "a text": lambda: four(**{NAMES[1]: (b"not an image", DEFLATED)}),
    "another size": lambda: four(**{NAMES[1]: (png(np.zeros((9, 8), np.uint8)), DEFLATED)}),
    "colour": lambda: four(**{NAMES[1]: (png(np.zeros((8, 8, 3), np.uint8)), DEFLATED)}),
    "a JPEG": lambda: four(**{NAMES[1]: (png(FOUR[1], "JPEG"), DEFLATED)}),
    "half an image": lambda: four(**{NAMES[1]: (png(FOUR[1])[:50], DEFLATED)}),
    "a large member": lambda: four(**{NAMES[0]: (bytes(2**24), DEFLATED)}),
    "a large member that lies": bomb_that_lies,
    "a method without bounds": lambda: four(**{NAMES[0]: (png(FOUR[0]), zipfile.ZIP_BZIP2)}),
}


@pytest.mark.parametrize("make", BAD_ZIPS.values(), ids=BAD_ZIPS)
def test_a_bad_zip_is_damaged(make, request, seen, record_property):
    data = make()
    tracemalloc.start()
    try:
        with pytest.raises(DataDamaged):
            unzip_four(data)
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()
    record_property("fault", (f"a zip: {request.node.callspec.id}", seen(data, unzip_four), KEPT))


def test_a_zip_of_countless_images_is_refused_before_the_first_is_unpacked(monkeypatch, seen, record_property):
    """A few bytes in the directory are one more member, and all of them may point at the same image."""
    data = four([*NAMES, "obj3__0.png", "obj999__999.png"], **dict.fromkeys(["obj3__0.png", "obj999__999.png"], PNG))
    monkeypatch.setattr(formats, "_view", None)
    with pytest.raises(DataDamaged, match="6 views instead of 4"):
        unzip_four(data)
    record_property("fault", ("a zip of countless images", seen(data, unzip_four), KEPT))


def test_one_wrong_byte_in_a_zip_never_does_worse_than_damaged(seen, record_property):
    bad = {}

    @settings(deadline=None)
    @given(st.integers(0, 2**16), st.integers(1, 255))
    def check(where, change):
        data = bytearray(four())
        data[where % len(data)] ^= change
        try:
            pixels = unzip_four(bytes(data))
        except DataDamaged:
            bad["last"] = bytes(data)
        else:
            assert pixels.shape == FOUR.shape and pixels.dtype == np.uint8

    check()
    record_property("fault", ("a zip with a wrong byte (fuzzed)", seen(bad["last"], unzip_four), KEPT))


# Names, splits and sizes


def fake_digits(n, generator):
    labels = generator.integers(0, 10, n)
    return generator.random((n, 28, 28), dtype=np.float32), labels, {"slant": generator.normal(size=n)}


def test_strokes_come_from_fixed_seeds(monkeypatch):
    monkeypatch.setattr(datasets.strokes, "sample", fake_digits)
    for split, count, seed in (("train", 60_000, 0), ("test", 10_000, 1)):
        images, labels, factors = fake_digits(count, np.random.default_rng(seed))
        digits = load_dataset("strokes", split=split)
        np.testing.assert_array_equal(digits.images, images)
        np.testing.assert_array_equal(digits.labels, labels)
        np.testing.assert_array_equal(digits.factors["slant"], factors["slant"])


def test_strokes_as_they_are_drawn(monkeypatch):
    draw = datasets.strokes.sample
    monkeypatch.setattr(datasets.strokes, "sample", lambda n, generator: draw(20, generator))
    digits = load_dataset("strokes")
    assert len(digits) == 20 and digits.images.shape[1:] == (28, 28) and "slant" in digits.factors


def test_turntable_hands_the_size_on(monkeypatch):
    def grey(name, angles, size):
        return np.full((len(angles), size, size), 0.5, np.float32)

    monkeypatch.setattr(datasets.turntable, "render", grey)  # rendering has its own tests, and takes seconds
    objects = datasets.turntable.OBJECTS
    for size, side in ((None, 64), (16, 16)):
        table = load_dataset("turntable", size=size)
        assert table.images.shape == (72 * len(objects), side, side)
        assert table.class_names == tuple(objects)
        np.testing.assert_array_equal(table.factors["angle"], np.tile(np.arange(72) * 5.0, len(objects)))


@pytest.mark.parametrize(
    "name, nearest", [("mnits", "mnist"), ("MNIST", "mnist"), ("coil", "coil-20"), ("turn table", "turntable"), (3, "")]
)
def test_an_unknown_name_is_told_the_nearest(name, nearest):
    with pytest.raises(ValueError, match=f"Did you mean '{nearest}"):
        load_dataset(name)


@pytest.mark.parametrize("name", ["coil-20", "turntable", "folder"])
@pytest.mark.parametrize("split", ["train", "test"])
def test_objects_and_folders_have_no_split(name, split, tmp_path):
    with pytest.raises(ValueError, match=r"held back is for the protocol.*Leave split out"):
        load_dataset(tmp_path if name == "folder" else name, split=split)


@pytest.mark.parametrize("name", ["mnist", "strokes"])
def test_digits_refuse_other_splits_and_sizes(name):
    with pytest.raises(ValueError, match="split must be 'train' or 'test'"):
        load_dataset(name, split="validation")
    with pytest.raises(ValueError, match="28 × 28"):
        load_dataset(name, size=64)


# Folders of one's own


def picture(path, array, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)


@pytest.fixture
def two_classes(tmp_path):
    """Dark marks on light paper: a bar at the top in "cats", at the left in "dogs"."""
    page = np.full((56, 56), 255, np.uint8)
    top, left = page.copy(), page.copy()
    top[8:16, 8:-8], left[8:-8, 8:16] = 0, 0
    picture(tmp_path / "mine" / "dogs" / "1.png", left)
    picture(tmp_path / "mine" / "cats" / "1.png", top)
    picture(tmp_path / "mine" / "cats" / "2.PNG", np.stack([top] * 3, -1))
    return tmp_path / "mine"


def test_a_folder_of_ones_own(two_classes):
    (two_classes / "cats" / "notes.txt").write_text("left out")
    (two_classes / ".hidden").mkdir()
    (two_classes / "cats" / "._1.png").write_text("left out")
    for own in (load_dataset(two_classes), load_dataset(str(two_classes)), load_folder(two_classes)):
        assert own.class_names == ("cats", "dogs") and own.labels.tolist() == [0, 0, 1] and own.name == "mine"
        expected = np.zeros((28, 28))
        expected[4:8, 4:-4] = 1  # dark ink on light paper is stored as 1 on 0
        np.testing.assert_allclose(own.images[0], expected, atol=0.15)  # shrinking rounds the corners
        np.testing.assert_array_equal(own.images[0], own.images[1])
        np.testing.assert_allclose(own.images[2], expected.T, atol=0.15)
    assert load_dataset(two_classes, size=14).images.shape == (3, 14, 14)
    assert load_dataset(two_classes, size=(20, 30)).images.shape == (3, 20, 30)


def test_a_string_may_name_a_folder_here_and_a_known_name_wins(two_classes, monkeypatch, bare):
    monkeypatch.chdir(two_classes.parent)
    assert load_dataset("mine").name == "mine"
    two_classes.rename(two_classes.parent / "strokes")
    monkeypatch.setattr(datasets.strokes, "sample", fake_digits)
    assert len(load_dataset("strokes", split="test")) == 10_000
    assert load_dataset(Path("strokes")).class_names == ("cats", "dogs")


def test_light_on_dark_is_not_inverted(two_classes):
    dark = load_folder(two_classes)
    for file in two_classes.rglob("*.*"):
        Image.fromarray(255 - np.asarray(Image.open(file).convert("L"))).save(file)
    np.testing.assert_allclose(load_folder(two_classes).images, dark.images, atol=2 / 255)


def test_proportions_are_kept_with_a_margin_like_the_border(tmp_path):
    tall = np.full((56, 28), 200, np.uint8)
    tall[20:36, 8:20] = 0
    picture(tmp_path / "mine" / "a" / "1.png", tall)
    image = load_folder(tmp_path / "mine").images[0]
    np.testing.assert_allclose(image[:, [0, 3, 7, -1]], 1 - 200 / 255, atol=0.01)
    ink = image > 0.5
    assert ink.any(1).sum() == 8 and ink.any(0).sum() == 6


def test_exif_rotation_alpha_palette_and_sixteen_bits(tmp_path, two_classes):
    upright = load_folder(two_classes).images[0]
    top = np.asarray(Image.open(two_classes / "cats" / "1.png"))
    other = tmp_path / "other"
    exif = Image.Exif()
    exif[0x0112] = 6  # "rotate by 90° clockwise to see it right"
    picture(other / "a" / "1 turned.png", np.rot90(top), exif=exif)
    clear = np.zeros((56, 56, 4), np.uint8)
    clear[..., 3] = 255 - top
    picture(other / "a" / "2 clear.png", clear)
    Image.fromarray(top).convert("P").save(other / "a" / "3 palette.gif")
    picture(other / "a" / "4 sixteen.png", top.astype(np.uint16) * 257)
    picture(other / "a" / "5 lossy.jpg", top, quality=95)
    for image in load_folder(other).images:
        np.testing.assert_allclose(image, upright, atol=0.05)


def test_sixteen_bits_are_scaled_not_clipped(tmp_path):
    grey = np.full((28, 28), 2**14, np.uint16)
    picture(tmp_path / "mine" / "a" / "1.png", grey)
    np.testing.assert_allclose(load_folder(tmp_path / "mine").images, 0.25, atol=1 / 255)


def test_pixels_without_a_white_are_refused(tmp_path):
    picture(tmp_path / "mine" / "a" / "1.tif", np.full((28, 28), np.nan, np.float32))
    with pytest.raises(DataDamaged, match=r"1\.tif.*no known white"):
        load_folder(tmp_path / "mine")


def test_folders_that_hold_no_images(tmp_path):
    with pytest.raises(DataUnavailable, match="no sub-folders"):
        load_folder(tmp_path)
    (tmp_path / "a").mkdir()
    with pytest.raises(DataUnavailable, match="has no images"):
        load_folder(tmp_path)
    with pytest.raises(DataUnavailable, match="cannot be listed"):
        load_dataset(tmp_path / "nowhere")


@pytest.mark.parametrize("content", [b"", b"just a text", png(FOUR[0])[:40], b"\x89PNG\r\n\x1a\n"])
def test_a_file_that_is_no_image_is_named(two_classes, record_property, content):
    (two_classes / "cats" / "3.png").write_bytes(content)
    with pytest.raises(DataDamaged, match=r"3\.png") as caught:
        load_folder(two_classes)
    record_property("fault", (f"an image of yours that is none ({content[:8]!r})", str(caught.value), "nothing"))


@pytest.mark.parametrize("limit", [3000, 1000])
def test_a_huge_image_is_refused(two_classes, monkeypatch, record_property, limit):
    # Pillow warns above its limit and raises above twice its limit; 56 × 56 is 3,136 pixels.
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    with pytest.raises(DataDamaged, match=r"1\.png.*usual size") as caught:
        load_folder(two_classes)
    record_property("fault", ("an image of yours that is a bomb", str(caught.value), "nothing"))


@pytest.mark.parametrize("size", [0, -1, 2.5, "28", (28,), (28, 0), (28, 28, 1), None])
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
