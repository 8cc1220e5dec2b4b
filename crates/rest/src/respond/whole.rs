//! Bodies that are no rows of ours: documents that the engine makes, values of functions as they are, plans.

use types::json::{DEPTH_MAX, Json, parse, write_string};
use types::stored::Cell;
use types::{Code, Error, Result};

use super::rows::Shape;
use crate::media::{Handler, Media};

/// A body in the making.
#[derive(Debug)]
pub(super) struct Whole {
    kind: Kind,
    /// The rows that it stands for.
    pub(super) count: u64,
    bytes: Vec<u8>,
    nodes: Vec<Node>,
}

/// What the rows of the engine are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// One: a document, and how many rows are in it.
    Document,
    /// One: a value.
    Value,
    /// Lines of a plan, or its nodes.
    Plan { json: bool },
}

/// A node of a plan.
#[derive(Debug)]
struct Node {
    id: i64,
    parent: i64,
    text: String,
}

impl Whole {
    /// The body of a media type, if it is a whole.
    pub(super) fn of(media: &Media, shape: Shape) -> Option<Whole> {
        let kind = match media {
            Media::Plan { json, .. } => Kind::Plan { json: *json },
            Media::GeoJson => Kind::Document,
            Media::Custom { handler: Handler::Aggregate(_), .. } => Kind::Document,
            Media::Custom { handler: Handler::Value, .. } if shape == Shape::Value => Kind::Value,
            Media::Custom { handler: Handler::Value, .. }
            | Media::Json
            | Media::ArrayStripped
            | Media::Object { .. }
            | Media::Csv
            | Media::OpenApi
            | Media::OpenApi3
            | Media::Form
            | Media::Text
            | Media::Xml
            | Media::Bytes
            | Media::Any
            | Media::Other(_) => return None,
        };
        Some(Whole { kind, count: 0, bytes: Vec::new(), nodes: Vec::new() })
    }

    pub(super) fn restart(&mut self) {
        self.count = 0;
        self.bytes.clear();
        self.nodes.clear();
    }

    /// Takes a row of the engine. A body longer than `bytes_max` is refused.
    pub(super) fn row(&mut self, cells: &[Cell<'_>], bytes_max: usize) -> Result<()> {
        match (self.kind, cells) {
            (Kind::Document, [body, Cell::Int(rows), ..]) => {
                self.count = u64::try_from(*rows).unwrap_or_default();
                self.bytes.extend(bytes(*body));
            }
            (Kind::Value, [body, ..]) => {
                self.count += 1;
                self.bytes.extend(bytes(*body));
            }
            (Kind::Plan { .. }, [Cell::Int(id), Cell::Int(parent), _, Cell::Text(text)]) => {
                self.nodes.push(Node { id: *id, parent: *parent, text: (*text).to_owned() });
            }
            (Kind::Plan { .. }, [line]) => {
                self.bytes.extend(bytes(*line));
                self.bytes.push(b'\n');
            }
            _ => return Err(Error::internal("a row that is no part of a whole")),
        }
        let nodes: usize = self.nodes.iter().map(|node| node.text.len()).sum();
        if self.bytes.len() + nodes <= bytes_max {
            return Ok(());
        }
        Err(Error::new(Code::LIMIT_EXCEEDED, format!("The result is longer than {bytes_max} bytes")))
    }

    /// The body.
    pub(super) fn finish(mut self) -> Vec<u8> {
        match self.kind {
            Kind::Plan { json: true } if !self.nodes.is_empty() => self.json_plan(),
            Kind::Plan { json: false } if !self.nodes.is_empty() => self.text_plan(),
            Kind::Plan { .. } | Kind::Document | Kind::Value => {}
        }
        self.bytes
    }

    /// Nodes as PostgreSQL's plans are written: an object with the nodes below it.
    fn json_plan(&mut self) {
        self.bytes.extend(b"[{\"Plan\":{\"Node Type\":\"Query\",\"Plans\":");
        let mut out = std::mem::take(&mut self.bytes);
        self.json_nodes(&mut out, ROOT, 0);
        out.extend(b"}}]\n");
        self.bytes = out;
    }

    fn json_nodes(&self, out: &mut Vec<u8>, parent: i64, depth: usize) {
        out.push(b'[');
        for (position, node) in self.below(parent, depth).enumerate() {
            if position > 0 {
                out.push(b',');
            }
            out.extend(b"{\"Node Type\":");
            write_string(out, &node.text);
            if self.below(node.id, depth + 1).next().is_some() {
                out.extend(b",\"Plans\":");
                self.json_nodes(out, node.id, depth + 1);
            }
            out.push(b'}');
        }
        out.push(b']');
    }

    fn text_plan(&mut self) {
        let mut out = b"Query\n".to_vec();
        self.text_nodes(&mut out, ROOT, 0);
        self.bytes = out;
    }

    fn text_nodes(&self, out: &mut Vec<u8>, parent: i64, depth: usize) {
        for node in self.below(parent, depth) {
            out.extend(std::iter::repeat_n(b' ', 2 + 6 * depth));
            out.extend(b"->  ");
            out.extend(node.text.bytes());
            out.push(b'\n');
            self.text_nodes(out, node.id, depth + 1);
        }
    }

    /// The nodes below one. What is deeper than any plan is left out: a node is never its own parent.
    fn below(&self, parent: i64, depth: usize) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(move |node| node.parent == parent && node.id != parent && depth < LEVELS_MAX)
    }
}

