# Which files each derivation can see. Editing anything outside its set rebuilds nothing.
{ lib }:
let
  inherit (lib) fileset;

  root = ../..;
  inherit (lib.importTOML (root + "/Cargo.toml")) workspace;

  # "services/*" and "edge/core" alike, as folders relative to the root.
  expand =
    pattern:
    if lib.hasSuffix "/*" pattern then
      let
        parent = lib.removeSuffix "/*" pattern;
        isCrate = name: _kind: lib.pathExists (root + "/${parent}/${name}/Cargo.toml");
      in
      map (name: "${parent}/${name}") (
        lib.attrNames (lib.filterAttrs isCrate (builtins.readDir (root + "/${parent}")))
      )
    else
      [ pattern ];

  # Crate name to { folder, manifest }.
  crates = lib.listToAttrs (
    map (
      folder:
      let
        manifest = lib.importTOML (root + "/${folder}/Cargo.toml");
      in
      lib.nameValuePair manifest.package.name { inherit folder manifest; }
    ) (lib.concatMap expand workspace.members)
  );

  # The workspace's own crates that `name` is compiled with.
  needs =
    name:
    let
      inherit (crates.${name}) manifest;
      tables = [ manifest ] ++ lib.attrValues (manifest.target or { });
      named = table: lib.attrNames ((table.dependencies or { }) // (table.build-dependencies or { }));
    in
    lib.filter (dependency: crates ? ${dependency}) (lib.concatMap named tables);

  closure =
    name:
    map (item: item.key) (
      lib.genericClosure {
        startSet = [ { key = name; } ];
        operator = item: map (key: { inherit key; }) (needs item.key);
      }
    );

  folderOf = name: root + "/${crates.${name}.folder}";
  lock = fileset.unions [
    (root + "/Cargo.toml")
    (root + "/Cargo.lock")
  ];
  prose = fileset.fileFilter (file: file.hasExt "md" || file.hasExt "nix") root;
  toSource =
    files:
    fileset.toSource {
      inherit root;
      fileset = files;
    };
in
{
  inherit crates;
  inherit (workspace.package) version;

  # What is compiled into `name`: its folder and those of the crates beneath it, without their tests.
  program =
    name:
    let
      compiled =
        crate: fileset.difference (folderOf crate) (fileset.maybeMissing (folderOf crate + "/tests"));
    in
    toSource (fileset.difference (fileset.unions ([ lock ] ++ map compiled (closure name))) prose);

  # Every crate with its tests, and the files that tests and checks read. Of prose only what the tests compare with
  # the code.
  workspace = toSource (
    fileset.union
      (fileset.unions [
        (root + "/docs/reference/access")
        (root + "/docs/reference/config")
        (root + "/docs/reference/realtime.md")
        (root + "/docs/runbooks")
      ])
      (
        fileset.difference (fileset.unions [
          lock
          (root + "/clippy.toml")
          (root + "/rustfmt.toml")
          (root + "/deny.toml")
          (root + "/budgets.toml")
          (root + "/rust-toolchain.toml")
          (root + "/crates")
          (root + "/edge")
          (root + "/services")
          (root + "/tests")
          (fileset.maybeMissing (root + "/docs/reference"))
        ]) prose
      )
  );

  # What the checks of formatting, scripts and configuration read.
  repository = toSource (
    fileset.unions [
      (root + "/twist")
      (root + "/.ci/run")
      (root + "/.env.backend.example")
      (root + "/rustfmt.toml")
      (fileset.fileFilter (
        file:
        lib.any file.hasExt [
          "rs"
          "nix"
          "sh"
          "yml"
          "yaml"
        ]
      ) root)
    ]
  );
}
