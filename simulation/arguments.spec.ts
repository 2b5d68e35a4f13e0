import { BadArgument, readArguments } from './arguments';

describe('arguments of npm run simulate', () => {
  it('plays 200 seeds from 1 on unless told otherwise', () => {
    expect(readArguments([])).toMatchObject({ seeds: 200, from: 1, seed: undefined, month: false });
  });

  it('reads numbers after a space and after an equals sign', () => {
    expect(readArguments(['--seeds', '7', '--from=3', '--json'])).toMatchObject({ seeds: 7, from: 3, json: true });
  });

  it.each([[['--sedes', '7']], [['--seeds', 'x']], [['--seeds']], [['--days', '1']], [['--trace']], [['--json=1']]])(
    'refuses %j and says why',
    (args) => {
      expect(() => readArguments(args)).toThrow(BadArgument);
    },
  );
});
