// The cube itself: its walls, its edges, the names of its axes, and what picture each of its corners is.

/** @typedef {import("./cube-view.js").View} View */
/** @typedef {{ dark: boolean, em: number, ink: string, soft: string, line: string, paper: string }} Theme */

export const CELLS = ["left cell", "middle cell", "right cell"];
const CORNERS = Array.from({ length: 8 }, (_, i) => [i & 1, (i >> 1) & 1, (i >> 2) & 1]);
const STRIP = 9; // pixels, a cell of a corner's picture

/**
 * @param {CanvasRenderingContext2D} context
 * @param {View} view
 * @param {Theme} theme
 */
export function paintWalls(context, view, theme) {
  const far = CORNERS.reduce((a, b) => (view.project(a)[2] > view.project(b)[2] ? a : b));
  context.lineWidth = 1;
  for (let axis = 0; axis < 3; axis++) {
    const [p, q] = [0, 1, 2].filter((k) => k !== axis);
    /**
     * @param {number} u
     * @param {number} v
     */
    const at = (u, v) => {
      const x = [0, 0, 0];
      [x[axis], x[p], x[q]] = [far[axis], u, v];
      return view.project(x);
    };
    context.beginPath();
    for (const [u, v] of [[0, 0], [1, 0], [1, 1], [0, 1]]) context.lineTo(at(u, v)[0], at(u, v)[1]);
    context.closePath();
    context.globalAlpha = 0.07 + 0.05 * Math.abs(view.away[axis]);
    context.fillStyle = theme.soft;
    context.fill();
    context.beginPath();
    for (const t of [0, 0.25, 0.5, 0.75, 1]) {
      for (const [from, to] of [[at(t, 0), at(t, 1)], [at(0, t), at(1, t)]]) {
        context.moveTo(from[0], from[1]);
        context.lineTo(to[0], to[1]);
      }
    }
    context.globalAlpha = theme.dark ? 0.5 : 0.65;
    context.strokeStyle = theme.line;
    context.stroke();
  }
  context.globalAlpha = 1;
}

/**
 * The edges before everything, the names of the axes, and what picture each outer corner is.
 * @param {CanvasRenderingContext2D} context
 * @param {View} view
 * @param {Theme} theme
 */
export function paintFrame(context, view, theme) {
  const { side } = view;
  const near = CORNERS.reduce((a, b) => (view.project(a)[2] < view.project(b)[2] ? a : b));
  context.strokeStyle = theme.soft;
  context.globalAlpha = 0.45;
  context.lineWidth = 1;
  context.beginPath();
  for (let axis = 0; axis < 3; axis++) {
    const other = near.slice();
    other[axis] = 1 - other[axis];
    const [a, b] = [view.project(near), view.project(other)];
    context.moveTo(a[0], a[1]);
    context.lineTo(b[0], b[1]);
  }
  context.stroke();
  context.globalAlpha = 1;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.font = `${Math.min(theme.em, side / 22)}px system-ui, sans-serif`;
  context.fillStyle = theme.ink;
  for (let axis = 0; axis < 3; axis++) {
    const edges = CORNERS.filter((corner) => corner[axis] === 0).map((low) => {
      const high = low.slice();
      high[axis] = 1;
      const [a, b] = [view.project(low), view.project(high)];
      return { a, b, x: (a[0] + b[0]) / 2, y: (a[1] + b[1]) / 2 };
    });
    const { a, b, x, y } = edges.reduce((p, q) => ((axis < 2 ? q.y > p.y + 1 : q.x < p.x - 1) ? q : p));
    const long = Math.hypot(b[0] - a[0], b[1] - a[1]);
    if (long < side / 6) continue; // seen end on
    const away = Math.hypot(x - side / 2, y - side / 2) || 1;
    let angle = Math.atan2(b[1] - a[1], b[0] - a[0]);
    const turned = Math.cos(angle) < -0.01 || (Math.abs(Math.cos(angle)) <= 0.01 && angle > 0);
    if (turned) angle += Math.PI;
    context.save();
    const far = 0.01 * side + 0.9 * Math.min(theme.em, side / 22);
    context.translate(x + (far * (x - side / 2)) / away, y + (far * (y - side / 2)) / away);
    context.rotate(angle);
    context.fillText(turned ? `← ${CELLS[axis]}` : `${CELLS[axis]} →`, 0, 0);
    context.restore();
  }
  for (const corner of CORNERS) {
    const [x, y] = view.project(corner);
    const [dx, dy] = [x - side / 2, y - side / 2], away = Math.hypot(dx, dy);
    if (away < 0.55 * view.scale) continue; // before or behind the others
    const [left, top] = [x + (24 * dx) / away - 1.5 * STRIP, y + (16 * dy) / away - STRIP / 2];
    corner.forEach((ink, i) => {
      context.fillStyle = ink ? "#000" : "#fff";
      context.fillRect(left + i * STRIP, top, STRIP, STRIP);
      context.strokeStyle = "#888";
      context.strokeRect(left + i * STRIP, top, STRIP, STRIP);
    });
  }
}
