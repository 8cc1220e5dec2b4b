// The Data API through postgrest-js: reading, shaping, writing and being refused. Everything here runs as the service
// role or as anon, so that policies play no part.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { applications, jobs, people } from '../people.js';
import { raw } from '../server.js';
import { stage } from '../stage.js';

let hiring, db;
before(async () => {
  hiring = await stage();
  db = hiring.service;
});
after(() => hiring?.stop());

const ok = ({ data, error, status }, expected = 200) => {
  assert.equal(error, null, JSON.stringify(error));
  assert.equal(status, expected);
  return data;
};
const refused = ({ data, error, status }, expected, code, rest = {}) => {
  assert.equal(data, null);
  const { name, ...fields } = error ?? {};
  assert.deepEqual({ status, code: fields.code, ...Object.fromEntries(Object.keys(rest).map((key) => [key, fields[key]])) }, { status: expected, code, ...rest });
};
const titles = (rows) => rows.map((row) => row.title);
const all = ['Backend Engineer', 'Data Analyst', 'Frontend Engineer', 'Head of Data', 'Platform Engineer', 'Recruiter', 'Sales Intern'];

describe('one row, or none', () => {
  test('single', async () => {
    assert.deepEqual(ok(await db.from('departments').select('slug').eq('id', 1).single()), { slug: 'engineering' });
    refused(await db.from('departments').select('slug').eq('id', 99).single(), 406, 'PGRST116', { message: 'Cannot coerce the result to a single JSON object', details: 'The result contains 0 rows', hint: null });
    refused(await db.from('departments').select('slug').single(), 406, 'PGRST116', { details: 'The result contains 4 rows' });
  });

  test('maybeSingle', async () => {
    assert.equal(ok(await db.from('departments').select('slug').eq('id', 99).maybeSingle()), null);
    assert.deepEqual(ok(await db.from('departments').select('slug').eq('id', 1).maybeSingle()), { slug: 'engineering' });
    refused(await db.from('departments').select('slug').maybeSingle(), 406, 'PGRST116');
  });

  test('a single write that touches more rows is undone', async () => {
    refused(await db.from('departments').update({ description: 'x' }).in('id', [1, 2]).select().single(), 406, 'PGRST116', { details: 'The result contains 2 rows' });
    assert.deepEqual(ok(await db.from('departments').select('description').eq('id', 2).single()), { description: 'Turns what happens into what we know.' });
  });
});

describe('values as JSON', () => {
  test('every type of a job post', async () => {
    const job = ok(await db.from('job_posts').select().eq('id', jobs.backend).single());
    const { created_at, updated_at, ...rest } = job;
    assert.match(created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?\+00:00$/);
    assert.equal(created_at, updated_at);
    assert.deepEqual(rest, {
      id: jobs.backend, reference: 1001, department_id: 1, title: 'Backend Engineer', slug: 'backend-engineer',
      summary: 'Own services from design to operation, and lead a small team while doing so.', status: 'published',
      location: 'Berlin', remote: true, employment_type: 'full_time', seniority: 'senior', experience_min_years: 6,
      experience_max_years: 9, salary_min: 75000, salary_max: 95000, salary_currency: 'EUR', salary_mid: 85000, openings: 1,
      screening_questions: [{ id: 'notice', question: 'What is your notice period?', required: true }, { id: 'visa', question: 'Do you need a visa?' }],
      published_at: '2026-01-12T09:00:00+00:00', closes_on: null, created_by: null,
    });
    assert.deepEqual(Object.keys(job).slice(0, 5), ['id', 'reference', 'department_id', 'title', 'slug']);
  });

  test('the text of numeric, timestamptz and jsonb is PostgreSQL\'s', async () => {
    const key = hiring.server.keys.SUPABASE_SERVICE_ROLE_KEY;
    const { text } = await raw(hiring.server, '/rest/v1/job_posts?select=salary_min,salary_mid,published_at,closes_on&reference=in.(1002,1007)&order=reference', { key });
    assert.equal(text.replaceAll('\n', ' ').replace(/,\s+/g, ','), '[{"salary_min":48000.50,"salary_mid":55000.25,"published_at":"2026-02-02T08:30:00+00:00","closes_on":null},{"salary_min":null,"salary_mid":null,"published_at":"2025-03-01T10:00:00.123456+00:00","closes_on":"2025-04-30"}]');
    const benefit = await raw(hiring.server, '/rest/v1/job_benefits?select=details&name=eq.Learning%20budget', { key });
    assert.equal(benefit.text, '[{"details":{"per": "year", "amount": 2000, "currency": "EUR"}}]');
  });

  test('arrays and objects', async () => {
    assert.deepEqual(ok(await db.from('candidates').select('skills, cv, years_of_experience').eq('id', people.ada.candidate.id).single()), {
      skills: ['Java', 'Go', 'MySQL'],
      cv: { jobs: [{ company: 'Analytical Engines', title: 'Lead', from: 2019 }], links: ['https://ada.example'] },
      years_of_experience: 7.5,
    });
  });
});

