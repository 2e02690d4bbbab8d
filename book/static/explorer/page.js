// Built by book/tools/explorer_static.py from vaecourse/explorer/src. Edit those files.

(() => {
"use strict";

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

// A widget in a page without a kernel: an element that holds the state and draws what a notebook's host would.


/** The bytes that a base64 text stands for. */
function fromBase64(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** What anywidget's model is to a front end: get, set, on, off, save_changes. */
class PageModel {
  constructor(state) {
    this.state = state;
    this.heard = new Map();
  }
  get(name) {
    return this.state[name];
  }
  set(name, value) {
    if (Object.is(this.state[name], value)) return;
    this.state[name] = value;
    for (const then of this.heard.get(`change:${name}`) ?? []) then();
  }
  on(event, then) {
    this.heard.set(event, [...(this.heard.get(event) ?? []), then]);
  }
  off(event, then) {
    this.heard.set(event, (this.heard.get(event) ?? []).filter((other) => other !== then));
  }
  save_changes() {}
}

/**
 * An element with a widget's state inside. It comes to life when the reader comes near: what it needs is heavy.
 * Who extends it says which `bytes` the state holds in base64, what to `draw` and, if need be, to `prepare` first.
 */
class Twin extends HTMLElement {
  connectedCallback() {
    this.watcher = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      this.watcher.disconnect();
      this.start();
    }, { rootMargin: "800px" });
    this.watcher.observe(this);
  }

  async start() {
    const live = h("div");
    try {
      const state = JSON.parse(this.querySelector("script").textContent);
      for (const name of this.bytes) state[name] = fromBase64(state[name]);
      await this.prepare?.(state);
      this.model = new PageModel(state);
      this.stop = this.draw({ model: this.model, el: live });
      this.querySelector(".lx-still").hidden = true;
    } catch (error) {
      live.append(h("p", { class: "latent-explorer lx-error", role: "alert" }, error.message));
    }
    this.append(live);
  }

  disconnectedCallback() {
    this.watcher.disconnect();
    this.stop?.();
  }
}

// What can lie behind the point: codes coloured by class, what is drawn where, or a map.


/**
 * @typedef {object} Layer
 * @property {string} name  as the choice shows it
 * @property {(context: CanvasRenderingContext2D, view: { extent: number, size: number }) => void} paint
 *   draws on a square of `size` pixels, the plane from -extent to extent
 * @property {() => (Node | string)[]} legend
 */

const CIRCLES = "Dashed circles: 1, 2 and 3 standard deviations of the prior.";

/** @returns {Layer} an empty plane */
function emptyLayer() {
  return { name: "nothing", paint() {}, legend: () => [CIRCLES] };
}

/** @returns {Layer} codes (N pairs in a row) coloured by class, each class named at the middle of its codes */
function codesLayer(codes, labels, names) {
  const count = codes.length / 2;
  const all = Array.from({ length: count }, (_, i) => i);
  const median = (members, axis) => members.map((i) => codes[2 * i + axis]).sort((a, b) => a - b)[members.length >> 1];
  const present = [...new Set(labels)].sort((a, b) => a - b);
  const middles = present.map((label) => {
    const members = all.filter((i) => labels[i] === label);
    return [label, median(members, 0), median(members, 1)];
  });
  return {
    name: "codes",
    paint(context, { extent, size }) {
      const at = (z) => ((z / extent + 1) * size) / 2;
      const dot = size / 200;
      context.globalAlpha = 0.75;
      for (let i = 0; i < count; i++) {
        context.fillStyle = classColor(labels[i]);
        context.fillRect(at(codes[2 * i]) - dot / 2, size - at(codes[2 * i + 1]) - dot / 2, dot, dot);
      }
      context.globalAlpha = 1;
      context.font = `bold ${Math.round(size / 30)}px system-ui, sans-serif`;
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.lineWidth = size / 220;
      for (const [label, z1, z2] of middles) {
        const text = names[label] ?? String(label);
        const radius = Math.max(size / 40, context.measureText(text).width / 2 + size / 80);
        context.beginPath();
        context.arc(at(z1), size - at(z2), radius, 0, 2 * Math.PI);
        context.fillStyle = "#fff";
        context.fill();
        context.strokeStyle = classColor(label);
        context.stroke();
        context.fillStyle = "#111";
        context.fillText(text, at(z1), size - at(z2));
      }
    },
    legend: () => [
      ...present.map((label) => h("span", { class: "lx-key" },
        h("i", { style: `background:${classColor(label)}` }), names[label] ?? String(label))),
      CIRCLES,
    ],
  };
}

/** @returns {Layer} f(z) on a grid of steps × steps codes; drawn a few rows at a time, so that nothing waits for it */
function drawingsLayer(model, extent, changed, steps = 21) {
  const sheet = h("canvas", { width: steps * model.width, height: steps * model.height });
  const context = sheet.getContext("2d");
  const strip = h("canvas", { width: sheet.width, height: model.height });
  const image = new Float64Array(model.pixels);
  const z = (i) => extent * ((2 * i + 1) / steps - 1); // each drawing stands on the middle of its square
  let row = -1;
  function drawRow() {
    for (let i = 0; i < steps; i++) {
      paintInk(strip, model.decode(z(i), -z(row), image), model.width, model.height, i * model.width);
    }
    context.drawImage(strip, 0, row * model.height);
    changed();
    if (++row < steps) requestAnimationFrame(drawRow);
  }
  return {
    name: "drawings",
    paint(target, { size }) {
      if (row < 0) {
        row = 0;
        requestAnimationFrame(drawRow);
      }
      target.drawImage(sheet, 0, 0, size, size);
    },
    legend: () => [`What is drawn where: f(z) on a grid of ${steps} × ${steps} codes.`],
  };
}

/**
 * @param {ArrayLike<number>} values  shares of [0, 1], row by row from the lowest z2
 * @param {{ width: number, height: number, low: number, high: number, name: string, title?: string,
 *   reach?: number }} heat
 * @returns {Layer}
 */
function heatLayer(values, heat) {
  const sheet = h("canvas", { width: heat.width, height: heat.height });
  const digits = heat.high - heat.low < 10 ? 2 : 0;
  paintMap(sheet, values, heat.width, heat.height);
  return {
    name: heat.name,
    paint(context, { extent, size }) {
      const side = (size * (heat.reach ?? extent)) / extent;
      context.imageSmoothingQuality = "high";
      context.drawImage(sheet, (size - side) / 2, (size - side) / 2, side, side);
    },
    legend: () => [
      h("span", { class: "lx-bar-key" },
        number(heat.low, digits),
        h("i", { style: `background:${VIRIDIS_CSS}` }),
        number(heat.high, digits)),
      `${heat.title ?? heat.name}. ${CIRCLES}`,
    ],
  };
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

// The plane of codes: a canvas with what lies behind, and handles that can be dragged or moved with arrow keys.


const MARGIN = { left: 2.8, bottom: 2.8, right: 0.8, top: 0.8 }; // for the axes, in em of the element's type
const STEPS = { small: 0.05, large: 0.5 }; // what an arrow key moves, without and with Shift

class Plane {
  /** @param {number} extent  the plane shows -extent to extent on both axes */
  constructor(extent) {
    this.extent = extent;
    this.layer = null;
    this.size = 0; // CSS pixels, the field's side
    this.handles = [];
    this.places = new Map(); // element: the code where it stands
    this.canvas = h("canvas", { "aria-hidden": "true" });
    this.ring = h("span", { class: "lx-ring", hidden: true, "aria-hidden": "true" });
    this.line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
    const lines = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    lines.setAttribute("viewBox", `${-extent} ${-extent} ${2 * extent} ${2 * extent}`);
    lines.setAttribute("aria-hidden", "true");
    lines.append(this.line);
    this.field = h("div", { class: "lx-field" }, lines, this.ring);
    Object.assign(this.field.style, {
      left: `${MARGIN.left}em`, right: `${MARGIN.right}em`, top: `${MARGIN.top}em`, bottom: `${MARGIN.bottom}em`,
    });
    this.element = h("div", { class: "lx-plane" }, this.canvas, this.field);
    this.field.addEventListener("pointerdown", (event) => this.grab(event));
    this.watcher = new ResizeObserver(() => this.repaint());
    this.watcher.observe(this.element);
  }

  /** A thing to drag: `read` tells where it is, `moved` hears where the reader wants it. Returns what puts it there. */
  addHandle(name, kind, read, moved) {
    const element = h("div", {
      class: `lx-handle lx-${kind}`, tabindex: 0, role: "slider",
      "aria-label": `${name} on the plane; arrow keys move it`,
      "aria-valuemin": -this.extent, "aria-valuemax": this.extent, "aria-orientation": "horizontal",
    }, kind === "point" ? "" : name.at(-1));
    const handle = { element, read, moved };
    element.addEventListener("keydown", (event) => this.key(event, handle));
    this.handles.push(handle);
    this.field.append(element);
    return (z1, z2) => {
      this.put(element, z1, z2);
      element.setAttribute("aria-valuenow", z1);
      element.setAttribute("aria-valuetext", `z1 ${number(z1)}, z2 ${number(z2)}`);
    };
  }

  /** Moves an element to a code: by a transform, which needs no new layout of the page. */
  put(element, z1, z2) {
    const half = this.size / 2;
    this.places.set(element, [z1, z2]);
    element.style.transform = `translate(${half * (1 + z1 / this.extent)}px, ${half * (1 - z2 / this.extent)}px)`;
  }

  /** Marks a place with a ring, or none. */
  mark(z) {
    this.ring.hidden = !z || z.some((c) => Math.abs(c) > this.extent);
    if (!this.ring.hidden) this.put(this.ring, ...z);
  }

  /** Draws a line through points ([z1, z2] each). */
  trace(points) {
    this.line.setAttribute("points", points.map(([z1, z2]) => `${z1},${-z2}`).join(" "));
  }

  show(layer) {
    this.layer = layer;
    this.repaint();
  }

  grab(event) {
    if (event.button) return;
    const box = this.field.getBoundingClientRect();
    const at = ({ clientX, clientY }) => [
      settle(this.extent * ((2 * (clientX - box.left)) / box.width - 1), this.extent),
      settle(this.extent * (1 - (2 * (clientY - box.top)) / box.height), this.extent),
    ];
    const near = this.handles.filter(({ element }) => element.contains(event.target));
    const handle = near[0] ?? this.handles[0]; // a press on the open plane calls the point
    if (!near.length) handle.moved(...at(event));
    this.field.setPointerCapture(event.pointerId);
    const move = (next) => next.pointerId === event.pointerId && handle.moved(...at(next));
    const release = (next) => {
      if (next.pointerId !== event.pointerId) return;
      this.field.removeEventListener("pointermove", move);
      for (const end of ["pointerup", "pointercancel"]) this.field.removeEventListener(end, release);
    };
    this.field.addEventListener("pointermove", move);
    for (const end of ["pointerup", "pointercancel"]) this.field.addEventListener(end, release);
    handle.element.focus({ preventScroll: true, focusVisible: false });
    event.preventDefault();
  }

  key(event, handle) {
    const direction = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!direction) return;
    const step = event.shiftKey ? STEPS.large : STEPS.small;
    handle.moved(...handle.read().map((value, axis) => settle(value + step * direction[axis], this.extent)));
    event.preventDefault();
    event.stopPropagation(); // arrow keys turn pages and slides
  }

  /** Everything that does not move: done again when the size, the theme or the layer changes. */
  repaint() {
    const side = this.element.clientWidth;
    if (!side) return;
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = this.canvas.height = Math.round(side * ratio);
    const context = this.canvas.getContext("2d");
    const style = getComputedStyle(this.element);
    context.scale(ratio, ratio);
    const em = parseFloat(style.fontSize);
    const size = side - (MARGIN.left + MARGIN.right) * em;
    this.size = size;
    for (const [element, z] of this.places) this.put(element, ...z);
    context.save();
    context.translate(MARGIN.left * em, MARGIN.top * em);
    context.beginPath();
    context.rect(0, 0, size, size);
    context.clip();
    context.fillStyle = style.getPropertyValue("--lx-plane");
    context.fill();
    this.layer?.paint(context, { extent: this.extent, size });
    this.paintPrior(context, size);
    context.restore();
    this.paintAxes(context, size, em, style.getPropertyValue("--lx-soft"));
  }

  paintPrior(context, size) {
    for (const radius of [1, 2, 3]) {
      context.beginPath();
      context.arc(size / 2, size / 2, (radius * size) / (2 * this.extent), 0, 2 * Math.PI);
      // Light under dark, so that the circles show on paper, on drawings and on maps alike.
      for (const [color, width, dash] of [["#fff9", 2, []], ["#555", 1, [4, 4]]]) {
        context.strokeStyle = color;
        context.lineWidth = width;
        context.setLineDash(dash);
        context.stroke();
      }
    }
    context.setLineDash([]);
  }

  paintAxes(context, size, em, color) {
    const left = MARGIN.left * em, bottom = MARGIN.top * em + size;
    context.strokeStyle = context.fillStyle = color;
    context.font = `${em}px system-ui, sans-serif`;
    context.strokeRect(left, MARGIN.top * em, size, size);
    context.textBaseline = "middle";
    for (let z = -Math.floor(this.extent); z <= this.extent; z += this.extent > 6 ? 4 : 2) {
      const along = ((z / this.extent + 1) * size) / 2;
      context.textAlign = "center";
      context.fillText(number(z, 0), left + along, bottom + 0.95 * em);
      context.textAlign = "right";
      context.fillText(number(z, 0), left - 0.45 * em, bottom - along);
    }
    context.font = `italic ${1.1 * em}px Georgia, serif`;
    context.textAlign = "center";
    context.fillText("z₁", left + size * 0.625, bottom + 1.85 * em);
    context.fillText("z₂", 0.85 * em, MARGIN.top * em + size * 0.375);
  }

  stop() {
    this.watcher.disconnect();
  }
}

// What the point stands for: the drawing f(z), its two sliders, P(z), and the classes of the nearest codes.


const NEIGHBOURS = 10;

/** The classes of the nearest codes, the most frequent first: [label, count] each. */
function nearestClasses(codes, labels, z1, z2, k = NEIGHBOURS) {
  const nearest = []; // [distance², label], sorted, never longer than k
  for (let i = 0; i < labels.length; i++) {
    const d = (codes[2 * i] - z1) ** 2 + (codes[2 * i + 1] - z2) ** 2;
    if (nearest.length === k && d >= nearest[k - 1][0]) continue;
    let at = nearest.length;
    while (at > 0 && nearest[at - 1][0] > d) at--;
    nearest.splice(at, 0, [d, labels[i]]);
    if (nearest.length > k) nearest.pop();
  }
  const counts = new Map();
  for (const [, label] of nearest) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}

/**
 * @param {{ codes: Float32Array, labels: Uint8Array, names: string[] }} known  labelled codes; may be empty
 * @param {(z1: number, z2: number) => void} move
 */
function pointPanel(model, extent, known, move) {
  const canvas = picture(model.width, model.height, "f(z), the drawing at the point");
  const limits = { min: -extent, max: extent, step: 0.01 };
  let z = [0, 0];
  const sliders = [
    slider("z₁", limits, (value) => move(value, z[1])),
    slider("z₂", limits, (value) => move(z[0], value)),
  ];
  const density = h("output");
  const bar = h("div", { class: "lx-mix", "aria-hidden": "true" });
  const mix = h("output");
  const facts = h("dl", {}, h("dt", {}, "P(z)"), h("dd", {}, density));
  if (known.labels.length) facts.append(h("dt", {}, `${NEIGHBOURS} nearest codes`), h("dd", {}, bar, mix));
  const status = h("p", { class: "lx-hidden", role: "status" });
  const image = new Float64Array(model.pixels);
  let timer = 0;

  function show(z1, z2) {
    z = [z1, z2];
    paintInk(canvas, model.decode(z1, z2, image), model.width, model.height);
    sliders.forEach((one, axis) => one.show(z[axis]));
    density.value = Math.exp(logPrior(z1, z2)).toPrecision(2).replace("e-", " · 10^−");
    const classes = nearestClasses(known.codes, known.labels, z1, z2);
    const percent = (count) => `${(100 * count) / NEIGHBOURS} %`;
    const said = classes.map(([label, count]) => `${known.names[label] ?? label} (${percent(count)})`).join(", ");
    if (mix.value !== said) {
      mix.value = said;
      const part = ([label, count]) => h("i", { style: `flex:${count};background:${classColor(label)}` });
      bar.replaceChildren(...classes.map(part));
    }
    // A screen reader hears where the point came to rest, not every step on the way.
    clearTimeout(timer);
    timer = setTimeout(() => {
      const like = said ? ` The nearest codes are of class ${said}.` : "";
      status.textContent = `z1 ${number(z1)}, z2 ${number(z2)}. P(z) is ${density.value}.${like}`;
    }, 800);
  }

  const element = h("div", { class: "lx-point" },
    h("figure", {}, canvas, h("figcaption", {}, "f(z), drawn here and now")),
    h("div", {}, ...sliders.map((one) => one.element), facts), status);
  return { element, show, stop: () => clearTimeout(timer) };
}

// A drawing laid out as MNIST's digits were: fitted into 20 × 20 pixels, its centre of mass in the middle of 28 × 28.

const SIDE = 28;
const BOX = 20;

/** Sums of all ink above and to the left, so that the ink in any rectangle is four look-ups. */
function summedArea(ink, width, height) {
  const sums = new Float64Array((width + 1) * (height + 1));
  for (let y = 0; y < height; y++) {
    for (let x = 0, row = 0; x < width; x++) {
      row += ink[y * width + x];
      sums[(y + 1) * (width + 1) + x + 1] = sums[y * (width + 1) + x + 1] + row;
    }
  }
  return sums;
}

/** The table of sums at a place between its entries (bilinear), held at its borders. */
function sumAt(sums, width, height, x, y) {
  x = Math.min(width, Math.max(0, x));
  y = Math.min(height, Math.max(0, y));
  const c = Math.min(width - 1, Math.floor(x)), r = Math.min(height - 1, Math.floor(y));
  const u = x - c, v = y - r, w = width + 1;
  const top = sums[r * w + c] * (1 - u) + sums[r * w + c + 1] * u;
  const bottom = sums[(r + 1) * w + c] * (1 - u) + sums[(r + 1) * w + c + 1] * u;
  return top * (1 - v) + bottom * v;
}

/** Where the ink is: its bounding box and its centre of mass, in pixels; null when there is none. */
function extentOfInk(ink, width, height) {
  let left = width, right = -1, top = height, bottom = -1, mass = 0, mx = 0, my = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const value = ink[y * width + x];
      if (value <= 0) continue;
      left = Math.min(left, x); right = Math.max(right, x);
      top = Math.min(top, y); bottom = Math.max(bottom, y);
      mass += value; mx += value * (x + 0.5); my += value * (y + 0.5);
    }
  }
  return mass ? { width: right - left + 1, height: bottom - top + 1, x: mx / mass, y: my / mass } : null;
}

