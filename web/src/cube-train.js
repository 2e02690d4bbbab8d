// Learning in the page: the buttons, what is told of it, and the loop, which takes a few milliseconds of each frame.

import { Learner } from "./cube-learn.js";
import { chart, layerBoxes } from "./cube-panels.js";
import { h, number, slider } from "./dom.js";

const SLICE = 8; // milliseconds of a frame
const MOST_STEPS = 5; // of a frame: the sheet is to be seen bending
const EVERY = 400; // milliseconds between two measurements

/**
 * @param {Learner} learner
 * @param {() => void} changed  hears when the model has moved
 * @param {(learning: boolean) => void} rested  hears when it begins, and when it stops
 */
export function trainPanel(learner, changed, rested) {
  const go = h("button", { type: "button", onclick: () => (learning ? pause() : learn()) }, "Learn");
  const again = h("button", { type: "button", onclick: () => restart(learner.seed) }, "Start again");
  const other = h("button", { type: "button", onclick: () => restart(learner.seed + 1) }, "Another seed");
  const beta = slider("β", { min: 0, max: 4, step: 0.1 }, (value) => {
    learner.beta = value;
    beta.show(value);
  });
  const kinds = layerBoxes([
    { name: "hold", label: "hold σ where it is" }, { name: "plain", label: "autoencoder: no noise, no KL" },
  ], "What is learned", (name, on) => {
    if (name === "hold") learner.holdSigma = on;
    else learner.autoencoder = on;
    rested(learning);
  });
  const told = h("p", { class: "lx-number lx-told" });
  const canvas = h("canvas", { class: "lx-chart", role: "img", "aria-label": "ELBO and log P(x) while it learns" });
  const keys = h("figcaption", {},
    h("i", { class: "lx-dot lx-logp-dot" }), "mean log P(x)", h("i", { class: "lx-dot lx-elbo-dot" }), "mean ELBO",
    ", in nats for each picture, over the steps");
  const figure = h("figure", { hidden: true }, canvas, keys);
  const element = h("div", { role: "region", class: "lx-walk lx-learn", "aria-label": "Learning" },
    h("div", {}, h("div", { class: "lx-row" }, go, again, other), kinds.element, beta.element),
    h("div", {}, told, figure));
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches; // then it moves with each measurement
  let learning = false;
  let seen = true; // on the screen
  let frame = 0;
  let last = 0; // when the last measurement ended
  /** @type {ReturnType<Learner["measure"]> | null} */
  let measuring = null;
  /** @type {{ steps: number, elbo: number, logP: number }[]} */
  let history = [];

  function loop() {
    frame = 0;
    if (!learning || !seen) return;
    const start = performance.now();
    for (let i = 0; i < MOST_STEPS && performance.now() - start < SLICE / 2; i++) learner.step();
    if (!measuring && start - last > EVERY) measuring = learner.measure();
    const before = history.length;
    while (measuring && performance.now() - start < SLICE) measureOn();
    if (!calm || history.length > before) changed();
    frame = requestAnimationFrame(loop);
  }

  /** One bit of a measurement; when it is whole, it is told. */
  function measureOn() {
    const { done, value } = measuring?.next() ?? {};
    if (!done || !value) return;
    measuring = null;
    last = performance.now();
    history.push(value);
    if (history.length > 300) history = history.filter((_, i) => i % 2 === 0); // the older, the sparser
    show();
  }

  function show() {
    const style = getComputedStyle(element);
    const now = history.at(-1);
    const at = history.map(({ steps }) => steps);
    figure.hidden = history.length < 2;
    chart(canvas, [
      { values: history.map(({ logP }) => logP), at, color: style.getPropertyValue("--lx-logp") },
      { values: history.map(({ elbo }) => elbo), at, color: style.getPropertyValue("--lx-elbo") },
    ], style.getPropertyValue("--lx-soft"));
    if (!now) return;
    const bound = Number.isFinite(now.elbo)
      ? ` The ELBO is ${number(now.elbo)}, ${number(now.logP - now.elbo)} below it.` : " An autoencoder has no ELBO.";
    told.textContent = `Step ${now.steps}, seed ${learner.seed}. On pictures held out, log P(x) is `
      + `${number(now.logP)} nats on average.${bound}`;
  }

  function learn() {
    learning = true;
    go.textContent = "Pause";
    frame ||= requestAnimationFrame(loop);
    rested(true);
  }

  function pause() {
    learning = false;
    go.textContent = "Learn";
    rested(false);
  }

  /** @param {number} seed */
  function restart(seed) {
    learner.seed = seed;
    learner.start();
    history = [];
    measureNow();
    changed();
    rested(learning);
  }

  /** Measures at once. */
  function measureNow() {
    measuring = learner.measure();
    while (measuring) measureOn();
  }

  const watcher = new IntersectionObserver((entries) => {
    seen = entries.some((entry) => entry.isIntersecting);
    if (seen && learning) frame ||= requestAnimationFrame(loop);
  });
  watcher.observe(element);
  beta.show(learner.beta);
  kinds.show(learner.holdSigma ? ["hold"] : []);
  const stop = () => {
    learning = false;
    watcher.disconnect();
    cancelAnimationFrame(frame);
  };
  return { element, measureNow, stop };
}
