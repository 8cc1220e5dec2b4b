//! Queries as text, short enough to be read in a test. Sources go by their table's name and number.

use catalog::Catalog;
use query::{
    Action, Assign, Compare, ConflictAction, Expr, Form, Nest, Order, Query, Read, RowValue, Source,
    SourceId, Subquery, Write,
};
use types::session::Session;
use types::{Type, Value, text};

struct Printer<'a> {
    catalog: &'a Catalog,
    sources: Vec<(SourceId, Columns)>,
}

#[derive(Clone)]
enum Columns {
    Table(catalog::TableId),
    Names(Vec<String>),
}

pub(super) fn query(catalog: &Catalog, query: &Query) -> String {
    let mut printer = Printer { catalog, sources: Vec::new() };
    match query {
        Query::Read(read) => printer.read(read),
        Query::Write(write) => printer.write(write),
    }
}

fn joined(parts: impl IntoIterator<Item = String>, separator: &str) -> String {
    parts.into_iter().collect::<Vec<_>>().join(separator)
}

impl Printer<'_> {
    fn read(&mut self, read: &Read) -> String {
        let mut out = self.source(&read.from);
        if let Some(filter) = &read.filter {
            out += &format!(" where {}", self.expr(filter));
        }
        if !read.group.is_empty() {
            out += &format!(" group {}", self.exprs(&read.group));
        }
        let said = read.outputs.iter().map(|output| {
            let said = self.expr(&output.expr);
            let plain = said.rsplit('.').next().is_some_and(|last| *last == *output.name);
            if plain { said } else { format!("{}: {said}", output.name) }
        });
        let said: Vec<String> = said.collect();
        out += &format!(" say [{}]", said.join(", "));
        if !read.order.is_empty() {
            out += &format!(" order {}", self.orders(&read.order));
        }
        for (word, bound) in [("limit", &read.limit), ("offset", &read.offset)] {
            if let Some(bound) = bound {
                out += &format!(" {word} {}", self.expr(bound));
            }
        }
        out
    }

    fn source(&mut self, source: &Source) -> String {
        match source {
            Source::Unit => "unit".to_owned(),
            Source::Table { id, table, .. } => self.table(*id, *table, ""),
            Source::Written { id, table } => self.table(*id, *table, "written "),
            Source::Given { id, table } => self.table(*id, *table, "given "),
            Source::Transition { id, table, .. } => self.table(*id, *table, "transition "),
            Source::Read { id, read, view } => {
                let names = read.outputs.iter().map(|output| output.name.to_string()).collect();
                self.sources.push((*id, Columns::Names(names)));
                view.map_or("read".to_owned(), |view| self.catalog[view].name.name.to_string())
            }
            Source::Values { .. } => "values".to_owned(),
            Source::System { .. } => "system".to_owned(),
            Source::Call { .. } => "call".to_owned(),
            Source::Cte { .. } => "with".to_owned(),
            Source::Compound { operator, .. } => operator.word().to_lowercase(),
            Source::Function { calls, .. } => calls.iter().map(|call| call.function.name).collect(),
            Source::Join { left, right, on, .. } => {
                let (left, right) = (self.source(left), self.source(right));
                let on = on.as_ref().map_or(String::new(), |on| format!(" on {}", self.expr(on)));
                format!("{left} join {right}{on}")
            }
        }
    }

    fn table(&mut self, id: SourceId, table: catalog::TableId, word: &str) -> String {
        self.sources.push((id, Columns::Table(table)));
        format!("{word}{}", self.catalog[table].name.name)
    }

    fn column(&self, id: SourceId, column: catalog::ColumnId) -> String {
        let found = self.sources.iter().rev().find(|(source, _)| *source == id);
        match found.map(|(_, columns)| columns) {
            Some(Columns::Table(table)) => {
                let table = &self.catalog[*table];
                format!("{}.{}", table.name.name, table[column].name)
            }
            Some(Columns::Names(names)) => format!("view.{}", names[usize::from(column.0)]),
            None => "UNKNOWN".to_owned(),
        }
    }

    fn orders(&mut self, orders: &[Order]) -> String {
        let one = |order: &Order| {
            let nulls = match (order.descending, order.nulls_first) {
                (false, true) => " nulls first",
                (true, false) => " nulls last",
                _ => "",
            };
            format!("{}{}{nulls}", self.expr(&order.expr), if order.descending { " desc" } else { "" })
        };
        joined(orders.iter().map(one).collect::<Vec<_>>(), ", ")
    }

    fn exprs(&mut self, exprs: &[Expr]) -> String {
        let parts: Vec<String> = exprs.iter().map(|expr| self.expr(expr)).collect();
        parts.join(", ")
    }

    fn expr(&mut self, expr: &Expr) -> String {
        match expr {
            Expr::Column { source, column, .. } => self.column(*source, *column),
            Expr::Const { value, ty } => constant(value, ty),
            Expr::Param { .. } | Expr::Caller(_) => "?".to_owned(),
            Expr::Case { branches, .. } => {
                let one = |(condition, result): &(Expr, Expr)| {
                    format!("case{} {}", self.expr(condition), self.expr(result))
                };
                joined(branches.iter().map(one).collect::<Vec<_>>(), " ")
            }
            Expr::Apply { function, args, .. } => match &args[..] {
                [left, right] if !function.name.starts_with(|c: char| c.is_alphabetic()) => {
                    format!("({} {} {})", self.expr(left), function.name, self.expr(right))
                }
                args => format!("{}({})", function.name, self.exprs(args)),
            },
            Expr::Form { form, args, .. } => self.form(form, args),
            Expr::Cast { expr, ty, .. } => {
                format!("{}::{}", self.expr(expr), types::ty::format_type(ty, None))
            }
            Expr::Subquery(subquery) => self.subquery(subquery),
            Expr::Call(call) => format!("call {}({})", call.function.0, self.exprs(&call.args)),
            Expr::Window { function, args, .. } => format!("{}({}) over", function.name(), self.exprs(args)),
            Expr::Aggregate { aggregate, args, .. } => {
                format!("{}({})", aggregate.name, self.exprs(args))
            }
        }
    }

    fn form(&mut self, form: &Form, args: &[Expr]) -> String {
        let all: Vec<String> = args.iter().map(|arg| self.expr(arg)).collect();
        let of = |compare: &Compare| compare.symbol();
        match form {
            Form::Compare(compare) => format!("({} {} {})", all[0], of(compare), all[1]),
            Form::And => format!("({})", all.join(" and ")),
            Form::Or => format!("({})", all.join(" or ")),
            Form::Not => format!("not {}", all[0]),
            Form::IsNull => format!("({} is null)", all[0]),
            Form::IsNotNull => format!("({} is not null)", all[0]),
            Form::IsBool { value, .. } => format!("({} is {value})", all[0]),
            Form::Distinct => format!("({} is distinct from {})", all[0], all[1]),
            Form::AnyOf(compare) => format!("({} {} any {})", all[0], of(compare), all[1]),
            Form::AllOf(compare) => format!("({} {} all {})", all[0], of(compare), all[1]),
            Form::AnyBy(function) => format!("({} {} any {})", all[0], function.name, all[1]),
            Form::AllBy(function) => format!("({} {} all {})", all[0], function.name, all[1]),
            other => format!("{other:?}({})", all.join(", ")),
        }
    }

    fn subquery(&mut self, subquery: &Subquery) -> String {
        match subquery {
            Subquery::Exists(read) => format!("exists({})", self.read(read)),
            Subquery::Scalar(read) => format!("({})", self.read(read)),
            Subquery::Nest(Nest { read, many, bare }) => {
                let word = match (many, bare) {
                    (true, true) => "values",
                    (true, false) => "many",
                    (false, _) => "one",
                };
                format!("{word}({})", self.read(read))
            }
            Subquery::Any { .. } | Subquery::All { .. } => "?".to_owned(),
        }
    }

    fn write(&mut self, write: &Write) -> String {
        self.sources.push((write.target, Columns::Table(write.table)));
        let table = &self.catalog[write.table];
        let name = |column: &catalog::ColumnId| table[*column].name.to_string();
        let mut out = match &write.action {
            Action::Insert(insert) => {
                let columns = joined(insert.columns.iter().map(name), ", ");
                let mut value = |value: &RowValue, column: &catalog::ColumnId| match value {
                    RowValue::Default => "default".to_owned(),
                    RowValue::Value(value) => constant(value, &table[*column].ty),
                    RowValue::Expr(expr) => self.expr(expr),
                    RowValue::Returned(of) => format!("returned({}, {})", of.row, of.output),
                };
                let mut row = |row: &Vec<RowValue>| {
                    let values = row.iter().zip(&insert.columns).map(|(item, column)| value(item, column));
                    format!("({})", joined(values.collect::<Vec<_>>(), ", "))
                };
                let rows: Vec<String> = insert.rows.iter().map(&mut row).collect();
                let rows = rows.join(" ");
                let mut out = format!("insert {} ({columns}) {rows}", table.name.name);
                if let Some(conflict) = &insert.conflict {
                    let on = joined(conflict.columns.iter().map(name), ", ");
                    let action = match &conflict.action {
                        ConflictAction::Nothing => "nothing".to_owned(),
                        ConflictAction::Update { set, .. } => {
                            format!("set {}", joined(set.iter().map(|(column, _)| name(column)), ", "))
                        }
                    };
                    out += &format!(" on conflict ({on}) {action}");
                }
                out
            }
            Action::Update { set, filter } => {
                let assigned: Vec<String> = set
                    .iter()
                    .map(|(column, assign)| match assign {
                        Assign::Default => format!("{} = default", name(column)),
                        Assign::Expr(expr) => format!("{} = {}", name(column), self.expr(expr)),
                    })
                    .collect();
                format!("update {} set {}{}", table.name.name, assigned.join(", "), self.filtered(filter))
            }
            Action::Delete { filter } => format!("delete {}{}", table.name.name, self.filtered(filter)),
        };
        if let Some(max) = write.affected_max {
            out += &format!(" max {max}");
        }
        if write.single {
            out += " single";
        }
        if let Some(returning) = &write.returning {
            out += &format!(" returning {}", self.read(returning));
        }
        out.trim_end().to_owned()
    }

    fn filtered(&mut self, filter: &Option<Expr>) -> String {
        filter.as_ref().map_or(String::new(), |filter| format!(" where {}", self.expr(filter)))
    }
}

fn constant(value: &Value, ty: &Type) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        value => format!("'{}'", text::print(ty, value, &Session::utc(0))),
    }
}