/// How many rows a plan in JSON expects.
///
/// # Errors
/// `XX000` for anything but a plan.
pub fn expected_rows(plan: &str) -> Result<u64> {
    let none = || Error::internal("a plan that expects no rows");
    let Json::Array(plans) = parse(plan, DEPTH_MAX)? else { return Err(none()) };
    let rows = plans.first().and_then(|plan| plan.get("Plan")?.get("Plan Rows"));
    match rows {
        Some(Json::Number(rows)) => rows.parse().map_err(Error::internal),
        _ => Err(none()),
    }
}

/// What stands above all nodes.
const ROOT: i64 = 0;

/// Levels of a plan that are shown: more than the nesting of requests allows.
const LEVELS_MAX: usize = 200;

fn bytes(cell: Cell<'_>) -> &[u8] {
    match cell {
        Cell::Text(text) | Cell::Json(text) => text.as_bytes(),
        Cell::Blob(bytes) => bytes,
        Cell::Null | Cell::Int(_) | Cell::Real(_) => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(json: bool, rows: &[&[Cell<'_>]]) -> String {
        let media = Media::Plan { of: Box::new(Media::Json), json, options: Vec::new() };
        let mut whole = Whole::of(&media, Shape::Rows).unwrap();
        for row in rows {
            whole.row(row, 1_000).unwrap();
        }
        String::from_utf8(whole.finish()).unwrap()
    }

    #[test]
    fn nodes_become_a_tree() {
        let rows: &[&[Cell<'_>]] = &[
            &[Cell::Int(3), Cell::Int(0), Cell::Int(0), Cell::Text("SCAN t1")],
            &[Cell::Int(7), Cell::Int(3), Cell::Int(0), Cell::Text("LIST \"x\"")],
            &[Cell::Int(9), Cell::Int(0), Cell::Int(0), Cell::Text("USE TEMP B-TREE")],
        ];
        assert_eq!(
            plan(true, rows),
            "[{\"Plan\":{\"Node Type\":\"Query\",\"Plans\":[{\"Node Type\":\"SCAN t1\",\"Plans\":[{\"Node Type\":\"LIST \\\"x\\\"\"}]},{\"Node Type\":\"USE TEMP B-TREE\"}]}}]\n"
        );
        assert_eq!(
            plan(false, rows),
            "Query\n  ->  SCAN t1\n        ->  LIST \"x\"\n  ->  USE TEMP B-TREE\n"
        );
    }

    #[test]
    fn a_plan_says_how_many_rows_it_expects() {
        assert_eq!(expected_rows(r#"[{"Plan":{"Node Type":"Seq Scan","Plan Rows":560}}]"#).unwrap(), 560);
        for text in ["[]", "{}", r#"[{"Plan":{}}]"#, r#"[{"Plan":{"Plan Rows":"x"}}]"#] {
            assert!(expected_rows(text).is_err(), "{text}");
        }
    }

    #[test]
    fn lines_stay_lines() {
        assert_eq!(
            plan(false, &[&[Cell::Text("Seq Scan")], &[Cell::Text("  Filter")]]),
            "Seq Scan\n  Filter\n"
        );
    }

    #[test]
    fn a_document_says_its_rows_and_is_bounded() {
        let mut whole = Whole::of(&Media::GeoJson, Shape::Rows).unwrap();
        whole.row(&[Cell::Text("{}"), Cell::Int(7)], 2).unwrap();
        assert_eq!(whole.count, 7);
        whole.restart();
        let error = whole.row(&[Cell::Text("{  }"), Cell::Int(7)], 2).unwrap_err();
        assert_eq!(error.code(), Code::LIMIT_EXCEEDED);
    }
}
