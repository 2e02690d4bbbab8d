// The reader's hand on the cube: it turns the cube, or drags the picture x or the point f(z); arrow keys turn, too.

import { tangent } from "./cube-paths.js";
import { ARROWS } from "./dom.js";

const REACH = 22; // pixels: how far from a ball a finger may be to take it
const TURN = 0.5; // degrees for a pixel
const KEY = 5; // degrees for a key

/**
 * @typedef {object} Held  what the hand acts on
 * @property {HTMLCanvasElement} canvas
 * @property {import("./cube-view.js").View} view
 * @property {import("./cube-models.js").Drawer} model
 * @property {() => number[] | null} x  the picture, if it is shown
 * @property {() => Pair} z
 * @property {(x: number[]) => void} movePicture
 * @property {Move} movePoint
 * @property {() => Pair} turned  yaw and pitch as they were last told, which the next frame will show
 * @property {(yaw: number, pitch: number) => void} turn
 */

/**
 * Listens to the hand; returns what ends that.
 * @param {Held} held
 */
export function listenToHand(held) {
  const { canvas, view, model } = held;
  /** @param {{ clientX: number, clientY: number }} event */
  const at = ({ clientX, clientY }) => {
    const box = canvas.getBoundingClientRect();
    return [clientX - box.left, clientY - box.top];
  };
  /**
   * @param {Numbers} x
   * @param {number[]} place
   */
  const apart = (x, [px, py]) => {
    const [sx, sy] = view.project(x);
    return Math.hypot(sx - px, sy - py);
  };

  /** @param {number[]} place */
  function what(place) {
    const x = held.x();
    const far = { x: x ? apart(x, place) : Infinity, z: apart(model.decode(...held.z()), place) };
    if (Math.min(far.x, far.z) > REACH) return "cube";
    return far.x <= far.z ? "x" : "z";
  }

  /**
   * The point whose picture is seen nearest to a place of the screen, on from the last: Gauss–Newton, damped, since the
   * sheet may be seen from its edge.
   * @param {number[]} place
   */
  function follow([px, py]) {
    let z = held.z();
    const f = new Float64Array(3);
    const along = /** @type {[Float64Array, Float64Array]} */ ([new Float64Array(3), new Float64Array(3)]);
    for (let i = 0; i < 6; i++) {
      tangent(model, ...z, f, ...along);
      const [sx, sy] = view.project(f);
      const [d1, d2] = along.map((d) => view.project(d.map((v) => v + 0.5)).map((v) => v - view.side / 2));
      const damping = 0.02 * view.scale ** 2;
      const [a, b, c] = [
        d1[0] ** 2 + d1[1] ** 2 + damping, d1[0] * d2[0] + d1[1] * d2[1], d2[0] ** 2 + d2[1] ** 2 + damping,
      ];
      const [e, g] = [px - sx, py - sy];
      const [u, v] = [d1[0] * e + d1[1] * g, d2[0] * e + d2[1] * g];
      const det = a * c - b * b;
      z = [z[0] + (c * u - b * v) / det, z[1] + (a * v - b * u) / det];
    }
    held.movePoint(...z);
  }

  /** @param {PointerEvent} event */
  function down(event) {
    if (event.button) return;
    const start = at(event), kind = what(start);
    const [yaw, pitch] = held.turned();
    const first = held.x();
    canvas.setPointerCapture(event.pointerId);
    canvas.classList.add("lx-held");
    /** @param {PointerEvent} next */
    const move = (next) => {
      if (next.pointerId !== event.pointerId) return;
      const place = at(next);
      const [dx, dy] = [place[0] - start[0], place[1] - start[1]];
      if (kind === "cube") held.turn(yaw - TURN * dx, pitch + TURN * dy);
      else if (kind === "z") follow(place);
      else if (first) held.movePicture(view.unproject(dx, dy).map((step, k) => first[k] + step));
    };
    /** @param {PointerEvent} next */
    const up = (next) => {
      if (next.pointerId !== event.pointerId) return;
      canvas.classList.remove("lx-held");
      canvas.removeEventListener("pointermove", move);
      canvas.removeEventListener("pointerup", up);
      canvas.removeEventListener("pointercancel", up);
    };
    canvas.addEventListener("pointermove", move);
    canvas.addEventListener("pointerup", up);
    canvas.addEventListener("pointercancel", up);
    canvas.focus({ preventScroll: true, focusVisible: false });
    event.preventDefault();
  }

  /** @param {KeyboardEvent} event */
  function key(event) {
    const direction = ARROWS.get(event.key);
    if (!direction) return;
    const [yaw, pitch] = held.turned();
    held.turn(yaw - KEY * direction[0], pitch - KEY * direction[1]);
    event.preventDefault();
    event.stopPropagation(); // arrow keys turn pages and slides
  }

  canvas.addEventListener("pointerdown", down);
  canvas.addEventListener("keydown", key);
  return () => {
    canvas.removeEventListener("pointerdown", down);
    canvas.removeEventListener("keydown", key);
  };
}
