-- Candidates, their applications, and how the company decides on them.

create type application_stage as enum ('applied', 'screening', 'interview', 'offer', 'hired', 'rejected', 'withdrawn');
create type interview_kind as enum ('phone', 'technical', 'system_design', 'culture');
create type recommendation as enum ('strong_no', 'no', 'yes', 'strong_yes');
create type comment_visibility as enum ('internal', 'shared');

create table candidates (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null unique default auth.uid() references auth.users (id) on delete cascade,
  full_name text not null check (length(full_name) between 1 and 200),
  email text not null check (email like '%_@_%'),
  phone text check (phone ~ '^[+]?[0-9 ()-]{6,20}$'),
  headline text,
  skills text[] not null default '{}',
  cv jsonb not null default '{}'::jsonb check (jsonb_typeof(cv) = 'object'),
  years_of_experience numeric(4, 1) check (years_of_experience >= 0),
  created_at timestamptz not null default now(),
  unique (id, user_id)
);

comment on table candidates is 'A person who applies. One row a user; the user owns it.';
comment on column candidates.cv is 'Free form: {"links": [...], "jobs": [{"company", "title", "from", "to"}], "education": [...]}';

create unique index candidates_by_email on candidates (lower(email));
create index candidates_by_skill on candidates using gin (skills);

-- An application carries its applicant's user, and the foreign key of two columns keeps it true. So the policy
-- "it is mine" needs no look at candidates, whose own policies look here.
create table applications (
  id uuid primary key default gen_random_uuid(),
  candidate_id uuid not null,
  user_id uuid not null default auth.uid(),
  job_id uuid not null references job_posts (id) on delete cascade,
  stage application_stage not null default 'applied',
  cover_letter text,
  expected_salary numeric(12, 2),
  answers jsonb not null default '[]'::jsonb,
  rejection_reason text,
  created_at timestamptz not null default now(),
  updated_at timestamptz,
  constraint applications_candidate_fkey foreign key (candidate_id, user_id) references candidates (id, user_id) on delete cascade,
  constraint one_application_per_job unique (candidate_id, job_id),
  constraint only_the_rejected_have_a_reason check (rejection_reason is null or stage = 'rejected')
);

comment on table applications is 'One candidate''s application for one job.';

create index applications_by_job on applications (job_id, stage);
create index applications_open on applications (job_id, created_at) where stage not in ('hired', 'rejected', 'withdrawn');

create table application_stage_history (
  id bigint generated always as identity primary key,
  application_id uuid not null references applications (id) on delete cascade,
  from_stage application_stage,
  to_stage application_stage not null,
  changed_by uuid default auth.uid() references auth.users (id) on delete set null,
  changed_at timestamptz not null default now(),
  note text,
  constraint a_change_changes check (from_stage is distinct from to_stage)
);

create index stage_history_by_application on application_stage_history (application_id, changed_at desc);

-- Who of the staff takes part in the decision: the key to an application for an interviewer.
create table assignments (
  application_id uuid not null references applications (id) on delete cascade,
  interviewer_id uuid not null references staff (user_id) on delete cascade,
  is_lead boolean not null default false,
  assigned_at timestamptz not null default now(),
  primary key (application_id, interviewer_id)
);

comment on table assignments is 'An interviewer sees exactly the applications that they are assigned to.';

create index assignments_by_interviewer on assignments (interviewer_id);
create unique index one_lead_per_application on assignments (application_id) where is_lead;

create table interviews (
  id uuid primary key default gen_random_uuid(),
  application_id uuid not null references applications (id) on delete cascade,
  interviewer_id uuid not null references staff (user_id) on delete restrict,
  kind interview_kind not null default 'phone',
  scheduled_at timestamptz not null,
  duration_minutes integer not null default 45 check (duration_minutes between 15 and 480),
  meeting_url text,
  created_at timestamptz not null default now(),
  constraint interviews_assignment_fkey foreign key (application_id, interviewer_id)
    references assignments (application_id, interviewer_id) on delete cascade,
  unique (interviewer_id, scheduled_at)
);

create index interviews_by_application on interviews (application_id, scheduled_at);

-- A scorecard is a draft until its author submits it, which is a row of its own in scorecard_submissions.
-- With two tables "submitted" is a fact that policies of scorecards can ask about without asking scorecards.
create table scorecards (
  id uuid primary key default gen_random_uuid(),
  application_id uuid not null,
  author_id uuid not null default auth.uid(),
  interview_id uuid references interviews (id) on delete set null,
  rating smallint not null check (rating between 1 and 5),
  recommendation recommendation not null,
  notes text not null default '',
  ratings_by_skill jsonb not null default '{}'::jsonb,
  created_at timestamptz not null default now(),
  constraint one_scorecard_per_author unique (application_id, author_id),
  constraint scorecards_assignment_fkey foreign key (application_id, author_id)
    references assignments (application_id, interviewer_id) on delete cascade
);

comment on table scorecards is 'What an interviewer thinks. Nobody but the author sees a draft; colleagues see it when they have submitted their own.';

create table scorecard_submissions (
  application_id uuid not null,
  author_id uuid not null default auth.uid(),
  submitted_at timestamptz not null default now(),
  primary key (application_id, author_id),
  constraint submissions_scorecard_fkey foreign key (application_id, author_id)
    references scorecards (application_id, author_id) on delete cascade
);

comment on table scorecard_submissions is 'A row here makes a scorecard final. There is no scorecard, no row.';

create table comments (
  id bigint generated always as identity primary key,
  application_id uuid not null references applications (id) on delete cascade,
  author_id uuid not null default auth.uid() references auth.users (id) on delete cascade,
  body text not null check (body <> ''),
  visibility comment_visibility not null default 'internal',
  created_at timestamptz not null default now()
);

create index comments_by_application on comments (application_id, created_at);

create view my_applications with (security_invoker = true) as
  select id, job_id, stage, cover_letter, created_at
  from applications
  where user_id = auth.uid();

comment on view my_applications is 'What the caller has applied for, also for recruiters, who see everybody''s applications.';
