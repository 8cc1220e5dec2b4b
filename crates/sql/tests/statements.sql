-- One of each statement, and of each form of its parts. Printed and read again, every one says the same.

-- Queries.
select 1;
select a, b as c, t.*, *, x y, "Weird ""name""" from t where a = 1 and not b or c is null;
select;
select from t;
select distinct a, b from t;
select distinct on (a, b) * from t order by a, b desc nulls last, c asc nulls first, d using <;
select all a from only t as x (p, q), s.u z where x.p = z.p;
select * from t1 left outer join t2 on t1.a = t2.a natural join t3 cross join t4 full join (t5 join t6 using (x, y)) on true;
select * from (select 1 as a) q, lateral (select q.a) as r (b), f(1, 2) with ordinality as g (x, y), rows_of() as h (a int, b text[]), json_to_record('{}') as (a int);
select a, sum(b) from t group by a, rollup (a, b), cube (a, b), grouping sets ((a), (a, b), ()), (a, b) having sum(least(a, b)) > (0)::numeric;
select a from (select 1 as a, 2 as b) x having (sum(least(a, b)) > (0)::numeric);
select a from t order by a limit 5 offset 3;
select a from t offset 3 rows fetch next 2 rows only;
select a from t fetch first row only;
select a from t limit all;
select a from t for update;
select a from t where b for no key update of t, u skip locked limit 1;
select a from t limit 1 for share nowait for key share;
select a from t union all select b from u intersect select c from v except (select 1 order by 1 limit 2) order by 1;
(select a from t limit 1) union distinct (select 2);
with recursive q (a, b) as (select 1, 2 union select a + 1, b from q where a < 5), r as materialized (select 1), s as not materialized (table t) select * from q, r, s;
with d as (delete from t where a = 1 returning *), i as (insert into u select * from d returning id), c as (update v set a = 1 returning a) select * from d, i, c;
values (1, 'a'), (2, default);
table s.t;
select case when a then b when c then d else e end, case x when 1 then 2 end;
select cast(a as int), a::text[], a::varchar(10)::char, a::numeric(10, 2), '1'::"char", a::double precision, a::timestamp(3) with time zone, a::time without time zone, a::bit varying(3), a::bit, a::s."Type"[][], a::interval, a::national character varying(3);
select array[1, 2, 3], array[[1, 2], [3, 4]], array[]::int[], array(select 1), row(1, 2), row(), (1, 2), (a, b) = (c, d), (1, 2) in ((1, 2), (3, 4));
select a between 1 and 2, a not between symmetric 1 and 2 + 3, a in (1, 2), a not in (select 1), a like 'x%' escape '!', a not ilike 'z', a similar to 'q', a not similar to 'q' escape '\';
select a is null, a is not null, a isnull, a notnull, a is true, a is not false, a is unknown, a is distinct from b, a is not distinct from b = c;
select a = any (array[1]), a <> all (select 1), a = some ('{1}'), a like any (array['x']), a not ilike all (select b from t);
select a || b -> 'x' ->> 'y', a #> '{a}', a @> b, a <@ b, a ?| b, a ~* 'x', a !~ 'y', a && b, a operator(pg_catalog.+) b, a <-> b;
select -a + +b * c / d % e ^ f, - (1), -1, 2 - -1, @ a, @ -a || b, a || @ b, a = not b, not a = b, |/ 25;
select a at time zone 'utc', a at time zone 'utc' at time zone b, a collate "C" || b, (a collate s."x") < b;
select extract(year from a), extract('epoch' from a - b), position('x' in y), substring(a from 1 for 2), substring(a for 2), substring(a, 1), overlay(a placing 'x' from 1 for 2), trim(both 'x' from y), trim(leading from y), trim(y), trim(trailing 'x' from y);
select coalesce(a, b), nullif(a, b), greatest(1, 2), left(a, 1), right(a, 2), s.f(a), f(), f(variadic a), f(a => 1, b := 2), f(a, b => 2);
select current_date, current_timestamp, current_user, session_user, localtime, now(), current_timestamp(3), current_schema, "current_user";
select interval '1 day', date '2024-01-01', timestamp with time zone '2024-01-01', uuid '00000000-0000-0000-0000-000000000000', jsonb '{}', s.mood 'happy', point '(1,2)', double precision '1.5', numeric(3, 1) '1.5';
select B'01', X'ff', E'a\n\t\\ \x41 \u00e9 it''s', 'a\b', 'it''s', U&'d\0061t', 1.5e3, .5, 1., 12345678901234567890, $1, $$a 'b' $c$ $$, $q$ $$ $q$, 'a'
  'b';
