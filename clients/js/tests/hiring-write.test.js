// Who may change what in the hiring example. Codes, messages and details are PostgreSQL's: under row-level security
// it leaves keys and failing rows out of `details`.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { applications, interviews, jobs, people, PASSWORD } from '../people.js';
import { clientOf } from '../server.js';
import { stage } from '../stage.js';

let hiring;
before(async () => {
  hiring = await stage();
});
after(() => hiring?.stop());

const done = ({ data, error, status }, expected) => {
  assert.equal(error, null, JSON.stringify(error));
  assert.equal(status, expected);
  return data;
};
const refused = ({ data, error, status }, status_, code, message, details = null) => {
  assert.equal(data, null);
  assert.deepEqual({ code: error?.code, message: error?.message, details: error?.details }, { code, message, details });
  assert.equal(status, status_);
};
const policy = (table) => ['42501', `new row violates row-level security policy for table "${table}"`];
const denied = (table) => ['42501', `permission denied for table ${table}`];
const { adaBackend, adaAnalyst, benBackend, irisFrontend } = applications;

describe('nobody in particular', () => {
  test('cannot write at all', async () => {
    refused(await hiring.anon.from('candidates').insert({ full_name: 'X', email: 'x@y.zz' }), 401, ...denied('candidates'));
    refused(await hiring.anon.from('job_posts').update({ title: 'Hacked' }).eq('id', jobs.backend), 401, ...denied('job_posts'));
    refused(await hiring.anon.from('job_posts').delete().eq('id', jobs.backend), 401, ...denied('job_posts'));
    refused(await hiring.anon.from('departments').upsert({ slug: 'x', name: 'X' }, { onConflict: 'slug' }), 401, ...denied('departments'));
  });

  test('a guest keeps a profile but does not apply: the restrictive policy names itself', async () => {
    const guest = clientOf(hiring.server);
    await guest.auth.signInAnonymously();
    const { id } = done(await guest.from('candidates').insert({ full_name: 'Guest', email: 'guest@hiring.example' }).select('id').single(), 201);
    refused(await guest.from('applications').insert({ candidate_id: id, job_id: jobs.frontend }), 403, '42501', 'new row violates row-level security policy "anonymous users do not apply" for table "applications"');
  });
});

