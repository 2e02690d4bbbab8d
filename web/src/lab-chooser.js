// A reader's own pictures: chosen, dropped or photographed, cut, and shown as the model will see them.

import { brush, field, freshId, h, paintInk, radios, sentence, typed } from "./dom.js";
import { chosen, dropped, greyFrom, sorted } from "./lab-files.js";
import { fitted, LEVELS, paperIsLight, worriesOf } from "./lab-pictures.js";
import { generator, shuffled } from "./lab-random.js";
import { cutByGaps, cutByGrid } from "./lab-sheet.js";

/**
 * @typedef {import("./lab-files.js").Found} Found
 * @typedef {import("./lab-data.js").Facts} Facts
 * @typedef {import("./lab-data.js").Images} Images
 */

const SIZES = [28, 16, 32]; // pixels a side
const HOLDS = ["one picture", "a sheet, cut at its gaps", "a sheet, cut by a grid"]; // what a file may hold
const [, GAPS, GRID] = HOLDS.keys();
const SEEN = { picture: 512, sheet: 1600 }; // pixels of the longer side, to which what is larger is brought first
const LEAST = 11; // pictures: ten to learn from, and one held out
const CLASSES = 255;
const MOST = 2000; // pictures, which the browser learns and shows at once
const SHARE = 11; // one in so many is held out
const ACROSS = 20; // pictures in a row of the contact sheet
const SHOWN = 400; // of them
const STAYS = "Your pictures stay on this machine: this page sends nothing anywhere.";

/**
 * The pictures, as the lab takes them: in another order, the last ones held out, and all of them on the plane.
 * @param {import("./lab-pictures.js").Pictures} pictures  with 1 for ink
 * @returns {{ facts: Facts, images: Images }}
 */
export function imagesOf({ size, names, labels, greys }) {
  const order = shuffled(greys.length, generator(0)), pixels = size * size;
  const all = new Uint8Array(greys.length * pixels);
  order.forEach((from, to) => {
    all.set(greys[from].map((v) => Math.round(LEVELS * v)), to * pixels);
  });
  const held_out = Math.floor(greys.length / SHARE), split = (greys.length - held_out) * pixels;
  return {
    facts: {
      ...{ height: size, width: size, levels: LEVELS, names, images: greys.length, held_out },
      source: "Your own pictures.",
    },
    images: {
      ...{ known: all.slice(0, split), heldOut: all.slice(split), shown: all },
      labels: Uint8Array.from(order, (from) => labels[from]),
    },
  };
}

export class Chooser {
  /** @param {(given: import("./lab.js").Given | null) => void} ready  hears of pictures, and that there are none */
  constructor(ready) {
    this.ready = ready;
    /** @type {Found[]} */
    this.found = [];
    this.turned = false; // whether the reader has exchanged ink and paper
    this.reads = 0; // an older reading that still goes on is of no interest
    const again = () => this.read();
    this.size = radios("Pixels a side", SIZES.map((side) => `${side} × ${side}`), again);
    this.holds = radios("A file holds", HOLDS, again);
    const limits = { min: 1, max: 30, step: 1 };
    this.rows = field("rows", 5, limits);
    this.columns = field("columns", 4, limits);
    this.grid = h("span", { class: "lx-row", hidden: true }, this.rows.element, this.columns.element);
    for (const { input } of [this.rows, this.columns]) input.addEventListener("change", again);
    this.told = h("p", { role: "status" });
    this.error = h("p", { role: "alert", class: "lx-error", hidden: true });
    this.sheet = h("canvas", { class: "lx-sheet lx-contact", role: "img", hidden: true });
    this.worries = h("ul");
    this.left = h("ul");
    this.without = h("details", { hidden: true }, h("summary"), this.left);
    this.turn = h("button", { type: "button", hidden: true, onclick: () => this.exchange() }, "Exchange ink and paper");
    const drop = h("div", { class: "lx-drop" },
      h("div", { class: "lx-row" },
        this.opener("Choose a folder", { webkitdirectory: true, multiple: true }),
        this.opener("Choose pictures", { accept: "image/*", multiple: true }),
        this.opener("Photograph a sheet", { accept: "image/*", capture: "environment" })),
      h("p", {}, "Or drop pictures, or a folder, here. One sub-folder for each kind of picture gives it its colour."));
    drop.addEventListener("dragover", (event) => event.preventDefault());
    drop.addEventListener("drop", (event) => this.drop(event));
    const row = (/** @type {string} */ words, /** @type {Node[]} */ ...parts) => (
      h("div", { class: "lx-row" }, h("span", {}, words), ...parts));
    this.element = h("div", { class: "lx-own" }, drop,
      row("A file holds", this.holds.element, this.grid), row("Size", this.size.element),
      h("p", { class: "lx-legend" }, STAYS), this.told, this.error, this.sheet, this.worries, this.turn, this.without);
  }

  /**
   * A button that opens the browser's own way to choose files.
   * @param {string} words
   * @param {Record<string, unknown>} how
   */
  opener(words, how) {
    const input = h("input", { type: "file", hidden: true, id: freshId(), "aria-label": words, ...how });
    input.addEventListener("change", () => {
      if ("capture" in how && !this.holds.chosen()) this.holds.inputs[GAPS].checked = true;
      this.take(chosen(input.files));
      input.value = ""; // so that the same can be chosen again
    });
    return h("span", {}, h("button", { type: "button", onclick: () => input.click() }, words), input);
  }

