# The Worker bundles that are deployed, in workerd. The golden vectors and bundling twice need a build that exports
# more, so `./twist test` runs them.
{
  pkgs,
  sources,
  nodeModules,
  workers,
}:
{
  edge-tests =
    pkgs.runCommand "edge-tests"
      {
        nativeBuildInputs = [ pkgs.nodejs_22 ];
        TWIST_EDGE_DIST = pkgs.linkFarm "edge-bundles" workers;
        TWIST_NODE_MODULES = "${nodeModules}/node_modules";
      }
      ''
        export HOME=$TMPDIR
        cd ${sources.workspace}
        shopt -s extglob failglob
        node --test --test-skip-pattern='bundling twice' edge/tests/!(vectors).test.mjs
        touch $out
      '';
}
