// A VAE that learns while one looks. The host gives a model with traits (vaecourse/explorer/lab.py):
//
//   running, step, elbo   whether it learns, how far it is, and the ELBO of the images held out
//   spec                  facts of the images (lab-data.js), { sigma, beta, seed, caption, page_images }
//   data                  labels and images, packed; empty in a page that fetches them, and where the reader brings them
//   weights               what was trained, a safetensors file: set when the training pauses or ends

import { brush, h, number, sentence } from "./dom.js";
import { draw, listen, teller } from "./host.js";
import { Chooser } from "./lab-chooser.js";
import { extentOf, MovingCodes } from "./lab-codes.js";
import { unpack } from "./lab-data.js";
import { Learning } from "./lab-learning.js";
import { costOf, LENGTHS, paceOf, summaryOf, taskOf, wordsOf } from "./lab-recipe.js";
import { explore, pageOfItsOwn } from "./lab-explore.js";
import { keep, snapshot } from "./lab-saving.js";
import { EXTENT, labView, settingsOf } from "./lab-view.js";
import { Model } from "./model.js";
import { settle, toBytes } from "./numbers.js";
import { followTheme } from "./theme.js";

/**
 * @typedef {import("./lab-data.js").Facts} Facts
 * @typedef {import("./lab-worker.js").Look} Look
 * @typedef {(name: string) => Promise<{ facts: Facts, data: Uint8Array }>} Fetch
 */

const PARTS = 4; // at each quarter a screen reader hears how it goes

/**
 * Draws the lab into `el`; returns what takes it away again.
 * @param {Face<LabTraits>} face
 * @param {Fetch} [fetch]  gets images that several pages share
 */
export function renderLab(face, fetch) {
  const words = { label: "Training lab", class: "latent-explorer lx-lab", sorry: "The lab cannot be shown." };
  return draw(face, words, (host, root) => {
    if (!host.get("spec").images) return askFirst(host, root);
    const lab = new Lab(host, root, { fetch });
    return () => lab.stop();
  });
}

/**
 * Asks for pictures; a lab learns from them once they are there, and from others once those are.
 * @param {Host<LabTraits>} host
 * @param {HTMLElement} root
 */
function askFirst(host, root) {
  const place = h("div");
  /** @type {Lab | null} */
  let lab = null;
  const end = () => {
    lab?.reset();
    lab?.stop();
    lab = null;
    place.replaceChildren();
  };
  const chooser = new Chooser((own) => {
    end();
    if (own) lab = new Lab(host, place, { own });
  });
  const tell = teller(host);
  const unlisten = listen(host, {
    "change:running": () => {
      if (!lab && host.get("running")) {
        chooser.refuse();
        tell.tell({ running: false });
      }
    },
  });
  root.append(chooser.element, place);
  return () => {
    unlisten();
    tell.stop();
    chooser.stop();
    lab?.stop();
  };
}

