// Draw your own digit: it is laid out as MNIST's were, encoded, searched for, and scored: log P(x).

import { layOut, upsideDown } from "./digit.js";
import { h, number, paintInk, paintMap, picture } from "./dom.js";
import { heatLayer } from "./layers.js";
import { logPrior } from "./numbers.js";
import { pad } from "./pad.js";
import { Searcher } from "./worker.js";

const RANGE = 1500; // nats that a map of log values shows, from its highest down

/** Log values as shares of [0, 1]: 1 at the highest, 0 at RANGE nats below it and farther. */
function shares(logs) {
  let top = -Infinity;
  for (const v of logs) top = Math.max(top, v);
  return Float64Array.from(logs, (v) => Math.max(0, 1 + (v - top) / RANGE));
}

/** The three maps of a search on its grid: prior, likelihood, and their product. */
export function threeMaps({ logLikelihood, n, reach }) {
  const z = (i) => reach * ((2 * i) / (n - 1) - 1);
  const prior = Float64Array.from(logLikelihood, (_, cell) => logPrior(z(cell % n), z(Math.floor(cell / n))));
  return {
    prior: prior.map((v) => Math.exp(v - logPrior(0, 0))),
    likelihood: shares(logLikelihood),
    integrand: shares(logLikelihood.map((v, cell) => v + prior[cell])),
  };
}

/** Pictures to pick from: by name in a list, or by a press on a sheet that shows them all. */
function contactSheet({ width, height, pixels }, { images, names }, take) {
  const columns = 10;
  const rows = Math.ceil(names.length / columns);
  const image = (i) => Float64Array.from(images.subarray(i * pixels, (i + 1) * pixels), (v) => v / 255);
  const choose = h("select", { "aria-label": "Pick a picture", onchange: () => take(image(Number(choose.value))) },
    h("option", { value: "", disabled: true, selected: true }, "Pick a picture …"),
    ...names.map((name, i) => h("option", { value: i }, name)));
  // For hand and eye; who uses keys or a screen reader has the list.
  const size = { width: columns * width, height: rows * height };
  const element = h("canvas", { ...size, class: "lx-sheet", "aria-hidden": "true" });
  names.forEach((_, i) => {
    paintInk(element, image(i), width, height, (i % columns) * width, Math.floor(i / columns) * height);
  });
  element.addEventListener("click", (event) => {
    const box = element.getBoundingClientRect();
    const column = Math.floor((columns * (event.clientX - box.left)) / box.width);
    const i = columns * Math.floor((rows * (event.clientY - box.top)) / box.height) + column;
    if (i >= names.length) return;
    choose.value = i;
    take(image(i));
  });
  return { choose, element };
}

/**
 * @param {{ images: Uint8Array, names: string[] }} given  pictures to pick from, and what each is
 * @param {{ place: Function, mark: Function, layer: Function }} plane  puts the point, the ring, the posterior
 */
export function drawPanel(model, weights, given, plane) {
  const { width, height } = model;
  const own = picture(width, height, "your picture x, as the model sees it");
  const guess = picture(width, height, "what the encoder's guess draws");
  const best = picture(width, height, "what the best z draws");
  const side = 96;
  const maps = ["prior", "likelihood", "integrand"].map((name) => [name, picture(side, side, `map of the ${name}`)]);
  const near = picture(41, 41, "map of the posterior, close up");
  const nearCaption = h("span", {}, "posterior P(z|x), close up");
  const told = h("p", { role: "status", class: "lx-told" }, "Draw a digit, or pick one.");
  let searcher = null;
  let x = null;

  async function take(next) {
    x = next;
    paintInk(own, x, width, height);
    const q = model.encode(x);
    paintInk(guess, model.decode(...q.mean), width, height);
    plane.mark(q.mean);
    plane.place(...q.mean);
    told.textContent = `The encoder guesses z = (${q.mean.map((c) => number(c)).join(", ")}). Searching the plane …`;
    searcher ??= new Searcher(weights);
    const found = await searcher.ask(Float64Array.from(x), q.mean);
    tell(q, found);
  }

  function tell(q, found) {
    const [z1, z2] = found.best.z;
    paintInk(best, model.decode(z1, z2), width, height);
    plane.place(z1, z2);
    const three = threeMaps(found);
    for (const [name, canvas] of maps) paintMap(canvas, three[name], found.n, found.n);
    paintMap(near, found.near.density, found.near.n, found.near.n);
    below.hidden = false;
    nearCaption.textContent = `posterior P(z|x), close up: ±${found.near.half.toPrecision(2)} around the best z`;
    plane.layer(heatLayer(three.integrand, {
      width: found.n, height: found.n, reach: found.reach, low: -RANGE, high: 0,
      name: "posterior", title: "log P(z|x), in nats below its highest",
    }));
    const outside = Math.max(Math.abs(z1), Math.abs(z2)) > plane.extent ? " It lies outside the plane shown here." : "";
    told.textContent = `log P(x) = ${number(found.logPX, 1)} nats. The best z is (${number(z1)}, ${number(z2)}): there `
      + `log P(x|z) = ${number(found.best.height - logPrior(z1, z2), 1)} and log P(z) = ${number(logPrior(z1, z2), 1)}.`
      + ` The encoder guessed (${q.mean.map((c) => number(c)).join(", ")}), the ring.${outside}`;
  }

  const board = pad((ink, size) => {
    const laidOut = layOut(ink, size, size);
    if (laidOut) take(laidOut);
  });
  const button = (name, onclick) => h("button", { type: "button", onclick }, name);
  const buttons = h("div", { class: "lx-row" },
    button("Clear the pad", () => board.clear()),
    button("Turn upside down", () => x && take(upsideDown(x))));
  const sheet = given.names.length ? contactSheet(model, given, take) : null;
  if (sheet) buttons.append(sheet.choose);
  const figure = (canvas, caption) => h("figure", {}, canvas, h("figcaption", {}, caption));
  const below = h("div", { class: "lx-maps", hidden: true },
    figure(maps[0][1], "prior P(z)"), figure(maps[1][1], "log P(x|z)"),
    figure(maps[2][1], "log of prior × likelihood"), figure(near, nearCaption));
  const element = h("div", { role: "region", class: "lx-draw", "aria-label": "Draw your own digit" },
    board.element, h("div", {}, buttons, told,
      h("div", { class: "lx-pictures" },
        figure(own, "x, laid out"), figure(guess, "the encoder's guess"), figure(best, "the best z"))),
    below, sheet ? h("details", {}, h("summary", {}, "All pictures to pick from"), sheet.element) : "");
  // The search needs a table that takes a second: begun when the panel comes into view, it is there in time.
  const watcher = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) searcher ??= new Searcher(weights);
  });
  watcher.observe(element);
  return { element, stop: () => { watcher.disconnect(); searcher?.stop(); } };
}
