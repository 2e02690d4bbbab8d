"""Networks, disks, processes, clocks and strangers at their worst: what the user sees, and that nothing is lost.

`make faults` runs every test that records a row of its table with record_property("fault", (fault, what the user sees,
what is lost)), here and in the other files, and prints them.
"""

import errno
import gzip
import hashlib
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mirror import closed_port, files_below, good, lay_out, png, small_mnist
from test_training import fresh, stripes, weights

from vaecourse import VAE, files, fit
from vaecourse.data import DataDamaged, DataUnavailable, datasets, downloads, load_dataset, load_folder, resolve
from vaecourse.model import CheckpointError, checkpoints, load_model, save_model

pytestmark = pytest.mark.slow

pytest_plugins = ["mirror"]

WORKS = "no message: it works"
AGAIN = "nothing; no half file stays"
SMALL = small_mnist()[0]


# The network


def half_then_silence(handler, name):
    handler.reply(bytes(500), length=1000)
    handler.wfile.flush()
    handler.server.over.wait(10)


def trickle(handler, name):
    """A byte now and then, for ever: no single wait is long."""
    handler.reply(b"", length=20_000)
    for _ in range(2_000):
        if not handler.server.over.wait(0.005):
            handler.wfile.write(b"\0")


ANSWERS = {
    "404": (lambda h, name: h.reply(b"", 404), "answered 404"),
    "a web page": (lambda h, name: h.reply(b"<!DOCTYPE html><p>Please log in"), "web page"),
    "another file": (lambda h, name: h.reply(gzip.compress(bytes(10))), "holds 10 instead of"),
    "a gzip file cut short": (lambda h, name: h.reply(SMALL[name][:-9]), "cannot be unpacked"),
    "less than was promised": (lambda h, name: h.reply(SMALL[name][:50], length=len(SMALL[name])), "connection broke"),
    "a changed pixel": (lambda h, name: h.reply(gzip.compress(gzip.decompress(SMALL[name])[:-1] + b"!")), "SHA-256"),
    "silence": (lambda h, name: h.server.over.wait(10), "took too long"),
    "half, then silence": (half_then_silence, "took too long|connection broke"),
    "a byte now and then, for ever": (trickle, "took too long"),
    "redirects in a circle": (lambda h, name: h.reply(b"", 302, Location=h.path), "could not be reached"),
    "a redirect to a file here": (lambda h, name: h.reply(b"", 302, Location="file:///etc/hosts"), "127.0.0.1"),
    "a wrong length": (lambda h, name: h.reply(b"", length="many"), "127.0.0.1"),
    "bytes without end": (lambda h, name: h.reply(bytes(2**18)), "larger than"),
}


@pytest.mark.parametrize("answer, said", ANSWERS.values(), ids=ANSWERS)
def test_a_bad_mirror_is_named_and_leaves_nothing(bare, serve, request, record_property, answer, said):
    bare.mirrors(serve(answer))
    with pytest.raises(DataUnavailable, match=said) as caught:
        load_dataset("mnist", split="test")
    assert "VAECOURSE_DATA" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert files_below(bare.cache) == []
    record_property("fault", (f"the mirror sends: {request.node.callspec.id}", str(caught.value), AGAIN))


@pytest.mark.parametrize("fault", ["404", "a web page", "half, then silence"])
def test_the_second_mirror_serves_when_the_first_fails(bare, serve, fault):
    bare.mirrors(serve(ANSWERS[fault][0]), serve(good(bare.files)))
    assert len(load_dataset("mnist", split="test")) == 20
    assert len(files_below(bare.cache)) == 2


def test_a_slow_mirror_is_waited_for(bare, serve, monkeypatch):
    def slowly(handler, name):
        handler.reply(b"", length=len(SMALL[name]))
        for start in range(0, len(SMALL[name]), 2**12):
            handler.server.over.wait(0.3)
            handler.wfile.write(SMALL[name][start : start + 2**12])

    monkeypatch.setattr(downloads, "PATIENCE", 0.1)
    monkeypatch.setattr(downloads, "SLOWEST", 2**5)
    bare.mirrors(serve(slowly))
    assert len(load_dataset("mnist", split="test")) == 20