/**
 * The drawing as a 28 × 28 picture, 0 = paper, 1 = ink (LeCun et al., 1998, section III.A).
 * @param {ArrayLike<number>} ink  rows of values in [0, 1]
 * @returns {Float64Array | null} null when nothing is drawn
 */
function layOut(ink, width, height) {
  const found = extentOfInk(ink, width, height);
  if (!found) return null;
  const scale = Math.max(found.width, found.height) / BOX; // pixels of the pad in one of the picture's
  const sums = summedArea(ink, width, height);
  const out = new Float64Array(SIDE * SIDE);
  for (let row = 0; row < SIDE; row++) {
    for (let column = 0; column < SIDE; column++) {
      const x0 = found.x + (column - SIDE / 2) * scale, y0 = found.y + (row - SIDE / 2) * scale;
      const x1 = x0 + scale, y1 = y0 + scale;
      const inside = sumAt(sums, width, height, x1, y1) - sumAt(sums, width, height, x0, y1)
        - sumAt(sums, width, height, x1, y0) + sumAt(sums, width, height, x0, y0);
      out[row * SIDE + column] = Math.min(1, Math.max(0, inside / scale ** 2));
    }
  }
  return out;
}

/** The picture turned by half a turn: upside down. */
function upsideDown(x) {
  return Float64Array.from(x).reverse();
}

