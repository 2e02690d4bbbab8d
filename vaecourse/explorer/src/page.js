// The book's pages have no kernel. This stands in for one: <latent-explorer> holds the state, and the weights come,
// once for all explorers of all pages, from a script file (a page opened from disk may not fetch anything else).

import { h } from "./dom.js";
import { Twin, fromBase64 } from "./element.js";
import { render } from "./main.js";
import { renderTurning } from "./turning.js";

const here = new URL(".", document.currentScript.src);
const coming = new Map(); // name: a promise of weights

function loadWeights(name) {
  if (!coming.has(name)) {
    coming.set(name, new Promise((arrive, fail) => {
      window.latentExplorerWeights ??= {};
      window.latentExplorerWeights[name] = (text) => arrive(fromBase64(text));
      const onerror = () => fail(new Error(`The model's file ${name}.js did not load. Reload the page to try again.`));
      document.head.append(h("script", { src: new URL(`${name}.js`, here), async: true, onerror }));
    }));
  }
  return coming.get(name);
}

customElements.define("latent-explorer", class extends Twin {
  bytes = ["codes", "labels", "heat", "path", "images"];
  draw = render;
  async prepare(state) {
    state.weights = await loadWeights(this.dataset.model);
  }
});
customElements.define("turning-object", class extends Twin {
  bytes = ["weights", "codes"];
  draw = renderTurning;
});

/** For an explorer among plain ipywidgets, shown by Jupyter's widget manager: its state comes without the weights. */
window.latentExplorer = {
  async render({ model, el }, name) {
    const weights = await loadWeights(name);
    const get = (trait) => (trait === "weights" ? weights : model.get(trait));
    const [set, on, off] = ["set", "on", "off"].map((method) => (...given) => model[method](...given));
    return render({ model: { get, set, on, off, save_changes: () => model.save_changes() }, el });
  },
};
