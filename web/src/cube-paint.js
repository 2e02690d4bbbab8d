// A scene of the cube: dots, lines and patches, gathered one by one and painted from the back to the front.

/** @typedef {import("./cube-view.js").View} View */
/** @typedef {{ kind: "dot" | "disc" | "quad" | "line", color: string, size?: number }} Style  size in pixels */

const SLICES = 32; // depths that are told apart
const STYLES = 64; // ways to paint that one scene may have

export class Scene {
  /** @param {View} view */
  constructor(view) {
    this.view = view;
    /** @type {Style[]} */
    this.styles = [];
    /** @type {Map<string, number>} */
    this.known = new Map();
    this.count = 0;
    this.room = 4096;
    this.key = new Uint16Array(this.room);
    this.places = new Float32Array(8 * this.room);
    /** @type {{ axis: number, place: number, paint: (context: CanvasRenderingContext2D) => void } | null} */
    this.cut = null;
  }

  clear() {
    this.count = 0;
    this.cut = null;
    this.styles.length = 0;
    this.known.clear();
  }

  /**
   * A number for a way to paint. What is asked for first is painted first, of things at one depth.
   * @param {Style} style
   */
  style(style) {
    const name = `${style.kind} ${style.color} ${style.size}`;
    const before = this.known.get(name);
    if (before !== undefined) return before;
    this.known.set(name, this.styles.length);
    return this.styles.push(style) - 1;
  }

  /**
   * A slot for a thing at a depth.
   * @param {number} depth
   * @param {number} style
   * @param {boolean} beyond  on the other side of the cut
   */
  slot(depth, style, beyond) {
    if (this.count === this.room) this.grow();
    const slice = Math.min(SLICES - 1, Math.max(0, Math.floor((0.5 - depth / 1.8) * SLICES)));
    this.key[this.count] = ((beyond ? 0 : SLICES) + slice) * STYLES + style;
    return 8 * this.count++;
  }

  grow() {
    this.room *= 2;
    const [key, places] = [new Uint16Array(this.room), new Float32Array(8 * this.room)];
    key.set(this.key);
    places.set(this.places);
    Object.assign(this, { key, places });
  }

  /**
   * Whether a place of the cube lies behind the cut, as the eye sees it.
   * @param {Numbers} x
   */
  beyond(x, at = 0) {
    if (!this.cut) return false;
    return (x[at + this.cut.axis] - this.cut.place) * this.view.away[this.cut.axis] > 0;
  }

  /**
   * Dots or discs at pictures, triples in a row.
   * @param {Float64Array} points
   * @param {(i: number) => number} style  -1: none
   */
  dots(points, style) {
    const screen = this.view.projectAll(points);
    for (let i = 0, at = 0; at < points.length; i++, at += 3) {
      const chosen = style(i);
      if (chosen < 0) continue;
      const slot = this.slot(screen[at + 2], chosen, this.beyond(points, at));
      this.places[slot] = screen[at];
      this.places[slot + 1] = screen[at + 1];
    }
  }

  /**
   * Line pieces through pictures.
   * @param {Float64Array} points
   * @param {number} style
   */
  line(points, style) {
    const screen = this.view.projectAll(points);
    for (let at = 3; at < points.length; at += 3) {
      const slot = this.slot((screen[at - 1] + screen[at + 2]) / 2 - 0.01, style, this.beyond(points, at));
      const { places } = this;
      places[slot] = screen[at - 3]; places[slot + 1] = screen[at - 2];
      places[slot + 2] = screen[at]; places[slot + 3] = screen[at + 1];
    }
  }

