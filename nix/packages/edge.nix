# The Worker bundles: the crate compiled to WebAssembly, then made deployable.
{
  pkgs,
  lib,
  rust,
  bundleTools,
}:
let
  target = "wasm32-unknown-unknown";

  # Whatever under edge/ compiles to a module of its own is a Worker.
  isWorker =
    _name: crate:
    lib.hasPrefix "edge/" crate.folder && lib.elem "cdylib" (crate.manifest.lib.crate-type or [ ]);

  wasm = {
    CARGO_PROFILE = "wasm";
    CARGO_BUILD_TARGET = target;
    nativeBuildInputs = [ pkgs.lld ];
  };

  edge-bundler = rust.program {
    crate = "edge-bundler";
    cargoArtifacts = rust.dependencies {
      name = "twist-bundler";
      commands = [ "cargoWithProfile build --locked -p edge-bundler" ];
    };
  };

  workerOf =
    crate:
    let
      module = rust.library (
        wasm
        // {
          inherit crate;
          cargoArtifacts = rust.dependencies (
            wasm
            // {
              name = "twist-${crate}";
              commands = [ "cargoWithProfile build --locked -p ${crate}" ];
            }
          );
        }
      );
    in
    pkgs.runCommand "edge-${crate}-${rust.version}"
      {
        nativeBuildInputs = [ edge-bundler ];
        ESBUILD_BIN = lib.getExe bundleTools.esbuild;
        WASM_OPT_BIN = lib.getExe bundleTools.binaryen;
        passthru = {
          kind = "worker";
          inherit crate module;
        };
        meta = {
          inherit (rust.crates.${crate}.manifest.package) description;
          license = lib.licenses.asl20;
          platforms = [ "x86_64-linux" ];
        };
      }
      ''
        edge-bundler --wasm ${module}/lib/${lib.replaceString "-" "_" crate}.wasm --out $out
        test -s $out/index.js && test -s $out/index_bg.wasm
      '';
in
lib.mapAttrs' (crate: _: lib.nameValuePair "edge-${crate}" (workerOf crate)) (
  lib.filterAttrs isWorker rust.crates
)
