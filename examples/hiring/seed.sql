-- What the company starts with. People are not here: they sign up, or an administrator creates them.

insert into departments (slug, name, description) values
  ('engineering', 'Engineering', 'Builds and runs the product.'),
  ('data', 'Data & Insights', 'Turns what happens into what we know.'),
  ('people', 'People', 'Finds, keeps and grows the people.'),
  ('sales', 'Sales', null);

insert into skills (name, category) values
  ('Java', 'language'), ('Python', 'language'), ('Go', 'language'), ('SQL', 'language'), ('TypeScript', 'language'),
  ('MySQL', 'database'), ('MongoDB', 'database'), ('Redis', 'database'), ('PostgreSQL', 'database'),
  ('AWS', 'cloud'), ('Azure', 'cloud'), ('GCP', 'cloud'), ('Kubernetes', 'cloud'),
  ('React', 'frontend'), ('CSS', 'frontend'),
  ('System design', 'general'), ('Leadership', 'general'), ('Mentoring', 'general'), ('Interviewing', 'general'),
  ('Statistics', 'data'), ('dbt', 'data');

insert into job_posts
  (id, department_id, title, summary, status, location, remote, seniority, experience_min_years, experience_max_years,
   salary_min, salary_max, screening_questions, published_at, closes_on)
values
  ('10000000-0000-4000-8000-000000000001', 1, 'Backend Engineer',
   'Own services from design to operation, and lead a small team while doing so.',
   'published', 'Berlin', true, 'senior', 6, 9, 75000, 95000,
   '[{"id": "notice", "question": "What is your notice period?", "required": true}, {"id": "visa", "question": "Do you need a visa?"}]',
   '2026-01-12 09:00:00+00', null),
  ('10000000-0000-4000-8000-000000000002', 1, 'Frontend Engineer',
   'Build the screens that recruiters look at all day.',
   'published', 'Lisbon', false, 'mid', 3, 5, 48000.50, 62000, '[]', '2026-02-02 08:30:00+00', null),
  ('10000000-0000-4000-8000-000000000003', 2, 'Data Analyst',
   'Answer questions with numbers, and question the numbers.',
   'published', 'Remote', true, 'junior', 0, 2, null, null, '[]', '2026-02-20 12:00:00+00', null),
  ('10000000-0000-4000-8000-000000000004', 1, 'Platform Engineer',
   'Not announced yet.',
   'draft', 'Berlin', true, 'lead', 8, null, 90000, 120000, '[]', null, null),
  ('10000000-0000-4000-8000-000000000005', 2, 'Head of Data',
   'Not announced yet.',
   'draft', 'London', false, 'principal', 10, null, 130000, 160000, '[]', null, null),
  ('10000000-0000-4000-8000-000000000006', 3, 'Recruiter',
   'Found.',
   'closed', 'Berlin', false, 'mid', 2, 6, 42000, 55000, '[]', '2025-06-01 00:00:00+00', '2025-08-31');

insert into job_posts
  (id, department_id, title, summary, status, location, employment_type, seniority, experience_max_years, published_at, closes_on)
values
  ('10000000-0000-4000-8000-000000000007', 4, 'Sales Intern',
   'Last year''s internship: still listed, no longer open.',
   'published', 'Paris', 'internship', 'junior', 1, '2025-03-01 10:00:00.123456+00', '2025-04-30');

insert into job_education (job_id, position, level, field, required) values
  ('10000000-0000-4000-8000-000000000001', 1, 'bachelor', 'Computer Science or a related field', true),
  ('10000000-0000-4000-8000-000000000001', 2, 'master', 'Computer Science', false),
  ('10000000-0000-4000-8000-000000000002', 1, 'vocational', null, false),
  ('10000000-0000-4000-8000-000000000003', 1, 'bachelor', 'Mathematics, Statistics or Economics', true),
  ('10000000-0000-4000-8000-000000000004', 1, 'bachelor', 'Computer Science', false);

