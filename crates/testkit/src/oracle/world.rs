//! Generated projects: tables of a fixed shape, random policies, random rows, and who sees which of them.

use super::draw::Draw;
use super::predicate::Predicate;
use crate::people::USERS;

/// A value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    Int(i64),
    Text(String),
    Bool(bool),
}

impl Value {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            Value::Null | Value::Int(_) | Value::Bool(_) => None,
        }
    }

    fn csv(&self) -> String {
        match self {
            Value::Null => String::new(),
            Value::Int(number) => number.to_string(),
            Value::Text(text) => format!("\"{}\"", text.replace('"', "\"\"")),
            Value::Bool(flag) => flag.to_string(),
        }
    }
}

/// Values in the order of the table's columns; the key comes first.
pub(super) type Row = Vec<Value>;

/// A table. Each may only be looked at by policies of later ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    Teams,
    Docs,
    Notes,
    Tags,
    DocTags,
}

/// In an order that references allow.
pub(super) const TABLES: [Table; 5] = [Table::Teams, Table::Docs, Table::Notes, Table::Tags, Table::DocTags];

impl Table {
    pub(super) fn name(self) -> &'static str {
        match self {
            Table::Teams => "teams",
            Table::Docs => "docs",
            Table::Notes => "notes",
            Table::Tags => "tags",
            Table::DocTags => "doc_tags",
        }
    }

    pub(super) fn columns(self) -> &'static [&'static str] {
        match self {
            Table::Teams => &["id", "word", "n"],
            Table::Docs => &["id", "owner", "team_id", "word", "n", "flag", "data"],
            Table::Notes => &["id", "doc_id", "owner", "word", "n"],
            Table::Tags => &["id", "word", "flag"],
            Table::DocTags => &["doc_id", "tag_id", "n"],
        }
    }

    /// The column that refers to another table.
    pub(super) fn parent(self) -> Option<(&'static str, Table)> {
        match self {
            Table::Docs => Some(("team_id", Table::Teams)),
            Table::Notes | Table::DocTags => Some(("doc_id", Table::Docs)),
            Table::Teams | Table::Tags => None,
        }
    }

    pub(super) fn value<'r>(self, row: &'r Row, column: &str) -> &'r Value {
        static NULL: Value = Value::Null;
        let position = self.columns().iter().position(|name| *name == column);
        position.and_then(|position| row.get(position)).unwrap_or(&NULL)
    }

    /// How many of its columns are the key.
    pub(super) fn key_columns(self) -> usize {
        if self == Table::DocTags { 2 } else { 1 }
    }

    fn position(self) -> usize {
        TABLES.iter().position(|table| *table == self).unwrap_or(0)
    }
}

const SCHEMA: &str = "\
create table members (team_id int, user_id uuid);
grant select on members to anon, authenticated;
create table teams (id int primary key, word text, n int);
create table docs (
  id int primary key, owner uuid, team_id int references teams on delete cascade, word text, n int, flag boolean, data jsonb
);
create table notes (id int primary key, doc_id int references docs on delete cascade, owner uuid, word text, n int);
create table tags (id int primary key, word text, flag boolean);
create table doc_tags (
  doc_id int references docs on delete cascade, tag_id int references tags on delete cascade, n int,
  primary key (doc_id, tag_id)
);
";

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    Alice,
    Bob,
    Anon,
}

impl Caller {
    pub(super) fn name(self) -> &'static str {
        match self {
            Caller::Alice => "alice",
            Caller::Bob => "bob",
            Caller::Anon => "anon",
        }
    }

    pub(super) fn uid(self) -> Option<&'static str> {
        USERS.iter().find(|(name, _)| *name == self.name()).map(|(_, id)| *id)
    }

    fn role(self) -> &'static str {
        if self == Caller::Anon { "anon" } else { "authenticated" }
    }
}

/// A policy for reading, decided here; or one for writing, which is only there to be compared.
#[derive(Clone, Debug)]
struct Policy {
    table: Table,
    permissive: bool,
    command: &'static str,
    /// `None`: everybody.
    role: Option<&'static str>,
    using: Predicate,
}

/// A project with its rows.
#[derive(Clone, Debug)]
pub(super) struct World {
    policies: Vec<Policy>,
    pub(super) members: Vec<(i64, String)>,
    rows: [Vec<Row>; 5],
}

/// Keys that a caller sees: what requests may name.
pub(super) struct Seen {
    keys: [Vec<i64>; 5],
}

impl Seen {
    pub(super) fn keys(&self, table: Table) -> &[i64] {
        &self.keys[table.position()]
    }
}

