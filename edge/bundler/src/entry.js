import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
import * as wasm from "./index.js";

Error.stackTraceLimit = 50;

// Shared with the Rust side: it sets criticalError when it panics and counts instances in instanceId.
const instance = wasm.__worker_init_state();

function renewAfterPanic() {
  if (!instance.criticalError) return;
  console.error(JSON.stringify({ level: "error", message: "the WebAssembly instance is replaced after a panic" }));
  wasm.__wbg_reset_state();
  instance.criticalError = false;
  instance.instanceId++;
}

function note(error) {
  if (error instanceof WebAssembly.RuntimeError) instance.criticalError = true;
}

// A trap inside a resumed task reaches nobody's promise, only this event.
addEventListener("error", (event) => note(event.error));

async function guarded(call) {
  renewAfterPanic();
  try {
    return await call();
  } catch (error) {
    note(error);
    throw error;
  }
}

function durableObject(load) {
  class Guarded extends DurableObject {
    #inner;
    #madeIn;

    constructor(ctx, env) {
      super(ctx, env);
      renewAfterPanic();
      this.#make();
    }

    #make() {
      this.#inner = new (load())(this.ctx, this.env);
      this.#madeIn = instance.instanceId;
    }

    call(method, values) {
      return guarded(() => {
        if (this.#madeIn !== instance.instanceId) this.#make();
        return this.#inner[method](...values);
      });
    }
  }
  for (const method of ["fetch", "alarm"]) {
    if (method in load().prototype) {
      Guarded.prototype[method] = function (...values) {
        return this.call(method, values);
      };
    }
  }
  return Guarded;
}