  /** @param {DragEvent} event */
  async drop(event) {
    event.preventDefault();
    if (!event.dataTransfer) return;
    try {
      this.take(await dropped(event.dataTransfer));
    } catch (error) {
      this.fail(`What was dropped cannot be read: ${sentence(error)}`);
    }
  }

  /** @param {Found[]} found */
  take(found) {
    if (!found.length) return; // the reader has chosen nothing after all
    this.found = found;
    this.turned = false;
    this.read();
  }

  exchange() {
    this.turned = !this.turned;
    this.read();
  }

  /** @param {string} failure */
  fail(failure) {
    this.error.hidden = !failure;
    this.error.textContent = failure;
  }

  /** The pictures that a file holds. @param {File} file */
  async cut(file) {
    const how = this.holds.chosen();
    const grey = await greyFrom(file, how ? SEEN.sheet : SEEN.picture);
    if (!how) return [grey];
    const parts = how === GRID
      ? cutByGrid(grey, Math.round(typed(this.rows.input) || 1), Math.round(typed(this.columns.input) || 1))
      : cutByGaps(grey);
    if (!parts.length) throw new Error("nothing is drawn on this sheet, or it is cut by the edge");
    return parts;
  }

  /** Reads all files anew, as the reader wants them now. What cannot be read is listed, and the rest goes on. */
  async read() {
    this.grid.hidden = this.holds.chosen() !== GRID;
    if (!this.found.length) return;
    const read = ++this.reads, size = SIZES[this.size.chosen()];
    this.ready(null);
    this.fail("");
    const { pictures, names, left } = sorted(this.found);
    /** @type {import("./lab-pictures.js").Pictures} */
    const own = { size, names, labels: [], greys: [] };
    for (const [i, { file, path, label }] of pictures.entries()) {
      this.told.textContent = `Reading ${i + 1} of ${pictures.length} …`;
      try {
        const parts = await this.cut(file);
        if (own.greys.length + parts.length > MOST) throw new Error(`would be more than ${MOST} pictures`);
        own.greys.push(...parts.map((grey) => fitted(grey, size)));
        own.labels.push(...parts.map(() => label));
      } catch (error) {
        left.push({ path, reason: sentence(error) });
      }
      if (read !== this.reads) return;
    }
    this.show(own, left);
  }

  /**
   * @param {import("./lab-pictures.js").Pictures} own
   * @param {import("./lab-files.js").Left[]} left
   */
  show(own, left) {
    const { greys, size, labels } = own;
    const light = paperIsLight(own) !== this.turned;
    if (light) own.greys = greys.map((values) => values.map((v) => 1 - v));
    const used = own.names.map((_, label) => labels.filter((other) => other === label).length);
    const classes = own.names.length > 1 ? ` ${own.names.map((name, i) => `${name}: ${used[i]}`).join(", ")}.` : "";
    const why = this.turned ? "You have exchanged ink and paper" : `Most of the border is ${light ? "light" : "dark"}`;
    this.told.textContent = greys.length
      ? `${greys.length} pictures of ${size} × ${size} pixels, as the model will see them.${classes} `
        + `${why}, so ${light ? "light" : "dark"} is paper and ${light ? "dark" : "light"} is ink.`
      : "No picture can be used.";
    this.turn.hidden = this.sheet.hidden = !greys.length;
    this.paint(own);
    this.worries.replaceChildren(...(greys.length ? worriesOf(own) : []).map((words) => h("li", {}, words)));
    this.without.hidden = !left.length;
    /** @type {HTMLElement} */ (this.without.firstChild).textContent = `Left out: ${left.length}`;
    this.left.replaceChildren(...left.map(({ path, reason }) => h("li", {}, `${path}: ${reason}`)));
    if (own.names.length > CLASSES) {
      this.fail(`At most ${CLASSES} classes can be told apart; these are ${own.names.length}.`);
    } else if (greys.length >= LEAST) this.ready(imagesOf(own));
    else this.fail(`Training needs at least ${LEAST} pictures, ten to learn from and one held out. Choose more.`);
  }

  /**
   * The contact sheet. A tone beside the pictures tells where one ends.
   * @param {import("./lab-pictures.js").Pictures} own
   */
  paint({ size, greys }) {
    const shown = greys.slice(0, SHOWN), across = Math.min(ACROSS, shown.length), cell = size + 2;
    this.sheet.width = across * cell;
    this.sheet.height = Math.ceil(shown.length / ACROSS) * cell;
    brush(this.sheet).fillStyle = "#8a8f99";
    brush(this.sheet).fillRect(0, 0, this.sheet.width, this.sheet.height);
    shown.forEach((values, i) => {
      paintInk(this.sheet, values, size, size, (i % ACROSS) * cell + 1, Math.floor(i / ACROSS) * cell + 1);
    });
    this.sheet.style.width = `${2 * this.sheet.width}px`;
    this.sheet.setAttribute("aria-label", `${shown.length < greys.length ? "The first " : ""}${shown.length} pictures`);
  }

  /** Says that pictures must come first, and that nothing runs. */
  refuse() {
    this.fail("There is nothing to learn from yet. Choose pictures first.");
  }

  stop() {
    this.reads++;
  }
}