select a[1], a[1][2], a[1:2], a[:2], a[1:], a[:], (a).b, (f(x)).c, (f(x)).*, ((a).b).c, (a[1]).b, $1[1], (select 1), (select 1) + 1;
select exists (select 1), not exists (select from t where t.a = u.a), ((select 1)), (((select 1)) + 1), ((select 1) union (select 2)), ((select 1) limit 1);
select count(*), count(distinct a), count(*) filter (where b > 1), string_agg(a, ',' order by b desc), percentile_cont(0.5) within group (order by a);
select * from rows from (f(1), pg_catalog.g(a) as (x int, y text)) with ordinality as r (a, b), lateral rows from (h(r.a));
select sum(a) over (), rank() over (partition by a, b order by c desc), sum(a) over w, sum(a) over (w rows between 1 preceding and current row exclude ties) from t window w as (partition by b order by c range between unbounded preceding and unbounded following);
select x.date, x.user, x.left, x."select", year, value, type, name from t as x;
select (a, b) overlaps (c, interval '1 day');
select a from (t join u on true) where ((( select auth.uid() as uid) = user_id));

-- Changes of rows.
insert into t default values;
insert into s.t as x (a, "B") values (1, default), (2, 'x') on conflict (a, lower(b)) where b > 1 do update set b = excluded.b, (c, d) = (1, 2), e = default where x.a > 1 returning *, a as x;
insert into t select 1, 2 on conflict on constraint c do nothing;
insert into t (select 1) on conflict do nothing returning id;
insert into t ((select 1) union (select 2));
insert into t (a) overriding system value values (1);
with x as (select 1) insert into t select * from x;
insert into storage.buckets (id, name, public) values ('avatars', 'avatars', true) on conflict (id) do nothing;
update t set a = 1;
update only s.t as x set a = a + 1, (b, c) = (select 1, 2), d = default from u join v on true, w where x.a = u.a returning x.*;
with x as (select 1) update t set a = 2 from x;
delete from t;
delete from only s.t as x using u, v where x.a = u.a returning a, b as c;
truncate t;
truncate table only s.t, u restart identity cascade;

-- Tables.
create table t ();
create table if not exists public."Users" (
  id uuid primary key default gen_random_uuid(),
  n bigint generated always as identity,
  m int generated by default as identity (start with 10 increment by -2 minvalue -100 maxvalue 100 no cycle),
  s serial, d double precision not null default 1.5 check (d > 0) no inherit,
  full_name text generated always as (first || ' ' || last) stored,
  email text collate "C" unique nulls not distinct,
  "order" int null constraint positive check ("order" > 0 and not "order" in (1, 2)),
  owner uuid constraint owner_fk references auth.users (id) on delete set null (owner) on update cascade deferrable initially deferred,
  team int references teams match full on delete restrict,
  tags text[] not null default '{}'::text[], state s.mood default 'happy', at timestamptz default (now() + interval '1 day') not null,
  price numeric(10, 2) default -1, grid int[3][3], words varchar(20) array default array['a']::varchar[],
  constraint pk_like unique (email, n) include (m) deferrable,
  unique nulls not distinct (n), check (n > m) no inherit, primary key (id, n),
  constraint fk foreign key (a, b) references s.other (c, d) on delete set default on update no action not deferrable,
  exclude using gist (room with =, during with &&) include (n) where (not cancelled) deferrable initially deferred,
  constraint apart exclude ((lower(a)) with operator(pg_catalog.=))
);
create temporary table t (a int, like other including all, like s.other excluding defaults) on commit drop;
create unlogged table t (a int) with (fillfactor = 70) tablespace x;
create table child (b int) inherits (parent, s.parent);
create table part (a int, b date) partition by range (b);
create table part (a int, b date) partition by hash (lower(b), a int4_ops);
create table p partition of s.part for values from (minvalue, 1) to ('2024-01-01', maxvalue);
create table p partition of part for values in (null, 1) partition by list ((a + 1));
create table p partition of part default;
create table p partition of part for values with (modulus 4, remainder 3);
alter table part attach partition p for values in ('a'), add column x int;
alter table part detach partition s.p concurrently;
create table t as select 1 as a;
create temp table if not exists t as with x as (select 1) select * from x;
create table t as (select 1) with no data;

