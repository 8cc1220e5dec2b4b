//! PL/pgSQL bodies: what is read of each construct, and where a complaint points.
#![expect(clippy::unwrap_used, reason = "tests")]

use sql::body::{
    AliasOf, Condition, Declared, Direction, Level, Over, Part, Raised, Rows, Step, StepKind, VariableType,
};
use sql::{line_column, parse_body};

#[track_caller]
fn steps(text: &str) -> Vec<Step> {
    parse_body(&format!("begin {text} end")).unwrap().block.steps
}

#[track_caller]
fn one(text: &str) -> StepKind {
    let mut steps = steps(text);
    assert_eq!(steps.len(), 1, "{text}");
    steps.remove(0).kind
}

#[track_caller]
fn refused(text: &str, message: &str, place: (usize, usize)) {
    let complaint = parse_body(text).unwrap_err();
    assert_eq!(
        (complaint.message.as_str(), line_column(text, complaint.span.start)),
        (message, place),
        "{text}"
    );
}

#[test]
fn declarations_of_every_kind() {
    let body = parse_body(
        "declare a int; b constant text not null := 'x'; c t.x%type; d public.t%rowtype; e a%type[]; f record;\n\
         g alias for $1; h alias for a; i numeric(10,2) default 1 + 2; j text[] = '{}'; k cursor (p int) for select p;\n\
         l timestamp with time zone; m refcursor;\n\
         begin end;",
    )
    .unwrap();
    let kinds: Vec<&str> = body
        .block
        .declarations
        .iter()
        .map(|declaration| match &declaration.kind {
            Declared::Variable { ty: VariableType::Named(_), default: None, .. } => "variable",
            Declared::Variable { ty: VariableType::Named(_), constant: true, not_null: true, .. } => {
                "constant"
            }
            Declared::Variable { ty: VariableType::Named(_), .. } => "with default",
            Declared::Variable { ty: VariableType::Like(..), .. } => "like",
            Declared::Variable { ty: VariableType::RowOf(_), .. } => "row",
            Declared::Alias(AliasOf::Parameter(1)) => "parameter",
            Declared::Alias(_) => "alias",
            Declared::Cursor { .. } => "cursor",
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "variable",
            "constant",
            "like",
            "row",
            "like",
            "variable",
            "parameter",
            "alias",
            "with default",
            "with default",
            "cursor",
            "variable",
            "variable",
        ]
    );
}

#[test]
fn into_is_taken_out_wherever_it_stands() {
    for text in [
        "select a, b into strict x, y.z[1] from t where c = 1;",
        "select a, b from t where c = 1 into strict x, y.z[1];",
        "insert into t values (1) returning a, b into strict x, y.z[1];",
        "with n as (insert into t values (1) returning a) select a, b into strict x, y.z[1] from n;",
    ] {
        let StepKind::Statement { into: Some(into), .. } = one(text) else { panic!("{text}") };
        assert!(into.strict && into.targets.len() == 2, "{text}");
        assert_eq!(into.targets[1].name, ["y", "z"]);
        assert!(matches!(into.targets[1].parts[..], [Part::Element(_)]));
    }
}

#[test]
fn expressions_may_be_all_that_stands_behind_select() {
    assert!(matches!(one("x := count(*) from t where a > 1;"), StepKind::Assign { .. }));
    assert!(matches!(one("if exists (select 1) and a = any (b) then null; end if;"), StepKind::If { .. }));
    assert!(matches!(one("perform f(a), g(b) from t;"), StepKind::Perform(_)));
    assert!(matches!(one("a[1].b = 2;"), StepKind::Assign { .. }));
}

