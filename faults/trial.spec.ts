import { FAULTS } from './catalogue';
import { jsonReport, textReport } from './report';
import { notTried, problemsOf, type TrialResult } from './trial';

const borne: TrialResult = {
  name: 'kill-worker',
  accepted: 10,
  sent: 10,
  lost: 0,
  duplicated: 0,
  overQuota: 0,
  overRate: 0,
  inDoubt: 0,
  waiting: 0,
  unknown: 0,
  secondsToRecover: 1.9,
  steady: true,
  remark: '',
  foreignCores: 0,
  problems: [],
};
const allow = { recoverySeconds: 5 };

describe('what a fault may do', () => {
  it('is nothing but take its time', () => {
    expect(problemsOf(borne, { allow })).toEqual([]);
  });

  it.each(['lost', 'duplicated', 'overQuota', 'overRate', 'inDoubt', 'waiting', 'unknown'] as const)(
    'is never one %s more than the table grants',
    (what) => {
      expect(problemsOf({ ...borne, [what]: 1 }, { allow })).toHaveLength(1);
    },
  );

  it('is no longer than the table grants', () => {
    expect(problemsOf({ ...borne, secondsToRecover: 5.1 }, { allow })).toEqual(['5.1 seconds to recover, at most 5']);
  });

  it('is not known when there was no load to break', () => {
    expect(problemsOf({ ...borne, steady: false }, { allow })).toEqual(['the load never reached its rate']);
  });

  it('may take any time on a machine that others use', () => {
    expect(problemsOf({ ...borne, secondsToRecover: 50, foreignCores: 1 }, { allow })).toEqual([]);
  });

  it('is not known when the fault could not be injected to its end', () => {
    const [flushall] = FAULTS.filter(({ name }) => name === 'flushall');
    expect(flushall && notTried(flushall, 'no Redis').problems).toEqual(['not injected to its end: no Redis']);
  });

  it('includes doubts and waiting mail where the table says so', () => {
    const patient = { recoverySeconds: 5, inDoubt: 3, waiting: true };
    expect(problemsOf({ ...borne, inDoubt: 3, waiting: 50, secondsToRecover: 60 }, { allow: patient })).toEqual([]);
    expect(problemsOf({ ...borne, inDoubt: 4 }, { allow: patient })).toHaveLength(1);
    expect(problemsOf({ ...borne, lost: 1 }, { allow: patient })).toHaveLength(1);
  });
});

describe('the report', () => {
  it('ends in one line of JSON with the seven figures of each fault', () => {
    const { faults } = JSON.parse(jsonReport([borne], [], false)) as { faults: unknown[] };
    expect(faults).toEqual([
      { name: 'kill-worker', lost: 0, duplicated: 0, overQuota: 0, overRate: 0, inDoubt: 0, secondsToRecover: 1.9 },
    ]);
  });

  it('says in its JSON what could not be tried here', () => {
    const skipped = [{ name: 'clock-jump', reason: 'there is no libfaketime' }];
    expect(JSON.parse(jsonReport([], skipped, false))).toEqual({ faults: [], skipped });
  });

  it('says in both forms what was not borne', () => {
    const bad = { ...borne, lost: 1, problems: ['1 lost, at most 0'] };
    expect(textReport([bad])).toContain('NOT BORNE: 1 lost, at most 0');
    expect(jsonReport([bad], [], true)).toContain('"problems":["1 lost, at most 0"]');
    expect(jsonReport([bad], [], true)).toContain('"busy":true');
  });
});

describe('the catalogue of faults', () => {
  it('names each fault once', () => {
    const names = FAULTS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('grants no loss and no copy, and says of each what it does', () => {
    expect(FAULTS.filter(({ about, rows }) => about === '' || rows === '')).toEqual([]);
  });
});
