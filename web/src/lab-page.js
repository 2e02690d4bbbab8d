// The lab in the book's pages: an element that holds the state, and images that a page fetches from beside its script.

import { defineTwin } from "./element.js";
import { renderLab } from "./lab-render.js";
import { fetchImages } from "./lab-data.js";

const here = new URL(".", /** @type {HTMLScriptElement} */ (document.currentScript).src);

defineTwin("training-lab", { bytes: ["data"], draw: (face) => renderLab(face, (name) => fetchImages(name, here)) });