class Lab {
  /**
   * @param {Host<LabTraits>} host
   * @param {HTMLElement} root
   * @param {{ fetch?: Fetch, own?: { facts: Facts, images: import("./lab-data.js").Images } }} given  whence the images come
   */
  constructor(host, root, { fetch, own }) {
    this.host = host;
    this.root = root;
    this.close = () => {}; // the explorer of what was learned, if one is open
    this.fetch = fetch;
    this.spec = host.get("spec");
    /** @type {Facts} */
    this.facts = own?.facts ?? this.spec;
    this.images = own?.images ?? null;
    this.extent = EXTENT;
    /** @type {Learning | null} */
    this.learning = null;
    this.starts = 0; // how many trainings were begun: an older one that still waits for its images is of no interest
    /** @type {Look | null} the newest */
    this.last = null;
    /** @type {Model | null} as it stood then */
    this.model = null;
    this.settings = { seed: 0, sigma: this.spec.sigma, beta: 1 }; // of the training that was begun last
    this.sets = fetch ? this.spec.page_images : []; // a notebook holds what it learns from
    /** @type {Pair} */
    this.z = [0, 0];
    this.known = { codes: new Float32Array(0), labels: new Uint8Array(0), names: this.facts.names };
    const { width, height } = this.facts, pixels = width * height;
    this.view = labView(root, this.spec, LENGTHS.map(({ words }) => words), this.sets, this.known, {
      width, height, pixels,
      decode: (z1, z2, out = new Float64Array(pixels)) => this.model?.decode(z1, z2, out) ?? out.fill(0),
    }, {
      toggle: () => this.teller.tell({ running: !host.get("running") }),
      reset: () => this.reset(),
      choose: () => this.rest(),
      change: () => this.change(),
      putBeside: () => this.putBeside(),
      takeAway: () => this.takeAway(),
      explore: () => this.explore(),
      keepWeights: () => this.keepWeights(),
      keepPage: () => this.keepPage(),
      keepPicture: () => this.keepPicture(),
      move: (z1, z2) => this.move(z1, z2),
      where: () => this.z,
    });
    this.codes = new MovingCodes(this.view.plane, this.view.legend, this.known);
    this.unfollow = followTheme(root, () => {
      this.view.plane.repaint();
      this.view.curves.repaint();
    });
    this.teller = teller(host);
    this.seen = () => this.learning?.run(host.get("running") && !document.hidden);
    this.unlisten = listen(host, { "change:running": () => this.obey() });
    document.addEventListener("visibilitychange", this.seen);
    this.move(0, 0);
    this.rest();
    if (host.get("running")) this.obey();
  }

  stop() {
    this.end();
    this.close();
    this.unfollow();
    this.unlisten();
    this.teller.stop();
    document.removeEventListener("visibilitychange", this.seen);
    for (const part of [this.codes, this.view.plane, this.view.panel, this.view.curves]) part.stop();
  }

  get length() {
    return LENGTHS[this.view.choice.chosen()];
  }

  /** Before a training: what it will do, and what that costs. */
  rest() {
    const fetches = this.sets.length > 0 && !this.images;
    this.view.told.textContent = costOf(this.facts, this.length, fetches);
    this.view.pace.textContent = this.facts.source;
    this.control();
  }

  /** What can be pressed now, and what it is called. */
  control() {
    const { train, reset, fields, choice, set, weights, picture, page, beside, explore: open } = this.view;
    const busy = this.learning !== null;
    const again = this.last ? "Train again" : "Train";
    train.textContent = this.host.get("running") ? "Pause" : busy ? "Go on" : again;
    reset.disabled = !busy && !this.last;
    for (const input of [...Object.values(fields), ...choice.inputs, ...set.inputs]) input.disabled = busy;
    for (const button of [weights, picture, page, beside, open]) {
      button.disabled = !this.model || this.host.get("running");
    }
  }

  /** Does what the trait `running` says, whoever has set it. */
  async obey() {
    const running = this.host.get("running");
    if (this.learning) {
      this.learning.run(running && !document.hidden);
      this.view.told.textContent = running ? "Training goes on." : "Pausing …";
    } else if (running) await this.begin();
    else this.starts++; // whatever still waits for its images
    this.control();
  }

  async begin() {
    const start = ++this.starts;
    this.clear();
    this.control();
    try {
      this.images ??= await this.load();
      if (start !== this.starts) return;
      this.codes.clear(this.images.labels, this.facts.names);
      this.view.curves.clear(this.length.steps);
      this.settings = settingsOf(this.view.fields, this.spec);
      const task = taskOf(this.facts, this.images, this.settings, this.length);
      this.learning = new Learning(task, (look) => this.show(look), (failure) => this.fail(failure));
      this.learning.run(!document.hidden);
    } catch (error) {
      this.fail(sentence(error));
    }
  }

  /** The images: those that the host holds, or those that the page fetches. */
  async load() {
    const name = this.sets[this.view.set.chosen()];
    if (!name || !this.fetch) return unpack(this.facts, toBytes(this.host.get("data")));
    this.view.told.textContent = "Fetching the images …";
    const { facts, data } = await this.fetch(name);
    this.facts = { ...this.facts, ...facts };
    return unpack(this.facts, data);
  }

