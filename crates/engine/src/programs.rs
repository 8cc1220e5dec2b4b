//! Functions that are interpreted: a transaction as what they run in, and what a driver calls from within a statement.

use std::borrow::Cow;
use std::sync::Arc;

use catalog::TableId;
use program::{Account, Done, Host, Notice, Programs, Returned, Signature, Stack, Temporaries};
use query::functions::around::Counting;
use query::{
    Authorized, Caller, Expr, FunctionCall, FunctionId, Model, Plan, Read, Source, SourceId, Step,
    Truncation, visit,
};
use render::Dialect;
use sql::ast::ObjectName;
use types::session::{Session, Settings};
use types::{Capabilities, Code, Error, Limits, Result, Type, Value};

use crate::contract::{BoxFuture, Clock, Random, Routine, Routines, Transaction};
use crate::database::Served;
use crate::in_force::InForce;
use crate::rows::Values;
use crate::run::Run;
use crate::work::{Bound, Tuple, Work};
use crate::write::Task;

/// What calls of functions from within statements need: all of a transaction but itself.
pub(crate) struct Called {
    pub(crate) served: Arc<Served>,
    pub(crate) dialect: &'static dyn Dialect,
    pub(crate) capabilities: &'static Capabilities,
    pub(crate) run: Run,
    pub(crate) random: Random,
    pub(crate) clock: Clock,
    pub(crate) in_force: Arc<InForce>,
}

impl Called {
    fn work<'t>(&self, transaction: &'t mut dyn Transaction) -> Work<'t> {
        let path = self.in_force.path();
        Work {
            transaction,
            served: self.served.clone(),
            dialect: self.dialect,
            capabilities: self.capabilities,
            run: self.run.clone(),
            random: self.random.clone(),
            clock: self.clock.clone(),
            path,
            in_force: self.in_force.clone(),
            transitions: None,
            admitted: crate::write::Admitted::default(),
            since: None,
        }
    }
}

impl Routines for Called {
    fn call<'t>(
        &'t self,
        transaction: &'t mut dyn Transaction,
        routine: &'t Routine,
        args: Vec<Value>,
    ) -> BoxFuture<'t, Result<Value>> {
        Box::pin(async move {
            let mut work = self.work(transaction);
            work.run.caller.role = routine.role.as_str().into();
            let signature = Signature { arguments: &routine.arguments, result: &routine.result };
            let around = work.look_from(routine.function);
            let held = work.hold_settings(routine.function);
            let happened = self.in_force.history.length();
            let outcome = program::value(&mut work, routine.function, signature, args).await;
            held.inspect(Settings::let_go);
            work.look_again(&around);
            let value = outcome?;
            match self.in_force.changed_while_read(happened) {
                None => Ok(value),
                // The rows that come are no longer those of the statement's beginning.
                Some(table) => Err(Error::missing(format!(
                    "a statement that reads {} while a function that it calls changes it",
                    self.served.model.catalog[table].name
                ))),
            }
        })
    }

    fn count<'t>(
        &'t self,
        transaction: &'t mut dyn Transaction,
        counting: &'t Counting<'t>,
    ) -> BoxFuture<'t, Result<Value>> {
        Box::pin(async move { self.work(transaction).count(counting).await })
    }
}