describe('a candidate', () => {
  test('signs up, makes a profile and applies', async () => {
    const dana = clientOf(hiring.server);
    const { data: { user }, error } = await dana.auth.signUp({ email: 'dana@hiring.example', password: PASSWORD, options: { data: { full_name: 'Dana' } } });
    assert.equal(error, null);
    const profile = done(await dana.from('candidates').insert({ full_name: 'Dana', email: 'dana@hiring.example', skills: ['Go', 'Redis'], cv: { jobs: [] } }).select('id, user_id, skills, cv, phone').single(), 201);
    assert.deepEqual({ ...profile, id: null }, { id: null, user_id: user.id, skills: ['Go', 'Redis'], cv: { jobs: [] }, phone: null });
    const application = done(await dana.from('applications').insert({ candidate_id: profile.id, job_id: jobs.backend, cover_letter: 'Hi' }).select('stage, user_id, job_posts(title), candidates(full_name)').single(), 201);
    assert.deepEqual(application, { stage: 'applied', user_id: user.id, job_posts: { title: 'Backend Engineer' }, candidates: { full_name: 'Dana' } });
    const seen = done(await hiring.as.hugo.from('applications').select('id').eq('user_id', user.id), 200);
    assert.equal(seen.length, 1);
    assert.deepEqual(done(await hiring.as.hana.from('applications').select('id').eq('user_id', user.id), 200), []);
  });

  test('does not apply to drafts, to what is closed, or to nothing', async () => {
    const apply = (job_id) => hiring.as.ada.from('applications').insert({ candidate_id: people.ada.candidate.id, job_id });
    refused(await apply(jobs.platform), 403, ...policy('applications'));
    refused(await apply(jobs.recruiter), 403, ...policy('applications'));
    refused(await apply(jobs.intern), 403, ...policy('applications'));
    refused(await apply('10000000-0000-4000-8000-0000000000aa'), 403, ...policy('applications'));
  });

  test('does not apply twice, and is not told by which key', async () => {
    refused(await hiring.as.ada.from('applications').insert({ candidate_id: people.ada.candidate.id, job_id: jobs.backend }), 409, '23505', 'duplicate key value violates unique constraint "one_application_per_job"');
  });

  test('does not start further on', async () => {
    refused(await hiring.as.ada.from('applications').insert({ candidate_id: people.ada.candidate.id, job_id: jobs.frontend, stage: 'hired' }), 403, ...policy('applications'));
  });

  test('does not apply as somebody else', async () => {
    refused(await hiring.as.ada.from('applications').insert({ candidate_id: people.ben.candidate.id, user_id: people.ben.id, job_id: jobs.frontend }), 403, ...policy('applications'));
    refused(await hiring.as.ben.from('applications').insert({ candidate_id: people.ada.candidate.id, job_id: jobs.frontend }), 409, '23503', 'insert or update on table "applications" violates foreign key constraint "applications_candidate_fkey"', 'Key is not present in table "candidates".');
  });

  test('does not touch another\'s application', async () => {
    done(await hiring.as.ben.from('applications').update({ stage: 'withdrawn' }).eq('id', adaBackend), 204);
    assert.deepEqual(done(await hiring.as.ben.from('applications').update({ stage: 'withdrawn' }).eq('id', adaBackend).select(), 200), []);
    assert.deepEqual(done(await hiring.as.ben.from('applications').delete().eq('id', adaBackend).select(), 200), []);
    const { stage } = done(await hiring.service.from('applications').select('stage').eq('id', adaBackend).single(), 200);
    assert.equal(stage, 'interview');
  });

  test('an update of everything changes only what is theirs', async () => {
    refused(await hiring.as.ben.from('applications').update({ stage: 'hired' }).not('id', 'is', null), 403, ...policy('applications'));
    const rows = done(await hiring.as.ben.from('candidates').update({ headline: 'here' }).not('id', 'is', null).select('full_name'), 200);
    assert.deepEqual(rows, [{ full_name: 'Ben Candidate' }]);
    const others = done(await hiring.service.from('candidates').select('id').eq('headline', 'here'), 200);
    assert.equal(others.length, 1);
  });

  test('does not rewrite columns that are not granted', async () => {
    refused(await hiring.as.ada.from('applications').update({ job_id: jobs.frontend }).eq('id', adaBackend), 403, ...denied('applications'));
    refused(await hiring.as.ada.from('applications').update({ stage: 'withdrawn', created_at: '2020-01-01' }).eq('id', adaBackend), 403, ...denied('applications'));
  });

  test('withdraws, once', async () => {
    const withdraw = () => hiring.as.ada.from('applications').update({ stage: 'withdrawn' }).eq('id', adaAnalyst).select('stage');
    assert.deepEqual(done(await withdraw(), 200), [{ stage: 'withdrawn' }]);
    assert.deepEqual(done(await withdraw(), 200), []);
  });

  test('keeps the own profile: upsert on the user', async () => {
    const upsert = (row) => hiring.as.ben.from('candidates').upsert(row, { onConflict: 'user_id' });
    const saved = done(await upsert({ user_id: people.ben.id, full_name: 'Benny', email: 'ben@hiring.example', skills: [] }).select('id, full_name, skills').single(), 200);
    assert.deepEqual(saved, { id: people.ben.candidate.id, full_name: 'Benny', skills: [] });
    refused(await upsert({ user_id: people.ada.id, full_name: 'Ben', email: 'x@y.zz' }), 403, ...policy('candidates'));
    refused(await hiring.as.ben.from('candidates').upsert({ id: people.ada.candidate.id, full_name: 'Ben', email: 'x@y.zz' }), 403, '42501', 'new row violates row-level security policy (USING expression) for table "candidates"');
    refused(await upsert({ user_id: people.ben.id, full_name: 'Ben', email: 'ADA@hiring.example' }), 409, '23505', 'duplicate key value violates unique constraint "candidates_by_email"');
  });

  test('does not give the profile away', async () => {
    refused(await hiring.as.ben.from('candidates').update({ user_id: people.cleo.id }).eq('user_id', people.ben.id), 403, ...policy('candidates'));
  });

  test('writes shared comments on the own application only', async () => {
    const say = (application_id, visibility) => hiring.as.ada.from('comments').insert({ application_id, body: 'psst', visibility });
    done(await say(adaBackend, 'shared'), 201);
    refused(await say(adaBackend, 'internal'), 403, ...policy('comments'));
    refused(await say(benBackend, 'shared'), 403, ...policy('comments'));
    refused(await hiring.as.ada.from('comments').insert({ application_id: adaBackend, body: 'forged', visibility: 'shared', author_id: people.rita.id }), 403, ...policy('comments'));
    assert.deepEqual(done(await hiring.as.ada.from('comments').delete().eq('body', 'shared: does Monday suit you?').select(), 200), []);
    assert.equal(done(await hiring.as.ada.from('comments').delete().eq('body', 'psst').select(), 200).length, 1);
  });

  test('does not promote themselves', async () => {
    refused(await hiring.as.ada.from('employees').insert({ user_id: people.ada.id, role: 'admin' }), 403, ...policy('employees'));
    done(await hiring.as.iris.from('employees').update({ role: 'admin' }).eq('user_id', people.iris.id), 204);
    const { role } = done(await hiring.as.iris.from('employees').select('role').single(), 200);
    assert.equal(role, 'interviewer');
    await hiring.as.iris.auth.updateUser({ data: { hiring_role: 'admin' } });
    await hiring.as.iris.auth.refreshSession();
    assert.deepEqual(done(await hiring.as.iris.from('employees').update({ role: 'admin' }).eq('user_id', people.iris.id).select(), 200), []);
  });
});

