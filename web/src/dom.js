// Small helpers for elements and pictures.

import { viridis } from "./colors.js";

/**
 * An element: h("button", { type: "button", onclick: go }, "Play").
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, unknown>} attributes
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    // As an attribute, a strict policy would not let it through.
    else if (name === "style") node.style.cssText = String(value);
    else if (value != null && value !== false) node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children);
  return node;
}

/** Where the arrow keys lead: to the right, and upwards. */
export const ARROWS = new Map([
  ["ArrowLeft", [-1, 0]], ["ArrowRight", [1, 0]], ["ArrowUp", [0, 1]], ["ArrowDown", [0, -1]],
]);

/** What the ids made here begin with. In a notebook each widget has a copy of this module, and all share the page. */
const own = `latent-explorer-${Math.random().toString(36).slice(2)}`;
let made = 0;

/** An id that no other explorer of the page has. */
export function freshId() {
  return `${own}-${++made}`;
}

/**
 * What went wrong, as its thrower says it.
 * @param {unknown} error
 */
export function sentence(error) {
  return error instanceof Error ? error.message : String(error);
}

/**
 * A number with two digits and a real minus sign.
 * @param {number} value
 */
export function number(value, digits = 2) {
  return value.toFixed(digits).replace("-", "−");
}

/**
 * A slider with its name and its value.
 * @param {string} name
 * @param {{ min: number, max: number, step: number }} limits
 * @param {(value: number) => void} onInput
 */
export function slider(name, limits, onInput) {
  const id = freshId();
  const output = h("output", { for: id });
  const input = h("input", { type: "range", id, ...limits, oninput: () => onInput(input.valueAsNumber) });
  // Slides listen for arrow keys, too; these belong to the slider.
  input.addEventListener("keydown", (event) => event.stopPropagation());
  /** @param {number} value */
  const show = (value, digits = 2) => {
    input.valueAsNumber = value;
    output.value = number(value, digits);
  };
  return { element: h("div", { class: "lx-slider" }, h("label", { for: id }, name), input, output), input, show };
}

/**
 * One of some choices; those of a group share its name.
 * @param {string} group
 * @param {string} text
 * @param {() => void} [onchange]
 */
export function radio(group, text, onchange) {
  const input = h("input", { type: "radio", name: group, value: text, onchange });
  input.addEventListener("keydown", (event) => event.stopPropagation()); // as above
  return { input, element: h("label", {}, input, h("span", {}, text)) };
}

/**
 * Some choices of which one holds, the first one at the start.
 * @param {string} label
 * @param {string[]} choices
 * @param {() => void} onchange
 */
export function radios(label, choices, onchange) {
  const group = freshId();
  const all = choices.map((text) => radio(group, text, onchange));
  const inputs = all.map(({ input }) => input);
  if (inputs.length) inputs[0].checked = true; // a lab may have nothing to choose from
  const element = h("div", { class: "lx-choice", role: "radiogroup", "aria-label": label },
    ...all.map((one) => one.element));
  return { element, inputs, chosen: () => inputs.findIndex((input) => input.checked) };
}

/**
 * A number to type, with its name.
 * @param {string} name
 * @param {number | string} value
 * @param {Record<string, unknown>} limits
 */
export function field(name, value, limits) {
  const id = freshId();
  const input = h("input", { type: "number", id, value, class: "lx-number", ...limits });
  input.addEventListener("keydown", (event) => event.stopPropagation()); // as above
  return { input, element: h("span", { class: "lx-named" }, h("label", { for: id }, `${name} `), input) };
}

/**
 * What stands in a number's field, kept within its limits; NaN where nothing does.
 * @param {HTMLInputElement} input
 */
export function typed(input) {
  const value = Math.min(Number(input.max), Math.max(Number(input.min), input.valueAsNumber));
  if (Number.isFinite(value)) input.valueAsNumber = value;
  return value;
}

/**
 * A canvas for one small picture, which the style sheet enlarges without smoothing.
 * @param {number} width
 * @param {number} height
 * @param {string} label
 */
export function picture(width, height, label) {
  return h("canvas", { width, height, class: "lx-picture", role: "img", "aria-label": label });
}

/**
 * What one draws with on a canvas. It is missing only where a canvas draws in another way already.
 * @param {HTMLCanvasElement} canvas
 * @param {CanvasRenderingContext2DSettings} [settings]
 */
export function brush(canvas, settings) {
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", settings));
}

/**
 * Paints grey values (0 = paper, 1 = ink) in rows; `left` and `top` say where to begin.
 * @param {HTMLCanvasElement} canvas
 * @param {Numbers} values
 * @param {number} width
 * @param {number} height
 */
export function paintInk(canvas, values, width, height, left = 0, top = 0) {
  const context = brush(canvas);
  const image = context.createImageData(width, height);
  const { data } = image;
  for (let i = 0, at = 0; i < width * height; i++, at += 4) { // at every frame: no small arrays here
    data[at] = data[at + 1] = data[at + 2] = 255 * (1 - values[i]); // rounded and kept in range by the array
    data[at + 3] = 255;
  }
  context.putImageData(image, left, top);
}

/**
 * Paints a map of n × m values in [0, 1], whose first row is the lowest, in viridis.
 * @param {HTMLCanvasElement} canvas
 * @param {Numbers} values
 * @param {number} width
 * @param {number} height
 */
export function paintMap(canvas, values, width, height) {
  const context = brush(canvas);
  const image = context.createImageData(width, height);
  const table = Array.from({ length: 256 }, (_, level) => [...viridis(level / 255), 255]);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const level = Math.round(255 * Math.min(1, Math.max(0, values[(height - 1 - y) * width + x])));
      image.data.set(table[level], 4 * (y * width + x));
    }
  }
  context.putImageData(image, 0, 0);
}
