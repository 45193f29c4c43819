//! Real PostgreSQL and Redis for tests, a database per test, fault tools.
