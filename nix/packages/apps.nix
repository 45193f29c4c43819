# `nix run . -- up` and `nix run .#verify`: twistctl with every tool that it calls.
{
  pkgs,
  lib,
  tools,
  twistctl,
}:
let
  app =
    {
      name,
      command,
      runtimeInputs ? [ ],
      runtimeEnv ? { },
      description,
    }:
    {
      type = "app";
      program = lib.getExe (
        pkgs.writeShellApplication {
          inherit name runtimeEnv;
          runtimeInputs = [ twistctl ] ++ runtimeInputs;
          text = ''exec ${command} "$@"'';
        }
      );
      meta = { inherit description; };
    };
in
{
  default = app {
    name = "twist";
    command = "twistctl";
    runtimeInputs = tools.run ++ tools.check;
    runtimeEnv = tools.env;
    description = "Build, run and test the whole platform locally";
  };

  # An auditor needs no compiler; a rebuild is done by the Nix that runs this.
  verify = app {
    name = "twist-verify";
    command = "twistctl verify";
    description = "Compare artifacts, images and running services with a release manifest";
  };
}
