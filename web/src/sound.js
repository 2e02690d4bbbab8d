// A sound that can be steered: a plane of vowels, whose point is heard.
//
// The host gives a model with traits:
//   z1, z2   the point, in standard deviations of the prior
//   t, ends  share of the way from A to B, and the names of the two vowels
//   way      what sounds: "point", or on the way "plane", "fade" or "truth"
//   spec     { extent, named: { name: [jaw, tongue] }, filter, caption }
//   weights  bytes; in notebooks the name of the widget that has them

import { h, slider } from "./dom.js";
import { draw, listen, teller } from "./host.js";
import { Model } from "./model.js";
import { settle } from "./numbers.js";
import { Plane } from "./plane.js";
import { soundWalk } from "./sound-walk.js";
import { Spectrum } from "./spectrum.js";
import { followTheme } from "./theme.js";
import { amplitudes, Voice } from "./voice.js";
import { Mouth, saying } from "./vowel.js";
import { pathAt } from "./walk.js";

const VOLUME = 50; // percent, at the start
const LINES = 5; // places of the jaw, and of the tongue, whose lines are drawn
const LEGEND = "Lines: where the encoder puts vowels of equally open jaw (blue) and of equally placed tongue (orange). "
  + "Dashed circles: 1, 2 and 3 standard deviations of the prior.";

/**
 * Draws the widget into `el`; returns what takes it away again.
 * @type {Render<SoundTraits>}
 */
export function renderSound(face) {
  const words = { label: "A plane of vowels", class: "latent-explorer lx-sound", sorry: "The plane cannot be shown." };
  return draw(face, words, (host, root, weights) => {
    const widget = new SoundPlane(host, root, weights);
    return () => widget.stop();
  });
}

/**
 * Lines of equal jaw and of equal tongue, as the encoder lays them.
 * @param {Model} model
 * @param {Mouth} mouth
 * @returns {import("./layers.js").Layer}
 */
function mouthLayer(model, mouth) {
  const fine = Array.from({ length: 33 }, (_, i) => i / 32);
  const lines = [0, 1].flatMap((which) => Array.from({ length: LINES }, (_, k) => ({
    color: which ? "#e76300" : "#3f90da",
    points: fine.map((share) => {
      const held = k / (LINES - 1);
      return model.encode(mouth.draw(which ? [share, held] : [held, share])).mean;
    }),
  })));
  return {
    name: "mouth",
    paint(context, { extent, size }) {
      /** @param {number} z */
      const at = (z) => ((z / extent + 1) * size) / 2;
      context.lineWidth = 2;
      for (const { color, points } of lines) {
        context.strokeStyle = color;
        context.beginPath();
        for (const [z1, z2] of points) context.lineTo(at(z1), size - at(z2));
        context.stroke();
      }
      context.lineWidth = 1;
    },
    legend: () => [LEGEND],
  };
}

class SoundPlane {
  /**
   * @param {Host<SoundTraits>} host
   * @param {HTMLElement} root
   * @param {Bytes} weights
   */
  constructor(host, root, weights) {
    const { extent, named, filter, caption } = host.get("spec");
    this.host = host;
    this.teller = teller(host);
    this.extent = extent;
    this.named = named;
    this.frame = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.model = new Model(weights);
    this.mouth = new Mouth(filter);
    /** @type {[string, Pair][]} where the named vowels lie */
    this.marks = Object.entries(named).map(([name, place]) => [name, this.model.encode(this.mouth.draw(place)).mean]);
    this.plane = new Plane(extent);
    for (const [name, z] of this.marks) {
      const mark = h("div", { class: "lx-handle lx-landmark", "aria-hidden": "true" }, name);
      this.plane.field.append(mark);
      this.plane.put(mark, ...z);
    }
    this.placePoint = this.plane.addHandle("Point z", "point", () => this.where(), (z1, z2) => this.move(z1, z2));
    const layer = mouthLayer(this.model, this.mouth);
    this.plane.show(layer);
    const go = h("div", { class: "lx-row lx-vowels", role: "group", "aria-label": "Go to a vowel" },
      ...this.marks.map(([name, z]) => h("button", { type: "button", onclick: () => this.move(...z) }, `“${name}”`)));
    this.button = h("button", { type: "button", onclick: () => this.toggle() }, "Sound on");
    this.volume = slider("volume", { min: 0, max: 100, step: 1 }, (value) => this.setVolume(value));
    this.voice = new Voice(filter.pitch, (on) => {
      this.button.textContent = on ? "Sound off" : "Sound on";
    });
    this.setVolume(VOLUME);
    this.failed = h("p", { class: "lx-error", role: "alert", hidden: true });
    this.spectrum = new Spectrum(this.mouth);
    this.words = h("p", { class: "lx-told" });
    this.status = h("p", { class: "lx-hidden", role: "status" });
    this.walk = soundWalk(this.model, this.mouth, named, {
      go: (t) => this.send({ t, way: host.get("way") === "point" ? "plane" : host.get("way") }),
      choose: (way) => this.send({ way }),
      ends: (ends) => this.send({ ends }),
    });
    root.append(
      h("div", { class: "lx-row lx-volume" }, this.button, this.volume.element), this.failed,
      h("div", { class: "lx-top" },
        h("div", {}, this.plane.element, go, h("p", { class: "lx-legend" }, ...layer.legend())),
        h("div", {}, this.spectrum.element, this.words, this.status)),
      this.walk.element, caption ? h("p", { class: "lx-caption" }, caption) : "");
    this.unfollow = followTheme(root, () => {
      this.plane.repaint();
      this.spectrum.repaint();
    });
    // Nothing sounds that cannot be seen.
    this.watcher = new IntersectionObserver((seen) => {
      if (!seen[seen.length - 1].isIntersecting) this.hush();
    });
    this.watcher.observe(root);
    const schedule = () => {
      this.frame ||= requestAnimationFrame(() => this.update());
    };
    this.unlisten = listen(host, {
      ...Object.fromEntries(["z1", "z2", "t", "way"].map((name) => [`change:${name}`, schedule])),
      "change:ends": () => {
        this.showEnds();
        schedule();
      },
    });
    this.showEnds();
    this.update();
  }

