// The flow of a schema that nobody has read: every table is written, changed, read and deleted, and every function called, by everybody.
// It says nothing about whether the answers are right: engines are compared by it.

import { raw } from '../server.js';

/** Columns that say whose a row is. */
const OWNER = /^(user|owner|author|creator|profile|member|account_owner|sender|host|requester|assignee|player|person|auth)(_?id)?$|user_?id$|_by$/;
const NOBODY = '00000000-0000-4000-8000-0000000000aa';
/** Codes and tokens that schemas draw: long enough, and of hexadecimal digits. */
export const masks = [/\b(?=[0-9A-F]*\d)[0-9A-F]{8,}\b/g, /[0-9a-f]{16,}/g];
/** Functions that PostgreSQL's extensions put beside a project's own. */
const OF_EXTENSIONS = ['show_limit', 'show_trgm'];

export default async function flow({ server, person, anon, service }) {
  const alice = await person('alice', { username: 'alice' });
  const bob = await person('bob', { username: 'bob' });
  const { body: api } = await raw(server, '/rest/v1/', { key: server.keys.SUPABASE_SERVICE_ROLE_KEY });
  const stage = { alice, bob, anon, service, ...tablesOf(api.definitions ?? {}), rows: {} };
  for (const table of stage.order) await fill(stage, table);
  for (const table of stage.order) await change(stage, table);
  for (const [name, path] of functionsOf(api.paths ?? {})) await call(stage, name, path);
  for (const table of [...stage.order].reverse()) await remove(stage, table);
  return { alice, bob };
}

const referenceOf = (column) => column.description?.match(/<fk table='([^']+)' column='([^']+)'\/>/);
const isKey = (column) => /<pk\/>/.test(column.description ?? '');

/** {definitions, order, parents}: the tables, those that others refer to first. */
function tablesOf(definitions) {
  const parents = (table) =>
    Object.values(definitions[table].properties).map((column) => referenceOf(column)?.[1]).filter((parent) => parent && parent !== table && definitions[parent]);
  const order = [];
  const visited = new Set();
  const visit = (table) => {
    if (visited.has(table)) return;
    visited.add(table);
    parents(table).forEach(visit);
    order.push(table);
  };
  Object.keys(definitions).sort().forEach(visit);
  return { definitions, order, parents };
}

/** [name, path of the document] of each function. */
function functionsOf(paths) {
  const named = Object.keys(paths).sort().filter((path) => path.startsWith('/rpc/')).map((path) => [path.slice('/rpc/'.length), paths[path]]);
  return named.filter(([name]) => !OF_EXTENSIONS.includes(name));
}

/** [pattern of the type, value]; the first that fits. */
const VALUES = [
  [/^(smallint|integer|bigint)$/, 1],
  [/numeric|double|real/, 1.5],
  [/bool/, true],
  [/\[\]/, []],
  [/json/, {}],
  [/timestamp/, '2026-01-02T03:04:05+00:00'],
  [/^date$/, '2026-01-02'],
  [/^time/, '03:04:05'],
  [/^interval$/, '1 day'],
  [/^inet$/, '10.0.0.1'],
];
const TEXTS = [
  [/email/, 'someone@example.com'],
  [/url/, 'https://example.com/x'],
  [/slug|code|handle|username/, 'some-code'],
];

function valueOf({ rows, alice }, table, name, column) {
  const [, parent, key] = referenceOf(column) ?? [];
  if (rows[parent]?.[key] !== undefined) return rows[parent][key];
  const type = column.format ?? column.type ?? '';
  if (column.enum) return column.enum[0];
  if (type === 'uuid') return OWNER.test(name) || (name === 'id' && (parent || /profile|user/.test(table))) ? alice.id : NOBODY;
  const value = VALUES.find(([pattern]) => pattern.test(type)) ?? TEXTS.find(([pattern]) => pattern.test(name));
  return value ? value[1] : 'some text';
}

/** A row with what a table requires, who owns it and what it refers to. */
function rowOf(stage, table) {
  const { properties, required = [] } = stage.definitions[table];
  const wanted = ([name, column]) => {
    if (required.includes(name) && (column.default === undefined || OWNER.test(name))) return true;
    return (OWNER.test(name) && /uuid/.test(column.format ?? '')) || stage.rows[referenceOf(column)?.[1]];
  };
  return Object.fromEntries(Object.entries(properties).filter(wanted).map(([name, column]) => [name, valueOf(stage, table, name, column)]));
}

async function fill(stage, table) {
  const row = rowOf(stage, table);
  for (const client of [stage.anon, stage.bob]) await client.from(table).insert(row).select();
  for (const client of [stage.alice, stage.service]) {
    const { data } = await client.from(table).insert(row).select();
    if (data?.[0]) return void (stage.rows[table] = data[0]);
  }
  const { data } = await stage.service.from(table).select().limit(1);
  if (data?.[0]) stage.rows[table] = data[0];
}

/** The kept row of a table with a key, as a filter; nothing where there is none. */
function kept({ definitions, rows }, table) {
  const keys = Object.entries(definitions[table].properties).filter(([, column]) => isKey(column)).map(([name]) => name);
  if (!rows[table] || keys.length === 0) return null;
  return { keys, at: (query) => keys.reduce((query, key) => query.eq(key, rows[table][key]), query) };
}

async function change(stage, table) {
  const found = kept(stage, table);
  if (!found) return;
  const plain = ([name, column]) =>
    !found.keys.includes(name) && /^(text|character)/.test(column.format ?? '') && !referenceOf(column) && !column.enum && !/status|role|type|kind/.test(name);
  const [text] = Object.entries(stage.definitions[table].properties).find(plain) ?? [];
  const callers = [stage.anon, stage.bob, stage.alice];
  if (text) for (const [at, client] of callers.entries()) await found.at(client.from(table).update({ [text]: `changed by ${at}` })).select();
  const [parent] = stage.parents(table);
  if (parent) for (const client of [stage.alice, stage.bob]) await found.at(client.from(table).select(`*,${parent}(*)`));
  await stage.alice.from(table).select('*', { count: 'exact' }).limit(2);
  await stage.alice.from(table).upsert(stage.rows[table]).select();
}

/** An argument that names a table is a row's id of it. */
function argumentOf(stage, name, column) {
  const word = name.replace(/^_?p_/, '');
  const table = stage.order.find((table) => stage.rows[table]?.id !== undefined && [`${word.replace(/_id$/, '')}s`, word.replace(/_id$/, '')].includes(table));
  return table ? stage.rows[table].id : valueOf(stage, '', word, column);
}

async function call(stage, name, path) {
  const schema = path.post?.parameters?.find((parameter) => parameter.in === 'body')?.schema ?? {};
  const given = (schema.required ?? []).map((argument) => [argument, argumentOf(stage, argument, schema.properties[argument])]);
  for (const client of [stage.anon, stage.alice, stage.bob]) await client.rpc(name, Object.fromEntries(given));
}

async function remove(stage, table) {
  const found = kept(stage, table);
  if (found) for (const client of [stage.anon, stage.bob, stage.alice]) await found.at(client.from(table).delete()).select();
}
