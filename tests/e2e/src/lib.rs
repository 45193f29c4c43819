//! Journeys and fault tests over the whole running platform.
