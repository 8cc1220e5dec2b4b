//! The PostgreSQL that is asked.

use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server, started here unless one was given.
pub(crate) struct Server {
    connection: String,
    psql: PathBuf,
    started: Option<(Child, PathBuf)>,
}

/// Computes an expression: its kind (value, null, error) and its text in hexadecimal.
const FUNCTION: &str = r#"
set client_min_messages = error;
set timezone = 'UTC';
set jit = off;
drop type if exists mood;
create type mood as enum ('sad', 'ok', 'happy');
create function pg_temp.computed(q text) returns text language plpgsql as $f$
declare answer text; kind text := 'v';
begin
  begin
    execute 'select case when num_nulls(x) = 1 then null else concat(x) end from (select ' || q || ' as x) s' into answer;
    if answer is null then kind := 'n'; answer := ''; end if;
  exception when others then
    kind := 'e'; answer := sqlstate || ' ' || sqlerrm;
  end;
  return kind || encode(convert_to(answer, 'UTF8'), 'hex');
end $f$;
"#;

impl Server {
    /// The server of `BACKPLANE_TEST_PG`, or a new one.
    pub(crate) fn connect() -> Server {
        match std::env::var("BACKPLANE_TEST_PG") {
            Ok(connection) => Server { connection, psql: PathBuf::from("psql"), started: None },
            Err(_) => Server::start(),
        }
    }

    fn start() -> Server {
        let installed = std::fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed");
        let bin =
            installed.map(|entry| entry.unwrap().path().join("bin")).max().expect("PostgreSQL is installed");
        let data = std::env::temp_dir().join(format!("backplane-differential-{}", std::process::id()));
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let initialized = unprivileged(&bin.join("initdb"))
            .arg("-D")
            .arg(&data)
            .args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"])
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(initialized.success(), "initdb");
        let options = format!("port={port}");
        let child = unprivileged(&bin.join("postgres"))
            .arg("-D")
            .arg(&data)
            .args([
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                &options,
                "-c",
                "unix_socket_directories=",
                "-c",
                "fsync=off",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let connection = format!("host=127.0.0.1 port={port} user=postgres dbname=postgres");
        let server = Server { connection, psql: bin.join("psql"), started: Some((child, data)) };
        let begun = Instant::now();
        while server.run("select 1").is_none() {
            assert!(begun.elapsed() < Duration::from_secs(60), "PostgreSQL did not start");
            std::thread::sleep(Duration::from_millis(100));
        }
        server
    }

    /// Whether `pgcrypto` can be used.
    pub(crate) fn has_pgcrypto(&self) -> bool {
        self.run("set client_min_messages = error; create extension if not exists pgcrypto").is_some()
    }

    /// The answers to expressions, in their order.
    pub(crate) fn ask<'a>(&self, expressions: impl Iterator<Item = &'a str>) -> Vec<String> {
        let mut script = FUNCTION.to_owned();
        for expression in expressions {
            script.push_str(&format!("select pg_temp.computed($q${expression}$q$);\n"));
        }
        let output = self.run(&script).expect("psql runs the expressions");
        output.lines().map(str::to_owned).collect()
    }

    fn run(&self, script: &str) -> Option<String> {
        let mut child = Command::new(&self.psql)
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", &self.connection])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut input = child.stdin.take()?;
        let script = script.to_owned();
        let writer = std::thread::spawn(move || input.write_all(script.as_bytes()));
        let output = child.wait_with_output().ok()?;
        writer.join().ok()?.ok();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    }
}

/// PostgreSQL refuses to run as root; a user namespace shows it another user.
fn unprivileged(program: &Path) -> Command {
    let root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    if !root {
        return Command::new(program);
    }
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-user=1000", "--map-group=1000"]).arg(program);
    command
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some((child, data)) = &mut self.started {
            let _ = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
            let _ = child.wait();
            let _ = std::fs::remove_dir_all(data);
        }
    }
}
