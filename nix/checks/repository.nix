# Scripts and the expressions of this flake themselves.
{ pkgs, sources }:
{
  nix-style =
    pkgs.runCommand "nix-style"
      {
        nativeBuildInputs = [
          pkgs.nixfmt
          pkgs.statix
          pkgs.deadnix
        ];
      }
      ''
        cd ${sources.repository}
        find . -name '*.nix' -exec nixfmt --check {} +
        statix check .
        deadnix --fail .
        touch $out
      '';

  shellcheck = pkgs.runCommand "shellcheck" { nativeBuildInputs = [ pkgs.shellcheck ]; } ''
    cd ${sources.repository}
    shellcheck twist .ci/run
    touch $out
  '';
}
