// Your predictions: how often right when sure, the largest surprises, and all that is kept, to take along or to forget.

import { h } from "./dom.js";
import { keep } from "./lab-saving.js";
import { answers, forgetAll, lasts } from "./predict-store.js";

const SURE = ["Guessing", "Fairly sure", "Certain"];
const SURPRISES = 8; // as many as are listed
const NOT_KEPT = "This browser keeps nothing for this site, as private windows do: answers last until you leave a page "
  + "and cannot be collected here.";

/** @typedef {import("./predict-store.js").Answer & { name: string }} Given */

/**
 * How much of a surprise an answer was: how wrong, and how sure.
 * @param {Given} given
 */
const surprise = ({ miss = 0, sure = 0 }) => miss * (1 + sure);

/** @param {Given} given */
function surpriseItem({ page, name, chapter, question, said, truth, sure = 0 }) {
  const link = h("a", { href: `${page}#predict-${name}` }, question ?? name);
  return h("li", {}, link, h("br"), `You said: ${said}. It is: ${truth}. (${SURE[sure]}, in ${chapter}.)`);
}

/** @param {Given[]} scored */
function table(scored) {
  const rows = [...SURE.keys()].reverse().map((sure) => {
    const those = scored.filter((given) => given.sure === sure);
    const right = those.filter((given) => given.right).length;
    const share = those.length ? `${Math.round((100 * right) / those.length)} %` : "none yet";
    const cells = [those.length, right, share].map((value) => h("td", {}, String(value)));
    return h("tr", {}, h("th", { scope: "row" }, SURE[sure]), ...cells);
  });
  const heads = ["How sure you were", "Answers", "Right", "Share"].map((text) => h("th", { scope: "col" }, text));
  return h("table", { class: "table" }, h("thead", {}, h("tr", {}, ...heads)), h("tbody", {}, ...rows));
}

class Report extends HTMLElement {
  connectedCallback() {
    this.update();
    window.addEventListener("storage", () => this.update()); // a chapter in another tab
  }

  /** @param {string} [told] */
  update(told = "") {
    /** @type {Given[]} */
    const all = Object.entries(answers()).map(([name, answer]) => ({ ...answer, name }));
    const scored = all.filter(({ miss, sure }) => miss !== undefined && sure !== undefined);
    const recalled = all.filter(({ miss, recall }) => recall && miss !== undefined);
    const wrong = scored.filter(({ right }) => !right);
    const worst = wrong.sort((a, b) => surprise(b) - surprise(a)).slice(0, SURPRISES);
    const status = h("p", { role: "status" }, told);
    /** @type {Element[]} */
    const parts = [status];
    if (!lasts()) parts.push(h("p", {}, NOT_KEPT));
    if (all.length) {
      parts.push(
        h("p", {}, `Predictions: ${scored.length}, of which ${scored.filter(({ right }) => right).length} right. `
          + `Looked up without a guess: ${all.filter(({ shown }) => shown).length}. `
          + `Questions to recall: ${recalled.length}, of which ${recalled.filter(({ right }) => right).length} right.`),
        table(scored),
      );
      if (worst.length) {
        const id = "largest-surprises-listed";
        parts.push(h("p", { id }, "The largest surprises, with the way back to each:"),
          h("ol", { "aria-labelledby": id }, ...worst.map(surpriseItem)));
      }
      parts.push(this.buttons(all.length));
    } else {
      parts.push(h("p", {}, "Nothing is kept here yet. Answer a question in a chapter, and come back."));
    }
    this.replaceChildren(...parts);
    return status;
  }

  /** @param {number} count */
  buttons(count) {
    const save = () => {
      const text = JSON.stringify(answers(), null, 2);
      keep("my-predictions.json", new Blob([text], { type: "application/json" }));
    };
    const forget = () => {
      forgetAll();
      const status = this.update("Forgotten.");
      status.tabIndex = -1;
      status.focus();
    };
    const row = h("p", { class: "ask-buttons" });
    /** @param {string} text @param {() => void} onclick */
    const button = (text, onclick) => h("button", { type: "button", onclick }, text);
    const usual = () => row.replaceChildren(button("Keep them as a file", save), button("Forget all", () => {
      const no = button("No, keep them", () => {
        usual();
        row.querySelector("button")?.focus();
      });
      const yes = button("Yes, forget them", forget);
      row.replaceChildren(`Forget all ${count} answers? They cannot be brought back. `, yes, no);
      no.focus();
    }));
    usual();
    return row;
  }
}

customElements.define("book-answers", Report);
