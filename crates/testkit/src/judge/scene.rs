//! Where generated queries and programs happen: a few tables with keys, references, constraints and rows, and a table that
//! programs write down in what they did.

use super::kinds::{Class, Kind, kind};
use super::terms::Ty;
use super::world::{Column, Extra, Reference, Table, World};
use crate::oracle::draw::Draw;

/// Types of columns, as expressions know them. Equal values of a column look alike, so that rows that are equal may change places.
static COLUMNS: &[(Ty, Kind)] = &[
    (Ty::Int, kind("int", Class::Whole, &["0", "1", "2", "3", "-1", "10"], "x")),
    (Ty::Int, kind("int", Class::Whole, &["1", "2", "3", "4"], "x")),
    (Ty::Big, kind("bigint", Class::Whole, &["0", "1", "20", "9007199254740993", "-7"], "x")),
    (
        Ty::Num,
        kind("numeric", Class::Number, &["0", "1.50", "-2.5", "3", "100000000000000000000.1", "0.001"], "x"),
    ),
    (Ty::Num, kind("numeric(8,2)", Class::Number, &["0.00", "1.50", "-2.50", "999.99", "3.00"], "x")),
    (Ty::Float, kind("double precision", Class::Number, &["0", "1.5", "-2.25", "3", "1024"], "x")),
    (Ty::Text, kind("text", Class::Text, &["a", "b", "ab", "Ab", "", "a b", "x,y", "hello world"], "")),
    (Ty::Text, kind("text", Class::Text, &["ab", "ac", "ba", "1", "2", "it's", "q\"q", "back\\slash"], "")),
    (Ty::Bool, kind("boolean", Class::Flag, &["true", "false"], "x")),
    (Ty::Date, kind("date", Class::Moment, &["2020-01-31", "1999-12-31", "2024-02-29", "2024-03-01"], "x")),
    (
        Ty::Stamp,
        kind(
            "timestamp",
            Class::Moment,
            &["2020-01-31 10:00:00", "1999-12-31 23:59:59.5", "2024-02-29 00:00:00"],
            "x",
        ),
    ),
    (
        Ty::Zoned,
        kind("timestamptz", Class::Moment, &["2020-01-31 10:00:00+00", "2024-07-01 00:00:00.25+00"], "x"),
    ),
    (Ty::Span, kind("interval", Class::Span, &["00:00:00", "1 day", "1 mon", "-02:30:00"], "x")),
    (
        Ty::Json,
        kind(
            "jsonb",
            Class::Jsonb,
            &["{\"k\": 1}", "{\"a\": [1, 2], \"k\": \"x\"}", "[1, {\"k\": 2}]", "\"x\"", "null", "{}"],
            "{",
        ),
    ),
    (
        Ty::Uuid,
        kind(
            "uuid",
            Class::Id,
            &["11111111-1111-4111-8111-111111111111", "b0000000-0000-4000-8000-00000000000b"],
            "x",
        ),
    ),
    (Ty::Ints, kind("int[]", Class::List, &["{}", "{1,2}", "{1,NULL,3}", "{2}"], "{")),
    (Ty::Texts, kind("text[]", Class::List, &["{}", "{a,b}", "{\"a b\",NULL}", "{b}"], "a")),
    (Ty::Mood, kind("mood", Class::Label, &["sad", "ok", "happy"], "x")),
];

/// Names of columns besides keys.
const NAMES: &[&str] = &["a", "b", "c", "d", "e", "f", "g"];

/// A table as queries see it.
#[derive(Clone, Debug)]
pub(super) struct Sketch {
    pub(super) name: String,
    pub(super) columns: Vec<(String, Ty)>,
    /// Columns that have to be given a value that is not null.
    pub(super) required: Vec<String>,
    /// Whether it only shows what a table holds.
    pub(super) is_view: bool,
}

/// Tables for queries, and what they are.
pub(super) fn draw(draw: &mut Draw) -> (World, Vec<Sketch>) {
    let mut world = World {
        before: vec!["create type mood as enum ('sad', 'ok', 'happy')".to_owned()],
        ..World::default()
    };
    let mut sketches = Vec::new();
    for number in 0..2 + draw.below(2) {
        let (table, sketch) = table(number, draw);
        world.tables.push(table);
        sketches.push(sketch);
    }
    for at in 0..world.tables.len() {
        world.tables[at].rows = rows(&world, at, draw);
    }
    world.extras.push(Extra::Statement(
        "create table log (what text, at_id int, was jsonb, became jsonb)".to_owned(),
    ));
    world.extras.push(Extra::Statement(stored(&sketches)));
    (world, sketches)
}

