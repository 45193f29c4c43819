# The Solana programs: every crate under programs/, compiled to SBF without a download.
{
  pkgs,
  lib,
  rust,
}:
let
  cargo-build-sbf =
    pkgs.cargo-build-sbf
      or (throw "programs/: this nixpkgs has no cargo-build-sbf (and solana-platform-tools): take a newer one");

  programOf =
    name: crate:
    rust.craneLib.mkCargoDerivation (
      rust.common
      // {
        pname = name;
        src = rust.sourceOf name;
        passthru = {
          kind = "program";
          crate = name;
        };
        cargoArtifacts = null;
        doInstallCargoArtifacts = false;
        nativeBuildInputs = [
          cargo-build-sbf
          pkgs.writableTmpDirAsHomeHook
        ];
        buildPhaseCargoCommand = ''
          cargo-build-sbf --manifest-path ${crate.folder}/Cargo.toml --sbf-out-dir "$PWD/deploy" \
            -- --locked --offline
        '';
        installPhaseCommand = ''
          install -D -m 0644 deploy/*.so $out/${name}.so
        '';
        # The loader takes the file as it is.
        dontFixup = true;
        meta = {
          inherit (crate.manifest.package) description;
          license = lib.licenses.asl20;
          platforms = [ "x86_64-linux" ];
        };
      }
    );
in
lib.mapAttrs programOf (
  lib.filterAttrs (_name: crate: lib.hasPrefix "programs/" crate.folder) rust.crates
)
