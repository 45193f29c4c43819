# The programs that run on a host, one derivation each.
{ lib, rust }:
let
  # Package name to crate; the package name is also the binary's.
  programs = {
    auth-service = "auth-service";
    influencer-api = "influencer-api";
    twist-migrate = "migrations";
    twistctl = "twistctl";
  };

  # One command per program, so that each finds its dependencies with exactly the features that it asks for.
  cargoArtifacts = rust.dependencies {
    name = "twist-host";
    commands = lib.mapAttrsToList (
      _binary: crate: "cargoWithProfile build --locked -p ${crate}"
    ) programs;
  };
in
lib.mapAttrs (binary: crate: rust.program { inherit crate binary cargoArtifacts; }) programs
