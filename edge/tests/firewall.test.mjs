// Fear: an attack gets through, or a good request does not; a caller pretends to be another; a challenge is passed
// without solving it, twice, or for somebody else.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { ending, solve, startFront } from "./front.mjs";
import { until, VAU, World } from "./support.mjs";

let world;
let front;
before(async () => {
  world = await World.start({ vars: { ALLOWED_ORIGINS: "https://app.test" } });
  front = await startFront();
});
after(async () => {
  await world.stop();
  await front.stop();
});

async function ask(path, { at = world.url, ...options } = {}) {
  const response = await fetch(at + path, options);
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : undefined };
}

function isRefusal({ status, headers, body }, expected, code) {
  assert.deepEqual([status, body.code], [expected, code], JSON.stringify(body));
  assert.equal(headers.get("content-type"), "application/problem+json");
  assert.equal(headers.get("x-request-id"), body.requestId);
  assert.equal(body.success, false);
  return body;
}

const probes = {
  "SQL": "x' OR 1=1--", "a script": "<script>alert('zq')</script>", "a path": "../../../../etc/passwd", "a command": "; cat /etc/passwd",
  "an LDAP filter": "*)(uid=*))(|(uid=*", "XML": '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>', "an operator": '{"$ne":null}',
};
for (const [what, probe] of Object.entries(probes)) {
  test(`${what} is refused in the query, the path, a header and the body, and is not repeated`, async () => {
    const answers = [
      await ask(`/health?q=${encodeURIComponent(probe)}`),
      await ask(`/health?q=${encodeURIComponent(encodeURIComponent(probe))}`),
      await ask(`/api/v1/vau/status/${encodeURIComponent(probe)}`),
      await ask("/health", { headers: { "x-key-id": probe } }),
      await world.submit({ ...world.vau(), siteId: probe }),
      await world.submit({ ...world.vau(), [probe]: 1 }),
    ];
    for (const answer of answers) {
      isRefusal(answer, 403, "firewall.blocked");
      assert.ok(!JSON.stringify(answer.body).includes(probe.slice(0, 12)));
    }
  });
}

test("operators in the place of values are refused", async () => {
  isRefusal(await world.submit({ ...world.vau(), userId: { $gt: "" } }), 403, "firewall.blocked");
  isRefusal(await ask("/health?user[$ne]=1"), 403, "firewall.blocked");
});

test("what people write gets through, and is counted", async () => {
  for (const text of ["O'Brien & sons; 50% off | buy 1 or 2", "select * from users where a = 1", "<b>5 < 6</b> -- $5 {a: 'b'}"]) {
    assert.equal((await world.submit(world.vau({ payload: JSON.stringify({ title: text }) }))).status, 200, text);
    assert.equal((await ask(`/health?q=${encodeURIComponent(text)}`)).status, 200, text);
  }
});

test("refusals at the route can be read by pages that may call, and by no others", async () => {
  const from = (origin) => ask("/health?q=%27%20or%201%3D1--", { headers: { origin } });
  assert.equal((await from("https://app.test")).headers.get("access-control-allow-origin"), "https://app.test");
  assert.equal((await from("https://evil.test")).headers.get("access-control-allow-origin"), null);
});

test("a body over 1 MiB is refused, announced or not", async () => {
  const text = `"${"x".repeat(1_048_577)}"`;
  isRefusal(await world.submit(text), 413, "request.too_large");
  const stream = new ReadableStream({
    start(controller) {
      for (let sent = 0; sent < 70; sent++) controller.enqueue(new TextEncoder().encode("x".repeat(16_384)));
      controller.close();
    },
  });
  const headers = { "content-type": "application/json" };
  isRefusal(await ask(VAU, { method: "POST", headers, body: stream, duplex: "half" }), 413, "request.too_large");
});

test("a compressed bomb is not unpacked", async () => {
  const bomb = gzipSync(`"${"x".repeat(20_000_000)}"`);
  isRefusal(await world.submit(bomb, { headers: { "content-encoding": "gzip" } }), 415, "request.unsupported_media");
});

test("bodies that are not JSON, and programs, are refused", async () => {
  for (const body of ["{", "{}{}", "", "[".repeat(20_000), '{"a":NaN}']) isRefusal(await world.submit(body), 400, "request.malformed");
  const part = '--x\r\nContent-Disposition: form-data; name="f"; filename="a.php"\r\n\r\nx\r\n--x--';
  isRefusal(await world.submit(part, { headers: { "content-type": "multipart/form-data; boundary=x" } }), 403, "firewall.blocked");
});

