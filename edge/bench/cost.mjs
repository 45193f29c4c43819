// What a VAU costs at the edge: CPU of workerd's process beside the least Worker there can be, in Rust and in
// JavaScript, in one run. Node, with the number of requests as the only argument, 10,000 without one:
//   node edge/bench/cost.mjs

import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { loadMiniflare } from "../local/worker.mjs";
import { bundleBare } from "../tests/build.mjs";
import { BATCH, Device, VAU, World, base58, bundles } from "../tests/support.mjs";

const REQUESTS = Number(process.argv[2] ?? 10_000);
/** Those that are compared take turns, so that all see the same machine. */
const TURNS = 4;
const BATCH_SIZE = 20;
const AT_ONCE = 8;
/** CPU is read after so many requests, for the median. */
const SAMPLE = 125;
const RATE = 200;
const RATE_SECONDS = 20;
const DEVICES = 40;
const TICKS_A_SECOND = 100;

const BARE_SCRIPT = `export default {
  async fetch(request) {
    const body = await request.arrayBuffer();
    return Response.json({ success: true, bytes: body.byteLength });
  },
};`;

/** The processes that this one has started. */
function children() {
  const parent = (pid) => {
    try {
      return Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1).split(" ")[1]);
    } catch {
      return undefined;
    }
  };
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name) && parent(name) === process.pid);
}

/** CPU time of a process so far, in ms. */
function cpu(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_A_SECOND;
}

/** Runs `start`; gives what it gives, and the workerd it has started. */
async function withProcess(start) {
  const before = new Set(children());
  const started = await start();
  const pids = children().filter((pid) => !before.has(pid));
  const pid = pids.find((pid) => readFileSync(`/proc/${pid}/comm`, "utf8").includes("workerd"));
  if (!pid) throw new Error("workerd was not found among the processes");
  return [started, pid];
}

/** A Worker alone, at a URL. */
async function startBare(modules) {
  const { Miniflare, Log, LogLevel } = loadMiniflare();
  const miniflare = new Miniflare({
    modules, compatibilityDate: "2026-07-01", cf: false, telemetry: { enabled: false }, log: new Log(LogLevel.NONE),
  });
  return { url: (await miniflare.ready).href.replace(/\/$/, ""), stop: () => miniflare.dispose() };
}

/** VAUs of many devices, each with a time of its own. */
class Senders {
  constructor(world) {
    this.world = world;
    this.user = base58(randomBytes(32));
    this.token = world.issuer.token(this.user, "https://auth.test");
    this.devices = Array.from({ length: DEVICES }, () => new Device());
    for (const device of this.devices) {
      world.backend.register(device, this.user);
      device.clock = 0;
    }
    // Counting is all the backend does here.
    world.backend.ingest = ({ segmentId, items }) => {
      const counted = items.reduce((sum, group) => sum + group.items.length, 0);
      return [200, { segmentId, counted, duplicates: 0, quarantined: [] }];
    };
    this.sent = 0;
  }

  #vau(device, place = 0) {
    device.clock = Math.max(device.clock + 1, Date.now() - 20_000);
    const payload = JSON.stringify({ kind: "view", seconds: 30, place, content: "0000000a" });
    return { userId: this.user, deviceId: device.id, siteId: "site-of-the-bench", timestamp: device.clock, payload };
  }

  async #post(path, body, status) {
    const answer = await this.world.submit(body, { path, token: this.token });
    if (answer.status !== status) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  }

  single() {
    const device = this.devices[this.sent++ % DEVICES];
    return this.#post(VAU, device.sign(this.#vau(device)), 200);
  }

  batch() {
    const device = this.devices[this.sent++ % DEVICES];
    const vaus = Array.from({ length: BATCH_SIZE }, (_, place) => this.#vau(device, place));
    return this.#post(BATCH, device.seal(`bench-${this.sent}`, vaus), 202);
  }
}

/** Makes `count` requests, some at once; notes the CPU of each sample. */
async function drive(one, count) {
  let left = count;
  const worker = async () => {
    while (left-- > 0) await one.ask();
  };
  for (; count > 0; count -= SAMPLE) {
    left = Math.min(SAMPLE, count);
    const [size, before, began] = [left, cpu(one.pid), performance.now()];
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    const used = cpu(one.pid) - before;
    one.samples.push(used / size);
    one.cpu += used;
    one.requests += size;
    one.took += performance.now() - began;
  }
}

/** Starts `RATE` requests a second, whatever becomes of them; gives how long each took from when it was due. One that
 * finds its kept connection closed counts as having taken for ever. */
async function openLoop(ask) {
  const times = [];
  const asking = [];
  const began = performance.now();
  for (let n = 0; n < RATE * RATE_SECONDS; n++) {
    const due = began + (n * 1_000) / RATE;
    const wait = due - performance.now();
    if (wait > 0) await new Promise((wake) => setTimeout(wake, wait));
    asking.push(ask().then(() => times.push(performance.now() - due), () => times.push(Infinity)));
  }
  await Promise.all(asking);
  return times;
}

const quantile = (values, part) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
};

