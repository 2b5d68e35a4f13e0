import type { AttemptId, BatchId, SendingAccountId } from '@libs/kernel';
import {
  answerLine,
  claimLine,
  closeLine,
  CUT_SHORT,
  readFlightRecord,
  readRecorderFile,
  recorderFile,
  startLine,
} from './flight-record.policy';

const batch = (name: string) => ({ batchId: name as BatchId, sendingAccountId: 'acc' as SendingAccountId });
const attempt = (name: string) => name as AttemptId;

describe('a flight record', () => {
  it('tells what was never started, started, and answered', () => {
    const text =
      claimLine(batch('b1')) +
      startLine(attempt('a1')) +
      startLine(attempt('a2')) +
      answerLine(attempt('a1'), 'sent', 'ses-1');
    const { open, evidence } = readFlightRecord(text);
    expect(open).toEqual([batch('b1')]);
    expect(evidence.get(attempt('a1'))).toEqual({ kind: 'answered', end: 'sent', detail: 'ses-1' });
    expect(evidence.get(attempt('a2'))).toEqual({ kind: 'started' });
    expect(evidence.has(attempt('a3'))).toBe(false);
  });

  it('leaves out batches that were closed', () => {
    const text = claimLine(batch('b1')) + claimLine(batch('b2')) + closeLine('b1' as BatchId);
    expect(readFlightRecord(text).open).toEqual([batch('b2')]);
  });

  it('takes an answer that was cut off for no answer', () => {
    const text = startLine(attempt('a1')) + answerLine(attempt('a1'), 'sent', 'ses-12345').slice(0, -4);
    expect(readFlightRecord(text).evidence.get(attempt('a1'))).toEqual({ kind: 'started' });
  });

  it('takes what a full disk cut short for nothing, and reads on after it', () => {
    const cut = startLine(attempt('a1')) + answerLine(attempt('a1'), 'sent', 'ses-12345').slice(0, -4);
    const text = cut + CUT_SHORT + startLine(attempt('a2')) + CUT_SHORT + startLine(attempt('a3'));
    const { evidence } = readFlightRecord(text);
    expect([...evidence]).toEqual(['a1', 'a2', 'a3'].map((name) => [attempt(name), { kind: 'started' }]));
  });

  it('keeps one line per fact, whatever SES answered', () => {
    expect(answerLine(attempt('a1'), 'rejected', 'bad\nS a2 x')).toBe('A a1 rejected bad_S_a2_x\n');
  });

  it('names its process in the file name, and reads that back', () => {
    const owner = { worker: 'host.example-1a2b@w2', pid: 12, started: '345' };
    expect(readRecorderFile(recorderFile(owner))).toEqual(owner);
    expect(readRecorderFile('notes.txt')).toBeUndefined();
  });
});
