// A reader's own pictures as the model will see them, and what may spoil a plane of them: what
// vaecourse/data/folders.py and the chapter on one's own images do, in small.

/**
 * @typedef {{ width: number, height: number, values: Float32Array }} Grey  in rows; 0 is black and 1 is white
 * @typedef {{ size: number, names: string[], labels: number[], greys: Float32Array[] }} Pictures  each of size × size
 */

export const LEVELS = 255; // greys of a picture: nothing is packed here
const FAINT = 0.1; // of white: what is drawn on transparency with less contrast to white is drawn in white
const FEW = 100; // pictures of which fewer are learned by heart
const PALE = 0.25; // of the way from paper to ink: a picture that spans less is hardly seen
const ALIKE = 0.1; // standard deviation of the pixel that changes most, below which all pictures are nearly the same
const BUSY = 0.15; // the same of the border in the mean, above which the backgrounds differ
const UNEVEN = 5; // times as many pictures of one class as of another

/**
 * Colours as grey, transparent places as white paper.
 * @param {{ data: Uint8ClampedArray, width: number, height: number }} image
 * @returns {Grey}
 */
export function greyOf({ data, width, height }) {
  const onWhite = new Float32Array(width * height), onBlack = onWhite.slice();
  for (let i = 0; i < onWhite.length; i++) {
    const at = 4 * i, alpha = data[at + 3] / 255;
    const luma = 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2]; // ITU-R BT.601, as Pillow has it
    onBlack[i] = (luma / 255) * alpha;
    onWhite[i] = onBlack[i] + 1 - alpha;
  }
  const isWhiteInk = onWhite.every((v) => v > 1 - FAINT) && onBlack.includes(0);
  return { width, height, values: isWhiteInk ? onBlack.map((v) => 1 - v) : onWhite };
}

/** The cubic of Keys (1981) with a = -1/2, as Pillow's BICUBIC has it. @param {number} x */
function cubic(x) {
  x = Math.abs(x);
  return x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? -0.5 * (((x - 5) * x + 8) * x - 4) : 0;
}

/**
 * Brings lines of numbers to another length: `before` and `after` numbers each, `stride` apart within a line.
 * @param {Float32Array} values
 * @param {{ lines: number, step: number, stride: number }} at  how many lines, and how far apart they begin
 * @param {{ step: number, stride: number }} to
 * @param {number} before
 * @param {number} after
 */
function resize(values, at, to, before, after) {
  const out = new Float32Array(at.lines * after);
  const scale = before / after, wide = Math.max(1, scale);
  for (let i = 0; i < after; i++) {
    const middle = (i + 0.5) * scale;
    const first = Math.max(0, Math.round(middle - 2 * wide)), end = Math.min(before, Math.round(middle + 2 * wide));
    const weights = Array.from({ length: end - first }, (_, k) => cubic((first + k + 0.5 - middle) / wide));
    const total = weights.reduce((a, b) => a + b, 0);
    for (let line = 0; line < at.lines; line++) {
      let sum = 0;
      for (let k = first; k < end; k++) sum += weights[k - first] * values[line * at.step + k * at.stride];
      out[line * to.step + i * to.stride] = sum / total;
    }
  }
  return out;
}

/**
 * A picture at another size.
 * @param {Grey} grey
 * @param {number} width
 * @param {number} height
 * @returns {Grey}
 */
export function resized({ values, ...from }, width, height) {
  const rows = { lines: from.height, step: from.width, stride: 1 };
  const narrow = resize(values, rows, { step: width, stride: 1 }, from.width, width);
  const columns = { lines: width, step: 1, stride: width };
  return { width, height, values: resize(narrow, columns, columns, from.height, height) };
}

/** To the nearest whole number, halves to the even one, as Python has it. @param {number} x */
const round = (x) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));

/** @param {number[]} values */
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

/**
 * What stands at the border.
 * @param {Grey} grey
 */
export function borderOf({ width, height, values }) {
  const border = [];
  for (let x = 0; x < width; x++) border.push(values[x], values[(height - 1) * width + x]);
  for (let y = 0; y < height; y++) border.push(values[y * width], values[(y + 1) * width - 1]);
  return border;
}

/**
 * A picture, as large as fits into a square, in the middle of a page of its border's tone.
 * @param {Grey} grey
 * @param {number} size
 */
export function fitted(grey, size) {
  const share = Math.min(size / grey.width, size / grey.height);
  /** @param {number} side */
  const side = (side) => Math.max(1, round(share * side));
  const small = resized(grey, side(grey.width), side(grey.height));
  const page = new Float32Array(size * size).fill(median(borderOf(grey)));
  const left = round((size - small.width) / 2), top = round((size - small.height) / 2);
  for (let y = 0; y < small.height; y++) {
    page.set(small.values.subarray(y * small.width, (y + 1) * small.width), (top + y) * size + left);
  }
  return page.map((v) => Math.min(1, Math.max(0, v)));
}

/**
 * Whether light is paper: most of the border of all pictures is light. One answer for all, since a picture that came
 * out the other way round than its neighbours would be the largest difference on the plane.
 * @param {Pictures} pictures
 */
export function paperIsLight({ size, greys }) {
  return !greys.length || median(greys.flatMap((values) => borderOf({ width: size, height: size, values }))) > 0.5;
}

/**
 * What may spoil a plane of these pictures, as sentences; none is a good sign.
 * @param {Pictures} pictures
 */
export function worriesOf({ size, names, labels, greys }) {
  const counts = names.map((_, label) => labels.filter((other) => other === label).length);
  const most = counts.indexOf(Math.max(...counts)), least = counts.indexOf(Math.min(...counts));
  const spans = greys.map((values) => Math.max(...values) - Math.min(...values));
  const constant = spans.filter((span) => span < 1 / LEVELS).length;
  const pale = spans.filter((span) => span < PALE).length - constant;
  const twins = greys.length - new Set(greys.map(String)).size;
  const changes = Array.from({ length: size * size }, (_, k) => {
    const mean = greys.reduce((sum, values) => sum + values[k], 0) / greys.length;
    return Math.sqrt(greys.reduce((sum, values) => sum + (values[k] - mean) ** 2, 0) / greys.length);
  });
  const border = borderOf({ width: size, height: size, values: Float32Array.from(changes) });
  /** @type {[boolean, string][]} */
  const found = [
    [greys.length < FEW, `${greys.length} pictures are few: they will be learned by heart. Some hundred are a start.`],
    [counts[most] > UNEVEN * counts[least],
      `${names[most]} has ${counts[most]} pictures, ${names[least]} ${counts[least]}.`],
    [twins > 0, `Exact copies of other pictures: ${twins}. A copy held back for a test is no test.`],
    [constant > 0, `Pictures of one tone, in which nothing is seen: ${constant}. Leave them out.`],
    [pale > 0, `Pictures with little contrast: ${pale}. A thicker pen, or more light, shows more.`],
    [border.reduce((sum, v) => sum + v, 0) / border.length > BUSY,
      "The borders differ: backgrounds will use up the two numbers. Cut the subjects out, or crop."],
    [Math.max(...changes) < ALIKE, "All pictures are nearly the same: there is little to learn."],
  ];
  return found.filter(([isSo]) => isSo).map(([, words]) => words);
}
