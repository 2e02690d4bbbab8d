// What the reader has chosen to see in the cube, painted.

import { classColor, viridis } from "./colors.js";
import { brush, h } from "./dom.js";

/** @typedef {import("./cube-view.js").View} View */
/** @typedef {import("./cube-paint.js").Scene} Scene */
/** @typedef {import("./cube-frame.js").Theme} Theme */
/**
 * What may stand in the cube; what is missing is not shown.
 * @typedef {object} Parts
 * @property {boolean} light  half of everything, for a machine that is slow, while the cube turns
 * @property {{ points: Float64Array, labels: Uint8Array } | null} data
 * @property {import("./cube-shapes.js").Mesh | null} sheet
 * @property {import("./cube-shapes.js").Mesh[]} skins  the sheet moved by sigma to both sides
 * @property {{ points: Float64Array, sigma: number } | null} tube  that of a curve
 * @property {ReturnType<typeof import("./cube-shapes.js").cloudDots> | null} cloud
 * @property {{ image: HTMLCanvasElement, axis: number, place: number } | null} cut
 * @property {{ points: Float64Array, height: Float64Array } | null} patch
 * @property {{ points: Float64Array, color: string }[]} ways
 * @property {{ x: Float64Array, color: string, name: string }[]} balls
 */

const LEVELS = 5; // shades of the cloud, the patch and the sheet
const NO_CLASS = 255; // the label of pictures without one

/** @param {boolean} dark */
export const colors = (dark) => ({
  z: "#e8112d",
  name: dark ? "#ff7a88" : "#c20d24", // of the point, in letters
  x: dark ? "#c690f5" : "#832db6",
  end: dark ? "#eceff4" : "#111111",
  line: dark ? "#eceff4" : "#111111",
  fade: dark ? "#ff8a73" : "#bd1f01",
  geodesic: dark ? "#4fd18b" : "#0a7d45",
});

/**
 * Puts the parts into the scene and paints it.
 * @param {CanvasRenderingContext2D} context
 * @param {Scene} scene
 * @param {Parts} parts
 * @param {Theme} theme
 */
export function paintParts(context, scene, parts, theme) {
  const { view } = scene;
  scene.clear();
  const { cut, sheet, cloud, data, patch } = parts;
  const step = parts.light ? 2 : 1;
  if (cut) scene.cut = { axis: cut.axis, place: cut.place, paint: (target) => paintCut(target, view, cut, theme) };
  if (parts.tube) paintTube(context, view, parts.tube.points, 2 * parts.tube.sigma * view.scale, theme);
  const skin = scene.style({ kind: "quad", color: theme.dark ? "rgb(150 170 215 / .11)" : "rgb(60 75 115 / .09)" });
  for (const mesh of parts.skins) scene.sheet(mesh, () => skin, step);
  if (sheet && sheet.rows > 1) addSheet(scene, sheet, theme, step);
  else if (sheet) scene.line(sheet.points, scene.style({ kind: "line", color: theme.soft, size: 3 }));
  if (cloud) {
    const size = ((1 + 0.3 * step) * view.scale) / cloud.voxels;
    const shade = Array.from({ length: 2 * LEVELS }, (_, level) => { // the cloud has the upper half of the scale
      const t = (level + 0.5) / (2 * LEVELS), [r, g, b] = viridis(t).map(Math.round);
      return scene.style({ kind: "dot", color: `rgb(${r} ${g} ${b} / ${(0.55 * t ** 4).toFixed(2)})`, size });
    });
    scene.dots(cloud.points, (i) => {
      if (i % step || (cut && !scene.beyond(cloud.points, 3 * i))) return -1; // cut open
      return shade[Math.min(2 * LEVELS - 1, Math.floor(2 * LEVELS * cloud.height[i]))];
    });
  }
  if (data) {
    const size = Math.max(2, view.side / 160);
    const dots = Array.from({ length: 10 }, (_, label) => (
      scene.style({ kind: "dot", color: `${classColor(label)}d9`, size })));
    const plain = scene.style({ kind: "dot", color: theme.dark ? "#b3bac6b0" : "#4a5162a0", size });
    scene.dots(data.points, (i) => (
      i % step ? -1 : data.labels[i] === NO_CLASS ? plain : dots[data.labels[i] % 10]));
  }
  if (patch) {
    const shade = Array.from({ length: LEVELS }, (_, level) => {
      const alpha = Math.round(255 * (0.05 + (0.4 * (level + 0.5)) / LEVELS)).toString(16).padStart(2, "0");
      return scene.style({ kind: "disc", color: colors(theme.dark).x + alpha, size: Math.max(6, view.side / 55) });
    });
    scene.dots(patch.points, (i) => shade[Math.min(LEVELS - 1, Math.floor(LEVELS * patch.height[i]))]);
  }
  for (const { points, color } of parts.ways) scene.line(points, scene.style({ kind: "line", color, size: 3 }));
  for (const { x, color } of parts.balls) {
    for (const [shade, size] of /** @type {[string, number][]} */ ([["#111", 17], ["#fff", 14.5], [color, 11]])) {
      const disc = scene.style({ kind: "disc", color: shade, size });
      scene.dots(x, () => disc);
    }
  }
  scene.paint(context);
  for (const { x, name, color } of parts.balls) {
    const [sx, sy] = view.project(x);
    context.globalAlpha = 0.6; // seen through whatever is in front
    context.beginPath();
    context.arc(sx, sy, 5.5, 0, 2 * Math.PI);
    context.fillStyle = color;
    context.fill();
    context.globalAlpha = 1;
    context.font = `italic 700 ${Math.min(theme.em, view.side / 22)}px Georgia, serif`;
    context.lineWidth = 3;
    context.strokeStyle = theme.paper;
    context.strokeText(name, sx + 15, sy - 11);
    context.fillStyle = name === "f(z)" ? colors(theme.dark).name : color;
    context.fillText(name, sx + 15, sy - 11);
  }
}

