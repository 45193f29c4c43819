# The programs that `./twist` and `twistctl` call, so that neither has anything to install.
{
  pkgs,
  nodeModules,
  bundleTools,
  format,
}:
{
  # What building and running the platform takes.
  run = [
    pkgs.cargo
    pkgs.rustc
    # rustc's wasm32 target links with LLVM's linker.
    pkgs.lld
    # The linker driver and the C compiler that native dependencies call.
    pkgs.stdenv.cc
    bundleTools.binaryen
    bundleTools.esbuild
    pkgs.nodejs_22
    pkgs.postgresql
    pkgs.redis
    pkgs.git
  ];

  # What the checks take on top.
  check = [
    pkgs.clippy
    pkgs.rustfmt
    pkgs.cargo-nextest
    pkgs.cargo-deny
    pkgs.shellcheck
    pkgs.nixfmt
    pkgs.statix
    pkgs.deadnix
    pkgs.actionlint
    pkgs.docker-compose
    # Builds under another clock, and what differs between two of them.
    pkgs.libfaketime
    pkgs.diffoscopeMinimal
    # The services of the images run in roots of their own.
    pkgs.util-linux
    format
  ];

  # `TWIST_IN_NIX` tells ./twist that the tools are here, the others tell twistctl where.
  env = {
    TWIST_IN_NIX = "1";
    TWIST_NODE = pkgs.lib.getExe pkgs.nodejs_22;
    TWIST_NODE_MODULES = "${nodeModules}/node_modules";
    ESBUILD_BIN = pkgs.lib.getExe bundleTools.esbuild;
    WASM_OPT_BIN = pkgs.lib.getExe bundleTools.binaryen;
  };
}
