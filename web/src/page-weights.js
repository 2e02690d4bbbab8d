// The weights of the book's small models, in a page without a kernel: they come once for all widgets of all pages, each
// model's from a script file (a page opened from disk may not fetch anything else).

import { h } from "./dom.js";
import { fromBase64 } from "./element.js";

const here = new URL(".", /** @type {HTMLScriptElement} */ (document.currentScript).src);

/**
 * @param {string} name
 * @returns {Promise<Bytes>}
 */
export function loadWeights(name) {
  // On the window, for a page may run two bundles, each with a copy of this module.
  window.latentExplorerComing ??= new Map();
  const before = window.latentExplorerComing.get(name);
  if (before) return before;
  /** @type {Promise<Bytes>} */
  const weights = new Promise((arrive, fail) => {
    window.latentExplorerWeights ??= {};
    window.latentExplorerWeights[name] = (text) => arrive(fromBase64(text));
    const onerror = () => fail(new Error(`The model's file ${name}.js did not load. Reload the page to try again.`));
    document.head.append(h("script", { src: new URL(`${name}.js`, here), async: true, onerror }));
  });
  window.latentExplorerComing.set(name, weights);
  return weights;
}

/**
 * Puts the weights of the model that an element names into its state.
 * @param {Record<string, any>} state
 * @param {HTMLElement} element
 */
export async function prepareWeights(state, element) {
  state.weights = await loadWeights(String(element.dataset.model));
}
