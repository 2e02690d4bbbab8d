// The draggable latent plane. One front end for JupyterLab, Notebook, VS Code, Colab and the book's pages.
//
// The host gives a model with traits (anywidget's interface):
//   z1, z2            the point, in standard deviations of the prior
//   t, ends           share of the way from A to B, and [[z1, z2], [z1, z2]]; ends is empty without a walk
//   background        the name of what lies behind the point
//   spec              { extent, names, draw, caption, heat, pictures }
//   weights, codes, labels, heat, path, images   bytes; in notebooks the name of the widget that has the weights

import { freshId, h, radio } from "./dom.js";
import { draw, listen, teller } from "./host.js";
import { codesLayer, drawingsLayer, emptyLayer, heatLayer } from "./layers.js";
import { Model } from "./model.js";
import { settle, toBytes, toFloats, toHalves } from "./numbers.js";
import { Plane } from "./plane.js";
import { pointPanel } from "./point.js";
import { drawPanel } from "./draw.js";
import { followTheme } from "./theme.js";
import { pathAt, walkPanel } from "./walk.js";
import { Zoom } from "./zoom.js";

/**
 * Draws the explorer into `el`; returns what takes it away again. A sentence stands there if it cannot be drawn.
 * @type {Render<PlaneTraits>}
 */
export function render(face) {
  const words = { label: "Latent plane explorer", class: "latent-explorer", sorry: "The plane cannot be shown." };
  return draw(face, words, (host, root, weights) => {
    const explorer = new Explorer(host, root, toBytes(weights));
    return () => explorer.stop();
  });
}

class Explorer {
  /**
   * @param {Host<PlaneTraits>} host
   * @param {HTMLElement} root
   * @param {Uint8Array} weights
   */
  constructor(host, root, weights) {
    this.host = host;
    this.teller = teller(host);
    this.frame = 0;
    this.spec = host.get("spec");
    this.extent = this.spec.extent;
    this.model = new Model(weights);
    const [codes, labels] = [toHalves(host.get("codes")), toBytes(host.get("labels"))];
    this.known = { codes, labels, names: this.spec.names };
    this.plane = new Plane(this.extent);
    this.placePoint = this.plane.addHandle("Point z", "point", () => this.where(), (z1, z2) => this.move(z1, z2));
    this.panel = pointPanel(this.model, this.extent, this.known, (z1, z2) => this.move(z1, z2));
    this.message = h("p", { class: "lx-error", role: "alert", hidden: true });
    this.legend = h("p", { class: "lx-legend" });
    this.choice = h("div", { class: "lx-choice", role: "radiogroup", "aria-label": "Behind the point" });
    this.group = freshId();
    this.layers = this.addLayers();
    this.walk = host.get("ends").length || this.spec.path ? walkPanel(this.model, (t) => this.send({ t })) : null;
    this.drawing = this.spec.draw ? this.addDrawing(weights) : null;
    this.zoom = new Zoom(this.plane, () => {
      this.panel.refine(this.plane.step);
      this.update();
    });
    const below = [this.walk, this.drawing].flatMap((part) => part?.element ?? []);
    root.append(
      h("div", { class: "lx-top" },
        h("div", {}, this.choice, this.plane.element, this.zoom.element, this.legend), this.panel.element),
      this.message, ...below, this.spec.caption ? h("p", { class: "lx-caption" }, this.spec.caption) : "");
    this.showBackground();
    /** @type {Pair[]} what the walk goes along */
    this.path = [];
    this.placeEnds = this.readPath();
    this.showWalk();
    this.unfollow = followTheme(root, () => this.plane.repaint());
    this.unlisten = this.listen();
    this.update();
  }

  stop() {
    this.unfollow();
    this.unlisten();
    cancelAnimationFrame(this.frame);
    for (const part of [this.teller, this.plane, this.panel, this.walk, this.drawing]) part?.stop();
  }

  /** What the host changes (a linked slider, Python) is shown with the next frame, once, however much changed. */
  listen() {
    const schedule = () => {
      this.frame ||= requestAnimationFrame(() => this.update());
    };
    return listen(this.host, {
      "change:z1": schedule,
      "change:z2": schedule,
      "change:background": () => this.showBackground(),
      "change:ends": () => this.showWalk(),
      "change:t": () => this.goTo(this.host.get("t")),
    });
  }

