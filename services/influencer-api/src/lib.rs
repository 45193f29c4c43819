//! Accounts, devices, rewards; ingest of accepted VAUs.
