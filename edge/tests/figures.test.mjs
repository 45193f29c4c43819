// Fear: nobody can tell where a VAU is, how much of a day's allowances is left, or that something was lost.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { Device, OPERATOR, until, World } from "./support.mjs";

let world;
before(async () => (world = await World.start()));
after(() => world.stop());

const status = (id, token) => world.get(`/api/v1/vau/status/${id}`, token);

test("a VAU can be followed from the edge into the ledger, by its user only", async () => {
  assert.equal((await world.submit(world.vau())).status, 200);
  world.backend.down = true;
  const { body } = await world.submit(world.vau());
  const { vauId, earned, trustScore, timestamp } = body.data;
  const seen = await status(vauId);
  assert.deepEqual([seen.status, seen.body.success], [200, true]);
  assert.ok(["accepted", "delivering"].includes(seen.body.data.state));
  assert.deepEqual(seen.body.data, { vauId, state: seen.body.data.state, earned, trustScore, timestamp });
  await until("it is in a segment", async () => (await status(vauId)).body.data.state === "delivering");
  world.backend.down = false;
  await world.delivered();
  assert.deepEqual((await status(vauId)).body.data, { vauId, state: "counted", earned, trustScore, timestamp });
  const stranger = world.issuer.token("7S3P4HxJpyyigGzodYwHtCxZyUQe9JiBMHyRWXArAaKv", "https://auth.test");
  assert.equal((await status(vauId, stranger)).status, 404);
  assert.equal((await status(vauId, null)).status, 401);
  for (const id of ["0".repeat(32), "nothing", vauId.toUpperCase()]) assert.equal((await status(id)).status, 404);
});

test("figures are for operators only", async () => {
  for (const path of ["/metrics", "/api/v1/vau/hours"]) {
    assert.equal((await world.get(path, null)).status, 401, path);
    assert.equal((await world.get(path)).status, 401, path);
    assert.equal((await world.get(path, `${OPERATOR}x`)).status, 401, path);
    assert.equal((await world.get(path, OPERATOR)).status, 200, path);
  }
  const closed = await World.start({ vars: { OPERATOR_TOKEN: "" } });
  try {
    assert.equal((await closed.get("/metrics", OPERATOR)).status, 401);
  } finally {
    await closed.stop();
  }
});

test("the hour counts each VAU once, and survives a restart", async () => {
  const fresh = await World.start({ vars: { FLUSH_INTERVAL_MS: "60000" } });
  try {
    const vau = fresh.vau();
    for (let n = 0; n < 3; n++) await fresh.submit(vau);
    const other = new Device();
    fresh.backend.register(other, fresh.wallet);
    await fresh.batch({ batchId: "b", submittedAt: Date.now(), vaus: [other.sign(fresh.fields({ deviceId: other.id, siteId: "another" })), fresh.vau()] });
    const hour = async () => (await fresh.get("/api/v1/vau/hours", OPERATOR)).body.data.at(-1);
    const before = await hour();
    assert.match(before.hourKey, /^\d{4}-\d\d-\d\d-\d\d$/);
    const { count, totalEarned, uniqueUsers, uniqueDevices, uniqueSites, avgTrustScore } = before;
    assert.deepEqual(
      { count, totalEarned, uniqueUsers, uniqueDevices, uniqueSites, avgTrustScore },
      { count: 3, totalEarned: "16000000000", uniqueUsers: 1, uniqueDevices: 2, uniqueSites: 2, avgTrustScore: 53 },
    );
    await fresh.close();
    await fresh.open();
    assert.deepEqual(await hour(), before);
    assert.equal(await fresh.metric("edge_vau_waiting"), 3);
  } finally {
    await fresh.stop();
  }
});

test("an hour that is over is reported once to the backend, with the money it has promised", async () => {
  const fresh = await World.start();
  try {
    for (let n = 0; n < 4; n++) assert.equal((await fresh.submit(fresh.vau())).status, 200);
    await fresh.delivered();
    const hour = Math.floor(Date.now() / 3_600_000);
    await fresh.whileStopped((database) => {
      const row = database.prepare("SELECT body FROM checkpoint").get();
      const saved = JSON.parse(row.body);
      saved.hours = { [hour - 1]: Object.values(saved.hours)[0] };
      database.prepare("UPDATE checkpoint SET body = ?").run(JSON.stringify(saved));
    });
    assert.equal((await fresh.submit(fresh.vau())).status, 200);
    await until("both reports arrived", () => fresh.backend.reports.size === 2);
    const [money, figures] = [...fresh.backend.reports.values()].sort((a) => (a.figures ? 1 : -1));
    const { count, promised, hourEndsAt, shard } = money;
    assert.deepEqual({ count, promised, hourEndsAt, shard }, { count: 4, promised: "23000000000", hourEndsAt: hour * 3_600_000, shard: "vau-0" });
    assert.equal(money.figures, undefined);
    assert.deepEqual(figures.figures, { uniqueUsers: 1, uniqueDevices: 1, uniqueSites: 1, avgTrustScore: 57 });
    const { body } = await fresh.get("/api/v1/vau/hours", OPERATOR);
    assert.deepEqual(body.data.map(({ count }) => count), [4, 1]);
  } finally {
    await fresh.stop();
  }
});

