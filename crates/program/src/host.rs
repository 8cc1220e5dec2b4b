//! What a program needs of the transaction that it runs in.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use query::{Authorized, Caller, Expr, Model, Plan, Truncation};
use sql::ast::ObjectName;
use sql::body::Level;
use types::session::Session;
use types::{Error, Limits, Result, Value};

use crate::account::{Account, Held};
use crate::context::Stack;
use crate::plans::Programs;
use crate::temporaries::Temporaries;

/// A boxed future that can move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a statement did.
#[derive(Debug, Default)]
pub struct Done {
    /// Its rows.
    pub rows: Vec<Vec<Value>>,
    /// How many rows it changed.
    pub affected: u64,
    /// What its rows hold of memory.
    pub held: Held,
}

/// What `raise` says without raising an error.
#[derive(Clone, Debug)]
pub struct Notice {
    /// How serious it is.
    pub level: Level,
    /// What is said.
    pub message: String,
}

/// A transaction in which programs run.
pub trait Host: Send {
    /// What is declared.
    fn model(&self) -> &Arc<Model>;

    /// The bodies that were read, with what was planned of them.
    fn programs(&self) -> &Arc<Programs>;

    /// How often something was declared since it began: what was planned before looks at what is no longer so.
    fn declarations(&self) -> u64 {
        0
    }

    /// The limits in force.
    fn limits(&self) -> &Limits;

    /// What all functions together hold of memory.
    fn account(&self) -> &Arc<Account>;

    /// What functions are under way.
    fn stack(&self) -> &Stack;

    /// The temporary tables that functions made.
    fn temporaries(&self) -> &Temporaries;

    /// Who asks.
    fn caller(&self) -> &Caller;

    /// Puts another role in force, and says which it was.
    fn exchange_role(&mut self, role: Arc<str>) -> Arc<str>;

    /// Time zone, time and settings.
    fn session(&self) -> &Session;

    /// Puts another session in force, and says which it was.
    fn exchange_session(&mut self, session: Session) -> Session;

    /// Where names are looked for by functions that do not say it.
    fn path(&self) -> &Arc<[Arc<str>]>;

    /// Puts another path in force, and says which it was.
    fn exchange_path(&mut self, path: Arc<[Arc<str>]>) -> Arc<[Arc<str>]>;

    /// Whether the transaction may change nothing.
    fn is_read_only(&self) -> bool;

    /// Goes one call deeper.
    ///
    /// # Errors
    /// `54001` beyond the limit.
    fn enter(&mut self) -> Result<()>;

    /// Comes back from it.
    fn leave(&mut self);

    /// Computes an expression that needs no table.
    ///
    /// # Errors
    /// What it raises.
    fn compute(&self, expr: &Expr, parameters: &[Value]) -> Result<Value>;

    /// Runs a plan with parameters.
    fn run<'a>(&'a mut self, plan: &'a Plan, parameters: &'a [Value]) -> BoxFuture<'a, Result<Done>>;

    /// Takes a statement about the schema; says whether it did. While a schema is read blocks declare; functions do not.
    ///
    /// # Errors
    /// What the declaration is refused for.
    fn declare(&mut self, _: &sql::ast::StatementKind) -> Result<bool> {
        Ok(false)
    }

    /// Empties tables; nowhere but where something happens.
    fn truncate<'a>(&'a mut self, _truncation: &'a Authorized<Truncation>) -> BoxFuture<'a, Result<()>> {
        let error = Error::internal("tables were to be emptied in a transaction in which nothing happens");
        Box::pin(std::future::ready(Err(error)))
    }

    /// Has constraints wait for the end of the transaction, or no longer; without names all of them.
    fn constrain<'a>(&'a mut self, _names: &'a [ObjectName], _deferred: bool) -> BoxFuture<'a, Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Begins a part that can be undone alone.
    fn begin_part(&mut self) -> BoxFuture<'_, Result<()>>;

    /// Ends the innermost part, and undoes what was done in it or not.
    fn end_part(&mut self, keep: bool) -> BoxFuture<'_, Result<()>>;

    /// Refuses to go on when the time is over.
    ///
    /// # Errors
    /// `57014`
    fn check(&mut self) -> Result<()>;

    /// Hears what is said.
    fn notice(&mut self, notice: Notice);
}