describe('columns', () => {
  test('alias, cast, path', async () => {
    const row = ok(await db.from('candidates').select('name:full_name, years_of_experience::text, company:cv->jobs->0->>company, first:cv->jobs->0, cv->links->>0').eq('id', people.ada.candidate.id).single());
    assert.deepEqual(row, { name: 'Ada Candidate', years_of_experience: '7.5', company: 'Analytical Engines', first: { company: 'Analytical Engines', title: 'Lead', from: 2019 }, links: 'https://ada.example' });
    assert.deepEqual(ok(await db.from('job_posts').select('reference::text, salary_min::integer').eq('id', jobs.frontend).single()), { reference: '1002', salary_min: 48001 });
  });

  test('an unknown column is PostgreSQL\'s error', async () => {
    refused(await db.from('job_posts').select('nope'), 400, '42703', { message: 'column job_posts.nope does not exist', details: null });
    refused(await db.from('job_posts').select().eq('nope', 1), 400, '42703', { message: 'column job_posts.nope does not exist' });
    refused(await db.from('job_posts').select().order('nope'), 400, '42703', { message: 'column job_posts.nope does not exist' });
  });

  test('select nothing', async () => {
    const { body } = await raw(hiring.server, '/rest/v1/departments?select=&id=eq.1');
    assert.deepEqual(body, [{}]);
  });
});

describe('filters', () => {
  const matching = async (filter) => titles(ok(await filter(db.from('job_posts').select('title')).order('title')));
  const cases = [
    ['eq', (q) => q.eq('status', 'draft'), ['Head of Data', 'Platform Engineer']],
    ['neq leaves nulls out', (q) => q.neq('experience_max_years', 9), ['Data Analyst', 'Frontend Engineer', 'Recruiter', 'Sales Intern']],
    ['gt on smallint', (q) => q.gt('experience_min_years', 6), ['Head of Data', 'Platform Engineer']],
    ['gte', (q) => q.gte('experience_min_years', 6), ['Backend Engineer', 'Head of Data', 'Platform Engineer']],
    ['lt on numeric compares numbers', (q) => q.lt('salary_min', 75000), ['Frontend Engineer', 'Recruiter']],
    ['lte on numeric with another scale', (q) => q.lte('salary_min', '75000.000'), ['Backend Engineer', 'Frontend Engineer', 'Recruiter']],
    ['eq on numeric with another scale', (q) => q.eq('salary_min', '48000.5'), ['Frontend Engineer']],
    ['gt on an enum goes by its order', (q) => q.gt('seniority', 'senior'), ['Head of Data', 'Platform Engineer']],
    ['timestamptz in another zone', (q) => q.eq('published_at', '2026-01-12T10:00:00+01:00'), ['Backend Engineer']],
    ['timestamptz range', (q) => q.gte('published_at', '2026-01-01').lt('published_at', '2026-02-15'), ['Backend Engineer', 'Frontend Engineer']],
    ['date', (q) => q.lte('closes_on', '2025-04-30'), ['Sales Intern']],
    ['is null', (q) => q.is('experience_max_years', null), ['Head of Data', 'Platform Engineer']],
    ['not is null', (q) => q.not('closes_on', 'is', null), ['Recruiter', 'Sales Intern']],
    ['is true', (q) => q.is('remote', true), ['Backend Engineer', 'Data Analyst', 'Platform Engineer']],
    ['in', (q) => q.in('location', ['Lisbon', 'Paris']), ['Frontend Engineer', 'Sales Intern']],
    ['in with commas and parentheses', (q) => q.in('location', ['a,b', '(Paris)', 'Paris']), ['Sales Intern']],
    ['in nothing', (q) => q.in('location', []), []],
    ['not in', (q) => q.not('location', 'in', '(Berlin,Lisbon)'), ['Data Analyst', 'Head of Data', 'Sales Intern']],
    ['like', (q) => q.like('title', '%Engineer'), ['Backend Engineer', 'Frontend Engineer', 'Platform Engineer']],
    ['like minds the case', (q) => q.like('title', '%engineer'), []],
    ['ilike', (q) => q.ilike('title', 'DATA%'), ['Data Analyst']],
    ['like with a star in raw form', (q) => q.filter('title', 'like', '*end*'), ['Backend Engineer', 'Frontend Engineer']],
    ['likeAnyOf', (q) => q.likeAnyOf('title', ['Data%', '%Data']), ['Data Analyst', 'Head of Data']],
    ['ilikeAllOf', (q) => q.ilikeAllOf('title', ['%e%', '%data%']), ['Head of Data']],
    ['regular expression', (q) => q.filter('title', 'match', '^(Back|Front)end'), ['Backend Engineer', 'Frontend Engineer']],
    ['or', (q) => q.or('location.eq.Paris,and(remote.is.true,salary_min.gt.80000)'), ['Platform Engineer', 'Sales Intern']],
    ['or with quotes', (q) => q.or('title.eq."Sales Intern",summary.eq."a,b"'), ['Sales Intern']],
    ['match', (q) => q.match({ location: 'Berlin', status: 'published' }), ['Backend Engineer']],
    ['isdistinct', (q) => q.filter('experience_max_years', 'isdistinct', '9'), ['Data Analyst', 'Frontend Engineer', 'Head of Data', 'Platform Engineer', 'Recruiter', 'Sales Intern']],
    ['eq any', (q) => q.filter('reference', 'eq(any)', '{1001,1003}'), ['Backend Engineer', 'Data Analyst']],
    ['generated column', (q) => q.eq('slug', 'head-of-data'), ['Head of Data']],
    ['character(3)', (q) => q.eq('salary_currency', 'EUR').eq('location', 'Paris'), ['Sales Intern']],
    ['jsonb path as text', (q) => q.eq('screening_questions->0->>id', 'notice'), ['Backend Engineer']],
    ['jsonb contains', (q) => q.contains('screening_questions', JSON.stringify([{ id: 'visa' }])), ['Backend Engineer']],
    ['the same column twice', (q) => q.gt('experience_min_years', 1).lt('experience_min_years', 4), ['Frontend Engineer', 'Recruiter']],
  ];
  for (const [name, filter, expected] of cases) test(name, async () => assert.deepEqual(await matching(filter), expected));

  test('arrays: contains, containedBy, overlaps', async () => {
    const names = async (filter) => ok(await filter(db.from('candidates').select('full_name')).order('full_name')).map((row) => row.full_name);
    assert.deepEqual(await names((q) => q.contains('skills', ['Java', 'Go'])), ['Ada Candidate']);
    assert.deepEqual(await names((q) => q.containedBy('skills', ['Java', 'Go', 'MySQL', 'Perl'])), ['Ada Candidate']);
    assert.deepEqual(await names((q) => q.overlaps('skills', ['React', 'Python'])), ['Ben Candidate', 'Iris Interviewer']);
    assert.deepEqual(await names((q) => q.contains('cv', { jobs: [{ title: 'Lead' }] })), ['Ada Candidate']);
  });

  test('a wildcard is one only in like; eq is literal', async () => {
    assert.deepEqual(await matching((q) => q.eq('title', '%Engineer')), []);
    assert.deepEqual(await matching((q) => q.eq('title', '*')), []);
  });

  const bad = [
    ['status', 'nope', '22P02', 'invalid input value for enum job_status: "nope"'],
    ['id', 'nope', '22P02', 'invalid input syntax for type uuid: "nope"'],
    ['openings', 'nope', '22P02', 'invalid input syntax for type integer: "nope"'],
    ['remote', 'nope', '22P02', 'invalid input syntax for type boolean: "nope"'],
    ['salary_min', 'nope', '22P02', 'invalid input syntax for type numeric: "nope"'],
    ['published_at', 'nope', '22007', 'invalid input syntax for type timestamp with time zone: "nope"'],
    ['closes_on', '2026-02-30', '22008', 'date/time field value out of range: "2026-02-30"'],
  ];
  for (const [column, value, code, message] of bad) {
    test(`${column} = ${value} is refused: ${code}`, async () => refused(await db.from('job_posts').select().eq(column, value), 400, code, { message }));
  }

  test('what does not parse', async () => {
    refused(await db.from('job_posts').select().filter('title', 'nope', 'x'), 400, 'PGRST100');
    refused(await db.from('job_posts').select().or('title.eq'), 400, 'PGRST100');
    refused(await db.from('job_posts').select('title,,'), 400, 'PGRST100');
    refused(await db.from('job_posts').select().is('title', 'x'), 400, 'PGRST100');
  });
});

