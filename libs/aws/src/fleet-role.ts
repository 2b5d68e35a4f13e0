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

const keys = new WeakMap<FleetRole, string>();

/**
 * Sessions are the same when account, role, name and policy are: the region only says where they are used. Remembered
 * for as long as the role lives: every send asks for it.
 */
export function sessionKey(role: FleetRole): string {
  const known = keys.get(role);
  if (known !== undefined) return known;
  const parts = [role.mode, role.roleArn, role.externalId, role.sessionName, role.sessionPolicy ?? ''];
  const key = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  keys.set(role, key);
  return key;
}
