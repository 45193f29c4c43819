# `nix fmt`. Prose keeps its own line breaks and tables: Markdown is left to its writers.
{ pkgs }:
pkgs.treefmt.withConfig {
  runtimeInputs = [
    pkgs.rustfmt
    pkgs.nixfmt
    pkgs.shfmt
    pkgs.prettier
  ];
  settings = {
    on-unmatched = "debug";
    formatter = {
      rustfmt = {
        command = "rustfmt";
        # The edition is in Cargo.toml, which rustfmt alone does not read.
        options = [
          "--edition"
          "2024"
        ];
        includes = [ "*.rs" ];
      };
      nixfmt = {
        command = "nixfmt";
        includes = [ "*.nix" ];
      };
      shfmt = {
        command = "shfmt";
        options = [
          "--write"
          "--indent"
          "2"
          "--case-indent"
        ];
        includes = [
          "*.sh"
          "twist"
          ".ci/run"
        ];
      };
      prettier = {
        command = "prettier";
        options = [
          "--write"
          "--print-width"
          "120"
        ];
        includes = [
          "*.yml"
          "*.yaml"
        ];
      };
    };
  };
}
