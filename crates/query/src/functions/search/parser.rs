//! The tokens of a text, as PostgreSQL's default parser sees them (chapter 12.5): a machine that reads a character at a time,
//! remembers places to come back to, and calls itself for the parts of addresses.

use std::sync::OnceLock;

use regex_automata::meta::Regex;
use types::Result;

use crate::functions::interrupt::Steps;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::functions) enum Kind {
    AsciiWord,
    Word,
    NumWord,
    Email,
    Url,
    Host,
    Scientific,
    Version,
    PartNumWord,
    PartWord,
    PartAsciiWord,
    Blank,
    Tag,
    Protocol,
    CompoundNumWord,
    CompoundAsciiWord,
    CompoundWord,
    UrlPath,
    File,
    Decimal,
    Signed,
    Unsigned,
    Entity,
}

/// Kinds by their numbers from 1, with PostgreSQL's names and descriptions.
pub(in crate::functions) const KINDS: &[(Kind, &str, &str)] = &[
    (Kind::AsciiWord, "asciiword", "Word, all ASCII"),
    (Kind::Word, "word", "Word, all letters"),
    (Kind::NumWord, "numword", "Word, letters and digits"),
    (Kind::Email, "email", "Email address"),
    (Kind::Url, "url", "URL"),
    (Kind::Host, "host", "Host"),
    (Kind::Scientific, "sfloat", "Scientific notation"),
    (Kind::Version, "version", "Version number"),
    (Kind::PartNumWord, "hword_numpart", "Hyphenated word part, letters and digits"),
    (Kind::PartWord, "hword_part", "Hyphenated word part, all letters"),
    (Kind::PartAsciiWord, "hword_asciipart", "Hyphenated word part, all ASCII"),
    (Kind::Blank, "blank", "Space symbols"),
    (Kind::Tag, "tag", "XML tag"),
    (Kind::Protocol, "protocol", "Protocol head"),
    (Kind::CompoundNumWord, "numhword", "Hyphenated word, letters and digits"),
    (Kind::CompoundAsciiWord, "asciihword", "Hyphenated word, all ASCII"),
    (Kind::CompoundWord, "hword", "Hyphenated word, all letters"),
    (Kind::UrlPath, "url_path", "URL path"),
    (Kind::File, "file", "File or path name"),
    (Kind::Decimal, "float", "Decimal notation"),
    (Kind::Signed, "int", "Signed integer"),
    (Kind::Unsigned, "uint", "Unsigned integer"),
    (Kind::Entity, "entity", "XML entity"),
];

/// A token and where it begins.
#[derive(Clone, Copy, Debug)]
pub(in crate::functions) struct Token<'t> {
    pub(in crate::functions) kind: Kind,
    pub(in crate::functions) text: &'t str,
}

/// All tokens of a text, in its order. A compound word comes before its parts, an address before its host and path.
pub(in crate::functions) fn tokens(text: &str) -> Result<Vec<Token<'_>>> {
    let mut machine = Machine::new(text, 0, State::Base);
    let mut steps = Steps::default();
    let mut out = Vec::new();
    while let Some(token) = machine.token(&mut steps)? {
        out.push(token);
    }
    Ok(out)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Base,
    NumWord,
    AsciiWord,
    Word,
    Unsigned,
    SignedFirst,
    Signed,
    Space,
    UnsignedDecimalFirst,
    UnsignedDecimal,
    DecimalFirst,
    Decimal,
    SignedVersion,
    VersionFirst,
    Version,
    ExponentFirst,
    ExponentSign,
    Exponent,
    EntityFirst,
    Entity,
    EntityNumberFirst,
    EntityNumber,
    EntityHexFirst,
    EntityHex,
    EntityEnd,
    TagFirst,
    DeclarationFirst,
    TagCloseFirst,
    TagName,
    TagBeginEnd,
    Tag,
    TagQuoted,
    TagDoubleQuoted,
    TagEscaped,
    TagEnd,
    CommentFirst,
    CommentSecond,
    Comment,
    CommentCloseFirst,
    CommentCloseLast,
    CommentEnd,
    HostFirstDomain,
    HostDomainSecond,
    HostDomain,
    PortFirst,
    Port,
    HostFirstAlnum,
    Host,
    Email,
    FileFirst,
    FileTilde,
    PathFirst,
    PathFirstFirst,
    PathSecond,
    File,
    FileNext,
    UrlPathFirst,
    UrlPathStart,
    UrlPath,
    Address,
    ProtocolFirst,
    ProtocolSecond,
    ProtocolEnd,
    HyphenAsciiFirst,
    HyphenAscii,
    HyphenWordFirst,
    HyphenWord,
    HyphenNumFirst,
    HyphenNum,
    HyphenDigits,
    Parts,
    PartsHyphen,
    PartWord,
    PartAscii,
    PartNum,
    PartUnsigned,
}

