import { z } from 'zod';

const url = (user: string) => {
  const expected = `expected postgres://${user}:<password>@<host>:5432/<database>`;
  return z.string({ error: expected }).regex(/^postgres(ql)?:\/\/[^@/]+@[^/]+\/.+/, expected);
};

/** A role's URL, which must really be that role's: its password is what the program sets. */
const roleUrl = (role: string) =>
  url(role).refine((text) => URL.canParse(text) && new URL(text).username === role, `must connect as ${role}`);

export const migrateConfig = z.object({ DATABASE_MIGRATE_URL: url('pf_migrate') });

export const bootstrapConfig = z.object({
  DATABASE_SUPERUSER_URL: url('postgres'),
  DATABASE_MIGRATE_URL: roleUrl('pf_migrate'),
  DATABASE_APP_URL: roleUrl('pf_app'),
  DATABASE_ADMIN_URL: roleUrl('pf_admin'),
  DATABASE_WORKER_URL: roleUrl('pf_worker'),
});
