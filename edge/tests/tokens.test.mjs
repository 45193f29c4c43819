// Fear: someone who did not sign in hands VAUs in, or an outage of the auth-service locks everybody out.

import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync } from "node:crypto";
import { after, before, beforeEach, test } from "node:test";
import { until, World } from "./support.mjs";

let world;
before(async () => (world = await World.start()));
beforeEach(() => (world.jwksDown = false));
after(() => world.stop());

const codeOf = async (options) => {
  const { status, body } = await world.submit(world.vau(), options);
  return [status, body.code];
};
const invalid = [401, "auth.token_invalid"];

test("while the keys cannot be fetched the answer is 503, and right again afterwards", async () => {
  world.jwksDown = true;
  const away = await world.submit(world.vau());
  assert.deepEqual([away.status, away.body.code], [503, "dependency.unavailable"]);
  assert.ok(Number(away.headers.get("retry-after")) >= 1);
  world.jwksDown = false;
  await until("the keys are looked for again", async () => (await world.submit(world.vau())).status === 200, 5_000);
});

test("an outage of the auth-service does not touch those who have a key", async () => {
  assert.equal((await world.submit(world.vau())).status, 200);
  world.jwksDown = true;
  assert.equal((await world.submit(world.vau())).status, 200);
});

test("no token, another scheme, an empty one", async () => {
  const missing = [401, "auth.token_missing"];
  assert.deepEqual(await codeOf({ token: null }), missing);
  for (const authorization of ["Basic YTpi", "Bearer", "Bearer  "]) {
    assert.deepEqual(await codeOf({ token: null, headers: { authorization } }), missing);
  }
  const answer = await world.submit(world.vau(), { token: null });
  assert.equal(answer.headers.get("www-authenticate"), "Bearer");
});

test("unsigned and HMAC tokens are refused, whatever they claim", async () => {
  const token = (alg, sign) => ({ token: world.token({ header: { alg }, sign }) });
  assert.deepEqual(await codeOf(token("none", () => "")), invalid);
  assert.deepEqual(await codeOf(token("none")), invalid);
  const { x } = world.issuer.jwks().keys[0];
  for (const key of [x, Buffer.from(x, "base64url")]) {
    assert.deepEqual(await codeOf(token("HS256", (text) => createHmac("sha256", key).update(text).digest())), invalid);
  }
});

test("a token signed by a key of its own is refused", async () => {
  const own = generateKeyPairSync("ed25519");
  const jwk = own.publicKey.export({ format: "jwk" });
  assert.deepEqual(await codeOf({ token: world.token({ key: own.privateKey }) }), invalid);
  assert.deepEqual(await codeOf({ token: world.token({ key: own.privateKey, header: { jwk } }) }), invalid);
});

test("an altered, foreign, early or expired token is refused", async () => {
  const now = Math.floor(Date.now() / 1000);
  const claim = (claims) => codeOf({ token: world.token({ claims }) });
  assert.deepEqual(await claim({ iss: "https://staging.test" }), invalid);
  assert.deepEqual(await claim({ aud: "twist-edge" }), invalid);
  assert.deepEqual(await claim({ ver: 2 }), invalid);
  assert.deepEqual(await claim({ uid: undefined }), invalid);
  assert.deepEqual(await claim({ nbf: now + 120, iat: now + 120 }), invalid);
  assert.deepEqual(await claim({ iat: now - 2_000, nbf: now - 2_000, exp: now - 1_000 }), [401, "auth.token_expired"]);
  const [header, claims, signature] = world.token().split(".");
  const other = world.token({ claims: { roles: ["admin"] } }).split(".");
  assert.deepEqual(await codeOf({ token: `${header}.${other[1]}.${signature}` }), invalid);
  assert.deepEqual(await codeOf({ token: `${header}.${claims}.${signature}=` }), invalid);
  assert.deepEqual(await codeOf({ token: `${header}.${claims}` }), invalid);
  assert.deepEqual(await codeOf({ token: "x".repeat(5_000) }), invalid);
});

test("made-up key ids do not become load on the auth-service", async () => {
  const before = world.issuer.fetches;
  const answers = await Promise.all(
    Array.from({ length: 30 }, (_, i) => codeOf({ token: world.token({ header: { kid: `made-up-${i}` } }) })),
  );
  for (const answer of answers) assert.deepEqual(answer, invalid);
  const afterFirst = world.issuer.fetches;
  for (let i = 0; i < 10; i++) assert.deepEqual(await codeOf({ token: world.token({ header: { kid: `later-${i}` } }) }), invalid);
  assert.equal(world.issuer.fetches, afterFirst, "a fetch within 30 s of the last");
  assert.ok(afterFirst - before <= 30);
});

test("callers at a cold start share one fetch of the keys", async () => {
  await world.close();
  await world.open();
  const before = world.issuer.fetches;
  const answers = await Promise.all(Array.from({ length: 50 }, () => world.submit(world.vau())));
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  assert.equal(world.issuer.fetches - before, 1);
});

test("a key that was published after the last look is found", async () => {
  // A fresh isolate, so that the pause between two looks is over.
  await world.close();
  await world.open();
  assert.equal((await world.submit(world.vau())).status, 200);
  await world.close();
  world.issuer.rotate("key-2");
  await world.open();
  assert.equal((await world.submit(world.vau())).status, 200);
});
