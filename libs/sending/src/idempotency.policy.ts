import { createHash } from 'node:crypto';

/** JSON with sorted keys, absent and null members left out: equal requests read equal. */
export function canonicalJson(value: unknown): string {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'null' : JSON.stringify(value.toISOString());
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = value as Readonly<Record<string, unknown>>;
    let text = '';
    for (const key of Object.keys(members).sort()) {
      const member = members[key];
      if (member === undefined || member === null) continue;
      text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(member)}`;
    }
    return `{${text}}`;
  }
  return value === undefined ? 'null' : JSON.stringify(value);
}

/** What decides whether a second request under the same key is the same request. */
export function requestHash(emails: readonly unknown[]): Buffer {
  return createHash('sha256').update(canonicalJson(emails)).digest();
}