describe('order, range, count', () => {
  test('order puts nulls last, and first when descending', async () => {
    assert.deepEqual(titles(ok(await db.from('job_posts').select('title').order('closes_on').order('title'))), ['Sales Intern', 'Recruiter', 'Backend Engineer', 'Data Analyst', 'Frontend Engineer', 'Head of Data', 'Platform Engineer']);
    assert.deepEqual(titles(ok(await db.from('job_posts').select('title').order('closes_on', { ascending: false }).order('title'))).slice(-2), ['Recruiter', 'Sales Intern']);
    assert.deepEqual(titles(ok(await db.from('job_posts').select('title').order('closes_on', { ascending: false, nullsFirst: false }).order('title'))).slice(0, 2), ['Recruiter', 'Sales Intern']);
  });

  test('order by an enum, a numeric, a json path', async () => {
    assert.deepEqual(ok(await db.from('job_posts').select('seniority').order('seniority').order('title')).map((row) => row.seniority), ['junior', 'junior', 'mid', 'mid', 'senior', 'lead', 'principal']);
    assert.deepEqual(ok(await db.from('job_posts').select('salary_min').not('salary_min', 'is', null).order('salary_min')).map((row) => row.salary_min), [42000, 48000.5, 75000, 90000, 130000]);
    assert.deepEqual(ok(await db.from('candidates').select('full_name').order('cv->jobs->0->>company').order('full_name'))[0], { full_name: 'Ada Candidate' });
  });

  test('limit and range', async () => {
    const query = () => db.from('job_posts').select('title').order('title');
    assert.deepEqual(titles(ok(await query().limit(2))), all.slice(0, 2));
    assert.deepEqual(titles(ok(await query().range(2, 4))), all.slice(2, 5));
    assert.deepEqual(titles(ok(await query().range(5, 100))), all.slice(5));
    assert.deepEqual(ok(await query().limit(0)), []);
  });

  test('a counted part is 206, a counted whole is 200', async () => {
    const part = await db.from('job_posts').select('title', { count: 'exact' }).range(0, 2);
    assert.equal(ok(part, 206).length, 3);
    assert.equal(part.count, 7);
    const whole = await db.from('job_posts').select('title', { count: 'exact' });
    assert.equal(ok(whole).length, 7);
    assert.equal(whole.count, 7);
    const head = await db.from('job_posts').select('*', { count: 'exact', head: true }).eq('status', 'draft');
    assert.deepEqual([head.count, head.status, head.data], [2, 200, null]);
    const estimated = await db.from('job_posts').select('*', { count: 'estimated', head: true });
    assert.equal(estimated.count, 7);
  });

  test('beyond the end', async () => {
    refused(await db.from('job_posts').select('title', { count: 'exact' }).range(10, 12), 416, 'PGRST103', { message: 'Requested range not satisfiable', details: 'An offset of 10 was requested, but there are only 7 rows.' });
    assert.deepEqual(ok(await db.from('job_posts').select('title').range(10, 12)), []);
  });

  test('headers of a read', async () => {
    const get = (query, headers) => raw(hiring.server, `/rest/v1/departments?${query}`, { headers });
    const plain = await get('select=id&order=id');
    assert.deepEqual([plain.status, plain.headers.get('content-range'), plain.headers.get('content-type')], [200, '0-3/*', 'application/json; charset=utf-8']);
    const ranged = await get('select=id&order=id', { range: '1-2', 'range-unit': 'items', prefer: 'count=exact' });
    assert.deepEqual([ranged.status, ranged.headers.get('content-range'), ranged.headers.get('preference-applied'), ranged.body], [206, '1-2/4', 'count=exact', [{ id: 2 }, { id: 3 }]]);
    const none = await get('select=id&id=eq.99', { prefer: 'count=exact' });
    assert.deepEqual([none.status, none.headers.get('content-range')], [200, '*/0']);
    const reversed = await get('select=id', { range: '5-2' });
    assert.deepEqual([reversed.status, reversed.body.code], [416, 'PGRST103']);
  });
});

