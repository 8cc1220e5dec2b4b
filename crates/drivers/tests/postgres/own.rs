//! Servers that a test may stop and start again.

use std::process::Command;

/// A server of a test's own: its certificate is for `localhost`.
pub(crate) struct Own {
    folder: std::path::PathBuf,
    port: u16,
}

impl Own {
    pub(crate) fn start(test: &str) -> Own {
        let folder = std::env::temp_dir().join(format!("backplane-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let own = Own { folder, port };
        let words = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N", "-D"];
        let data = own.data();
        run(program("initdb").args(words).arg(&data));
        own.write("server.crt", include_str!("tls/server.pem"));
        own.write("server.key", include_str!("tls/server.key"));
        own.control(&["start"]);
        own
    }

    /// A file among its data that nobody else may read.
    fn write(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.data().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn data(&self) -> std::path::PathBuf {
        self.folder.join("data")
    }

    pub(crate) fn control(&self, words: &[&str]) {
        let settings = format!(
            "-c listen_addresses=127.0.0.1 -c port={} -c unix_socket_directories= -c max_connections=20 -c ssl=on",
            self.port
        );
        let mut command = program("pg_ctl");
        command.arg("-D").arg(self.data()).arg("-l").arg(self.folder.join("log"));
        run(command.args(["-w", "-s", "-o", &settings]).args(words));
    }

    pub(crate) fn url(&self, user: &str) -> String {
        format!("postgres://{user}@localhost:{}/postgres", self.port)
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.control(&["-m", "immediate", "stop"]);
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// PostgreSQL refuses to run as root; in a user namespace that maps root to another user it does not notice.
fn program(name: &str) -> Command {
    let newest = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = newest.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()).max();
    let path = newest.map_or(name.to_owned(), |version| format!("/usr/lib/postgresql/{version}/bin/{name}"));
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    if !is_root {
        return Command::new(path);
    }
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-user=1000", "--map-group=1000"]).arg(path);
    command
}

fn run(command: &mut Command) {
    let nothing = std::process::Stdio::null;
    let status = command.stdin(nothing()).stdout(nothing()).stderr(nothing()).status().unwrap();
    assert!(status.success(), "{command:?}");
}
