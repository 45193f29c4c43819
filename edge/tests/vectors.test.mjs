// Fear: the Worker signs and hashes other bytes than the rest of the platform. The golden vectors, run by the
// Rust functions as they are compiled to wasm, inside workerd; signatures by its WebCrypto.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { canonical, World } from "./support.mjs";
import { vectorsBundle } from "./build.mjs";

const read = (name) => JSON.parse(readFileSync(new URL(`../../tests/vectors/${name}.json`, import.meta.url), "utf8"));
const vectors = read("vau-v1");
const staking = read("staking-v1");

let world;
let rules;
before(async () => {
  world = await World.start({ bundle: vectorsBundle() });
  // The test exports are methods for service bindings; this worker passes calls on.
  rules = async (name, ...values) => {
    const response = await world.caller.fetch("http://caller/", { method: "POST", body: JSON.stringify({ name, values }) });
    const { result, error } = await response.json();
    if (error) throw new Error(error);
    return result;
  };
});
after(() => world.stop());

test("single VAUs: bytes, fingerprint, id and signature", async () => {
  assert.ok(vectors.single.length >= 5);
  for (const { vau, canonicalHex, canonicalLength, fingerprint, vauId } of vectors.single) {
    const got = JSON.parse(await rules("vauVector", JSON.stringify(vau)));
    if (canonicalHex) assert.equal(got.canonicalHex, canonicalHex);
    assert.equal(got.canonicalHex.length, canonicalLength * 2);
    assert.deepEqual([got.fingerprint, got.vauId, got.holds], [fingerprint, vauId, true]);
    assert.equal(canonical(vau).toString("hex"), got.canonicalHex, "the tests' own implementation differs");
    const altered = JSON.parse(await rules("vauVector", JSON.stringify({ ...vau, payload: `${vau.payload} ` })));
    assert.equal(altered.holds, false);
  }
});

test("batch: bytes and signature", async () => {
  const { batch, canonicalHex } = vectors.batch;
  const fingerprints = [];
  for (const vau of batch.vaus) {
    const unsigned = { ...vau, signature: "00".repeat(64) };
    fingerprints.push(JSON.parse(await rules("vauVector", JSON.stringify(unsigned))).fingerprint);
  }
  assert.equal(await rules("batchVector", batch.batchId, { bigint: batch.submittedAt }, fingerprints), canonicalHex);
  assert.equal(await rules("signatureVector", batch.deviceId, { hex: canonicalHex }, batch.signature), true);
  assert.equal(await rules("signatureVector", batch.deviceId, { hex: `${canonicalHex}00` }, batch.signature), false);
});

test("device registration: bytes and proof", async () => {
  const { userId, deviceId, issuedAt, canonicalHex, proof } = vectors.device;
  assert.equal(await rules("deviceVector", userId, deviceId, { bigint: issuedAt }), canonicalHex);
  assert.equal(await rules("signatureVector", deviceId, { hex: canonicalHex }, proof), true);
});

test("HMAC of a request", async () => {
  const { timestamp, signature, ...rest } = vectors.hmac;
  assert.equal(await rules("hmacVector", JSON.stringify({ ...rest, timestamp: Number(timestamp) })), signature);
});

test("staking: every pool goes through the published states", async () => {
  assert.ok(staking.pools.length >= 4);
  for (const { name, users, steps, after, positions } of staking.pools) {
    const got = JSON.parse(await rules("stakingPoolVector", JSON.stringify({ users, steps })));
    const outcomes = steps.map(({ paid, error }) => (error ? { error } : paid === undefined ? {} : { paid }));
    assert.deepEqual(got, { outcomes, after, positions }, name);
  }
});

test("staking: splits, tiers, yields and trends are the published ones", async () => {
  const results = {
    splits: ["stakerShare", "influencerShare"],
    tiers: ["tier", "maxRevenueShareBps", "linkLimit"],
    apyOfMonth: ["apyBps"],
    apyOfDay: ["apyBps"],
    trends: ["trend"],
  };
  for (const [list, names] of Object.entries(results)) {
    assert.ok(staking[list].length >= 8, list);
    for (const published of staking[list]) {
      const got = JSON.parse(await rules("stakingRuleVector", JSON.stringify({ [list]: published })));
      assert.deepEqual(got, Object.fromEntries(names.map((name) => [name, published[name]])), JSON.stringify(published));
    }
  }
});

test("a stopped WebAssembly instance is replaced; what was accepted is still known", async () => {
  const vau = world.vau();
  assert.equal((await world.submit(vau)).status, 200);
  await assert.rejects(rules("stopInstance"));
  const again = await world.submit(vau);
  assert.equal(again.body.code, "vau.duplicate", JSON.stringify(again.body));
  assert.equal((await world.submit(world.vau())).status, 200);
  await world.delivered();
});
