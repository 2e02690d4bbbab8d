// Built by book/tools/explorer_static.py from vaecourse/explorer/src. Edit those files.

// The colours of the book's figures (vaecourse.plots): ten classes, and one map for densities.

/** Matplotlib's petroff10, made for colour-blind readers (Petroff, 2021). */
const CLASSES = [
  "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
];

/** Nine stops of Matplotlib's viridis. */
const VIRIDIS = ["#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725"];

const channels = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
const STOPS = VIRIDIS.map(channels);

const VIRIDIS_CSS = `linear-gradient(to right, ${VIRIDIS.join(", ")})`;

function classColor(label) {
  return CLASSES[label % CLASSES.length];
}

/** Viridis at t in [0, 1], as red, green and blue of 0 to 255. */
function viridis(t) {
  const at = Math.min(1, Math.max(0, t)) * (STOPS.length - 1);
  const i = Math.min(STOPS.length - 2, Math.floor(at));
  return STOPS[i].map((low, channel) => low + (at - i) * (STOPS[i + 1][channel] - low));
}

// Small helpers for elements and pictures.


/** An element: h("button", { type: "button", onclick: go }, "Play"). */
function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "style") node.style.cssText = value; // as an attribute, a strict policy would not let it through
    else if (value != null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

let made = 0;

/** An id that no other explorer of the page has. */
function freshId() {
  return `latent-explorer-${++made}`;
}

/** A number with two digits and a real minus sign. */
function number(value, digits = 2) {
  return value.toFixed(digits).replace("-", "−");
}

/** A slider with its name and its value. */
function slider(name, limits, onInput) {
  const id = freshId();
  const output = h("output", { for: id });
  const input = h("input", { type: "range", id, ...limits, oninput: () => onInput(input.valueAsNumber) });
  // Slides listen for arrow keys, too; these belong to the slider.
  input.addEventListener("keydown", (event) => event.stopPropagation());
  const show = (value) => {
    input.valueAsNumber = value;
    output.value = number(value);
  };
  return { element: h("div", { class: "lx-slider" }, h("label", { for: id }, name), input, output), input, show };
}

/** A canvas for one small picture, which the style sheet enlarges without smoothing. */
function picture(width, height, label) {
  return h("canvas", { width, height, class: "lx-picture", role: "img", "aria-label": label });
}

/** Paints grey values (0 = paper, 1 = ink) in rows; `left` and `top` say where to begin. */
function paintInk(canvas, values, width, height, left = 0, top = 0) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const { data } = image;
  for (let i = 0, at = 0; i < width * height; i++, at += 4) { // at every frame: no small arrays here
    data[at] = data[at + 1] = data[at + 2] = 255 * (1 - values[i]); // rounded and kept in range by the array
    data[at + 3] = 255;
  }
  context.putImageData(image, left, top);
}

/** Paints a map of n × m values in [0, 1], whose first row is the lowest, in viridis. */
function paintMap(canvas, values, width, height) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const table = Array.from({ length: 256 }, (_, level) => [...viridis(level / 255), 255]);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const level = Math.round(255 * Math.min(1, Math.max(0, values[(height - 1 - y) * width + x])));
      image.data.set(table[level], 4 * (y * width + x));
    }
  }
  context.putImageData(image, 0, 0);
}

// Numbers: half precision, the error function, the prior, and the one place where a coordinate is rounded.

/**
 * A coordinate of the plane as the explorer shows, sends and draws it: in steps of 0.01, within the plane.
 * Every way to move the point goes through here, so that a slider and the plane never show different numbers.
 * @param {number} value  @param {number} extent  half the plane's side
 * @returns {number} NaN when value is not a finite number
 */
function settle(value, extent) {
  if (!Number.isFinite(value)) return NaN;
  return Math.min(extent, Math.max(-extent, Math.round(value * 100) / 100)) + 0; // + 0 turns -0 into 0
}

