// Fear: one caller or one device takes more than its share, or the day's emission is overdrawn.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Device, World } from "./support.mjs";

/** Waits, if need be, until the current minute has room for a test of the limit. */
async function earlyInTheMinute() {
  const left = 60_000 - (Date.now() % 60_000);
  if (left < 10_000) await new Promise((wake) => setTimeout(wake, left + 50));
}

test("the 101st request of a minute waits, another address does not", async () => {
  const world = await World.start({ vars: { RATE_VAU_PER_MINUTE: "100" } });
  try {
    await earlyInTheMinute();
    const from = (address) => world.submit(world.vau(), { headers: { "cf-connecting-ip": address } });
    const answers = await Promise.all(Array.from({ length: 101 }, () => from("192.0.2.7")));
    assert.equal(answers.filter(({ status }) => status === 200).length, 100);
    const limited = answers.find(({ status }) => status === 429);
    assert.equal(limited.body.code, "rate.limited");
    assert.equal(limited.headers.get("x-ratelimit-limit"), "100");
    assert.equal(limited.headers.get("x-ratelimit-remaining"), "0");
    const reset = Number(limited.headers.get("x-ratelimit-reset"));
    assert.ok(reset > Date.now() && reset <= Date.now() + 60_000 && reset % 60_000 === 0);
    const retryAfter = Number(limited.headers.get("retry-after"));
    assert.ok(retryAfter >= 1 && retryAfter <= 60);
    assert.equal(limited.body.retryable, true);
    const other = await from("192.0.2.8");
    assert.equal(other.status, 200);
    assert.equal(other.headers.get("x-ratelimit-remaining"), "99");
  } finally {
    await world.stop();
  }
});

test("the limit holds across isolates: it is kept with the object's data", async () => {
  const world = await World.start({ vars: { RATE_VAU_PER_MINUTE: "5" } });
  try {
    await earlyInTheMinute();
    for (let i = 0; i < 5; i++) assert.equal((await world.submit(world.vau())).status, 200);
    await world.close();
    await world.open();
    assert.equal((await world.submit(world.vau())).body.code, "rate.limited");
  } finally {
    await world.stop();
  }
});

test("requests without a token are limited as well, and carry the headers", async () => {
  const world = await World.start({ vars: { RATE_VAU_PER_MINUTE: "3" } });
  try {
    await earlyInTheMinute();
    for (const remaining of ["2", "1", "0"]) {
      const answer = await world.submit("{}", { token: null });
      assert.equal(answer.status, 401);
      assert.equal(answer.headers.get("x-ratelimit-remaining"), remaining);
    }
    assert.equal((await world.submit(world.vau())).status, 429);
  } finally {
    await world.stop();
  }
});

test("the day's emission is promised in full or not at all, and remembered", async () => {
  const world = await World.start({ vars: { EMISSION_CAP: "9007199254740993000" } });
  try {
    const { body } = await world.submit(world.vau());
    assert.equal(body.data.earned, "5000000000");
    await world.close();
    // 5 are promised; 6 more fit into 11, the next 6 do not.
    world.vars.EMISSION_CAP = "11000000000";
    await world.open();
    const earned = [];
    for (let i = 0; i < 3; i++) earned.push((await world.submit(world.vau())).body.data.earned);
    assert.deepEqual(earned, ["6000000000", "0", "0"]);
    await world.delivered();
    assert.equal(world.backend.counted.size, 4, "VAUs that earn nothing are counted all the same");
  } finally {
    await world.stop();
  }
});

test("parallel submissions of many devices do not overdraw the emission", async () => {
  const world = await World.start({ vars: { EMISSION_CAP: "52000000000" } });
  try {
    const devices = Array.from({ length: 40 }, () => new Device());
    for (const device of devices) world.backend.register(device, world.wallet);
    const vaus = devices.map((device) => device.sign(world.fields({ deviceId: device.id })));
    const answers = await Promise.all(vaus.map((vau) => world.submit(vau)));
    const earned = answers.map(({ body }) => BigInt(body.data.earned));
    assert.equal(earned.filter((amount) => amount > 0n).length, 10);
    assert.equal(earned.reduce((a, b) => a + b), 50_000_000_000n);
  } finally {
    await world.stop();
  }
});

test("a device that is known keeps working while the backend is away, an unknown one waits", async () => {
  const world = await World.start();
  try {
    assert.equal((await world.submit(world.vau())).status, 200);
    const late = new Device();
    world.backend.register(late, world.wallet);
    world.backend.down = true;
    assert.equal((await world.submit(world.vau())).status, 200);
    const unknown = await world.submit(late.sign(world.fields({ deviceId: late.id })));
    assert.deepEqual([unknown.status, unknown.body.code], [503, "dependency.unavailable"]);
    assert.ok(Number(unknown.headers.get("retry-after")) >= 1);
    world.backend.down = false;
    assert.equal((await world.submit(late.sign(world.fields({ deviceId: late.id })))).status, 200);
    assert.equal(world.backend.lookups, 2, "a known device is not looked up again");
  } finally {
    await world.stop();
  }
});
