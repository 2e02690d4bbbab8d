// A widget in a page without a kernel: an element that holds the state and draws what a notebook's host would.

import { h } from "./dom.js";

/** The bytes that a base64 text stands for. */
export function fromBase64(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
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

/**
 * An element with a widget's state inside. It comes to life when the reader comes near: what it needs is heavy.
 * Who extends it says which `bytes` the state holds in base64, what to `draw` and, if need be, to `prepare` first.
 */
export class Twin extends HTMLElement {
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
