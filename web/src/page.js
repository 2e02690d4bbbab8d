// The book's pages have no kernel. This stands in for one: <latent-explorer> and <turning-object> hold the state.

import { defineTwin } from "./element.js";
import { render } from "./main.js";
import { loadWeights, prepareWeights } from "./page-weights.js";
import { renderTurning } from "./turning.js";

defineTwin("latent-explorer", {
  bytes: ["codes", "labels", "heat", "path", "images"],
  draw: render,
  prepare: prepareWeights,
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
