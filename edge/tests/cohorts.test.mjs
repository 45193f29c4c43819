// Fear: targeting tells the server who is in which cohort, or a cohort of a few gives them away. The client's part is
// implemented here once more, from the published layout.

import assert from "node:assert/strict";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { base58, World } from "./support.mjs";

const OPERATOR = "operators-of-the-tests-".padEnd(40, "x");
const ORIGIN = "https://app.example.org";

let world;
before(async () => {
  world = await World.start({
    vars: { COHORT_SECRET: "secret of the cohort tests", OPERATOR_TOKEN: OPERATOR, ALLOWED_ORIGINS: ORIGIN },
    guard: false,
  });
});
after(() => world.stop());

async function get(path, { token, method = "GET", headers = {} } = {}) {
  const sent = { ...headers, ...(token && { authorization: `Bearer ${token}` }) };
  const response = await fetch(`${world.url}/api/v1/cohorts/${path}`, { method, headers: sent });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : undefined };
}

// --- the client's part ---

const sha256 = (bytes) => createHash("sha256").update(bytes).digest();
const AGES = ["18-24", "25-34", "35-44", "45-54", "55+"];
const INTERESTS = ["gaming", "fashion", "tech", "finance", "sports"];

function cohortOf(userId) {
  const h = sha256(userId);
  return `${AGES[h[2] % 5]}:${INTERESTS[h[3] % 5]}:${h.readUInt16BE(0) % 1000}`;
}

function element(salt, cohort) {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(Buffer.byteLength(cohort));
  return sha256(Buffer.concat([Buffer.from("twist-cohort-v1"), Buffer.from(salt, "base64url"), length, Buffer.from(cohort)]));
}

function contains({ bits, hashes, data }, item) {
  const bytes = Buffer.from(data, "base64url");
  const h = sha256(item);
  const [a, b] = [h.readBigUInt64LE(0), h.readBigUInt64LE(8) | 1n];
  return Array.from({ length: hashes }, (_, i) => Number(BigInt.asUintN(64, a + BigInt(i) * b) % BigInt(bits)))
    .every((place) => bytes[place >> 3] & (1 << (place & 7)));
}

const admits = (filter, salt, cohort, trust) =>
  trust >= filter.minTrustScore &&
  contains(filter.include, element(salt, cohort)) &&
  !(filter.exclude && contains(filter.exclude, element(salt, cohort)));

/** Wallets of `count` people of one cohort. */
function people(count) {
  const groups = new Map();
  for (;;) {
    const wallet = base58(randomBytes(32));
    const cohort = cohortOf(wallet);
    const group = groups.get(cohort) ?? [];
    group.push(wallet);
    groups.set(cohort, group);
    if (group.length === count) return { cohort, wallets: group };
  }
}

const token = (wallet, claims = {}) => world.issuer.token(wallet, "https://auth.test", { claims });
const salts = async () => (await get("salt")).body;
const filters = (query) => get(`filters?${new URLSearchParams(query)}`, { token: OPERATOR });

test("everybody gets the week's salt, the same each time, and that of the week before", async () => {
  const first = await get("salt");
  assert.equal(first.status, 200);
  assert.deepEqual((await get("salt")).body, first.body);
  const { current, previous, k } = first.body;
  assert.equal(k, 5);
  assert.equal(current.week, previous.week + 1);
  assert.equal(current.week, Math.floor((Math.floor(Date.now() / 86_400_000) + 3) / 7));
  assert.notEqual(current.salt, previous.salt);
  assert.equal(Buffer.from(current.salt, "base64url").length, 32);
  assert.ok(previous.validUntil > Date.now() && current.validUntil - previous.validUntil === 7 * 86_400_000);
});

test("a user is told the own cohort, and nobody without a token is told any", async () => {
  const own = await get("me", { token: token(world.wallet) });
  assert.deepEqual([own.status, own.body], [200, { cohort: cohortOf(world.wallet) }]);
  for (const bad of [undefined, "a.b.c", OPERATOR]) {
    const refused = await get("me", { token: bad });
    assert.equal(refused.status, 401);
    assert.equal(refused.headers.get("content-type"), "application/problem+json");
  }
});

test("a cohort is in a filter from its fifth member on; the same member again does not count", async () => {
  const { cohort, wallets } = people(5);
  const uids = wallets.map(() => randomUUID());
  const come = (n) => get("me", { token: token(wallets[n], { uid: uids[n] }) });
  for (const n of [0, 1, 2, 3, 3, 3, 0]) assert.equal((await come(n)).status, 200);
  const early = await filters({ cohorts: cohort });
  assert.deepEqual([early.status, early.body.code], [404, "not_found"]);
  assert.ok(!JSON.stringify(early.body).includes(cohort));
  assert.equal((await come(4)).status, 200);
  const { status, body: filter } = await filters({ cohorts: cohort, minTrustScore: "60" });
  assert.equal(status, 200);
  const { current } = await salts();
  assert.equal(filter.week, current.week);
  assert.ok(admits(filter, current.salt, cohort, 60));
  assert.ok(!admits(filter, current.salt, cohort, 59));
  assert.ok(!JSON.stringify(filter).includes(cohort));

  // Two wallets of one user are one member: `uid` counts, not the wallet.
  const small = "18-24:gaming:1";
  const mixed = await filters({ cohorts: `${cohort},${small}`, excludeCohorts: small });
  assert.deepEqual([mixed.status, mixed.body.suppressed, mixed.body.exclude], [200, 2, undefined]);
  assert.ok(!admits(mixed.body, current.salt, small, 100));
  const none = await filters({ cohorts: cohort, excludeCohorts: cohort });
  assert.ok(!admits(none.body, current.salt, cohort, 100));
});

