# The npm packages that edge/package-lock.json locks, as far as they are for this system.
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
    path:
    let
      name = lib.last (lib.splitString "node_modules/" path);
      module = modules.${path};
    in
    pkgs.fetchurl {
      url = "https://registry.npmjs.org/${name}/-/${baseNameOf name}-${module.version}.tgz";
      hash = module.integrity;
    };
in
{
  inherit modules cpu;

  # A shell command that unpacks the package at `path` of the lock into `folder`.
  unpackTo = folder: path: ''
    mkdir -p ${folder}
    tar -xzf ${fetch path} -C ${folder} --strip-components=1 --no-same-owner
  '';
}
