# The npm packages that edge/package-lock.json locks: the local Workers runtime and what it needs.
{ pkgs, lib }:
let
  inherit (pkgs.stdenv) hostPlatform;

  cpu = if hostPlatform.isAarch64 then "arm64" else "x64";
  belongsHere =
    module:
    lib.elem "linux" (module.os or [ "linux" ])
    && lib.elem cpu (module.cpu or [ cpu ])
    && lib.elem "glibc" (module.libc or [ "glibc" ]);

  modules = lib.filterAttrs (
    path: module: path != "" && belongsHere module
  ) (lib.importJSON ../../edge/package-lock.json).packages;

  # The lock names no registry: npm's own is taken, and the integrity decides.
  fetch =
    path: module:
    let
      name = lib.last (lib.splitString "node_modules/" path);
    in
    pkgs.fetchurl {
      url = "https://registry.npmjs.org/${name}/-/${baseNameOf name}-${module.version}.tgz";
      hash = module.integrity;
    };

  unpack = path: module: ''
    mkdir -p ${path}
    tar -xzf ${fetch path module} -C ${path} --strip-components=1 --no-same-owner
  '';

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
    ${lib.concatLines (lib.mapAttrsToList unpack modules)}
    ${lib.concatLines (lib.mapAttrsToList linkPrograms modules)}
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
