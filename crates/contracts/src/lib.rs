//! Every wire type: HTTP, queue, error envelope, token claims.
