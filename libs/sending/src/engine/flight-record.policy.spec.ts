import { newId, type AttemptId, type BatchId, type SendingAccountId } from '@libs/kernel';
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

const batch = () => ({ batchId: newId<BatchId>(), sendingAccountId: newId<SendingAccountId>() });
const attempt = (name: string) => name as AttemptId;

describe('a flight record', () => {
  it('tells what was never started, started, and answered', () => {
    const one = batch();
    const text =
      claimLine(one) + startLine(attempt('a1')) + startLine(attempt('a2')) + answerLine(attempt('a1'), 'sent', 'ses-1');
    const { open, evidence } = readFlightRecord(text);
    expect(open).toEqual([one]);
    expect(evidence.get(attempt('a1'))).toEqual({ kind: 'answered', end: 'sent', detail: 'ses-1' });
    expect(evidence.get(attempt('a2'))).toEqual({ kind: 'started' });
    expect(evidence.has(attempt('a3'))).toBe(false);
  });

  it('leaves out batches that were closed', () => {
    const [one, other] = [batch(), batch()];
    const text = claimLine(one) + claimLine(other) + closeLine(one.batchId);
    expect(readFlightRecord(text).open).toEqual([other]);
  });

  it('is read in any order of its files: an answer is more than a start, and what was closed stays closed', () => {
    const [one, other] = [batch(), batch()];
    const first = claimLine(one) + claimLine(other) + startLine(attempt('a1'));
    const second = answerLine(attempt('a1'), 'sent', 'ses-1') + closeLine(one.batchId);
    for (const texts of [
      [first, second],
      [second, first],
    ]) {
      const { open, evidence } = readFlightRecord(...texts);
      expect(open).toEqual([other]);
      expect(evidence.get(attempt('a1'))).toMatchObject({ kind: 'answered' });
    }
  });

  it('takes what a crash of the host made of a claim for no batch: nobody could look it up', () => {
    const one = batch();
    const holed = claimLine(one).slice(0, 20) + '\u0000'.repeat(40) + '\n';
    expect(readFlightRecord(holed + `C ${one.batchId} \u0000\n` + claimLine(one)).open).toEqual([one]);
    expect(readFlightRecord(holed).open).toEqual([]);
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
