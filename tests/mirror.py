"""A mirror on this machine that answers as a test wants, and small files for it to serve: a plugin of pytest's.

PYTEST_DONT_REWRITE: the tests that use it import it first, and it asserts nothing.
"""

import gzip
import hashlib
import http.server
import io
import socket
import struct
import threading
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from vaecourse.data import datasets, downloads

# Stand-ins for the published files, of the same formats and another content.


def idx(array):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def small_mnist():
    """{file: gzip bytes}, the table of sizes and digests that belongs to it, and {split: labels}."""
    rng = np.random.default_rng(7)
    files, table, labels = {}, {}, {}
    for split, entries in datasets.MNIST_FILES.items():
        count = {"train": 30, "test": 20}[split]
        arrays = rng.integers(0, 256, (count, 28, 28), np.uint8), rng.integers(0, 10, count).astype(np.uint8)
        raw, labels[split] = [idx(array) for array in arrays], arrays[1]
        files |= {entry[0]: gzip.compress(r) for entry, r in zip(entries, raw, strict=True)}
        table[split] = tuple(
            (entry[0], len(r), hashlib.sha256(r).hexdigest()) for entry, r in zip(entries, raw, strict=True)
        )
    return files, table, labels


def png(array, kind="PNG"):
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, kind)
    return stream.getvalue()


def zipped(members):
    """A zip file of (name, bytes, compression), in this order."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data, compression in members:
            archive.writestr(name, data, compression)
    return stream.getvalue()


class Mirror(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        self.server.answer(self, Path(self.path).name)

    def log_message(self, *args):
        pass

    def reply(self, body, status=200, length=None, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def serve(monkeypatch):
    """serve(answer) starts a mirror; answer(handler, file name) writes the response."""
    running = []
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    def start(answer):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
        server.answer, server.asked, server.over = answer, [], threading.Event()
        server.address = f"http://127.0.0.1:{server.server_port}/mnist/"
        server.thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        server.thread.start()
        running.append(server)
        return server

    yield start
    for server in running:
        server.over.set()  # slow answers end here
        server.shutdown()
        server.server_close()
        server.thread.join()


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """No local folder, an empty cache, small files to look for, nothing remembered; little patience."""
    files, table, labels = small_mnist()
    for name in ("VAECOURSE_DATA", "VAECOURSE_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VAECOURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(datasets, "MNIST_FILES", table)
    monkeypatch.setattr(datasets, "_missing", {})
    monkeypatch.setattr(downloads, "TIMEOUT", (10, 1))
    monkeypatch.setattr(downloads, "PATIENCE", 1)

    def mirrors(*servers):
        addresses = tuple(s if isinstance(s, str) else s.address for s in servers)
        monkeypatch.setattr(datasets, "MNIST_MIRRORS", addresses)

    return SimpleNamespace(files=files, labels=labels, cache=tmp_path / "cache", mirrors=mirrors)


def files_below(folder):
    return sorted(p.name for p in folder.rglob("*") if p.is_file())


def good(files):
    return lambda handler, name: handler.reply(files[name])


def closed_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{s.getsockname()[1]}/mnist/"


def lay_out(folder, files):
    (folder / "mnist").mkdir(parents=True)
    for name, data in files.items():
        (folder / "mnist" / name).write_bytes(data)
