import { parseArgs } from 'node:util';
import { BillImportService, type Imported } from '@libs/billing';
import { typedPath } from '@libs/config';
import { formatUsd } from '@libs/kernel';
import { COMMAND_LINE, withBilling } from './commands/operator-context';
import { endProgress, runCommand, showProgress } from './commands/progress';

const MANUAL = `Usage: npm run billing:import -- --file <file> [more files] --period <YYYY-MM> [--payer <account>] [--json]

Imports AWS's bill of a month: a Cost and Usage Report (legacy or 2.0) or a FOCUS 1.x export, as CSV, plain or gzip.
A report in several files is imported with all of them at once: name every file, or its -Manifest.json with the files beside
it. All of it is taken in, or nothing. A worker then holds it against the month's own lines; npm run billing:close shows how far
it is. A newer report of the same payer and month takes the place of the older one; of a month that is FINAL it becomes
corrections of the next month that is open.

  --file     the report: a file, or the manifest of several; more files may follow
  --period   the month it is of
  --payer    the account that pays, 12 digits; needed the first time a payer's report is imported
  --json     the result as one JSON object on standard output

Needs DATABASE_ADMIN_URL, the same as the api.
`;

async function run(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      file: { type: 'string', multiple: true },
      period: { type: 'string' },
      payer: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(MANUAL);
    return;
  }
  const { file, period, payer, json } = values;
  const files = [...(file ?? []), ...positionals].map((name) => typedPath(name));
  if (files.length === 0 || period === undefined) throw new Error(`--file and --period are needed.\n\n${MANUAL}`);
  await withBilling('billing-import', async (billing) => {
    const imported = await billing.get(BillImportService).import(
      {
        files,
        period,
        ...(payer === undefined ? {} : { payer }),
        onProgress: (lines) => {
          showProgress(`${lines.toLocaleString('en-US')} lines read`);
        },
      },
      COMMAND_LINE,
    );
    endProgress();
    process.stdout.write(json ? `${asJson(imported)}\n` : asText(period, imported));
  });
}

function asText(period: string, { replaced, corrections, unknownUsageTypes, ...bill }: Imported): string {
  const lines = [
    `${bill.format} report of payer ${bill.payer}: ${bill.lines.toLocaleString('en-US')} lines`,
    `the fleet's accounts: ${formatUsd(bill.totalMicro)} USD; other accounts of this payer: ${formatUsd(bill.outsideMicro)} USD`,
  ];
  if (replaced !== null) {
    lines.push(
      `it takes the place of ${replaced.fileName} (${replaced.lines.toLocaleString('en-US')} lines, ${formatUsd(replaced.totalMicro)} USD), ` +
        'which counts no longer: files of one report are imported together',
    );
  }
  if (unknownUsageTypes.length > 0) {
    lines.push(`unknown usage types, borne by the platform until somebody looks: ${unknownUsageTypes.join(', ')}`);
  }
  lines.push(
    corrections === null
      ? `a worker holds it against the lines of ${period} as soon as that month is over`
      : `${period} is FINAL: ${corrections.lines} corrections of ${formatUsd(corrections.costMicro)} USD were booked in ${corrections.bookedIn}`,
  );
  return `${lines.join('\n')}\n`;
}

function asJson(imported: Imported): string {
  return JSON.stringify(imported, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
}

void runCommand('billing:import', run);
