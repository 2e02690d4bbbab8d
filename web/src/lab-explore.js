// The explorer of what the lab has trained: drag, draw a digit, search for it, log P(x). Below the lab, or in a page of
// its own, as LatentExplorer.save_page writes it (vaecourse/explorer/pages.py).

import { frontEndOf } from "front-end";
import { h } from "./dom.js";
import { PageModel } from "./element.js";
import { floatToHalf } from "./numbers.js";

/**
 * @typedef {object} Learned
 * @property {import("./model.js").Model} model
 * @property {Uint8Array<ArrayBuffer>} weights  of that model
 * @property {{ codes: Float32Array, labels: Uint8Array, names: string[] }} known
 * @property {number} extent
 */

const TITLE = "A plane that learned in the page";
const NOTE = "This is a picture. To drag the point, turn JavaScript on.";

/**
 * What the explorer must know beside its bytes.
 * @param {Learned} learned
 */
function stateOf({ model, known, extent }) {
  return {
    spec: {
      extent, names: known.names, path: false, heat: null, pictures: [],
      draw: model.width === 28 && model.height === 28, caption: "What the lab has just learned.",
    },
    ...{ z1: 0, z2: 0, t: 0, ends: [], background: "drawings" },
  };
}

/** @param {Learned} learned */
function bytesOf({ weights, known }) {
  return { weights, labels: known.labels, codes: Uint16Array.from(known.codes, floatToHalf) };
}

/**
 * Draws a latent plane explorer below the lab; returns what takes it away again.
 * @param {HTMLElement} below
 * @param {Learned} learned
 */
export function explore(below, learned) {
  const el = h("div", { class: "lx-explore" });
  below.after(el);
  const state = { ...stateOf(learned), ...bytesOf(learned), heat: null, path: null, images: null };
  const stop = frontEndOf().default.render({ model: new PageModel(state), el });
  return () => {
    stop();
    el.remove();
  };
}

/**
 * Bytes as base64.
 * @param {BlobPart} bytes
 * @returns {Promise<string>}
 */
function toBase64(bytes) {
  return new Promise((done, fail) => {
    const reader = new FileReader();
    reader.onload = () => done(String(reader.result).split(",")[1] ?? "");
    reader.onerror = () => fail(reader.error);
    reader.readAsDataURL(new Blob([bytes]));
  });
}

/**
 * The same as a whole page, which asks for no other file. Its script is the text of the function with the front end.
 * @param {Learned} learned
 * @param {HTMLCanvasElement} plane  a picture for who has no JavaScript
 * @returns {Promise<Blob>}
 */
export async function pageOfItsOwn(learned, plane) {
  /** @type {Record<string, unknown>} */
  const state = { ...stateOf(learned), heat: "", path: "", images: "" };
  for (const [name, bytes] of Object.entries(bytesOf(learned))) {
    state[name] = await toBase64(/** @type {BlobPart} */ (bytes));
  }
  const page = document.implementation.createHTMLDocument(TITLE);
  page.documentElement.lang = "en";
  page.head.prepend(h("meta", { charset: "utf-8" }));
  page.head.append(
    h("meta", { name: "viewport", content: "width=device-width, initial-scale=1" }),
    h("style", {}, `:root { color-scheme: light dark; }
h1 { max-width: 900px; margin: 1rem auto; font: 600 26px/1.3 system-ui, sans-serif; }
${STYLE_TEXT}`));
  const still = h("div", { class: "lx-still" }, h("img", { src: plane.toDataURL(), alt: "The codes on the plane." }),
    h("p", {}, NOTE));
  const element = page.createElement("latent-explorer"); // where nobody brings it to life
  const json = JSON.stringify(state).replaceAll("<", "\\u003c"); // no tag may end the script
  element.append(still, h("script", { type: "application/json" }, json));
  page.body.append(h("main", {}, h("h1", {}, TITLE), element),
    h("script", { type: "module" }, `(${frontEndOf})().bringToLife();`));
  return new Blob(["<!doctype html>\n", page.documentElement.outerHTML], { type: "text/html" });
}
