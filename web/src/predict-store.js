// What a reader has answered, and how the reader likes a page: kept in this browser alone.

const ANSWERS = "vaecourse-answers";
const SWITCHES = "vaecourse-switches";

/**
 * What is kept of one answer. `sure` is 0, 1 or 2; `miss` goes from 0, right, to 1; what cannot be right or wrong has
 * neither. Of an outcome that was looked up without a guess, `shown` alone.
 * @typedef {{ shown?: true, page?: string, chapter?: string, question?: string, guess?: any, said?: string,
 *   truth?: string, right?: boolean, miss?: number, sure?: number, recall?: boolean, when?: string }} Answer
 */

/** Where a browser keeps nothing (a private window, a policy), pages still work: this lasts while the page is open. */
/** @type {Map<string, string>} */
const instead = new Map();
let works = true;

/**
 * @param {string} key
 * @returns {Record<string, any>}
 */
function read(key) {
  let text = instead.get(key) ?? null;
  try {
    text ??= localStorage.getItem(key);
  } catch {
    works = false;
  }
  try {
    const found = JSON.parse(text ?? "{}");
    return found && typeof found === "object" && !Array.isArray(found) ? found : {};
  } catch {
    return {}; // somebody else's text: nothing of ours is lost
  }
}

/**
 * @param {string} key
 * @param {Record<string, any>} value
 */
function write(key, value) {
  const text = JSON.stringify(value);
  try {
    localStorage.setItem(key, text);
    instead.delete(key);
  } catch {
    works = false;
    instead.set(key, text);
  }
}

/** Whether answers outlive the page. */
export function lasts() {
  read(ANSWERS);
  return works;
}

/** @returns {Record<string, Answer>} all answers, by the name of the question */
export function answers() {
  return read(ANSWERS);
}

/**
 * Keeps an answer; without one, forgets it. Another tab may have written meanwhile, so the rest is read again.
 * @param {string} name
 * @param {Answer} [answer]
 */
export function keepAnswer(name, answer) {
  const { [name]: _, ...rest } = answers();
  write(ANSWERS, answer ? { ...rest, [name]: answer } : rest);
}

export function forgetAll() {
  write(ANSWERS, {});
}

/**
 * @param {string} name
 * @param {boolean} usual
 * @returns {boolean}
 */
export function isOn(name, usual) {
  return read(SWITCHES)[name] ?? usual;
}

/**
 * @param {string} name
 * @param {boolean} on
 */
export function keepSwitch(name, on) {
  write(SWITCHES, { ...read(SWITCHES), [name]: on });
}
