// What of the lab stands in the page: buttons, plane, drawing, curves. What they do is in lab.js.

import { field, h, radios, typed } from "./dom.js";
import { Curves } from "./lab-curves.js";
import { emptyLayer } from "./layers.js";
import { Plane } from "./plane.js";
import { pointPanel } from "./point.js";

export const EXTENT = 4; // of the plane at first

/**
 * @typedef {object} Actions
 * @property {() => void} toggle
 * @property {() => void} reset
 * @property {() => void} choose  hears that another length was chosen
 * @property {() => void} change  hears that other images were chosen
 * @property {Move} move  hears where the reader wants the point
 * @property {() => Pair} where  the point is
 */

/**
 * What the reader has set: without a number, sigma is learned, and beta is what it was at first.
 * @param {Record<"seed" | "sigma" | "beta", HTMLInputElement>} fields
 * @param {LabTraits["spec"]} spec
 */
export function settingsOf({ seed, sigma, beta }, spec) {
  return {
    seed: Math.round(typed(seed) || 0),
    sigma: Number.isNaN(sigma.valueAsNumber) ? null : typed(sigma),
    beta: Number.isNaN(beta.valueAsNumber) ? spec.beta : typed(beta),
  };
}

/** What the sets that a page can fetch are called. @type {Record<string, string>} */
const SETS = { mnist: "digits by hand", strokes: "strokes by program" };

/**
 * The lab's elements.
 * @param {HTMLElement} root
 * @param {LabTraits["spec"]} spec
 * @param {string[]} lengths  how long a training may take, in words
 * @param {string[]} sets  names of the images that can be fetched
 * @param {{ codes: Float32Array, labels: Uint8Array, names: string[] }} known  the codes behind the point
 * @param {Pick<import("./model.js").Model, "width" | "height" | "pixels" | "decode">} drawer  what draws the point
 * @param {Actions} actions
 */
export function labView(root, spec, lengths, sets, known, drawer, actions) {
  const plane = new Plane(EXTENT);
  const placePoint = plane.addHandle("Point z", "point", actions.where, actions.move);
  const panel = pointPanel(/** @type {import("./model.js").Model} */ (drawer), EXTENT, known, actions.move);
  const curves = new Curves();
  /**
   * @param {string} text
   * @param {() => void} onclick
   */
  const button = (text, onclick) => h("button", { type: "button", onclick }, text);
  const train = button("Train", actions.toggle), reset = button("Reset", actions.reset);
  const seed = field("seed", spec.seed, { min: 0, max: 2 ** 32 - 1, step: 1 });
  const sigma = field("σ", spec.sigma ?? "", { min: 0.01, max: 1, step: "any", placeholder: "learned" });
  const beta = field("β", spec.beta, { min: 0, max: 1000, step: "any" });
  const choice = radios("How long", lengths, actions.choose);
  const set = radios("Images", sets.map((name) => SETS[name] ?? name), actions.change);
  const side = h("div", {}, panel.element), below = h("div", { class: "lx-row" });
  const told = h("p", { role: "status", class: "lx-told" });
  const error = h("p", { role: "alert", class: "lx-error", hidden: true });
  const pace = h("p", { class: "lx-legend" }), legend = h("p", { class: "lx-legend" });
  root.append(
    sets.length > 1 ? h("div", { class: "lx-row" }, set.element) : "",
    h("div", { class: "lx-row" }, train, reset, choice.element,
      ...[seed, sigma, beta].map(({ element }) => element)),
    told, error, pace,
    h("div", { class: "lx-top" }, h("div", {}, plane.element, legend), side),
    curves.element,
    h("p", { class: "lx-legend" }, "In nats per image. Thin: training, a running mean; thick: held out; dashed: "
      + "held out, in the training kept beside."),
    below,
    spec.caption ? h("p", { class: "lx-caption" }, spec.caption) : "");
  plane.show(emptyLayer());
  return {
    ...{ plane, placePoint, panel, curves, train, reset, choice, set, side, below },
    ...{ fields: { seed: seed.input, sigma: sigma.input, beta: beta.input }, told, error, pace, legend },
  };
}
