//! Views and functions of drawn projects.

use super::conditions::Scope;
use super::kinds::{Class, KEYS, KINDS, Kind};
use super::world::{Column, Extra, Function, Relation, Shape, Table, Target, World, list, quoted};
use crate::oracle::draw::Draw;

/// Functions that policies call: whether there is a row of a table, as far as the caller or the owner sees it.
pub(super) fn helpers(world: &mut World, draw: &mut Draw) -> Vec<(String, &'static Kind)> {
    let mut found = Vec::new();
    let mut statements = Vec::new();
    for (number, table) in world.tables.iter().enumerate() {
        let [key] = &table.key[..] else { continue };
        let Some(column) = table.column(key) else { continue };
        if number > 1 || draw.one_in(2) {
            continue;
        }
        let (name, kind) = (format!("knows_{number}"), column.kind);
        let rights = if draw.one_in(2) { " security definer" } else { "" };
        let (of, key) = (quoted(&table.name), quoted(key));
        statements.push(Extra::Statement(format!(
            "create function {name}(wanted {}) returns boolean language sql stable{rights} as $$ select exists (select 1 from {of} t where t.{key} = wanted) $$",
            kind.name
        )));
        found.push((name, kind));
    }
    world.extras.extend(statements);
    found
}

/// Views and functions over the tables.
pub(super) fn draw(world: &mut World, draw: &mut Draw) {
    for number in 0..draw.below(3) {
        view(world, number, draw);
    }
    for number in 0..draw.below(4) {
        function(world, number, draw);
    }
    if draw.one_in(2) {
        computed(world, draw);
    }
}

fn declare(world: &mut World, text: String) {
    world.extras.push(Extra::Statement(text));
}

fn view(world: &mut World, number: usize, draw: &mut Draw) {
    let at = draw.below(world.tables.len());
    let table = world.tables[at].clone();
    let name = format!("view_{number}");
    let made = match draw.below(5) {
        0 => grouped(&table, draw),
        1 => joined(world, &table, draw),
        2 => ranked(&table, draw),
        3 => united(&table, draw),
        _ => None,
    };
    let (columns, key, query, is_plain) = match made {
        Some((columns, key, query)) => (columns, key, query, false),
        None => {
            let (columns, key, query) = plain(&table, draw);
            (columns, key, query, true)
        }
    };
    let rights = if draw.one_in(3) { "" } else { " with (security_invoker = on)" };
    declare(world, format!("create view {name}{rights} as {query}"));
    declare(
        world,
        format!("grant {} on {name} to anon, authenticated", if draw.one_in(2) { "all" } else { "select" }),
    );
    let keeps = |relation: &Relation| is_plain && relation.is_one;
    let relations = world.targets[at].relations.iter().filter(|relation| keeps(relation)).cloned().collect();
    world.targets.push(Target { name, columns, key, relations, computed: Vec::new(), is_table: is_plain });
}

type Made = (Vec<Column>, Vec<String>, String);

/// Rows and columns of a table, some under other names.
fn plain(table: &Table, draw: &mut Draw) -> Made {
    let mut columns = Vec::new();
    let mut items = Vec::new();
    for column in &table.columns {
        let is_key = table.key.contains(&column.name) || column.name.starts_with("ref");
        if !is_key && draw.one_in(5) {
            continue;
        }
        if !is_key && draw.one_in(4) {
            let name = format!("my_{}", column.name);
            items.push(format!("{} as {}", quoted(&column.name), quoted(&name)));
            columns.push(Column { name, ..column.clone() });
        } else {
            items.push(quoted(&column.name));
            columns.push(column.clone());
        }
    }
    let condition =
        if draw.one_in(2) { format!(" where {}", condition(table, "", draw)) } else { String::new() };
    let query = format!("select {} from {}{condition}", items.join(", "), quoted(&table.name));
    (columns, table.key.clone(), query)
}

fn condition(table: &Table, prefix: &str, draw: &mut Draw) -> String {
    let scope = Scope {
        columns: &table.columns,
        prefix: prefix.to_owned(),
        table: None,
        tables: &[],
        helpers: &[],
        knows_caller: draw.one_in(3),
        may_fail: draw.one_in(3),
    };
    scope.condition(draw, 1).sql()
}

