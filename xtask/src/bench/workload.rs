//! The workloads, a row each: what `wrk` asks, and how many at once.

use super::books::{AUTHORS, BOOKS, FIRST_YEAR, YEARS};
use super::target::{Routes, Target};

/// One kind of load.
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    /// Connections of a whole run.
    pub(crate) connections: &'static [u32],
    /// Connections of a quick one.
    pub(crate) quick: &'static [u32],
    /// The share of the ceiling that we aim at.
    pub(crate) aim: f64,
    /// Which path a server has for it.
    pub(crate) route: fn(&Routes) -> &'static str,
    /// What a request asks for.
    pub(crate) shape: Shape,
}

/// How a request differs from the one before.
pub(crate) enum Shape {
    /// `GET`, with a number from a range in place of `{}`.
    Read { from: u64, to: u64 },
    /// `POST` of a new book.
    Insert,
    /// `POST` of a body, with a number from a range in place of `{}`.
    Post { body: &'static str, from: u64, to: u64 },
}

/// Reads first: inserts make the tables grow.
pub(crate) const WORKLOADS: &[Workload] = &[
    Workload {
        name: "point read",
        connections: &[1, 16, 64],
        quick: &[16],
        aim: 0.40,
        route: |routes| routes.book,
        shape: Shape::Read { from: 1, to: BOOKS },
    },
    Workload {
        name: "list 20",
        connections: &[1, 16, 64],
        quick: &[16],
        aim: 0.65,
        route: |routes| routes.list,
        shape: YEAR,
    },
    Workload {
        name: "list 20 + embed",
        connections: &[1, 16, 64],
        quick: &[16],
        aim: 0.65,
        route: |routes| routes.embed,
        shape: YEAR,
    },
    Workload {
        name: "list 1000",
        connections: &[1, 16],
        quick: &[16],
        aim: 0.65,
        route: |routes| routes.page,
        shape: Shape::Read { from: 0, to: 0 },
    },
    Workload {
        name: "insert",
        connections: &[1, 16, 64],
        quick: &[1, 16, 64],
        aim: 0.75,
        route: |routes| routes.books,
        shape: Shape::Insert,
    },
];

/// Nothing but the web framework, asked of the ceiling.
pub(crate) const BARE: Workload = Workload {
    name: "bare route",
    connections: &[16],
    quick: &[16],
    aim: 0.0,
    route: |_| "/hello",
    shape: Shape::Read { from: 0, to: 0 },
};

const YEAR: Shape = Shape::Read { from: FIRST_YEAR, to: FIRST_YEAR + YEARS - 1 };

/// The Lua script that makes `wrk` do it. Requests are glued from ready pieces: `wrk.format` would be most of the cost.
pub(crate) fn script(workload: &Workload, target: &Target, user: &str) -> String {
    let path = (workload.route)(&target.routes);
    let headers = format!("Host: {}\\r\\n{}", target.address, target.user_headers.replace("\r\n", "\\r\\n"));
    let request = match workload.shape {
        Shape::Read { from, to } => {
            let (before, after) = path.split_once("{}").unwrap_or((path, ""));
            let number = if path.contains("{}") { format!("random({from}, {to})") } else { "''".to_owned() };
            format!(
                "local before, after = 'GET {before}', '{after} HTTP/1.1\\r\\n{headers}\\r\\n'\n\
                 function request() return before .. {number} .. after end\n"
            )
        }
        Shape::Post { body, from, to } => {
            let (before, after) = body.split_once("{}").unwrap_or((body, ""));
            format!(
                "local head = 'POST {path} HTTP/1.1\\r\\n{headers}Content-Type: application/json\\r\\nPrefer: return=minimal\\r\\nContent-Length: '\n\
                 function request()\n\
                 local body = '{before}' .. random({from}, {to}) .. '{after}'\n\
                 return head .. #body .. '\\r\\n\\r\\n' .. body\n\
                 end\n"
            )
        }
        Shape::Insert => format!(
            "local head = 'POST {path} HTTP/1.1\\r\\n{headers}Content-Type: application/json\\r\\nPrefer: return=minimal\\r\\nContent-Length: '\n\
             function request()\n\
             local body = '{{\"author_id\":' .. random(1, {AUTHORS}) .. ',\"owner_id\":\"{user}\",\"title\":\"Log ' .. random(1, 999999) .. \
             '\",\"year\":' .. random({FIRST_YEAR}, {}) .. ',\"price\":12.5,\"published\":false,\"summary\":\"{SUMMARY}\"}}'\n\
             return head .. #body .. '\\r\\n\\r\\n' .. body\n\
             end\n",
            FIRST_YEAR + YEARS - 1
        ),
    };
    format!("local random = math.random\nfunction init() math.randomseed(os.time()) end\n{request}{DONE}")
}

/// As long as those of the seeded books.
const SUMMARY: &str = "Wind from the west all day and nothing to be seen but water, which is how the captain likes it. Nobody else does, so far.";

/// Prints what is read by `measure`.
const DONE: &str = "
function done(summary, latency)
  local failed = summary.errors
  print('RESULT', summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
        failed.connect + failed.read + failed.write + failed.timeout + failed.status)
end
";
