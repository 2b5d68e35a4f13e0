import { BENCH_IDS, parseBenchArguments } from './arguments';

describe('the arguments of npm run bench', () => {
  it('measures everything unless told otherwise', () => {
    expect(parseBenchArguments([])).toMatchObject({ only: BENCH_IDS, seconds: 8, slices: 3, json: false, long: false });
  });

  it('takes some measures only, in the order of the table, however they are written', () => {
    expect(parseBenchArguments(['--only', 'b7, B1', '--seconds=30', '--json'])).toMatchObject({
      only: ['B1', 'B7'],
      seconds: 30,
      json: true,
    });
  });

  it.each([
    [['--only'], /--only needs names/],
    [['--only', 'B1,B99'], /unknown B99; the measures are B1, /],
    [['--seconds', '1'], /whole number from 2 to 600, got "1"/],
    [['--seconds', '1e1'], /got "1e1"/],
    [['--seconds'], /--seconds needs a number/],
    [['--json=yes'], /--json takes no value/],
    [['--data', '--json'], /--data needs the path/],
    [['--only', 'B4', '--write-results'], /page of a whole run/],
    [['--fast'], /unknown option "--fast"; known are --only, .*--json/],
    [['B1'], /unknown option "B1"/],
  ])('refuses %j and says why', (args, message) => {
    expect(() => parseBenchArguments(args)).toThrow(message);
  });
});
