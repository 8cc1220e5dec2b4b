//! What a row of the table is.

use std::fmt;

use types::session::Session;
use types::{Result, Type, Value};

use super::Ty;
use super::interrupt;

/// How a function is written in an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `name(a, b)`
    Function,
    /// `a op b`
    Operator,
    /// `op a`
    Prefix,
}

/// What a function's result depends on besides its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Volatility {
    /// Nothing.
    Immutable,
    /// Facts that are fixed during one statement: the session's time zone, the time of the transaction.
    Stable,
    /// Anything: randomness, the clock.
    Volatile,
}

/// What evaluation may use besides the arguments.
pub struct Context<'a> {
    /// The types of the arguments of the call in hand. Only polymorphic functions look at them; others may get none.
    pub arguments: &'a [Type],
    /// The session: time zone and the time of the transaction.
    pub session: &'a Session,
    /// Fills a buffer with randomness fit for secrets.
    pub random: &'a mut dyn FnMut(&mut [u8]),
    /// The clock: microseconds since 2000-01-01 UTC.
    pub clock: &'a dyn Fn() -> i64,
}

impl Context<'_> {
    /// The type of an argument; unknown when the caller gave none.
    pub fn argument(&self, position: usize) -> &Type {
        self.arguments.get(position).unwrap_or(&Type::Unknown)
    }

    /// The same surroundings for another call.
    pub fn with<'b>(&'b mut self, arguments: &'b [Type]) -> Context<'b> {
        Context { arguments, session: self.session, random: &mut *self.random, clock: self.clock }
    }
}

