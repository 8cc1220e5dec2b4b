// The people of the hiring example and what they have done: plain data, so that the suites (over HTTP) and the
// judge (in SQL) start from the same rows.

const user = (n) => `a0000000-0000-4000-8000-00000000000${n}`;
const row = (kind, n) => `${kind}0000000-0000-4000-8000-00000000000${n}`;

export const PASSWORD = 'correct horse battery staple';

/** name → user. `employee` and `staff` are rows of those tables; `candidate` is a row of candidates. */
export const people = {
  ada: { id: user(1), candidate: { id: row('c', 1), full_name: 'Ada Candidate', skills: ['Java', 'Go', 'MySQL'], years_of_experience: 7.5, phone: '+49 30 1234567', cv: { jobs: [{ company: 'Analytical Engines', title: 'Lead', from: 2019 }], links: ['https://ada.example'] } } },
  ben: { id: user(2), candidate: { id: row('c', 2), full_name: 'Ben Candidate', skills: ['Python', 'MongoDB'], years_of_experience: 6, phone: null, cv: {} } },
  cleo: { id: user(3) },
  iris: { id: user(4), employee: { role: 'interviewer', department_id: 1 }, staff: { full_name: 'Iris Interviewer', job_title: 'Staff Engineer' }, candidate: { id: row('c', 4), full_name: 'Iris Interviewer', skills: ['React'], years_of_experience: null, phone: null, cv: {} } },
  ivan: { id: user(5), employee: { role: 'interviewer', department_id: 1 }, staff: { full_name: 'Ivan Interviewer', job_title: 'Principal Engineer' } },
  otto: { id: user(6), employee: { role: 'interviewer', department_id: null }, staff: { full_name: 'Otto Interviewer', job_title: null } },
  hugo: { id: user(7), employee: { role: 'hiring_manager', department_id: 1 }, staff: { full_name: 'Hugo Manager', job_title: 'Head of Engineering' } },
  hana: { id: user(8), employee: { role: 'hiring_manager', department_id: 2 }, staff: { full_name: 'Hana Manager', job_title: 'Head of Insights' } },
  rita: { id: user(9), employee: { role: 'recruiter', department_id: 3 }, staff: { full_name: 'Rita Recruiter', job_title: 'Talent Partner' } },
  dora: { id: row('a', 'a'), employee: { role: 'recruiter', department_id: 3, active: false }, staff: { full_name: 'Dora Departed', job_title: 'Talent Partner' } },
  amir: { id: row('a', 'b'), employee: { role: 'admin', department_id: 3 }, staff: { full_name: 'Amir Admin', job_title: 'Head of People' }, app_metadata: { hiring_role: 'admin' } },
};

export const emailOf = (name) => `${name}@hiring.example`;

/** The jobs of seed.sql. */
export const jobs = {
  backend: '10000000-0000-4000-8000-000000000001',
  frontend: '10000000-0000-4000-8000-000000000002',
  analyst: '10000000-0000-4000-8000-000000000003',
  platform: '10000000-0000-4000-8000-000000000004',
  headOfData: '10000000-0000-4000-8000-000000000005',
  recruiter: '10000000-0000-4000-8000-000000000006',
  intern: '10000000-0000-4000-8000-000000000007',
};

export const applications = {
  adaBackend: row('b', 1),
  adaAnalyst: row('b', 2),
  benBackend: row('b', 3),
  irisFrontend: row('b', 4),
};

export const interviews = { adaIris: row('d', 1), adaIvan: row('d', 2), benOtto: row('d', 3) };

const { ada, ben, iris, ivan, otto, rita } = Object.fromEntries(Object.entries(people).map(([name, p]) => [name, p.id]));
const { adaBackend, adaAnalyst, benBackend, irisFrontend } = applications;

