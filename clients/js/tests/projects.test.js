// The player of projects' flows, on the one project that is part of this repository.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { differences } from '../projects/compare.js';
import * as hiring from '../projects/flows/hiring.js';
import { play } from '../projects/play.js';
import { hiring as project } from '../projects/folder.js';

test('the flow of the hiring example holds, and says what was asked', async () => {
  const { passed, failed, transcript } = await play(project, hiring, 'sqlite');
  assert.deepEqual(failed, []);
  assert.ok(passed > 50, `${passed} held`);
  const draft = transcript.find(({ request }) => request.startsWith('POST /rest/v1/job_posts'));
  assert.match(draft.body, /"id":"id-\d+"/, 'what differs from run to run is replaced');
});

test('a check that does not hold, a refusal that does not come and an end that is early are told', async () => {
  const flow = {
    default: async ({ anon, holds, rows, refused }) => {
      holds('nothing', false, { seen: 1 });
      rows('a million departments', await anon.from('departments').select('slug'), 1_000_000);
      refused('a read', await anon.from('departments').select('slug'), '42501');
      throw new Error('early');
    },
  };
  const { passed, failed } = await play(project, flow, 'sqlite');
  assert.equal(passed, 1);
  assert.deepEqual(failed.map((line) => line.slice(0, 7)), ['nothing', 'a milli', 'a read ', 'the flo']);
});

test('answers differ by status, range and body, and not by the order of rows', () => {
  const entry = (values) => ({ request: 'GET /', status: 200, range: '0-1/*', body: '[{"a":1},{"a":2}]', ...values });
  assert.equal(differences([entry()], [entry({ body: '[{"a":2},{"a":1}]' })]).length, 0);
  for (const values of [{ status: 404 }, { range: '*/*' }, { body: '[{"a":1},{"a":3}]' }, { request: 'GET /x' }]) {
    assert.equal(differences([entry()], [entry(values)]).length, 1, JSON.stringify(values));
  }
  const ordered = { request: 'GET /?order=a' };
  assert.equal(differences([entry(ordered)], [entry({ ...ordered, body: '[{"a":2},{"a":1}]' })]).length, 1, 'an order that was asked for');
  assert.equal(differences([entry(), entry()], [entry()]).length, 1, 'a request that was not made');
});
