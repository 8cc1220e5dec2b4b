//! JSON Web Keys (RFC 7517, RFC 7518 section 6): reading, checking, signing and verifying with one key.
//!
//! A key is of one algorithm for life. Sizes are checked when a key is read, not when it is used.

use std::sync::Arc;

use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents, UnparsedPublicKey,
};
use ring::{hmac, rsa};
use types::json::Json;
use types::{Code, Error, Result};

use crate::encoding::{decode, encode, sha256};

/// The shortest secret that an HMAC key may be, in bytes (RFC 7518 section 3.2).
pub const SECRET_BYTES_MIN: usize = 32;

/// The algorithms that we sign and verify with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC with SHA-256: one secret signs and verifies.
    Hs256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

impl Algorithm {
    /// Its name in a header (RFC 7518 section 3.1).
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Hs256 => "HS256",
            Algorithm::Rs256 => "RS256",
            Algorithm::Es256 => "ES256",
        }
    }

    /// The algorithm of a name. Names are case-sensitive: there is no way to write `none`.
    pub fn find(name: &str) -> Option<Algorithm> {
        [Algorithm::Hs256, Algorithm::Rs256, Algorithm::Es256]
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
    }
}

/// A key that verifies, and signs when its private part is known.
pub struct Key {
    /// The `kid`.
    pub id: Arc<str>,
    /// The only algorithm that it is for.
    pub algorithm: Algorithm,
    verifier: Verifier,
    signer: Option<Signer>,
}

enum Verifier {
    Secret(hmac::Key),
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// An uncompressed point: `04 x y`.
    Ec([u8; 65]),
}

enum Signer {
    Secret,
    Rsa(Box<RsaKeyPair>),
    Ec(Box<EcdsaKeyPair>),
}

fn refused(why: impl std::fmt::Display) -> Error {
    Error::new(Code::INVALID_PARAMETER, format!("a signing key is not usable: {why}"))
}

impl Key {
    /// The key of a shared secret.
    ///
    /// # Errors
    /// `22023` for a secret under [`SECRET_BYTES_MIN`].
    pub fn secret(id: &str, secret: &[u8]) -> Result<Key> {
        if secret.len() < SECRET_BYTES_MIN {
            return Err(refused(format_args!("a secret needs at least {SECRET_BYTES_MIN} bytes")));
        }
        let verifier = Verifier::Secret(hmac::Key::new(hmac::HMAC_SHA256, secret));
        Ok(Key { id: id.into(), algorithm: Algorithm::Hs256, verifier, signer: Some(Signer::Secret) })
    }

    /// Reads a JWK, private or public. Without a `kid` it gets its thumbprint (RFC 7638) as one.
    ///
    /// # Errors
    /// `22023` for another key type, curve or algorithm, RSA under 2048 bits, and parts that do not belong together.
    pub fn read(jwk: &Json) -> Result<Key> {
        let (algorithm, verifier, signer) = match jwk.get("kty").and_then(Json::as_str) {
            Some("EC") => read_ec(jwk)?,
            Some("RSA") => read_rsa(jwk)?,
            Some("oct") => {
                let key = Key::secret("", &part(jwk, "k")?)?;
                (key.algorithm, key.verifier, key.signer)
            }
            _ => return Err(refused("\"kty\" must be EC, RSA or oct")),
        };
        match jwk.get("alg").map(|alg| alg.as_str().and_then(Algorithm::find)) {
            None => {}
            Some(found) if found == Some(algorithm) => {}
            Some(_) => return Err(refused(format_args!("\"alg\" must be {}", algorithm.name()))),
        }
        let id = match jwk.get("kid").and_then(Json::as_str) {
            Some(id) => id.into(),
            None => thumbprint(&verifier).into(),
        };
        Ok(Key { id, algorithm, verifier, signer })
    }

    /// Whether it can sign.
    pub fn can_sign(&self) -> bool {
        self.signer.is_some()
    }

