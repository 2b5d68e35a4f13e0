import { createHash } from 'node:crypto';

/** JSON with sorted keys, absent and null members left out: equal requests read equal. */
export function canonicalJson(value: unknown): string {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'null' : JSON.stringify(value.toISOString());
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined && member !== null)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
    return `{${members.join(',')}}`;
  }
  return value === undefined ? 'null' : JSON.stringify(value);
}

/** What decides whether a second request under the same key is the same request. */
export function requestHash(emails: readonly unknown[]): Buffer {
  return createHash('sha256').update(canonicalJson(emails)).digest();
}
