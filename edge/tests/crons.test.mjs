// Fear: what is due at midnight on Cloudflare never runs here, or runs each minute.

import assert from "node:assert/strict";
import { test } from "node:test";
import { isDue, keepTime } from "../local/crons.mjs";
import { bindings } from "../local/worker.mjs";

const due = (cron) => {
  const start = Date.UTC(2026, 0, 5); // a Monday
  const minutes = Array.from({ length: 7 * 24 * 60 }, (_, i) => new Date(start + i * 60_000));
  return minutes.filter((minute) => isDue(cron, minute)).map((minute) => minute.toISOString().slice(8, 16));
};

test("a trigger is due in its minutes and in no others", () => {
  assert.equal(due("* * * * *").length, 7 * 24 * 60);
  assert.equal(due("0 * * * *").length, 7 * 24);
  assert.deepEqual(due("0 0 * * *").slice(0, 2), ["05T00:00", "06T00:00"]);
  assert.deepEqual(due("*/20 3 * * 1"), ["05T03:00", "05T03:20", "05T03:40"]);
  assert.deepEqual(due("5,7-8 23 11 1 *"), ["11T23:05", "11T23:07", "11T23:08"]);
  for (const bad of ["", "* * * *", "x * * * *", "1.5 * * * *", "*/0.5 * * * *"]) {
    assert.throws(() => isDue(bad, new Date(0)), new RegExp("cron"));
  }
});

test("every trigger of bindings.json can be read, and stopping leaves no timer", () => {
  for (const { crons } of bindings.workers) crons.forEach((cron) => isDue(cron, new Date()));
  keepTime({}, [{ name: "x", crons: ["* * * * *"] }])();
});
