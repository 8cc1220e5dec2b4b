//! base64url without padding (RFC 4648 section 5) and SHA-256.
//!
//! The decoder accepts canonical text only: two texts never decode to the same bytes.

use base64ct::{Base64UrlUnpadded, Encoding};
use ring::digest;

/// Bytes as base64url.
pub fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// The bytes of base64url text; `None` when it is not canonical.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(text).ok()
}

/// The SHA-256 digest.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}