    /// Signs. ECDSA's nonce is the library's own randomness.
    ///
    /// # Errors
    /// `XX000` when the key cannot sign.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let random = SystemRandom::new();
        match (&self.signer, &self.verifier) {
            (Some(Signer::Secret), Verifier::Secret(key)) => Ok(hmac::sign(key, message).as_ref().to_vec()),
            (Some(Signer::Rsa(pair)), _) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).map_err(Error::internal)?;
                Ok(signature)
            }
            (Some(Signer::Ec(pair)), _) => {
                Ok(pair.sign(&random, message).map_err(Error::internal)?.as_ref().to_vec())
            }
            _ => Err(Error::internal("signing with a public key")),
        }
    }

    /// Whether the signature is this key's.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.verifier {
            Verifier::Secret(key) => hmac::verify(key, message, signature).is_ok(),
            Verifier::Rsa { n, e } => RsaPublicKeyComponents { n, e }
                .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
                .is_ok(),
            Verifier::Ec(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
            }
        }
    }

    /// The public key as a JWK; `None` for a secret, which has no public part.
    pub fn public(&self) -> Option<Json> {
        let mut fields = match &self.verifier {
            Verifier::Secret(_) => return None,
            Verifier::Rsa { n, e } => vec![("kty", "RSA".into()), ("n", encode(n)), ("e", encode(e))],
            Verifier::Ec(point) => vec![
                ("kty", "EC".into()),
                ("crv", "P-256".into()),
                ("x", encode(&point[1..33])),
                ("y", encode(&point[33..])),
            ],
        };
        fields.push(("kid", self.id.to_string()));
        fields.push(("alg", self.algorithm.name().into()));
        fields.push(("use", "sig".into()));
        let mut fields: Vec<_> =
            fields.into_iter().map(|(name, value)| (name.into(), Json::String(value))).collect();
        fields.push(("key_ops".into(), Json::Array(vec![Json::String("verify".into())])));
        Some(Json::Object(fields))
    }
}

type Parts = (Algorithm, Verifier, Option<Signer>);

fn part(jwk: &Json, name: &str) -> Result<Vec<u8>> {
    let text =
        jwk.get(name).and_then(Json::as_str).ok_or_else(|| refused(format_args!("\"{name}\" is missing")))?;
    decode(text).ok_or_else(|| refused(format_args!("\"{name}\" is not base64url")))
}

fn read_ec(jwk: &Json) -> Result<Parts> {
    if jwk.get("crv").and_then(Json::as_str) != Some("P-256") {
        return Err(refused("\"crv\" must be P-256"));
    }
    let (x, y) = (part(jwk, "x")?, part(jwk, "y")?);
    if x.len() != 32 || y.len() != 32 {
        return Err(refused("\"x\" and \"y\" need 32 bytes each"));
    }
    let mut point = [4; 65];
    point[1..33].copy_from_slice(&x);
    point[33..].copy_from_slice(&y);
    let signer = match jwk.get("d") {
        None => None,
        Some(_) => Some(Signer::Ec(Box::new(
            EcdsaKeyPair::from_private_key_and_public_key(
                &ECDSA_P256_SHA256_FIXED_SIGNING,
                &part(jwk, "d")?,
                &point,
                &SystemRandom::new(),
            )
            .map_err(refused)?,
        ))),
    };
    Ok((Algorithm::Es256, Verifier::Ec(point), signer))
}

fn read_rsa(jwk: &Json) -> Result<Parts> {
    let (n, e) = (part(jwk, "n")?, part(jwk, "e")?);
    if n.len() < 256 || n.len() > 1024 || n.first() == Some(&0) {
        return Err(refused("RSA needs 2048 to 8192 bits"));
    }
    let signer = match jwk.get("d") {
        None => None,
        Some(_) => Some(Signer::Rsa(Box::new(rsa_pair(jwk, &n, &e)?))),
    };
    Ok((Algorithm::Rs256, Verifier::Rsa { n, e }, signer))
}

