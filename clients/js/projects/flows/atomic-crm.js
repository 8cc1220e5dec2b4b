// A CRM: companies, contacts, deals and tasks of salespeople, with summaries in views, a log of all that happened, and contacts that are merged.

export default async function flow({ person, anon, service, holds, done, rows, refused }) {
  const state = async () => done('is there anybody', await anon.from('init_state').select('is_initialized').single())?.is_initialized;
  holds('nobody yet', (await state()) === 0);
  const alice = await person('alice', { first_name: 'Alice', last_name: 'Adams' });
  const bob = await person('bob', { first_name: 'Bob', last_name: 'Brown' });
  holds('somebody', (await state()) === 1);
  const sales = rows('a trigger made salespeople', await alice.from('sales').select('id,first_name,email,administrator').order('id'), 2);
  holds('the first is administrator', sales?.map((row) => row.administrator).join() === 'true,false', sales);
  rows('a visitor sees none', await anon.from('sales').select(), 0);
  rows('bob makes himself administrator', await bob.from('sales').update({ administrator: true }).eq('id', sales?.[1]?.id).select(), 0);
  const set = (client) => client.from('configuration').upsert({ id: 1, config: { title: 'CRM' } }).select('config');
  refused('bob configures', await set(bob), '42501');
  rows('alice does', await set(alice), 1);
  rows('bob reads it', await bob.from('configuration').select('config->>title'), 1);
  refused('a second configuration', await alice.from('configuration').insert({ id: 2 }), '23514');

  const [acme, zeta] = rows('companies', await alice.from('companies').insert([
    { name: 'Acme', sector: 'tools', size: 50, website: 'https://ACME.example/shop', context_links: ['https://a.example'] },
    { name: 'Zeta', website: 'https://gmail.com', logo: { src: 'z.png' } },
  ], { defaultToNull: false }).select(), 2);
  holds('hers, with an icon by a trigger', acme?.sales_id === sales?.[0]?.id && acme?.logo?.src === 'https://favicon.show/ACME.example', acme);
  rows('found in any case', await bob.from('companies').select('name').eq('website', 'https://acme.EXAMPLE/shop'), 1);
  const contact = (values) => ({ company_id: acme?.id, avatar: { src: 'a.png' }, first_seen: '2026-01-01T00:00:00Z', last_seen: '2026-01-02T00:00:00Z', has_newsletter: false, ...values });
  const contacts = rows('contacts', await bob.from('contacts').insert([
    contact({ first_name: 'Carl', last_name: 'Cook', email_jsonb: [{ email: 'Carl@Acme.example', type: 'Work' }], phone_jsonb: [{ number: '1', type: 'Work' }], tags: [1, 2] }),
    contact({ first_name: 'Carl', last_name: 'Cooke', email_jsonb: [{ email: 'carl@acme.example', type: 'Home' }, { email: 'c@home.example', type: 'Home' }], tags: [2, 3], title: 'Buyer' }),
    contact({ first_name: 'Dora', last_name: 'Dean', company_id: zeta?.id }),
  ], { defaultToNull: false }).select('id,sales_id,email_jsonb'), 3);
  holds('of bob, in lower case', contacts?.[0]?.sales_id === sales?.[1]?.id && contacts?.[0]?.email_jsonb?.[0]?.email === 'carl@acme.example', contacts);
  const [carl, cooke, dora] = contacts;
  refused('a contact of no company', await bob.from('contacts').insert(contact({ company_id: 999 })), '23503');

  rows('tasks', await alice.from('tasks').insert([
    { contact_id: carl?.id, type: 'call', text: 'Ask', due_date: '2026-02-01T00:00:00Z' },
    { contact_id: cooke?.id, type: 'mail', text: 'Write', due_date: '2026-02-02T00:00:00Z', done_date: '2026-02-03T00:00:00Z' },
  ], { defaultToNull: false }).select('text,sales_id'), 2);
  done('a note', await alice.from('contact_notes').insert({ contact_id: carl?.id, text: 'He is kind', date: '2026-03-01T00:00:00Z', status: 'warm' }).select().single());
  holds('says when he was seen', done('carl', await alice.from('contacts').select('last_seen').eq('id', carl?.id).single())?.last_seen === '2026-03-01T00:00:00+00:00');
  const deal = done('a deal', await alice.from('deals').insert({ name: 'Hammers', company_id: acme?.id, contact_ids: [carl?.id, cooke?.id], category: 'other', stage: 'opportunity', amount: 12000, expected_closing_date: '2026-05-01', index: 0 }).select().single());
  done('a note of it', await alice.from('deal_notes').insert({ deal_id: deal?.id, text: 'big' }).select('sales_id').single());
  rows('it moves', await alice.from('deals').update({ stage: 'proposal-sent', index: 1 }).eq('id', deal?.id).select('stage,index'), 1);
  rows('who is in it', await alice.from('deals').select('name').contains('contact_ids', [cooke?.id]), 1);
  rows('tags', await alice.from('tags').insert([{ name: 'vip', color: '#fff' }, { name: 'old', color: '#000' }]).select('name'), 2);

  const summary = done('the list of contacts', await alice.from('contacts_summary').select('*', { count: 'exact' }).order('last_name').range(0, 24));
  holds('with company and open tasks', summary?.[0]?.company_name === 'Acme' && summary?.[0]?.nb_tasks === 1 && summary?.[1]?.nb_tasks === 0, summary);
  rows('searched by an address', await alice.from('contacts_summary').select('last_name').ilike('email_fts', '%home.example%'), 1);
  rows('of a tag', await alice.from('contacts_summary').select('last_name').contains('tags', [3]), 1);
  const companies = done('the list of companies', await alice.from('companies_summary').select('name,nb_deals,nb_contacts').order('name'));
  holds('counted', JSON.stringify(companies?.map((row) => [row.nb_deals, row.nb_contacts])) === '[[1,2],[0,1]]', companies);
  const log = done('what happened', await alice.from('activity_log').select('id,type,company_id,sales_id').order('type').order('id'));
  holds('eight things', log?.length === 8, log);
  rows('of a company', await alice.from('activity_log').select('type,deal->>name,contact->>last_name').eq('company_id', acme?.id).order('id'), 6);
  rows('a visitor sees nothing of it', await anon.from('activity_log').select(), 0);

  refused('carl and nobody', await alice.rpc('merge_contacts', { loser_id: 999, winner_id: carl?.id }), 'P0001');
  holds('the two carls become one', done('merged', await alice.rpc('merge_contacts', { loser_id: cooke?.id, winner_id: carl?.id })) === carl?.id);
  const merged = done('who has all', await alice.from('contacts').select('title,tags,email_jsonb,phone_jsonb,last_seen').eq('id', carl?.id).single());
  holds('two addresses and three tags', merged?.email_jsonb?.length === 2 && merged?.tags?.length === 3 && merged?.title === 'Buyer', merged);
  holds('alone in the deal', done('the deal', await alice.from('deals').select('contact_ids').eq('id', deal?.id).single())?.contact_ids?.length === 1);
  rows('with both tasks', await alice.from('tasks').select('text').eq('contact_id', carl?.id).order('text'), 2);

  done('alice is renamed', await service.auth.admin.updateUserById(alice.id, { user_metadata: { first_name: 'Ali', last_name: 'Adams' } }));
  holds('here, too', done('her row', await bob.from('sales').select('first_name').eq('user_id', alice.id).single())?.first_name === 'Ali');
  refused('a person by an address', await alice.rpc('get_user_id_by_email', { email: 'bob@example.com' }), '42501');
  rows('the service finds bob', await service.rpc('get_user_id_by_email', { email: 'bob@example.com' }), 1);
  rows('a company goes', await alice.from('companies').delete().eq('id', zeta?.id).select('name'), 1);
  rows('with its contact', await alice.from('contacts').select('id').eq('id', dora?.id), 0);
  rows('the others stay', await alice.from('contacts').select('last_name'), 1);
  return { alice, bob };
}
