//! `edge/terraform` makes what `edge/bindings.json` asks for, within the free plan.

use hcl::{Body, Expression, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use twistctl::edge::bindings::Bindings;

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../edge/terraform")
}

pub(crate) fn list() -> PathBuf {
    folder().join("../bindings.json")
}

/// Every file of a module, as one body.
pub(crate) fn module(name: &str) -> Body {
    let mut structures = Vec::new();
    for entry in fs::read_dir(folder().join(name)).unwrap() {
        let path = entry.unwrap().path();
        let is_code = path
            .extension()
            .is_some_and(|ending| ending == "tf" || ending == "tofu");
        if is_code {
            let text = fs::read_to_string(&path).unwrap();
            let body: Body =
                hcl::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            structures.extend(body);
        }
    }
    Body::from(structures)
}

/// The attributes that the provider documents: (type, required, optional).
const PROVIDER: [(&str, &[&str], &[&str]); 10] = [
    (
        "cloudflare_dns_record",
        &["zone_id", "name", "type", "ttl"],
        &["content", "proxied"],
    ),
    (
        "cloudflare_queue",
        &["queue_name"],
        &["account_id", "settings"],
    ),
    (
        "cloudflare_queue_consumer",
        &["account_id", "queue_id", "type"],
        &["dead_letter_queue", "script_name", "settings"],
    ),
    (
        "cloudflare_r2_bucket",
        &["name"],
        &["account_id", "jurisdiction", "location", "storage_class"],
    ),
    (
        "cloudflare_r2_bucket_lifecycle",
        &["account_id", "bucket_name"],
        &["jurisdiction", "rules"],
    ),
    (
        "cloudflare_ruleset",
        &["kind", "name", "phase"],
        &["account_id", "description", "rules", "zone_id"],
    ),
    (
        "cloudflare_workers_cron_trigger",
        &["schedules", "script_name"],
        &["account_id"],
    ),
    (
        "cloudflare_workers_kv_namespace",
        &["title"],
        &["account_id"],
    ),
    (
        "cloudflare_workers_route",
        &["pattern"],
        &["script", "zone_id"],
    ),
    (
        "cloudflare_workers_script_subdomain",
        &["enabled", "script_name"],
        &["account_id", "previews_enabled"],
    ),
];
const OF_THE_LANGUAGE: [&str; 3] = ["for_each", "depends_on", "provider"];

/// Stands in for `validate` where the provider cannot be had.
#[test]
fn resources_have_the_attributes_that_the_provider_documents() {
    let mut seen = BTreeSet::new();
    for name in ["environment", "zone", "publish"] {
        let body = module(name);
        for block in body
            .blocks()
            .filter(|block| block.identifier() == "resource")
        {
            let kind = block.labels()[0].as_str();
            if kind == "terraform_data" {
                continue;
            }
            let known = PROVIDER.iter().find(|(name, _, _)| *name == kind);
            let (_, required, optional) =
                known.unwrap_or_else(|| panic!("{kind} is not in the list"));
            let given: BTreeSet<&str> =
                block.body().attributes().map(hcl::Attribute::key).collect();
            for attribute in *required {
                assert!(given.contains(attribute), "{kind} needs {attribute}");
            }
            for attribute in given {
                let good = required.contains(&attribute)
                    || optional.contains(&attribute)
                    || OF_THE_LANGUAGE.contains(&attribute);
                assert!(good, "{kind} has no {attribute}");
            }
            seen.insert(kind.to_owned());
        }
    }
    assert_eq!(
        seen.len(),
        PROVIDER.len(),
        "a resource of the list is not made: {seen:?}"
    );
}

#[test]
fn everything_is_made_from_the_one_list() {
    let body = module("environment");
    let mut sources = BTreeMap::new();
    for block in body
        .blocks()
        .filter(|block| block.identifier() == "resource")
    {
        let mut attributes = block.body().attributes();
        let each = attributes.find(|attribute| attribute.key() == "for_each");
        let each = each.map(|each| hcl::format::to_string(each.expr()).unwrap());
        sources.insert(
            block.labels()[0].as_str().to_owned() + "." + block.labels()[1].as_str(),
            each,
        );
    }
    let expected = [
        ("cloudflare_queue.queue", "local.queues"),
        ("cloudflare_queue_consumer.worker", "local.consumers"),
        ("cloudflare_queue_consumer.dead", "local.dead"),
        ("cloudflare_r2_bucket.bucket", "local.buckets"),
        (
            "cloudflare_workers_kv_namespace.namespace",
            "local.namespaces",
        ),
        ("cloudflare_workers_cron_trigger.cron", "local.crons"),
        ("cloudflare_workers_route.host", "toset(local.routed)"),
        ("cloudflare_workers_script_subdomain.none", "local.scripts"),
    ];
    for (resource, source) in expected {
        assert_eq!(sources[resource].as_deref(), Some(source), "{resource}");
    }
    let text = fs::read_to_string(folder().join("environment/names.tf")).unwrap();
    assert!(text.contains("jsondecode(file(\"${path.module}/../../bindings.json\"))"));
}

