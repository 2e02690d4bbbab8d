// What can be done with what the lab has learned: keep it beside the next training, explore it, save it.

import { brush, h, number } from "./dom.js";
import { explore, pageOfItsOwn } from "./lab-explore.js";
import { summaryOf } from "./lab-recipe.js";
import { keep, snapshot } from "./lab-saving.js";

/**
 * @typedef {import("./lab-explore.js").Learned & {
 *   last: import("./lab-worker.js").Look, settings: import("./lab-recipe.js").Settings }} Learned
 */

/** @typedef {ReturnType<typeof import("./lab-view.js").labView>} View */

export class After {
  /**
   * @param {HTMLElement} root  of the lab
   * @param {Pick<View, "plane" | "curves" | "told" | "side" | "below">} view
   * @param {() => Learned | null} learned  is asked when a button is pressed
   */
  constructor(root, { plane, curves, told, side, below }, learned) {
    this.close = () => {}; // the explorer of what was learned, if one is open
    /** @type {HTMLButtonElement[]} */
    this.buttons = [];
    const still = h("canvas", { role: "img", "aria-label": "The codes of the training kept beside" });
    const settings = h("figcaption");
    const takeAway = () => {
      kept.hidden = true;
      curves.keep(false);
    };
    const kept = h("div", { class: "lx-beside", hidden: true },
      h("figure", {}, still, settings), h("button", { type: "button", onclick: takeAway }, "Take away"));
    side.append(kept);

    this.add("Explore what it learned", learned, (now) => {
      this.close();
      this.close = explore(/** @type {HTMLElement} */ (root.closest(".latent-explorer")), now);
    });
    this.add("Keep beside the next", learned, (now) => {
      still.width = plane.canvas.width;
      still.height = plane.canvas.height;
      brush(still).drawImage(plane.canvas, 0, 0);
      settings.textContent = summaryOf(now.settings, now.last, curves.heldOut.at(-1)?.terms);
      kept.hidden = false;
      curves.keep(true);
      told.textContent = "Kept beside. Change the seed, σ or β, and train again.";
    });
    this.add("Save as one page", learned, async (now) => {
      const page = await pageOfItsOwn(now, plane.canvas);
      keep("lab.html", page);
      told.textContent = `Saved as lab.html, ${number(page.size / 1e6, 1)} MB: one file that needs no other. `
        + "No picture is in it, but a decoder that has learned pictures by heart draws them.";
    });
    this.add("Save weights", learned, ({ weights }) => keep("lab.safetensors", new Blob([weights])));
    this.add("Save picture", learned, async ({ model, extent }) => {
      keep("lab.png", await snapshot(plane.canvas, model, extent));
    });
    below.append(...this.buttons);
  }

  /**
   * @param {string} words
   * @param {() => Learned | null} learned
   * @param {(now: Learned) => void} act
   */
  add(words, learned, act) {
    const onclick = () => {
      const now = learned();
      if (now) act(now);
    };
    this.buttons.push(h("button", { type: "button", onclick }, words));
  }

  /** @param {boolean} ready  whether something was learned and stands still */
  enable(ready) {
    for (const button of this.buttons) button.disabled = !ready;
  }
}