impl World {
    pub(super) fn draw(draw: &mut Draw) -> World {
        let mut world = World { policies: Vec::new(), members: Vec::new(), rows: Default::default() };
        for table in TABLES {
            world.draw_policies(table, draw);
        }
        for team in 1..=4 {
            for (_, user) in USERS {
                if draw.one_in(3) {
                    world.members.push((team, (*user).to_owned()));
                }
            }
        }
        for (table, count) in TABLES.into_iter().zip([4, 9, 14, 4, 12]) {
            for key in 1..=count {
                let row = world.draw_row(table, key, draw);
                if !world.rows(table).iter().any(|other| is_same_key(table, other, &row)) {
                    world.rows[table.position()].push(row);
                }
            }
        }
        world
    }

    fn draw_policies(&mut self, table: Table, draw: &mut Draw) {
        for _ in 0..=draw.below(3) {
            let permissive = self.policies.iter().all(|policy| policy.table != table) || !draw.one_in(3);
            let command = *draw.of(&["select", "select", "all", "update", "delete", "insert"]);
            let role = *draw.of(&[None, None, None, Some("anon"), Some("authenticated")]);
            let using = Predicate::draw(draw, table, 2);
            self.policies.push(Policy { table, permissive, command, role, using });
        }
    }

    fn draw_row(&self, table: Table, key: i64, draw: &mut Draw) -> Row {
        table.columns().iter().map(|column| self.draw_value(table, column, key, draw)).collect()
    }

    fn draw_value(&self, table: Table, column: &str, key: i64, draw: &mut Draw) -> Value {
        let is_key = table == Table::DocTags;
        match column {
            "id" => Value::Int(key),
            "doc_id" => self.draw_reference(Table::Docs, is_key, draw),
            "tag_id" => self.draw_reference(Table::Tags, is_key, draw),
            "team_id" => self.draw_reference(Table::Teams, false, draw),
            _ if draw.one_in(6) => Value::Null,
            "owner" => Value::Text(draw.of(USERS).1.to_owned()),
            "n" => Value::Int(draw.between(-1, 5)),
            "flag" => Value::Bool(draw.one_in(2)),
            "data" => Value::Text(format!("{{\"k\": {}}}", draw.between(0, 3))),
            _ => Value::Text((*draw.of(&["ab", "ac", "ba", "b\"c", "ca", "Ab", "c,d"])).to_owned()),
        }
    }

    fn draw_reference(&self, to: Table, is_key: bool, draw: &mut Draw) -> Value {
        let rows = self.rows(to);
        if rows.is_empty() || (!is_key && draw.one_in(6)) {
            return Value::Null;
        }
        draw.of(rows)[0].clone()
    }

    pub(super) fn rows(&self, table: Table) -> &[Row] {
        &self.rows[table.position()]
    }

    /// Whether a caller sees a row: some permissive policy holds, and every restrictive one.
    pub(super) fn sees(&self, caller: Caller, table: Table, row: &Row) -> bool {
        let mut policies = self.policies.iter().filter(|policy| {
            policy.table == table
                && matches!(policy.command, "select" | "all")
                && policy.role.is_none_or(|role| role == caller.role())
        });
        let holds = |policy: &Policy| policy.using.holds(row, table, caller, self) == Some(true);
        let permitted = policies.clone().any(|policy| policy.permissive && holds(policy));
        permitted && policies.all(|policy| policy.permissive || holds(policy))
    }

    /// The keys of what a caller sees.
    pub(super) fn seen(&self, caller: Caller) -> Seen {
        let keys = TABLES.map(|table| {
            let rows = self.rows(table).iter().filter(|row| self.sees(caller, table, row));
            rows.filter_map(|row| if let Value::Int(key) = row[0] { Some(key) } else { None }).collect()
        });
        Seen { keys }
    }

    /// What a request for the keys of a table answers, as far as it is decided here.
    pub(super) fn shown_keys(&self, caller: Caller, table: Table) -> String {
        let rows = self.rows(table).iter().filter(|row| self.sees(caller, table, row));
        let row = |row: &Row| {
            let keys = table.columns()[..table.key_columns()].iter().zip(row);
            let members: Vec<String> = keys.map(|(name, key)| format!("\"{name}\":{}", key.csv())).collect();
            format!("{{{}}}", members.join(","))
        };
        format!("[{}]", rows.map(row).collect::<Vec<_>>().join(","))
    }

    fn visible(&self, caller: Caller) -> [Vec<Row>; 5] {
        TABLES.map(|table| {
            self.rows(table).iter().filter(|row| self.sees(caller, table, row)).cloned().collect()
        })
    }

    /// Another world that differs only in rows that the caller does not see.
    pub(super) fn changed(&self, caller: Caller, draw: &mut Draw) -> World {
        let mut world = self.clone();
        let visible = self.visible(caller);
        for table in TABLES {
            for at in 0..self.rows(table).len() {
                if self.sees(caller, table, &self.rows(table)[at]) {
                    continue;
                }
                let changed = world.draw_change(table, &self.rows(table)[at], draw);
                world.try_change(|rows| rows[table.position()][at] = changed, caller, &visible);
            }
            for number in 0..4 {
                let row = world.draw_row(table, 500 + number, draw);
                let is_new = !world.rows(table).iter().any(|other| is_same_key(table, other, &row));
                let at = draw.below(world.rows(table).len() + 1);
                if is_new {
                    world.try_change(|rows| rows[table.position()].insert(at, row), caller, &visible);
                }
            }
        }
        world
    }