impl Work<'_> {
    /// Has a function change no setting, unless it is volatile; the settings that are held then.
    fn hold_settings(&self, function: FunctionId) -> Option<Settings> {
        let declared = self.served.model.catalog.functions.get(function.0)?;
        let is_held = declared.volatility != catalog::Volatility::Volatile;
        let settings = is_held.then(|| self.run.session.settings.clone());
        settings.inspect(Settings::hold)
    }

    /// Gives the transaction the functions that its statements may call.
    pub(crate) fn install(&mut self) {
        if self.capabilities.native_functions || !(self.served.interprets || self.served.counts) {
            return;
        }
        let called = Called {
            served: self.served.clone(),
            dialect: self.dialect,
            capabilities: self.capabilities,
            run: Run { routines: None, ..self.run.clone() },
            random: self.random.clone(),
            clock: self.clock.clone(),
            in_force: self.in_force.clone(),
        };
        self.transaction.install(Arc::new(called));
    }

    /// The value of a function's call over a row, or over none.
    pub(crate) fn value_of_call<'a>(
        &'a mut self,
        call: &'a FunctionCall,
        row: Option<Tuple<'a>>,
        parameters: &'a [Value],
    ) -> BoxFuture<'a, Result<Value>> {
        Box::pin(async move {
            let mut args = Vec::with_capacity(call.args.len());
            for arg in &call.args {
                args.push(self.value(arg, row, parameters).await?);
            }
            let role = match &call.role {
                Some(role) => role.clone(),
                None => self.stored_caller(call.function)?,
            };
            let types: Vec<Type> = call.args.iter().map(Expr::ty).collect();
            let signature = Signature { arguments: &types, result: &call.ty };
            let before = self.exchange_role(role);
            let around = self.look_from(call.function);
            let outcome = program::value(self, call.function, signature, args).await;
            self.look_again(&around);
            self.exchange_role(before);
            outcome
        })
    }

    /// Who calls a function in an expression that is stored with a table, a default or a check: whoever writes, if they may.
    fn stored_caller(&self, function: FunctionId) -> Result<Arc<str>> {
        let (catalog, role) = (&self.served.model.catalog, &self.run.caller.role);
        let declared = catalog.functions.get(function.0);
        let declared = declared.ok_or_else(|| Error::internal("a call of no function"))?;
        let is_superuser = catalog.role(role).is_some_and(|role| role.superuser);
        if is_superuser || catalog.allows_function(&catalog.memberships(role), declared) {
            return Ok(role.clone());
        }
        Err(Error::new(Code::PRIVILEGE, format!("permission denied for function {}", declared.name.name)))
    }

    /// An expression that is stored with a table, in which it is said who calls its functions.
    pub(crate) fn with_callers<'e>(&self, expr: &'e Expr) -> Result<Cow<'e, Expr>> {
        let mut calls = Vec::new();
        visit::deep(expr, &mut |inner| {
            if let Expr::Call(call) = inner
                && call.role.is_none()
            {
                calls.push(call.function);
            }
        });
        if calls.is_empty() {
            return Ok(Cow::Borrowed(expr));
        }
        calls.into_iter().try_for_each(|function| self.stored_caller(function).map(drop))?;
        let mut expr = expr.clone();
        name_caller(&mut expr, &self.run.caller.role);
        Ok(Cow::Owned(expr))
    }

    /// Calls a function as a role.
    async fn call(
        &mut self,
        function: FunctionId,
        role: Option<&Arc<str>>,
        types: &[Type],
        args: Vec<Value>,
    ) -> Result<Returned> {
        let role = match role {
            Some(role) => role.clone(),
            None => self.stored_caller(function)?,
        };
        let before = self.exchange_role(role);
        let around = self.look_from(function);
        let outcome = program::call(self, function, types, args).await;
        self.look_again(&around);
        self.exchange_role(before);
        outcome
    }

    /// A read in which the rows of functions are there: they were called for arguments that name no other rows.
    pub(crate) async fn with_calls<'r>(
        &mut self,
        read: &'r Read,
        parameters: &[Value],
    ) -> Result<Cow<'r, Read>> {
        if self.capabilities.native_functions || !self.served.interprets {
            return Ok(Cow::Borrowed(read));
        }
        let read = self.with_transitions(read);
        if !visit::calls_for_rows(&read) {
            return Ok(read);
        }
        Box::pin(self.called(&read, parameters)).await.map(Cow::Owned)
    }

    /// A read in which the rows of the statement are there for which a trigger is fired.
    pub(crate) fn with_transitions<'r>(&self, read: &'r Read) -> Cow<'r, Read> {
        let Some(rows) = &self.transitions else { return Cow::Borrowed(read) };
        let mut is_named = false;
        visit::deep_sources(read, &mut |source| is_named |= matches!(source, Source::Transition { .. }));
        if !is_named {
            return Cow::Borrowed(read);
        }
        let mut read = read.clone();
        visit::deep_sources_mut(&mut read, &mut |source| {
            if let Source::Transition { id, table, rows: wanted } = source {
                *source = self.rows_in_memory(*id, *table, rows.of(*wanted).to_vec());
            }
        });
        Cow::Owned(read)
    }

    /// Rows of a table or view that are there.
    pub(crate) fn rows_in_memory(&self, id: SourceId, table: TableId, rows: Vec<Vec<Value>>) -> Source {
        let columns = &self.served.model.catalog[table].columns;
        let types: Vec<Type> = columns.iter().map(|column| column.ty.clone()).collect();
        Source::of_rows(id, rows, &types)
    }

    async fn called(&mut self, read: &Read, parameters: &[Value]) -> Result<Read> {
        let mut calls = Vec::new();
        visit::deep_sources(read, &mut |source| {
            if let Source::Call { id, function, args, columns, role, .. } = source {
                calls.push((*id, *function, args, *columns, role.as_ref()));
            }
        });
        let unasked = self.unasked(read, parameters).await?;
        let mut found = Vec::with_capacity(calls.len());
        for (id, function, args, columns, role) in calls {
            if unasked.contains(&id) {
                found.push((id, Source::of_rows(id, Vec::new(), &column_types(read, id, columns))));
                continue;
            }
            let mut values = Vec::with_capacity(args.len());
            for arg in args {
                refuse_other_rows(&arg.value)?;
                values.push(self.value(&arg.value, None, parameters).await?);
            }
            let types: Vec<Type> = args.iter().map(|arg| arg.value.ty()).collect();
            let rows = self.call(function, role, &types, values).await?.into_rows(columns);
            found.push((id, Source::of_rows(id, rows, &column_types(read, id, columns))));
        }
        let mut read = read.clone();
        visit::deep_sources_mut(&mut read, &mut |source| {
            if let Source::Call { id, .. } = source
                && let Some(at) = found.iter().position(|(known, _)| known == id)
            {
                *source = found.swap_remove(at).1;
            }
        });
        Ok(read)
    }

    /// The calls in reads of which a condition that names no row says that they have none: it is asked first, and only once
    /// (PostgreSQL's one-time filters).
    async fn unasked(&mut self, read: &Read, parameters: &[Value]) -> Result<Vec<SourceId>> {
        let mut filters = Vec::new();
        visit::each_read(read, &mut |read| {
            if let Some(filter) = &read.filter
                && visit::calls_for_rows(read)
            {
                filters.extend(
                    conjuncts(filter).iter().filter(|part| names_no_row(part)).map(|part| (read, part)),
                );
            }
        });
        let mut unasked = Vec::new();
        for (read, condition) in filters {
            if !matches!(self.value(condition, None, parameters).await?, Value::Bool(true)) {
                visit::deep_sources(read, &mut |source| {
                    if let Source::Call { id, .. } = source {
                        unasked.push(*id);
                    }
                });
            }
        }
        Ok(unasked)
    }

    /// Two reads of one call, which is called once, for both.
    pub(crate) async fn with_one_call(&mut self, rows: &Read, total: &Read) -> Result<(Read, Read)> {
        let (Some(of_rows), Some(of_total)) = (first_call(rows), first_call(total)) else {
            return Err(Error::internal("rows of no call were to be counted"));
        };
        let rows = Box::pin(self.called(rows, &[])).await?;
        let mut made = None;
        visit::deep_sources(&rows, &mut |source| {
            if matches!(source, Source::Values { id, .. } | Source::Read { id, .. } if *id == of_rows) {
                made = Some(source.clone());
            }
        });
        if let Some(Source::Values { id, .. } | Source::Read { id, .. }) = &mut made {
            *id = of_total;
        }
        let mut total = total.clone();
        visit::deep_sources_mut(&mut total, &mut |source| {
            if matches!(source, Source::Call { id, .. } if *id == of_total)
                && let Some(made) = made.take()
            {
                *source = made;
            }
        });
        Ok((rows, total))
    }

    /// The only row of a read without tables, computed here: its calls need not enter the engine.
    async fn row_alone(&mut self, read: &Read, parameters: &[Value]) -> Result<Option<Vec<Value>>> {
        let is_alone = matches!(read.from, Source::Unit)
            && read.filter.is_none()
            && read.having.is_none()
            && read.group.is_empty()
            && read
                .limit
                .as_ref()
                .is_none_or(|limit| matches!(limit, Expr::Const { value: Value::Int(1..), .. }))
            && read.offset.is_none()
            && read.with.is_empty();
        if !is_alone || !read.outputs.iter().all(|output| is_computed_here(&output.expr)) {
            return Ok(None);
        }
        let calling = crate::reads::calling(read);
        let seen = self.begin_statement(calling);
        let is_through = self.begin_through(read);
        let row = self.row_computed(read, parameters).await;
        if is_through {
            self.in_force.stack.done();
        }
        self.end_statement(calling, seen);
        row.map(Some)
    }

    async fn row_computed(&mut self, read: &Read, parameters: &[Value]) -> Result<Vec<Value>> {
        let mut row = Vec::with_capacity(read.outputs.len());
        for output in &read.outputs {
            row.push(self.value(&output.expr, None, parameters).await?);
        }
        Ok(row)
    }
}