/// What a row of a state asks of the character at hand.
#[derive(Clone, Copy)]
enum Asks {
    End,
    Is(char),
    /// Within a script or style.
    Ignored,
    AsciiLetter,
    Letter,
    Digit,
    Alnum,
    NotAlnum,
    Hex,
    Space,
    UrlChar,
    /// A mark that belongs to a letter.
    Mark,
    /// Whether a host is to end where its domain does.
    HostOnly,
    /// Whether a host follows, which is then passed over.
    HostFollows,
    /// Whether a path follows, which is then passed over.
    PathFollows,
    Always,
}

/// What is done where it fits.
#[derive(Clone, Copy)]
enum Does {
    /// Goes on with the next character.
    Next,
    /// Goes on, and remembers the place to come back to.
    Push,
    /// Comes back to the last place, to the row behind the one that was taken there.
    Pop,
    /// Goes on, and forgets the last place.
    Clear,
    /// Goes on in the last state, and forgets its place.
    Merge,
    /// Another state sees the same character.
    Rerun,
    /// A token ends before this character.
    Found(Kind),
    /// As `Found`, and the last place is forgotten.
    FoundClear(Kind),
    /// As `Found`, and all places are forgotten.
    FoundAll(Kind),
    /// As `FoundAll`; but its first character is all of the token.
    FoundSign(Kind),
    /// As `FoundAll`; what was read is read again for its parts.
    FoundParts(Kind),
    /// As `FoundAll`; what was read is read again for its host and path.
    FoundAddress(Kind),
}

/// A row: asks, does, and the state from then on, if it is another one.
type Row = (Asks, Does, Option<State>);

use Asks::{
    Alnum, Always, AsciiLetter, Digit, End, Hex, HostFollows, HostOnly, Ignored, Is, Letter, Mark, NotAlnum,
    PathFollows, Space, UrlChar,
};
use Does::{
    Clear, Found, FoundAddress, FoundAll, FoundClear, FoundParts, FoundSign, Merge, Next, Pop, Push, Rerun,
};

const GIVE_UP: Row = (Always, Pop, None);
const OVER: Row = (End, Pop, None);
const BASE: Option<State> = Some(State::Base);
const SAME: Option<State> = None;

