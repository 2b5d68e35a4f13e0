import { parseRedisUrl, redisHosts } from './redis-url';

describe('where Redis is', () => {
  it.each([
    ['redis://h', { cluster: false, nodes: [{ host: 'h', port: 6379 }], database: 0, tls: false }],
    ['redis://:p%40ss@h:7/3', { cluster: false, password: 'p@ss', nodes: [{ host: 'h', port: 7 }], database: 3 }],
    ['rediss://user:a:b@[::1]:7', { username: 'user', password: 'a:b', nodes: [{ host: '::1', port: 7 }], tls: true }],
    ['redis://h:7,i:8,j', { cluster: true, nodes: [{ port: 7 }, { port: 8 }, { host: 'j', port: 6379 }] }],
    ['redis+cluster://h:7', { cluster: true, nodes: [{ host: 'h', port: 7 }] }],
    ['redis://:secret@h:7/0?cluster=true', { cluster: true, password: 'secret' }],
  ])('is read from %s', (text, expected) => {
    expect(parseRedisUrl(text)).toMatchObject(expected);
  });

  it.each([
    'localhost:6379',
    'http://h',
    'redis://',
    'redis://h:99999',
    'redis://h,',
    'redis://h:7,i:8/2',
    'redis://h,i?cluster=false',
    'redis://h?cluster=maybe',
    'redis://:%zz@h',
  ])('is not read from %s', (text) => {
    expect(parseRedisUrl(text)).toBeUndefined();
  });

  it('is told to people without its password', () => {
    expect(redisHosts('redis://:secret@h:7,i:8')).toBe('h:7, i:8');
  });
});
