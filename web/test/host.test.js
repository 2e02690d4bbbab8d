import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { listen, teller } from "../src/host.js";

/** A host that notes what it is told, and never forgets whom it must call. */
function noting() {
  const heard = new Map(), state = {}, saved = [];
  return {
    heard, state, saved,
    get: (name) => state[name],
    set: (name, value) => (state[name] = value),
    on: (event, then) => heard.set(event, then),
    save_changes: () => saved.push({ ...state }),
  };
}

test("a drag of 300 moves costs few messages; the page knows each at once, and Python where it ended", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const host = noting(), { tell, stop } = teller(host);
  for (let i = 1; i <= 300; i++) {
    tell({ z1: i });
    assert.equal(host.state.z1, i);
    mock.timers.tick(5);
  }
  mock.timers.tick(1000);
  assert.deepEqual(host.saved[0], { z1: 1 });
  assert.deepEqual(host.saved.at(-1), { z1: 300 });
  assert.ok(host.saved.length <= 1 + 1500 / 200 + 1, `${host.saved.length} messages in a second and a half`);
  tell({ z1: 0 });
  tell({ z1: -1 });
  stop(); // the cell is run again, say
  assert.deepEqual(host.saved.at(-1), { z1: -1 });
  const count = host.saved.length;
  mock.timers.tick(1000);
  assert.equal(host.saved.length, count);
  mock.timers.reset();
});

test("a host that cannot forget a listener calls it for nothing", () => {
  const host = noting();
  let calls = 0;
  const unlisten = listen(host, { "change:z1": () => calls++ });
  host.heard.get("change:z1")();
  unlisten();
  host.heard.get("change:z1")();
  assert.equal(calls, 1);
});
