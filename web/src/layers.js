// What can lie behind the point: codes coloured by class, what is drawn where, or a map.

import { classColor, VIRIDIS_CSS } from "./colors.js";
import { brush, h, number, paintInk, paintMap } from "./dom.js";

/**
 * @typedef {object} Layer
 * @property {string} name  as the choice shows it
 * @property {(context: CanvasRenderingContext2D, view: { extent: number, size: number }) => void} paint
 *   draws on a square of `size` pixels, the plane from -extent to extent
 * @property {() => (Node | string)[]} legend
 */

const MANY = 500; // codes that would hide each other if they were as large as those of few pictures
const CIRCLES = "Dashed circles: 1, 2 and 3 standard deviations of the prior.";

/**
 * An empty plane.
 * @returns {Layer}
 */
export function emptyLayer() {
  return { name: "nothing", paint() {}, legend: () => [CIRCLES] };
}

/**
 * Codes coloured by class, each class named at the middle of its codes.
 * @param {Numbers} codes  N pairs in a row
 * @param {Uint8Array} labels
 * @param {string[]} names
 * @returns {Layer}
 */
export function codesLayer(codes, labels, names) {
  const count = codes.length / 2;
  const all = Array.from({ length: count }, (_, i) => i);
  /**
   * @param {number[]} members
   * @param {0 | 1} axis
   */
  const median = (members, axis) => members.map((i) => codes[2 * i + axis]).sort((a, b) => a - b)[members.length >> 1];
  const present = [...new Set(labels)].sort((a, b) => a - b);
  const middles = present.map((label) => {
    const members = all.filter((i) => labels[i] === label);
    return { label, z1: median(members, 0), z2: median(members, 1) };
  });
  return {
    name: "codes",
    paint(context, { extent, size }) {
      /** @param {number} z */
      const at = (z) => ((z / extent + 1) * size) / 2;
      const dot = size / (count > MANY ? 200 : 80);
      context.globalAlpha = 0.75;
      for (let i = 0; i < count; i++) {
        context.fillStyle = classColor(labels[i]);
        context.fillRect(at(codes[2 * i]) - dot / 2, size - at(codes[2 * i + 1]) - dot / 2, dot, dot);
      }
      context.globalAlpha = 1;
      context.font = `bold ${Math.round(size / 30)}px system-ui, sans-serif`;
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.lineWidth = size / 220;
      for (const { label, z1, z2 } of present.length > 1 ? middles : []) { // one class alone says nothing
        const text = names[label] ?? String(label);
        const radius = Math.max(size / 40, context.measureText(text).width / 2 + size / 80);
        context.beginPath();
        context.arc(at(z1), size - at(z2), radius, 0, 2 * Math.PI);
        context.fillStyle = "#fff";
        context.fill();
        context.strokeStyle = classColor(label);
        context.stroke();
        context.fillStyle = "#111";
        context.fillText(text, at(z1), size - at(z2));
      }
    },
    legend: () => [
      ...present.map((label) => h("span", { class: "lx-key" },
        h("i", { style: `background:${classColor(label)}` }), names[label] ?? String(label))),
      CIRCLES,
    ],
  };
}

/**
 * f(z) on a grid of steps × steps codes; drawn a few rows at a time, so that nothing waits for it.
 * @param {import("./model.js").Model} model
 * @param {number} extent
 * @param {() => void} changed  hears when there is more to see
 * @returns {Layer}
 */
export function drawingsLayer(model, extent, changed, steps = 21) {
  const sheet = h("canvas", { width: steps * model.width, height: steps * model.height });
  const context = brush(sheet);
  const strip = h("canvas", { width: sheet.width, height: model.height });
  const image = new Float64Array(model.pixels);
  /** @param {number} i */
  const z = (i) => extent * ((2 * i + 1) / steps - 1); // each drawing stands on the middle of its square
  let row = -1;
  function drawRow() {
    for (let i = 0; i < steps; i++) {
      paintInk(strip, model.decode(z(i), -z(row), image), model.width, model.height, i * model.width);
    }
    context.drawImage(strip, 0, row * model.height);
    changed();
    if (++row < steps) requestAnimationFrame(drawRow);
  }
  return {
    name: "drawings",
    paint(target, { size }) {
      if (row < 0) {
        row = 0;
        requestAnimationFrame(drawRow);
      }
      target.drawImage(sheet, 0, 0, size, size);
    },
    legend: () => [`What is drawn where: f(z) on a grid of ${steps} × ${steps} codes.`],
  };
}

/**
 * @param {Numbers} values  shares of [0, 1], row by row from the lowest z2
 * @param {Heat} heat
 * @returns {Layer}
 */
export function heatLayer(values, heat) {
  const sheet = h("canvas", { width: heat.width, height: heat.height });
  const digits = heat.high - heat.low < 10 ? 2 : 0;
  paintMap(sheet, values, heat.width, heat.height);
  return {
    name: heat.name,
    paint(context, { extent, size }) {
      const side = (size * (heat.reach ?? extent)) / extent;
      context.imageSmoothingQuality = "high";
      context.drawImage(sheet, (size - side) / 2, (size - side) / 2, side, side);
    },
    legend: () => [
      h("span", { class: "lx-bar-key" },
        number(heat.low, digits),
        h("i", { style: `background:${VIRIDIS_CSS}` }),
        number(heat.high, digits)),
      `${heat.title ?? heat.name}. ${CIRCLES}`,
    ],
  };
}
