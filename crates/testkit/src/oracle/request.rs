//! Random requests: reads with everything the grammar has, writes that are rolled back.

use super::draw::Draw;
use super::world::{Seen, TABLES, Table};

/// A request, without who asks it.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) method: &'static str,
    pub(super) target: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
    pub(super) is_read: bool,
}

/// A resource in a request: a table, under the path that filters say.
struct Place {
    table: Table,
    path: String,
}

/// What is being written.
struct Writing<'d> {
    draw: &'d mut Draw,
    parameters: Vec<String>,
    /// Embeds that can be ordered by or be null, at the root.
    to_one: Vec<(String, Table)>,
    embeds: Vec<String>,
}

/// What a table shows of its keys.
pub(super) fn keys(table: Table) -> Asked {
    let keys = table.columns()[..table.key_columns()].join(",");
    let target = format!("/rest/v1/{}?select={keys}", table.name());
    Asked { method: "GET", target, headers: Vec::new(), body: String::new(), is_read: true }
}

pub(super) fn draw(draw: &mut Draw, seen: &Seen) -> Asked {
    let table = *draw.of(&TABLES);
    match draw.below(10) {
        0 => update(draw, table, seen),
        1 => delete(draw, table),
        2 => insert(draw, table, seen),
        _ => read(draw, table),
    }
}

fn read(draw: &mut Draw, table: Table) -> Asked {
    let mut headers = Vec::new();
    if draw.one_in(3) {
        headers.push(("Prefer", format!("count={}", draw.of(&["exact", "exact", "planned", "estimated"]))));
    }
    let media = draw.below(12);
    if media < 2 {
        let kinds = ["application/vnd.pgrst.object+json", "text/csv"];
        headers.push(("Accept", kinds[media].to_owned()));
    }
    let method = if draw.one_in(8) { "HEAD" } else { "GET" };
    let target = target(draw, table, true);
    Asked { method, target, headers, body: String::new(), is_read: true }
}

fn target(draw: &mut Draw, table: Table, pages: bool) -> String {
    let mut writing = Writing { draw, parameters: Vec::new(), to_one: Vec::new(), embeds: Vec::new() };
    let place = Place { table, path: String::new() };
    let select = writing.select(&place, 2);
    writing.parameters.insert(0, format!("select={select}"));
    writing.conditions(&place);
    writing.null_embed();
    writing.order(&place);
    if pages {
        writing.page(&place);
    } else {
        // A write that looks at no column is bound by the policies of its command alone, not by those for reading.
        writing.parameters.push(format!("{}=gte.0", table.columns()[0]));
    }
    format!("/rest/v1/{}?{}", table.name(), writing.parameters.join("&"))
}

/// What can be embedded in a table: the target as written, its table, whether it is one row.
fn neighbors(table: Table) -> &'static [(&'static str, Table, bool)] {
    match table {
        Table::Teams => &[("docs", Table::Docs, false)],
        Table::Docs => &[
            ("teams", Table::Teams, true),
            ("team_id", Table::Teams, true),
            ("notes", Table::Notes, false),
            ("tags", Table::Tags, false),
            ("doc_tags", Table::DocTags, false),
        ],
        Table::Notes => &[("docs", Table::Docs, true), ("docs!doc_id", Table::Docs, true)],
        Table::Tags => &[("docs", Table::Docs, false), ("doc_tags", Table::DocTags, false)],
        Table::DocTags => &[("docs", Table::Docs, true), ("tags", Table::Tags, true)],
    }
}

