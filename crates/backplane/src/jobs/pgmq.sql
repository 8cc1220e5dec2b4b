-- What `create extension pgmq` makes, for projects with queues: names, arguments, columns and messages are pgmq's.
-- A queue is two tables, made where the schema says `pgmq.create`. One statement that changes something runs at a time: no message
-- is locked, none is given to two.

create schema pgmq;

create table pgmq.meta (
  queue_name varchar unique not null,
  is_partitioned boolean not null,
  is_unlogged boolean not null,
  created_at timestamptz not null default now()
);

-- The last number that was given in each queue, by the name of its table: its message may be gone.
create table pgmq._last (queue text primary key, msg_id bigint not null);

create type pgmq.message_record as (
  msg_id bigint, read_ct integer, enqueued_at timestamptz, vt timestamptz, message jsonb, headers jsonb
);
create type pgmq.queue_record as (
  queue_name varchar, is_partitioned boolean, is_unlogged boolean, created_at timestamptz
);
create type pgmq.metrics_result as (
  queue_name text, queue_length bigint, newest_msg_age_sec integer, oldest_msg_age_sec integer, total_messages bigint,
  scrape_time timestamptz, queue_visible_length bigint
);

create function pgmq.format_table_name(queue_name text, prefix text) returns text language plpgsql immutable as $$
begin
  if queue_name ~ '\$|;|--|''' then
    raise exception 'queue name contains invalid characters: $, ;, --, or \''';
  end if;
  return lower(prefix || '_' || queue_name);
end
$$;

create function pgmq._make(queue_name text, is_unlogged boolean) returns void language plpgsql as $$
declare
  messages text := lower('q_' || queue_name);
  archived text := lower('a_' || queue_name);
begin
  if length(queue_name) > 47 then
    raise exception 'queue name is too long, maximum length is 47 characters';
  elsif queue_name ~ '\$|;|--|''' then
    raise exception 'queue name contains invalid characters: $, ;, --, or \''';
  end if;
  execute format(
    'create table if not exists pgmq.%I (
      msg_id bigint primary key generated always as identity, read_ct integer not null default 0,
      enqueued_at timestamptz not null default now(), vt timestamptz not null, message jsonb, headers jsonb)', messages);
  execute format(
    'create table if not exists pgmq.%I (
      msg_id bigint primary key, read_ct integer not null default 0, enqueued_at timestamptz not null default now(),
      archived_at timestamptz not null default now(), vt timestamptz not null, message jsonb, headers jsonb)', archived);
  execute format('create index if not exists %I on pgmq.%I (vt)', messages || '_vt_idx', messages);
  execute format(
    'create index if not exists %I on pgmq.%I (archived_at)', 'archived_at_idx_' || queue_name, archived);
  insert into pgmq.meta (queue_name, is_partitioned, is_unlogged) values (queue_name, false, is_unlogged)
  on conflict do nothing;
end
$$;

create function pgmq.create(queue_name text) returns void language plpgsql as $$
begin
  execute 'select pgmq._make($1, false)' using queue_name;
end
$$;

create function pgmq.create_non_partitioned(queue_name text) returns void language plpgsql as $$
begin
  execute 'select pgmq._make($1, false)' using queue_name;
end
$$;

create function pgmq.create_unlogged(queue_name text) returns void language plpgsql as $$
begin
  execute 'select pgmq._make($1, true)' using queue_name;
end
$$;

create function pgmq.create_partitioned(
  queue_name text, partition_interval text default '10000', retention_interval text default '100000'
) returns void language plpgsql as $$
begin
  raise exception 'pg_partman is required for partitioned queues';
end
$$;

create function pgmq.drop_queue(queue_name text) returns boolean language plpgsql as $$
begin
  execute format('drop table if exists pgmq.%I', lower('q_' || queue_name));
  execute format('drop table if exists pgmq.%I', lower('a_' || queue_name));
  delete from pgmq.meta where meta.queue_name = drop_queue.queue_name;
  delete from pgmq._last where _last.queue = lower('q_' || drop_queue.queue_name);
  return true;
end
$$;

