// What of the lab stands in the page: buttons, plane, drawing, curves. What they do is in lab.js.

import { freshId, h } from "./dom.js";
import { Curves } from "./lab-curves.js";
import { emptyLayer } from "./layers.js";
import { Plane } from "./plane.js";
import { pointPanel } from "./point.js";

export const EXTENT = 4;

/**
 * @typedef {object} Actions
 * @property {() => void} toggle
 * @property {() => void} reset
 * @property {() => void} choose  hears that another length was chosen
 * @property {() => void} explore
 * @property {() => void} keepWeights
 * @property {() => void} keepPicture
 * @property {Move} move  hears where the reader wants the point
 * @property {() => Pair} where  the point is
 */

/**
 * The lab's elements.
 * @param {HTMLElement} root
 * @param {LabTraits["spec"]} spec
 * @param {string[]} lengths  how long a training may take, in words
 * @param {{ codes: Float32Array, labels: Uint8Array, names: string[] }} known  the codes behind the point
 * @param {Pick<import("./model.js").Model, "width" | "height" | "pixels" | "decode">} drawer  what draws the point
 * @param {Actions} actions
 */
export function labView(root, spec, lengths, known, drawer, actions) {
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
  const explore = button("Explore what it learned", actions.explore);
  const weights = button("Save weights", actions.keepWeights), picture = button("Save picture", actions.keepPicture);
  const id = freshId(), group = freshId();
  const seed = h("input", { type: "number", id, min: 0, max: 2 ** 32 - 1, value: spec.seed, class: "lx-number" });
  const choices = lengths.map((words, i) => h("input", {
    type: "radio", name: group, value: words, checked: i === 0, onchange: actions.choose,
  }));
  for (const input of [seed, ...choices]) input.addEventListener("keydown", (event) => event.stopPropagation());
  const told = h("p", { role: "status", class: "lx-told" });
  const error = h("p", { role: "alert", class: "lx-error", hidden: true });
  const pace = h("p", { class: "lx-legend" }), legend = h("p", { class: "lx-legend" });
  const sigma = spec.sigma === null ? "σ is learned" : `σ = ${spec.sigma}`;
  root.append(
    h("div", { class: "lx-row" }, train, reset,
      h("div", { class: "lx-choice", role: "radiogroup", "aria-label": "How long" },
        ...choices.map((input, i) => h("label", {}, input, h("span", {}, lengths[i])))),
      h("span", { class: "lx-seed" }, h("label", { for: id }, "seed "), seed)),
    told, error, pace,
    h("div", { class: "lx-top" }, h("div", {}, plane.element, legend), panel.element),
    curves.element,
    h("p", { class: "lx-legend" },
      `In nats per image. Thin: training, a running mean; thick: held out. ${sigma}, β = ${spec.beta}.`),
    h("div", { class: "lx-row" }, explore, weights, picture),
    spec.caption ? h("p", { class: "lx-caption" }, spec.caption) : "");
  plane.show(emptyLayer());
  return {
    ...{ plane, placePoint, panel, curves, train, reset, explore, weights, picture, seed, choices },
    ...{ told, error, pace, legend },
  };
}
