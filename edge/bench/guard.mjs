// What security-worker adds: `node edge/bench/guard.mjs`. The same requests to vau-processor alone and through
// security-worker, in turns, each in a workerd of its own; workerd's own CPU time, and the time of an answer.

import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { World } from "../tests/support.mjs";

const REQUESTS = Number(process.argv[2] ?? 2_000);
const ROUNDS = 5;
const TICKS = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/** CPU of the workerd that `start` has started, in milliseconds. */
function cpu(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS;
}

const children = () => new Set(readdirSync("/proc").filter((pid) => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.includes("(workerd)") && stat.split(") ")[1].split(" ")[1] === String(process.pid);
  } catch {
    return false;
  }
}));

async function open(options) {
  const before = children();
  const world = await World.start(options);
  return { world, pid: [...children()].find((pid) => !before.has(pid)) };
}

/** Requests one after the other, refused late: everything but the object's work. */
async function drive({ world, pid }, make) {
  const times = [];
  const started = cpu(pid);
  for (let n = 0; n < REQUESTS / ROUNDS; n++) {
    const request = make(world);
    const at = performance.now();
    await (await fetch(world.url + request.path, request)).arrayBuffer();
    times.push(performance.now() - at);
  }
  return { cpu: (cpu(pid) - started) / times.length, times };
}

const text = JSON.stringify({ event: "view", title: "Tom & Jerry's \"best\" — 50% off; buy 1, get 1", url: "https://shop.example/p/1?a=b&c=d" });
const post = (path, value) => ({ method: "POST", path, headers: { "content-type": "application/json" }, body: JSON.stringify(value) });
const scenarios = {
  "one VAU, no token": (world) => post("/api/v1/vau", { ...world.fields({ payload: text }), signature: "0".repeat(128) }),
  "a batch of 20, no token": (world) => {
    const items = Array.from({ length: 20 }, () => ({ ...world.fields({ payload: text }), signature: "0".repeat(128) }));
    return post("/api/v1/vau/batch", { batchId: "b", submittedAt: Date.now(), items, signature: "0".repeat(128) });
  },
  "a status": () => ({ method: "GET", path: "/api/v1/vau/status/0123456789abcdef0123456789abcdef" }),
};

const alone = await open({ guard: false, vars: { RATE_VAU_PER_MINUTE: "1000000", RATE_BATCH_PER_MINUTE: "1000000" } });
const both = await open({ vars: { RATE_VAU_PER_MINUTE: "1000000", RATE_BATCH_PER_MINUTE: "1000000" } });
const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
try {
  process.stdout.write(`${REQUESTS} requests each, one at a time\n`);
  for (const [name, make] of Object.entries(scenarios)) {
    await drive(alone, make);
    await drive(both, make);
    const sums = { alone: { cpu: 0, times: [] }, both: { cpu: 0, times: [] } };
    for (let round = 0; round < ROUNDS; round++) {
      for (const [which, target] of [["alone", alone], ["both", both]]) {
        const run = await drive(target, make);
        sums[which].cpu += run.cpu / ROUNDS;
        sums[which].times.push(...run.times);
      }
    }
    const line = (which) => `${median(sums[which].times).toFixed(2)} ms, CPU ${sums[which].cpu.toFixed(2)} ms`;
    process.stdout.write(`${name}: alone ${line("alone")}; behind security-worker ${line("both")}\n`);
  }
} finally {
  await alone.world.stop();
  await both.world.stop();
}
