# The versions of what compiles and bundles, each from the file that pins it.
{
  pkgs,
  lib,
  bundleTools,
}:
let
  lock = (lib.importTOML ../../Cargo.lock).package;
  locked = name: (lib.findFirst (package: package.name == name) { version = null; } lock).version;

  wasm-bindgen = locked "wasm-bindgen";
in
# The bundler reads what the macro wrote into the module, which changes with every version.
assert lib.assertMsg (wasm-bindgen == locked "wasm-bindgen-cli-support")
  "Cargo.lock: wasm-bindgen is ${toString wasm-bindgen}, wasm-bindgen-cli-support is another version";
{
  rustc = pkgs.rustc.version;
  inherit wasm-bindgen;
  esbuild = bundleTools.esbuild.version;
  binaryen = bundleTools.binaryen.version;
}
