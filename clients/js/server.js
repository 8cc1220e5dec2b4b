// A Backplane to talk to: the one that the environment names, or one of our own on a copy of examples/hiring.
//
//   BACKPLANE_BIN    the binary to run (default: target/debug/backplane of this repository)
//   BACKPLANE_URL    a server that runs already; then also SUPABASE_ANON_KEY, SUPABASE_SERVICE_ROLE_KEY,
//                    SUPABASE_PUBLISHABLE_KEY, SUPABASE_SECRET_KEY

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from '@supabase/supabase-js';

const pathOf = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const START_TIMEOUT_MS = 60_000;

async function freePort() {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address();
  listener.close();
  await once(listener, 'close');
  return port;
}

function keysOf(binary, project) {
  const lines = execFileSync(binary, ['keys', project, '--env'], { encoding: 'utf8' }).split('\n');
  return Object.fromEntries(lines.filter((line) => line.includes('=')).map((line) => {
    const [name, ...value] = line.split('=');
    return [name.trim(), value.join('=').trim().replace(/^"(.*)"$/, '$1')];
  }));
}

async function untilReady(url, child, log) {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}:\n${log.join('')}`);
    const ready = await fetch(`${url}/readyz`).catch(() => null);
    if (ready?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the server was not ready after ${START_TIMEOUT_MS} ms:\n${log.join('')}`);
}

/**
 * {url, keys, log, stop()}: a server of our own with a copy of the project in `source`.
 * `command` is how it is served; `settings` are variables of its environment.
 */
export async function serve(source, { command = 'serve', settings = {} } = {}) {
  const binary = process.env.BACKPLANE_BIN ?? pathOf('../../target/debug/backplane');
  const folder = await mkdtemp(join(tmpdir(), 'backplane-js-'));
  const project = join(folder, basename(source));
  await cp(source, project, { recursive: true, filter: (path) => !path.endsWith('.backplane') });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const log = [];
  const env = { ...process.env, ...settings };
  const child = spawn(binary, [command, project, '--listen', `127.0.0.1:${port}`], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => log.push(chunk.toString()));
  const stop = async () => {
    if (child.exitCode === null) {
      child.kill('SIGTERM');
      await Promise.race([once(child, 'exit'), new Promise((resolve) => setTimeout(resolve, 5_000).unref())]);
      child.kill('SIGKILL');
    }
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await untilReady(url, child, log);
    return { url, keys: keysOf(binary, project), stop, log };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** {url, keys, stop()}: a server with the hiring example in it. */
export async function startServer() {
  if (process.env.BACKPLANE_URL) return { url: process.env.BACKPLANE_URL, keys: process.env, stop: async () => {}, log: [] };
  return serve(pathOf('../../examples/hiring'));
}

/** A client that keeps its session in memory and starts no timers. */
export const clientOf = (server, key = server.keys.SUPABASE_ANON_KEY, options = {}) =>
  createClient(server.url, key, { ...options, auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false, ...options.auth } });

/** The client that passes every policy. */
export const serviceOf = (server) => clientOf(server, server.keys.SUPABASE_SERVICE_ROLE_KEY);

/** What a request said, without the client library in between: {status, headers, body}. */
export async function raw(server, path, { key = server.keys.SUPABASE_ANON_KEY, token = key, headers = {}, ...options } = {}) {
  const response = await fetch(`${server.url}${path}`, { ...options, headers: { apikey: key, authorization: `Bearer ${token}`, ...headers } });
  const text = await response.text();
  let body = text;
  try {
    body = JSON.parse(text);
  } catch {
    // Not JSON: CSV, or nothing.
  }
  return { status: response.status, headers: response.headers, body, text };
}
