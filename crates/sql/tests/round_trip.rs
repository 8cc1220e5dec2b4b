//! What is printed is read again as the same tree; whatever is given, nothing panics and every complaint has a place.

use sql::ast::{Statement, StatementKind};
use sql::{line_column, parse, print};

const STATEMENTS: &str = include_str!("statements.sql");

/// Reads text in which nothing is wrong.
#[track_caller]
fn read(text: &str) -> Vec<Statement> {
    let (statements, diagnostics) = parse(text);
    let said: Vec<_> =
        diagnostics.iter().map(|said| (line_column(text, said.span.start), said.message.as_str())).collect();
    assert!(said.is_empty(), "{said:?} in {}", if text == STATEMENTS { "statements.sql" } else { text });
    statements
}

fn source(statement: &Statement) -> &'static str {
    &STATEMENTS[statement.span.start as usize..statement.span.end as usize]
}

#[test]
fn printed_statements_are_read_as_the_same() {
    for statement in read(STATEMENTS) {
        let Some(printed) = print::statement(&statement.kind) else {
            panic!("not printed: {}", source(&statement))
        };
        let again = read(&printed);
        assert_eq!(again.len(), 1, "{printed}");
        assert_eq!(again[0].kind, statement.kind, "{printed}");
        assert_eq!(print::statement(&again[0].kind).as_ref(), Some(&printed), "printing is stable");
    }
}

#[test]
fn statements_read_alone_are_what_they_are_among_others() {
    for statement in read(STATEMENTS) {
        assert_eq!(read(source(&statement))[0].kind, statement.kind);
    }
}

#[test]
fn every_kind_of_statement_is_there() {
    let kinds: std::collections::BTreeSet<String> = read(STATEMENTS)
        .iter()
        .map(|statement| format!("{:?}", statement.kind))
        .map(|shown| shown.split([' ', '(', '{']).next().unwrap_or_default().to_owned())
        .collect();
    // All but `Transaction` and `Other`, which keep too little to be printed.
    assert_eq!(kinds.len(), 35, "{kinds:?}");
}

#[test]
fn expressions_keep_their_structure() {
    let same = [
        ("a or b and c", "a or (b and c)"),
        ("a::int2 % (b)", "(a::int2) % b"),
        ("not a = b", "not (a = b)"),
        ("a = b is null", "(a = b) is null"),
        ("a + b * c ^ d", "a + (b * (c ^ d))"),
        ("-a ^ b", "(-a) ^ b"),
        ("a - b - c", "(a - b) - c"),
        ("a < b + 1", "a < (b + 1)"),
        ("a || b < c", "(a || b) < c"),
        ("a || b + c", "a || (b + c)"),
        ("a -> 'b' || c", "(a -> 'b') || c"),
        ("a between b and c and d", "(a between b and c) and d"),
        ("a like b || c", "a like (b || c)"),
        ("a = b like c", "a = (b like c)"),
        ("-1::int", "-(1::int)"),
        ("@ a || b", "(@ a) || b"),
        ("@ a + b", "@ (a + b)"),
        ("a || @ b", "a || (@ b)"),
        ("a at time zone 'x' + b", "(a at time zone 'x') + b"),
        ("a collate \"C\" < b", "(a collate \"C\") < b"),
        ("a is distinct from b and c", "(a is distinct from b) and c"),
        ("a <> all (array[b]) or c", "(a <> all (array[b])) or c"),
        ("not a in (1)", "not (a in (1))"),
        ("a is null + b", "(a is null) + b"),
        ("a in (1) = b", "(a in (1)) = b"),
        ("a = b and c = d or e", "((a = b) and (c = d)) or e"),
        ("a = not b = c", "a = (not (b = c))"),
        ("- @ a + b", "- (@ (a + b))"),
        ("a operator(pg_catalog.*) b + c", "a operator(pg_catalog.*) (b + c)"),
        ("a between b + c and d || e", "a between (b + c) and (d || e)"),
        ("a collate \"C\" at time zone b", "(a collate \"C\") at time zone b"),
        ("a::int[1]", "a::int[]"),
    ];
    for (text, explicit) in same {
        let parsed = sql::parse_expr(text).map_err(|said| said.message);
        assert_eq!(parsed, sql::parse_expr(explicit).map_err(|said| said.message), "{text}");
        let printed = print::expr(&parsed.expect(text));
        assert_eq!(
            sql::parse_expr(&printed).map_err(|said| said.message),
            sql::parse_expr(text).map_err(|said| said.message),
            "{printed}"
        );
    }
}

