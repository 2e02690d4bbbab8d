// A sheet of doodles, scanned or photographed, cut into its doodles: by their gaps or by a grid.

import { borderOf } from "./lab-pictures.js";

/**
 * @typedef {import("./lab-pictures.js").Grey} Grey
 * @typedef {{ left: number, top: number, right: number, bottom: number }} Box  in pixels; right and bottom lie beyond
 */

const AROUND = 1 / 8; // of the sheet's longer side: what is called paper at a place is the mean so far around it
const INK = 0.85; // of the paper's tone; what is darker is ink (Bradley and Roth, "Adaptive thresholding", 2007)
const CELLS = 150; // along the longer side, in which ink is looked for
const FILLED = 0.05; // of a cell's pixels are ink where a line crosses it
const REACH = 2; // cells apart, strokes are of one doodle
const SPECK = 3; // cells: what is smaller both ways is dirt
const ROOM = 0.15; // of a doodle's longer side, left around it
const INSET = 0.08; // of a field's side, cut away all around: there stand the lines of the grid
const EMPTY = 0.002; // of a field's pixels are ink, at most, where nobody has drawn

/**
 * The sheet on white paper, evenly lit, with black ink; and which of its pixels are ink.
 * @param {Grey} sheet
 * @returns {{ sheet: Grey, ink: Uint8Array }}
 */
export function evenly({ width, height, values }) {
  const border = borderOf({ width, height, values }).sort((a, b) => a - b);
  const light = border[border.length >> 1] > 0.5 ? values : values.map((v) => 1 - v);
  const sums = new Float64Array((width + 1) * (height + 1)); // of all above and to the left
  for (let y = 0; y < height; y++) {
    for (let x = 0, row = 0; x < width; x++) {
      row += light[y * width + x];
      sums[(y + 1) * (width + 1) + x + 1] = sums[y * (width + 1) + x + 1] + row;
    }
  }
  const far = Math.ceil((AROUND * Math.max(width, height)) / 2);
  const even = new Float32Array(light.length), ink = new Uint8Array(light.length);
  for (let y = 0; y < height; y++) {
    const top = Math.max(0, y - far) * (width + 1), bottom = Math.min(height, y + far + 1) * (width + 1);
    for (let x = 0; x < width; x++) {
      const left = Math.max(0, x - far), right = Math.min(width, x + far + 1);
      const sum = sums[bottom + right] - sums[bottom + left] - sums[top + right] + sums[top + left];
      const paper = sum / ((right - left) * ((bottom - top) / (width + 1)));
      const i = y * width + x;
      even[i] = light[i] / Math.max(paper, 1e-3);
      ink[i] = Number(even[i] < INK);
    }
  }
  const darks = even.filter((_, i) => ink[i]).sort();
  const black = darks.length ? darks[Math.floor(darks.length / 4)] : 0;
  const white = (1 + INK) / 2; // a paper's grain is no drawing
  const spread = even.map((v) => Math.min(1, Math.max(0, (v - black) / (white - black))));
  return { sheet: { width, height, values: spread }, ink };
}

/**
 * A part of a sheet; beyond its edges lies paper.
 * @param {Grey} sheet
 * @param {Box} box
 * @returns {Grey}
 */
export function part(sheet, { left, top, right, bottom }) {
  const width = right - left, height = bottom - top, values = new Float32Array(width * height).fill(1);
  for (let y = Math.max(0, top); y < Math.min(sheet.height, bottom); y++) {
    for (let x = Math.max(0, left); x < Math.min(sheet.width, right); x++) {
      values[(y - top) * width + x - left] = sheet.values[y * sheet.width + x];
    }
  }
  return { width, height, values };
}

/**
 * The fields of a grid that fills the sheet, row by row, without those in which nobody has drawn.
 * @param {Grey} given
 * @param {number} rows
 * @param {number} columns
 * @returns {Grey[]}
 */
export function cutByGrid(given, rows, columns) {
  const { sheet, ink } = evenly(given), found = [];
  const wide = sheet.width / columns, high = sheet.height / rows;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const box = {
        left: Math.round((column + INSET) * wide), right: Math.round((column + 1 - INSET) * wide),
        top: Math.round((row + INSET) * high), bottom: Math.round((row + 1 - INSET) * high),
      };
      const inked = inkIn(ink, sheet.width, box);
      if (inked > EMPTY * (box.right - box.left) * (box.bottom - box.top)) found.push(part(sheet, box));
    }
  }
  return found;
}

