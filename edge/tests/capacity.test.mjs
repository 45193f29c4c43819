// Fear: the free plan's day is over at noon.
// The whole day is edge/bench/capacity.mjs, which `./twist test load` runs.

import assert from "node:assert/strict";
import { test } from "node:test";
import { faults, fit, runDay } from "../bench/day.mjs";

const SCALE = 50;

test("half a million VAUs fit in a day of the free plan: a fiftieth of them uses less than 95 % of a fiftieth", async () => {
  // A fiftieth of a day has no whole hour; this one has one, which counts for fifty.
  const day = await runDay({ scale: SCALE, rounds: 2, hours: 1 });
  assert.equal(day.vaus, 10_000);
  assert.deepEqual(faults(day, SCALE), [], JSON.stringify(day.used));
  for (const { name, fits } of fit(day, SCALE)) assert.ok(fits >= 500_000, `${name}: ${fits}`);
});