impl State {
    /// What a state does: the first row that fits.
    #[rustfmt::skip]
    fn rows(self) -> &'static [Row] {
        match self {
            State::Base => &[
                (Is('<'), Push, Some(State::TagFirst)),
                (Ignored, Next, Some(State::Space)),
                (AsciiLetter, Next, Some(State::AsciiWord)),
                (Letter, Next, Some(State::Word)),
                (Digit, Next, Some(State::Unsigned)),
                (Is('-'), Push, Some(State::SignedFirst)),
                (Is('+'), Push, Some(State::SignedFirst)),
                (Is('&'), Push, Some(State::EntityFirst)),
                (Is('~'), Push, Some(State::FileTilde)),
                (Is('/'), Push, Some(State::FileFirst)),
                (Is('.'), Push, Some(State::PathFirstFirst)),
                (Always, Next, Some(State::Space)),
            ],
            State::NumWord => &[
                (End, Found(Kind::NumWord), BASE),
                (Alnum, Next, SAME),
                (Mark, Next, SAME),
                (Is('@'), Push, Some(State::Email)),
                (Is('/'), Push, Some(State::FileFirst)),
                (Is('.'), Push, Some(State::FileNext)),
                (Is('-'), Push, Some(State::HyphenNumFirst)),
                (Always, Found(Kind::NumWord), BASE),
            ],
            State::AsciiWord => &[
                (End, Found(Kind::AsciiWord), BASE),
                (AsciiLetter, Next, SAME),
                (Is('.'), Push, Some(State::HostFirstDomain)),
                (Is('.'), Push, Some(State::FileNext)),
                (Is('-'), Push, Some(State::HostFirstAlnum)),
                (Is('-'), Push, Some(State::HyphenAsciiFirst)),
                (Is('_'), Push, Some(State::HostFirstAlnum)),
                (Is('@'), Push, Some(State::Email)),
                (Is(':'), Push, Some(State::ProtocolFirst)),
                (Is('/'), Push, Some(State::FileFirst)),
                (Digit, Push, Some(State::Host)),
                (Digit, Next, Some(State::NumWord)),
                (Letter, Next, Some(State::Word)),
                (Mark, Next, Some(State::Word)),
                (Always, Found(Kind::AsciiWord), BASE),
            ],
            State::Word => &[
                (End, Found(Kind::Word), BASE),
                (Letter, Next, SAME),
                (Mark, Next, SAME),
                (Digit, Next, Some(State::NumWord)),
                (Is('-'), Push, Some(State::HyphenWordFirst)),
                (Always, Found(Kind::Word), BASE),
            ],
            State::Unsigned => &[
                (End, Found(Kind::Unsigned), BASE),
                (Digit, Next, SAME),
                (Is('.'), Push, Some(State::HostFirstDomain)),
                (Is('.'), Push, Some(State::UnsignedDecimalFirst)),
                (Is('e'), Push, Some(State::ExponentFirst)),
                (Is('E'), Push, Some(State::ExponentFirst)),
                (Is('-'), Push, Some(State::HostFirstAlnum)),
                (Is('_'), Push, Some(State::HostFirstAlnum)),
                (Is('@'), Push, Some(State::Email)),
                (AsciiLetter, Push, Some(State::Host)),
                (Letter, Next, Some(State::NumWord)),
                (Mark, Next, Some(State::NumWord)),
                (Is('/'), Push, Some(State::FileFirst)),
                (Always, Found(Kind::Unsigned), BASE),
            ],
            State::SignedFirst => &[OVER, (Digit, Clear, Some(State::Signed)), GIVE_UP],
            State::Signed => &[
                (End, Found(Kind::Signed), BASE),
                (Digit, Next, SAME),
                (Is('.'), Push, Some(State::DecimalFirst)),
                (Is('e'), Push, Some(State::ExponentFirst)),
                (Is('E'), Push, Some(State::ExponentFirst)),
                (Always, Found(Kind::Signed), BASE),
            ],
            State::Space => &[
                (End, Found(Kind::Blank), BASE),
                (Is('<'), Found(Kind::Blank), BASE),
                (Ignored, Next, SAME),
                (Is('-'), Found(Kind::Blank), BASE),
                (Is('+'), Found(Kind::Blank), BASE),
                (Is('&'), Found(Kind::Blank), BASE),
                (Is('/'), Found(Kind::Blank), BASE),
                (NotAlnum, Next, SAME),
                (Always, Found(Kind::Blank), BASE),
            ],
            State::UnsignedDecimalFirst => &[OVER, (Digit, Clear, Some(State::UnsignedDecimal)), GIVE_UP],
            State::UnsignedDecimal => &[
                (End, Found(Kind::Decimal), BASE),
                (Digit, Next, SAME),
                (Is('.'), Push, Some(State::VersionFirst)),
                (Is('e'), Push, Some(State::ExponentFirst)),
                (Is('E'), Push, Some(State::ExponentFirst)),
                (Always, Found(Kind::Decimal), BASE),
            ],
            State::DecimalFirst => &[OVER, (Digit, Clear, Some(State::Decimal)), GIVE_UP],
            State::Decimal => &[
                (End, Found(Kind::Decimal), BASE),
                (Digit, Next, SAME),
                (Is('.'), Push, Some(State::SignedVersion)),
                (Is('e'), Push, Some(State::ExponentFirst)),
                (Is('E'), Push, Some(State::ExponentFirst)),
                (Always, Found(Kind::Decimal), BASE),
            ],
            State::SignedVersion => &[OVER, (Digit, FoundSign(Kind::Blank), Some(State::Unsigned)), GIVE_UP],
            State::VersionFirst => &[OVER, (Digit, Clear, Some(State::Version)), GIVE_UP],
            State::Version => &[
                (End, Found(Kind::Version), BASE),
                (Digit, Next, SAME),
                (Is('.'), Push, Some(State::VersionFirst)),
                (Always, Found(Kind::Version), BASE),
            ],
            State::ExponentFirst => &[
                OVER,
                (Digit, Clear, Some(State::Exponent)),
                (Is('+'), Next, Some(State::ExponentSign)),
                (Is('-'), Next, Some(State::ExponentSign)),
                GIVE_UP,
            ],
            State::ExponentSign => &[OVER, (Digit, Clear, Some(State::Exponent)), GIVE_UP],
            State::Exponent => &[
                (End, Found(Kind::Scientific), BASE),
                (Digit, Next, SAME),
                (Always, Found(Kind::Scientific), BASE),
            ],
            State::EntityFirst => &[
                OVER,
                (Is('#'), Next, Some(State::EntityNumberFirst)),
                (AsciiLetter, Next, Some(State::Entity)),
                (Is(':'), Next, Some(State::Entity)),
                (Is('_'), Next, Some(State::Entity)),
                GIVE_UP,
            ],
            State::Entity => &[
                OVER,
                (Alnum, Next, SAME),
                (Is(':'), Next, SAME),
                (Is('_'), Next, SAME),
                (Is('.'), Next, SAME),
                (Is('-'), Next, SAME),
                (Is(';'), Next, Some(State::EntityEnd)),
                GIVE_UP,
            ],
            State::EntityNumberFirst => &[
                OVER,
                (Is('x'), Next, Some(State::EntityHexFirst)),
                (Is('X'), Next, Some(State::EntityHexFirst)),
                (Digit, Next, Some(State::EntityNumber)),
                GIVE_UP,
            ],
            State::EntityNumber => &[
                OVER,
                (Digit, Next, SAME),
                (Is(';'), Next, Some(State::EntityEnd)),
                GIVE_UP,
            ],
            State::EntityHexFirst => &[OVER, (Hex, Next, Some(State::EntityHex)), GIVE_UP],
            State::EntityHex => &[OVER, (Hex, Next, SAME), (Is(';'), Next, Some(State::EntityEnd)), GIVE_UP],
            State::EntityEnd => &[(Always, FoundClear(Kind::Entity), BASE)],
            State::TagFirst => &[
                OVER,
                (Is('/'), Push, Some(State::TagCloseFirst)),
                (Is('!'), Push, Some(State::CommentFirst)),
                (Is('?'), Push, Some(State::DeclarationFirst)),
                (AsciiLetter, Push, Some(State::TagName)),
                (Is(':'), Push, Some(State::TagName)),
                (Is('_'), Push, Some(State::TagName)),
                GIVE_UP,
            ],
            State::DeclarationFirst => &[
                OVER,
                (Is('x'), Next, Some(State::Tag)),
                (Is('X'), Next, Some(State::Tag)),
                GIVE_UP,
            ],
            State::TagCloseFirst => &[OVER, (AsciiLetter, Next, Some(State::TagName)), GIVE_UP],
            State::TagName => &[
                OVER,
                (Is('/'), Next, Some(State::TagBeginEnd)),
                (Is('>'), Next, Some(State::TagEnd)),
                (Space, Next, Some(State::Tag)),
                (Alnum, Next, SAME),
                (Is(':'), Next, SAME),
                (Is('_'), Next, SAME),
                (Is('.'), Next, SAME),
                (Is('-'), Next, SAME),
                GIVE_UP,
            ],
            State::TagBeginEnd => &[OVER, (Is('>'), Next, Some(State::TagEnd)), GIVE_UP],
            State::Tag => &[
                OVER,
                (Is('>'), Next, Some(State::TagEnd)),
                (Is('\''), Next, Some(State::TagQuoted)),
                (Is('"'), Next, Some(State::TagDoubleQuoted)),
                (AsciiLetter, Next, SAME),
                (Digit, Next, SAME),
                (Is('='), Next, SAME),
                (Is('-'), Next, SAME),
                (Is('_'), Next, SAME),
                (Is('#'), Next, SAME),
                (Is('/'), Next, SAME),
                (Is(':'), Next, SAME),
                (Is('.'), Next, SAME),
                (Is('&'), Next, SAME),
                (Is('?'), Next, SAME),
                (Is('%'), Next, SAME),
                (Is('~'), Next, SAME),
                (Space, Next, SAME),
                GIVE_UP,
            ],
            State::TagQuoted => &[
                OVER,
                (Is('\\'), Push, Some(State::TagEscaped)),
                (Is('\''), Next, Some(State::Tag)),
                (Always, Next, SAME),
            ],
            State::TagDoubleQuoted => &[
                OVER,
                (Is('\\'), Push, Some(State::TagEscaped)),
                (Is('"'), Next, Some(State::Tag)),
                (Always, Next, SAME),
            ],
            State::TagEscaped => &[OVER, (Always, Merge, SAME)],
            State::TagEnd => &[(Always, FoundAll(Kind::Tag), BASE)],
            State::CommentFirst => &[
                OVER,
                (Is('-'), Next, Some(State::CommentSecond)),
                (Is('D'), Next, Some(State::Tag)),
                (Is('d'), Next, Some(State::Tag)),
                GIVE_UP,
            ],
            State::CommentSecond => &[OVER, (Is('-'), Next, Some(State::Comment)), GIVE_UP],
            State::Comment => &[OVER, (Is('-'), Next, Some(State::CommentCloseFirst)), (Always, Next, SAME)],
            State::CommentCloseFirst => &[
                OVER,
                (Is('-'), Next, Some(State::CommentCloseLast)),
                (Always, Next, Some(State::Comment)),
            ],
            State::CommentCloseLast => &[
                OVER,
                (Is('-'), Next, SAME),
                (Is('>'), Next, Some(State::CommentEnd)),
                (Always, Next, Some(State::Comment)),
            ],
            State::CommentEnd => &[(Always, FoundAll(Kind::Tag), BASE)],
            State::HostFirstDomain => &[
                OVER,
                (AsciiLetter, Next, Some(State::HostDomainSecond)),
                (Digit, Next, Some(State::Host)),
                GIVE_UP,
            ],
            State::HostDomainSecond => &[
                OVER,
                (AsciiLetter, Next, Some(State::HostDomain)),
                (Digit, Push, Some(State::Host)),
                (Is('-'), Push, Some(State::HostFirstAlnum)),
                (Is('_'), Push, Some(State::HostFirstAlnum)),
                (Is('.'), Push, Some(State::HostFirstDomain)),
                (Is('@'), Push, Some(State::Email)),
                GIVE_UP,
            ],
            State::HostDomain => &[
                (End, FoundAll(Kind::Host), BASE),
                (AsciiLetter, Next, SAME),
                (Digit, Push, Some(State::Host)),
                (Is(':'), Push, Some(State::PortFirst)),
                (Is('-'), Push, Some(State::HostFirstAlnum)),
                (Is('_'), Push, Some(State::HostFirstAlnum)),
                (Is('.'), Push, Some(State::HostFirstDomain)),
                (Is('@'), Push, Some(State::Email)),
                (Digit, Pop, SAME),
                (HostOnly, FoundAll(Kind::Host), Some(State::UrlPathStart)),
                (Is('/'), Push, Some(State::Address)),
                (Always, FoundAll(Kind::Host), BASE),
            ],
            State::PortFirst => &[OVER, (Digit, Next, Some(State::Port)), GIVE_UP],
            State::Port => &[
                (End, FoundAll(Kind::Host), BASE),
                (Digit, Next, SAME),
                (HostOnly, FoundAll(Kind::Host), Some(State::UrlPathStart)),
                (Is('/'), Push, Some(State::Address)),
                (Always, FoundAll(Kind::Host), BASE),
            ],
            State::HostFirstAlnum => &[
                OVER,
                (Digit, Next, Some(State::Host)),
                (AsciiLetter, Next, Some(State::Host)),
                GIVE_UP,
            ],
            State::Host => &[
                OVER,
                (Digit, Next, SAME),
                (AsciiLetter, Next, SAME),
                (Is('@'), Push, Some(State::Email)),
                (Is('.'), Push, Some(State::HostFirstDomain)),
                (Is('-'), Push, Some(State::HostFirstAlnum)),
                (Is('_'), Push, Some(State::HostFirstAlnum)),
                GIVE_UP,
            ],
            State::Email => &[
                (HostOnly, Pop, SAME),
                (HostFollows, FoundAll(Kind::Email), BASE),
                GIVE_UP,
            ],
            State::FileFirst => &[
                OVER,
                (AsciiLetter, Next, Some(State::File)),
                (Digit, Next, Some(State::File)),
                (Is('.'), Next, Some(State::PathFirst)),
                (Is('_'), Next, Some(State::File)),
                (Is('~'), Push, Some(State::FileTilde)),
                GIVE_UP,
            ],
            State::FileTilde => &[
                OVER,
                (AsciiLetter, Next, Some(State::File)),
                (Digit, Next, Some(State::File)),
                (Is('_'), Next, Some(State::File)),
                (Is('/'), Next, Some(State::FileFirst)),
                GIVE_UP,
            ],
            State::PathFirst => &[
                OVER,
                (AsciiLetter, Next, Some(State::File)),
                (Digit, Next, Some(State::File)),
                (Is('_'), Next, Some(State::File)),
                (Is('.'), Next, Some(State::PathSecond)),
                (Is('/'), Next, Some(State::FileFirst)),
                GIVE_UP,
            ],
            State::PathFirstFirst => &[
                OVER,
                (Is('.'), Next, Some(State::PathSecond)),
                (Is('/'), Next, Some(State::FileFirst)),
                GIVE_UP,
            ],
            State::PathSecond => &[
                (End, FoundClear(Kind::File), BASE),
                (Is('/'), Push, Some(State::FileFirst)),
                (Is('/'), FoundClear(Kind::File), BASE),
                (Space, FoundClear(Kind::File), BASE),
                GIVE_UP,
            ],
            State::File => &[
                (End, FoundClear(Kind::File), BASE),
                (AsciiLetter, Next, SAME),
                (Digit, Next, SAME),
                (Is('.'), Push, Some(State::FileNext)),
                (Is('_'), Next, SAME),
                (Is('-'), Next, SAME),
                (Is('/'), Push, Some(State::FileFirst)),
                (Always, FoundClear(Kind::File), BASE),
            ],
            State::FileNext => &[
                OVER,
                (AsciiLetter, Clear, Some(State::File)),
                (Digit, Clear, Some(State::File)),
                (Is('_'), Clear, Some(State::File)),
                GIVE_UP,
            ],
            State::UrlPathFirst => &[OVER, (UrlChar, Next, Some(State::UrlPath)), GIVE_UP],
            State::UrlPathStart => &[(Always, Next, Some(State::UrlPath))],
            State::UrlPath => &[
                (End, Found(Kind::UrlPath), BASE),
                (UrlChar, Next, SAME),
                (Always, Found(Kind::UrlPath), BASE),
            ],
            State::Address => &[OVER, (PathFollows, FoundAddress(Kind::Url), BASE), GIVE_UP],
            State::ProtocolFirst => &[OVER, (Is('/'), Next, Some(State::ProtocolSecond)), GIVE_UP],
            State::ProtocolSecond => &[OVER, (Is('/'), Next, Some(State::ProtocolEnd)), GIVE_UP],
            State::ProtocolEnd => &[(Always, FoundAll(Kind::Protocol), BASE)],
            State::HyphenAsciiFirst => &[
                OVER,
                (AsciiLetter, Next, Some(State::HyphenAscii)),
                (Letter, Next, Some(State::HyphenWord)),
                (Digit, Next, Some(State::HyphenDigits)),
                GIVE_UP,
            ],
            State::HyphenAscii => &[
                (End, FoundParts(Kind::CompoundAsciiWord), Some(State::Parts)),
                (AsciiLetter, Next, SAME),
                (Letter, Next, Some(State::HyphenWord)),
                (Mark, Next, Some(State::HyphenWord)),
                (Digit, Next, Some(State::HyphenNum)),
                (Is('-'), Push, Some(State::HyphenAsciiFirst)),
                (Always, FoundParts(Kind::CompoundAsciiWord), Some(State::Parts)),
            ],
            State::HyphenWordFirst => &[
                OVER,
                (Letter, Next, Some(State::HyphenWord)),
                (Digit, Next, Some(State::HyphenDigits)),
                GIVE_UP,
            ],
            State::HyphenWord => &[
                (End, FoundParts(Kind::CompoundWord), Some(State::Parts)),
                (Letter, Next, SAME),
                (Mark, Next, SAME),
                (Digit, Next, Some(State::HyphenNum)),
                (Is('-'), Push, Some(State::HyphenWordFirst)),
                (Always, FoundParts(Kind::CompoundWord), Some(State::Parts)),
            ],
            State::HyphenNumFirst => &[
                OVER,
                (Letter, Next, Some(State::HyphenNum)),
                (Digit, Next, Some(State::HyphenDigits)),
                GIVE_UP,
            ],
            State::HyphenNum => &[
                (End, FoundParts(Kind::CompoundNumWord), Some(State::Parts)),
                (Alnum, Next, SAME),
                (Mark, Next, SAME),
                (Is('-'), Push, Some(State::HyphenNumFirst)),
                (Always, FoundParts(Kind::CompoundNumWord), Some(State::Parts)),
            ],
            State::HyphenDigits => &[
                OVER,
                (Digit, Next, SAME),
                (Letter, Next, Some(State::HyphenNum)),
                (Mark, Next, Some(State::HyphenNum)),
                GIVE_UP,
            ],
            State::Parts => &[
                (End, Rerun, BASE),
                (AsciiLetter, Next, Some(State::PartAscii)),
                (Letter, Next, Some(State::PartWord)),
                (Digit, Push, Some(State::PartUnsigned)),
                (Is('-'), Push, Some(State::PartsHyphen)),
                (Always, Rerun, BASE),
            ],
            State::PartsHyphen => &[
                OVER,
                (Alnum, FoundClear(Kind::Blank), Some(State::Parts)),
                (Mark, FoundClear(Kind::Blank), Some(State::Parts)),
                GIVE_UP,
            ],
            State::PartWord => &[
                (End, Found(Kind::PartWord), BASE),
                (Letter, Next, SAME),
                (Mark, Next, SAME),
                (Digit, Next, Some(State::PartNum)),
                (Always, Found(Kind::PartWord), Some(State::Parts)),
            ],
            State::PartAscii => &[
                (End, Found(Kind::PartAsciiWord), BASE),
                (AsciiLetter, Next, SAME),
                (Letter, Next, Some(State::PartWord)),
                (Mark, Next, Some(State::PartWord)),
                (Digit, Next, Some(State::PartNum)),
                (Always, Found(Kind::PartAsciiWord), Some(State::Parts)),
            ],
            State::PartNum => &[
                (End, Found(Kind::PartNumWord), BASE),
                (Alnum, Next, SAME),
                (Mark, Next, SAME),
                (Always, Found(Kind::PartNumWord), Some(State::Parts)),
            ],
            State::PartUnsigned => &[
                OVER,
                (Digit, Next, SAME),
                (Letter, Clear, Some(State::PartNum)),
                (Mark, Clear, Some(State::PartNum)),
                GIVE_UP,
            ],
        }
    }
}

