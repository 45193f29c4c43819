# How this workspace is compiled: third-party crates once, then each program from its own sources.
{
  pkgs,
  crane,
  sources,
}:
let
  inherit (pkgs) lib;

  # Builds without Nix take the compiler from this file, builds with it from nixpkgs: they must be the same.
  pinned = (lib.importTOML ../../rust-toolchain.toml).toolchain.channel;

  craneLib =
    lib.throwIf (pkgs.rustc.version != pinned)
      "rust-toolchain.toml pins Rust ${pinned}, nixpkgs has ${pkgs.rustc.version}: move both together"
      (crane.mkLib pkgs);

  common = {
    inherit (sources) version;
    pname = "twist";
    cargoVendorDir = craneLib.vendorCargoDeps { src = sources.workspace; };
    strictDeps = true;
    doCheck = false;
    # What is compiled must not tell where. The names are those of `twistctl build`, so that a bundle can be
    # the same without Nix: /cargo is cargo's home, with the folder that crates.io has there.
    preBuild = ''
      CARGO_BUILD_RUSTFLAGS="--remap-path-prefix=$PWD=/twist --remap-path-prefix=$PWD/target=/target"
      for registry in "$cargoVendorDir"/*/; do
        CARGO_BUILD_RUSTFLAGS+=" --remap-path-prefix=''${registry%/}=/cargo/registry/src/index.crates.io-1949cf8c6b5b557f"
      done
      export CARGO_BUILD_RUSTFLAGS
    '';
  };

  # The workspace with an empty body in place of every crate: it changes with manifests and the lock only.
  skeleton = craneLib.mkDummySrc { src = sources.workspace; };

  # `crate` and what it is compiled with, in the skeleton of the others.
  sourceOf =
    crate:
    pkgs.runCommand "source" { } ''
      cp -r --no-preserve=mode ${skeleton} $out
      cp -r --no-preserve=mode ${sources.program crate}/. $out/
    '';

  build =
    crate: args:
    craneLib.buildPackage (
      common
      // {
        src = sourceOf crate;
        passthru = {
          inherit crate;
        }
        // args.passthru or { };
        meta = {
          inherit (sources.crates.${crate}.manifest.package) description;
          license = lib.licenses.asl20;
          platforms = lib.platforms.linux;
        }
        // args.meta or { };
      }
      // removeAttrs args [
        "meta"
        "passthru"
      ]
    );
in
{
  inherit craneLib common sourceOf;
  inherit (sources) crates version;

  # The third-party crates as `commands` compile them, without any source of ours.
  dependencies =
    { name, commands, ... }@args:
    craneLib.buildDepsOnly (
      common
      // {
        pname = name;
        dummySrc = skeleton;
        buildPhaseCargoCommand = lib.concatLines commands;
      }
      // removeAttrs args [
        "name"
        "commands"
      ]
    );

  # One binary of one crate, in $out/bin.
  program =
    {
      crate,
      binary ? crate,
      kind ? "tool",
      cargoArtifacts,
    }:
    build crate {
      inherit cargoArtifacts;
      pname = binary;
      cargoExtraArgs = "--locked -p ${crate} --bin ${binary}";
      meta.mainProgram = binary;
      passthru = { inherit kind; };
      # What runs needs no compiler: one that is referred to by accident would be in every image.
      disallowedRequisites = [
        pkgs.rustc
        pkgs.cargo
        pkgs.stdenv.cc
        common.cargoVendorDir
      ];
    };

  # The library of one crate, in $out/lib. Further arguments go to crane.
  library =
    { crate, ... }@args:
    build crate (
      {
        pname = crate;
        cargoExtraArgs = "--locked -p ${crate} --lib";
      }
      // removeAttrs args [ "crate" ]
    );
}
