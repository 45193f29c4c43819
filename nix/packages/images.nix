# Container images: the program, what it is linked to and the public certificate authorities; no shell, no root.
{
  pkgs,
  lib,
  services,
  source,
  version,
}:
let
  # What each program is started with, and the ports that it listens on: its own, and the one for metrics and health.
  images = {
    auth-service = {
      command = "serve";
      ports = [
        3001
        9101
      ];
    };
    influencer-api = {
      command = "serve";
      ports = [
        3003
        9103
      ];
    };
    settlement-worker = {
      command = "serve";
      ports = [
        3005
        9105
      ];
    };
    # Ends when the schema is there, so there is nothing to probe.
    twist-migrate = {
      command = "up";
      ports = [ ];
    };
  };

  # "20260803051626" to RFC 3339.
  created =
    let
      part = start: length: lib.substring start length source.modified;
    in
    "${part 0 4}-${part 4 2}-${part 6 2}T${part 8 2}:${part 10 2}:${part 12 2}Z";

  # Nanoseconds, as Docker counts.
  seconds = count: count * 1000000000;

  configOf =
    program:
    { command, ports }:
    {
      Entrypoint = [ (lib.getExe program) ];
      Cmd = [ command ];
      User = "65532:65532";
      Env = [
        "SSL_CERT_FILE=${pkgs.cacert}/etc/ssl/certs/ca-bundle.crt"
      ]
      ++ lib.optional (source.revision != null) "TWIST_REVISION=${source.revision}";
      Labels = lib.mapAttrs' (key: lib.nameValuePair "org.opencontainers.image.${key}") (
        {
          inherit version created;
          inherit (program.meta) description;
          title = program.meta.mainProgram;
          licenses = program.meta.license.spdxId;
          source = source.origin;
        }
        // lib.optionalAttrs (source.revision != null) { inherit (source) revision; }
      );
    }
    // lib.optionalAttrs (ports != [ ]) {
      ExposedPorts = lib.genAttrs (map (port: "${toString port}/tcp") ports) (_port: { });
      Healthcheck = {
        Test = [
          "CMD"
          (lib.getExe program)
          "probe"
        ];
        Interval = seconds 10;
        Timeout = seconds 5;
        StartPeriod = seconds 30;
        Retries = 3;
      };
    };

  imageOf =
    name: image:
    let
      program = services.${name};
      stream = pkgs.dockerTools.streamLayeredImage {
        name = "twist/${name}";
        tag = if source.revision == null then "dirty" else source.revision;
        inherit created;
        config = configOf program image;
        extraCommands = "mkdir -m 1777 tmp";
      };
    in
    pkgs.runCommand "oci-${name}-${version}"
      {
        nativeBuildInputs = [ pkgs.gzip ];
        passthru = {
          kind = "image";
          inherit stream;
        };
        meta = {
          inherit (program.meta) license platforms;
          description = "Container image: ${program.meta.description}";
        };
      }
      ''
        mkdir $out
        ${stream} | gzip --no-name -9 >$out/image.tar.gz
      '';
in
lib.mapAttrs' (name: image: lib.nameValuePair "oci-${name}" (imageOf name image)) images
