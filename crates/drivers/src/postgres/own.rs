//! Statements of our own, which every connection has prepared from its beginning.

use super::identity;

/// A statement of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own {
    Begin,
    Commit,
    RollBack,
    Take,
    TakeRespecting,
    TakeAfter,
    ResetAll,
    CloseAll,
    UnlistenAll,
    LetGo,
    DiscardTemp,
    DiscardSequences,
}

/// All of them, each with its name and its text.
pub(super) const OWN: [(Own, &str, &str); 12] = [
    (Own::Begin, "own_begin", "BEGIN READ WRITE"),
    (Own::Commit, "own_commit", "COMMIT"),
    (Own::RollBack, "own_roll_back", "ROLLBACK"),
    (Own::Take, "own_take", identity::TAKE),
    (Own::TakeRespecting, "own_take_respecting", identity::TAKE_RESPECTING),
    (Own::TakeAfter, "own_take_after", identity::TAKE_AFTER),
    (Own::ResetAll, "own_reset_all", "RESET ALL"),
    (Own::CloseAll, "own_close_all", "CLOSE ALL"),
    (Own::UnlistenAll, "own_unlisten_all", "UNLISTEN *"),
    (Own::LetGo, "own_let_go", identity::LET_GO),
    (Own::DiscardTemp, "own_discard_temp", "DISCARD TEMP"),
    (Own::DiscardSequences, "own_discard_sequences", "DISCARD SEQUENCES"),
];

/// Takes back whatever a caller's functions have done to the session in a transaction that only read: settings, cursors, channels,
/// role and locks. Prepared statements stay.
pub(super) const TIDY: &[Own] = &[Own::ResetAll, Own::CloseAll, Own::UnlistenAll, Own::LetGo];

/// The same after other transactions: temporary tables and the last values of sequences, too.
pub(super) const TIDY_WRITTEN: &[Own] =
    &[Own::ResetAll, Own::CloseAll, Own::UnlistenAll, Own::LetGo, Own::DiscardTemp, Own::DiscardSequences];

impl Own {
    /// The name that it is prepared by.
    pub(super) fn name(self) -> &'static str {
        OWN.iter().find(|(own, ..)| *own == self).map_or("", |(_, name, _)| name)
    }
}
