// The book's pages have no kernel. This stands in for one: <latent-explorer> holds the state, and the weights come,
// once for all explorers of all pages, from a script file (a page opened from disk may not fetch anything else).

import { h } from "./dom.js";
import { render } from "./main.js";
import { renderTurning } from "./turning.js";

const here = new URL(".", document.currentScript.src);
const coming = new Map(); // name: a promise of weights

/** The bytes that a base64 text stands for. */
export function fromBase64(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

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

/** What anywidget's model is to a front end: get, set, on, off, save_changes. */
export class PageModel {
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

/** An element with a widget's state inside. It comes to life when the reader comes near: what it needs is heavy. */
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
      if (this.dataset.model) state.weights = await loadWeights(this.dataset.model);
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

customElements.define("latent-explorer", class extends Twin {
  bytes = ["codes", "labels", "heat", "path", "images"];
  draw = render;
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