-- Notes the last number of a queue, with its owner's rights: whoever may send may see neither what others sent nor how much.
create function pgmq._note_last(messages text) returns void language plpgsql security definer set search_path = '' as $$
begin
  if exists (select from pgmq.meta m where pgmq.format_table_name(m.queue_name, 'q') = messages) then
    execute format(
      'insert into pgmq._last (queue, msg_id) select $1, max(q.msg_id) from pgmq.%I q having max(q.msg_id) is not null
      on conflict (queue) do update set msg_id = excluded.msg_id', messages) using messages;
  end if;
end
$$;

create function pgmq.send_batch(queue_name text, msgs jsonb[], headers jsonb[], delay timestamptz)
returns setof bigint language plpgsql as $$
declare
  messages text := pgmq.format_table_name(queue_name, 'q');
begin
  return query execute format(
    'insert into pgmq.%I (vt, message, headers) select $2, unnest($1), unnest(coalesce($3, array[]::jsonb[])) returning msg_id',
    messages) using msgs, delay, headers;
  perform pgmq._note_last(messages);
end
$$;
create function pgmq.send_batch(queue_name text, msgs jsonb[]) returns setof bigint language sql as $$
  select * from pgmq.send_batch(queue_name, msgs, null::jsonb[], clock_timestamp())
$$;
create function pgmq.send_batch(queue_name text, msgs jsonb[], headers jsonb[]) returns setof bigint language sql as $$
  select * from pgmq.send_batch(queue_name, msgs, headers, clock_timestamp())
$$;
create function pgmq.send_batch(queue_name text, msgs jsonb[], delay integer) returns setof bigint language sql as $$
  select * from pgmq.send_batch(queue_name, msgs, null::jsonb[], clock_timestamp() + make_interval(secs => delay))
$$;
create function pgmq.send_batch(queue_name text, msgs jsonb[], delay timestamptz) returns setof bigint language sql as $$
  select * from pgmq.send_batch(queue_name, msgs, null::jsonb[], delay)
$$;
create function pgmq.send_batch(queue_name text, msgs jsonb[], headers jsonb[], delay integer)
returns setof bigint language sql as $$
  select * from pgmq.send_batch(queue_name, msgs, headers, clock_timestamp() + make_interval(secs => delay))
$$;

create function pgmq.send(queue_name text, msg jsonb, headers jsonb, delay timestamptz) returns setof bigint language sql as $$
  select * from pgmq.send_batch(queue_name, array[msg], array[headers], delay)
$$;
create function pgmq.send(queue_name text, msg jsonb) returns setof bigint language sql as $$
  select * from pgmq.send(queue_name, msg, null::jsonb, clock_timestamp())
$$;
create function pgmq.send(queue_name text, msg jsonb, headers jsonb) returns setof bigint language sql as $$
  select * from pgmq.send(queue_name, msg, headers, clock_timestamp())
$$;
create function pgmq.send(queue_name text, msg jsonb, delay integer) returns setof bigint language sql as $$
  select * from pgmq.send(queue_name, msg, null::jsonb, clock_timestamp() + make_interval(secs => delay))
$$;
create function pgmq.send(queue_name text, msg jsonb, delay timestamptz) returns setof bigint language sql as $$
  select * from pgmq.send(queue_name, msg, null::jsonb, delay)
$$;
create function pgmq.send(queue_name text, msg jsonb, headers jsonb, delay integer) returns setof bigint language sql as $$
  select * from pgmq.send(queue_name, msg, headers, clock_timestamp() + make_interval(secs => delay))
$$;

create function pgmq.read(queue_name text, vt integer, qty integer, conditional jsonb default '{}')
returns setof pgmq.message_record language plpgsql as $$
begin
  return query execute format(
    'with given as (
      update pgmq.%1$I set vt = clock_timestamp() + make_interval(secs => $2), read_ct = read_ct + 1
      where msg_id in (
        select q.msg_id from pgmq.%1$I q
        where q.vt <= clock_timestamp() and ($3 = ''{}'' or q.message @> $3) order by q.msg_id limit $1)
      returning msg_id, read_ct, enqueued_at, vt, message, headers)
    select given.msg_id, given.read_ct, given.enqueued_at, given.vt, given.message, given.headers
    from given order by given.msg_id',
    pgmq.format_table_name(queue_name, 'q')) using qty, vt, coalesce(conditional, '{}');
end
$$;

-- A transaction sees no message that comes while it waits: there is nothing to poll for.
create function pgmq.read_with_poll(
  queue_name text, vt integer, qty integer, max_poll_seconds integer default 5, poll_interval_ms integer default 100,
  conditional jsonb default '{}'
) returns setof pgmq.message_record language sql as $$
  select * from pgmq.read(queue_name, vt, qty, conditional)
$$;

