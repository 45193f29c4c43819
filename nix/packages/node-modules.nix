# Everything of edge/package-lock.json in one folder: the local Workers runtime and what it needs.
{
  pkgs,
  lib,
  npm,
}:
let
  linkPrograms =
    path: module:
    lib.concatLines (
      lib.mapAttrsToList (program: file: ''
        chmod +x ${path}/${file}
        ln -s ../${lib.removePrefix "node_modules/" path}/${file} node_modules/.bin/${program}
      '') (module.bin or { })
    );
in
pkgs.stdenv.mkDerivation {
  name = "twist-node-modules";
  dontUnpack = true;
  nativeBuildInputs = [ pkgs.patchelf ];

  buildPhase = ''
    runHook preBuild
    mkdir -p node_modules/.bin
    ${lib.concatMapStrings (path: npm.unpackTo path path) (lib.attrNames npm.modules)}
    ${lib.concatLines (lib.mapAttrsToList linkPrograms npm.modules)}
    runHook postBuild
  '';

  installPhase = ''
    runHook preInstall
    # Node resolves by this name, also from within the store.
    mkdir $out
    mv node_modules $out/
    runHook postInstall
  '';

  # The runtime is a program for any Linux but this one: it must be told where the loader is.
  dontStrip = true;
  dontPatchELF = true;
  postFixup = ''
    patchelf --set-interpreter ${pkgs.stdenv.cc.bintools.dynamicLinker} \
      --set-rpath ${lib.makeLibraryPath [ pkgs.stdenv.cc.cc.lib ]} \
      $out/node_modules/@cloudflare/workerd-linux-*/bin/workerd
  '';

  # Runs where it was made, so a lock that names a runtime for another system is noticed here.
  doInstallCheck = true;
  installCheckPhase = ''
    $out/node_modules/@cloudflare/workerd-linux-*/bin/workerd --version
  '';
}