test("one user with many wallets of a cohort is one member of it", async () => {
  const { cohort, wallets } = people(5);
  const uid = randomUUID();
  for (const wallet of wallets) assert.equal((await get("me", { token: token(wallet, { uid }) })).status, 200);
  assert.equal((await filters({ cohorts: cohort })).status, 404);
});

test("what is kept names no user, and no more members than have to be counted", async () => {
  const { cohort, wallets } = people(7);
  for (const wallet of wallets) await get("me", { token: token(wallet) });
  await world.close();
  const folder = join(world.folder, "durable-objects/vau-processor-CohortCensus");
  const file = readdirSync(folder).find((name) => name.endsWith(".sqlite") && name !== "metadata.sqlite");
  const database = new DatabaseSync(join(folder, file));
  const rows = database.prepare("SELECT * FROM member").all();
  const week = rows[0].week;
  database.prepare("UPDATE member SET week = ? WHERE cohort = ?").run(week - 1, cohort);
  database.prepare("INSERT INTO member VALUES (?, 'old', 'x')").run(week - 2);
  database.close();
  assert.equal(rows.filter((row) => row.cohort === cohort).length, 5);
  for (const { member } of rows) assert.match(member, /^[0-9a-f]{32}$/);
  for (const wallet of wallets) assert.ok(!JSON.stringify(rows).includes(wallet));

  // Last week's members still count, what is older goes.
  await world.open();
  assert.equal((await filters({ cohorts: cohort })).status, 200);
  await get("me", { token: token(world.wallet) });
  await world.close();
  const later = new DatabaseSync(join(folder, file));
  assert.equal(later.prepare("SELECT count(*) AS n FROM member WHERE cohort = 'old'").get().n, 0);
  later.close();
  await world.open();
});

test("only operators make filters, and only from what is a criterion", async () => {
  for (const bad of [undefined, "wrong", token(world.wallet, { roles: ["admin"] })]) {
    assert.equal((await get("filters?cohorts=25-34:tech:1", { token: bad })).status, 401);
  }
  for (const query of [
    "", "cohorts=", "cohorts=everybody", "cohorts=25-34:tech:1000", "cohorts=25-34:tech:1&userId=x", "cohorts=25-34:tech:1&cohorts=25-34:tech:2",
    "cohorts=25-34:tech:1&minTrustScore=101", "excludeCohorts=25-34:tech:1", `cohorts=${"25-34:tech:1,".repeat(700)}`,
    `cohorts=${Array.from({ length: 101 }, (_, n) => `25-34:tech:${n}`).join(",")}`, "cohorts=%00", "cohorts=%ff%fe", "cohorts='%20OR%201=1--",
  ]) {
    const refused = await get(`filters?${query}`, { token: OPERATOR });
    assert.deepEqual([refused.status, refused.body.code], [400, "validation.failed"], query);
    assert.equal(refused.headers.get("content-type"), "application/problem+json");
  }
});

test("pages may ask, also before and when refused; other methods are refused", async () => {
  const headers = { origin: ORIGIN };
  for (const path of ["salt", "me", "filters"]) {
    const preflight = await get(path, { method: "OPTIONS", headers });
    assert.deepEqual([preflight.status, preflight.headers.get("access-control-allow-origin")], [204, ORIGIN]);
    const answer = await get(path, { headers });
    assert.equal(answer.headers.get("access-control-allow-origin"), ORIGIN);
    const stranger = await get(path, { headers: { origin: "https://evil.example" } });
    assert.equal(stranger.headers.get("access-control-allow-origin"), null);
    const posted = await get(path, { method: "POST" });
    assert.deepEqual([posted.status, posted.headers.get("allow")], [405, "GET, HEAD, OPTIONS"]);
  }
  assert.equal((await get("salt/more")).status, 404);
  assert.equal((await get("")).status, 404);
});

test("without a secret there are no cohorts, and everything else works", async () => {
  const bare = await World.start({ guard: false });
  try {
    const response = await fetch(`${bare.url}/api/v1/cohorts/salt`);
    assert.equal(response.status, 503);
    assert.equal((await bare.submit(bare.vau())).status, 200);
  } finally {
    await bare.stop();
  }
});
