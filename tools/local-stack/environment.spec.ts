import { withoutForeignServices } from './environment';

describe('the environment of child processes', () => {
  it('holds nothing of a real AWS account or of a database that is not this stack', () => {
    const env = {
      PATH: '/bin',
      AWS_PROFILE: 'production',
      AWS_SESSION_TOKEN: 'x',
      DATABASE_APP_URL: 'postgres://real',
      REDIS_URL: 'redis://real',
      PGDATA: '/var/lib/postgresql',
      SNS_TRUSTED_SIMULATOR_ORIGIN: 'http://127.0.0.1:1',
      LOG_LEVEL: 'debug',
    };
    expect(withoutForeignServices(env)).toEqual({ PATH: '/bin', LOG_LEVEL: 'debug' });
  });
});
