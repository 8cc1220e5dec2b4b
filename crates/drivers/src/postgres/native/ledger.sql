-- What was applied: ours, and the one that the Supabase tools keep, which they read as well.
set client_min_messages = warning;
create schema if not exists backplane;
create table if not exists backplane.ledger (
  position bigint generated always as identity,
  layer text not null,
  name text not null,
  hash text not null,
  text text not null,
  applied_at timestamptz not null default now(),
  primary key (layer, name)
);
create table if not exists backplane.progress (step text primary key, parts integer not null);
create schema if not exists supabase_migrations;
create table if not exists supabase_migrations.schema_migrations (version text not null primary key);
alter table supabase_migrations.schema_migrations add column if not exists statements text[];
alter table supabase_migrations.schema_migrations add column if not exists name text;
create table if not exists supabase_migrations.seed_files (path text not null primary key, hash text not null);