function gzipped(folder) {
  return ["index.js", "index_bg.wasm"].reduce((sum, file) => sum + gzipSync(readFileSync(join(folder, file)), { level: 9 }).length, 0);
}

const body = JSON.stringify(new Device().sign({
  userId: base58(randomBytes(32)), deviceId: "00".repeat(32), siteId: "site-of-the-bench", timestamp: 1, payload: "{}",
}));
const post = (url) => async () => {
  const response = await fetch(url + VAU, { method: "POST", headers: { "content-type": "application/json" }, body });
  await response.arrayBuffer();
  if (response.status !== 200) throw new Error(`a bare Worker answered ${response.status}`);
};

const rust = bundleBare();
const [js, jsPid] = await withProcess(() => startBare([{ type: "ESModule", path: "bare.mjs", contents: BARE_SCRIPT }]));
const [bare, barePid] = await withProcess(() => startBare([
  { type: "ESModule", path: "index.js", contents: readFileSync(join(rust, "index.js"), "utf8") },
  { type: "CompiledWasm", path: "index_bg.wasm", contents: readFileSync(join(rust, "index_bg.wasm")) },
]));
const vars = { FREE_TIER: "off", FLUSH_INTERVAL_MS: "45000", RESEND_AFTER_MS: "60000" };
const [alone, alonePid] = await withProcess(() => World.start({ vars, guard: false }));
const [whole, wholePid] = await withProcess(() => World.start({ vars }));
const [inner, outer] = [new Senders(alone), new Senders(whole)];

const kind = (name, pid, ask, items = 1) => ({ name, pid, ask, items, samples: [], cpu: 0, requests: 0, took: 0 });
const kinds = [
  kind("a bare JavaScript Worker", jsPid, post(js.url)),
  kind("a bare Rust Worker", barePid, post(bare.url)),
  kind("vau-processor: one VAU", alonePid, () => inner.single()),
  kind("security-worker and vau-processor: one VAU", wholePid, () => outer.single()),
  kind(`vau-processor: a VAU of a batch of ${BATCH_SIZE}`, alonePid, () => inner.batch(), BATCH_SIZE),
  kind(`security-worker and vau-processor: a VAU of a batch of ${BATCH_SIZE}`, wholePid, () => outer.batch(), BATCH_SIZE),
];
let times;
const byItself = [];
try {
  for (const one of kinds) for (let n = 0; n < 200; n++) await one.ask();
  for (let turn = 0; turn < TURNS; turn++) {
    for (const one of kinds) {
      await drive(one, Math.ceil(REQUESTS / TURNS));
      process.stderr.write(`turn ${turn + 1} of ${TURNS}: ${one.name}\n`);
    }
  }
  for (let n = 0; n < 200; n++) {
    const began = performance.now();
    await inner.batch();
    byItself.push(performance.now() - began);
  }
  times = await openLoop(() => outer.single());
} finally {
  for (const started of [js, bare, alone, whole]) await started.stop();
}

const [jsCost, rustCost] = kinds.map(({ cpu, requests }) => cpu / requests);
const lines = [
  "| what | CPU each | times a bare JavaScript Worker | times a bare Rust Worker | CPU a request, median | requests | rate seen |",
  "| --- | --- | --- | --- | --- | --- | --- |",
];
for (const { name, items, samples, cpu, requests, took } of kinds) {
  const each = cpu / requests / items;
  lines.push(
    `| ${name} | ${(each * 1_000).toFixed(0)} µs | ${(each / jsCost).toFixed(2)} | ${(each / rustCost).toFixed(2)} | ` +
      `${quantile(samples, 0.5).toFixed(2)} ms | ${requests} | ${((requests * 1_000) / took).toFixed(0)}/s |`,
  );
}
const added = (with_, without) => ((with_.cpu / with_.requests - without.cpu / without.requests) * 1_000).toFixed(0);
lines.push("", "| what | figure | budget |", "| --- | --- | --- |");
lines.push(`| CPU that security-worker adds to a VAU, to a batch of ${BATCH_SIZE} | ${added(kinds[3], kinds[2])} µs, ${added(kinds[5], kinds[4])} µs | |`);
const worst = Math.max(...kinds.slice(2).map(({ samples }) => quantile(samples, 0.5)));
lines.push(`| the dearest request's CPU, median | ${worst.toFixed(2)} ms | 5 ms |`);
lines.push(`| a batch of ${BATCH_SIZE} by itself, from outside vau-processor, p50 | ${quantile(byItself, 0.5).toFixed(1)} ms | |`);
const [p50, p95] = [quantile(times, 0.5), quantile(times, 0.95)];
lines.push(`| ${RATE} VAUs/s through both Workers, p50 and p95 | ${p50.toFixed(1)}, ${p95.toFixed(1)} ms | p95 200 ms |`);
lines.push(`| of ${times.length}, without an answer | ${times.filter((time) => time === Infinity).length} | |`);
for (const [name, folder] of Object.entries(bundles)) {
  lines.push(`| ${name}, gzip | ${(gzipped(folder) / 1_024).toFixed(0)} KiB | 700 KiB |`);
}
process.stdout.write(`${lines.join("\n")}\n`);
