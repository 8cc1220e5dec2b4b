-- Who may do what. Grants say which role may try; policies say on which rows.
--
-- Policies look at other tables as the caller, through those tables' policies. So the tables form layers, and a
-- policy looks only downwards:
--
--   employees                                  asks nothing but the caller's token
--   departments, skills, job_posts, assignments   ask employees
--   job_education … job_benefits               ask job_posts
--   applications                               ask job_posts, assignments
--   candidates, interviews, comments, history  ask applications
--   scorecard_submissions                      ask applications, assignments
--   scorecards                                 ask scorecard_submissions
--   staff                                      asks interviews

grant usage on schema public to anon, authenticated, service_role;

grant select on departments, skills, job_posts, job_education, job_skills, job_responsibilities, job_benefits, published_jobs to anon;

grant select on employees, staff, my_applications, published_jobs to authenticated;
grant insert, update, delete on employees to authenticated;
grant update (full_name, job_title, pronouns) on staff to authenticated;
grant select, insert, update, delete on
  departments, skills, job_posts, job_education, job_skills, job_responsibilities, job_benefits,
  candidates, assignments, interviews to authenticated;

-- Nobody rewrites who applied for what, or who said it: only these columns can be updated.
grant select, insert, delete on applications, scorecards, comments to authenticated;
grant update (stage, cover_letter, expected_salary, answers, rejection_reason, updated_at) on applications to authenticated;
grant update (interview_id, rating, recommendation, notes, ratings_by_skill) on scorecards to authenticated;
grant update (body) on comments to authenticated;

-- Facts that are written once.
grant select, insert on application_stage_history, scorecard_submissions to authenticated;

grant all on all tables in schema public to service_role;

alter table departments enable row level security;
alter table employees enable row level security;
alter table staff enable row level security;
alter table skills enable row level security;
alter table job_posts enable row level security;
alter table job_education enable row level security;
alter table job_skills enable row level security;
alter table job_responsibilities enable row level security;
alter table job_benefits enable row level security;
alter table candidates enable row level security;
alter table applications enable row level security;
alter table application_stage_history enable row level security;
alter table assignments enable row level security;
alter table interviews enable row level security;
alter table scorecards enable row level security;
alter table scorecard_submissions enable row level security;
alter table comments enable row level security;

-- employees

create policy "everybody sees their own membership" on employees
  for select to authenticated using (user_id = (select auth.uid()));

create policy "administrators manage memberships" on employees
  for all to authenticated
  using (auth.jwt() -> 'app_metadata' ->> 'hiring_role' = 'admin')
  with check (auth.jwt() -> 'app_metadata' ->> 'hiring_role' = 'admin');

-- staff

create policy "colleagues see each other" on staff
  for select to authenticated
  using (exists (select 1 from employees me where me.user_id = auth.uid() and me.active));

create policy "candidates see who interviews them" on staff
  for select to authenticated
  using (exists (
    select 1 from interviews i join applications a on a.id = i.application_id
    where i.interviewer_id = staff.user_id and a.user_id = auth.uid()
  ));

create policy "everybody keeps their own entry" on staff
  for update to authenticated using (user_id = auth.uid()) with check (user_id = auth.uid());

-- departments, skills

create policy "departments are public" on departments for select using (true);
create policy "recruiters keep departments" on departments
  for all to authenticated
  using (exists (select 1 from employees me where me.user_id = auth.uid() and me.active and me.role in ('recruiter', 'admin')));

create policy "skills are public" on skills for select using (true);
create policy "recruiters keep skills" on skills
  for all to authenticated
  using (exists (select 1 from employees me where me.user_id = auth.uid() and me.active and me.role in ('recruiter', 'admin')));

-- job posts

create policy "published jobs are public" on job_posts for select using (status = 'published');

create policy "employees see closed jobs" on job_posts
  for select to authenticated
  using (status = 'closed' and auth.uid() in (select user_id from employees where active));

create policy "recruiters manage jobs" on job_posts
  for all to authenticated
  using (exists (select 1 from employees me where me.user_id = auth.uid() and me.active and me.role in ('recruiter', 'admin')));

create policy "hiring managers see their department's jobs" on job_posts
  for select to authenticated
  using (department_id = (select me.department_id from employees me where me.user_id = auth.uid() and me.active and me.role = 'hiring_manager'));

create policy "hiring managers draft jobs of their department" on job_posts
  for insert to authenticated
  with check (
    status = 'draft'
    and department_id = (select me.department_id from employees me where me.user_id = auth.uid() and me.active and me.role = 'hiring_manager')
  );

create policy "hiring managers edit their department's drafts" on job_posts
  for update to authenticated
  using (
    status = 'draft'
    and department_id = (select me.department_id from employees me where me.user_id = auth.uid() and me.active and me.role = 'hiring_manager')
  );

