//! Reads, drawn: what is selected, embedded, filtered, ordered and paged.

use super::ask::{Asked, escaped};
use super::filters;
use super::kinds::Class;
use super::world::{Column, Target, World, quoted};
use crate::oracle::draw::Draw;

/// How deep embeds go.
const DEPTH: usize = 2;

/// A read of something.
pub(super) fn draw(world: &World, draw: &mut Draw) -> Asked {
    let at = draw.below(world.targets.len());
    let mut asked = Asked {
        method: if draw.one_in(12) { "HEAD" } else { "GET" },
        path: escaped(&world.targets[at].name),
        ..Asked::default()
    };
    shape(world, at, &mut asked, draw);
    paged(&mut asked, draw);
    media(&mut asked, draw);
    if draw.one_in(60) {
        asked.path = "nowhere".to_owned();
    }
    asked
}

/// What is selected of a target, which rows, and in which order. Whether one row alone may be read.
pub(super) fn shape(world: &World, at: usize, asked: &mut Asked, draw: &mut Draw) -> bool {
    let mut select = Select {
        world,
        draw,
        parameters: Vec::new(),
        above: Vec::new(),
        is_pinned: false,
        spread: Vec::new(),
        met: Vec::new(),
    };
    let target = &world.targets[at];
    if select.draw.one_in(9) {
        select.grouped(target, asked);
    } else {
        let items = select.items(target, "", DEPTH);
        if !items.is_empty() {
            select.parameters.insert(0, format!("select={items}"));
        }
        asked.is_ordered = select.order(target, "");
    }
    let Select { parameters, is_pinned, .. } = select;
    asked.parameters.extend(parameters);
    if is_pinned {
        for column in target.columns.iter().filter(|column| target.key.contains(&column.name)) {
            let (name, value) = (escaped(&quoted(&column.name)), escaped(column.kind.sample(draw)));
            asked.parameters.push(format!("{name}=eq.{value}"));
        }
    }
    for _ in 0..draw.below(3) {
        asked.parameters.push(filters::parameter("", &target.columns, draw));
    }
    is_pinned
}

struct Select<'a> {
    world: &'a World,
    draw: &'a mut Draw,
    parameters: Vec<String>,
    /// What is embedded as one row in a row of the target: its name, and the target that it is a row of.
    above: Vec<(String, usize)>,
    /// Whether a cast may fail: then one row alone is read, for which of several an error names is nobody's promise.
    is_pinned: bool,
    /// Names of what is spread, and of what is embedded: one name for both would be one of two.
    spread: Vec<String>,
    met: Vec<String>,
}

