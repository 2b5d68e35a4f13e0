import { apiKeyIssues, SCOPES, type NewApiKey } from './new-api-key.policy';

const now = new Date('2026-11-22T12:00:00Z');
const later = new Date(now.getTime() + 60_000);
const maker: NonNullable<NewApiKey['grantor']> = { mode: 'LIVE', scopes: ['send', 'read'], expiresAt: null };
const valid: NewApiKey = { name: 'checkout service', mode: 'LIVE', scopes: ['send', 'read'] };

describe('a new API key', () => {
  it.each<[string, NewApiKey]>([
    ['without an expiry', valid],
    ['with a later expiry', { ...valid, expiresAt: new Date(now.getTime() + 1) }],
    ['with every scope', { ...valid, scopes: SCOPES }],
    ['made by a key that may as much', { ...valid, grantor: { ...maker, scopes: ['send', 'read', 'keys'] } }],
    ['for tests, made by a live key', { ...valid, mode: 'TEST', grantor: maker }],
    ['made by a key that ends with it', { ...valid, expiresAt: later, grantor: { ...maker, expiresAt: later } }],
  ])('is accepted %s', (_, wanted) => {
    expect(apiKeyIssues(wanted, now)).toEqual([]);
  });

  it.each<[string, Partial<NewApiKey>, string, string[]]>([
    ['no name', { name: '' }, 'INVALID_INPUT', ['name']],
    ['a name that would break a header', { name: 'a\nb' }, 'INVALID_INPUT', ['name']],
    ['an unknown mode', { mode: 'PROD' }, 'INVALID_INPUT', ['mode']],
    ['no scope', { scopes: [] }, 'INVALID_INPUT', ['scopes']],
    ['an unknown scope', { scopes: ['send', 'admin'] }, 'INVALID_INPUT', ['scopes', '1']],
    ['a scope twice', { scopes: ['send', 'send'] }, 'INVALID_INPUT', ['scopes', '1']],
    ['an expiry that has come', { expiresAt: now }, 'INVALID_INPUT', ['expiresAt']],
    ['an expiry that is no time', { expiresAt: new Date(Number.NaN) }, 'INVALID_INPUT', ['expiresAt']],
    ['a scope its maker lacks', { grantor: { ...maker, scopes: ['read', 'keys'] } }, 'FORBIDDEN', ['scopes', '0']],
    ['live mode from a test key', { grantor: { ...maker, mode: 'TEST' } }, 'FORBIDDEN', ['mode']],
    ['no end, from a key that ends', { grantor: { ...maker, expiresAt: later } }, 'FORBIDDEN', ['expiresAt']],
    [
      'a later end than its maker',
      { expiresAt: new Date(later.getTime() + 1), grantor: { ...maker, expiresAt: later } },
      'FORBIDDEN',
      ['expiresAt'],
    ],
  ])('is refused with %s, naming the field', (_, change, code, path) => {
    expect(apiKeyIssues({ ...valid, ...change }, now)).toEqual([expect.objectContaining({ code, path })]);
  });

  it('reports every wrong field at once', () => {
    const issues = apiKeyIssues({ name: '', mode: '', scopes: ['x'], expiresAt: now }, now);
    expect(issues.map((issue) => issue.path?.[0])).toEqual(['name', 'mode', 'scopes', 'expiresAt']);
  });
});
