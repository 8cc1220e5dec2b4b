//! The process is killed while functions and triggers are at work: what one request does in several statements is there as a whole,
//! or not at all.
//!
//! A transfer is a row, two entries in a history that a trigger writes, two balances that it changes, and steps that the function
//! around it notes before and after. Every transfer has a number; those that were promised are kept here.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use types::json::{self, Json};

use super::Settings;
use super::project::{Endpoint, PATIENCE, POLL, Project, Running};
use super::random::Numbers;
use super::wire::Connection;

/// Writers at the same time.
const WRITERS: u64 = 6;

/// Accounts between which is transferred.
const ACCOUNTS: u64 = 10;

/// Promises after which a cycle may end.
const PROMISES_MAX: u64 = 200;

/// Most microseconds from there to the kill.
const DELAY_US: u64 = 30_000;

const CONFIG: &str = "[auth]\njwt_expiry = 604800\n[limits]\nrows_max = 1_000_000\n";

const SCHEMA: &str = "\
create table accounts (id int primary key, balance bigint not null default 0);
create table transfers (n bigint primary key, source int not null references accounts, target int not null references accounts,
  amount bigint not null);
create table history (id bigint generated always as identity primary key, n bigint not null, account int not null, change bigint not null);
create table steps (n bigint not null, step int not null, primary key (n, step));
insert into accounts (id) select generate_series(0, 9);
alter table accounts enable row level security;
alter table transfers enable row level security;
alter table history enable row level security;
alter table steps enable row level security;
create policy mine on transfers to authenticated using (true) with check (amount > 0);
grant select, insert, update, delete on transfers to authenticated;

create function checked() returns trigger language plpgsql as $$
begin
  if new.source = new.target then
    new.target := (new.source + 1) % 10;
  end if;
  return new;
end $$;
create trigger first before insert on transfers for each row execute function checked();

create function booked() returns trigger language plpgsql security definer as $$
begin
  insert into history (n, account, change) values (new.n, new.source, -new.amount);
  update accounts set balance = balance - new.amount where id = new.source;
  update accounts set balance = balance + new.amount where id = new.target;
  insert into history (n, account, change) values (new.n, new.target, new.amount);
  return null;
end $$;
create trigger last after insert on transfers for each row execute function booked();

create function move(n bigint, source int, target int, amount bigint, is_refused boolean default false) returns bigint
  language plpgsql security definer as $$
begin
  insert into steps values (n, 1);
  begin
    insert into steps values (n, 2);
    insert into transfers values (n, source, target, amount);
    insert into steps values (n, 2);
  exception when unique_violation then
    insert into steps values (n, 3);
  end;
  insert into transfers values (n, source, target, amount);
  for i in 4..6 loop
    insert into steps values (n, i);
  end loop;
  if is_refused then
    raise exception 'refused';
  end if;
  return n;
end $$;

create function move_plainly(n bigint, source int, target int, amount bigint) returns void language sql security definer as $$
  insert into steps select n, s from unnest(array[1, 3, 4]) s;
  insert into transfers values (n, source, target, amount);
  insert into steps values (n, 5), (n, 6);
$$;

create function torn() returns text language plpgsql stable security definer as $$
begin
  if (select coalesce(sum(balance), 0) from accounts) <> 0 then
    return 'balances do not add up';
  end if;
  if exists (select 1 from accounts a
             where a.balance <> (select coalesce(sum(h.change), 0) from history h where h.account = a.id)) then
    return 'a balance is not its history';
  end if;
  if exists (select 1 from transfers t where (select count(*) from history h where h.n = t.n) <> 2) then
    return 'a transfer without its history';
  end if;
  if exists (select 1 from history h where not exists (select 1 from transfers t where t.n = h.n)) then
    return 'history without a transfer';
  end if;
  if exists (select 1 from steps s where not exists (select 1 from transfers t where t.n = s.n)) then
    return 'steps without a transfer';
  end if;
  if exists (select 1 from steps s group by s.n having string_agg(s.step::text, '' order by s.step) <> '13456') then
    return 'steps by half';
  end if;
  return 'whole';
end $$;
";

/// What all writers share.
#[derive(Default)]
struct Shared {
    next: AtomicU64,
    promised: AtomicU64,
    stop: AtomicBool,
    ledger: Mutex<Ledger>,
}

/// Numbers of transfers.
#[derive(Default)]
struct Ledger {
    promised: BTreeSet<u64>,
    /// Asked for, and never answered: there or not.
    unknown: BTreeSet<u64>,
    complaints: Vec<String>,
}

/// Runs the scenario.
///
/// # Errors
/// Every promise that was not kept, and everything that is there by half.
pub fn run(settings: &Settings) -> Result<String, String> {
    let project = Project::of(&settings.folder, &settings.binary, (SCHEMA, CONFIG))?;
    let mut server = project.start()?;
    let user = project.sign_up(&mut server)?;
    let mut numbers = Numbers::of(settings.seed);
    let shared = Shared::default();
    for cycle in 1..=settings.cycles {
        broken(&mut server, &shared, &mut numbers)?;
        server = project.start_for(&user)?;
        let transfers = compare(&server.at, &shared).map_err(|lost| format!("after kill {cycle}: {lost}"))?;
        (settings.say)(&format!("kill {cycle}: {transfers} transfers, whole"));
    }
    server.stop()?;
    let promised = shared.promised.load(Ordering::Relaxed);
    Ok(format!(
        "{} kills, {promised} promises of functions and triggers: none lost, none by half",
        settings.cycles
    ))
}

