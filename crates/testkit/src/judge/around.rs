//! What stands around programs: views, some with a trigger in place of what is written to them, and policies that call functions.

use super::scene::Sketch;
use super::terms::Ty;
use super::world::{Extra, World};
use crate::oracle::draw::Draw;
use crate::people::USERS;

/// Who runs programs where policies hide rows.
pub(super) const PEOPLE: &[&str] = &["service", "alice", "alice", "bob", "bob", "anon"];

/// Functions that policies call: whether a number is one's own.
const OWNS: &[&str] = &[
    "create function owns(n int) returns boolean language sql stable as $$ select exists (select 1 from owners o where o.who = auth.uid() and o.n = owns.n) $$",
    "create function owns(n int) returns boolean language sql stable security definer set search_path = '' as $$ select n in (select o.n from public.owners o where o.who = auth.uid()) $$",
    "create function owns(n int) returns boolean language plpgsql stable security definer as $$ begin return exists (select 1 from owners o where o.who = auth.uid() and o.n = owns.n); end $$",
    "create function owns(n int) returns boolean language plpgsql stable as $$ declare found_one int; begin select o.n into found_one from owners o where o.who = auth.uid() and o.n = owns.n; if not found then return false; end if; return found_one = n; end $$",
];

/// Which numbers are one's own.
const OWNED: &[&str] = &[
    "create function owned() returns setof int language sql stable security definer as $$ select o.n from owners o where o.who = auth.uid() order by o.n $$",
    "create function owned() returns setof int language plpgsql stable as $$ declare r record; begin for r in select o.n from owners o where o.who = auth.uid() order by o.n loop return next r.n; end loop; end $$",
];

/// Conditions of policies: `#` is a number of the row.
const CONDITIONS: &[&str] = &[
    "owns(#)",
    "owns(#)",
    "owns(#) or # is null",
    "# in (select owned())",
    "exists (select 1 from owners o where o.who = auth.uid() and o.n = #)",
    "(select auth.uid()) is not null and # < 5",
    "not owns(#)",
    "true",
];

/// Policies on some tables, and who owns which numbers.
pub(super) fn policies(world: &mut World, draw: &mut Draw, sketches: &[Sketch]) {
    let mut add = |text: String| world.extras.push(Extra::Statement(text));
    add("create table owners (who uuid, n int)".to_owned());
    for (_, id) in USERS {
        let mut numbers: Vec<usize> = (0..4).map(|_| 1 + draw.below(8)).collect();
        numbers.extend([101, 110, 120]);
        numbers.sort_unstable();
        numbers.dedup();
        let rows: Vec<String> = numbers.iter().map(|number| format!("('{id}', {number})")).collect();
        add(format!("insert into owners values {}", rows.join(", ")));
    }
    let tables: Vec<&str> = sketches.iter().map(|sketch| sketch.name.as_str()).collect();
    add(format!("grant all on log, owners, {} to anon, authenticated", tables.join(", ")));
    add(draw.word(OWNS).to_owned());
    add(draw.word(OWNED).to_owned());
    for sketch in sketches {
        if draw.one_in(3) {
            continue;
        }
        let name = &sketch.name;
        add(format!("alter table {name} enable row level security"));
        let numbers: Vec<&str> =
            sketch.columns.iter().filter(|(_, ty)| *ty == Ty::Int).map(|(name, _)| name.as_str()).collect();
        for (at, event) in ["select", "insert", "update", "delete"].into_iter().enumerate() {
            if at > 0 && draw.one_in(5) {
                continue;
            }
            let mut condition = || {
                let number = format!("{name}.{}", draw.of(&numbers));
                draw.word(CONDITIONS).replace('#', &number)
            };
            let (using, check) = (condition(), condition());
            let using = if event == "insert" { String::new() } else { format!(" using ({using})") };
            let checks = matches!(event, "insert" | "update");
            let check = if checks { format!(" with check ({check})") } else { String::new() };
            add(format!("create policy {name}_{event} on {name} for {event}{using}{check}"));
        }
    }
}

/// Views of some columns of tables, which are written to as tables are.
pub(super) fn views(world: &mut World, draw: &mut Draw, sketches: &mut Vec<Sketch>) {
    for number in 0..draw.below(3) {
        let of = sketches[draw.below(world.tables.len())].clone();
        let mut columns = of.columns.clone();
        columns.retain(|(name, _)| of.required.contains(name) || !draw.one_in(3));
        let name = format!("w{number}");
        let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        let filter = draw.word(&["", "", " where id < 120", " where id <> 2 with check option"]);
        let list = names.join(", ");
        let mut add = |text: String| world.extras.push(Extra::Statement(text));
        add(format!(
            "create view {name} with (security_invoker = true) as select {list} from {}{filter}",
            of.name
        ));
        add(format!("grant all on {name} to anon, authenticated"));
        if !filter.contains("check") && draw.one_in(2) {
            in_place(&name, &of.name, &names).into_iter().for_each(add);
        }
        sketches.push(Sketch { name, columns, required: of.required, is_view: true });
    }
}

/// A trigger that does to the table what is done to the view.
fn in_place(view: &str, table: &str, names: &[&str]) -> [String; 2] {
    let list = names.join(", ");
    let news: Vec<String> = names.iter().map(|name| format!("new.{name}")).collect();
    let sets: Vec<String> = names.iter().map(|name| format!("{name} = new.{name}")).collect();
    let function = format!(
        "create function {view}_in_place() returns trigger language plpgsql as $$
begin
  insert into log (what, at_id, was, became) values (tg_name || ' ' || tg_op, coalesce(new.id, old.id), to_jsonb(old), to_jsonb(new));
  if tg_op = 'INSERT' then
    insert into {table} ({list}) values ({});
    return new;
  elsif tg_op = 'UPDATE' then
    update {table} set {} where id = old.id;
    if not found then return null; end if;
    return new;
  end if;
  delete from {table} where id = old.id;
  return old;
end
$$",
        news.join(", "),
        sets.join(", ")
    );
    let trigger = format!(
        "create trigger {view}_in_place instead of insert or update or delete on {view} for each row execute function {view}_in_place()"
    );
    [function, trigger]
}

#[cfg(test)]
mod tests {
    use super::super::scene;
    use super::*;

    #[test]
    fn programs_meet_views_and_policies() {
        let drawn = |seed: u64| {
            let mut draw = Draw::new(seed);
            let (mut world, mut sketches) = scene::draw(&mut draw);
            policies(&mut world, &mut draw, &sketches);
            views(&mut world, &mut draw, &mut sketches);
            world.sql()
        };
        assert_eq!(drawn(1), drawn(1));
        let all: String = (0..40).map(drawn).collect();
        for word in
            OWNS.iter().chain(OWNED).chain(&["instead of", "with check option", "for delete using (owns("])
        {
            assert!(all.contains(word), "{word}");
        }
    }
}
