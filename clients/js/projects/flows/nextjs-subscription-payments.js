// Billing: products and prices that a payment service writes, subscriptions that only their owner sees.

export default async function flow({ person, anon, service, holds, done, rows, refused }) {
  const alice = await person('alice', { avatar_url: 'https://example.com/a.png' });
  const bob = await person('bob');
  const own = done('a trigger made the user', await alice.from('users').select('*').single());
  holds('with the name and the picture', own?.full_name === 'alice' && own?.avatar_url === 'https://example.com/a.png', own);
  rows('anon sees no user', await anon.from('users').select(), 0);

  rows('products arrive', await service.from('products').upsert([
    { id: 'prod_1', active: true, name: 'Hobby', description: 'For one', image: null, metadata: { index: 0 } },
    { id: 'prod_2', active: true, name: 'Team', description: 'For many', image: null, metadata: { index: 1 } },
    { id: 'prod_3', active: false, name: 'Old', description: null, image: null, metadata: {} },
  ]).select(), 3);
  const price = (id, product, amount, interval) => ({ id, product_id: product, active: true, currency: 'usd', type: 'recurring', unit_amount: amount, interval, interval_count: 1, trial_period_days: 0 });
  rows('and prices', await service.from('prices').upsert([price('p1', 'prod_1', 1000, 'month'), price('p2', 'prod_1', 10000, 'year'), price('p3', 'prod_2', 2500, 'month')]).select('id'), 3);
  rows('a price again, changed', await service.from('prices').upsert([price('p3', 'prod_2', 3000, 'month')]).select('unit_amount'), 1);
  refused('a price of no product', await service.from('prices').upsert([price('p4', 'prod_9', 1, 'month')]), '23503');
  refused('a currency of two letters', await service.from('prices').insert({ ...price('p5', 'prod_1', 1, 'month'), currency: 'us' }), '23514');
  refused('an interval that is none', await service.from('prices').insert(price('p6', 'prod_1', 1, 'decade')), '22P02');

  const shop = done('the shop, as anybody sees it', await anon.from('products').select('*, prices(*)').eq('active', true).eq('prices.active', true).order('metadata->index').order('unit_amount', { referencedTable: 'prices' }));
  holds('two products with their prices', shop?.map((product) => product.prices.map((p) => p.unit_amount).join()).join(' ') === '1000,10000 3000', shop);
  refused('a visitor makes a product', await anon.from('products').insert({ id: 'x', name: 'x' }).select(), '42501');
  refused('a user makes a price', await alice.from('prices').insert({ id: 'x', product_id: 'prod_1' }).select(), '42501');
  rows('a user changes a price', await alice.from('prices').update({ unit_amount: 1 }).eq('id', 'p1').select(), 0);

  done('alice becomes a customer', await service.from('customers').upsert([{ id: alice.id, stripe_customer_id: 'cus_1' }]));
  rows('which she cannot see', await alice.from('customers').select(), 0);
  done('the service can', await service.from('customers').select('*').eq('id', alice.id).maybeSingle());
  done('by the other id', await service.from('customers').select('*').eq('stripe_customer_id', 'cus_1').single());
  refused('nobody has this one', await service.from('customers').select('*').eq('stripe_customer_id', 'cus_2').single(), 'PGRST116');

  const subscription = { id: 'sub_1', user_id: alice.id, metadata: {}, status: 'trialing', price_id: 'p1', quantity: 1, cancel_at_period_end: false, created: '2026-01-01T00:00:00Z', current_period_start: '2026-01-01T00:00:00Z', current_period_end: '2026-02-01T00:00:00Z', ended_at: null, cancel_at: null, canceled_at: null, trial_start: '2026-01-01T00:00:00Z', trial_end: '2026-01-15T00:00:00Z' };
  done('a subscription begins', await service.from('subscriptions').upsert([subscription]));
  done('and becomes active', await service.from('subscriptions').upsert([{ ...subscription, status: 'active' }]));
  const seen = done('alice sees it', await alice.from('subscriptions').select('*, prices(*, products(*))').in('status', ['trialing', 'active']).maybeSingle());
  holds('with its price and product', seen?.status === 'active' && seen?.prices?.products?.name === 'Hobby', seen);
  rows('bob does not', await bob.from('subscriptions').select(), 0);
  rows('alice prolongs it', await alice.from('subscriptions').update({ current_period_end: '2099-01-01' }).eq('id', 'sub_1').select(), 0);
  refused('alice subscribes by herself', await alice.from('subscriptions').insert({ ...subscription, id: 'sub_2' }).select(), '42501');
  refused('a second one of the id', await service.from('subscriptions').insert(subscription), '23505');

  rows('alice keeps her address', await alice.from('users').update({ billing_address: { city: 'Ulm', line1: 'Main St 1' }, payment_method: { last4: '4242' } }).eq('id', alice.id).select('billing_address->>city'), 1);
  rows('bob keeps it for her', await bob.from('users').update({ full_name: 'x' }).eq('id', alice.id).select(), 0);
  rows('found by the city', await service.from('users').select('full_name').eq('billing_address->>city', 'Ulm'), 1);

  done('it is cancelled', await service.from('subscriptions').update({ status: 'canceled', cancel_at_period_end: true, canceled_at: '2026-01-20T00:00:00Z', ended_at: '2026-02-01T00:00:00Z' }).eq('id', 'sub_1').select().single());
  rows('none is active', await alice.from('subscriptions').select().in('status', ['trialing', 'active']), 0);
  refused('a product with prices goes', await service.from('products').delete().eq('id', 'prod_1'), '23503');
  rows('one without goes', await service.from('products').delete().eq('id', 'prod_3').select('name'), 1);
  return { alice, bob };
}