describe('embeds', () => {
  test('to one, to many, nested, aliased', async () => {
    const rows = ok(await db.from('departments').select('slug, posts:job_posts(title, skills:job_skills(skill, word:skills(category)))').eq('slug', 'data').eq('posts.status', 'published').order('position', { referencedTable: 'posts.skills' }).limit(1, { referencedTable: 'posts.skills' }));
    assert.deepEqual(rows, [{ slug: 'data', posts: [{ title: 'Data Analyst', skills: [{ skill: 'SQL', word: { category: 'language' } }] }] }]);
  });

  test('filters and limits per parent', async () => {
    const rows = ok(await db.from('job_posts').select('title, job_skills(skill)').in('reference', [1001, 1002]).order('reference').order('position', { referencedTable: 'job_skills', ascending: false }).limit(2, { referencedTable: 'job_skills' }).eq('job_skills.must_have', true));
    assert.deepEqual(rows, [
      { title: 'Backend Engineer', job_skills: [{ skill: 'Leadership' }, { skill: 'System design' }] },
      { title: 'Frontend Engineer', job_skills: [{ skill: 'React' }, { skill: 'TypeScript' }] },
    ]);
  });

  test('or within an embed', async () => {
    const rows = ok(await db.from('job_posts').select('job_skills(skill)').eq('id', jobs.backend).or('level.eq.expert,choice.eq.2', { referencedTable: 'job_skills' }).order('position', { referencedTable: 'job_skills' }));
    assert.deepEqual(rows[0].job_skills.map((s) => s.skill), ['AWS', 'Azure', 'GCP', 'System design']);
  });

  test('many to many through job_skills, both ways', async () => {
    const [job] = ok(await db.from('job_posts').select('skills(name, category)').eq('id', jobs.frontend).order('name', { referencedTable: 'skills' }));
    assert.deepEqual(job.skills, [{ name: 'CSS', category: 'frontend' }, { name: 'React', category: 'frontend' }, { name: 'TypeScript', category: 'language' }]);
    const go = ok(await db.from('skills').select('job_posts(title)').eq('name', 'Go').order('title', { referencedTable: 'job_posts' }).single());
    assert.deepEqual(go, { job_posts: [{ title: 'Backend Engineer' }, { title: 'Platform Engineer' }] });
  });

  test('one to one is an object, from either side', async () => {
    assert.deepEqual(ok(await db.from('staff').select('full_name, employees(role, departments(slug))').eq('user_id', people.hugo.id).single()), { full_name: 'Hugo Manager', employees: { role: 'hiring_manager', departments: { slug: 'engineering' } } });
    assert.deepEqual(ok(await db.from('employees').select('staff(full_name)').eq('user_id', people.hugo.id).single()), { staff: { full_name: 'Hugo Manager' } });
    assert.deepEqual(ok(await db.from('employees').select('departments(slug)').eq('user_id', people.otto.id).single()), { departments: null });
  });

  test('along a foreign key of two columns', async () => {
    assert.deepEqual(ok(await db.from('applications').select('candidates(full_name)').eq('id', applications.benBackend).single()), { candidates: { full_name: 'Ben Candidate' } });
    assert.deepEqual(ok(await db.from('candidates').select('applications(stage)').eq('id', people.ben.candidate.id).single()), { applications: [{ stage: 'screening' }] });
  });

  test('hints: constraint and column', async () => {
    const one = { full_name: 'Iris Interviewer' };
    const read = async (embed) => ok(await db.from('interviews').select(`who:${embed}(full_name)`).eq('kind', 'technical').single());
    assert.deepEqual(await read('staff!interviewer_id'), { who: one });
    assert.deepEqual(await read('staff!interviews_interviewer_id_fkey'), { who: one });
    assert.deepEqual(await read('interviewer_id'), { who: one });
    assert.deepEqual(await read('interviews_interviewer_id_fkey'), { who: one });
  });

  test('inner joins and filters on what is joined', async () => {
    assert.deepEqual(titles(ok(await db.from('job_posts').select('title, departments!inner(slug)').eq('departments.slug', 'engineering').order('title'))), ['Backend Engineer', 'Frontend Engineer', 'Platform Engineer']);
    assert.deepEqual(titles(ok(await db.from('job_posts').select('title, job_skills!inner()').eq('job_skills.skill', 'Python').order('title'))), ['Backend Engineer', 'Data Analyst']);
    const counted = await db.from('job_posts').select('title, job_skills!inner(skill)', { count: 'exact', head: true }).eq('job_skills.skill', 'Python');
    assert.equal(counted.count, 2);
    const left = ok(await db.from('job_posts').select('title, departments(slug)').eq('departments.slug', 'people').order('title'));
    assert.equal(left.length, 7);
    assert.deepEqual(left.filter((row) => row.departments).map((row) => row.title), ['Recruiter']);
  });

  test('anti join and semi join', async () => {
    assert.deepEqual(titles(ok(await db.from('job_posts').select('title, job_skills()').is('job_skills', null).order('title'))), ['Head of Data', 'Sales Intern']);
    assert.equal(ok(await db.from('job_posts').select('title, job_skills()').not('job_skills', 'is', null)).length, 5);
  });

  test('spread: to one lifts columns, to many makes lists', async () => {
    assert.deepEqual(ok(await db.from('job_posts').select('title, ...departments(department:name)').eq('id', jobs.analyst).single()), { title: 'Data Analyst', department: 'Data & Insights' });
    assert.deepEqual(ok(await db.from('job_posts').select('title, ...job_skills(skill, level)').eq('id', jobs.analyst).order('position', { referencedTable: 'job_skills' }).single()), { title: 'Data Analyst', skill: ['SQL', 'Python', 'Statistics'], level: ['advanced', 'basic', 'working'] });
  });

  test('order by what is embedded', async () => {
    const rows = ok(await db.from('job_posts').select('title, departments(name)').order('departments(name)', { ascending: false }).order('title'));
    assert.deepEqual(titles(rows), ['Sales Intern', 'Recruiter', 'Backend Engineer', 'Frontend Engineer', 'Platform Engineer', 'Data Analyst', 'Head of Data']);
  });

  test('from a view', async () => {
    const rows = ok(await db.from('published_jobs').select('title, departments(slug), job_benefits(name)').order('title').limit(1));
    assert.deepEqual(rows[0].departments, { slug: 'engineering' });
    assert.equal(rows[0].job_benefits.length, 3);
  });

  test('errors', async () => {
    refused(await db.from('job_posts').select('title, nope(x)'), 400, 'PGRST200', { message: "Could not find a relationship between 'job_posts' and 'nope' in the schema cache" });
    refused(await db.from('skills').select('departments(slug)'), 400, 'PGRST200', { message: "Could not find a relationship between 'skills' and 'departments' in the schema cache" });
    refused(await db.from('job_posts').select('title, departments!nope(slug)'), 400, 'PGRST200');
    refused(await db.from('job_posts').select('title').eq('departments.slug', 'x'), 400, 'PGRST108', { message: "'departments' is not an embedded resource in this request", hint: "Verify that 'departments' is included in the 'select' query parameter." });
    refused(await db.from('job_posts').select('title, job_skills(skill)').order('job_skills(skill)'), 400, 'PGRST118', { message: "A related order on 'job_skills' is not possible", details: "'job_posts' and 'job_skills' do not form a many-to-one or one-to-one relationship" });
    refused(await db.from('job_posts').select('title, departments(nope)'), 400, '42703');
    refused(await db.from('job_posts').select('title, job_skills()').eq('job_skills', 1), 400, 'PGRST120');
  });
});

