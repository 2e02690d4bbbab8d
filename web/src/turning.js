// An object that turns under the reader's hand: photographs every few degrees, and between them views that nobody took.
//
// The host gives a model with traits: angle (degrees), object (a number), and
//   spec     { names, views, every, side, dim, photos: one sheet (PNG, nine in a row) for each object, caption }
//   weights  the decoder that moves pixels, a safetensors file; codes: float32, those of the known views

import { brush, freshId, h, number, paintInk, picture, radios } from "./dom.js";
import { fieldsOf, moved } from "./flow.js";
import { draw, listen, teller } from "./host.js";
import { readSafetensors } from "./model.js";
import { toFloats } from "./numbers.js";
import { followTheme } from "./theme.js";
import { crossFade } from "./walk.js";

const ACROSS = 9; // photographs in a row of a sheet

/**
 * The angle, in degrees, from 0 to 360.
 * @param {number} angle
 */
const turn = (angle) => ((angle % 360) + 360) % 360;

/**
 * The views of one object from its sheet: grey levels from 0 to 1.
 * @param {string} address  of a PNG in base64
 * @param {number} count
 * @param {number} side
 */
async function unpack(address, count, side) {
  const bytes = Uint8Array.from(atob(address.split(",")[1]), (letter) => letter.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes], { type: "image/png" })); // data addresses may be forbidden
  const canvas = h("canvas", { width: image.width, height: image.height });
  const context = brush(canvas, { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  return Array.from({ length: count }, (_, i) => {
    const { data } = context.getImageData((i % ACROSS) * side, Math.floor(i / ACROSS) * side, side, side);
    return Float64Array.from({ length: side * side }, (_, k) => data[4 * k] / 255);
  });
}

/**
 * How close two pictures are, in decibels.
 * @param {Numbers} a
 * @param {Numbers} b
 */
function psnr(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return -10 * Math.log10(Math.max(sum / a.length, 1e-10));
}

/**
 * Draws the turning object into `el`; returns what takes it away again.
 * @type {Render<TurningTraits>}
 */
export function renderTurning(face) {
  const words = { label: "Turning object", class: "latent-explorer lx-turning", sorry: "The object cannot be shown." };
  return draw(face, words, start);
}

/**
 * @param {Host<TurningTraits>} host
 * @param {HTMLElement} root
 * @param {Bytes} weights
 */
function start(host, root, weights) {
  const { names, views, every, side, dim, photos, caption } = host.get("spec");
  const { tensors } = readSafetensors(weights);
  const codes = toFloats(host.get("codes"));
  const known = views / every;
  const step = 360 / views;
  const canvases = ["the new view", "the photograph that was held back", "the cross-fade"].map(
    (label) => picture(side, side, label));
  const { tell, stop } = teller(host);
  const captions = canvases.map(() => h("figcaption"));
  const figures = canvases.map((canvas, i) => h("figure", {}, canvas, captions[i]));
  const status = h("p", { role: "status", class: "lx-told" });
  /** @type {Map<number, Promise<Float64Array[]>>} the views of each object */
  const sheets = new Map();
  let frame = 0;
  let stopped = false;

  const range = h("input", {
    type: "range", id: freshId(), min: 0, max: 360, step: 1, oninput: () => tell({ angle: range.valueAsNumber }),
  });
  range.addEventListener("keydown", (event) => event.stopPropagation());
  const output = h("output", { for: range.id });
  const choice = radios("Object", names, () => tell({ object: choice.chosen() }));
  const reveal = h("button", { type: "button", "aria-pressed": "false", onclick: () => {
    reveal.setAttribute("aria-pressed", String(reveal.getAttribute("aria-pressed") === "false"));
    update();
  } }, "Show what was held back");

  function schedule() {
    frame ||= requestAnimationFrame(update);
  }

  async function update() {
    frame = 0;
    const object = Math.min(names.length - 1, Math.max(0, host.get("object")));
    const coming = sheets.get(object) ?? unpack(photos[object], views, side);
    sheets.set(object, coming);
    const all = await coming;
    if (stopped) return;
    const angle = turn(host.get("angle"));
    const [name, degrees] = [names[object], `${number(angle, 0)}°`];
    const at = angle / step / every;
    const first = Math.floor(at) % known;
    const t = at - Math.floor(at);
    const [left, right] = [first, (first + 1) % known].map((i) => all[i * every]);
    const fade = crossFade(left, right, t);
    let view = left;
    if (t > 0) {
      /** @param {number} i */
      const code = (i) => codes.subarray((object * known + i) * dim, (object * known + i + 1) * dim);
      const z = crossFade(code(first), code((first + 1) % known), t);
      view = moved(fieldsOf(tensors, z), left, right, side, t);
    }
    const place = Math.round(angle / step);
    const truth = all[place % views];
    const shown = reveal.getAttribute("aria-pressed") === "true";
    for (const figure of figures.slice(1)) figure.hidden = !shown;
    [view, truth, fade].forEach((image, i) => {
      paintInk(canvases[i], image.map((v) => 1 - v), side, side);
    });
    range.valueAsNumber = angle;
    output.value = degrees;
    choice.inputs.forEach((input, i) => {
      input.checked = i === object;
    });
    const kind = t > 0 ? "a new view, which the model never saw" : "a photograph that the model knows";
    const exact = Math.abs(place * step - angle) < 1e-6;
    /** @param {Numbers} image */
    const score = (image) => (t > 0 && exact ? `: ${number(psnr(image, truth), 1)} dB` : "");
    captions[0].textContent = (t > 0 ? "new view" : "photograph") + score(view);
    captions[1].textContent = exact ? "held back" : `held back, at ${number(place * step, 0)}°`;
    captions[2].textContent = `cross-fade${score(fade)}`;
    canvases[0].setAttribute("aria-label", `${name} at ${degrees}: ${kind}`);
    status.textContent = `${name} at ${degrees}: ${kind}. Photographs are known every ${step * every}°.`;
  }

  root.append(
    choice.element,
    h("div", { class: "lx-slider lx-angle" }, h("label", { for: range.id }, "angle"), range, output),
    h("div", { class: "lx-views" }, ...figures),
    h("div", { class: "lx-row" }, reveal), status, caption ? h("p", { class: "lx-caption" }, caption) : "");
  // The picture itself can be turned by hand: across its width by a quarter.
  canvases[0].addEventListener("pointerdown", (event) => {
    if (event.button) return;
    const [from, start] = [event.clientX, host.get("angle")];
    const { width } = canvases[0].getBoundingClientRect();
    canvases[0].setPointerCapture(event.pointerId);
    /** @param {PointerEvent} next */
    const follow = (next) => tell({ angle: Math.round(turn(start + (90 * (next.clientX - from)) / width)) });
    canvases[0].onpointermove = follow;
    canvases[0].onpointerup = canvases[0].onpointercancel = () => {
      canvases[0].onpointermove = null;
    };
    event.preventDefault();
  });
  const unlisten = listen(host, { "change:angle": schedule, "change:object": schedule });
  const unfollow = followTheme(root, () => {});
  update();
  return () => {
    stopped = true;
    unfollow();
    unlisten();
    stop();
    cancelAnimationFrame(frame);
  };
}

export default { render: renderTurning };
