import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { newId, type AttemptId, type BatchId, type SendingAccountId } from '@libs/kernel';
import { EngineSettings } from './engine.settings';
import { FlightRecorder } from './flight-recorder.service';

const MB = 1024 * 1024;
const account = newId<SendingAccountId>();

describe('the flight recorder', () => {
  let recorderDir: string;

  beforeEach(() => {
    recorderDir = mkdtempSync(path.join(tmpdir(), 'pf-flight-'));
  });
  afterEach(() => {
    rmSync(recorderDir, { recursive: true, force: true });
  });

  const recorderOf = (worker: string) =>
    new FlightRecorder(new EngineSettings({ worker, recorderDir, inDoubtAfterMs: { TRANSACTIONAL: 1, MARKETING: 1 } }));
  const claim = (recorder: FlightRecorder): BatchId => {
    const batchId = newId<BatchId>();
    recorder.claiming({ batchId, sendingAccountId: account });
    return batchId;
  };
  /** A batch's requests and answers, some 150 KB. */
  const fly = (recorder: FlightRecorder): AttemptId[] => {
    const attempts = Array.from({ length: 1_000 }, () => newId<AttemptId>());
    recorder.starting(attempts);
    const end = { kind: 'sent', sesMessageId: '0'.repeat(60) } as const;
    recorder.answered(attempts.map((attemptId) => ({ attempt: { attemptId }, end })));
    return attempts;
  };
  /** Its process is gone. */
  const bury = (worker: string) => {
    const name = readdirSync(recorderDir).find((one) => one.startsWith(worker) && one.endsWith('.flight')) ?? '';
    renameSync(path.join(recorderDir, name), path.join(recorderDir, `${worker}.1.999999999999.flight`));
  };

  it('stays short however much a worker sends that always has a batch open, and knows all of what is open', () => {
    const recorder = recorderOf('busy');
    let before = claim(recorder);
    let last: AttemptId[] = [];
    for (let i = 0; i < 200; i += 1) {
      const next = claim(recorder);
      last = fly(recorder);
      recorder.closed(before);
      before = next;
    }
    const sizes = readdirSync(recorderDir).map((name) => statSync(path.join(recorderDir, name)).size);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(12 * MB);
    bury('busy');
    const [record] = recorderOf('next').takeDead();
    expect(record?.open).toEqual([{ batchId: before, sendingAccountId: account }]);
    expect(record?.worker).toBe('busy');
    for (const attempt of last) expect(record?.evidence.get(attempt)).toMatchObject({ kind: 'answered', end: 'sent' });
  });

  it('keeps what it knows of a batch for as long as that is open, in whichever file it stands', () => {
    const recorder = recorderOf('slow');
    const slow = claim(recorder);
    const first = fly(recorder);
    for (let i = 0; i < 100; i += 1) {
      const other = claim(recorder);
      fly(recorder);
      recorder.closed(other);
    }
    const answer = { kind: 'rejected', code: 'Late', message: '' } as const;
    recorder.answered([{ attempt: { attemptId: first[0] as AttemptId }, end: answer }]);
    bury('slow');
    const [record] = recorderOf('next').takeDead();
    expect(record?.open.map(({ batchId }) => batchId)).toEqual([slow]);
    expect(record?.evidence.get(first[0] as AttemptId)).toMatchObject({ end: 'rejected', detail: 'Late' });
    expect(record?.evidence.get(first[1] as AttemptId)).toMatchObject({ end: 'sent' });
    record?.done();
    expect(readdirSync(recorderDir).filter((name) => name.startsWith('slow'))).toEqual([]);
  });

  it('writes nothing once it is closed: its descriptor may be another file’s by then', () => {
    const recorder = recorderOf('gone');
    const batch = claim(recorder);
    recorder.close();
    const other = path.join(recorderDir, 'other');
    const descriptors = [openSync(other, 'a'), openSync(other, 'a')];
    expect(() => {
      recorder.closed(batch);
    }).toThrow(/closed/);
    expect(readFileSync(other, 'utf8')).toBe('');
    descriptors.forEach(closeSync);
  });
});
