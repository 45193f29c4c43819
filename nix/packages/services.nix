# The programs that run on a host, one derivation each.
{ lib, rust }:
let
  # By the name of the binary. `twistctl build` has the same list.
  programs = {
    auth-service = {
      crate = "auth-service";
      kind = "service";
    };
    influencer-api = {
      crate = "influencer-api";
      kind = "service";
    };
    settlement-worker = {
      crate = "settlement-worker";
      kind = "service";
    };
    twist-migrate = {
      crate = "migrations";
      kind = "tool";
    };
    twistctl = {
      crate = "twistctl";
      kind = "tool";
    };
  };

  # One command per program, so that each finds its dependencies with exactly the features that it asks for.
  cargoArtifacts = rust.dependencies {
    name = "twist-host";
    commands = lib.mapAttrsToList (
      _binary: program: "cargoWithProfile build --locked -p ${program.crate}"
    ) programs;
  };
in
lib.mapAttrs (
  binary:
  { crate, kind }:
  rust.program {
    inherit
      crate
      kind
      binary
      cargoArtifacts
      ;
  }
) programs