// A pad to draw on, with mouse, finger or pen, or with the arrow keys and the space bar.


const PAD = 280; // pixels; ten for one of a 28 × 28 picture
const PEN = 24;
const KEY_STEP = 10;

/** @param {(ink: Float64Array | null, side: number) => void} drawn  hears the ink (0 to 1) after every stroke */
function pad(drawn) {
  const canvas = h("canvas", {
    width: PAD, height: PAD, class: "lx-pad", tabindex: 0, role: "application",
    "aria-label": "Pad to draw a digit. With keys: arrows move the pen, space puts it down or lifts it.",
  });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  let pen = null; // where a stroke has got to
  let cursor = [PAD / 2, PAD / 4]; // where the keys' pen is
  let down = false; // whether it draws

  function clear() {
    context.fillStyle = "#fff";
    context.fillRect(0, 0, PAD, PAD);
    down = false;
  }

  function line(from, to) {
    Object.assign(context, { lineWidth: PEN, lineCap: "round", lineJoin: "round", strokeStyle: "#000" });
    context.beginPath();
    context.moveTo(...from);
    context.lineTo(to[0] + 0.01, to[1]); // a line of no length would leave no dot
    context.stroke();
  }

  function ink() {
    const { data } = context.getImageData(0, 0, PAD, PAD);
    return Float64Array.from({ length: PAD * PAD }, (_, i) => 1 - data[4 * i] / 255);
  }

  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * PAD, ((event.clientY - box.top) / box.height) * PAD];
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    canvas.setPointerCapture(event.pointerId);
    pen = at(event);
    line(pen, pen);
    event.preventDefault();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!pen) return;
    line(pen, at(event));
    pen = at(event);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, () => {
      if (pen) drawn(ink(), PAD);
      pen = null;
    });
  }
  canvas.addEventListener("keydown", (event) => {
    const direction = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!direction && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    if (!direction) down = !down;
    const next = cursor.map((c, axis) => Math.min(PAD, Math.max(0, c + KEY_STEP * (direction?.[axis] ?? 0))));
    if (down) {
      line(cursor, next);
      drawn(ink(), PAD);
    }
    cursor = next;
  });
  clear();
  return { element: canvas, clear };
}

