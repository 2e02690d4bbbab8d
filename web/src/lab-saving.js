// What a reader can keep of a training: the weights as a file for VAE.load, and a picture.

import { brush, h, paintInk } from "./dom.js";

const ACROSS = 21; // drawings in a row of the picture
const EDGE = 24; // pixels around the parts of the picture

/**
 * Hands a file to the browser to keep.
 * @param {string} name
 * @param {Blob} content
 */
export function keep(name, content) {
  const address = URL.createObjectURL(content);
  const link = h("a", { href: address, download: name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10_000); // once the browser has taken it
}

/**
 * The plane as it stands, and beside it what is drawn where, as a PNG.
 * @param {HTMLCanvasElement} plane
 * @param {import("./model.js").Model} model
 * @param {number} extent
 * @returns {Promise<Blob>}
 */
export function snapshot(plane, model, extent) {
  const side = 800;
  const canvas = h("canvas", { width: 2 * side + 3 * EDGE, height: side + 2 * EDGE });
  const sheet = h("canvas", { width: ACROSS * model.width, height: ACROSS * model.height });
  /** @param {number} i */
  const z = (i) => extent * ((2 * i + 1) / ACROSS - 1);
  for (let row = 0; row < ACROSS; row++) {
    for (let i = 0; i < ACROSS; i++) {
      const drawing = model.decode(z(i), -z(row));
      paintInk(sheet, drawing, model.width, model.height, i * model.width, row * model.height);
    }
  }
  const context = brush(canvas);
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(plane, EDGE, EDGE, side, side);
  context.drawImage(sheet, side + 2 * EDGE, EDGE, side, side);
  return new Promise((done, fail) => {
    canvas.toBlob((blob) => (blob ? done(blob) : fail(new Error("The browser makes no picture of this size."))));
  });
}
