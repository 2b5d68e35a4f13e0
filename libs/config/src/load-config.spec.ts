import { apiConfig, ConfigInvalid, invoicingOf, loadConfig, workerConfig } from './index';

const usable = {
  DATABASE_APP_URL: 'postgres://pf_app:secret@127.0.0.1:5432/postfleet',
  DATABASE_ADMIN_URL: 'postgres://pf_admin:secret@127.0.0.1:5432/postfleet',
  REDIS_URL: 'redis://127.0.0.1:6379',
  API_KEY_PEPPER: 'p'.repeat(32),
};

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    loadConfig(apiConfig, environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigInvalid) return error.problems;
    throw error;
  }
}

describe('the api’s environment', () => {
  it('is accepted with what has no default, and typed', () => {
    expect(loadConfig(apiConfig, usable)).toMatchObject({ API_PORT: 3000, NODE_ENV: 'development' });
  });

  it.each([
    ['DATABASE_APP_URL', 'mysql://x'],
    ['REDIS_URL', 'localhost:6379'],
    ['API_PORT', 'http'],
    ['API_PORT', '70000'],
    ['API_KEY_PEPPER', 'short'],
    ['SNS_TRUSTED_SIMULATOR_ORIGIN', 'http://10.0.0.1:4566'],
    ['NODE_ENV', 'prod'],
  ])('names %s when it is %j', (name, value) => {
    expect(problemsOf({ ...usable, [name]: value }).some((problem) => problem.startsWith(`${name}:`))).toBe(true);
  });

  it('names every variable that is missing at once', () => {
    const problems = problemsOf({}).join('\n');
    for (const name of Object.keys(usable)) expect(problems).toContain(name);
  });

  it('does not repeat the value of a variable it refuses', () => {
    expect(problemsOf({ ...usable, DATABASE_APP_URL: 'mysql://u:topsecret@h/d' }).join()).not.toContain('topsecret');
  });

  it.each([
    { SNS_TRUSTED_SIMULATOR_ORIGIN: 'http://127.0.0.1:4566', SNS_TRUSTED_SIMULATOR_CA_FILE: 'ca.pem' },
    { ENGINE_CLOCK_SPEED: '60' },
    { ENGINE_CLOCK_OFFSET_MS: '1000' },
  ])('refuses %j in production and accepts it elsewhere', (extra) => {
    expect(problemsOf({ ...usable, ...(extra as Record<string, string>) })).toEqual([]);
    const production = { ...usable, SELLER_ADDRESS: '1 Harbour Street|Dublin', NODE_ENV: 'production' };
    expect(problemsOf(production)).toEqual([]);
    expect(problemsOf({ ...production, ...(extra as Record<string, string>) })).not.toEqual([]);
  });

  it('says in production in whose name invoices are issued', () => {
    expect(problemsOf({ ...usable, NODE_ENV: 'production' })).toEqual([expect.stringMatching(/^SELLER_ADDRESS:/)]);
  });

  it('says when invoices are due and where their seller lives, line by line', () => {
    const config = loadConfig(apiConfig, {
      ...usable,
      SELLER_ADDRESS: '1 Harbour Street | Dublin',
      INVOICE_DUE_DAYS: '30',
    });
    const { seller, dueAt } = invoicingOf(config);
    expect(seller).toEqual({
      name: 'Postfleet',
      address: ['1 Harbour Street', 'Dublin'],
      taxId: null,
      email: null,
      note: null,
    });
    expect(dueAt(new Date('2026-12-02T08:00:00Z'))).toEqual(new Date('2027-01-01T08:00:00Z'));
  });
});

describe('the worker’s environment', () => {
  it('asks for the address that Amazon SNS calls back', () => {
    expect(() =>
      loadConfig(workerConfig, { DATABASE_WORKER_URL: 'postgres://pf_worker@h/d', REDIS_URL: 'redis://h:6379' }),
    ).toThrow(/PUBLIC_URL/);
  });
});
