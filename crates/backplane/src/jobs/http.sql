-- What `create extension http` makes, so that what names it is understood: a request within a transaction is refused when it is made.
-- `net.http_post` and its like are sent.

create domain extensions.http_method as text;
create type extensions.http_header as (field varchar, value varchar);
create type extensions.http_request as (
  method extensions.http_method, uri varchar, headers extensions.http_header[], content_type varchar, content varchar
);
create type extensions.http_response as (
  status integer, content_type varchar, headers extensions.http_header[], content varchar
);

create function extensions.http_header(field varchar, value varchar) returns extensions.http_header language sql immutable as $$
  select row(field, value)::extensions.http_header
$$;

create function extensions._http_refused(name text) returns extensions.http_response language plpgsql as $$
begin
  raise exception '% is not supported', name using errcode = '0A000', hint = 'net.http_get() and net.http_post() are.';
end
$$;

create function extensions.http(request extensions.http_request) returns extensions.http_response language sql as $$
  select extensions._http_refused('http()')
$$;
create function extensions.http_get(uri varchar) returns extensions.http_response language sql as $$
  select extensions._http_refused('http_get()')
$$;
create function extensions.http_get(uri varchar, data jsonb) returns extensions.http_response language sql as $$
  select extensions._http_refused('http_get()')
$$;
create function extensions.http_head(uri varchar) returns extensions.http_response language sql as $$
  select extensions._http_refused('http_head()')
$$;
create function extensions.http_post(uri varchar, content varchar, content_type varchar)
returns extensions.http_response language sql as $$
  select extensions._http_refused('http_post()')
$$;
create function extensions.http_post(uri varchar, data jsonb) returns extensions.http_response language sql as $$
  select extensions._http_refused('http_post()')
$$;
create function extensions.http_put(uri varchar, content varchar, content_type varchar)
returns extensions.http_response language sql as $$
  select extensions._http_refused('http_put()')
$$;
create function extensions.http_patch(uri varchar, content varchar, content_type varchar)
returns extensions.http_response language sql as $$
  select extensions._http_refused('http_patch()')
$$;
create function extensions.http_delete(uri varchar) returns extensions.http_response language sql as $$
  select extensions._http_refused('http_delete()')
$$;

-- Options of requests that are not made.
create function extensions.http_set_curlopt(curlopt varchar, value varchar) returns boolean language sql as $$
  select true
$$;
create function extensions.http_reset_curlopt() returns boolean language sql as $$
  select true
$$;