describe('interviewers', () => {
  test('score only what is assigned to them', async () => {
    const card = (caller, application_id) => caller.from('scorecards').insert({ application_id, rating: 3, recommendation: 'yes' });
    refused(await card(hiring.as.iris, benBackend), 403, ...policy('scorecards'));
    refused(await card(hiring.as.ada, adaBackend), 403, ...policy('scorecards'));
    refused(await card(hiring.as.iris, adaBackend), 409, '23505', 'duplicate key value violates unique constraint "one_scorecard_per_author"');
  });

  test('edit drafts; what is submitted is final', async () => {
    const edit = (caller, change) => caller.from('scorecards').update(change).eq('application_id', adaBackend).select('author_id, rating');
    assert.deepEqual(done(await edit(hiring.as.iris, { rating: 3 }), 200), [{ author_id: people.iris.id, rating: 3 }]);
    assert.deepEqual(done(await edit(hiring.as.ivan, { rating: 1 }), 200), []);
    refused(await edit(hiring.as.iris, { rating: 6 }), 400, '23514', 'new row for relation "scorecards" violates check constraint "scorecards_rating_check"');
    refused(await edit(hiring.as.iris, { author_id: people.otto.id }), 403, ...denied('scorecards'));
  });

  test('submit for themselves, and then see the others\'', async () => {
    const seen = async () => done(await hiring.as.iris.from('scorecards').select('notes').order('notes'), 200).map((card) => card.notes);
    assert.deepEqual(await seen(), ['Iris draft']);
    refused(await hiring.as.iris.from('scorecard_submissions').insert({ application_id: benBackend, author_id: people.otto.id }), 403, ...policy('scorecard_submissions'));
    done(await hiring.as.iris.from('scorecard_submissions').insert({ application_id: adaBackend }), 201);
    assert.deepEqual(await seen(), ['Iris draft', 'Ivan submitted']);
    assert.deepEqual(done(await hiring.as.iris.from('scorecards').delete().eq('author_id', people.iris.id).select(), 200), []);
    refused(await hiring.as.iris.from('scorecard_submissions').delete().eq('author_id', people.iris.id), 403, ...denied('scorecard_submissions'));
    assert.deepEqual(done(await hiring.as.otto.from('scorecards').select('notes'), 200), [{ notes: 'Otto draft' }]);
    assert.equal(done(await hiring.as.rita.from('scorecards').select('id'), 200).length, 2);
  });

  test('there is no submission without a scorecard', async () => {
    refused(await hiring.as.hugo.from('scorecard_submissions').insert({ application_id: adaBackend }), 409, '23503', 'insert or update on table "scorecard_submissions" violates foreign key constraint "submissions_scorecard_fkey"', 'Key is not present in table "scorecards".');
    refused(await hiring.as.ivan.from('scorecard_submissions').insert({ application_id: adaBackend }), 409, '23505', 'duplicate key value violates unique constraint "scorecard_submissions_pkey"');
  });

  test('comment where they decide, not where they applied', async () => {
    refused(await hiring.as.iris.from('comments').insert({ application_id: irisFrontend, body: 'hire me' }), 403, ...policy('comments'));
    const { visibility } = done(await hiring.as.iris.from('comments').insert({ application_id: adaBackend, body: 'good' }).select('visibility').single(), 201);
    assert.equal(visibility, 'internal');
    refused(await hiring.as.iris.from('comments').update({ visibility: 'shared' }).eq('body', 'good'), 403, ...denied('comments'));
  });

  test('keep their own directory entry', async () => {
    assert.deepEqual(done(await hiring.as.otto.from('staff').update({ job_title: 'Engineer' }).not('user_id', 'is', null).select('full_name, job_title'), 200), [{ full_name: 'Otto Interviewer', job_title: 'Engineer' }]);
    refused(await hiring.as.otto.from('staff').update({ user_id: people.cleo.id }).eq('user_id', people.otto.id), 403, ...denied('staff'));
    refused(await hiring.as.otto.from('staff').delete().eq('user_id', people.otto.id), 403, ...denied('staff'));
  });
});

