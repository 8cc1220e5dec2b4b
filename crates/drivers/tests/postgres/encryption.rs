//! What `sslmode` asks of a server, as libpq has it.

use drivers::postgres::Options;

use crate::own::Own;
use crate::server::{script, session};
use crate::world::{FOUNDATION, World, anon};

const SCHEMA: &str = "create table session (ssl bool, version text);";

const REST: &str = "
    drop table session;
    create function encrypted() returns table (ssl bool, version text) language sql security definer as
        'select ssl, version from pg_stat_ssl where pid = pg_backend_pid()';
    create view session as select * from encrypted();
    grant select on session to anon;
";

const UNREACHABLE: (u16, &str) = (
    503,
    r#"{"code":"PGRST000","details":null,"hint":null,"message":"Database connection error. Retrying the connection."}"#,
);

#[tokio::test]
async fn a_connection_is_as_safe_as_its_address_asks() {
    let own = Own::start("encryption");
    let owner = session(&own.url("postgres")).await;
    for text in [FOUNDATION, SCHEMA, REST] {
        script(&owner, text).await;
    }
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/postgres/tls/ca.pem");
    let url = own.url("authenticator");
    let other_name = url.replace("localhost", "127.0.0.1");
    let encrypted = (200, r#"[{"ssl":true,"version":"TLSv1.3"}]"#);
    for (url, mode, answer) in [
        (&url, "disable", (200, r#"[{"ssl":false,"version":null}]"#)),
        (&url, "prefer", encrypted),
        (&url, "require", encrypted),
        (&other_name, "require", encrypted),
        (&url, &*format!("verify-full&sslrootcert={root}"), encrypted),
        (&other_name, &*format!("verify-full&sslrootcert={root}"), UNREACHABLE),
        (&other_name, &*format!("verify-ca&sslrootcert={root}"), encrypted),
        (&url, "verify-full", UNREACHABLE),
        (&url, "verify-ca", UNREACHABLE),
    ] {
        let options = Options::new(format!("{url}?sslmode={mode}"));
        let world = World::serve(&options, SCHEMA, url.clone());
        let (status, body) = world.get(&anon(), "/session").await;
        assert_eq!((status, &*body), answer, "{mode}");
    }
}
