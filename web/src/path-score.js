// What a path on the plane costs, in numbers: how sure a judge is of the pictures along it, how far they are from real
// ones, and how long it is. Nothing here knows of a page.
//
// All is taken at constant speed of the picture: equal shares of the way change the picture equally, by the distance of
// the pictures as vectors. Otherwise a path could hurry past what is bad.

/** The columns of a scorecard. In each, less is better. */
export const COLUMNS = /** @type {const} */ (["way in doubt", "mean doubt", "distance", "total change", "length"]);

/** @typedef {Record<typeof COLUMNS[number], number | null>} Scores  null where there is nothing to say */
/** @typedef {{ values: Numbers, width: number, height: number }} Grid  a map over the plane, first row at the bottom */
/** @typedef {{ doubt: Grid, distance: Grid }} Maps  in nats; and as a ratio to what real pictures have */

const DOUBTFUL = 0.3; // nats: from here on the judge counts as in doubt
const STEP = 0.02; // a path is measured in steps of at most so many sd of the prior,
const PIECES = { least: 128, most: 1024 }; // and in as many pieces

/**
 * How far apart two codes lie, or two pictures.
 * @param {Numbers} a
 * @param {Numbers} b
 */
function apart(a, b) {
  let squares = 0;
  for (let k = 0; k < a.length; k++) squares += (a[k] - b[k]) ** 2;
  return Math.sqrt(squares);
}

/**
 * How far along its straight pieces each of some points lies, from 0.
 * @param {Pair[]} points
 */
function gone(points) {
  const far = new Float64Array(points.length);
  for (let i = 1; i < far.length; i++) far[i] = far[i - 1] + apart(points[i - 1], points[i]);
  return far;
}

/**
 * The same for pictures on a curve, an odd number of them. A polygon is shorter than the curve; what one of twice as
 * long pieces lacks more tells how much (Richardson's extrapolation), so that a quarter of the pictures does.
 * @param {Numbers[]} pictures
 */
function goneOnCurve(pictures) {
  const far = new Float64Array(pictures.length);
  for (let i = 2; i < far.length; i += 2) {
    const [first, second] = [apart(pictures[i - 2], pictures[i - 1]), apart(pictures[i - 1], pictures[i])];
    const both = first + second, longer = 1 + (1 - apart(pictures[i - 2], pictures[i]) / (both || 1)) / 3;
    far[i - 1] = far[i - 2] + longer * first;
    far[i] = far[i - 2] + longer * both;
  }
  return far;
}

/**
 * `count` points of a path, evenly spread by `far`, which says how far along each of its points lies.
 * @param {Pair[]} points
 * @param {number} count
 * @returns {Pair[]}
 */
export function evenly(points, count, far = gone(points)) {
  const end = far[far.length - 1];
  let leg = 1;
  return Array.from({ length: count }, (_, i) => {
    const at = (end * i) / (count - 1);
    while (leg < far.length - 1 && far[leg] < at) leg++;
    const [a, b] = [points[leg - 1], points[leg]];
    const share = Math.min(1, (at - far[leg - 1]) / (far[leg] - far[leg - 1] || 1)); // a piece may have no length
    return [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])];
  });
}

/**
 * A path's points and others between them, close enough to measure what changes along it; an even number on each piece.
 * @param {Pair[]} points
 * @returns {Pair[]}
 */
function fine(points) {
  const far = gone(points), end = far[far.length - 1];
  const all = Math.min(PIECES.most, Math.max(PIECES.least, end / STEP));
  const chain = points.slice(0, 1);
  for (let i = 1; i < points.length; i++) {
    const [a, b] = [points[i - 1], points[i]];
    const pieces = 2 * Math.max(1, Math.ceil((all * (far[i] - far[i - 1])) / end / 2 - 1e-9));
    for (let k = 1; k <= pieces; k++) {
      const share = k / pieces;
      chain.push([(1 - share) * a[0] + share * b[0], (1 - share) * a[1] + share * b[1]]);
    }
  }
  return chain;
}

/**
 * What a map says at a code, bilinearly between its values, which reach from -extent to extent; at its edge beyond it.
 * @param {Grid} map
 * @param {number} extent
 * @param {Pair} z
 */
