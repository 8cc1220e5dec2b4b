//! What a transaction stands on in which nothing is stored: bodies are looked at, or declare.

use std::sync::Arc;

use query::{Caller, Expr, Model, Plan};
use sql::ast::StatementKind;
use types::session::Session;
use types::{Code, Error, Limits, Result, Value};

use crate::account::Account;
use crate::context::Stack;
use crate::host::{BoxFuture, Done, Host, Notice};
use crate::plans::Programs;
use crate::temporaries::Temporaries;

/// The owner of everything: whoever resolves for it meets no missing right.
const OWNER: &str = "postgres";

/// All that it has, besides what it does.
#[derive(Debug)]
pub struct Ground {
    model: Arc<Model>,
    programs: Arc<Programs>,
    limits: Limits,
    account: Arc<Account>,
    stack: Stack,
    temporaries: Temporaries,
    caller: Caller,
    session: Session,
    path: Arc<[Arc<str>]>,
    depth: usize,
    declarations: u64,
}

impl Ground {
    /// For the owner of everything that is declared; functions may hold so many bytes.
    pub fn of(model: Arc<Model>, path: Arc<[Arc<str>]>, bytes_max: usize) -> Ground {
        Ground {
            model,
            programs: Arc::default(),
            limits: Limits::default(),
            account: Account::of(bytes_max),
            stack: Stack::default(),
            temporaries: Temporaries::default(),
            caller: Caller::role(OWNER),
            session: Session::utc(0),
            path,
            depth: 0,
            declarations: 0,
        }
    }

    /// Something else is declared from here on.
    pub fn declare(&mut self, model: Arc<Model>) {
        self.model = model;
        self.programs = Arc::default();
        self.declarations += 1;
    }

    /// Has another model of the same declarations, or for a while of none, and gives back what there was.
    pub fn exchange_model(&mut self, model: Arc<Model>) -> Arc<Model> {
        std::mem::replace(&mut self.model, model)
    }

    /// As the owner of everything again.
    pub(crate) fn owned(&mut self) {
        self.caller = Caller::role(OWNER);
    }
}

/// A transaction that stands on it.
pub trait Grounded: Send {
    /// What it stands on.
    fn ground(&self) -> &Ground;

    /// The same, to change it.
    fn ground_mut(&mut self) -> &mut Ground;

    /// As [`Host::is_read_only`].
    fn is_read_only(&self) -> bool;

    /// As [`Host::compute`].
    ///
    /// # Errors
    /// What it raises.
    fn compute(&self, expr: &Expr, parameters: &[Value]) -> Result<Value>;

    /// As [`Host::run`].
    fn run<'a>(&'a mut self, plan: &'a Plan, parameters: &'a [Value]) -> BoxFuture<'a, Result<Done>>;

    /// As [`Host::declare`].
    ///
    /// # Errors
    /// What the declaration is refused for.
    fn declare(&mut self, _: &StatementKind) -> Result<bool> {
        Ok(false)
    }

    /// As [`Host::begin_part`].
    fn begin_part(&mut self) -> BoxFuture<'_, Result<()>>;

    /// As [`Host::end_part`].
    fn end_part(&mut self, keep: bool) -> BoxFuture<'_, Result<()>>;
}

impl<T: Grounded> Host for T {
    fn model(&self) -> &Arc<Model> {
        &self.ground().model
    }

    fn programs(&self) -> &Arc<Programs> {
        &self.ground().programs
    }

    fn declarations(&self) -> u64 {
        self.ground().declarations
    }

    fn limits(&self) -> &Limits {
        &self.ground().limits
    }

    fn account(&self) -> &Arc<Account> {
        &self.ground().account
    }

    fn stack(&self) -> &Stack {
        &self.ground().stack
    }

    fn temporaries(&self) -> &Temporaries {
        &self.ground().temporaries
    }

    fn caller(&self) -> &Caller {
        &self.ground().caller
    }

    fn exchange_role(&mut self, role: Arc<str>) -> Arc<str> {
        std::mem::replace(&mut self.ground_mut().caller.role, role)
    }

    fn session(&self) -> &Session {
        &self.ground().session
    }

    fn exchange_session(&mut self, session: Session) -> Session {
        std::mem::replace(&mut self.ground_mut().session, session)
    }

    fn path(&self) -> &Arc<[Arc<str>]> {
        &self.ground().path
    }

    fn exchange_path(&mut self, path: Arc<[Arc<str>]>) -> Arc<[Arc<str>]> {
        std::mem::replace(&mut self.ground_mut().path, path)
    }

    fn is_read_only(&self) -> bool {
        Grounded::is_read_only(self)
    }

    fn enter(&mut self) -> Result<()> {
        let ground = self.ground_mut();
        if ground.depth >= ground.limits.call_depth_max {
            return Err(Error::new(Code::TOO_COMPLEX, "stack depth limit exceeded"));
        }
        ground.depth += 1;
        Ok(())
    }

    fn leave(&mut self) {
        self.ground_mut().depth -= 1;
    }

    fn compute(&self, expr: &Expr, parameters: &[Value]) -> Result<Value> {
        Grounded::compute(self, expr, parameters)
    }

    fn run<'a>(&'a mut self, plan: &'a Plan, parameters: &'a [Value]) -> BoxFuture<'a, Result<Done>> {
        Grounded::run(self, plan, parameters)
    }

    fn declare(&mut self, statement: &StatementKind) -> Result<bool> {
        Grounded::declare(self, statement)
    }

    fn begin_part(&mut self) -> BoxFuture<'_, Result<()>> {
        Grounded::begin_part(self)
    }

    fn end_part(&mut self, keep: bool) -> BoxFuture<'_, Result<()>> {
        Grounded::end_part(self, keep)
    }

    fn check(&mut self) -> Result<()> {
        Ok(())
    }

    fn notice(&mut self, _: Notice) {}
}
