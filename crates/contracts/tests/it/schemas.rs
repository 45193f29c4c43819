//! JSON Schemas.

use conformance::additive::{Direction, assert_additive, schemas};
use conformance::reference;
use contracts::Problem;
use contracts::event::{PayoutFact, TierChanged};
use contracts::ingest::{AcceptedGroup, AcceptedVau, EdgeReport, SegmentReceipt, VauSegment};
use contracts::realtime::{ClientFrame, ServerFrame};
use contracts::token::AccessClaims;
use contracts::vau::{BatchAccepted, VauBatch, VauStatus, VauSubmission};
use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde_json::Value;

/// The manifest's schema, which is generated beside its type.
const MANIFEST: &str = "release-v1.schema.json";

/// What is published: the page, which way its values go, the schema.
fn published() -> Vec<(&'static str, Direction, Value)> {
    use Direction::{Request, Response};
    vec![
        ("vau-segment", Request, of::<VauSegment>(Request)),
        ("accepted-vau", Request, of::<AcceptedVau>(Request)),
        ("accepted-group", Request, of::<AcceptedGroup>(Request)),
        ("edge-report", Request, of::<EdgeReport>(Request)),
        ("vau-batch", Request, of::<VauBatch<VauSubmission>>(Request)),
        (
            "vau-batch-accepted",
            Response,
            of::<BatchAccepted>(Response),
        ),
        ("vau-status", Response, of::<VauStatus>(Response)),
        ("segment-receipt", Response, of::<SegmentReceipt>(Response)),
        ("access-claims", Response, of::<AccessClaims>(Response)),
        ("problem", Response, of::<Problem>(Response)),
        ("realtime-client-frame", Request, of::<ClientFrame>(Request)),
        (
            "realtime-server-frame",
            Response,
            of::<ServerFrame>(Response),
        ),
        ("event-tier-changed", Response, of::<TierChanged>(Response)),
        ("event-payout", Response, of::<PayoutFact>(Response)),
    ]
}

/// As whoever writes it must, or as whoever reads it may.
fn of<T: JsonSchema>(direction: Direction) -> Value {
    let settings = SchemaSettings::draft2020_12();
    let settings = match direction {
        Direction::Request => settings.for_deserialize(),
        Direction::Response => settings.for_serialize(),
    };
    let schema: Schema = settings.into_generator().into_root_schema_for::<T>();
    schema.to_value()
}

fn page(name: &str) -> String {
    format!("schemas/{name}.schema.json")
}

#[test]
fn the_published_schemas_are_those_of_the_types() {
    for (name, _, schema) in published() {
        reference::assert_current(&page(name), &schema);
    }
}

#[test]
fn the_published_schemas_only_grow() {
    for (name, direction, schema) in published() {
        let frozen = reference::baseline(&page(name), &schema);
        assert_additive(name, &schemas(direction, &frozen, &schema));
    }
    let manifest = reference::committed(MANIFEST);
    let frozen = reference::baseline(MANIFEST, &manifest);
    assert_additive(MANIFEST, &schemas(Direction::Response, &frozen, &manifest));
}
