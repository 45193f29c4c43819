// A day of the free plan, run: the built Workers in workerd take a day's batches, and what each allowance has
// carried is counted. The day's hours pass between rounds, by moving on the stored times of everything the object
// keeps, so that devices have to be looked up again, rows grow old and hours end as often as on a real day.

import { World, Device, OPERATOR, base58, until } from "../tests/support.mjs";
import { randomBytes } from "node:crypto";

const DAY_MS = 86_400_000;
/** Seconds that VAUs are collected by default: so many flushes has a day. */
const FLUSHES_A_DAY = DAY_MS / 45_000;
const HOURS = 24;
const BATCHES_A_DAY = 25_000;
const VAUS_A_BATCH = 20;
const DEVICES_A_USER = 5;
/** Here VAUs are collected for half as long again as their batches take, so that as many of them share a flush as on a real
 * day; a machine that is slower than this has more flushes, which counts against it. */
const [SHORTEST_FLUSH_MS, LONGEST_FLUSH_MS] = [120, 600];
/** A day's part of the month's million. */
const ARCHIVE_WRITES = Math.floor(1_000_000 / 31);
/** Of an allowance, what may be used: from there on the object takes nothing in. */
const USABLE_PERCENT = 95;

/** What the free plan allows in a day. */
const ALLOWED = {
  requests: 100_000,
  object_requests: 100_000,
  rows_written: 100_000,
  rows_read: 5_000_000,
  queue_operations: 10_000,
  archive_writes: ARCHIVE_WRITES,
};

/** Their names, as the object's figures have them. */
const allowances = Object.keys(ALLOWED);

/** Runs one part in `scale` of a day; gives what was used, as the object counted it and as it was seen from outside. */
export async function runDay({ scale = 1, rounds = 24, hours = HOURS, say = () => {} } = {}) {
  const day = new SimulatedDay({ scale, rounds, hours, say });
  await day.open();
  try {
    for (let round = 0; round < rounds; round++) await day.round(round);
    return await day.close();
  } finally {
    await day.world.stop();
  }
}

class SimulatedDay {
  constructor({ scale, rounds, hours, say }) {
    Object.assign(this, { rounds, hours, say, ticks: 0, looks: 0, lastRow: 0, slots: [] });
    this.batches = Math.round(BATCHES_A_DAY / scale);
    this.flushes = Math.round(FLUSHES_A_DAY / scale);
    this.used = Object.fromEntries(allowances.map((name) => [name, 0]));
    this.sent = { requests: 0, vaus: 0, promised: 0n, addresses: new Set() };
    this.seen = { vaus: new Set(), messages: 0, segments: new Set(), longest: 0, looks: 0, earned: 0n };
    this.times = [];
  }

  async open() {
    this.world = await World.start({
      vars: { FREE_TIER: "on", FLUSH_INTERVAL_MS: `${LONGEST_FLUSH_MS}`, RATE_BATCH_PER_MINUTE: "10", RESEND_AFTER_MS: "60000" },
    });
    // Counting is all the backend does here; the tests beside this have one that checks everything.
    this.world.backend.ingest = (segment) => this.#ingest(segment);
    const devices = Math.ceil(this.batches / this.rounds);
    this.devices = Array.from({ length: devices }, (_, n) => {
      const device = new Device();
      if (n % DEVICES_A_USER === 0) this.user = base58(randomBytes(32));
      this.world.backend.register(device, this.user);
      return { device, user: this.user, clock: Date.now() - 200_000 };
    });
    this.started = await this.#meter();
    this.next = 0;
    this.slot = 0;
  }

