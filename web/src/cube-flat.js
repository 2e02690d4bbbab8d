// The latent space beside the cube: a plane, or a line if there is one latent number, with the same things on it.

import { classColor } from "./colors.js";
import { colors } from "./cube-scene.js";
import { brush, h } from "./dom.js";
import { Plane } from "./plane.js";

/** @typedef {import("./cube-models.js").Drawer} Drawer */
/**
 * What lies on the plane, besides its handles.
 * @typedef {object} Flat
 * @property {{ codes: Float64Array, labels: Uint8Array } | null} data  pairs
 * @property {Float64Array | null} posterior  shares of the highest, GRID × GRID (or GRID), from the lowest z2
 * @property {{ path: Float64Array, color: string }[]} ways
 * @property {boolean} grid  the lines that the sheet shows, too
 */

export const GRID = 121; // codes along each side, on which the posterior is looked at
const FINE = 1201; // and on a line

/**
 * P(z|x) as shares of its highest, on the codes shown. The drawings are made once for a model.
 * @param {Drawer} model
 * @param {number} extent
 */
export function posteriorMap(model, extent) {
  const across = model.dim === 2 ? GRID : FINE, rows = model.dim === 2 ? GRID : 1;
  /** @param {number} i */
  const z = (i) => extent * ((2 * i) / (across - 1) - 1);
  const f = new Float64Array(3 * across * rows);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let i = 0; i < across; i++, at += 3) model.decode(z(i), rows > 1 ? z(row) : 0, f.subarray(at, at + 3));
  }
  /**
   * @param {Numbers} x
   * @param {number} sigma
   */
  return (x, sigma) => {
    const s = -0.5 / sigma ** 2;
    const out = new Float64Array(across * rows);
    let top = -Infinity;
    for (let row = 0, n = 0; row < rows; row++) {
      const prior = rows > 1 ? z(row) ** 2 : 0;
      for (let i = 0; i < across; i++, n++) {
        const a = x[0] - f[3 * n], b = x[1] - f[3 * n + 1], c = x[2] - f[3 * n + 2];
        out[n] = s * (a * a + b * b + c * c) - 0.5 * (z(i) ** 2 + prior);
        if (out[n] > top) top = out[n];
      }
    }
    return out.map((v) => Math.exp(v - top));
  };
}

/**
 * A layer for the plane, which asks at each painting what there is.
 * @param {() => Flat} read
 * @returns {import("./layers.js").Layer}
 */
export function flatLayer(read) {
  const canvas = h("canvas", { width: GRID, height: GRID });
  return {
    name: "flat",
    legend: () => [],
    paint(context, { extent, size }) {
      const { data, posterior, ways, grid } = read();
      /** @param {number} z */
      const at = (z) => ((z / extent + 1) * size) / 2;
      if (grid) {
        context.strokeStyle = "rgb(50 60 90 / .22)";
        context.lineWidth = 1;
        context.beginPath();
        for (let i = 0; i <= 12; i++) {
          for (const [a, b] of [[i / 12, 0], [i / 12, 1]]) context[b ? "lineTo" : "moveTo"](a * size, b * size);
          for (const [a, b] of [[i / 12, 0], [i / 12, 1]]) context[b ? "lineTo" : "moveTo"](b * size, a * size);
        }
        context.stroke();
      }
      for (let i = 0; data && i < data.labels.length; i++) {
        context.fillStyle = classColor(data.labels[i]);
        context.fillRect(at(data.codes[2 * i]) - 1, size - at(data.codes[2 * i + 1]) - 1, 2, 2);
      }
      if (posterior) {
        const image = new ImageData(GRID, GRID);
        for (let i = 0; i < posterior.length; i++) {
          const row = GRID - 1 - Math.floor(i / GRID);
          image.data.set([131, 45, 181, 235 * posterior[i]], 4 * (row * GRID + (i % GRID)));
        }
        brush(canvas).putImageData(image, 0, 0);
        const half = size / (GRID - 1) / 2; // the first and last codes stand on the plane's edges
        context.drawImage(canvas, -half, -half, size + 2 * half, size + 2 * half);
      }
      for (const { path, color } of ways) {
        context.beginPath();
        for (let i = 0; i < path.length; i += 2) context.lineTo(at(path[i]), size - at(path[i + 1]));
        context.strokeStyle = color;
        context.lineWidth = 2.5;
        context.stroke();
      }
    },
  };
}