test("nothing that a caller claims to be reaches the Worker behind", async () => {
  const { body } = await ask("/health?a=b%20c", {
    at: front.url,
    headers: {
      "cf-ipcountry": "DE", "cf-worker": "evil.test", "x-forwarded-for": "192.0.2.9", "x-forwarded-host": "evil.test", forwarded: "for=192.0.2.9",
      via: "1.1 x", "x-http-method-override": "DELETE", cookie: "a=b", "cf-connecting-ip": "192.0.2.1", authorization: "Bearer x", te: "trailers",
      "x-request-id": "client-Request_01",
    },
  });
  const { "accept-language": language, ...seen } = body.headers;
  assert.deepEqual(seen, { accept: "*/*", authorization: "Bearer x", "cf-connecting-ip": "192.0.2.1", "user-agent": "node", "x-request-id": "client-Request_01" });
  assert.equal(new URL(body.url).search, "?a=b%20c");
});

test("unknown routes, methods and media end at the route", async () => {
  isRefusal(await ask("/nowhere", { at: front.url }), 404, "not_found");
  isRefusal(await ask("/internal/v1/vau-batches", { at: front.url, method: "POST" }), 404, "not_found");
  isRefusal(await ask(VAU, { at: front.url }), 405, "request.method_not_allowed");
  isRefusal(await ask(VAU, { at: front.url, method: "POST", body: "{}" }), 415, "request.unsupported_media");
});

const scanner = { "user-agent": "sqlmap/1.8", "cf-connecting-ip": "192.0.2.10" };
const challenged = async (headers = scanner, path = "/api/v1/cohorts", at = world.url) =>
  isRefusal(await ask(path, { at, headers }), 403, "challenge.required").data;
const withProof = (proof, headers = scanner, path = "/api/v1/cohorts", at = world.url) =>
  ask(path, { at, headers: { ...headers, "x-challenge-proof": proof } });

test("a caller that solves its challenge gets through, once", async () => {
  const task = await challenged();
  assert.deepEqual([task.kind, task.difficulty], ["proof-of-work", 12]);
  assert.ok(task.expiresAt > Date.now() && task.expiresAt <= Date.now() + 120_000);
  const proof = solve(task);
  const passed = await withProof(proof);
  assert.notEqual(passed.body.code, "challenge.required");
  assert.notEqual(passed.body.code, "challenge.invalid");
  isRefusal(await withProof(proof), 403, "challenge.invalid");
  await world.close();
  await world.open();
  isRefusal(await withProof(proof), 403, "challenge.invalid");
});

test("twenty equal proofs at once are one", async () => {
  const proof = solve(await challenged());
  const answers = await Promise.all(Array.from({ length: 20 }, () => withProof(proof)));
  assert.equal(answers.filter(({ body }) => body.code !== "challenge.invalid").length, 1);
});

test("a proof is of no use late, elsewhere, for another route, or unsolved", async () => {
  const task = await challenged();
  const late = { ...task, challenge: ending(task, Date.now() - 1) };
  isRefusal(await withProof(solve(late)), 403, "challenge.invalid");
  const proof = solve(task);
  isRefusal(await withProof(proof, { ...scanner, "cf-connecting-ip": "192.0.2.11" }), 403, "challenge.invalid");
  isRefusal(await withProof(proof, scanner, VAU.replace("vau", "vau/batch")), 405, "request.method_not_allowed");
  const unlike = await ask(VAU, { method: "POST", headers: { ...scanner, "content-type": "application/json", "x-challenge-proof": proof }, body: "{}" });
  isRefusal(unlike, 403, "challenge.invalid");
  isRefusal(await withProof(`${task.challenge}.`), 403, "challenge.invalid");
  isRefusal(await withProof("x"), 403, "challenge.invalid");
  assert.notEqual((await withProof(proof)).body.code, "challenge.invalid", "trying did not use it up");
});

test("without its object a proof still counts once", async () => {
  const alone = await startFront({ limiter: "away" });
  try {
    const proof = solve(await challenged(scanner, "/api/v1/cohorts", alone.url));
    assert.equal((await withProof(proof, scanner, "/api/v1/cohorts", alone.url)).status, 200);
    isRefusal(await withProof(proof, scanner, "/api/v1/cohorts", alone.url), 403, "challenge.invalid");
  } finally {
    await alone.stop();
  }
});