export function lookUp({ values, width, height }, extent, [z1, z2]) {
  /**
   * @param {number} z
   * @param {number} cells
   */
  const place = (z, cells) => Math.min(cells - 1, Math.max(0, ((z / extent + 1) * (cells - 1)) / 2));
  const [x, y] = [place(z1, width), place(z2, height)];
  const [left, low] = [Math.min(width - 2, Math.floor(x)), Math.min(height - 2, Math.floor(y))];
  const [u, v] = [x - left, y - low], at = low * width + left;
  return (1 - v) * ((1 - u) * values[at] + u * values[at + 1])
    + v * ((1 - u) * values[at + width] + u * values[at + width + 1]);
}

/**
 * The mean of what is known at evenly spread places, straight between them.
 * @param {Numbers} values
 */
function mean(values) {
  let sum = -(values[0] + values[values.length - 1]) / 2;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / (values.length - 1);
}

/**
 * The share of the way on which such values lie above a limit.
 * @param {Numbers} values
 * @param {number} limit
 */
function shareAbove(values, limit) {
  let sum = 0;
  for (let i = 1; i < values.length; i++) {
    const [low, high] = [values[i - 1], values[i]].sort((a, b) => a - b);
    if (low > limit) sum += 1;
    else if (high > limit) sum += (high - limit) / (high - low);
  }
  return sum / (values.length - 1);
}

/**
 * The scores of a path, and the same path at constant speed of the picture.
 * @param {Pair[]} points  at least two, read as straight pieces
 * @param {(z1: number, z2: number) => Numbers} decode  gives each code a picture of its own
 * @param {Maps} maps
 * @param {number} extent  of the plane, and of the maps
 * @returns {{ scores: Scores, even: Pair[] }}
 */
export function scoresOf(points, decode, maps, extent) {
  const chain = fine(points);
  const pictures = chain.map(([z1, z2]) => decode(z1, z2));
  const far = goneOnCurve(pictures);
  const even = evenly(chain, chain.length, far);
  const doubt = even.map((z) => lookUp(maps.doubt, extent, z));
  return {
    even,
    scores: {
      "way in doubt": shareAbove(doubt, DOUBTFUL),
      "mean doubt": mean(doubt),
      distance: mean(even.map((z) => lookUp(maps.distance, extent, z))),
      "total change": far[chain.length - 1] / apart(pictures[0], pictures[chain.length - 1]),
      length: gone(points)[points.length - 1] / apart(points[0], points[points.length - 1]),
    },
  };
}

const STROKE = 49; // points that a stroke of the hand keeps

/**
 * What a hand drew, without its tremble: evenly spread points, each moved towards its neighbours. The ends stay.
 * @param {Pair[]} drawn
 */
export function smooth(drawn) {
  let points = evenly(drawn, STROKE);
  for (let pass = 0; pass < 3; pass++) {
    points = points.map((z, i) => {
      if (i === 0 || i === STROKE - 1) return z;
      const [before, after] = [points[i - 1], points[i + 1]];
      return [(before[0] + 2 * z[0] + after[0]) / 4, (before[1] + 2 * z[1] + after[1]) / 4];
    });
  }
  return points;
}

/**
 * A value as the scorecard compares it: to two digits, for what the page writes as equal beats nobody.
 * @param {number | null | undefined} value
 */
const rounded = (value) => (value == null || !Number.isFinite(value) ? Infinity : Math.round(100 * value));

/**
 * Which of some cards have the best value of a column.
 * @param {typeof COLUMNS[number]} column
 * @param {Partial<Scores>[]} cards
 */
export function best(column, cards) {
  const all = cards.map((card) => rounded(card[column]));
  const low = Math.min(...all);
  return all.map((value) => value === low && low < Infinity);
}

/**
 * The names of those whom a card beats in a column.
 * @param {typeof COLUMNS[number]} column
 * @param {Partial<Scores>} card
 * @param {Record<string, Partial<Scores>>} others
 */
export function beaten(column, card, others) {
  const known = Object.entries(others).filter(([, other]) => rounded(other[column]) < Infinity);
  return known.filter(([, other]) => rounded(card[column]) < rounded(other[column])).map(([name]) => name);
}

/**
 * A value as the scorecard writes it.
 * @param {typeof COLUMNS[number]} column
 * @param {number | null | undefined} value
 */
export function written(column, value) {
  if (rounded(value) === Infinity) return "–";
  return column === "way in doubt" ? `${rounded(value)} %` : (rounded(value) / 100).toFixed(2);
}