impl Select<'_> {
    /// Columns and embeds; nothing stands for everything.
    fn items(&mut self, target: &Target, path: &str, depth: usize) -> String {
        let mut items = Vec::new();
        if self.draw.one_in(3) {
            items.push("*".to_owned());
        } else {
            for _ in 0..1 + self.draw.below(4) {
                items.push(self.item(target, path));
            }
        }
        let mut names: Vec<String> = Vec::new();
        for _ in 0..self.draw.below(3) {
            if depth > 0 && !target.relations.is_empty() {
                items.push(self.embed(target, path, depth, &mut names));
            }
        }
        self.null_embed(path, &names);
        items.join(",")
    }

    fn item(&mut self, target: &Target, path: &str) -> String {
        if self.draw.one_in(80) {
            return "nothing".to_owned();
        }
        if !target.computed.is_empty() && self.draw.one_in(5) {
            return self.draw.of(&target.computed).name.clone();
        }
        let column = self.draw.of(&target.columns).clone();
        let name = escaped(&quoted(&column.name));
        let is_json = matches!(column.kind.class, Class::Json | Class::Jsonb);
        match self.draw.below(10) {
            0 => format!("x{}:{name}", self.draw.below(9)),
            1 => format!("y{}:{name}::{}", self.draw.below(9), self.cast(&column, path)),
            2 | 3 if is_json => {
                let path = self.draw.word(&[
                    "-%3Ek",
                    "-%3E%3Ek",
                    "-%3Ea-%3E0",
                    "-%3E0",
                    "-%3E%3Ea",
                    "-%3Ea-%3E%3E-1",
                ]);
                format!("z{}:{name}{path}", self.draw.below(9))
            }
            _ => name,
        }
    }

    fn cast(&mut self, column: &Column, path: &str) -> &'static str {
        let sure = !path.is_empty() || !self.draw.one_in(3);
        match column.kind.class {
            _ if sure => self.draw.word(&["text", "text", "varchar"]),
            Class::Whole => self.draw.word(&["numeric", "bigint", "int8"]),
            _ => {
                self.is_pinned = true;
                self.draw.word(&["int", "date", "smallint", "nonsense"])
            }
        }
    }

    /// One embed; its filters, order and page become parameters.
    fn embed(&mut self, target: &Target, path: &str, depth: usize, names: &mut Vec<String>) -> String {
        let relation = self.draw.of(&target.relations).clone();
        let below = &self.world.targets[relation.to];
        let inner = self.draw.word(&["", "", "", "!inner", "!left"]);
        let spelled = relation.spelled.replace(' ', "%20").replace('"', "%22");
        let plain = spelled.split('!').next().unwrap_or_default().to_owned();
        // Without its hint it is perhaps one of several.
        let spelled = if self.draw.one_in(25) { plain.clone() } else { spelled };
        if self.spread.contains(&plain) {
            return self.item(target, path);
        }
        if self.draw.one_in(6) && !self.met.contains(&plain) {
            self.spread.push(plain.clone());
            return self.spread(below, (path, &spelled, &plain), inner, relation.is_one);
        }
        self.met.push(plain.clone());
        let (alias, name) = if names.contains(&plain) || self.draw.one_in(4) {
            let alias = format!("e{}{}", depth, names.len());
            (format!("{alias}:"), alias)
        } else {
            (String::new(), plain)
        };
        let inside = format!("{path}{name}.");
        if !relation.is_one && self.draw.one_in(10) {
            let aggregate = self.aggregate(below);
            names.push(name);
            return format!("{alias}{spelled}{inner}({aggregate})");
        }
        if relation.is_one && path.is_empty() {
            self.above.push((name.clone(), relation.to));
        }
        let items = if self.draw.one_in(10) { String::new() } else { self.items(below, &inside, depth - 1) };
        if self.draw.one_in(3) {
            let parameter = filters::parameter(&inside, &below.columns, self.draw);
            self.parameters.push(parameter);
        }
        if !relation.is_one {
            self.order(below, &inside);
            self.page(&inside);
        }
        names.push(name);
        format!("{alias}{spelled}{inner}({items})")
    }

    fn spread(
        &mut self,
        below: &Target,
        (path, spelled, name): (&str, &str, &str),
        inner: &str,
        is_one: bool,
    ) -> String {
        let column = self.draw.of(&below.columns).clone();
        let item = format!("s{}:{}", self.draw.below(99), escaped(&quoted(&column.name)));
        if !is_one {
            self.order(below, &format!("{path}{name}."));
        }
        format!("...{spelled}{inner}({item})")
    }

    fn null_embed(&mut self, path: &str, names: &[String]) {
        if !names.is_empty() && self.draw.one_in(4) {
            let name = self.draw.of(names).clone();
            let test = self.draw.word(&["is.null", "not.is.null", "not.is.null"]);
            self.parameters.push(format!("{path}{name}={test}"));
        }
    }

    /// A total order, nearly always; whether it is one.
    fn order(&mut self, target: &Target, path: &str) -> bool {
        if target.key.is_empty() || (path.is_empty() && self.draw.one_in(15)) {
            return false;
        }
        let mut terms = Vec::new();
        if path.is_empty() && !self.above.is_empty() && self.draw.one_in(4) {
            let (name, at) = self.draw.of(&self.above).clone();
            let column = self.draw.of(&self.world.targets[at].columns).clone();
            let direction = self.draw.word(&["", ".desc", ".asc.nullsfirst"]);
            if column.is_ordered() {
                terms.push(format!("{name}({}){direction}", escaped(&quoted(&column.name))));
            }
        }
        if self.draw.one_in(2) {
            let column = self.draw.of(&target.columns).clone();
            if column.is_ordered() || self.draw.one_in(6) {
                let direction = self.draw.word(&["", ".desc", ".asc.nullsfirst", ".desc.nullslast", ".asc"]);
                let path = if column.kind.class == Class::Jsonb {
                    self.draw.word(&["", "-%3E%3Ek", "-%3Ek"])
                } else {
                    ""
                };
                terms.push(format!("{}{path}{direction}", escaped(&quoted(&column.name))));
            }
        }
        terms.extend(target.key.iter().map(|name| escaped(&quoted(name))));
        self.parameters.push(format!("{path}order={}", terms.join(",")));
        true
    }

    fn page(&mut self, path: &str) {
        if self.draw.one_in(4) {
            self.parameters.push(format!("{path}limit={}", self.draw.between(0, 3)));
        }
        if self.draw.one_in(8) {
            self.parameters.push(format!("{path}offset={}", self.draw.between(0, 2)));
        }
    }

    /// Aggregates, by the columns beside them.
    fn grouped(&mut self, target: &Target, asked: &mut Asked) {
        let mut items: Vec<String> = Vec::new();
        let mut order = Vec::new();
        for _ in 0..self.draw.below(3) {
            let column = self.draw.of(&target.columns).clone();
            let name = escaped(&quoted(&column.name));
            if column.is_ordered() && !items.contains(&name) {
                items.push(name.clone());
                order.push(name);
            }
        }
        for number in 0..1 + self.draw.below(2) {
            items.push(format!("g{number}:{}", self.aggregate(target)));
        }
        asked.is_ordered = true;
        self.parameters.push(format!("select={}", items.join(",")));
        if !order.is_empty() {
            self.parameters.push(format!("order={}", order.join(",")));
        }
    }

    fn aggregate(&mut self, target: &Target) -> String {
        if self.draw.one_in(3) {
            return "count()".to_owned();
        }
        let column = self.draw.of(&target.columns).clone();
        let name = escaped(&quoted(&column.name));
        match column.kind.class {
            Class::Whole | Class::Number => {
                let word = self.draw.word(&["sum", "avg", "max", "min", "count"]);
                let cast = self.draw.word(&["", "", "::text"]);
                format!("{name}.{word}(){cast}")
            }
            Class::Text | Class::Moment | Class::Span | Class::Label => {
                format!("{name}.{}()", self.draw.word(&["max", "min", "count"]))
            }
            _ => format!("{name}.count()"),
        }
    }
}