#[test]
fn loops_of_every_kind() {
    #[track_caller]
    fn over(text: &str) -> Over {
        let StepKind::Loop(found) = one(&format!("{text} loop null; end loop;")) else { panic!("{text}") };
        found.over
    }
    assert!(matches!(over(""), Over::Forever));
    assert!(matches!(over("while a < 3"), Over::While(_)));
    assert!(matches!(over("for i in 1..10"), Over::Range { reverse: false, step: None, .. }));
    assert!(matches!(over("for i in reverse n .. 1 by 2"), Over::Range { reverse: true, step: Some(_), .. }));
    assert!(matches!(over("for r in select * from t"), Over::Rows { rows: Rows::Of { .. }, .. }));
    assert!(matches!(over("for a, b in select 1, 2"), Over::Rows { targets, .. } if targets.len() == 2));
    assert!(
        matches!(over("for r in execute x using 1, 2"), Over::Rows { rows: Rows::Dynamic(d), .. } if d.using.len() == 2)
    );
    assert!(matches!(over("for r in c"), Over::Cursor { .. }));
    assert!(matches!(over("for r in c(1, k := 2)"), Over::Cursor { args, .. } if args.len() == 2));
    assert!(matches!(over("foreach e slice 1 in array x"), Over::Array { slice: 1, .. }));
    assert!(matches!(one("<<outer>> loop exit outer when a; continue; end loop outer;"), StepKind::Loop(_)));
}

#[test]
fn raise_in_all_its_forms() {
    #[track_caller]
    fn raised(text: &str) -> (Level, Raised, usize) {
        let StepKind::Raise(raise) = one(text) else { panic!("{text}") };
        (raise.level, raise.what, raise.options.len())
    }
    assert!(matches!(raised("raise;"), (Level::Exception, Raised::Nothing, 0)));
    assert!(
        matches!(raised("raise notice 'a % b', x, y + 1;"), (Level::Notice, Raised::Message(_, args), 0) if args.len() == 2)
    );
    assert!(matches!(
        raised("raise exception 'no' using errcode = 'P0001', hint = 'h' || x;"),
        (_, Raised::Message(..), 2)
    ));
    assert!(matches!(raised("raise unique_violation using message = 'm';"), (_, Raised::Condition(_), 1)));
    assert!(matches!(raised("raise sqlstate '22012';"), (Level::Exception, Raised::State(_), 0)));
    assert!(matches!(raised("raise using message = 'm';"), (_, Raised::Nothing, 1)));
}

#[test]
fn cursors_and_dynamic_statements() {
    assert!(matches!(one("open c for select 1;"), StepKind::Open { rows: Some(Rows::Of { .. }), .. }));
    assert!(matches!(one("open c(1);"), StepKind::Open { rows: None, args, .. } if args.len() == 1));
    assert!(matches!(one("fetch c into x;"), StepKind::Fetch { direction: Direction::Next, .. }));
    assert!(matches!(
        one("fetch backward from c into x;"),
        StepKind::Fetch { direction: Direction::Prior, .. }
    ));
    assert!(matches!(
        one("move forward 2 from c;"),
        StepKind::Fetch { direction: Direction::Through(_), into: None, .. }
    ));
    assert!(matches!(
        one("execute format('x %I', a) into strict b using c, d;"),
        StepKind::Execute { into: Some(_), .. }
    ));
    assert!(matches!(one("execute x using c into b;"), StepKind::Execute { into: Some(_), .. }));
    assert!(
        matches!(one("get stacked diagnostics a = message_text, b = returned_sqlstate;"), StepKind::Diagnostics { stacked: true, items } if items.len() == 2)
    );
    assert!(matches!(one("commit;"), StepKind::Refused(words) if words == "commit"));
}

#[test]
fn handlers_name_conditions_and_states() {
    let body = parse_body(
        "begin null; exception when unique_violation or sqlstate '22012' then null; when others then raise; end",
    )
    .unwrap();
    let [first, second] = &body.block.handlers[..] else { panic!() };
    assert_eq!(
        first.conditions,
        [Condition::Named("unique_violation".into()), Condition::State("22012".into())]
    );
    assert_eq!(second.conditions, [Condition::Named("others".into())]);
}

#[test]
fn complaints_have_their_place() {
    refused("begin\n  x := ;\nend", "syntax error at or near \";\"", (2, 8));
    refused("begin\n  if a then null;\nend", "syntax error at end of input", (3, 1));
    refused("<<a>> begin end b;", "end label \"b\" differs from block's label \"a\"", (1, 17));
    refused("begin select 1 into a into b; end", "INTO specified more than once", (1, 23));
    refused("#bad\nbegin end", "unrecognized option #bad", (1, 1));
}