#[test]
fn both_environments_fit_into_one_free_account() {
    let list = Bindings::load(&list()).unwrap();
    let environments = 2;
    let crons: usize = list.workers.iter().map(|worker| worker.crons.len()).sum();
    assert!(crons * environments <= 5, "an account has five crons");
    assert!(list.workers.len() * environments <= 100);
    for worker in &list.workers {
        assert!(
            worker.vars.len() + worker.secrets.len() <= 64,
            "{}",
            worker.name
        );
    }
    let raw: serde_json::Value = serde_json::from_slice(&fs::read(self::list()).unwrap()).unwrap();
    let mut days = 0;
    for worker in raw["workers"].as_array().unwrap() {
        for queue in worker["queues"].as_array().unwrap() {
            let consumer = &queue["consumer"];
            let at_most = |member: &str, most: u64| {
                assert!(consumer[member].as_u64().unwrap() <= most, "{member}");
            };
            at_most("maxBatchSize", 100);
            at_most("maxBatchTimeoutSeconds", 60);
            at_most("maxRetries", 100);
            at_most("retryDelaySeconds", 43_200);
            // Without one, messages whose retries are used up are deleted.
            assert!(consumer["deadLetterQueue"].is_string(), "{queue}");
        }
        for bucket in worker["r2"].as_array().unwrap() {
            let rules = bucket["lifecycle"].as_array().unwrap();
            days += rules
                .iter()
                .filter(|rule| rule["days"].as_u64().unwrap() > 0)
                .count();
        }
    }
    assert!(days > 0, "nothing is ever deleted");
    let retention = variable(&module("environment"), "retention_seconds");
    assert!(retention.is_null(), "on the free plan it cannot be chosen");
}

/// A variable's default.
fn variable(body: &Body, name: &str) -> serde_json::Value {
    let mut blocks = body.blocks();
    let block =
        blocks.find(|block| block.identifier() == "variable" && block.labels()[0].as_str() == name);
    let mut attributes = block.unwrap().body().attributes();
    let default = attributes
        .find(|attribute| attribute.key() == "default")
        .unwrap();
    let value: Value = default.expr().clone().into();
    serde_json::to_value(&value).unwrap()
}

#[test]
fn the_zones_rules_are_those_of_the_free_plan_and_made_in_one_place() {
    let text = fs::read_to_string(folder().join("zone/rules.tf")).unwrap();
    let refs: Vec<&str> = text
        .split("ref         = \"twist_")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let unique: BTreeSet<&&str> = refs.iter().collect();
    assert_eq!(refs.len(), unique.len());
    // One of them is the rate limit's.
    assert!(refs.len() - 1 <= 5, "{refs:?}");
    for word in ["matches", " ~ "] {
        assert!(
            !text.contains(word),
            "the free plan has no regular expressions"
        );
    }
    let body = module("zone");
    let rulesets: Vec<&hcl::Block> = body
        .blocks()
        .filter(|block| {
            block.identifier() == "resource" && block.labels()[0].as_str() == "cloudflare_ruleset"
        })
        .collect();
    let attribute = |block: &hcl::Block, name: &str| {
        let mut attributes = block.body().attributes();
        attributes
            .find(|attribute| attribute.key() == name)
            .unwrap()
            .expr()
            .clone()
    };
    let phases: BTreeSet<String> = rulesets
        .iter()
        .map(|block| attribute(block, "phase").to_string())
        .collect();
    assert_eq!(phases.len(), 2, "one of each phase: {phases:?}");
    let limit = rulesets
        .iter()
        .find(|block| block.labels()[1].as_str() == "rate_limit")
        .unwrap();
    let Expression::Array(rules) = attribute(limit, "rules") else {
        panic!("the rate limits are no list")
    };
    assert_eq!(rules.len(), 1, "the free plan has one");
    let rule = hcl::format::to_string(&rules[0]).unwrap();
    for part in [
        "\"cf.colo.id\"",
        "\"ip.src\"",
        "period = 10",
        "\"mitigation_timeout\" = 10",
    ] {
        let plain = part.replace('"', "");
        assert!(rule.replace('"', "").contains(&plain), "{part}: {rule}");
    }
    assert!(
        !rule.contains("http.host"),
        "the free plan counts by path alone"
    );
    let environment = module("environment");
    let there = environment.blocks().any(|block| {
        block
            .labels()
            .first()
            .is_some_and(|label| label.as_str() == "cloudflare_ruleset")
    });
    assert!(!there, "environments would undo one another's rules");
}
