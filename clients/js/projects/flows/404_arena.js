// A gaming arena: stations, sessions billed by time, orders with taxes and discounts, shifts with cash, members with wallets, two tenants.

/** Codes of members, and digests of what was asked. */
export const masks = [/(?<=code" ?: ?")[0-9A-F]{8}(?=")/g, /\b[0-9a-f]{32}\b/g];

const id = () => crypto.randomUUID();

export default async function flow({ person, anon, service, holds, done, rows, refused }) {
  const owner = await person('owner');
  const staff = await person('staff');
  const rival = await person('rival');
  rows('profiles', await service.from('profiles').upsert([owner, staff, rival].map((p) => ({ id: p.id, display_name: p.who }))).select('display_name'), 3);
  const [company, competitor] = rows('two companies', await service.from('organizations').insert([{ name: 'One' }, { name: 'Two' }]).select('id,name'), 2);
  const provision = (client, organization, values) =>
    client.rpc('provision_arena', { p_organization_id: organization, p_name: 'Arena', p_timezone: 'UTC', p_currency: 'USD', p_default_phone_dial_code: '+1', p_owner_user_id: owner.id, ...values });
  refused('an owner provisions', await provision(owner, company?.id), '42501');
  refused('a zone that is none', await provision(service, company?.id, { p_timezone: 'Mars/Base' }), 'P0001');
  refused('a currency that is none', await provision(service, company?.id, { p_currency: 'usd' }), 'P0001');
  const arena = done('an arena', await provision(service, company?.id));
  done('another', await provision(service, competitor?.id, { p_name: 'Rival', p_timezone: 'Europe/Berlin', p_currency: 'EUR', p_default_phone_dial_code: '+49', p_owner_user_id: rival.id }));
  const role = done('the role of staff', await service.from('roles').select('id').eq('arena_id', arena).eq('code', 'staff').single());
  done('staff joins', await service.from('arena_users').insert({ arena_id: arena, user_id: staff.id, role_id: role?.id }));

  const me = done('who the owner is', await owner.rpc('me'));
  holds('of one arena', me?.arenas?.length === 1 && me.arenas[0].role.code === 'owner', me?.arenas?.[0]?.role);
  const clerk = done('who the clerk is', await staff.rpc('me'));
  holds('may do less', clerk?.arenas?.[0]?.permissions?.length < me?.arenas?.[0]?.permissions?.length, clerk?.arenas?.[0]?.permissions);
  refused('who nobody is', await anon.rpc('me'), '42501');
  done('a device', await owner.rpc('register_device', { p_arena_id: arena, p_device_id: id(), p_name: 'Counter', p_platform: 'web', p_app_version: '0.1.0' }));

  const of = (values) => ({ arena_id: arena, ...values });
  const zone = done('a zone', await owner.from('zones').select('id,name').single());
  const type = done('a kind of station', await service.from('station_types').insert(of({ code: 'pc', name: 'PC' })).select('id').single());
  const stations = rows('stations', await service.from('stations').insert([1, 2].map((n) => of({ zone_id: zone?.id, station_type_id: type?.id, name: `PC ${n}` }))).select('id,name'), 2);
  const tax = done('a tax', await service.from('tax_rates').insert(of({ name: 'Standard' })).select('id').single());
  rows('of two parts', await service.from('tax_rate_components').insert([of({ tax_rate_id: tax?.id, name: 'State', percent: 6, sort_order: 1 }), of({ tax_rate_id: tax?.id, name: 'City', percent: 4, sort_order: 2 })]).select('name'), 2);
  holds('which a trigger adds', done('the tax', await service.from('tax_rates').select('percent').eq('id', tax?.id).single())?.percent === 10);
  done('settings', await service.from('arena_settings').update({ default_play_tax_rate_id: tax?.id, default_product_tax_rate_id: tax?.id, prices_include_tax: true, receipt_prefix: 'A/' }).eq('arena_id', arena).select('prices_include_tax').single());
  const plan = done('a plan', await service.from('billing_plans').insert(of({ station_type_id: type?.id, name: 'Hourly', type: 'open_time', hourly_rate: 100, grace_minutes: 5, minimum_billable_minutes: 30, rounding_increment_minutes: 15, rounding_mode: 'up' })).select('id').single());
  refused('a plan that is half one', await service.from('billing_plans').insert(of({ name: 'x', type: 'fixed_duration' })), '23514');
  const product = done('a product', await service.from('products').insert(of({ name: 'Cola', sku: 'C-1', selling_price: 50, tax_rate_id: tax?.id })).select('id').single());
  const stock = (type, quantity) => service.from('inventory_movements').insert(of({ id: id(), product_id: product?.id, type, quantity, actor_user_id: owner.id, business_date: '2026-01-02' })).select('quantity');
  rows('ten in stock', await stock('opening', 10), 1);
  const held = done('counted by a trigger', await owner.from('product_stock').select('*').eq('product_id', product?.id).maybeSingle());
  holds('ten', JSON.stringify(held).includes(':10'), held);
  refused('movements are not changed', await service.from('inventory_movements').update({ quantity: 1 }).eq('arena_id', arena), 'P0001');
  rows('the rival sees no station', await rival.from('stations').select(), 0);
  rows('nor products', await rival.from('products').select(), 0);
  refused('a visitor sees no table', await anon.from('stations').select(), '42501');

  const floor = async (client) => done('the floor', await client.rpc('floor_snapshot', { p_arena_id: arena }));
  holds('has two stations', (await floor(staff))?.stations?.length === 2);
  refused('not for the rival', await rival.rpc('floor_snapshot', { p_arena_id: arena }), '42501');
  const shift = id();
  const opened = done('a shift opens', await staff.rpc('shift_open', { p_arena_id: arena, p_shift_id: shift, p_opening_float: 100, p_idempotency_key: 'open' }));
  holds('with cash', opened?.status === 'open', opened);
  done('asked twice, opened once', await staff.rpc('shift_open', { p_arena_id: arena, p_shift_id: shift, p_opening_float: 100, p_idempotency_key: 'open' }));
  refused('a second one', await staff.rpc('shift_open', { p_arena_id: arena, p_shift_id: id(), p_opening_float: 0, p_idempotency_key: 'more' }), 'P0001');

  const member = id();
  const join = (values) => staff.rpc('member_create', { p_arena_id: arena, p_member_id: member, p_full_name: 'Mia Long', p_phone: '555 000 1234', p_dob: null, p_notes: null, p_idempotency_key: 'mia', ...values });
  const joined = done('a member', await join({}));
  holds('with a phone in full', joined?.phone === '+15550001234', joined);
  refused('the phone again', await join({ p_member_id: id(), p_idempotency_key: 'other' }), 'P0001');
  const found = done('found by the name', await staff.rpc('member_search', { p_arena_id: arena, p_query: 'mia' }));
  holds('one', found?.members?.length === 1, found);
  done('changed', await owner.rpc('member_update', { p_arena_id: arena, p_member_id: member, p_notes: 'left-handed' }));
  done('a tag', await owner.rpc('member_tag_set', { p_arena_id: arena, p_member_id: member, p_tag_codes: ['vip'] }));
  done('a note', await owner.rpc('member_note_add', { p_arena_id: arena, p_member_id: member, p_kind: 'general', p_body: 'likes the corner' }));
  done('notes', await owner.rpc('member_note_list', { p_arena_id: arena, p_member_id: member }));
  refused('the clerk fills a wallet', await staff.rpc('wallet_topup', { p_arena_id: arena, p_member_id: member, p_amount: 80 }), '42501');
  done('the owner does', await owner.rpc('wallet_topup', { p_arena_id: arena, p_member_id: member, p_amount: 80, p_note: 'cash' }));
  done('and takes out', await owner.rpc('wallet_debit', { p_arena_id: arena, p_member_id: member, p_amount: 30 }));
  refused('more than there is', await owner.rpc('wallet_debit', { p_arena_id: arena, p_member_id: member, p_amount: 300 }), 'P0001');
  done('what was moved', await owner.rpc('wallet_history', { p_arena_id: arena, p_member_id: member }));
  done('points', await owner.rpc('loyalty_adjust', { p_arena_id: arena, p_member_id: member, p_points: 250, p_note: 'welcome' }));
  done('are counted', await owner.rpc('loyalty_balance', { p_arena_id: arena, p_member_id: member }));
  const membership = id();
  done('a membership', await owner.rpc('membership_plan_upsert', { p_arena_id: arena, p_plan_id: membership, p_name: 'Gold', p_price: 30, p_period_days: 30 }));
  done('is bought', await owner.rpc('membership_subscribe', { p_arena_id: arena, p_member_id: member, p_plan_id: membership }));
  done('the plans', await owner.rpc('membership_plan_list', { p_arena_id: arena }));
  // It says that it changes nothing, and does.
  refused('all of a member', await owner.rpc('member_get', { p_arena_id: arena, p_member_id: member }), '25006');

  const session = id();
  const start = (values) => staff.rpc('session_start', { p_arena_id: arena, p_session_id: session, p_station_id: stations[0].id, p_billing_plan_id: plan?.id, p_member_id: member, p_game_id: null, p_player_count: 1, ...values });
  done('a session', await start({}));
  refused('on the same station', await start({ p_session_id: id(), p_member_id: null }), 'P0001');
  done('pauses', await staff.rpc('session_pause', { p_arena_id: arena, p_session_id: session }));
  refused('pauses twice', await staff.rpc('session_pause', { p_arena_id: arena, p_session_id: session }), 'P0001');
  done('goes on', await staff.rpc('session_resume', { p_arena_id: arena, p_session_id: session }));
  holds('one is live', (await floor(staff))?.live_sessions?.length === 1);
  done('stops', await staff.rpc('session_stop', { p_arena_id: arena, p_session_id: session }));
  done('is to be paid', await staff.rpc('unbilled_sessions', { p_arena_id: arena }));

  const order = id();
  done('a bill', await staff.rpc('checkout_open', { p_arena_id: arena, p_order_id: order, p_session_id: session, p_member_id: member }));
  done('with two colas', await staff.rpc('order_add_product', { p_arena_id: arena, p_order_id: order, p_order_item_id: id(), p_product_id: product?.id, p_quantity: 2 }));
  const preview = () => staff.rpc('order_preview', { p_arena_id: arena, p_order_id: order });
  const bill = done('what it says', await preview());
  holds('the two colas at least', Number(bill?.subtotal) >= 100, bill);
  const discount = (client, value, reason) => client.rpc('order_apply_discount', { p_arena_id: arena, p_order_id: order, p_discount_kind: 'flat', p_discount_value: value, p_discount_reason: reason });
  refused('a discount of the clerk', await discount(staff, 10, 'friend'), '42501');
  refused('one without a reason', await discount(owner, 10, ''), 'P0001');
  done('one of the owner', await discount(owner, 10, 'birthday'));
  const less = done('what it says then', await preview());
  holds('ten less', Number(bill?.total) - Number(less?.total) === 10, less);
  const settle = (method, amount, key, payment) => staff.rpc('order_settle', { p_arena_id: arena, p_order_id: order, p_payment_id: payment, p_payment_method: method, p_amount: amount, p_reference: null, p_idempotency_key: key });
  const [first, second] = [id(), id()];
  done('a part in cash', await settle('cash', 40, 'part', first));
  const paid = done('the rest by card', await settle('card', Number(less?.total) - 40, 'rest', second));
  holds('is settled, with a receipt', paid?.status === 'settled' && paid?.receipt_number?.startsWith('A/'), paid);
  done('asked again, answered alike', await settle('card', Number(less?.total) - 40, 'rest', second));
  refused('a discount after that', await discount(owner, 5, 'late'), 'P0001');
  const other = id();
  done('another bill', await staff.rpc('checkout_open', { p_arena_id: arena, p_order_id: other }));
  refused('the clerk voids it', await staff.rpc('order_void', { p_arena_id: arena, p_order_id: other, p_reason: 'error' }), '42501');
  done('the owner does', await owner.rpc('order_void', { p_arena_id: arena, p_order_id: other, p_reason: 'error' }));
  refused('the clerk mends a station', await staff.rpc('station_set_status', { p_arena_id: arena, p_station_id: stations[1].id, p_status: 'maintenance', p_reason: 'fan' }), '42501');
  done('the owner does', await owner.rpc('station_set_status', { p_arena_id: arena, p_station_id: stations[1].id, p_status: 'maintenance', p_reason: 'fan' }));

  const summary = done('the shift', await owner.rpc('shift_summary', { p_arena_id: arena, p_shift_id: shift }));
  holds('sold once', summary?.order_count === 1, summary);
  const closed = done('closes', await owner.rpc('shift_close', { p_arena_id: arena, p_shift_id: shift, p_counted_cash: 135, p_notes: 'five are missing', p_idempotency_key: 'close' }));
  holds('with too little', Number(closed?.variance) === -5, closed);
  done('what members did', await owner.rpc('member_analytics_overview', { p_arena_id: arena }));
  done('when', await owner.rpc('member_timeline', { p_arena_id: arena, p_member_id: member }));
  done('one is blocked', await owner.rpc('member_set_blocked', { p_arena_id: arena, p_member_id: member, p_blocked: true, p_reason: 'noise' }));
  done('and plays all the same', await start({ p_session_id: id() }));
  done('what was done', await owner.from('audit_logs').select('action,entity_type').eq('arena_id', arena).order('action'));
  rows('the clerk does not see that', await staff.from('audit_logs').select(), 0);
  rows('nor the rival', await rival.from('audit_logs').select().eq('arena_id', arena), 0);
  return { owner, staff, rival };
}