  /**
   * The point as the host has it, rounded and kept on the plane.
   * @returns {Pair}
   */
  where() {
    return this.settle(this.host.get("z1"), this.host.get("z2"));
  }

  /**
   * @param {number} z1
   * @param {number} z2
   * @returns {Pair}
   */
  settle(z1, z2) {
    return [settle(z1, this.extent, this.plane.step), settle(z2, this.extent, this.plane.step)];
  }

  /** Shows the point. Where that is no number, the last good place stays and a sentence says so. */
  update() {
    this.frame = 0;
    const [z1, z2] = this.where();
    this.message.hidden = Number.isFinite(z1) && Number.isFinite(z2);
    if (!this.message.hidden) {
      const given = `${this.host.get("z1")} and ${this.host.get("z2")}`;
      this.message.textContent = `z1 and z2 must be finite numbers; got ${given}.`;
      return;
    }
    this.placePoint(z1, z2);
    this.panel.show(z1, z2);
  }

  /** @type {Move} */
  move(z1, z2) {
    [z1, z2] = this.settle(z1, z2);
    this.send({ z1, z2 });
  }

  /** @param {Partial<PlaneTraits>} values */
  send(values) {
    this.teller.tell(values);
  }

  /** What can lie behind the point, by name; each is put among the choices. */
  addLayers() {
    const { codes, labels, names } = this.known;
    const layers = [drawingsLayer(this.model, () => this.plane.repaint()), emptyLayer()];
    if (codes.length) layers.unshift(codesLayer(codes, labels, names));
    const { heat } = this.spec;
    if (heat) layers.unshift(heatLayer(Float64Array.from(toBytes(this.host.get("heat")), (v) => v / 255), heat));
    for (const layer of layers) this.addChoice(layer);
    return new Map(layers.map((layer) => [layer.name, layer]));
  }

  /** @param {import("./layers.js").Layer} layer */
  addChoice(layer) {
    this.choice.append(radio(this.group, layer.name, () => this.send({ background: layer.name })).element);
  }

  showBackground() {
    const layer = this.layers.get(this.host.get("background")) ?? [...this.layers.values()][0];
    for (const input of this.choice.querySelectorAll("input")) input.checked = input.value === layer.name;
    this.plane.show(layer);
    this.legend.replaceChildren(...layer.legend());
  }

  /**
   * A layer that comes up while the explorer runs (the posterior of a drawing), or comes again.
   * @param {import("./layers.js").Layer} layer
   */
  setLayer(layer) {
    if (!this.layers.has(layer.name)) this.addChoice(layer);
    this.layers.set(layer.name, layer);
    if (this.host.get("background") === layer.name) this.showBackground();
    else this.send({ background: layer.name });
  }

  /** Reads the path; without one it leads between two ends, which can be dragged. Returns what puts each into place. */
  readPath() {
    const given = toFloats(this.host.get("path"));
    this.path = Array.from({ length: given.length / 2 }, (_, i) => [given[2 * i], given[2 * i + 1]]);
    if (!this.walk || given.length) return [];
    return ["End A", "End B"].map((name, i) => this.plane.addHandle(name, "end", () => this.host.get("ends")[i],
      (...z) => this.send({ ends: this.host.get("ends").map((end, k) => (k === i ? z : end)) })));
  }

  showWalk() {
    if (!this.walk) return;
    if (this.placeEnds.length) this.path = this.host.get("ends");
    this.placeEnds.forEach((place, i) => {
      place(...this.path[i]);
    });
    this.plane.trace(this.path);
    this.walk.showPath(this.path);
    this.goTo(this.host.get("t"));
  }

  /** @param {number} t */
  goTo(t) {
    if (!this.walk || !Number.isFinite(t)) return;
    this.walk.showPlace(Math.min(1, Math.max(0, t)));
    this.move(...pathAt(this.path, t));
  }

  /** @param {Uint8Array} weights */
  addDrawing(weights) {
    const given = { images: toBytes(this.host.get("images")), names: this.spec.pictures };
    return drawPanel(this.model, weights, given, {
      extent: this.extent,
      place: (z1, z2) => this.move(z1, z2),
      mark: (z) => this.plane.mark(z),
      layer: (layer) => this.setLayer(layer),
    });
  }
}