/**
 * How many pixels of a box are ink.
 * @param {Uint8Array} ink
 * @param {number} width  of the sheet
 * @param {Box} box
 */
function inkIn(ink, width, { left, right, top, bottom }) {
  let count = 0;
  for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) count += ink[y * width + x];
  return count;
}

/**
 * Boxes around what hangs together, in cells: strokes within REACH of each other, and what lies within another's box.
 * @param {Uint8Array} cells  1 where there is ink
 * @param {number} across
 * @param {number} down
 */
function connected(cells, across, down) {
  /** @type {Box[]} */
  let boxes = [];
  const left = cells.slice();
  for (let start = left.indexOf(1); start >= 0; start = left.indexOf(1, start)) {
    const box = { left: across, top: down, right: 0, bottom: 0 }, waiting = [start];
    left[start] = 0;
    for (let i = waiting.pop(); i !== undefined; i = waiting.pop()) {
      const x = i % across, y = Math.floor(i / across);
      Object.assign(box, {
        left: Math.min(box.left, x), right: Math.max(box.right, x + 1),
        top: Math.min(box.top, y), bottom: Math.max(box.bottom, y + 1),
      });
      for (let v = Math.max(0, y - REACH); v <= Math.min(down - 1, y + REACH); v++) {
        for (let u = Math.max(0, x - REACH); u <= Math.min(across - 1, x + REACH); u++) {
          if (left[v * across + u]) waiting.push(v * across + u);
          left[v * across + u] = 0;
        }
      }
    }
    // What the edge cuts is a table's edge, a finger or half a doodle.
    if (box.left && box.top && box.right < across && box.bottom < down) boxes.push(box);
  }
  for (let merged = true; merged;) {
    merged = false;
    for (const a of boxes) {
      const b = boxes.find((other) => other !== a && other.left < a.right && a.left < other.right
        && other.top < a.bottom && a.top < other.bottom);
      if (!b) continue;
      boxes = boxes.filter((box) => box !== a && box !== b);
      boxes.push({
        left: Math.min(a.left, b.left), right: Math.max(a.right, b.right),
        top: Math.min(a.top, b.top), bottom: Math.max(a.bottom, b.bottom),
      });
      merged = true;
      break;
    }
  }
  return boxes.filter((box) => Math.max(box.right - box.left, box.bottom - box.top) >= SPECK);
}

/**
 * The doodles of a sheet, which stand apart from each other, in rows as one reads.
 * @param {Grey} given
 * @returns {Grey[]}
 */
export function cutByGaps(given) {
  const { sheet, ink } = evenly(given);
  const cell = Math.max(1, Math.round(Math.max(sheet.width, sheet.height) / CELLS));
  const across = Math.floor(sheet.width / cell), down = Math.floor(sheet.height / cell);
  const cells = Uint8Array.from({ length: across * down }, (_, i) => {
    const left = (i % across) * cell, top = Math.floor(i / across) * cell;
    return Number(inkIn(ink, sheet.width, { left, top, right: left + cell, bottom: top + cell }) > FILLED * cell ** 2);
  });
  const boxes = connected(cells, across, down).sort((a, b) => a.top - b.top);
  /** @type {{ bottom: number, boxes: Box[] }[]} */
  const rows = [];
  for (const box of boxes) { // a doodle is of the row above when its middle is
    const row = rows.at(-1);
    if (row && (box.top + box.bottom) / 2 < row.bottom) row.boxes.push(box);
    else rows.push({ bottom: box.bottom, boxes: [box] });
  }
  return rows.flatMap((row) => row.boxes.sort((a, b) => a.left - b.left)).map(({ left, top, right, bottom }) => {
    const room = Math.round(ROOM * Math.max(right - left, bottom - top) * cell);
    return part(sheet, {
      left: left * cell - room, top: top * cell - room, right: right * cell + room, bottom: bottom * cell + room,
    });
  });
}
