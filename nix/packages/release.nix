# Every artifact in one folder, and the manifest that names each by its hash.
{
  pkgs,
  lib,
  version,
  source,
  toolchain,
  twistctl,
  artifacts,
}:
let
  locks = [
    "Cargo.lock"
    "edge/package-lock.json"
    "flake.lock"
  ];
  listed = lib.mapAttrsToList (name: package: {
    inherit name;
    inherit (package) kind;
    path = "${package}";
  }) artifacts;
in
pkgs.runCommand "twist-release-${version}"
  {
    __structuredAttrs = true;
    nativeBuildInputs = [ twistctl ];
    exportReferencesGraph.closure = map (artifact: artifact.path) listed;
    plan = {
      inherit version toolchain;
      inherit (pkgs.stdenv.hostPlatform) system;
      builder = "nix";
      source = {
        inherit (source) revision dirty;
        locks = lib.genAttrs locks (file: builtins.hashFile "sha256" (../.. + "/${file}"));
      };
      inherit (source) inputs;
      artifacts = listed;
    };
    meta = {
      description = "All artifacts of TWIST and the manifest of their hashes";
      license = lib.licenses.asl20;
    };
  }
  ''
    mkdir $out
    ${lib.concatMapStrings (artifact: ''
      ln -s ${artifact.path} $out/${artifact.name}
    '') listed}
    twistctl manifest --plan "$NIX_ATTRS_JSON_FILE" --out $out/release.json
  ''
