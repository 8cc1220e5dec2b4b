//! What stands in `from`: tables, views, functions and selects, joined; names of tables and types.

use catalog::{TableId, TableKind};
use sql::ast::{self, FromItem, JoinCondition, ObjectName};
use types::{Code, Error, Name, Result, Type};

use super::Resolver;
use super::scope::Relation;
use crate::ir::{Expr, Form, Guard, JoinKind, Source};

impl Resolver<'_> {
    pub(super) fn from(&mut self, items: &[FromItem]) -> Result<Source> {
        let mut joined: Option<Source> = None;
        for item in items {
            let right = self.source_of(item)?;
            joined = Some(match joined {
                None => right,
                Some(left) => join(JoinKind::Inner, left, right, None),
            });
        }
        Ok(joined.unwrap_or(Source::Unit))
    }

    pub(super) fn source_of(&mut self, item: &FromItem) -> Result<Source> {
        match item {
            FromItem::Table { name, only, alias } => {
                let (source, mut relation) =
                    self.named(name, alias.as_ref().map(|alias| alias.name.as_str()))?;
                if let Source::Table { table, .. } = &source {
                    self.refuse_only(*table, *only)?;
                }
                relation.relabel(alias.as_ref().map_or(&[][..], |alias| &alias.columns))?;
                self.add(relation)?;
                Ok(source)
            }
            FromItem::Subquery { lateral, query, alias } => {
                // Without lateral, a subquery does not see what stands beside it.
                let beside = if *lateral { None } else { self.levels.pop() };
                let read = self.query(query);
                self.levels.extend(beside);
                let read = read?;
                let id = self.ids.fresh();
                let name = alias.as_ref().map_or("", |alias| &alias.name);
                let mut relation = Relation::of_outputs(name, &read.outputs, id);
                relation.relabel(alias.as_ref().map_or(&[][..], |alias| &alias.columns))?;
                self.add(relation)?;
                Ok(Source::Read { id, read: Box::new(read), view: None })
            }
            FromItem::Function { .. } => self.function_source(item),
            FromItem::Functions { calls, ordinality, alias, .. } => {
                self.functions_of_table(calls, *ordinality, alias.as_ref())
            }
            FromItem::Join { kind, left, right, condition } => self.join(*kind, left, right, condition),
        }
    }

    /// Refuses a partitioned table without its partitions, which has no rows.
    pub(super) fn refuse_only(&self, table: TableId, only: bool) -> Result<()> {
        let declared = &self.catalog[table];
        match only && declared.partitioning.is_some() {
            false => Ok(()),
            true => Err(Error::missing(format!("`only` of partitioned table {}", declared.name))),
        }
    }

    /// A table, view or common table expression under a name.
    fn named(&mut self, name: &ObjectName, alias: Option<&str>) -> Result<(Source, Relation)> {
        if name.schema.is_none()
            && let Some(found) = self.named_cte(&name.name, alias)
        {
            return Ok(found);
        }
        if let Some((table, rows)) = self.transition(name) {
            let id = self.ids.fresh();
            let alias = alias.unwrap_or(&name.name);
            let mut relation = Relation::of_table(&self.catalog[table], Some(alias), id);
            relation.is_stored = false;
            return Ok((Source::Transition { id, table, rows }, relation));
        }
        if let Some(rows) = self.temporary(name)? {
            let id = self.ids.fresh();
            let types: Vec<Type> = rows.columns.iter().map(|(_, ty)| ty.clone()).collect();
            let column = |((name, ty), at): (&(std::sync::Arc<str>, Type), u16)| {
                (name.clone(), Expr::Column { source: id, column: catalog::ColumnId(at), ty: ty.clone() })
            };
            let columns = rows.columns.iter().zip(0..).map(column).collect();
            let relation = Relation::of_columns(alias.unwrap_or(&name.name), columns);
            return Ok((Source::of_rows(id, rows.rows.clone(), &types), relation));
        }
        if let Some(found) = self.system_source(name, alias) {
            return Ok(found);
        }
        let table = match self.table(name) {
            Ok(table) => table,
            Err(error) => return self.sequence_source(name, alias)?.ok_or(error),
        };
        let source = self.relation_of(table)?;
        let id = crate::visit::id_of(&source).unwrap_or(crate::model::ROW);
        Ok((source, Relation::of_table(&self.catalog[table], alias, id)))
    }

    /// The table or view that a name means.
    pub(super) fn table(&self, name: &ObjectName) -> Result<TableId> {
        if let Some(schema) = &name.schema {
            self.require_schema(schema)?;
        }
        let found = match &name.schema {
            Some(schema) => self.catalog.table(&Name::new(schema.as_str(), name.name.as_str())),
            None => self
                .path
                .iter()
                .filter(|schema| self.may_use(schema))
                .find_map(|schema| self.catalog.table(&Name::new(schema.clone(), name.name.as_str()))),
        };
        let missing = || {
            let schema = name.schema.as_ref().map(|schema| format!("{schema}.")).unwrap_or_default();
            Error::new(Code::UNDEFINED_TABLE, format!("relation \"{schema}{}\" does not exist", name.name))
        };
        found.map(|(id, _)| id).ok_or_else(missing)
    }

    /// Whether a schema is looked into for names.
    pub(super) fn may_use(&self, schema: &str) -> bool {
        self.asker.as_ref().is_none_or(|roles| self.catalog.allows_schema(roles, schema))
    }

    /// Refuses a name in a schema that whoever asks may not use: before it is said whether there is such a thing.
    pub(super) fn require_schema(&self, schema: &str) -> Result<()> {
        let is_there = self.catalog.schemas.iter().any(|(name, _)| **name == *schema);
        if is_there && !self.may_use(schema) {
            return Err(Error::new(Code::PRIVILEGE, format!("permission denied for schema {schema}")));
        }
        Ok(())
    }

    /// A type by its name.
    pub(super) fn find_type(
        &self,
        name: &ast::TypeName,
    ) -> Result<(Type, Option<types::Modifier>, Option<Name>)> {
        if let Some(schema) = &name.name.schema {
            self.require_schema(schema)?;
        }
        let path: Vec<std::sync::Arc<str>> =
            self.path.iter().filter(|schema| self.may_use(schema)).cloned().collect();
        match self.catalog.find_type(&path, name)? {
            // One letter, as columns of system relations are compared with.
            (Type::Opaque(of), _, domain) if of == Name::new("pg_catalog", "char") => {
                Ok((Type::Varchar, Some(types::Modifier::Length(1)), domain))
            }
            found => Ok(found),
        }
    }

    /// What follows is stored in the schema: its names were looked up when it was made.
    pub(super) fn as_stored(&mut self) {
        (self.path, self.asker) = (super::default_path(), None);
    }

    /// An occurrence of a table, or of a view with what it reads.
    fn relation_of(&mut self, table: TableId) -> Result<Source> {
        let id = self.ids.fresh();
        match &self.catalog[table].kind {
            TableKind::Table | TableKind::View { materialized: true, .. } => {
                Ok(Source::Table { id, table, guard: Guard::Unset })
            }
            TableKind::View { query, .. } => {
                let query = query.clone();
                let surroundings = self.apart();
                self.as_stored();
                let read = self.query(&query);
                self.back(surroundings);
                Ok(Source::Read { id, read: Box::new(read?), view: Some(table) })
            }
        }
    }

    pub(super) fn add(&mut self, relation: Relation) -> Result<()> {
        let Some(level) = self.levels.last_mut() else { return Err(Error::internal("no query is open")) };
        if !relation.alias.is_empty() && level.relations.iter().any(|other| other.alias == relation.alias) {
            let message = format!("table name \"{}\" specified more than once", relation.alias);
            return Err(Error::new(Code::DUPLICATE_ALIAS, message));
        }
        level.relations.push(relation);
        Ok(())
    }

    fn join(
        &mut self,
        kind: ast::JoinKind,
        left: &FromItem,
        right: &FromItem,
        condition: &JoinCondition,
    ) -> Result<Source> {
        let before = self.levels.last().map_or(0, |level| level.relations.len());
        let left = self.source_of(left)?;
        let middle = self.levels.last().map_or(0, |level| level.relations.len());
        let right = self.source_of(right)?;
        let kind = match kind {
            ast::JoinKind::Inner | ast::JoinKind::Cross => JoinKind::Inner,
            ast::JoinKind::Left => JoinKind::Left,
            ast::JoinKind::Right => JoinKind::Right,
            ast::JoinKind::Full => JoinKind::Full,
        };
        let on = match condition {
            JoinCondition::None => None,
            JoinCondition::On(expr) => {
                let on = self.boolean(expr, "JOIN/ON")?;
                self.refuse_aggregate(&on, "JOIN conditions")?;
                Some(on)
            }
            JoinCondition::Using(names) => self.using(kind, names, before, middle)?,
            JoinCondition::Natural => {
                let names = self.common_names(before, middle);
                self.using(kind, &names, before, middle)?
            }
        };
        if matches!(kind, JoinKind::Right | JoinKind::Full) {
            refuse_lateral(&left, &right)?;
        }
        self.note_nullable(kind, &left, &right);
        Ok(join(kind, left, right, on))
    }

    /// Notes whose rows may be missing.
    fn note_nullable(&mut self, kind: JoinKind, left: &Source, right: &Source) {
        let Some(level) = self.levels.last_mut() else { return };
        let mut note = |source: &Source| {
            crate::visit::each_source(source, &mut |leaf| level.nullable.extend(crate::visit::id_of(leaf)));
        };
        if matches!(kind, JoinKind::Left | JoinKind::Full) {
            note(right);
        }
        if matches!(kind, JoinKind::Right | JoinKind::Full) {
            note(left);
        }
    }

    /// Names on both sides of a join, in the left side's order.
    fn common_names(&self, before: usize, middle: usize) -> Vec<String> {
        let Some(level) = self.levels.last() else { return Vec::new() };
        let (left, right) = (&level.relations[before..middle], &level.relations[middle..]);
        let has = |name: &str| {
            right.iter().any(|relation| relation.columns.iter().any(|(column, _)| &**column == name))
        };
        let names = left.iter().flat_map(|relation| &relation.columns).map(|(name, _)| name.to_string());
        names.filter(|name| has(name)).collect()
    }

    /// Equality of columns of one name, which become one column.
    fn using(
        &mut self,
        kind: JoinKind,
        names: &[String],
        before: usize,
        middle: usize,
    ) -> Result<Option<Expr>> {
        let mut conditions = Vec::new();
        for name in names {
            let (left, right) = {
                let Some(level) = self.levels.last() else { return Err(Error::internal("no query is open")) };
                (
                    only(&level.relations[before..middle], name, "left")?,
                    only(&level.relations[middle..], name, "right")?,
                )
            };
            conditions.push(self.binary(left.clone(), "=", right.clone())?);
            let merged = match kind {
                JoinKind::Inner | JoinKind::Left => left,
                JoinKind::Right => right,
                JoinKind::Full => {
                    let ty = left.ty();
                    let right = self.coerce(right, &ty)?;
                    Expr::Form { form: Form::Coalesce, args: vec![left, right], ty }
                }
            };
            if let Some(level) = self.levels.last_mut() {
                level.merged.retain(|(column, _)| **column != **name);
                level.merged.push((name.as_str().into(), merged));
            }
        }
        Ok(Expr::all(conditions))
    }
}

