import { readStagedCrash } from './staged-failpoints';

describe('the place where a worker is told to crash', () => {
  it.each([
    ['after-claim', { place: 'after-claim', passes: 0 }],
    ['before-send:20', { place: 'before-send', passes: 20 }],
    ['after-claim:3:block=17000', { place: 'after-claim', passes: 3, blockMs: 17_000 }],
  ])('is read from %s', (text, crash) => {
    expect(readStagedCrash(text)).toEqual(crash);
  });

  it.each(['', 'nowhere', 'after-claim:', 'after-claim:x', 'after-claim:1:sleep=3'])('is none in %j', (text) => {
    expect(readStagedCrash(text)).toBeUndefined();
  });
});
