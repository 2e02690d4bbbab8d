// The plane of codes: a canvas with what lies behind, and handles that can be dragged or moved with arrow keys.

import { ARROWS, brush, h, number } from "./dom.js";
import { settle } from "./numbers.js";
import { MARGIN, paintAxes, paintPrior } from "./plane-paint.js";
import { follow } from "./press.js";
import { codeAt, digitsOf, finest, shareOf, showing, strideOf } from "./view.js";

/** The share of the field, kept on it. @param {number} share */
const inside = (share) => Math.min(1, Math.max(0, share));
const LARGE = 10; // times as far an arrow key moves with Shift

/** @typedef {import("./press.js").Handle} Handle */

export class Plane {
  /** @param {number} extent  the plane shows -extent to extent on both axes */
  constructor(extent) {
    this.extent = extent;
    /** @type {import("./view.js").View} */
    this.view = { middle: [0, 0], half: extent };
    this.frame = 0;
    this.words = "; arrow keys move it";
    /** Ends a drag as if it had not been. */
    this.letGo = () => {};
    /** @type {import("./layers.js").Layer | null} */
    this.layer = null;
    this.size = 0; // CSS pixels, the field's side
    /** @type {Handle[]} */
    this.handles = [];
    /** @type {Map<HTMLElement, Pair>} the code where each element stands */
    this.places = new Map();
    this.canvas = h("canvas", { "aria-hidden": "true" });
    this.ring = h("span", { class: "lx-ring", hidden: true, "aria-hidden": "true" });
    this.line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
    this.lines = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    this.lines.ariaHidden = "true";
    this.lines.append(this.line);
    this.field = h("div", { class: "lx-field" }, this.lines, this.ring);
    Object.assign(this.field.style, {
      left: `${MARGIN.left}em`, right: `${MARGIN.right}em`, top: `${MARGIN.top}em`, bottom: `${MARGIN.bottom}em`,
    });
    this.element = h("div", { class: "lx-plane" }, this.canvas, this.field);
    this.field.addEventListener("pointerdown", (event) => this.grab(event));
    this.watcher = new ResizeObserver(() => this.repaint());
    this.watcher.observe(this.element);
    this.reach(extent);
  }

  /**
   * Shows the plane from -extent to extent.
   * @param {number} extent
   */
  reach(extent) {
    this.extent = extent;
    this.view = { middle: [0, 0], half: extent };
    for (const { element } of this.handles) {
      element.setAttribute("aria-valuemin", String(-extent));
      element.setAttribute("aria-valuemax", String(extent));
    }
    this.repaint();
  }

  /**
   * Shows a part of the plane, with the next frame.
   * @param {import("./view.js").View} view
   */
  look(view) {
    this.view = view;
    this.frame ||= requestAnimationFrame(() => this.repaint());
  }

  /** In what steps coordinates are rounded. */
  get step() { return finest(this.view.half); }

  /**
   * Tells those who hear the handles how much of the plane is seen, and what keys do.
   * @param {string} words
   */
  say(words) {
    this.words = words;
    for (const { element, name } of this.handles) element.setAttribute("aria-label", `${name} on the plane${words}`);
  }

  /**
   * Adds a handle; returns what puts it somewhere.
   * @param {string} name  its last letter is seen on it, unless it is a point or a cursor
   * @param {"point" | "end" | "cursor" | "waypoint"} kind
   * @param {Handle["read"]} read
   * @param {Move} moved
   * @returns {Move}
   */
  addHandle(name, kind, read, moved) {
    const element = h("div", {
      class: `lx-handle lx-${kind}`, tabindex: 0, role: "slider",
      "aria-valuemin": -this.extent, "aria-valuemax": this.extent, "aria-orientation": "horizontal",
    }, kind === "point" || kind === "cursor" ? "" : name.slice(-1));
    const handle = { element, name, read, moved };
    element.addEventListener("keydown", (event) => this.key(event, handle));
    this.handles.push(handle);
    this.say(this.words);
    this.field.append(element);
    return (z1, z2) => {
      this.put(element, z1, z2);
      element.setAttribute("aria-valuenow", String(z1));
      const [one, two] = [z1, z2].map((c) => number(c, digitsOf(this.step)));
      element.setAttribute("aria-valuetext", `z1 ${one}, z2 ${two}`);
    };
  }

  /**
   * Moves an element to a code, or to the edge beyond which it lies: by a transform, which needs no new layout.
   * @param {HTMLElement} element
   * @param {number} z1
   * @param {number} z2
   */
  put(element, z1, z2) {
    this.places.set(element, [z1, z2]);
    const share = shareOf(this.view, [z1, z2]), seen = share.map(inside);
    element.classList.toggle("lx-away", share.some((s) => Math.abs(s - 0.5) > 0.5 + 1e-9));
    element.style.transform = `translate(${this.size * seen[0]}px, ${this.size * seen[1]}px)`;
  }

