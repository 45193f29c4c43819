// What the tests share: the Worker in workerd, a fake auth-service and backend in this process, and an
// implementation of the signed bytes that shares no code with the Worker's.

import {
  createHash, createHmac, createPublicKey, generateKeyPairSync, randomBytes, randomUUID, sign, verify,
} from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { bindings, startWorkers } from "../local/worker.mjs";

const cache = process.env.TWIST_CACHE_DIR ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "twist");

/** The folder with a folder for each built Worker. */
const dist = process.env.TWIST_EDGE_DIST ?? join(cache, "dist");

/** The bundle of each Worker, by its name. */
export const bundles = Object.fromEntries(bindings.workers.map(({ name, bundle }) => [name, join(dist, bundle)]));

export const OPERATOR = "the operators' token of the tests";
export const SECRET = "secret between the edge and the backend";
export const INTEGRATORS = { "partner-old": "integrator-secret-1", "partner-new": "integrator-secret-2" };

// --- bytes ---

const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

export function base58(bytes) {
  let number = BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
  let text = "";
  for (; number > 0n; number /= 58n) text = BASE58[Number(number % 58n)] + text;
  for (const byte of bytes) {
    if (byte !== 0) break;
    text = `1${text}`;
  }
  return text;
}

const u64 = (n) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(n));
  return bytes;
};

const lp = (text) => {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
};

const sha256 = (bytes) => createHash("sha256").update(bytes).digest();

export function canonical(vau) {
  const a = vau.attestation;
  const evidence = a
    ? sha256(Buffer.concat([a.credentialId, a.clientDataJSON, a.authenticatorData, a.signature, a.userHandle ?? ""].map(lp)))
    : Buffer.alloc(32);
  return Buffer.concat([
    Buffer.from("twist-vau-v1"),
    ...[vau.userId, vau.deviceId, vau.siteId].map(lp),
    u64(vau.timestamp),
    lp(vau.payload),
    evidence,
  ]);
}

/** The fingerprint of a VAU: of the bytes its device signs. */
export const fingerprint = (vau) => sha256(canonical(vau)).toString("hex");

const vauId = (vau) =>
  sha256(Buffer.concat([
    Buffer.from("twist-vau-id-v1"), ...[vau.userId, vau.deviceId, vau.siteId].map(lp), u64(vau.timestamp),
  ])).toString("hex").slice(0, 32);

/** What a device signs for a whole batch. */
export function batchBytes(batchId, submittedAt, prints) {
  const count = Buffer.alloc(4);
  count.writeUInt32LE(prints.length);
  return Buffer.concat([
    Buffer.from("twist-vau-batch-v1"), lp(batchId), u64(submittedAt), count, ...prints.map((print) => Buffer.from(print, "hex")),
  ]);
}

/** The trust score of a device's history. */
export function trust({ attestations, vauCount, sinceLastMs, anomalies }) {
  const recency = sinceLastMs === null ? 0 : sinceLastMs < 86_400_000 ? 10 : sinceLastMs < 604_800_000 ? 5 : 0;
  const earned = sinceLastMs === null ? 50
    : Math.min(100, 50 + Math.min(30, 10 * attestations) + recency + Math.min(10, Math.floor(vauCount / 10)));
  return Math.max(0, earned - 10 * anomalies);
}

/** The VAUs of a group of a segment, as the backend sees each. */
export function expand(group) {
  return group.items.map((item, place) => {
    const { userId, deviceId, acceptedAt } = group;
    const { siteId, timestamp, payload, attestation, signature, earned } = item;
    const device = place === 0 ? group.device : { ...group.device, vauCount: group.device.vauCount + place, sinceLastMs: 0 };
    const vau = { userId, deviceId, siteId, timestamp, payload, ...(signature && { signature }), ...(attestation && { attestation }) };
    const signed = signature ? verify(null, canonical(vau), publicKey(deviceId), Buffer.from(signature, "hex")) : holds(group);
    return {
      vau, vauId: vauId(vau), fingerprint: fingerprint(vau), acceptedAt, device, trustScore: trust(device), earned, signed,
    };
  });
}

const publicKey = (deviceId) =>
  createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: Buffer.from(deviceId, "hex").toString("base64url") }, format: "jwk" });