fn name_caller(expr: &mut Expr, caller: &Arc<str>) {
    if let Expr::Call(call) = expr {
        call.role.get_or_insert_with(|| caller.clone());
    }
    visit::operands_mut(expr).into_iter().for_each(|operand| name_caller(operand, caller));
}

/// Whether an expression is one call, or needs none and no table.
fn is_computed_here(expr: &Expr) -> bool {
    match expr {
        Expr::Call(call) => call.args.iter().all(is_computed_here),
        Expr::Cast { expr, .. } => is_computed_here(expr),
        Expr::Subquery(_) | Expr::Aggregate { .. } | Expr::Window { .. } => false,
        expr => !crate::work::has_subquery(expr) && !visit::has_aggregate(expr) && !visit::has_window(expr),
    }
}

/// Arguments of a function in `from` that name rows beside it.
fn refuse_other_rows(arg: &Expr) -> Result<()> {
    let mut names_column = false;
    visit::deep(arg, &mut |inner| names_column |= matches!(inner, Expr::Column { .. }));
    if names_column && !matches!(arg, Expr::Subquery(_)) {
        return Err(Error::missing("a function in FROM whose arguments are of other rows"));
    }
    if names_part(arg) {
        return Err(Error::missing(
            "a function in FROM whose arguments are of another part of its statement",
        ));
    }
    Ok(())
}

