// The audit log's object in workerd with a bucket that fails when a test says so, and the published layout implemented
// once more.

import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, verify } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { bindings, loadMiniflare, workerOptions } from "../local/worker.mjs";
import { bundles, until } from "./support.mjs";

export const DAY = 86_400_000;
const { publicKey, privateKey } = generateKeyPairSync("ed25519");
export const PEM = privateKey.export({ type: "pkcs8", format: "pem" });

const VARS = {
  JWKS_URL: "http://127.0.0.1:1/jwks", TOKEN_ISSUER: "t", BACKEND_URL: "http://127.0.0.1:1", BACKEND_KEY_ID: "edge",
  BACKEND_HMAC_SECRET: "secret", AUDIT_FLUSH_MS: "50", AUDIT_SIGNING_KEY: PEM,
};

/** Passes calls on to the object, and lets the test see the bucket. */
const CALLER = {
  name: "audit-caller",
  modules: true,
  compatibilityDate: bindings.compatibilityDate,
  durableObjects: { AUDIT_LOG: { className: "AuditLog", scriptName: "vau-processor", useSQLite: true } },
  r2Buckets: { REAL: "audit-test" },
  script: `export default {
    fetch: (request, env) => env.AUDIT_LOG.get(env.AUDIT_LOG.idFromName("audit-0")).fetch(request),
  };`,
};

/** The bucket as the object sees it: every call first asks the test whether R2 works. */
const FLAKY = {
  name: "flaky-r2",
  modules: true,
  r2Buckets: { REAL: "audit-test" },
  script: `
    class R2Bucket {
      constructor(env) { this.env = env; }
      async works() {
        const answer = await this.env.WORKS.fetch("http://works/");
        if (!answer.ok) throw new Error("R2 does not answer");
      }
      async put(key, value, options) {
        await this.works();
        const stored = await this.env.REAL.put(key, value, options);
        await this.works();
        return stored;
      }
      async get(key, options) { await this.works(); return this.env.REAL.get(key, options); }
    }
    export default (env) => new R2Bucket(env);`,
};

export class Log {
  static async start(vars = {}) {
    const log = new Log();
    log.folder = mkdtempSync(join(tmpdir(), "twist-audit-"));
    log.vars = { ...VARS, ...vars };
    log.answers = () => true;
    await log.open();
    return log;
  }

  async open() {
    const { Miniflare, Log: Quiet, LogLevel } = loadMiniflare();
    const worker = workerOptions("vau-processor", bundles["vau-processor"], this.vars);
    delete worker.r2Buckets;
    const works = () => new Response("", { status: this.answers() ? 200 : 503 });
    this.miniflare = new Miniflare({
      cf: false,
      telemetry: { enabled: false },
      log: new Quiet(LogLevel.NONE),
      handleRuntimeStdio: (...streams) => streams.forEach((s) => (process.env.TWIST_EDGE_LOG ? s.pipe(process.stderr) : s.resume())),
      durableObjectsPersist: join(this.folder, "objects"),
      r2Persist: join(this.folder, "r2"),
      workers: [
        { ...worker, wrappedBindings: { AUDIT_LOGS: { scriptName: "flaky-r2" } } },
        CALLER,
        { ...FLAKY, serviceBindings: { WORKS: works } },
      ],
    });
    await this.miniflare.ready;
    this.worker = await this.miniflare.getWorker("audit-caller");
    this.bucket = await this.miniflare.getR2Bucket("REAL", "audit-caller");
  }

  async close() {
    await this.miniflare.dispose();
  }

  async stop() {
    await this.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Runs `work` on the object's SQLite database while nobody else has it. */
  async whileStopped(work) {
    await this.close();
    const folder = join(this.folder, "objects/vau-processor-AuditLog");
    const file = readdirSync(folder).find((name) => name.endsWith(".sqlite") && name !== "metadata.sqlite");
    const database = new DatabaseSync(join(folder, file));
    try {
      work(database);
    } finally {
      database.close();
    }
    await this.open();
  }

  async append(...records) {
    const body = JSON.stringify({ records });
    const response = await this.worker.fetch("https://audit/append", { method: "POST", body });
    const text = await response.text();
    return { status: response.status, seq: response.status === 200 ? JSON.parse(text).seq : undefined, text };
  }

  async status() {
    return (await this.worker.fetch("https://audit/status", { method: "POST" })).json();
  }

  async stored() {
    await until("everything is in the bucket", async () => {
      const { waiting, segments } = await this.status();
      return waiting === 0 && segments === 0;
    });
  }

  /** Objects by key, in the order of keys. */
  async objects() {
    const { objects } = await this.bucket.list();
    const entries = objects.map(async ({ key }) => [key, await (await this.bucket.get(key)).text()]);
    return Object.fromEntries(await Promise.all(entries));
  }
}

// --- the layout, implemented once more ---

const sha256 = (bytes) => createHash("sha256").update(bytes).digest();
const hex = (bytes) => bytes.toString("hex");
const u32 = (n) => { const b = Buffer.alloc(4); b.writeUInt32LE(n); return b; };
const u64 = (n) => { const b = Buffer.alloc(8); b.writeBigUInt64LE(BigInt(n)); return b; };
const lp = (text) => Buffer.concat([u32(Buffer.byteLength(text)), Buffer.from(text)]);

function recordHash(r) {
  const details = Object.entries(r.details ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return hex(sha256(Buffer.concat([
    Buffer.from("twist-audit-record-v1"), u64(r.seq), u64(r.at),
    ...[r.actor, r.action, r.object, r.result, r.requestId ?? ""].map(lp),
    u32(details.length), ...details.flatMap(([key, value]) => [lp(key), lp(value)]),
    Buffer.from(r.prevHash, "hex"),
  ])));
}

/** Checks everything in the bucket; gives the records and the roots. */
export function check(objects) {
  const records = [], roots = [];
  let [hash, segmentHash, seq] = ["0".repeat(64), "0".repeat(64), 0];
  for (const [key, body] of Object.entries(objects)) {
    if (key.startsWith("audit/roots/")) {
      const { root, signature } = JSON.parse(body);
      const bytes = Buffer.concat([
        Buffer.from("twist-audit-root-v1"), lp(root.day), u64(root.firstSeq), u64(root.lastSeq), u64(root.segments),
        Buffer.from(root.segmentHash, "hex"), Buffer.from(root.prevRootHash, "hex"),
      ]);
      assert.ok(verify(null, bytes, publicKey, Buffer.from(signature, "base64")), `signature of ${key}`);
      roots.push({ ...root, hash: hex(sha256(bytes)) });
      continue;
    }
    const [first, ...lines] = body.trimEnd().split("\n").map((line) => JSON.parse(line));
    assert.equal(key, `audit/${first.day}/${String(seq + 1).padStart(12, "0")}`);
    assert.deepEqual([first.firstSeq, first.count, first.prevSegmentHash], [seq + 1, lines.length, segmentHash]);
    for (const line of lines) {
      assert.deepEqual([line.seq, line.prevHash, line.hash], [++seq, hash, recordHash(line)]);
      hash = line.hash;
      records.push({ ...line, day: first.day, segmentHash: hex(sha256(body)) });
    }
    segmentHash = hex(sha256(body));
  }
  return { records, roots };
}