#[test]
fn a_setting_keeps_its_sign() {
    let set = |text: &str| match &read(text)[0].kind {
        StatementKind::Set { values, .. } => values.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(set("set app.level = -5"), ["-5"]);
    assert_eq!(set("set search_path to public, \"Other\""), ["public", "Other"]);
    assert!(!parse("set app.level = - 'five'").1.is_empty());
}

#[test]
fn complaints_say_where() {
    let text =
        "select 1;\nselect from where;\nselect 2;\n  select é, 'x' 1 from t;\ncreate table t (a);\nselect 3";
    let (statements, diagnostics) = parse(text);
    let places: Vec<(usize, usize)> =
        diagnostics.iter().map(|said| line_column(text, said.span.start)).collect();
    assert_eq!(statements.len(), 3);
    assert_eq!(places[..2], [(2, 13), (4, 17)], "{diagnostics:?}");
    assert!(places.iter().any(|&(line, _)| line == 5), "{diagnostics:?}");
    assert_eq!(diagnostics[0].message, "syntax error at or near \"where\"");
    for (text, place, message) in [
        ("select 'a", (1, 8), "unterminated quoted string"),
        ("select 1 /* x", (1, 10), "unterminated comment"),
        ("select \"a", (1, 8), "unterminated quoted identifier"),
        ("do $$ begin", (1, 4), "unterminated dollar-quoted string"),
        ("select 'a' 'b'", (1, 12), "syntax error at or near \"'b'\""),
        ("select (1", (1, 9), "syntax error at end of input"),
        ("select a = b = c", (1, 14), "syntax error at or near \"=\""),
        ("select case else 1 end", (1, 13), "syntax error at or near \"else\""),
        ("select a similar to any (b)", (1, 21), "syntax error at or near \"any\""),
        ("select 1 limit 1 limit 2", (1, 18), "syntax error at or near \"limit\""),
        ("update t set a = 1 where", (1, 20), "syntax error at end of input"),
        (
            "insert into t (a) overriding user value values (1)",
            (1, 19),
            "overriding user value is not supported",
        ),
    ] {
        let (_, diagnostics) = parse(text);
        let first =
            diagnostics.first().map(|said| (line_column(text, said.span.start), said.message.as_str()));
        assert_eq!(first, Some((place, message)), "{text}");
    }
}

#[test]
fn a_word_is_no_statement_boundary() {
    let statements =
        read("create table t (atomic bool, a text); select 'x;y', \"a;b\", $$;$$ -- ;\n; select 2 /* ; */");
    assert_eq!(statements.len(), 3);
}

/// What nests in itself: what opens a level, and what closes it.
const NESTING: &[(&str, &str)] = &[
    ("(", ")"),
    ("1 + (", ")"),
    ("(1, ", ")"),
    ("row(", ")"),
    ("array[", "]"),
    ("a[", "]"),
    ("not ", ""),
    ("1 = any (", ")"),
    ("1 in (", ")"),
    ("1 between (", ") and 2"),
    ("case when true then ", " end"),
    ("case when case when true then true end then ", " end"),
    ("- ", ""),
    ("@ ", ""),
    ("abs(", ")"),
    ("cast(", " as int)"),
    ("substring(", ", 1)"),
    ("substring(", " from 1)"),
    ("count(*) filter (where ", ")"),
    ("count(*) over (order by ", ")"),
    ("(select ", ")"),
    ("exists (select from t where ", ")"),
    ("array(select ", ")"),
    ("(with a as (select ", ") select 1)"),
    ("(with a as (insert into t values (", ")) select 1)"),
    ("(select a from (select ", ") x)"),
    ("(select a from t join u on ", ")"),
    ("(select a from t group by ", ")"),
    ("(select 1 limit ", ")"),
];

#[test]
fn what_is_nested_is_read_and_refused_on_a_small_stack() {
    // What a thread of a server gets.
    let stack = std::thread::Builder::new().stack_size(2 << 20);
    let read = stack.spawn(|| {
        for (open, close) in NESTING {
            for depth in [10, 20, 50, 100, 150, 10_000] {
                let text = format!("select {}1{}", open.repeat(depth), close.repeat(depth));
                let (statements, said) = parse(&text);
                assert!(depth > 20 || said.is_empty(), "{open} {depth} {said:?}");
                assert!(depth <= 100 || !said.is_empty(), "{open} {depth}");
                // Printing may put one pair of parentheses more around each.
                for statement in statements.iter().filter(|_| depth <= 20) {
                    let printed = print::statement(&statement.kind).unwrap_or_default();
                    assert_eq!(parse(&printed).0.first().map(|again| &again.kind), Some(&statement.kind));
                }
            }
        }
    });
    read.unwrap().join().unwrap();
}

#[test]
fn deep_nesting_is_refused() {
    let long = format!("select 1{}", " + 1".repeat(20_000));
    let (_, said) = parse(&long);
    assert!(said.is_empty() || said[0].message.contains("nested deeper"), "{said:?}");
}

/// Numbers that look random and are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).map_or(0, |number| number % bound.max(1))
    }
}

