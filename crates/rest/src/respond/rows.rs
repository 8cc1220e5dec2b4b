//! Rows into the bytes of a body, one at a time: the only writer of bodies.

use std::sync::Arc;

use types::json::write_string;
use types::json_value::write_cell;
use types::session::Session;
use types::stored::Cell;
use types::{Code, Error, Result, Type};

use super::body::{Aside, Body, Spool};
use super::whole::Whole;
use super::{csv, strip};
use crate::media::Media;

/// A column of the result.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its key in the reply.
    pub name: Arc<str>,
    /// Its type.
    pub ty: Type,
}

/// The columns of a result, as a body begins to say them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Heading {
    columns: Arc<[Column]>,
    /// `"name":` of each column, written once.
    keys: Arc<[Box<[u8]>]>,
}

impl From<Vec<Column>> for Heading {
    fn from(columns: Vec<Column>) -> Heading {
        let keys = columns.iter().map(|column| key(&column.name)).collect();
        Heading { columns: columns.into(), keys }
    }
}

/// What a body has room for at its first row: many are no longer.
const BODY_BYTES: usize = 1 << 10;

/// What the rows are: a table's and most functions' are rows, other functions return less.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// Any number of rows.
    #[default]
    Rows,
    /// The one row of a function that returns a composite value.
    Row,
    /// Any number of values: rows of one column.
    Values,
    /// One value.
    Value,
}

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// An array of objects.
    Objects,
    /// One object, from exactly one row.
    Object,
    /// One object, or null.
    Row,
    /// An array of values.
    Values,
    /// One value.
    Value,
    /// A header and lines.
    Csv,
}

impl Layout {
    fn of(media: &Media, shape: Shape) -> Layout {
        match (media, shape) {
            (Media::Csv, _) => Layout::Csv,
            (_, Shape::Value) => Layout::Value,
            (Media::Object { .. }, _) => Layout::Object,
            (_, Shape::Row) => Layout::Row,
            (_, Shape::Values) => Layout::Values,
            (_, Shape::Rows) => Layout::Objects,
        }
    }

    /// Whether all rows are written; of the others the first one is, and the rest is counted.
    fn is_list(self) -> bool {
        matches!(self, Layout::Objects | Layout::Values | Layout::Csv)
    }
}

/// A body in the making.
#[derive(Debug)]
pub struct Rows {
    layout: Layout,
    stripped: bool,
    heading: Heading,
    session: Session,
    bytes_max: usize,
    count: u64,
    out: Vec<u8>,
    /// Where what does not stay in memory goes.
    aside: Option<Aside>,
    /// What went there.
    spool: Option<Box<dyn Spool>>,
    /// How long `out` may become before somebody looks at it.
    room: usize,
    /// What the body is when it is made of no rows.
    whole: Option<Whole>,
}

impl Rows {
    /// A body of `media` for rows of these columns. A body longer than `bytes_max` is refused.
    pub fn new(
        media: &Media,
        shape: Shape,
        heading: impl Into<Heading>,
        session: Session,
        bytes_max: usize,
    ) -> Rows {
        let stripped = matches!(media, Media::ArrayStripped | Media::Object { stripped: true });
        let layout = Layout::of(media, shape);
        Rows {
            layout,
            stripped,
            heading: heading.into(),
            session,
            bytes_max,
            count: 0,
            out: Vec::new(),
            aside: None,
            spool: None,
            room: bytes_max,
            whole: Whole::of(media, shape),
        }
    }

    /// The same, of which what is long is put aside.
    pub fn with(mut self, aside: Option<Aside>) -> Rows {
        self.aside = aside;
        self.room = self.room_after(0);
        self
    }

    /// The rows received.
    pub fn count(&self) -> u64 {
        self.whole.as_ref().map_or(self.count, |whole| whole.count)
    }

    /// Forgets every row.
    pub fn restart(&mut self) {
        self.count = 0;
        self.out.clear();
        if let Some(whole) = &mut self.whole {
            whole.restart();
        }
        self.spool = None;
        self.room = self.room_after(0);
    }

