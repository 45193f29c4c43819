use super::*;
use serde_json::Value;
use std::collections::BTreeSet;

fn listed() -> Value {
    serde_json::from_str(include_str!("../../bindings.json")).unwrap()
}

fn worker(name: &str) -> Value {
    let listed = listed();
    let workers = listed["workers"].as_array().unwrap();
    workers.iter().find(|w| w["name"] == name).unwrap().clone()
}

fn names(list: &Value, key: &str) -> BTreeSet<String> {
    let of = |item: &Value| item[key].as_str().unwrap().to_owned();
    list.as_array().unwrap().iter().map(of).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|n| (*n).to_owned()).collect()
}

#[test]
fn no_binding_is_used_that_a_deployment_would_not_make() {
    let own = worker(WORKER);
    assert_eq!(names(&own["vars"], "name"), set(&VARS));
    assert_eq!(names(&own["secrets"], "name"), set(&SECRETS));
    assert_eq!(
        names(&own["durableObjects"], "binding"),
        set(&[SHARD, AUDIT_LOG, COHORT_CENSUS])
    );
    assert_eq!(
        names(&own["durableObjects"], "class"),
        set(&[SHARD_CLASS, AUDIT_LOG_CLASS, COHORT_CENSUS_CLASS])
    );
    assert_eq!(
        names(&own["queues"], "binding"),
        set(&[QUEUE, REWARD_QUEUE, ANALYTICS_QUEUE])
    );
    assert_eq!(names(&own["r2"], "binding"), set(&[AUDIT_LOGS]));

    let front = worker(guard::WORKER);
    assert_eq!(names(&front["vars"], "name"), set(&guard::VARS));
    assert_eq!(names(&front["secrets"], "name"), set(&guard::SECRETS));
    let object = |key| names(&front["durableObjects"], key);
    assert_eq!(object("binding"), set(&[guard::LIMITER, guard::AUDIT_LOG]));
    assert!(object("class").contains(guard::LIMITER_CLASS));
    assert_eq!(
        names(&front["services"], "binding"),
        set(&[guard::VAU_PROCESSOR])
    );
    assert_eq!(names(&front["services"], "worker"), set(&[WORKER]));
}

#[test]
fn one_worker_answers_the_internet_and_no_object_is_without_storage() {
    let listed = listed();
    let workers = listed["workers"].as_array().unwrap();
    let routed: Vec<&Value> = workers.iter().filter(|w| w["routed"] == true).collect();
    assert_eq!(routed.len(), 1);
    assert_eq!(routed[0]["name"], guard::WORKER);

    let made = listed["migrations"].as_array().unwrap().iter();
    let made: BTreeSet<&str> = made
        .flat_map(|migration| migration["newSqliteClasses"].as_array().unwrap())
        .filter_map(Value::as_str)
        .collect();
    for worker in workers {
        for object in worker["durableObjects"].as_array().unwrap() {
            assert!(made.contains(object["class"].as_str().unwrap()), "{object}");
            // The classes are in one script; the other Worker has to name it.
            let own = worker["name"] == WORKER;
            assert_eq!(own, object["script"].is_null(), "{object}");
        }
    }
}

#[test]
fn a_segment_that_cannot_be_delivered_is_not_thrown_away() {
    let own = worker(WORKER);
    let queues = own["queues"].as_array().unwrap();
    for queue in queues {
        let consumer = &queue["consumer"];
        assert!(consumer["maxRetries"].as_u64().unwrap() > 0);
        assert!(consumer["deadLetterQueue"].is_string());
    }
}

#[test]
fn the_listed_defaults_are_those_of_the_code() {
    let vars = worker(WORKER)["vars"].as_array().unwrap().clone();
    let default_of = |name: &str| {
        vars.iter()
            .find(|v| v["name"] == name)
            .and_then(|v| v["default"].as_str().map(str::to_owned))
    };
    let required = |name: &str| match name {
        JWKS_URL => Some("http://127.0.0.1:1/jwks".to_owned()),
        TOKEN_ISSUER | BACKEND_URL => Some("http://127.0.0.1:1".to_owned()),
        BACKEND_KEY_ID | BACKEND_HMAC_SECRET => Some("k".repeat(32)),
        INTEGRATOR_KEYS => Some("{}".to_owned()),
        _ => None,
    };
    let vars = worker(guard::WORKER)["vars"].as_array().unwrap().clone();
    let guard_default = |name: &str| {
        let var = vars.iter().find(|v| v["name"] == name)?;
        var["default"].as_str().map(str::to_owned)
    };
    let secret = |name: &str| (name == guard::CHALLENGE_SECRET).then(|| "k".repeat(32));
    let bare = crate::GuardSettings::read(secret).unwrap();
    let listed = crate::GuardSettings::read(|name| secret(name).or_else(|| guard_default(name)));
    assert_eq!(bare, listed.unwrap());

    let bare = crate::Settings::read(required).unwrap();
    let listed = crate::Settings::read(|name| required(name).or_else(|| default_of(name)));
    assert_eq!(bare, listed.unwrap());
}

#[test]
fn audit_records_are_kept_400_days_segments_30_and_no_longer() {
    let own = worker(WORKER);
    let buckets = own["r2"].as_array().unwrap();
    let bucket = buckets.iter().find(|b| b["binding"] == AUDIT_LOGS).unwrap();
    let expected = serde_json::json!([
        { "prefix": crate::audit::segment::PREFIX, "days": 400 },
        { "prefix": "edge/segments/", "days": 30 },
    ]);
    assert_eq!(bucket["lifecycle"], expected);
}

#[test]
fn the_other_defaults_are_those_of_the_code_too() {
    let vars = worker(WORKER)["vars"].as_array().unwrap().clone();
    let listed = |name: &str| {
        let var = vars.iter().find(|v| v["name"] == name)?;
        var["default"].as_str().map(str::to_owned)
    };
    assert_eq!(
        crate::audit::Config::read(listed),
        crate::audit::Config::read(|_| None)
    );
    assert_eq!(
        crate::attestation::Policy::read(listed),
        crate::attestation::Policy::read(|_| None)
    );
    let secret = |name: &str| (name == COHORT_SECRET).then(|| "s".repeat(16));
    assert_eq!(
        crate::cohort::Config::read(|name| secret(name).or_else(|| listed(name))),
        crate::cohort::Config::read(secret)
    );
}
