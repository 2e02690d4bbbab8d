// The reader's own path in the book's pages: <own-path> holds its state, and this lets it live.

import { defineTwin } from "./element.js";
import { renderOwnPath } from "./own-path.js";
import { prepareWeights } from "./page-weights.js";

const bytes = ["codes", "labels", "maps", "ways"];
defineTwin("own-path", { bytes, draw: renderOwnPath, prepare: prepareWeights });