#[test]
fn no_text_makes_it_panic() {
    let statements = read(STATEMENTS);
    let mut numbers = Numbers(1);
    for statement in &statements {
        let text = source(statement);
        for end in (0..text.len()).filter(|&end| text.is_char_boundary(end)).step_by(7) {
            parse(&text[..end]);
        }
        let other = source(&statements[numbers.below(statements.len())]);
        for _ in 0..4 {
            check(&mutated(text, other, &mut numbers));
        }
    }
}

/// Words of one statement with some of another's in between, some gone, some swapped.
fn mutated(text: &str, other: &str, numbers: &mut Numbers) -> String {
    let mut words: Vec<&str> = text.split_inclusive([' ', '(', ',']).collect();
    let others: Vec<&str> = other.split_inclusive([' ', '(', ',']).collect();
    for _ in 0..=numbers.below(3) {
        let at = numbers.below(words.len());
        match numbers.below(3) {
            0 => drop(words.remove(at)),
            1 => words.insert(at, others[numbers.below(others.len())]),
            _ => words[at] = others[numbers.below(others.len())],
        }
        if words.is_empty() {
            break;
        }
    }
    words.concat()
}

/// Every complaint has a place in the text; what was read can be printed and read.
fn check(text: &str) {
    let (statements, diagnostics) = parse(text);
    for said in &diagnostics {
        assert!(
            said.span.start <= said.span.end && said.span.end as usize <= text.len(),
            "{said:?} in {text}"
        );
    }
    let is_data = |statement: &&Statement| {
        matches!(
            statement.kind,
            StatementKind::Query(_) | StatementKind::Insert(_) | StatementKind::Update(_)
        )
    };
    for statement in statements.iter().filter(is_data) {
        let printed = print::statement(&statement.kind).unwrap_or_default();
        let (again, said) = parse(&printed);
        assert_eq!(
            again.first().map(|again| &again.kind),
            Some(&statement.kind),
            "{said:?} in {printed} of {text}"
        );
    }
}
