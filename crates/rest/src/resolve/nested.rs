//! Inserts along relationships (`Prefer: nested=insert`): rows of related tables stand in the rows of the body.
//!
//! ```text
//! POST /orders   {"note": "x", "customers": {"name": "Ann"}, "items": [{"sku": "a"}, {"sku": "b"}]}
//! ```
//!
//! Every table's rows are an insert of their own, as if a client had sent one after the other: first those that a row refers to,
//! then the row, then those that refer to it. Keys that the body does not give are taken from what the inserts return. Which
//! relationship a key means is decided as for an embedded resource; a column is always meant first.

use std::collections::BTreeSet;

use catalog::{ColumnId, Relationship, TableId, Through};
use query::{
    Action as Change, Expr, Form, Insert, Output, Query, Read, Returned, RowValue, Source, SourceId, Write,
};
use types::json::Json;
use types::{Code, Error, Result, Type, Value};

use super::reads::{columns, number};
use super::tree::Link;
use super::{Pass, Resolved};
use crate::options::origin;
use crate::payload::Object;
use crate::prefer::{Missing, Representation};
use crate::select::SelectEmbed;

/// The inserts of a request, in the order in which they are done.
#[derive(Default)]
struct Inserts {
    all: Vec<Planted>,
    rows: usize,
}

/// One of them.
struct Planted {
    table: TableId,
    target: SourceId,
    insert: Insert,
    /// The columns that it returns for others.
    returned: Vec<ColumnId>,
    single: bool,
}

/// The rows of one table at one place of the body.
#[derive(Clone)]
struct Place<'a> {
    table: TableId,
    rows: Vec<&'a Object>,
    /// How deep in the body: the request's own rows are at 0.
    depth: usize,
}

/// Columns that take their values from elsewhere: of each row one value.
struct Owed {
    column: ColumnId,
    values: Vec<RowValue>,
}

/// A relationship of a place, with what its rows have of it.
struct Branch<'a> {
    name: &'a str,
    edge: &'a Relationship,
    /// The rows, each with the position of the one that it stands in.
    rows: Vec<(usize, &'a Object)>,
}

/// What is referred to: an insert, and the columns that refer to it with those that they refer to.
struct Referred<'p> {
    insert: usize,
    pairs: &'p [(ColumnId, ColumnId)],
}

impl<'a> Pass<'a> {
    /// `POST` of rows with rows in them.
    pub(super) fn nested_request(
        &mut self,
        table: TableId,
        objects: &'a [Object],
        single: bool,
    ) -> Result<Resolved> {
        if self.request.prefer.resolution.is_some() {
            return Err(Error::missing("an upsert of rows with rows in them"));
        }
        let root = self.tree(table)?;
        let mut inserts = Inserts::default();
        let place = Place { table, rows: objects.iter().collect(), depth: 0 };
        let own = self.plant(&mut inserts, &place, Vec::new())?;
        inserts.all[own].single = single;
        let mut resolved = Resolved { rows_at: own, has_conflict_target: false, ..Resolved::default() };
        let again = match self.request.prefer.representation {
            Some(Representation::Full) => {
                let source = self.model.relation(table, &mut self.ids)?;
                let read = self.rows(&root, source)?;
                resolved.columns = columns(&read.outputs);
                Some(self.of_planted(read, &mut inserts.all[own])?)
            }
            Some(Representation::HeadersOnly) if !origin::key(self.model, table).is_empty() => {
                let source = self.model.relation(table, &mut self.ids)?;
                let read = self.key_of(table, source);
                resolved.key = columns(&read.outputs);
                Some(self.of_planted(read, &mut inserts.all[own])?)
            }
            Some(Representation::HeadersOnly | Representation::Minimal) | None => None,
        };
        let target = inserts.all[own].target;
        let writes: Vec<Query> = inserts.all.into_iter().map(|planted| self.write_of(planted)).collect();
        resolved.queries = writes;
        if let Some(read) = again {
            resolved.again = Some(target);
            resolved.rows_at = resolved.queries.len();
            resolved.queries.push(Query::Read(read));
        }
        Ok(resolved)
    }