// log P(x), the law of total probability over the plane: P(x) = ∫ P(x|z) P(z) dz.
//
// The posterior of a picture is a needle, a hundredth of the prior's width. So: look at a coarse table of the whole
// plane, climb from its best places, and lay a small lattice over each peak (vaecourse.evidence does the same).


/** f(z) on a square grid of n × n codes from -reach to reach. It serves every picture, so it is made once. */
class Table {
  constructor(model, n = 96, reach = 6) {
    Object.assign(this, { model, n, reach, drawn: 0 });
    this.f = new Float32Array(n * n * model.pixels);
    this.axis = Float64Array.from({ length: n }, (_, i) => reach * ((2 * i) / (n - 1) - 1));
  }

  /** Decodes one more row (one z2); false when all of them stand. */
  grow() {
    if (this.drawn === this.n) return false;
    const { model, n, axis } = this;
    const image = new Float64Array(model.pixels);
    for (let i = 0; i < n; i++) {
      this.f.set(model.decode(axis[i], axis[this.drawn], image), (this.drawn * n + i) * model.pixels);
    }
    this.drawn++;
    return true;
  }

  /** log P(x|z) for all cells, row by row from the lowest z2. */
  logLikelihood(x) {
    const out = new Float64Array(this.n ** 2);
    const { pixels } = this.model;
    for (let cell = 0; cell < out.length; cell++) {
      out[cell] = this.model.logLikelihood(x, this.f.subarray(cell * pixels, (cell + 1) * pixels));
    }
    return out;
  }
}

/** Height, slope and curvature of log P(x|z) P(z) at z; the curvature is the Gauss–Newton one, JᵀJ/σ² + 1. */
function landscape(model, x, [z1, z2]) {
  const step = 1e-4;
  const f = model.decode(z1, z2);
  const f1 = model.decode(z1 + step, z2);
  const f2 = model.decode(z1, z2 + step);
  let g1 = 0, g2 = 0, a = 0, b = 0, c = 0;
  for (let i = 0; i < f.length; i++) {
    const j1 = (f1[i] - f[i]) / step, j2 = (f2[i] - f[i]) / step, rest = x[i] - f[i];
    g1 += j1 * rest; g2 += j2 * rest;
    a += j1 * j1; b += j1 * j2; c += j2 * j2;
  }
  const v = model.sigma ** 2;
  return {
    z: [z1, z2],
    height: model.logLikelihood(x, f) + logPrior(z1, z2),
    slope: [g1 / v - z1, g2 / v - z2],
    curvature: [a / v + 1, b / v, c / v + 1], // the symmetric matrix [[a, b], [b, c]]
  };
}

