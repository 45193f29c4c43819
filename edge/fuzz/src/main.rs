//! libFuzzer around the target that `TWIST_FUZZ_TARGET` names.
#![no_main]

use std::sync::LazyLock;

static TARGET: LazyLock<Option<&edge_fuzz::Target>> = LazyLock::new(|| {
    let name = std::env::var("TWIST_FUZZ_TARGET").unwrap_or_default();
    edge_fuzz::find(&name)
});

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    // An unknown name must not look like a target that finds nothing.
    assert!(TARGET.is_some(), "TWIST_FUZZ_TARGET names no target");
    if let Some(target) = *TARGET {
        (target.run)(input);
    }
});
