# `nix run . -- up`: twistctl with every tool that it calls.
{
  pkgs,
  lib,
  tools,
  twistctl,
}:
let
  app = pkgs.writeShellApplication {
    name = "twist";
    runtimeInputs = [ twistctl ] ++ tools.run ++ tools.check;
    runtimeEnv = tools.env;
    text = ''exec twistctl "$@"'';
  };
in
{
  type = "app";
  program = lib.getExe app;
  meta.description = "Build, run and test the whole platform locally";
}
