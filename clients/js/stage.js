// Puts the people of people.js on a server: users by the admin API, rows by the service role, one signed-in client each.

import assert from 'node:assert/strict';
import { clientOf, serviceOf, startServer } from './server.js';
import { PASSWORD, emailOf, people, rows } from './people.js';

function must({ data, error, status }, what) {
  assert.equal(error, null, `${what}: ${status} ${JSON.stringify(error)}`);
  return data;
}

async function createPerson(service, name, { id, app_metadata }) {
  await service.auth.admin.deleteUser(id);
  const created = await service.auth.admin.createUser({ id, email: emailOf(name), password: PASSWORD, email_confirm: true, app_metadata });
  const { user } = must(created, `create ${name}`);
  assert.equal(user.id, id, 'the admin API takes the id that it is given');
}

async function signedIn(server, name) {
  const client = clientOf(server);
  must(await client.auth.signInWithPassword({ email: emailOf(name), password: PASSWORD }), `sign in ${name}`);
  return client;
}

/** Starts a server and fills it: {server, service, anon, as: {ada, ben, …}, stop()}. */
export async function stage() {
  const server = await startServer();
  try {
    const service = serviceOf(server);
    for (const [name, person] of Object.entries(people)) await createPerson(service, name, person);
    for (const [table, records] of rows) must(await service.from(table).insert(records), `fill ${table}`);
    const clients = await Promise.all(Object.keys(people).map(async (name) => [name, await signedIn(server, name)]));
    return { server, service, anon: clientOf(server), as: Object.fromEntries(clients), stop: server.stop };
  } catch (error) {
    await server.stop();
    throw error;
  }
}