create function pgmq.pop(queue_name text) returns setof pgmq.message_record language plpgsql as $$
begin
  return query execute format(
    'delete from pgmq.%1$I where msg_id = (
      select q.msg_id from pgmq.%1$I q where q.vt <= clock_timestamp() order by q.msg_id limit 1)
    returning msg_id, read_ct, enqueued_at, vt, message, headers', pgmq.format_table_name(queue_name, 'q'));
end
$$;

create function pgmq.archive(queue_name text, msg_ids bigint[]) returns setof bigint language plpgsql as $$
begin
  return query execute format(
    'with gone as (
      delete from pgmq.%I where msg_id = any($1) returning msg_id, vt, read_ct, enqueued_at, message, headers)
    insert into pgmq.%I (msg_id, vt, read_ct, enqueued_at, message, headers)
    select msg_id, vt, read_ct, enqueued_at, message, headers from gone returning msg_id',
    pgmq.format_table_name(queue_name, 'q'), pgmq.format_table_name(queue_name, 'a')) using msg_ids;
end
$$;
create function pgmq.archive(queue_name text, msg_id bigint) returns boolean language sql as $$
  select count(*) > 0 from pgmq.archive(queue_name, array[msg_id])
$$;

create function pgmq.delete(queue_name text, msg_ids bigint[]) returns setof bigint language plpgsql as $$
begin
  return query execute format(
    'delete from pgmq.%I where msg_id = any($1) returning msg_id',
    pgmq.format_table_name(queue_name, 'q')) using msg_ids;
end
$$;
create function pgmq.delete(queue_name text, msg_id bigint) returns boolean language sql as $$
  select count(*) > 0 from pgmq.delete(queue_name, array[msg_id])
$$;

create function pgmq.set_vt(queue_name text, msg_id bigint, vt integer)
returns setof pgmq.message_record language plpgsql as $$
begin
  return query execute format(
    'update pgmq.%I set vt = clock_timestamp() + make_interval(secs => $2) where msg_id = $1
    returning msg_id, read_ct, enqueued_at, vt, message, headers',
    pgmq.format_table_name(queue_name, 'q')) using msg_id, vt;
end
$$;

create function pgmq.purge_queue(queue_name text) returns bigint language plpgsql as $$
declare
  purged bigint;
begin
  execute format('delete from pgmq.%I', pgmq.format_table_name(queue_name, 'q'));
  get diagnostics purged = row_count;
  return purged;
end
$$;

create function pgmq.list_queues() returns setof pgmq.queue_record language plpgsql as $$
begin
  return query select meta.queue_name, meta.is_partitioned, meta.is_unlogged, meta.created_at from pgmq.meta;
end
$$;

-- Numbers are not given twice: the last that was given says how many messages there were.
create function pgmq.metrics(queue_name text) returns pgmq.metrics_result language plpgsql as $$
declare
  found_metrics pgmq.metrics_result;
begin
  execute format(
    'select $1, count(*), extract(epoch from clock_timestamp() - max(enqueued_at))::integer,
      extract(epoch from clock_timestamp() - min(enqueued_at))::integer,
      greatest(coalesce(max(msg_id), 0), (select coalesce(max(l.msg_id), 0) from pgmq._last l where l.queue = $2)),
      clock_timestamp(), count(*) filter (where vt <= clock_timestamp())
    from pgmq.%I', pgmq.format_table_name(queue_name, 'q'))
  into found_metrics using queue_name, pgmq.format_table_name(queue_name, 'q');
  return found_metrics;
end
$$;
create function pgmq.metrics_all() returns setof pgmq.metrics_result language plpgsql as $$
declare
  queue record;
begin
  for queue in select meta.queue_name from pgmq.meta loop
    return next pgmq.metrics(queue.queue_name::text);
  end loop;
end
$$;

create function pgmq.detach_archive(queue_name text) returns void language plpgsql as $$
begin
  null;
end
$$;

alter table pgmq.meta enable row level security;
alter table pgmq._last enable row level security;
grant usage on schema pgmq to postgres;
revoke execute on all functions in schema pgmq from public;
grant execute on all functions in schema pgmq to postgres;
-- It says nothing and notes only what is so, as the owner of the queues' tables.
alter function pgmq._note_last(text) owner to postgres;
grant execute on function pgmq._note_last(text) to public;
grant all on pgmq.meta, pgmq._last to postgres;
create policy owner_all on pgmq.meta to postgres using (true) with check (true);
create policy owner_all on pgmq._last to postgres using (true) with check (true);
