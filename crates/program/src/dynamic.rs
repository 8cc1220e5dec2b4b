//! Statements of a text that is made when the function runs: they see their parameters and nothing of the function.

use std::sync::Arc;

use query::Query;
use query::resolve::{NameConflict, Surroundings};
use types::{Result, Type, Value};

use crate::environment::{Environment, Variable};
use crate::host::Host;
use crate::plans::{Planned, Wanted, resolved};

/// The parameters of such a statement.
pub(crate) struct Arguments {
    environment: Environment,
}

impl Arguments {
    /// None yet, for a statement of a function with these variables: it sees the transition tables alone.
    pub(crate) fn within(environment: &Environment) -> Arguments {
        let mut own = Environment::default();
        own.transitions = environment.transitions.clone();
        Arguments { environment: own }
    }

    /// One more.
    pub(crate) fn add(&mut self, value: Value, ty: Type) {
        let ty = if ty == Type::Unknown { Type::Text } else { ty };
        // The name is one that nobody can write.
        let slot = self.environment.declare(Variable::scalar("", ty, value));
        self.environment.positional.push(slot);
    }

    /// A statement, planned for them.
    pub(crate) fn planned(
        &self,
        path: &[Arc<str>],
        host: &dyn Host,
        resolve: impl FnOnce(&Surroundings<'_>) -> Result<Query>,
    ) -> Result<Planned> {
        let conflict = NameConflict::Refused;
        resolved(Wanted { path, conflict, environment: &self.environment, host }, resolve)
    }

    /// Their types.
    pub(crate) fn types(&self) -> Vec<Type> {
        let of = |slot: &usize| self.environment.get(*slot).map_or(Type::Unknown, Variable::ty);
        self.environment.positional.iter().map(of).collect()
    }

    /// Whether nothing but they decides what a statement means.
    pub(crate) fn are_all(&self) -> bool {
        self.environment.transitions.is_empty()
    }

    /// Where they are.
    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }
}