-- Alterations of tables.
alter table t add column a int not null default 0, add column if not exists b text references u (id) on delete cascade, add c date;
alter table if exists only s.t drop column a, drop column if exists b cascade, drop c restrict;
alter table t alter column a type numeric(10, 2) using a::numeric, alter b set data type text collate "C", alter column c set default now(), alter c drop default;
alter table t alter a set not null, alter column b drop not null;
alter table t alter a add generated by default as identity, alter b set generated always set start with 5, alter c restart with 7, alter d drop identity if exists, alter e drop expression if exists, alter f set generated by default;
alter table t alter a add generated always as identity (sequence name s.q start 1 cache 1);
alter table t add constraint u unique (a, b), add primary key (a), add constraint c check (a > 0) not valid, add foreign key (a) references u not valid, add unique using index i, add constraint p primary key using index j;
alter table t drop constraint if exists c cascade, drop constraint d, validate constraint e;
alter table t rename column a to b;
alter table t rename a to "B";
alter table t rename constraint a to b;
alter table t rename to u;
alter table t set schema s;
alter table t owner to postgres;
alter table t enable row level security, force row level security;
alter table t disable row level security, no force row level security;
alter table t enable trigger all, disable trigger "Weird", enable always trigger x, disable trigger user;
alter table t replica identity full;
alter table t replica identity using index i;
alter table t set (autovacuum_enabled = false, fillfactor = 70);
alter view v set (security_invoker = true);
alter view v rename column a to b;
alter view v owner to x;
alter materialized view if exists v rename to w;
alter index i rename to j;

-- Policies.
create policy "Users can see 'their' rows" on s.t for select to authenticated, anon using (((select auth.uid() as uid) = user_id));
create policy p on t as restrictive for all to public using (true) with check (exists (select 1 from u where u.id = t.id and u.owner = auth.uid()));
create policy p on t for insert with check ((auth.jwt() ->> 'role') = any (array['a', 'b']));
create policy p on t for update using (a in (select b from c)) with check (a is not null);
create policy p on t for delete to current_user using ((storage.foldername(name))[1] = 'x');
create policy p on t;
alter policy p on t rename to q;
alter policy p on t to a, b using (true) with check (false);

-- Indexes.
create index on t (a);
create unique index concurrently if not exists i on only s.t using btree (a desc nulls last, lower(b) collate "C" text_pattern_ops, (a || b), c s.ops asc nulls first) include (d, e) nulls not distinct with (fillfactor = 70) where a > 0 and b is null;
create index i on t using gin (to_tsvector('english', body), tags jsonb_path_ops, name gin_trgm_ops);
create index i on t using hnsw (embedding extensions.vector_cosine_ops) with (m = 16, ef_construction = 64);

-- Types.
create type s.mood as enum ('sad', 'it''s', '');
create type e as enum ();
create type pair as (a int, b s.mood[], "C" numeric(3, 1));
alter type mood add value if not exists 'new' before 'sad';
alter type mood add value 'other' after 'it''s';
alter type mood rename value 'a' to 'b';
alter type pair add attribute d int;
alter type pair drop attribute d;
alter type mood rename to feeling;
alter type mood set schema s;
alter type mood owner to postgres;
create domain s.email as citext collate "C" default 'x' not null constraint valid check (value ~ '^.+@.+$') check (length(value) < 100);
create domain d int;
alter domain d owner to postgres;

-- Sequences.
create sequence if not exists s.q as bigint increment by 2 minvalue -5 no maxvalue start with 3 cache 10 cycle owned by s.t.a;
create temporary sequence q;
alter sequence if exists s.q restart with 5 no minvalue owned by none;
alter sequence q restart increment -1 maxvalue 5 no cycle;
alter sequence q owner to postgres;

-- Views.
create view v as select 1 as a;
create or replace view s.v (a, b) with (security_invoker = on, security_barrier) as select * from t where a > 0 with check option;
create materialized view if not exists v as select a from t with no data;
create view v with (security_invoker) as with x as (select 1) select * from x union select 2;

-- Functions.
create function f() returns void language sql as 'select 1';
create or replace function s.f(a int, inout b text default 'x', out c uuid[], variadic d s.mood[]) returns record language plpgsql stable strict security definer set search_path = '' set statement_timeout to 5 as $$
begin
  return; -- ; and 'quotes'
