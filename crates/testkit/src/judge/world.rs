//! A project that can be made smaller piece by piece: what is declared, and the rows.

use super::kinds::{Class, Kind};
use crate::case::{Case, Person, Rows};
use crate::people::USERS;

/// A column of a table, a view or a result.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: &'static Kind,
    /// What follows the type: defaults, `not null`, `generated …`.
    pub(super) suffix: String,
    /// Whether a request may give it a value: generated columns take none.
    pub(super) is_given: bool,
    /// Whether it has to be given one.
    pub(super) is_required: bool,
}

impl Column {
    pub(super) fn new(name: impl Into<String>, kind: &'static Kind) -> Column {
        Column { name: name.into(), kind, suffix: String::new(), is_given: true, is_required: false }
    }
}

/// A foreign key.
#[derive(Clone, Debug)]
pub(super) struct Reference {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    /// The position of the table that is referred to.
    pub(super) to: usize,
    pub(super) to_columns: Vec<String>,
    /// `on delete cascade`, …
    pub(super) actions: String,
    /// Whether no two rows refer to the same.
    pub(super) is_unique: bool,
}

/// A table with its rows.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    pub(super) key: Vec<String>,
    pub(super) references: Vec<Reference>,
    /// Checks and unique constraints, as written.
    pub(super) constraints: Vec<String>,
    /// Columns whose values together are different in all rows.
    pub(super) unique: Vec<Vec<String>>,
    /// Values of the columns that are stored, in order.
    pub(super) rows: Vec<Vec<Option<String>>>,
    pub(super) is_guarded: bool,
}

/// A condition on rows, as a tree that can be made smaller.
#[derive(Clone, Debug)]
pub(super) enum Condition {
    Leaf(String),
    Not(Box<Condition>),
    And(Vec<Condition>),
    Or(Vec<Condition>),
}

/// A policy.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    /// `as restrictive for update to anon`, …
    pub(super) head: String,
    pub(super) using: Option<Condition>,
    pub(super) check: Option<Condition>,
}

/// Something that is declared behind the tables.
#[derive(Clone, Debug)]
pub(super) enum Extra {
    Policy(Policy),
    Statement(String),
}

/// What can be read: a table, a view, or what a function returns.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// Columns that order its rows wholly.
    pub(super) key: Vec<String>,
    pub(super) relations: Vec<Relation>,
    /// Functions of its row: the name, and the type of what they return.
    pub(super) computed: Vec<Column>,
    /// What can be inserted into.
    pub(super) is_table: bool,
}

/// Something that can be embedded.
#[derive(Clone, Debug)]
pub(super) struct Relation {
    /// What `select` says: the target, with a hint where one is needed.
    pub(super) spelled: String,
    /// The position of the target.
    pub(super) to: usize,
    pub(super) is_one: bool,
}

/// A function that can be called.
#[derive(Clone, Debug)]
pub(super) struct Function {
    pub(super) name: String,
    /// A name, a type, and whether there is a default.
    pub(super) parameters: Vec<(String, &'static Kind, bool)>,
    pub(super) result: Shape,
    pub(super) changes: bool,
}

/// What a function returns.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// One value, or nothing.
    Value,
    /// A set of values.
    Values,
    /// Rows of a target.
    Rows(usize),
    /// Rows of columns of its own, and the columns that order them.
    Columns(Vec<Column>, Vec<String>),
}

/// A project with its rows.
#[derive(Clone, Debug, Default)]
pub(super) struct World {
    /// What tables need: types, functions of conditions.
    pub(super) before: Vec<String>,
    pub(super) tables: Vec<Table>,
    pub(super) extras: Vec<Extra>,
    /// Tables first, in their order, then views.
    pub(super) targets: Vec<Target>,
    pub(super) functions: Vec<Function>,
}

/// Claims of somebody whose token says more than others'.
const CAROL: &str = r#""sub":"33333333-3333-4333-8333-333333333333","aud":"authenticated","org":2,"app_metadata":{"roles":["editor"],"level":3,"teams":[1,2]}"#;

/// Settings of every project. More rows than are drawn may be read: which of many are cut off is nobody's promise.
const CONFIG: &str = "[api]\naggregates = true\nmax_rows = 100000\n";

