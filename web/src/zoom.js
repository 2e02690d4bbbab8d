// The plane's zoom: by wheel, by two fingers, by the keys + - 0, and by buttons for who has none of these.

import { h, number } from "./dom.js";
import { codeAt, shareOf, viewWith } from "./view.js";

const STEP = 2; // times nearer with each press
const WHEEL = { most: 60, rate: 0.005 }; // pixels that one turn counts at most, and what each does to the logarithm

export class Zoom {
  /**
   * @param {import("./plane.js").Plane} plane
   * @param {() => void} changed  hears when another part of the plane is seen
   */
  constructor(plane, changed) {
    this.plane = plane;
    this.changed = changed;
    /** @type {Map<number, Pair>} where each finger is: shares of the field */
    this.fingers = new Map();
    const { field } = plane;
    field.addEventListener("wheel", (event) => this.turn(event), { passive: false });
    field.addEventListener("keydown", (event) => this.key(event));
    field.addEventListener("pointerdown", (event) => this.touch(event));
    field.addEventListener("pointermove", (event) => this.pinch(event));
    for (const end of /** @type {const} */ (["pointerup", "pointercancel"])) {
      field.addEventListener(end, ({ pointerId }) => this.fingers.delete(pointerId));
    }
    /**
     * @param {string} text
     * @param {string | null} label
     * @param {number} factor
     */
    const button = (text, label, factor) => h("button", {
      type: "button", "aria-label": label, onclick: () => this.by(factor, this.plane.handles[0].read()),
    }, text);
    this.out = button("−", "Zoom out", 1 / STEP);
    this.in = button("+", "Zoom in", STEP);
    this.whole = button("Whole plane", null, 0);
    this.output = h("output");
    this.element = h("div", { class: "lx-row lx-zoom", role: "group", "aria-label": "Zoom" },
      this.out, this.in, this.whole, this.output);
    this.tell();
  }

  /**
   * Where on the field something is.
   * @param {MouseEvent} event
   * @returns {Pair}
   */
  share({ clientX, clientY }) {
    const box = this.plane.field.getBoundingClientRect();
    return [(clientX - box.left) / box.width, (clientY - box.top) / box.height];
  }

  /**
   * Looks so many times nearer at a code, which stays where it is seen. What is not seen is not zoomed at.
   * @param {number} factor  0 shows everything
   * @param {Pair} z
   */
  by(factor, z) {
    const { view, extent } = this.plane;
    const share = shareOf(view, z);
    const seen = share.every((s) => s >= 0 && s <= 1);
    return this.look(viewWith(seen ? z : view.middle, seen ? share : [0.5, 0.5], view.half / factor, extent));
  }

  /**
   * Shows a part of the plane; says whether that is another one.
   * @param {import("./view.js").View} view
   */
  look(view) {
    const { half, middle } = this.plane.view;
    if (view.half === half && view.middle.every((c, i) => c === middle[i])) return false;
    this.plane.look(view);
    this.tell();
    this.changed();
    return true;
  }

  tell() {
    const { view, extent } = this.plane, times = extent / view.half;
    this.output.value = `${number(times, times < 10 && times % 1 ? 1 : 0)}×`;
    this.out.ariaDisabled = this.whole.ariaDisabled = String(times === 1);
    this.in.ariaDisabled = String(viewWith([0, 0], [0.5, 0.5], view.half / STEP, extent).half === view.half);
    const enlarged = times === 1 ? "" : `, enlarged ${this.output.value.slice(0, -1)} times`;
    this.plane.say(`${enlarged}; arrow keys move it, plus and minus zoom`);
  }

  /** @param {WheelEvent} event */
  turn(event) {
    // Who scrolls the page, and comes across the plane, goes on scrolling.
    if (!event.ctrlKey && !this.plane.field.contains(document.activeElement)) return;
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? 1 : 20;
    const delta = Math.min(WHEEL.most, Math.max(-WHEEL.most, event.deltaY * lines));
    const z = codeAt(this.plane.view, this.share(event));
    if (this.by(Math.exp(-WHEEL.rate * delta), z) || event.ctrlKey) event.preventDefault();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const factor = { "+": STEP, "=": STEP, "-": 1 / STEP, 0: 0 }[event.key];
    if (factor === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    const handle = this.plane.handles.find(({ element }) => element === event.target);
    this.by(factor, handle?.read() ?? this.plane.view.middle);
    event.preventDefault();
    event.stopPropagation(); // slides have keys, too
  }

  /** @param {PointerEvent} event */
  touch(event) {
    if (event.pointerType !== "touch") return;
    this.fingers.set(event.pointerId, this.share(event));
    if (this.fingers.size === 2) this.plane.letGo(); // the first did not mean to drag
  }

  /** @param {PointerEvent} event */
  pinch(event) {
    if (!this.fingers.has(event.pointerId)) return;
    const before = [...this.fingers.values()];
    this.fingers.set(event.pointerId, this.share(event));
    if (this.fingers.size !== 2) return;
    const [from, to] = [before, [...this.fingers.values()]].map(([a, b]) => ({
      middle: /** @type {Pair} */ ([(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]), apart: Math.hypot(a[0] - b[0], a[1] - b[1]),
    }));
    const { view, extent } = this.plane;
    this.look(viewWith(codeAt(view, from.middle), to.middle, (view.half * from.apart) / to.apart, extent));
  }
}
