{
  description = "TWIST: signed attention in, ledger balances out, rebuilt bit for bit by anyone";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
    crane.url = "github:ipetkov/crane";
  };

  outputs =
    {
      self,
      nixpkgs,
      crane,
    }:
    let
      # The services run on both; `nix/` itself decides what exists on which system.
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];

      perSystem = nixpkgs.lib.genAttrs systems (
        system:
        import ./nix {
          inherit crane source;
          pkgs = nixpkgs.legacyPackages.${system};
        }
      );

      # The artifacts' content does not depend on it; their manifest and the images' labels tell it.
      source = {
        revision = self.rev or null;
        dirty = !(self ? rev);
        modified = self.lastModifiedDate;
        origin = "urn:nix:nar:${self.narHash}";
        inputs = builtins.mapAttrs (_name: input: input.narHash) { inherit nixpkgs crane; };
      };

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
