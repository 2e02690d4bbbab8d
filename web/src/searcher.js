// The search for P(x) takes a while, so it runs beside the page and not in its way.

import { serve } from "./search.js";

/**
 * @typedef {import("./search.js").Answer} Answer
 * @typedef {import("./search.js").Question} Question
 * @typedef {{ send: (message: import("./search.js").Message) => void, stop: () => void }} Port
 */

/** Answers questions about pictures: in a worker or, where none may start, on the page, a row at a time. */
export class Searcher {
  /** @param {Uint8Array} weights */
  constructor(weights) {
    this.asked = 0;
    this.weights = weights;
    /** @type {Question | null} */
    this.question = null;
    /** @type {(answer: Answer) => void} */
    this.done = () => {};
    const hear = (/** @type {Answer} */ answer) => {
      if (answer.id === this.asked) this.done(answer);
    };
    // Under a strict content security policy a worker may be made, and fail only then.
    this.port = this.briefed(startWorker(hear, () => (this.port = this.briefed(servedHere(hear)))) ?? servedHere(hear));
  }

  /**
   * The port, once it has the weights and the question that is open.
   * @param {Port} port
   */
  briefed(port) {
    port.send({ weights: this.weights });
    if (this.question) port.send(this.question);
    return port;
  }

  /**
   * log P(x) and its maps; never settles when another picture was asked for meanwhile.
   * @param {Float64Array} x
   * @param {Pair} guess  the encoder's
   * @returns {Promise<Answer>}
   */
  ask(x, guess) {
    return new Promise((done) => {
      this.done = done;
      this.question = { id: ++this.asked, x, guess };
      this.port.send(this.question);
    });
  }

  stop() {
    this.port.stop();
  }
}

/**
 * A worker, or null where none can be made.
 * @param {(answer: Answer) => void} hear
 * @param {() => void} fail  is called when it turns out later that it may not run
 * @returns {Port | null}
 */
function startWorker(hear, fail) {
  try {
    // A page that was opened from disk lets no worker load a file, so the worker's text stands here.
    const address = URL.createObjectURL(new Blob([WORKER_TEXT], { type: "text/javascript" }));
    const worker = new Worker(address);
    URL.revokeObjectURL(address);
    worker.onmessage = ({ data }) => hear(data);
    worker.onerror = fail;
    return { send: (message) => worker.postMessage(message), stop: () => worker.terminate() };
  } catch {
    return null; // an old browser, or a strict policy
  }
}

/**
 * The same on the page.
 * @param {(answer: Answer) => void} hear
 * @returns {Port}
 */
function servedHere(hear) {
  return { send: serve(hear), stop() {} };
}
