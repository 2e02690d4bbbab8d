// How the ELBO and its two terms went: on the images learned from (thin) and on those held out (thick, with dots).

import { brush, h, number } from "./dom.js";

/**
 * @typedef {import("./lab-worker.js").Look} Look
 * @typedef {import("./lab-train.js").Terms} Terms
 * @typedef {{ step: number, value: number }} Entry
 */

/** @type {{ name: keyof Terms, title: string }[]} */
const CURVES = [
  { name: "elbo", title: "ELBO" },
  { name: "log_likelihood", title: "reconstruction term" },
  { name: "kl", title: "KL" },
];
const SKIPPED = 0.1; // of the steps so far, the first: they come from so far below that nothing else could be seen

/**
 * The range of some values, with room above and below.
 * @param {number[]} values
 * @returns {Pair}
 */
export function rangeOf(values) {
  const low = Math.min(...values), high = Math.max(...values);
  const room = 0.08 * (high - low) || 1;
  return [low - room, high + room];
}

/** Three curves side by side. */
export class Curves {
  constructor() {
    this.steps = 1; // how many there will be
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {{ step: number, terms: Terms }[]} */
    this.training = [];
    /** @type {{ step: number, terms: Terms }[]} */
    this.heldOut = [];
    /** @type {{ step: number, terms: Terms }[]} of another training, to compare with */
    this.beside = [];
    this.figures = CURVES.map(({ name, title }) => {
      const canvas = h("canvas", { class: "lx-curve", "aria-hidden": "true" });
      const caption = h("figcaption", {}, title);
      return { name, title, canvas, caption };
    });
    this.element = h("div", { class: "lx-curves" },
      ...this.figures.map(({ canvas, caption }) => h("figure", {}, canvas, caption)));
    this.watcher = new ResizeObserver(() => this.repaint());
    this.watcher.observe(this.element);
  }

  /** @param {number} steps  how many there will be */
  clear(steps) {
    this.steps = steps;
    this.training = [];
    this.heldOut = [];
    this.repaint();
  }

  /**
   * Keeps the curve of the held-out images beside those that will come, or forgets it.
   * @param {boolean} kept
   */
  keep(kept) {
    this.beside = kept ? this.heldOut : [];
    this.repaint();
  }

  /** @param {Look} look */
  add({ step, training, heldOut }) {
    if (training) this.training.push({ step, terms: training });
    if (heldOut) this.heldOut.push({ step, terms: heldOut });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.repaint()); // in a task of its own: a hand that drags comes first
  }

  repaint() {
    for (const { name, title, canvas, caption } of this.figures) {
      /** @param {{ step: number, terms: Terms }[]} looks */
      const entries = (looks) => looks.map(({ step, terms }) => ({ step, value: terms[name] }));
      const known = entries(this.training), held = entries(this.heldOut);
      this.paint(canvas, known, held, entries(this.beside));
      if (!known.length) caption.textContent = title;
      else {
        /** @param {Entry[]} all */
        const last = (all) => (all.length ? number(all[all.length - 1].value, 1) : "…");
        caption.replaceChildren(h("b", {}, title), `: training ${last(known)}, held out ${last(held)}`);
      }
    }
  }

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Entry[]} known
   * @param {Entry[]} held
   * @param {Entry[]} beside
   */
  paint(canvas, known, held, beside) {
    const { clientWidth: width, clientHeight: height } = canvas;
    if (!width) return;
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const context = brush(canvas), style = getComputedStyle(canvas);
    context.scale(ratio, ratio);
    const first = SKIPPED * (known.at(-1)?.step ?? 0);
    const shown = [...known, ...held, ...beside].filter(({ step }) => step >= first);
    const [soft, ink, accent] = ["--lx-soft", "--lx-ink", "--lx-accent"].map((name) => style.getPropertyValue(name));
    context.strokeStyle = style.getPropertyValue("--lx-line");
    context.strokeRect(0.5, 0.5, width - 1, height - 1);
    if (!shown.length) return;
    const [low, high] = rangeOf(shown.map(({ value }) => value));
    /** @param {Entry} entry @returns {Pair} */
    const at = ({ step, value }) => [(step / this.steps) * width, height * (1 - (value - low) / (high - low))];
    /** @param {Entry[]} entries @param {string} color @param {number} thick */
    const line = (entries, color, thick) => {
      context.beginPath();
      for (const entry of entries) if (entry.step >= first) context.lineTo(...at(entry));
      context.strokeStyle = color;
      context.lineWidth = thick;
      context.stroke();
    };
    context.setLineDash([5, 4]);
    line(beside, soft, 1.5);
    context.setLineDash([]);
    line(known, ink, 1);
    line(held, accent, 2.5);
    context.fillStyle = accent;
    for (const entry of held) {
      if (entry.step < first) continue;
      context.beginPath();
      context.arc(...at(entry), 3, 0, 2 * Math.PI);
      context.fill();
    }
    context.fillStyle = soft;
    context.font = "12px system-ui, sans-serif";
    context.textBaseline = "top";
    context.fillText(number(high, 0), 4, 3);
    context.textBaseline = "bottom";
    context.fillText(number(low, 0), 4, height - 3);
  }

  stop() {
    clearTimeout(this.timer);
    this.watcher.disconnect();
  }
}
