//! Forms: what is computed of operands and is not a function call.

use std::sync::Arc;

use types::{Code, Error, Name, Named};

use super::Compare;
use crate::functions::Function;

/// Forms whose evaluation is not a function call: null-aware, lazy, or generic over types.
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    /// Comparison of two operands of one type; null if either is null.
    Compare(Compare),
    /// `and` over all operands, three-valued.
    And,
    /// `or` over all operands, three-valued.
    Or,
    /// `not`
    Not,
    /// `is null`
    IsNull,
    /// `is not null`
    IsNotNull,
    /// `is [not] true`, `is [not] false`
    IsBool {
        /// `true` or `false`.
        value: bool,
        /// `not`
        negated: bool,
    },
    /// `is distinct from`
    Distinct,
    /// `is not distinct from`
    NotDistinct,
    /// `coalesce`
    Coalesce,
    /// `nullif(a, b)`
    NullIf,
    /// `greatest`
    Greatest,
    /// `least`
    Least,
    /// First operand equal to any of the others (all of one type).
    In,
    /// `operand op any (array)`
    AnyOf(Compare),
    /// `operand op all (array)`
    AllOf(Compare),
    /// Any of the array's elements makes the function true: `operand op any (array)` for operators that are functions.
    AnyBy(&'static Function),
    /// All of the array's elements make the function true.
    AllBy(&'static Function),
    /// `array[…]`
    Array,
    /// `row(…)`, or a whole row of a source as its columns.
    Row,
    /// A whole row under the names of its columns, as a value: it is kept as a JSON object.
    Record(Arc<[Arc<str>]>),
    /// A field of such a row.
    Field(Arc<str>),
    /// A value of a domain: the first operand, of which the others must not be false.
    Domain(Arc<DomainTest>),
    /// What only an engine that is PostgreSQL itself knows.
    Native(Native),
}

/// What is known of a form, whatever its operands are.
struct Nature {
    /// Whether it can raise an error of its own.
    raises: bool,
    /// Whether all operands are computed, whatever they say.
    computes_all: bool,
}

impl Form {
    /// Whether it can raise an error: it must not be computed of rows that the caller may not see.
    pub fn raises(&self) -> bool {
        self.nature().raises
    }

    /// Whether all of its operands are computed, whatever they say.
    pub fn computes_all(&self) -> bool {
        self.nature().computes_all
    }

    /// Every form is looked at: one that is forgotten would be computed of rows that the caller may not see.
    fn nature(&self) -> Nature {
        match self {
            Form::AnyBy(function) | Form::AllBy(function) => {
                Nature { raises: !function.leakproof, computes_all: false }
            }
            Form::Array | Form::Row | Form::Record(_) | Form::Field(_) => {
                Nature { raises: true, computes_all: true }
            }
            Form::Domain(_) | Form::Native(_) => Nature { raises: true, computes_all: false },
            Form::Compare(_)
            | Form::Not
            | Form::IsNull
            | Form::IsNotNull
            | Form::IsBool { .. }
            | Form::Distinct
            | Form::NotDistinct => Nature { raises: false, computes_all: true },
            Form::And
            | Form::Or
            | Form::Coalesce
            | Form::NullIf
            | Form::Greatest
            | Form::Least
            | Form::In
            | Form::AnyOf(_)
            | Form::AllOf(_) => Nature { raises: false, computes_all: false },
        }
    }
}

/// What PostgreSQL resolves itself: nothing is known here of the types that it takes.
#[derive(Clone, Debug, PartialEq)]
pub enum Native {
    /// A function of one argument.
    Function(Name),
    /// An operator between two operands.
    Operator(Arc<str>),
}

/// What a domain says of a value that it refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainTest {
    /// The domain.
    pub name: Arc<str>,
    /// Whether it takes no null.
    pub not_null: bool,
    /// The names of its constraints, one for each condition.
    pub checks: Vec<Arc<str>>,
}

impl DomainTest {
    /// Refuses a value for which conditions are false.
    ///
    /// # Errors
    /// `23502` for a null, `23514` for the first condition that is false.
    pub fn hold(&self, is_null: bool, is_false: impl IntoIterator<Item = bool>) -> Result<(), Error> {
        if is_null && self.not_null {
            let message = format!("domain {} does not allow null values", self.name);
            return Err(Error::new(Code::NOT_NULL_VIOLATION, message).naming(Named::Type, &*self.name));
        }
        match self.checks.iter().zip(is_false).find(|(_, is_false)| *is_false) {
            Some((check, _)) => {
                let message = format!("value for domain {} violates check constraint \"{check}\"", self.name);
                let error = Error::new(Code::CHECK_VIOLATION, message).naming(Named::Type, &*self.name);
                Err(error.naming(Named::Constraint, &**check))
            }
            None => Ok(()),
        }
    }
}
