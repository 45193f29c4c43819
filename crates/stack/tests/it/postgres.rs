//! PostgreSQL.

use crate::folder;
use stack::{Durability, Passwords, Postgres, PostgresSpec, free_port};
use std::path::Path;
use std::process::Command;

fn start(folder: &Path, passwords: &Passwords) -> Postgres {
    Postgres::start(
        PostgresSpec {
            folder: folder.join("pg"),
            port: free_port().unwrap(),
            passwords: passwords.clone(),
            durability: Durability::Durable,
            log: folder.join("pg.log"),
        },
        None,
    )
    .unwrap()
}

fn login(postgres: &Postgres, user: &str, password: &str) -> bool {
    Command::new("psql")
        .args([
            "-h",
            "127.0.0.1",
            "-U",
            user,
            "-d",
            "twist",
            "-c",
            "select 1",
            "-w",
            "-p",
        ])
        .arg(postgres.port().to_string())
        .env("PGPASSWORD", password)
        .output()
        .unwrap()
        .status
        .success()
}

#[test]
fn a_killed_cluster_comes_back_with_what_was_committed() {
    let folder = folder();
    let passwords = Passwords::generate().unwrap();
    let mut postgres = start(folder.path(), &passwords);
    postgres.make_database("twist", None).unwrap();
    postgres
        .sql("twist", "create table t(n int); insert into t values (7)")
        .unwrap();
    postgres.process.kill();
    assert!(postgres.sql("twist", "select n from t").is_err());
    postgres.start_again().unwrap();
    assert_eq!(
        postgres.sql("twist", "select n from t").unwrap().trim(),
        "7"
    );
    drop(postgres);
    // And by a new owner, as a second `up` does.
    let postgres = start(folder.path(), &passwords);
    postgres.make_database("twist", None).unwrap();
    assert_eq!(
        postgres.sql("twist", "select n from t").unwrap().trim(),
        "7"
    );
}

#[test]
fn nobody_else_on_the_machine_can_log_in() {
    let folder = folder();
    let passwords = Passwords::generate().unwrap();
    let postgres = start(folder.path(), &passwords);
    postgres.make_database("twist", None).unwrap();
    assert!(login(&postgres, "twist", &passwords.app));
    assert!(login(&postgres, "twist_owner", &passwords.owner));
    assert!(!login(&postgres, "twist", "guess"));
    assert!(!login(&postgres, "twist_admin", ""));
    assert!(!login(&postgres, "twist_app", ""));
}

#[test]
fn the_services_role_may_not_change_the_schema() {
    let folder = folder();
    let passwords = Passwords::generate().unwrap();
    let postgres = start(folder.path(), &passwords);
    postgres.make_database("twist", None).unwrap();
    let refused = postgres
        .sql("twist", "set role twist; create table mine(n int)")
        .unwrap_err();
    assert!(
        refused.to_string().contains("permission denied"),
        "{refused}"
    );
    postgres
        .sql("twist", "set role twist_owner; create table ours(n int)")
        .unwrap();
}

#[test]
fn data_of_another_version_is_named_and_not_touched() {
    let folder = folder();
    let data = folder.path().join("pg/data");
    std::fs::create_dir_all(&data).unwrap();
    std::fs::write(data.join("PG_VERSION"), "9\n").unwrap();
    let error = Postgres::start(
        PostgresSpec {
            folder: folder.path().join("pg"),
            port: free_port().unwrap(),
            passwords: Passwords::generate().unwrap(),
            durability: Durability::Durable,
            log: folder.path().join("pg.log"),
        },
        None,
    )
    .unwrap_err();
    assert!(error.to_string().contains("is of PostgreSQL 9"), "{error}");
    assert!(data.join("PG_VERSION").exists());
}
