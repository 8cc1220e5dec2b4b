//! The case book: `cases/**/*.case`, what it says, and whether it is so.
//!
//! ```text
//! prose: why this is so
//! capabilities: ID, ID               what of the client libraries' capabilities (`clients`) it shows
//!
//! == schema                          PostgreSQL's SQL
//! == rows TABLE                      CSV with a header (nothing is null, "" is empty text), or a JSON object a line
//! == config                          settings, as in `config.toml`
//! == people                          `NAME ROLE {claims}` a line; alice, bob, anon, service and nobody are always there
//! == token NAME                      `header …`, `claims …`, `sign none|project|secret|public-keys|foreign|zero|with TEXT`
//! == policy                          every request is asked again by everybody (always so below `cases/policies`)
//! == skip ENGINE: CAPABILITY         the engine lacks the capability, a row of `lacking`: the case must not hold there
//! == lacking ENGINE: CAPABILITY      what the engine says instead: the case is played there alone
//! == since ENGINE RELEASE            releases of the engine before this one differ, and are not asked: `postgres 150020`
//!
//! == request as PERSON               METHOD /path, headers, an empty line, a body
//! == response STATUS                 headers (`!Name`: absent), an empty line, a body; nothing else is checked.
//!                                    `Body-Has: TEXT` and `Body-Lacks: TEXT` look into a body that is not written
//! == sqlite                          the statements that a read becomes there; other engines do not look at it
//! == response STATUS as PERSON       what somebody else gets when they ask everything instead, in a world of their own
//! == later SECONDS                   the clock moves on
//! ```
//!
//! Bodies are compared byte by byte; JSON may be laid out over lines. Volatile parts are patterns (`<uuid>`, `<date>`,
//! `<timestamp>`, `<integer>`, `<jwt>`, `<token>`, `<text>`, `<any>`), and `<uuid user>` binds a name that later requests
//! use. In requests `<alice>` is her id, `<now+60>` a time, `<repeat 3 ab>` a repetition.
//!
//! A `== response` without a status and an empty `== sqlite` are filled by `cargo xtask bless`; nothing that is written is ever changed by it.

pub mod answer;
pub mod bindings;
pub mod bless;
pub mod book;
pub mod case;
pub mod clients;
pub mod clock;
pub mod faults;
pub mod judge;
pub mod lacking;
pub mod oracle;
pub mod parse;
pub mod pattern;
pub mod people;
pub mod play;
pub mod rows;
pub mod server;
pub mod table;
