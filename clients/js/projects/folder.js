// A project's folder: where it lies on this machine, else from its public repository at the commit of projects.json.
//
//   BACKPLANE_PROJECTS    a folder with a folder OWNER+NAME for each project (default: target/projects of this repository)

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const pathOf = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const kept = process.env.BACKPLANE_PROJECTS ?? pathOf('../../../target/projects');

/**
 * The projects that are known: {name, repository, commit, folder, seed}. `folder` is where in the repository `supabase/` is; `seed` is
 * false where PostgreSQL does not take the project's seed.
 */
export const projects = JSON.parse(readFileSync(pathOf('projects.json'), 'utf8')).map((row) => ({
  folder: 'supabase',
  ...row,
  name: row.repository.split('/')[1].toLowerCase(),
}));

/** The example of this repository. It is whole: it is served as in production, where every complaint counts. */
export const hiring = { name: 'hiring', path: pathOf('../../../examples/hiring'), command: 'serve' };

/** The project's `supabase/` folder. */
export function folderOf({ repository, commit, folder }) {
  const clone = join(kept, repository.replace('/', '+'));
  if (!existsSync(clone)) fetchInto(clone, { repository, commit, folder });
  return join(clone, folder);
}

function fetchInto(clone, { repository, commit, folder }) {
  const git = (...words) => execFileSync('git', words, { stdio: ['ignore', 'ignore', 'inherit'] });
  mkdirSync(kept, { recursive: true });
  git('clone', '--quiet', '--filter=blob:none', '--no-checkout', `https://github.com/${repository}`, clone);
  git('-C', clone, 'sparse-checkout', 'set', folder);
  git('-C', clone, 'checkout', '--quiet', commit);
}