fn grouped(table: &Table, draw: &mut Draw) -> Option<Made> {
    let by = table.columns.iter().find(|column| !table.key.contains(&column.name) && column.is_ordered())?;
    let of = table.columns.iter().find(|column| matches!(column.kind.class, Class::Whole | Class::Text))?;
    let aggregate = draw.word(&["max", "min", "count"]);
    let (group, of_name) = (quoted(&by.name), quoted(&of.name));
    let having = if draw.one_in(4) { " having count(*) > 1" } else { "" };
    let query = format!(
        "select {group}, count(*) as n, {aggregate}({of_name}) as top from {} group by {group}{having}",
        quoted(&table.name)
    );
    let top = if aggregate == "count" { &KINDS[2] } else { of.kind };
    let columns =
        vec![Column::new(by.name.clone(), by.kind), Column::new("n", &KINDS[2]), Column::new("top", top)];
    Some((columns, vec![by.name.clone()], query))
}

fn joined(world: &World, table: &Table, draw: &mut Draw) -> Option<Made> {
    let reference =
        table.references.iter().find(|reference| world.tables[reference.to].name != table.name)?;
    let parent = &world.tables[reference.to];
    let on: Vec<String> = reference
        .columns
        .iter()
        .zip(&reference.to_columns)
        .map(|(from, to)| format!("t.{} = p.{}", quoted(from), quoted(to)))
        .collect();
    let kind = if draw.one_in(2) { "join" } else { "left join" };
    let mut items: Vec<String> = table.key.iter().map(|name| format!("t.{}", quoted(name))).collect();
    let mut columns: Vec<Column> = table.key.iter().filter_map(|name| table.column(name).cloned()).collect();
    for column in parent.columns.iter().filter(|column| !parent.key.contains(&column.name)) {
        let name = format!("parent_{}", column.name);
        items.push(format!("p.{} as {}", quoted(&column.name), quoted(&name)));
        columns.push(Column::new(name, column.kind));
    }
    let condition =
        if draw.one_in(2) { format!(" where {}", condition(table, "t.", draw)) } else { String::new() };
    let query = format!(
        "select {} from {} t {kind} {} p on {}{condition}",
        items.join(", "),
        quoted(&table.name),
        quoted(&parent.name),
        on.join(" and ")
    );
    Some((columns, table.key.clone(), query))
}

fn ranked(table: &Table, draw: &mut Draw) -> Option<Made> {
    let by = table.columns.iter().find(|column| !table.key.contains(&column.name) && column.is_ordered())?;
    let (key, by_name) = (list(&table.key), quoted(&by.name));
    let function = draw.word(&["row_number()", "rank()", "count(*)"]);
    let query = format!(
        "with w as (select {key}, {by_name}, {function} over (partition by {by_name} order by {key}) as place from {}) select * from w where place < 3",
        quoted(&table.name)
    );
    let mut columns: Vec<Column> = table.key.iter().filter_map(|name| table.column(name).cloned()).collect();
    columns.push(Column::new(by.name.clone(), by.kind));
    columns.push(Column::new("place", &KINDS[2]));
    Some((columns, table.key.clone(), query))
}

fn united(table: &Table, draw: &mut Draw) -> Option<Made> {
    let [key] = &table.key[..] else { return None };
    let column = table.column(key)?;
    let (name, key) = (quoted(&table.name), quoted(key));
    let (one, other) = (condition(table, "", draw), condition(table, "", draw));
    let word = draw.word(&["union", "union", "except", "intersect"]);
    let query = format!("select {key} from {name} where {one} {word} select {key} from {name} where {other}");
    Some((vec![column.clone()], table.key.clone(), query))
}

fn function(world: &mut World, number: usize, draw: &mut Draw) {
    let at = draw.below(world.tables.len());
    let table = world.tables[at].clone();
    let name = format!("fn_{number}");
    match draw.below(7) {
        0 => counting(world, name, &table, draw),
        1 => values(world, name, &table),
        2 => changing(world, name, (at, &table), draw),
        3 => adding(world, name, draw),
        4 => grouping(world, name, &table),
        _ => finding(world, name, (at, &table), draw),
    }
}

fn rights(draw: &mut Draw) -> &'static str {
    draw.word(&["stable", "stable", "volatile", "stable security definer", "immutable"])
}

fn ordered(table: &Table) -> Option<&Column> {
    table.columns.iter().find(|column| {
        !table.key.contains(&column.name) && column.is_ordered() && !column.kind.name.contains('(')
    })
}

fn finding(world: &mut World, name: String, (at, table): (usize, &Table), draw: &mut Draw) {
    let Some(column) = ordered(table) else { return };
    let (of, by, kind) = (quoted(&table.name), quoted(&column.name), column.kind);
    let default = kind.literal(kind.sample(draw));
    declare(
        world,
        format!(
            "create function {name}(wanted {} default {default}, most int default 3) returns setof {of} language sql {} as $$ select * from {of} where {by} = wanted or {by} > wanted order by {} limit most $$",
            kind.name,
            rights(draw),
            list(&table.key)
        ),
    );
    world.functions.push(Function {
        name,
        parameters: vec![("wanted".into(), kind, true), ("most".into(), &KINDS[1], true)],
        result: Shape::Rows(at),
        changes: false,
    });
}