/** The number that 16 bits of half precision stand for (IEEE 754 binary16). Old browsers have no Float16Array. */
function halfToFloat(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** erf(x) to 1.5e-7 (Abramowitz and Stegun, formula 7.1.26). */
function erf(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const poly = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return Math.sign(x) * (1 - poly * Math.exp(-x * x));
}

/** GELU(x) = x Φ(x), exactly as torch.nn.GELU has it. */
function gelu(x) {
  return 0.5 * x * (1 + erf(x * Math.SQRT1_2));
}

/** log P(z) of N(0, I) in two dimensions, in nats. */
function logPrior(z1, z2) {
  return -Math.log(2 * Math.PI) - 0.5 * (z1 * z1 + z2 * z2);
}

/** log Σ exp(values), safe for values of any size. */
function logSumExp(values) {
  let top = -Infinity;
  for (const v of values) if (v > top) top = v;
  if (top === -Infinity) return top;
  let sum = 0;
  for (const v of values) sum += Math.exp(v - top);
  return top + Math.log(sum);
}

/** The bytes of whatever the host hands over (a DataView at an offset, an array, a buffer), as a copy. */
function toBytes(data) {
  if (data == null) return new Uint8Array(0);
  if (data instanceof ArrayBuffer) return new Uint8Array(data.slice(0));
  return new Uint8Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength));
}

/** Little-endian float16 values as numbers. */
function toHalves(data) {
  const view = new DataView(toBytes(data).buffer);
  return Float32Array.from({ length: view.byteLength / 2 }, (_, i) => halfToFloat(view.getUint16(2 * i, true)));
}

/** Little-endian float32 values as numbers. A copy, since a Float32Array must begin at a multiple of four bytes. */
function toFloats(data) {
  return new Float32Array(toBytes(data).buffer);
}

// The decoder that moves pixels (vaecourse/views.py) in the browser: a code becomes flow fields and a mask, and those
// warp and blend two photographs.


/** Output of a transposed convolution, kernel 4, stride 2, padding 1: (channels, side, side) to twice the side. */
function widen(input, side, { shape: [channels, outs], data: weight }, { data: bias }) {
  const wide = 2 * side;
  const out = new Float64Array(outs * wide * wide).map((_, i) => bias[Math.floor(i / (wide * wide))]);
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const v = input[(c * side + y) * side + x];
        for (let o = 0; o < outs; o++) {
          const kernel = 16 * (c * outs + o);
          for (let j = Math.max(0, 1 - 2 * y); j < Math.min(4, wide + 1 - 2 * y); j++) {
            const row = (o * wide + 2 * y - 1 + j) * wide - 1 + 2 * x;
            for (let i = Math.max(0, 1 - 2 * x); i < Math.min(4, wide + 1 - 2 * x); i++) {
              out[row + i] += v * weight[kernel + 4 * j + i];
            }
          }
        }
      }
    }
  }
  return out;
}

/** Output of a convolution, kernel 3, padding 1. */
function convolve(input, side, { shape: [outs, channels], data: weight }, { data: bias }) {
  const out = new Float64Array(outs * side * side);
  for (let o = 0; o < outs; o++) {
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        let sum = bias[o];
        for (let c = 0; c < channels; c++) {
          for (let j = Math.max(0, 1 - y); j < Math.min(3, side + 1 - y); j++) {
            const row = (c * side + y + j - 1) * side + x - 1;
            const kernel = 9 * (o * channels + c) + 3 * j;
            const end = Math.min(3, side + 1 - x);
            for (let i = Math.max(0, 1 - x); i < end; i++) sum += input[row + i] * weight[kernel + i];
          }
        }
        out[(o * side + y) * side + x] = sum;
      }
    }
  }
  return out;
}

/** A code (latent_dim numbers) as flow fields and mask: 5 × 16 × 16 numbers. */
function fieldsOf(tensors, z) {
  const layer = (i) => [tensors.get(`fields.${i}.weight`), tensors.get(`fields.${i}.bias`)];
  const [{ shape: [rows, columns], data: weight }, { data: bias }] = layer(0);
  let hidden = Float64Array.from({ length: rows }, (_, row) => {
    let sum = bias[row];
    for (let k = 0; k < columns; k++) sum += weight[row * columns + k] * z[k];
    return gelu(sum);
  });
  hidden = widen(hidden, 4, ...layer(3)).map(gelu);
  hidden = widen(hidden, 8, ...layer(5)).map(gelu);
  return convolve(hidden, 16, ...layer(7));
}

/** The value of a field with 16 cells a side at a place between cells; beyond the field lies its edge. */
function between(values, start, x, y) {
  const left = Math.floor(x), top = Math.floor(y);
  let sum = 0;
  for (const [i, j] of [[left, top], [left + 1, top], [left, top + 1], [left + 1, top + 1]]) {
    const share = (1 - Math.abs(x - i)) * (1 - Math.abs(y - j));
    sum += share * values[start + Math.min(15, Math.max(0, j)) * 16 + Math.min(15, Math.max(0, i))];
  }
  return sum;
}

