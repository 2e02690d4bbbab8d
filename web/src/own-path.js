// "Beat the geodesic by hand": the reader draws a way from A to B on the plane, and the page scores it beside others.
//
// The host gives a model with traits: own, the reader's path ([[z1, z2], …] from A to B, or []), scores (told to it),
// and:
//   spec     { extent, names, a, b, maps: size and range of each, ways: how many points each has, rows, caption }
//   weights, codes, labels
//   maps     uint16 shares of their ranges, doubt before distance; ways: float32 pairs, one way after the other

import { freshId, h, number, radios } from "./dom.js";
import { draw, listen, teller } from "./host.js";
import { codesLayer, heatLayer } from "./layers.js";
import { Model } from "./model.js";
import { toBytes, toFloats, toHalves } from "./numbers.js";
import { OwnPlane } from "./own-plane.js";
import { OWN, scoreTable } from "./own-table.js";
import { lookUp, scoresOf } from "./path-score.js";
import { followTheme } from "./theme.js";
import { paintStrip, pathAt, strip } from "./walk.js";

const HELP = "Press A and draw to B in one stroke. Or click to set waypoints, and drag them. With keys: arrows move a "
  + "cursor over the plane (with Shift farther), Enter sets a waypoint there, Backspace takes the last one away, "
  + "Escape clears.";
const TITLES = {
  doubt: "The judge's doubt about f(z), in nats",
  distance: "Distance of f(z) to the nearest real picture, as a ratio to what real pictures have",
};
const CALM = 4; // a drag stays smooth: at most a quarter of the time goes into scores

/**
 * Draws the widget into `el`; returns what takes it away again.
 * @type {Render<OwnPathTraits>}
 */
export function renderOwnPath(face) {
  const words = {
    label: "A path of your own", class: "latent-explorer lx-own-path", sorry: "The plane cannot be shown.",
  };
  return draw(face, words, (host, root, weights) => {
    const widget = new OwnPath(host, root, weights);
    return () => widget.stop();
  });
}

/**
 * The maps, and as layers to be seen.
 * @param {Host<OwnPathTraits>} host
 */
function readMaps(host) {
  const bytes = toBytes(host.get("maps")), view = new DataView(bytes.buffer);
  let read = 0;
  /** @param {"doubt" | "distance"} name */
  const next = (name) => {
    const { width, height, low, high } = host.get("spec").maps[name];
    const shares = Float64Array.from({ length: width * height },
      (_, i) => view.getUint16(2 * (read + i), true) / 65535);
    read += width * height;
    return {
      map: { width, height, values: shares.map((share) => low + share * (high - low)) },
      layer: heatLayer(shares, { width, height, low, high, name, title: TITLES[name] }),
    };
  };
  const [doubt, distance] = [next("doubt"), next("distance")];
  return { maps: { doubt: doubt.map, distance: distance.map }, layers: [doubt.layer, distance.layer] };
}

/**
 * The ways to compare with, by name.
 * @param {Host<OwnPathTraits>} host
 */
function readWays(host) {
  const all = toFloats(host.get("ways"));
  let read = 0;
  return new Map(Object.entries(host.get("spec").ways).map(([name, count]) => {
    const start = read;
    read += count;
    /** @param {number} i @returns {Pair} */
    const point = (i) => [all[2 * (start + i)], all[2 * (start + i) + 1]];
    return [name, Array.from({ length: count }, (_, i) => point(i))];
  }));
}

