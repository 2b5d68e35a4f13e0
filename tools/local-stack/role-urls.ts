import { LOGIN_ROLES, type LoginRole } from '@libs/database';
import type { StackSecrets } from './stack-secrets';

export interface RoleUrls {
  readonly migrate: string;
  readonly app: string;
  readonly admin: string;
  readonly worker: string;
}

export function rolePasswords(secrets: StackSecrets): Record<LoginRole, string> {
  return {
    pf_migrate: secrets.migratePassword,
    pf_app: secrets.appPassword,
    pf_admin: secrets.adminPassword,
    pf_worker: secrets.workerPassword,
  };
}

/** The URLs of the login roles for one database of the server on that loopback port. */
export function roleUrls(secrets: StackSecrets, port: number, database: string): RoleUrls {
  const passwords = rolePasswords(secrets);
  const [migrate, app, admin, worker] = LOGIN_ROLES.map(
    (role) => `postgres://${role}:${passwords[role]}@127.0.0.1:${port}/${database}`,
  ) as [string, string, string, string];
  return { migrate, app, admin, worker };
}