    /// Inserts the rows of a place with everything in them; the position of their own insert.
    fn plant(&mut self, inserts: &mut Inserts, place: &Place<'a>, mut owed: Vec<Owed>) -> Result<usize> {
        let limits = self.exposed.limits;
        inserts.rows += place.rows.len();
        if inserts.rows > limits.nested_rows_max {
            return Err(misfit(format!(
                "The body has more than {} rows, with those in them",
                limits.nested_rows_max
            )));
        }
        if place.depth > limits.embed_depth_max || inserts.all.len() >= limits.embed_nodes_max {
            return Err(misfit("The rows in the rows of the body are of too many tables, or too deep")
                .with_hint("Limits: embed_depth_max, embed_nodes_max."));
        }
        let (names, branches) = self.branches(place)?;
        let (first, later): (Vec<Branch<'_>>, Vec<Branch<'_>>) =
            branches.into_iter().partition(|branch| self.refers(branch.edge));
        for branch in first {
            owed.extend(self.parents(inserts, place, &branch)?);
        }
        let own = self.own_rows(inserts, place, &names, owed)?;
        for branch in later {
            match &branch.edge.through {
                None => self.children(inserts, place, &branch, own)?,
                Some(through) => self.across(inserts, place, &branch, through, own)?,
            }
        }
        Ok(own)
    }