/** M⁻¹ v for the symmetric 2 × 2 matrix M = [[a, b], [b, c]]. */
function solve2([a, b, c], [v1, v2]) {
  const det = a * c - b * b;
  return [(c * v1 - b * v2) / det, (a * v2 - b * v1) / det];
}

/** From z up to a peak: Gauss–Newton, damped where a step would lead down (Levenberg–Marquardt). */
function climb(model, x, z) {
  let now = landscape(model, x, z);
  let damping = 0;
  for (let i = 0; i < 25; i++) {
    const [a, b, c] = now.curvature;
    const [d1, d2] = solve2([a * (1 + damping), b, c * (1 + damping)], now.slope);
    if (d1 * now.slope[0] + d2 * now.slope[1] < 1e-3) break; // promises less than a thousandth of a nat
    const next = landscape(model, x, [now.z[0] + d1, now.z[1] + d2]);
    if (next.height > now.height) {
      now = next;
      damping /= 10;
    } else damping = Math.max(0.1, 10 * damping);
  }
  return now;
}

/** The cells of a map (n × n) that are higher than their neighbours, the highest first. */
function localMaxima(map, n, count) {
  const found = [];
  for (let row = 0; row < n; row++) {
    for (let column = 0; column < n; column++) {
      const here = map[row * n + column];
      let top = true;
      for (let r = Math.max(0, row - 1); r <= Math.min(n - 1, row + 1); r++) {
        for (let c = Math.max(0, column - 1); c <= Math.min(n - 1, column + 1); c++) top &&= map[r * n + c] <= here;
      }
      if (top) found.push({ row, column, here });
    }
  }
  return found.sort((p, q) => q.here - p.here).slice(0, count);
}

/**
 * Where to climb from: the highest local maxima of the map and, since a needle may stand between its cells, the best
 * place inside each of its highest cells.
 */
function startsFrom(table, x, map) {
  const { model, axis, n } = table;
  const starts = localMaxima(map, n, 12).map(({ row, column }) => [axis[column], axis[row]]);
  const spacing = axis[1] - axis[0], parts = 4;
  const image = new Float64Array(model.pixels);
  const cells = Array.from(map.keys()).sort((p, q) => map[q] - map[p]).slice(0, 64);
  const inside = cells.map((cell) => {
    let best = { here: -Infinity };
    for (let part = 0; part < parts ** 2; part++) {
      const z1 = axis[cell % n] + spacing * (((part % parts) + 0.5) / parts - 0.5);
      const z2 = axis[Math.floor(cell / n)] + spacing * ((Math.floor(part / parts) + 0.5) / parts - 0.5);
      const here = model.logLikelihood(x, model.decode(z1, z2, image)) + logPrior(z1, z2);
      if (here > best.here) best = { here, z: [z1, z2] };
    }
    return best;
  });
  inside.sort((p, q) => q.here - p.here);
  return [...starts, ...inside.slice(0, 16).map(({ z }) => z)];
}

/** The peaks that hold the mass, the heaviest first, each with the normal that fits it. */
function findPeaks(model, x, starts) {
  const ends = starts.map((z) => climb(model, x, z));
  for (const p of ends) {
    const [a, b, c] = p.curvature;
    p.logMass = p.height + Math.log(2 * Math.PI) - 0.5 * Math.log(a * c - b * b);
  }
  ends.sort((p, q) => q.logMass - p.logMass);
  const peaks = [];
  for (const p of ends) {
    const met = peaks.some((q) => distance2(q, p.z) < 1);
    if (!met && p.logMass > ends[0].logMass - 12) peaks.push(p);
  }
  return peaks;
}

/** Squared distance of z from a peak, in the peak's own standard deviations. */
function distance2({ z, curvature: [a, b, c] }, [z1, z2]) {
  const d1 = z1 - z[0], d2 = z2 - z[1];
  return a * d1 * d1 + 2 * b * d1 * d2 + c * d2 * d2;
}

/** log of the peak's mass: a lattice turned and stretched to the needle; overlapping peaks share by their normals. */
function weigh(model, x, peaks, peak, points = 31, widths = 7) {
  const [a, b, c] = peak.curvature;
  const r11 = Math.sqrt(a), r12 = b / r11, r22 = Math.sqrt(c - r12 * r12); // curvature = RᵀR, R upper triangular
  const step = (2 * widths) / (points - 1);
  const image = new Float64Array(model.pixels);
  const terms = [];
  for (let i = 0; i < points; i++) {
    for (let j = 0; j < points; j++) {
      const u2 = (step * j - widths) / r22, u1 = (step * i - widths - r12 * u2) / r11; // R u = lattice point
      const z = [peak.z[0] + u1, peak.z[1] + u2];
      const claims = peaks.map((p) => p.height - 0.5 * distance2(p, z));
      const share = peak.height - 0.5 * distance2(peak, z) - logSumExp(claims);
      terms.push(model.logLikelihood(x, model.decode(z[0], z[1], image)) + logPrior(z[0], z[1]) + share);
    }
  }
  return logSumExp(terms) + 2 * Math.log(step) - Math.log(r11 * r22);
}

/**
 * log P(x) in nats, with the maps and peaks it was found from.
 * @param {Table} table  @param {ArrayLike<number>} x  @param {number[]} guess  the encoder's mean: one more start
 * @returns {{ logPX: number, best: object, peaks: object[], logLikelihood: Float64Array, n: number, reach: number }}
 */
function score(table, x, guess) {
  const { model, axis, n, reach } = table;
  const logLikelihood = table.logLikelihood(x);
  const map = logLikelihood.map((l, cell) => l + logPrior(axis[cell % n], axis[Math.floor(cell / n)]));
  const peaks = findPeaks(model, x, [...startsFrom(table, x, map), guess]);
  const logPX = logSumExp(peaks.map((peak) => weigh(model, x, peaks, peak)));
  return { logPX, best: peaks[0], peaks, logLikelihood, n, reach };
}

