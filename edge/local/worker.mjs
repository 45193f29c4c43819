// The Worker as `edge/bindings.json` describes it, in Miniflare: no network, storage in a folder.

import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

/** The list that deployments and this runner share. */
export const bindings = JSON.parse(readFileSync(new URL("../bindings.json", import.meta.url), "utf8"));

/** Miniflare from TWIST_NODE_MODULES, or from a node_modules above this file. */
export function loadMiniflare() {
  const modules = process.env.TWIST_NODE_MODULES;
  try {
    const require = createRequire(modules ? `${resolve(modules)}/` : import.meta.url);
    return require("miniflare");
  } catch (error) {
    const where = modules ?? "node_modules (TWIST_NODE_MODULES is not set)";
    throw new Error(`miniflare is not in ${where}: run npm ci with edge/package-lock.json (${error.code})`);
  }
}

/** Text bindings: the given ones, defaults for the rest. A missing or unknown name is an error. */
export function textBindings(given = {}) {
  const known = [...bindings.vars, ...bindings.secrets];
  const values = {};
  for (const { name, required, default: fallback } of known) {
    const value = given[name] ?? fallback;
    if (value === undefined || (required && value === "")) throw new Error(`the variable ${name} is missing`);
    values[name] = typeof value === "string" ? value : JSON.stringify(value);
  }
  const names = new Set(known.map(({ name }) => name));
  const unknown = Object.keys(given).find((name) => !names.has(name));
  if (unknown) throw new Error(`there is no variable ${unknown}; edge/bindings.json lists them`);
  return values;
}

/** Miniflare's options for the Worker in `bundleDir`. */
export function workerOptions(bundleDir, vars) {
  const module = (name) => {
    const path = join(bundleDir, name);
    if (!existsSync(path)) throw new Error(`${path} does not exist: build the Worker first`);
    return path;
  };
  const queueConsumers = {};
  for (const { queue, consumer } of bindings.queues) {
    queueConsumers[queue] = {
      maxBatchSize: consumer.maxBatchSize,
      maxBatchTimeout: consumer.maxBatchTimeoutSeconds,
      maxRetries: consumer.maxRetries,
      retryDelay: consumer.retryDelaySeconds,
      deadLetterQueue: consumer.deadLetterQueue,
    };
  }
  return {
    name: bindings.worker,
    modules: [
      { type: "ESModule", path: module("index.js") },
      { type: "CompiledWasm", path: module("index_bg.wasm") },
    ],
    modulesRoot: bundleDir,
    compatibilityDate: bindings.compatibilityDate,
    compatibilityFlags: bindings.compatibilityFlags,
    bindings: textBindings(vars),
    durableObjects: Object.fromEntries(
      bindings.durableObjects.map((o) => [o.binding, { className: o.class, useSQLite: o.sqlite }]),
    ),
    queueProducers: Object.fromEntries(bindings.queues.map((q) => [q.binding, { queueName: q.queue }])),
    queueConsumers,
  };
}

/** Starts the Worker; `workers` are further ones, for tests. `onEnd` is called when workerd ends by itself. */
export async function startWorker({ bundleDir, host = "127.0.0.1", port = 0, persistDir, vars, workers = [], quiet = false, onEnd }) {
  const { Miniflare, Log, LogLevel } = loadMiniflare();
  const worker = workerOptions(resolve(bundleDir), vars);
  if (persistDir) mkdirSync(persistDir, { recursive: true });
  let stopping = false;
  class ErrorLog extends Log {
    log(message) {
      process.stderr.write(`${message}\n`);
    }
  }
  const miniflare = new Miniflare({
    host,
    port,
    // Nothing is fetched from Cloudflare: no request.cf, no update check.
    cf: false,
    telemetry: { enabled: false },
    log: new ErrorLog(quiet ? LogLevel.NONE : LogLevel.WARN),
    handleRuntimeStdio(...streams) {
      streams[0].once("close", () => stopping || onEnd?.());
      for (const stream of streams) {
        if (quiet) stream.resume();
        else stream.pipe(process.stderr, { end: false });
      }
    },
    defaultPersistRoot: persistDir ? resolve(persistDir) : undefined,
    durableObjectsPersist: persistDir ? join(resolve(persistDir), "durable-objects") : false,
    workers: [worker, ...workers],
  });
  const url = (await miniflare.ready).href.replace(/\/$/, "");
  const stop = () => {
    stopping = true;
    return miniflare.dispose();
  };
  return { url, miniflare, stop };
}
