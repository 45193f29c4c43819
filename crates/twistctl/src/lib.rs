//! The one command line of TWIST for developers, operators and auditors.
