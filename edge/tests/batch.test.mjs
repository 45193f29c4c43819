// Fear: a batch is dropped, taken in by halves without telling which, or counted again when it is sent again.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Device, fingerprint, trust, VAU, World } from "./support.mjs";

let world;
before(async () => (world = await World.start()));
after(() => world.stop());

/** `count` fresh VAUs of a device, signed unless told otherwise. */
function vaus(count, { device = world.device, signed = true, change = {} } = {}) {
  return Array.from({ length: count }, () => {
    const fields = world.fields({ deviceId: device.id, ...change });
    return signed ? device.sign(fields) : fields;
  });
}

const envelope = (vaus, change) => ({ batchId: `batch-${Math.random()}`, submittedAt: Date.now(), vaus, ...change });

function aDevice() {
  const device = new Device();
  world.backend.register(device, world.wallet);
  return device;
}

const counted = (ids) => ids.filter((id) => world.backend.counted.has(id)).length;

for (const sealed of [false, true]) {
  const how = sealed ? "under one signature" : "signed one by one";
  test(`a hundred VAUs ${how} are each counted once, and again when sent again they are not`, async () => {
    const device = aDevice();
    const items = vaus(100, { device, signed: !sealed });
    const body = sealed ? device.seal("b-100", items) : envelope(items);
    const { status, body: answer } = await world.batch(body);
    assert.equal(status, 202, JSON.stringify(answer));
    const { data } = answer;
    assert.deepEqual([data.batchId, data.accepted, data.duplicates, data.rejected], [body.batchId, 100, 0, 0]);
    assert.deepEqual(data.items.map(({ index }) => index), items.map((_, index) => index));
    const history = (n) => ({ attestations: 0, vauCount: n, sinceLastMs: n === 0 ? null : 0, anomalies: 0 });
    assert.deepEqual(data.items.map(({ trustScore }) => trustScore), items.map((_, n) => trust(history(n))));
    const total = data.items.reduce((sum, { earned }) => sum + BigInt(earned), 0n);
    assert.equal(data.earned, String(total));
    const again = (await world.batch(body)).body.data;
    assert.deepEqual([again.accepted, again.duplicates, again.earned], [0, 100, "0"]);
    assert.deepEqual(again.items.map(({ earned }) => earned), data.items.map(({ earned }) => earned));
    await world.delivered();
    assert.equal(counted(data.items.map(({ vauId }) => vauId)), 100);
    const delivered = data.items.map(({ vauId }) => world.backend.counted.get(vauId));
    assert.ok(delivered.every(({ signed }) => signed), "the backend could not verify a signature");
    assert.deepEqual(delivered.map(({ earned }) => earned), data.items.map(({ earned }) => earned));
  });
}

test("of a half-valid batch the good half is taken in and the other is named", async () => {
  const device = aDevice();
  const items = vaus(8, { device });
  items[1] = { ...items[1], payload: "changed" };
  items[2] = { ...items[2], timestamp: "soon" };
  items[3] = 7;
  items[4] = device.sign(world.fields({ deviceId: device.id, timestamp: Date.now() - 310_000 }));
  items[5] = items[0];
  items[6] = device.sign(world.fields({ deviceId: device.id, userId: "7S3P4HxJpyyigGzodYwHtCxZyUQe9JiBMHyRWXArAaKv" }));
  const { status, body } = await world.batch(envelope(items));
  assert.equal(status, 202);
  const told = body.data.items.map(({ status, code }) => [status, code]);
  assert.deepEqual(told, [
    ["accepted", undefined], ["rejected", "vau.signature_invalid"], ["rejected", "validation.failed"],
    ["rejected", "validation.failed"], ["rejected", "vau.stale"], ["duplicate", undefined],
    ["rejected", "permission.denied"], ["accepted", undefined],
  ]);
  assert.deepEqual(body.data.items[2].errors.map(({ pointer }) => pointer), ["/timestamp"]);
  assert.ok(body.data.items.every((item) => item.status === "rejected" ? item.detail && !item.vauId : item.vauId));
  await world.delivered();
  assert.equal(counted([0, 7].map((n) => body.data.items[n].vauId)), 2);
});

test("an item that is too old for its batch does not break the signature over the others", async () => {
  const device = aDevice();
  const items = vaus(3, { device, signed: false });
  items[1] = { ...items[1], timestamp: Date.now() - 310_000 };
  const { body } = await world.batch(device.seal("mixed", items));
  assert.deepEqual(body.data.items.map(({ status }) => status), ["accepted", "rejected", "accepted"]);
  await world.delivered();
  assert.ok([0, 2].every((n) => world.backend.counted.get(body.data.items[n].vauId).signed));
});

test("VAUs that were made while the device was offline are taken in within five minutes", async () => {
  const device = aDevice();
  const items = [290_000, 200_000, 60_000].map((age) =>
    device.sign(world.fields({ deviceId: device.id, timestamp: Date.now() - age })));
  assert.equal((await world.batch(envelope(items))).body.data.accepted, 3);
});

