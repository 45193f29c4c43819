# The workspace's own gates, on the sources with their tests.
{
  pkgs,
  lib,
  rust,
  sources,
  tools,
}:
let
  inherit (rust) craneLib;

  common = rust.common // {
    src = sources.workspace;
  };
  host = common // {
    CARGO_PROFILE = "dev";
    cargoArtifacts = rust.dependencies {
      name = "twist-checks";
      CARGO_PROFILE = "dev";
      commands = [
        "cargoWithProfile check --locked --all-targets"
        "cargoWithProfile test --locked --no-run"
      ];
    };
  };

  wasmCrates = "-p durable-objects -p vau-processor";
  wasm = common // {
    CARGO_PROFILE = "dev";
    CARGO_BUILD_TARGET = "wasm32-unknown-unknown";
    cargoArtifacts = rust.dependencies {
      name = "twist-wasm-checks";
      CARGO_PROFILE = "dev";
      CARGO_BUILD_TARGET = "wasm32-unknown-unknown";
      commands = [ "cargoWithProfile check --locked ${wasmCrates}" ];
    };
  };
in
{
  rust-clippy = craneLib.cargoClippy (
    host
    // {
      cargoClippyExtraArgs = "--all-targets -- --deny warnings";
      doInstallCargoArtifacts = false;
    }
  );

  # The tests start the servers that they need; the journeys in tests/e2e also need npm packages and run by `./twist test`.
  rust-tests = craneLib.cargoNextest (
    host
    // {
      nativeBuildInputs = [
        pkgs.postgresql
        pkgs.redis
        pkgs.writableTmpDirAsHomeHook
      ];
      inherit (tools) env;
      doCheck = true;
      cargoNextestExtraArgs = "--filterset 'not package(e2e)' --no-tests fail";
      doInstallCargoArtifacts = false;
    }
  );

  rust-deny = craneLib.cargoDeny common;
}
// lib.optionalAttrs (pkgs.stdenv.hostPlatform.system == "x86_64-linux") {
  rust-clippy-wasm = craneLib.cargoClippy (
    wasm
    // {
      pname = "twist-wasm";
      cargoClippyExtraArgs = "${wasmCrates} -- --deny warnings";
      doInstallCargoArtifacts = false;
    }
  );
}