describe('other forms of answers', () => {
  test('CSV', async () => {
    const csv = ok(await db.from('job_skills').select('skill, must_have, min_years, choice').eq('job_id', jobs.frontend).order('position').csv());
    assert.equal(csv.trimEnd(), 'skill,must_have,min_years,choice\nTypeScript,t,3.0,\nReact,t,2.0,\nCSS,f,,');
    const quoted = ok(await db.from('applications').select('cover_letter').eq('id', applications.benBackend).csv());
    assert.equal(quoted.trimEnd(), 'cover_letter\n"Hello, ""World"", (and) more."');
  });

  test('stripped nulls', async () => {
    assert.deepEqual(ok(await db.from('departments').select('slug, description').eq('slug', 'sales').stripNulls()), [{ slug: 'sales' }]);
  });

  test('a media type that is not there', async () => {
    const { status, body } = await raw(hiring.server, '/rest/v1/departments', { headers: { accept: 'application/x-nope' } });
    assert.deepEqual([status, body.code], [406, 'PGRST107']);
  });
});

describe('inserts', () => {
  test('without and with the rows', async () => {
    assert.equal(ok(await db.from('skills').insert({ name: 'Rust' }), 201), null);
    assert.deepEqual(ok(await db.from('skills').insert({ name: 'Zig', category: 'language' }).select(), 201), [{ name: 'Zig', category: 'language' }]);
    assert.deepEqual(ok(await db.from('skills').insert([{ name: 'C' }, { name: 'D' }], { defaultToNull: false }).select(), 201), [{ name: 'C', category: 'general' }, { name: 'D', category: 'general' }]);
    assert.deepEqual(ok(await db.from('skills').insert([]).select(), 201), []);
    ok(await db.from('skills').delete().in('name', ['Rust', 'Zig', 'C', 'D']), 204);
  });

  test('missing keys of an array are null, or defaults when asked', async () => {
    const rows = [{ job_id: jobs.analyst, skill: 'Redis', position: 8 }, { job_id: jobs.analyst, skill: 'dbt', position: 9, level: 'basic' }];
    refused(await db.from('job_skills').insert(rows), 400, '23502', { message: 'null value in column "level" of relation "job_skills" violates not-null constraint', details: `Failing row contains (${jobs.analyst}, Redis, 8, null, t, null, null).` });
    assert.deepEqual(ok(await db.from('job_skills').insert(rows, { defaultToNull: false }).select('skill, level, must_have').order('position'), 201), [{ skill: 'Redis', level: 'working', must_have: true }, { skill: 'dbt', level: 'basic', must_have: true }]);
    ok(await db.from('job_skills').delete().eq('job_id', jobs.analyst).gte('position', 8), 204);
  });

  test('values take the column\'s type', async () => {
    const [row] = ok(await db.from('job_posts').insert({ department_id: '4', title: 'Account Manager', location: 5, salary_min: '30000', salary_max: 40000.004, remote: 'yes', published_at: '2026-05-01 12:00', closes_on: '2026-12-31', screening_questions: [1, { a: null }] }).select('department_id, location, salary_min, salary_max, salary_mid, remote, published_at, closes_on, screening_questions, reference, slug'), 201);
    const { reference, ...rest } = row;
    assert.ok(Number.isInteger(reference) && reference > 1007);
    assert.deepEqual(rest, { department_id: 4, location: '5', salary_min: 30000, salary_max: 40000, salary_mid: 35000, remote: true, published_at: '2026-05-01T12:00:00+00:00', closes_on: '2026-12-31', screening_questions: [1, { a: null }], slug: 'account-manager' });
  });

  const job = { department_id: 4, title: 'Refused', location: 'X' };
  const bad = [
    ['unknown column', 'job_posts', { ...job, nope: 1 }, 400, 'PGRST204', { message: "Could not find the 'nope' column of 'job_posts' in the schema cache" }],
    ['identity always', 'departments', { id: 9, slug: 'x', name: 'X' }, 400, '428C9', { message: 'cannot insert a non-DEFAULT value into column "id"', details: 'Column "id" is an identity column defined as GENERATED ALWAYS.', hint: 'Use OVERRIDING SYSTEM VALUE to override.' }],
    ['generated column', 'job_posts', { ...job, slug: 'x' }, 400, '428C9', { message: 'cannot insert a non-DEFAULT value into column "slug"', details: 'Column "slug" is a generated column.', hint: null }],
    ['too long', 'departments', { slug: 'x', name: 'y'.repeat(81) }, 400, '22001', { message: 'value too long for type character varying(80)', details: null }],
    ['not a number', 'job_posts', { ...job, department_id: 'x' }, 400, '22P02', { message: 'invalid input syntax for type bigint: "x"' }],
    ['not an integer', 'job_posts', { ...job, department_id: 1.5 }, 400, '22P02', { message: 'invalid input syntax for type bigint: "1.5"' }],
    ['not in the enum', 'job_posts', { ...job, status: 'x' }, 400, '22P02', { message: 'invalid input value for enum job_status: "x"' }],
    ['not an array', 'candidates', { full_name: 'X', email: 'x@y.zz', skills: 'x' }, 400, '22P02', { message: 'malformed array literal: "x"' }],
    ['out of range', 'job_posts', { ...job, experience_min_years: 40000 }, 400, '22003', { message: 'value "40000" is out of range for type smallint' }],
    ['numeric overflow', 'job_posts', { ...job, salary_min: 123456789012 }, 400, '22003', { message: 'numeric field overflow', details: 'A field with precision 12, scale 2 must round to an absolute value less than 10^10.' }],
    ['no such parent', 'job_posts', { ...job, department_id: 99 }, 409, '23503', { message: 'insert or update on table "job_posts" violates foreign key constraint "job_posts_department_id_fkey"', details: 'Key (department_id)=(99) is not present in table "departments".' }],
    ['check', 'job_posts', { ...job, salary_min: 2, salary_max: 1 }, 400, '23514', { message: 'new row for relation "job_posts" violates check constraint "salary_is_a_range"' }],
    ['check by a regular expression', 'departments', { slug: 'Bad Slug', name: 'X' }, 400, '23514', { message: 'new row for relation "departments" violates check constraint "departments_slug_check"' }],
    ['check on jsonb', 'job_posts', { ...job, screening_questions: {} }, 400, '23514', { message: 'new row for relation "job_posts" violates check constraint "job_posts_screening_questions_check"' }],
    ['unique', 'departments', { slug: 'data', name: 'X' }, 409, '23505', { message: 'duplicate key value violates unique constraint "departments_slug_key"', details: 'Key (slug)=(data) already exists.', hint: null }],
  ];
  for (const [name, table, row, status, code, rest] of bad) test(`refused: ${name}`, async () => refused(await db.from(table).insert(row), status, code, rest));
});

