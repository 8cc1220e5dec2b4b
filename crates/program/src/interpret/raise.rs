//! `raise` and `assert`.

use sql::ast::Expr;
use sql::body::{Level, Raise, Raised};
use types::{Code, Error, Named, Result, Value};

use super::Frame;
use crate::conditions;
use crate::context::At;
use crate::convert::{boolean, printed};
use crate::host::Notice;

/// What an error says.
#[derive(Default)]
struct Said {
    state: Option<String>,
    /// What its state was called: its message, where nothing else is.
    condition: Option<String>,
    message: Option<String>,
    details: Option<String>,
    hint: Option<String>,
    names: Vec<(Named, String)>,
}

/// The state of an error that says none, or that says that there is none.
const RAISED: &str = "P0001";
const NO_ERROR: &str = "00000";

/// Options that name something.
const NAMES: &[(&str, Named)] = &[
    ("column", Named::Column),
    ("constraint", Named::Constraint),
    ("datatype", Named::Type),
    ("table", Named::Table),
    ("schema", Named::Schema),
];

impl Frame<'_> {
    pub(super) async fn raise(&mut self, raise: &Raise) -> Result<()> {
        if raise.what == Raised::Nothing && raise.options.is_empty() {
            let handled = self.handled.last().cloned().ok_or_else(|| {
                let message = "RAISE without parameters cannot be used outside an exception handler";
                Error::raised("0Z002", message)
            })?;
            // It says where it was raised first.
            self.at = At::Told;
            return Err(handled);
        }
        let mut said = Said::default();
        match &raise.what {
            Raised::Message(format, args) => said.message = Some(self.formatted(format, args).await?),
            Raised::Condition(name) => {
                said.state = Some(state_of(name)?);
                said.condition = Some(name.clone());
            }
            Raised::State(state) => {
                said.state = Some(state.clone());
                said.condition = Some(state.clone());
            }
            Raised::Nothing => {}
        }
        for (option, expr) in &raise.options {
            let (value, ty) = self.value_without_rows(expr).await?;
            let value = printed(&value, &ty, self.host.session())
                .ok_or_else(|| Error::new(Code::NULL_NOT_ALLOWED, "RAISE statement option cannot be null"))?;
            option_said(&mut said, option, value)?;
        }
        let state = said.state.unwrap_or_else(|| RAISED.to_owned());
        let message = said.message.or(said.condition).unwrap_or_else(|| state.clone());
        let state = if state == NO_ERROR { RAISED.to_owned() } else { state };
        if raise.level != Level::Exception {
            self.host.notice(Notice { level: raise.level, message });
            return Ok(());
        }
        let error = Error::raised(&state, message);
        let mut error = said.names.into_iter().fold(error, |error, (what, name)| error.naming(what, name));
        if let Some(details) = said.details {
            error = error.with_details(details);
        }
        if let Some(hint) = said.hint {
            error = error.with_hint(hint);
        }
        Err(error)
    }

    /// A message with values in place of `%`.
    async fn formatted(&mut self, format: &str, args: &[Expr]) -> Result<String> {
        let mut message = String::with_capacity(format.len());
        let mut args = args.iter();
        let mut chars = format.chars().peekable();
        while let Some(c) = chars.next() {
            if c != '%' {
                message.push(c);
            } else if chars.next_if_eq(&'%').is_some() {
                message.push('%');
            } else {
                let few = || Error::new(Code::SYNTAX, "too few parameters specified for RAISE");
                let (value, ty) = self.value_without_rows(args.next().ok_or_else(few)?).await?;
                let value = printed(&value, &ty, self.host.session());
                message.push_str(value.as_deref().unwrap_or("<NULL>"));
            }
        }
        match args.next() {
            None => Ok(message),
            Some(_) => Err(Error::new(Code::SYNTAX, "too many parameters specified for RAISE")),
        }
    }

    pub(super) async fn assert(&mut self, condition: &Expr, message: Option<&Expr>) -> Result<()> {
        let (value, ty) = self.value(condition).await?;
        if boolean(value, &ty, self.host.session())? {
            return Ok(());
        }
        let said = match message {
            Some(message) => {
                let (value, ty): (Value, _) = self.value(message).await?;
                printed(&value, &ty, self.host.session())
            }
            None => None,
        };
        Err(Error::raised("P0004", said.unwrap_or_else(|| "assertion failed".to_owned())))
    }
}

fn option_said(said: &mut Said, option: &str, value: String) -> Result<()> {
    let twice = |option: &str| {
        Err(Error::new(Code::SYNTAX, format!("RAISE option already specified: {}", option.to_uppercase())))
    };
    match option {
        "errcode" if said.state.is_some() => return twice(option),
        "errcode" => {
            said.state = Some(state_of(&value)?);
            said.condition = Some(value);
        }
        "message" if said.message.is_some() => return twice(option),
        "message" => said.message = Some(value),
        "detail" => said.details = Some(value),
        "hint" => said.hint = Some(value),
        other => match NAMES.iter().find(|(name, _)| *name == other) {
            Some((_, what)) if said.names.iter().any(|(known, _)| known == what) => return twice(option),
            Some((_, what)) => said.names.push((*what, value)),
            None => {
                let message = format!("unrecognized RAISE statement option at or near \"{other}\"");
                return Err(Error::new(Code::SYNTAX, message));
            }
        },
    }
    Ok(())
}

/// The state that a condition's name or a text of five letters and digits is.
fn state_of(name: &str) -> Result<String> {
    let is_state = name.len() == 5 && name.chars().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase());
    if is_state {
        return Ok(name.to_owned());
    }
    let known = conditions::states(name).next().map(str::to_owned);
    known.ok_or_else(|| {
        Error::new(Code::UNDEFINED_OBJECT, format!("unrecognized exception condition \"{name}\""))
    })
}