/// Whether an expression reads a part of the statement that it stands in.
fn names_part(expr: &Expr) -> bool {
    let (mut named, mut own) = (Vec::new(), Vec::new());
    visit::each_subquery(expr, &mut |read| {
        visit::each_read(read, &mut |read| own.extend(read.with.iter().map(|part| part.id)));
        visit::deep_sources(read, &mut |source| {
            if let Source::Cte { cte, .. } = source {
                named.push(*cte);
            }
        });
    });
    named.iter().any(|part| !own.contains(part))
}

/// The types of a source's columns, as far as they are named.
fn column_types(read: &Read, id: SourceId, columns: usize) -> Vec<Type> {
    let mut types = vec![Type::Text; columns];
    visit::deep_read(read, &mut |expr| {
        if let Expr::Column { source, column, ty } = expr
            && *source == id
            && let Some(known) = types.get_mut(usize::from(column.0))
        {
            *known = ty.clone();
        }
    });
    types
}

/// The conditions that must all hold.
fn conjuncts(filter: &Expr) -> &[Expr] {
    match filter {
        Expr::Form { form: query::Form::And, args, .. } => args,
        other => std::slice::from_ref(other),
    }
}

/// Whether a condition says the same of every row.
fn names_no_row(condition: &Expr) -> bool {
    let mut names = false;
    visit::deep(condition, &mut |inner| {
        names |= matches!(inner, Expr::Column { .. } | Expr::Subquery(_)) || visit::is_volatile_itself(inner);
    });
    !names && !visit::computes_of_rows(condition)
}

/// The first call that a read is of.
fn first_call(read: &Read) -> Option<SourceId> {
    let mut found = None;
    visit::deep_sources(read, &mut |source| {
        if let Source::Call { id, .. } = source {
            found = found.or(Some(*id));
        }
    });
    found
}

impl Work<'_> {
    /// Begins a part of the transaction that may be undone alone.
    pub(crate) async fn open_part(&mut self) -> Result<()> {
        self.transaction.begin_part().await?;
        self.in_force.begin_part(&self.run.session.settings);
        Ok(())
    }

    /// Ends the part that was begun last: it stays, or it is undone, settings and waiting triggers included.
    async fn end_part(&mut self, keep: bool) -> Result<()> {
        self.in_force.end_part(&self.run.session.settings, keep);
        Ok(self.transaction.end_part(keep).await?)
    }

    /// The same by what was done in it: it stays unless that failed.
    pub(crate) async fn close_part<T, E: From<Error>>(&mut self, ended: Result<T, E>) -> Result<T, E> {
        self.end_part(ended.is_ok()).await?;
        ended
    }
}

