//! Names of variables in statements: each use is a parameter.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use catalog::TableId;
use query::resolve::{Columns, NameConflict, NamedRows, Temporary, Variables};
use query::{Expr, Form, Transition};
use types::{Code, Error, Result, Type, Value};

use crate::environment::{Environment, Kind, Shape, TransitionTable};
use crate::host::Host;

/// What a parameter of a statement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Use {
    /// The variable.
    pub(crate) slot: usize,
    /// The field of it.
    pub(crate) field: Option<usize>,
}

/// The variables as a statement sees them.
pub(crate) struct Names<'a> {
    environment: &'a Environment,
    host: &'a dyn Host,
    conflict: NameConflict,
    uses: RefCell<Vec<Use>>,
    shapes: RefCell<Vec<(usize, Option<Shape>)>>,
    nulls: RefCell<Vec<(usize, bool)>>,
    names_transition: Cell<bool>,
    temporaries: RefCell<Vec<Arc<str>>>,
    is_of_moment: Cell<bool>,
}

/// The values of a statement's parameters, and of which shapes the rows were that they are taken from.
#[derive(Debug, Default)]
pub(crate) struct Used {
    uses: Vec<Use>,
    shapes: Vec<(usize, Option<Shape>)>,
    /// Which rows stood as a whole, and whether they were null.
    nulls: Vec<(usize, bool)>,
    /// The transition tables, where one is named.
    transitions: Option<Arc<[TransitionTable]>>,
    /// The temporary tables that are named: what they held is a part of the plan.
    pub(crate) temporaries: Vec<Arc<str>>,
    /// Whether the temporary tables that there were are a part of the plan.
    is_of_moment: bool,
}

impl Used {
    /// Whether the rows still have the same fields.
    pub(crate) fn fits(&self, environment: &Environment) -> bool {
        let is_so = |(slot, is_null): &(usize, bool)| {
            environment.get(*slot).is_ok_and(|variable| variable.is_null_row() == *is_null)
        };
        if !self.nulls.iter().all(is_so) {
            return false;
        }
        let is_fired_so = |known: &Arc<[TransitionTable]>| *known == environment.transitions;
        self.transitions.as_ref().is_none_or(is_fired_so)
            && self.shapes.iter().all(|(slot, shape)| {
                environment.get(*slot).is_ok_and(|variable| match (variable.shape(), shape) {
                    (Some(found), Some(shape)) => Arc::ptr_eq(found, shape) || found == shape,
                    (None, None) => true,
                    (Some(_), None) | (None, Some(_)) => false,
                })
            })
    }

    /// Whether what is planned is not so any more the next time.
    pub(crate) fn is_of_moment(&self) -> bool {
        self.is_of_moment || !self.temporaries.is_empty()
    }

    /// The variables, and the fields of them, in the order in which they are named first.
    pub(crate) fn named(&self) -> impl Iterator<Item = (usize, Option<usize>)> {
        self.uses.iter().map(|used| (used.slot, used.field))
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.uses.is_empty()
    }

    /// The values.
    pub(crate) fn values(&self, environment: &Environment) -> Result<Vec<Value>> {
        let value = |used: &Use| {
            let variable = environment.get(used.slot)?;
            Ok(match used.field {
                None => variable.value(),
                Some(at) => variable.field(at),
            })
        };
        self.uses.iter().map(value).collect()
    }
}

