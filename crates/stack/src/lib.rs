//! Runs PostgreSQL, Redis and our own processes on this machine.
