// The kinds of questions: what takes an answer, what an answer is worth, and the answer drawn over the truth.

import { freshId, h, radio } from "./dom.js";
import { clean, curve } from "./predict-curve.js";

/**
 * A question as book/tools/predictions.py writes it into the page.
 * @typedef {{ name: string, kind: string, question: string, ask?: string, after: string, recall?: boolean,
 *   options?: { text: string, but?: string }[], items?: { text: string, value: number }[],
 *   min?: number, max?: number, step?: number, unit?: string, near?: number, truth?: any,
 *   x?: string, y?: string, marks?: { text: string, at: [number, number] }[] }} Question
 *
 * What takes an answer: `read` gives it, or nothing as long as there is none.
 * @typedef {{ element: HTMLElement, read: () => any, wants: string }} Taker
 *
 * What an answer is worth. `says` is a sentence about it, `drawn` shows it beside the truth.
 * @typedef {{ said: string, truth: string, right?: boolean, miss?: number, says: string, drawn?: Element }} Verdict
 */

/**
 * @param {number} value
 * @param {Question} question
 */
const withUnit = (value, { unit }) => clean(value) + (unit ? ` ${unit}` : "");

const choice = {
  /** @param {Question} question @returns {Taker} */
  take({ options = [] }) {
    const name = freshId();
    const rows = options.map(({ text }) => radio(name, text));
    const read = () => {
      const chosen = rows.findIndex(({ input }) => input.checked);
      return chosen < 0 ? undefined : chosen;
    };
    const element = h("div", { class: "ask-options" }, ...rows.map((row) => row.element));
    return { element, read, wants: "Choose one first." };
  },
  /** @param {Question} question @param {number} guess @returns {Verdict} */
  judge({ options = [] }, guess) {
    const truth = options.findIndex(({ but }) => !but);
    const drawn = h("ul", { class: "ask-marked" }, ...options.map(({ text }, i) => {
      const notes = [i === guess && "your answer", i === truth && "right"].filter(Boolean).join(", ");
      const kind = i === truth ? "ask-right" : i === guess ? "ask-wrong" : "";
      return h("li", { class: kind }, text, notes && h("b", {}, ` (${notes})`));
    }));
    const right = guess === truth;
    const says = right ? "Right." : `Not so. ${options[guess]?.but ?? ""}`;
    return { said: options[guess]?.text ?? "", truth: options[truth].text, right, miss: Number(!right), says, drawn };
  },
};

const guessed = {
  /** @param {Question} question @returns {Taker} */
  take(question) {
    const { min = 0, max = 1, step = 1, ask = "" } = question;
    const id = freshId();
    let moved = false;
    const output = h("output", { for: id }, "?");
    const show = () => {
      moved = true;
      output.value = withUnit(input.valueAsNumber, question);
      input.setAttribute("aria-valuetext", output.value);
    };
    const input = h("input", { type: "range", id, min, max, step, oninput: show });
    input.valueAsNumber = (min + max) / 2;
    input.setAttribute("aria-valuetext", "not moved yet");
    const limits = [min, max].map((limit) => h("span", {}, clean(limit)));
    const ends = h("span", { class: "ask-ends", "aria-hidden": "true" }, ...limits);
    const element = h("div", { class: "ask-number" }, h("label", { for: id }, ask, " "), output, input, ends);
    return { element, read: () => (moved ? input.valueAsNumber : undefined), wants: "Move the slider first." };
  },
  /** @param {Question} question @param {number} guess @returns {Verdict} */
  judge(question, guess) {
    const { min = 0, max = 1, near = (max - min) / 10, truth } = question;
    const off = Math.abs(guess - truth);
    const right = off <= near * (1 + 1e-9);
    const [said, is] = [withUnit(guess, question), withUnit(truth, question)];
    /** @param {number} value @param {string} kind @param {string} text */
    const mark = (value, kind, text) => {
      const share = Math.min(1, Math.max(0, (value - min) / (max - min)));
      return h("span", { class: `ask-mark ${kind}`, style: `left: ${100 * share}%` }, h("i"), text);
    };
    const label = `Your guess ${said}, the truth ${is}`;
    const drawn = h("div", { class: "ask-track", role: "img", "aria-label": label },
      mark(guess, "ask-yours", "you"), mark(truth, "ask-truth", "truth"));
    const how = right ? "Close" : guess < truth ? "Too low" : "Too high";
    const says = off === 0 ? `Exactly: ${is}.` : `${how}: you said ${said}, it is ${is}.`;
    return { said, truth: is, right, miss: Math.min(1, off / (max - min)), says, drawn };
  },
};

