// The picture of a sound: a bar for each harmonic, and over them the nearest vowel with its two moving resonances.

import { brush, h } from "./dom.js";

const TICKS = [1000, 2000, 3000, 4000]; // Hz

export class Spectrum {
  /** @param {import("./vowel.js").Mouth} mouth */
  constructor(mouth) {
    this.mouth = mouth;
    /** @type {Numbers} */
    this.x = [];
    /** @type {import("./vowel.js").Vowel | undefined} */
    this.vowel = undefined;
    this.canvas = h("canvas", { class: "lx-spectrum", role: "img" });
    this.element = h("figure", {}, this.canvas, h("figcaption", {},
      "bars: what sounds, the level of each harmonic; line: the vowel nearest to it"));
    this.watcher = new ResizeObserver(() => this.repaint());
    this.watcher.observe(this.canvas);
  }

  /**
   * @param {Numbers} x
   * @param {import("./vowel.js").Vowel} vowel  the nearest
   * @param {string} words
   */
  show(x, vowel, words) {
    this.x = x;
    this.vowel = vowel;
    this.canvas.setAttribute("aria-label", `Levels of ${x.length} harmonics. ${words}`);
    this.repaint();
  }

  repaint() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !this.vowel) return;
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    const context = brush(this.canvas), style = getComputedStyle(this.canvas);
    context.scale(ratio, ratio);
    const [soft, ink, accent] = ["--lx-soft", "--lx-ink", "--lx-accent"].map((name) => style.getPropertyValue(name));
    const { pitch, harmonics } = this.mouth.filter;
    const em = 0.78 * parseFloat(style.fontSize);
    const foot = 1.6 * em, top = 1.3 * em, room = height - foot - top;
    /** @param {number} f */
    const across = (f) => (f / pitch / (harmonics + 1)) * width;
    /** @param {number} share */
    const up = (share) => top + room * (1 - Math.min(1, Math.max(0, share)));
    context.font = `${em}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.strokeStyle = context.fillStyle = soft;
    for (const f of TICKS) {
      const text = f === TICKS[0] ? `${f} Hz` : String(f);
      context.fillText(text, Math.min(across(f), width - 1.3 * em), height - 0.65 * em);
    }
    context.setLineDash([4, 3]);
    for (const [name, f] of /** @type {[string, number][]} */ ([["F₁", this.vowel.f1], ["F₂", this.vowel.f2]])) {
      context.fillText(name, across(f), 0.6 * em);
      context.beginPath();
      context.moveTo(across(f), top);
      context.lineTo(across(f), height - foot);
      context.stroke();
    }
    context.setLineDash([]);
    context.fillStyle = accent;
    const bar = 0.55 * across(pitch);
    this.mouth.hz.forEach((f, i) => {
      context.fillRect(across(f) - bar / 2, up(this.x[i]), bar, height - foot - up(this.x[i]));
    });
    context.beginPath();
    const nearest = this.mouth.draw([this.vowel.jaw, this.vowel.tongue]);
    this.mouth.hz.forEach((f, i) => {
      context.lineTo(across(f), up(nearest[i]));
    });
    context.strokeStyle = ink;
    context.lineWidth = 2;
    context.stroke();
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(0, height - foot);
    context.lineTo(width, height - foot);
    context.strokeStyle = soft;
    context.stroke();
  }

  stop() {
    this.watcher.disconnect();
  }
}
