// A marketplace of neighbors: listings with favorites and reports that triggers count, and administrators who ban.

export default async function flow({ person, anon, service, holds, done, rows, refused }) {
  const alice = await person('alice', { full_name: 'Alice' });
  const bob = await person('bob', { full_name: 'Bob' });
  const admin = await person('admin');
  done('one is made administrator', await service.from('profiles').update({ is_admin: true }).eq('id', admin.id));

  rows('profiles are public', await anon.from('profiles').select('display_name').order('display_name'), 3);
  rows('alice completes hers', await alice.from('profiles').update({ apartment: '12', block: 'B', whatsapp: '+55 11', site: 'https://a.example' }).eq('id', alice.id).select('display_name,apartment,block'), 1);
  refused('bob makes himself administrator', await bob.from('profiles').update({ is_admin: true }).eq('id', bob.id).select(), '42501');
  rows('bob changes alice', await bob.from('profiles').update({ display_name: 'x' }).eq('id', alice.id).select(), 0);
  const categories = done('categories', await anon.from('categories').select('id,name,category_group').order('id'));
  holds('sixteen of the seed', categories?.length === 16, categories?.length);
  const of = (name) => categories.find((category) => category.name === name).id;

  const listing = (values) => ({ owner_id: alice.id, description: 'Em bom estado', status: 'ATIVO', ...values });
  const sale = done('a sale', await alice.from('listings').insert(listing({ type: 'VENDA', title: 'Bicicleta azul', category_id: of('Outros'), condition: 'USADO', price_cents: 45000 })).select().single());
  holds('its words are found by a trigger', sale?.search_tsv?.includes('biciclet'), sale?.search_tsv);
  const gift = done('a gift', await alice.from('listings').insert(listing({ type: 'DOACAO', title: 'Livros infantis', category_id: of('Infantil'), is_donation_request: false })).select('id,type,favorites_count').single());
  const service_ = done('a service', await bob.from('listings').insert(listing({ owner_id: bob.id, type: 'SERVICO', title: 'Aulas de violão', description: 'Para iniciantes', category_id: of('Aulas'), pricing_type: 'POR_HORA', has_business_hours: true, business_days: [1, 2, 5], open_time: '09:00', close_time: '18:00' })).select('id,business_days,open_time').single());
  refused('a sale without a price', await alice.from('listings').insert(listing({ type: 'VENDA', title: 'Mesa', category_id: of('Casa') })), '23514');
  refused('a gift with one', await alice.from('listings').insert(listing({ type: 'DOACAO', title: 'Mesa', category_id: of('Casa'), price_cents: 1 })), '23514');
  refused('a category that is none', await alice.from('listings').insert(listing({ type: 'DOACAO', title: 'Mesa', category_id: 999 })), '23503');
  refused('bob lists for alice', await bob.from('listings').insert(listing({ type: 'DOACAO', title: 'Mesa', category_id: of('Casa') })), '42501');
  refused('a campaign of a neighbor', await alice.from('listings').insert(listing({ type: 'CAMPANHA', title: 'Agasalho', category_id: of('Outros') })), 'P0001');
  done('a campaign of the administrator', await admin.from('listings').insert(listing({ owner_id: admin.id, type: 'CAMPANHA', title: 'Agasalho', category_id: of('Outros'), campaign_link: 'https://c.example' })).select('id').single());
  rows('a visitor sees none', await anon.from('listings').select(), 0);

  rows('photos', await alice.from('listing_photos').insert([0, 1].map((n) => ({ listing_id: sale.id, url: `https://x.example/${n}`, sort_order: n }))).select(), 2);
  refused('bob adds a photo', await bob.from('listing_photos').insert({ listing_id: sale.id, url: 'x' }), '42501');

  done('bob likes the sale', await bob.from('favorites').insert({ user_id: bob.id, listing_id: sale.id }));
  done('the administrator, too', await admin.from('favorites').insert({ user_id: admin.id, listing_id: sale.id }));
  refused('bob likes it twice', await bob.from('favorites').insert({ user_id: bob.id, listing_id: sale.id }), '23505');
  refused('bob likes it as alice', await bob.from('favorites').insert({ user_id: alice.id, listing_id: sale.id }), '42501');
  const card = done('the card', await bob.from('listings').select('title,favorites_count,profiles!listings_owner_id_fkey(display_name,apartment),categories(name),listing_photos(url,sort_order),favorites(user_id)').eq('id', sale.id).order('sort_order', { referencedTable: 'listing_photos' }).single());
  holds('counts two, shows his own', card?.favorites_count === 2 && card?.favorites?.length === 1 && card?.profiles?.display_name === 'Alice', card);
  done('bob likes it no more', await bob.from('favorites').delete().eq('user_id', bob.id).eq('listing_id', sale.id));
  refused('alice counts up herself', await alice.from('listings').update({ favorites_count: 99 }).eq('id', sale.id).select(), '42501');
  const cheaper = rows('she may lower the price', await alice.from('listings').update({ price_cents: 40000 }).eq('id', sale.id).select('price_cents,favorites_count'), 1);
  holds('one still likes it', cheaper?.[0]?.favorites_count === 1, cheaper);
  rows('bob lowers it', await bob.from('listings').update({ price_cents: 1 }).eq('id', sale.id).select(), 0);

  rows('searched by the index of words', await bob.from('listings').select('title').textSearch('search_tsv', 'bicicletas', { config: 'portuguese' }), 1);
  rows('searched with a typo', await bob.rpc('search_listings_fuzzy', { search_term: 'biciclta' }).select('title,favorites_count'), 1);
  rows('of a kind, without a word', await bob.rpc('search_listings_fuzzy', { search_term: '', p_type: 'SERVICO' }).select('title'), 1);
  rows('filtered', await bob.from('listings').select('title', { count: 'exact' }).eq('status', 'ATIVO').in('type', ['VENDA', 'DOACAO']).or('title.ilike.%livro%,description.ilike.%bom%').order('title'), 2);
  rows('open on a Friday', await bob.from('listings').select('title').contains('business_days', [5]), 1);

  done('bob reports the gift', await bob.from('reports').insert({ user_id: bob.id, listing_id: gift.id, reason: 'spam' }));
  refused('twice', await bob.from('reports').insert({ user_id: bob.id, listing_id: gift.id, reason: 'spam' }), '23505');
  rows('bob does not see reports', await bob.from('reports').select(), 0);
  const [report] = rows('the administrator does', await admin.from('reports').select('id,reason,listings(title,report_count),profiles(display_name)'), 1);
  holds('counted once', report?.listings?.report_count === 1, report);
  rows('and forgives', await admin.from('reports').delete().eq('id', report?.id).select('reason'), 1);
  const analytics = done('numbers', await admin.rpc('get_admin_analytics'));
  holds('four listings and three people', analytics?.activeListings === 4 && analytics?.totalUsers === 3, analytics);
  rows('alice is banned', await admin.from('profiles').update({ is_banned: true }).eq('id', alice.id).select('display_name,is_banned'), 1);
  const states = done('her listings sleep', await admin.from('listings').select('title,status').eq('owner_id', alice.id).order('title'));
  holds('all of them', states?.every(({ status }) => status === 'INATIVO'), states);
  refused('she frees herself', await alice.from('profiles').update({ is_banned: false }).eq('id', alice.id).select(), '42501');
  rows('bob deletes her gift', await bob.from('listings').delete().eq('id', gift.id).select(), 0);
  rows('the administrator does', await admin.from('listings').delete().eq('id', gift.id).select('title'), 1);
  rows('bob deletes his own', await bob.from('listings').delete().eq('id', service_.id).select('title'), 1);
  return { alice, bob, admin };
}
