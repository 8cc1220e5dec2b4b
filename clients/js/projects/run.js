// Follows the main flow of public projects through the official client, on SQLite and on PostgreSQL: the answers are the same.
//
//   node projects/run.js [--postgres URL] [--generic] [NAME…]
//
// NAME is a project of projects.json, or `hiring`; without names, every project with a flow is played. Without --postgres, SQLite alone.
// --generic plays the flow that is made from what a schema exposes, also where a project has one of its own.
// See README.md.

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { differences } from './compare.js';
import { folderOf, hiring, projects } from './folder.js';
import { play } from './play.js';

const pathOf = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const { values, positionals } = parseArgs({
  options: { postgres: { type: 'string' }, generic: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const TRANSCRIPTS = pathOf('../../../target/projects-transcripts');

const flowOf = (name) => pathOf(`flows/${name}.js`);

function chosen() {
  const names = positionals.length > 0 ? positionals : projects.map(({ name }) => name).filter((name) => existsSync(flowOf(name)));
  return names.map((name) => {
    if (name === hiring.name) return hiring;
    const project = projects.find((row) => row.name === name.toLowerCase());
    if (!project) throw new Error(`projects.json has no ${name}`);
    return { ...project, path: folderOf(project) };
  });
}

/** One engine's run: said in a line, its failures below, its transcript in a file. */
async function report(project, flow, label, engine) {
  const result = await play(project, flow, engine).catch((error) => ({ passed: 0, failed: [error.message.slice(-600)], transcript: [], log: [] }));
  console.log(`${project.name} on ${label}: ${result.transcript.length} requests, ${result.passed} passed, ${result.failed.length} failed`);
  for (const failure of result.failed) console.log(`  ${failure}`);
  mkdirSync(TRANSCRIPTS, { recursive: true });
  const file = `${TRANSCRIPTS}/${project.name}.${label}`;
  writeFileSync(`${file}.json`, JSON.stringify(result.transcript, null, 1));
  writeFileSync(`${file}.log`, result.log.join(''));
  return result;
}

/** Whether the project held on every engine that was asked. */
async function run(project) {
  const own = !values.generic && existsSync(flowOf(project.name));
  const flow = await import(own ? flowOf(project.name) : './generic.js');
  const sqlite = await report(project, flow, 'sqlite', 'sqlite');
  if (!values.postgres) return sqlite.failed.length === 0;
  const postgres = await report(project, flow, 'postgres', values.postgres);
  // Not served: said above.
  if (sqlite.transcript.length === 0 || postgres.transcript.length === 0) return false;
  const different = differences(sqlite.transcript, postgres.transcript);
  console.log(`${project.name}: ${different.length} answers differ`);
  for (const [a, b] of different.slice(0, 5)) console.log(`  sqlite   ${JSON.stringify(a)}\n  postgres ${JSON.stringify(b)}`);
  return sqlite.failed.length + postgres.failed.length + different.length === 0;
}

let held = true;
for (const project of chosen()) held = (await run(project)) && held;
process.exit(held ? 0 : 1);
