// Fear: the object grows without bound, or forgets too early. The object's SQLite file is opened while the
// Worker is stopped, to move it in time.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Device, until, World } from "./support.mjs";

const HOUR = 3_600_000;
let world;
before(async () => (world = await World.start()));
after(() => world.stop());

const whileStopped = (work) => world.whileStopped(work);

test("what only served to recognise duplicates goes after 25 hours, not before", async () => {
  const old = world.vau();
  const young = world.vau();
  for (const vau of [old, young]) assert.equal((await world.submit(vau)).status, 200);
  await world.delivered();
  await whileStopped((database) => {
    const age = database.prepare("UPDATE accepted SET accepted_at = accepted_at - ? WHERE vau_id = ?");
    const [first, second] = database.prepare("SELECT vau_id FROM accepted ORDER BY accepted_at, vau_id").all();
    age.run(25 * HOUR + 60_000, first.vau_id);
    age.run(24 * HOUR, second.vau_id);
    database.prepare("UPDATE rate SET window = window - 600000").run();
    database.prepare("INSERT INTO rate VALUES ('stale', 1, 1)").run();
    database.prepare("INSERT INTO emission VALUES (1, '5')").run();
  });
  assert.equal((await world.submit(world.vau())).status, 200);
  await world.delivered();
  const left = await whileStopped((database) => ({
    accepted: database.prepare("SELECT count(*) AS n FROM accepted").get().n,
    rates: database.prepare("SELECT count(*) AS n FROM rate WHERE window = 1").get().n,
    days: database.prepare("SELECT count(*) AS n FROM emission WHERE day = 1").get().n,
  }));
  assert.deepEqual(left, { accepted: 2, rates: 0, days: 0 });
});

test("a device is credited 8640 times a day; its last VAU still gets its answer", async () => {
  const device = new Device();
  world.backend.register(device, world.wallet);
  const vau = () => device.sign(world.fields({ deviceId: device.id }));
  assert.equal((await world.submit(vau())).status, 200);
  await whileStopped((database) =>
    database.prepare("UPDATE device SET day_count = 8639 WHERE device_id = ?").run(device.id),
  );
  const last = vau();
  assert.equal((await world.submit(last)).status, 200);
  const beyond = await world.submit(vau());
  assert.deepEqual([beyond.status, beyond.body.code], [429, "vau.device_cap"]);
  const untilTomorrow = Math.ceil((86_400_000 - (Date.now() % 86_400_000)) / 1000);
  assert.ok(Math.abs(Number(beyond.headers.get("retry-after")) - untilTomorrow) < 60);
  assert.equal((await world.submit(last)).body.code, "vau.duplicate");
});

test("a registration is confirmed again after a while, and a withdrawn one no longer counts", async () => {
  const before = world.backend.lookups;
  await whileStopped((database) => database.prepare("UPDATE device SET confirmed_at = confirmed_at - 600001").run());
  assert.equal((await world.submit(world.vau())).status, 200);
  assert.equal(world.backend.lookups, before + 1);
  await whileStopped((database) => database.prepare("UPDATE device SET confirmed_at = confirmed_at - 600001").run());
  world.backend.devices.delete(world.device.id);
  assert.equal((await world.submit(world.vau())).body.code, "vau.device_unknown");
  world.backend.register(world.device, world.wallet);
});

test("the wait before an unacknowledged segment is sent again grows with every sending", async () => {
  world.backend.down = true;
  assert.equal((await world.submit(world.vau())).status, 200);
  const sent = () => world.backend.attempts;
  await until("it was tried", async () => (await world.waiting()).segments > 0 && sent() > 0);
  // The bound is on sendings in a span of time, so the time has to pass.
  await new Promise((wake) => setTimeout(wake, 2_000));
  const row = await whileStopped((database) => database.prepare("SELECT sent, next_at FROM segment").get());
  assert.ok(row.sent >= 2 && row.sent <= 4, `${row.sent} sendings in 2 s, first wait 0.5 s`);
  world.backend.down = false;
  await world.delivered();
});

test("a delivery that is stuck shows in the health", async () => {
  world.backend.down = true;
  assert.equal((await world.submit(world.vau())).status, 200);
  await until("it is in a segment", async () => (await world.waiting()).segments > 0);
  await whileStopped((database) => database.prepare("UPDATE segment SET made_at = made_at - 700000").run());
  const { status, body } = await world.health();
  assert.deepEqual([status, body.status], [503, "degraded"]);
  world.backend.down = false;
  await world.delivered();
  assert.equal((await world.health()).status, 200);
});
