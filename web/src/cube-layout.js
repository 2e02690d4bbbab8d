// What stands around the cube: the choice of what to see, sliders, pictures, tables, and all of it in words.

import { classColor, VIRIDIS_CSS } from "./colors.js";
import { CELLS } from "./cube-frame.js";
import { layerBoxes, logSlider, picturePanel, strip, waysPanel } from "./cube-panels.js";
import { trainPanel } from "./cube-train.js";
import { h, number, slider } from "./dom.js";

/** @typedef {import("./cube-seen.js").Seen} Seen */

const SIGMAS = [0.005, 0.5]; // the least and the most that the slider gives

/**
 * Puts everything into `root`, around the cube and the plane.
 * @param {object} from
 * @param {Host<CubeTraits>} from.host
 * @param {Seen} from.seen
 * @param {import("./cube-learn.js").Learner | null} from.learner
 * @param {HTMLElement} from.plane
 * @param {HTMLElement} from.canvas
 * @param {HTMLElement} from.root
 * @param {(values: Partial<CubeTraits>) => void} from.send
 * @param {Move} from.movePoint
 * @param {() => void} from.learned
 * @param {(learning: boolean) => void} from.rested
 */
export function addParts({ host, seen, learner, plane, canvas, root, send, movePoint, learned, rested }) {
  const { dim, extent, caption } = host.get("spec");
  const [x, ends] = [host.get("x").length > 0, host.get("ends").length > 0];
  const layers = [
    { name: "data", label: "data", there: seen.data.labels.length > 0 },
    { name: "sheet", label: `the ${dim === 2 ? "sheet" : "curve"} f(z)`, there: true },
    { name: "thickness", label: "its thickness σ", there: true },
    { name: "cloud", label: "P(x), a cloud", there: true },
    { name: "cut", label: "a cut through P(x)", there: true },
    { name: "posterior", label: "x and P(z|x)", there: x },
    { name: "ways", label: "ways from A to B", there: ends },
  ].filter(({ there }) => there);
  const boxes = layerBoxes(layers, "What to see in the cube", (name, on) => {
    send({ show: layers.map((layer) => layer.name).filter((other) => (other === name ? on : seen.shows(other))) });
  });
  const point = strip("f(z), the picture at the point");
  const limits = { min: -extent, max: extent, step: 0.01 };
  const codes = [
    slider(dim === 1 ? "z" : "z₁", limits, (value) => movePoint(value, seen.z[1])),
    slider("z₂", limits, (value) => movePoint(seen.z[0], value)),
  ].slice(0, dim);
  const sigma = logSlider("σ", SIGMAS[0], SIGMAS[1], (value) => send({ sigma: value }));
  const cut = slider("at", { min: 0, max: 1, step: 0.01 }, (value) => send({ cut: value }));
  const axis = h("select", {
    "aria-label": "Which cell the cut holds", onchange: () => send({ cut_axis: Number(axis.value) }),
  }, ...CELLS.map((name, i) => h("option", { value: i }, `cut: the ${name}`)));
  const cutRow = h("div", { class: "lx-row lx-cut", hidden: true }, axis, cut.element);
  const picture = x ? picturePanel((next) => send({ x: next })) : null;
  const ways = ends ? waysPanel() : null;
  const train = learner ? trainPanel(learner, learned, rested) : null;
  const legend = h("p", { class: "lx-legend" });
  const status = h("p", { class: "lx-hidden", role: "status" });
  root.append(
    boxes.element,
    h("div", { class: "lx-cube-top" },
      h("div", {}, canvas, legend, cutRow, sigma.element),
      h("div", {}, plane,
        h("p", { class: "lx-title" }, h("i", { class: "lx-dot lx-z-dot" }), "f(z), the picture at the point"),
        point.element, ...codes.map((one) => one.element))),
    picture?.element ?? "", ways?.element ?? "", train?.element ?? "", status,
    caption ? h("p", { class: "lx-caption" }, caption) : "");
  return { boxes, point, codes, sigma, cut, axis, cutRow, picture, ways, train, legend, status };
}

/**
 * What the colours mean, and what can be done.
 * @param {Seen} seen
 * @param {string[]} names  of the classes
 */
export function legendOf(seen, names) {
  const { cloud } = seen.shows("cloud") || seen.shows("cut") ? seen : { cloud: null };
  const keys = seen.shows("data") ? names : [];
  return [
    ...keys.map((name, label) => h("span", { class: "lx-key" },
      h("i", { style: `background:${classColor(label)}` }), name)),
    h("span", {}, "Drag the cube to turn it, a ball to move it."),
    cloud ? h("span", { class: "lx-bar-key" }, number(cloud.low, 1),
      h("i", { style: `background:${VIRIDIS_CSS}` }), `${number(cloud.top, 1)} nats: log P(x)`) : "",
  ];
}

/**
 * What stands where.
 * @param {Seen} seen
 */
export function wordsOf(seen) {
  const { host, model } = seen;
  /** @param {Numbers} x */
  const three = (x) => `left ${number(x[0])}, middle ${number(x[1])}, right ${number(x[2])}`;
  const z = seen.z.slice(0, model.dim).map((v) => number(v)).join(", ");
  const told = [`At z = (${z}) the picture is ${three(model.decode(...seen.z))}. σ is ${number(model.sigma, 3)}.`];
  if (seen.shows("posterior")) told.push(`x is ${three(host.get("x"))}; log P(x) is ${number(seen.logP)} nats.`);
  const [yaw, pitch] = [number(host.get("yaw"), 0), number(host.get("pitch"), 0)];
  told.push(`The cube is turned by ${yaw}° and seen from ${pitch}° above.`);
  return told.join(" ");
}
