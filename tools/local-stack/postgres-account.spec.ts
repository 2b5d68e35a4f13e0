import { systemUsers, underAccount } from './postgres-account';

describe('the account PostgreSQL runs under', () => {
  it('is never root, nor of a line that is broken', () => {
    const passwd =
      'root:x:0:0:root:/root:/bin/sh\npostgres:x:101:104::/var/lib/postgresql:/bin/sh\nbroken\nodd:x:abc:1:::\n:x:5:5:::\n';
    expect(systemUsers(passwd)).toEqual([{ name: 'postgres', uid: 101, gid: 104 }]);
  });

  it('leaves the command alone when this is not root', () => {
    expect(underAccount({ kind: 'same' }, '/bin/postgres', ['-D', '/data'])).toEqual({
      command: '/bin/postgres',
      args: ['-D', '/data'],
    });
  });

  it('puts a user namespace before the command, so that its pid is the program own', () => {
    expect(underAccount({ kind: 'unshare', uid: 1000, gid: 1000 }, '/bin/postgres', ['-D', '/data'])).toEqual({
      command: 'unshare',
      args: ['-U', '--map-user=1000', '--map-group=1000', '/bin/postgres', '-D', '/data'],
    });
  });

  it('switches the user where there are no namespaces', () => {
    expect(underAccount({ kind: 'user', uid: 101, gid: 104 }, '/bin/postgres', [])).toEqual({
      command: '/bin/postgres',
      args: [],
      runAs: { uid: 101, gid: 104 },
    });
  });
});