    /// The columns that the rows of a place name, and the relationships.
    fn branches(&self, place: &Place<'a>) -> Result<(Vec<&'a str>, Vec<Branch<'a>>)> {
        let listed = self.request.columns.as_ref().filter(|_| place.depth == 0);
        let given: BTreeSet<&'a str> = match listed {
            Some(listed) => listed.iter().map(String::as_str).collect(),
            None => place.rows.iter().flat_map(|row| row.iter().map(|(name, _)| name.as_str())).collect(),
        };
        let declared = self.declared(place.table);
        let (names, others): (Vec<&str>, Vec<&str>) =
            given.into_iter().partition(|name| declared.column(name).is_some());
        let branches = others.into_iter().map(|name| self.branch(place, name)).collect::<Result<_>>()?;
        Ok((names, branches))
    }

    fn branch(&self, place: &Place<'a>, name: &'a str) -> Result<Branch<'a>> {
        let (target, hint) = name.split_once('!').map_or((name, None), |(target, hint)| (target, Some(hint)));
        let embed = SelectEmbed {
            spread: false,
            alias: None,
            target: target.to_owned(),
            hint: hint.map(str::to_owned),
            inner: false,
            items: Vec::new(),
        };
        let edge = match self.link(place.table, &embed) {
            Ok(Link::Edge(edge)) => edge,
            Ok(Link::Computed { .. }) => return Err(Error::missing("an insert along a function of a row")),
            Err(error) if error.code() == Code::NO_RELATIONSHIP => {
                return Err(self.no_column_of_body(place.table, name));
            }
            Err(error) => return Err(error),
        };
        let mut rows = Vec::new();
        for (position, row) in place.rows.iter().enumerate() {
            match (member(row, name), edge.cardinality.is_to_one()) {
                (None | Some(Json::Null), _) => {}
                (Some(Json::Object(only)), true) => rows.push((position, only)),
                (Some(Json::Array(elements)), false) => {
                    for element in elements {
                        let Json::Object(row) = element else { return Err(no_rows(name, false)) };
                        rows.push((position, row));
                    }
                }
                (Some(_), to_one) => return Err(no_rows(name, to_one)),
            }
        }
        Ok(Branch { name, edge, rows })
    }

    /// Whether the rows that an edge leaves refer to those that it reaches.
    fn refers(&self, edge: &Relationship) -> bool {
        let columns: Vec<(TableId, ColumnId)> = edge
            .from_columns
            .iter()
            .filter_map(|column| origin::stored(self.model, edge.from, *column))
            .collect();
        let Some((table, _)) = columns.first() else { return false };
        edge.through.is_none()
            && self.model.catalog[*table].foreign_keys.iter().any(|key| {
                key.name == edge.constraint && key.columns.iter().eq(columns.iter().map(|(_, column)| column))
            })
    }

    /// Inserts the rows that those of a place refer to; the columns that refer.
    fn parents(
        &mut self,
        inserts: &mut Inserts,
        place: &Place<'a>,
        branch: &Branch<'a>,
    ) -> Result<Vec<Owed>> {
        let edge = branch.edge;
        let takes_default = self.request.prefer.missing == Some(Missing::Default);
        let without = |row: &&Object| match member(row, branch.name) {
            None if takes_default => RowValue::Default,
            _ => RowValue::Value(Value::Null),
        };
        let without: Vec<RowValue> = place.rows.iter().map(without).collect();
        let owed = edge.from_columns.iter().map(|column| Owed { column: *column, values: without.clone() });
        let mut owed: Vec<Owed> = owed.collect();
        if branch.rows.is_empty() {
            return Ok(owed);
        }
        let insert = self.plant(inserts, &branch.place(place), Vec::new())?;
        let pairs = pairs(&edge.from_columns, &edge.to_columns);
        for (of, (position, _)) in branch.rows.iter().enumerate() {
            let values = self.references(inserts, place.table, &Referred { insert, pairs: &pairs }, of)?;
            for (owed, value) in owed.iter_mut().zip(values) {
                owed.values[*position] = value;
            }
        }
        Ok(owed)
    }

    /// Inserts the rows that refer to those of a place.
    fn children(
        &mut self,
        inserts: &mut Inserts,
        place: &Place<'a>,
        branch: &Branch<'a>,
        own: usize,
    ) -> Result<()> {
        if branch.rows.is_empty() {
            return Ok(());
        }
        let pairs = pairs(&branch.edge.to_columns, &branch.edge.from_columns);
        let owed = self.owed(inserts, branch.edge.to, &Referred { insert: own, pairs: &pairs }, branch)?;
        self.plant(inserts, &branch.place(place), owed).map(drop)
    }

    /// Inserts rows on the other side of a junction, and the junction's.
    fn across(
        &mut self,
        inserts: &mut Inserts,
        place: &Place<'a>,
        branch: &Branch<'a>,
        through: &Through,
        own: usize,
    ) -> Result<()> {
        if branch.rows.is_empty() {
            return Ok(());
        }
        let far = self.plant(inserts, &branch.place(place), Vec::new())?;
        let near = pairs(&through.from_columns, &branch.edge.from_columns);
        let mut owed = self.owed(inserts, through.table, &Referred { insert: own, pairs: &near }, branch)?;
        let pairs = pairs(&through.to_columns, &branch.edge.to_columns);
        let far = Referred { insert: far, pairs: &pairs };
        let mut values = Vec::with_capacity(branch.rows.len());
        for row in 0..branch.rows.len() {
            values.push(self.references(inserts, through.table, &far, row)?);
        }
        owed.extend(turned(pairs.iter().map(|(column, _)| *column), values));
        let nothing = Place { table: through.table, rows: Vec::new(), depth: place.depth };
        self.inserted(inserts, &nothing, Vec::new(), owed, branch.rows.len()).map(drop)
    }

    /// The columns by which the rows of a branch refer to those that they stand in.
    fn owed(
        &mut self,
        inserts: &mut Inserts,
        table: TableId,
        referred: &Referred<'_>,
        branch: &Branch<'_>,
    ) -> Result<Vec<Owed>> {
        let mut values = Vec::with_capacity(branch.rows.len());
        for (position, _) in &branch.rows {
            values.push(self.references(inserts, table, referred, *position)?);
        }
        Ok(turned(referred.pairs.iter().map(|(column, _)| *column), values))
    }

    /// What a row of a table refers with to a row of an insert.
    fn references(
        &mut self,
        inserts: &mut Inserts,
        table: TableId,
        referred: &Referred<'_>,
        row: usize,
    ) -> Result<Vec<RowValue>> {
        let planted = &mut inserts.all[referred.insert];
        let mut values = Vec::with_capacity(referred.pairs.len());
        for (column, key) in referred.pairs {
            let given = planted.insert.columns.iter().position(|named| named == key);
            let given = given.and_then(|at| planted.insert.rows[row].get(at));
            values.push(match given {
                Some(RowValue::Value(value)) => {
                    let types = [(planted.table, *key), (table, *column)];
                    let [ty, wanted] = types.map(|(table, column)| self.declared(table)[column].ty.clone());
                    of_type(value.clone(), ty, wanted)
                }
                Some(RowValue::Returned(returned)) => RowValue::Returned(*returned),
                Some(RowValue::Default | RowValue::Expr(_)) | None => {
                    RowValue::Returned(Returned { of: planted.target, row, output: planted.output(*key) })
                }
            });
        }
        Ok(values)
    }

    /// The insert of the rows of a place by themselves.
    fn own_rows(
        &mut self,
        inserts: &mut Inserts,
        place: &Place<'a>,
        names: &[&'a str],
        owed: Vec<Owed>,
    ) -> Result<usize> {
        let may_lack = self.request.prefer.missing == Some(Missing::Default)
            || (place.depth == 0 && self.request.columns.is_some());
        let columns = self.named(place.table, names)?;
        let mut rows = Vec::with_capacity(place.rows.len());
        for row in &place.rows {
            let mut values = Vec::with_capacity(columns.len());
            for (name, column) in names.iter().zip(&columns) {
                let json = member(row, name);
                if json.is_none() && !may_lack {
                    return Err(Error::new(Code::BODY, "All object keys must match").with_hint(format!(
                        "A row of \"{}\" has no \"{name}\". `Prefer: missing=default` gives it the default.",
                        self.declared(place.table).name.name
                    )));
                }
                values.push(self.row_value(place.table, *column, json)?);
            }
            rows.push(values);
        }
        let count = rows.len();
        let given = columns.into_iter().zip(transposed(rows)).map(|(column, values)| Owed { column, values });
        self.inserted(inserts, place, given.collect(), owed, count)
    }

    /// Puts an insert behind the others; its position.
    fn inserted(
        &mut self,
        inserts: &mut Inserts,
        place: &Place<'_>,
        mut given: Vec<Owed>,
        owed: Vec<Owed>,
        count: usize,
    ) -> Result<usize> {
        for owed in owed {
            if given.iter().any(|given| given.column == owed.column) {
                let declared = self.declared(place.table);
                let (name, table) = (&declared[owed.column].name, &declared.name.name);
                return Err(misfit(format!(
                    "The column \"{name}\" of \"{table}\" is given twice: by itself and by a row that belongs to it"
                )));
            }
            given.push(owed);
        }
        let columns = given.iter().map(|given| given.column).collect();
        let mut rows: Vec<Vec<RowValue>> = vec![Vec::with_capacity(given.len()); count];
        for given in given {
            rows.iter_mut().zip(given.values).for_each(|(row, value)| row.push(value));
        }
        let insert = Insert { columns, rows, read: None, overriding: false, conflict: None };
        let target = self.ids.fresh();
        inserts.all.push(Planted { table: place.table, target, insert, returned: Vec::new(), single: false });
        Ok(inserts.all.len() - 1)
    }

    fn write_of(&mut self, planted: Planted) -> Query {
        let Planted { table, target, insert, returned, single } = planted;
        let source = self.ids.fresh();
        let declared = self.declared(table);
        let output = |column: &ColumnId| Output {
            name: declared[*column].name.clone(),
            expr: Expr::Column { source, column: *column, ty: declared[*column].ty.clone() },
        };
        let outputs: Vec<Output> = returned.iter().map(output).collect();
        let returning = (!outputs.is_empty())
            .then(|| Read { outputs, ..Read::from(Source::Written { id: source, table }) });
        Query::Write(Box::new(Write {
            returning,
            single,
            ..Write::of(table, target, Change::Insert(insert))
        }))
    }

    /// A read of exactly the rows that an insert stored, in its order: their keys are the read's parameters.
    fn of_planted(&self, mut read: Read, planted: &mut Planted) -> Result<Read> {
        let key = origin::key(self.model, planted.table);
        if key.is_empty() {
            return Err(Error::missing(
                "the representation of rows with rows in them, of a table without a primary key",
            ));
        }
        let positions: Vec<usize> = key.iter().map(|column| planted.output(*column)).collect();
        // Rows are told apart by their keys alone; what else is returned later comes behind these.
        let width = planted.returned.len();
        let source = query::visit::id_of(&read.from).ok_or_else(|| Error::internal("a table is a source"))?;
        let declared = self.declared(planted.table);
        let pair = |row: usize, at: usize| {
            let ty = declared[key[at]].ty.clone();
            let given = Expr::Param { index: row * width + positions[at], ty: ty.clone() };
            (Expr::Column { source, column: key[at], ty }, given)
        };
        let rows = 0..planted.insert.rows.len();
        let is_row = |row: usize| {
            let equal = (0..key.len()).map(|at| {
                let (column, given) = pair(row, at);
                column.equals(given)
            });
            Expr::all(equal).unwrap_or(Expr::bool(true))
        };
        let place = |value: &dyn Fn(usize) -> Expr, otherwise: Expr, ty: Type| Expr::Case {
            branches: rows.clone().map(|row| (is_row(row), value(row))).collect(),
            otherwise: Some(Box::new(otherwise)),
            ty,
        };
        let first = rows.clone().map(|row| pair(row, 0).1);
        let among = [pair(0, 0).0].into_iter().chain(first).collect();
        if rows.is_empty() {
            read.and_where(Expr::bool(false));
            return Ok(read);
        }
        read.and_where(Expr::test(Form::In, among));
        if key.len() > 1 {
            read.and_where(place(&|_| Expr::bool(true), Expr::bool(false), Type::Bool));
        }
        let is_grouped =
            !read.group.is_empty() || read.outputs.iter().any(|output| query::has_aggregate(&output.expr));
        if !is_grouped && rows.len() > 1 {
            let expr = place(
                &|row| number(u64::try_from(row).unwrap_or(u64::MAX)),
                Expr::null(Type::Int8),
                Type::Int8,
            );
            read.order.push(query::Order { expr, descending: false, nulls_first: false });
        }
        Ok(read)
    }
}