insert into job_skills (job_id, skill, position, level, must_have, min_years, choice) values
  ('10000000-0000-4000-8000-000000000001', 'Java', 1, 'advanced', true, 5, 1),
  ('10000000-0000-4000-8000-000000000001', 'Python', 2, 'advanced', true, 5, 1),
  ('10000000-0000-4000-8000-000000000001', 'Go', 3, 'advanced', true, 4.5, 1),
  ('10000000-0000-4000-8000-000000000001', 'MySQL', 4, 'advanced', true, 3, null),
  ('10000000-0000-4000-8000-000000000001', 'MongoDB', 5, 'working', true, 2, null),
  ('10000000-0000-4000-8000-000000000001', 'Redis', 6, 'working', false, null, null),
  ('10000000-0000-4000-8000-000000000001', 'AWS', 7, 'advanced', true, 3, 2),
  ('10000000-0000-4000-8000-000000000001', 'Azure', 8, 'advanced', true, 3, 2),
  ('10000000-0000-4000-8000-000000000001', 'GCP', 9, 'advanced', true, 3, 2),
  ('10000000-0000-4000-8000-000000000001', 'System design', 10, 'expert', true, null, null),
  ('10000000-0000-4000-8000-000000000001', 'Leadership', 11, 'working', true, 2, null),
  ('10000000-0000-4000-8000-000000000001', 'Mentoring', 12, 'working', false, null, null),
  ('10000000-0000-4000-8000-000000000002', 'TypeScript', 1, 'advanced', true, 3, null),
  ('10000000-0000-4000-8000-000000000002', 'React', 2, 'advanced', true, 2, null),
  ('10000000-0000-4000-8000-000000000002', 'CSS', 3, 'working', false, null, null),
  ('10000000-0000-4000-8000-000000000003', 'SQL', 1, 'advanced', true, null, null),
  ('10000000-0000-4000-8000-000000000003', 'Python', 2, 'basic', false, null, null),
  ('10000000-0000-4000-8000-000000000003', 'Statistics', 3, 'working', true, null, null),
  ('10000000-0000-4000-8000-000000000004', 'Kubernetes', 1, 'expert', true, 4, null),
  ('10000000-0000-4000-8000-000000000004', 'Go', 2, 'advanced', true, 4, null),
  ('10000000-0000-4000-8000-000000000006', 'Interviewing', 1, 'advanced', true, 2, null);

insert into job_responsibilities (job_id, position, body) values
  ('10000000-0000-4000-8000-000000000001', 1, 'Design, build and run backend services in Java, Python or Go.'),
  ('10000000-0000-4000-8000-000000000001', 2, 'Model data for relational and non-relational databases, and keep them fast.'),
  ('10000000-0000-4000-8000-000000000001', 3, 'Operate what you build on AWS, Azure or GCP.'),
  ('10000000-0000-4000-8000-000000000001', 4, 'Lead a team of three to five engineers and review their designs.'),
  ('10000000-0000-4000-8000-000000000001', 5, 'Mentor juniors, and interview the next colleagues.'),
  ('10000000-0000-4000-8000-000000000002', 1, 'Build accessible screens with the design team.'),
  ('10000000-0000-4000-8000-000000000002', 2, 'Keep the bundle small.'),
  ('10000000-0000-4000-8000-000000000003', 1, 'Answer questions from product and sales with SQL.'),
  ('10000000-0000-4000-8000-000000000004', 1, 'Run the clusters.'),
  ('10000000-0000-4000-8000-000000000005', 1, 'Build the data team.');

insert into job_benefits (job_id, position, name, details) values
  ('10000000-0000-4000-8000-000000000001', 1, '30 days of vacation', '{"days": 30}'),
  ('10000000-0000-4000-8000-000000000001', 2, 'Learning budget', '{"amount": 2000, "currency": "EUR", "per": "year"}'),
  ('10000000-0000-4000-8000-000000000001', 3, 'Stock options', '{"vesting": {"years": 4, "cliff_months": 12}}'),
  ('10000000-0000-4000-8000-000000000002', 1, '25 days of vacation', '{"days": 25}'),
  ('10000000-0000-4000-8000-000000000003', 1, 'Work from anywhere', default),
  ('10000000-0000-4000-8000-000000000005', 1, 'Company car', default);
