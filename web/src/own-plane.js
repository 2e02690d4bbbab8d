// The plane on which the reader draws a way from A to B: by hand in one stroke, or from waypoint to waypoint.

import { h, number } from "./dom.js";
import { settle } from "./numbers.js";
import { smooth } from "./path-score.js";
import { Plane } from "./plane.js";

const MOST = 9; // waypoints; a path of more points was drawn by hand, and has none to take hold of
const NEAR = 30; // pixels: so close to an end a finger means it

/**
 * @typedef {object} Hears
 * @property {(points: Pair[]) => void} sketch  a path is being drawn, and this is how far it is
 * @property {(points: Pair[], note: string) => void} commit  it is drawn
 * @property {(note: string) => void} revert  nothing came of it: what was there before holds
 * @property {(z: Pair) => string} describe  what a place on the plane is like
 */

/**
 * A line that is seen on paper and on every map: dark, or of a colour, on white.
 * @param {SVGSVGElement} lines
 * @param {string} name
 */
function twoTone(lines, name) {
  const both = ["lx-under", name].map((style) => {
    const line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
    line.setAttribute("class", style);
    return line;
  });
  lines.append(...both);
  return both;
}

/** @param {Pair} z */
const said = ([z1, z2]) => `(${number(z1)}, ${number(z2)})`;

export class OwnPlane extends Plane {
  /**
   * @param {number} extent
   * @param {Pair} a
   * @param {Pair} b
   * @param {Hears} hears
   */
  constructor(extent, a, b, hears) {
    super(extent);
    this.a = a;
    this.b = b;
    this.hears = hears;
    /** @type {Pair[]} from A to B; empty where there is none */
    this.path = [];
    this.other = twoTone(this.lines, "lx-other-way");
    this.own = twoTone(this.lines, "lx-own-way");
    for (const [name, z] of /** @type {[string, Pair][]} */ ([["A", a], ["B", b]])) {
      const mark = h("div", { class: "lx-handle lx-end lx-fixed", "aria-hidden": "true" }, name);
      this.field.append(mark);
      this.put(mark, ...z);
    }
    this.cursor = a;
    this.placeCursor = this.addHandle("Cursor", "cursor", () => this.cursor, (...z) => this.point(z));
    this.point(a);
    this.waypoints = Array.from({ length: MOST }, (_, i) => {
      const place = this.addHandle(`Waypoint ${i + 1}`, "waypoint", () => this.path[i + 1],
        (...z) => hears.commit(this.moved(i, z), ""));
      const { element } = this.handles[i + 1];
      element.hidden = true;
      return { element, place };
    });
    this.field.addEventListener("keydown", (event) => this.press(event));
  }

  /** Where the waypoints are. */
  get set() {
    return this.path.length - 2 > MOST ? [] : this.path.slice(1, -1);
  }

  /**
   * @param {Pair[]} set
   * @returns {Pair[]}
   */
  through(set) {
    return [this.a, ...set, this.b];
  }

  /**
   * The path with a waypoint elsewhere.
   * @param {number} i
   * @param {Pair} z
   */
  moved(i, z) {
    return this.path.map((point, k) => (k === i + 1 ? z : point));
  }

  /**
   * Shows a path of the reader's, and handles on its waypoints.
   * @param {Pair[]} path
   */
  showPath(path) {
    this.path = path;
    const { set } = this;
    this.draw(path);
    this.waypoints.forEach(({ element, place }, i) => {
      if (i < set.length) place(...set[i]);
      else if (element === document.activeElement) this.handles[0].element.focus(); // what hides loses the keys
      element.hidden = i >= set.length;
    });
  }

  /** @param {Pair[]} points */
  draw(points) {
    for (const line of this.own) this.trace(points, line);
  }

  /**
   * Shows another way, for comparison.
   * @param {Pair[]} points
   */
  showOther(points) {
    for (const line of this.other) this.trace(points, line);
  }

  /**
   * Moves the cursor.
   * @param {Pair} z
   */
  point(z) {
    this.cursor = z;
    this.placeCursor(...z);
    const { element } = this.handles[0];
    element.setAttribute("aria-valuetext", `${element.getAttribute("aria-valuetext")}, ${this.hears.describe(z)}`);
  }

  /**
   * How far apart two codes are seen, in pixels.
   * @param {Pair} z
   * @param {Pair} other
   */
  apart(z, other) {
    return (Math.hypot(z[0] - other[0], z[1] - other[1]) * this.size) / (2 * this.extent);
  }

  /**
   * @override
   * @param {PointerEvent} event
   */
  grab(event) {
    if (event.button || !event.isPrimary) return;
    const z = this.at(event), { element } = this.under(event)[0] ?? {};
    const i = this.waypoints.findIndex((one) => one.element === element);
    if (i >= 0) this.drag(event, i);
    else if (this.apart(z, this.a) < Math.min(NEAR, this.apart(z, this.b))) this.stroke(event);
    else if (this.set.length === MOST) this.tooMany();
    else {
      this.showPath(this.through([...this.set, z]));
      this.hears.sketch(this.path);
      this.drag(event, this.set.length - 1);
    }
  }

  /**
   * A waypoint goes with the pointer.
   * @param {PointerEvent} event
   * @param {number} i
   */
  drag(event, i) {
    this.follow(event, this.handles[i + 1], (z) => {
      this.showPath(this.moved(i, z));
      this.hears.sketch(this.path);
    }, (lifted) => (lifted ? this.hears.commit(this.path, `Waypoint ${i + 1}: ${said(this.path[i + 1])}.`)
      : this.hears.revert("")));
  }

  /**
   * A line from A follows the pointer. Where it ends before B, the rest is straight.
   * @param {PointerEvent} event
   */
  stroke(event) {
    const drawn = [this.a];
    this.showPath([]);
    this.follow(event, this.handles[0], (z) => {
      drawn.push(z);
      const points = [...drawn, this.b];
      this.draw(points);
      this.hears.sketch(points);
    }, (lifted) => {
      if (!lifted || drawn.every((z) => this.apart(z, this.a) < NEAR)) {
        this.hears.revert("From A, draw on to B in one stroke.");
        return;
      }
      const reached = this.apart(drawn[drawn.length - 1], this.b) < NEAR;
      if (reached) drawn[drawn.length - 1] = this.b;
      const inner = smooth(drawn).slice(1, reached ? -1 : undefined);
      const { extent } = this;
      this.hears.commit(this.through(inner.map(([z1, z2]) => [settle(z1, extent), settle(z2, extent)])),
        reached ? "" : "Your stroke ended before B; a straight piece joins it to B.");
    });
  }

  tooMany() {
    this.hears.revert(`${MOST} waypoints are the most.`);
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    const { set } = this;
    if (event.key === "Enter") {
      if (set.length === MOST) this.tooMany();
      else this.hears.commit(this.through([...set, this.cursor]), `Waypoint ${set.length + 1}: ${said(this.cursor)}.`);
    } else if (event.key === "Backspace") {
      const left = set.slice(0, -1);
      this.hears.commit(left.length ? this.through(left) : [], left.length ? `${left.length} waypoints left.` : "");
    } else if (event.key === "Escape") {
      this.hears.commit([], "");
    } else return;
    event.preventDefault();
    event.stopPropagation(); // pages, slides and notebooks have uses of their own for these keys
  }
}
