//! Passwords that nobody has to know.

use crate::StackError;
use std::io;
use std::path::Path;

/// `bytes` random bytes of the system, as lower-case hex.
pub fn random_hex(bytes: usize) -> Result<String, StackError> {
    let mut buffer = vec![0u8; bytes];
    getrandom::fill(&mut buffer)
        .map_err(io::Error::other)
        .map_err(StackError::io("read", Path::new("/dev/urandom")))?;
    Ok(hex::encode(buffer))
}
