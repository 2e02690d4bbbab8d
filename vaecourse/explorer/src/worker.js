// The search for P(x) takes a while, so it runs beside the page and not in its way.

import {
  Table, climb, closeUp, distance2, findPeaks, landscape, localMaxima, score, solve2, startsFrom, weigh,
} from "./evidence.js";
import { Mlp, Model, readSafetensors } from "./model.js";
import { erf, gelu, halfToFloat, logPrior, logSumExp, toBytes } from "./numbers.js";

// A worker may not import from a page that was opened from disk, so it gets the text of all that it needs.
const PARTS = [
  Table, climb, closeUp, distance2, findPeaks, landscape, localMaxima, score, solve2, startsFrom, weigh,
  Mlp, Model, readSafetensors, erf, gelu, halfToFloat, logPrior, logSumExp, toBytes, answer, serve,
];

/** What is told about a picture: log P(x), the maps, and the posterior around the highest peak. */
export function answer(table, x, guess) {
  const found = score(table, x, guess);
  return { ...found, near: closeUp(table.model, x, found.best) };
}

/** The worker's side: makes the table bit by bit, and answers as soon as it stands. */
function serve(scope) {
  let table = null;
  let waiting = null; // the newest picture; older ones that still wait are of no interest any more
  const work = () => {
    if (table.grow()) return setTimeout(work);
    if (waiting) scope.postMessage({ id: waiting.id, ...answer(table, waiting.x, waiting.guess) });
    waiting = null;
  };
  scope.onmessage = ({ data }) => {
    if (data.weights) table = new Table(new Model(data.weights));
    else waiting = data;
    setTimeout(work);
  };
}

/** Answers questions about pictures: in a worker or, where none may start, on the page, a row at a time. */
export class Searcher {
  constructor(weights) {
    this.asked = 0;
    this.weights = weights;
    this.turnTo(startWorker() ?? servedHere());
  }

  turnTo(port) {
    port.onmessage = ({ data }) => data.id === this.asked && this.done(data);
    // Under a strict content security policy a worker may be made, and fail only then.
    port.onerror = () => this.turnTo(servedHere());
    this.port = port;
    port.postMessage({ weights: this.weights });
    if (this.question) port.postMessage(this.question);
  }

  /** log P(x) and its maps; never settles when another picture was asked for meanwhile. */
  ask(x, guess) {
    return new Promise((done) => {
      this.done = done;
      this.question = { id: ++this.asked, x, guess };
      this.port.postMessage(this.question);
    });
  }

  stop() {
    this.port.terminate?.();
  }
}

function startWorker() {
  try {
    const text = `${PARTS.map(String).join("\n")}\nserve(self);`;
    const address = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    const worker = new Worker(address);
    URL.revokeObjectURL(address);
    return worker;
  } catch {
    return null; // an old browser, or a strict policy
  }
}

/** The two ends of a worker, without a worker. */
function servedHere() {
  const port = {};
  const scope = { postMessage: (data) => port.onmessage({ data }) };
  serve(scope);
  port.postMessage = (data) => scope.onmessage({ data });
  return port;
}
