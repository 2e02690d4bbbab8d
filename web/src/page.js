// The book's pages have no kernel. This stands in for one: <latent-explorer> holds the state, and the weights come,
// once for all explorers of all pages, from a script file (a page opened from disk may not fetch anything else).

import { h } from "./dom.js";
import { defineTwin, fromBase64 } from "./element.js";
import { render } from "./main.js";
import { renderTurning } from "./turning.js";

const here = new URL(".", /** @type {HTMLScriptElement} */ (document.currentScript).src);
/** @type {Map<string, Promise<Bytes>>} the weights of each model */
const coming = new Map();

/** @param {string} name */
function loadWeights(name) {
  const before = coming.get(name);
  if (before) return before;
  /** @type {Promise<Bytes>} */
  const weights = new Promise((arrive, fail) => {
    window.latentExplorerWeights ??= {};
    window.latentExplorerWeights[name] = (text) => arrive(fromBase64(text));
    const onerror = () => fail(new Error(`The model's file ${name}.js did not load. Reload the page to try again.`));
    document.head.append(h("script", { src: new URL(`${name}.js`, here), async: true, onerror }));
  });
  coming.set(name, weights);
  return weights;
}

defineTwin("latent-explorer", {
  bytes: ["codes", "labels", "heat", "path", "images"],
  draw: render,
  async prepare(state, element) {
    state.weights = await loadWeights(String(element.dataset.model));
  },
});
defineTwin("turning-object", { bytes: ["weights", "codes"], draw: renderTurning });

/** For an explorer among plain ipywidgets, shown by Jupyter's widget manager: its state comes without the weights. */
window.latentExplorer = {
  async render({ model, el, signal }, name) {
    const weights = await loadWeights(name);
    /** @type {Host<any>} */
    const host = {
      get: (trait) => (trait === "weights" ? weights : model.get(trait)),
      set: (trait, value) => model.set(trait, value),
      on: (event, then) => model.on(event, then),
      off: (event, then) => model.off?.(event, then),
      save_changes: () => model.save_changes(),
      widget_manager: model.widget_manager,
    };
    return render({ model: host, el, signal });
  },
};
