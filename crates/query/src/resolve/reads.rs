//! Selects: what stands in `from`, which rows, what they say, in which order.

use catalog::{TableId, TableKind};
use sql::ast::{
    self, Distinct, ExprKind, FromItem, JoinCondition, Literal, ObjectName, QueryBody, Select, Target,
};
use types::{Code, Error, Name, Result, Type};

use super::Resolver;
use super::calls::ordered;
use super::expansions::Expansions;
use super::group::{GroupingSet, all_grouped};
use super::scope::{Level, Relation};
use crate::functions::common_type;
use crate::ir::{Expr, Form, Guard, JoinKind, Order, Output, Read, Source, Window, WindowFunction};

impl Resolver<'_> {
    /// The meaning of a query.
    pub(super) fn query(&mut self, query: &ast::Query) -> Result<Read> {
        self.holds_query |= self.frame.is_none();
        let unsettled = std::mem::take(&mut self.unsettled);
        self.deeper(|resolver| {
            let known = resolver.ctes.len();
            let result = resolver.unexpanded("", |resolver| resolver.query_with(query, unsettled));
            resolver.ctes.truncate(known);
            result
        })
    }

    fn query_with(&mut self, query: &ast::Query, unsettled: bool) -> Result<Read> {
        let defined = query.with.as_ref().map(|with| self.with(with)).transpose()?;
        self.levels.push(Level::default());
        let result = self.body(query, unsettled);
        self.levels.pop();
        let mut read = result?;
        read.limit = self.bound(query.limit.as_ref(), "LIMIT")?;
        read.offset = self.bound(query.offset.as_ref(), "OFFSET")?;
        Ok(match defined {
            None => read,
            Some(defined) => self.placed(read, defined),
        })
    }

    fn body(&mut self, query: &ast::Query, unsettled: bool) -> Result<Read> {
        match &query.body {
            QueryBody::Select(select) => {
                let known = self.windows.len();
                self.windows.extend(select.windows.iter().cloned());
                let read = self.select(select, &query.order_by, unsettled);
                self.windows.truncate(known);
                self.locking(query, select, read?)
            }
            QueryBody::Values(rows) => self.values(rows, &query.order_by),
            QueryBody::SetOperation { op, all, left, right } => {
                let read = self.set_operation((*op, *all), (left, right), &query.order_by)?;
                match query.locking.first() {
                    None => Ok(read),
                    Some(clause) => Err(not_locked(clause, "UNION/INTERSECT/EXCEPT")),
                }
            }
        }
    }

    /// Notes the tables that are locked. PostgreSQL refuses it where a row of the result is not one of theirs.
    fn locking(&mut self, query: &ast::Query, select: &Select, mut read: Read) -> Result<Read> {
        let Some(clause) = query.locking.first() else { return Ok(read) };
        let said = || read.outputs.iter().map(|output| &output.expr);
        let hinders = [
            (select.distinct != Distinct::No, "DISTINCT clause"),
            (!read.group.is_empty(), "GROUP BY clause"),
            (read.having.is_some(), "HAVING clause"),
            (said().any(crate::visit::has_aggregate), "aggregate functions"),
            (said().any(crate::visit::has_window), "window functions"),
        ];
        if let Some((_, what)) = hinders.iter().find(|(hinders, _)| *hinders) {
            return Err(not_locked(clause, what));
        }
        for clause in &query.locking {
            let locked = self.locked_by(clause, &read.from)?;
            read.locked.extend(locked);
        }
        Ok(read)
    }

    /// The tables that one clause locks: those that it names, or all.
    fn locked_by(&self, clause: &str, from: &Source) -> Result<Vec<crate::ir::SourceId>> {
        let words = lock_words(clause);
        let level = self.levels.last().ok_or_else(|| Error::internal("no query is open"))?;
        let refuse = || Error::missing(format!("{words} of a view or a subquery"));
        let mut locked = Vec::new();
        match locked_names(clause) {
            Some(names) => {
                for name in names {
                    let relation = level.relations.iter().find(|relation| *relation.alias == *name);
                    let relation = relation.ok_or_else(|| {
                        let message =
                            format!("relation \"{name}\" in {words} clause not found in FROM clause");
                        Error::new(Code::UNDEFINED_TABLE, message)
                    })?;
                    locked.push(relation.id.filter(|_| relation.is_stored).ok_or_else(refuse)?);
                }
            }
            None => {
                let mut refused = false;
                crate::visit::each_source(from, &mut |source| match source {
                    Source::Table { id, .. } => locked.push(*id),
                    Source::Read { .. } | Source::Compound { .. } => refused = true,
                    _ => {}
                });
                if refused {
                    return Err(refuse());
                }
            }
        }
        if locked.iter().any(|id| level.nullable.contains(id)) {
            let message = format!("{words} cannot be applied to the nullable side of an outer join");
            return Err(Error::new(Code::FEATURE_NOT_SUPPORTED, message));
        }
        Ok(locked)
    }

    fn bound(&mut self, bound: Option<&ast::Expr>, word: &str) -> Result<Option<Expr>> {
        let Some(bound) = bound else { return Ok(None) };
        self.levels.push(Level::default());
        let resolved = self.expr(bound);
        self.levels.pop();
        let resolved = resolved?;
        match resolved.ty() {
            Type::Int2 | Type::Int4 | Type::Int8 | Type::Unknown => {
                self.coerce(resolved, &Type::Int8).map(Some)
            }
            _ => Err(Error::new(Code::DATATYPE_MISMATCH, format!("argument of {word} must be type bigint"))),
        }
    }

    fn select(&mut self, select: &Select, order_by: &[ast::OrderItem], unsettled: bool) -> Result<Read> {
        if let Some(mut read) = self.rows_alone(select)? {
            read.order = self.order_by(order_by, &read)?;
            return Ok(read);
        }
        let mut read = self.of_sources(select)?;
        let prepared = self.sets_of_groups(select, order_by, &mut read.from)?;
        let (select, order_by) = match &prepared {
            None => (select, order_by),
            Some(prepared) => (&prepared.select, &prepared.order_by[..]),
        };
        let (sets, expansions) = self.clauses(&mut read, select, order_by, unsettled)?;
        self.gathered(read, sets, expansions, &select.distinct)
    }

    /// What a select reads from, and nothing of it yet.
    fn of_sources(&mut self, select: &Select) -> Result<Read> {
        if let Some(level) = self.levels.last_mut() {
            level.aggregates = Some(Vec::new());
        }
        let from = self.from(&select.from)?;
        self.refuse_noted("FROM clause of their own query level")?;
        Ok(Read::from(from))
    }

    /// The clauses of a select, each where PostgreSQL reads it; what is selected and read may hold further selects, so that this
    /// stands on the stack once for each that is nested.
    fn clauses(
        &mut self,
        read: &mut Read,
        select: &Select,
        order_by: &[ast::OrderItem],
        unsettled: bool,
    ) -> Result<(Option<Vec<GroupingSet>>, Expansions)> {
        if let Some(filter) = &select.filter {
            let filter = self.boolean(filter, "WHERE")?;
            self.refuse_aggregate(&filter, "WHERE")?;
            read.filter = Some(filter);
            self.refuse_noted("WHERE")?;
        }
        let (outputs, expansions) =
            self.expanding(|resolver| resolver.targets_as(&select.targets, unsettled))?;
        read.outputs = outputs;
        let sets = self.group_keys(read, &select.group_by)?;
        read.having = select.having.as_ref().map(|having| self.boolean(having, "HAVING")).transpose()?;
        read.having.iter().try_for_each(|having| self.refuse_window(having, "HAVING"))?;
        read.distinct = select.distinct == Distinct::All;
        let expansions = self.order_among(expansions, order_by, read)?;
        Ok((sets, expansions))
    }

    /// A read whose clauses are known, with the groups, sets and rows of functions that they ask for.
    fn gathered(
        &mut self,
        read: Read,
        sets: Option<Vec<GroupingSet>>,
        expansions: Expansions,
        distinct: &Distinct,
    ) -> Result<Read> {
        let noted = self.levels.last_mut().and_then(|level| level.aggregates.take()).unwrap_or_default();
        self.check_groups(&read, !noted.is_empty())?;
        let looks_at_groups = read.outputs.iter().any(|output| crate::visit::has_window(&output.expr));
        let read = match sets {
            None => self.with_noted(all_grouped(read), &noted)?,
            Some(_) if !noted.is_empty() => {
                return Err(Error::missing("an aggregate of an outer query's rows over grouping sets"));
            }
            Some(sets) if looks_at_groups => self.windows_over_sets(read, &sets)?,
            Some(sets) => self.in_sets(read, &sets)?,
        };
        let read = self.with_expansions(read, expansions)?;
        match distinct {
            Distinct::On(keys) => self.distinct_on(read, keys),
            Distinct::No | Distinct::All => Ok(self.distinct_of_windows(read)),
        }
    }

    /// The order of a read, in which further set-returning functions may stand.
    fn order_among(
        &mut self,
        expansions: Expansions,
        order_by: &[ast::OrderItem],
        read: &mut Read,
    ) -> Result<Expansions> {
        let around = self.expansions.replace(expansions);
        let order = self.order_by(order_by, read);
        let expansions = std::mem::replace(&mut self.expansions, around);
        read.order = order?;
        Ok(expansions.unwrap_or_default())
    }

    /// `distinct on`: the first row of each group in the order asked for.
    fn distinct_on(&mut self, mut read: Read, keys: &[ast::Expr]) -> Result<Read> {
        let clause = ["SELECT", "DISTINCT ON"].join(" ");
        let mut partition = Vec::new();
        for key in keys {
            let key = match self.output(key, &read.outputs, &clause)? {
                Some(expr) => expr,
                None => {
                    let key = self.expr(key)?;
                    self.settled(key)?
                }
            };
            partition.push(key);
        }
        let words = |expr: &Expr| format!("{expr:?}");
        let wanted: Vec<String> = partition.iter().map(words).collect();
        let mut missing: Vec<&String> = wanted.iter().collect();
        for key in &read.order {
            let said = words(&key.expr);
            if missing.is_empty() {
                break;
            }
            if !wanted.contains(&said) {
                let message = format!("{clause} expressions must match initial ORDER BY expressions");
                return Err(Error::new(Code::INVALID_COLUMN_REFERENCE, message));
            }
            missing.retain(|other| **other != said);
        }
        let order = std::mem::take(&mut read.order);
        let shown = read.outputs.len();
        let further = order.iter().map(|key| Output { name: "key".into(), expr: key.expr.clone() });
        read.outputs.extend(further.collect::<Vec<_>>());
        let window = Window { partition, order: order.clone(), frame: None };
        read.outputs.push(Output {
            name: "number".into(),
            expr: Expr::Window {
                function: WindowFunction::RowNumber,
                args: Vec::new(),
                filter: None,
                window: Box::new(window),
                ty: Type::Int8,
            },
        });
        let mut outer = self.around(read);
        let mut columns = outer.outputs.split_off(shown);
        let number = columns.pop().map(|output| output.expr);
        let one = Expr::Const { value: types::Value::Int(1), ty: Type::Int8 };
        outer.filter = number.map(|number| number.equals(one));
        outer.order =
            order.into_iter().zip(columns).map(|(key, column)| Order { expr: column.expr, ..key }).collect();
        Ok(outer)
    }

    /// `values`: rows of as many columns, of common types.
    fn values(&mut self, rows: &[Vec<ast::Expr>], order_by: &[ast::OrderItem]) -> Result<Read> {
        let mut resolved = Vec::new();
        for row in rows {
            resolved.push(row.iter().map(|expr| self.expr(expr)).collect::<Result<Vec<Expr>>>()?);
        }
        let width = resolved.first().map_or(0, Vec::len);
        if resolved.iter().any(|row| row.len() != width) {
            return Err(Error::new(Code::SYNTAX, "VALUES lists must all be the same length"));
        }
        let types: Vec<Type> = (0..width)
            .map(|at| common_type("VALUES", &resolved.iter().map(|row| row[at].ty()).collect::<Vec<_>>()))
            .collect::<Result<_>>()?;
        let rows = resolved.into_iter().map(|row| self.coerce_all(row, &types)).collect::<Result<_>>()?;
        let id = self.ids.fresh();
        let columns = types.into_iter().zip(0..).map(|(ty, at)| Output {
            name: format!("column{}", at + 1).into(),
            expr: Expr::Column { source: id, column: catalog::ColumnId(at), ty },
        });
        let outputs: Vec<Output> = columns.collect();
        let mut read = Read { outputs, ..Read::from(Source::Values { id, rows }) };
        read.order = self.order_by(order_by, &read)?;
        Ok(read)
    }

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
            FromItem::Table { name, alias, .. } => {
                let (source, mut relation) =
                    self.named(name, alias.as_ref().map(|alias| alias.name.as_str()))?;
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
        let table = self.table(name)?;
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

    /// What each row says; stars expanded, untyped literals as text.
    pub(super) fn targets(&mut self, targets: &[Target]) -> Result<Vec<Output>> {
        self.targets_as(targets, false)
    }

    fn targets_as(&mut self, targets: &[Target], unsettled: bool) -> Result<Vec<Output>> {
        let mut outputs = Vec::new();
        for target in targets {
            match &*target.expr.kind {
                ExprKind::Star(qualifier) => {
                    let columns = match qualifier.last() {
                        None => self.levels.last().map(Level::star).unwrap_or_default(),
                        Some(qualifier) => self.starred(qualifier)?,
                    };
                    outputs.extend(columns.into_iter().map(|(name, expr)| Output { name, expr }));
                }
                ExprKind::Field { expr, field } if field == "*" => {
                    let row = self.expr(expr)?;
                    outputs.extend(self.fields_of_row(&row)?);
                }
                _ => {
                    // The arguments of a function over the system relations are ids there.
                    let is_argument = target.alias.as_ref().is_some_and(|alias| alias.ends_with('$'));
                    let expr = match is_argument {
                        true => self.expr(&target.expr)?,
                        false => self.named_or_value(&target.expr)?,
                    };
                    let expr = if unsettled { expr } else { self.settled(expr)? };
                    let expr = self.shown(expr)?;
                    let name = target.alias.clone().or_else(|| catalog::column_name(&target.expr));
                    outputs.push(Output { name: name.as_deref().unwrap_or("?column?").into(), expr });
                }
            }
        }
        Ok(outputs)
    }

    /// `(row).*`
    fn fields_of_row(&mut self, row: &Expr) -> Result<Vec<Output>> {
        if let Expr::Form { form: Form::Record(names), args, .. } = row {
            let fields = names.iter().cloned().zip(args.iter().cloned());
            return Ok(fields.map(|(name, expr)| Output { name, expr }).collect());
        }
        let fields = match &row.ty() {
            Type::Composite(name) => self.fields_of(name),
            ty => {
                let message = format!("type {} is not composite", types::ty::format_type(ty, None));
                return Err(Error::new(Code::WRONG_OBJECT_TYPE, message));
            }
        };
        let fields = fields.ok_or_else(|| Error::missing("the fields of a row without a type"))?;
        let field =
            |(name, _): (std::sync::Arc<str>, Type)| Ok(Output { expr: self.field(row, &name)?, name });
        fields.into_iter().map(field).collect()
    }

    /// Order keys: positions and names of outputs first, then expressions.
    fn order_by(&mut self, items: &[ast::OrderItem], read: &Read) -> Result<Vec<Order>> {
        let mut order = Vec::new();
        for item in items {
            let expr = match self.output(&item.expr, &read.outputs, "ORDER BY")? {
                Some(expr) => expr,
                None => {
                    let expr = self.expr(&item.expr)?;
                    self.settled(expr)?
                }
            };
            order.push(ordered(expr, item));
        }
        Ok(order)
    }

    /// The output that a position or a bare name means.
    pub(super) fn output(&self, expr: &ast::Expr, outputs: &[Output], word: &str) -> Result<Option<Expr>> {
        match &*expr.kind {
            ExprKind::Literal(Literal::Integer(position)) => {
                let at = position.parse::<usize>().ok().and_then(|position| position.checked_sub(1));
                let found = at.and_then(|at| outputs.get(at)).map(|output| output.expr.clone());
                let message = format!("{word} position {position} is not in select list");
                found.map(Some).ok_or_else(|| Error::new(Code::INVALID_COLUMN_REFERENCE, message))
            }
            ExprKind::Column(parts) => match &parts[..] {
                [name] => {
                    Ok(outputs.iter().find(|output| *output.name == **name).map(|output| output.expr.clone()))
                }
                _ => Ok(None),
            },
            _ => Ok(None),
        }
    }
}

/// `FOR UPDATE`, `FOR SHARE`, …
pub(super) fn lock_words(clause: &str) -> String {
    let lower = clause.to_ascii_lowercase();
    let words = lower.split_whitespace().take_while(|word| !["of", "nowait", "skip"].contains(word));
    words.collect::<Vec<_>>().join(" ").to_uppercase()
}

/// The names behind `of`.
fn locked_names(clause: &str) -> Option<Vec<String>> {
    let lower = clause.to_ascii_lowercase();
    let (_, names) = lower.split_once(" of ")?;
    let names = names.trim_end_matches("nowait").trim_end();
    let names = names.strip_suffix("locked").map_or(names, |names| names.trim_end().trim_end_matches("skip"));
    Some(names.split(',').map(|name| name.trim().trim_matches('"').to_owned()).collect())
}

fn not_locked(clause: &str, what: &str) -> Error {
    let words = lock_words(clause);
    Error::new(Code::FEATURE_NOT_SUPPORTED, format!("{words} is not allowed with {what}"))
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
