import { VERDICTS } from './outcome.policy';

describe('verdicts', () => {
  it('end a message only when SES took it, will never take it, or nobody knows', () => {
    const ended = Object.entries(VERDICTS).filter(([, verdict]) => verdict.message !== 'READY');
    expect(ended.map(([kind]) => kind).sort()).toEqual(['in-doubt', 'invalid', 'rejected', 'sent']);
  });

  it('call an attempt NOT_SENT exactly when its message may go again', () => {
    for (const verdict of Object.values(VERDICTS)) {
      expect(verdict.attempt === 'NOT_SENT').toBe(verdict.message === 'READY');
    }
  });

  it('wait before SES is asked again, except for what was never started', () => {
    for (const [kind, verdict] of Object.entries(VERDICTS)) {
      if (verdict.message === 'READY') expect(verdict.waitMs > 0).toBe(kind !== 'unstarted');
    }
  });

  it('hold the mail of a route or domain that SES refuses, and wait longer with each attempt of a message', () => {
    for (const kind of ['identity', 'drift', 'denied'] as const) {
      expect(VERDICTS[kind]).toMatchObject({ message: 'READY', reaction: { kind: 'hold' }, waitGrows: true });
    }
  });

  it.each(['rate', 'daily-quota', 'paused', 'suspended', 'credentials', 'unsent'] as const)(
    'stop the batch on %s',
    (kind) => {
      expect(VERDICTS[kind].stopsBatch).toBe(true);
    },
  );

  it.each(['set-paused', 'identity', 'drift', 'denied', 'rejected', 'invalid'] as const)(
    'let the other tenants of the batch go on after %s',
    (kind) => {
      expect(VERDICTS[kind].stopsBatch).toBe(false);
    },
  );
});
