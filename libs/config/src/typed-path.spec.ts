import path from 'node:path';
import { typedPath } from './typed-path';

describe('a path on a command line', () => {
  const byNpm = { INIT_CWD: '/home/ann/reports', npm_package_json: path.join(process.cwd(), 'package.json') };

  it('is of the folder in which it was typed, although npm runs the program in that of the project', () => {
    expect(typedPath('../bill.csv', byNpm)).toBe('/home/ann/bill.csv');
    expect(typedPath('/data', byNpm)).toBe('/data');
  });

  it('is of the folder of the process without npm, also below something else that npm has started', () => {
    expect(typedPath('data', {})).toBe(path.resolve('data'));
    expect(typedPath('data', { ...byNpm, npm_package_json: '/another/package.json' })).toBe(path.resolve('data'));
  });
});
