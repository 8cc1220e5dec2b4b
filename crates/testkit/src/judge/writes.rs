//! Writes and calls, drawn.

use super::ask::{Asked, escaped};
use super::filters;
use super::kinds;
use super::reads;
use super::world::{Column, Function, Shape, Target, World, quoted};
use crate::oracle::draw::Draw;

/// A write to a table or a view.
pub(super) fn draw(world: &World, draw: &mut Draw) -> Asked {
    let writable: Vec<usize> =
        (0..world.targets.len()).filter(|at| world.targets[*at].is_table || draw.one_in(4)).collect();
    let at = if writable.is_empty() { 0 } else { *draw.of(&writable) };
    let target = &world.targets[at];
    let mut asked = Asked { path: escaped(&target.name), changes: true, ..Asked::default() };
    match draw.below(12) {
        0..=2 => insert(target, &mut asked, draw),
        3..=5 => upsert(world, at, &mut asked, draw),
        6 => put(world, at, &mut asked, draw),
        7..=9 => update(target, &mut asked, draw),
        _ => delete(target, &mut asked, draw),
    }
    answered(world, at, &mut asked, draw);
    asked
}

/// Which parts of a write are told.
fn answered(world: &World, at: usize, asked: &mut Asked, draw: &mut Draw) {
    let told = draw.word(&[
        "",
        "return=minimal",
        "return=headers-only",
        "return=representation",
        "return=representation",
    ]);
    let mut preferences: Vec<&str> = Vec::new();
    if !told.is_empty() {
        preferences.push(told);
    }
    if !draw.one_in(4) {
        preferences.push("tx=rollback");
    }
    if draw.one_in(5) {
        preferences.push("count=exact");
    }
    if matches!(asked.method, "PATCH" | "DELETE") && draw.one_in(10) {
        preferences.extend(["handling=strict", "max-affected=1"]);
    }
    if !preferences.is_empty() {
        asked.headers.push(("Prefer".into(), preferences.join(", ")));
    }
    if told == "return=representation" {
        let mut shown = Asked { method: "GET", ..Asked::default() };
        let is_pinned = reads::shape(world, at, &mut shown, draw);
        let wanted = |name: &str| name.starts_with("select=") && !is_pinned || name.contains("order=");
        asked.parameters.extend(shown.parameters.into_iter().filter(|parameter| wanted(parameter)));
        asked.is_ordered = shown.is_ordered;
        reads::media(asked, draw);
    } else {
        asked.is_ordered = true;
    }
}

/// Filters of what is changed: mostly one row, or few.
fn filtered(target: &Target, asked: &mut Asked, draw: &mut Draw) {
    if draw.one_in(15) {
        return;
    }
    for name in &target.key {
        let column = target.columns.iter().find(|column| column.name == *name);
        if let Some(column) = column.filter(|_| draw.one_in(2)) {
            let operator = draw.word(&["eq", "eq", "lt", "gte"]);
            let name = escaped(&quoted(name));
            asked.parameters.push(format!("{name}={operator}.{}", escaped(column.kind.sample(draw))));
        }
    }
    if asked.parameters.is_empty() || draw.one_in(3) {
        asked.parameters.push(filters::parameter("", &target.columns, draw));
    }
}

fn update(target: &Target, asked: &mut Asked, draw: &mut Draw) {
    asked.method = "PATCH";
    filtered(target, asked, draw);
    let count = 1 + draw.below(2);
    let mut members: Vec<(String, String)> = Vec::new();
    for _ in 0..count {
        let column = draw.of(&target.columns);
        let is_fit = column.is_given || draw.one_in(10);
        if is_fit && members.iter().all(|(name, _)| *name != column.name) {
            members.push((column.name.clone(), json(column, draw)));
        }
    }
    asked.body = object(&members);
}

fn delete(target: &Target, asked: &mut Asked, draw: &mut Draw) {
    asked.method = "DELETE";
    filtered(target, asked, draw);
}

fn insert(target: &Target, asked: &mut Asked, draw: &mut Draw) {
    asked.method = "POST";
    let left_out: Vec<&str> = target
        .columns
        .iter()
        .filter(|column| is_left_out(column, draw))
        .map(|column| column.name.as_str())
        .collect();
    let given: Vec<&Column> =
        target.columns.iter().filter(|column| !left_out.contains(&column.name.as_str())).collect();
    let row = |draw: &mut Draw| {
        given.iter().map(|column| (column.name.clone(), json(column, draw))).collect::<Vec<_>>()
    };
    asked.body = if draw.one_in(2) {
        object(&row(draw))
    } else {
        let rows: Vec<String> = (0..draw.below(4)).map(|_| object(&row(draw))).collect();
        format!("[{}]", rows.join(","))
    };
    if draw.one_in(6) {
        let names: Vec<String> = target
            .columns
            .iter()
            .filter(|column| column.is_given || draw.one_in(12))
            .map(|column| escaped(&quoted(&column.name)))
            .collect();
        asked.parameters.push(format!("columns={}", names.join(",")));
        if draw.one_in(2) {
            asked.headers.push(("Prefer".into(), "missing=default".into()));
        }
    } else if draw.one_in(12) {
        csv(&given, asked, draw);
    }
}