/// A part of the rows, by parameters or by a header, and how many there are.
pub(super) fn paged(asked: &mut Asked, draw: &mut Draw) {
    if asked.is_ordered && draw.one_in(4) {
        asked.parameters.push(format!("limit={}", draw.between(0, 5)));
    }
    if asked.is_ordered && draw.one_in(6) {
        asked.parameters.push(format!("offset={}", draw.between(0, 6)));
    }
    if asked.is_ordered && asked.method == "GET" && draw.one_in(10) {
        asked.headers.push(("Range".into(), draw.word(&["0-1", "1-2", "2-", "0-0", "3-1"]).to_owned()));
    }
    if draw.one_in(4) {
        asked.headers.push(("Prefer".into(), "count=exact".into()));
    }
    if draw.one_in(20) {
        let zone = draw.word(&["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Nowhere/Land"]);
        asked.headers.push(("Prefer".into(), format!("timezone={zone}")));
    }
}

/// What the answer should be.
pub(super) fn media(asked: &mut Asked, draw: &mut Draw) {
    let wanted = match draw.below(14) {
        0 if asked.is_ordered => "text/csv",
        1 => "application/vnd.pgrst.object+json",
        2 if draw.one_in(2) => "application/vnd.pgrst.array+json;nulls=stripped",
        3 if draw.one_in(2) => "application/vnd.pgrst.object+json;nulls=stripped",
        4 if draw.one_in(6) => "text/html",
        _ => return,
    };
    asked.headers.push(("Accept".into(), wanted.into()));
}