test("a seal that does not hold for exactly these VAUs lets none through", async () => {
  const device = aDevice();
  const items = vaus(3, { device, signed: false });
  const good = device.seal("sealed", items);
  const bad = {
    "another order": { ...good, vaus: [items[1], items[0], items[2]] },
    "one left out": { ...good, vaus: items.slice(0, 2) },
    "one more": { ...good, vaus: [...items, ...vaus(1, { device, signed: false })] },
    "another name": { ...good, batchId: "sealed-2" },
    "another time": { ...good, submittedAt: good.submittedAt - 1 },
    "another payload": { ...good, vaus: [{ ...items[0], payload: "x" }, items[1], items[2]] },
    "a VAU of another device": { ...good, vaus: [items[0], items[1], { ...items[2], deviceId: world.device.id }] },
    "no signature at all": { ...good, signature: "00".repeat(64) },
  };
  for (const [what, body] of Object.entries(bad)) {
    const answer = await world.batch(body);
    assert.deepEqual([answer.status, answer.body.code], [400, "vau.signature_invalid"], what);
  }
  assert.equal((await world.batch(good)).body.data.accepted, 3);
});

test("a batch that is wrong as a whole is refused as a whole", async () => {
  const refused = async (body, status, code) => {
    const answer = await world.batch(body);
    assert.deepEqual([answer.status, answer.body.code], [status, code], JSON.stringify(answer.body));
  };
  const items = vaus(1);
  await refused(envelope(vaus(101)), 400, "vau.batch_size");
  await refused(envelope([]), 400, "vau.batch_size");
  await refused({ batchId: "b", submittedAt: Date.now() }, 400, "validation.failed");
  await refused(envelope(items, { batchId: "a\nb" }), 400, "validation.failed");
  await refused(envelope(items, { extra: 1 }), 400, "validation.failed");
  await refused(envelope(items, { walletAddress: world.wallet }), 400, "request.identity_in_body");
  await refused(envelope(items, { submittedAt: Date.now() - 31_000 }), 400, "vau.stale");
  await refused(envelope(items, { submittedAt: Date.now() + 7_000 }), 400, "vau.future");
  await refused("[", 400, "request.malformed");
  await refused(JSON.stringify(envelope(vaus(40, { change: { payload: "x".repeat(8_000) } }))), 413, "request.too_large");
  assert.equal((await world.batch(envelope(items), { token: null })).status, 401);
  assert.equal((await world.batch(envelope(items), { headers: { "content-type": "text/plain" } })).status, 415);
});

test("a batch of several devices is judged device by device", async () => {
  const [known, unknown] = [aDevice(), new Device()];
  const items = [...vaus(1, { device: known }), ...vaus(1, { device: unknown }), ...vaus(1, { device: known })];
  const { body } = await world.batch(envelope(items));
  assert.deepEqual(body.data.items.map(({ status, code }) => code ?? status), ["accepted", "vau.device_unknown", "accepted"]);
});

test("two copies of one batch at once are counted once", async () => {
  const device = aDevice();
  const body = device.seal("twice", vaus(50, { device, signed: false }));
  const answers = await Promise.all(Array.from({ length: 10 }, () => world.batch(body)));
  const accepted = answers.map(({ body }) => body.data.accepted).sort((a, b) => b - a);
  assert.deepEqual(accepted, [50, ...Array(9).fill(0)]);
  await world.delivered();
  assert.equal(counted(answers[0].body.data.items.map(({ vauId }) => vauId)), 50);
});

test("long VAUs travel in several segments, and the seal still proves each", async () => {
  const device = aDevice();
  const body = device.seal("long", vaus(28, { device, signed: false, change: { payload: "é".repeat(4_000) } }));
  const { body: answer, status } = await world.batch(body);
  assert.equal(status, 202, JSON.stringify(answer));
  await world.delivered();
  const delivered = answer.data.items.map(({ vauId }) => world.backend.counted.get(vauId));
  assert.ok(delivered.every((item) => item?.signed));
  const segments = world.backend.deliveries.filter(({ items }) => items.some(({ vau }) => vau.deviceId === device.id));
  assert.ok(new Set(segments.map(({ segmentId }) => segmentId)).size > 3);
  assert.deepEqual(delivered.map(({ earned }) => earned), answer.data.items.map(({ earned }) => earned));
});

test("a batch and a single VAU cannot be paid both", async () => {
  const device = aDevice();
  const [vau] = vaus(1, { device });
  assert.equal((await world.submit(vau)).status, 200);
  const { signature: _, ...unsigned } = vau;
  const { body } = await world.batch(device.seal("both", [unsigned]));
  assert.equal(body.data.items[0].status, "duplicate");
  assert.equal(fingerprint(vau), fingerprint(unsigned));
});

test("the 11th batch of a minute waits, and does not use up the minute of single VAUs", async () => {
  const limited = await World.start({ vars: { RATE_BATCH_PER_MINUTE: "10" } });
  try {
    const left = 60_000 - (Date.now() % 60_000);
    if (left < 10_000) await new Promise((wake) => setTimeout(wake, left + 50));
    for (let n = 0; n < 10; n++) {
      const answer = await limited.batch({ batchId: `${n}`, submittedAt: Date.now(), vaus: [limited.vau()] });
      assert.deepEqual([answer.status, answer.headers.get("x-ratelimit-remaining")], [202, `${9 - n}`]);
    }
    const beyond = await limited.batch({ batchId: "x", submittedAt: Date.now(), vaus: [limited.vau()] });
    assert.deepEqual([beyond.status, beyond.body.code], [429, "rate.limited"]);
    assert.ok(Number(beyond.headers.get("retry-after")) >= 1);
    assert.equal((await limited.submit(limited.vau(), { path: VAU })).status, 200);
  } finally {
    await limited.stop();
  }
});
