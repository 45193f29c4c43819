//! The real programs with the settings of the Compose file, on a real PostgreSQL and Redis.

use super::file::{Compose, complete, path};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use testkit::{OwnPostgres, OwnRedis};
use twistctl::Paths;
use twistctl::build::{Artifacts, build};
use uuid::Uuid;

type Variables = BTreeMap<String, String>;

fn artifacts() -> &'static Artifacts {
    static BUILT: OnceLock<Artifacts> = OnceLock::new();
    BUILT.get_or_init(|| build(&Paths::discover().unwrap()).unwrap())
}

/// The program of a service, with nothing in its environment but what Compose gives it.
fn program(service: &str, mode: &str, environment: &Variables) -> Command {
    let artifacts = artifacts();
    let file: &PathBuf = match service {
        "auth-service" => &artifacts.auth,
        "influencer-api" => &artifacts.api,
        "settlement-worker" => &artifacts.settlement,
        _ => &artifacts.migrate,
    };
    let mut command = Command::new(file);
    command.env_clear().envs(environment).arg(mode);
    command
}

fn says(output: &Output) -> String {
    let both = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8_lossy(&both).into_owned()
}

#[test]
fn every_setting_of_the_file_is_one_that_the_program_knows() {
    let compose = Compose::read();
    for (service, prefix) in [
        ("auth-service", "AUTH"),
        ("influencer-api", "API"),
        ("settlement-worker", "SETTLEMENT"),
    ] {
        let given = compose.environment(service, &complete());
        let check = |environment: &Variables| {
            let mut command = program(service, "check-config", environment);
            command.output().unwrap()
        };
        let output = check(&given);
        assert!(output.status.success(), "{service}: {}", says(&output));
        // The check can fail: for a setting that is not one, and for each that is missing.
        let mut renamed = given.clone();
        renamed.insert(format!("TWIST_{prefix}__RENAMED"), "x".into());
        assert!(!check(&renamed).status.success(), "{service}");
        for required in ["DATABASE__URL", "REDIS__URL"] {
            let mut without = given.clone();
            without
                .remove(&format!("TWIST_{prefix}__{required}"))
                .unwrap();
            assert!(!check(&without).status.success(), "{service}: {required}");
        }
    }
}

/// Ends the process when the test is over.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What stands for the network of the containers: where their names and ports are on this machine.
struct Network(Vec<(String, String)>);

impl Network {
    fn settings(&self, service: &str, variables: &Variables) -> Variables {
        let mut settings = Compose::read().environment(service, variables);
        for value in settings.values_mut() {
            for (inside, here) in &self.0 {
                *value = value.replace(inside, here);
            }
        }
        settings
    }
}

/// Below the ports that the kernel gives to outgoing connections, which would take it before it is used.
fn free_port() -> u16 {
    loop {
        let [high, low, ..] = *Uuid::new_v4().as_bytes();
        let port = 10_000 + u16::from_be_bytes([high, low]) % 20_000;
        if TcpListener::bind(("0.0.0.0", port)).is_ok() {
            return port;
        }
    }
}

async fn admin(postgres: &OwnPostgres) -> DatabaseConnection {
    Database::connect(&postgres.admin_url).await.unwrap()
}

/// A cluster as the image makes it: one superuser, no role and no database of ours.
async fn bare() -> OwnPostgres {
    let postgres = OwnPostgres::new().await;
    let db = admin(&postgres).await;
    let template = postgres.owner_url.rsplit('/').next().unwrap().to_owned();
    db.execute_unprepared(&format!("DROP DATABASE {template} WITH (FORCE)"))
        .await
        .unwrap();
    db.execute_unprepared("DROP ROLE twist, twist_owner, twist_app")
        .await
        .unwrap();
    db.close().await.unwrap();
    postgres
}

/// The script that the image of PostgreSQL runs.
fn make_roles(postgres: &OwnPostgres, variables: &Variables) {
    let (login, _) = postgres.admin_url.split_once('@').unwrap();
    let password = login.rsplit(':').next().unwrap();
    let environment = Compose::read().environment("postgres", variables);
    let output = Command::new(path("containers/postgres-init.sh"))
        .envs(environment)
        .env("PGHOST", "127.0.0.1")
        .env("PGPORT", postgres.port().to_string())
        .env("PGPASSWORD", password)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", says(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_programs_become_ready_with_the_roles_and_settings_of_the_containers() {
    let (postgres, redis) = (bare().await, OwnRedis::new().await);
    let mut variables = complete();
    // The one secret that was chosen before: that of the Redis that is here.
    let (login, _) = redis.url.split_once('@').unwrap();
    let password = login.rsplit(':').next().unwrap().to_owned();
    variables.insert("TWIST_REDIS_PASSWORD".into(), password);
    make_roles(&postgres, &variables);
    // Once more, as somebody does who changes a password.
    variables.insert("TWIST_DB_APP_PASSWORD".into(), "another0password".into());
    make_roles(&postgres, &variables);

    let [auth, api, auth_ops, api_ops, settlement, settlement_ops] = [(); 6].map(|()| free_port());
    let here = |port: u16| format!("127.0.0.1:{port}");
    let network = Network(vec![
        (
            "@postgres:5432".into(),
            format!("@{}", here(postgres.port())),
        ),
        ("@redis:6379".into(), format!("@{}", here(redis.port()))),
        ("//auth-service:3001".into(), format!("//{}", here(auth))),
        ("0.0.0.0:3001".into(), format!("0.0.0.0:{auth}")),
        ("0.0.0.0:3003".into(), format!("0.0.0.0:{api}")),
        ("0.0.0.0:9101".into(), here(auth_ops)),
        ("0.0.0.0:9103".into(), here(api_ops)),
        ("0.0.0.0:3005".into(), here(settlement)),
        ("0.0.0.0:9105".into(), here(settlement_ops)),
    ]);

    let settings = network.settings("migrate", &variables);
    let migrated = program("migrate", "up", &settings).output().unwrap();
    assert!(migrated.status.success(), "{}", says(&migrated));

    let mut running = Vec::new();
    for service in ["auth-service", "influencer-api", "settlement-worker"] {
        let settings = network.settings(service, &variables);
        let probe = || program(service, "probe", &settings).output().unwrap();
        assert!(!probe().status.success(), "{service} before it runs");
        let child = program(service, "serve", &settings)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        running.push(Running(child));
        let until = Instant::now() + Duration::from_secs(30);
        let mut last = probe();
        while !last.status.success() {
            assert!(Instant::now() < until, "{service}: {}", says(&last));
            tokio::time::sleep(Duration::from_millis(100)).await;
            last = probe();
        }
    }

    // The role of the services reads and writes rows, and changes no table.
    let url = &network.settings("auth-service", &variables)["TWIST_AUTH__DATABASE__URL"];
    let app = Database::connect(url).await.unwrap();
    app.execute_unprepared("SELECT count(*) FROM users")
        .await
        .unwrap();
    for forbidden in ["CREATE TABLE x ()", "DROP TABLE users", "CREATE ROLE x"] {
        assert!(
            app.execute_unprepared(forbidden).await.is_err(),
            "{forbidden}"
        );
    }
}