  /**
   * Marks a place with a ring, if it lies on the plane.
   * @param {Pair} z
   */
  mark(z) {
    this.ring.hidden = z.some((c) => Math.abs(c) > this.extent);
    if (!this.ring.hidden) this.put(this.ring, ...z);
  }

  /**
   * Draws a line through points.
   * @param {Pair[]} points
   */
  trace(points, line = this.line) {
    line.setAttribute("points", points.map(([z1, z2]) => `${z1},${-z2}`).join(" "));
  }

  /** @param {import("./layers.js").Layer} layer */
  show(layer) {
    this.layer = layer;
    this.repaint();
  }

  /**
   * The code under a pointer.
   * @param {PointerEvent} event
   * @returns {Pair}
   */
  at({ clientX, clientY }) {
    const box = this.field.getBoundingClientRect();
    const share = [(clientX - box.left) / box.width, (clientY - box.top) / box.height].map(inside);
    const [z1, z2] = codeAt(this.view, /** @type {Pair} */ (share));
    return [settle(z1, this.extent, this.step), settle(z2, this.extent, this.step)];
  }

  /**
   * The handles under a pointer.
   * @param {PointerEvent} event
   */
  under({ target }) {
    return this.handles.filter(({ element }) => element.contains(/** @type {Node} */ (target)));
  }

  /** @param {PointerEvent} event */
  grab(event) {
    if (event.button || !event.isPrimary) return; // two fingers zoom
    const near = this.under(event);
    const handle = near[0] ?? this.handles[0]; // a press on the open plane calls the point
    const before = handle.read();
    if (!near.length) handle.moved(...this.at(event));
    this.follow(event, handle, (z) => handle.moved(...z));
    const end = this.letGo;
    this.letGo = () => {
      end();
      handle.moved(...before);
    };
  }

  /**
   * A press moves something, until it is lifted. The handle that it moves gets the keys.
   * @param {PointerEvent} event
   * @param {Handle} handle
   * @param {(z: Pair) => void} moved
   * @param {(lifted: boolean) => void} [ended]  false: the browser took the pointer away, to scroll, say
   */
  follow(event, handle, moved, ended) {
    this.letGo = follow(this.field, event, (next) => moved(this.at(next)), (lifted) => {
      this.letGo = () => {};
      ended?.(lifted);
    });
    handle.element.focus({ preventScroll: true, focusVisible: false });
    event.preventDefault();
  }

  /**
   * @param {KeyboardEvent} event
   * @param {Handle} handle
   */
  key(event, handle) {
    const direction = ARROWS.get(event.key);
    if (!direction) return;
    const stride = strideOf(this.view.half / this.extent) * (event.shiftKey ? LARGE : 1);
    const [z1, z2] = handle.read().map((c, i) => settle(c + stride * direction[i], this.extent, this.step));
    const view = showing(this.view, [z1, z2], this.extent);
    if (view.half < this.extent) this.look(view); // it goes along where only a part is seen
    handle.moved(z1, z2);
    event.preventDefault();
    event.stopPropagation(); // arrow keys turn pages and slides
  }

  /** Everything that does not move: done again when the size, the theme or the layer changes. */
  repaint() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    const { view, extent } = this, [left, top] = [view.middle[0] - view.half, -view.middle[1] - view.half];
    this.lines.setAttribute("viewBox", `${left} ${top} ${2 * view.half} ${2 * view.half}`);
    const side = this.element.clientWidth;
    if (!side) return;
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = this.canvas.height = Math.round(side * ratio);
    const context = brush(this.canvas);
    const style = getComputedStyle(this.element);
    context.scale(ratio, ratio);
    const em = parseFloat(style.fontSize);
    const size = side - (MARGIN.left + MARGIN.right) * em;
    this.size = size;
    for (const [element, z] of this.places) this.put(element, ...z);
    context.save();
    context.translate(MARGIN.left * em, MARGIN.top * em);
    context.beginPath();
    context.rect(0, 0, size, size);
    context.clip();
    context.fillStyle = style.getPropertyValue("--lx-plane");
    context.fill();
    const whole = (size * extent) / view.half; // as wide the plane would be, of which the field shows a part
    context.translate((-whole * (left + extent)) / (2 * extent), (-whole * (top + extent)) / (2 * extent));
    this.layer?.paint(context, { extent, size: whole, view });
    paintPrior(context, whole, extent);
    context.restore();
    paintAxes(context, size, em, style.getPropertyValue("--lx-soft"), view);
  }

  stop() {
    this.watcher.disconnect();
    cancelAnimationFrame(this.frame);
  }
}