describe('upserts', () => {
  test('merge: 201 when something is new, 200 when not', async () => {
    const upsert = (rows, options) => db.from('skills').upsert(rows, options).select().order('name');
    assert.deepEqual(ok(await upsert([{ name: 'Elixir', category: 'language' }, { name: 'React', category: 'ui' }]), 201), [{ name: 'Elixir', category: 'language' }, { name: 'React', category: 'ui' }]);
    assert.deepEqual(ok(await upsert({ name: 'React', category: 'frontend' }), 200), [{ name: 'React', category: 'frontend' }]);
    assert.deepEqual(ok(await upsert([{ name: 'Elixir', category: 'x' }, { name: 'Erlang', category: 'language' }], { ignoreDuplicates: true }), 201), [{ name: 'Erlang', category: 'language' }]);
    ok(await db.from('skills').delete().in('name', ['Elixir', 'Erlang']), 204);
  });

  test('on another unique key', async () => {
    const saved = ok(await db.from('departments').upsert({ slug: 'sales', name: 'Sales & Success' }, { onConflict: 'slug' }).select('id, name').single(), 200);
    assert.deepEqual(saved, { id: 4, name: 'Sales & Success' });
    refused(await db.from('departments').upsert({ slug: 'x', name: 'X' }, { onConflict: 'name' }), 400, '42P10', { message: 'there is no unique or exclusion constraint matching the ON CONFLICT specification' });
  });

  test('the same key twice in one request', async () => {
    refused(await db.from('skills').upsert([{ name: 'React', category: 'a' }, { name: 'React', category: 'b' }]), 500, '21000', { message: 'ON CONFLICT DO UPDATE command cannot affect row a second time' });
  });
});

