// A pad to draw on, with mouse, finger or pen, or with the arrow keys and the space bar.

import { ARROWS, brush, h } from "./dom.js";

const PAD = 280; // pixels; ten for one of a 28 × 28 picture
const PEN = 24;
const KEY_STEP = 10;

/** @param {number} place */
const inside = (place) => Math.min(PAD, Math.max(0, place));

/** @param {(ink: Float64Array, side: number) => void} drawn  hears the ink (0 to 1) after every stroke */
export function pad(drawn) {
  const canvas = h("canvas", {
    width: PAD, height: PAD, class: "lx-pad", tabindex: 0, role: "application",
    "aria-label": "Pad to draw a digit. With keys: arrows move the pen, space puts it down or lifts it.",
  });
  const context = brush(canvas, { willReadFrequently: true });
  /** @type {Pair | null} where a stroke has got to */
  let pen = null;
  /** @type {Pair} where the keys' pen is */
  let cursor = [PAD / 2, PAD / 4];
  let down = false; // whether it draws

  function clear() {
    context.fillStyle = "#fff";
    context.fillRect(0, 0, PAD, PAD);
    down = false;
  }

  /**
   * @param {Pair} from
   * @param {Pair} to
   */
  function line(from, to) {
    Object.assign(context, { lineWidth: PEN, lineCap: "round", lineJoin: "round", strokeStyle: "#000" });
    context.beginPath();
    context.moveTo(...from);
    context.lineTo(to[0] + 0.01, to[1]); // a line of no length would leave no dot
    context.stroke();
  }

  function ink() {
    const { data } = context.getImageData(0, 0, PAD, PAD);
    return Float64Array.from({ length: PAD * PAD }, (_, i) => 1 - data[4 * i] / 255);
  }

  /**
   * @param {PointerEvent} event
   * @returns {Pair}
   */
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * PAD, ((event.clientY - box.top) / box.height) * PAD];
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    canvas.setPointerCapture(event.pointerId);
    pen = at(event);
    line(pen, pen);
    event.preventDefault();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!pen) return;
    const next = at(event);
    line(pen, next);
    pen = next;
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, () => {
      if (pen) drawn(ink(), PAD);
      pen = null;
    });
  }
  canvas.addEventListener("keydown", (event) => {
    const direction = ARROWS.get(event.key);
    if (!direction && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    if (!direction) down = !down;
    const [right, up] = direction ?? [0, 0];
    /** @type {Pair} */
    const next = [inside(cursor[0] + KEY_STEP * right), inside(cursor[1] - KEY_STEP * up)];
    if (down) {
      line(cursor, next);
      drawn(ink(), PAD);
    }
    cursor = next;
  });
  clear();
  return { element: canvas, clear };
}
