//! Passwords: one text becomes one hash, and a hash says whether a text was it.
//!
//! - Hashes are argon2id with 19 MiB, two passes, one lane (RFC 9106 with OWASP's parameters), as PHC strings.
//! - A password is normalized to NFKC (Unicode annex 15) before it is hashed, as NIST SP 800-63B asks: the same
//!   characters typed on two keyboards are the same password. All of its bytes count.
//! - bcrypt hashes and argon2 hashes of other parameters are accepted for verifying, so that users can be brought
//!   along; the first login with one says [`Verdict::RightButOld`].
//!
//! These functions take tens of milliseconds: they run on the hashing pool's threads and nowhere else.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use types::{Error, Result};
use unicode_normalization::UnicodeNormalization;

/// Memory in KiB, passes, lanes.
const COST: (u32, u32, u32) = (19_456, 2, 1);

/// The most that an imported hash may cost: memory in KiB, passes, lanes.
const IMPORTED_COST_MAX: (u32, u32, u32) = (262_144, 10, 8);

/// The highest bcrypt cost (a power of two) that an imported hash may have.
const BCRYPT_COST_MAX: u32 = 14;

/// The longest password that bcrypt tells from another, in bytes.
const BCRYPT_BYTES_MAX: usize = 72;

/// A hash of no password: verified when there is no user, so that the answer takes as long as when there is one.
pub const DUMMY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// What a hash says about a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is another one.
    Wrong,
    /// It is the one.
    Right,
    /// It is the one; the hash should be made anew.
    RightButOld,
}

impl Verdict {
    /// Whether the password is the one.
    pub fn is_right(self) -> bool {
        self != Verdict::Wrong
    }
}

/// The form of a password that is hashed: NFKC.
pub fn normalize(password: &str) -> String {
    password.nfkc().collect()
}

/// Hashes a password with 16 random bytes of salt.
///
/// # Errors
/// `XX000` when there is not enough memory.
pub fn hash(password: &str, salt: [u8; 16]) -> Result<String> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None).map_err(Error::internal)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash =
        argon2.hash_password_with_salt(normalize(password).as_bytes(), &salt).map_err(Error::internal)?;
    Ok(hash.to_string())
}

/// Whether a hash is a password's. A hash that cannot be read is nobody's.
pub fn verify(password: &str, stored: &str) -> Verdict {
    if is_bcrypt(stored) {
        return verify_bcrypt(password, stored);
    }
    let Ok(hash) = PasswordHash::new(stored) else { return Verdict::Wrong };
    let Some(cost) = affordable(&hash) else { return Verdict::Wrong };
    if Argon2::default().verify_password(normalize(password).as_bytes(), &hash).is_err() {
        return Verdict::Wrong;
    }
    let is_current = hash.algorithm.as_str() == "argon2id" && cost.0 >= COST.0 && cost.1 >= COST.1;
    if is_current { Verdict::Right } else { Verdict::RightButOld }
}

/// bcrypt cuts passwords at 72 bytes: a longer one is never right. Bytes are taken as they come, since those who made
/// the hash did so.
fn verify_bcrypt(password: &str, stored: &str) -> Verdict {
    if password.len() > BCRYPT_BYTES_MAX || !is_importable(stored) {
        return Verdict::Wrong;
    }
    match bcrypt::verify(password, stored) {
        Ok(true) => Verdict::RightButOld,
        Ok(false) | Err(_) => Verdict::Wrong,
    }
}

fn is_bcrypt(stored: &str) -> bool {
    ["$2a$", "$2b$", "$2y$"].iter().any(|prefix| stored.starts_with(prefix))
}

/// The cost of an argon2 hash, when we are willing to pay it.
fn affordable(hash: &PasswordHash) -> Option<(u32, u32, u32)> {
    if !["argon2id", "argon2i"].contains(&hash.algorithm.as_str())
        || hash.hash.is_none()
        || hash.salt.is_none()
    {
        return None;
    }
    let params = Params::try_from(hash).ok()?;
    let cost = (params.m_cost(), params.t_cost(), params.p_cost());
    let (memory, passes, lanes) = IMPORTED_COST_MAX;
    (cost.0 <= memory && cost.1 <= passes && cost.2 <= lanes).then_some(cost)
}

/// Whether a hash from elsewhere can be verified here: bcrypt, argon2id or argon2i, at a bearable cost.
pub fn is_importable(stored: &str) -> bool {
    if is_bcrypt(stored) {
        let cost = stored.get(4..6).and_then(|cost| cost.parse::<u32>().ok());
        return stored.len() == 60 && cost.is_some_and(|cost| (4..=BCRYPT_COST_MAX).contains(&cost));
    }
    PasswordHash::new(stored).is_ok_and(|hash| affordable(&hash).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: [u8; 16] = *b"sixteen of salt!";

    #[test]
    fn h1_hashes_are_argon2id_phc_strings_of_the_agreed_cost() {
        let hash = hash("correct horse", SALT).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_eq!(verify("correct horse", &hash), Verdict::Right);
        assert_eq!(verify("correct house", &hash), Verdict::Wrong);
    }

    #[test]
    fn h1_imported_hashes_are_verified_and_called_old() {
        let bcrypt = bcrypt::hash("correct horse", 4).unwrap();
        assert!(is_importable(&bcrypt));
        assert_eq!(verify("correct horse", &bcrypt), Verdict::RightButOld);
        assert_eq!(verify("correct house", &bcrypt), Verdict::Wrong);
        let weak = Argon2::new(Algorithm::Argon2i, Version::V0x13, Params::new(64, 1, 1, None).unwrap());
        let weak = weak.hash_password_with_salt(b"correct horse", &SALT).unwrap().to_string();
        assert_eq!(verify("correct horse", &weak), Verdict::RightButOld);
    }

    #[test]
    fn h2_all_bytes_count() {
        let long = "x".repeat(72);
        let hash = hash(&format!("{long}a"), SALT).unwrap();
        assert_eq!(verify(&format!("{long}b"), &hash), Verdict::Wrong);
        assert_eq!(verify(&format!("{long}a"), &hash), Verdict::Right);
        let bcrypt = bcrypt::hash(&long, 4).unwrap();
        assert_eq!(verify(&long, &bcrypt), Verdict::RightButOld);
        assert_eq!(verify(&format!("{long}a"), &bcrypt), Verdict::Wrong);
    }

    #[test]
    fn h3_composed_and_decomposed_are_one_password() {
        let hash = hash("p\u{e4}ssw\u{f6}rd \u{fb01}ve", SALT).unwrap();
        assert_eq!(verify("pa\u{308}sswo\u{308}rd five", &hash), Verdict::Right);
    }

    #[test]
    fn a_hash_that_costs_too_much_or_is_none_is_nobody_s() {
        let tail = "$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        for stored in [
            "",
            "x",
            "$2b$31$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "$2b$10$short",
            "$argon2id$v=19$m=19456,t=2,p=1",
            &format!("$argon2id$v=19$m=4194304,t=2,p=1{tail}"),
            &format!("$argon2id$v=19$m=19456,t=99,p=1{tail}"),
            &format!("$scrypt$ln=14{tail}"),
        ] {
            assert!(!is_importable(stored), "{stored}");
            assert_eq!(verify("x", stored), Verdict::Wrong, "{stored}");
        }
        assert!(is_importable(DUMMY));
        assert_eq!(verify("", DUMMY), Verdict::Wrong);
    }
}
