// What is painted around the codes of a plane: circles of the prior, and axes.

import { number } from "./dom.js";
import { ticks } from "./view.js";

export const MARGIN = { left: 2.8, bottom: 2.8, right: 0.8, top: 0.8 }; // for the axes, in em of the element's type
/** Light under dark, so that the prior's circles show on paper, on drawings and on maps alike. */
const CIRCLES = [{ color: "#fff9", width: 2, dash: [] }, { color: "#555", width: 1, dash: [4, 4] }];

/**
 * The circles of the prior.
 * @param {CanvasRenderingContext2D} context
 * @param {number} size  of the whole plane, in pixels
 * @param {number} extent
 */
export function paintPrior(context, size, extent) {
  for (const radius of [1, 2, 3]) {
    context.beginPath();
    context.arc(size / 2, size / 2, (radius * size) / (2 * extent), 0, 2 * Math.PI);
    for (const { color, width, dash } of CIRCLES) {
      context.strokeStyle = color;
      context.lineWidth = width;
      context.setLineDash(dash);
      context.stroke();
    }
  }
  context.setLineDash([]);
}

/**
 * The frame of what is seen, its numbers, and the axes' names.
 * @param {CanvasRenderingContext2D} context
 * @param {number} size
 * @param {number} em
 * @param {string} color
 * @param {import("./view.js").View} view
 */
export function paintAxes(context, size, em, color, { middle, half }) {
  const left = MARGIN.left * em, bottom = MARGIN.top * em + size;
  const name = MARGIN.top * em + size * 0.375; // where that of the upright axis stands
  context.strokeStyle = context.fillStyle = color;
  context.strokeRect(left, MARGIN.top * em, size, size);
  context.textBaseline = "middle";
  for (const axis of [0, 1]) {
    const { digits, values } = ticks(middle[axis] - half, middle[axis] + half);
    context.font = `${digits > 1 ? 0.85 * em : em}px system-ui, sans-serif`; // long ones are smaller, lest they be cut
    context.textAlign = axis ? "right" : "center";
    for (const value of values) {
      const along = (size * ((value - middle[axis]) / half + 1)) / 2;
      if (!axis) context.fillText(number(value, digits), left + along, bottom + 0.95 * em);
      else if (digits < 1 || Math.abs(bottom - along - name) > em) {
        context.fillText(number(value, digits), left - 0.45 * em, bottom - along);
      }
    }
  }
  context.font = `italic ${1.1 * em}px Georgia, serif`;
  context.textAlign = "center";
  context.fillText("z₁", left + size * 0.625, bottom + 1.85 * em);
  context.fillText("z₂", 0.85 * em, name);
}
