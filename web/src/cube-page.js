// The cube in the book's pages: <pixel-cube> holds its state, and this lets it live.

import { renderCube } from "./cube.js";
import { defineTwin } from "./element.js";

defineTwin("pixel-cube", { bytes: ["weights", "pictures", "labels"], draw: renderCube });
