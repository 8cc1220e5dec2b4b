// Databases of a PostgreSQL server, made for one flow and dropped after it. Needs psql.

import { execFileSync } from 'node:child_process';

const psql = (server, sql) => execFileSync('psql', [server, '-X', '-q', '-c', sql], { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, PGOPTIONS: '-c client_min_messages=warning' } });

function named(server, database) {
  const url = new URL(server);
  url.pathname = `/${database}`;
  return url.href;
}

/** What a project says of roles holds for every database of a server: the next one must not find it. */
const FORGET = `do $$ declare name text; begin
  for name in select rolname from pg_roles where rolname in ('anon', 'authenticated', 'service_role', 'authenticator') loop
    execute format('alter role %I reset all', name);
  end loop;
end $$`;

/** The address of an empty database for the project of this name. */
export function databaseOf(server, name) {
  const database = `project_${name.replace(/\W/g, '_')}`;
  drop(named(server, database));
  psql(server, `create database ${database}`);
  return named(server, database);
}

/** Drops the database, whoever is in it, and what its project said of roles. */
export function drop(address) {
  const database = new URL(address).pathname.slice(1);
  const server = named(address, 'postgres');
  psql(server, `drop database if exists ${database} with (force)`);
  psql(server, FORGET);
}