/// A function that shows what all tables hold.
fn stored(sketches: &[Sketch]) -> String {
    let one = |sketch: &Sketch| {
        let name = &sketch.name;
        format!("'{name}', (select jsonb_agg(to_jsonb(t) order by t.id) from {name} t)")
    };
    let tables: Vec<String> = sketches.iter().map(one).collect();
    format!(
        "create function stored() returns jsonb language sql stable security definer as $$\nselect jsonb_build_object({}, \
         'log', (select jsonb_agg(to_jsonb(t) order by to_jsonb(t)) from log t))\n$$",
        tables.join(",\n")
    )
}

fn table(number: usize, draw: &mut Draw) -> (Table, Sketch) {
    let name = format!("t{}", number + 1);
    let mut id = Column::new("id", &COLUMNS[0].1);
    id.is_required = true;
    let mut columns = vec![id];
    let mut sketch = Sketch {
        name: name.clone(),
        columns: vec![("id".to_owned(), Ty::Int)],
        required: vec!["id".to_owned()],
        is_view: false,
    };
    let mut constraints = Vec::new();
    let mut references = Vec::new();
    if number > 0 {
        let to = draw.below(number);
        let column = format!("t{}_id", to + 1);
        columns.push(Column::new(&column, &COLUMNS[0].1));
        sketch.columns.push((column.clone(), Ty::Int));
        references.push(Reference {
            name: format!("{name}_parent"),
            columns: vec![column],
            to,
            to_columns: vec!["id".to_owned()],
            actions: draw
                .word(&[
                    "",
                    " on delete cascade",
                    " on delete set null",
                    " on update cascade",
                    " on delete cascade on update cascade",
                    " on delete set default on update set null",
                    " on delete cascade deferrable initially deferred",
                ])
                .to_owned(),
            is_unique: false,
        });
    }
    for (at, of) in NAMES.iter().take(4 + draw.below(4)).enumerate() {
        // The first two are what most expressions are about.
        let (ty, kind) = match at {
            0 => &COLUMNS[draw.below(2)],
            1 => &COLUMNS[6 + draw.below(2)],
            _ => draw.of(COLUMNS),
        };
        let mut column = Column::new(*of, kind);
        match draw.below(8) {
            0 => column.suffix = format!("default {}", kind.literal(kind.sample(draw))),
            1 => {
                column.suffix = "not null".to_owned();
                column.is_required = true;
                sketch.required.push((*of).to_owned());
            }
            _ => {}
        }
        if *ty == Ty::Int && draw.one_in(3) {
            constraints.push(format!("constraint {name}_{of}_small check ({of} < 50)"));
        }
        columns.push(column);
        sketch.columns.push(((*of).to_owned(), *ty));
    }
    let table = Table {
        name,
        columns,
        key: vec!["id".to_owned()],
        references,
        constraints,
        unique: Vec::new(),
        rows: Vec::new(),
        is_guarded: false,
    };
    (table, sketch)
}

fn rows(world: &World, at: usize, draw: &mut Draw) -> Vec<Vec<Option<String>>> {
    let table = &world.tables[at];
    let count = 3 + draw.below(5);
    let row = |number: usize, draw: &mut Draw| {
        let value = |(position, column): (usize, &Column), draw: &mut Draw| {
            if position == 0 {
                return Some((number + 1).to_string());
            }
            if let Some(reference) = table.references.iter().find(|key| key.columns[0] == column.name) {
                let parents = world.tables[reference.to].rows.len();
                return (!draw.one_in(5) && parents > 0).then(|| (1 + draw.below(parents)).to_string());
            }
            (column.is_required || !draw.one_in(6)).then(|| column.kind.sample(draw).to_owned())
        };
        table.columns.iter().enumerate().map(|column| value(column, draw)).collect()
    };
    (0..count).map(|number| row(number, draw)).collect()
}
