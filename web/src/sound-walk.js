// From one vowel to another in three ways: along the plane, as a cross-fade, and as a mouth would do it.

import { freshId, h, paintMap, radios, slider } from "./dom.js";
import { crossFade, pathAt, player } from "./walk.js";

const COLUMNS = 65; // sounds that a strip shows of a way
const DARK = 0.25; // shares of the scale below this are dark: that soft are only the highest harmonics

/** Each way as the host calls it, and in words. */
export const WAYS = /** @type {const} */ ({
  point: "the point",
  plane: "along the plane",
  fade: "cross-fade",
  truth: "the truth",
});
const NOTES = {
  plane: "along the plane: the straight line from A to B, decoded",
  fade: "cross-fade: each harmonic’s level goes straight from A’s to B’s",
  truth: "the truth: jaw and tongue go straight from A’s place to B’s",
};

/**
 * @param {import("./model.js").Model} model
 * @param {import("./vowel.js").Mouth} mouth
 * @param {Record<string, Pair>} named
 * @param {object} hears
 * @param {(t: number) => void} hears.go
 * @param {(way: SoundTraits["way"]) => void} hears.choose
 * @param {(names: string[]) => void} hears.ends
 */
export function soundWalk(model, mouth, named, hears) {
  const names = Object.keys(named);
  /** @type {string[]} */
  let ends = [];
  const selects = ["A", "B"].map((letter, i) => {
    const id = freshId();
    const chosen = () => hears.ends(ends.map((name, k) => (k === i ? select.value : name)));
    const select = h("select", { id, onchange: chosen },
      ...names.map((name) => h("option", { value: name }, `“${name}”`)));
    select.addEventListener("keydown", (event) => event.stopPropagation()); // slides listen for arrow keys, too
    return { select, element: h("span", { class: "lx-named" }, h("label", { for: id }, `${letter} `), select) };
  });
  const keys = /** @type {SoundTraits["way"][]} */ (Object.keys(WAYS));
  const choice = radios("What sounds", Object.values(WAYS), () => {
    hears.choose(keys[choice.chosen()]);
  });
  const t = slider("t", { min: 0, max: 1, step: 0.01 }, (value) => {
    play.pause();
    hears.go(value);
  });
  let place = 0;
  const play = player(() => place, hears.go);
  const strips = /** @type {("plane" | "fade" | "truth")[]} */ (["plane", "fade", "truth"]).map((way) => {
    const canvas = h("canvas", { width: COLUMNS, height: model.pixels, class: "lx-sounds", role: "img" });
    const mark = h("i", { "aria-hidden": "true" });
    const figure = h("figure", {}, h("div", { class: "lx-marked" }, canvas, mark), h("figcaption", {}, NOTES[way]));
    return { way, canvas, mark, figure };
  });

  /**
   * The sound at a share of a way.
   * @param {"plane" | "fade" | "truth"} way
   * @param {number} share
   */
  function at(way, share) {
    const [a, b] = ends.map((name) => named[name]);
    if (way === "truth") return mouth.draw(crossFade(a, b, share));
    const [from, to] = [a, b].map((one) => mouth.draw(one));
    return way === "fade" ? crossFade(from, to, share)
      : model.decode(...pathAt([model.encode(from).mean, model.encode(to).mean], share));
  }

  /** @param {string[]} next */
  function showEnds(next) {
    ends = next;
    for (const [i, { select }] of selects.entries()) {
      select.value = ends[i];
      for (const option of select.options) option.disabled = option.value === ends[1 - i];
    }
    for (const { way, canvas } of strips) {
      const columns = Array.from({ length: COLUMNS }, (_, i) => at(way, i / (COLUMNS - 1)));
      const values = Float64Array.from({ length: COLUMNS * model.pixels },
        (_, i) => (columns[i % COLUMNS][Math.floor(i / COLUMNS)] - DARK) / (1 - DARK));
      paintMap(canvas, values, COLUMNS, model.pixels);
      canvas.setAttribute("aria-label", `Levels of the harmonics from “${ends[0]}” to “${ends[1]}”, ${WAYS[way]}`);
    }
  }

  /**
   * @param {string} way
   * @param {number} share
   */
  function showPlace(way, share) {
    place = share;
    t.show(share);
    choice.inputs.forEach((input, i) => {
      input.checked = keys[i] === way;
    });
    for (const one of strips) {
      one.mark.style.left = `${100 * share}%`;
      one.figure.classList.toggle("lx-now", one.way === way);
    }
  }

  const element = h("div", { role: "region", class: "lx-walk", "aria-label": "Walk from A to B" },
    h("div", { class: "lx-row" }, ...selects.map((one) => one.element), choice.element),
    h("div", { class: "lx-row" }, play.button, t.element),
    h("div", { class: "lx-ways-of-sound" }, ...strips.map(({ figure }) => figure)),
    h("p", { class: "lx-legend" }, "From left to right: from A to B. Upwards: harmonics from 125 to 4000 Hz, the "
      + "brighter the louder. Resonances are bright bands."));
  return { element, at, showEnds, showPlace, pause: play.pause };
}