/** P(z|x) up to a factor, on n × n codes around a peak: the window is square and `half` wide to each side. */
function closeUp(model, x, peak, n = 41) {
  const [a, b, c] = peak.curvature;
  const half = 4 * Math.sqrt(Math.max(a, c) / (a * c - b * b)); // four of the wider standard deviation
  const out = new Float64Array(n * n);
  for (let cell = 0; cell < out.length; cell++) {
    const z1 = peak.z[0] + half * ((2 * (cell % n)) / (n - 1) - 1);
    const z2 = peak.z[1] + half * ((2 * Math.floor(cell / n)) / (n - 1) - 1);
    out[cell] = Math.exp(model.logLikelihood(x, model.decode(z1, z2)) + logPrior(z1, z2) - peak.height);
  }
  return { density: out, half, n };
}

// The search for P(x) takes a while, so it runs beside the page and not in its way.


// A worker may not import from a page that was opened from disk, so it gets the text of all that it needs.
const PARTS = [
  Table, climb, closeUp, distance2, findPeaks, landscape, localMaxima, score, solve2, startsFrom, weigh,
  Mlp, Model, readSafetensors, erf, gelu, halfToFloat, logPrior, logSumExp, toBytes, answer, serve,
];

/** What is told about a picture: log P(x), the maps, and the posterior around the highest peak. */
function answer(table, x, guess) {
  const found = score(table, x, guess);
  return { ...found, near: closeUp(table.model, x, found.best) };
}

/** The worker's side: makes the table bit by bit, and answers as soon as it stands. */
function serve(scope) {
  let table = null;
  let waiting = null; // the newest picture; older ones that still wait are of no interest any more
  const work = () => {
    if (table.grow()) return setTimeout(work);
    if (waiting) scope.postMessage({ id: waiting.id, ...answer(table, waiting.x, waiting.guess) });
    waiting = null;
  };
  scope.onmessage = ({ data }) => {
    if (data.weights) table = new Table(new Model(data.weights));
    else waiting = data;
    setTimeout(work);
  };
}

/** Answers questions about pictures: in a worker or, where none may start, on the page, a row at a time. */
class Searcher {
  constructor(weights) {
    this.asked = 0;
    this.weights = weights;
    this.turnTo(startWorker() ?? servedHere());
  }

  turnTo(port) {
    port.onmessage = ({ data }) => data.id === this.asked && this.done(data);
    // Under a strict content security policy a worker may be made, and fail only then.
    port.onerror = () => this.turnTo(servedHere());
    this.port = port;
    port.postMessage({ weights: this.weights });
    if (this.question) port.postMessage(this.question);
  }

  /** log P(x) and its maps; never settles when another picture was asked for meanwhile. */
  ask(x, guess) {
    return new Promise((done) => {
      this.done = done;
      this.question = { id: ++this.asked, x, guess };
      this.port.postMessage(this.question);
    });
  }

  stop() {
    this.port.terminate?.();
  }
}

function startWorker() {
  try {
    const text = `${PARTS.map(String).join("\n")}\nserve(self);`;
    const address = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    const worker = new Worker(address);
    URL.revokeObjectURL(address);
    return worker;
  } catch {
    return null; // an old browser, or a strict policy
  }
}

/** The two ends of a worker, without a worker. */
function servedHere() {
  const port = {};
  const scope = { postMessage: (data) => port.onmessage({ data }) };
  serve(scope);
  port.postMessage = (data) => scope.onmessage({ data });
  return port;
}

// Draw your own digit: it is laid out as MNIST's were, encoded, searched for, and scored: log P(x).


const RANGE = 1500; // nats that a map of log values shows, from its highest down

/** Log values as shares of [0, 1]: 1 at the highest, 0 at RANGE nats below it and farther. */
function shares(logs) {
  let top = -Infinity;
  for (const v of logs) top = Math.max(top, v);
  return Float64Array.from(logs, (v) => Math.max(0, 1 + (v - top) / RANGE));
}

/** The three maps of a search on its grid: prior, likelihood, and their product. */
function threeMaps({ logLikelihood, n, reach }) {
  const z = (i) => reach * ((2 * i) / (n - 1) - 1);
  const prior = Float64Array.from(logLikelihood, (_, cell) => logPrior(z(cell % n), z(Math.floor(cell / n))));
  return {
    prior: prior.map((v) => Math.exp(v - logPrior(0, 0))),
    likelihood: shares(logLikelihood),
    integrand: shares(logLikelihood.map((v, cell) => v + prior[cell])),
  };
}

/** Pictures to pick from: by name in a list, or by a press on a sheet that shows them all. */
function contactSheet({ width, height, pixels }, { images, names }, take) {
  const columns = 10;
  const rows = Math.ceil(names.length / columns);
  const image = (i) => Float64Array.from(images.subarray(i * pixels, (i + 1) * pixels), (v) => v / 255);
  const choose = h("select", { "aria-label": "Pick a picture", onchange: () => take(image(Number(choose.value))) },
    h("option", { value: "", disabled: true, selected: true }, "Pick a picture …"),
    ...names.map((name, i) => h("option", { value: i }, name)));
  // For hand and eye; who uses keys or a screen reader has the list.
  const size = { width: columns * width, height: rows * height };
  const element = h("canvas", { ...size, class: "lx-sheet", "aria-hidden": "true" });
  names.forEach((_, i) => {
    paintInk(element, image(i), width, height, (i % columns) * width, Math.floor(i / columns) * height);
  });
  element.addEventListener("click", (event) => {
    const box = element.getBoundingClientRect();
    const column = Math.floor((columns * (event.clientX - box.left)) / box.width);
    const i = columns * Math.floor((rows * (event.clientY - box.top)) / box.height) + column;
    if (i >= names.length) return;
    choose.value = i;
    take(image(i));
  });
  return { choose, element };
}

/**
 * @param {{ images: Uint8Array, names: string[] }} given  pictures to pick from, and what each is
 * @param {{ place: Function, mark: Function, layer: Function }} plane  puts the point, the ring, the posterior
 */
