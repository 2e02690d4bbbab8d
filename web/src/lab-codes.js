// The codes of the held-out images, which move on the plane while the encoder learns.

import { codesLayer, emptyLayer } from "./layers.js";

const GLIDE = 300; // milliseconds in which the codes move to where they were found
const EXTENTS = [4, 6, 8, 12, 16, 20]; // how far a plane may reach
const SPARE = 1.25; // times as far as nearly all codes: so much room a plane has once it has shrunk
const APART = 30; // milliseconds between two of their pictures: a hand that drags comes first

/**
 * How far a plane must reach to show nearly all codes: few pictures, or a small sigma, drive them apart. One that
 * reaches far enough shrinks only when they would fit with room to spare, lest it grow and shrink all the time.
 * @param {Float32Array} codes
 * @param {number} before  how far it reaches
 */
export function extentOf(codes, before) {
  const far = codes.map(Math.abs).sort();
  const most = far[Math.floor(0.95 * far.length)] ?? 0;
  /** @param {number} size */
  const fitting = (size) => EXTENTS.find((extent) => extent >= size) ?? EXTENTS[EXTENTS.length - 1];
  return Math.max(fitting(most), Math.min(before, fitting(SPARE * most)));
}

export class MovingCodes {
  /**
   * @param {import("./plane.js").Plane} plane
   * @param {HTMLElement} legend
   * @param {{ codes: Float32Array, labels: Uint8Array, names: string[] }} known  what the plane shows now
   */
  constructor(plane, legend, known) {
    this.plane = plane;
    this.legend = legend;
    this.known = known;
    this.frame = 0;
  }

  /**
   * Begins anew, with nothing on the plane.
   * @param {Uint8Array} labels  of the codes that will come
   * @param {string[]} names
   */
  clear(labels, names) {
    this.stop();
    Object.assign(this.known, { codes: new Float32Array(0), labels, names });
    this.legend.replaceChildren();
    this.plane.show(emptyLayer());
  }

  /**
   * Moves the codes to where they are now: at once, if the reader wants no motion.
   * @param {Float32Array} codes
   */
  show(codes) {
    const { known } = this, first = known.codes.length === 0;
    const from = first ? codes : known.codes;
    const start = performance.now();
    const still = first || window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    const layer = () => codesLayer(known.codes, known.labels, known.names);
    let drawn = -Infinity;
    const frame = () => {
      const now = performance.now(), t = still ? 1 : Math.min(1, (now - start) / GLIDE);
      if (t === 1 || now - drawn > APART) {
        known.codes = codes.map((to, i) => from[i] + t * (to - from[i]));
        this.plane.show(layer());
        drawn = now;
      }
      this.frame = t < 1 ? requestAnimationFrame(frame) : 0;
    };
    this.stop();
    frame();
    if (first) this.legend.replaceChildren(...layer().legend());
  }

  stop() {
    cancelAnimationFrame(this.frame);
  }
}
