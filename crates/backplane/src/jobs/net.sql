-- What `create extension pg_net` makes, for projects that send requests: names, arguments and messages are pg_net's.
-- A request is kept here with the transaction that asks for it and sent when that is committed; see `outbox.rs`.

create schema net;

-- From `attempts` on, columns are ours. A request that was given up is dead: it stays until `net.http_retry` revives it.
create table net.http_request_queue (
  id bigserial primary key,
  method text not null,
  url text not null,
  headers jsonb not null,
  body bytea,
  timeout_milliseconds integer not null,
  attempts integer not null default 0,
  due timestamptz not null default now(),
  failure text,
  is_dead boolean not null default false
);
create index http_request_queue_due_idx on net.http_request_queue (due, id) where not is_dead;

create table net._http_response (
  id bigint,
  status_code integer,
  content_type text,
  headers jsonb,
  content text,
  timed_out boolean,
  error_msg text,
  created timestamptz not null default now()
);
create index _http_response_created_idx on net._http_response (created);
create index _http_response_id_idx on net._http_response (id);

alter table net.http_request_queue enable row level security;
alter table net._http_response enable row level security;

create function net._urlencode_string(string text) returns text language sql immutable strict as $$
  select coalesce(string_agg(
    case
      when letter ~ '^[A-Za-z0-9_.~-]$' then letter
      else regexp_replace(upper(encode(convert_to(letter, 'UTF8'), 'hex')), '(..)', '%\1', 'g')
    end, '' order by position), '')
  from regexp_split_to_table(string, '') with ordinality as letters (letter, position)
$$;

create function net._encode_url_with_params(url text, params jsonb) returns text language sql immutable as $$
  select url || coalesce(
    case when position('?' in url) > 0 then '&' else '?' end
      || string_agg(net._urlencode_string(key) || '=' || net._urlencode_string(value), '&'), '')
  from jsonb_each_text(params)
$$;

create function net._enqueue(
  method text, url text, params jsonb, headers jsonb, body bytea, timeout_milliseconds integer
) returns bigint language plpgsql security definer as $$
declare
  request_id bigint;
begin
  if url is null then
    raise exception 'url can not be NULL' using errcode = '22004';
  end if;
  insert into net.http_request_queue (method, url, headers, body, timeout_milliseconds)
  values (method, net._encode_url_with_params(url, params), headers, body, timeout_milliseconds)
  returning id into request_id;
  return request_id;
end
$$;

create function net.http_get(
  url text, params jsonb default '{}', headers jsonb default '{}', timeout_milliseconds integer default 5000
) returns bigint language sql security definer as $$
  select net._enqueue('GET', url, params, headers, null, timeout_milliseconds)
$$;

create function net.http_delete(
  url text, params jsonb default '{}', headers jsonb default '{}', timeout_milliseconds integer default 5000,
  body jsonb default null
) returns bigint language sql security definer as $$
  select net._enqueue('DELETE', url, params, headers, convert_to(body::text, 'UTF8'), timeout_milliseconds)
$$;

create function net.http_post(
  url text, body jsonb default '{}', params jsonb default '{}',
  headers jsonb default '{"Content-Type": "application/json"}', timeout_milliseconds integer default 5000
) returns bigint language plpgsql security definer as $$
declare
  content_type text;
begin
  select header.value into content_type
  from jsonb_each_text(coalesce(headers, '{}')) header where lower(header.key) = 'content-type' limit 1;
  if content_type is null then
    headers := coalesce(headers, '{}') || '{"Content-Type": "application/json"}'::jsonb;
  elsif content_type not like 'application/json%' then
    raise exception 'Content-Type header must be "application/json"';
  end if;
  return net._enqueue('POST', url, params, headers, convert_to(body::text, 'UTF8'), timeout_milliseconds);
end
$$;

-- Sends a request that was given up once more.
create function net.http_retry(request_id bigint) returns boolean language plpgsql as $$
begin
  update net.http_request_queue set is_dead = false, attempts = 0, due = now(), failure = null
  where id = request_id and is_dead;
  return found;
end
$$;

-- The trigger of a database webhook: URL, method, headers, parameters, milliseconds.
create schema supabase_functions;
create function supabase_functions.http_request() returns trigger language plpgsql security definer as $$
declare
  url text := tg_argv[0];
  method text := upper(tg_argv[1]);
  headers jsonb := coalesce(nullif(nullif(tg_argv[2], ''), 'null'), '{"Content-Type": "application/json"}')::jsonb;
  params jsonb := coalesce(nullif(nullif(tg_argv[3], ''), 'null'), '{}')::jsonb;
  milliseconds integer := coalesce(nullif(nullif(tg_argv[4], ''), 'null'), '1000')::integer;
begin
  if url is null or url = 'null' then
    raise exception 'url argument is missing';
  elsif method = 'GET' then
    perform net.http_get(url, params, headers, milliseconds);
  elsif method = 'POST' then
    perform net.http_post(url, jsonb_build_object(
      'old_record', case when tg_op in ('UPDATE', 'DELETE') then to_jsonb(old) end,
      'record', case when tg_op in ('INSERT', 'UPDATE') then to_jsonb(new) end,
      'type', tg_op, 'table', tg_table_name, 'schema', tg_table_schema
    ), params, headers, milliseconds);
  else
    raise exception 'method argument % is invalid', tg_argv[1];
  end if;
  if tg_op = 'DELETE' then
    return old;
  end if;
  return new;
end
$$;

grant usage on schema net to postgres, supabase_auth_admin, anon, authenticated, service_role;
grant all on net.http_request_queue, net._http_response to postgres;
create policy reads_all on net.http_request_queue to postgres using (true);
create policy reads_all on net._http_response to postgres using (true);
revoke execute on all functions in schema net from public;
grant execute on all functions in schema net to postgres;
grant execute on function
  net.http_get(text, jsonb, jsonb, integer), net.http_post(text, jsonb, jsonb, jsonb, integer),
  net.http_delete(text, jsonb, jsonb, integer, jsonb)
to anon, authenticated, service_role;
grant usage on schema supabase_functions to postgres, supabase_auth_admin, anon, authenticated, service_role;
