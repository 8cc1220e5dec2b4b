//! Sequences in queries: what asks them, and sequences that are read as tables.
//!
//! A sequence is known by its name in full, whether it is written or computed; rights are asked when it is asked.

use sql::ast::{self, Call, ExprKind, Literal, ObjectName};
use types::ty::format_type;
use types::{Code, Error, Name, Result, Type, Value};

use super::Resolver;
use super::scope::Relation;
use super::system::{is_plain, name_parts, says_object, unknown};
use crate::functions::sequences::{CALLS, COLUMNS, READ, written};
use crate::ir::{Expr, Output, Read, Source};

/// The name in full of the relation that an id is of.
const NAMED: &str = "(select quote_ident(w$.schema) || '.' || quote_ident(w$.name) from @class_names w$
    where w$.oid = g$.a1$)";

impl Resolver<'_> {
    /// A call that asks a sequence; `None` for other calls.
    pub(super) fn sequence_call(&mut self, call: &Call) -> Result<Option<Expr>> {
        let is_ours = matches!(call.name.schema.as_deref(), None | Some("pg_catalog")) && is_plain(call);
        let known =
            CALLS.iter().find(|(name, count, _)| *name == call.name.name && *count == call.args.len());
        let Some((name, _, rows)) = known.filter(|_| is_ours) else { return Ok(None) };
        let mut args = Vec::with_capacity(call.args.len() + 1);
        if let [sequence, rest @ ..] = &call.args[..] {
            args.push(self.sequence_named(&sequence.value)?);
            for argument in rest {
                args.push(self.expr(&argument.value)?);
            }
        }
        let given: Vec<Type> = args.iter().skip(1).map(Expr::ty).collect();
        args.push(self.role_in_force());
        let applied = self.apply(rows[usize::from(self.changes)], args).map_err(|error| match error.code() {
            Code::UNDEFINED_FUNCTION => undefined(name, call, &given, &error),
            _ => error,
        });
        applied.map(Some)
    }

    /// The name in full of the sequence that an argument means: a text, or an id.
    fn sequence_named(&mut self, argument: &ast::Expr) -> Result<Expr> {
        let literal = match &*argument.kind {
            ExprKind::Cast { expr, .. } if says_object(argument) => expr,
            _ => argument,
        };
        let ExprKind::Literal(Literal::String(text)) = &*literal.kind else {
            return self.filled(NAMED, &["regclass"], &[argument]);
        };
        if text.trim().parse::<i64>().is_ok() {
            return self.filled(NAMED, &["regclass"], &[argument]);
        }
        if text.trim().split('"').step_by(2).any(|bare| bare.contains(char::is_whitespace)) {
            return Err(Error::new(Code::INVALID_NAME, "invalid name syntax"));
        }
        let name = match &name_parts(text.trim())[..] {
            [name] => self.relation_on_path(name),
            [schema, name] => {
                self.require_schema(schema)?;
                Some(Name::new(schema.as_str(), name.as_str())).filter(|name| self.is_relation(name))
            }
            _ => None,
        };
        let name = name.ok_or_else(|| unknown("relation", text))?;
        Ok(Expr::Const { value: Value::text(written(&name)), ty: Type::Text })
    }

    fn relation_on_path(&self, name: &str) -> Option<Name> {
        let named = |schema: &std::sync::Arc<str>| Name::new(schema.clone(), name);
        let visible = self.path.iter().filter(|schema| self.may_use(schema));
        visible.map(named).find(|name| self.is_relation(name))
    }

    fn is_relation(&self, name: &Name) -> bool {
        self.catalog.sequences.contains_key(name) || self.catalog.table(name).is_some()
    }

    /// A sequence as a table of one row; `None` for a name of none.
    pub(super) fn sequence_source(
        &mut self,
        name: &ObjectName,
        alias: Option<&str>,
    ) -> Result<Option<(Source, Relation)>> {
        let found = match &name.schema {
            Some(schema) => Some(Name::new(schema.as_str(), name.name.as_str())),
            None => self.relation_on_path(&name.name),
        };
        let Some(sequence) = found.filter(|name| self.catalog.sequences.contains_key(name)) else {
            return Ok(None);
        };
        let sequence = Expr::Const { value: Value::text(written(&sequence)), ty: Type::Text };
        let ask = |row: &str| {
            let args = vec![sequence.clone(), self.role_in_force()];
            self.apply(row, args)
        };
        let mut outputs = Vec::with_capacity(COLUMNS.len());
        for (column, row) in COLUMNS {
            outputs.push(Output { name: column.into(), expr: ask(row)? });
        }
        let filter = Some(ask(READ)?);
        let id = self.ids.fresh();
        let relation = Relation::of_outputs(alias.unwrap_or(&name.name), &outputs, id);
        let read = Read { outputs, filter, ..Read::from(Source::Unit) };
        Ok(Some((Source::Read { id, read: Box::new(read), view: None }, relation)))
    }
}

/// PostgreSQL's error for arguments of other types, in its names for them.
fn undefined(name: &str, call: &Call, given: &[Type], error: &Error) -> Error {
    let sequence = call.args.first().map(|argument| match &*argument.value.kind {
        ExprKind::Literal(_) => "unknown".to_owned(),
        _ if says_object(&argument.value) => "regclass".to_owned(),
        _ => "text".to_owned(),
    });
    let types: Vec<String> =
        sequence.into_iter().chain(given.iter().map(|ty| format_type(ty, None))).collect();
    let message = format!("function {name}({}) does not exist", types.join(", "));
    match error.hint() {
        Some(hint) => Error::new(Code::UNDEFINED_FUNCTION, message).with_hint(hint),
        None => Error::new(Code::UNDEFINED_FUNCTION, message),
    }
}