/// Computes a function. Arguments are of the row's types; a strict function never sees null.
pub type Eval = fn(&mut Context<'_>, &[Value]) -> Result<Value>;

/// One overload of a function or operator.
pub struct Function {
    /// The name in SQL, or the operator's symbol.
    pub name: &'static str,
    /// How it is written.
    pub kind: Kind,
    /// The types of its arguments.
    pub arguments: &'static [Ty],
    /// Whether the last argument may be repeated (once or more).
    pub variadic: bool,
    /// The number of arguments at the end that may be left out; the evaluation sees fewer values.
    pub optional: usize,
    /// The type of its result.
    pub result: Ty,
    /// What the result depends on.
    pub volatility: Volatility,
    /// Whether the result is null as soon as an argument is.
    pub strict: bool,
    /// Whether it never fails, whatever the arguments: it may run on rows that a policy is about to hide.
    pub leakproof: bool,
    /// Whether it asks whoever is [around](super::around) to do something: what calls it must not be begun twice.
    pub around: bool,
    /// Whether it changes something: a read with it needs a transaction that may write.
    pub changes: bool,
    /// The extension that it comes with in PostgreSQL, which may live in any schema of the search path.
    pub extension: Option<&'static str>,
    /// Computes it; use [`Function::call`], which knows about nulls.
    pub(super) eval: Eval,
}

impl Function {
    /// A strict, immutable function that may fail; the other constructors change one of these.
    pub(super) const fn new(
        name: &'static str,
        arguments: &'static [Ty],
        result: Ty,
        eval: Eval,
    ) -> Function {
        Function {
            name,
            kind: Kind::Function,
            arguments,
            variadic: false,
            optional: 0,
            result,
            volatility: Volatility::Immutable,
            strict: true,
            leakproof: false,
            around: false,
            changes: false,
            extension: None,
            eval,
        }
    }

    /// A binary operator.
    pub(super) const fn operator(
        name: &'static str,
        arguments: &'static [Ty; 2],
        result: Ty,
        eval: Eval,
    ) -> Function {
        Function { kind: Kind::Operator, ..Function::new(name, arguments, result, eval) }
    }

    /// An operator before its only operand.
    pub(super) const fn prefix(
        name: &'static str,
        arguments: &'static [Ty; 1],
        result: Ty,
        eval: Eval,
    ) -> Function {
        Function { kind: Kind::Prefix, ..Function::new(name, arguments, result, eval) }
    }

    /// It comes with an extension.
    pub(super) const fn of(self, extension: &'static str) -> Function {
        Function { extension: Some(extension), ..self }
    }

    /// It changes something.
    pub(super) const fn changing(self) -> Function {
        Function { changes: true, ..self }
    }

    /// It asks whoever is around.
    pub(super) const fn around(self) -> Function {
        Function { around: true, ..self }
    }

    /// It never fails.
    pub(super) const fn leakproof(self) -> Function {
        Function { leakproof: true, ..self }
    }

    /// It is called with nulls too.
    pub(super) const fn lax(self) -> Function {
        Function { strict: false, ..self }
    }

    /// Its last argument may be repeated.
    pub(super) const fn variadic(self) -> Function {
        Function { variadic: true, ..self }
    }

    /// So many arguments at its end may be left out.
    pub(super) const fn optional(self, optional: usize) -> Function {
        Function { optional, ..self }
    }

    /// It depends on the session.
    pub(super) const fn stable(self) -> Function {
        Function { volatility: Volatility::Stable, ..self }
    }

    /// It depends on anything.
    pub(super) const fn volatile(self) -> Function {
        Function { volatility: Volatility::Volatile, ..self }
    }

    /// Computes it over arguments of its argument types.
    ///
    /// # Errors
    /// What PostgreSQL raises for these arguments.
    pub fn call(&self, context: &mut Context<'_>, arguments: &[Value]) -> Result<Value> {
        if self.strict && arguments.iter().any(Value::is_null) {
            return Ok(Value::Null);
        }
        interrupt::begin(arguments)?;
        if self.result.is_written() {
            arguments.iter().try_for_each(interrupt::writable)?;
        }
        interrupt::made((self.eval)(context, arguments)?)
    }

    /// Whether evaluation needs the argument types ([`Context::arguments`]).
    pub fn is_polymorphic(&self) -> bool {
        self.arguments.iter().any(|argument| argument.is_polymorphic())
    }

    /// The declared type of an argument of a call with so many; repeats the last one of a variadic function.
    pub fn argument(&self, position: usize) -> Option<Ty> {
        let last = self.variadic.then(|| self.arguments.last()).flatten();
        self.arguments.get(position).or(last).copied()
    }

    /// Whether it takes so many arguments.
    pub fn takes(&self, count: usize) -> bool {
        let least = self.arguments.len() - self.optional;
        count >= least && (self.variadic || count <= self.arguments.len())
    }

    /// The type of its result for arguments of these types.
    pub fn result_type(&self, arguments: &[Type]) -> Option<Type> {
        let declared: Vec<Ty> = (0..arguments.len()).filter_map(|position| self.argument(position)).collect();
        super::ty::result(&declared, self.result, arguments)
    }

    /// A name of its own among all rows, fit for registering: `pg_lower_text`, `pg_plus_int4_int4`.
    pub fn symbol(&self) -> String {
        symbol("pg", self.name, self.kind, self.arguments)
    }
}

/// A word for each character of operator symbols.
const SYMBOLS: &[(char, &str)] = &[
    ('+', "plus"),
    ('-', "minus"),
    ('*', "star"),
    ('/', "slash"),
    ('%', "percent"),
    ('^', "caret"),
    ('<', "less"),
    ('>', "greater"),
    ('=', "equal"),
    ('~', "tilde"),
    ('!', "bang"),
    ('@', "at"),
    ('#', "hash"),
    ('&', "and"),
    ('|', "bar"),
    ('?', "ask"),
    ('[', "open"),
    (':', "colon"),
    (']', "close"),
];

pub(super) fn symbol(prefix: &str, name: &str, kind: Kind, arguments: &[Ty]) -> String {
    let mut out = prefix.to_owned();
    if kind == Kind::Function {
        out.push('_');
        out.push_str(&name.replace(' ', "_"));
    } else {
        if kind == Kind::Prefix {
            out.push_str("_prefix");
        }
        for c in name.chars() {
            out.push('_');
            out.push_str(SYMBOLS.iter().find(|(symbol, _)| *symbol == c).map_or("", |(_, word)| word));
        }
    }
    for argument in arguments {
        out.push('_');
        argument.word(&mut out);
    }
    out
}

impl PartialEq for Function {
    fn eq(&self, other: &Function) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Function {}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.symbol())
    }
}
