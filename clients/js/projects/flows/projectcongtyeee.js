// A restaurant: tables, orders that guests send without an account, bills that are split and paid, debts and refunds, by functions.

export default async function flow({ person, known, anon, service, holds, done, rows, refused }) {
  const branch = '00000000-0000-4000-8000-000000000000';
  const guest = await person('guest');
  for (const name of ['manager', 'kitchen', 'other']) await person(name);
  const employ = async (name, role, at) => {
    const known_ = await known(`${name}@example.com`);
    done(`the ${name} is employed`, await service.auth.admin.updateUserById(known_.id, { app_metadata: { role_codes: [role], branch_id: at } }));
    return known(`${name}@example.com`);
  };
  const manager = await employ('manager', 'manager', branch);
  const kitchen = await employ('kitchen', 'kitchen', branch);
  const other = await employ('other', 'manager', guest.id);
  rows('profiles', await service.from('profiles').insert([manager, kitchen, other].map((p) => ({ profile_id: p.id, full_name: p.who, email: p.email }))).select('full_name'), 3);
  const area = done('a hall', await service.from('areas').insert({ branch_id: branch, area_code: 'A', area_name: 'Hall' }).select('area_id').single());
  const tables = rows('tables', await service.from('dining_tables').insert([1, 2].map((n) => ({ branch_id: branch, area_id: area?.area_id, table_code: `A0${n}`, capacity: 4 }))).select('dining_table_id,table_code'), 2);
  refused('a table for nobody', await service.from('dining_tables').insert({ branch_id: branch, area_id: area?.area_id, table_code: 'A03', capacity: 0 }), '23514');
  const shift = done('a shift', await service.from('shifts').insert({ branch_id: branch, opened_by_profile_id: manager.id, opening_cash_vnd: 500000 }).select('shift_id,status').single());
  refused('a second one', await service.from('shifts').insert({ branch_id: branch, opened_by_profile_id: manager.id }), '23505');

  const menu = done('the menu, as guests see it', await anon.rpc('customer_list_menu_items', { p_branch_id: branch }).select('id,name,price,category_name').order('name').limit(5));
  holds('has dishes', menu?.length === 5, menu);
  done('packages', await anon.rpc('customer_list_packages', { p_branch_id: branch }).order('priceAdult').order('name').limit(3));
  const order = (values) => anon.rpc('customer_create_self_service_order', { p_branch_code: 'BR01', p_table_code: 'A01', p_items: [{ menu_item_id: menu?.[0]?.id, quantity: 1 }], p_session_token: null, ...values });
  holds('a table that is none is told', done('nowhere', await order({ p_table_code: 'Z9' }))?.error === 'Table not found: Z9');
  holds('a house that is none is told', done('no house', await order({ p_branch_code: 'XX' }))?.error === 'Branch not found: XX');
  // Its search path is public alone, and what draws the number is in another schema.
  holds('no order comes of it', done('guests order', await order({}))?.error === 'function gen_random_bytes(integer) does not exist');

  const table = tables?.[0]?.dining_table_id;
  const session = done('guests sit down', await anon.rpc('customer_create_session', { p_branch_id: branch, p_table_id: table, p_adult_count: 2, p_child_count: 1 }));
  holds('at a table', done('which', await service.from('session_tables').select('is_primary,dining_tables(table_code)').eq('dining_session_id', session?.id).single())?.dining_tables?.table_code === 'A01');
  const dishes = done('dishes', await service.from('branch_menu_items').select('branch_menu_item_id,base_price_vnd,vat_rate,menu_items(item_name,item_type)').gt('base_price_vnd', 0).order('base_price_vnd').order('branch_menu_item_id').limit(2));
  const places = ['K1', 'K2'].map((number) => ({ branch_id: branch, dining_session_id: session?.id, shift_id: shift?.shift_id, order_number: number, order_source: 'hall', status: 'submitted' }));
  const orders = rows('two orders', await service.from('orders').insert(places).select('order_id,order_number'), 2);
  const lines = orders?.flatMap(({ order_id: id }) => dishes?.map((dish, at) => ({
    branch_id: branch, order_id: id, detail_no: at + 1, branch_menu_item_id: dish.branch_menu_item_id, item_name_snapshot: dish.menu_items.item_name, quantity: at + 1, chargeable_quantity: at + 1,
    unit_price_vnd_snapshot: dish.base_price_vnd, vat_rate_snapshot: dish.vat_rate, detail_total_vnd: (at + 1) * dish.base_price_vnd, modifiers: { spicy: true },
  })));
  rows('of two dishes each', await service.from('order_details').insert(lines).select('detail_no'), 4);
  refused('more of a dish than was ordered', await service.from('order_details').update({ chargeable_quantity: 9 }).eq('order_id', orders?.[0]?.order_id), '23514');
  rows('guests see no orders', await anon.from('orders').select(), 0);
  rows('nor does who signed in', await guest.from('orders').select(), 0);
  rows('nor another house', await other.from('orders').select(), 0);
  const board = rows('the kitchen does', await kitchen.from('orders').select('order_number,status,order_details(detail_no,quantity,detail_total_vnd,modifiers)').order('created_at'), 2);
  holds('with what to cook', board?.[0]?.order_details?.length === 2, board);
  rows('and writes nothing', await kitchen.from('orders').update({ status: 'served' }).eq('order_number', 'K1').select(), 0);

  const details = done('lines of the order', await service.from('order_details').select('order_detail_id,detail_no,chargeable_quantity').eq('order_id', orders?.[0]?.order_id).order('detail_no'));
  const customer = done('a customer', await service.from('customers').insert({ branch_id: branch, full_name: 'Lan', normalized_phone: '84901' }).select('customer_id').single());
  const line = (at, quantity, discount) => ({ source_type: 'order_detail', source_id: details?.[at]?.order_detail_id, quantity, discount_vnd: discount });
  const split = (client, number, lines, values) => client.rpc('command_create_split_bill', { p_dining_session_id: session?.id, p_shift_id: shift?.shift_id, p_bill_number: number, p_lines: lines, ...values });
  refused('a guest splits', await split(guest, 'B1', [line(0, 1)]), '42501');
  refused('another house splits', await split(other, 'B1', [line(0, 1)]), '42501');
  refused('the kitchen splits', await split(kitchen, 'B1', [line(0, 1)]), '42501');
  const bill = done('one pays the first', await split(manager, 'B1', [line(0, 1, 100)]));
  const second = done('another one of the second', await split(manager, 'B2', [line(1, 1)], { p_customer_id: customer?.customer_id, p_service_charge_vnd: 5000 }));
  refused('both twice', await split(manager, 'B3', [line(1, 2)]), 'P0001');
  refused('the number again', await split(manager, 'B1', [line(1, 1)]), '23505');
  refused('nothing', await split(manager, 'B4', []), 'P0001');
  const bills = rows('the bills', await manager.from('bills').select('bill_number,subtotal_vnd,discount_vnd,vat_vnd,grand_total_vnd,status,bill_details(item_name_snapshot,detail_total_vnd)').order('bill_number'), 2);
  rows('are not of another house', await other.from('bills').select(), 0);

  const pay = (client, amount, key, target = bill) => client.rpc('command_record_cash_payment', { p_amount_vnd: amount, p_idempotency_key: key, p_bill_id: target });
  const due = bills?.[0]?.grand_total_vnd;
  refused('the kitchen takes money', await pay(kitchen, 100, 'k'), '42501');
  refused('too much', await pay(manager, due + 1, 'm'), 'P0001');
  const payment = done('a part', await pay(manager, 300, 'part'));
  holds('asked twice, paid once', done('again', await pay(manager, 300, 'part')) === payment);
  refused('the key for something else', await pay(manager, 200, 'part'), 'P0001');
  done('the rest', await pay(manager, due - 300, 'rest'));
  const paid = done('it is paid', await manager.from('bills').select('status,paid_total_vnd').eq('bill_id', bill).single());
  holds('in full', paid?.status === 'paid' && paid?.paid_total_vnd === due, paid);
  const refund = (amount, key) => manager.rpc('command_refund_payment', { p_payment_id: payment, p_amount_vnd: amount, p_idempotency_key: key });
  done('some of it goes back', await refund(100, 'back'));
  refused('not more than was paid', await refund(201, 'more'), 'P0001');
  done('the other owes', await manager.rpc('command_open_customer_debt', { p_bill_id: second, p_due_date: '2026-12-31' }));
  refused('twice', await manager.rpc('command_open_customer_debt', { p_bill_id: second }), 'P0001');
  done('and pays some', await manager.rpc('command_collect_customer_debt', { p_bill_id: second, p_amount_vnd: 5000, p_payment_method: 'cash', p_idempotency_key: 'debt' }));
  rows('what is owed', await manager.from('customer_debt_transactions').select('transaction_type,amount_vnd').order('amount_vnd'), 2);
  const payments = done('what was paid', await manager.from('payments').select('transaction_type,payment_method,amount_vnd').order('amount_vnd'));
  holds('four times', payments?.length === 4, payments);

  const reservation = done('a reservation', await service.from('reservations').insert({ branch_id: branch, guest_name_snapshot: 'Minh', guest_count: 4, reserved_from: '2027-01-01T11:00:00Z', reserved_to: '2027-01-01T13:00:00Z' }).select('reservation_id').single());
  const clash = done('another at the same time', await service.from('reservations').insert({ branch_id: branch, guest_name_snapshot: 'Hoa', guest_count: 2, reserved_from: '2027-01-01T12:00:00Z', reserved_to: '2027-01-01T14:00:00Z' }).select('reservation_id').single());
  const seat = (of, ids) => manager.rpc('command_assign_reservation_tables', { p_reservation_id: of?.reservation_id, p_dining_table_ids: ids, p_primary_dining_table_id: ids[0] });
  const [one, two] = tables.map((table) => table.dining_table_id);
  done('two tables for four', await seat(reservation, [one, two]));
  refused('a table twice', await seat(reservation, [one, one]), 'P0001');
  refused('a table that is taken', await seat(clash, [two]), 'P0001');
  done('one is given back', await seat(reservation, [one]));
  done('then it is free', await seat(clash, [two]));
  refused('a reservation that is over before it begins', await service.from('reservations').insert({ branch_id: branch, guest_name_snapshot: 'x', guest_count: 1, reserved_from: '2027-01-01T12:00:00Z', reserved_to: '2027-01-01T11:00:00Z' }), '23514');
  const audit = done('what was done', await manager.from('audit_logs').select('action_code').order('action_code'));
  holds('is written down', audit?.length >= 8, audit);
  refused('and stays', await service.from('audit_logs').delete().eq('branch_id', branch), '42501');
  return { guest, manager, kitchen, other };
}
