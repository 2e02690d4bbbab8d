// Beside and below the cube: pictures with their three numbers, sliders, and the table of the ways from A to B.

import { CELLS } from "./cube-frame.js";
import { brush, freshId, h, number, paintInk, picture, slider } from "./dom.js";

/**
 * A picture of three cells with its numbers.
 * @param {string} label
 */
export function strip(label) {
  const canvas = picture(3, 1, label);
  const outputs = CELLS.map(() => h("output"));
  const element = h("div", { class: "lx-strip" }, canvas, h("div", { class: "lx-three" }, ...outputs));
  /** @param {Numbers} x */
  const show = (x) => {
    paintInk(canvas, x, 3, 1);
    outputs.forEach((output, i) => {
      output.value = number(x[i]);
    });
  };
  return { element, show };
}

/**
 * A slider whose steps grow with its value.
 * @param {string} name
 * @param {number} low
 * @param {number} high
 * @param {(value: number) => void} onInput
 */
export function logSlider(name, low, high, onInput) {
  const part = slider(name, { min: Math.log(low), max: Math.log(high), step: 0.01 }, (v) => onInput(Math.exp(v)));
  const output = /** @type {HTMLOutputElement} */ (part.element.querySelector("output"));
  /** @param {number} value */
  const show = (value) => {
    part.input.valueAsNumber = Math.log(value);
    output.value = number(value, 3);
    part.input.setAttribute("aria-valuetext", number(value, 3));
  };
  return { ...part, show };
}

/**
 * The picture x: three sliders, one a cell.
 * @param {(x: number[]) => void} moved
 */
export function picturePanel(moved) {
  const shown = strip("the picture x");
  /** @type {number[]} */
  let x = [0, 0, 0];
  const sliders = CELLS.map((name, i) => slider(name.replace(" cell", ""), { min: 0, max: 1, step: 0.01 }, (value) => {
    moved(x.map((v, k) => (k === i ? value : v)));
  }));
  const told = h("p", { class: "lx-number" });
  const element = h("div", { class: "lx-x" },
    h("div", {},
      h("p", { class: "lx-title" }, h("i", { class: "lx-dot lx-x-dot" }), "the picture x"), shown.element, told),
    h("div", {}, ...sliders.map((one) => one.element)));
  /**
   * @param {number[]} next
   * @param {number} logP
   */
  const show = (next, logP) => {
    x = next;
    shown.show(x);
    sliders.forEach((one, i) => {
      one.show(x[i]);
    });
    told.replaceChildren(h("b", {}, `log P(x) = ${number(logP)}`), " nats");
  };
  return { element, show };
}

/** @typedef {{ name: string, color: string, logs: Float64Array, length: number }} Way */

/** The ways from A to B: log P(x) along each as a curve, and in a table how long it is and how low it falls. */
export function waysPanel() {
  const canvas = h("canvas", { class: "lx-chart", role: "img", "aria-label": "log P(x) along the ways from A to B" });
  const body = h("tbody");
  const columns = ["way from A to B", "length in the cube", "lowest log P(x)"];
  const head = h("tr", {}, ...columns.map((text) => h("th", { scope: "col" }, text)));
  const table = h("table", { class: "lx-table" }, h("thead", {}, head), body);
  const element = h("div", { role: "region", class: "lx-walk lx-ways", "aria-label": "Ways from A to B" },
    h("figure", {}, canvas, h("figcaption", {}, "log P(x), in nats, on the way from A to B")), table);
  /**
   * @param {Way[]} ways
   * @param {string} soft
   */
  const show = (ways, soft) => {
    const lows = ways.map(({ logs }) => logs.reduce((a, b) => Math.min(a, b)));
    chart(canvas, ways.map(({ logs, color }) => ({ values: logs, color })), soft);
    body.replaceChildren(...ways.map(({ name, color, length }, i) => h("tr", {},
      h("th", { scope: "row" }, h("i", { class: "lx-dot", style: `background:${color}` }), name),
      h("td", {}, number(length)), h("td", {}, number(lows[i], 1)))));
  };
  return { element, show };
}

/**
 * Curves over a common width, with the lowest and highest value at the left. What lies more than 60 below the highest
 * is cut off.
 * @param {HTMLCanvasElement} canvas
 * @param {{ values: Numbers, color: string, at?: Numbers }[]} curves  `at`: places along the width, else evenly spread
 * @param {string} soft
 */
export function chart(canvas, curves, soft) {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (!width) return;
  const ratio = window.devicePixelRatio || 1;
  Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
  const context = brush(canvas);
  context.scale(ratio, ratio);
  let low = Infinity, high = -Infinity, end = 0;
  for (const { values, at } of curves) {
    for (let i = 0; i < values.length; i++) {
      if (!Number.isFinite(values[i])) continue;
      low = Math.min(low, values[i]);
      high = Math.max(high, values[i]);
      end = Math.max(end, at ? at[i] : i / (values.length - 1));
    }
  }
  low = Math.max(low, high - 60);
  const [left, top, bottom] = [44, 8, height - 8];
  /** @param {number} v */
  const y = (v) => bottom - ((Math.max(v, low - 5) - low) / (high - low || 1)) * (bottom - top);
  context.fillStyle = context.strokeStyle = soft;
  context.font = "13px system-ui, sans-serif";
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (const v of [low, high]) if (Number.isFinite(v)) context.fillText(number(v, 1), left - 6, y(v));
  context.globalAlpha = 0.5;
  context.strokeRect(left, top, width - left - 4, bottom - top);
  context.globalAlpha = 1;
  context.beginPath();
  context.rect(left, top - 3, width - left - 4, bottom - top + 6);
  context.clip();
  context.lineWidth = 2.5;
  for (const { values, color, at } of curves) {
    context.beginPath();
    for (let i = 0; i < values.length; i++) {
      const share = at ? at[i] / (end || 1) : i / (values.length - 1);
      context.lineTo(left + share * (width - left - 4), y(values[i]));
    }
    context.strokeStyle = color;
    context.stroke();
  }
}

/**
 * Check boxes under a common name.
 * @param {{ name: string, label: string }[]} layers
 * @param {string} title
 * @param {(name: string, on: boolean) => void} changed
 */
export function layerBoxes(layers, title, changed) {
  const boxes = layers.map(({ name, label }) => {
    const input = h("input", { type: "checkbox", id: freshId(), onchange: () => changed(name, input.checked) });
    input.addEventListener("keydown", (event) => event.stopPropagation());
    return { name, input, element: h("label", {}, input, h("span", {}, label)) };
  });
  const element = h("div", { class: "lx-choice", role: "group", "aria-label": title },
    ...boxes.map((box) => box.element));
  /** @param {string[]} shown */
  const show = (shown) => {
    for (const { name, input } of boxes) input.checked = shown.includes(name);
  };
  return { element, show };
}
