//! For whom, under which session and how long something runs.

use std::sync::Arc;
use std::time::Duration;

use query::Caller;
use types::session::Session;

use crate::contract::Routines;
use crate::statement::SYSTEM;
use crate::work::default_path;

/// For whom, under which session and how long a plan runs.
#[derive(Clone)]
pub struct Run {
    /// Who asks.
    pub caller: Caller,
    /// Time zone, and the time of the transaction.
    pub session: Session,
    /// After this it is stopped.
    pub timeout: Duration,
    /// Whether everything is undone at the end although it succeeded.
    pub roll_back: bool,
    /// The request that it answers: engines that run functions themselves let these read it.
    pub request: Option<Arc<Asked>>,
    /// The schemas in which functions look for names, unless they say it themselves.
    pub search_path: Arc<[Arc<str>]>,
    /// The functions that the commands of a read may call, where the engine has none of its own.
    pub routines: Option<Arc<dyn Routines>>,
}

/// What functions may know about a request (`request.method`, `request.headers`, … in `current_setting`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The HTTP method.
    pub method: String,
    /// The path as the API sees it.
    pub path: String,
    /// The headers as a JSON object, names in lower case.
    pub headers: String,
    /// The cookies as a JSON object.
    pub cookies: String,
    /// The schemas in which names are looked for, the request's first.
    pub search_path: Vec<String>,
    /// Whether functions run that may say what the reply is: a call, a write (triggers), what runs before each request.
    pub functions_answer: bool,
}

impl Run {
    /// Work of the server itself: no policy stands between. Its session's time says nothing.
    pub fn of_system(timeout: Duration) -> Run {
        Run {
            caller: Caller::role(SYSTEM),
            session: Session::utc(0),
            timeout,
            roll_back: false,
            request: None,
            search_path: default_path(),
            routines: None,
        }
    }

    /// Whether functions of the database may say what the reply is.
    pub(crate) fn is_answered_by_functions(&self) -> bool {
        self.request.as_ref().is_some_and(|asked| asked.functions_answer)
    }

    /// Whether it is work of the server itself.
    pub fn is_of_system(&self) -> bool {
        *self.caller.role == *SYSTEM && self.request.is_none()
    }
}
