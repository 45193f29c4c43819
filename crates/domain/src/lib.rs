//! Ids, money, VAU bytes, reward and sign-in rules: pure, one implementation for native, wasm and SBF.
