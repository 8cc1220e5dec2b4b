//! `do` blocks while a schema is read: what they declare, they declare; what they do to rows is noted for when it runs.
//!
//! A block is interpreted as a function is, in a transaction of declarations: it looks things up in the system relations, and a
//! part of it that fails is undone. What rows say is not known here: a block that asks for them runs later if it declares
//! nothing, and is refused by name if it does.

use std::cell::Cell;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use catalog::build::Mark;
use catalog::{Builder, Catalog, Function, Language, Outcome};
use program::{BoxFuture, Done, Ground, Grounded, Host, Returned};
use query::eval::{NoRow, Scope, eval};
use query::functions::settings::REPLICATION;
use query::{CallerField, Expr, FunctionId, Model, Output, Plan, Source, Step, compute, resolve, visit};
use sql::ast::StatementKind;
use types::session::Session;
use types::{Code, Error, Result, Type, Value};

use super::Doing;

/// Most memory that the blocks of a schema may hold.
const BYTES_MAX: usize = 256 << 20;

/// What came of a block.
pub(super) enum Came {
    /// It declared what it declares; what it does to rows, with the catalog at that point.
    Declared(Vec<(Arc<Catalog>, Doing)>),
    /// It asks for rows and declares nothing: it is for whoever has them. What of it could not run if it came there, with the
    /// bytes of the body.
    AboutRows(Vec<(u32, Error)>),
}

/// Interprets a block.
///
/// # Errors
/// What it raises; `0A000` for one that looks at rows to decide what it declares. The builder is as before then.
pub(super) fn interpreted(builder: &mut Builder<'_>, body: &str) -> Result<Came> {
    let traits = program::traits(body)?;
    if !traits.declares
        && names_declaring(builder.catalog(), body)
        && let Some(came) = declaring(builder, traits, Rehearsed::Block(body))
    {
        return Ok(came);
    }
    if !traits.declares {
        let model = Arc::new(Model::of_declarations(builder.shared()));
        let refusals = program::refused_block(&model, builder.path(), body);
        if let Some(refusal) = refusals.iter().find(|refusal| refusal.is_reached) {
            return Err(refusal.error.clone());
        }
        return Ok(Came::AboutRows(refusals.into_iter().map(|found| (found.at, found.error)).collect()));
    }
    let is_declared = |word: &str| builder.catalog().functions.iter().any(|known| *known.name.name == *word);
    let quiet = program::quiet(body, &is_declared)?;
    rehearsed(builder, program::traits(&quiet)?, Rehearsed::Block(&quiet))
}

/// Whether a body names a function that may declare something.
fn names_declaring(catalog: &Catalog, body: &str) -> bool {
    let words: Vec<&str> = body.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let mut named = catalog.functions.iter().filter(|function| words.contains(&&*function.name.name));
    named.any(declares)
}

/// Whether a function may declare something.
fn declares(function: &Function) -> bool {
    function.language == Language::PlPgSql
        && !function.returns_trigger
        && program::traits(&function.body).is_ok_and(|traits| traits.declares)
}

/// Interprets a function that a statement calls, if it declares something; `None` for any other statement. What is wrong with
/// one is said when it is looked at as what is done to rows.
pub(super) fn called(builder: &mut Builder<'_>, statement: &StatementKind) -> Option<Came> {
    let path = builder.path().to_vec();
    let query = resolve::statement_on(builder.catalog(), &path, &Session::utc(0), statement, &[]).ok()?;
    let query::Query::Read(read) = query else { return None };
    let call = call_alone(&read)?;
    let function = builder.catalog().functions.get(call.function.0)?;
    if !declares(function) || function.arguments.len() != call.args.len() {
        return None;
    }
    let traits = program::traits(&function.body).ok()?;
    declaring(builder, traits, Rehearsed::Call(&call))
}

