import type { Principal } from './principal';
import type { Access, Role } from './access.decorator';

const RANK: Readonly<Record<Role, number>> = { viewer: 1, operator: 2, owner: 3 };

/** Denies by default: a field that nobody wrote a decision for is open to nobody. */
export function mayUse(principal: Principal, access: Access | undefined): boolean {
  if (access === undefined) return false;
  if ('role' in access) return principal.kind === 'operator' && RANK[principal.role] >= RANK[access.role];
  if (principal.kind !== 'key') return false;
  return access.scope === 'any' || principal.scopes.includes(access.scope);
}

/** What to tell somebody who may not. */
export function refusalText(field: string, access: Access | undefined): string {
  if (access === undefined) return `"${field}" is open to nobody.`;
  if ('role' in access) return `"${field}" needs the role ${access.role} or a higher one.`;
  return `"${field}" needs a key with the scope "${access.scope}".`;
}
