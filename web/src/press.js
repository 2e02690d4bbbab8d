// A press of a mouse, a pen or a finger, from where it begins to where it ends.

/**
 * A thing to drag.
 * @typedef {object} Handle
 * @property {HTMLElement} element
 * @property {string} name
 * @property {() => Pair} read  where it is
 * @property {Move} moved  hears where the reader wants it
 */

/**
 * Follows the pointer of a press until it is lifted; returns what ends that before.
 * @param {HTMLElement} element
 * @param {PointerEvent} event
 * @param {(next: PointerEvent) => void} moved
 * @param {(lifted: boolean) => void} ended  false: it was not lifted here
 */
export function follow(element, event, moved, ended) {
  element.setPointerCapture(event.pointerId);
  /** @param {PointerEvent} next */
  const move = (next) => {
    if (next.pointerId === event.pointerId) moved(next);
  };
  /** @param {boolean} lifted */
  const end = (lifted) => {
    element.removeEventListener("pointermove", move);
    element.removeEventListener("pointerup", release);
    element.removeEventListener("pointercancel", release);
    ended(lifted);
  };
  /** @param {PointerEvent} next */
  const release = (next) => {
    if (next.pointerId === event.pointerId) end(next.type === "pointerup");
  };
  element.addEventListener("pointermove", move);
  element.addEventListener("pointerup", release);
  element.addEventListener("pointercancel", release);
  return () => end(false);
}
