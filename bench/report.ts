import type { LoadWatch } from './load-watch';
import {
  boundValue,
  isMet,
  stretchMet,
  targetMet,
  totalCpuUs,
  type Bound,
  type Figure,
  type Outcome,
  type Result,
} from './result';

/** The table for people: one line per figure, then the CPU and the notes of each measure. */
export function textReport({ results, failures }: Outcome): string {
  const rows = [
    ['id', 'measure', 'value', 'target', 'stretch', 'met', 'CPU/message'],
    ...results.flatMap((result) => result.figures.map((figure, i) => rowOf(result, figure, i === 0))),
    ...failures.map(({ id }) => [id, 'could not be measured', '-', '-', '-', 'NO', '']),
  ];
  const details = results.flatMap((result) => [
    '',
    `${result.id} ${result.measure}`,
    ...(result.cpuUs ? [`  CPU per message: ${cpuLine(result.cpuUs)}`] : []),
    ...result.notes.map((note) => `  ${note}`),
  ]);
  const errors = failures.map(({ id, error }) => `\n${id} could not be measured: ${error}`);
  return [aligned(rows), ...details, ...errors].join('\n');
}

function rowOf(result: Result, figure: Figure, isFirst: boolean): string[] {
  const cpu = totalCpuUs(result);
  return [
    isFirst ? result.id : '',
    figure.name,
    withUnit(figure.value, figure.unit),
    boundText(figure.target, figure.unit),
    boundText(figure.stretch, figure.unit),
    isMet(figure.value, figure.target) ? (isMet(figure.value, figure.stretch) ? 'yes, stretch' : 'yes') : 'NO',
    isFirst && cpu !== undefined ? `${cpu.toFixed(0)} us` : '',
  ];
}

/** The same as Markdown, for bench/RESULTS.md. */
export function markdownTable({ results, failures }: Outcome): string {
  const rows = [
    ['', 'measure', 'value', 'target', 'stretch', 'met', 'CPU per message'],
    ['---', '---', '---:', '---:', '---:', '---', '---:'],
    ...results.flatMap((result) => result.figures.map((figure, i) => rowOf(result, figure, i === 0))),
    ...failures.map(({ id, error }) => [id, `could not be measured: ${error}`, '-', '-', '-', 'NO', '']),
  ];
  return rows.map((row) => `| ${row.join(' | ')} |`).join('\n');
}

export function markdownNotes(results: readonly Result[]): string {
  return results
    .map((result) =>
      [
        `### ${result.id}: ${result.measure}`,
        '',
        ...(result.cpuUs ? [`- CPU per message: ${cpuLine(result.cpuUs)}`] : []),
        ...result.notes.map((note) => `- ${note}`),
      ].join('\n'),
    )
    .join('\n\n');
}

/** Where the run shows the product behind: targets that were not met, and what a measure says of itself. */
export function markdownLosses(results: readonly Result[]): string {
  const missed = results.flatMap(({ id, figures }) =>
    figures
      .filter(({ value, target }) => !isMet(value, target))
      .map(
        ({ name, value, unit, target }) =>
          `**${id} misses its target.** ${name}: ${withUnit(value, unit)}, wanted ${boundText(target, unit)}.`,
      ),
  );
  return [...missed, ...results.flatMap(({ losses = [] }) => losses)].map((line) => `- ${line}`).join('\n');
}

/** The object that `--json` prints last. */
export function jsonReport({ results, failures }: Outcome, load: LoadWatch): string {
  return JSON.stringify({
    results: [
      ...results.map((result) => ({
        id: result.id,
        measure: result.measure,
        value: rounded(result.figures[0].value),
        target: boundValue(result.figures[0].target),
        stretch: boundValue(result.figures[0].stretch),
        met: targetMet(result),
        stretchMet: stretchMet(result),
        cpuPerMessageUs: roundedOrNull(totalCpuUs(result)),
        cpuUs: result.cpuUs && mapValues(result.cpuUs, rounded),
        figures: result.figures.map(({ name, value, unit, target, stretch }) => ({
          name,
          value: rounded(value),
          unit,
          target,
          stretch,
          met: isMet(value, target),
        })),
        notes: result.notes,
      })),
      ...failures.map(({ id, error }) => ({
        id,
        value: null,
        target: null,
        stretch: null,
        met: false,
        cpuPerMessageUs: null,
        error,
      })),
    ],
    busy: load.isBusy,
    foreignCores: rounded(load.worstCores),
  });
}

function cpuLine(cpuUs: Readonly<Record<string, number>>): string {
  return Object.entries(cpuUs)
    .map(([name, us]) => `${name} ${us.toFixed(1)} us`)
    .join(', ');
}

function boundText(bound: Bound, unit: string): string {
  return `${'most' in bound ? '<=' : '>='} ${withUnit(boundValue(bound), unit)}`;
}

function withUnit(value: number, unit: string): string {
  return unit === '' ? String(rounded(value)) : `${rounded(value)} ${unit}`;
}

/** Five significant digits, and whole numbers whole. */
function rounded(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toPrecision(5));
}

function roundedOrNull(value: number | undefined): number | null {
  return value === undefined ? null : rounded(value);
}

function mapValues(record: Readonly<Record<string, number>>, change: (value: number) => number) {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