/** One latent number: a line, with P(z) above it and, if there is a picture, P(z|x). */
export class Line extends Plane {
  /**
   * @param {number} extent
   * @param {() => Flat} read
   */
  constructor(extent, read) {
    super(extent);
    this.read = read;
    this.element.classList.add("lx-line");
  }

  /** @override */
  put(/** @type {HTMLElement} */ element, /** @type {number} */ z1, _ = 0) {
    this.places.set(element, [z1, 0]);
    element.style.transform = `translate(${(this.size / 2) * (1 + z1 / this.extent)}px, ${this.field.clientHeight}px)`;
  }

  /** @override */
  repaint() {
    const [width, height] = [this.element.clientWidth, this.element.clientHeight];
    if (!width) return;
    const ratio = window.devicePixelRatio || 1;
    Object.assign(this.canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    const context = brush(this.canvas);
    context.scale(ratio, ratio);
    const style = getComputedStyle(this.element), em = parseFloat(style.fontSize);
    const [left, top] = [this.field.offsetLeft, this.field.offsetTop];
    this.size = this.field.clientWidth;
    const base = top + this.field.clientHeight;
    for (const [element, z] of this.places) this.put(element, ...z);
    /** @param {number} z */
    const at = (z) => left + ((z / this.extent + 1) * this.size) / 2;
    /**
     * @param {(share: number) => number} value  from 0 to 1, for the share of the way along the line
     * @param {number} steps
     */
    const curve = (value, steps) => {
      context.beginPath();
      for (let i = 0; i <= steps; i++) {
        context.lineTo(left + (this.size * i) / steps, base - value(i / steps) * (base - top));
      }
    };
    const soft = style.getPropertyValue("--lx-soft"), ink = style.getPropertyValue("--lx-ink");
    context.font = `${em}px system-ui, sans-serif`;
    Object.assign(context, { strokeStyle: soft, fillStyle: soft, lineWidth: 1.5 });
    curve((t) => 0.55 * Math.exp(-0.5 * (this.extent * (2 * t - 1)) ** 2), 120);
    context.setLineDash([4, 4]);
    context.stroke();
    context.setLineDash([]);
    context.fillText("P(z)", at(1.1), top + 0.6 * (base - top));
    const { posterior, ways } = this.read();
    if (posterior) {
      const steps = posterior.length - 1;
      curve((t) => posterior[Math.round(t * steps)], steps);
      context.lineTo(left + this.size, base);
      context.lineTo(left, base);
      context.fillStyle = colors(this.element.closest(".lx-dark") !== null).x;
      context.globalAlpha = 0.7;
      context.fill();
      context.globalAlpha = 1;
    }
    for (const { path, color } of ways) {
      Object.assign(context, { strokeStyle: color, lineWidth: 4 });
      context.beginPath();
      context.moveTo(at(path[0]), base);
      context.lineTo(at(path[path.length - 2]), base);
      context.stroke();
    }
    Object.assign(context, { strokeStyle: ink, fillStyle: soft, lineWidth: 1, textAlign: "center" });
    context.beginPath();
    context.moveTo(left, base);
    context.lineTo(left + this.size, base);
    for (let z = -Math.floor(this.extent); z <= this.extent; z++) {
      context.moveTo(at(z), base);
      context.lineTo(at(z), base + 5);
      context.fillText(String(z).replace("-", "−"), at(z), base + 2.1 * em);
    }
    context.stroke();
  }
}
