# `nix develop`: everything that `./twist` would otherwise install, and the editor's helper.
{ pkgs, tools }:
pkgs.mkShell {
  name = "twist";
  # Python is for schemathesis, which the suite `contracts` fetches.
  packages =
    tools.run
    ++ tools.check
    ++ [
      pkgs.python3
      pkgs.rust-analyzer
    ];
  env = tools.env // {
    # For editors: the standard library's sources, which nixpkgs keeps apart from the compiler.
    RUST_SRC_PATH = pkgs.rustPlatform.rustLibSrc;
  };
}
