// A VAE that learns while one looks. The host gives a model with traits (vaecourse/explorer/lab.py):
//
//   running, step, elbo   whether it learns, how far it is, and the ELBO of the images held out
//   spec                  facts of the images (lab-data.js), { sigma, beta, seed, caption, page_images }
//   data                  labels and images, packed; empty where a page fetches them or the reader brings them
//   weights               what was trained, a safetensors file: set when the training pauses or ends

import { sentence } from "./dom.js";
import { listen, teller } from "./host.js";
import { After } from "./lab-after.js";
import { extentOf, MovingCodes } from "./lab-codes.js";
import { unpack } from "./lab-data.js";
import { Learning } from "./lab-learning.js";
import { costOf, LENGTHS, paceOf, taskOf, wordsOf } from "./lab-recipe.js";
import { EXTENT, labView, settingsOf } from "./lab-view.js";
import { Model } from "./model.js";
import { settle, toBytes } from "./numbers.js";
import { followTheme } from "./theme.js";

/**
 * @typedef {import("./lab-data.js").Facts} Facts
 * @typedef {import("./lab-worker.js").Look} Look
 * @typedef {{ facts: Facts, images: import("./lab-data.js").Images }} Given
 * @typedef {(name: string) => Promise<{ facts: Facts, data: Uint8Array }>} Fetch
 */

const PARTS = 4; // at each quarter a screen reader hears how it goes

export class Lab {
  /**
   * @param {Host<LabTraits>} host
   * @param {HTMLElement} root
   * @param {{ fetch?: Fetch, own?: Given }} given  whence the images come
   */
  constructor(host, root, { fetch, own }) {
    this.host = host;
    this.root = root;
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
      move: (z1, z2) => this.move(z1, z2),
      where: () => this.z,
    });
    this.codes = new MovingCodes(this.view.plane, this.view.legend, this.known);
    this.after = new After(root, this.view, () => this.learned());
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
    this.after.close();
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
    const { train, reset, fields, choice, set } = this.view;
    const busy = this.learning !== null;
    const again = this.last ? "Train again" : "Train";
    train.textContent = this.host.get("running") ? "Pause" : busy ? "Go on" : again;
    reset.disabled = !busy && !this.last;
    for (const input of [...Object.values(fields), ...choice.inputs, ...set.inputs]) input.disabled = busy;
    this.after.enable(this.model !== null && !this.host.get("running"));
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
      const { facts, images } = await this.load();
      if (start !== this.starts) return;
      this.facts = facts;
      this.images = images;
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

  /** The images: those that are here, those that the host holds, or those that the page fetches. */
  async load() {
    if (this.images) return { facts: this.facts, images: this.images };
    const name = this.sets[this.view.set.chosen()];
    if (name && this.fetch) this.view.told.textContent = "Fetching the images …";
    const found = name && this.fetch ? await this.fetch(name) : { facts: {}, data: toBytes(this.host.get("data")) };
    const facts = { ...this.facts, ...found.facts };
    return { facts, images: await unpack(facts, found.data) };
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

  /** What was learned, as it stands; null before the first step. */
  learned() {
    const { model, last, known, extent, settings } = this;
    return model && last && { model, last, weights: last.weights, known, extent, settings };
  }

  /** Other images were chosen: what was learned from the ones before goes. */
  change() {
    this.images = null;
    this.facts = this.view.set.chosen() ? { ...this.spec, source: "" } : this.spec; // its source comes with it
    this.reset();
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
    this.after.close();
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
