// A question whose answer is a curve: the reader draws it, and then sees it beside the measured one.

import { h } from "./dom.js";

/**
 * @typedef {import("./predict-kinds.js").Question} Question
 * @typedef {import("./predict-kinds.js").Taker} Taker
 * @typedef {import("./predict-kinds.js").Verdict} Verdict
 */

/**
 * A number as it is told.
 * @param {number} value
 */
export const clean = (value, digits = 6) => String(Number(value.toPrecision(digits))).replace("-", "−");

/**
 * An element of a drawing.
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {...(Node | string)} children
 */
export function svg(tag, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

const WIDE = 340, HIGH = 220, LEFT = 44, RIGHT = 12, TOP = 12, BOTTOM = 40; // of a drawing, in its own units

/** A plane to draw a curve on. @param {Question} question */
function paper({ min = 0, max = 1, x = "", y = "", truth }) {
  /** @type {[string, number][]} */
  const points = truth;
  const [inner, height] = [WIDE - LEFT - RIGHT, HIGH - TOP - BOTTOM];
  const across = points.map((_, i) => LEFT + (inner * (i + 0.5)) / points.length);
  /** @param {number} value */
  const up = (value) => TOP + height * (1 - (value - min) / (max - min));
  const sheet = svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, class: "ask-paper" });
  sheet.append(svg("rect", { x: LEFT, y: TOP, width: inner, height, class: "ask-sheet" }));
  points.forEach(([name], i) => {
    sheet.append(svg("text", { x: across[i], y: HIGH - BOTTOM + 15, "text-anchor": "middle" }, name));
  });
  for (const value of [min, (min + max) / 2, max]) {
    sheet.append(svg("text", { x: LEFT - 5, y: up(value) + 4, "text-anchor": "end" }, clean(value)));
  }
  sheet.append(svg("text", { x: LEFT + inner / 2, y: HIGH - 6, "text-anchor": "middle" }, x));
  /** @param {number[]} values @param {string} kind */
  const line = (values, kind) => svg("polyline", {
    points: values.map((value, i) => `${across[i]},${up(Math.min(max, Math.max(min, value)))}`).join(" "), class: kind,
  });
  return { points, across, up, sheet, line, height, name: y };
}

/** How many steps a key goes up. @type {Record<string, number>} */
const STEPS = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 5, PageDown: -5, Home: -99, End: 99 };

export const curve = {
  /** @param {Question} question @returns {Taker} */
  take(question) {
    const { min = 0, max = 1, ask = "", x = "" } = question;
    const { points, across, up, sheet, line, height, name } = paper(question);
    const values = points.map(() => (min + max) / 2);
    const step = (max - min) / 40;
    let moved = false;
    let drawn = line(values, "ask-yours");
    sheet.append(drawn);
    const handles = points.map(([at], i) => {
      const handle = svg("circle", {
        cx: across[i], r: 8, tabindex: 0, role: "slider", class: "ask-handle", "aria-label": `${name} at ${x} ${at}`,
        "aria-valuemin": min, "aria-valuemax": max, "aria-orientation": "vertical",
      });
      handle.addEventListener("keydown", (event) => {
        const { key } = /** @type {KeyboardEvent} */ (event);
        const by = STEPS[key];
        if (!by) return;
        event.preventDefault();
        set(i, values[i] + by * step);
      });
      return handle;
    });
    sheet.append(...handles);
    const show = () => {
      const next = line(values, "ask-yours");
      drawn.replaceWith(next);
      drawn = next;
      handles.forEach((handle, i) => {
        handle.setAttribute("cy", String(up(values[i])));
        handle.setAttribute("aria-valuenow", String(values[i]));
        handle.setAttribute("aria-valuetext", moved ? clean(values[i]) : "not drawn yet");
      });
    };
    /** @param {number} i @param {number} value */
    const set = (i, value) => {
      moved = true;
      values[i] = Math.min(max, Math.max(min, value));
      show();
    };
    /** @param {PointerEvent} event */
    const follow = (event) => {
      const box = sheet.getBoundingClientRect();
      const left = ((event.clientX - box.left) / box.width) * WIDE;
      const top = ((event.clientY - box.top) / box.height) * HIGH;
      const away = across.map((place) => Math.abs(place - left));
      const nearest = away.indexOf(Math.min(...away));
      set(nearest, min + (1 - (top - TOP) / height) * (max - min));
    };
    const pad = /** @type {SVGSVGElement} */ (sheet);
    pad.setAttribute("role", "group");
    pad.setAttribute("aria-label", ask);
    pad.addEventListener("pointerdown", (event) => {
      pad.setPointerCapture(event.pointerId);
      follow(event);
    });
    pad.addEventListener("pointermove", (event) => {
      if (pad.hasPointerCapture(event.pointerId)) follow(event);
    });
    show();
    const element = h("div", {}, h("p", {}, `${ask} Draw across the field, or use Tab and the arrow keys.`),
      h("p", { class: "ask-axis" }, name), pad);
    return { element, read: () => (moved ? [...values] : undefined), wants: "Draw the curve first." };
  },
  /** @param {Question} question @param {number[]} guess @returns {Verdict} */
  judge(question, guess) {
    const { min = 0, max = 1, near = (max - min) / 10 } = question;
    const { points, sheet, line, name } = paper(question);
    const truth = points.map(([, value]) => value);
    const off = guess.reduce((sum, value, i) => sum + Math.abs(value - truth[i]), 0) / truth.length;
    sheet.append(line(guess, "ask-yours"), line(truth, "ask-truth"));
    /** @param {number[]} values */
    const text = (values) => values.map((value, i) => `${points[i][0]}: ${clean(value, 3)}`).join(", ");
    sheet.setAttribute("role", "img");
    sheet.setAttribute("aria-label", `Your curve: ${text(guess)}. As it is: ${text(truth)}.`);
    const drawn = h("div", {}, h("p", { class: "ask-axis" }, name), sheet,
      h("p", {}, "Dashed: yours. Whole: as it is."));
    const right = off <= near;
    const says = `${right ? "Close" : "Another curve"}: yours is off by ${clean(off, 2)} on average.`;
    return { said: text(guess), truth: text(truth), right, miss: Math.min(1, off / (max - min)), says, drawn };
  },
};
