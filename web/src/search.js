// The search for P(x) as a worker runs it: a picture comes in, and what there is to tell about it goes out.

import { closeUp, score, Table } from "./evidence.js";
import { Model } from "./model.js";

/** @typedef {{ id: number, x: Float64Array, guess: Pair }} Question  a picture and the encoder's guess */
/** @typedef {{ weights: Uint8Array } | Question} Message  the weights come first, and once */
/** @typedef {ReturnType<typeof answer>} Answer */

/**
 * What is told about a picture: log P(x), the maps, and the posterior around the highest peak.
 * @param {Table} table
 * @param {Question} question
 */
function answer(table, { id, x, guess }) {
  const found = score(table, x, guess);
  return { id, ...found, near: closeUp(table.model, x, found.best) };
}

/**
 * Makes the table bit by bit, and answers as soon as it stands. Returns what takes the messages.
 * @param {(answer: Answer) => void} tell
 * @returns {(message: Message) => void}
 */
export function serve(tell) {
  /** @type {Table | null} */
  let table = null;
  /** @type {Question | null} the newest; older ones that still wait are of no interest any more */
  let waiting = null;
  const work = () => {
    if (table?.grow()) setTimeout(work);
    else if (table && waiting) {
      tell(answer(table, waiting));
      waiting = null;
    }
  };
  return (message) => {
    if ("weights" in message) table = new Table(new Model(message.weights));
    else waiting = message;
    setTimeout(work);
  };
}
