{
  description = "TWIST: signed attention in, ledger balances out, rebuilt bit for bit by anyone";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
    crane.url = "github:ipetkov/crane";
  };

  outputs =
    { nixpkgs, crane, ... }:
    let
      # The services run on both; `nix/` itself decides what exists on which system.
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];

      perSystem = nixpkgs.lib.genAttrs systems (
        system:
        import ./nix {
          inherit crane;
          pkgs = nixpkgs.legacyPackages.${system};
        }
      );

      output = name: builtins.mapAttrs (_system: outputs: outputs.${name}) perSystem;
    in
    {
      packages = output "packages";
      apps = output "apps";
      checks = output "checks";
      devShells = output "devShells";
      formatter = output "formatter";
    };
}