/** Whether the signature of a group's batch holds. */
function holds({ userId, deviceId, batch, items }) {
  if (!batch) return false;
  const prints = (batch.others ?? []).map(({ index, fingerprint }) => [index, fingerprint]);
  for (const item of items) prints.push([item.index, fingerprint({ userId, deviceId, ...item })]);
  prints.sort(([a], [b]) => a - b);
  const bytes = batchBytes(batch.batchId, batch.submittedAt, prints.map(([, print]) => print));
  return verify(null, bytes, publicKey(deviceId), Buffer.from(batch.signature, "hex"));
}

function keyPair() {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  return { privateKey, publicBytes: Buffer.from(publicKey.export({ format: "jwk" }).x, "base64url") };
}

/** A device: a key that signs VAUs. */
export class Device {
  constructor() {
    const { privateKey, publicBytes } = keyPair();
    this.id = publicBytes.toString("hex");
    this.key = privateKey;
  }

  sign(vau) {
    return { ...vau, signature: sign(null, canonical(vau), this.key).toString("hex") };
  }

  /** A batch of unsigned VAUs under one signature. */
  seal(batchId, vaus, submittedAt = Date.now()) {
    const bytes = batchBytes(batchId, submittedAt, vaus.map(fingerprint));
    return { batchId, submittedAt, vaus, signature: sign(null, bytes, this.key).toString("hex") };
  }
}

/** The signature of a request, as integrators and the edge make it. */
export function hmac(secret, method, path, timestamp, body) {
  return createHmac("sha256", secret).update(`${method}\n${path}\n${timestamp}\n${body}`).digest("hex");
}

// --- the auth-service's part ---

export class Issuer {
  constructor() {
    this.keys = new Map();
    this.rotate("key-1");
    this.fetches = 0;
  }

  rotate(kid) {
    this.kid = kid;
    this.keys.set(kid, keyPair());
  }

  jwks() {
    const jwk = ([kid, { publicBytes }]) => ({
      kty: "OKP", crv: "Ed25519", alg: "EdDSA", use: "sig", kid, x: publicBytes.toString("base64url"),
    });
    return { keys: [...this.keys].map(jwk) };
  }

  /** A token for `wallet`; `change` alters header, claims or the finished text. */
  token(wallet, issuer, change = {}) {
    const now = Math.floor(Date.now() / 1000);
    const header = { alg: "EdDSA", typ: "at+jwt", kid: this.kid, ...change.header };
    const claims = {
      iss: issuer, aud: "twist-api", sub: wallet, walletAddress: wallet, uid: randomUUID(), sid: randomUUID(),
      jti: randomUUID(), iat: now, nbf: now, exp: now + 900, ver: 1, ...change.claims,
    };
    const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const signed = `${part(header)}.${part(claims)}`;
    const key = change.key ?? this.keys.get(this.kid).privateKey;
    const signature = change.sign ? change.sign(signed) : sign(null, Buffer.from(signed), key);
    return `${signed}.${Buffer.from(signature).toString("base64url")}`;
  }
}

// --- the backend's part ---

/** Counts VAUs by id like the real one, refuses what is not signed, and can be switched off. */
class Backend {
  constructor() {
    this.devices = new Map();
    this.counted = new Map();
    this.quarantined = [];
    this.deliveries = [];
    this.reports = new Map();
    this.credentials = new Map();
    this.lookups = 0;
    this.attempts = 0;
    this.down = false;
  }

  register(device, wallet) {
    this.devices.set(device.id, wallet);
  }

  answer(method, path, headers, body) {
    this.attempts++;
    if (this.down) return [503, {}];
    const { "x-timestamp": timestamp, "x-key-id": keyId, "x-hmac-signature": signature } = headers;
    const fresh = Math.abs(Date.now() - Number(timestamp)) < 300_000;
    if (keyId !== "edge" || !fresh || signature !== hmac(SECRET, method, path, timestamp, body)) {
      return [401, { code: "auth.hmac_invalid" }];
    }
    if (method === "GET" && path.includes("/vaus/")) {
      const [, , , , userId, , id] = path.split("/");
      const item = this.counted.get(id);
      if (item?.vau.userId !== userId) return [404, { code: "not_found" }];
      const { earned, trustScore, acceptedAt: timestamp } = item;
      return [200, { vauId: id, state: "counted", earned, trustScore, timestamp }];
    }
    if (method === "GET") {
      this.lookups++;
      const deviceId = path.split("/").at(-1);
      const userId = this.devices.get(deviceId);
      const credentials = this.credentials.get(deviceId) ?? [];
      return userId ? [200, { deviceId, userId, registeredAt: 1, credentials }] : [404, { code: "not_found" }];
    }
    if (path === "/internal/v1/edge-reports") {
      const report = JSON.parse(body);
      this.reports.set(report.segmentId, report);
      return [200, { segmentId: report.segmentId }];
    }
    return this.ingest(JSON.parse(body));
  }

