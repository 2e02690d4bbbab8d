"""How fast the explorer answers a hand, what it weighs, and what a reader would otherwise drag.

    python benchmarks/explorer.py        prints a table and writes benchmarks/results/explorer.json

Needs Chromium. Run it on a quiet machine: it measures milliseconds.
"""

from __future__ import annotations

import gzip
import io
import json
import math
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "oracles"))

from browser import FLAGS, HEAD, TAIL, find_chromium, front_end, place, served  # noqa: E402

from vaecourse import LatentExplorer, load_dataset, load_pretrained, measures  # noqa: E402

WATCH = """
window.frames = [];
addEventListener("pointermove", () => {
  const start = performance.now();
  requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => frames.push(performance.now() - start);
    port2.postMessage(0);  // heard once the frame has been painted
  });
}, true);
new MutationObserver((_, self) => {
  if (!document.querySelector(".lx-point canvas")) return;
  window.ready = performance.now();
  self.disconnect();
}).observe(document, { childList: true, subtree: true });
"""


def quantiles(values: list[float]) -> dict[str, float]:
    """Median and 95th percentile."""
    return {"p50": statistics.median(values), "p95": statistics.quantiles(values, n=20)[-1], "n": len(values)}


def drag(page, slower: int) -> dict[str, float]:
    """Milliseconds from a pointer's movement to the frame that shows it, with the CPU slowed down."""
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": slower})
    (x, y), (right, _) = place(page, 0, 0), place(page, 2.5, 0)
    page.evaluate("frames.length = 0")
    page.mouse.move(x, y)
    page.mouse.down()
    for i in range(240):
        page.mouse.move(x + (right - x) * math.cos(i / 12), y + (right - x) * math.sin(i / 15))
    page.mouse.up()
    session.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    return quantiles(page.evaluate("frames"))


def search(page) -> list[float]:
    """Milliseconds from picking a picture to its log P(x), its maps and its posterior, the table being there."""
    told = "document.querySelector('.lx-told').textContent"
    times = []
    for i in range(12):
        start = time.perf_counter()
        page.locator("select").select_option(str(i))
        page.wait_for_function(f"{told}.startsWith('log P(x)')", polling=5)
        times.append(1000 * (time.perf_counter() - start))
        page.locator("select").select_option(str(i + 20))
        page.wait_for_function(f"{told}.startsWith('log P(x)')")
    return times[1:]  # the first waits for the table


def by_kernel(model) -> list[float]:
    """Milliseconds that Python needs for one movement of `ipywidgets.interact`: decode, draw, encode as PNG."""
    times = []
    for i in range(40):
        start = time.perf_counter()
        with torch.no_grad():
            picture = model.decode(torch.tensor([[i / 40, 0.0]])).mean[0]
        fig = plt.figure(figsize=(3, 3))
        plt.imshow(picture, cmap="gray_r")
        fig.savefig(io.BytesIO(), format="png")
        plt.close(fig)
        times.append(1000 * (time.perf_counter() - start))
    return times


def main() -> int:
    chromium = find_chromium()
    if chromium is None:
        print("This needs Chromium: install it (Debian: apt-get install chromium) and run again.", file=sys.stderr)
        return 1
    model, digits = load_pretrained("strokes-2d-page"), load_dataset("strokes", split="test")
    known = {"codes": measures.codes(model, digits.images), "labels": digits.labels}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        front_end(folder)
        html = LatentExplorer(model, **known)._repr_mimebundle_()[0]["text/html"]
        draws = LatentExplorer(model, **known, images=digits.images[:100], draw=True)
        (folder / "plain.html").write_text(HEAD + html + TAIL, "utf-8")
        (folder / "draw.html").write_text(HEAD + draws._repr_mimebundle_()[0]["text/html"] + TAIL, "utf-8")
        with served(folder) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            page = browser.new_page()
            page.add_init_script(WATCH)
            page.goto(f"{address}/plain.html")
            page.wait_for_function("window.ready")
            paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0")
            result = {"ready after first paint, ms": page.evaluate("ready") - paint}
            result |= {f"pointer to frame, CPU {s} x slower, ms": drag(page, s) for s in (1, 6)}
            page.goto(f"{address}/draw.html")
            page.wait_for_function("window.ready")
            result["log P(x), maps and posterior of a picture, ms"] = quantiles(search(page))
            browser.close()
        parts = [folder / "explorer" / file for file in ("page.js", "explorer.css", "strokes-2d-page.js")]
        weigh = sum(len(gzip.compress(part.read_bytes())) for part in parts)
    result["the same movement by ipywidgets.interact, Python's part, ms"] = quantiles(by_kernel(model))
    result["front end and weights, kB gzipped, once for the site"] = weigh / 1000
    result["one explorer in a page, kB gzipped"] = len(gzip.compress(html.encode())) / 1000
    for label, value in result.items():
        shown = f"p50 {value['p50']:.1f}, p95 {value['p95']:.1f}" if isinstance(value, dict) else f"{value:.0f}"
        print(f"{label:62s} {shown}")
    file = ROOT / "benchmarks" / "results" / "explorer.json"
    file.parent.mkdir(exist_ok=True)
    machine = {"machine": platform.machine(), "python": platform.python_version(), "torch": torch.__version__}
    file.write_text(json.dumps(machine | result, indent=2) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