/// What came of something that may declare, if it did; otherwise it is for whoever has rows, and the builder is as before.
fn declaring(builder: &mut Builder<'_>, traits: program::Traits, what: Rehearsed<'_>) -> Option<Came> {
    let (before, was) = (builder.mark(), builder.catalog().clone());
    let came = match rehearsed(builder, traits, what) {
        Ok(came @ Came::Declared(_)) if *builder.catalog() != was => return Some(came),
        Ok(Came::AboutRows(doubts)) => Some(Came::AboutRows(doubts)),
        Err(error) if error.code() == Code::FEATURE_NOT_SUPPORTED => Some(Came::AboutRows(vec![(0, error)])),
        Ok(Came::Declared(_)) | Err(_) => None,
    };
    builder.go_back(before);
    came
}

/// A call with all of its arguments, in order.
struct Alone<'r> {
    function: FunctionId,
    args: Vec<&'r Expr>,
}

/// The call that a read consists of.
fn call_alone(read: &query::Read) -> Option<Alone<'_>> {
    if read.filter.is_some() || !read.with.is_empty() {
        return None;
    }
    match (&read.from, &read.outputs[..]) {
        (Source::Unit, [Output { expr: Expr::Call(call), .. }]) => {
            Some(Alone { function: call.function, args: call.args.iter().collect() })
        }
        (Source::Read { read, .. }, [Output { expr: Expr::Column { .. }, .. }]) => call_alone(read),
        (Source::Call { function, args, .. }, [Output { expr: Expr::Column { .. }, .. }])
            if args.iter().all(|arg| arg.name.is_none() && !arg.variadic) =>
        {
            Some(Alone { function: *function, args: args.iter().map(|arg| &arg.value).collect() })
        }
        _ => None,
    }
}

/// What is interpreted.
#[derive(Clone, Copy)]
enum Rehearsed<'a> {
    Block(&'a str),
    Call(&'a Alone<'a>),
}

fn rehearsed(builder: &mut Builder<'_>, traits: program::Traits, what: Rehearsed<'_>) -> Result<Came> {
    let before = builder.mark();
    let mut rehearsal = Rehearsal::of(builder);
    let was = rehearsal.model().catalog.clone();
    let outcome = match what {
        Rehearsed::Block(body) => at_once(program::block(&mut rehearsal, body)),
        Rehearsed::Call(call) => at_once(rehearsal.call(call, &[])).map(drop),
    };
    let Rehearsal { noted, declared, asked, used_chance, declared_after_rows, is_guarded, .. } = rehearsal;
    // What was computed here, of the time or by chance, is not what it will be.
    let is_open = asked || (used_chance.get() && !noted.is_empty());
    let is_open = is_open || (traits.counts_rows && declared_after_rows);
    match outcome {
        // Whether its handlers are reached is for rows to say.
        Ok(()) if is_guarded && super::is_same(&builder.shared(), &was) => {
            builder.go_back(before);
            Ok(Came::AboutRows(Vec::new()))
        }
        Ok(()) if !is_open => Ok(Came::Declared(noted)),
        _ if is_open => {
            builder.go_back(before);
            let missing = Error::missing("a do block that looks at rows to decide what it declares");
            match declared {
                false if traits.names_schema => Ok(Came::AboutRows(vec![(0, missing)])),
                false => Ok(Came::AboutRows(Vec::new())),
                true => Err(missing),
            }
        }
        Err(error) => {
            builder.go_back(before);
            Err(error)
        }
        Ok(()) => Ok(Came::Declared(noted)),
    }
}

/// The end of something that never waits.
fn at_once<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => Err(Error::internal("a declaration waited")),
    }
}

/// A transaction of declarations.
struct Rehearsal<'b, 't> {
    builder: &'b mut Builder<'t>,
    ground: Ground,
    parts: Vec<(Mark, usize)>,
    /// What is to be done to rows.
    noted: Vec<(Arc<Catalog>, Doing)>,
    /// Whether something was declared, and after something was noted.
    declared: bool,
    declared_after_rows: bool,
    /// Whether rows of tables were asked for.
    asked: bool,
    /// Whether what was noted stands in a part that an error of it would undo.
    is_guarded: bool,
    used_chance: Cell<bool>,
}

