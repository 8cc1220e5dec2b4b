//! Expressions.
//!
//! Every expression yields the stored form of its type, so that columns, constants and results compare alike.

use catalog::ColumnId;
use query::functions::{Aggregate, Function};
use query::{Compare, Expr, Form, FunctionCall, Order, Read, SourceId, Subquery};
use types::stored::{Stored, encode};
use types::{Error, Modifier, Result, Type, Value, signature};

use super::names::{self, Special};
use super::read::Use;
use super::{Columns, Writer};

impl Writer<'_> {
    pub(super) fn expr(&mut self, expr: &Expr) -> Result<()> {
        match expr {
            Expr::Column { source, column, ty } => self.column(*source, *column, ty),
            Expr::Const { value, ty } => self.constant(value, ty),
            Expr::Param { index, ty } => {
                let value = self.bindings.parameter(*index, ty)?;
                self.notes.parameter(self.parameters.len(), *index, ty);
                self.parameter(value);
                Ok(())
            }
            Expr::Caller(field) => self.field(field),
            Expr::Apply { function, args, .. } => self.apply(function, args),
            Expr::Form { form, args, ty } => self.form(form, args, ty),
            Expr::Cast { expr, ty, modifier, explicit } => self.cast(expr, ty, *modifier, *explicit),
            Expr::Case { branches, otherwise, .. } => self.case(branches, otherwise.as_deref()),
            Expr::Subquery(subquery) => self.subquery(subquery),
            Expr::Call(call) => self.call(call),
            Expr::Window { function, args, filter, window, ty } => {
                self.window(*function, args, filter.as_deref(), (window, ty))
            }
            Expr::Aggregate { aggregate, args, distinct, filter, order, .. } => {
                self.aggregate(aggregate, args, *distinct, filter.as_deref(), order)
            }
        }
    }

    /// A function that is interpreted: which, called by whom, the types of its arguments and of its result.
    fn call(&mut self, call: &FunctionCall) -> Result<()> {
        let role = call.role.as_ref();
        let role =
            role.ok_or_else(|| Error::internal("a call reached the renderer without authorization"))?;
        self.calls = true;
        let special = if call.is_volatile { Special::CallVolatile } else { Special::Call };
        let word = format!("{};{}", call.function.0, names::escaped(role));
        let mut types: Vec<Type> = vec![call.ty.clone()];
        types.extend(call.args.iter().map(Expr::ty));
        self.special(special, &word, &types, &call.args)
    }

    fn column(&mut self, source: SourceId, column: ColumnId, ty: &Type) -> Result<()> {
        let columns = self
            .sources
            .get(&source)
            .copied()
            .ok_or_else(|| Error::internal("a column of an unknown source"))?;
        if let Columns::Packed(width) = columns {
            if column.0 < width {
                self.unpacked(source, column.0, ty);
            } else {
                self.push("(");
                self.alias(source);
                self.push(".key + 1)");
            }
            return Ok(());
        }
        if !self.kept {
            self.alias(source);
            self.push(".");
        }
        match columns {
            Columns::OfTable(table) if column == query::ROW_KEY => {
                self.push(names::row_key(&self.catalog[table]))
            }
            Columns::OfTable(table) => {
                let catalog = self.catalog;
                self.identifier(names::column_name(&catalog[table], column));
            }
            Columns::Outputs => {
                self.push("c");
                self.number(column.0);
            }
            Columns::Values => {
                self.push("column");
                self.number(column.0 + 1);
            }
            Columns::Packed(_) => {}
        }
        Ok(())
    }

    fn constant(&mut self, value: &Value, ty: &Type) -> Result<()> {
        match value {
            Value::Null => self.push("NULL"),
            Value::Bool(value) => self.push(if *value { "true" } else { "false" }),
            value => {
                let stored = encode(ty, value)?;
                self.value(stored);
            }
        }
        Ok(())
    }

    /// An operand of a comparison: with the type's collation.
    pub(super) fn collated(&mut self, expr: &Expr) -> Result<()> {
        self.collated_before(expr, &[])
    }

    /// A left operand, compared with others. SQLite lets a collation that is written anywhere inside of an expression, and that
    /// of a column under conversions that change nothing, decide a comparison of the whole: so it is said, where not obvious.
    fn collated_before(&mut self, expr: &Expr, others: &[Expr]) -> Result<()> {
        self.operand(expr)?;
        let ty = expr.ty();
        let is_obvious = |expr: &Expr| {
            matches!(expr, Expr::Column { .. } | Expr::Const { .. } | Expr::Param { .. } | Expr::Caller(_))
        };
        let binary = names::is_text(&ty) && !(is_obvious(expr) && others.iter().all(is_obvious));
        if let Some(collation) = names::collation(&ty).or(binary.then_some("BINARY")) {
            self.push(" COLLATE ");
            self.push(collation);
        }
        Ok(())
    }

    /// A sort key: enums by rank, types without native order by the registered rank of their values.
    pub(super) fn ordered(&mut self, expr: &Expr) -> Result<()> {
        match expr.ty() {
            Type::Enum(declared) => {
                self.push("CASE ");
                self.operand(expr)?;
                for (rank, label) in declared.labels.iter().enumerate() {
                    self.push(" WHEN ");
                    self.literal(&Stored::Text(label.to_string().into()));
                    self.push(" THEN ");
                    self.number(rank);
                }
                self.push(" END");
                Ok(())
            }
            ty if names::native(&ty) => self.native_key(expr),
            ty => self.key(expr, &ty),
        }
    }

    /// A key that is a whole number would be the position of a column; SQLite takes a test of what is never null for one, too.
    fn native_key(&mut self, expr: &Expr) -> Result<()> {
        if matches!(expr, Expr::Form { form: Form::IsNull | Form::IsNotNull, .. }) {
            self.push("(");
            self.collated(expr)?;
            self.push(") + 0");
            return Ok(());
        }
        let start = self.text.len();
        self.collated(expr)?;
        let written = self.text[start..].trim_matches(['(', ')', ' ', '+', '-']);
        if !written.is_empty() && written.bytes().all(|byte| byte.is_ascii_digit()) {
            self.push(" + 0");
        }
        Ok(())
    }

    /// A group key, or what a distinct aggregate looks at: the same for equal values.
    pub(super) fn distinguished(&mut self, expr: &Expr) -> Result<()> {
        let ty = expr.ty();
        if names::native_equality(&ty) { self.native_key(expr) } else { self.key(expr, &ty) }
    }

    fn key(&mut self, expr: &Expr, ty: &Type) -> Result<()> {
        if !types::sort_key::exists(ty) {
            let ty = types::ty::format_type(ty, None);
            return Err(Error::missing(format!("ordering by values of type {ty}")));
        }
        self.special(Special::Key, "", std::slice::from_ref(ty), std::slice::from_ref(expr))
    }

    pub(super) fn operand(&mut self, expr: &Expr) -> Result<()> {
        let atom = matches!(
            expr,
            Expr::Column { .. }
                | Expr::Const { .. }
                | Expr::Param { .. }
                | Expr::Caller(_)
                | Expr::Apply { .. }
        );
        if atom {
            return self.expr(expr);
        }
        self.push("(");
        self.expr(expr)?;
        self.push(")");
        Ok(())
    }

    fn apply(&mut self, function: &Function, args: &[Expr]) -> Result<()> {
        self.calls |= function.around;
        self.push(&function.symbol());
        self.push("(");
        if function.is_polymorphic() {
            let types: Vec<Type> = args.iter().map(Expr::ty).collect();
            self.signature(&types);
            self.push(if args.is_empty() { "" } else { ", " });
        }
        self.list(args, ", ", Writer::expr)?;
        self.push(")");
        Ok(())
    }

    /// A whole row as a JSON object.
    fn record(&mut self, names: &[std::sync::Arc<str>], args: &[Expr]) -> Result<()> {
        if query::eval::is_null_row(args) {
            self.push("null");
            return Ok(());
        }
        let field = |(name, arg): (&std::sync::Arc<str>, &Expr)| query::Output {
            name: name.clone(),
            expr: Expr::null(arg.ty()),
        };
        let fields: Vec<query::Output> = names.iter().zip(args).map(field).collect();
        self.push(Special::JsonRow.name());
        self.push("(");
        self.literal(&Stored::Text(super::read::shape(&fields).into()));
        for arg in args {
            self.push(", ");
            self.expr(arg)?;
        }
        self.push(")");
        Ok(())
    }

    /// Types as a text parameter.
    pub(super) fn signature(&mut self, types: &[Type]) {
        self.words("", types);
    }

    /// A word and types as a text parameter, semicolons between.
    pub(super) fn words(&mut self, word: &str, types: &[Type]) {
        let mut text = word.to_owned();
        for ty in types {
            if !text.is_empty() {
                text.push(';');
            }
            signature::write(&mut text, ty);
        }
        self.literal(&Stored::Text(text.into()));
    }

    fn special(&mut self, special: Special, word: &str, types: &[Type], args: &[Expr]) -> Result<()> {
        self.push(special.name());
        self.push("(");
        self.words(word, types);
        for arg in args {
            self.push(", ");
            self.expr(arg)?;
        }
        self.push(")");
        Ok(())
    }

    fn form(&mut self, form: &Form, args: &[Expr], ty: &Type) -> Result<()> {
        match form {
            Form::Compare(compare) => self.compare(*compare, args),
            Form::And => self.connected(args, " AND ", "true"),
            Form::Or => self.connected(args, " OR ", "false"),
            Form::Not => self.wrapped("(NOT ", args, ")"),
            Form::IsNull => self.wrapped("(", args, " IS NULL)"),
            Form::IsNotNull => self.wrapped("(", args, " IS NOT NULL)"),
            Form::IsBool { value, negated } => {
                let words = match (value, negated) {
                    (true, false) => " IS TRUE)",
                    (true, true) => " IS NOT TRUE)",
                    (false, false) => " IS FALSE)",
                    (false, true) => " IS NOT FALSE)",
                };
                self.wrapped("(", args, words)
            }
            Form::Distinct => self.identity(" IS NOT ", "IFNULL(", ", ?) <> 0", args),
            Form::NotDistinct => self.identity(" IS ", "IFNULL(", ", ?) = 0", args),
            Form::Coalesce if args.len() == 1 => self.operand_of(args, 0),
            Form::Coalesce => {
                self.push("coalesce(");
                self.list(args, ", ", Writer::expr)?;
                self.push(")");
                Ok(())
            }
            Form::NullIf => {
                self.push("CASE WHEN ");
                self.compare(Compare::Eq, args)?;
                self.push(" THEN NULL ELSE ");
                self.operand_of(args, 0)?;
                self.push(" END");
                Ok(())
            }
            Form::Greatest => self.special(Special::Greatest, "", std::slice::from_ref(ty), args),
            Form::Least => self.special(Special::Least, "", std::slice::from_ref(ty), args),
            Form::In => self.in_list(args),
            Form::AnyOf(compare) => self.any_of(*compare, args),
            Form::AllOf(compare) => self.special(Special::AllOf, compare.symbol(), &[first_type(args)], args),
            Form::AnyBy(function) => self.special(Special::AnyBy, &function.symbol(), &types_of(args), args),
            Form::AllBy(function) => self.special(Special::AllBy, &function.symbol(), &types_of(args), args),
            Form::Array if matches!(first_type(args), Type::Array(_)) => {
                self.special(Special::Arrays, "", std::slice::from_ref(ty), args)
            }
            Form::Array => self.special(Special::Array, "", std::slice::from_ref(ty), args),
            Form::Record(names) => self.record(names, args),
            Form::Domain(test) => {
                let mut words = format!("{};{}", names::escaped(&test.name), u8::from(test.not_null));
                test.checks.iter().for_each(|check| words += &format!(";{}", names::escaped(check)));
                self.push(Special::Domain.name());
                self.push("(");
                self.literal(&Stored::Text(words.into()));
                self.push(", ");
                self.list(args, ", ", Writer::expr)?;
                self.push(")");
                Ok(())
            }
            Form::Field(name) => {
                let mut words = String::new();
                signature::write(&mut words, ty);
                self.push(Special::Field.name());
                self.push("(");
                self.literal(&Stored::Text(format!("{words};{}", names::escaped(name)).into()));
                self.push(", ");
                self.list(args, ", ", Writer::expr)?;
                self.push(")");
                Ok(())
            }
            Form::Row => Err(Error::missing("a row value in this place")),
            Form::Native(_) => Err(Error::internal("what only PostgreSQL knows, on another engine")),
        }
    }

    fn operand_of(&mut self, args: &[Expr], position: usize) -> Result<()> {
        args.get(position).map_or(Ok(()), |arg| self.operand(arg))
    }

    fn wrapped(&mut self, before: &str, args: &[Expr], after: &str) -> Result<()> {
        self.push(before);
        self.operand_of(args, 0)?;
        self.push(after);
        Ok(())
    }

    /// An expression where only true counts. SQLite then looks at the operands of `AND` and `OR` from left to right, and no
    /// further than needed, as PostgreSQL does.
    pub(super) fn condition(&mut self, expr: &Expr) -> Result<()> {
        match expr {
            Expr::Form { form: Form::And, args, .. } => {
                self.joined_by(args, " AND ", "true", Writer::condition)
            }
            Expr::Form { form: Form::Or, args, .. } => {
                self.joined_by(args, " OR ", "false", Writer::condition)
            }
            expr => self.expr(expr),
        }
    }

    /// A condition that chooses rows. What stands between its `AND`s is left to SQLite's indexes, as PostgreSQL leaves it to its own.
    pub(super) fn conjunct(&mut self, expr: &Expr) -> Result<()> {
        match expr {
            Expr::Form { form: Form::And, args, .. } => {
                self.joined_by(args, " AND ", "true", Writer::conjunct)
            }
            expr => self.expr(expr),
        }
    }

    /// `AND` and `OR` as values: there SQLite looks at all operands, but not at a subquery that does not matter any more.
    fn connected(&mut self, args: &[Expr], word: &str, none: &str) -> Result<()> {
        if let Some((last, before)) = args.split_last().filter(|(_, before)| !before.is_empty())
            && !self.kept
            && args.iter().skip(1).any(|arg| query::may_raise(arg) && computes_of_group(arg))
        {
            return self.connected_by_case(before, last, word, none);
        }
        let (mut is_first, mut is_last_asked) = (true, false);
        self.joined_by(args, word, none, |writer, arg| {
            let raises = query::may_raise(arg);
            // A text that is kept has no subqueries.
            let guarded = !std::mem::take(&mut is_first) && !writer.kept && (raises || is_last_asked);
            // SQLite asks what has no subquery before what has one.
            is_last_asked |= raises && (guarded || has_subquery(arg));
            writer.push(if guarded { "(SELECT " } else { "" });
            writer.expr(arg)?;
            writer.push(if guarded { ")" } else { "" });
            Ok(())
        })
    }

    /// In a subquery an aggregate would be of the subquery's one row. One side is written twice: the shorter one, so that the text
    /// does not double with each condition within.
    fn connected_by_case(&mut self, before: &[Expr], last: &Expr, word: &str, none: &str) -> Result<()> {
        let (decided, open) = if none == "true" { ("0", "1") } else { ("1", "0") };
        self.push("CASE ");
        self.connected(before, word, none)?;
        self.push(" WHEN ");
        self.push(decided);
        self.push(" THEN ");
        self.push(decided);
        let is_short = nodes(last) <= before.iter().map(nodes).sum();
        if is_short {
            self.push(" WHEN ");
            self.push(open);
            self.push(" THEN ");
            self.operand(last)?;
        }
        self.push(" ELSE ");
        self.operand(last)?;
        self.push(word);
        if is_short {
            self.push("NULL");
        } else {
            self.connected(before, word, none)?;
        }
        self.push(" END");
        Ok(())
    }

    fn joined_by(
        &mut self,
        args: &[Expr],
        word: &str,
        none: &str,
        each: impl FnMut(&mut Self, &Expr) -> Result<()>,
    ) -> Result<()> {
        if args.is_empty() {
            self.push(none);
            return Ok(());
        }
        self.push("(");
        self.list(args, word, each)?;
        self.push(")");
        Ok(())
    }

    fn compare(&mut self, compare: Compare, args: &[Expr]) -> Result<()> {
        let [left, right] = args else { return Err(Error::internal("a comparison has two operands")) };
        let ty = left.ty();
        let equality = matches!(compare, Compare::Eq | Compare::Ne);
        if names::native(&ty) || (equality && names::native_equality(&ty)) {
            self.push("(");
            self.collated_before(left, std::slice::from_ref(right))?;
            self.push(" ");
            self.push(compare.symbol());
            self.push(" ");
            self.operand(right)?;
            self.push(")");
            return Ok(());
        }
        if let Type::Enum(_) = ty {
            self.push("(");
            self.ordered(left)?;
            self.push(" ");
            self.push(compare.symbol());
            self.push(" ");
            self.ordered(right)?;
            self.push(")");
            return Ok(());
        }
        self.push("(");
        self.special(Special::Compare, "", &[ty], args)?;
        self.push(" ");
        self.push(compare.symbol());
        self.push(" 0)");
        Ok(())
    }

    /// `is [not] distinct from`.
    fn identity(&mut self, native: &str, before: &str, after: &str, args: &[Expr]) -> Result<()> {
        let [left, right] = args else { return Err(Error::internal("a comparison has two operands")) };
        let ty = left.ty();
        if names::native_equality(&ty) {
            self.push("(");
            self.collated_before(left, std::slice::from_ref(right))?;
            self.push(native);
            self.operand(right)?;
            self.push(")");
            return Ok(());
        }
        // A null result of the comparison is "not distinct" exactly when both are null.
        self.push("(");
        self.push(before);
        self.special(Special::Compare, "", &[ty], args)?;
        let (head, tail) = after.split_once('?').unwrap_or((after, ""));
        self.push(head);
        self.push("(");
        self.operand(left)?;
        self.push(" IS NOT NULL) <> (");
        self.operand(right)?;
        self.push(" IS NOT NULL)");
        self.push(tail);
        self.push(")");
        Ok(())
    }

    fn in_list(&mut self, args: &[Expr]) -> Result<()> {
        let Some((operand, list)) = args.split_first() else {
            return Err(Error::internal("in needs an operand"));
        };
        // SQLite computes the whole list, PostgreSQL as much as it needs.
        let is_lazy = list.iter().skip(1).any(query::may_raise);
        if is_lazy || !names::native_equality(&operand.ty()) {
            let tests: Vec<Expr> = list.iter().map(|item| operand.clone().equals(item.clone())).collect();
            return self.connected(&tests, " OR ", "false");
        }
        self.push("(");
        self.collated(operand)?;
        self.push(" IN (");
        self.list(list, ", ", Writer::expr)?;
        self.push("))");
        Ok(())
    }

    /// `operand = any (array)` walks the stored array; other comparisons ask the registered function.
    fn any_of(&mut self, compare: Compare, args: &[Expr]) -> Result<()> {
        let [operand, array] = args else { return Err(Error::internal("any has two operands")) };
        let ty = operand.ty();
        // A subquery cannot be given a value of a group or a window.
        let walkable = names::native_equality(&ty)
            && !matches!(ty, Type::Bytea | Type::Array(_))
            && !computes_of_group(array)
            // A text that is kept has no subqueries.
            && !self.kept;
        if compare != Compare::Eq || !walkable {
            return self.special(Special::AnyOf, compare.symbol(), &[ty], args);
        }
        self.push("(");
        self.collated(operand)?;
        self.push(" IN (SELECT value FROM json_each(");
        let is_there = match array {
            Expr::Const { value, .. } => !matches!(value, Value::Null),
            Expr::Form { form, .. } => matches!(form, Form::Array),
            _ => false,
        };
        if is_there {
            self.expr(array)?;
        } else {
            // Of an array that is null nothing is known, where of an empty one it is known that nothing is in it.
            self.push("ifnull(");
            self.expr(array)?;
            self.push(", '[null]')");
        }
        self.push(")))");
        Ok(())
    }

    fn cast(&mut self, expr: &Expr, ty: &Type, modifier: Option<Modifier>, explicit: bool) -> Result<()> {
        let from = expr.ty();
        if modifier.is_none() && types::stored::is_alike(&from, ty) {
            return self.operand(expr);
        }
        let mut words = String::new();
        signature::write(&mut words, &from);
        words.push(';');
        signature::write(&mut words, ty);
        words.push_str(
            match modifier {
                None => ";-".to_owned(),
                Some(Modifier::Length(length)) => format!(";l{length}"),
                Some(Modifier::Precision { precision, scale }) => format!(";p{precision}.{scale}"),
                Some(Modifier::Fraction(digits)) => format!(";f{digits}"),
            }
            .as_str(),
        );
        words.push_str(if explicit { ";e" } else { ";a" });
        self.push(Special::Cast.name());
        self.push("(");
        self.literal(&Stored::Text(words.into()));
        self.push(", ");
        self.expr(expr)?;
        self.push(")");
        Ok(())
    }

    fn case(&mut self, branches: &[(Expr, Expr)], otherwise: Option<&Expr>) -> Result<()> {
        self.push("CASE");
        for (condition, result) in branches {
            self.push(" WHEN ");
            self.condition(condition)?;
            self.push(" THEN ");
            self.expr(result)?;
        }
        if let Some(otherwise) = otherwise {
            self.push(" ELSE ");
            self.expr(otherwise)?;
        }
        self.push(" END");
        Ok(())
    }

    fn subquery(&mut self, subquery: &Subquery) -> Result<()> {
        match subquery {
            Subquery::Exists(read) => {
                self.push("EXISTS (");
                self.read(read, Use::Set)?;
                self.push(")");
                Ok(())
            }
            Subquery::Scalar(read) => self.scalar(read),
            Subquery::Any { operand, compare, read } => self.quantified(operand, *compare, read, true),
            Subquery::All { operand, compare, read } => self.quantified(operand, *compare, read, false),
            Subquery::Nest(nest) => self.nest(nest),
        }
    }

    /// A scalar subquery; unless it can only have one row, a second one is an error as in PostgreSQL.
    fn scalar(&mut self, read: &Read) -> Result<()> {
        let single = matches!(read.from, query::Source::Unit)
            || (read.group.is_empty()
                && read.outputs.iter().any(|output| query::has_aggregate(&output.expr)))
            || matches!(read.limit, Some(Expr::Const { value: Value::Int(0 | 1), .. }));
        self.push("(");
        if single {
            self.read(read, Use::Rows)?;
        } else {
            self.push("SELECT ");
            self.push(Special::SingleRow.name());
            self.push("(c0) FROM (");
            self.read(read, Use::Rows)?;
            self.push(")");
        }
        self.push(")");
        Ok(())
    }

    fn quantified(&mut self, operand: &Expr, compare: Compare, read: &Read, any: bool) -> Result<()> {
        let ty = operand.ty();
        if let Expr::Form { form: Form::Row, args, .. } = operand {
            return self.row_in_rows(args, read, any);
        }
        let word = match (any, compare) {
            (true, Compare::Eq) => " IN (",
            (false, Compare::Ne) => " NOT IN (",
            _ => {
                return Err(Error::missing(format!(
                    "{} {} (subquery)",
                    compare.symbol(),
                    if any { "ANY" } else { "ALL" }
                )));
            }
        };
        if !names::native_equality(&ty) {
            return Err(Error::missing(format!(
                "IN (subquery) over type {}",
                types::ty::format_type(&ty, None)
            )));
        }
        self.push("(");
        self.collated(operand)?;
        self.push(word);
        self.read(read, Use::Set)?;
        self.push("))");
        Ok(())
    }

    /// `(a, b) IN (SELECT …)`
    fn row_in_rows(&mut self, fields: &[Expr], read: &Read, any: bool) -> Result<()> {
        if let Some(odd) = fields.iter().map(Expr::ty).find(|ty| !names::native_equality(ty)) {
            let ty = types::ty::format_type(&odd, None);
            return Err(Error::missing(format!("IN (subquery) over type {ty}")));
        }
        self.push("((");
        self.list(fields, ", ", Writer::collated)?;
        self.push(if any { ") IN (" } else { ") NOT IN (" });
        self.read(read, Use::Set)?;
        self.push("))");
        Ok(())
    }

    /// SQLite's `DISTINCT` takes one argument and knows no types: ours looks at the rows itself, which come in order or are sorted.
    fn distinct_aggregate(&mut self, aggregate: &Aggregate, args: &[Expr], order: &[Order]) -> Result<()> {
        if let Some(odd) = args.iter().map(Expr::ty).find(|ty| !has_equality(ty)) {
            let ty = types::ty::format_type(&odd, None);
            let message = format!("could not identify an equality operator for type {ty}");
            return Err(Error::new(types::Code::UNDEFINED_FUNCTION, message));
        }
        self.push(&aggregate.distinct_symbol());
        self.push(if order.is_empty() { "('sorted', " } else { "('ordered', " });
        Ok(())
    }

    fn aggregate(
        &mut self,
        aggregate: &Aggregate,
        args: &[Expr],
        distinct: bool,
        filter: Option<&Expr>,
        order: &[Order],
    ) -> Result<()> {
        if aggregate.name == "count" {
            self.push(if distinct { "count(DISTINCT " } else { "count(" });
            match args.first() {
                Some(arg) if distinct => self.distinguished(arg)?,
                Some(arg) => self.expr(arg)?,
                None => self.push("*"),
            }
        } else {
            if distinct {
                self.distinct_aggregate(aggregate, args, order)?;
            } else {
                self.push(&aggregate.symbol());
                self.push("(");
            }
            if aggregate.is_polymorphic() {
                self.signature(&types_of(args));
                self.push(", ");
            }
            self.list(args, ", ", Writer::collated)?;
        }
        if !order.is_empty() {
            self.push(" ORDER BY ");
            self.list(order, ", ", Writer::order_key)?;
        }
        self.push(")");
        let parts = || args.iter().chain(filter).chain(order.iter().map(|key| &key.expr));
        let is_far = self.is_far(parts());
        if is_far || filter.is_some() {
            self.push(" FILTER (WHERE ");
            if is_far {
                self.near_row()?;
            }
            self.push(if is_far && filter.is_some() { " AND " } else { "" });
            filter.map_or(Ok(()), |filter| self.condition(filter))?;
            self.push(")");
        }
        Ok(())
    }

    /// Whether an aggregate looks at rows of reads around its own alone: a parameter of an inlined function may be one.
    fn is_far<'e>(&self, parts: impl Iterator<Item = &'e Expr>) -> bool {
        let (mut is_near, mut is_far) = (false, false);
        for part in parts {
            query::visit::deep(part, &mut |expr| {
                if let Expr::Column { source, .. } = expr {
                    let near = self.near.contains(source);
                    is_near |= near;
                    is_far |= !near;
                }
            });
        }
        is_far && !is_near
    }

    /// True, of any row of the read that is written: SQLite takes an aggregate for one of the read whose rows it names.
    fn near_row(&mut self) -> Result<()> {
        let is_of_table = |id: &&SourceId| matches!(self.sources.get(id), Some(Columns::OfTable(_)));
        let table = self.near.iter().find(is_of_table).copied();
        let Some(id) = table.or_else(|| self.near.first().copied()) else {
            return Err(Error::missing("an aggregate of a single row that is of another query"));
        };
        let column = if table.is_some() { query::ROW_KEY } else { ColumnId(0) };
        self.push("typeof(");
        self.column(id, column, &Type::Int8)?;
        self.push(") <> ''");
        Ok(())
    }
}

/// Whether a value is one of a group or a window of rows.
fn computes_of_group(expr: &Expr) -> bool {
    query::has_aggregate(expr) || query::visit::has_window(expr)
}

/// How much an expression is, subqueries excepted.
fn nodes(expr: &Expr) -> usize {
    let mut nodes = 0;
    query::visit::deep(expr, &mut |_| nodes += 1);
    nodes
}

fn has_subquery(expr: &Expr) -> bool {
    let mut is_found = false;
    query::visit::each_subquery(expr, &mut |_| is_found = true);
    is_found
}

/// Whether values of a type can be told apart.
fn has_equality(ty: &Type) -> bool {
    !matches!(ty, Type::Json | Type::Composite(_) | Type::Opaque(_))
}

fn first_type(args: &[Expr]) -> Type {
    args.first().map_or(Type::Unknown, Expr::ty)
}

fn types_of(args: &[Expr]) -> Vec<Type> {
    args.iter().map(Expr::ty).collect()
}
