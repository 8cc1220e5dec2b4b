// What each person sees of the hiring example, and what they must not see. The judge wrote visibility.json: it is
// what PostgreSQL's own row-level security shows of the same rows.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { applications, interviews, jobs, label, labels, people } from '../people.js';
import { clientOf } from '../server.js';
import { stage } from '../stage.js';

const visibility = JSON.parse(readFileSync(new URL('visibility.json', import.meta.url), 'utf8'));
const views = new Set(['published_jobs', 'my_applications']);

let hiring;
before(async () => {
  hiring = await stage();
  const guest = clientOf(hiring.server);
  const { error } = await guest.auth.signInAnonymously();
  assert.equal(error, null);
  hiring.callers = { ...hiring.as, anon: hiring.anon, service: hiring.service, guest };
});
after(() => hiring?.stop());

const ok = ({ data, error, status }, expected = 200) => {
  assert.equal(error, null, JSON.stringify(error));
  assert.equal(status, expected);
  return data;
};
const refused = ({ data, error, status }, code, expected) => {
  assert.equal(data, null);
  assert.equal(error?.code, code, JSON.stringify(error));
  assert.equal(status, expected);
  return error;
};

describe('every table, as everybody', () => {
  for (const [name, tables] of Object.entries(visibility)) {
    for (const [table, expected] of Object.entries(tables)) {
      test(`${name} sees of ${table}: ${Array.isArray(expected) ? expected.length : expected}`, async () => {
        const caller = hiring.callers[name];
        const rows = await caller.from(table).select(labels[table].join(','));
        if (!Array.isArray(expected)) {
          const error = refused(rows, expected, name === 'anon' ? 401 : 403);
          assert.equal(error.message, `permission denied for ${views.has(table) ? 'view' : 'table'} ${table}`);
          return;
        }
        assert.deepEqual(ok(rows).map((row) => label(table, row)).sort(), expected);
        const counted = await caller.from(table).select('*', { count: 'exact', head: true });
        ok(counted);
        assert.equal(counted.count, expected.length);
      });
    }
  }
});

describe('a filter on a hidden row finds nothing', () => {
  const hidden = [
    ['anon', 'job_posts', 'id', jobs.platform],
    ['ada', 'job_posts', 'id', jobs.platform],
    ['ada', 'job_posts', 'status', 'draft'],
    ['hana', 'job_posts', 'id', jobs.platform],
    ['hugo', 'job_posts', 'id', jobs.headOfData],
    ['anon', 'job_skills', 'job_id', jobs.platform],
    ['cleo', 'job_benefits', 'job_id', jobs.headOfData],
    ['ben', 'applications', 'id', applications.adaBackend],
    ['ben', 'candidates', 'email', 'ada@hiring.example'],
    ['otto', 'applications', 'id', applications.adaBackend],
    ['otto', 'candidates', 'id', people.ada.candidate.id],
    ['iris', 'applications', 'id', applications.adaAnalyst],
    ['iris', 'interviews', 'id', interviews.adaIvan],
    ['iris', 'scorecards', 'author_id', people.ivan.id],
    ['rita', 'scorecards', 'author_id', people.iris.id],
    ['hana', 'applications', 'job_id', jobs.backend],
    ['ada', 'comments', 'visibility', 'internal'],
    ['iris', 'comments', 'application_id', applications.irisFrontend],
    ['dora', 'applications', 'id', applications.adaBackend],
    ['rita', 'employees', 'role', 'admin'],
  ];
  for (const [name, table, column, value] of hidden) {
    test(`${name}: ${table}.${column} = ${value}`, async () => {
      const caller = hiring.callers[name];
      assert.deepEqual(ok(await caller.from(table).select().eq(column, value)), []);
      assert.deepEqual(ok(await caller.from(table).select().in(column, [value])), []);
      const counted = await caller.from(table).select('*', { count: 'exact', head: true }).eq(column, value);
      assert.equal(counted.count, 0);
      assert.equal(ok(await caller.from(table).select().eq(column, value).maybeSingle()), null);
      const error = refused(await caller.from(table).select().eq(column, value).single(), 'PGRST116', 406);
      assert.equal(error.details, 'The result contains 0 rows');
    });
  }

  test('a hidden row answers as an absent one does', async () => {
    const absent = 'b0000000-0000-4000-8000-0000000000ff';
    const ask = async (id) => {
      const { data, error, status, statusText } = await hiring.as.ben.from('applications').select('*, comments(*)').eq('id', id);
      return { data, error, status, statusText };
    };
    assert.deepEqual(await ask(applications.adaBackend), await ask(absent));
  });

  test('an "or" does not open what the policy closes', async () => {
    const rows = ok(await hiring.as.ada.from('job_posts').select('title').or('status.eq.draft,title.eq.Backend Engineer,id.not.is.null').order('title'));
    assert.deepEqual(rows.map((row) => row.title), ['Backend Engineer', 'Data Analyst', 'Frontend Engineer', 'Sales Intern']);
  });

  test('"not" does not open it either', async () => {
    const rows = ok(await hiring.as.ben.from('applications').select('id').not('user_id', 'eq', people.ben.id));
    assert.deepEqual(rows, []);
  });
});