end;
$$;
create function f(integer, "B" double precision, c timestamp with time zone = now()) returns table (id int, name text) language sql immutable leakproof parallel safe cost 10 rows 5 called on null input security invoker set search_path to public, pg_temp as $body$ select 1, $$x$$ $body$;
create function f(t s.t, c t.a%type) returns setof s.t as 'select 1' language 'sql' returns null on null input;
create function f(a int) returns int language sql return a + 1;
create function f(a int) returns int begin atomic select a; select case when a > 1 then 2 end; end;
create function f() returns trigger language plpgsql set x.y = 'z' set role from current as 'begin return new; end';
create procedure p(in a int) language plpgsql as $$ begin null; end $$;
create function ends_in_dollar() returns text language sql as 'select ''x'' -- $';
alter function f(int, text) owner to postgres;
alter function f rename to g;
alter function s.f() set schema t;
alter function f(a int) security definer set search_path = '';
drop function if exists f(int, out text), g, s.h() cascade;

-- Triggers.
create trigger t before insert or update of a, "B" or delete on s.t for each row when (old.a is distinct from new.a) execute function s.f('x', 1, y);
create or replace trigger t after truncate on t execute procedure f();
create constraint trigger t after insert on t deferrable initially deferred for each row execute function f();
create trigger t after update on t referencing old table as o new table as n for each statement execute function f();
create trigger t instead of insert on v for row execute function f();
drop trigger if exists t on s.t;
alter trigger t on s.u rename to v;

-- Privileges.
grant select, insert (a, "B"), update on t, s.u to anon, authenticated;
grant all privileges on table t to service_role with grant option;
grant all (a, b) on t to public;
grant all on all tables in schema public, s to postgres;
grant usage, select on all sequences in schema public to anon;
grant execute on all functions in schema public to anon;
grant usage on sequence s.q to anon;
grant execute on function f(int, text), s.g to anon;
grant execute on routine f to anon;
grant usage on schema public, s to anon;
grant usage on type s.mood to anon;
grant connect on database postgres to anon;
revoke all on function f() from public, anon cascade;
revoke grant option for select on t from anon;
grant anon, authenticated to authenticator;
revoke anon from authenticator;
alter default privileges for role postgres in schema public, s grant all on tables to anon;
alter default privileges in schema public revoke execute on functions from public;
alter default privileges grant usage, select on sequences to anon;
create role app nologin noinherit;
create role app with login password 'x' in role other;
alter role authenticator set statement_timeout = '8s';

-- Comments.
comment on table s.t is 'it''s a table';
comment on column s.t.a is null;
comment on function f is 'x';
comment on function s.f(int, text) is 'x';
comment on policy "a b" on s.t is 'x';
comment on trigger t on s.u is 'x';
comment on constraint c on s.t is E'two\nlines';
comment on materialized view v is 'x';
comment on schema public is 'x';
comment on extension pgcrypto is 'x';
comment on type s.mood is 'x';

-- What is dropped.
drop table if exists s.t, u cascade;
drop table t restrict;
drop view v;
drop materialized view if exists v;
drop policy if exists "a b" on s.t;
drop type mood cascade;
drop index concurrently if exists s.i;
drop sequence q;
drop schema if exists s cascade;
drop extension if exists "uuid-ossp";
drop domain d;
drop publication p;
drop role app;
drop event trigger e;

-- The rest.
create schema if not exists s;
create schema authorization joe;
create extension if not exists "uuid-ossp" with schema extensions;
create extension vector schema extensions version '0.5' cascade;
create publication p for table t, only s.u;
create publication p for all tables with (publish = 'insert');
create publication p;
alter publication supabase_realtime add table t, only s.u (a, b);
alter publication supabase_realtime drop table t;
alter publication supabase_realtime set table t;
alter publication supabase_realtime owner to postgres;
do $$ begin if not exists (select 1) then create type x as enum ('a'); end if; end $$;
do language plpgsql 'begin null; end';
set search_path = public, "$user", 'x y';
set local statement_timeout to 0;
set x.y = 'z';
set time zone 'utc';
reset search_path;
reset all;
notify pgrst, 'reload schema';
notify pgrst;
select cron.schedule('nightly', '0 0 * * *', $$delete from t where a < now() - interval '1 day'$$);
select pg_catalog.set_config('search_path', '', false);
select net.http_post(url := 'http://x', headers := '{"a": "b"}'::jsonb, body := jsonb_build_object('a', 1)) as request_id;
select setval('public.q', coalesce((select max(id) from t), 1), true);
refresh materialized view concurrently public.totals with no data;
refresh materialized view totals;
create materialized view kept as select 1 as n with no data;
create recursive view public.numbers (n) as values (1) union all select n + 1 from numbers where n < 5;
update papers set doc['a'][2] = '1', kept = false where current of "Cursor" returning id;
delete from papers p where current of c;
