// The cube on a flat screen: turned and looked at from afar (an orthographic view, in which a straight line of the cube
// stays straight and equal lengths that are parallel stay equal), and painted from the back to the front.

/** @typedef {{ kind: "dot" | "disc" | "quad" | "line", color: string, size?: number }} Style  size in pixels */

const FILL = 0.57; // the cube's edge as a share of the canvas, so that no corner leaves it however it is turned
const SLICES = 32; // depths that are told apart
const STYLES = 64; // ways to paint that one scene may have

export class View {
  yaw = 0; // degrees, about the axis of the right cell
  pitch = 0; // degrees, how far the eye looks down
  side = 0; // CSS pixels
  /** @type {number[]} unit vectors of the cube: to the right of the screen, upwards, and away from the eye */
  right = [1, 0, 0];
  up = [0, 0, 1];
  away = [0, 1, 0];

  /**
   * @param {number} yaw
   * @param {number} pitch
   * @param {number} side
   */
  look(yaw, pitch, side) {
    Object.assign(this, { yaw, pitch, side });
    const [y, p] = [(yaw * Math.PI) / 180, (pitch * Math.PI) / 180];
    const [c, s, cp, sp] = [Math.cos(y), Math.sin(y), Math.cos(p), Math.sin(p)];
    this.right = [c, s, 0];
    this.up = [-s * sp, c * sp, cp];
    this.away = [-s * cp, c * cp, -sp];
  }

  get scale() {
    return FILL * this.side;
  }

  /**
   * Where a picture stands on the screen, and how far away: from about -0.87 to 0.87.
   * @param {Numbers} x  three pixels
   * @returns {[number, number, number]}
   */
  project(x, at = 0) {
    const [a, b, c] = [x[at] - 0.5, x[at + 1] - 0.5, x[at + 2] - 0.5];
    const { right, up, away, scale, side } = this;
    return [
      side / 2 + scale * (a * right[0] + b * right[1] + c * right[2]),
      side / 2 - scale * (a * up[0] + b * up[1] + c * up[2]),
      a * away[0] + b * away[1] + c * away[2],
    ];
  }

  /**
   * The step in the cube, in the plane of the screen, that is so many pixels to the right and down.
   * @param {number} dx
   * @param {number} dy
   */
  unproject(dx, dy) {
    return this.right.map((r, k) => (dx * r - dy * this.up[k]) / this.scale);
  }
}

/** Things to paint, gathered one by one and then painted from the back to the front. */
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
   * @param {Numbers} x
   * @param {number} style
   */
  dot(x, style, at = 0) {
    const [sx, sy, depth] = this.view.project(x, at);
    const slot = this.slot(depth, style, this.beyond(x, at));
    this.places[slot] = sx;
    this.places[slot + 1] = sy;
  }

  /**
   * Line pieces through pictures, triples in a row.
   * @param {Float64Array} points
   * @param {number} style
   */
  line(points, style) {
    let before = this.view.project(points);
    for (let at = 3; at < points.length; at += 3) {
      const next = this.view.project(points, at);
      const slot = this.slot((before[2] + next[2]) / 2 - 0.01, style, this.beyond(points, at));
      this.places.set([before[0], before[1], next[0], next[1]], slot);
      before = next;
    }
  }

  /**
   * The patches of a sheet. `style` hears the cosine between the sheet's normal and the line of sight.
   * @param {import("./cube-shapes.js").Mesh} mesh
   * @param {(cosine: number) => number} style
   */
  sheet({ points, across, rows }, style) {
    const { view } = this;
    const screen = new Float32Array(3 * across * rows);
    for (let i = 0; i < across * rows; i++) screen.set(view.project(points, 3 * i), 3 * i);
    for (let row = 0; row + 1 < rows; row++) {
      for (let i = 0; i + 1 < across; i++) {
        const a = row * across + i, b = a + 1, d = a + across, c = d + 1;
        const [ax, ay, cx, cy] = [screen[3 * a], screen[3 * a + 1], screen[3 * c], screen[3 * c + 1]];
        const [bx, by, dx, dy] = [screen[3 * b], screen[3 * b + 1], screen[3 * d], screen[3 * d + 1]];
        const seen = (cx - ax) * (dy - by) - (cy - ay) * (dx - bx); // twice the area on the screen
        const depth = (screen[3 * a + 2] + screen[3 * c + 2]) / 2;
        const slot = this.slot(depth, style(seen / this.area(points, a, b, c, d)), this.beyond(points, 3 * a));
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
    const u0 = p[3 * c] - p[3 * a], u1 = p[3 * c + 1] - p[3 * a + 1], u2 = p[3 * c + 2] - p[3 * a + 2];
    const v0 = p[3 * d] - p[3 * b], v1 = p[3 * d + 1] - p[3 * b + 1], v2 = p[3 * d + 2] - p[3 * b + 2];
    return this.view.scale ** 2 * Math.hypot(u1 * v2 - u2 * v1, u2 * v0 - u0 * v2, u0 * v1 - u1 * v0) + 1e-9;
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
    if (kind === "dot") {
      context.fillStyle = color;
      for (const i of which) context.fillRect(places[8 * i] - size / 2, places[8 * i + 1] - size / 2, size, size);
      return;
    }
    context.beginPath();
    for (const i of which) {
      const p = 8 * i;
      context.moveTo(places[p] + (kind === "disc" ? size / 2 : 0), places[p + 1]);
      if (kind === "disc") context.arc(places[p], places[p + 1], size / 2, 0, 2 * Math.PI);
      else context.lineTo(places[p + 2], places[p + 3]);
      if (kind === "quad") {
        context.lineTo(places[p + 4], places[p + 5]);
        context.lineTo(places[p + 6], places[p + 7]);
      }
    }
    if (kind === "line") {
      context.strokeStyle = color;
      context.lineWidth = size;
      context.stroke();
    } else {
      context.fillStyle = color;
      context.fill();
    }
  }
}
