//! What a stored expression or query depends on.

use std::collections::HashSet;

use sql::ast::{Call, Expr, ObjectName, Query, TypeName};
use types::{Name, Result};

use super::bind::sequence_argument;
use super::scope::{Meaning, Scope, Source};
use super::walk::{Visitor, Walk};
use crate::Catalog;

/// Names that an expression uses. Expressions are stored bound, so names are explicit.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    /// Tables and views read.
    pub(crate) tables: HashSet<Name>,
    /// Columns of tables and views.
    pub(crate) columns: HashSet<(Name, String)>,
    /// Functions called, with the number of arguments.
    pub(crate) functions: HashSet<(Name, usize)>,
    /// Types cast to.
    pub(crate) types: HashSet<Name>,
    /// Sequences counted with.
    pub(crate) sequences: HashSet<Name>,
    /// Whether a whole row is named, or something that cannot be told.
    pub(crate) rows: bool,
}

impl Uses {
    /// What an expression over `sources` uses.
    pub(crate) fn of(catalog: &Catalog, sources: Vec<Source>, expr: &Expr) -> Uses {
        let mut copy = expr.clone();
        Uses::found(catalog, Scope::of(sources), |walk| walk.expr(&mut copy))
    }

    /// What a query uses.
    pub(crate) fn of_query(catalog: &Catalog, query: &Query) -> Uses {
        let mut copy = query.clone();
        Uses::found(catalog, Scope::default(), |walk| walk.query(&mut copy).map(drop))
    }

    fn found(catalog: &Catalog, scope: Scope, visit: impl FnOnce(&mut Walk<'_>) -> Result<()>) -> Uses {
        let mut uses = Uses::default();
        // The visitor below never fails.
        let _ = visit(&mut Walk { visitor: &mut uses, tables: catalog, scope });
        uses
    }

    /// The distinct columns of one table, in no order.
    pub(crate) fn columns_of<'a>(&'a self, table: &'a Name) -> impl Iterator<Item = &'a str> {
        self.columns.iter().filter(move |(name, _)| name == table).map(|(_, column)| column.as_str())
    }
}

fn bound(name: &ObjectName) -> Option<Name> {
    Some(Name::new(name.schema.as_deref()?, name.name.as_str()))
}

impl Visitor for Uses {
    fn column(&mut self, _: &mut Expr, meaning: &Meaning) -> Result<()> {
        match meaning {
            Meaning::Column { table, column, .. } => {
                self.columns.insert((table.clone(), column.clone()));
            }
            Meaning::Other => self.rows = true,
            Meaning::Nothing => {}
        }
        Ok(())
    }

    fn table(&mut self, name: &mut ObjectName) -> Result<()> {
        self.tables.extend(bound(name));
        Ok(())
    }

    fn call(&mut self, call: &mut Call) -> Result<()> {
        let count = call.args.len();
        self.functions.extend(bound(&call.name).map(|name| (name, count)));
        if let Some((name, _)) = sequence_argument(call) {
            self.sequences.extend(bound(&name));
        }
        Ok(())
    }

    fn ty(&mut self, ty: &mut TypeName) -> Result<()> {
        self.types.extend(bound(&ty.name));
        Ok(())
    }
}