function drawPanel(model, weights, given, plane) {
  const { width, height } = model;
  const own = picture(width, height, "your picture x, as the model sees it");
  const guess = picture(width, height, "what the encoder's guess draws");
  const best = picture(width, height, "what the best z draws");
  const side = 96;
  const maps = ["prior", "likelihood", "integrand"].map((name) => [name, picture(side, side, `map of the ${name}`)]);
  const near = picture(41, 41, "map of the posterior, close up");
  const nearCaption = h("span", {}, "posterior P(z|x), close up");
  const told = h("p", { role: "status", class: "lx-told" }, "Draw a digit, or pick one.");
  let searcher = null;
  let x = null;

  async function take(next) {
    x = next;
    paintInk(own, x, width, height);
    const q = model.encode(x);
    paintInk(guess, model.decode(...q.mean), width, height);
    plane.mark(q.mean);
    plane.place(...q.mean);
    told.textContent = `The encoder guesses z = (${q.mean.map((c) => number(c)).join(", ")}). Searching the plane …`;
    searcher ??= new Searcher(weights);
    const found = await searcher.ask(Float64Array.from(x), q.mean);
    tell(q, found);
  }

  function tell(q, found) {
    const [z1, z2] = found.best.z;
    paintInk(best, model.decode(z1, z2), width, height);
    plane.place(z1, z2);
    const three = threeMaps(found);
    for (const [name, canvas] of maps) paintMap(canvas, three[name], found.n, found.n);
    paintMap(near, found.near.density, found.near.n, found.near.n);
    below.hidden = false;
    nearCaption.textContent = `posterior P(z|x), close up: ±${found.near.half.toPrecision(2)} around the best z`;
    plane.layer(heatLayer(three.integrand, {
      width: found.n, height: found.n, reach: found.reach, low: -RANGE, high: 0,
      name: "posterior", title: "log P(z|x), in nats below its highest",
    }));
    const outside = Math.max(Math.abs(z1), Math.abs(z2)) > plane.extent ? " It lies outside the plane shown here." : "";
    told.textContent = `log P(x) = ${number(found.logPX, 1)} nats. The best z is (${number(z1)}, ${number(z2)}): there `
      + `log P(x|z) = ${number(found.best.height - logPrior(z1, z2), 1)} and log P(z) = ${number(logPrior(z1, z2), 1)}.`
      + ` The encoder guessed (${q.mean.map((c) => number(c)).join(", ")}), the ring.${outside}`;
  }

  const board = pad((ink, size) => {
    const laidOut = layOut(ink, size, size);
    if (laidOut) take(laidOut);
  });
  const button = (name, onclick) => h("button", { type: "button", onclick }, name);
  const buttons = h("div", { class: "lx-row" },
    button("Clear the pad", () => board.clear()),
    button("Turn upside down", () => x && take(upsideDown(x))));
  const sheet = given.names.length ? contactSheet(model, given, take) : null;
  if (sheet) buttons.append(sheet.choose);
  const figure = (canvas, caption) => h("figure", {}, canvas, h("figcaption", {}, caption));
  const below = h("div", { class: "lx-maps", hidden: true },
    figure(maps[0][1], "prior P(z)"), figure(maps[1][1], "log P(x|z)"),
    figure(maps[2][1], "log of prior × likelihood"), figure(near, nearCaption));
  const element = h("div", { role: "region", class: "lx-draw", "aria-label": "Draw your own digit" },
    board.element, h("div", {}, buttons, told,
      h("div", { class: "lx-pictures" },
        figure(own, "x, laid out"), figure(guess, "the encoder's guess"), figure(best, "the best z"))),
    below, sheet ? h("details", {}, h("summary", {}, "All pictures to pick from"), sheet.element) : "");
  // The search needs a table that takes a second: begun when the panel comes into view, it is there in time.
  const watcher = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) searcher ??= new Searcher(weights);
  });
  watcher.observe(element);
  return { element, stop: () => { watcher.disconnect(); searcher?.stop(); } };
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

// The draggable latent plane. One front end for JupyterLab, Notebook, VS Code, Colab and the book's pages.
//
// The host gives a model with traits (anywidget's interface):
//   z1, z2            the point, in standard deviations of the prior
//   t, ends           share of the way from A to B, and [[z1, z2], [z1, z2]]; ends is empty without a walk
//   background        the name of what lies behind the point
//   spec              { extent, names, draw, caption, heat, pictures }
//   weights, codes, labels, heat, path, images   bytes


/** Draws the explorer into `el`; returns what takes it away again. A sentence stands there if it cannot be drawn. */
function render({ model: host, el }) {
  const root = h("div", { class: "latent-explorer", role: "group", "aria-label": "Latent plane explorer" });
  el.append(root);
  try {
    return new Explorer(host, root).stop;
  } catch (error) {
    root.replaceChildren(h("p", { class: "lx-error", role: "alert" }, `The plane cannot be shown. ${error.message}`));
    return () => {};
  }
}

class Explorer {
  constructor(host, root) {
    this.host = host;
    this.spec = host.get("spec");
    this.extent = this.spec.extent;
    const weights = toBytes(host.get("weights"));
    this.model = new Model(weights);
    const [codes, labels] = [toHalves(host.get("codes")), toBytes(host.get("labels"))];
    this.known = { codes, labels, names: this.spec.names };
    this.plane = new Plane(this.extent);
    this.placePoint = this.plane.addHandle("Point z", "point", () => this.where(), (z1, z2) => this.move(z1, z2));
    this.panel = pointPanel(this.model, this.extent, this.known, (z1, z2) => this.move(z1, z2));
    this.parts = [this.plane, this.panel];
    this.message = h("p", { class: "lx-error", role: "alert", hidden: true });
    const below = [];
    if (host.get("ends").length || this.spec.path) below.push(this.addWalk());
    if (this.spec.draw) below.push(this.addDrawing(weights));
    root.append(
      h("div", { class: "lx-top" },
        h("div", {}, this.addLayers(), this.plane.element, this.legend), this.panel.element),
      this.message, ...below, this.spec.caption ? h("p", { class: "lx-caption" }, this.spec.caption) : "");
    const unfollow = followTheme(root, () => this.plane.repaint());
    this.listen();
    this.update();
    this.stop = () => {
      unfollow();
      cancelAnimationFrame(this.frame);
      for (const [event, heard] of this.heard) host.off(event, heard);
      for (const part of this.parts) part.stop();
    };
  }

