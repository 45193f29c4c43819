// Fear: bad input is taken in, or takes the Worker down. Each case: the right 4xx, a stable code, a request id,
// nothing of the input repeated, nothing written.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Device, World } from "./support.mjs";

let world;
before(async () => (world = await World.start()));
after(() => world.stop());

const MARKER = "zq-marker-of-the-caller";

async function refused(body, status, code, options) {
  const answer = await world.submit(body, options);
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  assert.equal(answer.body.code, code);
  assert.equal(answer.body.status, status);
  assert.equal(answer.body.success, false);
  assert.equal(answer.body.error, answer.body.detail);
  assert.equal(answer.headers.get("content-type"), "application/problem+json");
  assert.equal(answer.headers.get("x-request-id"), answer.body.requestId);
  assert.match(answer.body.requestId, /^[A-Za-z0-9_-]{8,64}$/);
  assert.ok(!JSON.stringify(answer.body).includes(MARKER), "the answer repeats the input");
  return answer.body;
}

const pointers = (problem) => problem.errors.map((error) => error.pointer);

const without = (name) => {
  const { [name]: _, ...rest } = world.vau();
  return rest;
};

const malformed = {
  "an empty body": "",
  "half an object": '{"userId":',
  "two objects": "{}{}",
  "a number with a comma": "7,",
  "a byte order mark": "\ufeff{}",
  "a lone surrogate": '{"userId":"\\ud800"}',
  "bytes that are not UTF-8": Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
  "a very deep array": "[".repeat(20_000),
};
for (const [what, body] of Object.entries(malformed)) {
  test(`${what} is malformed`, () => refused(body, 400, "request.malformed"));
}

for (const name of ["userId", "deviceId", "siteId", "timestamp", "payload", "signature"]) {
  test(`${name} missing or of the wrong type is named`, async () => {
    assert.deepEqual(pointers(await refused(without(name), 400, "validation.failed")), [`/${name}`]);
    for (const value of [null, [], { [MARKER]: MARKER }, true]) {
      const problem = await refused({ ...world.vau(), [name]: value }, 400, "validation.failed");
      assert.deepEqual(pointers(problem), [`/${name}`]);
    }
  });
}

test("a field that does not belong there is refused", async () => {
  assert.deepEqual(pointers(await refused({ ...world.vau(), [MARKER]: 1 }, 400, "validation.failed")), [""]);
});

test("another identity in the body is refused by its own code", async () => {
  for (const name of ["walletAddress", "uid", "influencerId"]) {
    await refused({ ...world.vau(), [name]: MARKER }, 400, "request.identity_in_body");
  }
});

test("ids that are not base58 or lower-case hex are refused", async () => {
  const bad = {
    userId: ["0OIl", world.wallet.slice(4), "z".repeat(10_000)],
    deviceId: [world.device.id.toUpperCase(), world.device.id.slice(2), "zz".repeat(32)],
    signature: ["00", "AB".repeat(64), "zz".repeat(64)],
    siteId: ["", "x".repeat(129), "a\u0000b"],
    timestamp: [-1, 1.5, 2 ** 53, "1767225600000"],
    payload: ["x".repeat(8_193)],
  };
  for (const [name, values] of Object.entries(bad)) {
    for (const value of values) {
      const problem = await refused({ ...world.vau(), [name]: value }, 400, "validation.failed");
      assert.deepEqual(pointers(problem), [`/${name}`]);
    }
  }
});

const streamed = (chunks) => new ReadableStream({
  start(controller) {
    const send = (text) => controller.enqueue(new TextEncoder().encode(text));
    send('"');
    for (let sent = 0; sent < chunks; sent++) send("x".repeat(10_000));
    send('"');
    controller.close();
  },
});

test("a body over the limit is refused with an answer, announced or not, again and again", async () => {
  const long = JSON.stringify({ ...world.vau(), payload: "x".repeat(40_000) });
  for (let i = 0; i < 20; i++) {
    await refused(long, 413, "request.too_large");
    const response = await fetch(`${world.url}/api/v1/vau`, {
      method: "POST", duplex: "half", body: streamed(20),
      headers: { "content-type": "application/json", authorization: `Bearer ${world.token()}` },
    });
    assert.equal(response.status, 413);
    assert.equal((await response.json()).code, "request.too_large");
  }
});

test("a long body without a token is answered as well", async () => {
  for (let i = 0; i < 20; i++) await refused(`"${"x".repeat(200_000)}"`, 401, "auth.token_missing", { token: null });
});

test("a body that is not said to be JSON is refused", async () => {
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1"]) {
    await refused(world.vau(), 415, "request.unsupported_media", { headers: { "content-type": type } });
  }
});

test("an old or future timestamp is refused", async () => {
  await refused(world.vau({ timestamp: Date.now() - 31_000 }), 400, "vau.stale");
  await refused(world.vau({ timestamp: 0 }), 400, "vau.stale");
  await refused(world.vau({ timestamp: Date.now() + 7_000 }), 400, "vau.future");
  await refused(world.vau({ timestamp: 2 ** 53 - 1 }), 400, "vau.future");
});

test("every field is under the signature", async () => {
  const attestation = { credentialId: "c", clientDataJSON: "{}", authenticatorData: "a", signature: "s" };
  const signed = world.vau({ attestation });
  const changes = {
    siteId: "site-other", payload: "{ }", timestamp: signed.timestamp + 1, attestation: undefined,
    userId: "7S3P4HxJpyyigGzodYwHtCxZyUQe9JiBMHyRWXArAaKv", deviceId: new Device().id,
    signature: signed.signature.replace(/^../, (byte) => (byte === "00" ? "01" : "00")),
  };
  for (const [name, value] of Object.entries(changes)) {
    await refused({ ...signed, [name]: value }, 400, "vau.signature_invalid");
  }
  for (const name of Object.keys(attestation)) {
    const altered = { ...signed, attestation: { ...attestation, [name]: "x" } };
    await refused(altered, 400, "vau.signature_invalid");
  }
});

test("a key of small order cannot vouch for anything", async () => {
  // The identity point: R = identity, S = 0 satisfies the plain verification equation for every message.
  const identity = `01${"00".repeat(31)}`;
  const forged = { ...world.fields({ deviceId: identity }), signature: identity + "00".repeat(32) };
  await refused(forged, 400, "vau.signature_invalid");
});

test("an unregistered device, or that of another user, earns nothing", async () => {
  const stranger = new Device();
  const fields = world.fields({ deviceId: stranger.id });
  await refused(stranger.sign(fields), 400, "vau.device_unknown");
  world.backend.register(stranger, "7S3P4HxJpyyigGzodYwHtCxZyUQe9JiBMHyRWXArAaKv");
  await refused(stranger.sign(fields), 400, "vau.device_unknown");
  world.backend.register(stranger, world.wallet);
  assert.equal((await world.submit(stranger.sign(fields))).status, 200);
});

test("nobody hands in a VAU for somebody else", async () => {
  const userId = "7S3P4HxJpyyigGzodYwHtCxZyUQe9JiBMHyRWXArAaKv";
  world.backend.register(world.device, userId);
  await refused(world.vau({ userId }), 403, "permission.denied");
  world.backend.register(world.device, world.wallet);
});

test("after all of that the Worker works, and has stored the two good VAUs only", async () => {
  assert.equal((await world.submit(world.vau())).status, 200);
  await world.delivered();
  assert.equal(world.backend.counted.size, 2);
});
