// Players: profiles, friends who accept, matches that a trigger counts, invitations.

export default async function flow({ person, anon, holds, done, rows, refused }) {
  const alice = await person('alice');
  const bob = await person('bob');
  const profile = (player, code) => ({ id: player.id, connect_code: code, display_name: player.who, slippi_uid: player.id, latitude: 1.5 });
  done('the profile of alice', await alice.from('profiles').upsert(profile(alice, 'ALI#1')).select().single());
  const his = done('the profile of bob', await bob.from('profiles').upsert(profile(bob, 'BOB#2')).select().single());
  holds('has his name', his?.display_name === 'bob', his);
  rows('bob writes hers', await bob.from('profiles').update({ display_name: 'x' }).eq('id', alice.id).select(), 0);
  refused('bob makes hers', await bob.from('profiles').upsert(profile(alice, 'ALI#2')).select(), '42501');
  rows('anybody reads profiles', await anon.from('profiles').select('display_name,connect_code').order('connect_code'), 2);

  const friend = { user_id: alice.id, friend_id: bob.id, friend_connect_code: 'BOB#2' };
  const asked = done('alice asks', await alice.from('friends').insert(friend).select('id,status,friend:profiles!friends_friend_id_fkey(display_name)').single());
  holds('bob', asked?.friend?.display_name === 'bob', asked);
  refused('bob asks for alice', await bob.from('friends').insert(friend).select(), '42501');
  rows('bob sees it', await bob.from('friends').select('status,asker:profiles!friends_user_id_fkey(display_name)').eq('friend_id', bob.id), 1);
  rows('bob accepts', await bob.from('friends').update({ status: 'accepted' }).eq('id', asked?.id).select('status'), 1);
  rows('anon sees no friends', await anon.from('friends').select(), 0);

  const match = (character, replay) => ({ user_id: alice.id, opponent_connect_code: 'BOB#2', user_character_id: character, did_win: true, replay_filename: replay });
  rows('three matches', await alice.from('matches').insert([match(1, 'r0'), match(2, 'r1'), match(2, 'r2')]).select('id'), 3);
  const counted = done('what she plays', await bob.from('profiles').select('top_characters').eq('id', alice.id).single());
  holds('a trigger counted', JSON.stringify(counted?.top_characters).includes('2'), counted);
  rows('bob sees no match', await bob.from('matches').select(), 0);
  const replays = (values) => alice.from('matches').upsert(values, { onConflict: 'user_id,replay_filename', ignoreDuplicates: true }).select('replay_filename');
  rows('a replay again is ignored', await replays([match(1, 'r0')]), 0);
  rows('beside a new one', await replays([match(1, 'r0'), match(3, 'r3')]), 1);
  refused('without that it is refused', await alice.from('matches').insert(match(1, 'r0')), '23505');
  rows('the last two', await alice.from('matches').select('replay_filename').eq('did_win', true).order('replay_filename', { ascending: false }).limit(2), 2);

  done('a nudge', await alice.from('nudges').insert({ sender_id: alice.id, receiver_id: bob.id, message: 'hi' }).select());
  rows('arrives', await bob.from('nudges').select('message').eq('receiver_id', bob.id), 1);
  refused('bob nudges as alice', await bob.from('nudges').insert({ sender_id: alice.id, receiver_id: bob.id, message: 'x' }), '42501');
  done('an invitation', await alice.from('play_invites').insert({ sender_id: alice.id, receiver_id: bob.id }).select());
  rows('arrives, too', await bob.from('play_invites').select('status').eq('receiver_id', bob.id), 1);
  rows('alice ends it', await alice.from('friends').delete().eq('id', asked?.id).select('status'), 1);
  rows('for both', await bob.from('friends').select(), 0);
  return { alice, bob };
}
