// A widget in a page without a kernel: an element that holds the state and draws what a notebook's host would.

import { h, sentence } from "./dom.js";

/**
 * The bytes that a base64 text stands for.
 * @param {string} text
 */
export function fromBase64(text) {
  const letters = atob(text), bytes = new Uint8Array(letters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i); // a loop: there may be a million
  return bytes;
}

/**
 * What anywidget's model is to a front end.
 * @implements {Host<any>}
 */
export class PageModel {
  /** @param {Record<string, any>} state */
  constructor(state) {
    this.state = state;
    /** @type {Map<string, (() => void)[]>} */
    this.heard = new Map();
  }
  /** @param {string} name */
  get(name) {
    return this.state[name];
  }
  /**
   * @param {string} name
   * @param {unknown} value
   */
  set(name, value) {
    if (Object.is(this.state[name], value)) return;
    this.state[name] = value;
    for (const then of this.heard.get(`change:${name}`) ?? []) then();
  }
  /**
   * @param {string} event
   * @param {() => void} then
   */
  on(event, then) {
    this.heard.set(event, [...(this.heard.get(event) ?? []), then]);
  }
  /**
   * @param {string} event
   * @param {() => void} then
   */
  off(event, then) {
    this.heard.set(event, (this.heard.get(event) ?? []).filter((other) => other !== then));
  }
  save_changes() {}
  widget_manager = { get_model: () => Promise.reject(new Error("A page has no other models.")) };
}

/**
 * Lets the elements of this name live, in which a widget's state stands. Each comes to life when the reader comes near:
 * what it needs is heavy.
 * @param {string} name
 * @param {object} how
 * @param {string[]} how.bytes  what the state holds in base64
 * @param {Render<any>} how.draw
 * @param {(state: Record<string, any>, element: HTMLElement) => Promise<void>} [how.prepare]  what must be done first
 */
export function defineTwin(name, { bytes, draw, prepare }) {
  customElements.define(name, class extends HTMLElement {
    /** @type {PageModel | undefined} */
    model;
    /** @type {(() => void) | undefined} */
    stop;
    watcher = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      this.watcher.disconnect();
      this.start();
    }, { rootMargin: "800px" });

    connectedCallback() {
      this.watcher.observe(this);
    }

    async start() {
      const live = h("div");
      try {
        const state = JSON.parse(this.querySelector("script")?.textContent ?? "");
        for (const key of bytes) state[key] = fromBase64(state[key]);
        await prepare?.(state, this);
        this.model = new PageModel(state);
        this.stop = draw({ model: this.model, el: live });
        this.querySelector(".lx-still")?.setAttribute("hidden", "");
      } catch (error) {
        live.append(h("p", { class: "latent-explorer lx-error", role: "alert" }, sentence(error)));
      }
      this.append(live);
    }

    disconnectedCallback() {
      this.watcher.disconnect();
      this.stop?.();
    }
  });
}
