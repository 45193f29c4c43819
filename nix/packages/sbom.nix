# What is in the artifacts, as CycloneDX: the crates of Cargo.lock and the store paths that the programs need.
{
  pkgs,
  lib,
  rust,
  sources,
  twistctl,
  # What the release ships, and of that what has store paths beneath it.
  artifacts,
  contents,
}:
pkgs.runCommand "twist-sbom-${rust.version}"
  {
    __structuredAttrs = true;
    exportReferencesGraph.closure = contents;
    # It tells of store paths, and needs none of them.
    unsafeDiscardReferences.out = true;
    nativeBuildInputs = [
      pkgs.cargo
      pkgs.rustc
      twistctl
    ];
    passthru.kind = "sbom";
    meta = {
      description = "CycloneDX bill of materials of the release";
      license = lib.licenses.asl20;
    };
  }
  ''
    export CARGO_HOME=$TMPDIR/cargo
    mkdir $CARGO_HOME
    cp ${rust.common.cargoVendorDir}/config.toml $CARGO_HOME/
    cargo metadata --format-version 1 --locked --offline \
      --manifest-path ${sources.workspace}/Cargo.toml >metadata.json
    mkdir $out
    twistctl sbom --metadata metadata.json --closure "$NIX_ATTRS_JSON_FILE" --out $out/twist.cdx.json \
      ${lib.concatMapStringsSep " " (artifact: "--root ${artifact.crate}") (lib.attrValues artifacts)}
  ''
