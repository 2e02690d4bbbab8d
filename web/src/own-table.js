// The scorecard of paths from A to B: a table that marks the best, and sentences that say whom the reader beats.

import { h } from "./dom.js";
import { beaten, best, COLUMNS, written } from "./path-score.js";

export const OWN = "your path";

const NOTE = "★ best of the paths on the plane; in every column less is better. All is taken at constant speed of the "
  + "picture. Way in doubt: the share of it with more than 0.3 nats of doubt; mean doubt: in nats. Distance: of the "
  + "pictures to the nearest real one, as a ratio to what real pictures have. Total change: how far the picture "
  + "goes, as a ratio to the straight way between the two pictures. Length: on the plane, as a ratio to the line.";

/** @typedef {Partial<import("./path-score.js").Scores>} Card */

/** @param {Record<string, Card>} rows  of what is no path on the plane */
export function scoreTable(rows) {
  // A row without a total change is no way from A to B, but what stands for reality.
  const rivals = Object.fromEntries(Object.entries(rows).filter(([, card]) => card["total change"] != null));
  const head = h("tr", {}, h("th", { scope: "col" }, "from A to B"),
    ...COLUMNS.map((column) => h("th", { scope: "col" }, column)));
  const body = h("tbody");
  const told = h("div", { role: "status", class: "lx-told" });
  const table = h("table", { class: "lx-table" },
    h("caption", { class: "lx-hidden" }, "Scores of the ways from A to B"), h("thead", {}, head), body);
  const element = h("div", { role: "region", class: "lx-walk lx-scores", "aria-label": "Scorecard" },
    table, told, h("p", { class: "lx-legend" }, NOTE));

  /**
   * @param {Record<string, Card>} paths  on the plane
   * @param {string} seen  the one that the plane shows beside the reader's
   */
  function show(paths, seen) {
    /** @type {Record<string, Card>} */
    const onPlane = { [OWN]: {}, ...paths }, cards = { ...onPlane, ...rows };
    const marks = COLUMNS.map((column) => best(column, Object.values(onPlane)));
    body.replaceChildren(...Object.entries(cards).map(([name, card], row) => {
      const line = name === OWN ? "lx-own-key" : name === seen ? "lx-other-key" : "";
      const cells = COLUMNS.map((column, i) => h("td", {},
        ...(marks[i][row]
          ? [h("b", { "aria-hidden": "true" }, "★ "), h("span", { class: "lx-hidden" }, "best: ")] : []),
        written(column, card[column])));
      return h("tr", { class: name === OWN ? "lx-own-row" : name in rows ? "lx-given-row" : "" },
        h("th", { scope: "row" }, ...(line ? [h("i", { class: line })] : []), name), ...cells);
    }));
  }

  /**
   * Says the scores of the reader's path, and whom it beats.
   * @param {Record<string, Card>} paths
   * @param {string} note  what is to be said before
   */
  function say(paths, note) {
    const { [OWN]: own, ...ways } = paths;
    if (!own) {
      told.replaceChildren(h("p", {}, `${note} There is no path of yours yet: press A and draw to B.`.trim()));
      return;
    }
    told.replaceChildren(h("p", {}, `${note} Your path:`.trim()), h("ul", {}, ...COLUMNS.map((column) => {
      const names = beaten(column, own, { ...ways, ...rivals });
      return h("li", {}, `${column} ${written(column, own[column])}: beats ${names.join(", ") || "none"}.`);
    })));
  }
  return { element, show, say };
}