impl<'b, 't> Rehearsal<'b, 't> {
    fn of(builder: &'b mut Builder<'t>) -> Rehearsal<'b, 't> {
        let model = Arc::new(Model::of_declarations(builder.shared()));
        // A block may make temporary tables, which come first.
        let path =
            std::iter::once(catalog::build::TEMPORARY.into()).chain(builder.path().iter().cloned()).collect();
        Rehearsal {
            builder,
            ground: Ground::of(model, path, BYTES_MAX),
            parts: Vec::new(),
            noted: Vec::new(),
            declared: false,
            declared_after_rows: false,
            asked: false,
            is_guarded: false,
            used_chance: Cell::new(false),
        }
    }

    fn renew(&mut self) {
        self.ground.declare(Arc::new(Model::of_declarations(self.builder.shared())));
    }

    /// Applies a statement. Nobody else has the catalog meanwhile, for whose sake it would be copied.
    fn applied(&mut self, statement: &StatementKind) -> Result<Outcome> {
        let of = |catalog| Arc::new(Model::of_declarations(catalog));
        drop(self.ground.exchange_model(of(Arc::default())));
        let outcome = self.builder.apply_kind(statement);
        self.ground.exchange_model(of(self.builder.shared()));
        outcome
    }

    fn note(&mut self, doing: Doing) {
        self.is_guarded |= !self.parts.is_empty();
        self.noted.push((self.model().catalog.clone(), doing));
    }

    fn computed<T>(
        &self,
        parameters: &[Value],
        compute: impl FnOnce(&mut Scope<'_>) -> Result<T>,
    ) -> Result<T> {
        let clock = || {
            self.used_chance.set(true);
            0
        };
        let mut random = |bytes: &mut [u8]| {
            self.used_chance.set(true);
            bytes.fill(0);
        };
        compute(&mut Scope {
            caller: self.caller(),
            params: parameters,
            session: self.session(),
            random: &mut random,
            clock: &clock,
        })
    }

    /// Calls a function that is interpreted.
    async fn call(&mut self, call: &Alone<'_>, parameters: &[Value]) -> Result<Returned> {
        let values = call.args.iter().map(|arg| Host::compute(self, arg, parameters));
        let args = values.collect::<Result<Vec<_>>>()?;
        let types: Vec<Type> = call.args.iter().map(|arg| arg.ty()).collect();
        program::call(self, call.function, &types, args).await
    }

    fn fetched(&mut self, read: &query::Read, parameters: &[Value]) -> Result<Done> {
        if !compute::is_of_no_table(read) {
            self.asked = true;
            return Err(Error::missing("looking at rows while a schema is read"));
        }
        visit::deep_read(read, &mut |expr| self.look(expr));
        let rows = self.computed(parameters, |scope| compute::rows(read, scope))?;
        Ok(Done { rows, ..Done::default() })
    }

    /// Notes whether an expression asks for the time.
    fn look(&self, expr: &Expr) {
        if matches!(expr, Expr::Caller(CallerField::Now)) {
            self.used_chance.set(true);
        }
    }

    fn ran(&mut self, plan: &Plan, parameters: &[Value]) -> Result<Done> {
        let mut done = Done::default();
        for step in plan.steps() {
            match step {
                Step::Fetch(read) => done = self.fetched(read, parameters)?,
                Step::Store(write) if write.returning.is_none() => {}
                Step::Store(_) => {
                    self.asked = true;
                    return Err(Error::missing("rows that a change returns while a schema is read"));
                }
            }
        }
        if plan.steps().iter().any(|step| matches!(step, Step::Store(_))) {
            self.note(Doing::Planned(Arc::new(plan.clone()), parameters.into()));
        }
        Ok(done)
    }
}

impl Grounded for Rehearsal<'_, '_> {
    fn ground(&self) -> &Ground {
        &self.ground
    }

