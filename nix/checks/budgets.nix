# Sizes of everything that is released, against the figures that were agreed on.
{
  pkgs,
  twistctl,
  release,
}:
{
  budgets = pkgs.runCommand "budgets" { nativeBuildInputs = [ twistctl ]; } ''
    twistctl budgets --dist ${release} --budgets ${../../budgets.toml} | tee $out
  '';
}