  /**
   * The patches of a sheet. `style` hears the cosine between the sheet's normal and the line of sight.
   * @param {import("./cube-shapes.js").Mesh} mesh
   * @param {(cosine: number) => number} style
   * @param {number} step  2: only every second point
   */
  sheet({ points, across, rows }, style, step) {
    const screen = this.view.projectAll(points);
    for (let row = 0; row + step < rows; row += step) {
      for (let i = 0; i + step < across; i += step) {
        const a = 3 * (row * across + i), b = a + 3 * step, d = a + 3 * across * step, c = d + 3 * step;
        const [ax, ay, bx, by] = [screen[a], screen[a + 1], screen[b], screen[b + 1]];
        const [cx, cy, dx, dy] = [screen[c], screen[c + 1], screen[d], screen[d + 1]];
        const seen = (cx - ax) * (dy - by) - (cy - ay) * (dx - bx); // twice the area on the screen
        const depth = (screen[a + 2] + screen[c + 2]) / 2;
        const slot = this.slot(depth, style(seen / this.area(points, a, b, c, d)), this.beyond(points, a));
        const { places } = this;
        places[slot] = ax; places[slot + 1] = ay; places[slot + 2] = bx; places[slot + 3] = by;
        places[slot + 4] = cx; places[slot + 5] = cy; places[slot + 6] = dx; places[slot + 7] = dy;
      }
    }
  }

  /**
   * Twice the area of a patch, in pixels, as if it faced the eye.
   * @param {Float64Array} p
   * @param {number} a
   * @param {number} b
   * @param {number} c
   * @param {number} d
   */
  area(p, a, b, c, d) {
    const u0 = p[c] - p[a], u1 = p[c + 1] - p[a + 1], u2 = p[c + 2] - p[a + 2];
    const v0 = p[d] - p[b], v1 = p[d + 1] - p[b + 1], v2 = p[d + 2] - p[b + 2];
    const [n0, n1, n2] = [u1 * v2 - u2 * v1, u2 * v0 - u0 * v2, u0 * v1 - u1 * v0];
    return this.view.scale ** 2 * Math.sqrt(n0 * n0 + n1 * n1 + n2 * n2) + 1e-9;
  }

  /** @param {CanvasRenderingContext2D} context */
  paint(context) {
    const order = this.sorted();
    let { cut } = this;
    for (let i = 0, end = 0; i < this.count; i = end) {
      const key = this.key[order[i]];
      if (cut && key >= SLICES * STYLES) {
        cut.paint(context);
        cut = null;
      }
      while (end < this.count && this.key[order[end]] === key) end++;
      this.paintAlike(context, this.styles[key % STYLES], order.subarray(i, end));
    }
    cut?.paint(context);
  }

  /** The things by their keys, counted rather than compared. */
  sorted() {
    const starts = new Uint32Array(2 * SLICES * STYLES + 1);
    for (let i = 0; i < this.count; i++) starts[this.key[i] + 1]++;
    for (let k = 1; k < starts.length; k++) starts[k] += starts[k - 1];
    const order = new Uint32Array(this.count);
    for (let i = 0; i < this.count; i++) order[starts[this.key[i]]++] = i;
    return order;
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Style} style
   * @param {Uint32Array} which
   */
  paintAlike(context, { kind, color, size = 1 }, which) {
    const { places } = this;
    context.fillStyle = context.strokeStyle = color;
    if (kind !== "dot") context.beginPath();
    for (let k = 0; k < which.length; k++) {
      const p = 8 * which[k];
      const x = places[p], y = places[p + 1];
      if (kind === "dot") context.fillRect(x - size / 2, y - size / 2, size, size);
      else if (kind === "disc") {
        context.moveTo(x + size / 2, y);
        context.arc(x, y, size / 2, 0, 2 * Math.PI);
      } else {
        context.moveTo(x, y);
        context.lineTo(places[p + 2], places[p + 3]);
        if (kind === "line") continue;
        context.lineTo(places[p + 4], places[p + 5]);
        context.lineTo(places[p + 6], places[p + 7]);
      }
    }
    if (kind === "line") {
      context.lineWidth = size;
      context.stroke();
    } else if (kind !== "dot") context.fill();
  }
}