/// Of a join whose left rows may be missing, the right side cannot depend on them.
fn refuse_lateral(left: &Source, right: &Source) -> Result<()> {
    let mut beside = Vec::new();
    crate::visit::each_source(left, &mut |leaf| beside.extend(crate::visit::id_of(leaf)));
    let names = |expr: &Expr| {
        let mut found = false;
        crate::visit::deep(expr, &mut |inner| {
            found |= matches!(inner, Expr::Column { source, .. } if beside.contains(source));
        });
        found
    };
    let mut depends = false;
    crate::visit::each_source(right, &mut |leaf| {
        depends |= match leaf {
            Source::Read { read, .. } => crate::visit::names_any(read, &beside),
            Source::Compound { left, right, .. } => {
                crate::visit::names_any(left, &beside) || crate::visit::names_any(right, &beside)
            }
            Source::Function { calls, .. } => calls.iter().flat_map(|call| &call.args).any(names),
            _ => false,
        }
    });
    if depends {
        let message = "invalid reference to FROM-clause entry of a LATERAL side";
        return Err(Error::new(Code::INVALID_COLUMN_REFERENCE, message)
            .with_details("The combining JOIN type must be INNER or LEFT for a LATERAL reference."));
    }
    Ok(())
}

/// Rows beside those that are there, if any are.
pub(super) fn beside(left: Source, right: Source) -> Source {
    match left {
        Source::Unit => right,
        left => join(JoinKind::Inner, left, right, None),
    }
}

fn join(kind: JoinKind, left: Source, right: Source, on: Option<Expr>) -> Source {
    Source::Join { kind, left: Box::new(left), right: Box::new(right), on }
}

/// The only column of a name on one side of a join.
fn only(side: &[Relation], name: &str, word: &str) -> Result<Expr> {
    let columns = side.iter().flat_map(|relation| &relation.columns);
    let mut found = columns.filter(|(column, _)| **column == *name).map(|(_, expr)| expr);
    match (found.next(), found.next()) {
        (Some(expr), None) => Ok(expr.clone()),
        (None, _) => {
            let message =
                format!("column \"{name}\" specified in USING clause does not exist in {word} table");
            Err(Error::new(Code::UNDEFINED_COLUMN, message))
        }
        (Some(_), Some(_)) => {
            let message = format!("common column name \"{name}\" appears more than once in {word} table");
            Err(Error::new(Code::AMBIGUOUS_COLUMN, message))
        }
    }
}
