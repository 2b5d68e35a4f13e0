import { scrubSecrets } from './scrub.policy';

describe('scrubSecrets', () => {
  it.each([
    ['an API key', 'key pf_live_abcdefghijklmnopqrstuvwxyz0123456789', 'abcdefghijkl'],
    ['a webhook secret', 'secret whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'MfKQ9r8'],
    ['a password in a URL', 'connect postgres://pf_app:hunter2@127.0.0.1:5432/pf', 'hunter2'],
    ['an authorization header', '{"authorization":"Bearer abc.def.ghi"}', 'abc.def'],
    ['a secret access key in JSON', '{"secretAccessKey":"wJalrXUtnFEMI/K7MDENG"}', 'wJalrXUtnFEMI'],
    ['an access key id', 'AKIAIOSFODNN7EXAMPLE was used', 'IOSFODNN7EXAMPLE'],
  ])('removes %s', (_what, line, secret) => {
    expect(scrubSecrets(line)).not.toContain(secret);
  });

  it('leaves an ordinary line as it is', () => {
    const line = '{"level":30,"msg":"placed tenant ten_01k9 on premium","url":"http://127.0.0.1:3000/graphql"}';
    expect(scrubSecrets(line)).toBe(line);
  });
});
