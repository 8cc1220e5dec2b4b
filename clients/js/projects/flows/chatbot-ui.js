// Chats with a model: workspaces, folders, chats that may be shared, messages that are dropped and copied, files found by embeddings.

/** Names that a trigger draws. */
export const masks = [/user[0-9a-f]{16}/g];

/** An embedding of the local model that points mostly one way. */
const vector = (axis, lean = 0) => JSON.stringify(Array.from({ length: 384 }, (_, at) => (at === axis ? 1 : at === axis + 1 ? lean : 0)));

export default async function flow({ person, anon, holds, done, rows, refused }) {
  const alice = await person('alice');
  const bob = await person('bob');
  const mine = (values) => ({ user_id: alice.id, ...values });

  const profile = done('a trigger made a profile', await alice.from('profiles').select('*').eq('user_id', alice.id).single());
  holds('with a drawn name', /^user[0-9a-f]{16}$/.test(profile?.username), profile?.username);
  const named = done('alice names herself', await alice.from('profiles').update({ username: 'alice', display_name: 'Alice', has_onboarded: true }).eq('id', profile?.id).select('username,has_onboarded,updated_at').single());
  holds('and a trigger says when', named?.updated_at !== null, named);
  refused('bob takes the name', await bob.from('profiles').update({ username: 'alice' }).eq('user_id', bob.id), '23505');
  refused('a name of two letters', await bob.from('profiles').update({ username: 'al' }).eq('user_id', bob.id), '23514');
  rows('bob reads her profile', await bob.from('profiles').select().eq('username', 'alice'), 0);

  const home = done('her home', await alice.from('workspaces').select('*').eq('user_id', alice.id).eq('is_home', true).single());
  refused('a second home', await alice.from('workspaces').insert({ ...home, id: undefined, name: 'Home 2' }), '23505');
  const work = done('a workspace', await alice.from('workspaces').insert([{ ...home, id: undefined, is_home: false, name: 'Work' }], { defaultToNull: false }).select('*').single());
  rows('what she has', await alice.from('workspaces').select('name,default_temperature').eq('user_id', alice.id).order('created_at', { ascending: false }), 2);
  refused('the home is no more', await alice.from('workspaces').update({ is_home: false }).eq('id', home?.id), 'P0001');
  rows('bob reads them', await bob.from('workspaces').select().eq('user_id', alice.id), 0);

  const folder = done('a folder', await alice.from('folders').insert([mine({ workspace_id: work?.id, name: 'Plans', description: '', type: 'chats' })]).select('*').single());
  const chat = mine({ workspace_id: work?.id, folder_id: folder?.id, context_length: 4096, embeddings_provider: 'openai', include_profile_context: true, include_workspace_instructions: true, model: 'gpt-4', name: 'Bread', prompt: 'Be kind', temperature: 0.5 });
  const bread = done('a chat', await alice.from('chats').insert([chat]).select('*').single());
  const copy = done('another', await alice.from('chats').insert([{ ...chat, name: 'Copy', sharing: 'private' }]).select('id').single());
  refused('bob chats as alice', await bob.from('chats').insert([chat]), '42501');
  const message = (sequence_number, role, content) => mine({ chat_id: bread?.id, content, image_paths: [], model: 'gpt-4', role, sequence_number });
  rows('messages', await alice.from('messages').insert([message(0, 'user', 'How long?'), message(1, 'assistant', 'An hour.'), message(2, 'user', 'How hot?'), message(3, 'assistant', 'Very.')]).select('*'), 4);
  refused('seventeen images', await alice.from('messages').insert([{ ...message(4, 'user', 'x'), image_paths: Array(17).fill('p') }]), '23514');
  refused('the first chat is copied by a function that is out of date', await alice.rpc('create_duplicate_messages_for_new_chat', { old_chat_id: bread?.id, new_chat_id: copy?.id, new_user_id: alice.id }), '42703');
  rows('bob reads none', await bob.from('messages').select(), 0);
  rows('bob drops none', await bob.rpc('delete_messages_including_and_after', { p_user_id: alice.id, p_chat_id: bread?.id, p_sequence_number: 0 }).then(() => alice.from('messages').select('id')), 4);
  done('alice asks again', await alice.rpc('delete_messages_including_and_after', { p_user_id: alice.id, p_chat_id: bread?.id, p_sequence_number: 2 }));
  const kept = rows('two are left', await alice.from('messages').select('*').eq('chat_id', bread?.id).order('sequence_number'), 2);
  rows('one is edited', await alice.from('messages').update({ content: 'Two hours.' }).eq('id', kept?.[1]?.id).select('content'), 1);
  rows('one is gone', await alice.from('messages').delete().eq('id', kept?.[0]?.id).select('role'), 1);

  rows('she shares the chat', await alice.from('chats').update({ sharing: 'public' }).eq('id', bread?.id).select('sharing'), 1);
  const shared = rows('anybody reads it', await anon.from('chats').select('name,messages(content,role)').order('sequence_number', { referencedTable: 'messages' }), 1);
  holds('with its messages', shared?.[0]?.messages?.[0]?.content === 'Two hours.', shared);
  rows('nobody else changes it', await bob.from('chats').update({ name: 'x' }).eq('id', bread?.id).select(), 0);
  rows('chats of the workspace', await alice.from('chats').select('*').eq('workspace_id', work?.id).order('name', { ascending: false }), 2);

  const file = done('a file', await alice.from('files').insert([mine({ folder_id: null, name: 'notes.txt', description: '', file_path: 'a/notes', size: 12, tokens: 3, type: 'txt' })]).select('*').single());
  done('in the workspace', await alice.from('file_workspaces').insert([mine({ file_id: file?.id, workspace_id: work?.id })]).select('*').single());
  refused('twice', await alice.from('file_workspaces').insert([mine({ file_id: file?.id, workspace_id: work?.id })]), '23505');
  const part = (content, embedding) => mine({ file_id: file?.id, content, tokens: 1, local_embedding: embedding });
  rows('its parts', await alice.from('file_items').upsert([part('flour', vector(0)), part('yeast', vector(0, 0.4)), part('salt', vector(7))]).select('content'), 3);
  const near = done('parts that fit', await alice.rpc('match_file_items_local', { query_embedding: vector(0, 0.1), match_count: 2, file_ids: [file?.id] }));
  holds('flour and yeast', near?.map((found) => found.content).join() === 'flour,yeast', near);
  rows('bob finds none', await bob.rpc('match_file_items_local', { query_embedding: vector(0), match_count: 2, file_ids: [file?.id] }), 0);
  rows('the file is public', await alice.from('files').update({ sharing: 'public' }).eq('id', file?.id).select('sharing'), 1);
  rows('then he finds them', await bob.rpc('match_file_items_local', { query_embedding: vector(0), match_count: 2, file_ids: [file?.id] }).select('content,similarity'), 2);
  const listed = done('files of a workspace', await alice.from('workspaces').select('id,name,files(name,tokens,file_items(count))').eq('id', work?.id).single());
  holds('with how many parts', listed?.files?.[0]?.file_items?.[0]?.count === 3, listed);

  const preset = (name) => mine({ name, description: '', context_length: 4096, embeddings_provider: 'openai', include_profile_context: true, include_workspace_instructions: true, model: 'gpt-4', prompt: 'p', temperature: 0.25 });
  const presets = rows('presets', await alice.from('presets').insert([preset('Baker'), preset('Clerk')]).select('id,name,temperature'), 2);
  rows('in the workspace', await alice.from('preset_workspaces').insert(presets.map(({ id }) => mine({ preset_id: id, workspace_id: work?.id }))).select('preset_id'), 2);
  const tool = done('a tool', await alice.from('tools').insert([mine({ name: 'Scales', description: '', schema: { openapi: '3.1.0' }, url: 'https://x.example', custom_headers: { a: 'b' } })]).select('name,schema->>openapi').single());
  holds('with a version', tool?.openapi === '3.1.0', tool);
  const prompt = done('a prompt', await alice.from('prompts').insert([mine({ name: 'Ask', content: 'Why?' })]).select('id').single());
  done('of the workspace', await alice.from('prompt_workspaces').insert([mine({ prompt_id: prompt?.id, workspace_id: work?.id })]));
  const counted = done('how much there is', await alice.from('workspaces').select('presets(count),prompts(count),chats(count)').eq('id', work?.id).single());
  holds('two, one, two', [counted?.presets, counted?.prompts, counted?.chats].map((list) => list?.[0]?.count).join() === '2,1,2', counted);

  rows('the folder goes', await alice.from('folders').delete().eq('id', folder?.id).select('name'), 1);
  rows('its chats stay', await alice.from('chats').select('name').is('folder_id', null).order('name'), 2);
  rows('a chat goes', await alice.from('chats').delete().eq('id', bread?.id).select('name'), 1);
  rows('with its messages', await alice.from('messages').select(), 0);
  return { alice, bob };
}