impl Planted {
    /// The position of a column among what is returned.
    fn output(&mut self, column: ColumnId) -> usize {
        let known = self.returned.iter().position(|returned| *returned == column);
        known.unwrap_or_else(|| {
            self.returned.push(column);
            self.returned.len() - 1
        })
    }
}

impl<'a> Branch<'a> {
    fn place(&self, around: &Place<'_>) -> Place<'a> {
        let rows = self.rows.iter().map(|(_, row)| *row).collect();
        Place { table: self.edge.to, rows, depth: around.depth + 1 }
    }
}

/// The value of a key; of several with one name the last.
fn member<'o>(object: &'o Object, name: &str) -> Option<&'o Json> {
    object.iter().rev().find(|(found, _)| found == name).map(|(_, value)| value)
}

fn pairs(referring: &[ColumnId], keys: &[ColumnId]) -> Vec<(ColumnId, ColumnId)> {
    referring.iter().copied().zip(keys.iter().copied()).collect()
}

/// Rows of values as columns of values.
fn turned(columns: impl Iterator<Item = ColumnId>, rows: Vec<Vec<RowValue>>) -> Vec<Owed> {
    columns.zip(transposed(rows)).map(|(column, values)| Owed { column, values }).collect()
}

fn transposed(rows: Vec<Vec<RowValue>>) -> Vec<Vec<RowValue>> {
    let mut columns = vec![Vec::with_capacity(rows.len()); rows.first().map_or(0, Vec::len)];
    for row in rows {
        columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
    }
    columns
}

fn of_type(value: Value, ty: Type, wanted: Type) -> RowValue {
    if ty == wanted {
        return RowValue::Value(value);
    }
    let expr = Box::new(Expr::Const { value, ty });
    RowValue::Expr(Expr::Cast { expr, ty: wanted, modifier: None, explicit: false })
}

fn misfit(message: impl Into<String>) -> Error {
    Error::new(Code::NESTED, message)
}

fn no_rows(name: &str, to_one: bool) -> Error {
    let wanted = if to_one { "one object, or null" } else { "a list of objects" };
    misfit(format!("The rows of \"{name}\" are {wanted}"))
}
