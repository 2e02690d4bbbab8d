// The images of the lab: packed as vaecourse/explorer/lab.py packs them, fetched when somebody wants to train.

import { fromBase64 } from "./element.js";

/**
 * @typedef {object} Facts  what is to be known of the images
 * @property {number} height
 * @property {number} width
 * @property {number} levels  the grey level that stands for 1
 * @property {string[]} names  of the classes
 * @property {number} images  how many there are in all
 * @property {number} held_out  how many of them, the last ones, nobody learns from
 * @property {string} source
 *
 * @typedef {object} Images  grey levels in rows
 * @property {Uint8Array} known
 * @property {Uint8Array} heldOut
 * @property {Uint8Array} shown  whose codes stand on the plane
 * @property {Uint8Array} labels  of those
 */

const DAMAGED = "The images did not arrive whole. Reload the page to fetch them again.";

/**
 * What zlib packed. Throws a sentence where it is cut short.
 * @param {Bytes} data
 */
async function inflate(data) {
  if (typeof DecompressionStream === "undefined") {
    throw new Error("This browser cannot unpack the images. A newer one, of 2023 or later, can.");
  }
  const stream = new Blob([/** @type {BlobPart} */ (data)]).stream().pipeThrough(new DecompressionStream("deflate"));
  try {
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch {
    throw new Error(DAMAGED);
  }
}

/**
 * The images: those to learn from, and those that are held out with their labels.
 * @param {Facts} facts
 * @param {Bytes} data
 * @returns {Promise<Images>}
 */
export async function unpack({ height, width, images, held_out }, data) {
  const bytes = await inflate(data);
  const pixels = height * width;
  if (bytes.length !== images + Math.ceil((images * pixels) / 2)) throw new Error(DAMAGED);
  const greys = new Uint8Array(images * pixels);
  for (let i = 0; i < greys.length; i++) {
    const two = bytes[images + (i >> 1)];
    greys[i] = i & 1 ? two & 15 : two >> 4;
  }
  const split = images - held_out;
  const heldOut = greys.slice(split * pixels);
  return { known: greys.slice(0, split * pixels), heldOut, shown: heldOut, labels: bytes.slice(split, images) };
}

/**
 * A shared set of images from a script file beside the page's own: a page opened from disk may load nothing else.
 * @param {string} name
 * @param {URL} folder
 * @returns {Promise<{ facts: Facts, data: Uint8Array }>}
 */
export function fetchImages(name, folder) {
  return new Promise((arrive, fail) => {
    const script = document.createElement("script");
    window.trainingLabImages ??= {};
    window.trainingLabImages[name] = ({ data, ...facts }) => arrive({ facts, data: fromBase64(data) });
    script.onerror = () => fail(new Error(`The images, lab-${name}.js, did not load. Press train to try again.`));
    script.onload = () => { // after it has called: or else it is cut short
      script.remove();
      fail(new Error(DAMAGED));
    };
    script.src = new URL(`lab-${name}.js`, folder).href;
    document.head.append(script);
  });
}
