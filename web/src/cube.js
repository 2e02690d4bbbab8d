// Three pixels: a picture is a point of a cube, and what a model says of pictures can be seen in it.
//
// The host gives a model with traits (anywidget's interface):
//   z1, z2            the point, in standard deviations of the prior
//   x                 a picture, three numbers; empty: none
//   ends              [[z1, z2], [z1, z2]]; empty: none
//   yaw, pitch        how the cube is turned, in degrees
//   show              the names of what is to be seen
//   cut, cut_axis     where the cut stands, and which cell it holds
//   sigma             of P(x|z)
//   spec              { dim, extent, names, caption, learn, hold, world }
//   weights, pictures, labels   bytes: safetensors, 16 bits a pixel, and 8 a label

import { flatLayer, Line } from "./cube-flat.js";
import { paintFrame, paintWalls } from "./cube-frame.js";
import { listenToHand } from "./cube-hand.js";
import { addParts, legendOf, wordsOf } from "./cube-layout.js";
import { Learner } from "./cube-learn.js";
import { readNet, SmallVae, World } from "./cube-models.js";
import { Scene } from "./cube-paint.js";
import { paintParts } from "./cube-scene.js";
import { Seen } from "./cube-seen.js";
import { View } from "./cube-view.js";
import { brush, h } from "./dom.js";
import { draw, listen, teller } from "./host.js";
import { readSafetensors } from "./model.js";
import { settle, toBytes } from "./numbers.js";
import { Plane } from "./plane.js";
import { followTheme, isDark } from "./theme.js";

const HEARD = ["z1", "z2", "x", "ends", "yaw", "pitch", "show", "cut", "cut_axis", "sigma"];
const SLOW = 30; // milliseconds from one frame to the next: then half of everything is left out until it rests
const REST = 500; // milliseconds after the last move, when it is told what stands there

/**
 * Draws the cube into `el`; returns what takes it away again. A sentence stands there if it cannot be drawn.
 * @type {Render<CubeTraits>}
 */
export function renderCube(face) {
  const words = { label: "Cube of pictures", class: "latent-explorer lx-cube", sorry: "The cube cannot be shown." };
  return draw(face, words, (host, root) => {
    const cube = new Cube(host, root);
    return () => cube.stop();
  });
}

class Cube {
  /**
   * @param {Host<CubeTraits>} host
   * @param {HTMLElement} root
   */
  constructor(host, root) {
    this.host = host;
    this.teller = teller(host);
    this.root = root;
    this.spec = host.get("spec");
    const shorts = new Uint16Array(toBytes(host.get("pictures")).buffer);
    const data = { points: Float64Array.from(shorts, (v) => v / 65535), labels: toBytes(host.get("labels")) };
    /** @type {Learner | null} */
    this.learner = null;
    this.model = this.readModel(data.points);
    this.seen = new Seen(host, this.model, data);
    this.frame = 0;
    this.painted = this.asked = 0; // when
    this.late = 0; // how many frames of one movement have come late
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.view = new View();
    this.scene = new Scene(this.view);
    this.canvas = h("canvas", {
      class: "lx-space", tabindex: 0, role: "application", "aria-label": "The cube of pictures; arrow keys turn it",
    });
    this.plane = this.addPlane();
    this.placePoint = this.plane.addHandle("Point z", "point", () => this.seen.z, (...z) => this.movePoint(...z));
    this.placeEnds = host.get("ends").map((_, i) => this.plane.addHandle(
      `End ${"AB"[i]}`, "end", () => host.get("ends")[i], (...z) => this.moveEnd(i, z)));
    this.parts = addParts({
      host, seen: this.seen, learner: this.learner, plane: this.plane.element, canvas: this.canvas, root,
      send: (values) => this.teller.tell(values), movePoint: (...z) => this.movePoint(...z),
      learned: () => this.learned(), rested: (learning) => this.rested(learning),
    });
    this.unhand = listenToHand({
      canvas: this.canvas, view: this.view, model: this.model, z: () => this.seen.z,
      x: () => (this.seen.shows("posterior") ? host.get("x") : null),
      movePoint: (...z) => this.movePoint(...z),
      movePicture: (x) => this.teller.tell({ x: x.map((v) => settle(Math.max(0, v), 1)) }),
      turned: () => [host.get("yaw"), host.get("pitch")],
      turn: (yaw, pitch) => this.teller.tell({
        yaw: ((((yaw + 180) % 360) + 360) % 360) - 180, pitch: Math.min(90, Math.max(-90, pitch)),
      }),
    });
    this.unfollow = followTheme(root, () => this.schedule());
    this.watcher = new ResizeObserver(() => this.schedule());
    this.watcher.observe(this.canvas);
    this.unlisten = listen(host, Object.fromEntries(HEARD.map((name) => [`change:${name}`, () => this.schedule()])));
    this.update();
    this.parts.train?.measureNow();
  }

  stop() {
    this.unhand();
    this.unfollow();
    this.watcher.disconnect();
    this.plane.stop();
    this.parts.train?.stop();
    clearTimeout(this.timer);
    cancelAnimationFrame(this.frame);
    this.unlisten();
    this.teller.stop();
  }

