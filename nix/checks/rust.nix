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

  wasmCrates = "-p durable-objects -p edge-runtime -p security-worker -p vau-processor";
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

  # The tests start the servers that they need. What a build cannot have runs by `./twist test`: the journeys in
  # tests/e2e need npm packages, the tests of twistctl as a program copy and start programs of a whole machine.
  rust-tests = craneLib.cargoNextest (
    host
    // {
      nativeBuildInputs = [
        pkgs.gitMinimal
        pkgs.postgresql
        pkgs.redis
        pkgs.writableTmpDirAsHomeHook
      ];
      inherit (tools) env;
      doCheck = true;
      cargoNextestExtraArgs = "--filterset 'not package(e2e) and not (package(twistctl) and binary(it))' --no-tests fail";
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