const order = {
  /** @param {Question} question @returns {Taker} */
  take({ items = [], ask = "" }) {
    let moved = false;
    // The order in which they are listed gives nothing away: that of the alphabet.
    const at = items.map((_, i) => i).sort((a, b) => items[a].text.localeCompare(items[b].text));
    const list = h("ol", { class: "ask-order", "aria-label": ask });
    const told = h("span", { class: "visually-hidden", role: "status" });
    /** @param {number} place @param {number} by */
    const button = (place, by) => {
      const name = `${items[at[place]].text}: ${by < 0 ? "up" : "down"}`;
      const onclick = () => {
        const to = place + by;
        moved = true;
        [at[place], at[to]] = [at[to], at[place]];
        draw();
        told.textContent = `${items[at[to]].text} is now number ${to + 1}.`;
        const beside = list.children[to].querySelectorAll("button");
        const same = beside[by < 0 ? 0 : 1];
        (same.disabled ? beside[by < 0 ? 1 : 0] : same).focus(); // at an end only the way back is left
      };
      const disabled = place + by < 0 || place + by >= at.length;
      return h("button", { type: "button", "aria-label": name, disabled, onclick }, by < 0 ? "▲" : "▼");
    };
    const draw = () => list.replaceChildren(...at.map((i, place) => (
      h("li", {}, h("span", {}, items[i].text), button(place, -1), button(place, 1)))));
    draw();
    const stands = () => (moved = true);
    const keep = h("button", { type: "button", class: "ask-plain", onclick: stands }, "It stands in order");
    const element = h("div", {}, h("p", {}, ask), list, keep, told);
    return { element, read: () => (moved ? [...at] : undefined), wants: "Put them in order first." };
  },
  /** @param {Question} question @param {number[]} guess @returns {Verdict} */
  judge({ items = [], near = 0 }, guess) {
    const truth = items.map((_, i) => i).sort((a, b) => items[b].value - items[a].value);
    let wrong = 0, pairs = 0;
    guess.forEach((a, place) => {
      for (const b of guess.slice(place + 1)) {
        pairs++;
        if (items[b].value - items[a].value > near) wrong++; // what is nearly equal may stand either way
      }
    });
    /** @param {string} name @param {number[]} found @param {boolean} values */
    const column = (name, found, values) => h("div", {}, h("b", {}, name), h("ol", {}, ...found.map((i) => (
      h("li", {}, items[i].text + (values ? ` (${clean(items[i].value)})` : ""))))));
    /** @param {number[]} found */
    const text = (found) => found.map((i) => items[i].text).join(", ");
    const says = wrong ? `${pairs - wrong} of ${pairs} pairs stand in the right order.` : "Right, all of it.";
    const columns = [column("Your order", guess, false), column("As it is", truth, true)];
    const drawn = h("div", { class: "ask-columns" }, ...columns);
    return { said: text(guess), truth: text(truth), right: wrong === 0, miss: wrong / pairs, says, drawn };
  },
};

const words = {
  /** @param {Question} question @returns {Taker} */
  take({ ask }) {
    const id = freshId();
    const input = h("textarea", { id, rows: 2 });
    const element = h("div", {}, h("label", { for: id }, ask ?? "In your own words"), input);
    return { element, read: () => input.value.trim() || undefined, wants: "Write a few words first." };
  },
  /** @param {Question} _ @param {string} guess @returns {Verdict} */
  judge(_, guess) {
    return { said: guess, truth: "", says: "You wrote:", drawn: h("blockquote", {}, guess) };
  },
};

/** @typedef {{ take(question: Question): Taker, judge(question: Question, guess: any): Verdict }} Kind */

/** @type {Record<string, Kind>} */
export const KINDS = { choice, number: guessed, order, curve, text: words, ...globalThis.askKinds };

