//! Double-entry ledger on PostgreSQL: accounts, postings, checks.