impl Host for Work<'_> {
    fn model(&self) -> &Arc<Model> {
        &self.served.model
    }

    fn programs(&self) -> &Arc<Programs> {
        &self.served.programs
    }

    fn declarations(&self) -> u64 {
        // What was planned where there were no temporary tables does not know of them.
        self.in_force.temporaries.exist().into()
    }

    fn limits(&self) -> &Limits {
        &self.in_force.limits
    }

    fn account(&self) -> &Arc<Account> {
        &self.in_force.account
    }

    fn stack(&self) -> &Stack {
        &self.in_force.stack
    }

    fn temporaries(&self) -> &Temporaries {
        &self.in_force.temporaries
    }

    fn caller(&self) -> &Caller {
        &self.run.caller
    }

    fn exchange_role(&mut self, role: Arc<str>) -> Arc<str> {
        std::mem::replace(&mut self.run.caller.role, role)
    }

    fn session(&self) -> &Session {
        &self.run.session
    }

    fn exchange_session(&mut self, session: Session) -> Session {
        std::mem::replace(&mut self.run.session, session)
    }

    fn path(&self) -> &Arc<[Arc<str>]> {
        &self.path
    }

    fn exchange_path(&mut self, path: Arc<[Arc<str>]>) -> Arc<[Arc<str>]> {
        // Functions that statements call from now on have it, too.
        self.in_force.set_path(path.clone());
        std::mem::replace(&mut self.path, path)
    }

    fn is_read_only(&self) -> bool {
        self.in_force.is_read_only()
    }

    fn enter(&mut self) -> Result<()> {
        self.in_force.enter()
    }

    fn leave(&mut self) {
        self.in_force.leave();
    }

    fn compute(&self, expr: &Expr, parameters: &[Value]) -> Result<Value> {
        self.computed(expr, &query::eval::NoRow, parameters)
    }

    fn run<'a>(
        &'a mut self,
        plan: &'a Plan,
        parameters: &'a [Value],
    ) -> program::BoxFuture<'a, Result<Done>> {
        Box::pin(async move {
            let mut done = Done::default();
            for step in plan.steps() {
                match step {
                    Step::Fetch(read) => {
                        done.rows = match self.row_alone(read, parameters).await? {
                            Some(row) => vec![row],
                            None => {
                                let held = self.in_force.account.hold();
                                let bound = Bound { parameters, ..Bound::default() };
                                let (rows, held) = self.rows_held(read, bound, held).await?;
                                done.held = held;
                                rows
                            }
                        };
                    }
                    Step::Store(write) => {
                        let outputs = write.returning.iter().flat_map(|read| &read.outputs);
                        let types = outputs.map(|output| output.expr.ty());
                        let mut values = Values::held(types, self.in_force.account.hold());
                        let task = Task::of(write, parameters, &mut values);
                        done.affected = self.store(task).await?.affected;
                        (done.rows, done.held) = values.into_held();
                    }
                }
            }
            Ok(done)
        })
    }

    fn truncate<'a>(
        &'a mut self,
        truncation: &'a Authorized<Truncation>,
    ) -> program::BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.truncated(truncation).await.map(drop) })
    }

    fn constrain<'a>(
        &'a mut self,
        names: &'a [ObjectName],
        deferred: bool,
    ) -> program::BoxFuture<'a, Result<()>> {
        Box::pin(self.set_constraints(names, deferred))
    }

    fn begin_part(&mut self) -> program::BoxFuture<'_, Result<()>> {
        Box::pin(self.open_part())
    }

    fn end_part(&mut self, keep: bool) -> program::BoxFuture<'_, Result<()>> {
        Box::pin(Work::end_part(self, keep))
    }

    fn check(&mut self) -> Result<()> {
        Ok(self.transaction.check()?)
    }

    fn notice(&mut self, notice: Notice) {
        use sql::body::Level;
        // One line of the log, whatever it says.
        let message = notice.message.replace('\n', "\\n").replace('\r', "\\r");
        match notice.level {
            Level::Warning | Level::Exception => {
                tracing::warn!(target: "backplane::raised", "{message}")
            }
            Level::Log | Level::Info => tracing::info!(target: "backplane::raised", "{message}"),
            Level::Notice | Level::Debug => {
                tracing::debug!(target: "backplane::raised", "{message}")
            }
        }
    }
}
