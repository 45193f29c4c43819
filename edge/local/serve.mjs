// Runs the built Workers in workerd on this machine: `node edge/local/serve.mjs <config.json>`.
// Config: {"host", "port", "persistDir", "workers": {"<name>": {"bundleDir", "vars": {…}}}}. Prints
// {"ready":true,"url":…} once they answer, logs to stderr, stops on SIGTERM or SIGINT.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { startWorkers } from "./worker.mjs";

function readConfig(path) {
  if (!path) throw new Error("usage: node edge/local/serve.mjs <config.json>");
  let config;
  try {
    config = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new Error(`${path}: ${error.message}`);
  }
  const wants = (object, name, kind, within) => {
    if (typeof object?.[name] !== kind || object[name] === null) throw new Error(`${path}: "${within}${name}" must be a ${kind}`);
  };
  for (const [name, kind] of [["host", "string"], ["port", "number"], ["persistDir", "string"], ["workers", "object"]]) {
    wants(config, name, kind, "");
  }
  for (const [name, worker] of Object.entries(config.workers)) wants(worker, "bundleDir", "string", `workers.${name}.`);
  return config;
}

async function untilHealthy(url) {
  const until = Date.now() + 20_000;
  for (;;) {
    try {
      const answer = await fetch(new URL("/health", url));
      await answer.arrayBuffer();
      return;
    } catch (error) {
      if (Date.now() > until) throw new Error(`the Worker does not answer at ${url}: ${error.message}`);
      await new Promise((wake) => setTimeout(wake, 20));
    }
  }
}

async function main() {
  const onEnd = () => fail(new Error("workerd has ended"));
  const running = await startWorkers({ ...readConfig(process.argv[2]), onEnd });
  let stopping;
  const stop = () => {
    stopping ??= running.stop().then(
      () => process.exit(0),
      (error) => fail(error),
    );
  };
  // Stays installed: a second signal while stopping must not kill workerd half way.
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) {
    // Miniflare's own would end the process before workerd has stopped.
    process.removeAllListeners(signal);
    process.on(signal, stop);
  }
  await untilHealthy(running.url);
  if (!stopping) process.stdout.write(`${JSON.stringify({ ready: true, url: running.url })}\n`);
}

function fail(error) {
  process.stderr.write(`edge: ${String(error?.message ?? error).split("\n")[0]}\n`);
  process.exit(1);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) main().catch(fail);
