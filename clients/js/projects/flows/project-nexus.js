// A graph of what somebody has read: nodes found by their embeddings, edges that a function draws, tags and collections.

/** An embedding that points mostly one way. */
const vector = (axis, lean = 0) => JSON.stringify(Array.from({ length: 1536 }, (_, at) => (at === axis ? 1 : at === axis + 1 ? lean : 0)));

export default async function flow({ person, anon, holds, done, rows, refused }) {
  const alice = await person('alice');
  const bob = await person('bob');
  const own = done('triggers made the user and the settings', await alice.from('users').select('email,tier,user_settings(shortcuts_enabled,custom_shortcuts)').single());
  holds('in the free tier', own?.tier === 'free' && own?.user_settings?.shortcuts_enabled === true, own);

  const node = (title, embedding, values = {}) => ({ user_id: alice.id, url: `https://example.com/${title}`, title, summary: `About ${title}`, embedding, ...values });
  const nodes = rows('four nodes', await alice.from('nodes').insert([node('rust', vector(0)), node('borrowing', vector(0, 0.5)), node('lifetimes', vector(0, 0.2)), node('bread', vector(9))]).select('id,title,is_bookmarked'), 4);
  const [rust, borrowing, lifetimes, bread] = nodes;
  done('bob has one of his own', await bob.from('nodes').insert({ ...node('rust', vector(0)), user_id: bob.id }));
  refused('bob writes for alice', await bob.from('nodes').insert(node('spy', vector(1))), '42501');
  refused('an embedding that is too short', await alice.from('nodes').insert(node('short', '[1,2]')), '22000');
  rows('bob sees his', await bob.from('nodes').select('title'), 1);

  done('edges are drawn', await alice.rpc('match_nodes', { query_embedding: vector(0), match_threshold: 0.7, match_count: 5, p_user_id: alice.id, p_source_node_id: rust.id }));
  const edges = done('to what is near', await alice.from('edges').select('weight,relation_type,is_manual,target:nodes!edges_target_id_fkey(title)').eq('source_id', rust.id).order('weight', { ascending: false }));
  holds('lifetimes before borrowing', edges?.map((edge) => edge.target.title).join() === 'lifetimes,borrowing', edges);
  done('again, they are the same', await alice.rpc('match_nodes', { query_embedding: vector(0), match_threshold: 0.9, match_count: 5, p_user_id: alice.id, p_source_node_id: rust.id }));
  rows('two', await alice.from('edges').select('id'), 2);
  const manual = rows('one by hand', await alice.from('edges').upsert({ source_id: rust.id, target_id: bread.id, user_id: alice.id, relation_type: 'manual', is_manual: true, label: 'both rise', weight: null }, { onConflict: 'source_id,target_id,user_id' }).select('is_manual,label,weight'), 1);
  holds('without a weight', manual?.[0]?.weight === null, manual);
  refused('the pair again', await alice.from('edges').insert({ source_id: rust.id, target_id: bread.id, user_id: alice.id, relation_type: 'manual' }), '23505');
  refused('bob draws in her graph', await bob.from('edges').insert({ source_id: rust.id, target_id: bread.id, user_id: alice.id, relation_type: 'x' }), '42501');
  rows('bob sees no edge', await bob.from('edges').select(), 0);

  const near = done('search by meaning', await alice.rpc('search_nodes_hybrid', { query_embedding: vector(0, 0.1), match_count: 3 }));
  holds('nearest first', near?.map((found) => found.title).join() === 'lifetimes,rust,borrowing', near);
  rows('search by words', await alice.rpc('search_nodes_hybrid', { search_term: 'BREAD' }).select('title,similarity'), 1);
  rows('bob finds his alone', await bob.rpc('search_nodes_hybrid', { query_embedding: vector(0), match_count: 10 }), 1);
  rows('a visitor finds nothing', await anon.rpc('search_nodes_hybrid', { search_term: 'rust' }), 0);

  const entity = (of, name, type) => ({ user_id: alice.id, node_id: of.id, name, type });
  rows('entities', await alice.from('entities').insert([entity(rust, 'Mozilla', 'org'), entity(rust, 'ownership', 'concept'), entity(bread, 'yeast', 'thing')]).select('name'), 3);
  const [tag, other] = rows('tags', await alice.from('tags').insert([{ user_id: alice.id, name: 'code' }, { user_id: alice.id, name: 'food', color: '#ffffff' }], { defaultToNull: false }).select('id,name,color'), 2);
  refused('a tag again', await alice.from('tags').insert({ user_id: alice.id, name: 'code' }), '23505');
  rows('nodes are tagged', await alice.from('node_tags').insert([{ node_id: rust.id, tag_id: tag.id }, { node_id: borrowing.id, tag_id: tag.id }, { node_id: bread.id, tag_id: other.id }]).select('tag_id'), 3);
  refused('bob tags hers', await bob.from('node_tags').insert({ node_id: rust.id, tag_id: tag.id }), '42501');
  rows('nodes of a tag', await alice.from('nodes').select('title,tags!inner(name)').eq('tags.name', 'code').order('title'), 2);

  const shelf = done('a collection', await alice.from('collections').insert({ user_id: alice.id, name: 'Shelf', color: 'red' }).select().single());
  rows('two on it', await alice.from('node_collections').upsert([rust, lifetimes].map(({ id }) => ({ node_id: id, collection_id: shelf.id }))).select(), 2);
  const counted = done('how many', await alice.from('collections').select('name,node_collections(count)').eq('id', shelf.id).single());
  holds('two', counted?.node_collections?.[0]?.count === 2, counted);
  rows('bob sees no shelf', await bob.from('collections').select('*,node_collections(*)'), 0);

  rows('bookmarked', await alice.from('nodes').update({ is_bookmarked: true }).in('id', [rust.id, bread.id]).select('title'), 2);
  const feed = await alice.from('nodes').select('title,entities(name,type)', { count: 'exact' }).eq('is_bookmarked', true).order('title').range(0, 0);
  rows('the first of the feed', feed, 1);
  holds('of two', feed.count === 2, feed.count);
  const review = done('a review is due', await alice.from('reviews').insert({ user_id: alice.id, node_id: rust.id, next_review_date: '2026-01-05T00:00:00Z' }).select('id,interval,ease_factor').single());
  rows('and done', await alice.from('reviews').update({ interval: 6, ease_factor: 2.6, next_review_date: '2026-01-11T00:00:00Z', last_reviewed_at: '2026-01-05T08:00:00Z' }).eq('id', review?.id).select('interval,ease_factor,last_reviewed_at'), 1);
  rows('what is due', await alice.from('reviews').select('ease_factor,nodes(title)').lte('next_review_date', '2026-01-12T00:00:00Z'), 1);
  done('a highlight', await alice.from('highlights').insert({ user_id: alice.id, node_id: rust.id, text: 'fearless', note: 'hm' }).select('color').single());
  done('an insight', await alice.from('consolidations').insert({ user_id: alice.id, source_node_ids: [rust.id, bread.id], summary: 's', insight: 'i', themes: ['growth', 'time'] }).select('themes').single());
  rows('found by its theme', await alice.from('consolidations').select('insight').overlaps('themes', ['time', 'x']), 1);
  rows('shortcuts', await alice.from('user_settings').upsert({ user_id: alice.id, shortcuts_enabled: false, custom_shortcuts: { save: 'ctrl+s' } }).select('custom_shortcuts->>save'), 1);

  rows('a node goes with what hangs on it', await alice.from('nodes').delete().eq('id', rust.id).select('title'), 1);
  rows('its edges', await alice.from('edges').select(), 0);
  rows('its entities', await alice.from('entities').select('name'), 1);
  rows('alice leaves', await alice.from('users').delete().eq('id', alice.id).select('tier'), 1);
  rows('and her nodes with her', await alice.from('nodes').select(), 0);
  rows('bob stays', await bob.from('nodes').select('title'), 1);
  return { alice, bob };
}