    /// Keeps a change that the caller does not see.
    fn try_change(
        &mut self,
        change: impl FnOnce(&mut [Vec<Row>; 5]),
        caller: Caller,
        visible: &[Vec<Row>; 5],
    ) {
        let before = self.rows.clone();
        change(&mut self.rows);
        if self.visible(caller) != *visible {
            self.rows = before;
        }
    }

    /// The same key, other values.
    fn draw_change(&self, table: Table, row: &Row, draw: &mut Draw) -> Row {
        let keys = table.key_columns();
        let columns = table.columns().iter().enumerate();
        columns
            .map(
                |(at, column)| {
                    if at < keys { row[at].clone() } else { self.draw_value(table, column, 0, draw) }
                },
            )
            .collect()
    }

    /// A world of the visible rows alone; `None` when one of them refers to a hidden one.
    pub(super) fn filtered(&self, caller: Caller) -> Option<World> {
        let visible = self.visible(caller);
        let is_there = |table: Table, key: &Value| {
            *key == Value::Null || visible[table.position()].iter().any(|row| row[0] == *key)
        };
        let is_whole = TABLES.into_iter().all(|table| {
            visible[table.position()].iter().all(|row| {
                let parent = table.parent().is_none_or(|(column, to)| is_there(to, table.value(row, column)));
                parent && (table != Table::DocTags || is_there(Table::Tags, &row[1]))
            })
        });
        is_whole.then(|| World { rows: visible, ..self.clone() })
    }

    /// Every table with its rows, in an order that references allow.
    pub(super) fn tables(&self) -> impl Iterator<Item = (&'static str, String)> {
        let members: String = self.members.iter().map(|(team, user)| format!("{team},{user}\n")).collect();
        let tables = TABLES.into_iter().map(|table| {
            let lines = self.rows(table).iter().map(|row| {
                let values: Vec<String> = row.iter().map(Value::csv).collect();
                values.join(",") + "\n"
            });
            (table.name(), format!("{}\n{}", table.columns().join(","), lines.collect::<String>()))
        });
        std::iter::once(("members", format!("team_id,user_id\n{members}"))).chain(tables)
    }

    /// The schema, with policies or with everything open.
    pub(super) fn schema(&self, policies: bool) -> String {
        let mut out = SCHEMA.to_owned();
        for table in TABLES {
            let name = table.name();
            out.push_str(&if policies {
                format!("alter table {name} enable row level security;\n")
            } else {
                format!("grant all on {name} to anon, authenticated;\n")
            });
        }
        if policies {
            out.extend(self.policies.iter().enumerate().map(|(number, policy)| policy.sql(number)));
        }
        out
    }
}

impl Policy {
    fn sql(&self, number: usize) -> String {
        let kind = if self.permissive { "" } else { " as restrictive" };
        let role = self.role.map(|role| format!(" to {role}")).unwrap_or_default();
        let condition = if self.command == "insert" { "with check" } else { "using" };
        format!(
            "create policy p{number} on {}{kind} for {}{role} {condition} ({});\n",
            self.table.name(),
            self.command,
            self.using.sql(self.table)
        )
    }
}

fn is_same_key(table: Table, one: &Row, other: &Row) -> bool {
    let keys = table.key_columns();
    one[..keys] == other[..keys]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twins_differ_in_hidden_rows_alone() {
        let mut differ = 0;
        for seed in 0..20 {
            let mut draw = Draw::new(seed);
            let world = World::draw(&mut draw);
            for caller in [Caller::Alice, Caller::Bob, Caller::Anon] {
                let twin = world.changed(caller, &mut draw);
                assert_eq!(world.visible(caller), twin.visible(caller), "{seed}");
                differ += usize::from(world.rows != twin.rows);
                if let Some(copy) = world.filtered(caller) {
                    assert_eq!(copy.rows, world.visible(caller));
                }
            }
        }
        assert!(differ > 40, "{differ}");
    }

    #[test]
    fn somebody_sees_something_and_nobody_everything() {
        let worlds: Vec<World> = (0..20).map(|seed| World::draw(&mut Draw::new(seed))).collect();
        let share = |world: &World| {
            let seen: usize = world.visible(Caller::Alice).iter().map(Vec::len).sum();
            let all: usize = world.rows.iter().map(Vec::len).sum();
            (seen, all)
        };
        assert!(worlds.iter().any(|world| share(world).0 > 10));
        assert!(worlds.iter().any(|world| share(world).0 < share(world).1 / 2));
    }
}