-- The parts of a job post are as visible as the post: the subquery runs under the policies of job_posts.

create policy "as visible as the job" on job_education
  for select using (exists (select 1 from job_posts j where j.id = job_id));
create policy "as visible as the job" on job_skills
  for select using (exists (select 1 from job_posts j where j.id = job_id));
create policy "as visible as the job" on job_responsibilities
  for select using (exists (select 1 from job_posts j where j.id = job_id));
create policy "as visible as the job" on job_benefits
  for select using (job_id in (select id from job_posts));

create policy "recruiters and managers write requirements" on job_education
  for all to authenticated
  using (exists (
    select 1 from job_posts j join employees me on me.user_id = auth.uid() and me.active
    where j.id = job_id
      and (me.role in ('recruiter', 'admin') or (me.role = 'hiring_manager' and me.department_id = j.department_id and j.status = 'draft'))
  ));
create policy "recruiters and managers write requirements" on job_skills
  for all to authenticated
  using (exists (
    select 1 from job_posts j join employees me on me.user_id = auth.uid() and me.active
    where j.id = job_id
      and (me.role in ('recruiter', 'admin') or (me.role = 'hiring_manager' and me.department_id = j.department_id and j.status = 'draft'))
  ));
create policy "recruiters and managers write requirements" on job_responsibilities
  for all to authenticated
  using (exists (
    select 1 from job_posts j join employees me on me.user_id = auth.uid() and me.active
    where j.id = job_id
      and (me.role in ('recruiter', 'admin') or (me.role = 'hiring_manager' and me.department_id = j.department_id and j.status = 'draft'))
  ));
create policy "recruiters and managers write requirements" on job_benefits
  for all to authenticated
  using (exists (
    select 1 from job_posts j join employees me on me.user_id = auth.uid() and me.active
    where j.id = job_id
      and (me.role in ('recruiter', 'admin') or (me.role = 'hiring_manager' and me.department_id = j.department_id and j.status = 'draft'))
  ));

-- assignments

create policy "interviewers see their assignments" on assignments
  for select to authenticated
  using (interviewer_id = auth.uid() and exists (select 1 from employees me where me.user_id = auth.uid() and me.active));

create policy "recruiters assign" on assignments
  for all to authenticated
  using (exists (select 1 from employees me where me.user_id = auth.uid() and me.active and me.role in ('recruiter', 'admin')));

-- candidates

create policy "candidates keep their own profile" on candidates
  for all to authenticated using (user_id = auth.uid()) with check (user_id = auth.uid());

create policy "recruiters see candidates" on candidates
  for select to authenticated
  using (exists (select 1 from employees me where me.user_id = auth.uid() and me.active and me.role in ('recruiter', 'admin')));

create policy "recruiters correct candidates" on candidates
  for update to authenticated
  using (exists (select 1 from employees me where me.user_id = auth.uid() and me.active and me.role in ('recruiter', 'admin')));

create policy "those who decide see who applied" on candidates
  for select to authenticated
  using (
    exists (select 1 from employees me where me.user_id = auth.uid() and me.active)
    and exists (select 1 from applications a where a.candidate_id = candidates.id)
  );

-- applications

create policy "applicants see their applications" on applications
  for select to authenticated using (user_id = auth.uid());

create policy "applicants apply to open jobs" on applications
  for insert to authenticated
  with check (
    user_id = auth.uid()
    and stage = 'applied'
    and exists (
      select 1 from job_posts j
      where j.id = job_id and j.status = 'published' and (j.closes_on is null or j.closes_on >= current_date)
    )
  );

create policy "anonymous users do not apply" on applications
  as restrictive for insert to authenticated
  with check (coalesce((auth.jwt() ->> 'is_anonymous')::boolean, false) = false);

create policy "applicants withdraw" on applications
  for update to authenticated
  using (user_id = auth.uid() and stage not in ('hired', 'rejected', 'withdrawn'))
  with check (user_id = auth.uid() and stage = 'withdrawn');

create policy "recruiters manage applications" on applications
  for all to authenticated
  using (exists (select 1 from employees me where me.user_id = auth.uid() and me.active and me.role in ('recruiter', 'admin')));

create policy "hiring managers see their department's applications" on applications
  for select to authenticated
  using (exists (
    select 1 from job_posts j join employees me on me.department_id = j.department_id
    where j.id = applications.job_id and me.user_id = auth.uid() and me.active and me.role = 'hiring_manager'
  ));

create policy "interviewers see what is assigned to them" on applications
  for select to authenticated
  using (id in (select application_id from assignments where interviewer_id = auth.uid()));

-- stage history: for those who decide, not for the one who applied

create policy "those who decide see how it went" on application_stage_history
  for select to authenticated
  using (
    exists (select 1 from employees me where me.user_id = auth.uid() and me.active)
    and exists (select 1 from applications a where a.id = application_id and a.user_id <> auth.uid())
  );

