//! A wallet held in memory.

use crate::ClientError;
use crate::keys::Key;
use contracts::auth::VerifyRequest;
use domain::WalletAddress;

/// A Solana wallet's key pair.
#[derive(Debug, Clone)]
pub struct Wallet(Key);

impl Wallet {
    /// A new wallet.
    pub fn generate() -> Result<Self, ClientError> {
        Key::generate().map(Self)
    }

    /// The wallet with this secret seed.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(Key::from_seed(seed))
    }

    /// The secret seed, to keep the wallet.
    pub fn seed(&self) -> [u8; 32] {
        self.0.seed()
    }

    /// Its address.
    pub fn address(&self) -> WalletAddress {
        WalletAddress::from_bytes(self.0.public())
    }

    /// Signs any bytes.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message)
    }

    /// The body of `POST /auth/verify` for this message, honestly signed.
    pub fn verify_request(&self, message: &str) -> VerifyRequest {
        VerifyRequest {
            wallet_address: self.address(),
            message: message.to_owned(),
            signature: bs58::encode(self.sign(message.as_bytes())).into_string(),
        }
    }
}
