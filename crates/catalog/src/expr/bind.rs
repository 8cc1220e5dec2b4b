//! Makes the names of an expression explicit when it is stored: tables, functions, types and sequences get their schema.
//!
//! What does not exist is refused as PostgreSQL refuses it. Functions are only looked for among the declared ones: what is
//! built in, and whether arguments fit, is for the compiler to say.

use sql::ast::{Call, Expr, ExprKind, Literal, ObjectName, Query, TypeName};
use types::{Code, Error, Result};

use super::scope::{Meaning, Scope, Source, Tables};
use super::walk::{Visitor, Walk};
use crate::Table;
use crate::build::resolve::Names;

/// An expression over the columns of `sources`, bound.
pub(crate) fn expr(names: &Names<'_>, sources: Vec<Source>, expr: &Expr) -> Result<Expr> {
    let mut bound = expr.clone();
    let mut visitor = Bind { names, expands_stars: false };
    Walk { visitor: &mut visitor, tables: names, scope: Scope::of(sources) }.expr(&mut bound)?;
    Ok(bound)
}

/// A view's query, bound: with the columns that each `*` stands for now.
pub(crate) fn query(names: &Names<'_>, query: &Query) -> Result<Query> {
    let mut bound = query.clone();
    let mut visitor = Bind { names, expands_stars: true };
    Walk { visitor: &mut visitor, tables: names, scope: Scope::default() }.query(&mut bound)?;
    Ok(bound)
}

struct Bind<'a> {
    names: &'a Names<'a>,
    expands_stars: bool,
}

impl Tables for Names<'_> {
    fn find(&self, name: &ObjectName) -> Option<&Table> {
        let name = self.table_name(name)?;
        self.catalog.table(&name).map(|(_, table)| table)
    }
}

impl Visitor for Bind<'_> {
    fn expands_stars(&self) -> bool {
        self.expands_stars
    }

    fn column(&mut self, expr: &mut Expr, meaning: &Meaning) -> Result<()> {
        match (&*expr.kind, meaning) {
            (ExprKind::Column(parts), Meaning::Nothing) => Err(unknown_column(parts)),
            _ => Ok(()),
        }
    }

    fn table(&mut self, name: &mut ObjectName) -> Result<()> {
        if is_system(name) {
            return Ok(());
        }
        let found = self.names.table_name(name).ok_or_else(|| self.names.no_relation(name))?;
        name.schema = Some(found.schema.to_string());
        Ok(())
    }

    fn call(&mut self, call: &mut Call) -> Result<()> {
        if let Some(schema) = self.names.function_schema(&call.name) {
            call.name.schema = Some(schema.to_string());
        }
        if let Some((name, sequence)) = sequence_argument(call) {
            let found = self.names.sequence_name(&name).ok_or_else(|| self.names.no_relation(&name))?;
            *sequence = format!("{}.{}", quoted(&found.schema), quoted(&found.name));
        }
        Ok(())
    }

    fn ty(&mut self, ty: &mut TypeName) -> Result<()> {
        self.names.ty(ty)?;
        if let Some(found) = self.names.user_type_name(&ty.name) {
            ty.name.schema = Some(found.schema.to_string());
        }
        Ok(())
    }
}

/// Whether a name is one of the system catalogs.
fn is_system(name: &ObjectName) -> bool {
    name.schema.as_deref().is_some_and(|schema| schema == "pg_catalog" || schema == "information_schema")
        || (name.schema.is_none() && name.name.starts_with("pg_"))
}

fn unknown_column(parts: &[String]) -> Error {
    match parts {
        [column] => Error::new(Code::UNDEFINED_COLUMN, format!("column \"{column}\" does not exist")),
        [table, column] => {
            Error::new(Code::UNDEFINED_COLUMN, format!("column {table}.{column} does not exist"))
        }
        parts => Error::new(
            Code::UNDEFINED_TABLE,
            format!("missing FROM-clause entry for table \"{}\"", parts[parts.len() - 2]),
        ),
    }
}

/// The literal argument of `nextval`, `currval` or `setval`, read as a name.
pub(crate) fn sequence_argument(call: &mut Call) -> Option<(ObjectName, &mut String)> {
    if !matches!(call.name.name.as_str(), "nextval" | "currval" | "setval") {
        return None;
    }
    let text = literal(&mut call.args.first_mut()?.value)?;
    let span = call.name.span;
    let (schema, name) = split(text)?;
    Some((ObjectName { schema, name, span }, text))
}

/// The text of a string literal, a cast around it or not.
fn literal(expr: &mut Expr) -> Option<&mut String> {
    match &mut *expr.kind {
        ExprKind::Literal(Literal::String(text)) => Some(text),
        ExprKind::Cast { expr, .. } => literal(expr),
        _ => None,
    }
}

/// A qualified identifier's parts, folded unless quoted, as `regclass` reads them.
fn split(text: &str) -> Option<(Option<String>, String)> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    loop {
        let (part, after) = identifier(rest)?;
        parts.push(part);
        match after.strip_prefix('.') {
            Some(after) => rest = after,
            None if after.is_empty() => break,
            None => return None,
        }
    }
    let name = parts.pop()?;
    (parts.len() <= 1).then(|| (parts.pop(), name))
}

fn identifier(text: &str) -> Option<(String, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        let end = quoted.replace("\"\"", "__").find('"')?;
        return Some((quoted[..end].replace("\"\"", "\""), &quoted[end + 1..]));
    }
    let end = text.find('.').unwrap_or(text.len());
    (end > 0).then(|| (text[..end].to_lowercase(), &text[end..]))
}

/// An identifier in quotes if it needs them.
pub(crate) fn quoted(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !name.is_empty() && name.chars().all(is_plain) && !name.starts_with(|c: char| c.is_ascii_digit()) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}
