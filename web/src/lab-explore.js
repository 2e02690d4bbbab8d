// The explorer of what the lab has trained: drag, draw a digit, search for it, log P(x).

import { h } from "./dom.js";
import { PageModel } from "./element.js";
import { render } from "./main.js";
import { floatToHalf } from "./numbers.js";

/**
 * Draws a latent plane explorer below the lab; returns what takes it away again.
 * @param {HTMLElement} below
 * @param {import("./model.js").Model} model
 * @param {Uint8Array} weights  of that model
 * @param {{ codes: Float32Array, labels: Uint8Array, names: string[] }} known
 * @param {number} extent
 */
export function explore(below, model, weights, { codes, labels, names }, extent) {
  const el = h("div", { class: "lx-explore" });
  below.after(el);
  const state = {
    spec: {
      extent, names, path: false, heat: null, pictures: [], draw: model.width === 28 && model.height === 28,
      caption: "What the lab has just learned.",
    },
    ...{ z1: 0, z2: 0, t: 0, ends: [], background: "drawings" },
    ...{ weights, labels, codes: Uint16Array.from(codes, floatToHalf) },
    ...{ heat: null, path: null, images: null },
  };
  const stop = render({ model: new PageModel(state), el });
  return () => {
    stop();
    el.remove();
  };
}
