// Draws the lab for a host: at once where there are images, or else once the reader has brought some.

import { h } from "./dom.js";
import { draw, listen, teller } from "./host.js";
import { Lab } from "./lab.js";
import { Chooser } from "./lab-chooser.js";

/**
 * Draws the lab into `el`; returns what takes it away again.
 * @param {Face<LabTraits>} face
 * @param {import("./lab.js").Fetch} [fetch]  gets images that several pages share
 */
export function renderLab(face, fetch) {
  const words = { label: "Training lab", class: "latent-explorer lx-lab", sorry: "The lab cannot be shown." };
  return draw(face, words, (host, root) => {
    if (!host.get("spec").images) return askFirst(host, root);
    const lab = new Lab(host, root, { fetch });
    return () => lab.stop();
  });
}

/**
 * Asks for pictures; a lab learns from them once they are there, and from others once those are.
 * @param {Host<LabTraits>} host
 * @param {HTMLElement} root
 */
function askFirst(host, root) {
  const place = h("div");
  /** @type {Lab | null} */
  let lab = null;
  const end = () => {
    lab?.reset();
    lab?.stop();
    lab = null;
    place.replaceChildren();
  };
  const chooser = new Chooser((own) => {
    end();
    if (own) lab = new Lab(host, place, { own });
  });
  const tell = teller(host);
  const unlisten = listen(host, {
    "change:running": () => {
      if (!lab && host.get("running")) {
        chooser.refuse();
        tell.tell({ running: false });
      }
    },
  });
  root.append(chooser.element, place);
  return () => {
    unlisten();
    tell.stop();
    chooser.stop();
    lab?.stop();
  };
}