/// A place in the text, what state the machine is in there, and how much of the token is read.
#[derive(Clone, Copy)]
struct Place {
    at: usize,
    length: usize,
    state: State,
    /// The row from which on it is looked when the machine comes back.
    row: usize,
}

struct Machine<'t> {
    text: &'t str,
    place: Place,
    before: Vec<Place>,
    /// Whether text is passed over until a tag ends.
    ignores: bool,
    wants_host: bool,
    /// How deep it has called itself.
    depth: u8,
}

impl<'t> Machine<'t> {
    fn new(text: &'t str, at: usize, state: State) -> Machine<'t> {
        let place = Place { at, length: 0, state, row: 0 };
        Machine { text, place, before: Vec::new(), ignores: false, wants_host: false, depth: 0 }
    }

    fn token(&mut self, steps: &mut Steps) -> Result<Option<Token<'t>>> {
        let start = self.place.at;
        self.place.row = 0;
        self.place.length = 0;
        while self.place.at <= self.text.len() {
            steps.next()?;
            let c = self.text.get(self.place.at..).and_then(|rest| rest.chars().next());
            let from = std::mem::take(&mut self.place.row);
            let rows = self.place.state.rows();
            let mut taken = None;
            for (at, row) in rows.iter().enumerate().skip(from) {
                if self.fits(row.0, c, steps)? {
                    taken = Some((at, row));
                    break;
                }
            }
            let Some((at, (_, does, to))) = taken else { return Ok(None) };
            if let Some(kind) = does.found() {
                let end = if matches!(does, FoundSign(_)) { start + 1 } else { self.place.at };
                self.done(*does, *to, start);
                return Ok(Some(Token { kind, text: self.text.get(start..end).unwrap_or("") }));
            }
            if matches!(does, Next) {
                self.look_at_tag(start, c);
            }
            match does {
                Pop => match self.before.pop() {
                    Some(place) => self.place = place,
                    None => return Ok(None),
                },
                Push => {
                    self.before.push(Place { row: at + 1, ..self.place });
                }
                Clear => drop(self.before.pop()),
                Merge => self.place.state = self.before.pop().map_or(State::Base, |place| place.state),
                _ => {}
            }
            if let Some(to) = to {
                self.place.state = *to;
            }
            let is_moved = matches!(does, Next | Push | Clear | Merge);
            match c {
                Some(c) if is_moved => {
                    self.place.at += c.len_utf8();
                    self.place.length += 1;
                }
                None if is_moved => return Ok(None),
                _ => {}
            }
        }
        Ok(None)
    }

