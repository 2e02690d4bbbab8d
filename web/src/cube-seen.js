// What is seen, made from the model and the host's traits, and made again only when what it is made from has changed.

import { posteriorMap } from "./cube-flat.js";
import { SmallVae } from "./cube-models.js";
import { chord, drawn, evenly, geodesic, lengthOf, line } from "./cube-paths.js";
import { colors, imageOf } from "./cube-scene.js";
import { cloudDots, cloudOf, cutOf, FINEST, meshOf, offset, patchOf } from "./cube-shapes.js";
import { Sums } from "./cube-sums.js";

/** @typedef {{ points: Float64Array, labels: Uint8Array }} Data  triples, and a label each */

const STOPS = 25; // along a way, where log P(x) is told

export class Seen {
  version = 0; // of the model, which may learn

  /**
   * @param {Host<CubeTraits>} host
   * @param {import("./cube-models.js").Drawer} model
   * @param {Data} data
   */
  constructor(host, model, data) {
    this.host = host;
    this.model = model;
    this.data = data;
    this.extent = host.get("spec").extent;
    /** @type {Map<string, { from: unknown[], made: any }>} */
    this.kept = new Map();
  }

  /**
   * What `make` gives, made again only when something that it is made from is another.
   * @template T
   * @param {string} name
   * @param {unknown[]} from
   * @param {() => T} make
   * @returns {T}
   */
  keep(name, from, make) {
    const known = this.kept.get(name);
    if (known?.from.every((v, i) => Object.is(v, from[i]))) return known.made;
    const made = make();
    this.kept.set(name, { from, made });
    return made;
  }

  /** @param {string} layer */
  shows(layer) {
    /** @type {Record<string, boolean>} */
    const missing = { posterior: !this.host.get("x").length, ways: !this.host.get("ends").length };
    return this.host.get("show").includes(layer) && !missing[layer];
  }

  /** @returns {Pair} */
  get z() {
    return [this.host.get("z1"), this.model.dim === 2 ? this.host.get("z2") : 0];
  }

  /** For numbers. */
  get fine() {
    return this.keep("fine", [this.version, this.model.sigma], () => new Sums(this.model, this.model.sigma));
  }

  /** For pictures and curves: a few thousandths of a nat off. */
  get rough() {
    return this.keep("rough", [this.version, this.model.sigma], () => new Sums(this.model, this.model.sigma, false));
  }

  /** For the cloud and the cut, which show nothing that is finer than a pixel. */
  get blunt() {
    const sigma = Math.max(this.model.sigma, FINEST);
    return this.keep("blunt", [this.version, sigma], () => new Sums(this.model, sigma, false));
  }

  get mesh() {
    return this.keep("mesh", [this.version], () => meshOf(this.model, this.extent));
  }

  get cloud() {
    return this.keep("cloud", [this.blunt], () => cloudDots(cloudOf(this.blunt)));
  }

  get cut() {
    const [axis, place] = [this.host.get("cut_axis"), this.host.get("cut")];
    const { low, top } = this.cloud;
    const image = this.keep("cut", [this.blunt, axis, place], () => imageOf(cutOf(this.blunt, axis, place), low, top));
    return { image, axis, place };
  }

  /** log P(x) of the picture x. */
  get logP() {
    const x = this.host.get("x");
    return this.keep("logP", [this.fine, x], () => this.fine.logP(x));
  }

  get patch() {
    const x = this.host.get("x");
    return this.keep("patch", [this.fine, x], () => patchOf(this.fine, x));
  }

  get posterior() {
    const look = this.keep("look", [this.version], () => posteriorMap(this.model, this.extent));
    const x = this.host.get("x"), { sigma } = this.model;
    return this.keep("posterior", [look, x, sigma], () => look(x, sigma));
  }

  /** The ways from A to B: their pictures and, but for the cross-fade, their codes. */
  get paths() {
    const ends = this.host.get("ends");
    return this.keep("paths", [this.version, ends], () => {
      const [a, b] = ends;
      const straight = line(a, b), short = geodesic(this.model, a, b, this.extent);
      const along = drawn(this.model, straight);
      return [
        { kind: /** @type {const} */ ("fade"), name: "cross-fade, pixel by pixel", path: null, points: chord(along) },
        { kind: /** @type {const} */ ("line"), name: "straight line in z", path: straight, points: along },
        {
          kind: /** @type {const} */ ("geodesic"), name: "geodesic: least change",
          path: short, points: drawn(this.model, short),
        },
      ];
    });
  }

  /**
   * The ways with their lengths, and log P(x) at equal steps along each.
   * @param {boolean} dark
   */
  waysTold(dark) {
    return this.keep("told", [this.paths, this.rough, dark], () => this.paths.map(({ kind, name, points }) => ({
      name, color: colors(dark)[kind], length: lengthOf(points),
      logs: Float64Array.from(evenly(points, STOPS), (i) => this.rough.logP(points.subarray(3 * i, 3 * i + 3))),
    })));
  }

  /** @returns {import("./cube-flat.js").Flat} */
  flat() {
    const { model, data } = this;
    const tint = colors(false); // the plane is paper, in the dark, too
    const codes = this.shows("data") && model instanceof SmallVae && model.dim === 2;
    return {
      data: codes
        ? this.keep("codes", [this.version], () => (
          { codes: model.encode(data.points, data.labels.length).mean, labels: data.labels }))
        : null,
      posterior: this.shows("posterior") ? this.posterior : null,
      ways: this.shows("ways")
        ? this.paths.flatMap(({ path, kind }) => (path ? [{ path, color: tint[kind] }] : []))
        : [],
      grid: this.shows("sheet"),
    };
  }

  /**
   * @param {boolean} dark
   * @param {boolean} light
   * @returns {import("./cube-scene.js").Parts}
   */
  parts(dark, light) {
    const { model, host } = this;
    const tint = colors(dark);
    const thick = this.shows("thickness");
    const balls = [{ x: model.decode(...this.z), color: tint.z, name: "f(z)" }];
    const ways = this.shows("ways") ? this.paths : [];
    if (ways.length) {
      const { points } = ways[0];
      balls.push({ x: points.slice(0, 3), color: tint.end, name: "A" });
      balls.push({ x: points.slice(-3), color: tint.end, name: "B" });
    }
    if (this.shows("posterior")) balls.push({ x: Float64Array.from(host.get("x")), color: tint.x, name: "x" });
    return {
      light,
      data: this.shows("data") ? this.data : null,
      sheet: this.shows("sheet") ? this.mesh : null,
      skins: thick && model.dim === 2
        ? this.keep("skins", [this.mesh, model.sigma], () => [1, -1].map((s) => offset(this.mesh, s * model.sigma)))
        : [],
      tube: thick && model.dim === 1 ? { points: this.mesh.points, sigma: model.sigma } : null,
      cloud: this.shows("cloud") ? this.cloud : null,
      cut: this.shows("cut") ? this.cut : null,
      patch: this.shows("posterior") ? this.patch : null,
      ways: ways.map(({ points, kind }) => ({ points, color: tint[kind] })),
      balls,
    };
  }
}
