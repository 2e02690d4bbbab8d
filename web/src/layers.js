// What can lie behind the point: codes coloured by class, what is drawn where, or a map.

import { classColor, VIRIDIS_CSS } from "./colors.js";
import { brush, h, number, paintInk, paintMap } from "./dom.js";
import { codeAt } from "./view.js";

/**
 * Where a layer paints: a square of `size` pixels, the plane from -extent to extent, of which `view` is seen.
 * @typedef {{ extent: number, size: number, view: import("./view.js").View }} Shown
 *
 * @typedef {object} Layer
 * @property {string} name  as the choice shows it
 * @property {(context: CanvasRenderingContext2D, plane: Shown) => void} paint
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
    paint(context, { extent, size, view }) {
      /** @param {number} z */
      const at = (z) => ((z / extent + 1) * size) / 2;
      const side = (size * view.half) / extent; // pixels that are seen
      // Small beside the gaps between them, and with what is under them showing through; nearer, they grow.
      const dot = Math.min(side / 45, Math.max(2, side / (count > MANY ? 220 : 110)) * Math.sqrt(extent / view.half));
      const round = dot > 4;
      const near = view.half * (1 + (2 * dot) / side);
      context.globalAlpha = 0.7;
      for (let i = 0; i < count; i++) {
        const [z1, z2] = [codes[2 * i], codes[2 * i + 1]];
        if (Math.abs(z1 - view.middle[0]) > near || Math.abs(z2 - view.middle[1]) > near) continue;
        context.fillStyle = classColor(labels[i]);
        if (round) {
          context.beginPath();
          context.arc(at(z1), size - at(z2), dot / 2, 0, 2 * Math.PI);
          context.fill();
        } else context.fillRect(at(z1) - dot / 2, size - at(z2) - dot / 2, dot, dot);
      }
      context.globalAlpha = 1;
      context.font = `bold ${Math.round(side / 30)}px system-ui, sans-serif`;
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.lineWidth = side / 220;
      for (const { label, z1, z2 } of present.length > 1 ? middles : []) { // one class alone says nothing
        const text = names[label] ?? String(label);
        const radius = Math.max(side / 40, context.measureText(text).width / 2 + side / 80);
        context.beginPath();
        context.arc(at(z1), size - at(z2), radius, 0, 2 * Math.PI);
        context.fillStyle = "rgb(255 255 255 / .8)";
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
 * f(z) on a grid of steps × steps codes of what is seen; drawn a few rows at a time, so that nothing waits for it.
 * @param {import("./model.js").Model} model
 * @param {() => void} changed  hears when there is more to see
 * @returns {Layer}
 */
export function drawingsLayer(model, changed, steps = 21) {
  const size = { width: steps * model.width, height: steps * model.height };
  const strip = h("canvas", { ...size, height: model.height });
  const image = new Float64Array(model.pixels);
  /** @type {{ sheet: HTMLCanvasElement, view: import("./view.js").View, row: number }[]} the last one, and the next */
  let sheets = [];

  function drawRow() {
    const next = sheets[sheets.length - 1], { sheet, view } = next;
    const right = (/** @type {number} */ i) => (i + 0.5) / steps; // each drawing stands on the middle of its square
    for (let i = 0; i < steps; i++) {
      const z = codeAt(view, [right(i), right(next.row)]);
      paintInk(strip, model.decode(...z, image), model.width, model.height, i * model.width);
    }
    brush(sheet).drawImage(strip, 0, next.row * model.height);
    if (++next.row < steps) requestAnimationFrame(drawRow);
    else sheets = [next];
    changed();
  }
  return {
    name: "drawings",
    paint(target, { extent, size: whole, view }) {
      const last = sheets[sheets.length - 1];
      if (last?.view !== view) {
        if (last && last.row < steps) { // begun for what was seen a moment ago
          Object.assign(last, { view, row: 0 });
          last.sheet.width = size.width; // wipes it
        } else {
          sheets.push({ sheet: h("canvas", size), view, row: 0 });
          requestAnimationFrame(drawRow);
        }
      }
      for (const { sheet, view: { middle, half } } of sheets) {
        const [left, top] = [middle[0] - half + extent, extent - middle[1] - half];
        const scale = whole / (2 * extent);
        target.drawImage(sheet, scale * left, scale * top, 2 * scale * half, 2 * scale * half);
      }
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