    /// What is left of the machine behind a token.
    fn done(&mut self, does: Does, to: Option<State>, start: usize) {
        match does {
            FoundClear(_) => drop(self.before.pop()),
            FoundAll(_) | FoundSign(_) | FoundParts(_) | FoundAddress(_) => self.before.clear(),
            _ => {}
        }
        if let Some(to) = to {
            self.place.state = to;
        }
        match does {
            FoundSign(_) => self.place.at = start + 1,
            FoundParts(_) => self.place.at = start,
            FoundAddress(_) => {
                self.place.at = start;
                self.wants_host = true;
            }
            _ => {}
        }
    }

    /// The text of scripts and styles is none.
    fn look_at_tag(&mut self, start: usize, c: Option<char>) {
        let is_end = matches!(self.place.state, State::TagName | State::Tag)
            && c.is_some_and(|c| c == '>' || is_space(c));
        if !is_end {
            return;
        }
        let name = self.text.get(start..self.place.at).unwrap_or("").to_ascii_lowercase();
        match name.as_str() {
            "<script" | "<style" => self.ignores = true,
            "</script" | "</style" => self.ignores = false,
            _ => {}
        }
    }

    fn fits(&mut self, asks: Asks, c: Option<char>, steps: &mut Steps) -> Result<bool> {
        let of = |test: fn(char) -> bool| c.is_some_and(test);
        Ok(match asks {
            End => c.is_none(),
            Is(wanted) => c == Some(wanted),
            Ignored => c.is_some() && self.ignores,
            AsciiLetter => of(|c| c.is_ascii_alphabetic()),
            Letter => of(is_letter),
            Digit => of(|c| c.is_ascii_digit()),
            Alnum => of(|c| c.is_ascii_digit() || is_letter(c)),
            NotAlnum => of(|c| !c.is_ascii_digit() && !is_letter(c)),
            Hex => of(|c| c.is_ascii_hexdigit()),
            Space => of(is_space),
            UrlChar => of(is_url_char),
            Mark => of(is_mark),
            HostOnly => std::mem::take(&mut self.wants_host),
            HostFollows => self.passed(State::Base, Kind::Host, steps)?,
            PathFollows => self.passed(State::UrlPathFirst, Kind::UrlPath, steps)?,
            Always => true,
        })
    }

