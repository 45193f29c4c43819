//! The rules of the edge without the Worker: requests, tokens, limits, segments.
