// The example of this repository: a vacancy from its draft to the decision, with candidates who do not see each other.

export default async function flow({ person, anon, service, holds, done, rows, refused }) {
  const [ada, ben, iris, hugo, rita] = [await person('ada'), await person('ben'), await person('iris'), await person('hugo'), await person('rita')];
  const departments = done('departments', await anon.from('departments').select('id,slug').order('id'));
  const engineering = departments?.find(({ slug }) => slug === 'engineering')?.id;
  rows('who works here', await service.from('employees').insert([
    { user_id: iris.id, role: 'interviewer', department_id: engineering },
    { user_id: hugo.id, role: 'hiring_manager', department_id: engineering },
    { user_id: rita.id, role: 'recruiter', department_id: null },
  ]).select('role'), 3);
  rows('the directory', await service.from('staff').insert([iris, hugo, rita].map((p) => ({ user_id: p.id, full_name: p.who }))).select('full_name'), 3);
  rows('colleagues see it', await iris.from('staff').select('full_name').order('full_name'), 3);
  rows('candidates do not', await ada.from('staff').select(), 0);

  const draft = done('hugo drafts a job', await hugo.from('job_posts').insert({ department_id: engineering, title: 'Miller', location: 'London', salary_min: 60000, salary_max: 80000, experience_max_years: 9 }).select('id,slug,status,salary_mid,created_by').single());
  holds('with a slug and a middle', draft?.slug === 'miller' && draft?.salary_mid === 70000 && draft?.created_by === hugo.id, draft);
  refused('he publishes another at once', await hugo.from('job_posts').insert({ department_id: engineering, title: 'Smith', location: 'London', status: 'published', published_at: '2026-01-02T00:00:00Z' }), '42501');
  refused('a salary upside down', await hugo.from('job_posts').insert({ department_id: engineering, title: 'Smith', location: 'London', salary_min: 2, salary_max: 1 }), '23514');
  refused('the title again', await rita.from('job_posts').insert({ department_id: engineering, title: 'MILLER', location: 'Leeds' }), '23505');
  rows('skills of it', await hugo.from('job_skills').insert([{ job_id: draft?.id, skill: 'Go', position: 1 }, { job_id: draft?.id, skill: 'SQL', position: 2, min_years: 2.5 }], { defaultToNull: false }).select('skill,level,must_have'), 2);
  rows('nobody outside sees it', await anon.from('job_posts').select().eq('id', draft?.id), 0);
  refused('nobody applies', await ada.from('applications').insert({ candidate_id: ada.id, job_id: draft?.id }), '42501');
  rows('rita publishes it', await rita.from('job_posts').update({ status: 'published', published_at: '2026-01-02T00:00:00Z' }).eq('id', draft?.id).select('status'), 1);
  const shown = done('anybody sees it', await anon.from('job_posts').select('title,departments(name),job_skills(skill,min_years)').eq('id', draft?.id).order('position', { referencedTable: 'job_skills' }).single());
  holds('with its skills', shown?.job_skills?.map(({ skill }) => skill).join() === 'Go,SQL', shown);
  rows('by its view', await anon.from('published_jobs').select('title').eq('title', 'Miller'), 1);
  rows('hugo edits it no more', await hugo.from('job_posts').update({ openings: 9 }).eq('id', draft?.id).select(), 0);

  const profile = async (client, skills) => done('a profile', await client.from('candidates').insert({ full_name: client.who, email: client.email, skills }).select('id,user_id').single());
  const [his, hers] = [await profile(ben, ['SQL']), await profile(ada, ['Go', 'Mill'])];
  refused('ada makes one for ben', await ada.from('candidates').insert({ user_id: ben.id, full_name: 'x', email: 'x@example.com' }), '42501');
  const apply = (client, candidate, values) => client.from('applications').insert({ candidate_id: candidate?.id, job_id: draft?.id, ...values }).select('id,stage').single();
  const application = done('ada applies', await apply(ada, hers, { cover_letter: 'I led the mill.', answers: [{ id: 'notice', answer: 'none' }] }));
  const second = done('so does ben', await apply(ben, his, {}));
  refused('ada applies again', await apply(ada, hers, {}), '23505');
  refused('hired at once', await apply(ada, hers, { stage: 'hired' }), '42501');
  rows('ada sees her own', await ada.from('my_applications').select('stage'), 1);
  rows('and no other', await ada.from('applications').select().eq('id', second?.id), 0);
  rows('iris sees none', await iris.from('applications').select(), 0);
  const inbox = rows('hugo sees both', await hugo.from('applications').select('stage,candidates(full_name,skills),job_posts(title)').order('created_at'), 2);
  holds('with who they are', inbox?.map((row) => row.candidates.full_name).join() === 'ada,ben', inbox);

  rows('rita moves ada on', await rita.from('applications').update({ stage: 'interview' }).eq('id', application?.id).select('stage'), 1);
  done('notes that', await rita.from('application_stage_history').insert({ application_id: application?.id, from_stage: 'applied', to_stage: 'interview', note: 'strong' }));
  rows('which ada does not see', await ada.from('application_stage_history').select(), 0);
  done('rita assigns iris', await rita.from('assignments').insert({ application_id: application?.id, interviewer_id: iris.id, is_lead: true }));
  rows('now iris sees ada', await iris.from('applications').select('cover_letter').eq('id', application?.id), 1);
  const interview = done('an interview', await rita.from('interviews').insert({ application_id: application?.id, interviewer_id: iris.id, kind: 'technical', scheduled_at: '2026-03-02T10:00:00+01:00' }).select('id,scheduled_at,duration_minutes').single());
  holds('in the zone of the reply', interview?.scheduled_at === '2026-03-02T09:00:00+00:00', interview);
  const appointment = done('ada sees with whom', await ada.from('interviews').select('kind,staff(full_name)').single());
  holds('iris', appointment?.staff?.full_name === 'iris', appointment);
  done('iris thinks', await iris.from('scorecards').insert({ application_id: application?.id, interview_id: interview?.id, rating: 5, recommendation: 'strong_yes', ratings_by_skill: { Go: 5 } }));
  rows('hugo does not know what', await hugo.from('scorecards').select(), 0);
  done('iris says so', await iris.from('scorecard_submissions').insert({ application_id: application?.id }));
  rows('hugo knows', await hugo.from('scorecards').select('rating,ratings_by_skill->Go'), 1);
  rows('iris thinks again, too late', await iris.from('scorecards').update({ rating: 1 }).eq('application_id', application?.id).select(), 0);
  rows('ada never knows', await ada.from('scorecards').select(), 0);

  done('rita asks', await rita.from('comments').insert([{ application_id: application?.id, body: 'at the top', visibility: 'internal' }, { application_id: application?.id, body: 'Monday?', visibility: 'shared' }]));
  rows('ada reads the question', await ada.from('comments').select('body'), 1);
  refused('she answers inside', await ada.from('comments').insert({ application_id: application?.id, body: 'x' }), '42501');
  done('she answers', await ada.from('comments').insert({ application_id: application?.id, body: 'Yes', visibility: 'shared' }));
  rows('ben reads nothing', await ben.from('comments').select(), 0);
  rows('ben withdraws', await ben.from('applications').update({ stage: 'withdrawn' }).eq('id', second?.id).select('stage'), 1);
  rows('for good', await ben.from('applications').update({ stage: 'withdrawn' }).eq('id', second?.id).select('stage'), 0);
  rows('ada is hired', await rita.from('applications').update({ stage: 'hired' }).eq('id', application?.id).select('stage'), 1);
  const { count } = await rita.from('applications').select('*', { count: 'exact', head: true }).in('stage', ['hired', 'withdrawn']);
  holds('both are decided', count === 2, count);
  return { ada, ben, iris, hugo, rita };
}
