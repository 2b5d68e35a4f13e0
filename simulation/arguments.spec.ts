import { BadArgument, readArguments } from './arguments';

describe('arguments of npm run simulate', () => {
  it('plays 200 seeds from 1 on unless told otherwise', () => {
    expect(readArguments([])).toMatchObject({ seeds: 200, from: 1, seed: undefined, month: false });
  });

  it('reads numbers after a space and after an equals sign', () => {
    expect(readArguments(['--seeds', '7', '--from=3', '--json'])).toMatchObject({ seeds: 7, from: 3, json: true });
  });

  it('breaks the engine in the way that is named, and by the older name of one of them', () => {
    expect(readArguments([]).fault).toBeUndefined();
    expect(readArguments(['--broken', 'trusts-silence']).fault).toBe('trusts-silence');
    expect(readArguments(['--broken=ignores-caps', '--b3']).fault).toBe('ignores-caps');
    expect(readArguments(['--broken-ledger']).fault).toBe('frees-early');
  });

  it.each([
    [['--sedes', '7'], /unknown option "--sedes"; known are --seeds, .*--b3/],
    [['--seeds', 'x'], /whole number from 1 to 1000000, got "x"/],
    [['--seeds'], /got ""/],
    [['--seeds=3=4'], /got "3=4"/],
    [['--b3', '--days', '1'], /from 2 to 366/],
    [['--trace'], /give --seed too/],
    [['--trace', '--seed', '1', '--b3'], /not the month/],
    [['--days', '7'], /--days is about the month: give --b3 too/],
    [['--workers=2'], /--workers is about the month/],
    [['--seeds', '7', '--seed', '3'], /contradicts --seed/],
    [['--from', '7', '--seed', '3'], /contradicts --seed/],
    [['--seeds', '7', '--b3'], /contradicts --b3/],
    [['--json=1'], /--json takes no value/],
    [['--broken', 'toString'], /--broken needs one of frees-early, .*, trusts-silence, got "toString"/],
    [['--broken'], /got ""/],
    [['--broken', 'frees-early', '--broken-ledger'], /give one of the two/],
  ])('refuses %j and says why', (args, why) => {
    expect(() => readArguments(args)).toThrow(BadArgument);
    expect(() => readArguments(args)).toThrow(why);
  });
});
