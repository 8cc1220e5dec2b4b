-- The company: its departments, the people who hire, and the skills it looks for.

-- Nothing is anybody's by default: 04_access.sql says in words who may do what.
alter default privileges in schema public revoke all on tables from anon, authenticated;

create type employee_role as enum ('interviewer', 'hiring_manager', 'recruiter', 'admin');

create table departments (
  id bigint generated always as identity primary key,
  slug text not null unique check (slug ~ '^[a-z][a-z0-9-]*$'),
  name varchar(80) not null,
  description text,
  created_at timestamptz not null default now()
);

comment on table departments is 'Where jobs are. Anybody may read it: it is on the careers page.';

-- Who hires, and as what. Policies of every other table ask this one, so its own policies ask no table at all:
-- PostgreSQL refuses policies that go round in a circle (42P17).
create table employees (
  user_id uuid primary key references auth.users (id) on delete cascade,
  department_id bigint references departments (id) on delete set null,
  role employee_role not null default 'interviewer',
  active boolean not null default true,
  created_at timestamptz not null default now(),
  constraint hiring_managers_have_a_department check (role <> 'hiring_manager' or department_id is not null)
);

comment on table employees is 'Membership: which user may do what. Everybody sees their own row and no other.';
comment on column employees.role is 'A recruiter works on all hiring, a hiring manager on their department''s, an interviewer on what is assigned to them.';

create index employees_by_department on employees (department_id, role) where active;

-- The directory: what colleagues see of each other, and candidates of those who will interview them.
create table staff (
  user_id uuid primary key references employees (user_id) on delete cascade,
  full_name text not null check (full_name <> ''),
  job_title text,
  pronouns varchar(20)
);

comment on table staff is 'The directory entry of an employee.';

create table skills (
  name text primary key,
  category text not null default 'general'
);

comment on table skills is 'The words that jobs use for skills, so that "Postgres" and "PostgreSQL" are not two things.';