impl Writing<'_> {
    fn select(&mut self, place: &Place, depth: usize) -> String {
        let mut items = Vec::new();
        if self.draw.one_in(4) {
            items.push("*".to_owned());
        }
        for column in place.table.columns() {
            if self.draw.one_in(2) {
                items.push(self.column(column));
            }
        }
        if depth > 0 && !self.draw.one_in(3) {
            items.extend(self.embed(place, depth));
        }
        if items.is_empty() {
            items.push(place.table.columns()[0].to_owned());
        }
        items.join(",")
    }

    fn column(&mut self, column: &str) -> String {
        match self.draw.below(6) {
            0 => format!("{column}_x:{column}"),
            1 => format!("{column}::text"),
            2 if column == "data" => "k:data->>k".to_owned(),
            _ => column.to_owned(),
        }
    }

    /// One embed; its filters, order and page become parameters.
    fn embed(&mut self, place: &Place, depth: usize) -> Option<String> {
        let &(target, table, is_one) = self.draw.of(neighbors(place.table));
        let name = target.split('!').next().unwrap_or(target);
        let inner = if self.draw.one_in(3) { "!inner" } else { "" };
        let below = Place { table, path: format!("{}{name}.", place.path) };
        if self.draw.one_in(6) {
            let column = *self.draw.of(table.columns());
            return Some(format!("...{target}{inner}({name}_{column}:{column})"));
        }
        let items = if self.draw.one_in(6) { String::new() } else { self.select(&below, depth - 1) };
        if self.draw.one_in(2) {
            self.conditions(&below);
        }
        if !is_one && self.draw.one_in(2) {
            self.order(&below);
            self.page(&below);
        }
        if place.path.is_empty() {
            self.embeds.push(name.to_owned());
            if is_one {
                self.to_one.push((name.to_owned(), table));
            }
        }
        Some(format!("{target}{inner}({items})"))
    }

    fn conditions(&mut self, place: &Place) {
        for _ in 0..self.draw.below(3) {
            if self.draw.one_in(4) {
                let (one, other) = (self.condition(place.table), self.condition(place.table));
                let word = *self.draw.of(&["or", "and", "not.or"]);
                self.parameters
                    .push(format!("{}{word}=({}.{},{}.{})", place.path, one.0, one.1, other.0, other.1));
            } else {
                let (column, test) = self.condition(place.table);
                self.parameters.push(format!("{}{column}={test}", place.path));
            }
        }
    }

    fn condition(&mut self, table: Table) -> (&'static str, String) {
        let column = *self.draw.of(table.columns());
        let not = if self.draw.one_in(5) { "not." } else { "" };
        if self.draw.one_in(6) {
            return (column, format!("{not}is.null"));
        }
        let test = match column {
            "word" => match self.draw.below(4) {
                0 => format!("like.{}*", self.draw.of(&['a', 'b', 'c'])),
                1 => "ilike.*A*".to_owned(),
                2 => "in.(ab,ca)".to_owned(),
                _ => format!("gt.{}", self.draw.of(&["a", "b", "c"])),
            },
            "flag" => format!("is.{}", self.draw.of(&["true", "false"])),
            "owner" => format!("eq.{}", self.draw.of(crate::people::USERS).1),
            "data" => "cs.{\"k\":1}".to_owned(),
            _ => {
                let operator = *self.draw.of(&["eq", "neq", "gt", "lte", "isdistinct"]);
                format!("{operator}.{}", self.draw.between(0, 9))
            }
        };
        (column, format!("{not}{test}"))
    }

    fn null_embed(&mut self) {
        if self.embeds.is_empty() || !self.draw.one_in(3) {
            return;
        }
        let embed = self.draw.of(&self.embeds).clone();
        let test = *self.draw.of(&["is.null", "not.is.null"]);
        self.parameters.push(format!("{embed}={test}"));
    }

    fn order(&mut self, place: &Place) {
        if self.draw.one_in(3) {
            return;
        }
        let direction = *self.draw.of(&["", ".desc", ".asc.nullsfirst", ".desc.nullslast"]);
        if place.path.is_empty() && !self.to_one.is_empty() && self.draw.one_in(3) {
            let (embed, table) = self.draw.of(&self.to_one).clone();
            let column = *self.draw.of(table.columns());
            self.parameters.push(format!("order={embed}({column}){direction}"));
            return;
        }
        let column = *self.draw.of(place.table.columns());
        self.parameters.push(format!("{}order={column}{direction}", place.path));
    }

    fn page(&mut self, place: &Place) {
        if self.draw.one_in(3) {
            self.parameters.push(format!("{}limit={}", place.path, self.draw.between(0, 4)));
        }
        if self.draw.one_in(5) {
            self.parameters.push(format!("{}offset={}", place.path, self.draw.between(0, 5)));
        }
    }
}

/// Nothing is kept: the next request finds the same rows.
fn rolled_back(draw: &mut Draw) -> Vec<(&'static str, String)> {
    let told = *draw.of(&["return=representation", "return=minimal", "return=representation, count=exact"]);
    vec![("Prefer", format!("tx=rollback, {told}"))]
}

fn update(draw: &mut Draw, table: Table, seen: &Seen) -> Asked {
    let column = *draw.of(&table.columns()[1..]);
    let body = format!("{{\"{column}\":{}}}", value(draw, column, seen));
    let headers = rolled_back(draw);
    Asked { method: "PATCH", target: target(draw, table, false), headers, body, is_read: false }
}

fn delete(draw: &mut Draw, table: Table) -> Asked {
    let headers = rolled_back(draw);
    Asked {
        method: "DELETE",
        target: target(draw, table, false),
        headers,
        body: String::new(),
        is_read: false,
    }
}

/// A new key, or the key of a row that the caller sees: never one of a hidden row.
fn insert(draw: &mut Draw, table: Table, seen: &Seen) -> Asked {
    let known = seen.keys(table);
    let merges = table != Table::DocTags && !known.is_empty() && draw.one_in(2);
    let key = if merges { *draw.of(known) } else { 9_000 + draw.between(0, 99) };
    let mut members = vec![format!("\"{}\":{key}", table.columns()[0])];
    for column in &table.columns()[1..] {
        members.push(format!("\"{column}\":{}", value(draw, column, seen)));
    }
    if table == Table::DocTags {
        members[0] = format!("\"doc_id\":{}", value(draw, "doc_id", seen));
    }
    let mut headers = rolled_back(draw);
    if merges {
        let word = *draw.of(&["merge-duplicates", "ignore-duplicates"]);
        headers.push(("Prefer", format!("resolution={word}")));
    }
    let target = target(draw, table, false);
    Asked { method: "POST", target, headers, body: format!("{{{}}}", members.join(",")), is_read: false }
}

fn value(draw: &mut Draw, column: &str, seen: &Seen) -> String {
    let reference = |draw: &mut Draw, table: Table| match seen.keys(table) {
        [] => "null".to_owned(),
        keys => draw.of(keys).to_string(),
    };
    match column {
        "doc_id" => reference(draw, Table::Docs),
        "tag_id" => reference(draw, Table::Tags),
        "team_id" => reference(draw, Table::Teams),
        "owner" => format!("\"{}\"", draw.of(crate::people::USERS).1),
        "flag" => draw.of(&["true", "false", "null"]).to_string(),
        "n" => draw.between(-1, 5).to_string(),
        "data" => "{\"k\":1}".to_owned(),
        _ => format!("\"{}\"", draw.of(&["ab", "ba", "ca"])),
    }
}