class OwnPath {
  /**
   * @param {Host<OwnPathTraits>} host
   * @param {HTMLElement} root
   * @param {Bytes} weights
   */
  constructor(host, root, weights) {
    const { extent, names, a, b, rows, caption } = host.get("spec");
    this.host = host;
    this.teller = teller(host);
    this.extent = extent;
    this.model = new Model(weights);
    const { maps, layers } = readMaps(host);
    this.maps = maps;
    this.took = 0; // milliseconds, the last scores; and when they were there
    this.scored = 0;
    this.frame = 0;
    /** @type {Pair[]} the reader's path, or none */
    this.shown = [];
    /** @type {Record<string, import("./path-score.js").Scores>} */
    this.scores = {};
    this.ways = new Map([...readWays(host)].map(([name, points]) => [name, this.measure(points)]));
    this.plane = new OwnPlane(extent, a, b, {
      sketch: (points) => this.sketch(points),
      commit: (points, note) => this.commit(points, note),
      revert: (note) => this.show(this.shown, note),
      describe: (z) => `doubt ${number(lookUp(maps.doubt, extent, z))} nats`,
    });
    const help = h("p", { id: freshId() }, HELP);
    this.plane.handles[0].element.setAttribute("aria-describedby", help.id);
    const behind = [codesLayer(toHalves(host.get("codes")), toBytes(host.get("labels")), names), ...layers];
    const legend = h("p", { class: "lx-legend" });
    const choice = radios("Behind the paths", behind.map(({ name }) => name), () => show());
    const show = () => {
      const layer = behind[choice.chosen()];
      this.plane.show(layer);
      legend.replaceChildren(...layer.legend());
    };
    const quarters = [1, 2, 3].map((i) => pathAt([a, b], i / 4));
    const buttons = h("div", { class: "lx-row" },
      h("button", { type: "button", onclick: () => this.commit([], "") }, "Clear"),
      h("button", { type: "button", onclick: () => this.commit([a, ...quarters, b], "") }, "Start from the line"));
    this.table = scoreTable(rows);
    this.along = strip(this.model, "drawings along your path, at constant speed of the picture");
    this.beside = strip(this.model, "drawings along another way");
    this.select = h("select", { "aria-label": "Another way", onchange: () => this.compare() },
      ...[...this.ways.keys()].map((name) => h("option", {}, name)));
    this.select.addEventListener("keydown", (event) => event.stopPropagation()); // slides listen for arrow keys, too
    const strips = h("div", { role: "region", class: "lx-walk", "aria-label": "Pictures along the ways" },
      h("figure", {}, this.along, h("figcaption", {}, "along your path")),
      h("figure", {}, this.beside, h("figcaption", {}, "along ", this.select)));
    root.append(
      h("div", { class: "lx-top" },
        h("div", {}, choice.element, this.plane.element, legend), h("div", {}, help, buttons)),
      this.table.element, strips, caption ? h("p", { class: "lx-caption" }, caption) : "");
    show();
    this.unfollow = followTheme(root, () => this.plane.repaint());
    this.unlisten = listen(host, { "change:own": () => {
      this.frame ||= requestAnimationFrame(() => this.receive());
    } });
    this.receive();
    this.compare();
  }

  stop() {
    this.unfollow();
    this.unlisten();
    cancelAnimationFrame(this.frame);
    this.teller.stop();
    this.plane.stop();
  }

  /** @param {Pair[]} points */
  measure(points) {
    const began = performance.now();
    const found = scoresOf(points, (z1, z2) => this.model.decode(z1, z2), this.maps, this.extent);
    this.scored = performance.now();
    this.took = this.scored - began;
    return found;
  }

  /** The host has another path. What the reader draws comes back from it, and is shown already. */
  receive() {
    this.frame = 0;
    const own = this.host.get("own");
    if (own === this.shown) return;
    this.show(own, "");
    this.teller.tell({ scores: this.scores });
  }

  /**
   * @param {Pair[]} points
   * @param {string} note
   */
  commit(points, note) {
    this.show(points, note);
    this.teller.tell({ own: points, scores: this.scores }); // together: Python never has one path's scores for another
  }

  /**
   * Shows a path, scores it, and says so.
   * @param {Pair[]} own
   * @param {string} note
   */
  show(own, note) {
    this.shown = own;
    this.plane.showPath(own);
    this.showScores(own);
    this.table.say(this.scores, note);
  }

  /**
   * While a path is being drawn its scores are shown, but not said.
   * @param {Pair[]} points
   */
  sketch(points) {
    if (performance.now() - this.scored > CALM * this.took) this.showScores(points);
  }

  /** @param {Pair[]} own */
  showScores(own) {
    const found = own.length ? this.measure(own) : null;
    const ways = Object.fromEntries([...this.ways].map(([name, { scores }]) => [name, scores]));
    this.scores = found ? { [OWN]: found.scores, ...ways } : ways;
    this.table.show(this.scores, this.select.value);
    const blank = new Float64Array(this.model.pixels);
    paintStrip(this.along, this.model, (share) => (found ? this.model.decode(...pathAt(found.even, share)) : blank));
  }

  /** Shows the way that was chosen, on the plane and in pictures. */
  compare() {
    const name = this.select.value, way = this.ways.get(name);
    if (!way) return;
    this.plane.showOther(way.even);
    paintStrip(this.beside, this.model, (share) => this.model.decode(...pathAt(way.even, share)));
    this.beside.setAttribute("aria-label", `drawings along the way "${name}", at constant speed of the picture`);
    this.table.show(this.scores, name);
  }
}

export default { render: renderOwnPath };
