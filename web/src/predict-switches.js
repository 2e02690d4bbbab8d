// Two switches at the top of a chapter: whether to ask before showing, and whether all code stands open.

import { h } from "./dom.js";
import { isOn, keepSwitch } from "./predict-store.js";

export const ASK = "ask";
const CODE = "code";

/**
 * @param {string} text
 * @param {string} name
 * @param {boolean} usual
 * @param {(on: boolean) => void} changed
 */
function aSwitch(text, name, usual, changed) {
  const input = h("input", { type: "checkbox", onchange: () => {
    keepSwitch(name, input.checked);
    changed(input.checked);
  } });
  input.checked = isOn(name, usual);
  return h("label", {}, input, " ", text);
}

/**
 * @param {boolean} asks  whether the page asks anything
 * @param {() => void} changed  hears that it is to ask, or no longer
 */
export function addSwitches(asks, changed) {
  /** @type {NodeListOf<HTMLDetailsElement>} */
  const folded = document.querySelectorAll("details.above-input");
  /** @param {boolean} on */
  const unfold = (on) => {
    for (const details of folded) details.open = on;
  };
  const switches = [];
  if (asks) switches.push(aSwitch("ask me before showing what comes out", ASK, true, changed));
  if (folded.length) {
    switches.push(aSwitch("show all code", CODE, false, unfold));
    if (isOn(CODE, false)) unfold(true);
  }
  if (switches.length) {
    const bar = h("div", { class: "ask-switches", role: "group", "aria-label": "This page" }, ...switches);
    document.querySelector("article h1")?.after(bar);
  }
}
