# Scripts, configuration and the expressions of this flake themselves.
{
  pkgs,
  sources,
  format,
}:
let
  check =
    name: nativeBuildInputs: command:
    pkgs.runCommand name { inherit nativeBuildInputs; } ''
      cp -r --no-preserve=mode ${sources.repository} repository
      cd repository
      ${command}
      touch $out
    '';
in
{
  format = check "format" [ format ] ''
    treefmt --no-cache --fail-on-change --walk filesystem --tree-root .
  '';

  nix-style = check "nix-style" [ pkgs.statix pkgs.deadnix ] ''
    statix check .
    deadnix --fail .
  '';

  shellcheck = check "shellcheck" [ pkgs.shellcheck ] ''
    shellcheck twist .ci/run edge/toolchain/*.sh containers/*.sh
  '';

  compose = check "compose" [ pkgs.docker-compose ] ''
    export HOME=$TMPDIR
    # What the example leaves empty has to be filled in.
    sed 's/=$/=filled/' .env.backend.example >.env.backend
    docker-compose --file docker-compose.backend.yml --env-file .env.backend config --quiet
  '';
}