test("a copy of every segment lies in the archive, also of those it did not take at first", async () => {
  const bucket = await world.worker.miniflare.getR2Bucket("AUDIT_LOGS", "vau-processor");
  const { body } = await world.submit(world.vau({ payload: "kept twice" }));
  await world.delivered();
  const texts = async () => {
    const { objects } = await bucket.list({ prefix: "edge/segments/vau-0/" });
    return Promise.all(objects.map(async ({ key }) => [key, await (await bucket.get(key)).text()]));
  };
  const kept = (await texts()).filter(([, text]) => text.includes("kept twice"));
  assert.equal(kept.length, 1);
  const [[key, text]] = kept;
  assert.match(key, /^edge\/segments\/vau-0\/\d{4}-\d\d-\d\d\/\d{12}-[0-9a-f-]{36}\.json$/);
  const { segmentId } = JSON.parse(text);
  const delivered = world.backend.deliveries.find((segment) => segment.segmentId === segmentId);
  assert.ok(delivered.items.some(({ vauId }) => vauId === body.data.vauId));
  // One that the archive did not take: it is tried again until it does.
  world.backend.down = true;
  await world.submit(world.vau({ payload: "kept late" }));
  await until("it is in a segment", async () => (await world.waiting()).segments > 0);
  const stopped = Date.now();
  await world.whileStopped((database) => database.prepare("UPDATE segments SET archived = 0, next_at = 0").run());
  const again = await world.worker.miniflare.getR2Bucket("AUDIT_LOGS", "vau-processor");
  await until("it was archived again", async () => {
    const { objects } = await again.list({ prefix: "edge/segments/" });
    const late = objects.filter(({ uploaded }) => uploaded.getTime() >= stopped);
    const texts = await Promise.all(late.map(async ({ key }) => (await again.get(key)).text()));
    return texts.some((text) => text.includes("kept late"));
  });
  world.backend.down = false;
  await world.delivered();
});

test("the audit log keeps the hash of every segment, whatever became of the segment", async () => {
  const fresh = await World.start({ vars: { AUDIT_FLUSH_MS: "200" } });
  try {
    for (let n = 0; n < 10; n++) {
      assert.equal((await fresh.submit(fresh.vau())).status, 200);
      await fresh.delivered();
    }
    const bucket = await fresh.worker.miniflare.getR2Bucket("AUDIT_LOGS", "vau-processor");
    const read = async (prefix) => {
      const { objects } = await bucket.list({ prefix });
      return Promise.all(objects.map(async ({ key }) => (await bucket.get(key)).text()));
    };
    const records = await until("the log was written", async () => {
      const lines = (await read("audit/2")).flatMap((text) => text.split("\n")).filter((line) => line.includes("segment.close"));
      return lines.length >= 10 && lines.map((line) => JSON.parse(line));
    });
    const digests = new Set(records.map(({ details }) => details.digest));
    for (const text of await read("edge/segments/")) {
      assert.ok(digests.has(createHash("sha256").update(text).digest("hex")), "a segment's hash is not in the log");
    }
    assert.ok(!JSON.stringify(records).includes(fresh.wallet), "the log tells who it was");
  } finally {
    await fresh.stop();
  }
});

/** Sets what is used of the day, as if it were late. */
const use = (world, rows) => world.whileStopped((database) => {
  const saved = JSON.parse(database.prepare("SELECT body FROM checkpoint").get().body);
  saved.usage.rowsWritten = rows;
  database.prepare("UPDATE checkpoint SET body = ?").run(JSON.stringify(saved));
});

test("as the day's allowance runs out clients are asked for batches, then told when to come back; nothing accepted is lost", async () => {
  const fresh = await World.start({ vars: { FREE_TIER: "on" } });
  try {
    const { body } = await fresh.submit(fresh.vau());
    await fresh.delivered();
    assert.equal((await fresh.submit(fresh.vau())).headers.get("x-batch-hint"), null);
    await fresh.delivered();
    await use(fresh, 86_000);
    const hinted = await fresh.submit(fresh.vau());
    assert.deepEqual([hinted.status, hinted.headers.get("x-batch-hint")], [200, "larger"]);
    await fresh.delivered();
    await use(fresh, 95_500);
    const refused = await fresh.submit(fresh.vau());
    assert.deepEqual([refused.status, refused.body.code, refused.body.retryable], [503, "quota.free_tier_exhausted", true]);
    const untilTomorrow = Math.ceil((86_400_000 - (Date.now() % 86_400_000)) / 1000);
    assert.ok(Math.abs(Number(refused.headers.get("retry-after")) - untilTomorrow) < 60);
    assert.equal((await fresh.get(`/api/v1/vau/status/${body.data.vauId}`)).body.data.state, "counted");
    assert.equal(await fresh.metric("edge_quota_refusals_total"), 1);
    fresh.vars.FREE_TIER = "off";
    await fresh.close();
    await fresh.open();
    assert.equal((await fresh.submit(fresh.vau())).status, 200);
  } finally {
    await fresh.stop();
  }
});