    fn ground_mut(&mut self) -> &mut Ground {
        &mut self.ground
    }

    fn is_read_only(&self) -> bool {
        false
    }

    fn compute(&self, expr: &Expr, parameters: &[Value]) -> Result<Value> {
        visit::deep(expr, &mut |inner| self.look(inner));
        self.computed(parameters, |scope| eval(expr, &NoRow, scope))
    }

    fn run<'a>(&'a mut self, plan: &'a Plan, parameters: &'a [Value]) -> BoxFuture<'a, Result<Done>> {
        if let [Step::Fetch(read)] = plan.steps()
            && let Some(call) = call_alone(read)
        {
            return Box::pin(async move {
                let rows = match self.call(&call, parameters).await? {
                    Returned::Value(value) => vec![vec![value]],
                    Returned::Rows(rows) => rows,
                };
                Ok(Done { rows, ..Done::default() })
            });
        }
        let outcome = self.ran(plan, parameters);
        Box::pin(std::future::ready(outcome))
    }

    fn declare(&mut self, statement: &StatementKind) -> Result<bool> {
        if let StatementKind::Set { name, .. } | StatementKind::Reset(name) = statement {
            // What is noted behind it is done under it.
            if name.eq_ignore_ascii_case(REPLICATION) {
                self.note(Doing::Statement(statement.clone()));
            }
            return Ok(false);
        }
        if let StatementKind::SetConstraints { .. } = statement {
            self.note(Doing::Statement(statement.clone()));
            return Ok(true);
        }
        match self.applied(statement)? {
            Outcome::Data => {
                self.declared = true;
                self.renew();
                let doing = super::about_rows(self.builder, statement.clone());
                self.note(Doing::Statement(doing));
            }
            Outcome::Applied | Outcome::NotRunning(_) => {
                self.declared = true;
                self.declared_after_rows |= !self.noted.is_empty();
                self.renew();
            }
            Outcome::Skipped(_) | Outcome::NoEffect => {}
        }
        Ok(true)
    }

    fn begin_part(&mut self) -> BoxFuture<'_, Result<()>> {
        self.parts.push((self.builder.mark(), self.noted.len()));
        Box::pin(std::future::ready(Ok(())))
    }

    fn end_part(&mut self, keep: bool) -> BoxFuture<'_, Result<()>> {
        let part = self.parts.pop();
        if let Some((mark, noted)) = part.filter(|_| !keep) {
            self.builder.go_back(mark);
            self.noted.truncate(noted);
            self.renew();
        }
        Box::pin(std::future::ready(Ok(())))
    }
}

#[cfg(test)]
mod tests {
    use query::resolve::Views;

    use super::*;

    const BASE: &str = "create schema other; create type e as enum ('a', 'b'); create table t (a int, b int); create index i on t (a);
        create table p (id int primary key); create policy pp on t using (true);
        create function made(name text, wanted boolean) returns void language plpgsql as $$ begin
          if wanted then execute format('create table %I (a int)', name); end if;
        end $$;";

    #[track_caller]
    fn check(body: &str, wanted: &str) {
        let (statements, _) = sql::parse(BASE);
        let (base, _) = catalog::build(catalog::builtin(), &statements, &Views);
        let mut builder = Builder::new(base.clone(), &Views);
        let said = match interpreted(&mut builder, &format!("begin {body} end")) {
            Ok(Came::AboutRows(doubts)) if doubts.is_empty() => "rows".to_owned(),
            Ok(Came::AboutRows(_)) => "rows, with doubts".to_owned(),
            Ok(Came::Declared(noted)) if noted.is_empty() && *builder.catalog() == base => {
                "nothing".to_owned()
            }
            Ok(Came::Declared(noted)) => format!("declared, {} about rows", noted.len()),
            Err(error) => error.state().to_owned(),
        };
        assert_eq!(said, wanted, "{body}");
        assert_eq!(*builder.catalog() != base, wanted.starts_with("declared"), "{body}");
    }