describe('embeds hold the policies of what is embedded', () => {
  test('the careers page: jobs with all of their requirements, as nobody in particular', async () => {
    const job = ok(await hiring.anon
      .from('job_posts')
      .select('title, department:departments(name), job_education(level, field, required), job_skills(skill, level, must_have, choice), job_responsibilities(body), job_benefits(name, details)')
      .eq('title', 'Backend Engineer')
      .order('position', { referencedTable: 'job_education' })
      .order('position', { referencedTable: 'job_skills' })
      .order('position', { referencedTable: 'job_responsibilities' })
      .order('position', { referencedTable: 'job_benefits' })
      .single());
    assert.deepEqual(job.department, { name: 'Engineering' });
    assert.deepEqual(job.job_education[0], { level: 'bachelor', field: 'Computer Science or a related field', required: true });
    assert.deepEqual(job.job_skills.map((s) => s.skill), ['Java', 'Python', 'Go', 'MySQL', 'MongoDB', 'Redis', 'AWS', 'Azure', 'GCP', 'System design', 'Leadership', 'Mentoring']);
    assert.deepEqual(job.job_skills.filter((s) => s.choice === 1), [
      { skill: 'Java', level: 'advanced', must_have: true, choice: 1 },
      { skill: 'Python', level: 'advanced', must_have: true, choice: 1 },
      { skill: 'Go', level: 'advanced', must_have: true, choice: 1 },
    ]);
    assert.equal(job.job_responsibilities.length, 5);
    assert.deepEqual(job.job_benefits[1], { name: 'Learning budget', details: { per: 'year', amount: 2000, currency: 'EUR' } });
  });

  test('anon embeds drafts from a department: none come', async () => {
    const rows = ok(await hiring.anon.from('departments').select('slug, job_posts(title)').order('slug').order('title', { referencedTable: 'job_posts' }));
    assert.deepEqual(rows, [
      { slug: 'data', job_posts: [{ title: 'Data Analyst' }] },
      { slug: 'engineering', job_posts: [{ title: 'Backend Engineer' }, { title: 'Frontend Engineer' }] },
      { slug: 'people', job_posts: [] },
      { slug: 'sales', job_posts: [{ title: 'Sales Intern' }] },
    ]);
    const drafts = ok(await hiring.anon.from('departments').select('slug, job_posts!inner(title)').eq('job_posts.status', 'draft'));
    assert.deepEqual(drafts, []);
  });

  test('anon embeds a table without a grant: refused, not empty', async () => {
    const error = refused(await hiring.anon.from('job_posts').select('title, applications(id)'), '42501', 401);
    assert.equal(error.message, 'permission denied for table applications');
  });

  test('a candidate sees the own application with its interviews, shared comments and nothing else', async () => {
    const application = ok(await hiring.as.ada
      .from('applications')
      .select('stage, job:job_posts(title, department:departments(name)), interviews(kind, scheduled_at, staff(full_name)), comments(body), assignments(interviewer_id), application_stage_history(to_stage)')
      .eq('id', applications.adaBackend)
      .order('scheduled_at', { referencedTable: 'interviews' })
      .order('created_at', { referencedTable: 'comments' })
      .single());
    assert.deepEqual(application, {
      stage: 'interview',
      job: { title: 'Backend Engineer', department: { name: 'Engineering' } },
      interviews: [
        { kind: 'technical', scheduled_at: '2026-03-02T09:00:00+00:00', staff: { full_name: 'Iris Interviewer' } },
        { kind: 'system_design', scheduled_at: '2026-03-03T13:30:00+00:00', staff: { full_name: 'Ivan Interviewer' } },
      ],
      comments: [{ body: 'shared: does Monday suit you?' }, { body: 'shared: it does' }],
      assignments: [],
      application_stage_history: [],
    });
  });

  test('scorecards: a one-to-one embed that is null while the other is blind', async () => {
    const read = async (caller) => ok(await caller
      .from('assignments')
      .select('interviewer_id, scorecards(notes, scorecard_submissions(submitted_at))')
      .eq('application_id', applications.adaBackend)
      .order('interviewer_id'));
    const submitted = { notes: 'Ivan submitted', scorecard_submissions: { submitted_at: '2026-03-03T16:00:00+00:00' } };
    const draft = { notes: 'Iris draft', scorecard_submissions: null };
    const { iris, ivan } = people;
    assert.deepEqual(await read(hiring.as.rita), [{ interviewer_id: iris.id, scorecards: null }, { interviewer_id: ivan.id, scorecards: submitted }]);
    assert.deepEqual(await read(hiring.as.iris), [{ interviewer_id: iris.id, scorecards: draft }]);
    assert.deepEqual(await read(hiring.as.ivan), [{ interviewer_id: ivan.id, scorecards: submitted }]);
    assert.deepEqual(await read(hiring.as.ada), []);
    assert.deepEqual(await read(hiring.service), [{ interviewer_id: iris.id, scorecards: draft }, { interviewer_id: ivan.id, scorecards: submitted }]);
  });

  test('!inner joins only with rows that the caller sees', async () => {
    const titles = async (caller) => ok(await caller.from('job_posts').select('title, applications!inner(id)').order('title')).map((row) => row.title);
    assert.deepEqual(await titles(hiring.as.ada), ['Backend Engineer', 'Data Analyst']);
    assert.deepEqual(await titles(hiring.as.ben), ['Backend Engineer']);
    assert.deepEqual(await titles(hiring.as.iris), ['Backend Engineer', 'Frontend Engineer']);
    assert.deepEqual(await titles(hiring.as.hana), ['Data Analyst']);
    assert.deepEqual(await titles(hiring.as.rita), ['Backend Engineer', 'Data Analyst', 'Frontend Engineer']);
    assert.deepEqual(await titles(hiring.as.cleo), []);
  });

  test('"jobs that I have not applied for" is an anti join over one\'s own applications', async () => {
    const titles = async (caller) => ok(await caller.from('job_posts').select('title, applications()').is('applications', null).order('title')).map((row) => row.title);
    assert.deepEqual(await titles(hiring.as.ada), ['Frontend Engineer', 'Sales Intern']);
    assert.deepEqual(await titles(hiring.as.ben), ['Data Analyst', 'Frontend Engineer', 'Sales Intern']);
    assert.deepEqual(await titles(hiring.as.hugo), ['Data Analyst', 'Platform Engineer', 'Recruiter', 'Sales Intern']);
  });

  test('a filter on a hidden embedded row does not tell that it is there', async () => {
    const rows = ok(await hiring.as.iris.from('applications').select('id, scorecards:assignments!inner(scorecards!inner(rating))').eq('scorecards.scorecards.rating', 5));
    assert.deepEqual(rows, []);
  });

  test('many-to-many through a junction under policies: assigned staff of an application', async () => {
    const names = async (caller) => ok(await caller.from('applications').select('staff(full_name)').eq('id', applications.adaBackend).order('full_name', { referencedTable: 'staff' }));
    assert.deepEqual(await names(hiring.as.rita), [{ staff: [{ full_name: 'Iris Interviewer' }, { full_name: 'Ivan Interviewer' }] }]);
    assert.deepEqual(await names(hiring.as.iris), [{ staff: [{ full_name: 'Iris Interviewer' }] }]);
    assert.deepEqual(await names(hiring.as.hugo), [{ staff: [] }]);
    assert.deepEqual(await names(hiring.as.ben), []);
  });

  test('an employee who applied sees the own application from the applicant\'s side', async () => {
    const application = ok(await hiring.as.iris.from('applications').select('stage, comments(body), application_stage_history(note)').eq('id', applications.irisFrontend).single());
    assert.deepEqual(application, { stage: 'applied', comments: [], application_stage_history: [] });
  });
});