  ingest(segment) {
    const items = segment.items.flatMap(expand);
    this.deliveries.push({ ...segment, items, bytes: JSON.stringify(segment).length });
    const receipt = { segmentId: segment.segmentId, counted: 0, duplicates: 0, quarantined: [] };
    items.forEach((item, index) => {
      if (!item.signed && item.earned !== "0") throw new Error(`an unsigned VAU was promised ${item.earned}`);
      const known = this.counted.get(item.vauId);
      if (!known) {
        this.counted.set(item.vauId, item);
        receipt.counted++;
      } else if (known.fingerprint === item.fingerprint) {
        receipt.duplicates++;
      } else {
        receipt.quarantined.push({ index, reason: "conflicting" });
        this.quarantined.push(item);
      }
    });
    return [200, receipt];
  }
}

// --- everything together ---

export const VAU = "/api/v1/vau";
export const BATCH = "/api/v1/vau/batch";

/** Calls methods of the Worker over a service binding, which HTTP does not reach. */
const CALLER = {
  name: "caller",
  modules: true,
  compatibilityDate: bindings.compatibilityDate,
  serviceBindings: { WORKER: "vau-processor" },
  script: `
    const value = (v) => v?.bigint !== undefined ? BigInt(v.bigint)
      : v?.hex !== undefined ? Uint8Array.from(v.hex.match(/../g) ?? [], (byte) => parseInt(byte, 16)) : v;
    export default {
      async fetch(request, env) {
        const { name, values } = await request.json();
        try {
          return Response.json({ result: await env.WORKER[name](...values.map(value)) });
        } catch (error) {
          return Response.json({ error: String(error) });
        }
      },
    };`,
};

/** The Workers with their surroundings. Tests own one each; addresses keep their rate limits apart. `vars` are those
 * of vau-processor, `guard` those of security-worker; with `guard: false` vau-processor answers by itself. */