fn rsa_pair(jwk: &Json, n: &[u8], e: &[u8]) -> Result<RsaKeyPair> {
    let components = rsa::KeyPairComponents {
        public_key: rsa::PublicKeyComponents { n: n.to_vec(), e: e.to_vec() },
        d: part(jwk, "d")?,
        p: part(jwk, "p")?,
        q: part(jwk, "q")?,
        dP: part(jwk, "dp")?,
        dQ: part(jwk, "dq")?,
        qInv: part(jwk, "qi")?,
    };
    RsaKeyPair::from_components(&components).map_err(refused)
}

/// RFC 7638: the digest of the required members in alphabetical order.
fn thumbprint(verifier: &Verifier) -> String {
    let members = match verifier {
        // A digest of a secret would be a hint at it: the secret's tag over a fixed text names it as well.
        Verifier::Secret(key) => return encode(&hmac::sign(key, b"kid").as_ref()[..16]),
        Verifier::Rsa { n, e } => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, encode(e), encode(n)),
        Verifier::Ec(point) => format!(
            r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#,
            encode(&point[1..33]),
            encode(&point[33..])
        ),
    };
    encode(&sha256(members.as_bytes()))
}

/// A new ES256 key as a private JWK. The key is made with the library's own randomness.
///
/// # Errors
/// `XX000` when the system has no randomness.
pub fn generate() -> Result<Json> {
    let random = SystemRandom::new();
    let document =
        EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).map_err(Error::internal)?;
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random)
        .map_err(Error::internal)?;
    let (point, scalar) = (pair.public_key().as_ref(), private_scalar(document.as_ref())?);
    let text = |bytes: &[u8]| Json::String(encode(bytes));
    let mut fields = vec![
        ("kty".to_owned(), Json::String("EC".into())),
        ("crv".into(), Json::String("P-256".into())),
        ("x".into(), text(&point[1..33])),
        ("y".into(), text(&point[33..65])),
        ("d".into(), text(scalar)),
        ("alg".into(), Json::String("ES256".into())),
        ("use".into(), Json::String("sig".into())),
    ];
    let key = Key::read(&Json::Object(fields.clone()))?;
    fields.push(("kid".into(), Json::String(key.id.to_string())));
    Ok(Json::Object(fields))
}

/// The 32 bytes after `version 1, octet string of 32` of an `ECPrivateKey` (RFC 5915 section 3).
fn private_scalar(pkcs8: &[u8]) -> Result<&[u8]> {
    const BEFORE: [u8; 5] = [0x02, 0x01, 0x01, 0x04, 0x20];
    let start = pkcs8.windows(BEFORE.len()).position(|window| window == BEFORE).map(|at| at + BEFORE.len());
    start
        .and_then(|at| pkcs8.get(at..at + 32))
        .ok_or_else(|| Error::internal("a private key of another form"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_key_signs_what_its_public_part_verifies() {
        let jwk = generate().unwrap();
        let key = Key::read(&jwk).unwrap();
        let public = Key::read(&key.public().unwrap()).unwrap();
        let signature = key.sign(b"message").unwrap();
        assert!(public.verifies(b"message", &signature) && !public.verifies(b"massage", &signature));
        assert!(!public.can_sign() && public.sign(b"message").is_err());
        assert_eq!(public.id, key.id);
        assert!(key.public().unwrap().get("d").is_none());
    }

    #[test]
    fn g5_wrong_sizes_and_mixed_parts_are_refused_when_read() {
        let one = generate().unwrap();
        let two = generate().unwrap();
        let Json::Object(mut mixed) = one else { panic!() };
        mixed.iter_mut().find(|(name, _)| name == "d").unwrap().1 = two.get("d").unwrap().clone();
        assert!(Key::read(&Json::Object(mixed)).is_err());
        assert!(Key::secret("", b"").is_err());
        assert!(Key::secret("", &[7; 31]).is_err());
        let small = format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB"}}"#, encode(&[0xff; 64]));
        assert!(Key::read(&types::json::parse(&small, 4).unwrap()).is_err());
        for text in [r#"{"kty":"EC","crv":"P-521","x":"","y":""}"#, r#"{"kty":"OKP"}"#, "{}", "[]"] {
            assert!(Key::read(&types::json::parse(text, 4).unwrap()).is_err(), "{text}");
        }
    }
}