  #ingest(segment) {
    const { segmentId, items } = segment;
    this.seen.messages++;
    this.seen.longest = Math.max(this.seen.longest, Buffer.byteLength(JSON.stringify(segment)));
    const receipt = { segmentId, counted: 0, duplicates: 0, quarantined: [] };
    for (const group of items) {
      for (const { timestamp, earned } of group.items) {
        const vau = `${group.deviceId} ${timestamp}`;
        if (this.seen.vaus.has(vau)) receipt.duplicates++;
        else {
          this.seen.vaus.add(vau);
          this.seen.earned += BigInt(earned);
          receipt.counted++;
        }
      }
    }
    this.seen.segments.add(segmentId);
    return [200, receipt];
  }

  /** A part of the day: as many flushes as fall into it, each with its batches. */
  async round(round) {
    this.tokens = new Map();
    const last = Math.round(((round + 1) * this.flushes) / this.rounds);
    for (; this.slot < last; this.slot++) {
      const until = Math.round(((this.slot + 1) * this.batches) / this.flushes);
      const sending = [];
      for (; this.next < until; this.next++) sending.push(this.#send(this.next, round));
      const began = performance.now();
      await Promise.all(sending);
      this.slots.push(performance.now() - began);
      await this.#arrived();
    }
    const hour = (n) => Math.floor((n * this.hours) / this.rounds);
    const hourEnds = hour(round + 1) > hour(round);
    if (hourEnds) await this.#tick();
    await this.#pass(DAY_MS / this.rounds, hourEnds);
    this.say(`${round + 1} of ${this.rounds} parts of the day: ${this.seen.vaus.size} VAUs, ${this.used.rows_written} rows written`);
  }

  async #send(number, round) {
    const from = this.devices[number % this.devices.length];
    const token = this.tokens.get(from.user) ?? this.world.issuer.token(from.user, "https://auth.test");
    this.tokens.set(from.user, token);
    const vaus = Array.from({ length: VAUS_A_BATCH }, (_, n) => ({
      userId: from.user,
      deviceId: from.device.id,
      siteId: "site-of-the-day",
      timestamp: (from.clock = Math.max(from.clock + 1, Date.now() - 200_000)),
      payload: JSON.stringify({ kind: "view", seconds: 30, place: n, content: number.toString(36).padStart(8, "0") }),
    }));
    // An address each, another one every few minutes of this run: the limit of a minute is the real one.
    const place = (number % this.devices.length) + this.devices.length * (round % 2);
    const address = `10.${place >> 16}.${(place >> 8) & 255}.${place & 255}`;
    this.sent.addresses.add(address);
    this.sent.requests++;
    const began = performance.now();
    const body = from.device.seal(`day-${number}`, vaus);
    const answer = await this.world.batch(body, { token, headers: { "cf-connecting-ip": address } });
    this.times.push(performance.now() - began);
    if (answer.status !== 202 || answer.body.data.accepted !== VAUS_A_BATCH) {
      throw new Error(`batch ${number}: ${answer.status} ${JSON.stringify(answer.body).slice(0, 400)}`);
    }
    for (const { earned } of answer.body.data.items) this.sent.promised += BigInt(earned);
    this.sent.vaus += VAUS_A_BATCH;
  }

  #arrived() {
    return until("the VAUs have arrived", () => this.seen.vaus.size === this.sent.vaus);
  }

  /** What Cloudflare's clock does every hour. */
  async #tick() {
    const worker = await this.world.worker.miniflare.getWorker("vau-processor");
    await worker.scheduled({ cron: "0 * * * *", scheduledTime: new Date() });
    this.ticks++;
  }

  /** The object's counters; reading them is a request itself, which is not the day's. */
  async #meter() {
    const { body } = await this.world.get("/metrics", OPERATOR);
    this.looks++;
    const value = (name) => Number(new RegExp(`^${name} (\\d+)`, "m").exec(body)?.[1]);
    const used = (name) => value(`edge_free_tier_used\\{allowance="${name}"\\}`);
    return {
      ...Object.fromEntries(allowances.map((name) => [name, used(name)])),
      waiting: value("edge_vau_waiting"),
      segments: value("edge_queue_backlog"),
    };
  }

  /** Until nothing is on its way; gives the counters then. */
  async #settled() {
    let before;
    return until("everything is acknowledged", async () => {
      const now = await this.#meter();
      const same = before && now.rows_written === before.rows_written && now.waiting === 0 && now.segments === 0;
      before = now;
      return same && now;
    });
  }

  /** Adds what was counted since the object was started; the counters of an object that stops go on from its last flush. */
  #add(ended) {
    for (const name of allowances) this.used[name] += ended[name] - this.started[name];
  }

  /** Lets `ms` pass for everything that is stored. */
  async #pass(ms, hourEnds) {
    this.#add(await this.#settled());
    const flush = Math.round(1.5 * quantiles(this.slots.splice(0)).p50 || SHORTEST_FLUSH_MS);
    this.world.vars.FLUSH_INTERVAL_MS = `${Math.min(LONGEST_FLUSH_MS, Math.max(SHORTEST_FLUSH_MS, flush))}`;
    await this.world.whileStopped((database) => {
      database.prepare("UPDATE journal SET at = at - ?").run(ms);
      const devices = database.prepare("SELECT device_id, record FROM devices").all();
      const put = database.prepare("UPDATE devices SET record = ? WHERE device_id = ?");
      for (const { device_id, record } of devices) {
        const device = JSON.parse(record);
        device.confirmedAt -= ms;
        if (device.lastSeen) device.lastSeen -= ms;
        put.run(JSON.stringify(device), device_id);
      }
      this.rows = database.prepare("SELECT count(*) AS rows, coalesce(max(seq), 0) AS last FROM journal").get();
      this.lastRow = Math.max(this.lastRow, this.rows.last);
      if (!hourEnds) return;
      const saved = JSON.parse(database.prepare("SELECT body FROM checkpoint").get().body);
      const hours = Object.entries(saved.hours).map(([hour, figures]) => [Number(hour) - 1, figures]);
      saved.hours = Object.fromEntries(hours);
      database.prepare("UPDATE checkpoint SET body = ?").run(JSON.stringify(saved));
    });
    this.started = await this.#meter();
  }

  /** The rows of the day's end go as well, and its last hour is told. */
  async close() {
    await this.#tick();
    // Figures are not sent any more when the allowances run low; what an hour has promised always is.
    const promises = () => [...this.world.backend.reports.values()].filter(({ figures }) => !figures);
    await until("the last hour is told", () => promises().length === this.hours);
    await this.#pass(0, false);
    if (this.rows.rows !== 0) throw new Error(`${this.rows.rows} rows of the journal are left`);
    const { objects } = await this.#archived();
    const { seen, sent } = this;
    const reports = this.world.backend.reports.size;
    return {
      vaus: sent.vaus,
      batches: sent.requests,
      devices: this.devices.length,
      addresses: sent.addresses.size,
      promised: sent.promised,
      earned: seen.earned,
      counted: seen.vaus.size,
      /** As the object counted. */
      used: this.used,
      /** As it was seen outside of it. */
      outside: {
        requests: sent.requests,
        lookups: this.world.backend.lookups,
        messages: seen.messages + reports,
        segments: seen.segments.size,
        reports,
        hours: this.hours,
        archived: objects,
        rows: this.lastRow,
        ticks: this.ticks,
        longest: seen.longest,
      },
      looks: this.looks,
      latency: quantiles(this.times),
    };
  }

  async #archived() {
    const bucket = await this.world.worker.miniflare.getR2Bucket("AUDIT_LOGS", "vau-processor");
    let [objects, cursor] = [0, undefined];
    do {
      const page = await bucket.list({ prefix: "edge/segments/", cursor });
      objects += page.objects.length;
      cursor = page.truncated ? page.cursor : undefined;
    } while (cursor);
    return { objects };
  }
}

