//! Vertical filtering: `select=id,alias:name::text,data->>a,amount.sum(),rel!hint!inner(items),...rel(items)`.

use crate::budget::Budget;
use crate::cursor::{Cursor, Parsed, Stop};
use crate::field::{Field, field, identifier, name};

/// One item of a select.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SelectItem {
    /// `*`: the columns of the resource.
    All,
    /// A column, cast and aggregated.
    Column(SelectColumn),
    /// `count()`: how many rows.
    Count {
        /// `alias:`
        alias: Option<String>,
        /// `::type` of the count.
        cast: Option<String>,
    },
    /// An embedded resource.
    Embed(SelectEmbed),
}

/// A selected column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectColumn {
    /// `alias:`
    pub alias: Option<String>,
    /// The field.
    pub field: Field,
    /// `::type` before an aggregate.
    pub cast: Option<String>,
    /// `.sum()`
    pub aggregate: Option<AggregateName>,
    /// `::type` after an aggregate.
    pub aggregate_cast: Option<String>,
}

/// The aggregates of the query string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AggregateName {
    /// `.sum()`
    Sum,
    /// `.avg()`
    Avg,
    /// `.count()`
    Count,
    /// `.max()`
    Max,
    /// `.min()`
    Min,
}

/// A selected embedded resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectEmbed {
    /// `...`: its columns become its parent's.
    pub spread: bool,
    /// `alias:`
    pub alias: Option<String>,
    /// The resource, or the foreign key that leads to it.
    pub target: String,
    /// `!hint`: which relationship is meant.
    pub hint: Option<String>,
    /// `!inner`: parents without a row of it do not appear.
    pub inner: bool,
    /// What is selected of it; nothing leaves it out of the reply.
    pub items: Vec<SelectItem>,
}

impl SelectEmbed {
    /// What filters and orders call it, and its key in the reply.
    pub fn key(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.target)
    }
}

const AGGREGATES: &[(&str, AggregateName)] = &[
    ("sum", AggregateName::Sum),
    ("avg", AggregateName::Avg),
    ("count", AggregateName::Count),
    ("max", AggregateName::Max),
    ("min", AggregateName::Min),
];

impl AggregateName {
    /// The SQL function, and the key of a reply unless it is renamed.
    pub fn word(self) -> &'static str {
        AGGREGATES.iter().find(|(_, aggregate)| *aggregate == self).map_or("count", |(word, _)| word)
    }
}

/// Reads the items of a select; maybe none.
pub(crate) fn items(cursor: &mut Cursor<'_>, budget: &mut Budget<'_>) -> Parsed<Vec<SelectItem>> {
    items_at(cursor, budget, 0)
}

fn items_at(cursor: &mut Cursor<'_>, budget: &mut Budget<'_>, depth: usize) -> Parsed<Vec<SelectItem>> {
    let start = cursor.at();
    let mut items = match item(cursor, budget, depth) {
        Ok(item) => vec![item],
        Err(Stop::Syntax) if cursor.at() == start => return Ok(Vec::new()),
        Err(stop) => return Err(stop),
    };
    while cursor.attempt(|cursor| cursor.lexeme(|cursor| cursor.take(',', "\",\"")))?.is_some() {
        items.push(item(cursor, budget, depth)?);
    }
    Ok(items)
}

fn item(cursor: &mut Cursor<'_>, budget: &mut Budget<'_>, depth: usize) -> Parsed<SelectItem> {
    budget.item()?;
    for head in [spread, relation] {
        if let Some(mut embed) = cursor.attempt(|cursor| cursor.lexeme(head))? {
            budget.embed(depth + 1)?;
            cursor.take('(', "\"(\"")?;
            embed.items = items_at(cursor, budget, depth + 1)?;
            cursor.take(')', "\")\"")?;
            return Ok(SelectItem::Embed(embed));
        }
    }
    cursor.lexeme(|cursor| {
        if cursor.attempt(star)?.is_some() {
            return Ok(SelectItem::All);
        }
        match cursor.attempt(count)? {
            Some(count) => Ok(count),
            None => column(cursor).map(SelectItem::Column),
        }
    })
}

