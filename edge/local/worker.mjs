// The Workers as `edge/bindings.json` describes them, in Miniflare: no network, storage in a folder.

import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { keepTime } from "./crons.mjs";

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

/** What bindings.json says of a Worker. */
export function described(name) {
  const worker = bindings.workers.find((worker) => worker.name === name);
  if (!worker) throw new Error(`there is no Worker ${name}; edge/bindings.json lists them`);
  return worker;
}

/** Text bindings: the given ones, defaults for the rest. A missing or unknown name is an error. */
export function textBindings(worker, given = {}) {
  const known = [...worker.vars, ...worker.secrets];
  const values = {};
  for (const { name, required, default: fallback } of known) {
    const value = given[name] ?? fallback;
    if (value === undefined || (required && value === "")) throw new Error(`the variable ${name} of ${worker.name} is missing`);
    values[name] = typeof value === "string" ? value : JSON.stringify(value);
  }
  const names = new Set(known.map(({ name }) => name));
  const unknown = Object.keys(given).find((name) => !names.has(name));
  if (unknown) throw new Error(`${worker.name} has no variable ${unknown}; edge/bindings.json lists them`);
  return values;
}

const sqliteClasses = new Set(bindings.migrations.flatMap((migration) => migration.newSqliteClasses));

/** Miniflare's options for the Worker `name` in `bundleDir`. `running` are the names of all that are started. */
export function workerOptions(name, bundleDir, vars, running = [name]) {
  const worker = described(name);
  const module = (file) => {
    const path = join(bundleDir, file);
    if (!existsSync(path)) throw new Error(`${path} does not exist: build the Worker first`);
    return path;
  };
  const other = (wanted) => {
    if (!running.includes(wanted)) throw new Error(`${name} needs ${wanted}, which is not among the Workers`);
    return wanted;
  };
  const consumers = worker.queues.filter((queue) => queue.consumer);
  return {
    name,
    modules: [
      { type: "ESModule", path: module("index.js") },
      { type: "CompiledWasm", path: module("index_bg.wasm") },
    ],
    modulesRoot: bundleDir,
    compatibilityDate: bindings.compatibilityDate,
    compatibilityFlags: bindings.compatibilityFlags,
    bindings: textBindings(worker, vars),
    durableObjects: Object.fromEntries(
      worker.durableObjects.map(({ binding, class: className, script }) => {
        const useSQLite = sqliteClasses.has(className);
        return [binding, script ? { className, useSQLite, scriptName: other(script) } : { className, useSQLite }];
      }),
    ),
    serviceBindings: Object.fromEntries(worker.services.map((service) => [service.binding, other(service.worker)])),
    r2Buckets: Object.fromEntries(worker.r2.map(({ binding, bucket }) => [binding, bucket])),
    kvNamespaces: Object.fromEntries(worker.kv.map(({ binding, namespace }) => [binding, namespace])),
    queueProducers: Object.fromEntries(worker.queues.map(({ binding, queue }) => [binding, { queueName: queue }])),
    queueConsumers: Object.fromEntries(
      consumers.map(({ queue, consumer }) => [
        queue,
        {
          maxBatchSize: consumer.maxBatchSize,
          maxBatchTimeout: consumer.maxBatchTimeoutSeconds,
          maxRetries: consumer.maxRetries,
          retryDelay: consumer.retryDelaySeconds,
          deadLetterQueue: consumer.deadLetterQueue,
        },
      ]),
    ),
  };
}

/** Starts the Workers that `workers` names, {"<name>": {bundleDir, vars}}. The routed one answers HTTP; without it
 * the first. `extra` are further ones, for tests. `onEnd` is called when workerd ends by itself. */
export async function startWorkers({ host = "127.0.0.1", port = 0, persistDir, workers, extra = [], quiet = false, onEnd }) {
  const { Miniflare, Log, LogLevel } = loadMiniflare();
  const names = Object.keys(workers).sort((a, b) => described(b).routed - described(a).routed);
  if (names.length === 0) throw new Error("no Worker is named");
  const options = names.map((name) => workerOptions(name, resolve(workers[name].bundleDir), workers[name].vars, names));
  if (persistDir) mkdirSync(persistDir, { recursive: true });
  const persist = (kind) => (persistDir ? join(resolve(persistDir), kind) : false);
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
    durableObjectsPersist: persist("durable-objects"),
    r2Persist: persist("r2"),
    kvPersist: persist("kv"),
    workers: [...options, ...extra],
  });
  const url = (await miniflare.ready).href.replace(/\/$/, "");
  const stopClock = keepTime(miniflare, names.map(described));
  const stop = () => {
    stopping = true;
    stopClock();
    return miniflare.dispose();
  };
  return { url, miniflare, stop };
}
