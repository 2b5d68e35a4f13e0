import type { Fault } from './fault';
import type { TrialResult } from './trial';

const COLUMNS = ['fault', 'accepted', 'sent', 'lost', 'twice', 'over quota', 'over rate', 'in doubt', 'recovered', ''];

/** The table a person reads, worst news in the last column. */
export function textReport(results: readonly TrialResult[]): string {
  const rows = results.map((result) => [
    result.name,
    String(result.accepted),
    String(result.sent),
    String(result.lost),
    String(result.duplicated),
    String(result.overQuota),
    String(result.overRate),
    String(result.inDoubt),
    `${result.secondsToRecover.toFixed(1)} s`,
    result.problems.length > 0 ? `NOT BORNE: ${result.problems.join('; ')}` : result.remark,
  ]);
  const widths = COLUMNS.map((head, i) => Math.max(head.length, ...rows.map((row) => (row[i] ?? '').length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) =>
        i === 0 || i === COLUMNS.length - 1 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [line(COLUMNS), ...rows.map(line)].join('\n');
}

/** A fault that this machine cannot be given, and why. */
export interface Skipped {
  readonly name: string;
  readonly reason: string;
}

/** The last line of `--json`. */
export function jsonReport(results: readonly TrialResult[], skipped: readonly Skipped[], busy: boolean): string {
  const faults = results.map((result) => ({
    name: result.name,
    lost: result.lost,
    duplicated: result.duplicated,
    overQuota: result.overQuota,
    overRate: result.overRate,
    inDoubt: result.inDoubt,
    secondsToRecover: result.secondsToRecover,
    ...(result.problems.length > 0 ? { problems: result.problems } : {}),
  }));
  return JSON.stringify({ faults, ...(skipped.length > 0 ? { skipped } : {}), ...(busy ? { busy } : {}) });
}

/** The catalogue for a program. */
export function jsonList(faults: readonly Fault[]): string {
  return JSON.stringify({ faults: faults.map(({ name, about, rows }) => ({ name, about, rehearses: rows })) });
}

export function listOf(faults: readonly Fault[]): string {
  const width = Math.max(...faults.map(({ name }) => name.length));
  return faults
    .map(
      ({ name, rows, about }) =>
        `${name.padEnd(width)}  ${about} [${/^\d/.test(rows) ? `crash matrix ${rows}` : rows}]`,
    )
    .join('\n');
}
