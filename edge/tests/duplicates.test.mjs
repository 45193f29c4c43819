// Fear: one VAU is paid twice, or a changed one slips in under the id of another.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Device, World } from "./support.mjs";

let world;
before(async () => (world = await World.start()));
after(() => world.stop());

test("of 200 equal submissions at once exactly one is accepted", async () => {
  const vau = world.vau();
  const answers = await Promise.all(Array.from({ length: 200 }, () => world.submit(vau)));
  const accepted = answers.filter(({ status }) => status === 200);
  assert.equal(accepted.length, 1);
  for (const { status, body } of answers.filter(({ status }) => status !== 200)) {
    assert.equal(status, 400);
    assert.equal(body.code, "vau.duplicate");
    assert.deepEqual(body.data, accepted[0].body.data);
  }
  await world.delivered();
  assert.equal(world.backend.counted.size, 1);
});

test("a changed VAU under the same id is refused, and set aside by the backend exactly once", async () => {
  const fields = world.fields({ payload: "first" });
  const first = await world.submit(world.device.sign(fields));
  assert.equal(first.status, 200);
  for (const payload of ["second", "third", "second"]) {
    const other = await world.submit(world.device.sign({ ...fields, payload }));
    assert.equal(other.status, 409);
    assert.equal(other.body.code, "vau.conflicting");
  }
  await world.delivered();
  const again = await world.submit(world.device.sign({ ...fields, payload: "fourth" }));
  assert.equal(again.status, 409);
  await world.delivered();
  const { vauId } = first.body.data;
  assert.equal(world.backend.counted.get(vauId).vau.payload, "first");
  assert.deepEqual(world.backend.quarantined.map((item) => [item.vauId, item.vau.payload]), [[vauId, "second"]]);
});

test("a conflict found after delivery is set aside too", async () => {
  const fields = world.fields({ payload: "early" });
  const first = await world.submit(world.device.sign(fields));
  await world.delivered();
  const late = await world.submit(world.device.sign({ ...fields, payload: "late" }));
  assert.equal(late.status, 409);
  await world.delivered();
  const last = world.backend.quarantined.at(-1);
  assert.deepEqual([last.vauId, last.vau.payload, last.earned], [first.body.data.vauId, "late", "0"]);
});

test("a device that contradicts itself again and again is not believed any more", async () => {
  const device = new Device();
  world.backend.register(device, world.wallet);
  const fields = world.fields({ deviceId: device.id });
  assert.equal((await world.submit(device.sign(fields))).body.data.trustScore, 50);
  for (let n = 0; n < 5; n++) {
    assert.equal((await world.submit(device.sign({ ...fields, payload: `${n}` }))).body.code, "vau.conflicting");
  }
  const refused = await world.submit(device.sign(world.fields({ deviceId: device.id })));
  assert.deepEqual([refused.status, refused.body.code], [400, "vau.low_trust"]);
  // What it had earned stays.
  assert.equal((await world.submit(device.sign(fields))).body.code, "vau.duplicate");
  await world.delivered();
});

test("a duplicate is recognised after the Worker was restarted", async () => {
  const device = new Device();
  world.backend.register(device, world.wallet);
  const vau = device.sign(world.fields({ deviceId: device.id }));
  const first = await world.submit(vau);
  assert.equal(first.status, 200);
  await world.close();
  await world.open();
  const again = await world.submit(vau);
  assert.equal(again.body.code, "vau.duplicate");
  assert.deepEqual(again.body.data, first.body.data);
});