/// Rows as CSV.
fn csv(given: &[&Column], asked: &mut Asked, draw: &mut Draw) {
    let field = |text: &str| {
        if text.contains([',', '"', '\n']) || text.is_empty() {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text.to_owned()
        }
    };
    let header: Vec<String> = given.iter().map(|column| field(&column.name)).collect();
    let mut out = header.join(",");
    for _ in 0..1 + draw.below(2) {
        let values: Vec<String> = given
            .iter()
            .map(|column| if draw.one_in(8) { "NULL".to_owned() } else { field(column.kind.guess(draw)) })
            .collect();
        out.push_str(&format!("\n{}", values.join(",")));
    }
    asked.body = out;
    asked.headers.push(("Content-Type".into(), "text/csv".into()));
}

fn is_left_out(column: &Column, draw: &mut Draw) -> bool {
    if !column.is_given {
        return !draw.one_in(30);
    }
    if column.is_required { draw.one_in(25) } else { draw.one_in(3) }
}

/// A row that may be there already.
fn upsert(world: &World, at: usize, asked: &mut Asked, draw: &mut Draw) {
    let target = &world.targets[at];
    insert(target, asked, draw);
    if asked.headers.iter().any(|(name, _)| name == "Content-Type") {
        return;
    }
    asked.headers.push((
        "Prefer".into(),
        draw.word(&["resolution=merge-duplicates", "resolution=ignore-duplicates"]).to_owned(),
    ));
    if draw.one_in(4) {
        let names = match world.tables.get(at).map(|table| &table.unique) {
            Some(unique) if !unique.is_empty() => draw.of(unique).clone(),
            _ => target.key.clone(),
        };
        let names: Vec<String> = names.iter().map(|name| escaped(&quoted(name))).collect();
        asked.parameters.push(format!("on_conflict={}", names.join(",")));
    } else if draw.one_in(20) {
        let column = draw.of(&target.columns);
        asked.parameters.push(format!("on_conflict={}", escaped(&quoted(&column.name))));
    }
}

/// One row, wholly, by its key.
fn put(world: &World, at: usize, asked: &mut Asked, draw: &mut Draw) {
    let target = &world.targets[at];
    asked.method = "PUT";
    let mut members = Vec::new();
    for column in target.columns.iter().filter(|column| column.is_given) {
        let value = column.kind.sample(draw);
        if target.key.contains(&column.name) {
            asked.parameters.push(format!("{}=eq.{}", escaped(&quoted(&column.name)), escaped(value)));
            members.push((column.name.clone(), column.kind.json(value, draw)));
        } else {
            members.push((column.name.clone(), json(column, draw)));
        }
    }
    asked.body = object(&members);
}

fn json(column: &Column, draw: &mut Draw) -> String {
    if draw.one_in(if column.is_required { 30 } else { 8 }) {
        return "null".to_owned();
    }
    column.kind.json(column.kind.guess(draw), draw)
}

fn object(members: &[(String, String)]) -> String {
    let members: Vec<String> =
        members.iter().map(|(name, value)| format!("{}:{value}", kinds::quoted(name))).collect();
    format!("{{{}}}", members.join(","))
}

/// A call of a function.
pub(super) fn call(world: &World, draw: &mut Draw) -> Asked {
    if world.functions.is_empty() {
        return reads::draw(world, draw);
    }
    let function = draw.of(&world.functions).clone();
    let mut asked = Asked {
        method: draw.word(&["GET", "POST", "POST", "HEAD"]),
        path: format!("rpc/{}", function.name),
        changes: function.changes,
        is_ordered: true,
        ..Asked::default()
    };
    arguments(&function, &mut asked, draw);
    result(world, &function, &mut asked, draw);
    if function.changes && !draw.one_in(4) {
        asked.headers.push(("Prefer".into(), "tx=rollback".into()));
    }
    reads::media(&mut asked, draw);
    asked
}

fn arguments(function: &Function, asked: &mut Asked, draw: &mut Draw) {
    let mut members = Vec::new();
    for (name, kind, has_default) in &function.parameters {
        if (*has_default && draw.one_in(2)) || draw.one_in(25) {
            continue;
        }
        let value = kind.guess(draw);
        if asked.method == "POST" {
            let value = if draw.one_in(12) { "null".to_owned() } else { kind.json(value, draw) };
            members.push((name.clone(), value));
        } else {
            asked.parameters.push(format!("{name}={}", escaped(value)));
        }
    }
    if asked.method == "POST" {
        asked.body = object(&members);
    }
}

fn result(world: &World, function: &Function, asked: &mut Asked, draw: &mut Draw) {
    match &function.result {
        Shape::Value | Shape::Values => {}
        Shape::Rows(at) => {
            reads::shape(world, *at, asked, draw);
            reads::paged(asked, draw);
        }
        Shape::Columns(columns, key) => {
            if draw.one_in(2) {
                asked.parameters.push(filters::parameter("", columns, draw));
            }
            let names: Vec<String> = key.iter().map(|name| quoted(name)).collect();
            asked.parameters.push(format!("order={}", names.join(",")));
            reads::paged(asked, draw);
        }
    }
}