    /// Takes one row, a cell for each column.
    ///
    /// # Errors
    /// `54000` beyond the limit, what [`Spool::append`] refuses, `XX001` when a cell is no stored form of its column's type.
    pub fn row(&mut self, cells: &[Cell<'_>]) -> Result<()> {
        if let Some(whole) = &mut self.whole {
            return whole.row(cells, self.bytes_max);
        }
        if cells.len() != self.heading.columns.len() {
            return Err(Error::internal("a row of another number of columns"));
        }
        let is_first = self.count == 0;
        if is_first {
            self.out.reserve(BODY_BYTES.min(self.room));
        }
        self.count += 1;
        if is_first || self.layout.is_list() {
            self.open(is_first);
            self.write(cells)?;
        }
        self.settle()
    }

    /// The body.
    ///
    /// # Errors
    /// `PGRST116` when one row was asked for and there is another number of them.
    pub fn finish(mut self) -> Result<Body> {
        if let Some(whole) = self.whole {
            return Ok(whole.finish().into());
        }
        if self.layout == Layout::Object && self.count != 1 {
            return Err(not_singular(self.count));
        }
        let is_empty = self.count == 0;
        match self.layout {
            Layout::Objects | Layout::Values if is_empty => self.out.extend(b"[]"),
            Layout::Objects | Layout::Values => self.out.push(b']'),
            Layout::Row | Layout::Value if is_empty => self.out.extend(b"null"),
            Layout::Csv if is_empty => self.out.push(b'\n'),
            Layout::Row | Layout::Value | Layout::Object | Layout::Csv => {}
        }
        Ok(Body::new(self.spool, self.out))
    }

    /// What stands before a row.
    fn open(&mut self, is_first: bool) {
        match (self.layout, is_first) {
            (Layout::Objects | Layout::Values, true) => self.out.push(b'['),
            (Layout::Objects | Layout::Values, false) => self.out.push(b','),
            (Layout::Csv, true) => {
                self.names();
                self.out.push(b'\n');
            }
            (Layout::Csv, false) => self.out.push(b'\n'),
            (Layout::Object | Layout::Row | Layout::Value, _) => {}
        }
    }

    fn names(&mut self) {
        for (position, column) in self.heading.columns.iter().enumerate() {
            if position > 0 {
                self.out.push(b',');
            }
            csv::name(&mut self.out, &column.name);
        }
    }

    fn write(&mut self, cells: &[Cell<'_>]) -> Result<()> {
        match self.layout {
            Layout::Csv => self.line(cells),
            Layout::Values | Layout::Value => match cells.first() {
                Some(&cell) => self.value(0, cell),
                None => Err(Error::internal("a value without a column")),
            },
            Layout::Objects | Layout::Object | Layout::Row => self.object(cells),
        }
    }

    fn line(&mut self, cells: &[Cell<'_>]) -> Result<()> {
        for (position, &cell) in cells.iter().enumerate() {
            if position > 0 {
                self.out.push(b',');
            }
            csv::field(&mut self.out, &self.heading.columns[position].ty, cell, &self.session)?;
            self.settle()?;
        }
        Ok(())
    }

    fn object(&mut self, cells: &[Cell<'_>]) -> Result<()> {
        self.out.push(b'{');
        let mut separated = false;
        for (position, &cell) in cells.iter().enumerate() {
            if self.stripped && self.is_null(position, cell) {
                continue;
            }
            if separated {
                self.out.push(b',');
            }
            separated = true;
            self.out.extend(&*self.heading.keys[position]);
            self.value(position, cell)?;
            self.settle()?;
        }
        self.out.push(b'}');
        Ok(())
    }

    /// Whether a cell is null in JSON: JSON's own null is one too.
    fn is_null(&self, position: usize, cell: Cell<'_>) -> bool {
        match cell {
            Cell::Null => true,
            Cell::Text(text) => is_json(&self.heading.columns[position].ty) && text.trim() == "null",
            Cell::Json(text) => text.trim() == "null",
            Cell::Int(_) | Cell::Real(_) | Cell::Blob(_) => false,
        }
    }

    fn value(&mut self, position: usize, cell: Cell<'_>) -> Result<()> {
        let ty = &self.heading.columns[position].ty;
        if !self.stripped || !holds_objects(ty) {
            return write_cell(&mut self.out, ty, cell, &self.session);
        }
        let mut written = Vec::new();
        write_cell(&mut written, ty, cell, &self.session)?;
        strip::strip(&mut self.out, &String::from_utf8(written).map_err(Error::internal)?)
    }

    /// Holds the body to its limit, and puts aside what is too long for memory.
    fn settle(&mut self) -> Result<()> {
        if self.out.len() <= self.room {
            return Ok(());
        }
        let aside = self.spool.as_ref().map_or(0, |spool| spool.length());
        let length = usize::try_from(aside).unwrap_or(usize::MAX).saturating_add(self.out.len());
        let Some(aside) = self.aside.as_ref().filter(|_| length <= self.bytes_max) else {
            let message = format!("The result is longer than {} bytes", self.bytes_max);
            return Err(Error::new(Code::LIMIT_EXCEEDED, message).with_hint("Ask for fewer rows or columns."));
        };
        let spool = match &mut self.spool {
            Some(spool) => spool,
            empty => empty.insert(aside.spools.open()?),
        };
        spool.append(&self.out)?;
        self.out.clear();
        // One long cell shall not be remembered by the memory of all that follow.
        self.out.shrink_to(aside.memory_bytes_max.saturating_mul(2));
        self.room = self.room_after(length);
        Ok(())
    }

    /// How long `out` may become after so many bytes were put aside.
    fn room_after(&self, aside: usize) -> usize {
        let memory = self.aside.as_ref().map_or(usize::MAX, |aside| aside.memory_bytes_max);
        memory.min(self.bytes_max.saturating_sub(aside))
    }
}

/// The refusal of another number of rows than the one asked for.
pub fn not_singular(rows: u64) -> Error {
    Error::new(Code::NOT_SINGULAR, "Cannot coerce the result to a single JSON object")
        .with_details(format!("The result contains {rows} rows"))
}

fn key(name: &str) -> Box<[u8]> {
    let mut out = Vec::with_capacity(name.len() + 3);
    write_string(&mut out, name);
    out.push(b':');
    out.into()
}

fn is_json(ty: &Type) -> bool {
    matches!(ty, Type::Json | Type::Jsonb)
}

fn holds_objects(ty: &Type) -> bool {
    match ty {
        Type::Array(element) => holds_objects(element),
        ty => is_json(ty) || matches!(ty, Type::Composite(_)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn columns() -> Vec<Column> {
        [("id", Type::Int8), ("a \"b\"", Type::Text), ("doc", Type::Jsonb)]
            .map(|(name, ty)| Column { name: name.into(), ty })
            .to_vec()
    }

    fn body(media: &Media, shape: Shape, rows: &[[Cell<'_>; 3]]) -> Result<String> {
        let mut body = Rows::new(media, shape, columns(), Session::utc(0), 1_000);
        for row in rows {
            body.row(row)?;
        }
        body.finish().map(|body| String::from_utf8(body.in_memory().unwrap()).unwrap())
    }

    const FULL: [Cell<'static>; 3] =
        [Cell::Int(1), Cell::Text("x,\\\""), Cell::Text(r#"{"k": null, "l": 2}"#)];
    const BARE: [Cell<'static>; 3] = [Cell::Int(2), Cell::Null, Cell::Text("null")];

    #[test]
    fn objects_are_written_as_json_does() {
        let object = Media::Object { stripped: false };
        let first = r#"{"id":1,"a \"b\"":"x,\\\"","doc":{"k": null, "l": 2}}"#;
        let second = r#"{"id":2,"a \"b\"":null,"doc":null}"#;
        for (media, shape, rows, written) in [
            (Media::Json, Shape::Rows, &[FULL, BARE][..], format!("[{first},{second}]")),
            (Media::Json, Shape::Rows, &[], "[]".to_owned()),
            (object.clone(), Shape::Rows, &[FULL], first.to_owned()),
            (Media::Json, Shape::Row, &[BARE], second.to_owned()),
            (Media::Json, Shape::Row, &[], "null".to_owned()),
            (Media::Json, Shape::Values, &[FULL, BARE], "[1,2]".to_owned()),
            (Media::Json, Shape::Value, &[FULL], "1".to_owned()),
            (object, Shape::Value, &[FULL], "1".to_owned()),
            (Media::Json, Shape::Value, &[], "null".to_owned()),
        ] {
            assert_eq!(body(&media, shape, rows).unwrap(), written);
        }
    }

    #[test]
    fn nulls_are_stripped_on_request() {
        let first = r#"{"id":1,"a \"b\"":"x,\\\"","doc":{"l":2}}"#;
        let list = body(&Media::ArrayStripped, Shape::Rows, &[FULL, BARE]).unwrap();
        assert_eq!(list, format!("[{first},{{\"id\":2}}]"));
        assert_eq!(body(&Media::Object { stripped: true }, Shape::Rows, &[FULL]).unwrap(), first);
    }

    #[test]
    fn one_object_needs_one_row() {
        for (rows, details) in
            [(&[][..], "The result contains 0 rows"), (&[FULL, BARE], "The result contains 2 rows")]
        {
            let error = body(&Media::Object { stripped: false }, Shape::Rows, rows).unwrap_err();
            assert_eq!(error.code(), Code::NOT_SINGULAR);
            assert_eq!(error.details(), Some(&types::error::Details::Text(details.to_owned())));
        }
    }

    /// Lines as PostgreSQL 15 prints the rows.
    #[test]
    fn csv_has_a_header_and_composite_quoting() {
        let csv = body(&Media::Csv, Shape::Rows, &[FULL, BARE]).unwrap();
        assert_eq!(
            csv,
            "id,\"a \"\"b\"\"\",doc\n1,\"x,\\\\\"\"\",\"{\"\"k\"\": null, \"\"l\"\": 2}\"\n2,,null"
        );
        assert_eq!(body(&Media::Csv, Shape::Rows, &[]).unwrap(), "\n");
        let empty = [Cell::Int(1), Cell::Text(""), Cell::Null];
        assert!(body(&Media::Csv, Shape::Rows, &[empty]).unwrap().ends_with("\n1,\"\","));
    }

    #[test]
    fn a_body_is_bounded_and_can_start_over() {
        let mut rows = Rows::new(&Media::Json, Shape::Rows, columns(), Session::utc(0), 60);
        rows.row(&FULL).unwrap();
        assert_eq!(rows.row(&FULL).unwrap_err().code(), Code::LIMIT_EXCEEDED);
        rows.restart();
        rows.row(&BARE).unwrap();
        assert_eq!(rows.count(), 1);
        assert!(rows.finish().unwrap().in_memory().unwrap().starts_with(b"[{\"id\":2"));
    }

    /// Keeps what is put aside where a test can look at it.
    #[derive(Debug)]
    struct Kept(Arc<Mutex<Vec<u8>>>, u64);

    impl Spool for Kept {
        fn append(&mut self, bytes: &[u8]) -> Result<()> {
            self.0.lock().unwrap().extend(bytes);
            self.1 += bytes.len() as u64;
            Ok(())
        }

        fn length(&self) -> u64 {
            self.1
        }
    }

    #[derive(Debug, Default)]
    struct Shelf(Mutex<Vec<Arc<Mutex<Vec<u8>>>>>);

    impl super::super::Spools for Shelf {
        fn open(&self) -> Result<Box<dyn Spool>> {
            let kept = Arc::default();
            self.0.lock().unwrap().push(Arc::clone(&kept));
            Ok(Box::new(Kept(kept, 0)))
        }
    }

    #[test]
    fn a_long_body_is_put_aside_but_for_its_end() {
        let shelf = Arc::new(Shelf::default());
        let aside = Aside { memory_bytes_max: 60, spools: shelf.clone() };
        let mut rows =
            Rows::new(&Media::Json, Shape::Rows, columns(), Session::utc(0), 2_000).with(Some(aside));
        rows.row(&FULL).unwrap();
        assert_eq!(shelf.0.lock().unwrap().len(), 0, "a short body stays in memory");
        rows.row(&FULL).unwrap();
        rows.restart();
        for _ in 0..20 {
            rows.row(&FULL).unwrap();
        }
        let body = rows.finish().unwrap();
        let length = body.length();
        let (spool, end) = body.into_parts();
        assert!(spool.is_some() && end.len() <= 120, "{}", end.len());
        let mut bytes = shelf.0.lock().unwrap()[1].lock().unwrap().clone();
        bytes.extend(end);
        assert_eq!(bytes.len() as u64, length);
        let object = r#"{"id":1,"a \"b\"":"x,\\\"","doc":{"k": null, "l": 2}}"#;
        assert_eq!(String::from_utf8(bytes).unwrap(), format!("[{}]", [object; 20].join(",")));
    }

    #[test]
    fn what_is_put_aside_counts() {
        let aside = Aside { memory_bytes_max: 10, spools: Arc::new(Shelf::default()) };
        let mut rows =
            Rows::new(&Media::Json, Shape::Rows, columns(), Session::utc(0), 150).with(Some(aside));
        rows.row(&FULL).unwrap();
        rows.row(&FULL).unwrap();
        assert_eq!(rows.row(&FULL).unwrap_err().code(), Code::LIMIT_EXCEEDED);
    }
}
