// What the point stands for: the drawing f(z), its two sliders, P(z), and the classes of the nearest codes.

import { classColor } from "./colors.js";
import { h, number, paintInk, picture, slider } from "./dom.js";
import { logPrior } from "./numbers.js";
import { digitsOf } from "./view.js";

const NEIGHBOURS = 10;

/**
 * The classes of the nearest codes, the most frequent first: [label, count] each.
 * @param {Numbers} codes  N pairs in a row
 * @param {Numbers} labels
 * @param {number} z1
 * @param {number} z2
 */
export function nearestClasses(codes, labels, z1, z2, k = NEIGHBOURS) {
  /** @type {Pair[]} distance² and label, sorted, never longer than k */
  const nearest = [];
  for (let i = 0; i < labels.length; i++) {
    const d = (codes[2 * i] - z1) ** 2 + (codes[2 * i + 1] - z2) ** 2;
    if (nearest.length === k && d >= nearest[k - 1][0]) continue;
    let at = nearest.length;
    while (at > 0 && nearest[at - 1][0] > d) at--;
    nearest.splice(at, 0, [d, labels[i]]);
    if (nearest.length > k) nearest.pop();
  }
  /** @type {Map<number, number>} */
  const counts = new Map();
  for (const [, label] of nearest) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}

/**
 * @param {import("./model.js").Model} model
 * @param {number} extent
 * @param {{ codes: Float32Array, labels: Uint8Array, names: string[] }} known  labelled codes; may be empty
 * @param {Move} move
 */
export function pointPanel(model, extent, known, move) {
  const canvas = picture(model.width, model.height, "f(z), the drawing at the point");
  const limits = { min: -extent, max: extent, step: 0.01 };
  let z = [NaN, NaN];
  const sliders = [
    slider("z₁", limits, (value) => move(value, z[1])),
    slider("z₂", limits, (value) => move(z[0], value)),
  ];
  const density = h("output");
  const bar = h("div", { class: "lx-mix", "aria-hidden": "true" });
  const mix = h("output");
  const nearest = [h("dt", {}, `${NEIGHBOURS} nearest codes`), h("dd", {}, bar, mix)];
  const facts = h("dl", {}, h("dt", {}, "P(z)"), h("dd", {}, density), ...nearest);
  const status = h("p", { class: "lx-hidden", role: "status" });
  const image = new Float64Array(model.pixels);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  let digits = 2;

  /** @type {Move} */
  function show(z1, z2) {
    const moved = z1 !== z[0] || z2 !== z[1];
    z = [z1, z2];
    paintInk(canvas, model.decode(z1, z2, image), model.width, model.height);
    sliders.forEach((one, axis) => {
      one.show(z[axis], digits);
    });
    density.value = Math.exp(logPrior(z1, z2)).toPrecision(2).replace("e-", " · 10^−");
    // A lab finds its codes while it learns; and one class alone says nothing.
    for (const part of nearest) part.hidden = !known.codes.length || known.names.length < 2;
    const classes = nearestClasses(known.codes, known.labels, z1, z2);
    /** @param {number} count */
    const percent = (count) => `${(100 * count) / NEIGHBOURS} %`;
    const said = classes.map(([label, count]) => `${known.names[label] ?? label} (${percent(count)})`).join(", ");
    if (mix.value !== said) {
      mix.value = said;
      /** @param {Pair} of */
      const part = ([label, count]) => h("i", { style: `flex:${count};background:${classColor(label)}` });
      bar.replaceChildren(...classes.map(part));
    }
    // A screen reader hears where the point came to rest, not every step on the way.
    if (!moved) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      const like = said ? ` The nearest codes are of class ${said}.` : "";
      status.textContent = `z1 ${number(z1, digits)}, z2 ${number(z2, digits)}. P(z) is ${density.value}.${like}`;
    }, 800);
  }

  /** @param {number} wide  how far the sliders go */
  function reach(wide) {
    for (const { input } of sliders) {
      input.min = String(-wide);
      input.max = String(wide);
    }
  }

  /** @param {number} step  in what steps the point moves */
  function refine(step) {
    digits = digitsOf(step);
    for (const { input } of sliders) input.step = String(step);
  }

  const element = h("div", { class: "lx-point" },
    h("figure", {}, canvas, h("figcaption", {}, "f(z), drawn here and now")),
    h("div", {}, ...sliders.map((one) => one.element), facts), status);
  return { element, show, reach, refine, stop: () => clearTimeout(timer) };
}
