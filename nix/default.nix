# Everything the flake offers on one system.
{ pkgs, crane }:
let
  inherit (pkgs) lib;

  rust = import ./lib/crane.nix { inherit pkgs crane sources; };
  sources = import ./lib/sources.nix { inherit lib; };
  tools = import ./lib/tools.nix { inherit pkgs nodeModules; };

  nodeModules = import ./packages/node-modules.nix { inherit pkgs lib; };

  services = import ./packages/services.nix { inherit lib rust; };
  # A Worker bundle has one canonical builder; elsewhere the attribute does not exist.
  edge = lib.optionalAttrs (pkgs.stdenv.hostPlatform.system == "x86_64-linux") (
    import ./packages/edge.nix { inherit pkgs lib rust; }
  );
in
{
  packages = services // edge;

  apps.default = import ./packages/app.nix {
    inherit pkgs lib tools;
    inherit (services) twistctl;
  };

  checks =
    services
    // edge
    // import ./checks/rust.nix {
      inherit
        pkgs
        lib
        rust
        sources
        tools
        ;
    }
    // lib.optionalAttrs (edge ? edge-vau-processor) (
      import ./checks/edge.nix {
        inherit pkgs sources nodeModules;
        bundle = edge.edge-vau-processor;
      }
    )
    // import ./checks/repository.nix { inherit pkgs sources; };

  devShells.default = import ./devshell.nix { inherit pkgs tools; };

  formatter = pkgs.nixfmt-tree;
}
