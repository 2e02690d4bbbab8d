// The training as the page sees it: a worker that is begun, paused, gone on with and ended.

/**
 * @typedef {import("./lab-worker.js").Look} Look
 * @typedef {import("./lab-worker.js").Task} Task
 */

const BEAT = 5000; // milliseconds; so often it is asked whether the worker has said a word
const SILENCE = 12; // beats without one, after which it is taken for dead: a machine that sleeps has no beats
const FORBIDDEN = "The policy of this page lets no worker run, so nothing can be trained here. In Jupyter the same lab "
  + "trains the same model.";
const DEAD = "The training stopped without a word: the browser has ended it, perhaps for want of memory. "
  + "What was learned until then still draws. Press reset to begin anew.";

/** One training run in a worker of its own. */
export class Learning {
  /**
   * @param {Task} task
   * @param {(look: Look) => void} show
   * @param {(failure: string) => void} fail  is called once, and then the worker is gone
   */
  constructor(task, show, fail) {
    this.running = false;
    this.heard = false;
    this.silent = 0;
    this.failed = (/** @type {string} */ failure) => {
      this.stop();
      fail(failure);
    };
    // A page that was opened from disk lets no worker load a file, so the worker's text stands here.
    const address = URL.createObjectURL(new Blob([LAB_WORKER_TEXT], { type: "text/javascript" }));
    this.worker = new Worker(address); // throws only in old browsers; what a policy forbids comes as an error event
    URL.revokeObjectURL(address);
    this.worker.onerror = (event) => {
      event.preventDefault();
      this.failed(this.heard || event.message ? DEAD : FORBIDDEN);
    };
    this.worker.onmessage = ({ data }) => {
      this.heard = true;
      if ("failed" in data) this.failed(data.failed);
      else {
        this.silent = 0;
        show(data);
        if (data.done) this.stop();
      }
    };
    this.worker.postMessage({ task });
    this.watch = setInterval(() => {
      if (this.running && ++this.silent > SILENCE) this.failed(DEAD);
    }, BEAT);
  }

  /** @param {boolean} running */
  run(running) {
    this.running = running;
    this.worker.postMessage({ paused: !running });
    this.silent = 0;
  }

  stop() {
    this.running = false;
    clearInterval(this.watch);
    this.worker.terminate();
  }
}
