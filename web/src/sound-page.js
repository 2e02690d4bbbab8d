// The plane of vowels in the book's pages: <sound-plane> holds its state, and this lets it live.

import { defineTwin } from "./element.js";
import { renderSound } from "./sound.js";

defineTwin("sound-plane", { bytes: ["weights"], draw: renderSound });