function quantiles(times) {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
  return { p50: at(0.5), p95: at(0.95) };
}

/** What of each allowance a day used, and how many VAUs would fit into it. */
export function fit(day, scale = 1) {
  return allowances.map((name) => {
    const [used, allowed] = [day.used[name] * scale, ALLOWED[name]];
    const percent = (100 * used) / allowed;
    return { name, used, allowed, percent, fits: Math.floor((day.vaus * scale * allowed * USABLE_PERCENT) / (100 * used)) };
  });
}

/** What is wrong with a day: an allowance that does not hold, or a counter that is not what was seen from outside. */
export function faults(day, scale = 1) {
  const { used, outside } = day;
  const wrong = fit(day, scale)
    .filter(({ percent }) => percent >= USABLE_PERCENT)
    .map(({ name, percent }) => `${name}: ${percent.toFixed(1)} % of the allowance`);
  const expect = (what, counted, low, high) => {
    if (counted < low || counted > high) wrong.push(`${what}: counted ${counted}, seen ${low} to ${high}`);
  };
  expect("VAUs that arrived", day.counted, day.vaus, day.vaus);
  expect("units that arrived", day.earned, day.promised, day.promised);
  expect("rows of the journal", outside.rows, day.batches, day.batches);
  expect("segments in the archive", outside.archived, outside.segments, outside.segments);
  // What this run asked the object itself may or may not be among it.
  expect("requests", used.requests, day.batches, day.batches + day.looks);
  expect("queue operations", used.queue_operations, 3 * outside.messages, 3 * outside.messages);
  expect("archive writes", used.archive_writes, outside.segments, outside.segments);
  // Each batch's row is written and deleted, and its device's written; each segment's and report's row is written and
  // deleted; each flush writes a checkpoint, and sets one or two alarms. An hour has a row.
  const rows = 3 * day.batches + 2 * outside.messages + outside.segments + outside.hours;
  expect("rows written", used.rows_written, rows + outside.segments, rows + 4 * outside.segments);
  // Each batch is a call, and another one after a look-up; so are receipts, alarms and the hourly calls.
  const calls = day.batches + outside.lookups + outside.messages + outside.ticks;
  expect("calls of the object", used.object_requests, calls + outside.segments, calls + 4 * outside.segments + day.looks);
  return wrong;
}
