// Accounts of teams: invitations, members and their roles.

export default async function flow({ person, anon, holds, done, rows, refused }) {
  const alice = await person('alice');
  const bob = await person('bob');

  const team = done('alice makes a team', await alice.rpc('create_account', { slug: 'Team A', name: 'Team A' }));
  holds('a trigger makes the slug one', team?.slug === 'team-a', team);
  refused('a second team of the slug', await bob.rpc('create_account', { slug: 'team a', name: 'Mine' }), 'P0001');
  const of = async (client) => done('the accounts of somebody', await client.rpc('get_accounts'))?.map((account) => account.account_id);
  holds('alice is in her team', (await of(alice)).includes(team.account_id));
  holds('bob is not', !(await of(bob)).includes(team.account_id));
  refused('bob reads her account', await bob.rpc('get_account', { account_id: team.account_id }), 'P0001');
  done('alice reads it', await alice.rpc('get_account', { account_id: team.account_id }));
  done('by its slug', await alice.rpc('get_account_by_slug', { slug: 'team-a' }));
  holds('it has an id', done('the id of a slug', await alice.rpc('get_account_id', { slug: 'team-a' })) === team.account_id);

  const invite = { account_id: team.account_id, account_role: 'member', invitation_type: 'one_time' };
  const invitation = done('alice invites', await alice.rpc('create_invitation', invite));
  refused('bob invites himself', await bob.rpc('create_invitation', { ...invite, account_role: 'owner' }), '42501');
  const open = done('alice sees the invitation', await alice.rpc('get_account_invitations', { account_id: team.account_id }));
  holds('it is one', open?.length === 1, open);
  const found = done('bob looks it up', await bob.rpc('lookup_invitation', { lookup_invitation_token: invitation?.token }));
  holds('it is open', found?.active === true && found?.account_name === 'Team A', found);
  done('bob accepts', await bob.rpc('accept_invitation', { lookup_invitation_token: invitation?.token }));
  refused('it was for once', await bob.rpc('accept_invitation', { lookup_invitation_token: invitation?.token }), 'P0001');
  holds('bob is in the team', (await of(bob)).includes(team.account_id));

  const members = done('who is in', await alice.rpc('get_account_members', { account_id: team.account_id }));
  holds('two are', members?.length === 2, members);
  refused('a member asks for members', await bob.rpc('get_account_members', { account_id: team.account_id }), 'P0001');
  const renamed = done('alice renames', await alice.rpc('update_account', { account_id: team.account_id, name: 'Team B', public_metadata: { color: 'red' } }));
  holds('the name and the metadata are new', renamed?.name === 'Team B' && renamed?.metadata?.color === 'red', renamed);
  refused('a member renames', await bob.rpc('update_account', { account_id: team.account_id, name: 'mine' }), 'P0001');

  const role = (client, account) => client.rpc('current_user_account_role', { account_id: account });
  holds('bob is a member', done('the role of bob', await role(bob, team.account_id))?.account_role === 'member');
  done('alice makes him an owner', await alice.rpc('update_account_user_role', { account_id: team.account_id, user_id: bob.id, new_account_role: 'owner', make_primary_owner: false }));
  holds('he is', done('the new role of bob', await role(bob, team.account_id))?.account_role === 'owner');
  done('the first owner is asked to go', await bob.rpc('remove_account_member', { account_id: team.account_id, user_id: alice.id }));
  holds('she is still there', (await of(alice)).includes(team.account_id));
  done('alice removes bob', await alice.rpc('remove_account_member', { account_id: team.account_id, user_id: bob.id }));
  refused('bob reads it after that', await bob.rpc('get_account', { account_id: team.account_id }), 'P0001');
  refused('anon asks for accounts', await anon.rpc('get_accounts'), '42501');
  return { alice, bob };
}

/** Tokens of invitations. */
export const masks = [/"token" ?: ?"[^"]+"/g];
