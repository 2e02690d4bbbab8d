// A page of the reader's own (LatentExplorer.save_page): the weights stand in it, so that one file is all it needs.

import { defineTwin } from "./element.js";
import { render } from "./main.js";

/** Lets the page's <latent-explorer> live. A notebook never calls this: there the kernel's host calls `render`. */
export function bringToLife() {
  defineTwin("latent-explorer", { bytes: ["weights", "codes", "labels", "heat", "path", "images"], draw: render });
}

export default { render };
