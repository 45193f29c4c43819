# The bundler and the WebAssembly optimiser of edge/package-lock.json: with and without Nix, a bundle is made by
# the same bytes. nixpkgs has other versions of both.
{
  pkgs,
  lib,
  npm,
}:
let
  esbuildPath = "node_modules/@esbuild/linux-${npm.cpu}";
  binaryenPath = "node_modules/binaryen";
in
{
  # A static program, ready to run.
  esbuild =
    pkgs.runCommand "esbuild-${npm.modules.${esbuildPath}.version}"
      {
        inherit (npm.modules.${esbuildPath}) version;
        meta.mainProgram = "esbuild";
      }
      ''
        ${npm.unpackTo "package" esbuildPath}
        install -D package/bin/esbuild $out/bin/esbuild
        test "$($out/bin/esbuild --version)" = "$version"
      '';

  # A script for Node.
  binaryen =
    pkgs.runCommand "binaryen-${npm.modules.${binaryenPath}.version}"
      {
        inherit (npm.modules.${binaryenPath}) version;
        meta.mainProgram = "wasm-opt";
      }
      ''
        ${npm.unpackTo "package" binaryenPath}
        install -D -t $out/lib/binaryen package/bin/wasm-opt package/bin/package.json
        mkdir $out/bin
        cat >$out/bin/wasm-opt <<END
        #!${pkgs.runtimeShell}
        exec ${lib.getExe pkgs.nodejs_22} $out/lib/binaryen/wasm-opt "\$@"
        END
        chmod +x $out/bin/wasm-opt
        $out/bin/wasm-opt --version | grep -F "version ''${version%%.*} "
      '';
}