/** Weight of a pixel at distance d in cubic convolution (Keys, 1981), with the a = -0.75 that PyTorch takes. */
function keys(d) {
  const a = -0.75;
  d = Math.abs(d);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

/** The value of a picture with `side` pixels a side at a place between pixels; beyond it lies black. */
function fetch(photo, side, x, y) {
  const left = Math.floor(x) - 1, top = Math.floor(y) - 1;
  let sum = 0;
  for (let j = Math.max(0, top); j < Math.min(side, top + 4); j++) {
    let across = 0;
    for (let i = Math.max(0, left); i < Math.min(side, left + 4); i++) across += keys(x - i) * photo[j * side + i];
    sum += keys(y - j) * across;
  }
  return sum;
}

/**
 * The view at share t (0 to 1, without the ends) of the way from the left photograph to the right one.
 * @param {Float64Array} fields  what fieldsOf makes of the code
 * @param {ArrayLike<number>} left  side × side grey levels; `right` likewise
 */
function moved(fields, left, right, side, t) {
  const out = new Float64Array(side * side);
  const odds = Math.log((1 - t) / t);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const [x, y] = [column, row].map((k) => Math.max(0, ((k + 0.5) * 16) / side - 0.5));
      const [vlx, vly, vrx, vry, b] = [0, 1, 2, 3, 4].map((k) => between(fields, 256 * k, x, y));
      const from = (photo, vx, vy, far) => fetch(
        photo, side, column + (far * vx * side) / 2, row + (far * vy * side) / 2);
      const mask = 1 / (1 + Math.exp(-b - odds));
      const grey = mask * from(left, vlx, vly, t) + (1 - mask) * from(right, vrx, vry, 1 - t);
      out[row * side + column] = Math.min(1, Math.max(0, grey)); // cubics overshoot a little
    }
  }
  return out;
}

// The VAE in the browser: the same safetensors file, the same layers, the same numbers as in Python.


/**
 * Reads a safetensors file: 8 bytes of header length, a JSON header, then the numbers.
 * @returns {{ tensors: Map<string, { shape: number[], data: Float32Array }>, meta: object }}
 */
function readSafetensors(data) {
  const bytes = toBytes(data);
  const view = new DataView(bytes.buffer);
  if (bytes.length < 8) throw new Error("The weights are empty.");
  const length = Number(view.getBigUint64(0, true));
  if (length > bytes.length - 8) throw new Error("The weights are cut short.");
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  const tensors = new Map();
  const { __metadata__: notes, ...entries } = header;
  for (const [name, { dtype, shape, data_offsets: [start, end] }] of Object.entries(entries)) {
    const width = { F16: 2, F32: 4 }[dtype];
    if (!width) throw new Error(`The weights are of type ${dtype}; the page reads F16 and F32.`);
    const at = 8 + length + start;
    if (8 + length + end > bytes.length) throw new Error("The weights are cut short.");
    const numbers = new Float32Array((end - start) / width);
    for (let i = 0; i < numbers.length; i++) {
      numbers[i] = width === 2 ? halfToFloat(view.getUint16(at + 2 * i, true)) : view.getFloat32(at + 4 * i, true);
      if (!Number.isFinite(numbers[i])) throw new Error(`The weights hold a number that is not finite, in ${name}.`);
    }
    tensors.set(name, { shape, data: numbers });
  }
  return { tensors, meta: JSON.parse(notes?.meta ?? "{}") };
}

/** Linear layers with a GELU between each two and none at the end. */
class Mlp {
  constructor(tensors, name) {
    this.layers = [];
    for (let i = 0; tensors.has(`${name}.net.${i}.weight`); i += 2) {
      const { shape: [rows, columns], data: weight } = tensors.get(`${name}.net.${i}.weight`);
      const bias = tensors.get(`${name}.net.${i}.bias`).data;
      this.layers.push({ rows, columns, weight, bias, out: new Float64Array(rows) });
    }
    if (!this.layers.length) throw new Error(`The weights hold no ${name}.`);
  }

