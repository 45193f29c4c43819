// Fear: an accepted VAU is lost, or counted twice, when the backend, the queue or the Worker fails.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { expand, until, World } from "./support.mjs";

let world;
before(async () => (world = await World.start()));
after(() => world.stop());

async function acceptMany(count) {
  const ids = [];
  for (let sent = 0; sent < count; sent += 50) {
    const batch = Array.from({ length: Math.min(50, count - sent) }, () => world.submit(world.vau()));
    for (const { status, body } of await Promise.all(batch)) {
      assert.equal(status, 200, JSON.stringify(body));
      ids.push(body.data.vauId);
    }
  }
  return ids;
}

const missing = (ids) => ids.filter((id) => !world.backend.counted.has(id));

test("what the backend gets is what the client was promised", async () => {
  const vau = world.vau({ payload: '{"duration":31000}' });
  const { body } = await world.submit(vau);
  await world.delivered();
  const item = world.backend.counted.get(body.data.vauId);
  assert.deepEqual(item.vau, vau);
  assert.equal(item.earned, body.data.earned);
  assert.equal(item.trustScore, body.data.trustScore);
  assert.equal(item.acceptedAt, body.data.timestamp);
  assert.equal(item.earned, "5000000000");
  assert.deepEqual(item.device, { attestations: 0, vauCount: 0, sinceLastMs: null, anomalies: 0 });
});

test("VAUs accepted while the backend is away arrive when it is back, each once", async () => {
  const before = world.backend.counted.size;
  world.backend.down = true;
  const ids = await acceptMany(120);
  await until("a segment has been tried", async () => (await world.waiting()).segments > 0);
  assert.equal(world.backend.counted.size, before);
  world.backend.down = false;
  await world.delivered();
  assert.deepEqual(missing(ids), []);
  assert.equal(world.backend.counted.size, before + 120);
});

test("a receipt that was lost leads to another delivery, not to another credit", async () => {
  const { ingest } = world.backend;
  let lost = 0;
  world.backend.ingest = function (segment) {
    const answer = ingest.call(this, segment);
    const ours = segment.items.flatMap(expand).some(({ vau }) => vau.payload === "lost");
    return ours && lost++ < 2 ? [500, {}] : answer;
  };
  const { body } = await world.submit(world.vau({ payload: "lost" }));
  const id = body.data.vauId;
  await world.delivered();
  world.backend.ingest = ingest;
  const copies = world.backend.deliveries.filter(({ items }) => items.some((item) => item.vauId === id));
  assert.ok(copies.length >= 3, `delivered ${copies.length} times`);
  assert.equal(new Set(copies.map(({ segmentId }) => segmentId)).size, 1, "one name on every delivery");
});

test("unacknowledged segments survive a restart of the Worker", async () => {
  world.backend.down = true;
  const ids = await acceptMany(40);
  await until("they are in a segment", async () => (await world.waiting()).segments > 0);
  await world.close();
  await world.open();
  assert.ok((await world.waiting()).segments > 0);
  world.backend.down = false;
  await world.delivered();
  assert.deepEqual(missing(ids), []);
});

test("what was accepted in the last moment before a stop is not forgotten", async () => {
  world.backend.down = true;
  const [id] = await acceptMany(1);
  await world.close();
  world.backend.down = false;
  await world.open();
  // Nobody calls the object: its alarm alone must bring the VAU home.
  await until("the alarm rang", () => world.backend.counted.has(id));
  await world.delivered();
});

test("segments stay below the size of a queue message, in order", async () => {
  world.backend.down = true;
  const first = world.backend.deliveries.length;
  const ids = [];
  for (let i = 0; i < 30; i++) {
    const { body } = await world.submit(world.vau({ payload: "x".repeat(8_000) }));
    ids.push(body.data.vauId);
  }
  world.backend.down = false;
  await world.delivered();
  assert.deepEqual(missing(ids), []);
  const segments = world.backend.deliveries.slice(first);
  assert.ok(segments.length > 3);
  for (const { bytes } of segments) assert.ok(bytes <= 60_000);
});

test("a message that is no segment holds up nobody", async () => {
  const queue = await world.worker.miniflare.getQueueProducer("VAU_QUEUE", "vau-processor");
  await queue.send("no segment", { contentType: "text" });
  await queue.send({ neither: "this" });
  const [id] = await acceptMany(1);
  await until("the good one arrived", () => world.backend.counted.has(id));
  await world.delivered();
});

test("an acknowledgement of the backend for another segment is not believed", async () => {
  const { ingest } = world.backend;
  world.backend.ingest = function (segment) {
    const [, receipt] = ingest.call(this, segment);
    return [200, { ...receipt, segmentId: "00000000-0000-4000-8000-000000000000" }];
  };
  const [id] = await acceptMany(1);
  await until("it was delivered", () => world.backend.counted.has(id));
  assert.equal((await world.waiting()).segments, 1);
  world.backend.ingest = ingest;
  await world.delivered();
});

test("a failure half way through leaves nothing behind", async () => {
  const vau = world.vau();
  const state = (database) => [
    database.prepare("SELECT count(*) AS n FROM segments").get().n,
    database.prepare("SELECT count(*) AS n FROM journal").get().n,
    database.prepare("SELECT device_id, record FROM devices ORDER BY device_id").all(),
  ];
  // Writing the journal is the last step.
  const before = await world.whileStopped((database) => {
    database.exec("CREATE TRIGGER refuse BEFORE INSERT ON journal BEGIN SELECT RAISE(ABORT, 'no room'); END");
    return state(database);
  });
  const failed = await world.submit(vau, { headers: { "cf-connecting-ip": "192.0.2.99" } });
  assert.deepEqual([failed.status, failed.body.code], [503, "dependency.unavailable"]);
  const after = await world.whileStopped((database) => {
    database.exec("DROP TRIGGER refuse");
    return state(database);
  });
  assert.deepEqual(after, before);
  assert.equal((await world.submit(vau)).status, 200);
  await world.delivered();
});

test("an object that is woken again and again still delivers in time", async () => {
  const slow = await World.start({ vars: { FLUSH_INTERVAL_MS: "3000" } });
  try {
    const { body } = await slow.submit(slow.vau());
    await until("the first VAU arrived", async () => {
      await slow.close();
      await slow.open();
      assert.equal((await slow.submit(slow.vau())).status, 200);
      return slow.backend.counted.has(body.data.vauId);
    }, 12_000);
  } finally {
    await slow.stop();
  }
});