export class World {
  static async start({ vars = {}, guard = {}, persistDir, bundle = bundles["vau-processor"] } = {}) {
    const world = new World();
    world.issuer = new Issuer();
    world.backend = new Backend();
    world.bundle = bundle;
    world.jwksDown = false;
    world.server = createServer((request, response) => world.#serve(request, response));
    world.server.listen(0, "127.0.0.1");
    await once(world.server, "listening");
    world.origin = `http://127.0.0.1:${world.server.address().port}`;
    world.folder = persistDir ?? mkdtempSync(join(tmpdir(), "twist-edge-"));
    world.ownsFolder = !persistDir;
    world.vars = {
      JWKS_URL: `${world.origin}/.well-known/jwks.json`,
      TOKEN_ISSUER: "https://auth.test",
      BACKEND_URL: world.origin,
      BACKEND_KEY_ID: "edge",
      BACKEND_HMAC_SECRET: SECRET,
      INTEGRATOR_KEYS: JSON.stringify(INTEGRATORS),
      FLUSH_INTERVAL_MS: "50",
      RESEND_AFTER_MS: "500",
      RATE_VAU_PER_MINUTE: "100000",
      RATE_BATCH_PER_MINUTE: "100000",
      OPERATOR_TOKEN: OPERATOR,
      ...vars,
    };
    world.guard = guard && {
      ALLOWED_ORIGINS: vars.ALLOWED_ORIGINS ?? "",
      CHALLENGE_SECRET: SECRET,
      CHALLENGE_DIFFICULTY: "12",
      RATE_READ_PER_MINUTE: "1000000",
      ...guard,
    };
    world.wallet = base58(randomBytes(32));
    world.device = new Device();
    world.backend.register(world.device, world.wallet);
    world.clock = Date.now();
    await world.open();
    return world;
  }

  /** The Workers to run, as a configuration of the local runner names them. */
  get workers() {
    const inner = { "vau-processor": { bundleDir: this.bundle, vars: this.vars } };
    return this.guard
      ? { ...inner, "security-worker": { bundleDir: bundles["security-worker"], vars: this.guard } }
      : inner;
  }

  /** Starts the Workers (again), on the same storage. */
  async open() {
    this.worker = await startWorkers({
      persistDir: this.folder,
      workers: this.workers,
      extra: [CALLER],
      quiet: !process.env.TWIST_EDGE_LOG,
    });
    this.url = this.worker.url;
    this.caller = await this.worker.miniflare.getWorker("caller");
  }

  async close() {
    await this.worker?.stop();
    this.worker = undefined;
  }

  /** Runs `work` on the object's SQLite database while nobody else has it. */
  async whileStopped(work) {
    await this.close();
    const folder = join(this.folder, "durable-objects/vau-processor-VauShard");
    const file = readdirSync(folder).find((name) => name.endsWith(".sqlite") && name !== "metadata.sqlite");
    const database = new DatabaseSync(join(folder, file));
    try {
      return work(database);
    } finally {
      database.close();
      await this.open();
    }
  }

  async stop() {
    await this.close();
    this.server.closeAllConnections();
    this.server.close();
    if (this.ownsFolder) rmSync(this.folder, { recursive: true, force: true });
  }

  #serve(request, response) {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      let status, value;
      if (request.url === "/.well-known/jwks.json") {
        this.issuer.fetches++;
        [status, value] = this.jwksDown ? [503, {}] : [200, this.issuer.jwks()];
      } else {
        [status, value] = this.backend.answer(request.method, request.url, request.headers, body);
      }
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
    });
  }

  token(change) {
    return this.issuer.token(this.wallet, "https://auth.test", change);
  }

  /** The unsigned fields of a fresh VAU; every call gives another timestamp. */
  fields(change = {}) {
    this.clock = Math.max(this.clock + 1, Date.now() - 20_000);
    return { userId: this.wallet, deviceId: this.device.id, siteId: "site-test", timestamp: this.clock, payload: "{}", ...change };
  }

  /** A fresh VAU, signed. */
  vau(change) {
    return this.device.sign(this.fields(change));
  }

  /** POSTs `body` (an object or text) as the signed-in user. */
  async submit(body, { headers = {}, token = this.token(), path = VAU, method = "POST" } = {}) {
    const text = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
    const sent = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }), ...headers };
    for (const [name, value] of Object.entries(sent)) if (value === undefined) delete sent[name];
    const response = await fetch(this.url + path, { method, headers: sent, body: text });
    const answer = await response.text();
    return { status: response.status, headers: response.headers, body: answer ? JSON.parse(answer) : undefined };
  }

  /** POSTs a batch. */
  batch(body, options) {
    return this.submit(body, { path: BATCH, ...options });
  }

  /** GETs a path; answers that are not JSON stay text. */
  async get(path, token = this.token()) {
    const response = await fetch(this.url + path, { headers: token ? { authorization: `Bearer ${token}` } : {} });
    const text = await response.text();
    const json = response.headers.get("content-type")?.includes("json");
    return { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : text };
  }

  /** What operators are told, from the object itself. */
  async metric(name) {
    const { body } = await this.get("/metrics", OPERATOR);
    const line = body.split("\n").find((line) => line.startsWith(`${name} `));
    return Number(line?.split(" ")[1]);
  }

  async health() {
    const response = await fetch(`${this.url}/health`);
    return { status: response.status, body: await response.json() };
  }

  /** What waits in the object. */
  async waiting() {
    const { body } = await this.health();
    return body.checks.find((check) => check.service === "delivery").details;
  }

  /** Until everything accepted has been acknowledged. */
  async delivered() {
    await until("everything is delivered", async () => {
      const { waiting, segments } = await this.waiting();
      return waiting === 0 && segments === 0;
    });
  }
}

/** Polls until `holds` gives something truthy. */
export async function until(what, holds, limitMs = 20_000) {
  const end = Date.now() + limitMs;
  for (;;) {
    const value = await holds();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited ${limitMs} ms in vain until ${what}`);
    await new Promise((wake) => setTimeout(wake, 25));
  }
}
