-- The tables of the Storage and Realtime APIs that applications name in their schemas: their policies stand on them, and rows
-- of `storage.buckets` come with migrations. Row-level security is on; what the API roles may do is said by policies.

create table storage.buckets (
  id text primary key,
  name text not null,
  owner uuid,
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  public boolean default false,
  avif_autodetection boolean default false,
  file_size_limit bigint,
  allowed_mime_types text[],
  owner_id text
);
create unique index bname on storage.buckets (name);

create table storage.objects (
  id uuid primary key default gen_random_uuid(),
  bucket_id text constraint "objects_bucketId_fkey" references storage.buckets (id),
  name text,
  owner uuid,
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  last_accessed_at timestamptz default now(),
  metadata jsonb,
  path_tokens text[] generated always as (string_to_array(name, '/')) stored,
  version text,
  owner_id text,
  user_metadata jsonb
);
create unique index bucketid_objname on storage.objects (bucket_id, name);

create table realtime.messages (
  topic text not null,
  extension text not null,
  payload jsonb,
  event text,
  private boolean default false,
  updated_at timestamptz not null default now(),
  inserted_at timestamptz not null default now(),
  id uuid not null default gen_random_uuid() primary key
);

alter table storage.buckets enable row level security;
alter table storage.objects enable row level security;
alter table realtime.messages enable row level security;
grant all on storage.buckets, storage.objects to anon, authenticated, service_role;
grant select, insert, update on realtime.messages to anon, authenticated, service_role;

create function storage.foldername(name text) returns text[] language sql immutable as $$
  select (string_to_array(name, '/'))[1:array_length(string_to_array(name, '/'), 1) - 1]
$$;
create function storage.filename(name text) returns text language sql immutable as $$
  select (string_to_array(name, '/'))[array_length(string_to_array(name, '/'), 1)]
$$;
create function storage.extension(name text) returns text language sql immutable as $$
  select reverse(split_part(reverse(storage.filename(name)), '.', 1))
$$;
create function realtime.topic() returns text language sql stable as $$
  select nullif(current_setting('realtime.topic', true), '')::text
$$;
create function realtime.send(payload jsonb, event text, topic text, private boolean default true) returns void
language plpgsql as $$
begin
  delete from realtime.messages m where m.inserted_at < now() - interval '3 days';
  insert into realtime.messages (payload, event, topic, private, extension)
  values (send.payload, send.event, send.topic, send.private, 'broadcast');
end
$$;
create function realtime.broadcast_changes(
  topic_name text, event_name text, operation text, table_name text, table_schema text,
  new anyelement, old anyelement, level text default 'ROW'
) returns void language plpgsql as $$
begin
  if level = 'STATEMENT' or operation not in ('INSERT', 'UPDATE', 'DELETE') then
    raise exception 'Failed to process the row: % of a %', operation, level;
  end if;
  perform realtime.send(
    jsonb_build_object(
      'record', broadcast_changes.new, 'old_record', broadcast_changes.old, 'operation', broadcast_changes.operation,
      'table', broadcast_changes.table_name, 'schema', broadcast_changes.table_schema
    ),
    event_name, topic_name
  );
end
$$;
