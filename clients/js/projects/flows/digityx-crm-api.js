// A consultant's customers: companies, projects in lots, contracts whose due dates a function makes, and numbers for the dashboard.

export default async function flow({ person, anon, holds, done, rows, refused }) {
  const alice = await person('alice');
  const bob = await person('bob');
  const mine = (values) => ({ user_id: alice.id, ...values });
  const insert = (table, values) => alice.from(table).insert(mine(values)).select();

  const company = done('a company', await insert('entreprises', { nom: 'Alice SAS', forme_juridique: 'SAS', is_default: true }).single());
  holds('in the color of the default', company?.couleur === '#3B82F6', company);
  refused('of a form that is none', await insert('entreprises', { nom: 'x', forme_juridique: 'GmbH' }), '23514');
  refused('bob makes one for alice', await bob.from('entreprises').insert(mine({ nom: 'x', forme_juridique: 'SAS' })), '42501');
  const clients = rows('clients', await alice.from('clients').insert([
    mine({ entreprise_id: company?.id, nom: 'Boulangerie', statut: 'Actif', satisfaction: 9, potentiel_extension: 'Élevé', idees_vente: ['site', 'app'] }),
    mine({ entreprise_id: company?.id, nom: 'Garage', recommande_par: 'Manu (fondateur)' }),
  ], { defaultToNull: false }).select('id,nom,statut,idees_vente'), 2);
  holds('a cold one by default', clients?.[1]?.statut === 'Prospect Froid', clients);
  refused('eleven of ten', await insert('clients', { nom: 'x', satisfaction: 11 }), '23514');
  rows('bob sees none', await bob.from('clients').select(), 0);
  const [bakery, garage] = clients;

  const project = done('a project', await insert('projects', { client_id: bakery.id, entreprise_id: company?.id, nom: 'Refonte', type: 'Refonte', statut_projet: 'En cours', montant_ht: 9000, date_fin_prevue: '2026-06-30', stack_technique: ['astro'] }).single());
  done('one that is discussed', await insert('projects', { client_id: garage.id, entreprise_id: company?.id, nom: 'Devis', montant_ht: 4000, probabilite_closing: 25 }).single());
  done('one of her own', await insert('projects', { nom: 'SaaS', date_fin_prevue: '2026-07-31' }).single());
  rows('those of nobody else', await alice.from('projects').select('nom').is('client_id', null).is('deleted_at', null), 1);
  const lots = rows('lots', await alice.from('project_lots').insert([
    mine({ project_id: project?.id, nom: 'Design', ordre: 1, montant_ht: 3000, statut_facturation: 'Payé', montant_facture: 3000, montant_paye: 3000, date_facturation: '2026-01-10', date_paiement: '2026-01-20' }),
    mine({ project_id: project?.id, nom: 'Code', ordre: 2, montant_ht: 6000, statut_facturation: 'Facturé', montant_facture: 6000, date_facturation: '2026-02-10' }),
  ], { defaultToNull: false }).select('id,nom,montant_paye'), 2);
  const deep = done('a client with all of it', await alice.from('clients').select('nom,projects(nom,montant_ht,project_lots(nom,montant_paye))').eq('id', bakery.id).order('ordre', { referencedTable: 'projects.project_lots' }).single());
  holds('two lots', deep?.projects?.[0]?.project_lots?.length === 2, deep);
  rows('due dates of a lot', await alice.from('project_lot_echeances').insert([
    mine({ lot_id: lots?.[1]?.id, label: 'Acompte 30%', ordre: 1, montant_ht: 1800, date_echeance: '2026-03-01' }),
    mine({ lot_id: lots?.[1]?.id, label: 'Solde', ordre: 2, montant_ht: 4200, date_echeance: '2026-04-01' }),
  ]).select('label'), 2);

  const contract = done('a contract', await insert('project_recurrents', { project_id: project?.id, montant_ht: 300, frequence: 'Trimestriel', date_debut: '2026-01-15' }).single());
  const made = done('its due dates are made', await alice.rpc('generate_echeances', { p_recurrent_id: contract?.id, p_until_date: '2026-12-31' }));
  holds('four quarters', made === 4, made);
  holds('and not again', done('asked again', await alice.rpc('generate_echeances', { p_recurrent_id: contract?.id, p_until_date: '2026-12-31' })) === 0);
  const dates = rows('in their order', await alice.from('project_recurrent_echeances').select('periode_debut,periode_fin,label,montant_ht').order('periode_debut'), 4);
  holds('with a label', dates?.[1]?.label === 'April 2026' && dates?.[1]?.periode_fin === '2026-06-30', dates);
  rows('one is paid', await alice.from('project_recurrent_echeances').update({ statut_facturation: 'Payé', date_paiement: '2026-02-01' }).eq('periode_debut', '2026-01-01').select('statut_facturation'), 1);

  const action = done('something to do', await insert('actions', { client_id: garage.id, titre: 'Rappeler', type: 'Relance', priorite: 'Haute', date_echeance: '2026-03-10', position: 1 }).single());
  done('something done', await insert('actions', { titre: 'Facturer', statut: 'Fait', date_echeance: '2026-03-11' }).single());
  done('a meeting', await insert('interactions', { client_id: bakery.id, type: 'Réunion', sujet: 'Maquettes', date: '2026-03-05T09:00:00Z' }).single());
  done('an insight', await insert('insights_ia', { type: 'Upsell détecté', client_id: bakery.id, titre: 'Proposer une app', score_confiance: 80, action_id: action?.id, metadata: { model: 'x' } }).single());
  refused('of a kind that is none', await insert('insights_ia', { type: 'Magie', titre: 'x' }), '23514');
  const ideas = rows('ideas', await alice.from('project_ideas').insert([
    mine({ project_id: project?.id, lot_id: lots?.[0]?.id, titre: 'Mode sombre', categorie: 'UX/UI', estimation_montant: 800, priorite: 'Basse' }),
    mine({ project_id: project?.id, titre: 'Cache', categorie: 'Performance', estimation_montant: 1200.5, priorite: 'Haute', tags: ['vite'] }),
    mine({ project_id: project?.id, titre: 'Paiement', statut: 'Vendu', estimation_montant: 3000 }),
  ], { defaultToNull: false }).select('titre,statut'), 3);
  holds('the last is sold', ideas?.[2]?.statut === 'Vendu', ideas);
  // Two of its tables have a description.
  refused('ideas for a proposal', await alice.rpc('get_project_ideas_for_ai', { p_project_id: project?.id }), '42702');
  const stats = done('in numbers', await alice.rpc('get_project_ideas_stats', { p_project_id: project?.id }));
  holds('three', stats?.total === 3 && stats?.potentiel_total === 2000.5 && stats?.vendu_total === 3000, stats);

  const metrics = done('the dashboard', await alice.rpc('get_dashboard_metrics', { p_user_id: alice.id }));
  holds('what is active, to come and paid', metrics?.clients_actifs === 1 && metrics?.pipeline === 1000 && metrics?.actions_pending === 1, metrics);
  done('of a company', await alice.rpc('get_dashboard_metrics', { p_user_id: alice.id, p_entreprise_id: company?.id }));
  const calendar = done('the calendar', await alice.rpc('get_calendar_events', { p_user_id: alice.id, p_start_date: '2026-01-01', p_end_date: '2026-12-31' }).select('event_type,title,event_date,client_name,amount').order('event_date').order('title'));
  holds('has a deadline and a meeting', calendar?.some(({ title }) => title === 'Deadline: Refonte') && calendar?.some(({ event_type: type }) => type === 'interaction'), calendar);
  const { count } = await alice.from('actions').select('*', { count: 'exact', head: true }).in('statut', ['À faire', 'En cours']);
  holds('one is open', count === 1, count);
  rows('searched', await alice.from('clients').select('nom').or('nom.ilike.%gar%,email.ilike.%gar%').contains('idees_vente', []), 1);

  rows('the action goes, the insight stays', await alice.from('actions').delete().eq('id', action?.id).select('titre'), 1);
  rows('without it', await alice.from('insights_ia').select('titre').is('action_id', null), 1);
  rows('the garage is put away', await alice.from('clients').update({ deleted_at: '2026-04-01T00:00:00Z' }).eq('id', garage.id).select('nom'), 1);
  rows('one client is active', await alice.from('clients').select('nom').is('deleted_at', null), 1);
  rows('nobody deletes clients', await alice.from('clients').delete().eq('id', garage.id).select(), 0);
  rows('bob changes no project', await bob.from('projects').update({ nom: 'x' }).eq('id', project?.id).select(), 0);
  rows('a visitor sees none', await anon.from('projects').select(), 0);
  return { alice, bob };
}
