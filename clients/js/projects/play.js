// Plays a flow against a project on one engine, and writes down what was asked and answered.

import { clientOf, raw, serve } from '../server.js';
import { databaseOf, drop } from './postgres.js';

const PASSWORD = 'correct horse battery staple';

/**
 * {passed, failed, transcript, log}: what became of `flow` on `engine`, which is `sqlite` or the address of a PostgreSQL server.
 *
 * The schema, its policies, functions and triggers are served as they are. Addresses need no confirmation, because a flow reads no mail.
 */
export async function play(project, flow, engine) {
  const settings = { BACKPLANE_AUTH_EMAIL_ENABLE_CONFIRMATIONS: 'false' };
  if (project.seed === false) settings.BACKPLANE_DB_SEED_ENABLED = 'false';
  const database = engine === 'sqlite' ? null : databaseOf(engine, project.name);
  if (database) settings.BACKPLANE_ENGINE_URL = database;
  try {
    const server = await serve(project.path, { command: project.command ?? 'dev', settings });
    try {
      return await played(server, flow);
    } finally {
      await server.stop();
    }
  } finally {
    if (database) drop(database);
  }
}

async function played(server, flow) {
  const transcript = transcriptOf(server.url, flow.masks ?? []);
  const result = { passed: 0, failed: [], transcript: transcript.entries, log: server.log };
  const options = { global: { fetch: transcript.fetch } };
  const checks = checksOf(result);
  const stage = {
    server,
    ...checks,
    anon: clientOf(server, server.keys.SUPABASE_ANON_KEY, options),
    service: clientOf(server, server.keys.SUPABASE_SERVICE_ROLE_KEY, options),
    person: (name, metadata) => signedUp(server, options, checks, name, metadata),
    known: (email, password) => signedIn(server, options, checks, { email, password }),
  };
  try {
    const seen = (await flow.default(stage)) ?? {};
    await sweep(stage, seen);
  } catch (error) {
    result.failed.push(`the flow ended early: ${error.stack}`);
  }
  return result;
}

/** A client that has signed up and in, with its `id`, `email` and `who`. */
async function signedUp(server, options, checks, name, metadata = {}) {
  const credentials = { email: `${name}@example.com`, password: PASSWORD };
  const stranger = clientOf(server, server.keys.SUPABASE_ANON_KEY, options);
  const made = await stranger.auth.signUp({ ...credentials, options: { data: { full_name: name, ...metadata } } });
  checks.holds(`${name} signs up`, made.data?.session, made.error);
  return signedIn(server, options, checks, credentials);
}

/** A client of somebody who is known. */
async function signedIn(server, options, { holds }, { email, password = PASSWORD }) {
  const client = clientOf(server, server.keys.SUPABASE_ANON_KEY, options);
  const entered = await client.auth.signInWithPassword({ email, password });
  holds(`${email} signs in`, !entered.error, entered.error);
  return Object.assign(client, { id: entered.data?.user?.id, email, who: email.split('@')[0] });
}

/** What a flow says of answers. Each returns the rows, so that a flow can go on with them. */
function checksOf(result) {
  const holds = (what, condition, seen) => {
    if (condition) result.passed += 1;
    else result.failed.push(`${what}: ${JSON.stringify(seen)?.slice(0, 800)}`);
  };
  const done = (what, { data, error }) => {
    holds(what, !error, error);
    return data;
  };
  return {
    /** Any condition, and what was seen instead. */
    holds,
    /** The request succeeds. */
    done,
    /** The request succeeds, with this many rows. */
    rows: (what, reply, count) => {
      const data = done(what, reply);
      holds(`${what}: ${count} rows`, data?.length === count, data);
      return data;
    },
    /** The request is refused, with this code. */
    refused: (what, { data, error }, code) =>
      holds(`${what} is refused with ${code}`, error?.code === code, error ?? data),
  };
}

/** Every exposed table, read by everybody: what one engine hides, the other hides. */
async function sweep({ server, anon, service }, people) {
  const key = server.keys.SUPABASE_SERVICE_ROLE_KEY;
  const { body } = await raw(server, '/rest/v1/', { key });
  for (const table of Object.keys(body.definitions ?? {}).sort()) {
    for (const client of [anon, service, ...Object.values(people)]) await client.from(table).select();
  }
}

/** What was asked and answered over this `fetch`, with what differs from run to run replaced. */
function transcriptOf(url, masks) {
  const entries = [];
  const ids = new Map();
  const idOf = (id) => ids.get(id) ?? ids.set(id, `id-${ids.size}`).get(id);
  const masked = (text) =>
    masks.reduce((text, mask) => text.replace(mask, 'MASKED'), text.replace(UUID, idOf).replace(MOMENT, 'MOMENT').replace(TODAY, 'TODAY'));
  const recording = async (input, init) => {
    const response = await fetch(input, init);
    const path = decodeURIComponent(String(input).replace(url, ''));
    const body = await response.clone().text();
    entries.push({
      request: masked(`${init?.method ?? 'GET'} ${path}`),
      status: response.status,
      range: response.headers.get('content-range'),
      // A session is tokens and moments; what is in it shows in what its owner may do.
      body: path.startsWith('/auth/') && response.ok ? null : masked(body),
    });
    return response;
  };
  return { entries, fetch: recording };
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const MOMENT = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(\+00:00|\+00|Z)?/g;
const TODAY = new RegExp(new Date().toISOString().slice(0, 10), 'g');
