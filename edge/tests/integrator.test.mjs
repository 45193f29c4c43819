// Fear: the optional HMAC can be switched off by leaving half of it out, or replayed on another request.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { hmac, INTEGRATORS, VAU, World } from "./support.mjs";

let world;
before(async () => (world = await World.start()));
after(() => world.stop());

function signed(body, { keyId = "partner-old", secret = INTEGRATORS[keyId], at = Date.now(), path = VAU } = {}) {
  return {
    "x-key-id": keyId,
    "x-timestamp": String(at),
    "x-hmac-signature": hmac(secret, "POST", path, at, body),
  };
}

const send = async (headers, body) => {
  const { status, body: answer } = await world.submit(body, { headers });
  return status === 200 ? 200 : [status, answer.code];
};
const refused = [401, "auth.hmac_invalid"];
const fresh = () => JSON.stringify(world.vau());

test("either of an integrator's two keys signs", async () => {
  for (const keyId of Object.keys(INTEGRATORS)) {
    const body = fresh();
    assert.equal(await send(signed(body, { keyId }), body), 200);
  }
});

test("half of the headers is not none of them", async () => {
  const body = fresh();
  for (const name of Object.keys(signed(body))) {
    assert.deepEqual(await send({ ...signed(body), [name]: undefined }, body), refused);
  }
});

test("another body, path, time, key or signature does not hold", async () => {
  const body = fresh();
  assert.deepEqual(await send(signed(body), `${body} `), refused);
  assert.deepEqual(await send(signed(body, { path: "/health" }), body), refused);
  assert.deepEqual(await send({ ...signed(body), "x-timestamp": String(Date.now() + 1) }, body), refused);
  assert.deepEqual(await send(signed(body, { at: Date.now() - 301_000 }), body), refused);
  assert.deepEqual(await send(signed(body, { at: Date.now() + 302_000 }), body), refused);
  assert.deepEqual(await send(signed(body, { keyId: "nobody", secret: "x" }), body), refused);
  assert.deepEqual(await send({ ...signed(body), "x-hmac-signature": "soon" }, body), refused);
  assert.equal(await send(signed(body), body), 200);
});

test("an HMAC does not stand in for a token", async () => {
  const body = fresh();
  const answer = await world.submit(body, { token: null, headers: signed(body) });
  assert.equal(answer.body.code, "auth.token_missing");
});
