// Fear: a client that follows the rules gets an answer it cannot read.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { VAU, World } from "./support.mjs";

let world;
before(async () => (world = await World.start({ vars: { ALLOWED_ORIGINS: "https://app.test, https://admin.test" } })));
after(() => world.stop());

const call = (path, options) => fetch(world.url + path, options);
const COMMON = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "strict-transport-security": "max-age=31536000; includeSubDomains",
};

test("an accepted VAU is answered in the envelope, with every header", async () => {
  const { status, headers, body } = await world.submit(world.vau());
  assert.equal(status, 200);
  assert.deepEqual(Object.keys(body), ["success", "data"]);
  assert.equal(body.success, true);
  assert.deepEqual(Object.keys(body.data).sort(), ["earned", "timestamp", "trustScore", "vauId"]);
  assert.match(body.data.vauId, /^[0-9a-f]{32}$/);
  assert.match(body.data.earned, /^[0-9]+$/);
  assert.ok(Math.abs(body.data.timestamp - Date.now()) < 10_000);
  assert.equal(headers.get("content-type"), "application/json");
  for (const [name, value] of Object.entries(COMMON)) assert.equal(headers.get(name), value);
  for (const name of ["limit", "remaining", "reset"]) assert.match(headers.get(`x-ratelimit-${name}`), /^[0-9]+$/);
});

test("errors carry the same headers", async () => {
  const answers = [
    await world.submit({}),
    await world.submit(world.vau(), { token: null }),
    await world.submit(world.vau({ timestamp: 1 })),
    await world.submit({}, { path: "/nowhere" }),
  ];
  for (const { headers, body } of answers) {
    for (const [name, value] of Object.entries(COMMON)) assert.equal(headers.get(name), value, body.code);
    assert.equal(headers.get("x-request-id"), body.requestId);
  }
  for (const { headers, body } of answers.slice(0, 3)) assert.ok(headers.get("x-ratelimit-reset"), body.code);
});

test("a usable request id comes back, any other is replaced", async () => {
  const ask = async (id) => (await world.submit("{", { headers: { "x-request-id": id } })).body.requestId;
  assert.equal(await ask("client-Request_01"), "client-Request_01");
  for (const bad of ["short", "has spaces in it", 'quote"quote"', "x".repeat(65)]) {
    assert.notEqual(await ask(bad), bad);
  }
});

test("unknown routes and methods are told apart", async () => {
  const missing = await call("/nowhere");
  assert.deepEqual([missing.status, (await missing.json()).code], [404, "not_found"]);
  for (const [path, method] of [[VAU, "GET"], [VAU, "DELETE"], ["/health", "POST"]]) {
    const answer = await call(path, { method });
    const body = await answer.json();
    assert.deepEqual([answer.status, body.code, body.instance], [405, "request.method_not_allowed", path]);
    assert.ok(answer.headers.get("allow"));
  }
});

test("health tells what it looked at", async () => {
  const { status, body } = await world.health();
  assert.equal(status, 200);
  assert.equal(body.status, "healthy");
  assert.ok(!Number.isNaN(Date.parse(body.timestamp)));
  assert.deepEqual(body.checks.map(({ service, status }) => [service, status]), [
    ["configuration", "healthy"], ["durable-object", "healthy"], ["queue", "healthy"], ["delivery", "healthy"],
  ]);
  const head = await call("/health", { method: "HEAD" });
  assert.deepEqual([head.status, await head.text()], [200, ""]);
});

test("only listed origins may call from a page", async () => {
  const preflight = (origin) => call(VAU, { method: "OPTIONS", headers: { origin, "access-control-request-method": "POST" } });
  const allowed = await preflight("https://app.test");
  assert.equal(allowed.status, 204);
  assert.equal(allowed.headers.get("access-control-allow-origin"), "https://app.test");
  const names = allowed.headers.get("access-control-allow-headers");
  for (const name of ["Authorization", "Content-Type", "X-Timestamp", "X-HMAC-Signature", "X-Key-Id", "Idempotency-Key"]) {
    assert.ok(names.includes(name), name);
  }
  for (const origin of ["https://evil.test", "null", "https://app.test.evil.test"]) {
    const refused = await preflight(origin);
    assert.equal(refused.status, 204);
    assert.equal(refused.headers.get("access-control-allow-origin"), null);
  }
  const { headers } = await world.submit(world.vau(), { headers: { origin: "https://admin.test" } });
  assert.equal(headers.get("access-control-allow-origin"), "https://admin.test");
  assert.match(headers.get("vary"), /Origin/);
});
