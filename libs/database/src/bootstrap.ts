import pg from 'pg';

export const LOGIN_ROLES = ['pf_migrate', 'pf_app', 'pf_admin', 'pf_worker'] as const;
export type LoginRole = (typeof LOGIN_ROLES)[number];

/**
 * Creates the roles and hands the database to its owner. Run by a superuser, once per database; safe to run again.
 * @param script the text of migrations/bootstrap.sql
 */
export async function bootstrapDatabase(
  superuserUrl: string,
  script: string,
  passwords: Readonly<Record<LoginRole, string>>,
): Promise<void> {
  const client = new pg.Client({ connectionString: superuserUrl });
  await client.connect();
  try {
    await client.query(script);
    for (const role of LOGIN_ROLES) {
      await client.query(`ALTER ROLE ${role} PASSWORD ${pg.escapeLiteral(passwords[role])}`);
    }
  } finally {
    await client.end();
  }
}