  /**
   * @param {Float64Array} pictures
   * @returns {import("./cube-models.js").Drawer}
   */
  readModel(pictures) {
    const { world, learn, hold } = this.spec;
    if (world) return new World(world, this.host.get("sigma"));
    const { tensors } = readSafetensors(this.host.get("weights"));
    if (learn) {
      this.learner = new Learner(tensors, pictures, hold);
      return this.learner.vae;
    }
    return new SmallVae(readNet(tensors, "encoder"), readNet(tensors, "decoder"), this.host.get("sigma"));
  }

  addPlane() {
    const { extent, dim } = this.spec;
    const read = () => this.seen.flat();
    if (dim === 1) return new Line(extent, read);
    const plane = new Plane(extent);
    plane.show(flatLayer(read));
    return plane;
  }

  /** @type {Move} */
  movePoint(z1, z2) {
    const { extent, dim } = this.spec;
    this.teller.tell({ z1: settle(z1, extent), ...(dim === 2 ? { z2: settle(z2, extent) } : {}) });
  }

  /**
   * @param {number} i  which
   * @param {Pair} z
   */
  moveEnd(i, [z1, z2]) {
    /** @type {Pair} */
    const place = [z1, this.spec.dim === 2 ? z2 : 0];
    this.teller.tell({ ends: this.host.get("ends").map((end, k) => (k === i ? place : end)) });
  }

  schedule() {
    if (this.frame) return;
    this.asked = performance.now();
    this.frame = requestAnimationFrame(() => this.update());
  }

  /** The model has moved. Python hears of its sigma when it has come to rest. */
  learned() {
    this.seen.version++;
    this.host.set("sigma", this.model.sigma);
    this.schedule();
  }

  /** @param {boolean} learning */
  rested(learning) {
    this.parts.sigma.input.disabled = learning && !this.learner?.holdSigma;
    if (!learning) this.host.save_changes();
  }

  /** Shows what the host has, with the next frame, once, however much has changed. */
  update() {
    this.frame = 0;
    const { host, model, seen } = this;
    const now = performance.now();
    if (this.asked - this.painted < SLOW && now - this.painted > SLOW) this.late++;
    this.painted = now;
    model.sigma = host.get("sigma");
    /** @type {(keyof CubeTraits)[]} */
    const others = ["z1", "z2", "x", "ends", "show", "cut", "cut_axis"];
    const all = [seen.version, model.sigma, isDark(), ...others.map((name) => host.get(name))];
    seen.keep("around", all, () => this.updateAround()); // while the cube only turns, it alone is drawn
    this.paint();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.tell(), REST);
  }

  updateAround() {
    const { host, model, seen, parts } = this;
    this.placePoint(...seen.z);
    for (const [i, place] of this.placeEnds.entries()) place(...host.get("ends")[i]);
    this.root.classList.toggle("lx-without-ends", !seen.shows("ways"));
    parts.boxes.show(host.get("show"));
    parts.point.show(model.decode(...seen.z));
    for (const [axis, one] of parts.codes.entries()) one.show(seen.z[axis]);
    parts.sigma.show(model.sigma);
    parts.cut.show(host.get("cut"));
    parts.axis.value = String(host.get("cut_axis"));
    parts.cutRow.hidden = !seen.shows("cut");
    if (parts.picture) {
      parts.picture.element.hidden = !seen.shows("posterior");
      if (seen.shows("posterior")) parts.picture.show(host.get("x"), seen.logP);
    }
    if (parts.ways) parts.ways.element.hidden = !seen.shows("ways");
    seen.keep("plane", [
      seen.version, model.sigma, isDark(), host.get("x"), host.get("ends"), host.get("show"),
    ], () => this.plane.repaint());
  }

  paint() {
    const { canvas, view, host, seen } = this;
    const side = canvas.clientWidth;
    if (!side) return;
    const ratio = window.devicePixelRatio || 1;
    if (canvas.width !== Math.round(side * ratio)) canvas.width = canvas.height = Math.round(side * ratio);
    const style = getComputedStyle(this.root);
    const [ink, soft, line, paper] = ["ink", "soft", "line", "paper"].map(
      (name) => style.getPropertyValue(`--lx-${name}`));
    const theme = { dark: isDark(), em: parseFloat(style.fontSize), ink, soft, line, paper };
    const context = brush(canvas);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, side, side);
    view.look(host.get("yaw"), host.get("pitch"), side);
    paintWalls(context, view, theme);
    paintParts(context, this.scene, seen.parts(theme.dark, this.late > 2), theme);
    paintFrame(context, view, theme);
  }

  /** What needs no hurry: the ways in numbers, the legend, and the whole in words. */
  tell() {
    const { seen, parts, spec } = this;
    this.late = 0;
    this.paint();
    const soft = getComputedStyle(this.root).getPropertyValue("--lx-soft");
    if (parts.ways && seen.shows("ways")) parts.ways.show(seen.waysTold(isDark()), soft);
    parts.legend.replaceChildren(...legendOf(seen, spec.names));
    parts.status.textContent = wordsOf(seen);
  }
}

export default { render: renderCube };
