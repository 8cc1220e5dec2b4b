//! How a server is reached: its address, and whether the connection is encrypted.

use std::time::Duration;

use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::sync::Arc;
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;
use types::{Code, Error, Result};

use super::unverified::Unverified;

/// How to use a server.
#[derive(Clone)]
pub struct Options {
    /// Its address: `postgres://user:password@host:port/database?sslmode=verify-full&sslrootcert=ca.pem`.
    pub url: String,
    /// The address for work of the server itself, where that logs in as somebody else: who owns what requests only use.
    pub system_url: Option<String>,
    /// Connections at most.
    pub connections_max: usize,
    /// Requests that may wait for a connection.
    pub waiting_max: usize,
    /// How long one waits for a connection; for making one, too.
    pub acquire_timeout: Duration,
    /// How old a connection becomes.
    pub connection_life: Duration,
    /// How long a connection may be unused before it is made anew.
    pub connection_idle: Duration,
    /// Prepared statements that a connection keeps.
    pub statements_max: usize,
    /// How long a read may take to be a short one: those share connections.
    pub short_read_max: Duration,
}

impl Options {
    /// The usual limits for a server.
    pub fn new(url: impl Into<String>) -> Options {
        Options {
            url: url.into(),
            system_url: None,
            connections_max: 10,
            waiting_max: 1_000,
            acquire_timeout: Duration::from_secs(10),
            connection_life: Duration::from_mins(30),
            connection_idle: Duration::from_mins(5),
            statements_max: 256,
            short_read_max: Duration::from_millis(2),
        }
    }
}

impl Options {
    /// How the server itself logs in, where that is another one.
    pub fn of_system(&self) -> Option<Options> {
        let url = self.system_url.clone()?;
        Some(Options { url, system_url: None, ..self.clone() })
    }

    /// Whom requests log in as, where the address says that.
    ///
    /// # Errors
    /// `22023` when the address cannot be read.
    pub fn login(&self) -> Result<Option<String>> {
        Ok(address(self)?.config.get_user().map(str::to_owned))
    }
}

/// Settings of every session: text forms of values must not depend on how a server is set. Requests are short, and policies make
/// their plans look costly: compiling them takes a thousand times as long as running them.
const SETTINGS: &str = "-c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=1 -c bytea_output=hex -c standard_conforming_strings=on -c timezone=UTC -c jit=off -c client_min_messages=error -c idle_in_transaction_session_timeout=60000";

/// How long the network may keep what we sent.
const UNTAKEN_TIME_MAX: Duration = Duration::from_secs(20);

/// An address, understood.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) config: tokio_postgres::Config,
    pub(super) tls: MakeRustlsConnect,
}

/// Reads an address.
///
/// # Errors
/// `22023` when it is none; `58030` when a certificate cannot be read.
pub(super) fn address(options: &Options) -> Result<Address> {
    let (bare, settings) = split(&options.url);
    let mut config: tokio_postgres::Config = bare
        .parse()
        .map_err(|cause| refused("the address of PostgreSQL cannot be read").with_cause(cause))?;
    let find = |name: &str| settings.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str());
    let mode = find("sslmode").unwrap_or("prefer");
    config.ssl_mode(match mode {
        "disable" | "allow" => SslMode::Disable,
        "prefer" => SslMode::Prefer,
        "require" | "verify-ca" | "verify-full" => SslMode::Require,
        other => return Err(refused(&format!("sslmode cannot be `{other}`"))),
    });
    config.options(match config.get_options() {
        Some(given) => format!("{SETTINGS} {given}"),
        None => SETTINGS.to_owned(),
    });
    config.connect_timeout(options.acquire_timeout).keepalives_idle(Duration::from_mins(1));
    // What is sent and never taken is lost sooner than the system would have it.
    config.tcp_user_timeout(UNTAKEN_TIME_MAX);
    if config.get_application_name().is_none() {
        config.application_name("backplane");
    }
    let tls = MakeRustlsConnect::new(encryption(mode, find("sslrootcert"))?);
    Ok(Address { config, tls })
}

fn refused(message: &str) -> Error {
    Error::new(Code::INVALID_PARAMETER, message)
}

/// An address without the settings that are ours to read, and these.
fn split(url: &str) -> (String, Vec<(String, String)>) {
    let Some((bare, query)) = url.split_once('?') else { return (url.to_owned(), Vec::new()) };
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (ours, theirs): (Vec<_>, Vec<_>) =
        pairs.partition(|(name, _)| matches!(*name, "sslmode" | "sslrootcert"));
    let theirs: Vec<String> = theirs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let bare = if theirs.is_empty() { bare.to_owned() } else { format!("{bare}?{}", theirs.join("&")) };
    (bare, ours.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// What a mode asks of the server's certificate, as libpq has it: nothing up to `require` unless a root is given.
fn encryption(mode: &str, root: Option<&str>) -> Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(Error::internal)?;
    let verifies_name = mode == "verify-full";
    if !verifies_name && mode != "verify-ca" && root.is_none() {
        let unverified = Arc::new(Unverified::new(provider));
        return Ok(builder.dangerous().with_custom_certificate_verifier(unverified).with_no_client_auth());
    }
    let roots = roots(root)?;
    if verifies_name {
        return Ok(builder.with_root_certificates(roots).with_no_client_auth());
    }
    let unnamed = Arc::new(Unverified::of_chain(provider, roots)?);
    Ok(builder.dangerous().with_custom_certificate_verifier(unnamed).with_no_client_auth())
}

/// The certificates of a file, or those that browsers trust.
fn roots(file: Option<&str>) -> Result<RootCertStore> {
    let Some(file) = file.filter(|file| *file != "system") else {
        return Ok(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() });
    };
    let unreadable = |cause: &dyn std::fmt::Display| {
        Error::new(Code::IO_ERROR, format!("no certificate can be read from {file}")).with_cause(cause)
    };
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(file).map_err(|cause| unreadable(&cause))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|cause| unreadable(&cause))?;
        roots.add(certificate).map_err(|cause| unreadable(&cause))?;
    }
    if roots.is_empty() { Err(unreadable(&"the file is empty")) } else { Ok(roots) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_encryption_are_taken_out_of_an_address() {
        for (url, bare, mode) in [
            ("postgres://u@h/d", "postgres://u@h/d", None),
            ("postgres://u@h/d?sslmode=verify-full", "postgres://u@h/d", Some("verify-full")),
            (
                "postgres://u@h/d?sslmode=require&connect_timeout=3",
                "postgres://u@h/d?connect_timeout=3",
                Some("require"),
            ),
        ] {
            let (found, settings) = split(url);
            assert_eq!(found, bare);
            assert_eq!(settings.first().map(|(_, value)| value.as_str()), mode);
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for url in ["postgres://u@h/d?sslmode=never", "mysql://u@h/d", "postgres://u@h:x/d"] {
            assert_eq!(address(&Options::new(url)).err().unwrap().code(), Code::INVALID_PARAMETER, "{url}");
        }
        let missing = Options::new("postgres://u@h/d?sslmode=verify-full&sslrootcert=/nowhere.pem");
        assert_eq!(address(&missing).err().unwrap().code(), Code::IO_ERROR);
    }
}
