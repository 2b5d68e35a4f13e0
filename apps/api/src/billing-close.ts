import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { PeriodService, type BillingPeriod } from '@libs/billing';
import { COMMAND_LINE, withBilling } from './commands/operator-context';
import { endProgress, runCommand, showProgress } from './commands/progress';

const MANUAL = `Usage: npm run billing:close -- --period <YYYY-MM> [--final [--without-bill]] [--status] [--no-wait]

Closes a month that is over: usage is rolled up, its lines and who bears them are stored, AWS's bill is held against them when
one was imported, and invoices are drafted. Doing it twice is doing it once. A worker does the work; this command asks for
it and shows how far it is.

  --period         the month
  --final          issue the invoices and seal the month, for ever; it must be RECONCILED
  --without-bill   with --final: although AWS's bill was never held against it
  --status         only say where the month stands
  --no-wait        ask, and leave

Needs DATABASE_ADMIN_URL, the same as the api.
`;

const LOOK_MS = 500;
/** A worker takes a month up within seconds. */
const PATIENCE_MS = 30_000;

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: {
      period: { type: 'string' },
      final: { type: 'boolean', default: false },
      'without-bill': { type: 'boolean', default: false },
      status: { type: 'boolean', default: false },
      'no-wait': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(MANUAL);
    return;
  }
  const { period } = values;
  if (period === undefined) throw new Error(`--period is needed.\n\n${MANUAL}`);
  await withBilling('billing-close', async (billing) => {
    const periods = billing.get(PeriodService);
    if (!values.status) {
      const goal = values.final ? 'FINAL' : 'PROVISIONAL';
      await periods.ask(period, goal, COMMAND_LINE, { withoutBill: values['without-bill'] });
      if (!values['no-wait']) await follow(periods, period);
    }
    process.stdout.write(`${standing(period, await periods.status(period))}\n`);
  });
}

/** Shows every change until nothing is asked any more. */
async function follow(periods: PeriodService, period: string): Promise<void> {
  let shown = '';
  let waited = 0;
  for (;;) {
    const found = await periods.status(period);
    if (!found?.goal) break;
    if (found.failure !== null) throw new Error(`${period}: ${found.failure}\nA worker tries again until it succeeds.`);
    const line = progress(found);
    if (line !== shown) showProgress(line);
    shown = line;
    waited = found.step === null ? waited + LOOK_MS : 0;
    if (waited === PATIENCE_MS) showProgress('no worker has taken it up yet: is one running?');
    await sleep(LOOK_MS);
  }
  endProgress();
}

function progress({ period, goal, step, done, total }: BillingPeriod): string {
  if (step === null) return `${period}: waiting for a worker (to ${String(goal)})`;
  return `${period}: ${step}${total > 0n ? ` ${done} of ${total}` : ''}`;
}

function standing(period: string, found: BillingPeriod | undefined): string {
  if (!found) return `${period}: OPEN, nothing was ever asked of it`;
  const lines = [`${period}: ${found.state}${found.goal === null ? '' : `, asked to become ${found.goal}`}`];
  if (found.refreshedAt !== null) lines.push(`its lines are true as of ${found.refreshedAt.toISOString()}`);
  if (found.inDoubtMessages > 0n) {
    lines.push(`in doubt: ${found.inDoubtMessages} messages to ${found.inDoubtRecipients} recipients, in no line yet`);
  }
  if (found.failure !== null) lines.push(`failed: ${found.failure}`);
  return lines.join('\n');
}

void runCommand('billing:close', run);
