//! The table of functions, registered: each row under its symbol, computed by the same evaluation as in memory.
//!
//! A polymorphic row takes the types of its arguments as a text before them.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;

use query::functions::{self, Aggregate, Function, State, Volatility};
use rusqlite::Connection;
use rusqlite::functions::{Aggregate as Registered, Context as Arguments, FunctionFlags, WindowAggregate};
use rusqlite::types::Value as Owned;
use types::{Error, Result, Type, Value};

use super::errors::carried;
use super::frames;
use super::sets;
use super::surroundings::{self, Surroundings, answer, argument};

/// Text is UTF-8, and a schema may use the function.
pub(super) const FLAGS: FunctionFlags = FunctionFlags::SQLITE_UTF8.union(FunctionFlags::SQLITE_INNOCUOUS);

pub(super) fn register(connection: &Connection, surroundings: &Surroundings) -> rusqlite::Result<()> {
    for function in functions::all() {
        scalar(connection, function, surroundings.clone())?;
    }
    for aggregate in functions::aggregates() {
        let count = aggregate.arguments.len() + usize::from(aggregate.is_polymorphic());
        let count = i32::try_from(count).unwrap_or(-1);
        let registered = || Row { aggregate, surroundings: surroundings.clone() };
        connection.create_window_function(aggregate.symbol().as_str(), count, FLAGS, registered())?;
        let distinct = Distinct(registered());
        let wider = if count < 0 { count } else { count + 1 };
        connection.create_aggregate_function(aggregate.distinct_symbol().as_str(), wider, FLAGS, distinct)?;
        let moving = Moving(registered());
        connection.create_window_function(aggregate.moving_symbol().as_str(), count, FLAGS, moving)?;
    }
    frames::register(connection, surroundings)?;
    sets::register(connection, surroundings)
}

fn scalar(
    connection: &Connection,
    function: &'static Function,
    surroundings: Surroundings,
) -> rusqlite::Result<()> {
    let is_fixed = !function.variadic && function.optional == 0;
    let count = function.arguments.len() + usize::from(function.is_polymorphic());
    let count = if is_fixed { i32::try_from(count).unwrap_or(-1) } else { -1 };
    // A setting may change between two rows: `set_config` is a function, too.
    let is_steady = function.volatility != Volatility::Volatile && function.name != "current_setting";
    let flags = if is_steady { FLAGS.union(FunctionFlags::SQLITE_DETERMINISTIC) } else { FLAGS };
    let fixed: Option<Types> =
        (is_fixed && !function.is_polymorphic()).then(|| declared(function, count)).flatten();
    connection.create_scalar_function(function.symbol().as_str(), count, flags, move |arguments| match &fixed
    {
        Some(types) => call(function, &surroundings, arguments, types, 0),
        None if function.is_polymorphic() => {
            let types = surroundings::words(arguments, |text| polymorphic(function, text))?;
            call(function, &surroundings, arguments, &types, 1)
        }
        None => {
            let count = i32::try_from(arguments.len()).unwrap_or(0);
            let types =
                declared(function, count).ok_or_else(|| carried(&Error::internal(function.symbol())))?;
            call(function, &surroundings, arguments, &types, 0)
        }
    })
}

/// The types of a call's arguments and of its result.
struct Types {
    arguments: Vec<Type>,
    result: Type,
}

fn declared(function: &Function, count: i32) -> Option<Types> {
    let count = usize::try_from(count).ok()?;
    let arguments: Vec<Type> =
        (0..count).map(|position| function.argument(position)?.to_type()).collect::<Option<_>>()?;
    let result = function.result_type(&arguments)?;
    Some(Types { arguments, result })
}

fn polymorphic(function: &Function, text: &str) -> Option<Types> {
    let arguments = if text.is_empty() { Vec::new() } else { surroundings::types(text)? };
    let result = function.result_type(&arguments)?;
    Some(Types { arguments, result })
}

fn call(
    function: &'static Function,
    surroundings: &Surroundings,
    arguments: &Arguments<'_>,
    types: &Types,
    skip: usize,
) -> rusqlite::Result<Owned> {
    let values: Result<Vec<Value>> = types
        .arguments
        .iter()
        .enumerate()
        .map(|(position, ty)| argument(arguments, position + skip, ty))
        .collect();
    let outcome = values.and_then(|values| {
        surroundings.evaluate(&types.arguments, |context| function.call(context, &values))
    });
    answer(&types.result, outcome)
}