create policy "recruiters note changes" on application_stage_history
  for insert to authenticated
  with check (
    changed_by = auth.uid()
    and exists (select 1 from employees me where me.user_id = auth.uid() and me.active and me.role in ('recruiter', 'admin'))
  );

-- interviews

create policy "interviewers see their interviews" on interviews
  for select to authenticated using (interviewer_id = auth.uid());

create policy "applicants see their interviews" on interviews
  for select to authenticated
  using (exists (select 1 from applications a where a.id = application_id and a.user_id = auth.uid()));

create policy "hiring managers see their department's interviews" on interviews
  for select to authenticated
  using (exists (
    select 1
    from applications a
      join job_posts j on j.id = a.job_id
      join employees me on me.department_id = j.department_id
    where a.id = interviews.application_id and me.user_id = auth.uid() and me.active and me.role = 'hiring_manager'
  ));

create policy "recruiters schedule interviews" on interviews
  for all to authenticated
  using (exists (select 1 from employees me where me.user_id = auth.uid() and me.active and me.role in ('recruiter', 'admin')));

-- scorecards

create policy "authors see what they submitted" on scorecard_submissions
  for select to authenticated using (author_id = auth.uid());

create policy "colleagues see who has submitted" on scorecard_submissions
  for select to authenticated
  using (exists (select 1 from assignments mine where mine.application_id = scorecard_submissions.application_id and mine.interviewer_id = auth.uid()));

create policy "recruiters and managers see who has submitted" on scorecard_submissions
  for select to authenticated
  using (
    exists (select 1 from employees me where me.user_id = auth.uid() and me.active and me.role <> 'interviewer')
    and exists (select 1 from applications a where a.id = application_id and a.user_id <> auth.uid())
  );

create policy "authors submit" on scorecard_submissions
  for insert to authenticated with check (author_id = auth.uid());

create policy "authors see their scorecards" on scorecards
  for select to authenticated using (author_id = auth.uid());

create policy "authors write scorecards" on scorecards
  for insert to authenticated
  with check (
    author_id = auth.uid()
    and exists (select 1 from assignments mine where mine.application_id = scorecards.application_id and mine.interviewer_id = auth.uid())
  );

create policy "authors edit drafts" on scorecards
  for update to authenticated
  using (
    author_id = auth.uid()
    and not exists (
      select 1 from scorecard_submissions s where s.application_id = scorecards.application_id and s.author_id = auth.uid()
    )
  )
  with check (author_id = auth.uid());

create policy "authors throw drafts away" on scorecards
  for delete to authenticated
  using (
    author_id = auth.uid()
    and not exists (
      select 1 from scorecard_submissions s where s.application_id = scorecards.application_id and s.author_id = auth.uid()
    )
  );

create policy "interviewers see others' when they have submitted their own" on scorecards
  for select to authenticated
  using (
    exists (select 1 from scorecard_submissions mine where mine.application_id = scorecards.application_id and mine.author_id = auth.uid())
    and exists (
      select 1 from scorecard_submissions theirs
      where theirs.application_id = scorecards.application_id and theirs.author_id = scorecards.author_id
    )
  );

create policy "recruiters and managers see what is submitted" on scorecards
  for select to authenticated
  using (
    exists (select 1 from employees me where me.user_id = auth.uid() and me.active and me.role <> 'interviewer')
    and exists (select 1 from applications a where a.id = application_id and a.user_id <> auth.uid())
    and exists (
      select 1 from scorecard_submissions s
      where s.application_id = scorecards.application_id and s.author_id = scorecards.author_id
    )
  );

-- comments

create policy "applicants see shared comments" on comments
  for select to authenticated
  using (visibility = 'shared' and exists (select 1 from applications a where a.id = application_id and a.user_id = auth.uid()));

create policy "those who decide see all comments" on comments
  for select to authenticated
  using (
    exists (select 1 from employees me where me.user_id = auth.uid() and me.active)
    and exists (select 1 from applications a where a.id = application_id and a.user_id <> auth.uid())
  );

create policy "applicants answer" on comments
  for insert to authenticated
  with check (
    author_id = auth.uid()
    and visibility = 'shared'
    and exists (select 1 from applications a where a.id = application_id and a.user_id = auth.uid())
  );

create policy "those who decide comment" on comments
  for insert to authenticated
  with check (
    author_id = auth.uid()
    and exists (select 1 from employees me where me.user_id = auth.uid() and me.active)
    and exists (select 1 from applications a where a.id = application_id and a.user_id <> auth.uid())
  );

create policy "authors edit their comments" on comments
  for update to authenticated using (author_id = auth.uid()) with check (author_id = auth.uid());

create policy "authors delete their comments" on comments
  for delete to authenticated using (author_id = auth.uid());
