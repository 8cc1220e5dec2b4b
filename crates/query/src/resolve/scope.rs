//! What names mean: the relations of each enclosing query, innermost last.

use std::sync::Arc;

use catalog::{ColumnId, Table};
use types::{Code, Error, Name, Result, Type};

use super::Resolver;
use crate::ir::{Expr, Form, Output, SourceId};

/// Something with columns.
#[derive(Clone, Debug)]
pub(super) struct Relation {
    /// What qualifies its columns.
    pub(super) alias: Arc<str>,
    /// The table, where it goes under its own name.
    table: Option<Name>,
    /// The type of its rows, where they have one.
    pub(super) row_type: Option<Name>,
    /// Its columns.
    pub(super) columns: Vec<(Arc<str>, Expr)>,
    /// Where its rows come from.
    pub(super) id: Option<SourceId>,
    /// Whether its rows are stored: they have keys.
    pub(super) is_stored: bool,
    /// Whether its rows are the values of a function: a whole row is one of them.
    pub(super) is_value: bool,
}

/// The relations of one query.
#[derive(Clone, Debug, Default)]
pub(super) struct Level {
    pub(super) relations: Vec<Relation>,
    /// Columns merged by `using` and `natural`, which bare names mean first.
    pub(super) merged: Vec<(Arc<str>, Expr)>,
    /// Sources whose rows may be missing: of the nullable side of an outer join.
    pub(super) nullable: Vec<SourceId>,
    /// Aggregates of its rows that stand in subqueries, by the sources that stand for them; `None` where there are no groups.
    pub(super) aggregates: Option<Vec<(SourceId, Expr)>>,
}

impl Level {
    pub(super) fn of(relation: Relation) -> Level {
        Level { relations: vec![relation], ..Level::default() }
    }

    /// Whether its columns are those of a source.
    pub(super) fn shows(&self, id: SourceId) -> bool {
        let columns = self.relations.iter().flat_map(|relation| &relation.columns).chain(&self.merged);
        let mut found = false;
        for (_, column) in columns {
            crate::visit::deep(column, &mut |expr| {
                found |= matches!(expr, Expr::Column { source, .. } if *source == id);
            });
        }
        found
    }

    /// The columns of `*`.
    pub(super) fn star(&self) -> Vec<(Arc<str>, Expr)> {
        let merged = |name: &Arc<str>| self.merged.iter().any(|(merged, _)| merged == name);
        let rest = self.relations.iter().flat_map(|relation| &relation.columns);
        self.merged.iter().chain(rest.filter(|(name, _)| !merged(name))).cloned().collect()
    }
}

impl Relation {
    /// A table's columns.
    pub(super) fn of_table(table: &Table, alias: Option<&str>, id: SourceId) -> Relation {
        let column = |position: ColumnId| {
            let declared = &table[position];
            let expr = Expr::Column { source: id, column: position, ty: declared.ty.clone() };
            (declared.name.clone(), expr)
        };
        Relation {
            alias: alias.map_or_else(|| table.name.name.clone(), Arc::from),
            table: alias.is_none().then(|| table.name.clone()),
            row_type: Some(table.name.clone()),
            columns: table.column_ids().map(column).collect(),
            id: Some(id),
            is_stored: table.is_stored(),
            is_value: false,
        }
    }

    /// A read's outputs.
    pub(super) fn of_outputs(alias: &str, outputs: &[Output], id: SourceId) -> Relation {
        let columns = outputs.iter().zip(0..).map(|(output, position)| {
            let expr = Expr::Column { source: id, column: ColumnId(position), ty: output.expr.ty() };
            (output.name.clone(), expr)
        });
        Relation::of_columns(alias, columns.collect())
    }

    pub(super) fn of_columns(alias: &str, columns: Vec<(Arc<str>, Expr)>) -> Relation {
        Relation {
            alias: alias.into(),
            table: None,
            row_type: None,
            columns,
            id: None,
            is_stored: false,
            is_value: false,
        }
    }

    /// Gives its first columns other names.
    pub(super) fn relabel(&mut self, names: &[String]) -> Result<()> {
        if names.len() > self.columns.len() {
            let message = format!(
                "table \"{}\" has {} columns available but {} columns specified",
                self.alias,
                self.columns.len(),
                names.len()
            );
            return Err(Error::new(Code::INVALID_COLUMN_REFERENCE, message));
        }
        for ((column, _), name) in self.columns.iter_mut().zip(names) {
            *column = name.as_str().into();
        }
        Ok(())
    }

    fn is(&self, schema: &str, table: &str) -> bool {
        self.table.as_ref().is_some_and(|name| &*name.schema == schema && &*name.name == table)
    }

    pub(super) fn find(&self, column: &str) -> Result<Option<&Expr>> {
        let mut found = self.columns.iter().filter(|(name, _)| &**name == column).map(|(_, expr)| expr);
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(ambiguous(column)),
            (found, None) => Ok(found),
        }
    }

    /// The whole row.
    fn row(&self) -> Expr {
        if let (true, [(_, value)]) = (self.is_value, &self.columns[..]) {
            return value.clone();
        }
        let ty = self
            .row_type
            .clone()
            .map_or_else(|| Type::Composite(Name::new("pg_catalog", "record")), Type::Composite);
        let (names, args): (Vec<Arc<str>>, Vec<Expr>) = self.columns.iter().cloned().unzip();
        Expr::Form { form: Form::Record(names.into()), args, ty }
    }
}

