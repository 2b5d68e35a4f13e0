import { createHash } from 'node:crypto';
import type { Mode } from '@libs/kernel';

/** Who to be in which account: everything a session is made from. TEST roles live at the test endpoint. */
export interface FleetRole {
  readonly mode: Mode;
  /** 12 digits. */
  readonly accountId: string;
  readonly roleArn: string;
  readonly externalId: string;
  readonly region: string;
  /** Begins with `pf-`, as the roles' trust policies ask; shows in CloudTrail. */
  readonly sessionName: string;
  /** Narrows the role further; at most 2,048 characters (aws-facts 8). */
  readonly sessionPolicy?: string;
}

/** Sessions are the same when account, role, name and policy are: the region only says where they are used. */
export function sessionKey(role: FleetRole): string {
  const parts = [role.mode, role.roleArn, role.externalId, role.sessionName, role.sessionPolicy ?? ''];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
