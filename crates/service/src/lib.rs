//! The HTTP shell that every service shares: server, errors, token verification, configuration.
