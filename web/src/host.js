// What every widget does with its host: it hears of changes, tells its own, and gets the weights.

import { h, sentence } from "./dom.js";

const REST = 200; // milliseconds between two messages to Python
const REFERENCE = "IPY_MODEL_"; // begins the name by which one widget speaks of another

/**
 * Draws a widget into `el` once its weights are there; a sentence stands in its place if it cannot be drawn.
 * @template {{ weights: Bytes | string }} T
 * @param {Face<T>} face
 * @param {{ label: string, class: string, sorry: string }} words
 * @param {(host: Host<T>, root: HTMLElement, weights: Bytes) => () => void} start  returns what ends it
 * @returns {() => void} what takes the widget away again
 */
export function draw({ model: host, el, signal }, { label, sorry, ...attributes }, start) {
  const root = h("div", { role: "group", "aria-label": label, ...attributes });
  el.append(root);
  let gone = false;
  let stop = () => {};
  weightsOf(host).then((weights) => {
    if (!gone) stop = start(host, root, weights);
  }).catch((error) => {
    root.replaceChildren(h("p", { class: "lx-error", role: "alert" }, `${sorry} ${sentence(error)}`));
  });
  /**
   * Jupyter hears of keys before a widget does, and walks from cell to cell by arrows unless the element that has the
   * focus forbids it.
   * @param {KeyboardEvent} event
   */
  const claimArrows = ({ target, key, ctrlKey, metaKey, altKey }) => {
    if (!(target instanceof Element && root.contains(target))) return;
    target.toggleAttribute("data-lm-suppress-shortcuts", key.startsWith("Arrow") && !(ctrlKey || metaKey || altKey));
  };
  window.addEventListener("keydown", claimArrows, true);
  const end = () => {
    if (gone) return;
    gone = true;
    window.removeEventListener("keydown", claimArrows, true);
    stop();
    root.remove();
  };
  signal?.addEventListener("abort", end); // newer hosts say so by this, older ones by calling what is returned
  return end;
}

/**
 * The weights, which a notebook's widgets share: there the trait holds the name of the widget that has them.
 * @param {Host<{ weights: Bytes | string }>} host
 */
async function weightsOf(host) {
  const given = host.get("weights");
  if (typeof given !== "string") return given;
  try {
    const shared = await host.widget_manager.get_model(given.slice(REFERENCE.length));
    return /** @type {Bytes} */ (shared.get("file"));
  } catch {
    throw new Error("Its model is not here. Run the cell again.");
  }
}

/**
 * Hears of a host's events; returns what ends that. A host need not know how to forget.
 * @template T
 * @param {Host<T>} host
 * @param {Record<string, () => void>} heard
 */
export function listen(host, heard) {
  let live = true;
  const all = Object.entries(heard).map(([event, then]) => /** @type {const} */ ([event, () => live && then()]));
  for (const [event, then] of all) host.on(event, then);
  return () => {
    live = false;
    for (const [event, then] of all) host.off?.(event, then);
  };
}

/**
 * Tells what the reader does: other widgets of the page at once, Python after a rest, and always the last of it.
 * @template T
 * @param {Host<T>} host
 */
export function teller(host) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let resting;
  let waiting = false;
  function save() {
    waiting = false;
    host.save_changes();
    resting = setTimeout(() => {
      resting = undefined;
      if (waiting) save();
    }, REST);
  }
  return {
    /** @param {Partial<T>} values */
    tell(values) {
      for (const [name, value] of Object.entries(values)) host.set(name, value);
      if (resting === undefined) save();
      else waiting = true;
    },
    stop() {
      clearTimeout(resting);
      if (waiting) host.save_changes();
      waiting = false;
    },
  };
}
