// Asks a real PostgreSQL who sees what in the hiring example, and writes the answer to tests/visibility.json.
//   node judge.js postgres://postgres@127.0.0.1:5432/postgres
// Creates and drops the database "hiring_judge". Needs psql. Run it after a change of examples/hiring or people.js.

import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { label, labels, people, rows, emailOf } from './people.js';

const server = new URL(process.argv[2]);
const here = (path) => new URL(path, import.meta.url);
const example = here('../../examples/hiring/');

// What Backplane provides before a project's own SQL: roles, auth.users, and the functions that read the token.
const surroundings = `
do $$ begin
  if not exists (select from pg_roles where rolname = 'anon') then
    create role anon; create role authenticated; create role service_role bypassrls;
  end if;
end $$;
create schema auth;
grant usage on schema auth to anon, authenticated, service_role;
create table auth.users (id uuid primary key, email text);
create function auth.jwt() returns jsonb language sql stable
  as $$ select coalesce(nullif(current_setting('request.jwt.claims', true), ''), '{}')::jsonb $$;
create function auth.uid() returns uuid language sql stable as $$ select (auth.jwt() ->> 'sub')::uuid $$;
`;

function psql(database, sql, { stop = true } = {}) {
  const url = new URL(server);
  url.pathname = `/${database}`;
  const settings = ['-v', 'VERBOSITY=sqlstate', '-v', `ON_ERROR_STOP=${stop ? 1 : 0}`];
  const { status, stdout, stderr } = spawnSync('psql', [url.href, '-X', '-q', '-A', '-t', ...settings], { input: sql, encoding: 'utf8' });
  if (stop && status !== 0) throw new Error(`${stderr}in ${sql.slice(0, 200)}`);
  return { stdout, stderr };
}

const text = (value) => `'${String(value).replaceAll("'", "''")}'`;
const insert = (table, records) => {
  const columns = Object.keys(records[0]);
  return `insert into ${table} (${columns}) select ${columns} from jsonb_populate_recordset(null::${table}, ${text(JSON.stringify(records))});\n`;
};

/** What `claims` in `role` sees: table → sorted labels, or the SQLSTATE of the refusal. */
function seen(role, claims) {
  const questions = Object.entries(labels).map(([table, columns]) =>
    `select jsonb_build_object('${table}', coalesce(jsonb_agg(jsonb_build_object(${columns.map((c) => `'${c}', ${c}`)})), '[]')) from ${table};`);
  const sql = ['set jit = off;', `do $$ begin perform set_config('request.jwt.claims', ${text(JSON.stringify(claims))}, false); end $$;`, `set role ${role};`, ...questions];
  const { stdout, stderr } = psql('hiring_judge', sql.join('\n'), { stop: false });
  const answers = Object.assign({}, ...stdout.trim().split('\n').map((line) => JSON.parse(line)));
  const refusals = stderr.match(/\b[0-9A-Z]{5}$/gm) ?? [];
  return Object.fromEntries(Object.keys(labels).map((table) => [table, answers[table]?.map((record) => label(table, record)).sort() ?? refusals.shift()]));
}

psql('postgres', 'drop database if exists hiring_judge');
psql('postgres', 'create database hiring_judge');
psql('hiring_judge', surroundings);
for (const file of readdirSync(new URL('schemas/', example)).sort()) psql('hiring_judge', readFileSync(new URL(`schemas/${file}`, example), 'utf8'));
psql('hiring_judge', readFileSync(new URL('seed.sql', example), 'utf8'));
psql('hiring_judge', insert('auth.users', Object.entries(people).map(([name, p]) => ({ id: p.id, email: emailOf(name) }))));
for (const [table, records] of rows) psql('hiring_judge', insert(table, records));

const callers = {
  anon: ['anon', { role: 'anon' }],
  guest: ['authenticated', { sub: 'a0000000-0000-4000-8000-0000000000ff', role: 'authenticated', is_anonymous: true }],
  ...Object.fromEntries(Object.entries(people).map(([name, p]) => [name, ['authenticated', { sub: p.id, role: 'authenticated', app_metadata: p.app_metadata ?? {} }]])),
  service: ['service_role', { role: 'service_role' }],
};
const visibility = Object.fromEntries(
  Object.entries(callers).map(([name, [role, claims]]) => [name, seen(role, claims)]),
);
writeFileSync(here('tests/visibility.json'), `${JSON.stringify(visibility, null, 1)}\n`);
psql('postgres', 'drop database hiring_judge');