fn counting(world: &mut World, name: String, table: &Table, draw: &mut Draw) {
    let of = quoted(&table.name);
    declare(
        world,
        format!(
            "create function {name}() returns bigint language sql {} as $$ select count(*) from {of} $$",
            rights(draw)
        ),
    );
    world.functions.push(Function { name, parameters: Vec::new(), result: Shape::Value, changes: false });
}

fn values(world: &mut World, name: String, table: &Table) {
    let Some(column) = ordered(table) else { return };
    let (of, by, kind) = (quoted(&table.name), quoted(&column.name), column.kind.name);
    declare(
        world,
        format!(
            "create function {name}() returns setof {kind} language sql stable as $$ select {by} from {of} order by {} $$",
            list(&table.key)
        ),
    );
    world.functions.push(Function { name, parameters: Vec::new(), result: Shape::Values, changes: false });
}

fn adding(world: &mut World, name: String, draw: &mut Draw) {
    let strict = if draw.one_in(2) { " strict" } else { "" };
    declare(
        world,
        format!(
            "create function {name}(a int, b int default 1) returns int language sql immutable{strict} as $$ select a * 10 / b $$"
        ),
    );
    let mut parameters: Vec<(String, &'static Kind, bool)> =
        vec![("a".into(), &KINDS[1], false), ("b".into(), &KINDS[1], true)];
    if draw.one_in(2) {
        declare(
            world,
            format!(
                "create function {name}(a int, c text) returns text language sql immutable as $$ select c || a::text $$"
            ),
        );
        parameters.push(("c".into(), &KINDS[9], true));
    }
    world.functions.push(Function { name, parameters, result: Shape::Value, changes: false });
}

fn grouping(world: &mut World, name: String, table: &Table) {
    let Some(column) = ordered(table) else { return };
    let (of, by, kind) = (quoted(&table.name), quoted(&column.name), column.kind);
    declare(
        world,
        format!(
            "create function {name}(more_than bigint default 0) returns table (word {}, n bigint) language sql stable as $$ select {by}, count(*) from {of} group by {by} having count(*) > more_than $$",
            kind.name
        ),
    );
    let columns = vec![Column::new("word", kind), Column::new("n", &KINDS[2])];
    world.functions.push(Function {
        name,
        parameters: vec![("more_than".into(), &KEYS[1], true)],
        result: Shape::Columns(columns, vec!["word".into()]),
        changes: false,
    });
}

fn changing(world: &mut World, name: String, (at, table): (usize, &Table), draw: &mut Draw) {
    let given = table.columns.iter().find(|column| {
        column.is_given
            && !table.key.contains(&column.name)
            && !column.name.starts_with("ref")
            && !column.kind.name.contains('(')
    });
    let Some(column) = given else { return };
    let (of, by, kind) = (quoted(&table.name), quoted(&column.name), column.kind);
    let definer = if draw.one_in(2) { " security definer" } else { "" };
    let key = quoted(&table.key[0]);
    let (result, shape) = match draw.below(2) {
        0 => ("void".to_owned(), Shape::Value),
        _ => (format!("setof {of}"), Shape::Rows(at)),
    };
    let returning = if result == "void" { "" } else { " returning *" };
    declare(
        world,
        format!(
            "create function {name}(given {}) returns {result} language sql volatile{definer} as $$ update {of} set {by} = given where {key} is not null{returning} $$",
            kind.name
        ),
    );
    world.functions.push(Function {
        name,
        parameters: vec![("given".into(), kind, false)],
        result: shape,
        changes: true,
    });
}

/// Functions of a row: a column, and what can be embedded.
fn computed(world: &mut World, draw: &mut Draw) {
    let at = draw.below(world.tables.len());
    let table = world.tables[at].clone();
    let of = quoted(&table.name);
    if let Some(column) = ordered(&table) {
        let by = quoted(&column.name);
        declare(
            world,
            format!(
                "create function label({of}) returns text language sql stable as $$ select $1.{by}::text || '!' $$"
            ),
        );
        world.targets[at].computed.push(Column::new("label", &KINDS[8]));
    }
    let to = draw.below(world.tables.len());
    let other = quoted(&world.tables[to].name);
    let key = list(&world.tables[to].key);
    declare(
        world,
        format!(
            "create function near({of}) returns setof {other} language sql stable as $$ select * from {other} order by {key} limit 2 $$"
        ),
    );
    world.targets[at].relations.push(Relation { spelled: "near".to_owned(), to, is_one: false });
}