test("with Turnstile bound, it is asked about the token", async () => {
  const asked = [];
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk) => (text += chunk));
    request.on("end", () => {
      asked.push(JSON.parse(text));
      response.setHeader("content-type", "application/json").end(JSON.stringify({ success: asked.at(-1).response === "good-token" }));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const TURNSTILE_URL = `http://127.0.0.1:${server.address().port}/siteverify`;
  const own = await startFront({ vars: { TURNSTILE_SECRET: "turnstile-secret", TURNSTILE_SITE_KEY: "site-key", TURNSTILE_URL } });
  try {
    const task = await challenged(scanner, "/api/v1/cohorts", own.url);
    assert.deepEqual([task.kind, task.siteKey, task.difficulty], ["turnstile", "site-key", undefined]);
    isRefusal(await withProof(`${task.challenge}.bad-token`, scanner, "/api/v1/cohorts", own.url), 403, "challenge.invalid");
    assert.equal((await withProof(`${task.challenge}.good-token`, scanner, "/api/v1/cohorts", own.url)).status, 200);
    assert.deepEqual(asked[1], { secret: "turnstile-secret", response: "good-token" });
    server.close();
    server.closeAllConnections();
    const again = await challenged(scanner, "/api/v1/cohorts", own.url);
    isRefusal(await withProof(`${again.challenge}.good-token`, scanner, "/api/v1/cohorts", own.url), 503, "dependency.unavailable");
  } finally {
    await own.stop();
    server.close();
  }
});

test("a country that may not be served is refused, and a forged header changes nothing", async () => {
  const from = async (country, headers) => (await front.miniflare.dispatchFetch("http://edge/health", { cf: { country }, headers })).status;
  assert.equal(await from("DE"), 200);
  for (const country of ["KP", "IR", "SY", "CU"]) assert.equal(await from(country, { "cf-ipcountry": "DE" }), 451);
});

test("a rule in shadow lets pass and is told; what is told has nothing of the request in it", async () => {
  const own = await startFront({ vars: { FIREWALL_SHADOW: "sql-injection" } });
  try {
    const headers = { "cf-connecting-ip": "192.0.2.77" };
    for (let n = 0; n < 25; n++) assert.equal((await ask("/health?secret=zq%27%20or%201%3D1--", { at: own.url, headers })).status, 200);
    isRefusal(await ask("/health?q=%3Cscript%3Ealert(1)%3C/script%3E", { at: own.url, headers }), 403, "firewall.blocked");
    const told = await until("the log is told", async () => (await own.told()).length >= 2 && own.told());
    const summary = told.map(({ action, object, result, details }) => [action, object, result, details.count, details.where, details.route]);
    assert.deepEqual(summary.sort(), [
      ["firewall.block", "xss-attempt", "blocked", "1", "query", "/health"],
      ["firewall.watch", "sql-injection", "shadow", "25", "query", "/health"],
    ]);
    for (const secret of ["zq", "192.0.2.77", "script", "or 1"]) assert.ok(!JSON.stringify(told).includes(secret), secret);
    assert.match(told[0].actor, /^[0-9a-f]{32}$/);
  } finally {
    await own.stop();
  }
});

test("what the firewall sees reaches the real log", async () => {
  isRefusal(await ask("/health?q=%27%20or%201%3D1--"), 403, "firewall.blocked");
  await until("the log has it", async () => {
    const stub = await world.worker.miniflare.getDurableObjectNamespace("AUDIT_LOG", "security-worker");
    const status = await (await stub.get(stub.idFromName("audit-0")).fetch("https://audit/status", { method: "POST" })).json();
    return JSON.stringify(status).match(/"(next|seq|records|count|length)":([1-9])/);
  });
});

test("the sixth request of a minute waits where five are allowed, in every isolate", async () => {
  const limited = await World.start({ guard: { RATE_READ_PER_MINUTE: "5" } });
  try {
    if (Date.now() % 60_000 > 50_000) await new Promise((wake) => setTimeout(wake, 60_001 - (Date.now() % 60_000)));
    const one = (address) => ask("/api/v1/vau/status/0123456789abcdef0123456789abcdef", { at: limited.url, headers: { "cf-connecting-ip": address } });
    const answers = await Promise.all(Array.from({ length: 12 }, () => one("192.0.2.1")));
    const waits = answers.filter(({ status }) => status === 429);
    assert.equal(waits.length, 7);
    assert.equal(waits[0].body.code, "rate.limited");
    assert.ok(Number(waits[0].headers.get("retry-after")) >= 1);
    assert.notEqual((await one("192.0.2.2")).status, 429);
  } finally {
    await limited.stop();
  }
});
