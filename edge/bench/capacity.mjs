// How many VAUs a day of the free plan carries: runs the day and prints what it used. Node, no arguments:
//   node edge/bench/capacity.mjs

import { faults, fit, runDay } from "./day.mjs";

const NAMES = {
  requests: "requests to Workers",
  object_requests: "requests to Durable Objects",
  rows_written: "rows written",
  rows_read: "rows read",
  queue_operations: "queue operations",
  archive_writes: "R2 class A operations",
};
/** What an object in memory is billed with, whatever it uses: 128 MB. */
const GIGABYTES = 0.128;
const SECONDS_A_DAY = 86_400;
const GIGABYTE_SECONDS = 13_000;

const number = (n) => Math.round(n).toLocaleString("en-US");
const began = Date.now();
const day = await runDay({ say: (line) => process.stderr.write(`${line}\n`) });

const lines = ["| allowance of a day | used | allowed | used, % | VAUs that fit in 95 % of it |", "| --- | --- | --- | --- | --- |"];
for (const { name, used, allowed, percent, fits } of fit(day)) {
  lines.push(`| ${NAMES[name]} | ${number(used)} | ${number(allowed)} | ${percent.toFixed(1)} | ${number(fits)} |`);
}
const always = GIGABYTES * SECONDS_A_DAY;
lines.push(`| duration, GB-s, if the object never rests | ${number(always)} | ${number(GIGABYTE_SECONDS)} | ${((100 * always) / GIGABYTE_SECONDS).toFixed(1)} | any number |`);

const { outside, latency } = day;
const facts = {
  "VAUs, batches": `${number(day.vaus)}, ${number(day.batches)}`,
  "devices, client addresses": `${number(day.devices)}, ${number(day.addresses)}`,
  "flushes": number(outside.segments),
  "reports of hours": number(outside.reports),
  "messages on queues, the longest": `${number(outside.messages)}, ${number(outside.longest)} bytes`,
  "objects in the archive": number(outside.archived),
  "look-ups of devices": number(outside.lookups),
  "hourly calls": number(outside.ticks),
  "this run's own readings, among the requests above": number(day.looks),
  "a batch, 13 at a time, p50 and p95": `${latency.p50.toFixed(1)}, ${latency.p95.toFixed(1)} ms`,
  "the run": `${number((Date.now() - began) / 1000)} s`,
};
lines.push("", "| seen from outside | figure |", "| --- | --- |");
for (const [name, figure] of Object.entries(facts)) lines.push(`| ${name} | ${figure} |`);
process.stdout.write(`${lines.join("\n")}\n`);

const wrong = faults(day);
for (const line of wrong) process.stderr.write(`${line}\n`);
process.exitCode = wrong.length === 0 ? 0 : 1;