    #[test]
    fn guards_and_handlers_decide() {
        let declared = "declared, 0 about rows";
        let guarded = "begin execute 'update t set a = 1'; insert into t values (1, 1); exception when others then null; end;";
        check(guarded, "rows");
        check(&format!("{guarded} create table t3 (a int);"), "declared, 2 about rows");
        check("create type e2 as enum ('a'); exception when duplicate_object then null;", declared);
        check("create type e as enum ('a'); exception when duplicate_object then null;", "nothing");
        check(
            "create table t2 (a int); create type e as enum ('a'); exception when others then null;",
            "nothing",
        );
        check("create type e as enum ('a'); exception when undefined_table then null;", "42710");
        check(
            "if not exists (select 1 from pg_type where typname = 'e') then create type e as enum ('a'); end if;",
            "nothing",
        );
        check(
            "if not exists (select 1 from pg_type t join pg_namespace n on n.oid = t.typnamespace
             where t.typname = 'e' and n.nspname = 'other') then create type other.e as enum ('a'); end if;",
            declared,
        );
        check(
            "if not exists (select from pg_policies where schemaname = 'public' and tablename = 't' and policyname = 'pp')
             then create policy pp on t using (true); end if;",
            "nothing",
        );
        check(
            "if not exists (select 1 from pg_constraint where conname = 'p_pkey' and conrelid = 'public.p'::regclass)
             then alter table p add primary key (id); end if;",
            "nothing",
        );
        check("if to_regclass('public.nope') is null then create table nope (a int); end if;", declared);
        check(
            "if not exists (select 1 from pg_enum where enumtypid = 'e'::regtype and enumlabel = 'b') then alter type e add value 'b'; end if;",
            "nothing",
        );
        check("if (select count(*) from pg_type) = 0 then drop table t; end if;", "nothing");
        check("execute format('create table %I (a int)', 'Made');", declared);
        check("perform made('t4', true);", declared);
        check("perform made('t4', false);", "rows");
    }

    #[test]
    fn what_is_done_to_rows_waits() {
        check("create table t2 (a int); insert into t2 values (1);", "declared, 1 about rows");
        check(
            "update t set a = 1; alter table t add column c int; update t set c = 2;",
            "declared, 2 about rows",
        );
        check("for i in 1..2 loop null; end loop;", "rows");
        check("insert into t values (1);", "rows");
        check("insert into t (nothing) values (1);", "42703");
        check("if false then insert into nowhere values (1); end if;", "rows, with doubts");
        check("if exists (select from t) then return; end if; delete from nowhere;", "rows, with doubts");
        check("delete from nowhere; exception when others then null;", "rows, with doubts");
        check("if exists (select 1 from t) then drop table t; end if;", "rows, with doubts");
        check("create table t2 (a int); if exists (select 1 from t) then drop table t; end if;", "0A000");
        check(
            "delete from t; if found then create table t2 (a int); end if; create table t3 (a int);",
            "0A000",
        );
        check("not a block", "42601");
    }

    #[test]
    fn what_is_only_said_decides_nothing() {
        check(
            "create table t2 (a int); if exists (select from t) then raise notice 'rows'; end if;",
            "declared, 0 about rows",
        );
        check(
            "delete from t; if found then raise notice 'x'; end if; create table t2 (a int);",
            "declared, 1 about rows",
        );
    }

    #[test]
    fn what_is_looked_up_again_is_as_it_is_then() {
        check(
            "declare r record; p record; begin
               create policy one on p using (true);
               for r in select tablename from pg_tables where tablename in ('p', 't') order by 1 loop
                 execute format('drop policy if exists one on %I', r.tablename);
                 execute format('drop policy if exists pp on %I', r.tablename);
                 for p in select policyname from pg_policies where tablename = r.tablename loop
                   execute format('drop policy %I on %I', p.policyname, r.tablename);
                 end loop;
               end loop;
             end;",
            "declared, 0 about rows",
        );
    }
}