fn spread(cursor: &mut Cursor<'_>) -> Parsed<SelectEmbed> {
    cursor.word("...", "\"...\"")?;
    let target = name(cursor)?;
    embed(cursor, true, None, target)
}

fn relation(cursor: &mut Cursor<'_>) -> Parsed<SelectEmbed> {
    let alias = alias(cursor)?;
    let target = name(cursor)?;
    // `count()` is the aggregate.
    if target == "count" {
        return Err(Stop::Syntax);
    }
    embed(cursor, false, alias, target)
}

/// The parameters of an embed, up to its parenthesis.
fn embed(
    cursor: &mut Cursor<'_>,
    spread: bool,
    alias: Option<String>,
    target: String,
) -> Parsed<SelectEmbed> {
    let mut embed = SelectEmbed { spread, alias, target, hint: None, inner: false, items: Vec::new() };
    let mut join = None;
    for _ in 0..2 {
        match parameter(cursor)? {
            Some(Parameter::Join { inner }) => join = join.or(Some(inner)),
            Some(Parameter::Hint(hint)) => embed.hint = embed.hint.or(Some(hint)),
            None => {}
        }
    }
    embed.inner = join == Some(true);
    if cursor.peek() == Some('(') { Ok(embed) } else { cursor.fail(Some("\"(\"")) }
}

enum Parameter {
    Join { inner: bool },
    Hint(String),
}

/// `!inner`, `!left` or `!hint`.
fn parameter(cursor: &mut Cursor<'_>) -> Parsed<Option<Parameter>> {
    if cursor.attempt(|cursor| cursor.take('!', "\"!\""))?.is_none() {
        return Ok(None);
    }
    let name = name(cursor)?;
    Ok(Some(match name.as_str() {
        "left" => Parameter::Join { inner: false },
        "inner" => Parameter::Join { inner: true },
        _ => Parameter::Hint(name),
    }))
}

/// `alias:`
fn alias(cursor: &mut Cursor<'_>) -> Parsed<Option<String>> {
    cursor.attempt(|cursor| {
        let alias = name(cursor)?;
        cursor.take(':', "\":\"")?;
        if cursor.peek() == Some(':') { cursor.refuse(None) } else { Ok(alias) }
    })
}

fn star(cursor: &mut Cursor<'_>) -> Parsed<()> {
    cursor.word("*", "\"*\"")?;
    item_end(cursor)
}

fn count(cursor: &mut Cursor<'_>) -> Parsed<SelectItem> {
    let alias = alias(cursor)?;
    cursor.word("count()", "\"count()\"")?;
    let cast = cast(cursor)?;
    item_end(cursor)?;
    Ok(SelectItem::Count { alias, cast })
}

fn column(cursor: &mut Cursor<'_>) -> Parsed<SelectColumn> {
    let alias = alias(cursor)?;
    let field = field(cursor)?;
    let before = cast(cursor)?;
    let aggregate = cursor.attempt(aggregate)?;
    let after = cast(cursor)?;
    item_end(cursor)?;
    Ok(SelectColumn { alias, field, cast: before, aggregate, aggregate_cast: after })
}

fn cast(cursor: &mut Cursor<'_>) -> Parsed<Option<String>> {
    match cursor.attempt(|cursor| cursor.word("::", "\"::\""))? {
        Some(()) => identifier(cursor).map(Some),
        None => Ok(None),
    }
}

fn aggregate(cursor: &mut Cursor<'_>) -> Parsed<AggregateName> {
    cursor.take('.', "\".\"")?;
    for (word, aggregate) in AGGREGATES {
        if cursor.attempt(|cursor| cursor.word(word, word))?.is_some() {
            cursor.word("()", "\"()\"")?;
            return Ok(*aggregate);
        }
    }
    Err(Stop::Syntax)
}

