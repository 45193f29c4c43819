// security-worker in front of a Worker of the tests, which answers with what it was sent.

import { createHash, createHmac } from "node:crypto";
import { loadMiniflare, workerOptions } from "../local/worker.mjs";
import { bundles, SECRET } from "./support.mjs";

/** Stands for vau-processor and its objects. `/told` gives what the audit log was told. */
const BEHIND = `
  import { DurableObject } from "cloudflare:workers";
  export class RateLimiter extends DurableObject {
    async fetch(request) {
      if (this.env.LIMITER === "away") return new Response("away", { status: 503 });
      const { id, limit } = await request.json();
      if (id === undefined) return Response.json({ within: true, rate: { limit, remaining: limit, reset: Date.now() + 60_000 } });
      const fresh = !(await this.ctx.storage.get(id));
      await this.ctx.storage.put(id, true);
      return Response.json({ fresh });
    }
  }
  export class AuditLog extends DurableObject {
    async fetch(request) {
      const told = (await this.ctx.storage.get("told")) ?? [];
      if (request.method === "GET") return Response.json(told);
      const { records } = await request.json();
      await this.ctx.storage.put("told", [...told, ...records]);
      return Response.json({ seq: told.length + records.length });
    }
  }
  export default {
    async fetch(request, env) {
      if (new URL(request.url).pathname === "/told") return env.LOG.get(env.LOG.idFromName("audit-0")).fetch(request);
      return Response.json({ method: request.method, url: request.url, headers: Object.fromEntries(request.headers), body: await request.text() });
    },
  };`;

/** Starts it; `limiter: "away"` has a RateLimiter that does not answer. */
export async function startFront({ vars = {}, limiter = "there" } = {}) {
  const { Miniflare, Log, LogLevel } = loadMiniflare();
  const all = { CHALLENGE_SECRET: SECRET, CHALLENGE_DIFFICULTY: "10", RATE_READ_PER_MINUTE: "1000000", ...vars };
  const front = workerOptions("security-worker", bundles["security-worker"], all, ["security-worker", "vau-processor"]);
  const behind = {
    name: "vau-processor", modules: true, script: BEHIND, compatibilityDate: front.compatibilityDate,
    bindings: { LIMITER: limiter },
    durableObjects: { LIMITER: { className: "RateLimiter", useSQLite: true }, LOG: { className: "AuditLog", useSQLite: true } },
  };
  const miniflare = new Miniflare({ port: 0, cf: false, telemetry: { enabled: false }, log: new Log(LogLevel.NONE), handleRuntimeStdio: (...s) => s.forEach((x) => x.resume()), workers: [front, behind] });
  const url = (await miniflare.ready).href.replace(/\/$/, "");
  const told = async () => (await (await miniflare.getWorker("vau-processor")).fetch("http://x/told")).json();
  return { miniflare, url, told, stop: () => miniflare.dispose() };
}

const zeroBits = (text) => {
  const bits = [...createHash("sha256").update(text).digest()].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return bits.indexOf("1");
};

/** The proof for a challenge: what every client has to do. */
export function solve({ challenge, difficulty }) {
  for (let n = 0; ; n++) {
    const proof = `${challenge}.${n.toString(36)}`;
    if (zeroBits(proof) >= difficulty) return proof;
  }
}

/** The same challenge with another end, signed like a real one. */
export function ending({ challenge }, until) {
  const fields = Buffer.from(challenge.split(".")[0], "base64url");
  fields.writeBigUInt64BE(BigInt(until), 3);
  const code = createHmac("sha256", SECRET).update("twist-challenge-v1").update(fields).digest();
  return `${fields.toString("base64url")}.${code.toString("base64url")}`;
}
