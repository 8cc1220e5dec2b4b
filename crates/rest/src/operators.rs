//! The table of filter operators: a row per word; the grammar, the meaning and the documentation come from it.

/// What stands after an operator's dot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// One value, as it is.
    Scalar,
    /// One value, or an array literal under `(any)` and `(all)`.
    Quantified,
    /// `(a,b,…)`
    List,
    /// One of the words of `is`.
    Truth,
    /// A text search query; the operator may name a configuration: `fts(english)`.
    Search,
}

/// What an operator does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// An SQL operator by its symbol. `*` stands for `%` in the operand of `like` and `ilike`.
    Operator(&'static str),
    /// `= any (list)`
    In,
    /// `is null`, `is true`, …
    Is,
    /// `is distinct from`
    Distinct,
    /// `@@` with this function making the query.
    Search(&'static str),
}

/// One operator of the query string.
#[derive(Debug, PartialEq, Eq)]
pub struct Operator {
    /// Its word.
    pub word: &'static str,
    /// What it does.
    pub meaning: Meaning,
    /// What it takes.
    pub operand: Operand,
    /// What it is for.
    pub doc: &'static str,
}

const fn row(word: &'static str, meaning: Meaning, operand: Operand, doc: &'static str) -> Operator {
    Operator { word, meaning, operand, doc }
}

/// The rows, in the order in which they are tried.
pub static TABLE: &[Operator] = &[
    row("in", Meaning::In, Operand::List, "one of a list of values"),
    row("isdistinct", Meaning::Distinct, Operand::Scalar, "not equal, nulls being equal to each other"),
    row("is", Meaning::Is, Operand::Truth, "null, not_null, true, false or unknown"),
    row("fts", Meaning::Search("to_tsquery"), Operand::Search, "full text: words and operators"),
    row("plfts", Meaning::Search("plainto_tsquery"), Operand::Search, "full text: all words"),
    row("phfts", Meaning::Search("phraseto_tsquery"), Operand::Search, "full text: a phrase"),
    row("wfts", Meaning::Search("websearch_to_tsquery"), Operand::Search, "full text: as in web searches"),
    row("neq", Meaning::Operator("<>"), Operand::Scalar, "not equal"),
    row("cs", Meaning::Operator("@>"), Operand::Scalar, "contains"),
    row("cd", Meaning::Operator("<@"), Operand::Scalar, "is contained in"),
    row("ov", Meaning::Operator("&&"), Operand::Scalar, "has common elements"),
    row("sl", Meaning::Operator("<<"), Operand::Scalar, "a range strictly left of"),
    row("sr", Meaning::Operator(">>"), Operand::Scalar, "a range strictly right of"),
    row("nxr", Meaning::Operator("&<"), Operand::Scalar, "a range that does not extend to the right of"),
    row("nxl", Meaning::Operator("&>"), Operand::Scalar, "a range that does not extend to the left of"),
    row("adj", Meaning::Operator("-|-"), Operand::Scalar, "a range adjacent to"),
    row("eq", Meaning::Operator("="), Operand::Quantified, "equal"),
    row("gte", Meaning::Operator(">="), Operand::Quantified, "greater or equal"),
    row("gt", Meaning::Operator(">"), Operand::Quantified, "greater"),
    row("lte", Meaning::Operator("<="), Operand::Quantified, "less or equal"),
    row("lt", Meaning::Operator("<"), Operand::Quantified, "less"),
    row(
        "like",
        Meaning::Operator("~~"),
        Operand::Quantified,
        "matches a pattern; * and % are any characters, _ is one",
    ),
    row("ilike", Meaning::Operator("~~*"), Operand::Quantified, "matches a pattern, without regard to case"),
    row("match", Meaning::Operator("~"), Operand::Quantified, "matches a regular expression"),
    row(
        "imatch",
        Meaning::Operator("~*"),
        Operand::Quantified,
        "matches a regular expression, without regard to case",
    ),
];

impl Operator {
    /// Whether `*` stands for `%` in the operand.
    pub fn takes_pattern(&self) -> bool {
        matches!(self.meaning, Meaning::Operator("~~" | "~~*"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_symbols_are_unique() {
        for (position, row) in TABLE.iter().enumerate() {
            let twin = TABLE.iter().position(|other| other.word == row.word || other.meaning == row.meaning);
            assert_eq!(twin, Some(position), "{}", row.word);
        }
    }

    #[test]
    fn a_longer_word_is_tried_before_its_beginning() {
        for (position, row) in TABLE.iter().enumerate() {
            let dotted = format!("{}.", row.word);
            let earlier =
                TABLE[..position].iter().find(|other| dotted.starts_with(&format!("{}.", other.word)));
            assert_eq!(earlier, None, "{}", row.word);
        }
    }
}