/// Lets writers write, and kills the server at some moment.
fn broken(server: &mut Running, shared: &Shared, numbers: &mut Numbers) -> Result<(), String> {
    let enough = shared.promised.load(Ordering::Relaxed) + 5 + numbers.below(PROMISES_MAX);
    let delay = Duration::from_micros(numbers.below(DELAY_US));
    let endpoint = server.at.clone();
    shared.stop.store(false, Ordering::Relaxed);
    std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            let own = Numbers::of(numbers.draw());
            scope.spawn(|| write(&endpoint, shared, own));
        }
        let begun = Instant::now();
        while shared.promised.load(Ordering::Relaxed) < enough && begun.elapsed() < PATIENCE {
            std::thread::sleep(POLL);
        }
        std::thread::sleep(delay);
        let killed = server.kill();
        // Should the server still run, the writers do not.
        shared.stop.store(true, Ordering::Relaxed);
        match shared.promised.load(Ordering::Relaxed) < enough {
            true => Err("the server took too few transfers".to_owned()),
            false => killed,
        }
    })
}

/// One writer, until the server is gone.
fn write(server: &Endpoint, shared: &Shared, mut numbers: Numbers) {
    let Ok(mut connection) = Connection::open(server.address) else { return };
    while !shared.stop.load(Ordering::Relaxed) {
        let n = shared.next.fetch_add(1, Ordering::Relaxed);
        let (source, target) = (numbers.below(ACCOUNTS), numbers.below(ACCOUNTS));
        let amount = 1 + numbers.below(1_000);
        let row = format!(r#""n":{n},"source":{source},"target":{target},"amount":{amount}"#);
        let (path, body, is_refused) = match numbers.below(10) {
            0..3 => ("transfers", format!("{{{row}}}"), false),
            3..5 => ("rpc/move_plainly", format!("{{{row}}}"), false),
            5 => ("rpc/move", format!(r#"{{{row},"is_refused":true}}"#), true),
            _ => ("rpc/move", format!("{{{row}}}"), false),
        };
        if let Ok(mut ledger) = shared.ledger.lock() {
            ledger.unknown.insert(n);
        }
        let Ok(answer) = connection.ask(&server.ask("POST", &format!("/rest/v1/{path}"), body)) else {
            return;
        };
        let Ok(mut ledger) = shared.ledger.lock() else { return };
        ledger.unknown.remove(&n);
        match (answer.status, is_refused) {
            (200..300, false) => {
                ledger.promised.insert(n);
                shared.promised.fetch_add(1, Ordering::Relaxed);
            }
            (400, true) => {}
            (status, _) => ledger.complaints.push(format!("{path}: {status} {}", answer.body)),
        }
    }
}

/// Compares the ledger with what a server has; how many transfers there are.
fn compare(server: &Endpoint, shared: &Shared) -> Result<usize, String> {
    let mut ledger = shared.ledger.lock().map_err(|_| "a writer panicked")?;
    if let Some(complaint) = ledger.complaints.first() {
        return Err(complaint.clone());
    }
    let torn = server.answer(&server.ask("POST", "/rest/v1/rpc/torn", "{}".to_owned()))?;
    if torn.body != "\"whole\"" {
        return Err(torn.body);
    }
    let there = transfers(&server.get("/rest/v1/transfers?select=n")?.body)?;
    let lost: Vec<&u64> = ledger.promised.difference(&there).take(5).collect();
    if !lost.is_empty() {
        return Err(format!("transfers {lost:?} were promised and are not there"));
    }
    let known: BTreeSet<u64> = ledger.promised.union(&ledger.unknown).copied().collect();
    let extra: Vec<&u64> = there.difference(&known).take(5).collect();
    if !extra.is_empty() {
        return Err(format!("transfers {extra:?} were refused and are there"));
    }
    // What is there now is to stay.
    let count = there.len();
    ledger.promised = there;
    ledger.unknown.clear();
    Ok(count)
}

fn transfers(body: &str) -> Result<BTreeSet<u64>, String> {
    let broken = || format!("not numbers of transfers: {}", body.chars().take(200).collect::<String>());
    let Ok(Json::Array(rows)) = json::parse(body, json::DEPTH_MAX) else { return Err(broken()) };
    let number = |row: &Json| match row.get("n") {
        Some(Json::Number(text)) => text.parse().map_err(|_| broken()),
        _ => Err(broken()),
    };
    rows.iter().map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transfers_are_read_by_number() {
        assert_eq!(transfers(r#"[{"n":3},{"n":1}]"#), Ok(BTreeSet::from([1, 3])));
        assert!(transfers(r#"{"code":"42501"}"#).is_err());
    }
}
