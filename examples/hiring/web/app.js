// The careers page: lists published jobs and applies, as whoever is signed in. What it may see and do is decided by the
// policies of the database; nothing here filters for safety.
//
// The project's publishable key comes in the address once, as the server prints it: /app/#key=sb_publishable_…

const $ = (id) => document.getElementById(id);

/** An element with text and children; text is never read as HTML. */
function el(tag, text, ...children) {
  const node = document.createElement(tag);
  if (text) node.textContent = text;
  node.append(...children);
  return node;
}

function say(text) {
  $('notice').textContent = text;
  $('notice').hidden = !text;
}

function key() {
  const given = new URLSearchParams(location.hash.slice(1)).get('key');
  if (given) {
    localStorage.setItem('publishable-key', given);
    history.replaceState(null, '', location.pathname);
  }
  return localStorage.getItem('publishable-key');
}

/** The rows of an answer, or its complaint as an exception. */
async function rows(question) {
  const { data, error } = await question;
  if (error) throw error;
  return data;
}

const place = ({ location, remote }) => (remote && location !== 'Remote' ? `${location}, remote` : location);
const years = ({ experience_min_years: min, experience_max_years: max }) => (max ? `${min} to ${max} years` : `from ${min} years`);

const JOB = `title, summary, location, remote, employment_type, seniority, experience_min_years, experience_max_years,
  salary_min, salary_max, salary_currency, screening_questions, department:departments(name),
  education:job_education(level, field, required), skills:job_skills(skill, level, must_have, choice),
  responsibilities:job_responsibilities(body), benefits:job_benefits(name)`;

async function listJobs() {
  const jobs = await rows(db.from('published_jobs').select('id, title, location, remote, experience_min_years, experience_max_years').order('published_at', { ascending: false }));
  $('jobs').replaceChildren(...jobs.map((job) => {
    const open = el('button', 'Read more');
    open.addEventListener('click', () => attempt(() => showJob(job.id)));
    return el('li', '', el('h3', job.title), el('small', `${place(job)} · ${years(job)} `), open);
  }));
}

/** Skills of which one will do are one line. */
function skillLines(skills) {
  const lines = new Map();
  for (const { skill, level, must_have: must, choice } of skills) {
    const group = choice === null ? skill : `choice ${choice}`;
    lines.set(group, [...(lines.get(group) ?? []), `${skill} (${level}${must ? '' : ', a plus'})`]);
  }
  return [...lines.values()].map((names) => names.join(' or '));
}

async function showJob(id) {
  const job = await rows(db.from('job_posts').select(JOB).eq('id', id).order('position', { referencedTable: 'skills' }).order('position', { referencedTable: 'responsibilities' }).single());
  const list = (title, lines) => [el('h3', title), el('ul', '', ...lines.map((line) => el('li', line)))];
  const salary = job.salary_min ? ` · ${job.salary_min} to ${job.salary_max} ${job.salary_currency}` : '';
  const apply = el('form');
  const letter = el('textarea');
  letter.name = 'cover_letter';
  letter.placeholder = 'Why this job?';
  apply.append(letter, el('button', 'Apply'));
  apply.addEventListener('submit', (event) => {
    event.preventDefault();
    attempt(() => applyFor(id, letter.value));
  });
  $('job').replaceChildren(
    el('h2', job.title),
    el('p', `${job.department.name} · ${place(job)} · ${job.employment_type.replace('_', ' ')}${salary}`),
    el('p', job.summary),
    ...list('What you will do', job.responsibilities.map(({ body }) => body)),
    ...list('What you bring', [
      `${years(job)} of experience (${job.seniority})`,
      ...job.education.map(({ level, field, required }) => `${level}${field ? ` in ${field}` : ''}${required ? '' : ' (a plus)'}`),
      ...skillLines(job.skills),
    ]),
    ...list('What you get', job.benefits.map(({ name }) => name)),
    apply,
  );
  $('job').hidden = false;
  $('job').scrollIntoView({ behavior: 'smooth' });
}

async function applyFor(job, letter) {
  const { data: { user } } = await db.auth.getUser();
  if (!user) return say('Sign in or sign up first.');
  const name = user.user_metadata.full_name || user.email;
  const candidate = await rows(db.from('candidates').upsert({ user_id: user.id, full_name: name, email: user.email }, { onConflict: 'user_id' }).select('id').single());
  await rows(db.from('applications').insert({ candidate_id: candidate.id, job_id: job, cover_letter: letter }));
  say('Thank you. Your application has arrived.');
  await listMine();
}

async function listMine() {
  const { data: { session } } = await db.auth.getSession();
  $('who').textContent = session ? session.user.email : '';
  $('account').hidden = Boolean(session);
  $('mine').hidden = !session;
  if (!session) return;
  const mine = await rows(db.from('my_applications').select('stage, created_at, job_posts(title)').order('created_at', { ascending: false }));
  const lines = mine.map(({ stage, created_at: at, job_posts: job }) => el('li', `${job?.title ?? 'A job that is no longer public'}: ${stage}, since ${new Date(at).toLocaleDateString()}`));
  $('applications').replaceChildren(...(lines.length ? lines : [el('li', 'None yet.')]));
}

async function account(event) {
  event.preventDefault();
  const { email, password, full_name } = Object.fromEntries(new FormData(event.target));
  const isNew = event.submitter?.value === 'up';
  await rows(isNew ? db.auth.signUp({ email, password, options: { data: { full_name } } }) : db.auth.signInWithPassword({ email, password }));
  await listMine();
}

/** Runs something that the person asked for; complaints are shown, not lost. */
async function attempt(action) {
  say('');
  try {
    await action();
  } catch (error) {
    say(error.message);
  }
}

let db;
const publishable = key();
if (!window.supabase) {
  say('The client library is not there: run `npm install` in the folder of this page.');
} else if (!publishable) {
  say('Open this page once with the address that the server printed: it holds the key of the project.');
} else {
  db = window.supabase.createClient(location.origin, publishable);
  $('account').addEventListener('submit', (event) => attempt(() => account(event)));
  await attempt(async () => {
    await listJobs();
    await listMine();
  });
}
