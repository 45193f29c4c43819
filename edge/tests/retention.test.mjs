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

test("what only served to recognise duplicates goes after a quarter of an hour, not before", async () => {
  const old = world.vau();
  const young = world.vau();
  assert.equal((await world.submit(old)).status, 200);
  assert.equal((await world.submit(young)).status, 200);
  await world.delivered();
  await whileStopped((database) => {
    const [first, second] = database.prepare("SELECT seq FROM journal ORDER BY seq").all();
    const age = database.prepare("UPDATE journal SET at = at - ? WHERE seq = ?");
    age.run(900_001, first.seq);
    age.run(890_000, second.seq);
    database.prepare("INSERT INTO hours VALUES (1, '{}')").run();
  });
  assert.equal((await world.submit(world.vau())).status, 200);
  await world.delivered();
  const left = await whileStopped((database) => ({
    rows: database.prepare("SELECT count(*) AS n FROM journal").get().n,
    hours: database.prepare("SELECT count(*) AS n FROM hours WHERE hour = 1").get().n,
  }));
  assert.deepEqual(left, { rows: 2, hours: 0 });
});

test("what a build of before had accepted is delivered by this one", async () => {
  const { body } = await world.submit(world.vau({ payload: "of this build" }));
  await world.delivered();
  const item = world.backend.counted.get(body.data.vauId);
  const before = world.backend.deliveries.length;
  await whileStopped((database) => {
    database.exec(`
      CREATE TABLE rate (address TEXT); CREATE TABLE device (device_id TEXT); CREATE TABLE accepted (vau_id TEXT);
      CREATE TABLE emission (day INTEGER); CREATE TABLE conflict (vau_id TEXT);
      CREATE TABLE outbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, vau_id TEXT, accepted_at INTEGER, item TEXT);
      CREATE TABLE segment (segment_id TEXT PRIMARY KEY, body TEXT, made_at INTEGER, sent INTEGER, next_at INTEGER) WITHOUT ROWID;`);
    const group = { userId: item.vau.userId, deviceId: item.vau.deviceId, acceptedAt: item.acceptedAt, device: item.device, items: [] };
    for (let n = 0; n < 3; n++) database.prepare("INSERT INTO outbox VALUES (NULL, 'id', 7, ?)").run(JSON.stringify(group));
    const id = "00000000-0000-4000-8000-000000000001";
    const body = JSON.stringify({ version: 1, segmentId: id, shard: "vau-0", items: [group] });
    database.prepare("INSERT INTO segment VALUES (?, ?, 7, 1, 0)").run(id, body);
  });
  assert.equal((await world.submit(world.vau())).status, 200);
  await world.delivered();
  const old = world.backend.deliveries.slice(before).filter(({ version }) => version === 1);
  assert.deepEqual(new Set(old.map(({ segmentId }) => segmentId)).size, 2);
  for (const { segmentId } of old) assert.match(segmentId, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("a device is credited 8640 times a day; its last VAU still gets its answer", async () => {
  const device = new Device();
  world.backend.register(device, world.wallet);
  const vau = () => device.sign(world.fields({ deviceId: device.id }));
  assert.equal((await world.submit(vau())).status, 200);
  await whileStopped((database) =>
    database.prepare("UPDATE devices SET record = json_set(record, '$.dayCount', 8639) WHERE device_id = ?").run(device.id),
  );
  const last = vau();
  assert.equal((await world.submit(last)).status, 200);
  const beyond = await world.submit(vau());
  assert.deepEqual([beyond.status, beyond.body.code], [429, "vau.device_cap"]);
  const untilTomorrow = Math.ceil((86_400_000 - (Date.now() % 86_400_000)) / 1000);
  assert.ok(Math.abs(Number(beyond.headers.get("retry-after")) - untilTomorrow) < 60);
  assert.equal((await world.submit(last)).body.code, "vau.duplicate");
});

const longAgo = (database) =>
  database.prepare("UPDATE devices SET record = json_set(record, '$.confirmedAt', json_extract(record, '$.confirmedAt') - 600001)").run();

test("a registration is confirmed again after a while, and a withdrawn one no longer counts", async () => {
  const before = world.backend.lookups;
  await whileStopped(longAgo);
  assert.equal((await world.submit(world.vau())).status, 200);
  assert.equal(world.backend.lookups, before + 1);
  await whileStopped(longAgo);
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
  const row = await whileStopped((database) => database.prepare("SELECT sent, next_at FROM segments WHERE kind = 'vau'").get());
  assert.ok(row.sent >= 2 && row.sent <= 4, `${row.sent} sendings in 2 s, first wait 0.5 s`);
  world.backend.down = false;
  await world.delivered();
});

test("a delivery that is stuck shows in the health", async () => {
  world.backend.down = true;
  assert.equal((await world.submit(world.vau())).status, 200);
  await until("it is in a segment", async () => (await world.waiting()).segments > 0);
  await whileStopped((database) => database.prepare("UPDATE segments SET made_at = made_at - 700000").run());
  const { status, body } = await world.health();
  assert.deepEqual([status, body.status], [503, "degraded"]);
  world.backend.down = false;
  await world.delivered();
  assert.equal((await world.health()).status, 200);
});
