//! What every container has, and what none may have.

use super::file::{Compose, OURS, path, references, text};
use serde_json::{Value, json};
use std::io::Write;
use std::process::Command;

#[test]
fn a_container_that_dies_or_hangs_is_noticed_and_started_again() {
    for (name, service) in Compose::read().services() {
        if name == "migrate" {
            // It runs once; the others wait until it has worked.
            assert_eq!(service["restart"], "no");
            assert!(service.get("healthcheck").is_none());
            continue;
        }
        assert_eq!(service["restart"], "unless-stopped", "{name}");
        let check = service["healthcheck"].as_object().unwrap();
        for time in ["interval", "timeout", "start_period", "retries"] {
            assert!(check.contains_key(time), "{name}: {time}");
        }
        // Ours take the test of the image.
        let own = OURS.contains(&name.as_str());
        assert_eq!(check.contains_key("test"), !own, "{name}");
    }
    let image = text("nix/packages/images.nix");
    assert!(image.contains("Healthcheck") && image.contains("\"probe\""));
}

#[test]
fn a_service_waits_for_its_database_and_for_the_migrations() {
    let compose = Compose::read();
    for name in ["auth-service", "influencer-api", "settlement-worker"] {
        let waits = &compose.service(name)["depends_on"];
        assert_eq!(
            waits["migrate"]["condition"],
            "service_completed_successfully"
        );
        assert_eq!(waits["redis"]["condition"], "service_healthy");
    }
    let waits = &compose.service("migrate")["depends_on"];
    assert_eq!(waits["postgres"]["condition"], "service_healthy");
}

#[test]
fn no_database_can_be_reached_from_outside() {
    let compose = Compose::read();
    assert_eq!(compose.0["networks"]["inside"]["internal"], true);
    for name in ["postgres", "redis", "migrate", "settlement-worker"] {
        let service = compose.service(name);
        assert!(service.get("ports").is_none(), "{name}");
        assert!(service.get("network_mode").is_none(), "{name}");
        assert_eq!(service["networks"], json!(["inside"]), "{name}");
    }
    for name in ["auth-service", "influencer-api"] {
        let service = compose.service(name);
        let ports = service["ports"].as_array().unwrap();
        let [port] = ports.as_slice() else {
            panic!("{name}: only the public port, not the one for metrics");
        };
        let port = port.as_str().unwrap();
        assert!(port.starts_with("${TWIST_BIND:-127.0.0.1}:"), "{name}");
    }
}

#[test]
fn a_container_that_is_broken_into_can_do_little() {
    for (name, service) in Compose::read().services() {
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(service["cap_drop"], json!(["ALL"]), "{name}");
        let options = json!(["no-new-privileges:true"]);
        assert_eq!(service["security_opt"], options, "{name}");
        for forbidden in ["privileged", "cap_add", "pid", "ipc", "devices"] {
            assert!(service.get(forbidden).is_none(), "{name}: {forbidden}");
        }
        let limits = &service["deploy"]["resources"]["limits"];
        for limit in ["cpus", "memory", "pids"] {
            assert!(!limits[limit].is_null(), "{name}: {limit}");
        }
        // Our images name a user of their own.
        let own = OURS.contains(&name.as_str());
        assert!(own || service["user"] == name, "{name} runs as root");
        assert!(!service.to_string().contains("docker.sock"), "{name}");
    }
    assert!(text("nix/packages/images.nix").contains("User = \"65532:65532\""));
}

#[test]
fn the_images_are_those_that_the_flake_makes_and_others_are_pinned() {
    let outputs = text("nix/packages/images.nix");
    assert!(outputs.contains("name = \"twist/${name}\""));
    assert!(outputs.contains("\"oci-${name}\""));
    for (name, service) in Compose::read().services() {
        let image = service["image"].as_str().unwrap();
        let (repository, tag) = image.split_once(':').unwrap();
        if let Some(output) = repository.strip_prefix("twist/") {
            let defined = outputs
                .lines()
                .any(|line| line.trim_start().starts_with(&format!("{output} = ")));
            assert!(defined, "the flake has no oci-{output}");
            assert_eq!(references(tag).len(), 1, "{image}");
            // A stranger may own the name elsewhere, and would be given the passwords.
            assert_eq!(service["pull_policy"], "never", "{image}");
            assert!(tag.starts_with("${TWIST_TAG:?"), "{image}");
        } else {
            let version = tag.split('-').next().unwrap();
            let is_number = |part: &str| part.parse::<u32>().is_ok();
            assert!(version.contains('.'), "{name}: {image} is not one version");
            assert!(version.split('.').all(is_number), "{name}: {image}");
        }
    }
}

#[test]
fn every_file_that_is_mounted_is_in_the_repository_and_read_only() {
    for (name, service) in Compose::read().services() {
        let volumes = service.get("volumes").and_then(Value::as_array).cloned();
        for volume in volumes.unwrap_or_default() {
            let volume = volume.as_str().unwrap();
            let Some(mount) = volume.strip_prefix("./") else {
                continue;
            };
            assert!(mount.ends_with(":ro"), "{name}: {volume}");
            assert!(path(mount.split(':').next().unwrap()).is_file(), "{volume}");
        }
    }
}

/// Compose itself, where it is installed; without it this shows only that it is not.
#[test]
fn compose_takes_the_file() {
    let standalone = Command::new("docker-compose").arg("version").output();
    let plugin = Command::new("docker").args(["compose", "version"]).output();
    let mut command = if standalone.is_ok_and(|output| output.status.success()) {
        Command::new("docker-compose")
    } else if plugin.is_ok_and(|output| output.status.success()) {
        let mut command = Command::new("docker");
        command.arg("compose");
        command
    } else {
        // Past the capture of the test harness, so that it is seen.
        let what = "compose_takes_the_file: not run, Compose is not installed";
        let _ = writeln!(std::io::stderr(), "{what}");
        return;
    };
    let variables = super::file::complete();
    let file = path("docker-compose.backend.yml");
    command.arg("--file").arg(&file).args(["config", "--quiet"]);
    let output = command.envs(&variables).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let missing = command.env("TWIST_REDIS_PASSWORD", "").output().unwrap();
    assert!(!missing.status.success(), "an empty secret was taken");
}