describe('updates and deletes', () => {
  test('without and with the rows', async () => {
    assert.equal(ok(await db.from('departments').update({ description: 'Sells.' }).eq('slug', 'sales'), 204), null);
    assert.deepEqual(ok(await db.from('departments').update({ description: null }).eq('slug', 'sales').select('slug, description'), 200), [{ slug: 'sales', description: null }]);
    assert.deepEqual(ok(await db.from('departments').update({ description: 'x' }).eq('slug', 'nope').select(), 200), []);
  });

  test('counted', async () => {
    const updated = await db.from('job_skills').update({ min_years: 1 }, { count: 'exact' }).eq('job_id', jobs.analyst);
    ok(updated, 204);
    assert.equal(updated.count, 3);
    const deleted = await db.from('job_skills').delete({ count: 'exact' }).eq('job_id', jobs.recruiter);
    ok(deleted, 204);
    assert.equal(deleted.count, 1);
  });

  test('generated columns follow', async () => {
    assert.deepEqual(ok(await db.from('job_posts').update({ title: 'Senior Data Analyst', salary_min: 50000, salary_max: 60001 }).eq('id', jobs.analyst).select('slug, salary_mid').single(), 200), { slug: 'senior-data-analyst', salary_mid: 55000.5 });
    refused(await db.from('job_posts').update({ slug: 'x' }).eq('id', jobs.analyst), 400, '428C9', { message: 'column "slug" can only be updated to DEFAULT' });
  });

  test('an embed in the representation is read after the write', async () => {
    const row = ok(await db.from('job_posts').update({ department_id: 1 }).eq('id', jobs.analyst).select('departments(slug)').single(), 200);
    assert.deepEqual(row, { departments: { slug: 'engineering' } });
    ok(await db.from('job_posts').update({ department_id: 2 }).eq('id', jobs.analyst), 204);
  });

  test('maxAffected', async () => {
    refused(await db.from('job_skills').delete().eq('job_id', jobs.backend).maxAffected(3).select(), 400, 'PGRST124', { details: 'The query affects 12 rows' });
    assert.equal((await db.from('job_skills').select('*', { count: 'exact', head: true }).eq('job_id', jobs.backend)).count, 12);
  });

  test('a delete cascades, and gives back what it removed', async () => {
    const [job] = ok(await db.from('job_posts').insert({ department_id: 4, title: 'Short lived', location: 'X' }).select('id'), 201);
    ok(await db.from('job_skills').insert({ job_id: job.id, skill: 'SQL', position: 1 }), 201);
    assert.deepEqual(ok(await db.from('job_posts').delete().eq('id', job.id).select('title'), 200), [{ title: 'Short lived' }]);
    assert.deepEqual(ok(await db.from('job_skills').select().eq('job_id', job.id)), []);
  });
});

