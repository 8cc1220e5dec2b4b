-- What `create extension pg_cron` makes, for projects that schedule: names, columns and messages are pg_cron's.
-- A schedule is kept here and run by the server; see `schedule.rs`.

create schema cron;

create table cron.job (
  jobid bigserial primary key,
  schedule text not null,
  command text not null,
  nodename text not null default 'localhost',
  nodeport integer not null default 5432,
  database text not null default 'postgres',
  username text not null default current_user,
  active boolean not null default true,
  jobname text,
  constraint jobname_username_uniq unique (jobname, username)
);

-- `due` is ours: a run is recorded once for each time at which its job was due.
create table cron.job_run_details (
  jobid bigint,
  runid bigserial primary key,
  job_pid integer,
  database text,
  username text,
  command text,
  status text,
  return_message text,
  start_time timestamptz,
  end_time timestamptz,
  due timestamptz,
  unique (jobid, due)
);
create index job_run_details_unfinished_idx on cron.job_run_details (runid) where status in ('starting', 'running');

alter table cron.job enable row level security;
create policy cron_job_policy on cron.job using (username = current_user);
alter table cron.job_run_details enable row level security;
create policy cron_job_run_details_policy on cron.job_run_details using (username = current_user);

create function cron.is_schedule(schedule text) returns boolean language sql immutable as $$
  select lower(trim(schedule)) ~ '^([1-9]|[1-5][0-9]) seconds?$'
    or lower(trim(schedule)) in ('@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly')
    or lower(trim(schedule)) ~ concat(
      '^',
      '(\*|[0-5]?\d(-[0-5]?\d)?)(/[0-9]+)?(,(\*|[0-5]?\d(-[0-5]?\d)?)(/[0-9]+)?)*\s+',
      '(\*|([01]?\d|2[0-3])(-([01]?\d|2[0-3]))?)(/[0-9]+)?(,(\*|([01]?\d|2[0-3])(-([01]?\d|2[0-3]))?)(/[0-9]+)?)*\s+',
      '(\*|\$|(0?[1-9]|[12]\d|3[01])(-(0?[1-9]|[12]\d|3[01]))?)(/[0-9]+)?(,(\*|\$|(0?[1-9]|[12]\d|3[01])(-(0?[1-9]|[12]\d|3[01]))?)(/[0-9]+)?)*\s+',
      '(\*|(0?[1-9]|1[0-2]|[a-z]{3})(-(0?[1-9]|1[0-2]|[a-z]{3}))?)(/[0-9]+)?(,(\*|(0?[1-9]|1[0-2]|[a-z]{3})(-(0?[1-9]|1[0-2]|[a-z]{3}))?)(/[0-9]+)?)*\s+',
      '(\*|([0-7]|[a-z]{3})(-([0-7]|[a-z]{3}))?)(/[0-9]+)?(,(\*|([0-7]|[a-z]{3})(-([0-7]|[a-z]{3}))?)(/[0-9]+)?)*$'
    )
$$;

create function cron.accept_schedule(schedule text) returns void language plpgsql immutable as $$
begin
  if schedule is null then
    raise exception 'schedule can not be NULL' using errcode = '22023';
  elsif not cron.is_schedule(schedule) then
    raise exception 'invalid schedule: %', schedule
      using errcode = '22023', hint = 'Use cron format (e.g. 5 4 * * *), or interval format ''[1-59] seconds''';
  end if;
end
$$;

create function cron.schedule_in_database(
  job_name text, schedule text, command text, database text,
  username text default null, active boolean default true
) returns bigint language plpgsql as $$
declare
  id bigint;
begin
  perform cron.accept_schedule(schedule);
  if command is null then
    raise exception 'command can not be NULL' using errcode = '22023';
  end if;
  if database <> 'postgres' then
    raise exception 'a job in database "%" is not supported', database using errcode = '0A000';
  end if;
  if username is not null and username <> current_user then
    raise exception 'must be superuser to create a job for another role' using errcode = '42501';
  end if;
  insert into cron.job as known (jobname, schedule, command, active)
  values (job_name, schedule, command, active)
  on conflict on constraint jobname_username_uniq do update
  set schedule = excluded.schedule, command = excluded.command, active = excluded.active
  returning known.jobid into id;
  return id;
end
$$;

create function cron.schedule(job_name text, schedule text, command text) returns bigint language sql as $$
  select cron.schedule_in_database(job_name, schedule, command, 'postgres')
$$;

create function cron.schedule(schedule text, command text) returns bigint language sql as $$
  select cron.schedule_in_database(null, schedule, command, 'postgres')
$$;

create function cron.unschedule(job_id bigint) returns boolean language plpgsql as $$
begin
  delete from cron.job where jobid = job_id;
  if not found then
    raise exception 'could not find valid entry for job %', job_id;
  end if;
  return true;
end
$$;

create function cron.unschedule(job_name text) returns boolean language plpgsql as $$
begin
  delete from cron.job where jobname = job_name and username = current_user;
  if not found then
    raise exception 'could not find valid entry for job ''%''', job_name;
  end if;
  return true;
end
$$;

create function cron.alter_job(
  job_id bigint, schedule text default null, command text default null, database text default null,
  username text default null, active boolean default null
) returns void language plpgsql as $$
begin
  if schedule is not null then
    perform cron.accept_schedule(schedule);
  end if;
  if database <> 'postgres' then
    raise exception 'a job in database "%" is not supported', database using errcode = '0A000';
  end if;
  if username is not null and username <> current_user then
    raise exception 'must be superuser to alter username' using errcode = '42501';
  end if;
  update cron.job job
  set schedule = coalesce(alter_job.schedule, job.schedule),
    command = coalesce(alter_job.command, job.command),
    active = coalesce(alter_job.active, job.active)
  where job.jobid = job_id;
  if not found then
    raise exception 'Job % does not exist or you don''t own it', job_id;
  end if;
end
$$;

-- What a run does, in one transaction: what it changed and that it succeeded are kept together or not at all.
create function cron.run(run bigint) returns void language plpgsql as $$
declare
  what text;
  who text;
  touched bigint;
begin
  select details.command, details.username into strict what, who
  from cron.job_run_details details where details.runid = run;
  if who is distinct from current_user then
    raise exception 'a job of role "%" is not supported', who using errcode = '0A000';
  end if;
  execute what;
  get diagnostics touched = row_count;
  update cron.job_run_details
  set status = 'succeeded', return_message = touched || case touched when 1 then ' row' else ' rows' end,
    end_time = clock_timestamp()
  where runid = run;
end
$$;

grant usage on schema cron to postgres, supabase_auth_admin;
grant all on cron.job, cron.job_run_details to postgres;
grant all on all sequences in schema cron to postgres;
revoke execute on all functions in schema cron from public;
grant execute on all functions in schema cron to postgres;