/** [table, rows], in an order that foreign keys allow. Every row of a table has the same keys. */
export const rows = [
  ['employees', Object.values(people).filter((p) => p.employee).map((p) => ({ active: true, ...p.employee, user_id: p.id }))],
  ['staff', Object.values(people).filter((p) => p.staff).map((p) => ({ user_id: p.id, ...p.staff }))],
  ['candidates', Object.entries(people).filter(([, p]) => p.candidate).map(([name, p]) => ({ ...p.candidate, user_id: p.id, email: emailOf(name) }))],
  ['applications', [
    { id: adaBackend, candidate_id: people.ada.candidate.id, user_id: ada, job_id: jobs.backend, stage: 'interview', cover_letter: 'I led the team that built the mill.', expected_salary: 92000.5, answers: [{ id: 'notice', answer: 'one month' }], created_at: '2026-02-01T10:00:00+00:00' },
    { id: adaAnalyst, candidate_id: people.ada.candidate.id, user_id: ada, job_id: jobs.analyst, stage: 'applied', cover_letter: null, expected_salary: null, answers: [], created_at: '2026-02-21T10:00:00+00:00' },
    { id: benBackend, candidate_id: people.ben.candidate.id, user_id: ben, job_id: jobs.backend, stage: 'screening', cover_letter: 'Hello, "World", (and) more.', expected_salary: 80000, answers: [], created_at: '2026-02-02T09:30:00+00:00' },
    { id: irisFrontend, candidate_id: people.iris.candidate.id, user_id: iris, job_id: jobs.frontend, stage: 'applied', cover_letter: 'I would like to change teams.', expected_salary: null, answers: [], created_at: '2026-02-03T08:00:00.25+00:00' },
  ]],
  ['application_stage_history', [
    { application_id: adaBackend, from_stage: null, to_stage: 'applied', changed_by: null, changed_at: '2026-02-01T10:00:00+00:00', note: null },
    { application_id: adaBackend, from_stage: 'applied', to_stage: 'screening', changed_by: rita, changed_at: '2026-02-03T10:00:00+00:00', note: 'strong CV' },
    { application_id: adaBackend, from_stage: 'screening', to_stage: 'interview', changed_by: rita, changed_at: '2026-02-10T10:00:00+00:00', note: null },
    { application_id: benBackend, from_stage: 'applied', to_stage: 'screening', changed_by: rita, changed_at: '2026-02-04T10:00:00+00:00', note: null },
    { application_id: irisFrontend, from_stage: null, to_stage: 'applied', changed_by: iris, changed_at: '2026-02-03T08:00:00+00:00', note: 'internal' },
  ]],
  ['assignments', [
    { application_id: adaBackend, interviewer_id: iris, is_lead: true },
    { application_id: adaBackend, interviewer_id: ivan, is_lead: false },
    { application_id: benBackend, interviewer_id: otto, is_lead: true },
  ]],
  ['interviews', [
    { id: interviews.adaIris, application_id: adaBackend, interviewer_id: iris, kind: 'technical', scheduled_at: '2026-03-02T10:00:00+01:00', duration_minutes: 60, meeting_url: 'https://meet.example/1' },
    { id: interviews.adaIvan, application_id: adaBackend, interviewer_id: ivan, kind: 'system_design', scheduled_at: '2026-03-03T14:30:00+01:00', duration_minutes: 90, meeting_url: null },
    { id: interviews.benOtto, application_id: benBackend, interviewer_id: otto, kind: 'phone', scheduled_at: '2026-03-02T09:00:00+00:00', duration_minutes: 30, meeting_url: null },
  ]],
  ['scorecards', [
    { application_id: adaBackend, author_id: iris, interview_id: interviews.adaIris, rating: 4, recommendation: 'yes', notes: 'Iris draft', ratings_by_skill: { Java: 4 } },
    { application_id: adaBackend, author_id: ivan, interview_id: interviews.adaIvan, rating: 5, recommendation: 'strong_yes', notes: 'Ivan submitted', ratings_by_skill: { 'System design': 5 } },
    { application_id: benBackend, author_id: otto, interview_id: interviews.benOtto, rating: 2, recommendation: 'no', notes: 'Otto draft', ratings_by_skill: {} },
  ]],
  ['scorecard_submissions', [{ application_id: adaBackend, author_id: ivan, submitted_at: '2026-03-03T16:00:00+00:00' }]],
  ['comments', [
    { application_id: adaBackend, author_id: rita, body: 'internal: salary is at the top', visibility: 'internal', created_at: '2026-02-05T10:00:00+00:00' },
    { application_id: adaBackend, author_id: rita, body: 'shared: does Monday suit you?', visibility: 'shared', created_at: '2026-02-05T11:00:00+00:00' },
    { application_id: adaBackend, author_id: ada, body: 'shared: it does', visibility: 'shared', created_at: '2026-02-05T12:00:00+00:00' },
    { application_id: benBackend, author_id: otto, body: 'internal: quiet', visibility: 'internal', created_at: '2026-02-06T10:00:00+00:00' },
    { application_id: irisFrontend, author_id: rita, body: 'internal: ask her manager first', visibility: 'internal', created_at: '2026-02-06T11:00:00+00:00' },
  ]],
];

/** The columns that name a row in visibility.json. */
export const labels = {
  departments: ['slug'],
  employees: ['user_id'],
  staff: ['full_name'],
  skills: ['name'],
  job_posts: ['title'],
  published_jobs: ['title'],
  job_education: ['job_id', 'position'],
  job_skills: ['job_id', 'skill'],
  job_responsibilities: ['job_id', 'position'],
  job_benefits: ['job_id', 'position'],
  candidates: ['full_name'],
  applications: ['id'],
  my_applications: ['id'],
  application_stage_history: ['application_id', 'to_stage'],
  assignments: ['application_id', 'interviewer_id'],
  interviews: ['id'],
  scorecards: ['application_id', 'author_id'],
  scorecard_submissions: ['application_id', 'author_id'],
  comments: ['body'],
};

const names = new Map([
  ...Object.entries(people).map(([name, p]) => [p.id, name]),
  ...Object.entries(jobs).map(([name, id]) => [id, name]),
  ...Object.entries(applications).map(([name, id]) => [id, name]),
  ...Object.entries(interviews).map(([name, id]) => [id, name]),
]);

/** A row as one short string, with known uuids replaced by their names. */
export const label = (table, record) => labels[table].map((column) => names.get(record[column]) ?? String(record[column])).join(' / ');