def test_nobody_listens(bare, serve, record_property):
    bare.mirrors(closed_port(), serve(good(bare.files)))
    assert len(load_dataset("mnist", split="test")) == 20
    bare.mirrors(closed_port(), closed_port())
    with pytest.raises(DataUnavailable, match=r"could not be reached.*; .*could not be reached") as caught:
        load_dataset("mnist", split="train")
    record_property("fault", ("the network is down", str(caught.value), AGAIN))


def test_a_mirror_that_cannot_prove_who_it_is(bare, serve, record_property):
    bare.mirrors(serve(good(bare.files)).address.replace("http:", "https:"))
    with pytest.raises(DataUnavailable, match="clock of this machine right") as caught:
        load_dataset("mnist", split="test")
    record_property("fault", ("the mirror has no valid certificate", str(caught.value), AGAIN))


# The disk


@pytest.fixture
def full_disk(monkeypatch):
    """full_disk() fills the disk up: from then on half of what is written arrives, until full_disk.undo()."""

    def no_space(descriptor):
        os.ftruncate(descriptor, os.fstat(descriptor).st_size // 2)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        fill = lambda: patch.setattr(os, "fsync", no_space)  # noqa: E731
        fill.undo = patch.undo
        yield fill


def test_a_full_disk_does_not_keep_the_data_from_who_has_them(bare, serve, full_disk, record_property):
    bare.mirrors(serve(good(bare.files)))
    full_disk()
    with pytest.warns(UserWarning, match=r"No space left.*VAECOURSE_CACHE") as caught:
        assert len(load_dataset("mnist", split="test")) == 20
        assert resolve("mnist") == "mnist"
    assert len({str(warning.message) for warning in caught}) == 1, "one sentence, which Python shows once"
    assert files_below(bare.cache) == []
    full_disk.undo()
    assert len(load_dataset("mnist", split="test")) == 20
    assert len(files_below(bare.cache)) == 2
    record_property("fault", ("the disk is full: download", str(caught[0].message), "nothing; the data are loaded"))


def test_a_cache_that_cannot_be_written_to_is_said(bare, serve, monkeypatch, tmp_path, record_property):
    bare.mirrors(serve(good(bare.files)))
    (tmp_path / "a file").write_text("in the way")
    monkeypatch.setenv("VAECOURSE_CACHE", str(tmp_path / "a file"))
    with pytest.warns(UserWarning, match=r"cannot be written to.*VAECOURSE_CACHE"):
        assert len(load_dataset("mnist", split="test")) == 20
    monkeypatch.setenv("VAECOURSE_CACHE", str(bare.cache))
    opened = Path.open

    def read_only(path, mode="r", *rest):
        if set(mode) & set("wxa+"):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return opened(path, mode, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", read_only)
        with pytest.warns(UserWarning, match=r"cannot be written to.*VAECOURSE_CACHE") as caught:
            assert len(load_dataset("mnist", split="test")) == 20
    assert files_below(bare.cache) == []
    record_property("fault", ("the cache is read-only", str(caught[0].message), "nothing; the data are loaded"))


def test_a_disk_that_fills_up_in_training_keeps_the_last_epoch(tmp_path, monkeypatch, full_disk, record_property):
    uncut, cut = fresh(), fresh()
    options = {"epochs": 4, "device": "cpu", "progress": False}
    whole = fit(uncut, stripes(), **options)
    options["checkpoint"] = tmp_path / "run.safetensors"
    written = checkpoints.write_whole

    def fill_up(path, data):
        if path.exists():
            full_disk()
        written(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "write_whole", fill_up)
        with pytest.raises(CheckpointError, match=r"No space left.*run it again.*still whole") as caught:
            fit(cut, stripes(), **options)
    assert files_below(tmp_path) == ["run.safetensors"]
    full_disk.undo()
    resumed = fresh()
    assert fit(resumed, stripes(), **options).elbo == whole.elbo
    assert torch.equal(weights(resumed), weights(uncut))
    record_property("fault", ("the disk is full: training", str(caught.value), "nothing; the last whole epoch stays"))


@pytest.mark.parametrize("damage", [b"", b"<html>", b"\x1f\x8b\x08"])
def test_a_damaged_file_in_the_cache_is_fetched_again(bare, serve, monkeypatch, record_property, damage):
    bare.mirrors(serve(good(bare.files)))
    load_dataset("mnist", split="test")
    cached = bare.cache / "mnist" / "t10k-images-idx3-ubyte.gz"
    cached.write_bytes(damage)
    assert len(load_dataset("mnist", split="test")) == 20
    assert cached.read_bytes() == bare.files[cached.name]
    cached.write_bytes(damage)
    monkeypatch.setenv("VAECOURSE_OFFLINE", "1")
    with pytest.raises(DataUnavailable, match="VAECOURSE_OFFLINE") as caught:
        load_dataset("mnist", split="test")
    record_property("fault", (f"a file in the cache is damaged ({damage!r}), and no network", str(caught.value), AGAIN))


def test_a_damaged_local_file_is_reported_and_not_passed_over(bare, serve, monkeypatch, tmp_path, record_property):
    server = serve(good(bare.files))
    bare.mirrors(server)
    name = "train-images-idx3-ubyte.gz"
    wrong = bytearray(gzip.decompress(bare.files[name]))
    wrong[100] ^= 1
    lay_out(tmp_path / "own", bare.files | {name: gzip.compress(wrong)})
    monkeypatch.setenv("VAECOURSE_DATA", str(tmp_path / "own"))
    with pytest.raises(DataDamaged) as caught:
        load_dataset("mnist")
    said = str(caught.value)
    assert str(tmp_path / "own" / "mnist" / name) in said
    assert hashlib.sha256(wrong).hexdigest() in said
    assert datasets.MNIST_FILES["train"][0][2] in said
    assert server.address + name in said
    lay_out(tmp_path / "other", bare.files | {name: bare.files[name][:-9]})
    monkeypatch.setenv("VAECOURSE_DATA", str(tmp_path / "other"))
    for use in (load_dataset, resolve):
        with pytest.raises(DataDamaged, match="is damaged: it cannot be unpacked"):
            use("mnist")
    assert not server.asked
    record_property("fault", ("a file in VAECOURSE_DATA is damaged", said, "nothing; the file is left as it is"))


def test_a_local_file_without_end_is_not_read_whole(bare, monkeypatch, tmp_path):
    lay_out(tmp_path / "own", bare.files | {"train-labels-idx1-ubyte.gz": bytes(2**18)})
    monkeypatch.setenv("VAECOURSE_DATA", str(tmp_path / "own"))
    with pytest.raises(DataDamaged, match="larger than"):
        load_dataset("mnist")


def test_a_local_file_that_cannot_be_read_is_reported(bare, monkeypatch, tmp_path, record_property):
    (tmp_path / "own" / "mnist" / "train-images-idx3-ubyte.gz").mkdir(parents=True)
    monkeypatch.setenv("VAECOURSE_DATA", str(tmp_path / "own"))
    with pytest.raises(DataUnavailable, match=r"cannot be read \(Is a directory\).*delete it") as caught:
        load_dataset("mnist")
    record_property("fault", ("a file in VAECOURSE_DATA cannot be read", str(caught.value), "nothing"))


def test_a_file_is_on_the_disk_before_it_takes_its_name(tmp_path, monkeypatch):
    done = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *args, name=name, real=real: (done.append(name), real(*args)))
    files.write_whole(tmp_path / "file", b"content")
    assert done == ["fsync", "replace"] and (tmp_path / "file").read_bytes() == b"content"


def test_other_people_may_read_the_cache(bare, serve):
    bare.mirrors(serve(good(bare.files)))
    load_dataset("mnist", split="test")
    (bare.cache / "plain").write_text("")
    modes = {stat.S_IMODE(file.stat().st_mode) for file in bare.cache.rglob("*") if file.is_file()}
    assert modes == {stat.S_IMODE((bare.cache / "plain").stat().st_mode)}


# Processes that end


SAVER = """
import os, sys, time, torch
from vaecourse import VAE
from vaecourse.model import save_model
def wait(descriptor):
    print("writing", flush=True)
    time.sleep(600)
os.fsync = wait
save_model(sys.argv[1], VAE(image_shape=(3, 4), hidden=(8,)), {"version": 2})
"""


def start(program, *arguments):
    command = [sys.executable, "-c", program, *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)


def kill(child):
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert child.returncode == -signal.SIGKILL


def test_a_process_killed_while_saving_leaves_the_older_file(tmp_path, record_property):
    path, model = tmp_path / "m.safetensors", VAE(image_shape=(3, 4), hidden=(8,))
    save_model(path, model, {"version": 1})
    child = start(SAVER, path)
    assert child.stdout.readline() == "writing\n"
    kill(child)
    assert load_model(path).meta["version"] == 1
    (half,) = set(tmp_path.iterdir()) - {path}
    save_model(path, model, {"version": 3})
    assert half.exists(), "it could be that of a process that is writing now"
    os.utime(half, (0, path.stat().st_mtime - files._LEFTOVER - 1))
    save_model(path, model, {"version": 4})
    assert files_below(tmp_path) == ["m.safetensors"] and load_model(path).meta["version"] == 4
    record_property(
        "fault",
        (
            "killed while saving (SIGKILL)",
            "nothing; the older file loads",
            "nothing; the half file is swept up by a save an hour later",
        ),
    )


# Names and line ends


FOLDERS = ["données/数字 ü"]
if sys.platform == "linux":  # where a name is bytes, and may be those of an older alphabet
    FOLDERS.append(os.fsdecode(b"donn\xe9es"))


@pytest.mark.parametrize("name", FOLDERS, ids=ascii)
def test_names_in_any_alphabet(bare, serve, monkeypatch, tmp_path, record_property, name):
    bare.mirrors(serve(good(bare.files)))
    monkeypatch.setenv("VAECOURSE_CACHE", str(tmp_path / name / "cache"))
    for _ in range(2):
        assert len(load_dataset("mnist", split="test")) == 20
    assert len(files_below(tmp_path / name)) == 2
    lay_out(tmp_path / name / "own", bare.files)
    monkeypatch.setenv("VAECOURSE_DATA", str(tmp_path / name / "own"))
    assert len(load_dataset("mnist")) == 30
    path = tmp_path / name / "run.safetensors"
    history = fit(fresh(), stripes(), 1, device="cpu", checkpoint=path, progress=False)
    assert fit(fresh(), stripes(), 1, device="cpu", checkpoint=path, progress=False) == history
    save_model(path, fresh(), {})
    assert isinstance(load_model(path), VAE)
    (tmp_path / name / "mine" / Path(name).name).mkdir(parents=True)
    (tmp_path / name / "mine" / Path(name).name / "1.png").write_bytes(png(np.zeros((28, 28), np.uint8)))
    own = load_folder(tmp_path / name / "mine")
    assert own.class_names[0].encode("utf-8"), "it can be printed"
    record_property("fault", (f"a folder is called {name!a}", WORKS, "nothing"))


def test_windows_line_ends_in_settings(bare, serve, monkeypatch, tmp_path, record_property):
    """A settings file written on Windows leaves a carriage return at the end of each value."""
    bare.mirrors(closed_port())
    lay_out(tmp_path / "own", bare.files)
    monkeypatch.setenv("VAECOURSE_DATA", f"{tmp_path / 'own'}\r")
    assert len(load_dataset("mnist")) == 30
    monkeypatch.delenv("VAECOURSE_DATA")
    server = serve(good(bare.files))
    bare.mirrors(server)
    monkeypatch.setenv("VAECOURSE_CACHE", f"{bare.cache}\r\n")
    monkeypatch.setenv("VAECOURSE_OFFLINE", "0\r")
    assert len(load_dataset("mnist")) == 30 and len(files_below(bare.cache)) == 2
    record_property("fault", ("settings with Windows line ends", WORKS, "nothing"))


def test_files_with_windows_line_ends_are_refused(bare, monkeypatch, tmp_path, record_property):
    """Some programs that move files between systems take them for texts, and change every line end."""
    name = "train-images-idx3-ubyte.gz"
    changed = bare.files[name].replace(b"\n", b"\r\n")
    assert changed != bare.files[name]
    lay_out(tmp_path / "own", bare.files | {name: changed})
    monkeypatch.setenv("VAECOURSE_DATA", str(tmp_path / "own"))
    with pytest.raises(DataDamaged, match="Get it again") as caught:
        load_dataset("mnist")
    record_property("fault", ("data copied with Windows line ends", str(caught.value), "nothing"))
    path = tmp_path / "m.safetensors"
    save_model(path, VAE(image_shape=(3, 4), hidden=(8,)), {"note": "\n" * 10})
    path.write_bytes(path.read_bytes().replace(b"\\n", b"\r\n"))
    with pytest.raises(CheckpointError, match="not a whole checkpoint") as caught:
        load_model(path)
    record_property("fault", ("a checkpoint copied with Windows line ends", str(caught.value), "nothing"))
