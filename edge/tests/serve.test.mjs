// Fear: the local runner hangs, hides an error, or loses what the Worker has promised when it is killed.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";
import { until, World } from "./support.mjs";

const script = fileURLToPath(new URL("../local/serve.mjs", import.meta.url));
let world;
let folder;
before(async () => {
  world = await World.start();
  await world.close();
  folder = mkdtempSync(join(tmpdir(), "twist-serve-"));
});
after(async () => {
  await world.stop();
  rmSync(folder, { recursive: true, force: true });
});

function serve(change = {}) {
  const config = join(folder, "config.json");
  const whole = { host: "127.0.0.1", port: 0, persistDir: join(folder, "state"), workers: world.workers, ...change };
  writeFileSync(config, JSON.stringify(whole));
  const child = spawn(process.execPath, [script, config], { stdio: ["ignore", "pipe", "pipe"] });
  child.errors = "";
  child.stderr.on("data", (chunk) => (child.errors += chunk));
  return child;
}

async function ready(child) {
  const lines = createInterface({ input: child.stdout });
  const [line] = await once(lines, "line");
  const message = JSON.parse(line);
  assert.equal(message.ready, true);
  return message.url;
}

/** workerd, the child of the runner. */
function workerd(parent) {
  const found = readdirSync("/proc").filter((pid) => /^[0-9]+$/.test(pid)).find((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      return stat.includes("(workerd)") && stat.slice(stat.lastIndexOf(")")).split(" ")[2] === String(parent);
    } catch {
      return false;
    }
  });
  return Number(found);
}

test("one line when it answers; any signal, or several, stop it cleanly", async () => {
  for (const signal of ["SIGTERM", "SIGINT"]) {
    const child = serve();
    let out = "";
    child.stdout.on("data", (chunk) => (out += chunk));
    const url = await ready(child);
    assert.equal((await fetch(`${url}/health`)).status, 200);
    const runtime = workerd(child.pid);
    child.kill(signal);
    child.kill(signal);
    const [code] = await once(child, "close");
    assert.equal(code, 0, child.errors);
    assert.equal(out.trim().split("\n").length, 1);
    assert.throws(() => process.kill(runtime, 0), "workerd is still there");
  }
});

test("what is wrong is said in one line", async () => {
  const { JWKS_URL, ...rest } = world.vars;
  const changed = (change) => {
    const inner = { ...world.workers["vau-processor"], ...change };
    return { workers: { ...world.workers, "vau-processor": inner } };
  };
  const { "vau-processor": _, ...front } = world.workers;
  const cases = [
    [changed({ vars: rest }), /JWKS_URL of vau-processor is missing/],
    [changed({ vars: { ...world.vars, NO_SUCH: "1" } }), /NO_SUCH/],
    [changed({ bundleDir: "/nowhere" }), /\/nowhere\/index\.js does not exist/],
    [changed({ bundleDir: 1 }), /"workers\.vau-processor\.bundleDir" must be a string/],
    [{ workers: front }, /security-worker needs vau-processor/],
    [{ workers: { nobody: world.workers["vau-processor"] } }, /no Worker nobody/],
    [{ port: "8787" }, /"port" must be a number/],
  ];
  for (const [change, expected] of cases) {
    const child = serve(change);
    const [code] = await once(child, "close");
    assert.equal(code, 1);
    assert.match(child.errors, expected);
    assert.equal(child.errors.trim().split("\n").length, 1, child.errors);
  }
});

test("every VAU that was answered as accepted survives kill -9 of workerd", async () => {
  const first = serve();
  world.url = await ready(first);
  assert.equal((await world.submit(world.vau())).status, 200);
  world.backend.down = true;
  const accepted = [];
  let answered = 0;
  const submissions = Array.from({ length: 300 }, () =>
    world.submit(world.vau()).then(
      ({ status, body }) => {
        answered++;
        if (status === 200) accepted.push(body.data.vauId);
      },
      () => {}, // the connection broke: nothing was promised
    ),
  );
  await until("some are accepted", () => accepted.length >= 30);
  process.kill(workerd(first.pid), "SIGKILL");
  const [code] = await once(first, "close");
  assert.equal(code, 1);
  assert.match(first.errors, /workerd has ended/);
  await Promise.all(submissions);
  assert.ok(answered < 300, "it was killed in the middle");

  world.backend.down = false;
  const second = serve();
  world.url = await ready(second);
  await world.delivered();
  const lost = accepted.filter((id) => !world.backend.counted.has(id));
  assert.deepEqual(lost, [], `${lost.length} of ${accepted.length} lost`);
  second.kill("SIGTERM");
  await once(second, "close");
});
