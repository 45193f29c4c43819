// Fear: an audit record is lost, altered or replaced on its way to the bucket, or a day is not signed. The built
// object with Miniflare's R2, which fails when a test says so.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { check, DAY, Log, PEM } from "./audit-support.mjs";
import { until } from "./support.mjs";

const record = (object, change = {}) => ({
  at: Date.now(), actor: "security-worker", action: "firewall.block", object, result: "blocked",
  requestId: "request-1", details: { rule: "sql-injection", route: "/api/v1/vau" }, ...change,
});

const today = () => new Date().toISOString().slice(0, 10);

let log;
before(async () => (log = await Log.start()));
after(() => log.stop());

test("what was answered is in the bucket, chained byte for byte as published", async () => {
  const first = await log.append(record("rule-1"), record("rule-2", { details: undefined, requestId: undefined }));
  assert.deepEqual([first.status, first.seq], [200, 2], first.text);
  assert.equal((await log.append(record("rule-3"))).seq, 3);
  await log.stored();
  const { records } = check(await log.objects());
  assert.deepEqual(records.map((r) => r.object), ["rule-1", "rule-2", "rule-3"]);
});

test("calls at the same time get numbers of their own, and none is lost", async () => {
  const before = (await log.status()).seq;
  const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => log.append(record(`parallel-${n}`))));
  assert.equal(new Set(answers.map(({ seq }) => seq)).size, 100);
  await log.stored();
  const { records } = check(await log.objects());
  assert.equal(records.length, before + 100);
});

test("F65: while R2 fails nothing is lost, across restarts too, and order is kept", async () => {
  log.answers = () => false;
  const before = (await log.status()).seq;
  const there = Object.keys(await log.objects()).length;
  for (let n = 0; n < 5; n++) assert.equal((await log.append(record(`outage-${n}`))).status, 200);
  await until("a segment waits", async () => (await log.status()).segments > 0);
  assert.equal((await log.append(record("after-the-segment"))).status, 200);
  await log.close();
  await log.open();
  assert.equal((await log.append(record("after-the-restart"))).seq, before + 7);
  assert.equal(Object.keys(await log.objects()).length, there);
  log.answers = () => true;
  await log.stored();
  const { records } = check(await log.objects());
  assert.deepEqual(records.slice(-2).map((r) => r.object), ["after-the-segment", "after-the-restart"]);
});

test("F65: an answer of R2 that got lost after the object was stored does not double anything", async () => {
  let calls = 0;
  // The call asks before and after it stores; the first time the second question fails.
  log.answers = () => ++calls !== 2;
  assert.equal((await log.append(record("stored-unheard"))).status, 200);
  await log.stored();
  assert.ok(calls > 2, `${calls} calls`);
  log.answers = () => true;
  const { records } = check(await log.objects());
  assert.equal(records.filter((r) => r.object === "stored-unheard").length, 1);
});

test("what has no place in the log is refused whole", async () => {
  const before = (await log.status()).seq;
  for (const bad of [
    record("a b"), record("x".repeat(129)), record("ok", { details: { authorization: "secret" } }), record("ok", { email: "x" }),
    record("ok", { at: -1 }), record("ok", { actor: "" }), record("ok\n"), record("ok", { details: { rule: "<script>" } }),
  ]) {
    assert.equal((await log.append(record("good"), bad)).status, 400, JSON.stringify(bad));
  }
  assert.equal((await log.append()).status, 400);
  assert.equal((await log.append(...Array(65).fill(record("many")))).status, 400);
  assert.equal((await log.status()).seq, before);
});

test("an object that is in the way is never replaced, and what waits for its place is kept", async () => {
  const { seq } = await log.status();
  const key = `audit/${today()}/${String(seq + 1).padStart(12, "0")}`;
  await log.bucket.put(key, "somebody else's");
  assert.equal((await log.append(record("in-the-way"))).status, 200);
  await until("it was tried", async () => (await log.status()).segments > 0);
  await new Promise((wake) => setTimeout(wake, 300));
  assert.equal(await (await log.bucket.get(key)).text(), "somebody else's");
  assert.equal((await log.status()).segments, 1);
  await log.bucket.delete(key);
  await log.stored();
  assert.equal(check(await log.objects()).records.at(-1).object, "in-the-way");
});

test("each day that has ended gets one signed root that follows the one before; today gets none", async () => {
  const two = await Log.start({ AUDIT_FLUSH_MS: "86400000" });
  try {
    const day = Math.floor(Date.now() / DAY);
    const name = (n) => new Date(n * DAY).toISOString().slice(0, 10);
    for (const back of [3, 2]) {
      for (const n of [1, 2]) assert.equal((await two.append(record(`day-${back}-${n}`))).status, 200);
      await two.whileStopped((database) =>
        database.prepare("UPDATE entry SET day = ? WHERE day = ?").run(day - back, day),
      );
    }
    two.vars.AUDIT_FLUSH_MS = "50";
    await two.close();
    await two.open();
    assert.equal((await two.append(record("today"))).seq, 5);
    await two.stored();
    await until("the days are signed", async () => (await two.status()).days === 1);
    const objects = await two.objects();
    const { records, roots } = check(objects);
    assert.deepEqual(roots.map((root) => root.day), [name(day - 3), name(day - 2)]);
    assert.deepEqual(roots.map((root) => [root.firstSeq, root.lastSeq, root.segments]), [[1, 2, 1], [3, 4, 1]]);
    assert.deepEqual(roots.map((root) => root.prevRootHash), ["0".repeat(64), roots[0].hash]);
    for (const root of roots) assert.equal(records[root.lastSeq - 1].segmentHash, root.segmentHash);
  } finally {
    await two.stop();
  }
});

test("without a key days are not signed, and are as soon as there is one", async () => {
  const late = await Log.start({ AUDIT_SIGNING_KEY: "", AUDIT_FLUSH_MS: "86400000" });
  try {
    assert.equal((await late.append(record("yesterday"))).status, 200);
    await late.whileStopped((database) => database.prepare("UPDATE entry SET day = day - 1").run());
    late.vars.AUDIT_FLUSH_MS = "50";
    await late.close();
    await late.open();
    assert.equal((await late.append(record("today"))).status, 200);
    await late.stored();
    assert.equal(check(await late.objects()).roots.length, 0);
    late.vars.AUDIT_SIGNING_KEY = PEM;
    await late.close();
    await late.open();
    assert.equal((await late.append(record("with a key".replaceAll(" ", "-")))).status, 200);
    await until("the day is signed", async () => check(await late.objects()).roots.length === 1);
  } finally {
    await late.stop();
  }
});

test("a clock that is put back adds nothing to a day that is closed", async () => {
  const ahead = await Log.start();
  try {
    assert.equal((await ahead.append(record("tomorrow"))).status, 200);
    await ahead.stored();
    // As if the segment had been closed by a clock that was ahead.
    await ahead.whileStopped((database) => database.prepare("UPDATE head SET day = day + 1").run());
    assert.equal((await ahead.append(record("back"))).status, 200);
    await ahead.stored();
    const { records } = check(await ahead.objects());
    const tomorrow = new Date(Date.now() + DAY).toISOString().slice(0, 10);
    assert.deepEqual(records.map((r) => r.day), [today(), tomorrow]);
  } finally {
    await ahead.stop();
  }
});
