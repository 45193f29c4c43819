// Builds what only tests need: the Worker with the exports that run the golden vectors.

import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
const cache = process.env.TWIST_CACHE_DIR ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "twist");

/** What a build needs and finds by itself: the tools of edge/package.json. */
function environment() {
  const modules = createRequire(`${process.env.TWIST_NODE_MODULES ?? join(cache, "node/node_modules")}/`);
  const esbuild = `@esbuild/${process.platform}-${process.arch}/bin/esbuild`;
  return {
    ...process.env,
    ESBUILD_BIN: process.env.ESBUILD_BIN ?? modules.resolve(esbuild),
    WASM_OPT_BIN: process.env.WASM_OPT_BIN ?? modules.resolve("binaryen/bin/wasm-opt"),
    // wasm-opt is a script that looks for node.
    PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
  };
}

function run(command, args, env) {
  try {
    return execFileSync(command, args, { cwd: root, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    throw new Error(`${command} ${args.join(" ")}:\n${error.stderr || error.message}`);
  }
}

/** Compiles what `what` names to cargo; gives the folder. Folders and flags are twistctl's, so that nothing compiles twice. */
function compile(what) {
  const cargoHome = process.env.CARGO_HOME ?? join(homedir(), ".cargo");
  const folder = join(cache, "target-wasm");
  const env = {
    ...environment(),
    CARGO_TARGET_DIR: folder,
    CARGO_ENCODED_RUSTFLAGS: `--remap-path-prefix=${root}=/twist\x1f--remap-path-prefix=${cargoHome}=/cargo`,
    // The compiler that ./twist makes where rustup has none for wasm.
    ...(process.env.TWIST_WASM_RUSTC ? { RUSTC: process.env.TWIST_WASM_RUSTC } : {}),
  };
  const target = ["--profile", "wasm", "--target", "wasm32-unknown-unknown"];
  run("cargo", ["build", "--locked", ...target, ...what], env);
  return join(folder, "wasm32-unknown-unknown/wasm");
}

/** The compiled module with the test exports. */
export function compileVectors() {
  const folder = compile(["-p", "vau-processor", "--features", "vectors"]);
  // The next build of the Worker replaces the file, so keep a copy.
  const copy = join(mkdtempSync(join(tmpdir(), "twist-vectors-")), "vau_processor.wasm");
  copyFileSync(join(folder, "vau_processor.wasm"), copy);
  return copy;
}

/** The bundle of the least Rust Worker there can be. */
export function bundleBare() {
  const folder = compile(["-p", "edge-runtime", "--example", "bare"]);
  return bundle(join(folder, "examples/bare.wasm"), mkdtempSync(join(tmpdir(), "twist-bare-")));
}

/** Bundles `wasm` into `out`. */
export function bundle(wasm, out) {
  mkdirSync(out, { recursive: true });
  const env = { ...environment(), CARGO_TARGET_DIR: join(cache, "target") };
  const bundler = process.env.TWIST_EDGE_BUNDLER;
  const [command, ...first] = bundler ? [bundler] : ["cargo", "run", "--locked", "--quiet", "-p", "edge-bundler", "--"];
  run(command, [...first, "--wasm", wasm, "--out", out], env);
  return out;
}

/** The folder of the bundle with the test exports, from TWIST_EDGE_VECTORS or built now. */
export function vectorsBundle() {
  return process.env.TWIST_EDGE_VECTORS ?? bundle(compileVectors(), join(cache, "dist/edge-vectors"));
}
