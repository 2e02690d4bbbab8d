// The cube on a flat screen: turned and looked at from afar (an orthographic view, in which a straight line of the cube
// stays straight and equal lengths that are parallel stay equal).

const FILL = 0.57; // the cube's edge as a share of the canvas, so that no corner leaves it however it is turned

export class View {
  yaw = 0; // degrees, about the axis of the right cell
  pitch = 0; // degrees, how far the eye looks down
  side = 0; // CSS pixels
  /** @type {number[]} unit vectors of the cube: to the right of the screen, upwards, and away from the eye */
  right = [1, 0, 0];
  up = [0, 0, 1];
  away = [0, 1, 0];
  screen = new Float32Array(0);

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
   * The same for many pictures at once, triples in a row, into `this.screen`.
   * @param {Float64Array} points
   */
  projectAll(points) {
    const { right: [a, b, c], up: [d, e, f], away: [g, h, k], scale, side } = this;
    if (this.screen.length < points.length) this.screen = new Float32Array(2 * points.length);
    const { screen } = this;
    for (let i = 0; i < points.length; i += 3) {
      const x = points[i] - 0.5, y = points[i + 1] - 0.5, z = points[i + 2] - 0.5;
      screen[i] = side / 2 + scale * (a * x + b * y + c * z);
      screen[i + 1] = side / 2 - scale * (d * x + e * y + f * z);
      screen[i + 2] = g * x + h * y + k * z;
    }
    return screen;
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
