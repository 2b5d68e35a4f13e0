import fc from 'fast-check';
import { maySuppress, suppressionKey, testVerdict } from './suppression.policy';

describe('the key of a suppressed address', () => {
  it.each([
    ['Ann@Example.COM', 'ann@example.com'],
    ['ann@b\u00fccher.example', 'ann@xn--bcher-kva.example'],
    ['Ann <ann@example.com>', undefined],
    ['ann', undefined],
  ])('of %s is %s', (address, key) => {
    expect(suppressionKey(address)).toBe(key);
  });

  it('is its own key', () => {
    fc.assert(
      fc.property(fc.emailAddress(), (address) => {
        const key = suppressionKey(address);
        expect(key === undefined || suppressionKey(key) === key).toBe(true);
      }),
    );
  });
});

describe('a test address', () => {
  it.each([
    ['suppressed@postfleet.test', 'suppressed'],
    ['suppressed+any@postfleet.test', 'suppressed'],
    ['bounced+any@postfleet.test', 'free'],
    ['suppressed@example.com', undefined],
    ['suppressed@sub.postfleet.test', undefined],
  ])('%s is %s', (key, verdict) => {
    expect(testVerdict(key)).toBe(verdict);
  });
});

it('what a simulator says of a real address stops no real mail', () => {
  expect(maySuppress('LIVE', 'ann@example.com')).toBe(true);
  expect(maySuppress('TEST', 'ann@example.com')).toBe(false);
  expect(maySuppress('TEST', 'bounced@postfleet.test')).toBe(true);
});