describe('the protocol below the client', () => {
  const asService = (path, options = {}) => raw(hiring.server, `/rest/v1/${path}`, { key: hiring.server.keys.SUPABASE_SERVICE_ROLE_KEY, ...options, headers: { 'content-type': 'application/json', ...options.headers } });
  const json = (value) => JSON.stringify(value);

  test('Location of a new row', async () => {
    const { status, headers, text } = await asService('skills', { method: 'POST', body: json({ name: 'Lua' }), headers: { prefer: 'return=headers-only' } });
    assert.deepEqual([status, headers.get('location'), headers.get('content-range'), headers.get('preference-applied'), text], [201, '/skills?name=eq.Lua', '*/*', 'return=headers-only', '']);
  });

  test('Content-Range of an update', async () => {
    const { status, headers } = await asService('skills?name=eq.Lua', { method: 'PATCH', body: json({ category: 'language' }) });
    assert.deepEqual([status, headers.get('content-range')], [204, '0-0/*']);
    const none = await asService('skills?name=eq.Nope', { method: 'PATCH', body: json({ category: 'x' }) });
    assert.deepEqual([none.status, none.headers.get('content-range')], [204, '*/*']);
  });

  test('PUT', async () => {
    const put = (query, row, prefer = 'return=representation') => asService(`skills?${query}`, { method: 'PUT', body: json(row), headers: { prefer } });
    assert.equal((await put('name=eq.Perl', { name: 'Perl', category: 'language' })).status, 201);
    assert.equal((await put('name=eq.Perl', { name: 'Perl', category: 'x' })).status, 200);
    const other = await put('name=eq.Perl', { name: 'Raku', category: 'x' });
    assert.deepEqual([other.status, other.body.code], [400, 'PGRST115']);
    const notKey = await put('category=eq.x', { name: 'Perl', category: 'x' });
    assert.deepEqual([notKey.status, notKey.body.code], [405, 'PGRST105']);
  });

  test('bodies', async () => {
    const post = (body, headers) => asService('skills', { method: 'POST', body, headers });
    const broken = await post('{"name":');
    assert.deepEqual([broken.status, broken.body.code], [400, 'PGRST102']);
    const uneven = await post(json([{ name: 'A' }, { name: 'B', category: 'x' }]));
    assert.deepEqual([uneven.status, uneven.body.code, uneven.body.message], [400, 'PGRST102', 'All object keys must match']);
    const form = await post('name=Form&category=a+b', { 'content-type': 'application/x-www-form-urlencoded', prefer: 'return=representation' });
    assert.deepEqual([form.status, form.body], [201, [{ name: 'Form', category: 'a b' }]]);
    const csv = await post('name,category\nCSV,"a,b"\nNo,general', { 'content-type': 'text/csv', prefer: 'return=representation' });
    assert.deepEqual([csv.status, csv.body], [201, [{ name: 'CSV', category: 'a,b' }, { name: 'No', category: 'general' }]]);
    const other = await post('x', { 'content-type': 'text/nope' });
    assert.deepEqual([other.status, other.body.code], [400, 'PGRST102']);
  });

  test('strict handling refuses what it does not know', async () => {
    const { status, body } = await asService('skills', { headers: { prefer: 'handling=strict, anything' } });
    assert.deepEqual([status, body.code, body.details], [400, 'PGRST122', 'Invalid preferences: anything']);
  });

  test('errors carry four keys', async () => {
    const { status, body, headers } = await asService('nope');
    assert.deepEqual(Object.keys(body).sort(), ['code', 'details', 'hint', 'message']);
    assert.deepEqual([status, body.code], [404, 'PGRST205']);
    assert.match(headers.get('content-type'), /^application\/json/);
  });

  test('paths and verbs', async () => {
    const deep = await asService('skills/more');
    assert.deepEqual([deep.status, deep.body.code], [404, 'PGRST125']);
    const rpc = await asService('rpc/nope', { method: 'POST', body: '{}' });
    assert.deepEqual([rpc.status, rpc.body.code], [404, 'PGRST202']);
    const options = await asService('skills', { method: 'OPTIONS' });
    assert.equal(options.status, 200);
    assert.match(options.headers.get('allow'), /GET.*POST.*PUT.*PATCH.*DELETE/);
  });

  test('CORS for a page from elsewhere', async () => {
    const preflight = await raw(hiring.server, '/rest/v1/skills', { method: 'OPTIONS', headers: { origin: 'https://app.example', 'access-control-request-method': 'POST', 'access-control-request-headers': 'apikey,content-type' } });
    assert.ok([200, 204].includes(preflight.status));
    assert.ok(['*', 'https://app.example'].includes(preflight.headers.get('access-control-allow-origin')));
    assert.match(preflight.headers.get('access-control-allow-headers').toLowerCase(), /apikey/);
  });
});
