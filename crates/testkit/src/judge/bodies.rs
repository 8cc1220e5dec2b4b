//! Projects whose functions and views are generated queries or programs, and calls of them.

use super::around;
use super::ask::Asked;
use super::probe::Probe;
use super::programs;
use super::queries::{Known, Maker};
use super::scene;
use super::terms::{self, Ty};
use super::world::{Extra, World};
use super::{Drawn, Verdict};
use crate::oracle::draw::Draw;

/// A generated object, and how it is asked.
pub(super) struct Body {
    pub(super) statements: Vec<Extra>,
    /// `rpc/q1`, `v1`.
    pub(super) path: String,
    pub(super) parameters: Vec<Known>,
}

/// A project of `count` queries.
pub(super) fn queries(
    draw: &mut Draw,
    count: u64,
    probe: &mut Probe,
    verdict: &mut Verdict,
) -> Result<Drawn, String> {
    let (mut world, sketches) = scene::draw(draw);
    let mut maker = Maker::new(draw, &sketches);
    let bodies: Vec<Body> = (0..count).map(|number| query(&mut maker, number)).collect();
    let bodies = taken(&mut world, bodies, probe, verdict)?;
    let requests = bodies.iter().map(|body| read(body, draw)).collect();
    Ok(Drawn { world, requests })
}

/// How often a program is called, with other arguments.
const CALLS: u64 = 8;

/// A project of programs, and `count` calls of them.
pub(super) fn programs(
    draw: &mut Draw,
    count: u64,
    probe: &mut Probe,
    verdict: &mut Verdict,
) -> Result<Drawn, String> {
    let (mut world, mut sketches) = scene::draw(draw);
    let is_guarded = draw.one_in(2);
    if is_guarded {
        around::policies(&mut world, draw, &sketches);
    }
    around::views(&mut world, draw, &mut sketches);
    let people: &[&'static str] = if is_guarded { around::PEOPLE } else { &["service"] };
    let mut maker = Maker::new(draw, &sketches);
    let mut bodies: Vec<Body> = Vec::new();
    for number in 0..maker.draw.below(5) {
        let statements = programs::trigger(&mut maker, number);
        bodies.push(Body { statements, path: String::new(), parameters: Vec::new() });
    }
    for _ in 0..maker.draw.below(3) {
        let statements = vec![programs::block(&mut maker)];
        bodies.push(Body { statements, path: String::new(), parameters: Vec::new() });
    }
    bodies.extend((0..count.div_ceil(CALLS)).map(|number| programs::function(&mut maker, number)));
    let bodies = taken(&mut world, bodies, probe, verdict)?;
    // Triggers may refuse the first rows.
    while !probe.takes(&world)? && world.without_lines(&[]) > 0 {}
    let called: Vec<&Body> = bodies.iter().filter(|body| !body.path.is_empty()).collect();
    let requests = called
        .iter()
        .flat_map(|body| (0..CALLS).map(|_| run(body, people, draw)).collect::<Vec<_>>())
        .collect();
    Ok(Drawn { world, requests })
}

/// A call of a program, and what all tables hold afterwards, in one transaction that is mostly undone.
fn run(body: &Body, people: &[&'static str], draw: &mut Draw) -> Asked {
    let stays = draw.one_in(20);
    let arguments = arguments(&body.parameters, draw);
    Asked {
        person: draw.word(people),
        method: "POST",
        path: "batch".to_owned(),
        headers: if stays { Vec::new() } else { vec![("Prefer".to_owned(), "tx=rollback".to_owned())] },
        body: format!(
            "[{{\"method\":\"POST\",\"path\":\"/{}\",\"body\":{arguments}}},{{\"method\":\"POST\",\"path\":\"/rpc/stored\"}}]",
            body.path
        ),
        is_ordered: true,
        changes: stays,
        may_lack: true,
        ..Asked::default()
    }
}

/// Leaves out what PostgreSQL does not take, and adds the rest to the project.
pub(super) fn taken(
    world: &mut World,
    bodies: Vec<Body>,
    probe: &mut Probe,
    verdict: &mut Verdict,
) -> Result<Vec<Body>, String> {
    let statements: Vec<Extra> = bodies.iter().flat_map(|body| body.statements.clone()).collect();
    let owners: Vec<usize> =
        bodies.iter().enumerate().flat_map(|(at, body)| body.statements.iter().map(move |_| at)).collect();
    let refused = probe.refused(world, &statements)?;
    let mut gone = Vec::new();
    for (at, message) in refused {
        gone.extend(owners.get(at).copied());
        *verdict.untaken.entry(message).or_default() += 1;
    }
    let kept: Vec<Body> =
        bodies.into_iter().enumerate().filter(|(at, _)| !gone.contains(at)).map(|(_, body)| body).collect();
    world.extras.extend(kept.iter().flat_map(|body| body.statements.clone()));
    Ok(kept)
}

fn query(maker: &mut Maker<'_>, number: u64) -> Body {
    if maker.draw.one_in(5) {
        let made = maker.query(&[], 2);
        let name = format!("v{number}");
        let text = format!("create view {name} as\n{}", made.sql);
        return Body { statements: vec![Extra::Statement(text)], path: name, parameters: Vec::new() };
    }
    let parameters = parameters(maker, 3);
    let made = maker.query(&parameters, 2);
    let name = format!("q{number}");
    let columns: Vec<String> = made.columns.iter().map(|(name, ty)| format!("{name} {}", ty.sql())).collect();
    let (returns, sql) = match maker.draw.below(4) {
        0 => ("setof jsonb".to_owned(), format!("select to_jsonb(x) from (\n{}) x", made.sql)),
        _ => (format!("table ({})", columns.join(", ")), made.sql),
    };
    let text = format!(
        "create function {name}({}) returns {returns} language sql stable as $$\n{sql}\n$$",
        declared(&parameters)
    );
    Body { statements: vec![Extra::Statement(text)], path: format!("rpc/{name}"), parameters }
}

/// Up to `max` parameters.
pub(super) fn parameters(maker: &mut Maker<'_>, max: usize) -> Vec<Known> {
    let count = maker.draw.below(max + 1);
    (0..count).map(|at| (format!("p{}", at + 1), maker.ty())).collect()
}

/// Parameters as a function declares them.
pub(super) fn declared(parameters: &[Known]) -> String {
    parameters.iter().map(|(name, ty)| format!("{name} {}", ty.sql())).collect::<Vec<_>>().join(", ")
}

fn read(body: &Body, draw: &mut Draw) -> Asked {
    let is_call = body.path.starts_with("rpc/");
    Asked {
        person: "service",
        method: if is_call { "POST" } else { "GET" },
        path: body.path.clone(),
        body: if is_call { arguments(&body.parameters, draw) } else { String::new() },
        may_lack: true,
        ..Asked::default()
    }
}

/// Arguments as the body of a call.
pub(super) fn arguments(parameters: &[(String, Ty)], draw: &mut Draw) -> String {
    let members: Vec<String> =
        parameters.iter().map(|(name, ty)| format!("\"{name}\":{}", terms::argument(*ty, draw))).collect();
    format!("{{{}}}", members.join(","))
}
