// The plane of codes: a canvas with what lies behind, and handles that can be dragged or moved with arrow keys.

import { ARROWS, brush, h, number } from "./dom.js";
import { settle } from "./numbers.js";

const MARGIN = { left: 2.8, bottom: 2.8, right: 0.8, top: 0.8 }; // for the axes, in em of the element's type
/** Light under dark, so that the prior's circles show on paper, on drawings and on maps alike. */
const CIRCLES = [{ color: "#fff9", width: 2, dash: [] }, { color: "#555", width: 1, dash: [4, 4] }];
const STEPS = { small: 0.05, large: 0.5 }; // what an arrow key moves, without and with Shift

/**
 * A thing to drag.
 * @typedef {object} Handle
 * @property {HTMLElement} element
 * @property {() => Pair} read  where it is
 * @property {Move} moved  hears where the reader wants it
 */

export class Plane {
  /** @param {number} extent  the plane shows -extent to extent on both axes */
  constructor(extent) {
    this.extent = extent;
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
    this.lines.setAttribute("aria-hidden", "true");
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
    this.lines.setAttribute("viewBox", `${-extent} ${-extent} ${2 * extent} ${2 * extent}`);
    for (const { element } of this.handles) {
      element.setAttribute("aria-valuemin", String(-extent));
      element.setAttribute("aria-valuemax", String(extent));
    }
    this.repaint();
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
      "aria-label": `${name} on the plane; arrow keys move it`,
      "aria-valuemin": -this.extent, "aria-valuemax": this.extent, "aria-orientation": "horizontal",
    }, kind === "point" || kind === "cursor" ? "" : name.slice(-1));
    const handle = { element, read, moved };
    element.addEventListener("keydown", (event) => this.key(event, handle));
    this.handles.push(handle);
    this.field.append(element);
    return (z1, z2) => {
      this.put(element, z1, z2);
      element.setAttribute("aria-valuenow", String(z1));
      element.setAttribute("aria-valuetext", `z1 ${number(z1)}, z2 ${number(z2)}`);
    };
  }

  /**
   * Moves an element to a code: by a transform, which needs no new layout of the page.
   * @param {HTMLElement} element
   * @param {number} z1
   * @param {number} z2
   */
  put(element, z1, z2) {
    const half = this.size / 2;
    this.places.set(element, [z1, z2]);
    element.style.transform = `translate(${half * (1 + z1 / this.extent)}px, ${half * (1 - z2 / this.extent)}px)`;
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
    return [
      settle(this.extent * ((2 * (clientX - box.left)) / box.width - 1), this.extent),
      settle(this.extent * (1 - (2 * (clientY - box.top)) / box.height), this.extent),
    ];
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
    if (event.button) return;
    const near = this.under(event);
    const handle = near[0] ?? this.handles[0]; // a press on the open plane calls the point
    if (!near.length) handle.moved(...this.at(event));
    this.follow(event, handle, (z) => handle.moved(...z));
  }

  /**
   * Follows the pointer of a press until it is lifted. The handle that it moves gets the keys.
   * @param {PointerEvent} event
   * @param {Handle} handle
   * @param {(z: Pair) => void} moved
   * @param {(lifted: boolean) => void} [ended]  false: the browser took the pointer away, to scroll, say
   */
  follow(event, handle, moved, ended) {
    this.field.setPointerCapture(event.pointerId);
    /** @param {PointerEvent} next */
    const move = (next) => {
      if (next.pointerId === event.pointerId) moved(this.at(next));
    };
    /** @param {PointerEvent} next */
    const release = (next) => {
      if (next.pointerId !== event.pointerId) return;
      this.field.removeEventListener("pointermove", move);
      this.field.removeEventListener("pointerup", release);
      this.field.removeEventListener("pointercancel", release);
      ended?.(next.type === "pointerup");
    };
    this.field.addEventListener("pointermove", move);
    this.field.addEventListener("pointerup", release);
    this.field.addEventListener("pointercancel", release);
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
    const step = event.shiftKey ? STEPS.large : STEPS.small;
    const [z1, z2] = handle.read();
    handle.moved(settle(z1 + step * direction[0], this.extent), settle(z2 + step * direction[1], this.extent));
    event.preventDefault();
    event.stopPropagation(); // arrow keys turn pages and slides
  }

  /** Everything that does not move: done again when the size, the theme or the layer changes. */
  repaint() {
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
    this.layer?.paint(context, { extent: this.extent, size });
    this.paintPrior(context, size);
    context.restore();
    this.paintAxes(context, size, em, style.getPropertyValue("--lx-soft"));
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} size
   */
  paintPrior(context, size) {
    for (const radius of [1, 2, 3]) {
      context.beginPath();
      context.arc(size / 2, size / 2, (radius * size) / (2 * this.extent), 0, 2 * Math.PI);
      for (const { color, width, dash } of CIRCLES) {
        context.strokeStyle = color;
        context.lineWidth = width;
        context.setLineDash(dash);
        context.stroke();
      }
    }
    context.setLineDash([]);
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} size
   * @param {number} em
   * @param {string} color
   */
  paintAxes(context, size, em, color) {
    const left = MARGIN.left * em, bottom = MARGIN.top * em + size;
    context.strokeStyle = context.fillStyle = color;
    context.font = `${em}px system-ui, sans-serif`;
    context.strokeRect(left, MARGIN.top * em, size, size);
    context.textBaseline = "middle";
    for (let z = -Math.floor(this.extent); z <= this.extent; z += this.extent > 6 ? 4 : 2) {
      const along = ((z / this.extent + 1) * size) / 2;
      context.textAlign = "center";
      context.fillText(number(z, 0), left + along, bottom + 0.95 * em);
      context.textAlign = "right";
      context.fillText(number(z, 0), left - 0.45 * em, bottom - along);
    }
    context.font = `italic ${1.1 * em}px Georgia, serif`;
    context.textAlign = "center";
    context.fillText("z₁", left + size * 0.625, bottom + 1.85 * em);
    context.fillText("z₂", 0.85 * em, MARGIN.top * em + size * 0.375);
  }

  stop() {
    this.watcher.disconnect();
  }
}