  stop() {
    this.unfollow();
    this.unlisten();
    this.watcher.disconnect();
    cancelAnimationFrame(this.frame);
    clearTimeout(this.timer);
    this.walk.pause();
    this.voice.close();
    for (const part of [this.teller, this.plane, this.spectrum]) part.stop();
  }

  hush() {
    this.walk.pause();
    this.voice.stop();
  }

  async toggle() {
    if (this.voice.on) {
      this.hush();
      return;
    }
    try {
      await this.voice.start();
      this.failed.hidden = true;
    } catch {
      this.voice.stop();
      this.failed.hidden = false;
      this.failed.textContent = "This browser lets no page sound here. The picture shows what would be heard.";
    }
  }

  /** @param {number} percent */
  setVolume(percent) {
    this.volume.show(percent, 0);
    this.voice.setVolume(percent / 100);
  }

  /** @returns {Pair} */
  where() {
    return [settle(this.host.get("z1"), this.extent), settle(this.host.get("z2"), this.extent)];
  }

  /** The reader takes the point, which is then what sounds. @type {Move} */
  move(z1, z2) {
    this.walk.pause();
    this.send({ z1: settle(z1, this.extent), z2: settle(z2, this.extent), way: "point" });
  }

  /** @param {Partial<SoundTraits>} values */
  send(values) {
    this.teller.tell(values);
  }

  /** The codes of A and B. */
  ends() {
    return this.host.get("ends").map((name) => /** @type {[string, Pair]} */ (this.marks.find(([n]) => n === name))[1]);
  }

  showEnds() {
    this.plane.trace(this.ends());
    this.walk.showEnds(this.host.get("ends"));
  }

  /** Shows and sounds what there is to hear. */
  update() {
    this.frame = 0;
    const way = this.host.get("way"), t = Math.min(1, Math.max(0, this.host.get("t")));
    if (way === "plane") { // the point goes along
      const [z1, z2] = pathAt(this.ends(), t).map((c) => settle(c, this.extent));
      this.send({ z1, z2 });
    }
    const z = this.where();
    if (!z.every(Number.isFinite)) return; // the last good place stays
    this.placePoint(...z);
    this.plane.handles[0].element.classList.toggle("lx-aside", way === "fade" || way === "truth");
    this.walk.showPlace(way, t);
    const x = way === "point" || way === "plane" ? this.model.decode(...z) : this.walk.at(way, t);
    this.voice.sound(amplitudes(x, this.mouth.range));
    const vowel = this.mouth.nearest(x);
    let words = saying(vowel, this.named);
    if (way === "plane" || way === "fade") {
      const apart = this.mouth.apart(x, this.walk.at("truth", t));
      words += ` The true vowel at this share of the way is ${apart.toFixed(1)} dB away.`;
    }
    this.spectrum.show(x, vowel, words);
    if (this.words.textContent === words) return;
    this.words.textContent = words;
    clearTimeout(this.timer); // a screen reader hears where it came to rest
    this.timer = setTimeout(() => {
      this.status.textContent = words;
    }, 800);
  }
}

export default { render: renderSound };
