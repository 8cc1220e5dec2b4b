//! Conditions of generated policies: printed as SQL, and decided here in three-valued logic.

use super::draw::Draw;
use super::world::{Caller, Row, Table, Value, World};

/// A condition on a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Predicate {
    True,
    /// `owner = auth.uid()`
    Owner,
    /// `owner <> auth.uid()`
    NotOwner,
    /// A boolean column.
    Flag,
    /// `n < 3`
    Less(i64),
    /// `n in (1, null)`: the list may hold a null.
    In(Vec<Option<i64>>),
    /// `n is null`
    IsNull,
    /// `word like 'a%'`
    Word(char),
    /// `auth.role() = 'authenticated'`
    Authenticated,
    /// `exists` a membership of the caller in the row's team.
    Member,
    /// `exists` the row that this one refers to, as far as the caller sees it.
    Parent,
    /// The reference is `not in` what the caller sees.
    Orphan,
    Not(Box<Predicate>),
    And(Box<Predicate>, Box<Predicate>),
    Or(Box<Predicate>, Box<Predicate>),
}

impl Predicate {
    /// A condition that the columns of `table` allow, at most `depth` deep.
    pub(super) fn draw(draw: &mut Draw, table: Table, depth: usize) -> Predicate {
        if depth > 0 && draw.one_in(2) {
            let mut inner = || Box::new(Predicate::draw(draw, table, depth - 1));
            let (one, other) = (inner(), inner());
            return match draw.below(3) {
                0 => Predicate::Not(one),
                1 => Predicate::And(one, other),
                _ => Predicate::Or(one, other),
            };
        }
        loop {
            let found = Predicate::leaf(draw);
            if found.fits(table) {
                return found;
            }
        }
    }

    fn leaf(draw: &mut Draw) -> Predicate {
        match draw.below(12) {
            0 => Predicate::True,
            1 | 2 => Predicate::Owner,
            3 => Predicate::NotOwner,
            4 => Predicate::Flag,
            5 => Predicate::Less(draw.between(-1, 5)),
            6 => Predicate::In((0..3).map(|_| (!draw.one_in(6)).then(|| draw.between(0, 4))).collect()),
            7 => Predicate::IsNull,
            8 => Predicate::Word(*draw.of(&['a', 'b', 'c'])),
            9 => Predicate::Authenticated,
            10 => Predicate::Member,
            _ => {
                if draw.one_in(3) {
                    Predicate::Orphan
                } else {
                    Predicate::Parent
                }
            }
        }
    }

    fn fits(&self, table: Table) -> bool {
        let needs = match self {
            Predicate::Owner | Predicate::NotOwner => "owner",
            Predicate::Flag => "flag",
            Predicate::Less(_) | Predicate::In(_) | Predicate::IsNull => "n",
            Predicate::Word(_) => "word",
            Predicate::Member => "team_id",
            Predicate::Parent | Predicate::Orphan => return table.parent().is_some(),
            Predicate::True | Predicate::Authenticated => return true,
            Predicate::Not(_) | Predicate::And(..) | Predicate::Or(..) => return true,
        };
        table.columns().contains(&needs)
    }

    /// As PostgreSQL's SQL, about the table of a policy.
    pub(super) fn sql(&self, table: Table) -> String {
        let name = table.name();
        match self {
            Predicate::True => "true".into(),
            Predicate::Owner => "owner = auth.uid()".into(),
            Predicate::NotOwner => "owner <> (select auth.uid())".into(),
            Predicate::Flag => "flag".into(),
            Predicate::Less(limit) => format!("n < {limit}"),
            Predicate::In(list) => {
                let items: Vec<String> =
                    list.iter().map(|item| item.map_or("null".into(), |item| item.to_string())).collect();
                format!("n in ({})", items.join(", "))
            }
            Predicate::IsNull => "n is null".into(),
            Predicate::Word(first) => format!("word like '{first}%'"),
            Predicate::Authenticated => "auth.role() = 'authenticated'".into(),
            Predicate::Member => format!(
                "exists (select from members m where m.team_id = {name}.team_id and m.user_id = auth.uid())"
            ),
            Predicate::Parent | Predicate::Orphan => {
                let Some((column, parent)) = table.parent() else { return "true".into() };
                let parent = parent.name();
                match self {
                    Predicate::Orphan => format!("{column} not in (select p.id from {parent} p)"),
                    _ => format!("exists (select from {parent} p where p.id = {name}.{column})"),
                }
            }
            Predicate::Not(inner) => format!("not ({})", inner.sql(table)),
            Predicate::And(one, other) => format!("({}) and ({})", one.sql(table), other.sql(table)),
            Predicate::Or(one, other) => format!("({}) or ({})", one.sql(table), other.sql(table)),
        }
    }

    /// Whether it holds for a row; `None` is SQL's null.
    pub(super) fn holds(&self, row: &Row, table: Table, caller: Caller, world: &World) -> Option<bool> {
        let value = |column: &str| table.value(row, column);
        let number = || match value("n") {
            Value::Int(number) => Some(*number),
            _ => None,
        };
        match self {
            Predicate::True => Some(true),
            Predicate::Owner => caller.uid().and_then(|uid| value("owner").text().map(|owner| owner == uid)),
            Predicate::NotOwner => {
                caller.uid().and_then(|uid| value("owner").text().map(|owner| owner != uid))
            }
            Predicate::Flag => match value("flag") {
                Value::Bool(flag) => Some(*flag),
                _ => None,
            },
            Predicate::Less(limit) => number().map(|number| number < *limit),
            Predicate::In(list) => number().and_then(|number| {
                let is_there = list.contains(&Some(number));
                if is_there { Some(true) } else { (!list.contains(&None)).then_some(false) }
            }),
            Predicate::IsNull => Some(*value("n") == Value::Null),
            Predicate::Word(first) => value("word").text().map(|word| word.starts_with(*first)),
            Predicate::Authenticated => Some(caller != Caller::Anon),
            Predicate::Member => {
                let team = value("team_id");
                Some(caller.uid().is_some_and(|uid| {
                    *team != Value::Null
                        && world
                            .members
                            .iter()
                            .any(|(member, user)| Value::Int(*member) == *team && user == uid)
                }))
            }
            Predicate::Parent | Predicate::Orphan => {
                let (column, parent) = table.parent()?;
                let reference = value(column);
                let mut seen = world.rows(parent).iter().filter(|row| world.sees(caller, parent, row));
                match self {
                    Predicate::Orphan if *reference == Value::Null => seen.next().is_none().then_some(true),
                    Predicate::Orphan => Some(!seen.any(|row| row[0] == *reference)),
                    _ => Some(seen.any(|row| row[0] == *reference)),
                }
            }
            Predicate::Not(inner) => inner.holds(row, table, caller, world).map(|holds| !holds),
            Predicate::And(one, other) => {
                match (one.holds(row, table, caller, world), other.holds(row, table, caller, world)) {
                    (Some(false), _) | (_, Some(false)) => Some(false),
                    (Some(true), Some(true)) => Some(true),
                    (None, _) | (_, None) => None,
                }
            }
            Predicate::Or(one, other) => {
                match (one.holds(row, table, caller, world), other.holds(row, table, caller, world)) {
                    (Some(true), _) | (_, Some(true)) => Some(true),
                    (Some(false), Some(false)) => Some(false),
                    (None, _) | (_, None) => None,
                }
            }
        }
    }
}
