// Questions in the book's pages: what a chapter asks is asked, and what answers it stays shut until the reader has
// committed to an answer, or wants to see it without. This script stands in the head of a page and is not deferred: so
// an outcome is shut before it is first seen. Without it, everything stands open.

import { freshId, h } from "./dom.js";
import { KINDS } from "./predict-kinds.js";
import { answers, isOn, keepAnswer, lasts } from "./predict-store.js";
import { ASK, addSwitches } from "./predict-switches.js";

const SURE = ["guessing", "fairly sure", "certain"];
const NOT_KEPT = "This browser keeps nothing: your answer lasts until you leave the page.";
const FINDABLE = "onbeforematch" in HTMLElement.prototype; // what is shut can be found by the browser's search

/** What tells the outcome of a question, up to the next heading or question. */
class Outcome extends HTMLElement {
  connectedCallback() {
    if (isOn(ASK, true) && !answers()[this.dataset.of ?? ""]) this.shut();
    this.addEventListener("beforematch", () => this.question?.look());
  }
  /** @returns {Question | null} */
  get question() {
    return document.querySelector(`book-question[data-name="${this.dataset.of}"]`);
  }
  shut() {
    this.setAttribute("hidden", FINDABLE ? "until-found" : "");
  }
  open() {
    this.removeAttribute("hidden");
  }
}

class Question extends HTMLElement {
  /** @type {import("./predict-kinds.js").Question | undefined} */
  asked;
  status = h("p", { role: "status", class: "ask-status" });

  connectedCallback() {
    whenRead(() => this.start());
  }

  start() {
    if (this.asked) return; // moved in the page
    const asked = JSON.parse(this.querySelector("script")?.textContent ?? "");
    this.asked = /** @type {import("./predict-kinds.js").Question} */ (asked);
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", asked.recall ? "Your answer" : "Your prediction");
    this.update();
  }

  /** The outcome: what is shut below the question or, at the end of a chapter, what is folded below it. */
  get outcome() {
    /** @type {Outcome | HTMLDetailsElement | null} */
    const found = document.querySelector(`:is(book-outcome, details)[data-of="${this.dataset.name}"]`);
    return found;
  }

  /** Shows the question, the answer that was given, or nothing. */
  update() {
    const { asked, outcome } = this;
    if (!asked) return;
    const answer = answers()[asked.name];
    const asks = isOn(ASK, true);
    this.hidden = !asks && !answer;
    if (outcome instanceof Outcome) asks && !answer ? outcome.shut() : outcome.open();
    if (!answer) this.ask(asked);
    else if (answer.shown) this.replaceChildren(this.told("You looked without a guess."), this.again());
    else this.show(asked, answer);
  }

  /** @param {import("./predict-kinds.js").Question} asked */
  ask(asked) {
    const taker = KINDS[asked.kind].take(asked);
    /** @param {number} [sure] */
    const commit = (sure) => {
      const guess = taker.read();
      if (guess === undefined) {
        this.status.textContent = taker.wants;
        return;
      }
      const { said, truth, right, miss } = KINDS[asked.kind].judge(asked, guess);
      keepAnswer(asked.name, {
        guess, said, truth, right, miss, sure, recall: asked.recall, question: asked.question,
        page: location.pathname.split("/").pop(), chapter: document.title.split(" — ")[0],
        when: new Date().toISOString(),
      });
      this.update();
      if (this.outcome instanceof HTMLDetailsElement) this.outcome.open = true;
      this.focusOn(this.firstElementChild);
    };
    /** @param {string} text @param {number} [sure] */
    const button = (text, sure) => h("button", { type: "button", onclick: () => commit(sure) }, text);
    const id = freshId();
    const look = h("button", { type: "button", class: "ask-plain", onclick: () => {
      this.look();
      this.focusOn(this.outcome);
    } }, "Just show me");
    const scored = asked.kind !== "text";
    const buttons = asked.recall ? [button(scored ? "Check" : "Compare with ours")]
      : scored ? [...SURE.map(button), look] : [button("Commit"), look];
    this.status.textContent = "";
    this.replaceChildren(
      h("fieldset", {}, h("legend", { class: "visually-hidden" }, asked.question), taker.element),
      h("div", { class: "ask-buttons", role: "group", "aria-labelledby": id },
        h("span", { id }, asked.recall ? "" : `${scored ? "How sure are you? " : ""}Your answer opens what follows.`),
        ...buttons),
      this.status,
    );
  }

  /**
   * @param {import("./predict-kinds.js").Question} asked
   * @param {import("./predict-store.js").Answer} answer
   */
  show(asked, answer) {
    const { says, drawn } = KINDS[asked.kind].judge(asked, answer.guess);
    const sure = answer.sure === undefined ? "" : `You were ${SURE[answer.sure]}.`;
    /** @type {Element[]} */
    const parts = [this.told(`${says} ${sure}`)];
    if (drawn) parts.push(drawn);
    if (asked.after) parts.push(h("p", {}, asked.after));
    if (!lasts()) parts.push(h("p", { class: "ask-note" }, NOT_KEPT));
    this.replaceChildren(...parts, this.again());
  }

  /** @param {string} text */
  told(text) {
    this.status.textContent = text;
    return this.status;
  }

  again() {
    const onclick = () => {
      keepAnswer(this.asked?.name ?? "");
      if (this.outcome instanceof HTMLDetailsElement) this.outcome.open = false;
      this.update();
      this.focusOn(this.querySelector("input, textarea, button, [tabindex]"));
    };
    return h("button", { type: "button", class: "ask-plain", onclick }, "Ask me again");
  }

  /** Opens the outcome without a guess. */
  look() {
    if (!this.asked || answers()[this.asked.name]) return;
    keepAnswer(this.asked.name, { shown: true });
    this.update();
  }

  /** @param {Element | null} element */
  focusOn(element) {
    if (!(element instanceof HTMLElement || element instanceof SVGElement)) return;
    if (element.tabIndex < 0) element.setAttribute("tabindex", "-1");
    element.focus({ preventScroll: !(element instanceof Outcome) && element !== this.firstElementChild });
  }
}

/** @param {() => void} then */
function whenRead(then) {
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", then, { once: true });
  else then();
}

/** A link that leads into what is shut opens it. */
function followHash() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const outcome = target?.closest("book-outcome[hidden]");
  if (!(outcome instanceof Outcome)) return;
  outcome.question?.look();
  target?.scrollIntoView();
}

customElements.define("book-outcome", Outcome);
customElements.define("book-question", Question);
window.addEventListener("hashchange", followHash);
whenRead(() => {
  /** @type {NodeListOf<Question>} */
  const questions = document.querySelectorAll("book-question");
  addSwitches(questions.length > 0, () => {
    for (const question of questions) question.update();
  });
  followHash();
});
