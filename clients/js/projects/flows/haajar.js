// Events with groups: invitations, forms, requests to join and their review, all by functions.

export default async function flow({ person, anon, service, holds, done, rows, refused }) {
  const alice = await person('alice');
  const bob = await person('bob');
  rows('profiles by a trigger', await service.from('profiles').select('id').in('id', [alice.id, bob.id]), 2);
  const event = done('an event', await alice.rpc('create_event', { event_name: 'Fair', event_description: 'x' }));
  const group = done('a group', await alice.rpc('create_group', { parent_event_id: event, group_name: 'Helpers' }));
  rows('alice sees it', await alice.from('events').select('id,name,groups(name,group_memberships!group_memberships_group_id_fkey(role,user_id))').eq('id', event), 1);
  rows('bob does not', await bob.from('events').select().eq('id', event), 0);
  refused('bob makes a group', await bob.rpc('create_group', { parent_event_id: event, group_name: 'G' }), '42501');
  refused('bob makes an event for alice', await bob.from('events').insert({ name: 'x', created_by: alice.id }), '42501');
  refused('anon makes one', await anon.rpc('create_event', { event_name: 'x' }), '42501');
  const organizes = async (client, options) => done('who organizes', await client.rpc('is_event_super_organiser', { target_event_id: event }, options));
  holds('alice', (await organizes(alice)) === true);
  holds('not bob', (await organizes(bob)) === false);
  holds('asked by GET', (await organizes(alice, { get: true })) === true);

  const [invitation] = done('an invitation', await alice.rpc('create_group_invitation', { target_group_id: group })) ?? [];
  done('bob looks at it', await bob.rpc('resolve_group_invitation', { invitation_token: invitation?.invitation_token }));
  const form = done('a form', await alice.rpc('create_registration_form', { target_group_id: group }));
  const questions = [{ label: 'Name?', question_type: 'short_text', is_required: false, position: 1, options: [] }];
  done('is drafted', await alice.rpc('save_registration_form_draft', { target_form_id: form, questions }));
  done('and published', await alice.rpc('publish_registration_form', { target_form_id: form }));
  const request = done('bob asks to join', await bob.rpc('submit_join_request', { target_group_id: group, answers: [] }));
  const requests = done('alice sees who asks', await alice.rpc('list_group_join_requests', { target_group_id: group }));
  holds('bob', JSON.stringify(requests).includes(request), requests);
  const review = done('alice accepts', await alice.rpc('review_join_request', { target_request_id: request, decision: 'accept' }).single());
  rows('bob sees the event', await bob.from('events').select('id').eq('id', event), 1);
  rows('bob has a code', await bob.rpc('get_membership_qr', { target_membership_id: review?.group_membership_id }), 1);
  const members = done('who is in', await alice.rpc('list_group_members_secure', { target_group_id: group }).select('full_name,role').order('full_name'));
  holds('somebody', members?.length >= 1, members);
  rows('a preference', await alice.from('profiles').update({ phone: '123' }).eq('id', alice.id).select('phone'), 1);
  rows('not of bob', await alice.from('profiles').update({ phone: '999' }).eq('id', bob.id).select('phone'), 0);
  return { alice, bob };
}

/** Tokens of invitations and of membership codes. */
export const masks = [/[0-9a-f]{32,}/g, /"(invitation_token|qr_token|token)" ?: ?"[^"]+"/g];
