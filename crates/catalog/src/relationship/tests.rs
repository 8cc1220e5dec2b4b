//! Which edges foreign keys and views give.

use crate::testing::catalog;

/// Edges as `from cardinality to (columns)`, through a junction if there is one.
fn edges(text: &str) -> Vec<String> {
    let catalog = catalog(text);
    let names = |table, columns: &[crate::ColumnId]| {
        let table: &crate::Table = &catalog[table];
        columns.iter().map(|&column| table[column].name.to_string()).collect::<Vec<_>>().join(",")
    };
    let all = catalog.ids().flat_map(|id| catalog.relationships_of(id));
    let described = all.map(|edge| {
        let (from, to) = (&catalog[edge.from].name.name, &catalog[edge.to].name.name);
        let through =
            edge.through.as_ref().map_or(String::new(), |through| format!(" through {}", through.name.name));
        let (left, right) = (names(edge.from, &edge.from_columns), names(edge.to, &edge.to_columns));
        format!("{from}({left}) {:?} {to}({right}){through}", edge.cardinality)
    });
    described.collect()
}

#[test]
fn edges_follow_foreign_keys_both_ways() {
    let cases: [(&str, &[&str]); 5] = [
        (
            "create table a (id int primary key); create table b (a int references a)",
            &["a(id) OneToMany b(a)", "b(a) ManyToOne a(id)"],
        ),
        (
            "create table a (id int primary key); create table b (a int unique references a)",
            &["a(id) OneToOne b(a)", "b(a) OneToOne a(id)"],
        ),
        (
            "create table a (id int primary key, up int references a)",
            &["a(up) ManyToOne a(id)", "a(id) OneToMany a(up)"],
        ),
        (
            "create table a (id int primary key); create table b (id int primary key);
             create table ab (a int references a, b int references b, note text, primary key (a, b))",
            &[
                "a(id) OneToMany ab(a)",
                "a(id) ManyToMany b(id) through ab",
                "b(id) OneToMany ab(b)",
                "b(id) ManyToMany a(id) through ab",
                "ab(a) ManyToOne a(id)",
                "ab(b) ManyToOne b(id)",
            ],
        ),
        (
            "create table a (id int primary key); create table b (id int primary key);
             create table ab (id int primary key, a int references a, b int references b)",
            &[
                "a(id) OneToMany ab(a)",
                "b(id) OneToMany ab(b)",
                "ab(a) ManyToOne a(id)",
                "ab(b) ManyToOne b(id)",
            ],
        ),
    ];
    for (text, wanted) in cases {
        assert_eq!(edges(text), wanted, "{text}");
    }
}

/// Tables with a plain and a composite key, and a junction.
const LIBRARY: &str = "
    create table authors (id int primary key, name text);
    create table books (id int primary key, author int references authors, title text);
    create table tags (a int, b int, primary key (a, b));
    create table books_tags (
        book int references books, a int, b int,
        foreign key (a, b) references tags, primary key (book, a, b)
    );";

/// The edges of `LIBRARY` and a view that leave or reach the view.
fn edges_of_view(view: &str) -> Vec<String> {
    let all = edges(&format!("{LIBRARY} create view v as {view}"));
    let touches =
        |edge: &String| edge.starts_with("v(") || edge.contains(" v(") || edge.ends_with("through v");
    all.into_iter().filter(touches).collect()
}

#[test]
fn views_have_the_edges_of_the_columns_they_show() {
    let written = ["authors(id) OneToMany v(author)", "v(author) ManyToOne authors(id)"];
    let wrote = ["books(author) ManyToOne v(id)", "v(id) OneToMany books(author)"];
    let cases: &[(&str, &[&str])] = &[
        ("select author from books", &written),
        ("select b.author from books as b where title <> ''", &written),
        ("select distinct author from books order by author limit 1", &written),
        ("select author, count(title) from books group by author", &written),
        ("select q.author from (select * from books) q", &written),
        ("with q (w, x) as (select id, author from books) select x as author from q", &written),
        ("select id, name from authors", &wrote),
        ("select * from authors", &wrote),
        ("select authors.* from authors join (values (1)) x (n) on n = id", &wrote),
        ("select authors.id from authors, generate_series(1, 2) n", &wrote),
        ("select title from books", &[]),
        ("select author + 0 as author from books", &[]),
        ("select coalesce(author, 1) as author from books", &[]),
        ("select author from books union all select author from books", &[]),
        ("select * from (select author from books union select 1) q", &[]),
    ];
    for (view, wanted) in cases {
        assert_eq!(edges_of_view(view), *wanted, "{view}");
    }
}

#[test]
fn views_need_all_columns_of_a_key() {
    assert_eq!(edges_of_view("select a from tags"), [""; 0]);
    assert_eq!(
        edges_of_view("select b, a from tags"),
        [
            "books(id) ManyToMany v(a,b) through books_tags",
            "books_tags(a,b) ManyToOne v(a,b)",
            "v(a,b) OneToMany books_tags(a,b)",
            "v(a,b) ManyToMany books(id) through books_tags",
        ]
    );
}

#[test]
fn views_of_junctions_are_junctions() {
    let through = |edges: Vec<String>| edges.iter().filter(|edge| edge.ends_with("through v")).count();
    assert_eq!(through(edges_of_view("select book, a, b from books_tags")), 2);
    assert_eq!(through(edges_of_view("select book, a, a as b from books_tags")), 0);
}

#[test]
fn joins_merge_columns_as_postgresql_does() {
    let tables = "
        create table a (id int primary key);
        create table b (id int primary key, a int references a);
        create table c (id int references b, n int);";
    let edges_with = |view: &str| {
        let mut all = edges(&format!("{tables} create view v as {view}"));
        all.retain(|edge| edge.starts_with("v("));
        all
    };
    let from_b = ["v(a) ManyToOne a(id)", "v(id) OneToMany c(id)"];
    assert_eq!(edges_with("select * from b natural join (select 1 as id) q"), from_b);
    assert_eq!(edges_with("select * from b left join (select 1 as id) q using (id)"), from_b);
    assert_eq!(edges_with("select id from c right join (select 1 as id) q using (id)"), [""; 0]);
    assert_eq!(edges_with("select id from b full join c using (id)"), [""; 0]);
}

#[test]
fn views_on_views_are_followed_to_the_tables() {
    let tables = "
        create table a (id int primary key);
        create table b (id int primary key, up int references a, other int references a);
        create view inner_view as select id, up as first, up as second from b;
        create view outer_view as select second as third, first from inner_view;";
    let all = edges(tables);
    let outer: Vec<&String> = all.iter().filter(|edge| edge.starts_with("outer_view(")).collect();
    assert_eq!(outer, ["outer_view(third) ManyToOne a(id)", "outer_view(first) ManyToOne a(id)"]);
}

#[test]
fn views_keep_what_a_star_stood_for() {
    let changed = "create table a (id int primary key, n int);
        create view v as select * from a;
        alter table a add column more int;
        alter table a rename column n to m;";
    let catalog = catalog(changed);
    let columns: Vec<&str> =
        crate::testing::table(&catalog, "v").columns.iter().map(|column| &*column.name).collect();
    assert_eq!(columns, ["id", "n"]);
    let crate::TableKind::View { query, .. } = &crate::testing::table(&catalog, "v").kind else {
        panic!("no view")
    };
    assert_eq!(sql::print::query(query), "select a.id as id, a.m as n from public.a");
}
