//! Faults: what is left of a server's promises when it is killed, loses power, runs out of space, or is started wrongly.
//!
//! A promise is an answer that said yes. [`load`] makes writers that collect promises in a [`ledger`], outside of the
//! server; a scenario breaks something and compares the ledger with what a new server has, over HTTP. Nothing here looks
//! into a running server's files.
//!
//! | scenario | breaks |
//! |---|---|
//! | [`kill`] | the process, at any moment |
//! | [`programs`] | the process, while functions and triggers are at work |
//! | [`power`] | the machine: what the operating system had not written yet is lost |
//! | [`full`] | the disk has no space left |
//! | [`proxy`] | the network: not a scenario, but what the tests of drivers put between us and a database |
//! | [`long`] | nothing: it looks at the server's memory while replies are long and clients slow |
//! | [`refusals`] | nothing: it starts servers that cannot run, and reads what they say |

pub mod full;
pub mod kill;
pub mod ledger;
pub mod load;
pub mod long;
pub mod mount;
pub mod power;
pub mod programs;
pub mod project;
pub mod proxy;
pub mod random;
pub mod refusals;
pub mod wire;

use std::path::PathBuf;

/// What a scenario is run with.
pub struct Settings {
    /// The program under test.
    pub binary: PathBuf,
    /// A folder of the scenario's own; it may be emptied.
    pub folder: PathBuf,
    /// How often to break it.
    pub cycles: u64,
    /// Where the randomness starts.
    pub seed: u64,
    /// Whether to tell how it goes along.
    pub say: fn(&str),
}

/// A scenario, as it is called: its name, what it shows, how often it breaks things, and itself.
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// What it shows.
    pub shows: &'static str,
    /// Cycles when nobody says.
    pub cycles: u64,
    /// Cycles of a quick run.
    pub quick: u64,
    /// Whether it mounts file systems.
    pub mounts: bool,
    /// Runs it; what it found, as a line.
    pub run: fn(&Settings) -> Result<String, String>,
}

/// All scenarios.
pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "refusals",
        shows: "a server that cannot run says why",
        cycles: 1,
        quick: 1,
        mounts: false,
        run: refusals::run,
    },
    Scenario {
        name: "long",
        shows: "memory does not grow with replies, whether clients take them or not",
        cycles: 3,
        quick: 1,
        mounts: false,
        run: long::run,
    },
    Scenario {
        name: "full",
        shows: "a full disk refuses writes by name, keeps what was promised, and passes",
        cycles: 2,
        quick: 1,
        mounts: true,
        run: full::run,
    },
    Scenario {
        name: "kill",
        shows: "no promise is lost and nothing is half done when the process is killed",
        cycles: 50,
        quick: 10,
        mounts: false,
        run: kill::run,
    },
    Scenario {
        name: "programs",
        shows: "what functions and triggers do in several statements is done as a whole, whenever the process is killed",
        cycles: 50,
        quick: 10,
        mounts: false,
        run: programs::run,
    },
    Scenario {
        name: "power",
        shows: "no promise is lost and nothing is half done when the power goes",
        cycles: 20,
        quick: 5,
        mounts: true,
        run: power::run,
    },
];
