-- A session that is long over is removed; one that nobody ended is found by when it expired.
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
GRANT DELETE ON sessions TO twist_app;