  /** The output for one input. It is overwritten by the next call. */
  forward(input) {
    for (const [i, layer] of this.layers.entries()) {
      const { rows, columns, weight, bias, out } = layer;
      for (let row = 0; row < rows; row += 4) { // four rows at once: each input is fetched once for all
        const p = row * columns, q = p + columns, r = q + columns, s = r + columns;
        let a = bias[row], b = bias[row + 1], c = bias[row + 2], d = bias[row + 3];
        for (let k = 0; k < columns; k++) {
          const v = input[k];
          a += weight[p + k] * v;
          b += weight[q + k] * v;
          c += weight[r + k] * v;
          d += weight[s + k] * v;
        }
        out[row] = a; out[row + 1] = b; out[row + 2] = c; out[row + 3] = d;
      }
      if (i < this.layers.length - 1) for (let row = 0; row < rows; row++) out[row] = gelu(out[row]);
      input = out;
    }
    return input;
  }
}

/** A VAE with two latent numbers: f(z), Q(z|x) and log P(x|z). */
class Model {
  /** @param {ArrayBuffer | DataView | Uint8Array} bytes  a safetensors file as vaecourse writes it */
  constructor(bytes) {
    const { tensors, meta: { config } } = readSafetensors(bytes);
    if (config?.latent_dim !== 2) {
      const found = config?.latent_dim ?? "an unknown number of";
      throw new Error(`This model has ${found} latent numbers; a plane shows two.`);
    }
    [this.height, this.width] = config.image_shape;
    this.pixels = this.height * this.width;
    this.decoder = new Mlp(tensors, "decoder");
    this.encoder = new Mlp(tensors, "encoder");
    this.sigma = tensors.has("log_sigma") ? Math.exp(tensors.get("log_sigma").data[0]) : NaN;
  }

  /** f(z), the mean of P(x|z), written into `out` (pixels in rows, 0 = paper, 1 = ink). */
  decode(z1, z2, out = new Float64Array(this.pixels)) {
    const logits = this.decoder.forward([z1, z2]);
    for (let i = 0; i < out.length; i++) out[i] = 1 / (1 + Math.exp(-logits[i]));
    return out;
  }

  /** Q(z|x): its mean and its standard deviations. */
  encode(x) {
    const [m1, m2, r1, r2] = this.encoder.forward(x);
    return { mean: [m1, m2], sd: [1 / (1 + Math.exp(-r1)), 1 / (1 + Math.exp(-r2))] };
  }

  /** log P(x|z) in nats, where f = f(z). */
  logLikelihood(x, f) {
    let squares = 0;
    for (let i = 0; i < f.length; i++) squares += (x[i] - f[i]) ** 2;
    return -0.5 * squares / this.sigma ** 2 - f.length * (Math.log(this.sigma) + 0.5 * Math.log(2 * Math.PI));
  }
}

// Light or dark: as the page says or, where it says nothing, as the system does.

/** @returns {boolean} whether the surrounding page is dark */
function isDark() {
  const book = document.documentElement.dataset.theme; // the book: "light", "dark"
  const lab = document.body.dataset.jpThemeLight; // JupyterLab: "true", "false"
  const code = document.body.dataset.vscodeThemeKind; // VS Code: "vscode-dark", …
  if (book === "light" || book === "dark") return book === "dark";
  if (lab) return lab === "false";
  if (code) return !code.endsWith("light");
  return window.matchMedia("(prefers-color-scheme: dark)").matches;
}

/** Keeps `root` in the page's theme, and says when it changed. Returns what ends that. */
function followTheme(root, changed) {
  const update = () => {
    root.classList.toggle("lx-dark", isDark());
    changed();
  };
  const watcher = new MutationObserver(update);
  const attributeFilter = ["data-theme", "data-jp-theme-light", "data-vscode-theme-kind"];
  const attributes = { attributes: true, attributeFilter };
  watcher.observe(document.documentElement, attributes);
  watcher.observe(document.body, attributes);
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", update);
  update();
  return () => {
    watcher.disconnect();
    system.removeEventListener("change", update);
  };
}

// Two ends and a path between them: a slider t, a filmstrip, and the cross-fade of the two end pictures beside it.


const FRAMES = 9;
const SECONDS = 4; // from end to end when it plays

/** The place at share t of the way through points ([z1, z2] each), equal time for each leg. */
function pathAt(points, t) {
  const at = Math.min(1, Math.max(0, t)) * (points.length - 1);
  const leg = Math.min(points.length - 2, Math.floor(at));
  const [a, b] = [points[leg], points[leg + 1]];
  return a.map((start, axis) => start + (at - leg) * (b[axis] - start));
}

/** (1 - t) a + t b, pixel by pixel. */
function crossFade(a, b, t) {
  return a.map((value, i) => (1 - t) * value + t * b[i]);
}

