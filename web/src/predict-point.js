// A question whose answer is a place on the plane: the reader sets a point, and then sees how far it is from the truth.

import { h } from "./dom.js";
import { clean, svg } from "./predict-curve.js";
import { follow } from "./press.js";

/**
 * @typedef {import("./predict-kinds.js").Question} Question
 * @typedef {import("./predict-kinds.js").Taker} Taker
 * @typedef {import("./predict-kinds.js").Verdict} Verdict
 * @typedef {[number, number]} Place
 */

const SIDE = 300, EDGE = 30; // of the drawing, in its own units

/** How a key moves the point, in steps. @type {Record<string, Place>} */
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] };

/** A plane with its axes and landmarks. @param {Question} question */
function paper({ min = -3, max = 3, x = "", y = "", marks = [] }) {
  const inner = SIDE - 2 * EDGE;
  /** @param {Place} place @returns {Place} */
  const onPaper = ([right, up]) => [
    EDGE + (inner * (right - min)) / (max - min), SIDE - EDGE - (inner * (up - min)) / (max - min),
  ];
  const all = svg("svg", { viewBox: `0 0 ${SIDE} ${SIDE}`, class: "ask-paper ask-plane" });
  const sheet = /** @type {SVGSVGElement} */ (all);
  /** @param {Place} at @param {string} text @param {string} anchor */
  const words = ([left, top], text, anchor = "middle") => (
    svg("text", { x: left, y: top + 4, "text-anchor": anchor }, text));
  sheet.append(svg("rect", { x: EDGE, y: EDGE, width: inner, height: inner, class: "ask-sheet" }));
  const [left, top] = onPaper([0, 0]);
  const axes = `M${left} ${EDGE}v${inner}M${EDGE} ${top}h${inner}`;
  if (min < 0 && max > 0) sheet.append(svg("path", { d: axes, class: "ask-axes" }));
  for (const value of [min, max]) {
    const [right, up] = [onPaper([value, 0])[0], onPaper([0, value])[1]];
    sheet.append(words([right, SIDE - 15], clean(value)), words([EDGE - 5, up], clean(value), "end"));
  }
  sheet.append(words([SIDE / 2, SIDE - 15], x), words([EDGE - 5, SIDE / 2], y, "end"));
  for (const { text, at } of marks) sheet.append(words(onPaper(at), text));
  /** @param {Place} at */
  const text = ([right, up]) => `${x} = ${clean(right, 2)}, ${y} = ${clean(up, 2)}`;
  return { sheet, onPaper, text, inner };
}

export const point = {
  /** @param {Question} question @returns {Taker} */
  take(question) {
    const { min = -3, max = 3, ask = "" } = question;
    const { sheet, onPaper, text, inner } = paper(question);
    /** @type {Place} */
    let place = [(min + max) / 2, (min + max) / 2];
    let moved = false;
    const handle = svg("circle", {
      r: 9, tabindex: 0, role: "slider", class: "ask-handle", "aria-label": "Your point",
      "aria-valuemin": min, "aria-valuemax": max,
    });
    const told = h("output", {}, "not set yet");
    const show = () => {
      const [left, top] = onPaper(place);
      handle.setAttribute("cx", String(left));
      handle.setAttribute("cy", String(top));
      handle.setAttribute("aria-valuenow", String(place[0]));
      handle.setAttribute("aria-valuetext", moved ? text(place) : "not set yet");
      if (moved) told.value = text(place);
    };
    /** @param {number} value */
    const within = (value) => Math.min(max, Math.max(min, value));
    /** @param {number} right @param {number} up */
    const set = (right, up) => {
      place = [within(right), within(up)];
      moved = true;
      show();
    };
    handle.addEventListener("keydown", (event) => {
      const { key, shiftKey } = /** @type {KeyboardEvent} */ (event);
      const by = STEPS[key];
      if (!by) return;
      event.preventDefault();
      const step = ((max - min) / 60) * (shiftKey ? 5 : 1);
      set(place[0] + by[0] * step, place[1] + by[1] * step);
    });
    /** @param {PointerEvent} event */
    const here = (event) => {
      const box = sheet.getBoundingClientRect();
      /** @param {number} share */
      const value = (share) => min + ((share * SIDE - EDGE) / inner) * (max - min);
      set(value((event.clientX - box.left) / box.width), value((box.bottom - event.clientY) / box.height));
    };
    sheet.append(handle);
    sheet.setAttribute("role", "group");
    sheet.setAttribute("aria-label", ask);
    const field = h("div", {}, sheet);
    field.addEventListener("pointerdown", (event) => {
      here(event);
      follow(field, event, here, () => {});
    });
    show();
    const how = h("p", {}, `${ask}. Click or tap, or use Tab and the arrow keys. Your point: `, told);
    const element = h("div", {}, how, field);
    return { element, read: () => (moved ? place : undefined), wants: "Set the point first." };
  },
  /** @param {Question} question @param {Place} guess @returns {Verdict} */
  judge(question, guess) {
    const { min = -3, max = 3, near = (max - min) / 10, truth } = question;
    const { sheet, onPaper, text } = paper(question);
    const off = Math.hypot(guess[0] - truth[0], guess[1] - truth[1]);
    const [[x1, y1], [x2, y2]] = [onPaper(guess), onPaper(truth)];
    sheet.append(
      svg("line", { x1, y1, x2, y2, class: "ask-between" }),
      svg("circle", { cx: x1, cy: y1, r: 7, class: "ask-handle" }),
      svg("rect", { x: x2 - 6, y: y2 - 6, width: 12, height: 12, class: "ask-there" }),
    );
    sheet.setAttribute("role", "img");
    sheet.setAttribute("aria-label", `Your point at ${text(guess)}; as it is, ${text(truth)}.`);
    const right = off <= near;
    const says = `${right ? "Close" : "Elsewhere"}: your point lies ${clean(off, 2)} from it.`;
    const drawn = h("div", {}, sheet, h("p", {}, "Ring: yours. Square: as it is."));
    return { said: text(guess), truth: text(truth), right, miss: Math.min(1, off / (max - min)), says, drawn };
  },
};