fn ambiguous(column: &str) -> Error {
    Error::new(Code::AMBIGUOUS_COLUMN, format!("column reference \"{column}\" is ambiguous"))
}

impl Resolver<'_> {
    /// What a column reference means; in a function's body a parameter, unless there is such a column.
    pub(super) fn column(&mut self, parts: &[String]) -> Result<Expr> {
        let stored = self.stored_column(parts);
        let stored = match self.variables {
            Some(variables) => self.among_variables(variables, parts, stored)?,
            None => stored,
        };
        let error = match stored {
            Err(error) if matches!(error.code(), Code::UNDEFINED_COLUMN | Code::UNDEFINED_TABLE) => error,
            found => return found,
        };
        if let Some(found) = self.frame_parameter(parts) {
            return found;
        }
        if let [qualifier, name] = parts
            && let Ok(relation) = self.relation(qualifier)
        {
            let row = relation.row();
            return self.column_notation(row, name)?.ok_or(error);
        }
        Err(error)
    }

    pub(super) fn stored_column(&self, parts: &[String]) -> Result<Expr> {
        match parts {
            [column] => self.bare(column),
            [qualifier, column] => self.qualified(qualifier, column),
            [schema, table, column] => {
                let relations = self.levels.iter().rev().flat_map(|level| &level.relations);
                let relation = relations.into_iter().find(|relation| relation.is(schema, table));
                let relation = relation.ok_or_else(|| no_entry(table))?;
                relation.find(column)?.cloned().ok_or_else(|| {
                    Error::new(Code::UNDEFINED_COLUMN, format!("column {table}.{column} does not exist"))
                })
            }
            _ => Err(Error::missing(format!("the reference {}", parts.join(".")))),
        }
    }

    fn bare(&self, column: &str) -> Result<Expr> {
        for level in self.levels.iter().rev() {
            if let Some((_, expr)) = level.merged.iter().find(|(name, _)| &**name == column) {
                return Ok(expr.clone());
            }
            let mut found = None;
            for relation in &level.relations {
                if let Some(expr) = relation.find(column)? {
                    if found.is_some() {
                        return Err(ambiguous(column));
                    }
                    found = Some(expr);
                }
            }
            if let Some(expr) = found {
                return Ok(expr.clone());
            }
        }
        let relations = self.levels.iter().rev().flat_map(|level| &level.relations);
        match relations.into_iter().find(|relation| &*relation.alias == column) {
            Some(relation) => Ok(relation.row()),
            None => Err(Error::new(Code::UNDEFINED_COLUMN, format!("column \"{column}\" does not exist"))),
        }
    }

    fn qualified(&self, qualifier: &str, column: &str) -> Result<Expr> {
        let relation = self.relation(qualifier)?;
        relation.find(column)?.cloned().ok_or_else(|| {
            Error::new(Code::UNDEFINED_COLUMN, format!("column {qualifier}.{column} does not exist"))
        })
    }

    /// A whole row as a value: null where there is none. Fields of `row(…)` are called by their places.
    pub(super) fn shown(&self, row: Expr) -> Result<Expr> {
        if let Expr::Form { form: Form::Row, args, ty } = row {
            let names = (1..=args.len()).map(|place| format!("f{place}").into()).collect();
            let args = args.into_iter().map(|arg| self.shown(arg)).collect::<Result<_>>()?;
            return Ok(Expr::Form { form: Form::Record(names), args, ty });
        }
        let Expr::Form { form: Form::Record(_), args, ty } = &row else { return Ok(row) };
        let source = args.iter().find_map(|arg| match arg {
            Expr::Column { source, .. } => Some(*source),
            _ => None,
        });
        let Some(source) = source.filter(|id| self.levels.iter().any(|level| level.nullable.contains(id)))
        else {
            return Ok(row);
        };
        let is_of_table = self
            .levels
            .iter()
            .flat_map(|level| &level.relations)
            .any(|relation| relation.id == Some(source) && relation.is_stored);
        if !is_of_table {
            return Err(Error::missing("a whole row of a subquery that an outer join may miss"));
        }
        let key = Expr::Column { source, column: crate::ROW_KEY, ty: Type::Int8 };
        let (absent, null) = (Expr::test(Form::IsNull, vec![key]), Expr::null(ty.clone()));
        let ty = ty.clone();
        Ok(Expr::Case { branches: vec![(absent, null)], otherwise: Some(Box::new(row)), ty })
    }

    /// The relation that a qualifier names.
    pub(super) fn relation(&self, qualifier: &str) -> Result<&Relation> {
        let relations = self.levels.iter().rev().flat_map(|level| &level.relations);
        let found = relations.into_iter().find(|relation| &*relation.alias == qualifier);
        found.ok_or_else(|| no_entry(qualifier))
    }
}

fn no_entry(table: &str) -> Error {
    Error::new(Code::UNDEFINED_TABLE, format!("missing FROM-clause entry for table \"{table}\""))
}