describe('hiring managers', () => {
  test('draft jobs of their department and edit drafts', async () => {
    const draft = done(await hiring.as.hugo.from('job_posts').insert({ department_id: 1, title: 'Site Reliability Engineer', location: 'Berlin' }).select('id, slug, status, created_by, salary_mid, screening_questions').single(), 201);
    assert.deepEqual({ ...draft, id: null }, { id: null, slug: 'site-reliability-engineer', status: 'draft', created_by: people.hugo.id, salary_mid: null, screening_questions: [] });
    done(await hiring.as.hugo.from('job_skills').insert([{ job_id: draft.id, skill: 'Go', position: 1 }, { job_id: draft.id, skill: 'Kubernetes', position: 2, level: 'expert' }], { defaultToNull: false }), 201);
    const edited = done(await hiring.as.hugo.from('job_posts').update({ salary_min: 80000, salary_max: '99999.99' }).eq('id', draft.id).select('salary_mid, job_skills(skill, level)').order('position', { referencedTable: 'job_skills' }).single(), 200);
    assert.deepEqual(edited, { salary_mid: 90000, job_skills: [{ skill: 'Go', level: 'working' }, { skill: 'Kubernetes', level: 'expert' }] });
    assert.deepEqual(done(await hiring.as.hana.from('job_posts').select('id').eq('id', draft.id), 200), []);
  });

  test('publish nothing, and leave the other departments alone', async () => {
    refused(await hiring.as.hugo.from('job_posts').update({ status: 'published', published_at: '2026-03-01' }).eq('id', jobs.platform), 403, ...policy('job_posts'));
    refused(await hiring.as.hugo.from('job_posts').insert({ department_id: 2, title: 'Spy', location: 'X' }), 403, ...policy('job_posts'));
    refused(await hiring.as.hugo.from('job_posts').insert({ department_id: 1, title: 'Spy', location: 'X', status: 'published', published_at: '2026-03-01' }), 403, ...policy('job_posts'));
    assert.deepEqual(done(await hiring.as.hugo.from('job_posts').update({ summary: 'x' }).eq('id', jobs.backend).select(), 200), []);
    assert.deepEqual(done(await hiring.as.hana.from('job_posts').update({ summary: 'x' }).eq('id', jobs.platform).select(), 200), []);
    assert.deepEqual(done(await hiring.as.hugo.from('applications').update({ stage: 'hired' }).eq('id', adaBackend).select(), 200), []);
  });

  test('one open post per title, whatever its case', async () => {
    refused(await hiring.as.hugo.from('job_posts').insert({ department_id: 1, title: 'backend engineer', location: 'Berlin' }), 409, '23505', 'duplicate key value violates unique constraint "one_open_post_per_title"');
  });
});