fn item_end(cursor: &mut Cursor<'_>) -> Parsed<()> {
    cursor.ends(&[(')', "\")\""), (',', "\",\"")])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cursor::read_all;
    use types::{Limits, error::Details};

    fn read(text: &str) -> Result<Vec<SelectItem>, String> {
        let limits = Limits::default();
        let mut budget = Budget::new(&limits);
        read_all(text, "select parameter", text, |cursor| items(cursor, &mut budget)).map_err(|error| {
            let Some(Details::Text(details)) = error.details() else { panic!() };
            format!("{} {details}", error.message())
        })
    }

    fn print(items: &[SelectItem]) -> String {
        let option = |value: &Option<String>, before: &str, after: &str| {
            value.as_ref().map_or(String::new(), |value| format!("{before}{value}{after}"))
        };
        let one = |item: &SelectItem| match item {
            SelectItem::All => "*".to_owned(),
            SelectItem::Count { alias, cast } => {
                format!("{}#{}", option(alias, "", "="), option(cast, "::", ""))
            }
            SelectItem::Column(column) => format!(
                "{}{}/{}{}{}{}",
                option(&column.alias, "", "="),
                column.field.name,
                column.field.path.len(),
                option(&column.cast, "::", ""),
                column.aggregate.map_or(String::new(), |aggregate| format!(" {}", aggregate.word())),
                option(&column.aggregate_cast, "::", ""),
            ),
            SelectItem::Embed(embed) => format!(
                "{}{}{}{}{}[{}]",
                if embed.spread { "..." } else { "" },
                option(&embed.alias, "", "="),
                embed.target,
                option(&embed.hint, "!", ""),
                if embed.inner { " inner" } else { "" },
                print(&embed.items),
            ),
        };
        items.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn items_are_columns_aggregates_and_embeds() {
        for (text, printed) in [
            ("", ""),
            ("*", "*"),
            ("id,name", "id/0, name/0"),
            ("a:b", "a=b/0"),
            ("id::text", "id/0::text"),
            ("a:data->b->>c::int", "a=data/2::int"),
            ("amount.sum()", "amount/0 sum"),
            ("amount::int.sum()::text", "amount/0::int sum::text"),
            ("n:amount.count()", "n=amount/0 count"),
            ("a.max(),a.min(),a.avg()", "a/0 max, a/0 min, a/0 avg"),
            ("count()", "#"),
            ("n:count()::text", "n=#::text"),
            ("count", "count/0"),
            ("rel(*)", "rel[*]"),
            ("rel()", "rel[]"),
            ("a:rel!fk!inner(id,deep(*))", "a=rel!fk inner[id/0, deep[*]]"),
            ("rel!inner!fk(id)", "rel!fk inner[id/0]"),
            ("rel!left(id)", "rel[id/0]"),
            ("rel!leftover(id)", "rel!leftover[id/0]"),
            ("...rel(a,b:c)", "...rel[a/0, b=c/0]"),
            ("...rel!inner(a)", "...rel inner[a/0]"),
            ("id, name", "id/0, name/0"),
            ("\"odd:name\",\"a,b\"", "odd:name/0, a,b/0"),
        ] {
            assert_eq!(print(&read(text).unwrap()), printed, "{text}");
        }
    }

    #[test]
    fn errors_say_where_and_what() {
        for (text, column, details) in [
            (
                "data->(!@#$%^&*_d->>!@#$%^&*_e::integer",
                7,
                "unexpected \"(\" expecting \"-\", digit or any non reserved character different from: .,>()",
            ),
            ("data->>--34", 9, "unexpected \"-\" expecting digit"),
            ("name::", 7, "unexpected end of input expecting letter or digit"),
            ("*!", 2, "unexpected '!' expecting \")\", \",\" or end of input"),
            (
                "id)",
                3,
                r#"unexpected ')' expecting letter, digit, "-", "->>", "->", "::", ".", "," or end of input"#,
            ),
        ] {
            let message =
                format!("\"failed to parse select parameter ({text})\" (line 1, column {column}) {details}");
            assert_eq!(read(text).unwrap_err(), message);
        }
        for text in ["id::varchar(10)", "tags::text[]", "rel(id", "a..b", "id,,name", "rel(id))"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn deep_and_wide_selects_are_refused() {
        for text in ["a(".repeat(100_000), vec!["rel(id)"; 1_000].join(","), vec!["id"; 5_000].join(",")] {
            assert!(read(&text).unwrap_err().starts_with("The request asks for too much"));
        }
        assert!(read(&"(".repeat(100_000)).is_err());
    }
}
