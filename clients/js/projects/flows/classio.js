// A teacher's classes: students, schedules, attendance, grades and tuition, each teacher's own.

export default async function flow({ person, anon, holds, done, rows, refused }) {
  const alice = await person('alice', { full_name: 'Ms Alice' });
  const bob = await person('bob');
  const mine = (values) => ({ owner_id: alice.id, ...values });

  const profile = done('a trigger made the profile', await alice.from('profiles').select('id,full_name').single());
  holds('it has the name', profile?.full_name === 'Ms Alice', profile);
  done('alice renames herself', await alice.from('profiles').update({ full_name: 'Alice A.' }).eq('id', alice.id).select().single());
  rows('bob renames her', await bob.from('profiles').update({ full_name: 'x' }).eq('id', alice.id).select(), 0);
  rows('anon reads profiles', await anon.from('profiles').select(), 0);

  const [maths, physics] = rows('two classes', await alice.from('classes').insert([mine({ name: 'Maths' }), mine({ name: 'Physics', description: 'Mechanics' })]).select(), 2);
  refused('bob makes a class for alice', await bob.from('classes').insert(mine({ name: 'Spying' })).select(), '42501');
  refused('a class without a name', await alice.from('classes').insert(mine({})), '23502');
  const students = rows(
    'three students',
    await alice.from('students').insert([
      mine({ full_name: 'An', class_id: maths.id, phone: '1' }),
      mine({ full_name: 'Binh', class_id: maths.id, parent_name: 'Chi' }),
      mine({ full_name: 'Dung', class_id: physics.id, note: 'new' }),
    ], { defaultToNull: false }).select('id,full_name,classes(name)'),
    3,
  );
  holds('each in a class', students?.map((s) => s.classes.name).join() === 'Maths,Maths,Physics', students);
  const [an, binh, dung] = students;
  rows('bob sees no student', await bob.from('students').select(), 0);
  const counted = done('classes and how many are in them', await alice.from('classes').select('name,students(count)').order('name'));
  holds('two and one', JSON.stringify(counted?.map((c) => c.students[0].count)) === '[2,1]', counted);

  rows('a schedule', await alice.from('schedules').insert([
    mine({ class_id: maths.id, day_of_week: 1, start_time: '08:00', end_time: '09:30', room: 'A1' }),
    mine({ class_id: maths.id, day_of_week: 3, start_time: '10:00', end_time: '11:30', room: null }),
  ]).select(), 2);
  refused('an eighth day', await alice.from('schedules').insert(mine({ class_id: maths.id, day_of_week: 7, start_time: '08:00', end_time: '09:00' })), '23514');
  rows('the week', await alice.from('schedules').select('day_of_week,start_time,end_time,room,classes!inner(name)').eq('classes.name', 'Maths').order('day_of_week').order('start_time'), 2);

  const present = (student, status) => mine({ student_id: student.id, class_id: maths.id, date: '2026-03-02', status });
  const upsert = (values) => alice.from('attendance').upsert(values, { onConflict: 'student_id,date' }).select('status,students(full_name)');
  rows('attendance', await upsert([present(an, 'present'), present(binh, 'absent')]), 2);
  const corrected = rows('it is corrected', await upsert([present(an, 'present'), present(binh, 'late')]), 2);
  holds('late', corrected?.[1]?.status === 'late', corrected);
  refused('a status that is none', await upsert([present(an, 'asleep')]), '22P02');
  refused('a second entry of a day', await alice.from('attendance').insert(present(an, 'late')), '23505');
  const { count } = await alice.from('attendance').select('*', { count: 'exact', head: true }).eq('status', 'present').gte('date', '2026-03-01').lt('date', '2026-04-01');
  holds('one was there', count === 1, count);

  rows('grades', await alice.from('grades').insert([
    mine({ student_id: an.id, subject: 'Maths', assignment: 'Test', score: 8.5, date: '2026-03-03' }),
    mine({ student_id: an.id, subject: 'Maths', score: 9, max_score: 10, date: '2026-03-10' }),
    mine({ student_id: dung.id, subject: 'Physics', score: 7.25, date: '2026-03-04' }),
  ], { defaultToNull: false }).select('score,max_score'), 3);
  refused('a score that is too long', await alice.from('grades').insert(mine({ student_id: an.id, subject: 'Maths', score: 12345.5 })), '22003');
  rows('the last grades', await alice.from('grades').select('subject,score,students(full_name)').order('date', { ascending: false }).range(0, 1), 2);
  rows('by a name in another table', await alice.from('grades').select('score,students!inner(full_name)').ilike('students.full_name', 'a%').order('score'), 2);

  rows('tuition', await alice.from('tuitions').upsert([an, binh, dung].map((student) => mine({ student_id: student.id, period: '2026-03', amount: 500000 })), { onConflict: 'student_id,period', ignoreDuplicates: true }).select(), 3);
  rows('again, nothing', await alice.from('tuitions').upsert([mine({ student_id: an.id, period: '2026-03', amount: 1 })], { onConflict: 'student_id,period', ignoreDuplicates: true }).select(), 0);
  rows('one is paid', await alice.from('tuitions').update({ is_paid: true, paid_at: '2026-03-05T10:00:00Z' }).eq('student_id', an.id).eq('period', '2026-03').select('amount,is_paid,paid_at'), 1);
  rows('who owes', await alice.from('tuitions').select('amount,students(full_name,classes(name))').eq('is_paid', false).order('students(full_name)'), 2);
  rows('bob sees no tuition', await bob.from('tuitions').select(), 0);

  done('a class is closed', await alice.from('classes').delete().eq('id', physics.id).select().single());
  const left = done('its student stays', await alice.from('students').select('full_name,class_id').eq('id', dung.id).single());
  holds('without a class', left && left.class_id === null, left);
  done('a student leaves', await alice.from('students').delete().eq('id', an.id));
  rows('and the grades with him', await alice.from('grades').select('subject'), 1);
  return { alice, bob };
}
