// Files that a reader chose or dropped: which of them are pictures, of which class, and what is in them.

import { brush, h } from "./dom.js";
import { greyOf } from "./lab-pictures.js";

/**
 * @typedef {{ file: File, path: string }} Found  with the folders on the way to it
 * @typedef {{ file: File, path: string, label: number }} Picture
 * @typedef {{ path: string, reason: string }} Left  what is left out and why
 */

const ENDINGS = /\.(avif|bmp|gif|jfif|jpe?g|png|webp)$/i;
const LITTER = /(^|\/)(\.|__MACOSX\/|Thumbs\.db$|desktop\.ini$)/; // what systems leave behind: nobody asks for it
const REASONS = [ // for what is no picture that browsers show
  { ending: /\.hei[cf]$/i, reason: "browsers show no HEIC; on an iPhone choose Camera, Formats, Most Compatible" },
  { ending: /\.svg$/i, reason: "a drawing in lines has no pixels; save it as PNG" },
];
const MOST = 2000; // files
const HEAVIEST = 64; // megabytes of a file
const MOST_PIXELS = 64; // million pixels of a picture: four bytes each, for a moment

/**
 * What was chosen.
 * @param {FileList | null} list
 * @returns {Found[]}
 */
export function chosen(list) {
  return [...(list ?? [])].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
}

/**
 * What was dropped, with all that is in its folders.
 * @param {DataTransfer} data
 * @returns {Promise<Found[]>}
 */
export async function dropped(data) {
  const entries = [...data.items].map((item) => item.webkitGetAsEntry()); // before anything is waited for
  const folders = entries.some((entry) => entry?.isDirectory);
  if (!folders) return chosen(data.files);
  return (await Promise.all(entries.flatMap((entry) => (entry ? [inside(entry)] : [])))).flat();
}

/**
 * @param {FileSystemEntry} entry
 * @returns {Promise<Found[]>}
 */
async function inside(entry) {
  if (entry.isFile) {
    /** @type {File} */
    const file = await new Promise((done, fail) => {
      /** @type {FileSystemFileEntry} */ (entry).file(done, fail);
    });
    return [{ file, path: entry.fullPath.slice(1) }];
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader(), found = [];
  for (;;) { // a reader hands over a hundred at a time
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((done, fail) => {
      reader.readEntries(done, fail);
    });
    if (!some.length) return found;
    found.push(...(await Promise.all(some.map(inside))).flat());
  }
}

/**
 * Which files are pictures, and of which class: one sub-folder a class, its name the class's name. Without sub-folders
 * all are of one class.
 * @param {Found[]} found
 * @returns {{ pictures: Picture[], names: string[], left: Left[] }}
 */
export function sorted(found) {
  /** @type {Left[]} */
  const left = [];
  const seen = found.filter(({ path }) => !LITTER.test(path)).sort((a, b) => (a.path < b.path ? -1 : 1));
  const deep = seen.some(({ path }) => path.split("/").length > 2);
  const good = seen.filter(({ file, path }, i) => {
    const reason = REASONS.find(({ ending }) => ending.test(path))?.reason
      ?? (!ENDINGS.test(path) ? "not named like a picture"
        : deep && path.split("/").length < 3 ? "lies beside the folders"
          : file.size > HEAVIEST * 1e6 ? `has more than ${HEAVIEST} MB`
            : i >= MOST ? `comes after the first ${MOST.toLocaleString("en")} files` : null);
    if (reason) left.push({ path, reason });
    return !reason;
  });
  /** @param {Found} one */
  const kind = ({ path }) => path.split("/").at(deep ? 1 : -2) ?? "pictures";
  const names = [...new Set(good.map(kind))].sort();
  return { pictures: good.map((one) => ({ ...one, label: names.indexOf(kind(one)) })), names, left };
}

/**
 * How many pixels a file says that it has, where its first bytes tell: a small PNG or GIF may hold a huge picture.
 * @param {File} file
 */
async function promised(file) {
  const head = new DataView(await file.slice(0, 24).arrayBuffer());
  if (head.byteLength < 24) return 0;
  if (head.getUint32(0) === 0x89504e47) return head.getUint32(16) * head.getUint32(20); // PNG
  return head.getUint32(0) === 0x47494638 ? head.getUint16(6, true) * head.getUint16(8, true) : 0; // GIF
}

/**
 * What is in a file, turned as its camera was held; of what moves, the first picture. Throws a sentence.
 * @param {File} file
 * @param {number} most  pixels of the longer side, to which a larger picture is brought
 */
export async function greyFrom(file, most) {
  const tooLarge = new Error(`has more than ${MOST_PIXELS} million pixels`);
  if (await promised(file) > MOST_PIXELS * 1e6) throw tooLarge;
  const image = await createImageBitmap(file, { imageOrientation: "from-image" }).catch(() => {
    throw new Error("broken, or no picture that this browser can show");
  });
  try {
    if (image.width * image.height > MOST_PIXELS * 1e6) throw tooLarge;
    const share = Math.min(1, most / Math.max(image.width, image.height));
    const width = Math.max(1, Math.round(share * image.width)), height = Math.max(1, Math.round(share * image.height));
    const context = brush(h("canvas", { width, height }), { willReadFrequently: true });
    context.imageSmoothingQuality = "high";
    context.drawImage(image, 0, 0, width, height);
    return greyOf(context.getImageData(0, 0, width, height));
  } finally {
    image.close();
  }
}