  /** @param {Look} look */
  show(look) {
    const { step, heldOut, weights, done } = look, { steps } = this.length;
    const part = Math.floor((PARTS * step) / steps);
    const before = this.last ? Math.floor((PARTS * this.last.step) / steps) : -1;
    this.last = look;
    this.model = new Model(weights);
    this.view.curves.add(look);
    this.reach(extentOf(look.codes, this.extent));
    this.codes.show(look.codes);
    this.move(...this.z);
    const running = this.host.get("running") && !done;
    this.view.pace.textContent = `${paceOf(look, steps)} ${this.facts.source}`;
    if (done) this.learning = null;
    const stopped = running ? {} : { weights: new DataView(weights.buffer) };
    this.teller.tell({ step, running, ...(heldOut && { elbo: heldOut.elbo }), ...stopped });
    if (done || !running || part > before) {
      this.view.told.textContent = wordsOf(look, steps, this.host.get("elbo"), running);
    }
    this.control();
  }

  /** @param {number} extent */
  reach(extent) {
    if (extent === this.extent) return;
    this.extent = extent;
    this.view.plane.reach(extent);
    this.view.panel.reach(extent);
  }

  /** @type {Move} */
  move(z1, z2) {
    this.z = [settle(z1, this.extent), settle(z2, this.extent)];
    this.view.placePoint(...this.z);
    this.view.panel.show(...this.z);
  }

  /** What an explorer shows; null before the first step. */
  learned() {
    const { model, last, known, extent } = this;
    return model && last && { model, weights: last.weights, known, extent };
  }

  /** Other images were chosen: what was learned from the ones before goes. */
  change() {
    this.images = null;
    this.facts = this.view.set.chosen() ? { ...this.spec, source: "" } : this.spec; // its source comes with it
    this.reset();
  }

  /** The plane as a still, and its curves, beside the training that comes. */
  putBeside() {
    if (!this.last) return;
    const { plane, curves, kept, still, settings, told } = this.view;
    still.width = plane.canvas.width;
    still.height = plane.canvas.height;
    brush(still).drawImage(plane.canvas, 0, 0);
    settings.textContent = summaryOf(this.settings, this.last, curves.heldOut.at(-1)?.terms);
    kept.hidden = false;
    curves.keep(true);
    told.textContent = "Kept beside. Change the seed, σ or β, and train again.";
  }

  takeAway() {
    this.view.kept.hidden = true;
    this.view.curves.keep(false);
  }

  explore() {
    const learned = this.learned();
    if (!learned) return;
    this.close();
    const below = /** @type {HTMLElement} */ (this.root.closest(".latent-explorer"));
    this.close = explore(below, learned);
  }

  keepWeights() {
    if (this.last) keep("lab.safetensors", new Blob([/** @type {BlobPart} */ (this.last.weights)]));
  }

  async keepPage() {
    const learned = this.learned();
    if (!learned) return;
    const page = await pageOfItsOwn(learned, this.view.plane.canvas);
    keep("lab.html", page);
    this.view.told.textContent = `Saved as lab.html, ${number(page.size / 1e6, 1)} MB: one file that needs no other. No `
      + "picture is in it, but a decoder that has learned pictures by heart draws them.";
  }

  async keepPicture() {
    if (this.model) keep("lab.png", await snapshot(this.view.plane.canvas, this.model, this.extent));
  }

  /** @param {string} failure */
  fail(failure) {
    this.learning = null;
    this.teller.tell({ running: false });
    this.view.error.hidden = false;
    this.view.error.textContent = failure;
    this.control();
  }

  end() {
    this.starts++;
    this.learning?.stop();
    this.learning = null;
  }

  /** All as it was before the first step. */
  clear() {
    this.close();
    this.close = () => {};
    this.last = this.model = null;
    this.teller.tell({ step: 0, elbo: null });
    this.view.error.hidden = true;
    this.codes.clear(new Uint8Array(0), this.facts.names);
    this.view.curves.clear(1);
    this.reach(EXTENT);
    this.move(...this.z);
  }

  reset() {
    this.end();
    this.teller.tell({ running: false });
    this.clear();
    this.rest();
  }
}
