// Groups with roles and permissions: claims that triggers keep and policies ask, read again before each request.

export default async function flow({ person, known, anon, service, holds, done, rows, refused }) {
  const members = { owner: 'alice', admin: 'bob', editor: 'carol', viewer: 'dave', nobody: 'eve' };
  const { users } = done('who the seed made', await service.auth.admin.listUsers());
  const as = {};
  for (const [role, name] of Object.entries(members)) {
    const email = `${name}@example.local`;
    done(`${name} gets a password`, await service.auth.admin.updateUserById(users.find((user) => user.email === email)?.id, { password: 'correct horse' }));
    as[role] = await known(email, 'correct horse');
  }
  const stranger = await person('stranger');
  const group = 'f1111111-1111-1111-1111-111111111111';
  const table = (client) => client.from('sensitive_data');

  for (const role of ['owner', 'admin', 'editor', 'viewer']) rows(`the ${role} reads`, await table(as[role]).select('id,data,owned_by_group'), 1);
  rows('who is no member does not', await table(as.nobody).select(), 0);
  rows('nor a stranger', await table(stranger).select(), 0);
  rows('nor a visitor', await table(anon).select(), 0);
  rows('the service does', await table(service).select('data'), 1);

  const entry = { owned_by_group: group, data: 'plans' };
  for (const role of ['owner', 'admin', 'editor']) done(`the ${role} writes`, await table(as[role]).insert(entry).select('data').single());
  refused('the viewer writes', await table(as.viewer).insert(entry).select(), '42501');
  refused('who is no member writes', await table(as.nobody).insert(entry), '42501');
  refused('a visitor writes', await table(anon).insert(entry), '42501');
  refused('the owner writes for another group', await table(as.owner).insert({ ...entry, owned_by_group: as.owner.id }), '42501');
  refused('an entry of no group', await table(as.owner).insert({ data: 'x' }), '42501');
  const mixed = [entry, { ...entry, owned_by_group: as.owner.id }];
  refused('one of several for another group', await table(as.editor).insert(mixed), '42501');

  const listed = rows('all of it', await table(as.viewer).select('id,data').order('created_at').order('id'), 4);
  const { count } = await table(as.viewer).select('*', { count: 'exact', head: true }).eq('data', 'plans');
  holds('three plans', count === 3, count);
  rows('the editor changes one', await table(as.editor).update({ data: 'better plans' }).eq('id', listed?.[1]?.id).select('data'), 1);
  rows('the viewer changes none', await table(as.viewer).update({ data: 'x' }).eq('owned_by_group', group).select(), 0);
  refused('the editor gives one away', await table(as.editor).update({ owned_by_group: as.editor.id }).eq('id', listed?.[1]?.id).select(), '42501');
  rows('a stranger changes none', await table(stranger).update({ data: 'x' }).neq('data', '').select(), 0);
  const upserted = await table(as.admin).upsert({ id: listed?.[2]?.id, ...entry, data: 'upserted' }).select('data');
  rows('the admin puts one', upserted, 1);
  refused('the viewer puts one', await table(as.viewer).upsert({ id: listed?.[2]?.id, ...entry, data: 'x' }).select(), '42501');
  rows('the viewer deletes none', await table(as.viewer).delete().eq('owned_by_group', group).select(), 0);
  rows('the owner deletes one', await table(as.owner).delete().eq('id', listed?.[3]?.id).select('data'), 1);
  rows('three are left', await table(as.viewer).select('data').order('data'), 3);
  rows('for those who search, too', await table(as.viewer).select('data').ilike('data', '%plans%'), 1);
  refused('the schema behind is not exposed', await as.owner.schema('rbac').from('members').select(), 'PGRST106');
  refused('nor are its functions', await as.owner.rpc('create_group', { p_name: 'Beta' }), 'PGRST202');

  done('dave is removed altogether', await service.auth.admin.deleteUser(as.viewer.id));
  refused('his old token is of no use', await table(as.viewer).select(), 'PGRST303');
  return { owner: as.owner, editor: as.editor, nobody: as.nobody, stranger };
}
