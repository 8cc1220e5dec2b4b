//! Databases of the tests' own.

use tokio_postgres::{Client, Config, NoTls};

/// A database that is made for one test.
pub(crate) struct Fresh {
    config: Config,
    name: String,
}

fn server() -> Config {
    let url = std::env::var("TEST_POSTGRES_URL")
        .expect("TEST_POSTGRES_URL names a server: `cargo xtask engines up DIR`");
    url.parse().expect("TEST_POSTGRES_URL is a URL")
}

async fn open(config: &Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.expect("the server answers");
    tokio::spawn(connection);
    client
}

/// A session of the database at an address.
pub(crate) async fn session(url: &str) -> Client {
    open(&url.parse().expect("an address")).await
}

impl Fresh {
    /// An empty database.
    pub(crate) async fn empty(test: &str) -> Fresh {
        let name = format!("backplane_{test}");
        let client = open(&server()).await;
        client.batch_execute(&format!("drop database if exists {name} with (force)")).await.expect("dropped");
        client.batch_execute(&format!("create database {name}")).await.expect("made");
        let mut config = server();
        config.dbname(&name);
        Fresh { config, name }
    }

    /// A session.
    pub(crate) async fn session(&self) -> Client {
        open(&self.config).await
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        let url = std::env::var("TEST_POSTGRES_URL").expect("it was there before");
        let server = url.rsplit_once('/').map_or(url.as_str(), |(server, _)| server);
        format!("{server}/{}", self.name)
    }
}

/// Runs a script as it is.
#[track_caller]
pub(crate) fn script(client: &Client, text: &str) -> impl Future<Output = ()> {
    let place = std::panic::Location::caller();
    let text = text.to_owned();
    async move {
        if let Err(error) = client.batch_execute(&text).await {
            let said =
                error.as_db_error().map_or_else(|| error.to_string(), |said| said.message().to_owned());
            panic!("{place}: {said} in\n{}", text.chars().take(2000).collect::<String>());
        }
    }
}