describe('recruiters', () => {
  test('move an application and note it', async () => {
    assert.deepEqual(done(await hiring.as.rita.from('applications').update({ stage: 'offer' }).eq('id', adaBackend).select('stage'), 200), [{ stage: 'offer' }]);
    const note = { application_id: adaBackend, from_stage: 'interview', to_stage: 'offer' };
    const { changed_by } = done(await hiring.as.rita.from('application_stage_history').insert(note).select('changed_by').single(), 201);
    assert.equal(changed_by, people.rita.id);
    refused(await hiring.as.rita.from('application_stage_history').insert({ ...note, from_stage: 'offer' }), 400, '23514', 'new row for relation "application_stage_history" violates check constraint "a_change_changes"');
    refused(await hiring.as.rita.from('application_stage_history').insert({ ...note, changed_by: people.amir.id }), 403, ...policy('application_stage_history'));
    refused(await hiring.as.rita.from('applications').update({ rejection_reason: 'no' }).eq('id', adaBackend), 400, '23514', 'new row for relation "applications" violates check constraint "only_the_rejected_have_a_reason"');
  });

  test('assign, then schedule', async () => {
    const interview = { application_id: adaBackend, interviewer_id: people.otto.id, scheduled_at: '2026-04-01T10:00:00+02:00' };
    refused(await hiring.as.rita.from('interviews').insert(interview), 409, '23503', 'insert or update on table "interviews" violates foreign key constraint "interviews_assignment_fkey"', 'Key is not present in table "assignments".');
    assert.deepEqual(done(await hiring.as.otto.from('applications').select('id').eq('id', adaBackend), 200), []);
    refused(await hiring.as.rita.from('assignments').insert({ application_id: adaBackend, interviewer_id: people.otto.id, is_lead: true }), 409, '23505', 'duplicate key value violates unique constraint "one_lead_per_application"');
    done(await hiring.as.rita.from('assignments').insert({ application_id: adaBackend, interviewer_id: people.otto.id }), 201);
    const saved = done(await hiring.as.rita.from('interviews').insert(interview).select('kind, duration_minutes, scheduled_at').single(), 201);
    assert.deepEqual(saved, { kind: 'phone', duration_minutes: 45, scheduled_at: '2026-04-01T08:00:00+00:00' });
    assert.deepEqual(done(await hiring.as.otto.from('applications').select('id').eq('id', adaBackend), 200), [{ id: adaBackend }]);
    refused(await hiring.as.rita.from('interviews').insert(interview), 409, '23505', 'duplicate key value violates unique constraint "interviews_interviewer_id_scheduled_at_key"');
    refused(await hiring.as.rita.from('interviews').insert({ ...interview, scheduled_at: '2026-04-02', duration_minutes: 5 }), 400, '23514', 'new row for relation "interviews" violates check constraint "interviews_duration_minutes_check"');
    assert.equal(done(await hiring.as.rita.from('assignments').delete().match({ application_id: adaBackend, interviewer_id: people.otto.id }).select(), 200).length, 1);
    assert.deepEqual(done(await hiring.service.from('interviews').select('id').eq('interviewer_id', people.otto.id), 200), [{ id: interviews.benOtto }]);
    assert.deepEqual(done(await hiring.as.otto.from('applications').select('id').eq('id', adaBackend), 200), []);
  });

  test('rename a skill everywhere; do not lose one that is used', async () => {
    done(await hiring.as.rita.from('skills').update({ name: 'Golang' }).eq('name', 'Go'), 204);
    const used = done(await hiring.anon.from('job_skills').select('skill').eq('job_id', jobs.backend).eq('position', 3).single(), 200);
    assert.deepEqual(used, { skill: 'Golang' });
    refused(await hiring.as.rita.from('skills').delete().eq('name', 'Golang'), 409, '23503', 'update or delete on table "skills" violates foreign key constraint "job_skills_skill_fkey" on table "job_skills"', 'Key is still referenced from table "job_skills".');
    done(await hiring.as.rita.from('skills').update({ name: 'Go' }).eq('name', 'Golang'), 204);
  });

  test('do not delete a department that has jobs', async () => {
    refused(await hiring.as.rita.from('departments').delete().eq('slug', 'people'), 409, '23503', 'update or delete on table "departments" violates foreign key constraint "job_posts_department_id_fkey" on table "job_posts"', 'Key is still referenced from table "job_posts".');
  });

  test('publish a draft: now the world sees it and its requirements', async () => {
    assert.deepEqual(done(await hiring.anon.from('job_skills').select('skill').eq('job_id', jobs.platform), 200), []);
    refused(await hiring.as.rita.from('job_posts').update({ status: 'published' }).eq('id', jobs.platform), 400, '23514', 'new row for relation "job_posts" violates check constraint "published_jobs_have_a_date"');
    done(await hiring.as.rita.from('job_posts').update({ status: 'published', published_at: new Date().toISOString() }).eq('id', jobs.platform), 204);
    assert.equal(done(await hiring.anon.from('job_skills').select('skill').eq('job_id', jobs.platform), 200).length, 2);
    assert.equal(done(await hiring.anon.from('published_jobs').select('title').eq('id', jobs.platform), 200).length, 1);
  });

  test('change nothing any more when they have left', async () => {
    assert.deepEqual(done(await hiring.as.dora.from('applications').update({ stage: 'rejected' }).not('id', 'is', null).select(), 200), []);
    refused(await hiring.as.dora.from('departments').insert({ slug: 'x', name: 'X' }), 403, ...policy('departments'));
  });

  test('do not write in others\' names', async () => {
    assert.deepEqual(done(await hiring.as.rita.from('comments').update({ body: 'x' }).eq('author_id', people.otto.id).select(), 200), []);
    refused(await hiring.as.rita.from('comments').insert({ application_id: adaBackend, body: 'x', author_id: people.otto.id }), 403, ...policy('comments'));
  });
});

