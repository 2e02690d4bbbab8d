// Two ends and a path between them: a slider t, a filmstrip, and the cross-fade of the two end pictures beside it.

import { h, paintInk, picture, slider } from "./dom.js";

const FRAMES = 9;
const SECONDS = 4; // from end to end when it plays

/**
 * The place at share t of the way through points, equal time for each leg.
 * @param {Pair[]} points
 * @param {number} t
 * @returns {Pair}
 */
export function pathAt(points, t) {
  const at = Math.min(1, Math.max(0, t)) * (points.length - 1);
  const leg = Math.min(points.length - 2, Math.floor(at));
  const [a, b] = [points[leg], points[leg + 1]];
  return [a[0] + (at - leg) * (b[0] - a[0]), a[1] + (at - leg) * (b[1] - a[1])];
}

/**
 * (1 - t) a + t b, pixel by pixel.
 * @param {Numbers} a
 * @param {Numbers} b
 * @param {number} t
 */
export function crossFade(a, b, t) {
  return Float64Array.from(a, (value, i) => (1 - t) * value + t * b[i]);
}

/**
 * A canvas for pictures in a row.
 * @param {import("./model.js").Model} model
 * @param {string} what  they are
 */
export function strip({ width, height }, what) {
  return picture(FRAMES * width, height, `${FRAMES} ${what}`);
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {import("./model.js").Model} model
 * @param {(share: number) => Numbers} draw  gives the picture at a share of the way
 */
export function paintStrip(canvas, { width, height }, draw) {
  for (let i = 0; i < FRAMES; i++) paintInk(canvas, draw(i / (FRAMES - 1)), width, height, i * width);
}

/**
 * A button that walks from 0 to 1 in some seconds.
 * @param {() => number} read  where the walk is
 * @param {(share: number) => void} go  takes it elsewhere
 */
export function player(read, go) {
  let playing = 0;
  const button = h("button", { type: "button", onclick: () => (playing ? pause() : play()) }, "Play");

  function play() {
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    button.textContent = "Pause";
    if (read() >= 1) go(0);
    let before = performance.now();
    /** @param {number} time */
    const step = (time) => {
      const gone = (time - before) / 1000 / SECONDS;
      // Who asked for less motion sees the stills of the strip, one after the other.
      if (!calm || gone >= 1 / (FRAMES - 1)) {
        go(Math.min(1, read() + gone));
        before = time;
      }
      if (read() >= 1) {
        pause();
        return;
      }
      playing = requestAnimationFrame(step);
    };
    playing = requestAnimationFrame(step);
  }

  function pause() {
    cancelAnimationFrame(playing);
    playing = 0;
    button.textContent = "Play";
  }
  return { button, pause };
}

/**
 * @param {import("./model.js").Model} model
 * @param {(t: number) => void} go  hears where on the path the reader wants to be
 */
export function walkPanel(model, go) {
  const { width, height } = model;
  const along = strip(model, "drawings along the path");
  const fade = strip(model, "cross-fades of the two end pictures");
  const now = picture(width, height, "the cross-fade at t");
  const t = slider("t", { min: 0, max: 1, step: 0.01 }, (value) => {
    pause();
    go(value);
  });
  const { button, pause } = player(() => place, go);
  /** @type {Float64Array[]} what the two ends draw */
  let ends = [];
  let place = 0;

  /**
   * New ends or a new path: the strips are drawn again.
   * @param {Pair[]} points
   */
  function showPath(points) {
    ends = [points[0], points[points.length - 1]].map(([z1, z2]) => model.decode(z1, z2));
    paintStrip(along, model, (share) => model.decode(...pathAt(points, share)));
    paintStrip(fade, model, (share) => crossFade(ends[0], ends[1], share));
    showPlace(place);
  }

  /** @param {number} share */
  function showPlace(share) {
    place = share;
    t.show(share);
    paintInk(now, crossFade(ends[0], ends[1], share), width, height);
  }

  const element = h("div", { role: "region", class: "lx-walk", "aria-label": "Walk from A to B" },
    h("div", { class: "lx-row" }, button, t.element),
    h("figure", {}, along, h("figcaption", {}, "along the path, decoded")),
    h("figure", {}, fade, h("figcaption", {}, "the cross-fade: each pixel by itself")),
    h("figure", { class: "lx-small" }, now, h("figcaption", {}, "the cross-fade at t")));
  return { element, showPath, showPlace, stop: pause };
}