/**
 * The sheet, lit a little, one side cool and the other warm, with the latent grid on it.
 * @param {Scene} scene
 * @param {import("./cube-shapes.js").Mesh} mesh
 * @param {Theme} theme
 * @param {number} step
 */
function addSheet(scene, mesh, { dark }, step) {
  const sides = dark ? ["170 190 235", "225 190 165"] : ["72 92 145", "150 104 70"];
  const shades = sides.map((rgb) => Array.from({ length: LEVELS }, (_, level) => (
    scene.style({ kind: "quad", color: `rgb(${rgb} / ${(0.2 + (0.3 * level) / LEVELS).toFixed(2)})` }))));
  scene.sheet(mesh, (cosine) => {
    const slant = 1 - Math.min(1, Math.abs(cosine));
    return shades[cosine > 0 ? 0 : 1][Math.min(LEVELS - 1, Math.floor(LEVELS * slant))];
  }, step);
  const line = scene.style({ kind: "line", color: dark ? "rgb(200 210 230 / .55)" : "rgb(50 60 90 / .5)", size: 1 });
  for (let i = 0; i < mesh.lines.length; i += 2 * step) { // two at a time, which cross
    scene.line(mesh.lines[i], line);
    scene.line(mesh.lines[i + 1], line);
  }
}

/**
 * All that lies within a distance of a curve, as one sees it: a band as wide as twice that.
 * @param {CanvasRenderingContext2D} context
 * @param {View} view
 * @param {Float64Array} points
 * @param {number} width
 * @param {Theme} theme
 */
function paintTube(context, view, points, width, theme) {
  context.beginPath();
  for (let at = 0; at < points.length; at += 3) {
    const [x, y] = view.project(points, at);
    context.lineTo(x, y);
  }
  Object.assign(context, { lineWidth: width, lineCap: "round", lineJoin: "round" });
  context.strokeStyle = theme.dark ? "rgb(150 170 215 / .25)" : "rgb(60 75 115 / .18)";
  context.stroke();
  context.lineCap = "butt";
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {View} view
 * @param {NonNullable<Parts["cut"]>} cut
 * @param {Theme} theme
 */
function paintCut(context, view, { image, axis, place }, theme) {
  const [p, q] = [0, 1, 2].filter((k) => k !== axis);
  /**
   * @param {number} u
   * @param {number} v
   */
  const at = (u, v) => {
    const x = [0, 0, 0];
    [x[axis], x[p], x[q]] = [place, u, v];
    return view.project(x);
  };
  const [o, a, b] = [at(0, 0), at(1, 0), at(0, 1)];
  context.save();
  context.transform(a[0] - o[0], a[1] - o[1], b[0] - o[0], b[1] - o[1], o[0], o[1]);
  context.drawImage(image, 0, 0, 1, 1);
  context.restore();
  context.strokeStyle = theme.ink;
  context.lineWidth = 1.5;
  context.beginPath();
  for (const [u, v] of [[0, 0], [1, 0], [1, 1], [0, 1]]) context.lineTo(at(u, v)[0], at(u, v)[1]);
  context.closePath();
  context.stroke();
}

/**
 * The picture of a cut: viridis from `low` to `high`, and the less to be seen the lower.
 * @param {{ logs: Float64Array, pixels: number }} cut
 * @param {number} low
 * @param {number} high
 */
export function imageOf({ logs, pixels }, low, high) {
  const canvas = h("canvas", { width: pixels, height: pixels });
  const context = brush(canvas);
  const image = context.createImageData(pixels, pixels);
  for (let i = 0; i < logs.length; i++) {
    const t = Math.min(1, Math.max(0, (logs[i] - low) / (high - low))) || 0;
    image.data.set([...viridis(t), 150 + 105 * t], 4 * i);
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