describe('administrators', () => {
  test('manage memberships by a claim in their token', async () => {
    const join = () => hiring.as.amir.from('employees').insert({ user_id: people.cleo.id, role: 'recruiter', department_id: 3 });
    assert.deepEqual(done(await hiring.as.cleo.from('applications').select('id'), 200), []);
    done(await join(), 201);
    assert.ok(done(await hiring.as.cleo.from('applications').select('id'), 200).length >= 4);
    refused(await join(), 409, '23505', 'duplicate key value violates unique constraint "employees_pkey"');
    refused(await hiring.as.amir.from('employees').update({ department_id: null }).eq('user_id', people.hugo.id), 400, '23514', 'new row for relation "employees" violates check constraint "hiring_managers_have_a_department"');
    done(await hiring.as.amir.from('employees').delete().eq('user_id', people.cleo.id), 204);
    assert.deepEqual(done(await hiring.as.cleo.from('applications').select('id'), 200), []);
  });
});

describe('the service role', () => {
  test('is told keys and failing rows', async () => {
    const again = { candidate_id: people.ben.candidate.id, user_id: people.ben.id, job_id: jobs.backend };
    refused(await hiring.service.from('applications').insert(again), 409, '23505', 'duplicate key value violates unique constraint "one_application_per_job"', `Key (candidate_id, job_id)=(${people.ben.candidate.id}, ${jobs.backend}) already exists.`);
    refused(await hiring.service.from('staff').delete().eq('user_id', people.iris.id), 409, '23503', 'update or delete on table "staff" violates foreign key constraint "interviews_interviewer_id_fkey" on table "interviews"', `Key (user_id)=(${people.iris.id}) is still referenced from table "interviews".`);
    refused(await hiring.service.from('skills').insert({ name: null }), 400, '23502', 'null value in column "name" of relation "skills" violates not-null constraint', 'Failing row contains (null, general).');
  });

  test('nothing is half done: one bad row of three keeps all three out', async () => {
    const rows = [{ name: 'Rust', category: 'language' }, { name: 'Java', category: 'language' }, { name: 'Zig', category: 'language' }];
    refused(await hiring.service.from('skills').insert(rows), 409, '23505', 'duplicate key value violates unique constraint "skills_pkey"', 'Key (name)=(Java) already exists.');
    assert.deepEqual(done(await hiring.service.from('skills').select('name').in('name', ['Rust', 'Zig']), 200), []);
  });

  test('set null on delete: a closed job\'s author leaves', async () => {
    const { data: { user } } = await hiring.service.auth.admin.createUser({ email: 'gone@hiring.example', password: PASSWORD, email_confirm: true });
    const job = done(await hiring.service.from('job_posts').insert({ department_id: 4, title: 'Ghost', location: 'X', created_by: user.id }).select('id').single(), 201);
    await hiring.service.auth.admin.deleteUser(user.id);
    assert.deepEqual(done(await hiring.service.from('job_posts').select('created_by').eq('id', job.id).single(), 200), { created_by: null });
  });

  test('a user who is deleted takes the profile and applications along', async () => {
    const count = async (table, column, value) => (await hiring.service.from(table).select('*', { count: 'exact', head: true }).eq(column, value)).count;
    assert.equal(await count('applications', 'user_id', people.ada.id), 2);
    const { error } = await hiring.service.auth.admin.deleteUser(people.ada.id);
    assert.equal(error, null);
    assert.equal(await count('candidates', 'user_id', people.ada.id), 0);
    assert.equal(await count('applications', 'user_id', people.ada.id), 0);
    assert.equal(await count('interviews', 'application_id', adaBackend), 0);
    assert.equal(await count('scorecards', 'application_id', adaBackend), 0);
    assert.equal(await count('comments', 'application_id', adaBackend), 0);
    assert.equal(await count('comments', 'application_id', benBackend), 1);
  });
});