impl World {
    /// The project as a case, without requests.
    pub(super) fn case(&self) -> Case {
        let rows = self.tables.iter().filter(|table| !table.rows.is_empty());
        let rows = rows.map(|table| Rows { table: quoted(&table.name), text: table.csv(), line: 1 });
        let carol =
            Person { name: "carol".to_owned(), role: "authenticated".to_owned(), claims: CAROL.to_owned() };
        Case {
            schema: self.schema(),
            rows: rows.collect(),
            config: CONFIG.to_owned(),
            people: vec![carol],
            ..Case::default()
        }
    }

    /// The project as the sections of a case file.
    pub(super) fn text(&self) -> String {
        let case = self.case();
        let mut out = format!("== schema\n{}\n== config\n{CONFIG}\n", case.schema);
        if self.schema().contains("auth.jwt") {
            out.push_str(&format!("== people\ncarol authenticated {{{CAROL}}}\n\n"));
        }
        for rows in case.rows {
            out.push_str(&format!("== rows {}\n{}\n", rows.table, rows.text));
        }
        out
    }

    /// Without the statements behind the tables that stand on these lines of the schema, or without its blocks, or its triggers: how many went.
    pub(super) fn without_lines(&mut self, lines: &[usize]) -> usize {
        if lines.is_empty() {
            let all = self.extras.len();
            let first = ["do ", "create trigger ", "create constraint trigger "]
                .into_iter()
                .find(|word| self.extras.iter().any(|extra| extra.sql().starts_with(word)));
            self.extras.retain(|extra| first.is_none_or(|word| !extra.sql().starts_with(word)));
            return all - self.extras.len();
        }
        let count = |text: &str| text.matches('\n').count();
        let before = World { extras: Vec::new(), ..self.clone() };
        let mut line = 1 + count(&before.schema());
        let all = self.extras.len();
        self.extras.retain(|extra| {
            let from = line;
            line += count(&extra.sql()) + 1;
            !lines.iter().any(|at| (from..line).contains(at))
        });
        all - self.extras.len()
    }

    /// Everything that is declared and stored, as SQL.
    pub(super) fn sql(&self) -> String {
        let rows = self
            .case()
            .rows
            .iter()
            .map(|rows| crate::rows::statements(rows).unwrap_or_default())
            .collect::<String>();
        format!("{}{rows}", self.schema())
    }

    fn schema(&self) -> String {
        let before = self.before.iter().cloned();
        let tables = self.tables.iter().flat_map(|table| table.sql(self));
        let extras = self.extras.iter().map(Extra::sql);
        before.chain(tables).chain(extras).map(|statement| format!("{statement};\n")).collect()
    }
}

impl Table {
    pub(super) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    fn sql(&self, world: &World) -> Vec<String> {
        let columns = self.columns.iter().map(Column::sql);
        let key = (!self.key.is_empty()).then(|| format!("primary key ({})", list(&self.key)));
        let references = self.references.iter().map(|reference| reference.sql(world));
        let items = columns.chain(key).chain(self.constraints.iter().cloned()).chain(references);
        let items: Vec<String> = items.collect();
        let name = quoted(&self.name);
        let mut out = vec![format!("create table {name} (\n  {}\n)", items.join(",\n  "))];
        if self.is_guarded {
            out.push(format!("alter table {name} enable row level security"));
        }
        out
    }

    /// Columns that rows give values.
    pub(super) fn stored(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| column.is_given)
    }

    fn csv(&self) -> String {
        let header: Vec<&str> = self.stored().map(|column| column.name.as_str()).collect();
        let line = |row: &Vec<Option<String>>| {
            row.iter().map(|value| field(value.as_deref())).collect::<Vec<_>>().join(",") + "\n"
        };
        format!("{}\n{}", header.join(","), self.rows.iter().map(line).collect::<String>())
    }

    /// Without a column, wherever it is named.
    pub(super) fn without(&mut self, at: usize) {
        let gone = self.columns.remove(at);
        let stored: Vec<usize> = if gone.is_given {
            vec![self.columns[..at].iter().filter(|column| column.is_given).count()]
        } else {
            Vec::new()
        };
        for position in stored {
            for row in &mut self.rows {
                if position < row.len() {
                    row.remove(position);
                }
            }
        }
        self.key.retain(|name| *name != gone.name);
        self.references.retain(|reference| !reference.columns.contains(&gone.name));
    }
}

impl Column {
    fn sql(&self) -> String {
        let space = if self.suffix.is_empty() { "" } else { " " };
        format!("{} {}{space}{}", quoted(&self.name), self.kind.name, self.suffix)
    }

