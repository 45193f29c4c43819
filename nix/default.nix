# Everything the flake offers on one system.
{
  pkgs,
  crane,
  # Which source this is: { revision, dirty, modified, origin, inputs }.
  source,
}:
let
  inherit (pkgs) lib;

  sources = import ./lib/sources.nix { inherit lib; };
  rust = import ./lib/crane.nix { inherit pkgs crane sources; };
  npm = import ./lib/npm.nix { inherit pkgs lib; };
  bundleTools = import ./packages/bundle-tools.nix { inherit pkgs lib npm; };
  nodeModules = import ./packages/node-modules.nix { inherit pkgs lib npm; };
  toolchain = import ./lib/toolchain.nix { inherit pkgs lib bundleTools; };
  format = import ./format.nix { inherit pkgs; };
  tools = import ./lib/tools.nix {
    inherit
      pkgs
      nodeModules
      bundleTools
      format
      ;
  };

  services = import ./packages/services.nix { inherit lib rust; };
  inherit (services) twistctl;
  images = import ./packages/images.nix {
    inherit
      pkgs
      lib
      services
      source
      ;
    inherit (rust) version;
  };

  # Worker bundles and programs have one canonical builder; elsewhere the attributes do not exist.
  canonical = lib.optionalAttrs (pkgs.stdenv.hostPlatform.system == "x86_64-linux");
  workers = canonical (
    import ./packages/edge.nix {
      inherit
        pkgs
        lib
        rust
        bundleTools
        ;
    }
  );
  programs = canonical (import ./packages/programs.nix { inherit pkgs lib rust; });

  sbom = import ./packages/sbom.nix {
    inherit
      pkgs
      lib
      rust
      sources
      twistctl
      ;
    contents = lib.attrValues services;
    artifacts = services // workers // programs;
  };
  release = import ./packages/release.nix {
    inherit
      pkgs
      lib
      source
      toolchain
      twistctl
      ;
    inherit (rust) version;
    inherit artifacts;
  };

  artifacts = services // workers // programs // images // { inherit sbom; };
  packages = artifacts // {
    inherit release;
  };
in
rec {
  inherit packages;

  apps = import ./packages/apps.nix {
    inherit
      pkgs
      lib
      tools
      twistctl
      ;
  };

  checks =
    packages
    // {
      devshell = devShells.default;
    }
    // import ./checks/rust.nix {
      inherit
        pkgs
        lib
        rust
        sources
        tools
        ;
    }
    // lib.optionalAttrs (workers != { }) (
      import ./checks/edge.nix {
        inherit
          pkgs
          sources
          nodeModules
          workers
          ;
      }
    )
    // import ./checks/repository.nix { inherit pkgs sources format; }
    // import ./checks/budgets.nix { inherit pkgs twistctl release; };

  devShells.default = import ./devshell.nix { inherit pkgs tools; };

  formatter = format;
}