/** @param {(t: number) => void} go  hears where on the path the reader wants to be */
function walkPanel(model, go) {
  const { width, height } = model;
  const strip = (label) => picture(FRAMES * width, height, label);
  const along = strip(`${FRAMES} drawings along the path`);
  const fade = strip(`${FRAMES} cross-fades of the two end pictures`);
  const now = picture(width, height, "the cross-fade at t");
  const t = slider("t", { min: 0, max: 1, step: 0.01 }, (value) => {
    pause();
    go(value);
  });
  const button = h("button", { type: "button", onclick: () => (playing ? pause() : play()) }, "Play");
  let ends = [];
  let place = 0;
  let playing = 0;

  /** New ends or a new path: the strips are drawn again. */
  function showPath(points) {
    ends = [points[0], points.at(-1)].map(([z1, z2]) => model.decode(z1, z2));
    for (let i = 0; i < FRAMES; i++) {
      const share = i / (FRAMES - 1);
      paintInk(along, model.decode(...pathAt(points, share)), width, height, i * width);
      paintInk(fade, crossFade(ends[0], ends[1], share), width, height, i * width);
    }
    showPlace(place);
  }

  function showPlace(share) {
    place = share;
    t.show(share);
    paintInk(now, crossFade(ends[0], ends[1], share), width, height);
  }

  function play() {
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    button.textContent = "Pause";
    if (place >= 1) go(0);
    let before = performance.now();
    const step = (time) => {
      const gone = (time - before) / 1000 / SECONDS;
      // Who asked for less motion sees the stills of the strip, one after the other.
      if (!calm || gone >= 1 / (FRAMES - 1)) {
        go(Math.min(1, place + gone));
        before = time;
      }
      if (place >= 1) return pause();
      playing = requestAnimationFrame(step);
    };
    playing = requestAnimationFrame(step);
  }

  function pause() {
    cancelAnimationFrame(playing);
    playing = 0;
    button.textContent = "Play";
  }

  const element = h("div", { role: "region", class: "lx-walk", "aria-label": "Walk from A to B" },
    h("div", { class: "lx-row" }, button, t.element),
    h("figure", {}, along, h("figcaption", {}, "along the path, decoded")),
    h("figure", {}, fade, h("figcaption", {}, "the cross-fade: each pixel by itself")),
    h("figure", { class: "lx-small" }, now, h("figcaption", {}, "the cross-fade at t")));
  return { element, showPath, showPlace, stop: pause };
}

// An object that turns under the reader's hand: photographs every few degrees, and between them views that nobody took.
//
// The host gives a model with traits: angle (degrees), object (a number), and
//   spec     { names, views, every, side, dim, photos: one sheet (PNG, nine in a row) for each object, caption }
//   weights  the decoder that moves pixels, a safetensors file; codes: float32, those of the known views


const ACROSS = 9; // photographs in a row of a sheet

/** The angle, in degrees, from 0 to 360. */
const turn = (angle) => ((angle % 360) + 360) % 360;