    /// Whether equality and order mean something to everybody: `json` has neither.
    pub(super) fn is_ordered(&self) -> bool {
        self.kind.class != Class::Json
    }
}

impl Reference {
    fn sql(&self, world: &World) -> String {
        let to = world.tables.get(self.to).map(|table| quoted(&table.name)).unwrap_or_default();
        format!(
            "constraint {} foreign key ({}) references {to} ({}){}",
            quoted(&self.name),
            list(&self.columns),
            list(&self.to_columns),
            self.actions
        )
    }
}

impl Extra {
    pub(super) fn sql(&self) -> String {
        match self {
            Extra::Statement(text) => text.clone(),
            Extra::Policy(policy) => policy.sql(),
        }
    }
}

impl Policy {
    fn sql(&self) -> String {
        let part = |word: &str, condition: &Option<Condition>| {
            condition.as_ref().map(|condition| format!(" {word} ({})", condition.sql())).unwrap_or_default()
        };
        let (using, check) = (part("using", &self.using), part("with check", &self.check));
        format!("create policy {}{using}{check}", self.head)
    }
}

impl Condition {
    pub(super) fn sql(&self) -> String {
        let joined = |word: &str, parts: &[Condition]| {
            parts.iter().map(|part| format!("({})", part.sql())).collect::<Vec<_>>().join(word)
        };
        match self {
            Condition::Leaf(text) => text.clone(),
            Condition::Not(inner) => format!("not ({})", inner.sql()),
            Condition::And(parts) => joined(" and ", parts),
            Condition::Or(parts) => joined(" or ", parts),
        }
    }

    /// Conditions that are a step smaller.
    pub(super) fn smaller(&self) -> Vec<Condition> {
        let mut found = Vec::new();
        match self {
            Condition::Leaf(text) if text == "true" => {}
            Condition::Leaf(_) => found.push(Condition::Leaf("true".to_owned())),
            Condition::Not(inner) => {
                found.push((**inner).clone());
                found.extend(inner.smaller().into_iter().map(|inner| Condition::Not(Box::new(inner))));
            }
            Condition::And(parts) | Condition::Or(parts) => {
                found.extend(parts.iter().cloned());
                for (at, part) in parts.iter().enumerate() {
                    for smaller in part.smaller() {
                        let mut parts = parts.clone();
                        parts[at] = smaller;
                        found.push(match self {
                            Condition::And(_) => Condition::And(parts),
                            Condition::Leaf(_) | Condition::Not(_) | Condition::Or(_) => Condition::Or(parts),
                        });
                    }
                }
            }
        }
        found
    }
}

/// A name as SQL and requests spell it.
pub(super) fn quoted(name: &str) -> String {
    let is_plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if is_plain { name.to_owned() } else { format!("\"{name}\"") }
}

/// Names in a list.
pub(super) fn list(names: &[String]) -> String {
    names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
}

fn field(value: Option<&str>) -> String {
    match value {
        None => String::new(),
        Some(text)
            if !text.is_empty()
                && text.trim() == text
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:+ ".contains(&b)) =>
        {
            text.to_owned()
        }
        Some(text) => format!("\"{}\"", text.replace('"', "\"\"")),
    }
}

/// People who ask.
pub(super) fn people() -> Vec<&'static str> {
    let users = USERS.iter().map(|(name, _)| *name);
    ["anon", "service", "carol"].into_iter().chain(users).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_become_smaller_step_by_step() {
        let leaf = |text: &str| Condition::Leaf(text.to_owned());
        let condition = Condition::And(vec![Condition::Not(Box::new(leaf("a"))), leaf("b")]);
        assert_eq!(condition.sql(), "(not (a)) and (b)");
        let smaller: Vec<String> = condition.smaller().iter().map(Condition::sql).collect();
        assert_eq!(smaller, ["not (a)", "b", "(a) and (b)", "(not (true)) and (b)", "(not (a)) and (true)"]);
    }

    #[test]
    fn values_are_fields() {
        assert_eq!(field(None), "");
        assert_eq!(field(Some("")), "\"\"");
        assert_eq!(field(Some("a b")), "a b");
        assert_eq!(field(Some("x,\"y")), "\"x,\"\"y\"");
        assert_eq!(quoted("two words"), "\"two words\"");
    }
}
