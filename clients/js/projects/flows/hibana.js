// Habits as flames: sessions, tasks below tasks, each person's own.

export default async function flow({ person, service, holds, done, rows, refused }) {
  const alice = await person('alice');
  const bob = await person('bob');
  rows('a trigger made profiles', await service.from('user_profiles').select('id').in('id', [alice.id, bob.id]), 2);

  const flame = (values) => ({ user_id: alice.id, tracking_type: 'time', ...values });
  const [read, run] = rows('two flames', await alice.from('flames').insert([flame({ name: 'read' }), flame({ name: 'run', tracking_type: 'count', count_target: 3 })], { defaultToNull: false }).select(), 2);
  done('one of bob', await bob.from('flames').insert(flame({ user_id: bob.id, name: 'sleep' })).select().single());
  refused('bob lights one for alice', await bob.from('flames').insert(flame({ name: 'spy' })).select(), '42501');
  refused('a kind that is none', await alice.from('flames').insert(flame({ name: 'x', tracking_type: 'none' })), '23514');
  const listed = rows('alice sees hers', await alice.from('flames').select('name,flame_sessions(duration_seconds)').order('name'), 2);
  holds('by name', listed?.map((row) => row.name).join() === 'read,run', listed);
  const { count } = await alice.from('flames').select('*', { count: 'exact', head: true });
  holds('counted', count === 2, count);

  const session = done('a session', await alice.from('flame_sessions').insert({ user_id: alice.id, flame_id: read.id, duration_seconds: 60 }).select('id,date,flames(name)').single());
  holds('shows its flame', session?.flames?.name === 'read', session);
  const again = { user_id: alice.id, flame_id: read.id, date: session?.date, duration_seconds: 90 };
  const longer = done('it goes on', await alice.from('flame_sessions').upsert(again, { onConflict: 'flame_id,date' }).select().single());
  holds('ninety seconds', longer?.duration_seconds === 90 && longer?.id === session?.id, longer);
  refused('a second of the day', await alice.from('flame_sessions').insert(again), '23505');
  rows('a week of it', await alice.from('flame_sessions').select('duration_seconds').gte('date', session?.date).order('date'), 1);
  rows('bob sees none', await bob.from('flame_sessions').select(), 0);
  rows('bob changes nothing', await bob.from('flames').update({ name: 'x' }).eq('id', read.id).select(), 0);
  rows('bob deletes nothing', await bob.from('flames').delete().eq('id', read.id).select(), 0);

  const task = done('a task', await alice.from('tasks').insert({ user: alice.id, title: 'one' }).select().single());
  const below = done('a task below it', await alice.from('tasks').insert({ user: alice.id, title: 'two', parent_task: task?.id }).select('id,title,parent:parent_task(title)').single());
  holds('shows its parent', below?.parent?.title === 'one', below);
  rows('renamed', await alice.from('tasks').update({ title: 'due' }).eq('id', below?.id).select('title'), 1);
  rows('bob sees no task', await bob.from('tasks').select(), 0);
  refused('bob adds one for alice', await bob.from('tasks').insert({ user: alice.id, title: 'x' }), '42501');
  rows('a flame goes out', await alice.from('flames').delete().eq('id', run.id).select('name'), 1);
  rows('the other goes with its sessions', await alice.from('flames').delete().eq('id', read.id).select('name'), 1);
  rows('none are left', await alice.from('flame_sessions').select(), 0);
  return { alice, bob };
}