describe('views run as the caller', () => {
  test('published_jobs embeds as its table does', async () => {
    const rows = ok(await hiring.anon.from('published_jobs').select('title, departments(slug), job_skills(skill)').eq('job_skills.must_have', true).order('position', { referencedTable: 'job_skills' }).eq('title', 'Frontend Engineer'));
    assert.deepEqual(rows, [{ title: 'Frontend Engineer', departments: { slug: 'engineering' }, job_skills: [{ skill: 'TypeScript' }, { skill: 'React' }] }]);
  });

  test('my_applications is mine, also for who sees more', async () => {
    assert.deepEqual(ok(await hiring.as.rita.from('my_applications').select()), []);
    const mine = ok(await hiring.as.ben.from('my_applications').select('stage, cover_letter, job_posts(title)'));
    assert.deepEqual(mine, [{ stage: 'screening', cover_letter: 'Hello, "World", (and) more.', job_posts: { title: 'Backend Engineer' } }]);
  });

  test('a column that the view leaves out is not there', async () => {
    refused(await hiring.anon.from('published_jobs').select('created_by'), '42703', 400);
  });
});

describe('tables that are not the project\'s', () => {
  test('auth is not served', async () => {
    const error = refused(await hiring.service.schema('auth').from('users').select(), 'PGRST106', 406);
    assert.equal(error.message, 'Invalid schema: auth');
  });

  test('an unknown table is not found, for the service role too', async () => {
    const error = refused(await hiring.service.from('users').select(), 'PGRST205', 404);
    assert.equal(error.message, "Could not find the table 'public.users' in the schema cache");
  });
});
