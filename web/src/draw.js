// Draw your own digit: it is laid out as MNIST's were, encoded, searched for, and scored: log P(x).

import { layOut, upsideDown } from "./digit.js";
import { h, number, paintInk, paintMap, picture } from "./dom.js";
import { heatLayer } from "./layers.js";
import { logPrior } from "./numbers.js";
import { pad } from "./pad.js";
import { Searcher } from "./searcher.js";

/** @typedef {{ images: Uint8Array, names: string[] }} Given  pictures to pick from, and what each is */

const RANGE = 1500; // nats that a map of log values shows, from its highest down

/**
 * Log values as shares of [0, 1]: 1 at the highest, 0 at RANGE nats below it and farther.
 * @param {Float64Array} logs
 */
function shares(logs) {
  let top = -Infinity;
  for (const v of logs) top = Math.max(top, v);
  return Float64Array.from(logs, (v) => Math.max(0, 1 + (v - top) / RANGE));
}

/**
 * The three maps of a search on its grid: prior, likelihood, and their product.
 * @param {{ logLikelihood: Float64Array, n: number, reach: number }} found
 */
export function threeMaps({ logLikelihood, n, reach }) {
  /** @param {number} i */
  const z = (i) => reach * ((2 * i) / (n - 1) - 1);
  const prior = Float64Array.from(logLikelihood, (_, cell) => logPrior(z(cell % n), z(Math.floor(cell / n))));
  return {
    prior: prior.map((v) => Math.exp(v - logPrior(0, 0))),
    likelihood: shares(logLikelihood),
    integrand: shares(logLikelihood.map((v, cell) => v + prior[cell])),
  };
}

/**
 * Pictures to pick from: by name in a list, or by a press on a sheet that shows them all.
 * @param {import("./model.js").Model} model
 * @param {Given} given
 * @param {(x: Float64Array) => void} take
 */
function contactSheet({ width, height, pixels }, { images, names }, take) {
  const columns = 10;
  const rows = Math.ceil(names.length / columns);
  /** @param {number} i */
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
    choose.value = String(i);
    take(image(i));
  });
  return { choose, element };
}

/**
 * @typedef {object} OnThePlane
 * @property {number} extent
 * @property {Move} place  puts the point
 * @property {(z: Pair) => void} mark  puts the ring
 * @property {(layer: import("./layers.js").Layer) => void} layer  shows the posterior
 *
 * @param {import("./model.js").Model} model
 * @param {Uint8Array} weights
 * @param {Given} given
 * @param {OnThePlane} plane
 */
export function drawPanel(model, weights, given, plane) {
  const { width, height } = model;
  const own = picture(width, height, "your picture x, as the model sees it");
  const guess = picture(width, height, "what the encoder's guess draws");
  const best = picture(width, height, "what the best z draws");
  const side = 96;
  const maps = {
    prior: picture(side, side, "map of the prior"),
    likelihood: picture(side, side, "map of the likelihood"),
    integrand: picture(side, side, "map of the integrand"),
  };
  const near = picture(41, 41, "map of the posterior, close up");
  const nearCaption = h("span", {}, "posterior P(z|x), close up");
  const told = h("p", { role: "status", class: "lx-told" }, "Draw a digit, or pick one.");
  /** @type {Searcher | null} */
  let searcher = null;
  /** @type {Float64Array | null} */
  let x = null;

  /** @param {Float64Array} next */
  async function take(next) {
    x = next;
    paintInk(own, x, width, height);
    const q = model.encode(x);
    paintInk(guess, model.decode(...q.mean), width, height);
    plane.mark(q.mean);
    plane.place(...q.mean);
    told.textContent = `The encoder guesses z = (${q.mean.map((c) => number(c)).join(", ")}). Searching the plane …`;
    searcher ??= new Searcher(weights);
    tell(q.mean, await searcher.ask(next, q.mean));
  }

  /**
   * @param {Pair} guess
   * @param {import("./searcher.js").Answer} found
   */
  function tell(guess, found) {
    const [z1, z2] = found.best.z;
    paintInk(best, model.decode(z1, z2), width, height);
    plane.place(z1, z2);
    const three = threeMaps(found);
    paintMap(maps.prior, three.prior, found.n, found.n);
    paintMap(maps.likelihood, three.likelihood, found.n, found.n);
    paintMap(maps.integrand, three.integrand, found.n, found.n);
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
      + ` The encoder guessed (${guess.map((c) => number(c)).join(", ")}), the ring.${outside}`;
  }

  const board = pad((ink, size) => {
    const laidOut = layOut(ink, size, size);
    if (laidOut) take(laidOut);
  });
  /**
   * @param {string} name
   * @param {() => void} onclick
   */
  const button = (name, onclick) => h("button", { type: "button", onclick }, name);
  const buttons = h("div", { class: "lx-row" },
    button("Clear the pad", () => board.clear()),
    button("Turn upside down", () => {
      if (x) take(upsideDown(x));
    }));
  const sheet = given.names.length ? contactSheet(model, given, take) : null;
  if (sheet) buttons.append(sheet.choose);
  /**
   * @param {Node} canvas
   * @param {Node | string} caption
   */
  const figure = (canvas, caption) => h("figure", {}, canvas, h("figcaption", {}, caption));
  const below = h("div", { class: "lx-maps", hidden: true },
    figure(maps.prior, "prior P(z)"), figure(maps.likelihood, "log P(x|z)"),
    figure(maps.integrand, "log of prior × likelihood"), figure(near, nearCaption));
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
