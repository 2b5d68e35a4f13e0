import { isHeaderSafe, MODES, type ApiKeyId, type Issue, type Mode, type TenantId } from '@libs/kernel';

/** What a key may be allowed to do; an operation without one of them is closed to it. */
export const SCOPES = ['send', 'read', 'domains', 'webhooks', 'billing:read', 'billing:write', 'keys'] as const;
export type Scope = (typeof SCOPES)[number];

/** A customer who has shown a key. */
export interface KeyPrincipal {
  readonly kind: 'key';
  readonly keyId: ApiKeyId;
  readonly tenantId: TenantId;
  readonly mode: Mode;
  readonly scopes: readonly Scope[];
  /** When the key ends; null = never. */
  readonly expiresAt: Date | null;
}

export interface NewApiKey {
  readonly name: string;
  readonly mode: string;
  readonly scopes: readonly string[];
  readonly expiresAt?: Date | null;
  /** The key on whose behalf this one is made, if it is a customer who asks: the new one may not do more. */
  readonly grantor?: Pick<KeyPrincipal, 'mode' | 'scopes' | 'expiresAt'>;
}

/** Everything that is wrong with the wanted key, field by field. */
export function apiKeyIssues(wanted: NewApiKey, now: Date): Issue[] {
  const issues: Issue[] = [];
  if (!isName(wanted.name)) issues.push(invalid('Expected 1 to 120 printable characters.', 'name'));
  if (!isMode(wanted.mode)) issues.push(invalid(`Expected one of ${MODES.join(', ')}.`, 'mode'));
  if (wanted.scopes.length === 0) issues.push(invalid(`Expected at least one of ${SCOPES.join(', ')}.`, 'scopes'));
  wanted.scopes.forEach((scope, index) => {
    const path = ['scopes', String(index)];
    if (!isScope(scope)) issues.push(invalid(`Expected one of ${SCOPES.join(', ')}.`, ...path));
    else if (wanted.scopes.indexOf(scope) < index) issues.push(invalid(`${scope} is listed twice.`, ...path));
    else if (wanted.grantor && !wanted.grantor.scopes.includes(scope)) {
      issues.push({ code: 'FORBIDDEN', message: `Your own key does not have the scope ${scope}.`, path });
    }
  });
  if (wanted.grantor?.mode === 'TEST' && wanted.mode === 'LIVE') {
    issues.push({ code: 'FORBIDDEN', message: 'A test key cannot make a live key.', path: ['mode'] });
  }
  if (wanted.expiresAt && !(wanted.expiresAt.getTime() > now.getTime())) {
    issues.push(invalid('Expected a time in the future, or nothing for a key that does not expire.', 'expiresAt'));
  } else if (wanted.grantor?.expiresAt && !(wanted.expiresAt && wanted.expiresAt <= wanted.grantor.expiresAt)) {
    const message = `Your own key ends at ${wanted.grantor.expiresAt.toISOString()}: one that it makes ends then at the latest.`;
    issues.push({ code: 'FORBIDDEN', message, path: ['expiresAt'] });
  }
  return issues;
}

/** A name that may stand in a header, a log line or a page as it is. */
export function isName(text: string): boolean {
  return text.trim() !== '' && text.length <= 120 && isHeaderSafe(text);
}

export function isScope(text: string): text is Scope {
  return (SCOPES as readonly string[]).includes(text);
}

export function isMode(text: string): text is Mode {
  return (MODES as readonly string[]).includes(text);
}

function invalid(message: string, ...path: readonly string[]): Issue {
  return { code: 'INVALID_INPUT', message, path };
}