/** The views of one object from its sheet: grey levels from 0 to 1. */
async function unpack(address, count, side) {
  const bytes = Uint8Array.from(atob(address.split(",")[1]), (letter) => letter.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes], { type: "image/png" })); // data addresses may be forbidden
  const canvas = h("canvas", { width: image.width, height: image.height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  return Array.from({ length: count }, (_, i) => {
    const { data } = context.getImageData((i % ACROSS) * side, Math.floor(i / ACROSS) * side, side, side);
    return Float64Array.from({ length: side * side }, (_, k) => data[4 * k] / 255);
  });
}

/** How close two pictures are, in decibels. */
function psnr(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return -10 * Math.log10(Math.max(sum / a.length, 1e-10));
}

/** Draws the turning object into `el`; returns what takes it away again. */
function renderTurning({ model: host, el }) {
  const root = h("div", { class: "latent-explorer lx-turning", role: "group", "aria-label": "Turning object" });
  el.append(root);
  const { names, views, every, side, dim, photos, caption } = host.get("spec");
  const { tensors } = readSafetensors(host.get("weights"));
  const codes = toFloats(host.get("codes"));
  const known = views / every;
  const step = 360 / views;
  const canvases = ["the new view", "the photograph that was held back", "the cross-fade"].map(
    (label) => picture(side, side, label));
  const captions = canvases.map(() => h("figcaption"));
  const status = h("p", { role: "status", class: "lx-told" });
  const sheets = new Map(); // object: its views
  let [frame, stopped] = [0, false];

  const range = h("input", {
    type: "range", id: freshId(), min: 0, max: 360, step: 1, oninput: () => send({ angle: range.valueAsNumber }),
  });
  range.addEventListener("keydown", (event) => event.stopPropagation());
  const output = h("output", { for: range.id });
  const choice = h("div", { class: "lx-choice", role: "radiogroup", "aria-label": "Object" });
  const group = freshId();
  names.forEach((name, i) => {
    const input = h("input", { type: "radio", name: group, value: name, onchange: () => send({ object: i }) });
    input.checked = i === host.get("object");
    choice.append(h("label", {}, input, h("span", {}, name)));
  });
  const reveal = h("button", { type: "button", "aria-pressed": "false", onclick: () => {
    reveal.setAttribute("aria-pressed", String(reveal.getAttribute("aria-pressed") === "false"));
    update();
  } }, "Show what was held back");

  function send(values) {
    for (const [name, value] of Object.entries(values)) host.set(name, value);
    host.save_changes();
  }

  function schedule() {
    frame ||= requestAnimationFrame(update);
  }

  async function update() {
    frame = 0;
    const object = Math.min(names.length - 1, Math.max(0, host.get("object")));
    if (!sheets.has(object)) sheets.set(object, unpack(photos[object], views, side));
    const all = await sheets.get(object);
    if (stopped) return;
    const angle = turn(host.get("angle"));
    const at = angle / step / every;
    const first = Math.floor(at) % known;
    const t = at - Math.floor(at);
    const [left, right] = [first, (first + 1) % known].map((i) => all[i * every]);
    const fade = crossFade(left, right, t);
    let view = left;
    if (t > 0) {
      const code = (i) => codes.subarray((object * known + i) * dim, (object * known + i + 1) * dim);
      const z = crossFade(code(first), code((first + 1) % known), t);
      view = moved(fieldsOf(tensors, z), left, right, side, t);
    }
    const place = Math.round(angle / step);
    const truth = all[place % views];
    const shown = reveal.getAttribute("aria-pressed") === "true";
    canvases.slice(1).forEach((canvas) => (canvas.parentElement.hidden = !shown));
    [view, truth, fade].forEach((image, i) => paintInk(canvases[i], image.map((v) => 1 - v), side, side));
    range.valueAsNumber = angle;
    output.value = `${number(angle, 0)}°`;
    choice.querySelectorAll("input").forEach((input, i) => (input.checked = i === object));
    const kind = t > 0 ? "a new view, which the model never saw" : "a photograph that the model knows";
    const exact = Math.abs(place * step - angle) < 1e-6;
    const score = (image) => (t > 0 && exact ? `: ${number(psnr(image, truth), 1)} dB` : "");
    captions[0].textContent = (t > 0 ? "new view" : "photograph") + score(view);
    captions[1].textContent = exact ? "held back" : `held back, at ${number(place * step, 0)}°`;
    captions[2].textContent = `cross-fade${score(fade)}`;
    status.textContent = `At ${number(angle, 0)}°: ${kind}. Photographs are known every ${step * every}°.`;
  }

  root.append(
    choice,
    h("div", { class: "lx-slider lx-angle" }, h("label", { for: range.id }, "angle"), range, output),
    h("div", { class: "lx-views" }, ...canvases.map((canvas, i) => h("figure", {}, canvas, captions[i]))),
    h("div", { class: "lx-row" }, reveal), status, caption ? h("p", { class: "lx-caption" }, caption) : "");
  // The picture itself can be turned by hand: across its width by a quarter.
  canvases[0].addEventListener("pointerdown", (event) => {
    if (event.button) return;
    const [from, start] = [event.clientX, host.get("angle")];
    const { width } = canvases[0].getBoundingClientRect();
    canvases[0].setPointerCapture(event.pointerId);
    const follow = (next) => send({ angle: Math.round(turn(start + (90 * (next.clientX - from)) / width)) });
    canvases[0].onpointermove = follow;
    canvases[0].onpointerup = canvases[0].onpointercancel = () => (canvases[0].onpointermove = null);
    event.preventDefault();
  });
  for (const name of ["angle", "object"]) host.on(`change:${name}`, schedule);
  const unfollow = followTheme(root, () => {});
  update();
  return () => {
    stopped = true;
    unfollow();
    cancelAnimationFrame(frame);
    for (const name of ["angle", "object"]) host.off(`change:${name}`, schedule);
  };
}

export default { render: renderTurning };