/// A registered aggregate.
struct Row {
    aggregate: &'static Aggregate,
    surroundings: Surroundings,
}

/// A group under way.
struct Group {
    state: Box<dyn State>,
    types: Vec<Type>,
}

impl Row {
    fn begin(&self, arguments: Option<&Arguments<'_>>) -> Option<Group> {
        let types = match arguments {
            Some(arguments) if self.aggregate.is_polymorphic() => {
                surroundings::types(arguments.get_raw(0).as_str().ok()?)?
            }
            None if self.aggregate.is_polymorphic() => vec![Type::Text; self.aggregate.arguments.len()],
            _ => self.aggregate.arguments.iter().map(|ty| ty.to_type()).collect::<Option<_>>()?,
        };
        Some(Group { state: (self.aggregate.init)(), types })
    }

    fn values(&self, arguments: &Arguments<'_>, group: &Group) -> Result<Vec<Value>> {
        let skip = usize::from(self.aggregate.is_polymorphic());
        let types = group.types.iter().enumerate();
        types.map(|(position, ty)| argument(arguments, position + skip, ty)).collect()
    }

    /// What a group says so far.
    fn answer(&self, types: &[Type], mut state: Box<dyn State>) -> rusqlite::Result<Owned> {
        let result = self.aggregate.result_type(types).unwrap_or(Type::Text);
        answer(&result, self.surroundings.evaluate(types, |context| state.finish(context)))
    }

    fn take(&self, arguments: &Arguments<'_>, group: &mut Group) -> Result<()> {
        let values = self.values(arguments, group)?;
        let state = group.state.as_mut();
        self.surroundings.evaluate(&group.types, |context| self.aggregate.step(state, context, &values))
    }
}

impl Registered<AssertUnwindSafe<Group>, Owned> for Row {
    fn init(&self, arguments: &mut Arguments<'_>) -> rusqlite::Result<AssertUnwindSafe<Group>> {
        let group = self.begin(Some(arguments));
        group.map(AssertUnwindSafe).ok_or_else(|| carried(&Error::internal(self.aggregate.symbol())))
    }

    fn step(
        &self,
        arguments: &mut Arguments<'_>,
        group: &mut AssertUnwindSafe<Group>,
    ) -> rusqlite::Result<()> {
        self.take(arguments, group).map_err(|error| carried(&error))
    }

    fn finalize(
        &self,
        _: &mut Arguments<'_>,
        group: Option<AssertUnwindSafe<Group>>,
    ) -> rusqlite::Result<Owned> {
        let group = group.map(|group| group.0).or_else(|| self.begin(None));
        let Some(group) = group else { return Err(carried(&Error::internal(self.aggregate.symbol()))) };
        self.answer(&group.types, group.state)
    }
}

impl WindowAggregate<AssertUnwindSafe<Group>, Owned> for Row {
    fn value(&self, group: Option<&mut AssertUnwindSafe<Group>>) -> rusqlite::Result<Owned> {
        match group {
            Some(group) => self.answer(&group.types, group.state.copy()),
            None => self.finalize_nothing(),
        }
    }

    fn inverse(&self, _: &mut Arguments<'_>, _: &mut AssertUnwindSafe<Group>) -> rusqlite::Result<()> {
        Err(carried(&Error::internal("a row left a frame that only grows")))
    }
}

impl Row {
    fn finalize_nothing(&self) -> rusqlite::Result<Owned> {
        let group = self.begin(None);
        let Some(group) = group else { return Err(carried(&Error::internal(self.aggregate.symbol()))) };
        self.answer(&group.types, group.state)
    }
}

/// An aggregate over rows that differ.
struct Distinct(Row);

/// The rows so far, and whether they come in an order.
struct Differing {
    types: Vec<Type>,
    rows: Vec<Vec<Value>>,
    ordered: bool,
}

impl Registered<AssertUnwindSafe<Differing>, Owned> for Distinct {
    fn init(&self, arguments: &mut Arguments<'_>) -> rusqlite::Result<AssertUnwindSafe<Differing>> {
        let ordered = arguments.get_raw(0).as_str().is_ok_and(|word| word == "ordered");
        let types = if self.0.aggregate.is_polymorphic() {
            arguments.get_raw(1).as_str().ok().and_then(surroundings::types)
        } else {
            self.0.begin(None).map(|group| group.types)
        };
        let types = types.ok_or_else(|| carried(&Error::internal(self.0.aggregate.symbol())))?;
        Ok(AssertUnwindSafe(Differing { types, rows: Vec::new(), ordered }))
    }

