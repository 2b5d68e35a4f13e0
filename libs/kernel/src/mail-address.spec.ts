import { domainToASCII } from 'node:url';
import fc from 'fast-check';
import { canonicalAddress, canonicalDomain, isHeaderSafe, isSameOrBelow } from './mail-address';

const RLO = '\u202e';

describe('canonicalAddress', () => {
  it.each([
    ['ann@example.com', 'ann@example.com'],
    ['Ann.Lee+tag@EXAMPLE.Com', 'Ann.Lee+tag@example.com'],
    ['o%rg!x@news.example.co.uk', 'o%rg!x@news.example.co.uk'],
    ['ann@bücher.example', 'ann@xn--bcher-kva.example'],
    ['a@xn--bcher-kva.example', 'a@xn--bcher-kva.example'],
  ])('accepts %s as %s', (given, expected) => {
    expect(canonicalAddress(given)).toBe(expected);
  });

  it.each([
    '',
    '@',
    'ann',
    'ann@',
    '@example.com',
    'ann@example',
    'ann@@example.com',
    'ann lee@example.com',
    '"victim@bank.com x"@evil.com',
    'Ann <ann@example.com>',
    'ann@example.com, bob@example.com',
    'ann@example.com\r\nBcc: victim@example.org',
    '"a\r\n b"@example.com',
    'ann@exa\u00admple.com',
    'ann@exa\u200bmple.com',
    'ann@\uff45xample.com',
    'ann@-example.com',
    'ann@example-.com',
    'ann@example..com',
    'ann@[127.0.0.1]',
    'ann@127.0.0.1',
    '.ann@example.com',
    'ann.@example.com',
    'a..b@example.com',
    'änn@example.com',
    '=?utf-8?q?ann?=@example.com',
    `${'a'.repeat(65)}@example.com`,
    `a@${'b'.repeat(64)}.com`,
    `a@${'b.'.repeat(130)}com`,
    `ann@example.com${RLO}`,
    'ann@example.com\u2028',
    'ann@example.com\u0000',
  ])('refuses %j', (given) => {
    expect(canonicalAddress(given)).toBeUndefined();
  });

  it('is idempotent, and what it accepts has no white space, control character or quote', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.emailAddress()), (text) => {
        const canonical = canonicalAddress(text);
        if (canonical === undefined) return;
        expect(canonicalAddress(canonical)).toBe(canonical);
        expect(canonical).toMatch(/^[\x21-\x7e]+$/);
        expect(canonical).not.toMatch(/[\s"<>,;:()[\]\\]/);
      }),
      { numRuns: 2_000 },
    );
  });

  it('answers long hostile input at once', () => {
    for (const text of [' '.repeat(100_000), 'a:'.repeat(50_000), `${'a.'.repeat(50_000)}@b.c`]) {
      expect(canonicalAddress(text)).toBeUndefined();
    }
  });
});

describe('domains', () => {
  it('keep a look-alike apart from what it imitates', () => {
    expect(canonicalDomain('ex\u0430mple.com')).not.toBe('example.com');
  });

  it('cover what is below them and nothing beside them', () => {
    expect(isSameOrBelow('news.acme.com', 'acme.com')).toBe(true);
    expect(isSameOrBelow('acme.com', 'acme.com')).toBe(true);
    expect(isSameOrBelow('notacme.com', 'acme.com')).toBe(false);
    expect(isSameOrBelow('acme.com.evil.com', 'acme.com')).toBe(false);
  });
});

describe('canonicalDomain', () => {
  it('takes a plain name for what the URL standard makes of it', () => {
    const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/);
    const name = fc.tuple(fc.array(label, { minLength: 1, maxLength: 3 }), fc.stringMatching(/^[a-z0-9]{1,6}$/));
    fc.assert(
      fc.property(name, ([labels, top]) => {
        const text = [...labels, top].join('.');
        const ascii = domainToASCII(text);
        expect(canonicalDomain(text)).toBe(ascii === text && /[a-z]/.test(top) ? text : undefined);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('isHeaderSafe', () => {
  it.each(['a\nb', 'a\rb', 'a\0b', 'a\u0085b', 'a\u2028b', `a${RLO}b`, 'a\u2066b'])('refuses %j', (text) => {
    expect(isHeaderSafe(text)).toBe(false);
  });

  it('accepts ordinary text of any script', () => {
    expect(isHeaderSafe('Grüße, 世界 – 50 % off!')).toBe(true);
  });
});