impl<'a> Names<'a> {
    pub(crate) fn new(environment: &'a Environment, conflict: NameConflict, host: &'a dyn Host) -> Names<'a> {
        Names {
            environment,
            host,
            conflict,
            uses: RefCell::default(),
            shapes: RefCell::default(),
            nulls: RefCell::default(),
            names_transition: Cell::default(),
            temporaries: RefCell::default(),
            is_of_moment: Cell::new(false),
        }
    }

    pub(crate) fn used(self) -> Used {
        let transitions = self.names_transition.get().then(|| self.environment.transitions.clone());
        Used {
            uses: self.uses.into_inner(),
            shapes: self.shapes.into_inner(),
            nulls: self.nulls.into_inner(),
            transitions,
            temporaries: self.temporaries.into_inner(),
            is_of_moment: self.is_of_moment.get(),
        }
    }

    fn parameter(&self, slot: usize, field: Option<usize>, ty: Type) -> Expr {
        let mut uses = self.uses.borrow_mut();
        let wanted = Use { slot, field };
        let known = uses.iter().position(|used| *used == wanted);
        let index = known.unwrap_or_else(|| {
            uses.push(wanted);
            uses.len() - 1
        });
        Expr::Param { index, ty }
    }

    /// A whole variable.
    fn whole(&self, slot: usize) -> Result<Expr> {
        let variable = self.environment.get(slot)?;
        match &variable.kind {
            Kind::Scalar { ty, .. } => Ok(self.parameter(slot, None, ty.clone())),
            Kind::Cursor { .. } => Ok(self.parameter(slot, None, Type::Text)),
            Kind::Record | Kind::Row { .. } => {
                let shape = self.shape(slot)?;
                let is_null = variable.is_null_row();
                self.nulls.borrow_mut().push((slot, is_null));
                let field = |(at, field): (usize, &types::Field)| {
                    // A row that is null is one of constants: as a value it is null, and not a row of nulls.
                    if is_null {
                        Expr::null(field.ty.clone())
                    } else {
                        self.parameter(slot, Some(at), field.ty.clone())
                    }
                };
                let args = shape.iter().enumerate().map(field).collect();
                let names = shape.iter().map(|field| field.name.clone()).collect();
                Ok(Expr::Form { form: Form::Record(names), args, ty: variable.ty() })
            }
        }
    }

    fn shape(&self, slot: usize) -> Result<Shape> {
        let variable = self.environment.get(slot)?;
        let mut shapes = self.shapes.borrow_mut();
        if !shapes.iter().any(|(known, _)| *known == slot) {
            shapes.push((slot, variable.shape().cloned()));
        }
        variable.shape().cloned().ok_or_else(|| unassigned(&variable.name))
    }

    fn field(&self, slot: usize, field: &str, is_needed: bool) -> Result<Option<Expr>> {
        let variable = self.environment.get(slot)?;
        if matches!(variable.kind, Kind::Scalar { .. } | Kind::Cursor { .. }) {
            return Ok(None);
        }
        let shape = self.shape(slot)?;
        match shape.iter().position(|known| *known.name == *field) {
            Some(at) => Ok(Some(self.parameter(slot, Some(at), shape[at].ty.clone()))),
            None if is_needed => Err(no_field(&variable.name, field)),
            None => Ok(None),
        }
    }
}

impl Variables for Names<'_> {
    fn named(&self, parts: &[String], is_needed: bool) -> Result<Option<Expr>> {
        let Some(found) = self.environment.find(parts) else { return Ok(None) };
        match &parts[found.parts..] {
            [] => self.whole(found.slot).map(Some),
            [field] => self.field(found.slot, field, is_needed),
            _ => Ok(None),
        }
    }

    fn columns(&self, name: &str) -> Result<Option<Columns>> {
        let Some(found) = self.environment.find(&[name.to_owned()]) else { return Ok(None) };
        match self.whole(found.slot)? {
            Expr::Form { form: Form::Record(names), args, .. } => {
                Ok(Some(names.iter().cloned().zip(args).collect()))
            }
            _ => Ok(None),
        }
    }

    fn positional(&self, index: usize) -> Option<Expr> {
        let slot = *self.environment.positional.get(index)?;
        self.whole(slot).ok()
    }

    fn conflict(&self) -> NameConflict {
        self.conflict
    }

    fn transition(&self, name: &str) -> Option<(TableId, Transition)> {
        let found = self.environment.transitions.iter().find(|known| *known.name == *name)?;
        self.names_transition.set(true);
        Some((found.table, found.rows))
    }

    fn temporary(&self, name: &str) -> Result<Option<Arc<NamedRows>>> {
        let found = self.host.temporaries().rows(name, self.host)?;
        if found.is_some() {
            self.temporaries.borrow_mut().push(name.into());
        }
        Ok(found)
    }

    fn temporaries(&self) -> Vec<Temporary> {
        let all = self.host.temporaries().all();
        self.is_of_moment.set(self.is_of_moment.get() || !all.is_empty());
        all
    }
}

pub(crate) fn unassigned(name: &str) -> Error {
    Error::new(Code::OBJECT_STATE, format!("record \"{name}\" is not assigned yet"))
        .with_details("The tuple structure of a not-yet-assigned record is indeterminate.")
}

pub(crate) fn no_field(name: &str, field: &str) -> Error {
    Error::new(Code::UNDEFINED_COLUMN, format!("record \"{name}\" has no field \"{field}\""))
}