    fn step(
        &self,
        arguments: &mut Arguments<'_>,
        found: &mut AssertUnwindSafe<Differing>,
    ) -> rusqlite::Result<()> {
        let skip = 1 + usize::from(self.0.aggregate.is_polymorphic());
        let types = found.types.iter().enumerate();
        let row =
            types.map(|(position, ty)| argument(arguments, position + skip, ty)).collect::<Result<Vec<_>>>();
        let row = row.map_err(|error| carried(&error))?;
        found.rows.push(row);
        Ok(())
    }

    fn finalize(
        &self,
        _: &mut Arguments<'_>,
        found: Option<AssertUnwindSafe<Differing>>,
    ) -> rusqlite::Result<Owned> {
        let Some(AssertUnwindSafe(Differing { types, mut rows, ordered })) = found else {
            return self.0.finalize_nothing();
        };
        let order = |left: &Vec<Value>, right: &Vec<Value>| {
            let fields = types.iter().zip(left.iter().zip(right));
            fields
                .map(|(ty, (left, right))| nulls_last(ty, left, right))
                .find(|order| order.is_ne())
                .unwrap_or(Ordering::Equal)
        };
        if !ordered {
            rows.sort_by(order);
        }
        // Equal rows stand together, as the order is one of the arguments.
        rows.dedup_by(|later, earlier| order(later, earlier).is_eq());
        let frame = InFrame { types, rows: rows.into() };
        Moving(Row { aggregate: self.0.aggregate, surroundings: self.0.surroundings.clone() }).answer(&frame)
    }
}

fn nulls_last(ty: &Type, left: &Value, right: &Value) -> Ordering {
    match (left.is_null(), right.is_null()) {
        (false, false) => types::compare::compare(ty, left, right),
        (left, right) => left.cmp(&right),
    }
}

/// An aggregate over frames that rows leave again: it is computed anew of the rows that are in.
struct Moving(Row);

/// The rows of a frame.
struct InFrame {
    types: Vec<Type>,
    rows: VecDeque<Vec<Value>>,
}

impl Moving {
    fn answer(&self, frame: &InFrame) -> rusqlite::Result<Owned> {
        let mut state = (self.0.aggregate.init)();
        let taken = self.0.surroundings.evaluate(&frame.types, |context| {
            frame.rows.iter().try_for_each(|row| self.0.aggregate.step(state.as_mut(), context, row))
        });
        taken.map_err(|error| carried(&error))?;
        self.0.answer(&frame.types, state)
    }
}

impl Registered<AssertUnwindSafe<InFrame>, Owned> for Moving {
    fn init(&self, arguments: &mut Arguments<'_>) -> rusqlite::Result<AssertUnwindSafe<InFrame>> {
        let group = self.0.begin(Some(arguments));
        let group = group.ok_or_else(|| carried(&Error::internal(self.0.aggregate.symbol())))?;
        Ok(AssertUnwindSafe(InFrame { types: group.types, rows: VecDeque::new() }))
    }

    fn step(
        &self,
        arguments: &mut Arguments<'_>,
        frame: &mut AssertUnwindSafe<InFrame>,
    ) -> rusqlite::Result<()> {
        let group = Group { state: (self.0.aggregate.init)(), types: frame.types.clone() };
        let values = self.0.values(arguments, &group).map_err(|error| carried(&error))?;
        frame.rows.push_back(values);
        Ok(())
    }

    fn finalize(
        &self,
        _: &mut Arguments<'_>,
        frame: Option<AssertUnwindSafe<InFrame>>,
    ) -> rusqlite::Result<Owned> {
        frame.map_or_else(|| self.0.finalize_nothing(), |frame| self.answer(&frame.0))
    }
}

impl WindowAggregate<AssertUnwindSafe<InFrame>, Owned> for Moving {
    fn value(&self, frame: Option<&mut AssertUnwindSafe<InFrame>>) -> rusqlite::Result<Owned> {
        frame.map_or_else(|| self.0.finalize_nothing(), |frame| self.answer(&frame.0))
    }

    fn inverse(&self, _: &mut Arguments<'_>, frame: &mut AssertUnwindSafe<InFrame>) -> rusqlite::Result<()> {
        frame.0.rows.pop_front();
        Ok(())
    }
}