  /** What the host changes (a linked slider, Python) is shown with the next frame, once, however much changed. */
  listen() {
    this.heard = [];
    const on = (name, then) => {
      this.host.on(`change:${name}`, then);
      this.heard.push([`change:${name}`, then]);
    };
    const schedule = () => (this.frame ||= requestAnimationFrame(() => this.update()));
    on("z1", schedule);
    on("z2", schedule);
    on("background", () => this.showBackground());
    if (!this.walk) return;
    on("ends", () => this.showWalk());
    on("t", () => this.goTo(this.host.get("t")));
  }

  /** The point as the host has it, rounded and kept on the plane. */
  where() {
    return ["z1", "z2"].map((name) => settle(this.host.get(name), this.extent));
  }

  /** Shows the point. Where that is no number, the last good place stays and a sentence says so. */
  update() {
    this.frame = 0;
    const [z1, z2] = this.where();
    this.message.hidden = Number.isFinite(z1) && Number.isFinite(z2);
    if (!this.message.hidden) {
      const given = `${this.host.get("z1")} and ${this.host.get("z2")}`;
      this.message.textContent = `z1 and z2 must be finite numbers; got ${given}.`;
      return;
    }
    this.placePoint(z1, z2);
    this.panel.show(z1, z2);
  }

  move(z1, z2) {
    this.send({ z1: settle(z1, this.extent), z2: settle(z2, this.extent) });
  }

  send(values) {
    for (const [name, value] of Object.entries(values)) this.host.set(name, value);
    this.host.save_changes();
  }

  addLayers() {
    const { codes, labels, names } = this.known;
    const layers = [drawingsLayer(this.model, this.extent, () => this.plane.repaint()), emptyLayer()];
    if (codes.length) layers.unshift(codesLayer(codes, labels, names));
    const { heat } = this.spec;
    if (heat) layers.unshift(heatLayer(Float64Array.from(toBytes(this.host.get("heat")), (v) => v / 255), heat));
    this.layers = new Map(layers.map((layer) => [layer.name, layer]));
    this.legend = h("p", { class: "lx-legend" });
    this.choice = h("div", { class: "lx-choice", role: "radiogroup", "aria-label": "Behind the point" });
    this.group = freshId();
    layers.forEach((layer) => this.addChoice(layer));
    this.showBackground();
    return this.choice;
  }

  addChoice(layer) {
    const onchange = () => this.send({ background: layer.name });
    const input = h("input", { type: "radio", name: this.group, value: layer.name, onchange });
    input.addEventListener("keydown", (event) => event.stopPropagation());
    this.choice.append(h("label", {}, input, h("span", {}, layer.name)));
  }

  showBackground() {
    const layer = this.layers.get(this.host.get("background")) ?? this.layers.values().next().value;
    for (const input of this.choice.querySelectorAll("input")) input.checked = input.value === layer.name;
    this.plane.show(layer);
    this.legend.replaceChildren(...layer.legend());
  }

  /** A layer that comes up while the explorer runs (the posterior of a drawing), or comes again. */
  setLayer(layer) {
    if (!this.layers.has(layer.name)) this.addChoice(layer);
    this.layers.set(layer.name, layer);
    if (this.host.get("background") === layer.name) this.showBackground();
    else this.send({ background: layer.name });
  }

  addWalk() {
    this.walk = walkPanel(this.model, (t) => this.send({ t }));
    this.parts.push(this.walk);
    const given = toFloats(this.host.get("path"));
    if (given.length) {
      this.path = Array.from({ length: given.length / 2 }, (_, i) => [given[2 * i], given[2 * i + 1]]);
    } else {
      const read = (i) => () => this.host.get("ends")[i];
      const moved = (i) => (...z) => this.send({ ends: this.host.get("ends").map((end, k) => (k === i ? z : end)) });
      this.placeEnds = ["End A", "End B"].map((name, i) => this.plane.addHandle(name, "end", read(i), moved(i)));
    }
    this.showWalk();
    return this.walk.element;
  }

  showWalk() {
    if (this.placeEnds) {
      this.path = this.host.get("ends");
      this.placeEnds.forEach((place, i) => place(...this.path[i]));
    }
    this.plane.trace(this.path);
    this.walk.showPath(this.path);
    this.goTo(this.host.get("t"));
  }

  goTo(t) {
    if (!Number.isFinite(t)) return;
    this.walk.showPlace(Math.min(1, Math.max(0, t)));
    this.move(...pathAt(this.path, t));
  }

  addDrawing(weights) {
    const given = { images: toBytes(this.host.get("images")), names: this.spec.pictures };
    const panel = drawPanel(this.model, weights, given, {
      extent: this.extent,
      place: (z1, z2) => this.move(z1, z2),
      mark: (z) => this.plane.mark(z),
      layer: (layer) => this.setLayer(layer),
    });
    this.parts.push(panel);
    return panel.element;
  }
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

// The book's pages have no kernel. This stands in for one: <latent-explorer> holds the state, and the weights come,
// once for all explorers of all pages, from a script file (a page opened from disk may not fetch anything else).


const here = new URL(".", document.currentScript.src);
const coming = new Map(); // name: a promise of weights

function loadWeights(name) {
  if (!coming.has(name)) {
    coming.set(name, new Promise((arrive, fail) => {
      window.latentExplorerWeights ??= {};
      window.latentExplorerWeights[name] = (text) => arrive(fromBase64(text));
      const onerror = () => fail(new Error(`The model's file ${name}.js did not load. Reload the page to try again.`));
      document.head.append(h("script", { src: new URL(`${name}.js`, here), async: true, onerror }));
    }));
  }
  return coming.get(name);
}

customElements.define("latent-explorer", class extends Twin {
  bytes = ["codes", "labels", "heat", "path", "images"];
  draw = render;
  async prepare(state) {
    state.weights = await loadWeights(this.dataset.model);
  }
});
customElements.define("turning-object", class extends Twin {
  bytes = ["weights", "codes"];
  draw = renderTurning;
});

/** For an explorer among plain ipywidgets, shown by Jupyter's widget manager: its state comes without the weights. */
window.latentExplorer = {
  async render({ model, el }, name) {
    const weights = await loadWeights(name);
    const get = (trait) => (trait === "weights" ? weights : model.get(trait));
    const [set, on, off] = ["set", "on", "off"].map((method) => (...given) => model[method](...given));
    return render({ model: { get, set, on, off, save_changes: () => model.save_changes() }, el });
  },
};
})();