    /// Whether a token of a kind follows; it is passed over.
    fn passed(&mut self, state: State, kind: Kind, steps: &mut Steps) -> Result<bool> {
        const DEPTH_MAX: u8 = 8;
        if self.depth == DEPTH_MAX {
            return Ok(false);
        }
        let mut inner = Machine::new(self.text, self.place.at, state);
        inner.depth = self.depth + 1;
        inner.wants_host = kind == Kind::Host;
        match inner.token(steps)? {
            Some(token) if token.kind == kind => {
                self.place.at += token.text.len();
                self.place.length += token.text.chars().count();
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}

impl Does {
    fn found(self) -> Option<Kind> {
        match self {
            Found(kind) | FoundClear(kind) | FoundAll(kind) | FoundSign(kind) | FoundParts(kind)
            | FoundAddress(kind) => Some(kind),
            Next | Push | Pop | Clear | Merge | Rerun => None,
        }
    }
}

/// The C library's letters: digits of other scripts are some.
fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || (!c.is_ascii() && (c.is_alphabetic() || is_of(&DIGITS, r"\p{Nd}", c)))
}

/// Marks of letters, which take no room of their own.
fn is_mark(c: char) -> bool {
    !c.is_ascii() && is_of(&MARKS, r"\p{M}", c)
}

static DIGITS: OnceLock<Option<Regex>> = OnceLock::new();
static MARKS: OnceLock<Option<Regex>> = OnceLock::new();

fn is_of(class: &'static OnceLock<Option<Regex>>, pattern: &str, c: char) -> bool {
    let class = class.get_or_init(|| Regex::new(pattern).ok());
    class.as_ref().is_some_and(|class| class.is_match(&*c.encode_utf8(&mut [0; 4])))
}

/// The C library's spaces: those that do not break are none.
fn is_space(c: char) -> bool {
    c.is_whitespace() && !matches!(c, '\u{a0}' | '\u{2007}' | '\u{202f}' | '\u{85}')
}

fn is_url_char(c: char) -> bool {
    c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found = tokens(text).unwrap();
        let shown = found.iter().map(|token| {
            let kind = KINDS.iter().find(|(kind, ..)| *kind == token.kind).unwrap();
            format!("{}={}", kind.1, token.text)
        });
        assert_eq!(shown.collect::<Vec<_>>().join("|"), expected);
    }

    #[test]
    fn a_text_is_taken_apart_as_postgresql_does() {
        check(
            "and/or e-mail",
            "file=and/or|blank= |asciihword=e-mail|hword_asciipart=e|blank=-|hword_asciipart=mail",
        );
        check("a foo.bar@x.com/y", "asciiword=a|blank= |email=foo.bar@x.com|file=/y");
        check(
            "http://a.de:80/p?q=1#x 1.2.3",
            "protocol=http://|url=a.de:80/p?q=1#x|host=a.de:80|url_path=/p?q=1#x|blank= |version=1.2.3",
        );
        check(
            "don’t — 🎉 a_b",
            "asciiword=don|blank=’|asciiword=t|blank= — 🎉 |asciiword=a|blank=_|asciiword=b",
        );
        check(
            "<b class='x'>bold</b>&nbsp;C++",
            "tag=<b class='x'>|asciiword=bold|tag=</b>|entity=&nbsp;|asciiword=C|blank=+|blank=+",
        );
        check("3.5e-7 -12 v1.2.3", "sfloat=3.5e-7|blank= |int=-12|blank= |file=v1.2.3");
        check("-71.2 -71.2.3", "float=-71.2|blank= |blank=-|version=71.2.3");
        check("<script>if (a) b;</script>x", "tag=<script>|blank=if (a) b;|tag=</script>|asciiword=x");
    }
}
