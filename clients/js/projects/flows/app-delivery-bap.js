// A delivery service: stores with a menu, orders priced by a function, couriers without an account, plans with limits.

/** Codes of orders and tokens of couriers. */
export const masks = [/\b[0-9a-f]{24}\b/g, /\b[0-9a-f]{10}\b/g];

export default async function flow({ person, anon, service, holds, done, rows, refused }) {
  const alice = await person('alice');
  const bob = await person('bob');
  const store = done('alice opens a store', await alice.from('stores').insert({ owner: alice.id, slug: 'pizza', name: 'Pizza da Alice', settings: { deliveryFee: 8, minOrderValue: 20 } }).select().single());
  refused('the slug is taken', await bob.from('stores').insert({ owner: bob.id, slug: 'pizza', name: 'x' }), '23505');
  refused('bob opens one for alice', await bob.from('stores').insert({ owner: alice.id, slug: 'x', name: 'x' }), '42501');
  const other = done('bob opens his own', await bob.from('stores').insert({ owner: bob.id, slug: 'sushi', name: 'Sushi' }).select('id,plan,active').single());
  const shown = done('anybody finds it by its slug', await anon.from('stores').select('id,name,settings,plan').eq('slug', 'pizza').maybeSingle());
  holds('with the free plan', shown?.plan === 'free', shown);
  rows('bob renames hers', await bob.from('stores').update({ name: 'x' }).eq('id', store.id).select(), 0);
  rows('she changes the settings', await alice.from('stores').update({ settings: { ...store.settings, open: true } }).eq('id', store.id).select('settings->open'), 1);

  const [pizzas, drinks] = rows('categories', await alice.from('categories').insert(['Pizzas', 'Bebidas'].map((name, position) => ({ store_id: store.id, name, position }))).select('id,name'), 2);
  refused('bob adds to her menu', await bob.from('categories').insert({ store_id: store.id, name: 'x' }), '42501');
  const product = (values) => ({ store_id: store.id, description: '', image: '', ...values });
  const [margherita, cola] = rows('products', await alice.from('products').insert([
    product({ category_id: pizzas.id, name: 'Margherita', price: 40, variations: [{ name: 'Grande', price: 55.5 }], addon_groups: [{ name: 'Borda', options: [{ name: 'Catupiry', price: 7.25 }] }], position: 0 }),
    product({ category_id: drinks.id, name: 'Cola', price: 8, promo_price: 6.5, position: 1 }),
    product({ category_id: drinks.id, name: 'Guaraná', price: 8, available: false, position: 2 }),
  ], { defaultToNull: false }).select('id,name,price,promo_price'), 3);
  const menu = done('the menu', await anon.from('categories').select('name,products(name,price,promo_price,available)').eq('store_id', store.id).order('position').order('position', { referencedTable: 'products' }));
  holds('in its order', menu?.[1]?.products?.map((p) => p.name).join() === 'Cola,Guaraná', menu);
  rows('zones', await alice.from('delivery_zones').insert([{ store_id: store.id, name: 'Centro', fee: 5 }, { store_id: store.id, name: 'Norte', fee: 12.5 }]).select('name'), 2);
  const [zone] = rows('one of them', await anon.from('delivery_zones').select('id,fee').eq('store_id', store.id).gt('fee', 10), 1);
  rows('coupons', await alice.from('coupons').insert([
    { store_id: store.id, code: 'DEZ', type: 'percent', value: 10, min_order: 30, max_uses: 1 },
    { store_id: store.id, code: 'VELHO', type: 'fixed', value: 5, expiry: '2020-01-01' },
  ], { defaultToNull: false }).select('code,uses'), 2);
  refused('a coupon of no kind', await alice.from('coupons').insert({ store_id: store.id, code: 'X', type: 'magic', value: 1 }), '23514');
  rows('nobody else sees coupons', await anon.from('coupons').select(), 0);

  const coupon = async (code, subtotal) => done(`coupon ${code}`, await anon.rpc('validate_coupon', { p_store: store.id, p_code: code, p_subtotal: subtotal }));
  holds('ten percent', (await coupon('dez', 62.75))?.discount === 6.28);
  holds('not of so little', (await coupon('DEZ', 10))?.reason?.includes('R$ 30.00'));
  holds('not of the past', (await coupon('VELHO', 100))?.ok === false);
  holds('not one that is none', (await coupon('NADA', 100))?.ok === false);

  const order = (values) => ({ order_type: 'delivery', customer: { name: 'Caio', phone: '(11) 98888-7777' }, payment: 'pix', zone_id: zone?.id, ...values });
  const items = [{ product_id: margherita.id, name: 'free!', variation_name: 'Grande', addons: [{ name: 'Catupiry', price: 0 }], unit_price: 0.01, quantity: 1, note: 'bem passada' }, { product_id: cola.id, quantity: 2 }];
  const place = (client, p_order, p_items = items, p_store = store.id) => client.rpc('place_order', { p_store, p_order, p_items });
  const first = done('a visitor orders', await place(anon, order({ coupon: { code: 'DEZ' } })));
  // 55.50 + 7.25 + 2 × 6.50 = 75.75; 7.575 off; 12.50 to the north.
  holds('at the prices of the store', first?.total === 80.68 && first?.number === 1, first);
  const second = done('bob orders, signed in', await place(bob, order({ coupon: { code: 'DEZ' }, change_for: '100' })));
  holds('the coupon is used up', second?.total === 88.25 && second?.number === 2, second);
  refused('an order without a name', await place(anon, order({ customer: { phone: '11988887777' } })), 'P0001');
  refused('without a phone', await place(anon, order({ customer: { name: 'Caio', phone: '1' } })), 'P0001');
  refused('without items', await place(anon, order({}), []), 'P0001');
  refused('of what is sold out', await place(anon, order({}), [{ product_id: zone?.id, name: 'x', quantity: 1 }]), 'P0001');
  refused('of too much', await place(anon, order({}), [{ product_id: cola.id, quantity: 100 }]), 'P0001');
  refused('to nowhere', await place(anon, order({ zone_id: null })), 'P0001');
  refused('of too little', await place(anon, order({}), [{ product_id: cola.id, quantity: 1 }]), 'P0001');
  refused('in no store', await place(anon, order({}), items, alice.id), 'P0001');

  const followed = done('the visitor follows it', await anon.rpc('get_order_by_code', { p_store: store.id, p_code: first?.code }));
  holds('two items', followed?.items?.length === 2 && followed?.status === 'received', followed);
  holds('a wrong code shows nothing', done('a wrong code', await anon.rpc('get_order_by_code', { p_store: store.id, p_code: 'x' })) === null);
  rows('the table shows a visitor nothing', await anon.from('orders').select(), 0);
  rows('nor bob, who ordered', await bob.from('orders').select(), 0);
  const mine = done('he has a list', await bob.rpc('my_orders', { p_store: store.id }));
  holds('of one', mine?.length === 1 && mine?.[0]?.number === 2, mine);
  const board = done('alice sees all', await alice.from('orders').select('id,number,status,subtotal,discount,total,customer->>name,order_items(name,variation_name,unit_price,quantity)').order('number'));
  holds('two orders', board?.length === 2 && board?.[0]?.discount === 7.58, board);

  const courier = done('a courier', await alice.from('couriers').insert({ store_id: store.id, name: 'Davi', phone: '11' }).select().single());
  rows('whom bob does not see', await bob.from('couriers').select(), 0);
  rows('the courier gets an order', await alice.from('orders').update({ courier_id: courier?.id }).eq('number', 1).select('number,courier_id'), 1);
  done('nobody works with a wrong token', await anon.rpc('courier_get_board', { p_token: 'x' }));
  const work = done('the courier looks', await anon.rpc('courier_get_board', { p_token: courier?.token }));
  holds('nothing is ready', work?.courier?.name === 'Davi' && work?.deliveries?.length === 0, work);
  refused('takes what is not ready', await anon.rpc('courier_set_status', { p_token: courier?.token, p_order: first?.id, p_status: 'ready' }), 'P0001');
  done('is somewhere', await anon.rpc('courier_update_location', { p_token: courier?.token, p_lat: -23.5, p_lng: -46.6 }));
  refused('is nowhere', await anon.rpc('courier_update_location', { p_token: courier?.token, p_lat: 123, p_lng: 0 }), 'P0001');
  const seen = done('the visitor sees where', await anon.rpc('get_order_by_code', { p_store: store.id, p_code: first?.code }));
  holds('on the map', seen?.courier?.lat === -23.5, seen?.courier);

  const push = (values) => ({ p_store: store.id, p_scope: 'customer', p_code: first?.code, p_endpoint: 'https://push.example/1', p_p256dh: 'k', p_auth: 'a', ...values });
  done('the visitor subscribes', await anon.rpc('save_push_subscription', push({})));
  done('again', await anon.rpc('save_push_subscription', push({ p_auth: 'b' })));
  refused('as the owner', await anon.rpc('save_push_subscription', push({ p_scope: 'owner' })), 'P0001');
  const targets = rows('who is told', await anon.rpc('list_push_targets', { p_store: store.id, p_scope: 'customer', p_code: first?.code }), 1);
  holds('with the last key', targets?.[0]?.auth === 'b', targets);
  done('no more', await anon.rpc('delete_push_subscription', { p_endpoint: 'https://push.example/1' }));

  const usage = done('how much of the plan', await alice.rpc('plan_usage', { p_store: store.id }));
  holds('is used', usage?.products === 3 && usage?.products_limit === 30 && usage?.orders_month === 2, usage);
  const many = Array.from({ length: 28 }, (_, n) => product({ name: `Esfiha ${n}`, price: 3 }));
  refused('too many products', await alice.from('products').insert(many), 'P0001');
  refused('bob looks at the platform', await bob.rpc('platform_stats'), 'P0001');
  done('bob runs the platform', await service.from('platform_admins').insert({ email: 'Bob@example.com' }));
  const stats = done('then he sees it', await bob.rpc('platform_stats'));
  holds('two stores, the one with sales first', stats?.stores?.[0]?.slug === 'pizza' && stats?.totals?.gmv === 168.93, stats);
  done('he gives a better plan', await bob.rpc('platform_set_store', { p_store: store.id, p_plan: 'pro', p_active: true }));
  rows('now many are allowed', await alice.from('products').insert(many).select('id'), 28);
  done('and closes his own', await bob.rpc('platform_set_store', { p_store: other?.id, p_plan: 'free', p_active: false }));

  const review = (code, rating) => anon.rpc('submit_review', { p_store: store.id, p_code: code, p_rating: rating, p_comment: 'ótima' });
  holds('a review', done('five stars', await review(first?.code, 5))?.ok === true);
  holds('one each', done('again', await review(first?.code, 1))?.ok === false);
  holds('of no order', done('of nothing', await review('x', 1))?.ok === false);
  done('four stars of bob', await review(second?.code, 4));
  holds('are counted', done('the rating', await anon.rpc('store_rating', { p_store: store.id }))?.avg === 4.5);
  rows('alice hides one', await alice.from('reviews').update({ approved: false }).eq('rating', 4).select('author'), 1);
  rows('it is hidden', await anon.from('reviews').select('rating,comment,author').eq('store_id', store.id), 1);
  const top = done('what sells', await anon.rpc('top_items', { p_store: store.id }));
  holds('cola', top?.[0]?.name === 'Cola' && top?.[0]?.qty === 4, top);
  for (const expected of [true, true, false]) holds('two questions a day', done('a question', await anon.rpc('ai_use', { p_store: store.id, p_limit: 2 })) === expected);
  rows('the category goes, its products stay', await alice.from('categories').delete().eq('id', drinks.id).select('name'), 1);
  rows('without one', await anon.from('products').select('name').is('category_id', null).lt('position', 3).in('name', ['Cola', 'Guaraná']).order('name'), 2);
  rows('the store closes', await alice.from('stores').delete().eq('id', store.id).select('slug'), 1);
  rows('nothing is left of it', await service.from('order_items').select(), 0);
  return { alice, bob };
}
